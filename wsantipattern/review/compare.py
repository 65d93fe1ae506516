"""Which findings of two states are the same.

A finding is new when nothing in the earlier state corresponds to it, wherever the changed line is. What corresponds,
surest first: the same fingerprint; the same line, left as it was while the function around it was renamed; the same
code, laid out differently or moved within the file; the same code, moved along with a line beside it; the same code and witness in a function that
was split or joined; the same line with names exchanged one for one. Every finding is used for one pair at most, so
a copy of a known finding is new. Reads nothing and knows nothing of git.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import field
from functools import partial

from wsantipattern.finding import Finding, Span
from wsantipattern.record import record
from wsantipattern.review.diff import FileDiff
from wsantipattern.source import Source

_WORD = re.compile(r"\w+")


@record(slots=True)
class Compared:
    """The findings of one file in both states.

    Attributes:
        before, after: the findings; those before were made under the path and configuration of the later state.
        old, new: the texts; None where the file does not exist in that state.
        diff: gives how they differ; is asked only where fingerprints are not enough.
    """

    before: Sequence[Finding] = ()
    after: Sequence[Finding] = ()
    old: Source | None = None
    new: Source | None = None
    diff: Callable[[], FileDiff | None] = lambda: None


@record(slots=True)
class Comparison:
    """What a change does to findings: those it brings in, those it removes, and how many it leaves."""

    new: list[Finding] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    existing: int = 0


@record(slots=True)
class _Entry:
    """A finding of one state with the file it stands in; `pair` is set when it is found in the other state, too."""

    finding: Finding
    file: Compared
    is_paired: bool = False


def compare(files: Iterable[Compared]) -> Comparison:
    """Sorts the findings of two states; those of each kind keep the order of `Finding.sort_key`."""
    before: list[_Entry] = []
    after: list[_Entry] = []
    for file in files:
        mine = (
            [_Entry(finding, file) for finding in file.before],
            [_Entry(finding, file) for finding in file.after],
        )
        _pair(*mine, lambda e: e.finding.fingerprint, lambda e: e.finding.fingerprint)
        _pair(*mine, _old_place, _kept_place)
        before += mine[0]
        after += mine[1]
    gone = [entry for entry in before if not entry.is_paired and _is_gone(entry)]
    come = [entry for entry in after if not entry.is_paired and _is_come(entry)]
    _pair(gone, come, _anchor_here, _anchor_here)
    _pair(gone, come, partial(_moved, old=True, step=1), partial(_moved, old=False, step=1))
    _pair(gone, come, partial(_moved, old=True, step=-1), partial(_moved, old=False, step=-1))
    _pair(gone, come, _old_witness, _new_witness)
    for entry in come:
        _pair_renamed(entry, gone)
    return Comparison(
        sorted((e.finding for e in after if not e.is_paired), key=lambda f: f.sort_key),
        sorted((e.finding for e in before if not e.is_paired), key=lambda f: f.sort_key),
        sum(e.is_paired for e in after),
    )


_Key = Callable[[_Entry], Hashable]


def _pair(before: Sequence[_Entry], after: Sequence[_Entry], old_key: _Key, new_key: _Key) -> None:
    """Pairs entries that have the same key, in their order; None is no key."""
    if all(entry.is_paired for entry in before) or all(entry.is_paired for entry in after):
        return
    waiting: defaultdict[Hashable, list[_Entry]] = defaultdict(list)
    for entry in before:
        if not entry.is_paired:
            waiting[old_key(entry)].append(entry)
    for entry in after:
        if entry.is_paired:
            continue
        key = new_key(entry)
        if key is not None and waiting[key]:
            waiting[key].pop(0).is_paired = True
            entry.is_paired = True


def _old_place(entry: _Entry) -> Hashable:
    return entry.finding.rule, entry.finding.span.start.line, _line(entry.file.old, entry.finding.span)


def _kept_place(entry: _Entry) -> Hashable:
    """The place that the finding's line had before, where the change leaves it as it was."""
    span = entry.finding.span
    diff = entry.file.diff()
    line = diff.old_line(span.start.line) if diff is not None else None
    return None if line is None else (entry.finding.rule, line, _line(entry.file.new, span))


def _line(source: Source | None, span: Span) -> str:
    return "" if source is None else " ".join(source.line(span.start.line).split())


def _is_gone(entry: _Entry) -> bool:
    """Whether the change deletes or changes the finding's line: what stays where it was has not moved."""
    if entry.file.new is None:
        return True
    diff = entry.file.diff()
    return diff is not None and diff.is_gone(entry.finding.span.start.line)


def _is_come(entry: _Entry) -> bool:
    if entry.file.old is None:
        return True
    diff = entry.file.diff()
    return diff is not None and diff.old_line(entry.finding.span.start.line) is None


def _anchor_here(entry: _Entry) -> Hashable:
    return id(entry.file), entry.finding.anchor


def _moved(entry: _Entry, *, old: bool, step: int) -> Hashable:
    """The code with the line after or before it: a short call alone may stand in any file."""
    source = entry.file.old if old else entry.file.new
    span = entry.finding.span
    if source is None:
        return None
    number = (span.end.line if step > 0 else span.start.line) + step
    while 1 <= number <= source.line_count and not _WORD.search(source.line(number)):
        number += step
    beside = " ".join(source.line(number).split())
    return (entry.finding.anchor, beside) if beside else None


def _old_witness(entry: _Entry) -> Hashable:
    return _witness(entry.finding, entry.file.old)


def _new_witness(entry: _Entry) -> Hashable:
    return _witness(entry.finding, entry.file.new)


def _witness(finding: Finding, source: Source | None) -> Hashable:
    """The code of a finding and of each step of its trace, where that is more than one place."""
    places = list(dict.fromkeys([finding.span, *(step.span for step in finding.trace)]))
    if source is None or len(places) < 2:
        return None
    return finding.rule, *(source.significant(place) for place in places)


def _pair_renamed(entry: _Entry, gone: Sequence[_Entry]) -> None:
    """Pairs a finding with one on a line that its own line replaces, and that differs in names alone."""
    diff = entry.file.diff()
    if entry.is_paired or diff is None:
        return
    lines = diff.replaced(entry.finding.span.start.line)
    for other in gone:
        if (
            not other.is_paired
            and other.file is entry.file
            and other.finding.rule == entry.finding.rule
            and other.finding.span.start.line in lines
            and _differ_in_names(
                _line(other.file.old, other.finding.span), _line(entry.file.new, entry.finding.span)
            )
        ):
            other.is_paired = entry.is_paired = True
            return


def _differ_in_names(one: str, other: str) -> bool:
    """Whether two lines are the same but for words exchanged one for one."""
    words, others = _WORD.findall(one), _WORD.findall(other)
    if len(words) != len(others) or _WORD.split(one) != _WORD.split(other):
        return False
    pairs = set(zip(words, others, strict=True))
    if len({old for old, _ in pairs}) != len(pairs) or len({new for _, new in pairs}) != len(pairs):
        return False
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    return len(changed) < len(pairs) and not any(part.isdigit() for pair in changed for part in pair)
