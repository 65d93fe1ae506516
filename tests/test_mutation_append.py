"""The mutators that take the guard from an append: which guards they take, and that the rest of the code stays."""

from __future__ import annotations

import textwrap
from pathlib import Path

import mutation_append as append
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def mutate(source: str, suffix: str, language: str) -> list[str]:
    data = textwrap.dedent(source).encode()
    found = append.places(data, language, "package", Path(f"a{suffix}"))
    return [" ".join(place.mutant.applied(data)[0].decode().split()) for place in found]


@pytest.mark.parametrize(
    ("suffix", "language", "source", "left"),
    [
        pytest.param(
            ".js",
            "javascript",
            "function f(m) { if (seen.has(m.id)) return; seen.add(m.id); list.push(m.text); }",
            "function f(m) { seen.add(m.id); list.push(m.text); }",
            id="leave, JavaScript",
        ),
        pytest.param(
            ".js",
            "javascript",
            "function f(m) { if (ready && m.seq > last) { text += m.text; } }",
            "function f(m) { if (ready && true) { text += m.text; } }",
            id="condition, JavaScript",
        ),
        pytest.param(
            ".py",
            "python",
            """
            def f(m):
                key = m["id"]
                if key in seen:
                    return
                lines.append(m["text"])
            """,
            'def f(m): key = m["id"] pass lines.append(m["text"])',
            id="leave, Python, through a variable",
        ),
        pytest.param(
            ".go",
            "go",
            """
            package a
            func f(m M) {
                if _, ok := seen[m.ID]; ok {
                    return
                }
                lines = append(lines, m)
            }
            """,
            "package a func f(m M) { lines = append(lines, m) }",
            id="leave, Go, an index in the initializer",
        ),
    ],
)
def test_the_guard_goes_and_the_append_stays(suffix: str, language: str, source: str, left: str) -> None:
    assert mutate(source, suffix, language) == [left]


@pytest.mark.parametrize(
    ("suffix", "language", "source"),
    [
        pytest.param(
            ".js", "javascript", "function f(m) { if (!open) return; list.push(m); }", id="another question"
        ),
        pytest.param(
            ".js", "javascript", "function f(m) { if (m.at === null) return; n += 1; }", id="a counter"
        ),
        pytest.param(
            ".go",
            "go",
            """
            package a
            func f(raw []byte) {
                var m M
                if err := json.Unmarshal(raw, &m); err != nil {
                    return
                }
                lines = append(lines, m)
            }
            """,
            id="a failure",
        ),
    ],
)
def test_other_tests_are_no_guards(suffix: str, language: str, source: str) -> None:
    assert mutate(source, suffix, language) == []


def test_every_listed_place_says_what_guards_it() -> None:
    assert all(reason for reason in append.listed(append.LISTED).values())


def test_the_fixtures_lose_their_silence_with_their_guard() -> None:
    missed = [
        f"{place.path.name}: {place.append}"
        for place in append.found_in_fixtures()
        if append.outcome(place) == "missed"
    ]
    assert missed == []
