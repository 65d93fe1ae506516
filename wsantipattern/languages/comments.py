"""Where a file's comments are, found by syntax, so that a comment's text inside a string is none.

Covers comments of the code itself and `<!-- -->` of the Markdown or HTML around it. Does not read what they say.
Never raises on any text.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache

from tree_sitter import Language, Parser, Query, QueryCursor

from wsantipattern.languages import HOSTS
from wsantipattern.model.module import Module
from wsantipattern.model.term import Extent

_GRAMMARS = {
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "python": ("tree_sitter_python", "language"),
    "html": ("tree_sitter_html", "language"),
}


def comments(text: bytes, ending: str, modules: Sequence[Module]) -> list[Extent]:
    """The extents of all comments of a file, in order; byte offsets into `text`.

    Args:
        text: the whole file.
        ending: the file's, lower case with the dot.
        modules: what `languages.modules` makes of it.
    """
    found: set[Extent] = set()
    for module in modules:
        for start, end in _in_code(module.text, module.language):
            found.add((module.host_offset(start), module.host_offset(end)))
    host = HOSTS.get(ending)
    if host == "html":
        found.update(_in_code(text, "html"))
    elif host == "markdown":
        found.update(_in_markdown(text))
    return sorted(found)


def _in_code(text: bytes, language: str) -> list[Extent]:
    if language not in _GRAMMARS:
        return []
    parser, query = _parser(language)
    captures = QueryCursor(query).captures(parser.parse(text).root_node)
    return [(node.start_byte, node.end_byte) for node in captures.get("comment", [])]


@cache
def _parser(language: str) -> tuple[Parser, Query]:
    package, function = _GRAMMARS[language]
    grammar = Language(getattr(importlib.import_module(package), function)())
    return Parser(grammar), Query(grammar, "(comment) @comment")


def _in_markdown(text: bytes) -> list[Extent]:
    """Comments that start a line outside of fenced blocks; in running text they may be inline code."""
    found: list[Extent] = []
    fence = b""
    offset = closed = 0
    for line in text.splitlines(keepends=True):
        start, offset = offset, offset + len(line)
        content = line.strip()
        run = len(content) - len(content.lstrip(content[:1])) if content[:1] in (b"`", b"~") else 0
        if fence:
            if run >= len(fence) and content[:1] == fence[:1] and run == len(content):
                fence = b""
        elif run >= 3:
            fence = content[:run]
        elif content.startswith(b"<!--") and start >= closed:
            opened = start + line.index(b"<!--")
            end = text.find(b"-->", opened)
            closed = len(text) if end < 0 else end + 3
            found.append((opened, closed))
    return found
