"""Why: what the rules made of one place, for `explain --at`.

Runs the rules over the text as `check` does, with an account of their considerations, and picks what concerns a line
(and a column): the findings there and what made them, the candidates that were dropped and what decided it, and for
every other rule why it has nothing to say. Decides nothing itself and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Literal

from wsantipattern.analysis import Account, Note, Settings, examine
from wsantipattern.finding import Finding, Position, Span
from wsantipattern.record import record
from wsantipattern.rule import Rule
from wsantipattern.source import Source

State = Literal["finding", "hidden", "silent", "nothing", "passed", "off"]
"""A finding; one that is not shown; a candidate that was dropped; no candidate; not looked at; a rule that does not run."""

NEAREST = 2
"""How many other places of a rule are named where it has nothing to say about a line."""


@record(frozen=True, slots=True)
class Candidate:
    """A place that a rule considered.

    Attributes:
        state: `finding`, `hidden`, `silent`, or `nothing` for what only looks like a candidate.
        span: where a finding is, or would be.
        notes: what was considered, in order.
        finding: of `finding` and `hidden`.
        hidden: why the finding is not shown, as a clause.
        hidden_at: the comment that hides it.
        is_here: it stands on the line; else the line only holds what decided it, or a step of its trace.
    """

    state: State
    span: Span
    notes: tuple[Note, ...]
    finding: Finding | None = None
    hidden: str = ""
    hidden_at: Span | None = None
    is_here: bool = True


@record(frozen=True, slots=True)
class Verdict:
    """What one rule says about the line.

    Attributes:
        state: the strongest of its candidates', or why it has none.
        why: a clause, where the state is none of a candidate's own.
        nearest: the nearest other places that it considered, where there is no candidate.
    """

    rule: str
    state: State
    candidates: tuple[Candidate, ...] = ()
    why: str = ""
    nearest: tuple[Candidate, ...] = ()


@record(slots=True)
class Answer:
    """What all rules say about a line; `remarks` are sentences about the file or the line."""

    path: str
    line: int
    column: int | None
    verdicts: list[Verdict] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


Accepts = Callable[[list[Finding]], list[Finding]]
"""Gives those findings of a file that a baseline accepts."""


class Inquiry:
    """The rules' account of one text, to be asked about any of its lines.

    Args:
        source: the text, with the path that decides its language.
        settings: as for a run.

    Raises:
        RuleError: a rule cannot be loaded.
    """

    def __init__(self, source: Source, settings: Settings) -> None:
        self._settings = settings
        self._path = source.path
        self.account = Account()
        self.examined = examine(source.text, source.path, settings, account=self.account)

    def ask(
        self,
        line: int,
        column: int | None = None,
        *,
        rules: Iterable[str] | None = None,
        accepted: tuple[str, Accepts] | None = None,
    ) -> Answer:
        """What the rules make of a line (and column, both from 1).

        Args:
            line, column: the place.
            rules: ids of the rules to ask; None for all.
            accepted: a baseline's name, and what gives the findings that it accepts.
        """
        account, settings = self.account, self._settings
        answer = Answer(self._path, line, column)
        answer.remarks += [error.message for error in self.examined.errors]
        in_code = any(_touches(block, line, None) for block in account.blocks)
        if not in_code and not self.examined.errors:
            where = ", and there is none in this file"
            if account.blocks:
                near = min(account.blocks, key=lambda b: max(b.start.line - line, line - _last_line(b)))
                where = f"; the nearest stands in lines {near.start.line}-{_last_line(near)}"
            answer.remarks.append(f"line {line} holds no code of a language that is checked{where}")
        shown = [entry.finding for entry in self.examined.found]
        in_baseline = set(accepted[1](shown)) if accepted is not None else set()
        hidden = _Hidden(settings, account, accepted[0] if accepted else "", in_baseline)
        wanted = None if rules is None else set(rules)
        for rule in settings.known.values():
            if wanted is None or rule.id in wanted:
                answer.verdicts.append(_verdict(rule, settings, account, hidden, line, column))
        return answer


class _Hidden:
    """Why a finding that was made is not shown."""

    def __init__(
        self, settings: Settings, account: Account, baseline: str, in_baseline: set[Finding]
    ) -> None:
        self._settings = settings
        self._account = account
        self._baseline = baseline
        self._in_baseline = in_baseline

    def why(self, finding: Finding) -> tuple[str, Span | None]:
        comment = self._account.suppressed.get(finding)
        if comment is not None:
            return f"a comment in line {comment.start.line} suppresses it", comment
        least = self._settings.min_confidence
        if finding.confidence < least:
            return f"its confidence is {finding.confidence.label}, below the minimum ({least.label})", None
        if finding in self._in_baseline:
            return f"the baseline {self._baseline} accepts it", None
        return "", None


def _verdict(
    rule: Rule, settings: Settings, account: Account, hidden: _Hidden, line: int, column: int | None
) -> Verdict:
    if not settings.checks(rule.id):
        return Verdict(
            rule.id, "off", why="the configuration or an option (`select`, `ignore`) switches it off"
        )
    every = _candidates(rule.id, account, hidden)
    here = [c for c in every if _touches(c.span, line, column)]
    if column is None:
        # What starts on the line is meant; what merely spans it only where nothing does, and then the innermost.
        here = [c for c in here if c.span.start.line == line] or _innermost(here)
    else:
        here = _innermost(here) or [c for c in every if c.span.start.line == line]
    if all(c.state == "nothing" for c in here):
        here = [
            _elsewhere(c) for c in every if c.state != "nothing" and _is_decided_at(c, line, column)
        ] or here
    if here:
        state = min((c.state for c in here), key=_ORDER.index)
        if state == "nothing":
            why = next(note.reason for note in reversed(here[-1].notes))
            return Verdict(rule.id, state, tuple(here), why, _near(every, line))
        here = [c for c in here if c.state != "nothing"]
        return Verdict(rule.id, state, tuple(sorted(here, key=lambda c: _ORDER.index(c.state))))
    for region in account.passed:
        if region.rule == rule.id and _touches(region.span, line, column):
            return Verdict(rule.id, "passed", why=f"it did not look at {_named(region.name)}: {region.why}")
    what = f"looks for {rule.looks_for}, and" if rule.looks_for else "looks at other places;"
    why = f"it {what} there is none on this line"
    return Verdict(rule.id, "nothing", why=why, nearest=_near(every, line))


def _near(every: list[Candidate], line: int) -> tuple[Candidate, ...]:
    """The candidates nearest to a line."""
    real = [c for c in every if c.state != "nothing"]
    return tuple(sorted(real, key=lambda c: (abs(c.span.start.line - line), c.span))[:NEAREST])


_ORDER: tuple[State, ...] = ("finding", "hidden", "silent", "nothing", "passed", "off")


def _candidates(rule: str, account: Account, hidden: _Hidden) -> list[Candidate]:
    """All that a rule considered in a text, in order."""
    notes: dict[Span, list[Note]] = {}
    for note in account.notes:
        if note.rule == rule:
            notes.setdefault(note.span, []).append(note)
    found: list[Candidate] = []
    for finding in account.made:
        if finding.rule == rule:
            why, at = hidden.why(finding)
            # What dropped it on one way is outweighed by the way that made it a finding.
            kept = tuple(n for n in notes.pop(finding.span, []) if n.verdict not in ("silent", "aside"))
            found.append(Candidate("hidden" if why else "finding", finding.span, kept, finding, why, at))
    for span, considered in notes.items():
        if any(note.verdict == "silent" for note in considered):
            found.append(Candidate("silent", span, tuple(considered)))
        elif any(note.verdict == "aside" for note in considered):
            found.append(Candidate("nothing", span, tuple(considered)))
        else:
            # Part of a finding that stands elsewhere, as a further place of one owner is.
            of = next((c for c in found if c.finding is not None and _has_step(c.finding, span)), None)
            if of is not None:
                found.append(
                    Candidate(of.state, span, tuple(considered), of.finding, of.hidden, of.hidden_at)
                )
    return sorted(found, key=lambda c: c.span)


def _has_step(finding: Finding, span: Span) -> bool:
    return any(step.span == span for step in finding.trace)


def _innermost(candidates: list[Candidate]) -> list[Candidate]:
    """Those that no other one lies in."""
    return [
        c
        for c in candidates
        if not any(
            o.span != c.span and c.span.start <= o.span.start and o.span.end <= c.span.end for o in candidates
        )
    ]


def _elsewhere(candidate: Candidate) -> Candidate:
    return Candidate(
        candidate.state,
        candidate.span,
        candidate.notes,
        candidate.finding,
        candidate.hidden,
        candidate.hidden_at,
        is_here=False,
    )


def _is_decided_at(candidate: Candidate, line: int, column: int | None) -> bool:
    """Whether the place that decided, or a step of the trace, starts on the line."""
    steps = [step.span for step in candidate.finding.trace] if candidate.finding is not None else []
    decided = [note.at for note in candidate.notes if note.at is not None]
    return any(span.start.line == line and _touches(span, line, column) for span in (*steps, *decided))


def _touches(span: Span, line: int, column: int | None) -> bool:
    if column is None:
        return span.start.line <= line <= _last_line(span)
    at = Position(line, column)
    return span.start <= at < span.end or span.start == at


def _last_line(span: Span) -> int:
    """The last line that a span has something on."""
    return span.end.line if span.end.column > 1 or span.end.line == span.start.line else span.end.line - 1


def _named(name: str) -> str:
    is_plain = name.startswith(("this ", "a callback", "the module"))
    return name if is_plain else f"`{name}`"
