"""The Python syntax tree: parsing, and small questions about one node."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser, Query

from wsantipattern.model.term import Extent

_GROUPS = frozenset(
    {
        "pattern_list",
        "tuple_pattern",
        "list_pattern",
        "tuple",
        "list",
        "expression_list",
        "parenthesized_expression",
        "list_splat_pattern",
        "list_splat",
        "as_pattern_target",
    }
)


@cache
def language() -> Language:
    return Language(tree_sitter_python.language())


@cache
def query(source: str) -> Query:
    return Query(language(), source)


def read(text: bytes) -> Node:
    """The root of the syntax tree."""
    return Parser(language()).parse(text).root_node


def name_of(node: Node) -> str:
    """The text of a node; invalid bytes replaced."""
    return (node.text or b"").decode("utf-8", "replace")


def extent_of(node: Node) -> Extent:
    return (node.start_byte, node.end_byte)


def parts(node: Node) -> list[Node]:
    """The named children without comments and line continuations."""
    return [c for c in node.named_children if not c.is_extra]


def first(node: Node, limit: int) -> list[Node]:
    """At most `limit` named children: a list of a million is not made for the sake of its beginning."""
    if node.child_count <= limit:
        return node.named_children
    cursor = node.walk()
    found: list[Node] = []
    more = cursor.goto_first_child()
    while more and len(found) < limit:
        current = cursor.node
        if current is not None and current.is_named:
            found.append(current)
        more = cursor.goto_next_sibling()
    return found


def leaves(node: Node) -> Iterator[Node]:
    """The single targets of an assignment's left side, in order."""
    todo = [node]
    while todo:
        current = todo.pop()
        if current.type in _GROUPS:
            todo.extend(reversed(parts(current)))
        else:
            yield current


def plain_string(node: Node) -> str | None:
    """The text of a string literal without escapes or interpolation, or None."""
    if node.type != "string":
        return None
    content = ""
    for part in node.named_children:
        if part.type == "string_content" and not part.named_child_count:
            content += name_of(part)
        elif part.type not in ("string_start", "string_end"):
            return None
    return content


def chain(node: Node) -> tuple[Node, list[str]] | None:
    """The identifier and the field names of `a.b["c"]`; None for anything else."""
    fields: list[str] = []
    current: Node | None = node
    while current is not None:
        if current.type == "identifier":
            return current, fields[::-1]
        if current.type == "attribute":
            attribute = current.child_by_field_name("attribute")
            fields.append(name_of(attribute) if attribute is not None else "")
            current = current.child_by_field_name("object")
        elif current.type == "subscript":
            keys = current.children_by_field_name("subscript")
            key = plain_string(keys[0]) if len(keys) == 1 else None
            if key is None:
                return None
            fields.append(key)
            current = current.child_by_field_name("value")
        else:
            return None
    return None


def last_name(node: Node) -> str:
    """The last written word of a name: `setter` of `x.setter`; "" for anything else."""
    if node.type == "call":
        node = node.child_by_field_name("function") or node
    if node.type == "attribute":
        attribute = node.child_by_field_name("attribute")
        return name_of(attribute) if attribute is not None else ""
    return name_of(node) if node.type == "identifier" else ""


def parameter_name(node: Node) -> Node | None:
    """The identifier of a parameter, or None for a separator."""
    current: Node | None = node
    while current is not None:
        if current.type == "identifier":
            return current
        if current.type in ("typed_parameter", "list_splat_pattern", "dictionary_splat_pattern"):
            current = next(iter(parts(current)), None)
        elif current.type in ("default_parameter", "typed_default_parameter"):
            current = current.child_by_field_name("name")
        else:
            return None
    return None


def is_none(node: Node) -> bool:
    while node.type in ("type", "parenthesized_expression") and len(parts(node)) == 1:
        node = parts(node)[0]
    return node.type == "none"
