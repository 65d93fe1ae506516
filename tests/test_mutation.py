"""The mutators: which code they take, and that what they make of it is the bug and nothing else."""

from __future__ import annotations

import textwrap
from pathlib import Path

import mutation
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def mutate(source: str, suffix: str, language: str) -> list[tuple[str, set[int]]]:
    data = textwrap.dedent(source).encode()
    found = [mutant.applied(data) for mutant in mutation.mutants(data, suffix, language)]
    return [(text.decode(), lines) for text, lines in found]


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_javascript_finally_goes_to_the_end_of_the_body() -> None:
    [(text, lines)] = mutate(
        """\
        async function f(url) {
          const id = setTimeout(stop, 10);
          try {
            return await get(url);
          } finally {
            clearTimeout(id);
          }
        }
        """,
        ".js",
        "javascript",
    )
    assert lines == {2}
    assert (
        "try { const settled = await get(url); clearTimeout(id); return settled; } finally { }"
        in squeezed(text)
    )


def test_javascript_chain_runs_on_success_only() -> None:
    [(text, lines)] = mutate(
        """\
        function f(url) {
          const id = setTimeout(stop, 10);
          return get(url).finally(() => clearTimeout(id));
        }
        """,
        ".ts",
        "javascript",
    )
    assert lines == {2}
    assert "get(url).then((settled) => { clearTimeout(id); return settled; })" in text


def test_python_finally_goes_to_the_end_of_the_body() -> None:
    [(text, lines)] = mutate(
        """\
        async def f(loop):
            handle = loop.call_later(1, stop)
            try:
                await work()
            finally:
                handle.cancel()
        """,
        ".py",
        "python",
    )
    assert lines == {2}
    assert "        await work()\n        handle.cancel()\n    finally:\n        pass\n" in text


def test_go_defer_becomes_a_call_before_the_last_return() -> None:
    [(text, lines)] = mutate(
        """\
        package p

        func f() error {
            ctx, cancel := context.WithTimeout(parent, time.Second)
            defer cancel()
            if err := work(ctx); err != nil {
                return err
            }
            return nil
        }
        """,
        ".go",
        "go",
    )
    assert lines == {4}
    assert "defer" not in text
    assert "return err } cancel() return nil }" in squeezed(text)


@pytest.mark.parametrize(
    ("source", "suffix", "language"),
    [
        (
            "function f(p) { const t = setTimeout(a, 1); p.then(b).catch(c).finally(() => clearTimeout(t)); }",
            ".js",
            "javascript",
        ),
        (
            "package p\nfunc f() {\n    t := time.NewTicker(d)\n    defer t.Stop()\n    if x {\n        return\n    }\n"
            "    for {\n        <-t.C\n    }\n}\n",
            ".go",
            "go",
        ),
        (
            "function f() { const t = setTimeout(a, 1); try { work(); } finally { clearTimeout(t); } }",
            ".js",
            "javascript",
        ),
        ("async function f() { try { await work(); } finally { clearTimeout(t); } }", ".js", "javascript"),
        ("package p\nfunc f() {\n\tt := time.NewTimer(d)\n\tdefer t.Stop()\n\twork()\n}\n", ".go", "go"),
        (
            "def f():\n    t = Timer(1, g)\n    try:\n        work()\n    finally:\n        t.cancel()\n",
            ".py",
            "python",
        ),
    ],
    ids=[
        "caught before",
        "endless loop",
        "no way out",
        "not armed here",
        "no early return",
        "no way out in Python",
    ],
)
def test_code_without_another_way_out_is_left_alone(source: str, suffix: str, language: str) -> None:
    assert mutate(source, suffix, language) == []


def test_outcomes(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    source = b"async def f(loop):\n    h = loop.call_later(1, g)\n    try:\n        await w()\n    finally:\n        h.cancel()\n"
    file.write_bytes(source)
    [mutant] = mutation.mutants(source, ".py", "python")
    site = mutation.Site("python", "p-1", file, mutant)
    assert mutation.outcome(site, lambda text, path: set()) == "missed"
    assert mutation.outcome(site, lambda text, path: {2}) == "spoke before"
    assert mutation.outcome(site, lambda text, path: set() if text == source else {2}) == "found"
    assert mutation.outcome(site) == "found"
