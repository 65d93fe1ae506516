"""The same functions in JavaScript and TypeScript, kept in another form or in another place."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from variants.javascript_flow import BLOCKS
from variants.javascript_shape import at_top, own_this
from variants.rewriting import Code, Edit, Part, Piece, field_of, has, holder, named, replace, text_of, walk


def _is_async(function: Node) -> bytes:
    return b"async " if any(c.type == "async" for c in function.children) else b""


def _signature(function: Node) -> Part:
    """Type parameters, parameters and result."""
    first = function.child_by_field_name("type_parameters") or field_of(function, "parameters")
    last = function.child_by_field_name("return_type") or field_of(function, "parameters")
    return Part(first.start_byte, last.end_byte)


def _arguments(function: Node) -> bytes | None:
    """The function's own parameters as arguments; None where they are no plain names."""
    found = []
    single = function.child_by_field_name("parameter")
    for parameter in [single] if single is not None else named(function.child_by_field_name("parameters")):
        pattern = parameter.child_by_field_name("pattern") or parameter
        if pattern.type != "identifier" or parameter.child_by_field_name("value") is not None:
            return None
        found.append(text_of(pattern))
    return b", ".join(found)


def _references(code: Code, name: bytes) -> list[Node]:
    return [
        n
        for n in code.nodes
        if n.type in ("identifier", "shorthand_property_identifier") and text_of(n) == name
    ]


def _movable(code: Code) -> Iterator[Node]:
    """Functions declared in the module or an export, without a `this`, a hoisted use or another signature."""
    signatures = {text_of(n.child_by_field_name("name")) for n in code.of("function_signature")}
    for node in code.of("function_declaration"):
        name = field_of(node, "name")
        if own_this(node) or text_of(name) in signatures or node.parent is None:
            continue
        if node.parent.type == "export_statement" and any(c.type == "default" for c in node.parent.children):
            continue
        if node.parent.type != "export_statement" and node.parent.type not in BLOCKS:
            continue
        first = min(n.start_byte for n in _references(code, text_of(name)))
        if first == name.start_byte or holder_differs(code, node, first):
            yield node


def holder_differs(code: Code, function: Node, offset: int) -> bool:
    """Whether an earlier use stands in another function, that may run later."""
    use = code.root.descendant_for_byte_range(offset, offset + 1)
    return use is not None and holder(use) is not None and holder(use) != holder(function)


def declaration_arrow(code: Code) -> Iterator[Edit]:
    """`function f(a) { body }` to `const f = (a) => { body };`."""
    for node in _movable(code):
        if node.child_by_field_name("type_parameters") is not None and code.ending == ".tsx":
            continue
        name = field_of(node, "name")
        yield replace(
            node,
            b"const ",
            name,
            b" = " + _is_async(node),
            _signature(node),
            b" => ",
            field_of(node, "body"),
            b";",
        )


def arrow_declaration(code: Code) -> Iterator[Edit]:
    """`const f = (a) => value;` to `function f(a) { return value; }`."""
    for node in code.of("lexical_declaration"):
        declarators = named(node)
        if (
            len(declarators) != 1
            or node.parent is None
            or node.parent.type not in (*BLOCKS, "export_statement")
        ):
            continue
        value = declarators[0].child_by_field_name("value")
        if value is None or value.type != "arrow_function" or own_this(value):
            continue
        if declarators[0].child_by_field_name("type") is not None:
            continue
        name, body, single = (
            field_of(declarators[0], "name"),
            field_of(value, "body"),
            value.child_by_field_name("parameter"),
        )
        head: list[Piece] = [b"(", single, b")"] if single is not None else [_signature(value)]
        rest: list[Piece] = [body] if body.type == "statement_block" else [b"{ return ", body, b"; }"]
        yield replace(node, _is_async(value) + b"function ", name, *head, b" ", *rest)


def arrow_expression(code: Code) -> Iterator[Edit]:
    """`(a) => { body }` to `function (a) { body }`."""
    for node in code.of("arrow_function"):
        body, single = field_of(node, "body"), node.child_by_field_name("parameter")
        if own_this(node) or (node.parent is not None and node.parent.type == "public_field_definition"):
            continue
        head: list[Piece] = [b"(", single, b")"] if single is not None else [_signature(node)]
        rest: list[Piece] = [body] if body.type == "statement_block" else [b"{ return ", body, b"; }"]
        lead, tail = (
            (b"(", b")")
            if node.parent is not None and node.parent.type == "expression_statement"
            else (b"", b"")
        )
        yield replace(node, lead + _is_async(node) + b"function ", *head, b" ", *rest, tail)


