"""Workflow commands: each finding one line that GitHub Actions turns into an annotation of the changed file."""

from __future__ import annotations

from wsantipattern.finding import FileError, Finding, Report, Severity
from wsantipattern.report import RenderContext

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, context: RenderContext) -> str:
    lines = [_finding(f) for f in report.findings]
    lines += [_error(e) for e in report.errors]
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding) -> str:
    span = finding.span
    steps = [
        f"{number}. {step.path}:{step.span.start.line}:{step.span.start.column} {step.message}"
        for number, step in enumerate(finding.trace, 1)
    ]
    return _command(
        _COMMANDS[finding.severity],
        {
            "file": finding.path,
            "line": str(span.start.line),
            "endLine": str(span.end.line),
            "col": str(span.start.column),
            "endColumn": str(span.end.column),
            "title": finding.rule,
        },
        "\n".join([finding.message, *steps]),
    )


def _error(error: FileError) -> str:
    properties = {"file": error.path} if error.path else {}
    return _command("error", {**properties, "title": "wsantipattern"}, error.message)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    # The percent sign first, or the escapes themselves would be escaped.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
