"""Edits over a source text that know where every character of the result came from.

An edit replaces a stretch of the source by pieces: new text, and stretches of the source in which other edits hold
too. So a statement may be moved into a block that another edit builds. Edits that overlap without one being inside
the other do not both hold; the one that starts first does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from renaming import GRAMMARS
from tree_sitter import Language, Node, Parser

FAMILIES = {".js": "js", ".jsx": "js", ".ts": "js", ".tsx": "js", ".go": "go", ".py": "py"}
PARSERS = {ending: Parser(Language(grammar())) for ending, grammar in GRAMMARS.items()}
FUNCTIONS = {
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function_declaration",
    "generator_function",
    "method_declaration",
    "func_literal",
    "function_definition",
    "lambda",
}


@dataclass(frozen=True)
class Part:
    """A stretch of the source, in bytes; its lines but the first are indented by `shift` more columns.

    In a `plain` one no edit is made.
    """

    start: int
    end: int
    shift: int = 0
    plain: bool = False


Piece = bytes | Part | Node


@dataclass(frozen=True)
class Edit:
    """The stretch from `start` to `end` (bytes) gives way to the pieces."""

    start: int
    end: int
    pieces: tuple[Piece, ...]


def replace(node: Node, *pieces: Piece) -> Edit:
    """An edit of a whole node."""
    return Edit(node.start_byte, node.end_byte, pieces)


def before(node: Node, *pieces: Piece) -> Edit:
    """New text at the start of a node."""
    return Edit(node.start_byte, node.start_byte, pieces)


def after(node: Node, *pieces: Piece) -> Edit:
    """New text at the end of a node."""
    return Edit(node.end_byte, node.end_byte, pieces)


@dataclass(frozen=True)
class Written:
    """A text, and where it came from.

    Attributes:
        text: the new source.
        origins: pairs of an offset in the text and the source's offset that stands there, or -1 for new text.
        source: the old text.
    """

    text: bytes
    origins: tuple[tuple[int, int], ...]
    source: bytes

    def line_of(self, offset: int) -> int:
        """The line (from 1) of the source that the character at an offset came from, new text from what follows it."""
        index = bisect_right(self.origins, (offset, 1 << 40)) - 1
        start, origin = self.origins[index]
        if origin >= 0:
            return self.source.count(b"\n", 0, origin + offset - start) + 1
        known = [o for _, o in self.origins[index:] if o >= 0] or [o for _, o in self.origins if o >= 0][-1:]
        return self.source.count(b"\n", 0, known[0]) + 1

    def source_line(self, line: int, column: int) -> int:
        """The source's line that stands at a line and a column (from 1; code points) of the text."""
        lines = self.text.split(b"\n")
        start = sum(len(text) + 1 for text in lines[: line - 1])
        return self.line_of(start + len(lines[line - 1].decode()[: column - 1].encode()))


Chunk = tuple[bytes, int]


def rewrite(text: bytes, edits: Sequence[Edit]) -> Written:
    """The text with the edits made."""
    order = sorted(
        range(len(edits)), key=lambda i: (edits[i].start, edits[i].end > edits[i].start, -edits[i].end, i)
    )
    chunks = _render(text, [edits[i] for i in order], 0, len(text), frozenset(), set())
    origins: list[tuple[int, int]] = []
    offset = 0
    for piece, origin in chunks:
        if piece:
            origins.append((offset, origin))
            offset += len(piece)
    return Written(b"".join(piece for piece, _ in chunks), tuple(origins), text)


def _render(
    text: bytes, edits: list[Edit], start: int, end: int, active: frozenset[int], spent: set[int]
) -> list[Chunk]:
    chunks: list[Chunk] = []
    position = start
    for number, edit in enumerate(edits):
        if number in active or edit.start < position or edit.end > end:
            continue
        if edit.start == edit.end:
            if number in spent:
                continue
            spent.add(number)
        chunks.append((text[position : edit.start], position))
        for piece in edit.pieces:
            if isinstance(piece, bytes):
                chunks.append((piece, -1))
                continue
            part = piece if isinstance(piece, Part) else Part(piece.start_byte, piece.end_byte)
            inner = _render(text, [] if part.plain else edits, part.start, part.end, active | {number}, spent)
            chunks += _shifted(inner, part.shift) if part.shift else inner
        position = edit.end
    chunks.append((text[position:end], position))
    return chunks


