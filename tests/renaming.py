"""Renames what a file declares for itself, so that no word of the author's is left to go by.

Local variables, parameters, functions, and private members (`#x`, TypeScript's `private x`, Python's `_x`, fields of
Go structs in lower case) become neutral words, the same everywhere in the file. What other files or a wire format may
know keeps its name: imports, globals, properties, exported and keyword names.
"""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

GRAMMARS = {
    ".js": tree_sitter_javascript.language,
    ".jsx": tree_sitter_javascript.language,
    ".ts": tree_sitter_typescript.language_typescript,
    ".tsx": tree_sitter_typescript.language_tsx,
    ".go": tree_sitter_go.language,
    ".py": tree_sitter_python.language,
}
DECLARING = {
    ".js": {
        "variable_declarator": ("name",),
        "function_declaration": ("name",),
        "required_parameter": ("pattern",),
        "optional_parameter": ("pattern",),
        "catch_clause": ("parameter",),
        "for_in_statement": ("left",),
        "arrow_function": ("parameter",),
    },
    ".go": {
        "short_var_declaration": ("left",),
        "var_spec": ("name",),
        "parameter_declaration": ("name",),
        "range_clause": ("left",),
        "function_declaration": ("name",),
        "receive_statement": ("left",),
    },
    ".py": {
        "assignment": ("left",),
        "for_statement": ("left",),
        "function_definition": ("name",),
        "named_expression": ("name",),
        "for_in_clause": ("left",),
    },
}
NAMES = {"identifier", "shorthand_property_identifier_pattern"}
KEPT = {"self", "cls", "this", "main", "init", "_", "undefined", "arguments", "err"}


def renamed(text: bytes, ending: str) -> bytes:
    """The text with every own name exchanged; line numbers stay."""
    family = ".js" if ending in (".js", ".jsx", ".ts", ".tsx") else ending
    root = Parser(Language(GRAMMARS[ending]())).parse(text).root_node
    nodes = list(_walk(root))
    own = _declared(nodes, family) | _parameters(nodes, family)
    own -= _imported(nodes, family) | _keywords(nodes, family) | KEPT
    members = _private(nodes, family)
    own -= _declared_members(nodes) - members
    names = {name: f"q{number}" for number, name in enumerate(sorted(own | members), 1)}
    edits: list[tuple[int, int, bytes]] = []
    for node in nodes:
        name = node.text.decode() if node.text and not node.children else ""
        if name not in names:
            continue
        word = names[name].encode()
        if node.type in ("private_property_identifier",):
            edits.append((node.start_byte, node.end_byte, b"#" + word))
        elif node.type in ("property_identifier", "field_identifier") or _is_attribute(node):
            if name in members:
                edits.append((node.start_byte, node.end_byte, word))
        elif node.type == "shorthand_property_identifier_pattern" and name in members:
            edits.append((node.start_byte, node.end_byte, word))
        elif node.type in ("shorthand_property_identifier", "shorthand_property_identifier_pattern"):
            edits.append((node.start_byte, node.end_byte, name.encode() + b": " + word))
        elif (node.type == "identifier" and name in own and not _is_key(node)) or (
            node.type == "identifier" and name in members and _is_key(node)
        ):
            edits.append((node.start_byte, node.end_byte, word))
    for start, end, word in sorted(edits, reverse=True):
        text = text[:start] + word + text[end:]
    return text


def _walk(node: Node) -> Iterator[Node]:
    todo = [node]
    while todo:
        current = todo.pop()
        yield current
        todo.extend(reversed(current.children))


def _declared(nodes: list[Node], family: str) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        fields = DECLARING[family].get(node.type, ())
        if family == ".py" and _in_class_body(node):
            continue
        if family == ".go" and node.type == "function_declaration" and _exported(node):
            continue
        for field in fields:
            for child in node.children_by_field_name(field):
                found.update(_bound(child))
    return found


def _bound(node: Node) -> Iterator[str]:
    if node.type in NAMES and node.text:
        yield node.text.decode()
    elif node.type in (
        "object_pattern",
        "array_pattern",
        "pattern_list",
        "tuple_pattern",
        "expression_list",
        "assignment_pattern",
        "rest_pattern",
        "pair_pattern",
        "object_assignment_pattern",
    ):
        parts = [node.child_by_field_name("value")] if node.type == "pair_pattern" else node.children
        if node.type in ("assignment_pattern", "object_assignment_pattern"):
            parts = [node.child_by_field_name("left")]
        for part in parts:
            if part is not None:
                yield from _bound(part)


def _parameters(nodes: list[Node], family: str) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if node.type == "formal_parameters":
            for child in node.children:
                found.update(_bound(child))
        elif family == ".py" and node.type in ("parameters", "lambda_parameters"):
            for child in node.children:
                name = (
                    child
                    if child.type == "identifier"
                    else child.child_by_field_name("name")
                    or (child.children[0] if child.type == "typed_parameter" else None)
                )
                if name is not None and name.type == "identifier" and name.text:
                    found.add(name.text.decode())
    return found


