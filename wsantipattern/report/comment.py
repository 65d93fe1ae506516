"""A finding as a comment in a code review: on which line it can stand, and what it says there.

Guarantees that a comment stands on lines that the diff shows, and that a suggestion replaces exactly the lines it
stands on. Knows no service; what differs between them is in `github_review` and `gitlab_review`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from wsantipattern.finding import Edit, Finding, Report, Span
from wsantipattern.record import record
from wsantipattern.report import RenderContext, Shown
from wsantipattern.report.markdown import code, fixed, longest_run, message
from wsantipattern.report.tally import summary
from wsantipattern.source import Source

MARK = "<!-- wsantipattern "
"""What the hidden last line of every comment starts with; a fingerprint follows, or one of the words below."""

SUMMARY = "summary"
FURTHER = "further"

LIMIT = 60_000
"""Code points that a comment may have; services take a little more."""

LISTED = 50
"""Findings that a summary names."""


@record(frozen=True, slots=True)
class Comment:
    """A comment on lines of a file.

    Attributes:
        finding: what it is about.
        path: relative to the repository.
        first, last: the lines it stands on.
        suggestion: the lines that replace them, or None.
    """

    finding: Finding
    path: str
    first: int
    last: int
    suggestion: tuple[str, ...] | None = None


def marker(word: str) -> str:
    """The hidden line by which a comment is known again."""
    return f"{MARK}{word} -->"


def marked(body: str) -> str | None:
    """The word in the hidden line of a comment, or None where it has none."""
    last = body.rstrip().splitlines()[-1:]
    if not last or not last[0].startswith(MARK) or not last[0].endswith(" -->"):
        return None
    return last[0].removeprefix(MARK).removesuffix(" -->")


def comments(report: Report, context: RenderContext) -> tuple[list[Comment], list[Finding]]:
    """The findings that can be told where the diff shows them, and those that cannot."""
    placed: list[Comment] = []
    rest: list[Finding] = []
    for finding in report.findings:
        comment = _comment(finding, context)
        if comment is None:
            rest.append(finding)
        else:
            placed.append(comment)
    return placed, rest


def _comment(finding: Finding, context: RenderContext) -> Comment | None:
    shown = context.shown.get(finding.path)
    if shown is None:
        return None
    path = in_repository(finding.path, context)
    suggested = _suggestion(finding, shown, context)
    if suggested is not None:
        first, last, lines = suggested
        return Comment(finding, path, first, last, lines)
    for span in (finding.span, *(step.span for step in finding.trace if step.path == finding.path)):
        first, last = span.start.line, _last_line(span)
        if shown.holds(first, last):
            return Comment(finding, path, first, last)
        if shown.holds(first, first):
            return Comment(finding, path, first, first)
    return None


def _last_line(span: Span) -> int:
    """The last line of which a span holds anything."""
    ends_before = span.end.column == 1 and span.end.line > span.start.line
    return span.end.line - ends_before


def _suggestion(
    finding: Finding, shown: Shown, context: RenderContext
) -> tuple[int, int, tuple[str, ...]] | None:
    """First line, last line, and what to put there, where the diff shows all lines that a fix changes."""
    data = context.source(finding.path)
    if finding.fix is None or not finding.fix.edits or data is None:
        return None
    edits = sorted(finding.fix.edits, key=lambda edit: (edit.span.start, edit.span.end))
    first = edits[0].span.start.line
    last = max(edit.span.end.line for edit in edits)
    source = Source.decode(finding.path, data)
    text = _edited(source, edits, first, last)
    if text is None:
        return None
    if last > first and all(edit.span.end.column == 1 for edit in edits if edit.span.end.line == last):
        # The last line is only touched at its very start: it can stay out when what comes before is whole lines.
        shorter = _edited(source, edits, first, last, stops_before_last=True)
        if shorter is not None and (not shorter or shorter.endswith("\n")):
            last, text = last - 1, shorter.removesuffix("\n") if shorter else None
    if not shown.holds(first, last):
        return None
    return first, last, () if text is None else tuple(text.split("\n"))


def _edited(
    source: Source, edits: Sequence[Edit], first: int, last: int, stops_before_last: bool = False
) -> str | None:
    """The lines from `first` to `last` with the edits made; None where they overlap or lie outside the file."""
    if last > source.line_count:
        return None
    out: list[str] = []
    line, column = first, 1
    for edit in edits:
        start, end = edit.span.start, edit.span.end
        if (start.line, start.column) < (line, column):
            return None
        out += [_between(source, line, column, start.line, start.column), edit.text.replace("\r\n", "\n")]
        line, column = end.line, end.column
    if not stops_before_last:
        out.append(_between(source, line, column, last, len(source.line(last)) + 1))
    elif line < last:
        out.append(_between(source, line, column, last, 1))
    return "".join(out)


def _between(source: Source, line: int, column: int, end_line: int, end_column: int) -> str:
    if line == end_line:
        return source.line(line)[column - 1 : end_column - 1]
    middle = (source.line(number) for number in range(line + 1, end_line))
    return "\n".join([source.line(line)[column - 1 :], *middle, source.line(end_line)[: end_column - 1]])


def body(comment: Comment, context: RenderContext, fence: str) -> str:
    """What a comment says; `fence` is the word after the backticks that open a suggestion."""
    finding = comment.finding
    lines = [f"**{finding.severity.label}** {code(finding.rule)}: {message(finding.message)}", ""]
    start = finding.span.start.line
    if not comment.first <= start <= comment.last:
        lines += [f"It is at {code(f'{comment.path}:{start}')}.", ""]
    lines += [*_trace(finding, context)]
    fix = finding.fix
    if fix is not None:
        care = (
            ""
            if fix.safe or not fix.edits
            else " Look before you accept it: it can change what the code does."
        )
        lines += [f"Fix: {message(fix.title)}.{care}", ""]
    if comment.suggestion is not None:
        ticks = "`" * max(3, max((longest_run(line) for line in comment.suggestion), default=0) + 1)
        lines += [f"{ticks}{fence}", *comment.suggestion, ticks, ""]
    return _cut(lines, marker(finding.fingerprint))


def no_longer(old: str) -> str | None:
    """What a comment says when its finding is gone; None where it says so already."""
    if old.startswith(_GONE):
        return None
    word = marked(old) or ""
    said = old.rstrip().splitlines()[:-1]
    first = next((line for line in said if line.strip()), "")
    return "\n".join([f"{_GONE} ~~{first}~~", "", marker(word)])


_GONE = "**No longer found.**"


def summary_body(report: Report, rest: Sequence[Finding], context: RenderContext) -> str:
    """What is said once for the whole change: the counts, the findings that no line could carry, the fixed ones."""
    lines = [f"**wsantipattern**: {message(summary(report))}", ""]
    if rest:
        lines += ["Not on a line that the diff shows:", ""]
        for finding in rest[:LISTED]:
            lines += _item(finding, context)
        if len(rest) > LISTED:
            lines.append(f"- and {len(rest) - LISTED} more")
        lines.append("")
    if report.change is not None and report.change.fixed:
        lines += ["Fixed:", ""]
        lines += [fixed(finding) for finding in report.change.fixed[:LISTED]]
        lines.append("")
    if report.errors:
        lines += ["Could not be checked:", ""]
        lines += [f"- {code(error.path)}: {message(error.message)}" for error in report.errors[:LISTED]]
        lines.append("")
    return _cut(lines, marker(SUMMARY))


def _item(finding: Finding, context: RenderContext) -> list[str]:
    where = f"{in_repository(finding.path, context)}:{finding.span.start.line}"
    head = f"- {code(where)} **{finding.severity.label}** {code(finding.rule)}: {message(finding.message)}"
    return [head, *(f"  {line}" for line in _trace(finding, context) if line)]


def _trace(finding: Finding, context: RenderContext) -> list[str]:
    lines = [
        f"{number}. {code(f'{in_repository(step.path, context)}:{step.span.start.line}')} {message(step.message)}"
        for number, step in enumerate(finding.trace, 1)
    ]
    return [*lines, ""] if lines else []


def _cut(lines: Sequence[str], last: str) -> str:
    """The lines as one text of a length that services take, with the hidden line at the end."""
    out: list[str] = []
    room = LIMIT - len(last)
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            out += ["", "(cut)", ""]
            break
        out.append(line)
    return "\n".join([*out, last])


def in_repository(path: str, context: RenderContext) -> str:
    """A reported path, relative to the repository."""
    return posixpath.normpath(posixpath.join(context.folder, path)) if path else path
