"""The same expressions and functions in JavaScript and TypeScript, written in another way."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tree_sitter import Node

from variants.javascript_flow import BLOCKS, condition_of, declared, statements
from variants.rewriting import (
    Code,
    Edit,
    Part,
    after,
    before,
    copied,
    field_of,
    has,
    holder,
    named,
    names_in,
    own,
    replace,
    text_of,
    walk,
)

RELEASES = {b"clearTimeout", b"clearInterval"}
RELEASING = {b"cancel", b"abort", b"unref", b"close"}


def top(code: Code) -> Edit | None:
    """An empty edit at the first statement that is no import, to put new text at."""
    for statement in named(code.root):
        if statement.type in ("import_statement", "hash_bang_line"):
            continue
        if statement.type == "expression_statement" and named(statement)[0].type == "string":
            continue
        return before(statement)
    return None


def at_top(code: Code, *pieces: bytes | Part | Node) -> Edit:
    """New text before the first statement that is no import."""
    spot = top(code)
    assert spot is not None
    return Edit(spot.start, spot.end, pieces)


def scope_of(node: Node) -> dict[bytes, bytes]:
    """What the functions around a node declare, with the text of its type annotation."""
    found: dict[bytes, bytes] = {}
    at = holder(node)
    while at is not None:
        single = at.child_by_field_name("parameter")
        for parameter in [single] if single is not None else named(at.child_by_field_name("parameters")):
            pattern = parameter.child_by_field_name("pattern") or parameter
            kind = text_of(parameter.child_by_field_name("type"))
            for name in names_in(pattern):
                found.setdefault(name, kind if pattern.type == "identifier" else b"")
        for inner in own(at):
            if inner.type == "variable_declarator":
                pattern = field_of(inner, "name")
                kind = text_of(inner.child_by_field_name("type"))
                for name in names_in(pattern):
                    found.setdefault(name, kind if pattern.type == "identifier" else b"")
            elif inner.type in ("function_declaration", "class_declaration"):
                found.setdefault(text_of(field_of(inner, "name")), b"")
            elif (
                inner.type == "catch_clause"
                and (caught := inner.child_by_field_name("parameter")) is not None
            ):
                for name in names_in(caught):
                    found.setdefault(name, b"")
            elif inner.type == "for_in_statement":
                for name in names_in(field_of(inner, "left")):
                    found.setdefault(name, b"")
        at = holder(at)
    return found


def variables(node: Node) -> set[bytes]:
    """The variables an expression reads."""
    return {text_of(n) for n in walk(node) if n.type in ("identifier", "shorthand_property_identifier")}


def is_pure(node: Node) -> bool:
    """Whether an expression may be moved to where it is evaluated on its own."""
    return not any(
        n.type
        in ("await_expression", "yield_expression", "assignment_expression", "update_expression", "super")
        or n.type == "augmented_assignment_expression"
        for n in walk(node)
    )


def own_this(function: Node) -> bool:
    """Whether a function needs a `this` or an `arguments` of its own."""
    return any(
        n.type in ("this", "super", "meta_property")
        or (n.type == "identifier" and text_of(n) == b"arguments")
        for n in walk(function)
    )


def parenthesised(code: Code) -> Iterator[Edit]:
    """Values and arguments in parentheses."""
    for node in code.of("variable_declarator", "assignment_expression", "arguments", "return_statement"):
        if node.type == "arguments":
            inner = [n for n in named(node) if n.type != "spread_element"]
        elif node.type == "return_statement":
            inner = named(node)
        else:
            value = node.child_by_field_name("value") or node.child_by_field_name("right")
            inner = [value] if value is not None else []
        for value in inner:
            if value.type in (
                "call_expression",
                "binary_expression",
                "member_expression",
                "await_expression",
                "identifier",
            ):
                yield replace(value, b"(", value, b")")


def compound(code: Code) -> Iterator[Edit]:
    """`x += y` to `x = x + (y)`."""
    for node in code.of("augmented_assignment_expression"):
        left, operator = field_of(node, "left"), text_of(field_of(node, "operator"))
        if operator in (b"+=", b"-=") and not has(left, "call_expression"):
            yield replace(
                node, left, b" = ", copied(left), b" " + operator[:1] + b" (", field_of(node, "right"), b")"
            )


def uncompound(code: Code) -> Iterator[Edit]:
    """`x = x + y` to `x += y`."""
    for node in code.of("assignment_expression"):
        left, right = field_of(node, "left"), field_of(node, "right")
        if right.type != "binary_expression" or text_of(field_of(right, "left")) != text_of(left):
            continue
        operator = text_of(field_of(right, "operator"))
        if operator in (b"+", b"-"):
            yield replace(node, left, b" " + operator + b"= ", field_of(right, "right"))


def template_concat(code: Code) -> Iterator[Edit]:
    """A template to a concatenation."""
    for node in code.of("template_string"):
        up = node.parent
        if (up is not None and up.type == "call_expression") or not named(node) or b"\\" in text_of(node):
            continue
        pieces: list[bytes | Part | Node] = [b'(""']
        for child in named(node):
            if child.type == "template_substitution":
                pieces += [b" + (", named(child)[0], b")"]
            else:
                pieces += [b" + " + json.dumps(text_of(child).decode(), ensure_ascii=False).encode()]
        yield replace(node, *pieces, b")")


def _operands(node: Node) -> list[Node]:
    if node.type == "binary_expression" and text_of(field_of(node, "operator")) == b"+":
        return [*_operands(field_of(node, "left")), field_of(node, "right")]
    return [node]


def concat_template(code: Code) -> Iterator[Edit]:
    """A concatenation that starts with a text to a template."""
    for node in code.of("binary_expression"):
        parts = _operands(node)
        up = node.parent
        if up is not None and up.type == "binary_expression" and field_of(up, "left") == node:
            continue
        if len(parts) < 2 or not any(p.type == "string" for p in parts[:2]):
            continue
        if any(c in text_of(p) for p in parts if p.type == "string" for c in (b"`", b"$", b"\\")):
            continue
        pieces: list[bytes | Part | Node] = [b"`"]
        for part in parts:
            if part.type == "string":
                pieces += [Part(part.start_byte + 1, part.end_byte - 1)]
            else:
                pieces += [b"${", part, b"}"]
        yield replace(node, *pieces, b"`")


def destructuring_members(code: Code) -> Iterator[Edit]:
    """`const { a, b: c } = e;` to `const t = e; const a = t.a; const c = t.b;`."""
    for node in code.of("lexical_declaration"):
        declarators = [n for n in named(node) if n.type == "variable_declarator"]
        if len(declarators) != 1 or node.parent is None or node.parent.type not in BLOCKS:
            continue
        pattern, value = field_of(declarators[0], "name"), declarators[0].child_by_field_name("value")
        if pattern.type != "object_pattern" or value is None:
            continue
        keyword = text_of(node.child_by_field_name("kind")) or b"const"
        pieces: list[bytes | Part | Node] = []
        source: bytes | Node = value
        if value.type != "identifier":
            source = code.name()
            pieces += [b"const ", source, b" = ", value, b";\n"]
        good = True
        for item in named(pattern):
            if item.type == "shorthand_property_identifier_pattern":
                pieces += [keyword + b" ", item, b" = ", source, b"." + text_of(item) + b"; "]
            elif item.type == "pair_pattern" and field_of(item, "value").type == "identifier":
                key = field_of(item, "key")
                good = good and key.type == "property_identifier"
                pieces += [
                    keyword + b" ",
                    field_of(item, "value"),
                    b" = ",
                    source,
                    b"." + text_of(key) + b"; ",
                ]
            else:
                good = False
        if good and named(pattern):
            yield replace(node, *pieces)


def members_destructuring(code: Code) -> Iterator[Edit]:
    """`const a = e.a;` to `const { a } = e;`, `const c = e.b;` to `const { b: c } = e;`."""
    for node in code.of("variable_declarator"):
        name, value = field_of(node, "name"), node.child_by_field_name("value")
        if name.type != "identifier" or value is None or value.type != "member_expression":
            continue
        if (
            value.child_by_field_name("optional_chain") is not None
            or node.child_by_field_name("type") is not None
        ):
            continue
        key = field_of(value, "property")
        if key.type != "property_identifier":
            continue
        inner = [name] if text_of(key) == text_of(name) else [key, b": ", name]
        yield replace(node, b"{ ", *inner, b" } = ", field_of(value, "object"))


def parameter_destructured(code: Code) -> Iterator[Edit]:
    """`({ a, b }) => {...}` to `(p) => { const { a, b } = p; ... }`."""
    for node in code.of("arrow_function", "function_declaration", "method_definition", "function_expression"):
        body = field_of(node, "body")
        for parameter in named(node.child_by_field_name("parameters")):
            pattern = parameter.child_by_field_name("pattern") or parameter
            if pattern.type != "object_pattern" or parameter.child_by_field_name("value") is not None:
                continue
            name = code.name()
            yield replace(pattern, name)
            lead: list[bytes | Part | Node] = [b" const ", copied(pattern), b" = " + name + b"; "]
            if body.type == "statement_block":
                yield Edit(body.start_byte + 1, body.start_byte + 1, tuple(lead))
            else:
                yield replace(body, b"{", *lead, b"return ", body, b"; }")
            break


def chained(code: Code) -> Iterator[Edit]:
    """`a.b();` to `a?.b();`."""
    for node in code.of("expression_statement"):
        call = named(node)[0]
        if call.type == "await_expression":
            call = named(call)[0]
        if call.type != "call_expression":
            continue
        callee = field_of(call, "function")
        if callee.type != "member_expression" or callee.child_by_field_name("optional_chain") is not None:
            continue
        target = field_of(callee, "object")
        if target.type == "member_expression" or (
            target.type == "identifier" and text_of(target) in scope_of(node)
        ):
            yield after(target, b"?")


def constants_named(code: Code) -> Iterator[Edit]:
    """Numbers and texts in comparisons and arguments to constants of the module."""
    made: dict[bytes, bytes] = {}
    for node in code.of("number", "string"):
        up = node.parent
        if up is None or (
            up.type != "binary_expression" and (up.type != "arguments" or node.type == "string")
        ):
            continue
        if text_of(node) not in made:
            made[text_of(node)] = code.name()
        yield replace(node, made[text_of(node)])
    if made:
        yield at_top(code, *(b"const %s = %s;\n" % (name, value) for value, name in made.items()))


def guard_constant(code: Code) -> Iterator[Edit]:
    """`if (c) S` to `const k = c; if (k) S`."""
    for node in code.of("if_statement"):
        if node.parent is None or node.parent.type not in BLOCKS:
            continue
        name, test = code.name(), condition_of(node)
        yield before(node, b"const " + name + b" = ", copied(test), b";\n")
        yield replace(test, name)


def guard_closure(code: Code) -> Iterator[Edit]:
    """`if (c) S` to `const k = () => c; if (k()) S`."""
    for node in code.of("if_statement"):
        test = condition_of(node)
        if node.parent is None or node.parent.type not in BLOCKS or not is_pure(test):
            continue
        name = code.name()
        yield before(node, b"const " + name + b" = () => ", copied(test), b";\n")
        yield replace(test, name + b"()")


def guard_predicate(code: Code) -> Iterator[Edit]:
    """`if (c) S` to `if (p(a, b)) S` with a function of the module."""
    for node in code.of("if_statement"):
        test = condition_of(node)
        if not is_pure(test) or any(n.type in ("this", "arrow_function") for n in walk(test)):
            continue
        scope = scope_of(node)
        used = sorted(variables(test) & scope.keys())
        name = code.name()
        shown = b", ".join(v + scope[v] * code.typed() for v in used)
        yield Edit(
            len(code.text),
            len(code.text),
            (b"\nfunction " + name + b"(" + shown + b") { return ", copied(test), b"; }\n"),
        )
        yield replace(test, name + b"(" + b", ".join(used) + b")")


def _class_of(node: Node) -> Node | None:
    """The class whose `this` a node has."""
    at = holder(node)
    while at is not None and at.type == "arrow_function":
        at = holder(at)
    if at is None or at.type != "method_definition" or any(c.type == "static" for c in at.children):
        return None
    body = at.parent
    return body if body is not None and body.type == "class_body" else None


def guard_getter(code: Code) -> Iterator[Edit]:
    """`if (this.a > this.b) S` to `if (this.g) S` with a getter."""
    for node in code.of("if_statement"):
        test, home = condition_of(node), _class_of(node)
        if home is None or not is_pure(test) or not any(n.type == "this" for n in walk(test)):
            continue
        if variables(test) & scope_of(node).keys() or has(test, "arrow_function"):
            continue
        name = code.name()
        yield Edit(
            home.end_byte - 1, home.end_byte - 1, (b" get " + name + b"() { return ", copied(test), b"; }\n")
        )
        yield replace(test, b"this." + name)


def guard_method(code: Code) -> Iterator[Edit]:
    """`if (this.a > b) S` to `if (this.g(b)) S` with a method."""
    for node in code.of("if_statement"):
        test, home = condition_of(node), _class_of(node)
        if home is None or not is_pure(test) or not any(n.type == "this" for n in walk(test)):
            continue
        if has(test, "arrow_function"):
            continue
        scope = scope_of(node)
        used = sorted(variables(test) & scope.keys())
        shown = b", ".join(v + scope[v] * code.typed() for v in used)
        name = code.name()
        yield Edit(
            home.end_byte - 1,
            home.end_byte - 1,
            (b" " + name + b"(" + shown + b") { return ", copied(test), b"; }\n"),
        )
        yield replace(test, b"this." + name + b"(" + b", ".join(used) + b")")


def releases(code: Code) -> Iterator[tuple[Node, Node, Node]]:
    """Statements that end something: the statement, the call, and the variable or member it ends."""
    for node in code.of("expression_statement"):
        call = named(node)[0]
        if call.type != "call_expression" or node.parent is None or node.parent.type not in BLOCKS:
            continue
        callee, arguments = field_of(call, "function"), named(field_of(call, "arguments"))
        if text_of(callee).rpartition(b".")[2] in RELEASES and len(arguments) == 1:
            yield node, call, arguments[0]
        elif (
            callee.type == "member_expression"
            and text_of(field_of(callee, "property")) in RELEASING
            and not arguments
        ):
            yield node, call, field_of(callee, "object")


def release_parameter(code: Code) -> Iterator[Edit]:
    """`clearTimeout(t);` to `stop(t);` with a function of the module."""
    for _, call, target in releases(code):
        if target.type not in ("identifier", "member_expression"):
            continue
        name = code.name()
        edit = Edit(target.start_byte, target.end_byte, (b"h",))
        body = _copied(call, edit, code.text)
        yield Edit(len(code.text), len(code.text), (b"\nfunction " + name + b"(h) { " + body + b"; }\n",))
        yield replace(call, name + b"(", target, b")")


def _copied(node: Node, edit: Edit, text: bytes) -> bytes:
    return (
        text[node.start_byte : edit.start]
        + b"".join(p for p in edit.pieces if isinstance(p, bytes))
        + text[edit.end : node.end_byte]
    )


def _declaration(node: Node, name: bytes) -> Node | None:
    """The statement of a block around a node that declares a name."""
    at: Node | None = node
    while at is not None:
        up = at.parent
        if up is not None and up.type in BLOCKS:
            for sibling in statements(up):
                if name in declared([sibling]) and sibling.type == "lexical_declaration":
                    return sibling
        at = up
    return None


def release_helper(code: Code) -> Iterator[Edit]:
    """`clearTimeout(t);` to `stop();` with a function beside the variable."""
    for _, call, target in releases(code):
        if target.type != "identifier":
            continue
        declaration = _declaration(call, text_of(target))
        if declaration is None or declaration.end_byte > call.start_byte:
            continue
        name = code.name()
        yield after(declaration, b"\nconst " + name + b" = () => { ", copied(call), b"; };")
        yield replace(call, name + b"()")


def release_method(code: Code) -> Iterator[Edit]:
    """`clearTimeout(this.t);` to `this.stop();` with a method."""
    for _, call, target in releases(code):
        home = _class_of(call)
        if home is None or not text_of(target).startswith(b"this.") or variables(target):
            continue
        name = code.name()
        yield Edit(home.end_byte - 1, home.end_byte - 1, (b" " + name + b"() { ", copied(call), b"; }\n"))
        yield replace(call, b"this." + name + b"()")


def reordered(code: Code) -> Iterator[Edit]:
    """Neighbouring declarations that do not speak of each other change places."""
    done = -1
    for block in code.of(*BLOCKS):
        for one, two in zip(statements(block), statements(block)[1:], strict=False):
            if (
                one.start_byte < done
                or one.type != "lexical_declaration"
                or two.type != "lexical_declaration"
            ):
                continue
            if not (_constant(one) and _constant(two)):
                continue
            if declared([one]) & names_in(two) or declared([two]) & names_in(one):
                continue
            done = two.end_byte
            yield Edit(one.start_byte, two.end_byte, (two, Part(one.end_byte, two.start_byte), one))


def _constant(declaration: Node) -> bool:
    return all(
        n.type
        not in (
            "call_expression",
            "await_expression",
            "new_expression",
            "member_expression",
            "subscript_expression",
        )
        or (
            n.type == "new_expression"
            and text_of(field_of(n, "constructor")) in (b"Map", b"Set", b"WeakMap", b"WeakSet")
        )
        for n in own(declaration)
    )


def members_reversed(code: Code) -> Iterator[Edit]:
    """The methods of a class, and the functions of a module, in the opposite order."""
    for home in [*code.of("class_body"), code.root]:
        movable = [
            n
            for n in named(home)
            if n.type in ("method_definition", "function_declaration")
            or (n.type == "export_statement" and _is_function(n.child_by_field_name("declaration")))
        ]
        if code.typed() and has(home, "function_signature"):
            continue
        if any(c.type == "decorator" for n in movable for c in n.children) or len(movable) < 2:
            continue
        if any(c.type == "decorator" for c in home.children):
            continue
        for here, there in zip(movable, reversed(movable), strict=True):
            if here != there:
                yield replace(here, there)


def _is_function(node: Node | None) -> bool:
    return node is not None and node.type == "function_declaration"


KINDS = {
    "parentheses": parenthesised,
    "compound assignment written out": compound,
    "assignment made compound": uncompound,
    "template to concatenation": template_concat,
    "concatenation to template": concat_template,
    "destructuring to members": destructuring_members,
    "members to destructuring": members_destructuring,
    "parameter destructured inside": parameter_destructured,
    "optional chaining": chained,
    "constants named": constants_named,
    "guard to constant": guard_constant,
    "guard to closure": guard_closure,
    "guard to predicate": guard_predicate,
    "guard to getter": guard_getter,
    "guard to method": guard_method,
    "release to function of the module": release_parameter,
    "release to local helper": release_helper,
    "release to method": release_method,
    "declarations reordered": reordered,
    "functions in the opposite order": members_reversed,
}
