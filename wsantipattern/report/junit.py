"""JUnit XML: a suite a file, a failed case a finding; a run without findings is one passed case."""

from __future__ import annotations

from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from wsantipattern.finding import FileError, Finding, Report
from wsantipattern.report import RenderContext


def render(report: Report, context: RenderContext) -> str:
    out = ['<?xml version="1.0" encoding="UTF-8"?>']
    tests = max(len(report.findings) + len(report.errors), 1)
    counts = {"tests": tests, "failures": len(report.findings), "errors": len(report.errors)}
    out.append(_open("testsuites", name="wsantipattern", **counts))
    for path, group in groupby(report.findings, key=lambda f: f.path):
        findings = list(group)
        out.append(
            "  " + _open("testsuite", name=path, tests=len(findings), failures=len(findings), errors=0)
        )
        for finding in findings:
            out += _failure(finding)
        out.append("  </testsuite>")
    for error in report.errors:
        out += _error(error)
    if not report.findings and not report.errors:
        out.append("  " + _open("testsuite", name="wsantipattern", tests=1, failures=0, errors=0))
        out.append(
            "    " + _open("testcase", name="no findings", classname="wsantipattern").removesuffix(">") + "/>"
        )
        out.append("  </testsuite>")
    out.append("</testsuites>")
    return "".join(f"{line}\n" for line in out)


def _failure(finding: Finding) -> list[str]:
    start = finding.span.start
    steps = [
        f"{number}. {step.path}:{step.span.start.line}:{step.span.start.column} {step.message}"
        for number, step in enumerate(finding.trace, 1)
    ]
    lines = [f"{finding.path}:{start.line}:{start.column} {finding.message}", *steps]
    return [
        "    "
        + _open("testcase", name=finding.rule, classname=finding.path, file=finding.path, line=start.line),
        "      "
        + _open("failure", type=finding.severity.label, message=finding.message)
        + "\n".join(escape(_characters(line)) for line in lines)
        + "</failure>",
        "    </testcase>",
    ]


def _error(error: FileError) -> list[str]:
    name = error.path or "wsantipattern"
    return [
        "  " + _open("testsuite", name=name, tests=1, failures=0, errors=1),
        "    " + _open("testcase", name="unchecked-file", classname=name),
        "      " + _open("error", type="unchecked-file", message=error.message) + "</error>",
        "    </testcase>",
        "  </testsuite>",
    ]


def _open(tag: str, **attributes: str | int) -> str:
    listed = "".join(f" {key}={_attribute(str(value))}" for key, value in attributes.items())
    return f"<{tag}{listed}>"


def _attribute(text: str) -> str:
    return quoteattr(_characters(text))


def _characters(text: str) -> str:
    """The text without what XML 1.0 cannot hold, not even escaped."""
    return "".join(c for c in text if _is_allowed(ord(c)))


def _is_allowed(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code >= 0x10000
