"""One line a finding, for editors and grep: `path:line:column: severity rule message`."""

from __future__ import annotations

from wsantipattern.finding import Report
from wsantipattern.report import RenderContext
from wsantipattern.report.excerpt import plain
from wsantipattern.report.tally import statistics


def render(report: Report, context: RenderContext) -> str:
    lines = [
        plain(
            f"{f.path}:{f.span.start.line}:{f.span.start.column}: {f.severity.label} {f.rule} {f.message}",
        )
        for f in report.findings
    ]
    lines += [
        plain(f"{e.path}: error: {e.message}" if e.path else f"error: {e.message}") for e in report.errors
    ]
    if context.statistics:
        lines += statistics(report)
    return "".join(f"{line}\n" for line in lines)
