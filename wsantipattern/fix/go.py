"""Fixes in Go: `defer` right after what it ends, in the layout that gofmt gives.

Reads tree-sitter's tree for statements and layout only; what the code means is the model's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tree_sitter import Language, Node, Parser

from wsantipattern.fix.lines import LineEditor, Replacement
from wsantipattern.fix.outline import Block, Role, Statement
from wsantipattern.model.term import Extent

_FUNCTIONS = frozenset({"function_declaration", "method_declaration", "func_literal"})
_ASSIGNMENTS = frozenset({"assignment_statement", "inc_statement", "dec_statement"})
_ARMS = frozenset({"expression_case", "type_case", "communication_case", "default_case"})
_SYNC_MAP = frozenset({"Store", "LoadOrStore"})
"""How a `sync.Map` grows."""


@cache
def _language() -> Language:
    import tree_sitter_go

    return Language(tree_sitter_go.language())


def editor(source: bytes, language: str) -> GoEditor | None:
    """The editor of a text, or None where it does not parse."""
    tree = Parser(_language()).parse(source)
    return GoEditor(source, tree.root_node) if not tree.root_node.has_error else None


class GoEditor(LineEditor):
    """Writes on one text; see `DeferEditor`."""

    def __init__(self, source: bytes, root: Node) -> None:
        self._nodes: dict[Statement, Node] = {}
        self._comments: list[Extent] = []
        self._verbatim: list[Extent] = []
        outline = Block((root.start_byte, root.end_byte), "module", None)
        self._fill(outline, root.named_children)
        super().__init__(source, outline, sorted(self._comments), self._verbatim)

    def condition(self, condition: str) -> bytes:
        return f"if {condition}".encode("utf-8", "surrogateescape")

    def lacks_suffix(self, content: str, addition: str) -> str:
        return f"!strings.HasSuffix({content}, {_compact(addition)})"

    def built(self, builder: str) -> str:
        return f"{builder}.String()"

    def enclose(self, statement: Statement, condition: str, also: Sequence[Replacement] = ()) -> bytes | None:
        if not condition.startswith("!strings."):
            return super().enclose(statement, condition, also)
        change = self._importing(b'"strings"')
        return super().enclose(statement, condition, [*also, *change]) if change is not None else None

    def _importing(self, path: bytes) -> Sequence[Replacement] | None:
        """What imports a package of the standard library where it is not yet; None where the file's layout allows none."""
        first, name = self.outline.statements[0], path.decode()
        declared = [n for n in self._nodes.values() if n.type == "import_declaration"]
        specs = [spec for node in declared for spec in _specs(node)]
        if any(_path(spec) == path for spec in specs):
            plain = any(_path(s) == path and s.child_by_field_name("name") is None for s in specs)
            return [] if plain else None
        if not specs:
            if self._nodes[first].type != "package_clause" or not self.ends_line(first.extent[1]):
                return None
            at = self.line_end(first.extent[1])
            return [(at, at, self.newline + self.line(b"", f"import {name}"))]
        listed = [s for s in specs if self.starts_line(s.start_byte)]
        if not listed:
            at = self.with_comment_above(self.line_start(declared[0].start_byte))
            return [(at, at, self.line(b"", f"import {name}"))]
        # Packages of the standard library have no dot in their path, and stand first, in a group of their own.
        indent = self.indent_at(listed[0].start_byte)
        group = listed[:1]
        for spec in listed[1:]:
            if spec.parent != group[0].parent or spec.start_point[0] > group[-1].end_point[0] + 1:
                break
            group.append(spec)
        if any(b"." in _path(spec) for spec in group):
            at = self.with_comment_above(self.line_start(group[0].start_byte))
            return [(at, at, self.line(indent, name) + self.newline)]
        later = next((spec for spec in group if _path(spec) > path), None)
        if later is not None:
            at = self.with_comment_above(self.line_start(later.start_byte))
        else:
            at = self.line_end(group[-1].end_byte)
        return [(at, at, self.line(indent, name))]

    def emptying(self, container: str, grown_by: frozenset[str]) -> str:
        # Of a slice, `clear` sets the elements to zero; only what is indexed by what was seen is a map.
        if grown_by == {"[]"}:
            return f"clear({container})"
        if grown_by == {"append="}:
            return f"{container} = nil"
        return f"{container}.Clear()" if grown_by and grown_by <= _SYNC_MAP else ""

    def drop(self, statements: Sequence[Statement]) -> bytes | None:
        around = [pair for statement in statements for pair in self._lock_around(statement)]
        return super().drop([*statements, *around])

    def _lock_around(self, statement: Statement) -> Sequence[Statement]:
        """The locking and unlocking just before and after a statement, which are for it alone."""
        siblings = statement.block.statements
        index = siblings.index(statement)
        pair = siblings[max(index - 1, 0) : index], siblings[index + 1 : index + 2]
        calls = [self._plain_call(self._nodes[s]) for part in pair for s in part]
        if len(calls) != 2 or calls[0] is None or calls[1] is None or calls[0][0] != calls[1][0]:
            return []
        if (calls[0][1], calls[1][1]) not in ((b"Lock", b"Unlock"), (b"RLock", b"RUnlock")):
            return []
        both = [*pair[0], *pair[1]]
        return both if all(self.is_alone(s) for s in both) and len(siblings) > 3 else []

    def _plain_call(self, node: Node) -> tuple[bytes, bytes] | None:
        """Receiver and method of a statement that is `x.m()`, or None."""
        call = node.named_children[0] if node.type == "expression_statement" else None
        function = call.child_by_field_name("function") if call is not None else None
        arguments = call.child_by_field_name("arguments") if call is not None else None
        if function is None or function.type != "selector_expression" or arguments is None:
            return None
        receiver, method = function.child_by_field_name("operand"), function.child_by_field_name("field")
        if receiver is None or method is None or arguments.named_child_count:
            return None
        return receiver.text or b"", method.text or b""

    def emptied(self, block: Block) -> bytes:
        # As gofmt lays out a block that does nothing.
        return self.replaced([(*self.lines_of(block.statements[0].extent), b"")])

    def raised(self, statement: Statement, target: Extent, value: Extent, is_number: bool) -> bytes | None:
        place, new = self.text(target), self.text(value)
        if "\n" in new or "loaded" in (place.partition(".")[0], place) or not self._is_single(statement):
            return None
        start, end = self.line_start(statement.extent[0]), self.line_end(statement.extent[1])
        indent = self.indent_at(start)
        head = self.line(indent, f"if loaded := {new}; loaded > {place} {{")
        rest = self.source[statement.extent[1] : end]
        inner = (
            indent + self.unit_of(statement.block) + f"{place} = loaded".encode("utf-8", "surrogateescape")
        )
        return self.replaced([(start, end, head + inner + rest + self.line(indent, "}"))])

    def _is_single(self, statement: Statement) -> bool:
        """Whether a statement with its lines for itself assigns one value to one place."""
        node = self._nodes[statement]
        left = node.child_by_field_name("left")
        return (
            self.stands_alone(statement.extent)
            and node.type == "assignment_statement"
            and left is not None
            and left.named_child_count == 1
        )

    def defer(self, after: Statement, code: str) -> bytes | None:
        call = code.encode("utf-8", "surrogateescape")
        checked = self._checked(after)
        if not self.starts_line(after.extent[0]) or not self.ends_line(checked.extent[1]):
            return None
        at = self.line_end(checked.extent[1])
        changes = [(at, at, self.line(self.indent_at(after.extent[0]), f"defer {code}"))]
        for later in checked.following:
            node = self._nodes[later]
            value = node.named_children[-1] if node.type == "defer_statement" else None
            if value is not None and value.text == call and self.is_alone(later):
                changes.append((*self.lines_of(later.extent), b""))
        return self.replaced(changes)

    def _checked(self, statement: Statement) -> Statement:
        """The test of the error that comes with what a statement made, or the statement itself."""
        node = self._nodes[statement]
        left = node.child_by_field_name("left")
        names = {child.text for child in left.named_children} if left is not None else set()
        following = statement.following[:1]
        test = self._nodes[following[0]] if following else None
        if test is None or test.type != "if_statement" or test.child_by_field_name("initializer") is not None:
            return statement
        condition = test.child_by_field_name("condition")
        if condition is None or condition.type != "binary_expression":
            return statement
        value, nothing = condition.child_by_field_name("left"), condition.child_by_field_name("right")
        is_test = nothing is not None and nothing.type == "nil" and value is not None and value.text in names
        return following[0] if is_test else statement

    # -- reading ---------------------------------------------------------------------------------

    def _fill(self, block: Block, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if node.type == "comment":
                self._comments.append((node.start_byte, node.end_byte))
                continue
            if node.type == "statement_list":
                self._fill(block, node.named_children)
                continue
            whole = [c for c in node.named_children if c.type != "comment"]
            single = node.type == "expression_statement" and len(whole) == 1
            statement = Statement(
                (node.start_byte, node.end_byte),
                block,
                leaves=node.type == "return_statement",
                turns=node.type in ("continue_statement", "break_statement"),
                expression=(whole[0].start_byte, whole[0].end_byte)
                if single
                else (node.start_byte, node.end_byte)
                if node.type in _ASSIGNMENTS
                else None,
            )
            self._nodes[statement] = node
            block.statements.append(statement)
            self._inside(node, statement)

    def _inside(self, node: Node, owner: Statement) -> None:
        for child in node.children:
            if child.type == "comment":
                self._comments.append((child.start_byte, child.end_byte))
            elif child.type == "block":
                self._block(child, _role(child), owner, child.named_children)
            elif child.type in _ARMS:
                body = [c for c in child.named_children if c.type == "statement_list"]
                for part in child.children:
                    if part not in body:
                        self._inside(part, owner)
                        if part.type == "comment":
                            self._comments.append((part.start_byte, part.end_byte))
                self._block(child, "arm", owner, body)
            else:
                if child.type == "raw_string_literal" and child.start_point[0] != child.end_point[0]:
                    self._verbatim.append((child.start_byte, child.end_byte))
                self._inside(child, owner)

    def _block(self, node: Node, role: Role, owner: Statement, nodes: Sequence[Node]) -> None:
        block = Block((node.start_byte, node.end_byte), role, owner)
        owner.blocks.append(block)
        self._fill(block, nodes)


def _compact(expression: str) -> str:
    """An expression as gofmt writes it where it is one of several arguments: no spaces around its own operators."""
    source = b"package p\n\nvar _ = " + expression.encode("utf-8", "surrogateescape")
    root = Parser(_language()).parse(source).root_node
    spec = root.named_children[-1].named_children[0]
    values = spec.child_by_field_name("value")
    if root.has_error or values is None:
        return expression
    return _joined(values.named_children[0]).decode("utf-8", "surrogateescape")


def _joined(node: Node) -> bytes:
    if node.type != "binary_expression":
        return node.text or b""
    left, operator, right = node.children
    return _joined(left) + (operator.text or b"") + _joined(right)


def _path(spec: Node) -> bytes:
    """The path of an import, in its quotes."""
    path = spec.child_by_field_name("path")
    return (path.text or b"") if path is not None else b""


def _specs(declaration: Node) -> list[Node]:
    found: list[Node] = []
    for child in declaration.named_children:
        found += [child] if child.type == "import_spec" else _specs(child)
    return found


def _role(node: Node) -> Role:
    parent = node.parent
    if parent is None:
        return "plain"
    if parent.type in _FUNCTIONS:
        return "function"
    return "loop" if parent.type == "for_statement" else "plain"
