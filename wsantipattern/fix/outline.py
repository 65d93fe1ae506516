"""The statements of one text as a fix needs them: blocks, what stands in which, what can be written where.

A language's editor makes an outline of its tree and writes what was decided on it; nothing here knows a language.
Extents are byte offsets into the module's text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Literal, Protocol

from wsantipattern.model.term import Extent
from wsantipattern.record import record

Role = Literal["module", "function", "executor", "loop", "try", "handler", "else", "final", "arm", "plain"]
"""What a block is of its owner. `executor`: the function given to a promise's constructor, which runs at once."""


@record(slots=True, eq=False)
class Statement:
    """One statement of a block.

    Attributes:
        extent: from its first to its last token.
        block: the block it stands in.
        blocks: the blocks inside it, those of functions written in it included.
        is_try: whether it is a `try` statement; its blocks are then `try`, `handler`, `else` and `final`.
        leaves: whether it is a return or raise.
        turns: whether it ends a round of a loop, or the loop.
        expression: the extent of the expression that is all of it, or None.
        awaited: the extent of what it waits for, where that is all it does, or None.
        declares: the plain names that it declares for the rest of its block.
        is_hoisted: whether what it declares can be used before it (a function, a class, an import).
    """

    extent: Extent
    block: Block
    blocks: list[Block] = field(default_factory=list)
    is_try: bool = False
    leaves: bool = False
    turns: bool = False
    expression: Extent | None = None
    awaited: Extent | None = None
    declares: tuple[str, ...] = ()
    is_hoisted: bool = False

    @property
    def following(self) -> Sequence[Statement]:
        """The statements after it in its block."""
        siblings = self.block.statements
        return siblings[siblings.index(self) + 1 :]

    def holds(self, extent: Extent) -> bool:
        return self.extent[0] <= extent[0] and extent[1] <= self.extent[1]

    def block_of(self, *roles: Role) -> Block | None:
        """Its first own block with one of these roles."""
        return next((block for block in self.blocks if block.role in roles), None)


@record(slots=True, eq=False)
class Block:
    """A list of statements. `is_open` says that lines can be written into it; `suspends` that its function may wait."""

    extent: Extent
    role: Role
    owner: Statement | None
    statements: list[Statement] = field(default_factory=list)
    is_open: bool = True
    suspends: bool = False

    @property
    def function(self) -> Block:
        """The innermost block around it, or itself, that is a function's body or the module."""
        block = self
        while block.role not in ("function", "executor", "module") and block.owner is not None:
            block = block.owner.block
        return block

    @property
    def is_repeated(self) -> bool:
        """Whether it runs several times in one call of its function."""
        block = self
        while block.role not in ("function", "executor", "module") and block.owner is not None:
            if block.role == "loop":
                return True
            block = block.owner.block
        return False

    def statement_at(self, extent: Extent) -> Statement | None:
        """The innermost statement that holds an extent."""
        for statement in self.statements:
            if statement.holds(extent):
                for block in statement.blocks:
                    inner = block.statement_at(extent)
                    if inner is not None:
                        return inner
                return statement
        return None


def around(statement: Statement) -> Iterator[Statement]:
    """The statements around one, innermost first, out of functions too."""
    owner = statement.block.owner
    while owner is not None:
        yield owner
        owner = owner.block.owner


class Editor(Protocol):
    """What a language can write. Every method gives the whole new text, or None where the layout allows no edit.

    `has_maximum` says that the language has a maximum of any two values that can be compared.
    """

    outline: Block
    has_maximum: bool

    def text(self, extent: Extent) -> str:
        """The text of an extent."""

    def drop(self, statements: Sequence[Statement]) -> bytes | None:
        """Leaves out statements, each with its lines."""

    def leave_out(self, statement: Statement) -> tuple[bytes, bool] | None:
        """Leaves out a statement where it is all of its block, and says whether the rest needs nobody's eye.

        What stands around it goes too where it does nothing by itself; else a block stays that does nothing. A comment
        on or just before the statement keeps it.
        """

    def raised(self, statement: Statement, target: Extent, value: Extent, is_number: bool) -> bytes | None:
        """Assigns the higher one of a place's present and new value, which is computed once."""

    def insert_before(self, statement: Statement, code: str, condition: str = "") -> bytes | None:
        """Writes a statement on a line of its own before another, under a condition where there is one."""

    def insert_after(self, statement: Statement, code: str) -> bytes | None:
        """Writes a statement on a line of its own after another."""

    def enclose(self, statement: Statement, condition: str) -> bytes | None:
        """Runs a statement only where a condition holds."""

    def lacks_suffix(self, content: str, addition: str) -> str:
        """The condition that a text does not end with another yet; "" where the file cannot say so."""

    def built(self, builder: str) -> str:
        """The text that a builder of texts holds."""

    def chosen(self, value: Extent, content: str, addition: str) -> bytes | None:
        """Makes of a value, which adds to a content, the content alone where that ends with the addition."""

    def chosen_part(self, addition: Extent, content: str) -> bytes | None:
        """Makes of an addition the empty text where the content ends with it."""

    def emptying(self, container: str, grown_by: frozenset[str]) -> str:
        """What empties a container which grows by some methods, `[]` or an operator; "" where nothing is known to."""

    def is_alone(self, statement: Statement) -> bool:
        """Whether leaving out the statement leaves out no comment, and no block without a statement."""


class TryEditor(Editor, Protocol):
    """A language with `try` and `finally`."""

    def add_finally(self, statement: Statement, code: str, without: Sequence[Statement]) -> bytes | None:
        """Runs `code` first in the `finally` of a `try`, which is made where there is none."""

    def wrap(
        self, first: Statement, last: Statement, code: str, without: Sequence[Statement]
    ) -> bytes | None:
        """Puts the statements from `first` to `last` of a block into a `try` with `code` in its `finally`."""

    def chain(self, call: Extent, code: str) -> bytes | None:
        """Adds a step that always runs to the end of the promise chain around a call."""


class DeferEditor(Editor, Protocol):
    """A language with `defer`."""

    def defer(self, after: Statement, code: str) -> bytes | None:
        """Defers a call from after a statement on, and leaves out its later deferral."""

    def insert_before_all(self, statements: Sequence[Statement], code: str) -> bytes | None:
        """Writes a statement on a line of its own before each of others."""
