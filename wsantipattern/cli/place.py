"""What `explain --at` prints: the answer of `why`, for a terminal or as JSON.

The text names each rule with what it made of the line, and under it the facts that decided, each with its line of code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from wsantipattern.analysis import Note
from wsantipattern.finding import Span
from wsantipattern.report.excerpt import Excerpts, plain
from wsantipattern.report.json import finding_object, span_object
from wsantipattern.source import Source
from wsantipattern.why import Answer, Candidate, Verdict

SCHEMA_VERSION = 1

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE = "1", "2", "31", "32", "33", "34"
_SIGNS = {"evidence": "+", "stronger": "+", "weaker": "-", "silent": "=", "aside": "="}
_TOLD = ("finding", "hidden", "silent")
_SAID = {"stronger": "surer: ", "weaker": "less sure: "}


def as_json(answer: Answer) -> str:
    """The answer as one JSON object, versioned by `schema_version`; positions as in the report of `check`."""
    whole = {
        "schema_version": SCHEMA_VERSION,
        "path": answer.path,
        "line": answer.line,
        "column": answer.column,
        "remarks": answer.remarks,
        "rules": [
            {
                "rule": verdict.rule,
                "state": verdict.state,
                "why": verdict.why,
                "candidates": [_candidate_object(c) for c in verdict.candidates],
                "nearest": [_candidate_object(c) for c in verdict.nearest],
            }
            for verdict in answer.verdicts
        ],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _candidate_object(candidate: Candidate) -> dict[str, Any]:
    return {
        "state": candidate.state,
        **span_object(candidate.span),
        "is_here": candidate.is_here,
        "reasons": [
            {"kind": note.verdict, "text": note.reason, "at": span_object(note.at) if note.at else None}
            for note in candidate.notes
        ],
        "hidden": candidate.hidden,
        "finding": finding_object(candidate.finding) if candidate.finding is not None else None,
    }


def as_text(answer: Answer, source: Source, *, color: bool, width: int) -> str:
    """The answer for people. `width` is that of the terminal in cells; longer lines of code are cropped."""
    return _Text(answer, source, color, width).text()


class _Text:
    def __init__(self, answer: Answer, source: Source, color: bool, width: int) -> None:
        self._answer = answer
        self._color = color
        self._width = max(width - 12, 40)
        # The bytes are decoded already, so that lines are counted as the rules count them.
        self._excerpts = Excerpts(lambda path: source.text if path == answer.path else None)
        self._line = source.line(answer.line)

    def text(self) -> str:
        answer = self._answer
        place = f"{answer.line}:{answer.column}" if answer.column is not None else str(answer.line)
        out = [self._paint(f"{plain(answer.path)}:{place}", _BOLD)]
        out += self._code(answer.line, plain(self._line.strip()), "")
        out += [f"{self._paint('note:', _YELLOW, _BOLD)} {plain(remark)}" for remark in answer.remarks]
        told = [v for v in answer.verdicts if v.state in _TOLD]
        others = [v for v in answer.verdicts if v.state not in _TOLD]
        for verdict in sorted(told, key=lambda v: (v.state != "finding", v.state != "hidden")):
            for candidate in verdict.candidates:
                out += ["", *self._candidate(verdict, candidate)]
        if not told and others:
            who = f"{plain(others[0].rule)} has nothing" if len(others) == 1 else "no rule has anything"
            out += ["", self._paint(f"{who} to look at on this line", _BOLD)]
            out += self._nearest(others)
        if others:
            out += ["", self._paint("other rules", _BOLD) if told else self._paint("why", _BOLD)]
            wide = max(len(v.rule) for v in others)
            out += [f"  {plain(v.rule):<{wide}}  {plain(v.why)}" for v in others]
        out += ["", *self._help(place)]
        return "".join(f"{line}\n" for line in out)

    def _candidate(self, verdict: Verdict, candidate: Candidate) -> Iterator[str]:
        finding = candidate.finding
        rule = self._paint(plain(verdict.rule), _BOLD)
        where = f" {candidate.span.start.line}:{candidate.span.start.column}"
        if not candidate.is_here:
            where = f" line {candidate.span.start.line}, which this line has part in"
        if finding is None:
            yield f"{rule} is {self._paint('silent', _GREEN, _BOLD)} about{where}"
            if candidate.span.start.line != self._answer.line:
                yield from self._at(candidate.span)
            # One that was dropped for several reasons needs none but them.
            yield from self._notes([n for n in candidate.notes if n.verdict not in ("silent", "aside")])
            yield from self._notes([n for n in candidate.notes if n.verdict == "silent"])
            return
        sure = f"{finding.severity.label}, {finding.confidence.label} confidence"
        if candidate.state == "hidden":
            what = self._paint("is not shown", _YELLOW, _BOLD)
            yield f"{rule} has a finding at{where}, which {what}: {plain(candidate.hidden)} ({sure})"
        else:
            yield f"{rule} has a {self._paint('finding', _RED, _BOLD)} at{where} ({sure})"
        yield f"  {plain(finding.message)}"
        if candidate.hidden_at is not None:
            yield from self._at(candidate.hidden_at)
        if candidate.notes:
            yield f"  {self._paint('what speaks for it', _BOLD)}"
            yield from self._notes(list(candidate.notes))
        if finding.trace:
            yield f"  {self._paint('how it comes about', _BOLD)}"
        for number, step in enumerate(finding.trace, 1):
            yield f"  {number}. {plain(step.message)}"
            yield from self._at(step.span)

    def _notes(self, notes: list[Note]) -> Iterator[str]:
        for note in notes:
            sign = self._paint(_SIGNS[note.verdict], _BOLD)
            said = "because " if note.verdict == "silent" else _SAID.get(note.verdict, "")
            yield f"  {sign} {said}{plain(note.reason)}"
            if note.at is not None:
                yield from self._at(note.at)

    def _nearest(self, others: list[Verdict]) -> Iterator[str]:
        found = sorted(
            ((c, v.rule) for v in others for c in v.nearest),
            key=lambda pair: (abs(pair[0].span.start.line - self._answer.line), pair[0].span, pair[1]),
        )
        if found:
            yield "  nearest places that one does look at:"
        for candidate, rule in found[:3]:
            kind = "finding" if candidate.finding is not None else "silent"
            yield f"  {plain(rule)}, {kind}"
            yield from self._at(candidate.span)

    def _at(self, span: Span) -> Iterator[str]:
        line = self._excerpts.line(self._answer.path, span.start.line)
        return self._code(span.start.line, plain(line.strip()) if line is not None else "", "    ")

    def _code(self, number: int, text: str, indent: str) -> Iterator[str]:
        if len(text) > self._width:
            text = text[: self._width - 1] + "…"
        bar = self._paint("|", _BLUE)
        yield f"{indent}{self._paint(f'{number:>4}', _BLUE)} {bar} {self._paint(text, _DIM)}".rstrip()

    def _help(self, place: str) -> Iterator[str]:
        rules = [v.rule for v in self._answer.verdicts if v.state in _TOLD]
        for rule in rules[:1]:
            yield f"{self._paint('help:', _BOLD)} wsantipattern explain {plain(rule)}"
        command = f"wsantipattern explain --at {plain(self._answer.path)}:{place} --output-format json"
        yield f"{self._paint('wrong?', _BOLD)} report it with the output of `{command}`"
        yield "       and the function around it, or the smallest piece of it that shows the same"

    def _paint(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._color and text else text