def _shifted(chunks: list[Chunk], shift: int) -> list[Chunk]:
    moved: list[Chunk] = []
    fresh = False
    for piece, origin in chunks:
        done = 0
        for index, byte in enumerate(piece):
            if fresh and byte != 10:
                moved.append((piece[done:index], origin if origin < 0 else origin + done))
                done = index
                if shift > 0:
                    moved.append((b" " * shift, -1))
                else:
                    blank = len(piece[index:]) - len(piece[index:].lstrip(b" "))
                    done += min(-shift, blank)
            fresh = byte == 10
        moved.append((piece[done:], origin if origin < 0 else origin + done))
    return moved


@dataclass
class Code:
    """A source text with its tree, as generators see it."""

    text: bytes
    ending: str
    _fresh: int = field(default=0)

    @cached_property
    def root(self) -> Node:
        """The tree."""
        return PARSERS[self.ending].parse(self.text).root_node

    @cached_property
    def nodes(self) -> list[Node]:
        """Every node, in the order of the text."""
        return list(walk(self.root))

    def of(self, *types: str) -> list[Node]:
        """The nodes of these types."""
        return [node for node in self.nodes if node.type in types]

    def name(self) -> bytes:
        """A name that means nothing and that the file does not have."""
        self._fresh += 1
        return b"zq%d" % self._fresh

    def typed(self) -> bool:
        """Whether it is TypeScript."""
        return self.ending in (".ts", ".tsx")


def copied(node: Node) -> Part:
    """A node as it stands in the source, whatever is edited in it."""
    return Part(node.start_byte, node.end_byte, plain=True)


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    todo = [node]
    while todo:
        current = todo.pop()
        yield current
        todo.extend(reversed(current.children))


def own(node: Node) -> Iterator[Node]:
    """A node and what is below it but in no function inside it."""
    todo = [node]
    while todo:
        current = todo.pop()
        yield current
        if current is node or current.type not in FUNCTIONS:
            todo.extend(reversed(current.children))


def has(node: Node, *types: str) -> bool:
    """Whether a node of these types is below, outside nested functions."""
    return any(inner.type in types for inner in own(node))


def text_of(node: Node | None) -> bytes:
    """The node's text; empty for none."""
    return (node.text or b"") if node is not None else b""


def names_in(node: Node) -> set[bytes]:
    """The identifiers below a node that stand for variables or types."""
    return {
        text_of(n)
        for n in walk(node)
        if n.type
        in (
            "identifier",
            "shorthand_property_identifier",
            "type_identifier",
            "shorthand_property_identifier_pattern",
        )
    }


def named(node: Node | None) -> list[Node]:
    """The named children but comments."""
    return [c for c in node.named_children if c.type != "comment"] if node is not None else []


def first(node: Node | None) -> Node | None:
    """The first named child but comments."""
    return next(iter(named(node)), None)


def holder(node: Node) -> Node | None:
    """The innermost function around a node."""
    at = node.parent
    while at is not None and at.type not in FUNCTIONS:
        at = at.parent
    return at


def field_of(node: Node, name: str) -> Node:
    """A field that the grammar promises."""
    found = node.child_by_field_name(name)
    assert found is not None, (node.type, name)
    return found


def without_comments(text: bytes, ending: str) -> Written:
    """The text with its comments blanked out; lines stay where they are."""
    code = Code(text, ending)
    edits = []
    for node in code.of("comment"):
        start = node.start_byte
        while start and text[start - 1 : start] in (b" ", b"\t"):
            start -= 1
        body = text_of(node)
        edits.append(
            Edit(
                start,
                node.end_byte,
                (b"\n" * body.count(b"\n") or b" " * (not body.startswith((b"//", b"#"))),),
            )
        )
    return rewrite(text, edits)
