"""What a rule reports: a finding with one primary span and the trace that proves it.

Knows nothing of languages, formats or the terminal. Lines and columns count from 1; columns count Unicode
code points; the end of a span is exclusive.
"""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum

from wsantipattern.record import record


class Severity(IntEnum):
    """How bad the fact is, in SARIF's levels; ordered, so that `--fail-on` can compare."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Confidence(IntEnum):
    """How sure the evidence is: `LOW` is not shown unless asked for."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@record(frozen=True, slots=True, order=True)
class Position:
    """A place in the host file: line from 1, column in code points from 1."""

    line: int
    column: int


@record(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to, not including, `end`."""

    start: Position
    end: Position


@record(frozen=True, slots=True)
class TraceStep:
    """One step of the witness: where, and what is true there."""

    path: str
    span: Span
    message: str


@record(frozen=True, slots=True)
class Edit:
    """Replaces the text of `span` (empty for an insertion) by `text`."""

    span: Span
    text: str


@record(frozen=True, slots=True)
class Fix:
    """A correction: a title that says what it does, its edits, and whether it can change behaviour."""

    title: str
    edits: tuple[Edit, ...] = ()
    safe: bool = False


@record(frozen=True, slots=True)
class Finding:
    """One finding, as every report format reads it.

    `fingerprint` is a hex string that survives moved lines: it is made from the rule, the path, the enclosing
    function's name and the text of the primary line, with a counter for equal ones.

    `anchor` is a hex string made from the rule, the enclosing function's name and the start of the primary span's
    code, without what formatters change and without the path: it also survives reformatting and moves to another
    file, and equal code has equal ones.
    """

    rule: str
    message: str
    severity: Severity
    confidence: Confidence
    path: str
    span: Span
    trace: tuple[TraceStep, ...] = ()
    fix: Fix | None = None
    fingerprint: str = ""
    anchor: str = ""

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        return (self.path, self.span.start.line, self.span.start.column, self.rule)


@record(frozen=True, slots=True)
class FileError:
    """A file that could not be checked, or only in part; `message` is one line without the path."""

    path: str
    message: str


@record(frozen=True, slots=True)
class Change:
    """What a report on a change knows besides the findings that are new.

    Attributes:
        base: the state compared with, in words.
        fixed: the findings that the base has and the change does not; their spans are those of the base.
        existing: how many findings both have.
    """

    base: str
    fixed: tuple[Finding, ...] = ()
    existing: int = 0


@record(slots=True)
class Report:
    """The result of a run: what every format prints. `findings` are in the order of `Finding.sort_key`.

    With a `change`, they are only those that the change brings in. `fixed` counts those that fixing has removed,
    `more_fixes` those left that an unsafe fix would; both are None where nothing was to be fixed.
    """

    findings: list[Finding] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    checked: int = 0
    skipped: int = 0
    change: Change | None = None
    fixed: int | None = None
    more_fixes: int | None = None
