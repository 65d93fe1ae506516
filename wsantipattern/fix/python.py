"""Fixes in Python, written through libcst: every comment and all formatting around stays.

libcst is imported here and nowhere else; it takes a quarter of a second, so this module is imported only to fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from wsantipattern.fix.outline import Block, Role, Statement
from wsantipattern.model.term import Extent

_CLEARED = frozenset({"[]", "add", "append", "appendleft", "setdefault", "update", "|="})
"""How sets, dictionaries, lists and deques grow; each has `clear`."""

_Body = cst.IndentedBlock | cst.Module | cst.SimpleStatementSuite


def editor(source: bytes, language: str) -> PythonEditor | None:
    """The editor of a text, or None where libcst does not parse it."""
    try:
        # Bytes that are no UTF-8 keep their place as the characters of Latin-1.
        encoding = "utf-8" if _is_utf8(source) else "latin-1"
        return PythonEditor(source, encoding)
    except cst.ParserSyntaxError:
        return None


def _is_utf8(source: bytes) -> bool:
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class PythonEditor:
    """Writes on one text; see `TryEditor`."""

    has_maximum = True

    def __init__(self, source: bytes, encoding: str) -> None:
        self._encoding = encoding
        self._source = source
        wrapper = MetadataWrapper(cst.parse_module(source.decode(encoding)), unsafe_skip_copy=True)
        self._module = wrapper.module
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        # libcst counts the bytes of UTF-8, whatever the file's own are.
        self._widths = (
            None
            if encoding == "utf-8" or source.isascii()
            else _Widths(source.decode(encoding).encode("utf-8"))
        )
        self._nodes: dict[Statement, cst.CSTNode] = {}
        self._homes: dict[Block, _Body] = {}
        self.outline = Block((0, len(source)), "module", None, suspends=True)
        self._fill(self.outline, self._module)

    def text(self, extent: Extent) -> str:
        return self._source[extent[0] : extent[1]].decode(self._encoding)

    # -- reading ---------------------------------------------------------------------------------

    def _extent(self, node: cst.CSTNode) -> Extent:
        span = self._spans[node]
        start, end = span.start, span.start + span.length
        return (start, end) if self._widths is None else (self._widths.at(start), self._widths.at(end))

    def _fill(self, block: Block, home: _Body) -> None:
        self._homes[block] = home
        block.is_open = not isinstance(home, cst.SimpleStatementSuite)
        if isinstance(home, cst.SimpleStatementSuite):
            return
        for node in home.body:
            statement = self._statement(node, block)
            self._nodes[statement] = node
            block.statements.append(statement)
            self._inside(node, statement)

    def _statement(self, node: cst.BaseStatement, block: Block) -> Statement:
        only = node.body[0] if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 else None
        last = node.body[-1] if isinstance(node, cst.SimpleStatementLine) else None
        return Statement(
            self._extent(node),
            block,
            is_try=isinstance(node, (cst.Try, cst.TryStar)),
            leaves=isinstance(last, (cst.Return, cst.Raise)),
            turns=isinstance(last, (cst.Break, cst.Continue)),
            expression=self._extent(_expression(only)) if only else None,
            awaited=self._extent(only.value.expression)
            if isinstance(only, cst.Expr) and isinstance(only.value, cst.Await)
            else None,
        )

    def _inside(self, node: cst.CSTNode, owner: Statement, role: Role = "plain") -> None:
        for child in node.children:
            if isinstance(child, (cst.IndentedBlock, cst.SimpleStatementSuite)):
                block = Block(self._extent(child), _role(node, child), owner, suspends=True)
                owner.blocks.append(block)
                self._fill(block, child)
            else:
                self._inside(child, owner)

    # -- writing ---------------------------------------------------------------------------------

    def is_alone(self, statement: Statement) -> bool:
        if not self._is_unmarked(statement):
            return False
        block = statement.block
        if block.role == "else" and block.owner is not None and block.owner.is_try:
            return True  # The `else` goes with its only statement.
        return len(block.statements) > 1

    def _is_unmarked(self, statement: Statement) -> bool:
        """Whether a statement is all of its line, with no comment on it or just above."""
        node = self._nodes[statement]
        if not isinstance(node, cst.SimpleStatementLine) or len(node.body) != 1:
            return False
        return node.trailing_whitespace.comment is None and not any(
            line.comment for line in node.leading_lines
        )

    def leave_out(self, statement: Statement) -> tuple[bytes, bool] | None:
        owner = statement.block.owner
        home = self._homes[statement.block]
        if (
            not self._is_unmarked(statement)
            or not isinstance(home, cst.IndentedBlock)
            or len(home.body) != 1
            or any(line.comment for line in home.footer)
            or owner is None
        ):
            return None
        around = self._nodes[owner]
        if isinstance(around, cst.With) and len(owner.block.statements) > 1:
            if any(line.comment for line in around.leading_lines) or home.header.comment is not None:
                return None
            # What is entered for nothing is not worth to be entered, but that is for a person to say.
            text = self._written(_Changes(dropped={around}))
            return (text, False) if text is not None else None
        text = self._written(_Changes(passed={self._nodes[statement]}))
        return (text, False) if text is not None else None

    def raised(self, statement: Statement, target: Extent, value: Extent, is_number: bool) -> bytes | None:
        start, end = value
        new = b"max(" + self._source[target[0] : target[1]] + b", " + self._source[start:end] + b")"
        return self._source[:start] + new + self._source[end:]

    def drop(self, statements: Sequence[Statement]) -> bytes | None:
        if not all(self.is_alone(s) for s in statements):
            return None
        return self._written(_Changes(dropped=self._those(statements)))

    def insert_before(self, statement: Statement, code: str, condition: str = "") -> bytes | None:
        new: cst.SimpleStatementLine | cst.If | None = self._parsed(code)
        if new is None or not statement.block.is_open:
            return None
        if condition:
            test = self._expression(condition)
            if test is None:
                return None
            new = cst.If(test, cst.IndentedBlock([new]))
        return self._written(_Changes(above={self._nodes[statement]: new}))

    def insert_after(self, statement: Statement, code: str) -> bytes | None:
        new = self._parsed(code)
        if new is None or not statement.block.is_open:
            return None
        return self._written(_Changes(below={self._nodes[statement]: new}))

    def enclose(self, statement: Statement, condition: str) -> bytes | None:
        node = self._nodes[statement]
        if not statement.block.is_open or not isinstance(node, cst.SimpleStatementLine):
            return None
        test = self._expression(condition)
        return self._written(_Changes(tested={node: test})) if test is not None else None

    def lacks_suffix(self, content: str, addition: str) -> str:
        return f"not {self._operand(content)}.endswith({addition})"

    def _operand(self, content: str) -> str:
        """A text as what a method is called on."""
        held = self._expression(content)
        return f"({content})" if isinstance(held, cst.BooleanOperation) and not held.lpar else content

    def built(self, builder: str) -> str:
        return builder

    def chosen(self, value: Extent, content: str, addition: str) -> bytes | None:
        return None

    def chosen_part(self, addition: Extent, content: str) -> bytes | None:
        start, end = addition
        added = self.text(addition)
        new = f'("" if {self._operand(content)}.endswith({added}) else {added})'
        return self._source[:start] + new.encode(self._encoding) + self._source[end:]

    def emptying(self, container: str, grown_by: frozenset[str]) -> str:
        return f"{container}.clear()" if grown_by and grown_by <= _CLEARED else ""

    def add_finally(self, statement: Statement, code: str, without: Sequence[Statement]) -> bytes | None:
        node, new = self._nodes[statement], self._parsed(code)
        final = statement.block_of("final")
        if new is None or not isinstance(node, (cst.Try, cst.TryStar)) or (final and not final.is_open):
            return None
        return self._written(_Changes(dropped=self._those(without), finals={node: new}))

    def wrap(
        self, first: Statement, last: Statement, code: str, without: Sequence[Statement]
    ) -> bytes | None:
        home, new = self._homes[first.block], self._parsed(code)
        if new is None or not isinstance(home, cst.IndentedBlock):
            return None
        siblings = first.block.statements
        chosen = siblings[siblings.index(first) : siblings.index(last) + 1]
        if all(statement in without for statement in chosen):
            return None
        return self._written(
            _Changes(dropped=self._those(without), home=home, wrapped=self._those(chosen), final=new)
        )

    def chain(self, call: Extent, code: str) -> bytes | None:
        return None

    def _expression(self, code: str) -> cst.BaseExpression | None:
        try:
            return cst.parse_expression(code, self._module.config_for_parsing)
        except cst.ParserSyntaxError:
            return None

    def _parsed(self, code: str) -> cst.SimpleStatementLine | None:
        try:
            parsed = cst.parse_statement(code, self._module.config_for_parsing)
        except cst.ParserSyntaxError:
            return None
        return parsed if isinstance(parsed, cst.SimpleStatementLine) else None

    def _those(self, statements: Sequence[Statement]) -> set[cst.CSTNode]:
        return {self._nodes[s] for s in statements}

    def _written(self, changes: _Changes) -> bytes | None:
        changed = self._module.visit(_Writer(changes))
        try:
            return changed.code.encode(self._encoding)
        except UnicodeEncodeError:
            return None


@dataclass
class _Changes:
    """What is to be different, by the nodes that are there now.

    Attributes:
        dropped: statements that are left out.
        passed: statements in whose place `pass` stands.
        above, below: what stands before and after a statement.
        tested: the condition under which a statement runs.
        finals: what comes first in the `finally` of a `try`.
        home, wrapped, final: the block in which some statements go into a `try`, and what its `finally` does.
    """

    dropped: set[cst.CSTNode] = field(default_factory=set)
    passed: set[cst.CSTNode] = field(default_factory=set)
    above: dict[cst.CSTNode, cst.SimpleStatementLine | cst.If] = field(default_factory=dict)
    below: dict[cst.CSTNode, cst.SimpleStatementLine] = field(default_factory=dict)
    tested: dict[cst.CSTNode, cst.BaseExpression] = field(default_factory=dict)
    finals: dict[cst.CSTNode, cst.SimpleStatementLine] = field(default_factory=dict)
    home: cst.IndentedBlock | None = None
    wrapped: set[cst.CSTNode] = field(default_factory=set)
    final: cst.SimpleStatementLine | None = None


class _Writer(cst.CSTTransformer):
    def __init__(self, changes: _Changes) -> None:
        super().__init__()
        self._changes = changes

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        changed: cst.CSTNode = updated_node
        if isinstance(updated_node, cst.IndentedBlock) and isinstance(original_node, cst.IndentedBlock):
            if original_node is self._changes.home:
                changed = self._wrapped(original_node, updated_node)
            else:
                changed = updated_node.with_changes(body=self._body(original_node.body, updated_node.body))
        elif isinstance(updated_node, cst.Module) and isinstance(original_node, cst.Module):
            changed = updated_node.with_changes(body=self._body(original_node.body, updated_node.body))
        elif isinstance(updated_node, (cst.Try, cst.TryStar)):
            changed = self._finished(original_node, updated_node)
        return cast("cst.CSTNodeT", changed)

    def _finished(self, original: cst.CSTNode, updated: cst.Try | cst.TryStar) -> cst.CSTNode:
        if updated.orelse is not None and not updated.orelse.body.body:
            updated = updated.with_changes(orelse=None)
        new = self._changes.finals.get(original)
        if new is None:
            return updated
        if updated.finalbody is None:
            return updated.with_changes(finalbody=cst.Finally(cst.IndentedBlock([new])))
        block: cst.BaseSuite = updated.finalbody.body
        changed = block.with_changes(body=[new, *block.body])
        return updated.with_changes(finalbody=updated.finalbody.with_changes(body=changed))

    def _body(
        self, before: Sequence[cst.BaseStatement], after: Sequence[cst.BaseStatement]
    ) -> list[cst.BaseStatement]:
        """The statements of a block as they are to be."""
        changes, out = self._changes, list[cst.BaseStatement]()
        for original, updated in zip(before, after, strict=True):
            if original in changes.dropped:
                continue
            statement = updated
            if not isinstance(statement, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
                out.append(statement)
                continue
            if original in changes.passed and isinstance(statement, cst.SimpleStatementLine):
                statement = statement.with_changes(body=[cst.Pass()])
            if original in changes.above:
                blank, lines = _blank_lines(statement.leading_lines)
                out.append(changes.above[original].with_changes(leading_lines=blank))
                statement = statement.with_changes(leading_lines=lines)
            if original in changes.tested:
                inner = cst.IndentedBlock([statement.with_changes(leading_lines=[])])
                test = changes.tested[original]
                statement = cst.If(test, inner, leading_lines=statement.leading_lines)
            out.append(statement)
            if original in changes.below:
                out.append(changes.below[original])
        return out

    def _wrapped(self, original: cst.IndentedBlock, updated: cst.IndentedBlock) -> cst.IndentedBlock:
        changes = self._changes
        assert changes.final is not None
        pairs = [(o, u) for o, u in zip(original.body, updated.body, strict=True) if o not in changes.dropped]
        inside = [u for o, u in pairs if o in changes.wrapped]
        index = next(i for i, (o, _) in enumerate(pairs) if o in changes.wrapped)
        first, blank = inside[0], list[cst.EmptyLine]()
        if isinstance(first, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            blank, lines = _blank_lines(first.leading_lines)
            inside[0] = first.with_changes(leading_lines=lines)
        footer = updated.footer
        at_end = original.body[-1] in changes.wrapped and any(line.comment for line in footer)
        statement = cst.Try(
            body=cst.IndentedBlock(inside, footer=footer if at_end else []),
            finalbody=cst.Finally(cst.IndentedBlock([changes.final])),
            leading_lines=blank,
        )
        rest = [u for o, u in pairs if o not in changes.wrapped]
        return updated.with_changes(
            body=[*rest[:index], statement, *rest[index:]], footer=[] if at_end else footer
        )


def _expression(statement: cst.BaseSmallStatement) -> cst.CSTNode:
    """What a statement does, without the word that says it."""
    if isinstance(statement, cst.Expr):
        return statement.value
    return statement.target if isinstance(statement, cst.Del) else statement


def _blank_lines(lines: Sequence[cst.EmptyLine]) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """The blank lines before the first comment, and the rest."""
    count = next((i for i, line in enumerate(lines) if line.comment is not None), len(lines))
    return list(lines[:count]), list(lines[count:])


def _role(owner: cst.CSTNode, block: cst.BaseSuite) -> Role:
    if isinstance(owner, (cst.FunctionDef, cst.Lambda)):
        return "function"
    if isinstance(owner, (cst.Try, cst.TryStar)):
        return "try"
    if isinstance(owner, (cst.ExceptHandler, cst.ExceptStarHandler)):
        return "handler"
    if isinstance(owner, cst.Finally):
        return "final"
    if isinstance(owner, cst.Else):
        return "else"
    return "loop" if isinstance(owner, (cst.For, cst.While)) else "plain"


class _Widths:
    """Character counts of a text, by its bytes in UTF-8."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def at(self, offset: int) -> int:
        """The number of characters before a byte offset."""
        return len(self._text[:offset].decode("utf-8"))