def method_field(code: Code) -> Iterator[Edit]:
    """`m(a) { body }` of a class to `m = (a) => { body };`."""
    for node in code.of("method_definition"):
        if node.parent is None or node.parent.type != "class_body":
            continue
        words = {c.type for c in node.children if not c.is_named} | {
            text_of(c) for c in node.children if not c.is_named
        }
        name = field_of(node, "name")
        if words & {"get", "set", "*", "static", "?", "override"} or text_of(name) == b"constructor":
            continue
        if name.type not in ("property_identifier", "private_property_identifier"):
            continue
        if any(c.type in ("decorator", "override_modifier") for c in node.children) or _decorated(node):
            continue
        if any(
            n.type in ("super", "meta_property") or text_of(n) == b"arguments"
            for n in walk(node)
            if not n.children
        ):
            continue
        if code.of("method_signature", "abstract_method_signature"):
            continue
        if node.child_by_field_name("type_parameters") is not None and code.ending == ".tsx":
            continue
        access = next((text_of(c) + b" " for c in node.children if c.type == "accessibility_modifier"), b"")
        yield replace(
            node,
            access,
            name,
            b" = " + _is_async(node),
            _signature(node),
            b" => ",
            field_of(node, "body"),
            b";",
        )


def _decorated(node: Node) -> bool:
    before = node.prev_named_sibling
    return before is not None and before.type == "decorator"


def _outer(code: Code) -> Iterator[Node]:
    """Functions of the module, methods and arrows that are values of the module."""
    for node in code.of("function_declaration", "method_definition", "arrow_function", "function_expression"):
        body = field_of(node, "body")
        if body.type != "statement_block" or holder(node) is not None or not named(body):
            continue
        words = {text_of(c) for c in node.children if not c.is_named}
        if words & {b"*", b"get", b"set"} or text_of(node.child_by_field_name("name")) == b"constructor":
            continue
        if any(
            n.type in ("super", "meta_property") or text_of(n) == b"arguments"
            for n in walk(node)
            if not n.children
        ):
            continue
        yield node


def body_invoked(code: Code) -> Iterator[Edit]:
    """`{ body }` to `{ return (() => { body })(); }`."""
    for node in _outer(code):
        body = field_of(node, "body")
        yield replace(body, b"{ return (" + _is_async(node) + b"() => ", body, b")(); }")


def body_closure(code: Code) -> Iterator[Edit]:
    """`{ body }` to `{ const run = () => { body }; return run(); }`."""
    for node in _outer(code):
        body, name = field_of(node, "body"), code.name()
        wait = b"await " if _is_async(node) else b""
        yield replace(
            body,
            b"{ const " + name + b" = " + _is_async(node) + b"() => ",
            body,
            b"; return " + wait + name + b"(); }",
        )


def _alone(code: Code) -> Iterator[tuple[Node, Node]]:
    """Functions of the module that the file itself does not speak of, with the statement to replace."""
    for node in _movable(code):
        up = node.parent
        statement = up if up is not None and up.type == "export_statement" else node
        if statement.parent is None or statement.parent.type != "program":
            continue
        if len(_references(code, text_of(field_of(node, "name")))) == 1:
            yield node, statement


def class_method(code: Code) -> Iterator[Edit]:
    """`export function f(a) { body }` to `export class K { f(a) { body } }`."""
    for node, statement in _alone(code):
        lead = b"export " if statement is not node else b""
        yield replace(
            statement,
            lead + b"class " + code.name() + b" { " + _is_async(node),
            field_of(node, "name"),
            _signature(node),
            b" ",
            field_of(node, "body"),
            b" }",
        )


def object_method(code: Code) -> Iterator[Edit]:
    """`export function f(a) { body }` to `export const o = { f(a) { body } };`."""
    for node, statement in _alone(code):
        lead = b"export " if statement is not node else b""
        yield replace(
            statement,
            lead + b"const " + code.name() + b" = { " + _is_async(node),
            field_of(node, "name"),
            _signature(node),
            b" ",
            field_of(node, "body"),
            b" };",
        )


