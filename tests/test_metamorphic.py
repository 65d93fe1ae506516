"""The same program written in another way is judged the same: every fixture, every kind of variant.

The default run draws a part of the variants, the same one each time; `WSANTIPATTERN_VARIANTS=all` takes them all, and
`WSANTIPATTERN_VARIANTS=<number>` draws another part. What is known to fail (`variants/known.tsv`) must go on failing,
so that the list only gets shorter.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from zlib import crc32

import pytest
from test_renaming import FILES
from variants.breaking import BREAKS
from variants.catalogue import KINDS, Case, difference, found_in, variant
from variants.rewriting import PARSERS, Code, rewrite

DRAWN = os.environ.get("WSANTIPATTERN_VARIANTS", "0")
PART = 4
"""One variant in so many is drawn."""

LEAST = 10
"""So many fixtures a kind applies to, unless `RARE` says less."""

RARE = {
    ("js", "and to nested ifs"): 8,
    ("js", "else if nested"): 3,
    ("js", "short circuit to if"): 1,
    ("js", "if to ternary"): 5,
    ("js", "promise chain to try"): 6,
    ("js", "try to promise chain"): 4,
    ("js", "concatenation to template"): 4,
    ("js", "assignment made compound"): 2,
    ("js", "members to destructuring"): 6,
    ("go", "and to nested ifs"): 6,
    ("go", "branches swapped"): 5,
    ("go", "initializer into the if"): 4,
    ("go", "declarations reordered"): 4,
    ("go", "assignment made compound"): 6,
    ("py", "or to two ifs"): 8,
    ("py", "else if nested"): 6,
    ("py", "match to ifs"): 3,
    ("py", "if to ternary"): 3,
    ("py", "with of several to several"): 1,
    ("py", "release to method"): 6,
    ("py", "assignment made compound"): 5,
    ("py", "named expression before the if"): 2,
}


@cache
def known() -> dict[tuple[str, str], str]:
    """Kind and fixture of the variants that fail today, with the reason."""
    rows = (Path(__file__).parent / "variants" / "known.tsv").read_text().splitlines()
    cells = [row.split("\t") for row in rows if row and not row.startswith("#")]
    return {(kind, fixture): reason for fixture, kind, reason in cells}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def drawn(kind: str, path: Path) -> bool:
    if DRAWN == "all":
        return True
    return crc32(f"{kind} {name_of(path)}".encode()) % PART == int(DRAWN) % PART


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_written_in_another_way(path: Path) -> None:
    case = Case(path)
    wrong = []
    for kind in KINDS[case.family]:
        expected = (kind, name_of(path)) in known()
        if not (expected or drawn(kind, path)):
            continue
        made = variant(case, kind)
        if made is None:
            continue
        lost, new = difference(case, made)
        if bool(lost or new) != expected:
            wrong.append(
                f"{kind}: known to fail, and does not: take it off the list"
                if expected
                else f"{kind}: lines {sorted(lost)} lost, {sorted(new)} made\n{made.text.decode()}"
            )
    assert not wrong, "\n".join(wrong)


def test_comments_decide_nothing() -> None:
    for path in FILES[::PART]:
        case = Case(path)
        assert {line for line, _ in found_in(case.text, path.suffix, case.rule)} == case.found, path


@pytest.mark.parametrize(("family", "kind"), [(family, kind) for family in KINDS for kind in KINDS[family]])
def test_kind_applies_somewhere(family: str, kind: str) -> None:
    least = RARE.get((family, kind), LEAST)
    count = 0
    for path in FILES:
        case = Case(path)
        if case.family == family and variant(case, kind) is not None:
            count += 1
            if count >= least:
                return
    raise AssertionError(f"{count} of {least} variants")


def test_known_failures_are_of_files_and_kinds_there_are() -> None:
    files = {name_of(path): Case(path) for path in FILES}
    for kind, fixture in known():
        assert fixture in files
        assert kind in KINDS[files[fixture].family]


STAYS = {
    ("timer-not-cleared/waiter_future.py", "release on the straight way only"): (
        "a future of one's own fails when the task is cancelled and not otherwise"
    ),
    ("stale-dedup-tracker/differences_met.py", "reset removed"): (
        "a gap in what was received is no divergence of what was seen"
    ),
}
"""Broken fixtures that are not found, and why that is right or at least no surprise."""

BROKEN = {
    ("timer-not-cleared", "js"): 5,
    ("timer-not-cleared", "py"): 5,
    ("timer-not-cleared", "go"): 1,
    ("stale-dedup-tracker", "js"): 3,
    ("stale-dedup-tracker", "py"): 1,
    ("unguarded-append", "js"): 3,
    ("unguarded-append", "py"): 2,
    ("unguarded-append", "go"): 3,
}
"""So many fixtures each break is made in, at least."""


@pytest.mark.parametrize(
    ("rule", "family", "kind"),
    [(rule, family, kind) for rule in BREAKS for family in BREAKS[rule] for kind in BREAKS[rule][family]],
)
def test_what_is_broken_is_found(rule: str, family: str, kind: str) -> None:
    made = 0
    for path in FILES:
        case = Case(path)
        if (case.rule, case.family) != (rule, family):
            continue
        for edits, lines in BREAKS[rule][family][kind](Code(case.text, path.suffix)):
            if case.found.intersection(lines):
                continue
            made += 1
            written = rewrite(case.text, edits)
            assert not PARSERS[path.suffix].parse(written.text).root_node.has_error
            after = {written.source_line(*at) for at in found_in(written.text, path.suffix, rule)}
            found = bool(after.intersection(lines))
            assert found == ((name_of(path), kind) not in STAYS), (
                f"{path}:{lines[0]}\n{written.text.decode()}"
            )
    assert made >= BROKEN[rule, family]