def _imported(nodes: list[Node], family: str) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if node.type in (
            "import_statement",
            "import_from_statement",
            "import_clause",
            "import_spec",
            "export_statement",
        ):
            found.update(
                n.text.decode()
                for n in _walk(node)
                if n.type == "identifier" and n.text and node.type != "export_statement"
            )
        if node.type == "export_statement":
            declaration = node.child_by_field_name("declaration")
            name = declaration.child_by_field_name("name") if declaration is not None else None
            if name is not None and name.text:
                found.add(name.text.decode())
        if node.type == "variable_declarator":
            value = node.child_by_field_name("value")
            if value is not None and value.text and value.text.startswith(b"require("):
                name = node.child_by_field_name("name")
                found.update(_bound(name) if name is not None else ())
    return found


def _keywords(nodes: list[Node], family: str) -> set[str]:
    """Names that a call may spell from outside, and names in strings that the language reads."""
    found: set[str] = set()
    for node in nodes:
        if family == ".py" and node.type == "keyword_argument":
            name = node.child_by_field_name("name")
            if name is not None and name.text:
                found.add(name.text.decode())
        if family == ".py" and node.type == "decorated_definition":
            definition = node.child_by_field_name("definition")
            for inner in _walk(definition) if definition is not None else ():
                if (
                    inner.type in ("identifier",)
                    and inner.text
                    and inner.parent is not None
                    and inner.parent.type in ("parameters", "typed_parameter", "function_definition")
                ):
                    found.add(inner.text.decode())
        if family == ".py" and node.type == "class_definition":
            found.update(
                n.text.decode()
                for n in _walk(node)
                if n.type == "identifier"
                and n.text
                and n.parent is not None
                and n.parent.type == "function_definition"
            )
    return found


def _declared_members(nodes: list[Node], *, private: bool = False) -> set[str]:
    """The members that parameters of a TypeScript constructor declare: `constructor(private readonly calls: Calls)`."""
    found: set[str] = set()
    for node in nodes:
        if node.type in ("required_parameter", "optional_parameter"):
            marks = [c.text for c in node.children if c.type in ("accessibility_modifier", "readonly")]
            pattern = node.child_by_field_name("pattern")
            if pattern is not None and (b"private" in marks if private else marks):
                found.update(_bound(pattern))
    return found


def _private(nodes: list[Node], family: str) -> set[str]:
    found = _declared_members(nodes, private=True)
    for node in nodes:
        name = node.text.decode() if node.text and not node.children else ""
        if node.type == "private_property_identifier":
            found.add(name)
        elif family == ".js" and node.type in ("public_field_definition", "method_definition"):
            marked = any(c.type == "accessibility_modifier" and c.text == b"private" for c in node.children)
            label = node.child_by_field_name("name")
            if marked and label is not None and label.text and label.type == "property_identifier":
                found.add(label.text.decode())
        elif family == ".py" and _is_attribute(node) and name.startswith("_") and not name.startswith("__"):
            found.add(name)
        elif family == ".go" and node.type == "field_declaration":
            for label in node.children_by_field_name("name"):
                if label.text and label.text[:1].islower():
                    found.add(label.text.decode())
    if family == ".js":
        public = {
            n.text.decode()
            for n in nodes
            if n.type in ("property_identifier", "shorthand_property_identifier")
            and n.text
            and n.parent is not None
            and (
                n.parent.type in ("pair", "property_signature", "pair_pattern")
                or n.type.startswith("shorthand")
            )
        }
        found -= public
    if family == ".py":
        declared = {
            n.text.decode()
            for n in nodes
            if n.type == "identifier"
            and n.text
            and n.parent is not None
            and (n.parent.type in ("keyword_argument", "function_definition") or _in_class_body(n))
        }
        found -= declared
    if family == ".go":
        called = {
            n.text.decode()
            for n in nodes
            if n.type == "field_identifier"
            and n.text
            and n.parent is not None
            and n.parent.type == "method_declaration"
        }
        found -= called
    return found


def _is_attribute(node: Node) -> bool:
    parent = node.parent
    return (
        node.type == "identifier"
        and parent is not None
        and parent.type == "attribute"
        and parent.child_by_field_name("attribute") == node
    )


def _is_key(node: Node) -> bool:
    """The name of a field in a Go literal, or of a keyword argument."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "keyword_argument":
        return parent.child_by_field_name("name") == node
    holder = parent.parent
    return (
        parent.type == "literal_element"
        and holder is not None
        and holder.type == "keyed_element"
        and holder.children[0] == parent
    )


def _in_class_body(node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type in (
        "expression_statement",
        "block",
        "assignment",
        "decorated_definition",
        "type",
    ):
        if parent.type == "block" and parent.parent is not None and parent.parent.type == "class_definition":
            return True
        parent = parent.parent
    return False


def _exported(node: Node) -> bool:
    name = node.child_by_field_name("name")
    return name is not None and bool(name.text) and name.text[:1].isupper()
