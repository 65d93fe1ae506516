"""GitLab Code Quality: a JSON array of issues with fingerprints that are unique in the report."""

from __future__ import annotations

import hashlib
from typing import Any

from wsantipattern.finding import FileError, Finding, Report, Severity
from wsantipattern.report import RenderContext
from wsantipattern.report.json import dump

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def render(report: Report, context: RenderContext) -> str:
    taken: set[str] = set()
    issues = [_finding(f, taken) for f in report.findings]
    issues += [_error(e, taken) for e in report.errors]
    return dump(issues)


def _finding(finding: Finding, taken: set[str]) -> dict[str, Any]:
    span = finding.span
    return {
        "description": finding.message,
        "check_name": finding.rule,
        "fingerprint": _unique(
            finding.fingerprint or _digest(finding.rule, finding.path, str(span.start.line), finding.message),
            taken,
        ),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.path, "lines": {"begin": span.start.line, "end": span.end.line}},
    }


def _error(error: FileError, taken: set[str]) -> dict[str, Any]:
    # The format knows issues only; a file that was not checked must not look like a clean one.
    return {
        "description": f"could not be checked: {error.message}",
        "check_name": "unchecked-file",
        "fingerprint": _unique(_digest("unchecked-file", error.path, error.message), taken),
        "severity": "blocker",
        "location": {"path": error.path, "lines": {"begin": 1}},
    }


def _unique(fingerprint: str, taken: set[str]) -> str:
    candidate, number = fingerprint, 1
    while candidate in taken:
        number += 1
        candidate = _digest(fingerprint, str(number))
    taken.add(candidate)
    return candidate


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]
