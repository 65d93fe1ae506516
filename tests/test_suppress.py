"""Suppressions: what a comment hides, and what is said of those that hide nothing or cannot be read."""

from __future__ import annotations

import pytest

from wsantipattern.finding import Position, Span
from wsantipattern.languages import EXTENSIONS
from wsantipattern.languages.comments import comments
from wsantipattern.model.module import Module
from wsantipattern.source import Source
from wsantipattern.suppress import Suppressions, suppressions

KNOWN = ("loud-word", "soft-word")


def read(text: str, ending: str = ".js") -> Suppressions:
    data = text.encode()
    modules = [Module("a", data, EXTENSIONS[ending])] if ending in EXTENSIONS else []
    source = Source("a", data)
    return suppressions(source, comments(data, ending, modules), [], KNOWN)


def lines(first: int, last: int | None = None) -> Span:
    return Span(Position(first, 1), Position(last or first, 9))


@pytest.mark.parametrize(
    ("text", "hidden", "shown"),
    [
        ("x() // wsantipattern: ignore[loud-word] -- reason\ny()", [1], [2]),
        ("// wsantipattern: ignore[loud-word]\nx()\ny()", [2], [3]),
        ("// wsantipattern: ignore[soft-word, loud-word]\nx()", [2], []),
        ("// wsantipattern:ignore[loud-word]because\nx()", [2], []),
        ("// eslint-disable-line -- wsantipattern: ignore[loud-word]\nx()", [2], []),
        ("// wsantipattern: ignore[loud-word]\n// another comment\nx()\ny()", [3], [4]),
        ("/* wsantipattern: ignore[loud-word]\n * for the whole\n */\nx()\ny()", [4], [5]),
        ("a(/* wsantipattern: ignore[loud-word] */\nx())", [1], [2]),
        ("} // wsantipattern: ignore[loud-word]\nx()", [1], [2]),
        ("a\n\n// wsantipattern: ignore-file[loud-word]\nb\n", [1, 4], []),
        ("// wsantipattern: ignore[soft-word]\nx()", [], [2]),
        ("x('// wsantipattern: ignore[loud-word]')", [], [1]),
        ("const s = `\n// wsantipattern: ignore[loud-word]\n`", [], [2, 3]),
    ],
)
def test_what_a_comment_hides(text, hidden, shown):
    for line in hidden:
        assert read(text).hide("loud-word", lines(line)), line
    for line in shown:
        assert not read(text).hide("loud-word", lines(line)), line


def test_any_line_of_the_finding_will_do():
    text = "setTimeout(() => {\n  f() // wsantipattern: ignore[loud-word]\n})\n"
    assert read(text).hide("loud-word", lines(1, 3))
    assert not read(text).hide("loud-word", lines(3))


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (".py", "# wsantipattern: ignore[loud-word]\nx()"),
        (".go", "// wsantipattern: ignore[loud-word]\nx()"),
        (".ts", "// wsantipattern: ignore[loud-word]\nx()"),
        (".tsx", "{/* wsantipattern: ignore[loud-word] */}\n<b/>"),
        (".md", "<!-- wsantipattern: ignore[loud-word] -->\n"),
        (".vue", "<!-- wsantipattern: ignore[loud-word] -->\n<p/>"),
    ],
)
def test_every_kind_of_comment(ending, text):
    assert read(text, ending).hide("loud-word", lines(2))


def test_markdown_that_shows_a_comment_is_none():
    text = "```html\n<!-- wsantipattern: ignore[loud-word] -->\n```\nSay `<!-- wsantipattern: ignore[loud-word] -->`.\n"
    found = read(text, ".md")
    assert not found.entries
    assert not found.problems


def test_unused_ones_are_known():
    found = read("// wsantipattern: ignore[loud-word, soft-word]\nx()")
    assert found.hide("loud-word", lines(2))
    assert [message for _, message in found.unused(KNOWN)] == ["the suppression of `soft-word` hides nothing"]
    assert not list(found.unused(["loud-word"]))


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("wsantipattern: ignore", "`ignore` names no rule: `ignore[rule-id]`"),
        ("wsantipattern: ignore loud-word", "`ignore` names no rule: `ignore[rule-id]`"),
        ("wsantipattern: ignore []", "`ignore[]` names no rule"),
        ("wsantipattern: ignore[loud-word", "`ignore[` is not closed"),
        ("wsantipattern: ignore[lod-word]", "there is no rule `lod-word`; did you mean loud-word?"),
        ("wsantipattern: ignroe[loud-word]", "`ignroe` is no kind of suppression; did you mean ignore?"),
        (
            "wsantipattern: ignore-next[loud-word]",
            "`ignore-next` is no kind of suppression; did you mean ignore-file?",
        ),
    ],
)
def test_malformed_ones_are_told(comment, problem):
    found = read(f"// {comment}\nx()")
    assert [message for _, message in found.problems] == [problem]
    assert not found.entries


@pytest.mark.parametrize(
    "comment", ["wsantipattern: a linter", "see `wsantipattern: ignore[x]`", 'write "wsantipattern: ignore"']
)
def test_comments_that_only_speak_of_it(comment):
    found = read(f"// {comment}\nx()")
    assert not found.entries
    assert not found.problems


def test_the_extent_is_that_of_the_id():
    text = "// é wsantipattern: ignore[ soft-word ,loud-word]"
    data = text.encode()
    assert [data[slice(*entry.extent)].decode() for entry in read(text).entries] == ["soft-word", "loud-word"]