def hook(code: Code) -> Iterator[Edit]:
    """`export function f(a) { body }` to a hook that returns it as a callback."""
    made = False
    for node, statement in _alone(code):
        name = text_of(field_of(node, "name"))
        if name.startswith(b"use") or name[:1].isupper() or _is_hooked(node):
            continue
        lead = b"export " if statement is not node else b""
        made = True
        if node.child_by_field_name("type_parameters") is not None and code.ending == ".tsx":
            continue
        yield replace(
            statement,
            lead + b"function use" + code.name().title() + b"() { return useCallback(" + _is_async(node),
            _signature(node),
            b" => ",
            field_of(node, "body"),
            b", []); }",
        )
    if made and not _references(code, b"useCallback"):
        yield at_top(code, b'import { useCallback } from "react";\n')


def _is_hooked(node: Node) -> bool:
    return any(
        n.type == "call_expression" and text_of(field_of(n, "function")).startswith(b"use")
        for n in walk(node)
    )


def module_factory(code: Code) -> Iterator[Edit]:
    """Everything but imports and types into a function that returns what was exported."""
    inner = [n for n in named(code.root) if n.type not in ("import_statement", "hash_bang_line")]
    moved: list[Node] = []
    exported: list[bytes] = []
    for node in inner:
        if node.type == "export_statement":
            declaration = node.child_by_field_name("declaration")
            if declaration is None or any(c.type == "default" for c in node.children):
                return
            if declaration.type in ("function_declaration", "class_declaration"):
                exported.append(text_of(field_of(declaration, "name")))
            elif declaration.type == "lexical_declaration":
                if any(text_of(c) == b"let" for c in declaration.children):
                    return
                exported += [text_of(field_of(d, "name")) for d in named(declaration)]
            elif declaration.type not in ("interface_declaration", "type_alias_declaration"):
                return
        elif node.type in ("ambient_declaration", "module", "namespace_export", "enum_declaration"):
            return
        moved.append(node)
    if not moved or any(not name.isidentifier() for name in (e.decode() for e in exported)):
        return
    if any(n.type == "await_expression" and holder(n) is None for n in code.nodes):
        return
    if any(
        n.type == "for_in_statement" and holder(n) is None and any(c.type == "await" for c in n.children)
        for n in code.nodes
    ):
        return
    for node in moved:
        if node.type == "export_statement":
            yield replace(node, field_of(node, "declaration"))
    yield Edit(
        moved[0].start_byte,
        moved[-1].end_byte,
        (
            b"export function " + code.name() + b"() {\n",
            Part(moved[0].start_byte, moved[-1].end_byte),
            b"\nreturn { " + b", ".join(exported) + b" };\n}",
        ),
    )


def members_declared(code: Code) -> Iterator[Edit]:
    """TypeScript's annotations where a value shows the type, and declarations of the fields a constructor sets."""
    shown = {
        "number": b"number",
        "string": b"string",
        "template_string": b"string",
        "true": b"boolean",
        "false": b"boolean",
    }
    for node in code.of("variable_declarator"):
        value, name = node.child_by_field_name("value"), field_of(node, "name")
        if value is None or name.type != "identifier" or node.child_by_field_name("type") is not None:
            continue
        kind = shown.get(value.type, b"")
        if value.type == "new_expression":
            kind = {b"Map": b"Map<string, unknown>", b"Set": b"Set<string>", b"WebSocket": b"WebSocket"}.get(
                text_of(field_of(value, "constructor")), b""
            )
        elif value.type == "call_expression" and text_of(field_of(value, "function")) in (
            b"setTimeout",
            b"setInterval",
        ):
            kind = b"ReturnType<typeof " + text_of(field_of(value, "function")) + b">"
        if kind:
            yield Edit(name.end_byte, name.end_byte, (b": " + kind,))
    for node in code.of("class_body"):
        known = {
            text_of(m.child_by_field_name("name") or m.child_by_field_name("property")) for m in named(node)
        }
        fields: dict[bytes, bytes] = {}
        for method in named(node):
            if method.type != "method_definition" or text_of(field_of(method, "name")) != b"constructor":
                continue
            for store in walk(method):
                if store.type != "assignment_expression":
                    continue
                left, right = field_of(store, "left"), field_of(store, "right")
                if left.type == "member_expression" and field_of(left, "object").type == "this":
                    key = field_of(left, "property")
                    if key.type == "property_identifier" and text_of(key) not in known:
                        fields.setdefault(text_of(key), shown.get(right.type, b"unknown"))
        if fields:
            text = b" ".join(b"%s: %s;" % item for item in fields.items())
            yield Edit(node.start_byte + 1, node.start_byte + 1, (b" " + text,))
    for node in code.of("catch_clause"):
        parameter = node.child_by_field_name("parameter")
        if parameter is not None and parameter.type == "identifier":
            yield Edit(parameter.end_byte, parameter.end_byte, (b": unknown",))


