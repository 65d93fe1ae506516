"""The Python front end: one text to a module.

Guarantees a module for any bytes, and that every function and class of it is known at once while bodies are lowered on
first use. A text may be a fragment, as in documentation: indented as a whole, or the arms of a `match`, `try` or `if`
whose beginning is not shown. Knows no library.
"""

from __future__ import annotations

from tree_sitter import Node

from wsantipattern.languages.python_names import Names
from wsantipattern.languages.python_statements import Statements
from wsantipattern.languages.python_syntax import read
from wsantipattern.languages.python_terms import Terms
from wsantipattern.model.module import Module

_OPENERS: dict[bytes, tuple[bytes, bytes]] = {
    b"case": (b"match _:\n", b" "),
    b"elif": (b"if _:\n pass\n", b""),
    b"else": (b"if _:\n pass\n", b""),
    b"except": (b"try:\n _()\n", b""),
    b"finally": (b"try:\n _()\n", b""),
}
"""By the first word of a fragment: what goes before it, and before each of its lines, so that it parses."""

_OPENED = frozenset({"match_statement", "if_statement", "try_statement"})


def parse(text: bytes, path: str, language: str) -> Module:
    """The model of a Python text. Never raises."""
    shown, offsets = _dedented(text)
    root = read(shown)
    synthetic = 0
    if root.has_error:
        wrapped = _wrapped(shown, offsets)
        if wrapped is not None:
            again = read(wrapped[0])
            if again.named_child_count and again.named_children[0].type in _OPENED:
                shown, offsets, synthetic = wrapped
                root = again
    module = Module(path, shown, language)
    module.offset_map = offsets
    module.has_errors = root.has_error
    _fill(module, root, synthetic)
    return module


def _fill(module: Module, root: Node, synthetic: int) -> None:
    terms = Terms()
    statements = Statements(terms, root, synthetic)
    module.top._lower = statements.body
    terms.names = Names(module, root, statements.body, terms.term)


def _dedented(text: bytes) -> tuple[bytes, list[tuple[int, int]] | None]:
    """The text without the indentation of its first line of code, and the map back; the text itself where it has none."""
    margin: bytes | None = None
    for line in text.splitlines():
        word = line.strip()
        if word and not word.startswith(b"#"):
            margin = line[: len(line) - len(line.lstrip(b" \t"))]
            break
    if not margin:
        return text, None
    out = bytearray()
    offsets: list[tuple[int, int]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        cut = len(margin) if line.startswith(margin) else len(line) - len(line.lstrip(b" \t"))
        offsets.append((len(out), at + cut))
        out += line[cut:]
        at += len(line)
    return bytes(out), offsets


def _wrapped(
    text: bytes, offsets: list[tuple[int, int]] | None
) -> tuple[bytes, list[tuple[int, int]], int] | None:
    """The fragment with the beginning that it lacks, the map back, and how many bytes of it are not in the file."""
    words = (
        line.split(b"#")[0].replace(b":", b" ").replace(b"(", b" ").split() for line in text.splitlines()
    )
    first = next((w[0] for w in words if w), b"")
    opener = _OPENERS.get(first)
    if opener is None:
        return None
    before, margin = opener
    host = Module("", text, "python")
    host.offset_map = offsets
    out = bytearray(before)
    # Each byte that is not in the file stands for the fragment's first.
    found = [(index, host.host_offset(0)) for index in range(len(before) + len(margin))]
    at = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            out += margin
        found.append((len(out), host.host_offset(at)))
        out += line
        at += len(line)
    return bytes(out), found, len(before)
