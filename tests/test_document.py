"""A review document with BAD and GOOD fragments: one finding for each BAD one, of its section's rule, none elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsantipattern.analysis import Settings, analyze
from wsantipattern.pack import builtin_folder

DOCUMENT = Path(__file__).parent.parent / "docs" / "realtime-mistakes.md"


def _fragments() -> list[tuple[str, str, int, int]]:
    """(rule, BAD or GOOD, first line, last line) of each fence."""
    found: list[tuple[str, str, int, int]] = []
    rule, start = "", 0
    lines = DOCUMENT.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("## "):
            rule = line[3:]
        elif line.startswith("```") and start:
            kind = next(word for word in ("BAD", "GOOD") if word in lines[start])
            found.append((rule, kind, start, number))
            start = 0
        elif line.startswith("```"):
            start = number
    return found


@pytest.fixture(scope="module")
def findings() -> list[tuple[str, int]]:
    found, errors = analyze(DOCUMENT.read_bytes(), DOCUMENT.name, Settings(packs=(str(builtin_folder()),)))
    assert not errors
    return [(finding.rule, finding.span.start.line) for finding in found]


def test_the_document_has_both_kinds_for_every_rule() -> None:
    kinds = [(rule, kind) for rule, kind, _, _ in _fragments()]
    assert len(kinds) == 12
    assert len(set(kinds)) == 12


@pytest.mark.parametrize(("rule", "kind", "first", "last"), _fragments())
def test_fragment(findings: list[tuple[str, int]], rule: str, kind: str, first: int, last: int) -> None:
    inside = [found for found, line in findings if first < line < last]
    assert inside == ([rule] if kind == "BAD" else [])
