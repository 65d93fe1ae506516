"""One JSON object a line: every finding as in the `json` format, then every error as `{"error": ...}`."""

from __future__ import annotations

import json

from wsantipattern.finding import Report
from wsantipattern.report import RenderContext
from wsantipattern.report.json import error_object, finding_object


def render(report: Report, context: RenderContext) -> str:
    objects = [finding_object(f) for f in report.findings]
    objects += [{"error": error_object(e)} for e in report.errors]
    return "".join(_line(o) for o in objects)


def _line(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Some readers end a line at these too; they can only stand inside a string here.
    for end in ("\x85", "\u2028", "\u2029"):
        text = text.replace(end, f"\\u{ord(end):04x}")
    return text + "\n"
