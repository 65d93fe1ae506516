"""Reports of parts of one run, joined into what the whole run would have printed.

Takes reports in JSON or in SARIF, all of one kind. Guarantees the order of one run and every finding once for each
time it was reported; an error that every part had to report (a path that does not exist) is kept once. Does not
analyze anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from wsantipattern.report.json import SCHEMA_VERSION, dump

SEVERITIES = ("note", "warning", "error")


class MergeError(Exception):
    """Reports that cannot be joined; the message is one line that names the report."""


def merge(parts: Sequence[tuple[str, str]]) -> str:
    """The joined report.

    Args:
        parts: name and text of each report, at least one.

    Raises:
        MergeError: one is no report, or they are of different kinds.
    """
    values = [(name, _load(name, text)) for name, text in parts]
    is_sarif = ["runs" in value for _, value in values]
    if any(is_sarif) != all(is_sarif):
        other = next(name for (name, _), sarif in zip(values, is_sarif, strict=True) if sarif != is_sarif[0])
        raise MergeError(f"{other} is not of the kind that {values[0][0]} is of")
    for (name, value), sarif in zip(values, is_sarif, strict=True):
        try:
            _check(value, sarif)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError):
            raise MergeError(f"{name} is no report of wsantipattern in JSON or SARIF") from None
    whole = [value for _, value in values]
    return dump(_merged_sarif(whole) if is_sarif[0] else _merged(whole))


def gravest(report: str) -> tuple[str | None, bool]:
    """The gravest severity of the findings in a joined report, and whether it holds errors of files."""
    value = json.loads(report)
    if "runs" in value:
        run = value["runs"][0]
        found = [result["level"] for result in run["results"]]
        errors = any(i["toolExecutionNotifications"] for i in run["invocations"])
    else:
        found = [finding["severity"] for finding in value["findings"]]
        errors = bool(value["errors"])
    return max(found, key=SEVERITIES.index, default=None), errors


def _load(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise MergeError(f"{name}: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise MergeError(f"{name} is no report of wsantipattern in JSON or SARIF")
    return value


def _check(value: dict[str, Any], is_sarif: bool) -> None:
    """Reads all that the joining reads, so that it cannot fail half way."""
    if is_sarif:
        (run,) = value["runs"]
        for result in run["results"]:
            _sarif_order(result)
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            rules[result["ruleIndex"]]["id"].islower()
        if any(result["level"] not in SEVERITIES for result in run["results"]):
            raise ValueError
        for invocation in run["invocations"]:
            for notification in invocation["toolExecutionNotifications"]:
                _notification_order(notification)
        return
    if value["schema_version"] != SCHEMA_VERSION:
        raise ValueError
    for finding in value["findings"]:
        _order(finding)
        if finding["severity"] not in SEVERITIES:
            raise ValueError
    for error in value["errors"]:
        _error_order(error)
    int(value["files"]["checked"]) + int(value["files"]["skipped"])


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    errors = {_error_order(e): e for part in parts for e in part["errors"]}
    return {
        **parts[0],
        "findings": sorted((f for part in parts for f in part["findings"]), key=_order),
        "errors": [errors[key] for key in sorted(errors)],
        "files": {key: sum(part["files"][key] for part in parts) for key in ("checked", "skipped")},
    }


def _order(finding: dict[str, Any]) -> tuple[Any, ...]:
    start, end = finding["start"], finding["end"]
    return (
        finding["path"],
        start["line"],
        start["column"],
        finding["rule"],
        end["line"],
        end["column"],
        finding["message"],
    )


def _error_order(error: dict[str, Any]) -> tuple[str, str]:
    return error["path"], error["message"]


def _merged_sarif(parts: list[dict[str, Any]]) -> dict[str, Any]:
    runs = [part["runs"][0] for part in parts]
    rules = {rule["id"]: rule for run in runs for rule in run["tool"]["driver"]["rules"]}
    ids = sorted(rules)
    results = sorted((result for run in runs for result in run["results"]), key=_sarif_order)
    for result in results:
        result["ruleIndex"] = ids.index(result["ruleId"])
    notifications = {
        _notification_order(notification): notification
        for run in runs
        for invocation in run["invocations"]
        for notification in invocation["toolExecutionNotifications"]
    }
    driver = {**runs[0]["tool"]["driver"], "rules": [rules[rule] for rule in ids]}
    invocation = {
        **runs[0]["invocations"][0],
        "executionSuccessful": not notifications,
        "toolExecutionNotifications": [notifications[key] for key in sorted(notifications)],
    }
    run = {**runs[0], "tool": {**runs[0]["tool"], "driver": driver}, "invocations": [invocation]}
    run["results"] = results
    return {**parts[0], "runs": [run]}


def _sarif_order(result: dict[str, Any]) -> tuple[Any, ...]:
    from urllib.parse import unquote

    place = result["locations"][0]["physicalLocation"]
    region = place["region"]
    return (
        unquote(place["artifactLocation"]["uri"], errors="surrogateescape"),
        region["startLine"],
        region["startColumn"],
        result["ruleId"],
        region["endLine"],
        region["endColumn"],
        result["message"]["text"],
    )


def _notification_order(notification: dict[str, Any]) -> tuple[str, str]:
    from urllib.parse import unquote

    locations = notification.get("locations")
    uri = locations[0]["physicalLocation"]["artifactLocation"]["uri"] if locations else ""
    return unquote(uri, errors="surrogateescape"), notification["message"]["text"]
