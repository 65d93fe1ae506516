"""Every kind of variant, and how its findings compare with those of the file it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from variants import (
    golang,
    javascript_flow,
    javascript_functions,
    javascript_shape,
    python_flow,
    python_shape,
)
from variants.rewriting import FAMILIES, PARSERS, Code, Edit, Written, rewrite, without_comments
from wsantipattern.analysis import Settings, analyze
from wsantipattern.finding import Confidence
from wsantipattern.pack import builtin_folder

Generator = Callable[[Code], Iterable[Edit]]
KINDS: Mapping[str, Mapping[str, Generator]] = {
    "js": {**javascript_flow.KINDS, **javascript_shape.KINDS, **javascript_functions.KINDS},
    "go": golang.KINDS,
    "py": {**python_flow.KINDS, **python_shape.KINDS},
}


class UnparsedError(Exception):
    """A variant does not parse; its text is the argument."""


@dataclass(frozen=True)
class Variant:
    """A file that must be judged like the one it was made from."""

    written: Written
    ending: str

    @property
    def text(self) -> bytes:
        """The source."""
        return self.written.text


@dataclass(frozen=True)
class Case:
    """A fixture, seen without its comments."""

    path: Path

    @property
    def rule(self) -> str:
        """The id of the rule it is about."""
        return self.path.parent.name

    @property
    def family(self) -> str:
        """Which generators concern it."""
        return FAMILIES[self.path.suffix]

    @cached_property
    def text(self) -> bytes:
        """The source without comments, the lines unmoved."""
        return without_comments(self.path.read_bytes(), self.path.suffix).text

    @cached_property
    def found(self) -> frozenset[int]:
        """The lines with findings, in the file as it is."""
        return frozenset(line for line, _ in found_in(self.path.read_bytes(), self.path.suffix, self.rule))


@cache
def _settings(rule: str) -> Settings:
    return Settings(packs=(str(builtin_folder()),), rules=(rule,), min_confidence=Confidence.MEDIUM)


def found_in(text: bytes, ending: str, rule: str) -> list[tuple[int, int]]:
    """Where a rule's findings start: lines and columns from 1."""
    findings, errors = analyze(text, "case" + ending, _settings(rule))
    assert not errors, errors
    return [(f.span.start.line, f.span.start.column) for f in findings]


def variant(case: Case, kind: str) -> Variant | None:
    """The variant of a kind; None where the file has nothing the kind applies to.

    Raises:
        UnparsedError: the generator made something that is no program.
    """
    endings = javascript_functions.ENDINGS.get(kind) if case.family == "js" else None
    if endings is not None and case.path.suffix not in endings:
        return None
    code = Code(case.text, case.path.suffix)
    edits = list(KINDS[case.family][kind](code))
    if not edits:
        return None
    written = rewrite(case.text, edits)
    ending = endings[case.path.suffix] if endings is not None else case.path.suffix
    if PARSERS[ending].parse(written.text).root_node.has_error:
        raise UnparsedError(written.text)
    return Variant(written, ending)


def difference(case: Case, made: Variant) -> tuple[set[int], set[int]]:
    """The fixture's lines whose findings the variant lost, and those where it has new ones."""
    after = {made.written.source_line(*at) for at in found_in(made.text, made.ending, case.rule)}
    return set(case.found - after), after - case.found
