"""Edits of a text whose statements stand between braces: whole lines, in the file's own indentation and line ends.

An editor of a language gives the outline; this writes on it. Guarantees that only the lines of the statements named
change, and refuses (None) where a statement shares its line with another.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from wsantipattern.fix.outline import Block, Statement
from wsantipattern.model.term import Extent

Replacement = tuple[int, int, bytes]
"""Bytes from, bytes to, and what stands there instead."""

_BLANKS = b" \t"


class LineEditor:
    """What editors of such languages share.

    Attributes:
        source: the module's text.
        outline: its statements.
        comments: the extents of all comments, in order.
        verbatim: the extents of texts over several lines that must stay as they are.
    """

    end_mark = b""
    """What ends a statement of its own."""
    has_maximum = False

    def __init__(self, source: bytes, outline: Block, comments: list[Extent], verbatim: list[Extent]) -> None:
        self.source = source
        self.outline = outline
        self.comments = comments
        self.verbatim = verbatim

    def text(self, extent: Extent) -> str:
        """The text of an extent; bytes that are no UTF-8 are kept as surrogates."""
        return self.source[extent[0] : extent[1]].decode("utf-8", "surrogateescape")

    def drop(self, statements: Sequence[Statement]) -> bytes | None:
        if not all(self.is_alone(s) for s in statements):
            return None
        return self.replaced([(*self.lines_of(s.extent), b"") for s in statements])

    def leave_out(self, statement: Statement) -> tuple[bytes, bool] | None:
        block, owner = statement.block, statement.block.owner
        if not self._is_unmarked(statement):
            return None
        if block.role == "arm":
            return self.replaced([(*self.lines_of(statement.extent), b"")]), True
        if not block.is_open or owner is None or len(block.statements) != 1:
            return None
        if block.role not in ("plain", "handler", "function") or self.has_comment(*block.extent):
            return None
        if self.is_bare_test(owner):
            if self.is_alone(owner):
                return self.replaced([(*self.lines_of(owner.extent), b"")]), True
            if owner.block is not block:
                return self.leave_out(owner)
        if self.source[block.extent[0] : block.extent[0] + 1] != b"{":
            return None
        return self.emptied(block), False

    def is_bare_test(self, statement: Statement) -> bool:
        """Whether a statement is an `if` without `else` whose condition does nothing, and may go."""
        return False

    def emptied(self, block: Block) -> bytes:
        """The text with nothing between the braces of a block."""
        start, end = block.extent
        return self.replaced([(start + 1, end - 1, b"")])

    def _is_unmarked(self, statement: Statement) -> bool:
        """Whether a statement has its lines for itself, and no comment on them or just above."""
        start, end = statement.extent
        if not self.stands_alone(statement.extent) or self.has_comment(start, self.line_end(end)):
            return False
        above = self.line_start(start) - 1
        return above <= 0 or not any(
            self.line_start(above) <= e[1] - 1 <= above and self.starts_line(e[0]) for e in self.comments
        )

    def raised(self, statement: Statement, target: Extent, value: Extent, is_number: bool) -> bytes | None:
        return None

    def built(self, builder: str) -> str:
        """See `Editor`; only Go has builders of texts."""
        return builder

    def chosen(self, value: Extent, content: str, addition: str) -> bytes | None:
        return None

    def chosen_part(self, addition: Extent, content: str) -> bytes | None:
        return None

    def insert_before(self, statement: Statement, code: str, condition: str = "") -> bytes | None:
        if not statement.block.is_open or not self.starts_line(statement.extent[0]):
            return None
        at = self.line_start(statement.extent[0])
        indent = self.indent_at(at)
        at = self.with_comment_above(at)
        new = self.line(indent, code)
        if condition:
            inner = self.line(indent + self.unit_of(statement.block), code)
            new = (
                indent
                + self.condition(condition)
                + b" {"
                + self.newline
                + inner
                + indent
                + b"}"
                + self.newline
            )
        return self.replaced([(at, at, new)])

    def insert_after(self, statement: Statement, code: str) -> bytes | None:
        start, end = statement.extent
        if not statement.block.is_open or not self.stands_alone(statement.extent):
            return None
        at = self.line_end(end)
        return self.replaced([(at, at, self.line(self.indent_at(start), code))])

    def insert_before_all(self, statements: Sequence[Statement], code: str) -> bytes | None:
        starts = [statement.extent[0] for statement in statements]
        if not all(s.block.is_open for s in statements) or not all(self.starts_line(at) for at in starts):
            return None
        lines = [self.line_start(at) for at in starts]
        return self.replaced([(at, at, self.line(self.indent_at(at), code)) for at in lines])

    def enclose(self, statement: Statement, condition: str, also: Sequence[Replacement] = ()) -> bytes | None:
        start, end = statement.extent
        if not (statement.block.is_open or statement.block.role == "arm"):
            return None
        if not self.stands_alone(statement.extent):
            return None
        first, stop = self.line_start(start), self.line_end(end)
        indent = self.indent_at(first)
        unit = self.unit_of(statement.block)
        head = indent + self.condition(condition) + b" {" + self.newline
        inside = self.indented(first, stop, unit)
        return self.replaced([(first, stop, head + inside + indent + b"}" + self.newline), *also])

    def condition(self, condition: str) -> bytes:
        """The head of an `if`."""
        raise ValueError(f"no condition can be written: {condition}")

    # -- statements ------------------------------------------------------------------------------

    def is_alone(self, statement: Statement) -> bool:
        return (
            self._is_unmarked(statement) and statement.block.is_open and len(statement.block.statements) > 1
        )

    def stands_alone(self, extent: Extent) -> bool:
        """Whether nothing but comments shares the lines of an extent."""
        start, end = extent
        return self.starts_line(start) and self.ends_line(end)

    def starts_line(self, at: int) -> bool:
        return not self.source[self.line_start(at) : at].strip(_BLANKS)

    def ends_line(self, at: int) -> bool:
        """Whether only blanks and comments follow on the line."""
        stop = self.line_end(at)
        rest = bytearray(self.source[at:stop])
        for start, end in self.comments:
            if at <= start < stop:
                rest[start - at : end - at] = b" " * len(rest[start - at : end - at])
        return not bytes(rest).strip()

    def has_comment(self, start: int, end: int) -> bool:
        return any(start <= e[0] < end for e in self.comments)

    def with_comment_above(self, at: int) -> int:
        """The start of the first line of the comment that ends just above a line, or of the line itself."""
        for first, end in reversed(self.comments):
            if end <= at and self.line_end(end) == at and self.starts_line(first):
                at = self.line_start(first)
        return at

    def after(self, statement: Statement, stop: int) -> int:
        """The end of the last line that belongs to a statement: its own, and that of comments below up to `stop`."""
        at = self.line_end(statement.extent[1])
        for start, end in self.comments:
            if at <= start < stop:
                at = self.line_end(end)
        return at

    def before(self, statement: Statement, start: int) -> int:
        """The start of the first line of a statement and of the comments just before it, not before `start`."""
        at = self.line_start(statement.extent[0])
        for first, end in reversed(self.comments):
            if start <= first and end <= at and self.starts_line(first):
                at = self.line_start(first)
        return at

    # -- lines -----------------------------------------------------------------------------------

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for line in self.source.splitlines(keepends=True):
            starts.append(at)
            at += len(line)
        return starts or [0]

    @cached_property
    def newline(self) -> bytes:
        """The line end of the text: that of its first line."""
        first = self.source.splitlines(keepends=True)[:1]
        return first[0][len(first[0].rstrip(b"\r\n")) :] or b"\n" if first else b"\n"

    def line_start(self, at: int) -> int:
        return self._starts[bisect_right(self._starts, at) - 1]

    def line_end(self, at: int) -> int:
        """The offset behind the line end of the line that holds `at`."""
        index = bisect_right(self._starts, at)
        return self._starts[index] if index < len(self._starts) else len(self.source)

    def indent_at(self, at: int) -> bytes:
        line = self.source[self.line_start(at) : self.line_end(at)]
        return line[: len(line) - len(line.lstrip(_BLANKS))]

    def unit_of(self, block: Block) -> bytes:
        """One step of indentation, as the block has it against what is around it."""
        for inner in self._blocks_near(block):
            if inner.statements and inner.owner is not None:
                deep = self.indent_at(inner.statements[0].extent[0])
                flat = self.indent_at(inner.extent[0])
                if deep.startswith(flat) and len(deep) > len(flat):
                    return deep[len(flat) :]
        return b"\t"

    def _blocks_near(self, block: Block) -> list[Block]:
        found = [block]
        while block.owner is not None:
            block = block.owner.block
            found.append(block)
        return found + [b for s in self.outline.statements for b in s.blocks]

    def lines_of(self, extent: Extent) -> Extent:
        """The lines of an extent, with the blank line above where another, or a closing brace, is below."""
        start, end = self.line_start(extent[0]), self.line_end(extent[1])
        below = self.source[end : self.line_end(end)].strip() if end < len(self.source) else b""
        if start > 0 and below[:1] in (b"", b"}"):
            above = self.line_start(start - 1)
            if not self.source[above:start].strip():
                start = above
        return start, end

    def line(self, indent: bytes, code: str) -> bytes:
        return indent + code.encode("utf-8", "surrogateescape") + self.end_mark + self.newline

    def indented(self, start: int, end: int, unit: bytes, without: Sequence[Extent] = ()) -> bytes:
        """The lines from `start` to `end` one step deeper, without some; literals over several lines stay."""
        out = bytearray()
        at = start
        while at < end:
            stop = self.line_end(at)
            if not any(a <= at < b for a, b in without):
                line = self.source[at:stop]
                if line.strip() and not any(a < at < b for a, b in self.verbatim):
                    out += unit
                out += line
            at = stop
        if out and not out.endswith((b"\n", b"\r")):
            out += self.newline
        return bytes(out)

    def replaced(self, replacements: Sequence[Replacement]) -> bytes:
        """The text with all replacements made; they must not overlap."""
        text = self.source
        for start, end, code in sorted(replacements, reverse=True):
            text = text[:start] + code + text[end:]
        return text
