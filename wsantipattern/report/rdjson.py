"""Reviewdog's Diagnostic Format: one `DiagnosticResult`.

That format counts columns in UTF-8 bytes; where the source cannot be had, the column is left out.
"""

from __future__ import annotations

from typing import Any

from wsantipattern.finding import Finding, Position, Report, Severity, Span
from wsantipattern.report import RenderContext
from wsantipattern.report.excerpt import Excerpts
from wsantipattern.report.json import dump

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTE: "INFO"}
_SOURCE = {"name": "wsantipattern"}


def render(report: Report, context: RenderContext) -> str:
    lines = Excerpts(context.source)
    diagnostics = [_finding(f, lines) for f in report.findings]
    diagnostics += [
        {"message": error.message, "location": {"path": error.path}, "severity": "ERROR"}
        for error in report.errors
    ]
    return dump({"source": _SOURCE, "diagnostics": diagnostics})


def _finding(finding: Finding, lines: Excerpts) -> dict[str, Any]:
    steps = [
        f"{number}. {step.path}:{step.span.start.line}:{step.span.start.column} {step.message}"
        for number, step in enumerate(finding.trace, 1)
    ]
    diagnostic: dict[str, Any] = {
        "message": "\n".join([finding.message, *steps]),
        "location": {"path": finding.path, "range": _range(finding.path, finding.span, lines)},
        "severity": _SEVERITIES[finding.severity],
        "source": _SOURCE,
        "code": {"value": finding.rule},
    }
    if finding.fix is not None and finding.fix.edits:
        diagnostic["suggestions"] = [
            {"range": _range(finding.path, e.span, lines), "text": e.text} for e in finding.fix.edits
        ]
    return diagnostic


def _range(path: str, span: Span, lines: Excerpts) -> dict[str, Any]:
    start, end = _position(path, span.start, lines), _position(path, span.end, lines)
    if "column" in start and "column" in end:
        return {"start": start, "end": end}
    # Without columns a range is read as whole lines; one end alone must not have one.
    return {"start": {"line": span.start.line}, "end": {"line": span.end.line}}


def _position(path: str, position: Position, lines: Excerpts) -> dict[str, int]:
    line = lines.line(path, position.line)
    if line is None:
        return {"line": position.line}
    before = line[: position.column - 1].encode("utf-8")
    return {"line": position.line, "column": len(before) + 1}
