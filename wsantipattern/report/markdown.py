"""Markdown for a job summary: a table of the findings, then each with its line of code and its witness."""

from __future__ import annotations

from itertools import groupby

from wsantipattern.finding import Finding, Report, Span
from wsantipattern.report import RenderContext
from wsantipattern.report.excerpt import Excerpt, Excerpts, plain
from wsantipattern.report.tally import by_rule, summary

_SPECIAL = frozenset("\\`*_{}[]<>#+-!|&~$")


def render(report: Report, context: RenderContext) -> str:
    excerpts = Excerpts(context.source)
    out = ["## wsantipattern", "", escape(summary(report)), ""]
    if report.findings:
        out += ["| Severity | Rule | Where | Message |", "| --- | --- | --- | --- |"]
        out += [_row(f) for f in report.findings]
        out.append("")
    for finding in report.findings:
        out += _details(finding, context, excerpts)
    if report.change is not None and report.change.fixed:
        out += ["### Fixed", ""]
        out += [fixed(f) for f in report.change.fixed]
        out.append("")
    if report.errors:
        out += ["### Not checked", ""]
        for error in report.errors:
            where = f"{code(error.path)}: " if error.path else ""
            out.append(f"- {where}{message(error.message)}")
        out.append("")
    if context.statistics and report.findings:
        out += ["| Rule | Findings |", "| --- | ---: |"]
        out += [f"| {cell(code(rule))} | {number} |" for rule, number in by_rule(report)]
        out.append("")
    return "\n".join(out).rstrip("\n") + "\n"


def _row(finding: Finding) -> str:
    where = code(_place(finding.path, finding.span))
    cells = [finding.severity.label, code(finding.rule), where, message(finding.message)]
    return f"| {' | '.join(cell(c) for c in cells)} |"


def _details(finding: Finding, context: RenderContext, excerpts: Excerpts) -> list[str]:
    out = [
        f"### {code(finding.rule)} in {code(_place(finding.path, finding.span))}",
        "",
        message(finding.message),
        "",
    ]
    excerpt = excerpts.at(finding.path, finding.span, context.width)
    if excerpt is not None:
        out += [*_fenced(excerpt), ""]
    for number, step in enumerate(finding.trace, 1):
        out.append(f"{number}. {code(_place(step.path, step.span))} {message(step.message)}")
    if finding.trace:
        out.append("")
    if finding.fix is not None:
        out += [f"Fix: {message(finding.fix.title)}", ""]
    return out


def fixed(finding: Finding) -> str:
    """A finding that a change has fixed, as an item of a list."""
    where = code(f"{finding.path}:{finding.span.start.line}")
    return f"- {code(finding.rule)} {message(finding.message)} (was {where})"


def _place(path: str, span: Span) -> str:
    return f"{path}:{span.start.line}:{span.start.column}"


def _fenced(excerpt: Excerpt) -> list[str]:
    fence = "`" * max(3, longest_run(excerpt.text) + 1)
    number = str(excerpt.number)
    until = f" to line {excerpt.last_line}" if excerpt.last_line else ""
    return [
        f"{fence}text",
        f"{number} | {excerpt.text}",
        f"{' ' * len(number)} | {' ' * excerpt.indent}{'^' * excerpt.length}{until}",
        fence,
    ]


def code(text: str) -> str:
    """A code span that holds any text, on one line."""
    text = plain(text)
    if not text.strip():
        return escape(text)
    fence = "`" * (longest_run(text) + 1)
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def message(text: str) -> str:
    """A message as Markdown: its paired backticks stay code, everything else is literal."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0 or not all(part.strip() for part in parts[1::2]):
        return escape(plain(text))
    return "".join(code(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def escape(text: str) -> str:
    """A text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in plain(text))


def cell(markdown: str) -> str:
    """Markdown for a table cell, where even in code a bare pipe would end the cell."""
    out = []
    escaped = False
    for character in markdown:
        if character == "|" and not escaped:
            out.append("\\")
        escaped = character == "\\" and not escaped
        out.append(character)
    return "".join(out)


def longest_run(text: str) -> int:
    """The length of the longest row of backticks."""
    return max((len(list(run)) for mark, run in groupby(text) if mark == "`"), default=0)
