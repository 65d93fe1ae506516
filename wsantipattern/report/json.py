"""The whole report as one JSON object: the contract for other programs, versioned by `schema_version`.

Lines and columns count from 1, columns in Unicode code points, ends are exclusive.
"""

from __future__ import annotations

import json
from typing import Any

from wsantipattern.finding import FileError, Finding, Position, Report, Span
from wsantipattern.report import RenderContext

SCHEMA_VERSION = 1


def render(report: Report, context: RenderContext) -> str:
    whole: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "findings": [finding_object(f) for f in report.findings],
        "errors": [error_object(e) for e in report.errors],
        "files": {"checked": report.checked, "skipped": report.skipped},
    }
    change = report.change
    if change is not None:
        whole["change"] = {
            "base": change.base,
            "fixed": [finding_object(f) for f in change.fixed],
            "existing": change.existing,
        }
    return dump(whole)


def dump(value: object) -> str:
    """Indented JSON text with a final newline, in the order the object was made."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def finding_object(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        "rule": finding.rule,
        "message": finding.message,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "path": finding.path,
        **span_object(finding.span),
        "trace": [{"path": s.path, **span_object(s.span), "message": s.message} for s in finding.trace],
        "fix": None
        if fix is None
        else {
            "title": fix.title,
            "safe": fix.safe,
            "edits": [{**span_object(e.span), "text": e.text} for e in fix.edits],
        },
        "fingerprint": finding.fingerprint,
    }


def error_object(error: FileError) -> dict[str, str]:
    return {"path": error.path, "message": error.message}


def span_object(span: Span) -> dict[str, dict[str, int]]:
    return {"start": _position(span.start), "end": _position(span.end)}


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}
