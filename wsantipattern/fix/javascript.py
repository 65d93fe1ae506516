"""Fixes in JavaScript, JSX, TypeScript and TSX: `finally` of a `try`, new or there already, and `.finally()` of a chain.

Reads tree-sitter's tree for statements and layout only; what the code means is the model's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tree_sitter import Language, Node, Parser, Tree

from wsantipattern.fix.lines import LineEditor
from wsantipattern.fix.outline import Block, Role, Statement
from wsantipattern.model.term import Extent

_FUNCTIONS = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
        "method_definition",
    }
)
_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_HOISTED = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
        "import_statement",
        "export_statement",
        "enum_declaration",
        "interface_declaration",
        "type_alias_declaration",
        "abstract_class_declaration",
        "module",
        "internal_module",
    }
)
_BARE = frozenset({"if_statement", "else_clause", "labeled_statement", *_LOOPS})
"""What may hold one statement without braces."""
_CHAINED = frozenset({"then", "catch", "finally"})


@cache
def _language(name: str) -> Language:
    if name == "javascript":
        import tree_sitter_javascript

        return Language(tree_sitter_javascript.language())
    import tree_sitter_typescript

    if name == "tsx":
        return Language(tree_sitter_typescript.language_tsx())
    return Language(tree_sitter_typescript.language_typescript())


def _parsed(source: bytes, language: str) -> Tree | None:
    for name in (language, "tsx") if language == "javascript" else (language,):
        tree = Parser(_language(name)).parse(source)
        if not tree.root_node.has_error:
            return tree
    return None


def editor(source: bytes, language: str) -> JavaScriptEditor | None:
    """The editor of a text, or None where it does not parse."""
    tree = _parsed(source, language)
    return JavaScriptEditor(source, tree) if tree is not None else None


class JavaScriptEditor(LineEditor):
    """Writes on one text; see `TryEditor`."""

    def __init__(self, source: bytes, tree: Tree) -> None:
        self._tree = tree
        reader = _Reader()
        root = tree.root_node
        outline = Block((root.start_byte, root.end_byte), "module", None, suspends=True)
        reader.fill(outline, root.named_children)
        super().__init__(source, outline, sorted(reader.comments), reader.verbatim)
        self.quote = "'" if reader.single_quotes > reader.double_quotes else '"'
        self.end_mark = b";" if reader.semicolons >= reader.bare_ends else b""

    def condition(self, condition: str) -> bytes:
        return f"if ({condition})".encode("utf-8", "surrogateescape")

    def lacks_suffix(self, content: str, addition: str) -> str:
        return f"!{_operand(content)}.endsWith({addition})"

    def chosen_part(self, addition: Extent, content: str) -> bytes | None:
        added = self.text(addition)
        new = f"({_operand(content)}.endsWith({added}) ? {self.quote * 2} : {added})"
        return self.replaced([(*addition, new.encode("utf-8", "surrogateescape"))])

    def chosen(self, value: Extent, content: str, addition: str) -> bytes | None:
        node = self._tree.root_node.descendant_for_byte_range(*value)
        parent = node.parent if node is not None else None
        whole = self.text(value)
        if parent is None or "\n" in whole:
            return None
        new = f"{content}.endsWith({addition}) ? {content} : {whole}"
        if parent.type not in _WHOLE:
            new = f"({new})"
        return self.replaced([(*value, new.encode("utf-8", "surrogateescape"))])

    def emptying(self, container: str, grown_by: frozenset[str]) -> str:
        return f"{container}.clear()" if grown_by and grown_by <= {"add", "set"} else ""

    def insert_after(self, statement: Statement, code: str) -> bytes | None:
        block, owner = statement.block, statement.block.owner
        if block.is_open or block.role != "plain" or owner is None:
            return super().insert_after(statement, code)
        (start, end), first = statement.extent, self.line_start(owner.extent[0])
        is_line = first == self.line_start(start) == self.line_start(end) and self.starts_line(
            owner.extent[0]
        )
        if not is_line or not self.ends_line(end) or self.has_comment(start, self.line_end(end)):
            return None
        # Braces around what stood without.
        indent = self.indent_at(first)
        inner = indent + self.unit_of(block)
        body = inner + self.source[start:end] + self.newline + self.line(inner, code)
        return self.replaced([(start, end, b"{" + self.newline + body + indent + b"}")])

    def is_bare_test(self, statement: Statement) -> bool:
        node = self._tree.root_node.descendant_for_byte_range(*statement.extent)
        if node is None or node.type != "if_statement" or node.child_by_field_name("alternative") is not None:
            return False
        condition = node.child_by_field_name("condition")
        return condition is not None and _is_quiet(condition)

    def raised(self, statement: Statement, target: Extent, value: Extent, is_number: bool) -> bytes | None:
        if not is_number:
            return None
        start, end = value
        new = b"Math.max(" + self.source[target[0] : target[1]] + b", " + self.source[start:end] + b")"
        if self.source[start - 1 : start] + self.source[end : end + 1] == b"()":
            start, end = start - 1, end + 1
        return self.replaced([(start, end, new)])

    def add_finally(self, statement: Statement, code: str, without: Sequence[Statement]) -> bytes | None:
        changes = [(*self.lines_of(s.extent), b"") for s in without]
        final = statement.block_of("final")
        body = statement.block_of("try")
        if body is None:
            return None
        unit = self.unit_of(body)
        if final is not None:
            brace = final.extent[0] + 1
            if self.ends_line(brace):
                at = self.line_end(brace)
                changes.append((at, at, self.line(self.indent_at(statement.extent[0]) + unit, code)))
            else:
                changes.append((brace, brace, b" " + self.line(b"", code).strip()))
            return self.replaced(changes)
        at = statement.extent[1]
        indent = self.indent_at(at)
        inner = self.line(indent + unit, code)
        changes.append((at, at, b" finally {" + self.newline + inner + indent + b"}"))
        return self.replaced(changes)

    def wrap(
        self, first: Statement, last: Statement, code: str, without: Sequence[Statement]
    ) -> bytes | None:
        block = first.block
        index = block.statements.index(first)
        floor = block.statements[index - 1].extent[1] if index else block.extent[0]
        if not self.starts_line(first.extent[0]) or not self.ends_line(last.extent[1]):
            return None
        start = self.before(first, self.line_end(floor))
        following = last.following
        stop = following[0].extent[0] if following else block.extent[1]
        end = self.after(last, stop) if not following else self.line_end(last.extent[1])
        if start < self.line_end(floor) or end > stop:
            return None
        indent = self.indent_at(first.extent[0])
        unit = self.unit_of(block)
        inside = self.indented(start, end, unit, [self.lines_of(s.extent) for s in without])
        if not inside.strip():
            return None
        tail = self.line(indent + unit, code)
        new = indent + b"try {" + self.newline + inside
        new += indent + b"} finally {" + self.newline + tail + indent + b"}" + self.newline
        return self.replaced([(start, end, new)])

    def chain(self, call: Extent, code: str) -> bytes | None:
        node = self._tree.root_node.descendant_for_byte_range(*call)
        outer: Node | None = None
        while node is not None and node.type != "program":
            if node.type in _FUNCTIONS and outer is not None:
                break
            if _is_link(node):
                outer = node
            node = node.parent
        if outer is None:
            return None
        at = outer.end_byte
        link = b".finally(() => " + code.encode("utf-8", "surrogateescape") + b")"
        function = outer.child_by_field_name("function")
        member = function.child_by_field_name("property") if function is not None else None
        dot = member.start_byte - 1 if member is not None else at
        if self.starts_line(dot):
            link = self.newline + self.indent_at(dot) + link
        return self.replaced([(at, at, link)])


_WHOLE = frozenset(
    {
        "arguments",
        "arrow_function",
        "assignment_expression",
        "parenthesized_expression",
        "pair",
        "return_statement",
        "variable_declarator",
    }
)
"""Where a conditional expression needs no parentheses."""


def _operand(content: str) -> str:
    """A text as what a method is called on."""
    return f"({content})" if " " in content and not content.startswith("(") else content


_QUIET = frozenset(
    {
        "parenthesized_expression",
        "binary_expression",
        "unary_expression",
        "member_expression",
        "subscript_expression",
        "identifier",
        "property_identifier",
        "private_property_identifier",
        "this",
        "number",
        "string",
        "string_fragment",
        "true",
        "false",
        "null",
        "undefined",
    }
)


def _is_quiet(condition: Node) -> bool:
    """Whether to leave out a condition leaves out nothing but reads."""
    todo = [condition]
    while todo:
        node = todo.pop()
        if node.type not in _QUIET or any(c.type == "delete" for c in node.children):
            return False
        todo += node.named_children
    return True


def _is_link(node: Node) -> bool:
    """Whether a node is `x.then(...)`, `x.catch(...)` or `x.finally(...)`."""
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    if function is None or function.type != "member_expression":
        return False
    name = function.child_by_field_name("property")
    return name is not None and (name.text or b"").decode("utf-8", "replace") in _CHAINED


class _Reader:
    """Makes the outline of a tree, and notes comments and literals on the way."""

    def __init__(self) -> None:
        self.comments: list[Extent] = []
        self.verbatim: list[Extent] = []
        self.semicolons = 0
        self.bare_ends = 0
        self.single_quotes = 0
        self.double_quotes = 0

    def fill(self, block: Block, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if node.type in ("comment", "hash_bang_line", "html_comment"):
                self.comments.append((node.start_byte, node.end_byte))
                continue
            if node.type == "empty_statement":
                continue
            statement = self._statement(node, block)
            block.statements.append(statement)
            self._inside(node, statement)

    def _statement(self, node: Node, block: Block) -> Statement:
        if node.type in ("expression_statement", "lexical_declaration", "return_statement"):
            ended = bool(node.children) and node.children[-1].type == ";"
            self.semicolons += ended
            self.bare_ends += not ended
        whole = node.named_children if node.type == "expression_statement" else []
        whole = [child for child in whole if child.type != "comment"]
        return Statement(
            (node.start_byte, node.end_byte),
            block,
            is_try=node.type == "try_statement",
            leaves=node.type in ("return_statement", "throw_statement"),
            turns=node.type in ("break_statement", "continue_statement"),
            expression=(whole[0].start_byte, whole[0].end_byte) if len(whole) == 1 else None,
            awaited=_awaited(whole),
            declares=tuple(_declared(node)),
            is_hoisted=node.type in _HOISTED,
        )

    def _inside(self, node: Node, owner: Statement) -> None:
        for child in node.children:
            if child.type == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.type in ("statement_block", "class_static_block"):
                self._block(child, _role(child), owner, child.named_children)
            elif child.type in ("switch_case", "switch_default"):
                body = child.children_by_field_name("body")
                rest = [c for c in child.children if c not in body]
                for part in rest:
                    self._inside(part, owner)
                    if part.type == "comment":
                        self.comments.append((part.start_byte, part.end_byte))
                self._block(child, "arm", owner, body, is_open=False)
            elif node.type in _BARE and child.is_named and _is_bare(node, child):
                role: Role = "loop" if node.type in _LOOPS else "plain"
                self._block(child, role, owner, [child], is_open=False)
            else:
                if child.type == "string" and child.children:
                    self.single_quotes += child.children[0].type == "'"
                    self.double_quotes += child.children[0].type == '"'
                if child.start_point[0] != child.end_point[0] and child.type in _VERBATIM:
                    self.verbatim.append((child.start_byte, child.end_byte))
                self._inside(child, owner)

    def _block(
        self, node: Node, role: Role, owner: Statement, nodes: Sequence[Node], is_open: bool = True
    ) -> None:
        block = Block((node.start_byte, node.end_byte), role, owner, is_open=is_open)
        parent = node.parent
        if role in ("function", "executor"):
            block.suspends = parent is not None and (
                any(c.type == "async" for c in parent.children)
                or "generator" in parent.type
                or any(c.type == "*" for c in parent.children)
            )
        owner.blocks.append(block)
        self.fill(block, nodes)


def _awaited(expression: list[Node]) -> Extent | None:
    if len(expression) != 1 or expression[0].type != "await_expression":
        return None
    value = expression[0].named_children[-1]
    return value.start_byte, value.end_byte


_VERBATIM = frozenset({"template_string", "string", "regex"})


def _is_bare(parent: Node, child: Node) -> bool:
    return child in [
        *parent.children_by_field_name("consequence"),
        *parent.children_by_field_name("body"),
    ] or (parent.type == "else_clause" and child.type != "comment")


def _role(node: Node) -> Role:
    parent = node.parent
    if parent is None:
        return "plain"
    if parent.type in _FUNCTIONS or node.type == "class_static_block":
        return "executor" if _is_executor(parent) else "function"
    if parent.type == "try_statement":
        return "try"
    if parent.type == "catch_clause":
        return "handler"
    if parent.type == "finally_clause":
        return "final"
    if parent.type in _LOOPS:
        return "loop"
    return "plain"


def _is_executor(function: Node) -> bool:
    arguments = function.parent
    call = arguments.parent if arguments is not None and arguments.type == "arguments" else None
    if call is None or call.type != "new_expression":
        return False
    made = call.child_by_field_name("constructor")
    return made is not None and made.text == b"Promise"


def _declared(node: Node) -> list[str]:
    """The plain names that a declaration brings into its block; of patterns too."""
    if node.type not in ("lexical_declaration", "variable_declaration", *_HOISTED):
        return []
    found: list[str] = []
    todo = [
        name
        for declarator in [node, *node.named_children]
        for name in declarator.children_by_field_name("name")
    ]
    while todo:
        name = todo.pop()
        if name.type in ("identifier", "type_identifier", "shorthand_property_identifier_pattern"):
            found.append((name.text or b"").decode("utf-8", "replace"))
        else:
            todo += name.named_children
    return found
