"""A baseline: the findings that a project has accepted for now, as a file beside its code.

An entry names a file, a rule, a fingerprint and how many findings have it. The fingerprint is `Finding.anchor`: moved
lines and reformatting do not change it, and it is found again in a file that was renamed. The text is sorted, one
entry a line, with the message for the reader. Guarantees that `Match.left` never accepts a finding that the baseline
did not: without somebody writing it anew, a baseline only shrinks. Does not look for findings.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from wsantipattern.finding import Finding
from wsantipattern.record import record
from wsantipattern.source import reason

VERSION = 1


class BaselineError(Exception):
    """A baseline that cannot be used; the message is one line that names the file."""


@record(frozen=True, slots=True, order=True)
class Entry:
    """Accepted findings that look the same.

    Attributes:
        path: relative to the baseline's folder, with `/`.
        rule: the id.
        fingerprint: `Finding.anchor`.
        count: how many there are, at least 1.
        message: of one of them; for the reader only.
    """

    path: str
    rule: str
    fingerprint: str
    count: int = 1
    message: str = ""


@record(slots=True)
class Match:
    """Findings held against a baseline.

    Attributes:
        new: the findings that it does not have, in their order.
        known: how many it has.
        fixed: what is in it and was not found, in order.
        moved: how many findings it has under another path.
        left: the entries of the baseline without what is fixed, under the paths where they were found.
    """

    new: list[Finding] = field(default_factory=list)
    known: int = 0
    fixed: list[Entry] = field(default_factory=list)
    moved: int = 0
    left: list[Entry] = field(default_factory=list)


def load(file: str) -> list[Entry]:
    """The entries in a file.

    Raises:
        BaselineError: it cannot be read, or is no baseline.
    """
    try:
        data = json.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise BaselineError(f"{file}: {reason(error)}") from None
    except ValueError as error:
        raise BaselineError(f"{file}: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise BaselineError(f"{file}: not a baseline of version {VERSION}")
    try:
        return sorted(
            _entry(path, rule, entry)
            for path, rules in data["findings"].items()
            for rule, entries in rules.items()
            for entry in entries
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BaselineError(f"{file}: not a baseline") from None


def _entry(path: str, rule: str, entry: dict[str, Any]) -> Entry:
    count = entry["count"]
    if not isinstance(count, int) or count < 1:
        raise ValueError(count)
    return Entry(path, rule, str(entry["fingerprint"]), count, str(entry.get("message", "")))


def written(entries: Iterable[Entry]) -> str:
    """The text of a baseline: equal entries, equal text."""
    files: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in sorted(entries):
        shown = {"fingerprint": entry.fingerprint, "count": entry.count, "message": entry.message}
        files[entry.path][entry.rule].append(f"        {_json(shown)}")
    parts = []
    for path, rules in files.items():
        listed = ",\n".join(
            "      " + _json(rule) + ": [\n" + ",\n".join(lines) + "\n      ]"
            for rule, lines in rules.items()
        )
        parts.append("    " + _json(path) + ": {\n" + listed + "\n    }")
    inside = "{\n" + ",\n".join(parts) + "\n  }" if parts else "{}"
    text = f'{{\n  "version": {VERSION},\n  "findings": {inside}\n}}\n'
    # A file name that is no UTF-8 holds lone surrogates, which JSON can escape and UTF-8 cannot hold.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def path_in(file: str, path: str) -> str:
    """A reported path as the baseline in `file` names it."""
    folder = os.path.dirname(os.path.abspath(file))
    return os.path.relpath(os.path.abspath(path), folder).replace(os.sep, "/")


def entries_of(findings: Iterable[Finding], named: Callable[[str], str]) -> list[Entry]:
    """What accepts these findings; `named` gives the baseline's name of a reported path."""
    entries: dict[tuple[str, str, str], Entry] = {}
    for finding in findings:
        key = (named(finding.path), finding.rule, finding.anchor)
        known = entries.get(key)
        entries[key] = replace(known, count=known.count + 1) if known else Entry(*key, 1, finding.message)
    return sorted(entries.values())


def match(
    entries: Iterable[Entry],
    findings: Iterable[Finding],
    named: Callable[[str], str],
    is_covered: Callable[[Entry], bool],
    is_gone: Callable[[Entry], bool],
) -> Match:
    """Holds findings against a baseline.

    Args:
        entries: of the baseline.
        findings: of a run.
        named: gives the baseline's name of a reported path.
        is_covered: whether the run would have found what an entry accepts, were it still there.
        is_gone: whether the file of an entry does not exist any more, so that its findings may be in another one.
    """
    result = Match()
    accepted = {(entry.path, entry.rule, entry.fingerprint): entry for entry in entries}
    room = {key: entry.count for key, entry in accepted.items()}
    met: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    unknown: list[Finding] = []
    for finding in findings:
        key = (named(finding.path), finding.rule, finding.anchor)
        if room.get(key, 0) > 0:
            room[key] -= 1
            met[key] += 1
        else:
            unknown.append(finding)
    elsewhere: defaultdict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for key, count in room.items():
        if count and is_covered(accepted[key]) and is_gone(accepted[key]):
            elsewhere[key[1:]] += [key] * count
    messages: dict[tuple[str, str, str], str] = {key: entry.message for key, entry in accepted.items()}
    for finding in unknown:
        others = elsewhere[(finding.rule, finding.anchor)]
        if not others:
            result.new.append(finding)
            continue
        room[others.pop(0)] -= 1
        key = (named(finding.path), finding.rule, finding.anchor)
        met[key] += 1
        messages.setdefault(key, finding.message)
        result.moved += 1
    result.known = sum(met.values())
    for key, count in room.items():
        if count and is_covered(accepted[key]):
            result.fixed.append(replace(accepted[key], count=count))
        elif count:
            met[key] += count
    result.fixed.sort()
    result.left = sorted(Entry(*key, count, messages[key]) for key, count in met.items() if count)
    return result