ERASED = {
    "type_annotation",
    "type_predicate_annotation",
    "asserts_annotation",
    "type_arguments",
    "type_parameters",
    "interface_declaration",
    "type_alias_declaration",
    "implements_clause",
    "accessibility_modifier",
    "override_modifier",
    "ambient_declaration",
    "index_signature",
    "function_signature",
    "abstract_method_signature",
    "method_signature",
    "omitting_type_annotation",
    "opting_type_annotation",
}
UNERASABLE = {
    "enum_declaration",
    "internal_module",
    "module",
    "import_require_clause",
    "type_assertion",
    "decorator",
}


def types_erased(code: Code) -> Iterator[Edit]:
    """TypeScript to JavaScript, as its compiler would."""
    if code.of(*UNERASABLE):
        return
    for node in code.nodes:
        up = node.parent
        if (
            node.type in ("import_statement", "export_statement")
            and any(c.type == "type" for c in node.children)
        ) or (node.type == "export_statement" and _is_type(node.child_by_field_name("declaration"))):
            yield replace(node)
        elif (node.type == "import_specifier" and any(c.type == "type" for c in node.children)) or (
            node.type == "required_parameter" and text_of(node.child_by_field_name("pattern")) == b"this"
        ):
            comma = node.next_sibling
            end = comma.end_byte if comma is not None and comma.type == "," else node.end_byte
            yield Edit(node.start_byte, end, ())
        elif node.type in ERASED:
            yield replace(node)
        elif node.type in ("as_expression", "satisfies_expression") or node.type == "non_null_expression":
            yield replace(node, named(node)[0])
        elif (
            node.type == "readonly"
            and up is not None
            and up.type in ("public_field_definition", "required_parameter")
        ) or (
            node.type in ("?", "!", "abstract", "declare")
            and up is not None
            and up.type
            in (
                "optional_parameter",
                "public_field_definition",
                "variable_declarator",
                "abstract_class_declaration",
                "method_definition",
            )
        ):
            yield replace(node)
        elif node.type == "method_definition" and text_of(field_of(node, "name")) == b"constructor":
            own_fields = [
                text_of(field_of(p, "pattern"))
                for p in named(field_of(node, "parameters"))
                if any(c.type in ("accessibility_modifier", "readonly") for c in p.children)
            ]
            body = field_of(node, "body")
            calls = [s for s in named(body) if has(s, "super")]
            spot = calls[0].end_byte if calls else body.start_byte + 1
            if own_fields:
                yield Edit(spot, spot, (b" ".join(b" this.%s = %s;" % (name, name) for name in own_fields),))


def _is_type(node: Node | None) -> bool:
    return node is not None and node.type in ("interface_declaration", "type_alias_declaration")


def renamed_file(code: Code) -> Iterator[Edit]:
    """The same text as TypeScript."""
    yield Edit(len(code.text), len(code.text), (b"\n",))


KINDS = {
    "declaration to arrow": declaration_arrow,
    "arrow to declaration": arrow_declaration,
    "arrow to function expression": arrow_expression,
    "method to field": method_field,
    "body in a function called at once": body_invoked,
    "body in a closure": body_closure,
    "function to method of a class": class_method,
    "function to method of an object": object_method,
    "function to callback of a hook": hook,
    "module in a factory": module_factory,
    "types added": members_declared,
    "types erased": types_erased,
    "JavaScript as TypeScript": renamed_file,
}
ENDINGS = {
    "types added": {".js": ".ts", ".jsx": ".tsx"},
    "types erased": {".ts": ".js", ".tsx": ".jsx"},
    "JavaScript as TypeScript": {".js": ".ts", ".jsx": ".tsx"},
}
"""The kinds that only some endings have, and the ending of what they make."""
