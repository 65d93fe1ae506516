"""The grammar's words for JavaScript and TypeScript: names, keys, parameters, what is transparent.

Questions about single syntax nodes. Resolves nothing and lowers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsantipattern.model.term import Extent

if TYPE_CHECKING:
    from tree_sitter import Node

TRANSPARENT = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "type_assertion",
        "instantiation_expression",
    }
)
FUNCTIONS = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
        "method_definition",
    }
)
_LINKS = frozenset({"then", "catch", "finally"})
CLOSURES = frozenset({"function_expression", "arrow_function"})
PATTERN_DEPTH = 30
"""How deep destructuring patterns may nest before the rest is left out."""


def unwrap(node: Node) -> Node:
    """The expression inside parentheses and type-only operators."""
    while node.type in TRANSPARENT:
        inner = node.named_children
        inner = [child for child in inner if child.type != "comment"]
        if not inner:
            return node
        node = inner[-1] if node.type == "type_assertion" else inner[0]
    return node


def first_named(node: Node) -> Node | None:
    """The first child that is no punctuation."""
    return node.named_child(0) if node.named_child_count else None


def word(node: Node) -> str:
    """The text of a name."""
    text = node.text
    return text.decode("utf-8", "replace") if text else ""


def extent_of(node: Node) -> Extent:
    return (node.start_byte, node.end_byte)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def string_value(node: Node) -> str:
    """The value of a string literal or of a template literal without substitutions."""
    parts: list[str] = []
    for child in node.named_children:
        text = word(child)
        if child.type != "escape_sequence":
            parts.append(text)
        elif text[1:2] in ("u", "x"):
            digits = text[2:].strip("{}")
            code = int(digits, 16) if digits and all(c in "0123456789abcdefABCDEF" for c in digits) else -1
            parts.append(chr(code) if 0 <= code < 0xD800 or 0xDFFF < code < 0x110000 else text)
        else:
            parts.append(_ESCAPES.get(text[1:2], text[1:]))
    return "".join(parts)


def key_name(node: Node | None) -> str | None:
    """The name of a property key; None where it is computed."""
    if node is None:
        return None
    kind = node.type
    if kind == "string":
        return string_value(node)
    if kind == "computed_property_name":
        inner = first_named(node)
        return string_value(inner) if inner is not None and inner.type == "string" else None
    return word(node)


def has_token(node: Node, token: str) -> bool:
    """Whether a keyword stands among the first children: `async`, `static`, `get`."""
    for child in node.children:
        if child.type == token:
            return True
        if child.type in ("formal_parameters", "statement_block"):
            break
    return False


def parameter_nodes(node: Node) -> list[Node]:
    """The parameters of a function, in order."""
    single = node.child_by_field_name("parameter")
    if single is not None:
        return [single]
    several = node.child_by_field_name("parameters")
    if several is None:
        return []
    return [child for child in several.named_children if child.type not in ("comment", "decorator", "ERROR")]


def parameter_pattern(node: Node) -> Node | None:
    """The name or pattern of a parameter, without default, type, modifiers or `...`."""
    pattern: Node | None = node
    while pattern is not None:
        if pattern.type in ("required_parameter", "optional_parameter"):
            pattern = pattern.child_by_field_name("pattern")
        elif pattern.type == "assignment_pattern":
            pattern = pattern.child_by_field_name("left")
        elif pattern.type == "rest_pattern":
            pattern = first_named(pattern)
        else:
            break
    return pattern


def parameter_default(node: Node) -> Node | None:
    if node.type in ("required_parameter", "optional_parameter"):
        return node.child_by_field_name("value")
    return node.child_by_field_name("right") if node.type == "assignment_pattern" else None


def calls_of(root: Node, text: bytes, name: bytes) -> Iterator[Node]:
    """The nodes of a word that stands before a parenthesis and is the callee of a call."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if text[end : end + 80].lstrip()[:1] == b"(":
            node = root.descendant_for_byte_range(at, end)
            parent = node.parent if node is not None else None
            if parent is not None and extent_of(parent) == (at, end):
                node, parent = parent, parent.parent
            if node is None or parent is None or parent.type != "call_expression":
                pass
            elif extent_of(node) == (at, end) and parent.child_by_field_name("function") == node:
                yield node
        at = text.find(name, end)


def chain_link(node: Node) -> tuple[str, Node, list[Node]] | None:
    """A link of a promise chain: `then`, `catch` or `finally`, the promise it is on, and its reactions."""
    if node.type != "call_expression":
        return None
    callee = node.child_by_field_name("function")
    if callee is None or callee.type != "member_expression":
        return None
    name = callee.child_by_field_name("property")
    if name is None or word(name) not in _LINKS:
        return None
    subject, arguments = callee.child_by_field_name("object"), node.child_by_field_name("arguments")
    if subject is None or arguments is None or arguments.type != "arguments":
        return None
    kind = word(name)
    reactions = [child for child in arguments.named_children if child.type != "comment"]
    if len(reactions) > (2 if kind == "then" else 1):
        return None
    if any(reaction.type == "spread_element" for reaction in reactions):
        return None
    return kind, subject, reactions
