"""Fixes in Go: `defer` right after what it ends, in the layout that gofmt gives.

Reads tree-sitter's tree for statements and layout only; what the code means is the model's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tree_sitter import Language, Node, Parser

from wsantipattern.fix.lines import LineEditor
from wsantipattern.fix.outline import Block, Role, Statement
from wsantipattern.model.term import Extent

_FUNCTIONS = frozenset({"function_declaration", "method_declaration", "func_literal"})
_ASSIGNMENTS = frozenset({"assignment_statement", "inc_statement", "dec_statement"})
_ARMS = frozenset({"expression_case", "type_case", "communication_case", "default_case"})


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
        return f"!strings.HasSuffix({content}, {addition})" if self._imports(b'"strings"') else ""

    def _imports(self, path: bytes) -> bool:
        todo = [n for n in self._nodes.values() if n.type == "import_declaration"]
        while todo:
            node = todo.pop()
            if node.type == "import_spec":
                named = node.child_by_field_name("path")
                if named is not None and named.text == path and node.child_by_field_name("name") is None:
                    return True
            todo += node.named_children
        return False

    def emptying(self, container: str, grown_by: str) -> str:
        # Of a slice, `clear` sets the elements to zero; only what is indexed by what was seen is a map.
        return f"clear({container})" if grown_by == "[]" else ""

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


def _role(node: Node) -> Role:
    parent = node.parent
    if parent is None:
        return "plain"
    if parent.type in _FUNCTIONS:
        return "function"
    return "loop" if parent.type == "for_statement" else "plain"
