"""The same expressions and functions in Python, written in another way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tree_sitter import Node

from variants.python_flow import column, import_line, pad, part
from variants.rewriting import (
    Code,
    Edit,
    Part,
    Piece,
    before,
    copied,
    field_of,
    first,
    has,
    holder,
    named,
    own,
    replace,
    text_of,
    walk,
)

OPAQUE = (
    "await",
    "yield",
    "named_expression",
    "lambda",
    "list_comprehension",
    "generator_expression",
    "set_comprehension",
)


def parenthesised(code: Code) -> Iterator[Edit]:
    """Values and conditions in parentheses."""
    for node in code.of("assignment", "if_statement", "return_statement"):
        field = {"assignment": "right", "if_statement": "condition"}.get(node.type, "")
        value = node.child_by_field_name(field) if field else first(node)
        if value is not None and value.type in (
            "call",
            "attribute",
            "identifier",
            "boolean_operator",
            "comparison_operator",
            "await",
        ):
            yield replace(value, b"(", value, b")")


def compound(code: Code) -> Iterator[Edit]:
    """`x += y` to `x = x + (y)`."""
    for node in code.of("augmented_assignment"):
        left, operator = field_of(node, "left"), text_of(field_of(node, "operator"))
        if operator in (b"+=", b"-=") and not has(left, "call"):
            yield replace(
                node, left, b" = ", copied(left), b" " + operator[:1] + b" (", field_of(node, "right"), b")"
            )


def uncompound(code: Code) -> Iterator[Edit]:
    """`x = x + y` to `x += y`."""
    for node in code.of("assignment"):
        left, right = field_of(node, "left"), node.child_by_field_name("right")
        if (
            right is None
            or right.type != "binary_operator"
            or text_of(field_of(right, "left")) != text_of(left)
        ):
            continue
        if text_of(field_of(right, "operator")) in (b"+", b"-"):
            yield replace(
                node, left, b" " + text_of(field_of(right, "operator")) + b"= ", field_of(right, "right")
            )


def format_concat(code: Code) -> Iterator[Edit]:
    """`f"a{b}"` to `("a" + str(b))`."""
    for node in code.of("string"):
        parts = [c for c in node.children if c.type in ("string_content", "interpolation")]
        start = text_of(node.children[0])
        if start not in (b'f"', b"f'") or not any(c.type == "interpolation" for c in parts):
            continue
        if any(c.type == "interpolation" and len(named(c)) > 1 for c in parts) or b"\\" in text_of(node):
            continue
        if any(b"{{" in text_of(c) or b"}}" in text_of(c) for c in parts if c.type == "string_content"):
            continue
        if node.parent is not None and node.parent.type == "concatenated_string":
            continue
        if any(text_of(c).rstrip(b"}").endswith(b"=") for c in parts if c.type == "interpolation"):
            continue
        pieces: list[Piece] = [b'(""']
        for piece in parts:
            if piece.type == "interpolation":
                pieces += [b" + str(", field_of(piece, "expression"), b")"]
            else:
                pieces += [b" + " + start[1:] + text_of(piece) + start[1:]]
        yield replace(node, *pieces, b")")


def constants_named(code: Code) -> Iterator[Edit]:
    """Numbers and texts in comparisons and arguments to constants of the module."""
    made: dict[bytes, bytes] = {}
    for node in code.of("integer", "float", "string"):
        up = node.parent
        if (
            up is None
            or up.type not in ("comparison_operator", "argument_list")
            or has(node, "interpolation")
        ):
            continue
        if node.type == "string" and (up.type == "argument_list" or text_of(node)[:1] not in (b'"', b"'")):
            continue
        if text_of(node) not in made:
            made[text_of(node)] = code.name().upper()
        yield replace(node, made[text_of(node)])
    if made:
        yield import_line(code, b"".join(b"%s = %s\n" % (name, value) for value, name in made.items()))


def _guards(code: Code) -> Iterator[tuple[Node, Node]]:
    for node in code.of("if_statement"):
        test = field_of(node, "condition")
        if not has(test, *OPAQUE) and not any(n.type in OPAQUE for n in walk(test)):
            yield node, test


def guard_constant(code: Code) -> Iterator[Edit]:
    """`if c:` to `k = c` and `if k:`."""
    for node, test in _guards(code):
        name = code.name()
        yield before(node, name + b" = (", copied(test), b")" + pad(column(node)))
        yield replace(test, name)


def guard_closure(code: Code) -> Iterator[Edit]:
    """`if c:` to `def k(): return c` and `if k():`."""
    for node, test in _guards(code):
        if holder(node) is None:
            continue
        name, at = code.name(), column(node)
        yield before(node, b"def " + name + b"():" + pad(at + 4) + b"return (", copied(test), b")" + pad(at))
        yield replace(test, name + b"()")


def scope_of(node: Node) -> dict[bytes, bytes]:
    """The names that the functions around a node bind, with the annotations of parameters."""
    found: dict[bytes, bytes] = {}
    at = holder(node)
    while at is not None:
        for parameter in named(at.child_by_field_name("parameters")):
            name = parameter
            while name.type != "identifier" and named(name):
                name = parameter.child_by_field_name("name") or named(name)[0]
            kind = parameter.child_by_field_name("type")
            plain = parameter.type in ("typed_parameter", "typed_default_parameter") and not text_of(
                parameter
            ).startswith(b"*")
            found.setdefault(text_of(name), b": " + text_of(kind) if kind is not None and plain else b"")
        outer = {
            text_of(n)
            for s in own(at)
            if s.type in ("global_statement", "nonlocal_statement")
            for n in named(s)
        }
        for inner in own(at):
            targets: list[Node | None] = []
            if inner.type in ("assignment", "augmented_assignment", "for_statement", "for_in_clause"):
                targets = [inner.child_by_field_name("left")]
            elif inner.type == "named_expression":
                targets = [inner.child_by_field_name("name")]
            elif inner.type == "as_pattern_target":
                targets = [inner]
            elif inner.type in ("function_definition", "class_definition") and inner is not at:
                targets = [inner.child_by_field_name("name")]
            elif inner.type == "case_pattern":
                targets = [inner]
            for target in targets:
                if target is None or target.type in ("attribute", "subscript"):
                    continue
                for name in walk(target):
                    if name.type == "identifier" and text_of(name) not in outer:
                        found.setdefault(text_of(name), b"")
        at = holder(at)
    return found


def _variables(node: Node) -> set[bytes]:
    return {
        text_of(n)
        for n in walk(node)
        if n.type == "identifier"
        and not (
            n.parent is not None
            and n.parent.type == "attribute"
            and n.parent.child_by_field_name("attribute") == n
        )
        and not (
            n.parent is not None
            and n.parent.type == "keyword_argument"
            and n.parent.child_by_field_name("name") == n
        )
    }


def guard_predicate(code: Code) -> Iterator[Edit]:
    """`if c:` to `if p(a, b):` with a function of the module."""
    for node, test in _guards(code):
        scope = scope_of(node)
        used = sorted(_variables(test) & scope.keys())
        if holder(node) is None or b"self" in used:
            continue
        name = code.name()
        shown = b", ".join(v + scope[v] for v in used)
        yield Edit(
            len(code.text),
            len(code.text),
            (b"\n\ndef " + name + b"(" + shown + b"):\n    return (", copied(test), b")\n"),
        )
        yield replace(test, name + b"(" + b", ".join(used) + b")")


def _method_of(node: Node) -> Node | None:
    """The method of a class around a node whose `self` it has."""
    at = holder(node)
    while at is not None:
        up = at.parent
        first = named(at.child_by_field_name("parameters"))
        if first and text_of(first[0]) == b"self":
            if (
                up is not None
                and up.type == "block"
                and up.parent is not None
                and up.parent.type == "class_definition"
            ):
                return at
            return None
        at = holder(at)
    return None


def guard_method(code: Code) -> Iterator[Edit]:
    """`if self.a > b:` to `if self.p(b):` with a method."""
    yield from _in_class(code, property_=False)


def guard_property(code: Code) -> Iterator[Edit]:
    """`if self.a > self.b:` to `if self.p:` with a property."""
    yield from _in_class(code, property_=True)


def _in_class(code: Code, property_: bool) -> Iterator[Edit]:
    for node, test in _guards(code):
        method = _method_of(node)
        used = sorted(_variables(test) & scope_of(node).keys())
        if method is None or b"self" not in used or (property_ and used != [b"self"]):
            continue
        name, at = code.name(), column(method)
        scope = scope_of(node)
        rest = [v for v in used if v != b"self"]
        shown = b", ".join([b"self", *(v + scope[v] for v in rest)])
        lead = pad(at) + b"@property" if property_ else b""
        yield Edit(
            method.end_byte,
            method.end_byte,
            (
                b"\n" + lead + pad(at) + b"def " + name + b"(" + shown + b"):" + pad(at + 4) + b"return (",
                copied(test),
                b")",
            ),
        )
        yield replace(test, b"self." + name + (b"" if property_ else b"(" + b", ".join(rest) + b")"))


def _releases(code: Code) -> Iterator[tuple[Node, Node, Node]]:
    for node in code.of("expression_statement"):
        call = named(node)[0]
        if call.type != "call" or named(field_of(call, "arguments")):
            continue
        callee = field_of(call, "function")
        if (
            callee.type == "attribute"
            and text_of(field_of(callee, "attribute")) == b"cancel"
            and holder(node) is not None
        ):
            yield node, call, field_of(callee, "object")


def release_helper(code: Code) -> Iterator[Edit]:
    """`t.cancel()` to a call of a local function that does it, made just before the outermost statement."""
    for node, call, _ in _releases(code):
        name, at = code.name(), column(node)
        yield before(node, b"def " + name + b"():" + pad(at + 4), copied(call), pad(at))
        yield replace(call, name + b"()")


def release_parameter(code: Code) -> Iterator[Edit]:
    """`t.cancel()` to `stop(t)` with a function of the module."""
    for _, call, target in _releases(code):
        name = code.name()
        yield Edit(len(code.text), len(code.text), (b"\n\ndef " + name + b"(h):\n    h.cancel()\n",))
        yield replace(call, name + b"(", target, b")")


def release_method(code: Code) -> Iterator[Edit]:
    """`self.t.cancel()` to `self.stop()` with a method."""
    for _, call, target in _releases(code):
        method = _method_of(call)
        if method is None or _variables(target) != {b"self"}:
            continue
        name, at = code.name(), column(method)
        yield Edit(
            method.end_byte,
            method.end_byte,
            (b"\n" + pad(at) + b"def " + name + b"(self):" + pad(at + 4), copied(call)),
        )
        yield replace(call, b"self." + name + b"()")


def _bodies(code: Code) -> Iterator[tuple[Node, list[Node], bytes]]:
    """Functions with their bodies but the documentation, and the names that an inner function must share."""
    for function in code.of("function_definition"):
        block = field_of(function, "body")
        inner = named(block)
        if inner and inner[0].type == "expression_statement" and named(inner[0])[0].type == "string":
            inner = inner[1:]
        if not inner or block.start_point[0] == function.start_point[0] or has(block, "yield"):
            continue
        if holder(function) is not None or text_of(field_of(function, "name")).startswith(b"__"):
            continue
        if any(n.type == "identifier" and text_of(n) in (b"super", b"__class__") for n in walk(block)):
            continue
        parameters = {text_of(n) for n in walk(field_of(function, "parameters")) if n.type == "identifier"}
        written = set()
        for node in own(block):
            left = (
                node.child_by_field_name("left")
                if node.type in ("assignment", "augmented_assignment", "for_statement")
                else None
            )
            if left is not None and left.type not in ("attribute", "subscript"):
                written |= {text_of(n) for n in walk(left) if n.type == "identifier"}
        yield function, inner, b", ".join(sorted(written & parameters))


def body_closure(code: Code) -> Iterator[Edit]:
    """A body in a function of its own that is called at once."""
    for function, inner, shared in _bodies(code):
        name, at = code.name(), column(inner[0])
        lead, wait = (b"async ", b"await ") if text_of(function).startswith(b"async") else (b"", b"")
        share = b"nonlocal " + shared + pad(at + 4) if shared else b""
        yield Edit(
            inner[0].start_byte,
            inner[-1].end_byte,
            (
                lead + b"def " + name + b"():" + pad(at + 4) + share,
                part(inner[0], inner[-1], 4),
                pad(at) + b"return " + wait + name + b"()",
            ),
        )


def _alone(code: Code) -> Iterator[Node]:
    for node in named(code.root):
        if node.type != "function_definition":
            continue
        name = text_of(field_of(node, "name"))
        uses = [n for n in code.nodes if n.type == "identifier" and text_of(n) == name]
        if len(uses) == 1 and not name.startswith((b"test_", b"_")):
            yield node


def function_method(code: Code) -> Iterator[Edit]:
    """A function that the file does not call to a method of a class."""
    for node in _alone(code):
        parameters = field_of(node, "parameters")
        yield replace(
            node,
            b"class " + code.name().title() + b":\n    ",
            Part(node.start_byte, parameters.start_byte, 4),
            b"(self" + (b", " if named(parameters) else b""),
            Part(parameters.start_byte + 1, node.end_byte, 4),
        )


def function_static(code: Code) -> Iterator[Edit]:
    """A function that the file does not call to a static method of a class."""
    for node in _alone(code):
        yield replace(
            node,
            b"class " + code.name().title() + b":\n    @staticmethod\n    ",
            Part(node.start_byte, node.end_byte, 4),
        )


def functions_reversed(code: Code) -> Iterator[Edit]:
    """The functions of a module, and the methods of a class, in the opposite order."""
    for home in [code.root, *(field_of(n, "body") for n in code.of("class_definition"))]:
        movable = [n for n in named(home) if n.type == "function_definition"]
        for here, there in zip(movable, reversed(movable), strict=True):
            if here != there:
                yield replace(here, there)


def types_erased(code: Code) -> Iterator[Edit]:
    """A file without the annotations of functions and variables of functions."""
    for node in code.of("function_definition"):
        kind = node.child_by_field_name("return_type")
        if kind is not None:
            yield Edit(field_of(node, "parameters").end_byte, kind.end_byte, ())
        for parameter in named(field_of(node, "parameters")):
            annotation = parameter.child_by_field_name("type")
            if annotation is not None:
                yield Edit(named(parameter)[0].end_byte, annotation.end_byte, ())
    for node in code.of("assignment"):
        annotation, left = node.child_by_field_name("type"), field_of(node, "left")
        if (
            annotation is not None
            and node.child_by_field_name("right") is not None
            and holder(node) is not None
        ):
            yield Edit(left.end_byte, annotation.end_byte, ())


def types_added(code: Code) -> Iterator[Edit]:
    """Annotations where a value shows the type."""
    shown = {"integer": b"int", "string": b"str", "true": b"bool", "false": b"bool", "float": b"float"}
    for node in code.of("assignment"):
        left, right = field_of(node, "left"), node.child_by_field_name("right")
        if right is None or node.child_by_field_name("type") is not None or right.type not in shown:
            continue
        first = not any(
            text_of(n.child_by_field_name("left")) == text_of(left) and n.start_byte < node.start_byte
            for n in code.of("assignment", "augmented_assignment")
        )
        shared = any(
            text_of(left) in {text_of(n) for n in named(s)}
            for s in code.of("global_statement", "nonlocal_statement")
        )
        up = node.parent
        if (
            left.type == "identifier"
            and first
            and not shared
            and up is not None
            and up.type == "expression_statement"
        ):
            yield Edit(left.end_byte, left.end_byte, (b": " + shown[right.type],))
    for node in code.of("function_definition"):
        if node.child_by_field_name("return_type") is None and not has(
            field_of(node, "body"), "return_statement", "yield"
        ):
            end = field_of(node, "parameters").end_byte
            yield Edit(end, end, (b" -> None",))


def reordered(code: Code) -> Iterator[Edit]:
    """Neighbouring assignments of plain values change places."""
    done = -1
    for block in code.of("block", "module"):
        inner = named(block)
        for one, two in itertools.pairwise(inner):
            pair = [named(s)[0] for s in (one, two) if s.type == "expression_statement"]
            if one.start_byte < done or len(pair) != 2 or any(n.type != "assignment" for n in pair):
                continue
            if any(n.type in ("call", "await", "yield", "subscript") for s in pair for n in walk(s)):
                continue
            if any(s.child_by_field_name("right") is None for s in pair):
                continue
            lefts = [{text_of(field_of(s, "left"))} for s in pair]
            reads = [{text_of(n) for n in walk(field_of(s, "right"))} for s in pair]
            if lefts[0] & (reads[1] | lefts[1]) or lefts[1] & reads[0]:
                continue
            done = two.end_byte
            yield Edit(one.start_byte, two.end_byte, (two, Part(one.end_byte, two.start_byte), one))


KINDS = {
    "parentheses": parenthesised,
    "compound assignment written out": compound,
    "assignment made compound": uncompound,
    "format to concatenation": format_concat,
    "constants named": constants_named,
    "guard to constant": guard_constant,
    "guard to closure": guard_closure,
    "guard to predicate": guard_predicate,
    "guard to method": guard_method,
    "guard to property": guard_property,
    "release to local helper": release_helper,
    "release to function of the module": release_parameter,
    "release to method": release_method,
    "body in a closure": body_closure,
    "function to method": function_method,
    "function to static method": function_static,
    "functions in the opposite order": functions_reversed,
    "types erased": types_erased,
    "types added": types_added,
    "declarations reordered": reordered,
}
