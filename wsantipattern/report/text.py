"""The format for people: each finding with its line of code, its witness step by step, then a summary.

Prints findings, errors and the summary, nothing else. Colour is plain ANSI, and only where the context allows it.
"""

from __future__ import annotations

from wsantipattern.finding import Finding, Report, Severity, Span
from wsantipattern.report import RenderContext
from wsantipattern.report.excerpt import Excerpts, plain
from wsantipattern.report.tally import statistics, summary

_BOLD, _RED, _GREEN, _YELLOW, _CYAN, _BLUE = "1", "31", "32", "33", "36", "34"
_OF_SEVERITY = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.NOTE: _CYAN}
_LEAST_CODE = 40


def render(report: Report, context: RenderContext) -> str:
    paint = _Paint(context.color)
    excerpts = Excerpts(context.source)
    out: list[str] = []
    for finding in report.findings:
        out += _finding(finding, context, paint, excerpts)
        out.append("")
    for error in report.errors:
        where = f"{paint(plain(error.path), _BOLD)}: " if error.path else ""
        out.append(f"{paint('error:', _RED, _BOLD)} {where}{plain(error.message)}")
    if report.errors:
        out.append("")
    if report.change is not None:
        out += [_fixed(finding, paint) for finding in report.change.fixed]
        if report.change.fixed:
            out.append("")
    explained = dict.fromkeys(f.rule for f in report.findings if any(r.id == f.rule for r in context.rules))
    for rule in explained:
        out.append(f"{paint('help:', _BOLD)} wsantipattern explain {plain(rule)}")
    if context.statistics:
        out += statistics(report)
    if not context.quiet:
        out.append(paint(summary(report), _BOLD))
    while out and not out[-1]:
        out.pop()
    return "".join(f"{line}\n" for line in out)


def _finding(finding: Finding, context: RenderContext, paint: _Paint, excerpts: Excerpts) -> list[str]:
    color = _OF_SEVERITY[finding.severity]
    spans = [finding.span, *(step.span for step in finding.trace)]
    gutter = max(len(str(span.start.line)) for span in spans)
    sure = f" ({finding.confidence.label} confidence)" if context.verbose else ""
    label = paint(f"{finding.severity.label}[{plain(finding.rule)}]", color, _BOLD)
    out = [f"{_where(finding.path, finding.span, paint)} {label} {plain(finding.message)}{sure}"]
    out += _frame(finding.path, finding.span, "^", color, " ", gutter, context, paint, excerpts)
    indent = " " * (len(str(len(finding.trace))) + 4)
    for number, step in enumerate(finding.trace, 1):
        label = f"{number}.".rjust(len(indent) - 1)
        out.append(f"{label} {_where(step.path, step.span, paint)} {plain(step.message)}")
        out += _frame(step.path, step.span, "-", _BLUE, indent, gutter, context, paint, excerpts)
    if finding.fix is not None:
        asked = " (--unsafe-fixes)" if finding.fix.edits and not finding.fix.safe else ""
        out.append(f"{paint('fix:', _BOLD)} {plain(finding.fix.title)}{asked}")
    return out


def _fixed(finding: Finding, paint: _Paint) -> str:
    label = paint("fixed:", _GREEN, _BOLD)
    where = f"{plain(finding.path)}:{finding.span.start.line}"
    return f"{label} {plain(finding.rule)} {plain(finding.message)} (was {where})"


def _where(path: str, span: Span, paint: _Paint) -> str:
    return paint(f"{plain(path)}:{span.start.line}:{span.start.column}", _BOLD)


def _frame(
    path: str,
    span: Span,
    mark: str,
    color: str,
    indent: str,
    gutter: int,
    context: RenderContext,
    paint: _Paint,
    excerpts: Excerpts,
) -> list[str]:
    width = max(context.width - len(indent) - gutter - 3, _LEAST_CODE) if context.width else 0
    excerpt = excerpts.at(path, span, width)
    if excerpt is None:
        return []
    bar = paint("|", _BLUE)
    number = paint(str(excerpt.number).rjust(gutter), _BLUE)
    until = f" to line {excerpt.last_line}" if excerpt.last_line else ""
    underline = paint(mark * excerpt.length + until, color)
    return [
        f"{indent}{number} {bar} {excerpt.text}".rstrip(),
        f"{indent}{' ' * gutter} {bar} {' ' * excerpt.indent}{underline}",
    ]


class _Paint:
    """Wraps text in ANSI codes, or leaves it."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled

    def __call__(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._enabled else text
