"""Suppressions: comments by which a project accepts a finding.

    wsantipattern: ignore[rule-id, other] -- reason
    wsantipattern: ignore-file[rule-id] -- reason

The first hides findings that start on the next line of code after a comment that stands alone, and findings on whose
lines the comment stands. In Markdown and HTML, one right above an embedded block holds for the block. The second
holds for the file. Every suppression names its rules; the reason is for the reader.

Guarantees that a suppression which hides nothing, or cannot be read, is known afterwards. Does not look for comments
(`languages.comments`) and does not run rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from wsantipattern.record import record
from wsantipattern.similar import closest

if TYPE_CHECKING:
    from wsantipattern.finding import Span
    from wsantipattern.model.term import Extent
    from wsantipattern.source import Source

MARK = b"wsantipattern:"
"""What every suppression starts with; a file without it has none."""

UNUSED = "unused-suppression"
"""Id of the findings about suppressions that hide nothing; a note, so that it fails no run by default."""

INVALID = "invalid-suppression"
"""Id of the findings about suppressions that cannot be read or that name no known rule; a warning."""

CHECKS = (INVALID, UNUSED)
"""The ids that are not a rule's but can be ignored and given a severity like one."""


@record(slots=True)
class Suppression:
    """One rule id of one comment.

    Attributes:
        rule: the id.
        extent: of the id in the file's text, as byte offsets.
        lines: the lines (first, last) on which a finding of any extent is hidden; None for the whole file.
        starts: the lines (first, last) on which a hidden finding may start; None for none.
        used: whether it has hidden a finding.
    """

    rule: str
    extent: Extent
    lines: tuple[int, int] | None
    starts: tuple[int, int] | None = None
    used: bool = False

    def covers(self, span: Span) -> bool:
        """Whether it hides a finding with this span."""
        if self.lines is None:
            return True
        first, last = span.start.line, span.end.line
        if first <= self.lines[1] and self.lines[0] <= last:
            return True
        return self.starts is not None and self.starts[0] <= first <= self.starts[1]


@record(slots=True)
class Suppressions:
    """Those of one file.

    Attributes:
        entries: in order of appearance.
        problems: those that cannot be read: extent and what is wrong.
    """

    entries: list[Suppression] = field(default_factory=list)
    problems: list[tuple[Extent, str]] = field(default_factory=list)

    def hide(self, rule: str, span: Span) -> bool:
        """Whether a finding is hidden; every entry that hides it is used from then on."""
        hiding = [entry for entry in self.entries if entry.rule == rule and entry.covers(span)]
        for entry in hiding:
            entry.used = True
        return bool(hiding)

    def unused(self, ran: Collection[str]) -> Iterator[tuple[Extent, str]]:
        """Extent and message of each entry that hid nothing, of the rules that ran."""
        for entry in self.entries:
            if not entry.used and entry.rule in ran:
                yield entry.extent, f"the suppression of `{entry.rule}` hides nothing"


def suppressions(
    source: Source, comments: Sequence[Extent], blocks: Sequence[Extent], known: Collection[str]
) -> Suppressions:
    """The suppressions in the comments of a file.

    Args:
        source: the file.
        comments: extents of all its comments.
        blocks: extents of its embedded blocks; empty for a file of code.
        known: the ids that there are, of rules that do not run too.
    """
    result = Suppressions()
    alone = _lines_of_comments_alone(source, comments)
    for start, end in comments:
        for line_start, line in _lines(source.text, start, end):
            directive = _directive(line, line_start)
            if directive is None:
                continue
            if directive.problem:
                result.problems.append((directive.extent, directive.problem))
                continue
            number = source.line_at(line_start)
            starts = None
            if not directive.whole_file and number in alone:
                after = source.line_at(max(end - 1, start)) + 1
                while after in alone:
                    after += 1
                starts = (after, _end_of_block(source, blocks, after))
            for rule, extent in directive.rules:
                if rule not in known:
                    result.problems.append((extent, f"there is no rule `{rule}`{closest(rule, known)}"))
                    continue
                lines = None if directive.whole_file else (number, number)
                result.entries.append(Suppression(rule, extent, lines, starts))
    return result


@record(slots=True)
class _Directive:
    extent: Extent
    whole_file: bool = False
    rules: list[tuple[str, Extent]] = field(default_factory=list)
    problem: str = ""


def _directive(line: bytes, offset: int) -> _Directive | None:
    """What one line of a comment says, `offset` being where it starts; None where it speaks of something else."""
    at = line.find(MARK)
    # Behind a quotation mark or a backtick, a text speaks about suppressions.
    if at < 0 or (at and line[at - 1 : at] not in (b" ", b"\t", b"/", b"#", b"*", b"-", b";", b"(")):
        return None
    rest = line[at + len(MARK) :]
    opening = rest.find(b"[")
    word = rest[:opening].strip() if opening >= 0 else rest.strip().partition(b" ")[0]
    if b" " in word:
        word, opening = word.partition(b" ")[0], -1
    if not word.startswith(b"ignore") and opening < 0:
        return None
    shown = word.decode("utf-8", "replace")
    here = (offset + at, offset + at + len(MARK) + (opening if opening >= 0 else len(rest.rstrip())))
    if word not in (b"ignore", b"ignore-file"):
        hint = closest(shown, ("ignore", "ignore-file"))
        return _Directive(here, problem=f"`{shown}` is no kind of suppression{hint}")
    closing = rest.find(b"]", opening + 1)
    if opening < 0:
        return _Directive(here, problem=f"`{shown}` names no rule: `{shown}[rule-id]`")
    if closing < 0:
        return _Directive(here, problem=f"`{shown}[` is not closed")
    result = _Directive(here, whole_file=word == b"ignore-file")
    begin = offset + at + len(MARK) + opening + 1
    for part in rest[opening + 1 : closing].split(b","):
        name = part.strip()
        if name:
            left = begin + len(part) - len(part.lstrip())
            result.rules.append((name.decode("utf-8", "replace"), (left, left + len(name))))
        begin += len(part) + 1
    if not result.rules:
        result.problem = f"`{shown}[]` names no rule"
    return result


def _lines(text: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each line of an extent that holds the mark."""
    for line in text[start:end].splitlines(keepends=True):
        if MARK in line:
            yield start, line
        start += len(line)


def _lines_of_comments_alone(source: Source, comments: Sequence[Extent]) -> set[int]:
    """The lines (from 1) on which nothing but comments stands."""
    rest: dict[int, bytes] = {}
    for start, end in comments:
        first, last = source.line_at(start), source.line_at(max(end - 1, start))
        for number in range(first, last + 1):
            line_start = source.line_start(number)
            line = rest.get(number)
            if line is None:
                line = source.text[
                    line_start : source.line_start(number + 1) if number < source.line_count else None
                ]
            left, right = max(start - line_start, 0), min(end - line_start, len(line))
            rest[number] = line[:left] + b" " * (right - left) + line[right:]
    # Around a comment in JSX, two braces are left.
    return {number for number, line in rest.items() if b"".join(line.split()) in (b"", b"{}")}


def _end_of_block(source: Source, blocks: Sequence[Extent], line: int) -> int:
    """The last line of the embedded block whose opening is `line`; the line itself where there is none."""
    for start, end in blocks:
        first = source.line_at(start)
        if line in (first, first - 1):
            return source.line_at(max(end - 1, start))
    return line
