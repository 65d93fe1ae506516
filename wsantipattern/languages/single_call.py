"""Mentions of a local function: which are calls of it in place, and which are none.

For `Module.find_call`, by which the model sees that nothing but one call mentions a function. Knows syntax alone; what
the name means, the front end looks up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from wsantipattern.model.module import Function

Use = bool | None
"""True: a call without arguments that is run and waited for where it stands. False: another use. None: no mention."""

_SILENT = frozenset(
    {
        "comment",
        "line_comment",
        "block_comment",
        "html_comment",
        "hash_bang_line",
        "string",
        "string_content",
        "string_fragment",
        "template_string",
        "escape_sequence",
        "interpreted_string_literal",
        "interpreted_string_literal_content",
        "raw_string_literal",
        "raw_string_literal_content",
        "rune_literal",
        "regex_pattern",
        "jsx_text",
        "property_identifier",
        "private_property_identifier",
        "statement_identifier",
        "field_identifier",
        "package_identifier",
        "label_name",
        "type_identifier",
    }
)
"""Nodes whose text may have the word without speaking of a variable."""

_AROUND = frozenset({"parenthesized_expression"})


def finder(root: Node, means: Callable[[Function, str, int], bool]) -> Callable[[Function, int], Use]:
    """What `Module.find_call` is for a syntax tree; `means` tells whether a name at an offset is the function's."""

    def find(function: Function, at: int) -> Use:
        node = root.descendant_for_byte_range(at, at + 1)
        if node is None or node.type in _SILENT or not node.is_named:
            return None
        call = node.parent
        if node.type != "identifier" or call is None:
            return False
        if call.type == "attribute" and call.child_by_field_name("attribute") == node:
            return None  # Python: `x.run`
        if call.type == "keyword_argument" and call.child_by_field_name("name") == node:
            return None
        return (
            _is_plain(call, node)
            and _is_waited_for(root, function, call)
            and means(function, _word(node), at)
        )

    return find


def says(root: Node, function: Function, word: str, kind: str) -> bool:
    """Whether a word of the language, with a node of this type, stands in a function's text."""
    return any(
        node.type == kind
        for at in function.module.mentions_of(word, function.extent)
        if (node := root.descendant_for_byte_range(at, at + 1)) is not None
    )


def _word(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _is_plain(call: Node, callee: Node) -> bool:
    """Whether a node calls what is named, and hands nothing over."""
    if call.type not in ("call", "call_expression") or call.child_by_field_name("function") != callee:
        return False
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type not in ("arguments", "argument_list"):
        return False
    if any(child.type != "comment" for child in arguments.named_children):
        return False
    return not any(child.type in ("optional_chain", "?.", "type_arguments") for child in call.children)


def _is_waited_for(root: Node, function: Function, call: Node) -> bool:
    """Whether what follows a call comes after all that the function does."""
    up = call.parent
    while up is not None and up.type in _AROUND:
        up = up.parent
    if (
        up is not None
        and up.type == "expression_list"
        and len(up.named_children) == 1
        and up.parent is not None
    ):
        up = up.parent
    kind = up.type if up is not None else ""
    if kind in ("go_statement", "defer_statement"):
        return False
    if function.is_async:
        return kind in ("await_expression", "await")
    # What it defers (Go) is run at its end; so that must be the end of what is around it.
    return (
        kind == "return_statement"
        or (up is not None and _is_last(function, up))
        or function.module.raises
        or not says(root, function, "defer", "defer")
    )


def _is_last(function: Function, statement: Node) -> bool:
    """Whether a statement is the last of the function around a local one."""
    at: Node | None = statement
    while at is not None and at.type in ("expression_statement", "statement_list", "block"):
        if any(s.type != "comment" for s in _after(at)):
            return False
        at = at.parent
    return (
        at is not None
        and function.parent is not None
        and (at.start_byte, at.end_byte) == function.parent.extent
    )


def _after(node: Node) -> Iterator[Node]:
    sibling = node.next_named_sibling
    while sibling is not None:
        yield sibling
        sibling = sibling.next_named_sibling
