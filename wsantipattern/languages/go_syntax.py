"""The Go grammar: parser, compiled queries, and how to read its nodes.

Nodes are asked for by type and field only. Knows nothing of scopes, types or the model.
"""

from __future__ import annotations

from functools import cache

import tree_sitter_go
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

LANGUAGE = Language(tree_sitter_go.language())

_DECLARATIONS = """
(function_declaration) @function
(method_declaration) @function
(func_literal) @function
(call_expression function: (func_literal) @called)
(call_expression function: (parenthesized_expression (func_literal) @called))
(go_statement (call_expression function: (func_literal) @spawned))
(go_statement (call_expression function: (parenthesized_expression (func_literal) @spawned)))
(short_var_declaration right: (expression_list (func_literal))) @naming
(assignment_statement right: (expression_list (func_literal))) @naming
(var_spec value: (expression_list (func_literal))) @naming
(type_spec) @type
(type_alias) @type
(import_spec) @import
["<" "<=" ">" ">="] @ordering
"!=" @unequal
"""

_NAMES = """
(function_declaration) @scope
(method_declaration) @scope
(func_literal) @scope
(block) @scope
(if_statement) @scope
(for_statement) @scope
(expression_switch_statement) @scope
(type_switch_statement) @scope
(expression_case) @scope
(type_case) @scope
(default_case) @scope
(communication_case) @scope
(short_var_declaration) @event
(var_spec) @event
(const_spec) @event
(range_clause) @event
(receive_statement) @event
(assignment_statement) @event
(inc_statement) @event
(dec_statement) @event
(unary_expression operator: "&") @event
(call_expression function: (func_literal)) @event
(call_expression function: (parenthesized_expression (func_literal))) @event
"""

_ADDITIONS = """
(assignment_statement) @assignment
(inc_statement (index_expression)) @addition
(dec_statement (index_expression)) @addition
(range_clause left: (expression_list)) @addition
(receive_statement left: (expression_list)) @addition
"""

_WRITES = """
(assignment_statement left: (expression_list) @left)
(range_clause left: (expression_list) @left)
(receive_statement left: (expression_list) @left)
(inc_statement (_) @one)
(dec_statement (_) @one)
(unary_expression operator: "&" operand: (_) @one)
"""


_ONCE = """
(field_declaration name: (field_identifier) @name type: (qualified_type) @type)
(field_declaration name: (field_identifier) @name type: (pointer_type (qualified_type) @type))
(var_spec name: (identifier) @name type: (qualified_type) @type)
(parameter_declaration name: (identifier) @name type: (pointer_type (qualified_type) @type))
(call_expression function: (selector_expression) @callee arguments: (argument_list . (func_literal) @literal .)) @call
"""


@cache
def _query(source: str) -> Query:
    return Query(LANGUAGE, source)


def parse_tree(text: bytes) -> Tree:
    """The tree of any bytes."""
    return Parser(LANGUAGE).parse(text)


def is_broken(text: bytes, tree: Tree) -> bool:
    """Whether the text is not Go; a last statement outside a function may lack its line break."""
    if not tree.root_node.has_error:
        return False
    return text.endswith(b"\n") or parse_tree(text + b"\n").root_node.has_error


def declarations(node: Node) -> dict[str, list[Node]]:
    """What the file is made of, by kind: function, called, spawned, naming, type, import."""
    return QueryCursor(_query(_DECLARATIONS)).captures(node)


def run_once(node: Node) -> list[Node]:
    """The function literals that `Do` of a `sync.Once` is given: they run where they stand, the first time.

    Told by the names of fields, variables and parameters that the file declares with that type.
    """
    names: set[str] = set()
    calls: list[tuple[Node, Node]] = []
    for _, captured in QueryCursor(_query(_ONCE)).matches(node):
        if "type" in captured:
            if spelled(captured["type"][0]) == "sync.Once":
                names.update(map(spelled, captured["name"]))
        elif captured["call"][0].parent is None or captured["call"][0].parent.type != "go_statement":
            calls.append((captured["callee"][0], captured["literal"][0]))
    return [
        literal
        for callee, literal in calls
        if spelled(callee.child_by_field_name("field")) == "Do"
        and spelled(callee.child_by_field_name("operand")).rpartition(".")[2] in names
    ]


