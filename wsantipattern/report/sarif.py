"""SARIF 2.1.0, as code scanning services read it: rules with help, results with the witness as a code flow.

Relative paths are resolved against `SRCROOT`. Columns count code points and say so.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from wsantipattern.finding import FileError, Finding, Report, Span
from wsantipattern.report import RenderContext
from wsantipattern.report.json import dump
from wsantipattern.report.prose import help_markdown, help_text, paragraph
from wsantipattern.rule import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "wsantipattern/v1"
_ROOT = "SRCROOT"


def render(report: Report, context: RenderContext) -> str:
    documented = {r.id: r for r in context.rules}
    ids = sorted({*documented, *(f.rule for f in report.findings)})
    index = {rule: number for number, rule in enumerate(ids)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "wsantipattern",
                "version": context.version,
                "semanticVersion": context.version,
                "rules": [_rule(documented[i]) if i in documented else {"id": i} for i in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.errors,
                "toolExecutionNotifications": [_notification(e) for e in report.errors],
            }
        ],
        "results": [_result(f, index) for f in report.findings],
    }
    if context.root:
        run["originalUriBaseIds"] = {_ROOT: {"uri": _file_uri(context.root.rstrip("/\\") + "/")}}
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": paragraph(rule.summary, first=True)},
        "fullDescription": {"text": paragraph(rule.summary)},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
        "defaultConfiguration": {"level": rule.severity.label},
        "properties": {"tags": ["correctness", "realtime"]},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": finding.severity.label,
        "message": {"text": finding.message},
        "locations": [_location(finding.path, finding.span)],
        "properties": {"confidence": finding.confidence.label},
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {FINGERPRINT: finding.fingerprint}
    if finding.trace:
        steps = [{"location": _location(s.path, s.span, s.message)} for s in finding.trace]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [
            {
                "description": {"text": finding.fix.title},
                "artifactChanges": [
                    {
                        "artifactLocation": _artifact(finding.path),
                        "replacements": [
                            {"deletedRegion": _region(e.span), "insertedContent": {"text": e.text}}
                            for e in finding.fix.edits
                        ],
                    }
                ],
            }
        ]
    return result


def _notification(error: FileError) -> dict[str, Any]:
    notification: dict[str, Any] = {"level": "error", "message": {"text": error.message}}
    if error.path:
        notification["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(error.path)}}]
    return notification


def _location(path: str, span: Span, message: str = "") -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(path), "region": _region(span)}
    }
    if message:
        location["message"] = {"text": message}
    return location


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }


def _artifact(path: str) -> dict[str, Any]:
    if _is_absolute(path):
        return {"uri": _file_uri(path)}
    return {"uri": _quote(path), "uriBaseId": _ROOT}


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or path[1:3] in (":/", ":\\")


def _file_uri(path: str) -> str:
    quoted = _quote(path)
    return f"file://{quoted}" if quoted.startswith("/") else f"file:///{quoted}"


def _quote(path: str) -> str:
    # A colon in the first segment would read as a scheme.
    return quote(path.replace("\\", "/") if path[1:3] == ":\\" else path, safe="/", errors="surrogateescape")