_MADE_OF_OTHERS = frozenset({"binary_expression", "composite_literal", "parenthesized_expression"})
_NAMED = frozenset({"selector_expression", "identifier"})
_FIELDS = frozenset({"selector_expression", "index_expression"})
_NUMBERS = frozenset({"int_literal", "float_literal"})


def additions(node: Node) -> tuple[list[int], list[int]]:
    """Where something may be added to what is there, and where a call's result is assigned; see `Module.additions`."""
    captured = QueryCursor(_query(_ADDITIONS)).captures(node)
    added, answered = [n.start_byte for n in captured.get("addition", [])], []
    for statement in captured.get("assignment", []):
        left, right = (
            listed(statement.child_by_field_name("left")),
            listed(statement.child_by_field_name("right")),
        )
        if (
            not has_token(statement, "=")
            or any(part.type in ("index_expression", "parenthesized_expression") for part in left)
            or any(part.type in _MADE_OF_OTHERS for part in right)
        ):
            added.append(statement.start_byte)
        elif any(part.type == "call_expression" for part in right):
            answered.append(statement.start_byte)
    return added, answered


def is_trivial(operator: Node) -> bool:
    """Whether a comparison only sets a field, an element or a size against a number."""
    sides = (operator.prev_named_sibling, operator.next_named_sibling)
    for side, other in (sides, sides[::-1]):
        if side is not None and other is not None and other.type in _NUMBERS:
            if side.type in _FIELDS:
                return True
            if side.type == "call_expression":
                return spelled(side.child_by_field_name("function")) in ("len", "cap")
    return False


def is_of_names(operator: Node) -> bool:
    """Whether what stands before and after an operator are names or fields."""
    before, after = operator.prev_named_sibling, operator.next_named_sibling
    return before is not None and after is not None and before.type in _NAMED and after.type in _NAMED


def names(node: Node) -> dict[str, list[Node]]:
    """What decides the meaning of names under `node`: the scopes and the events that declare or assign."""
    return QueryCursor(_query(_NAMES)).captures(node)


def writes(node: Node) -> list[Node]:
    """Every expression under `node` that is assigned or whose address is taken."""
    captures = QueryCursor(_query(_WRITES)).captures(node)
    found = [part for left in captures.get("left", []) for part in parts(left)]
    return found + captures.get("one", [])


def parts(node: Node) -> list[Node]:
    """The named children, comments left out."""
    return [child for child in node.named_children if child.type != "comment"]


def only(node: Node) -> Node | None:
    """The first named child that is no comment."""
    for child in node.named_children:
        if child.type != "comment":
            return child
    return None


def listed(node: Node | None) -> list[Node]:
    """The expressions of an expression list, or the one expression that stands alone."""
    if node is None:
        return []
    return parts(node) if node.type == "expression_list" else [node]


def repeated(node: Node, name: str) -> list[Node]:
    """The children of a field that repeats, without the commas between them."""
    return [child for child in node.children_by_field_name(name) if child.is_named]


def spelled(node: Node | None) -> str:
    """The text of a name; invalid bytes replaced."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def operator_of(node: Node) -> str:
    """The operator of an expression or assignment, or ""."""
    token = node.child_by_field_name("operator")
    return token.type if token is not None else ""


def has_token(node: Node, token: str) -> bool:
    """Whether an operator or keyword is among the direct children."""
    return any(child.type == token for child in node.children)


def parameters(node: Node | None) -> list[tuple[str, Node | None]]:
    """The names and types of a parameter list in order; "" for a parameter without a name."""
    found: list[tuple[str, Node | None]] = []
    for declaration in parts(node) if node is not None else []:
        if declaration.type not in ("parameter_declaration", "variadic_parameter_declaration"):
            continue
        type_node = declaration.child_by_field_name("type")
        if declaration.type == "variadic_parameter_declaration":
            type_node = declaration
        named = repeated(declaration, "name")
        found.extend((spelled(name), type_node) for name in named)
        if not named:
            found.append(("", type_node))
    return found


def first_leaf(node: Node) -> Node | None:
    """The first token of the text that is no comment."""
    current: Node | None = node
    while current is not None and current.child_count:
        current = next(
            (
                child
                for child in current.children
                if child.type != "comment" and child.end_byte > child.start_byte
            ),
            None,
        )
    return current
