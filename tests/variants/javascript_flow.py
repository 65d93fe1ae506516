"""The same control flow in JavaScript and TypeScript, written in another way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tree_sitter import Node

from variants.rewriting import (
    Code,
    Edit,
    Part,
    Piece,
    before,
    field_of,
    first,
    has,
    holder,
    named,
    names_in,
    own,
    replace,
    text_of,
    walk,
)

BLOCKS = ("program", "statement_block", "switch_case", "switch_default", "class_static_block")
DECLARATIONS = (
    "function_declaration",
    "generator_function_declaration",
    "class_declaration",
    "lexical_declaration",
    "variable_declaration",
    "type_alias_declaration",
    "interface_declaration",
    "enum_declaration",
)
JUMPS = ("return_statement", "throw_statement", "break_statement", "continue_statement")


def statements(block: Node) -> list[Node]:
    """The statements of a block or a case, a case's value left out."""
    values = block.children_by_field_name("value") if block.type == "switch_case" else []
    return [c for c in named(block) if c not in values]


def condition_of(node: Node) -> Node:
    """The condition of an if, without its parentheses."""
    inner = named(field_of(node, "condition"))
    return inner[0]


def negated(condition: Node) -> tuple[Piece, ...]:
    """The opposite of a condition."""
    if condition.type == "unary_expression" and text_of(field_of(condition, "operator")) == b"!":
        return (field_of(condition, "argument"),)
    return (b"!(", condition, b")")


def plain_if(node: Node) -> bool:
    """An if that has no else and is not itself behind an else."""
    return (
        node.type == "if_statement"
        and node.child_by_field_name("alternative") is None
        and node.parent is not None
        and node.parent.type in BLOCKS
    )


def only(node: Node) -> Node:
    """The one statement a block consists of, or the node itself."""
    inside = named(node)
    return inside[0] if node.type == "statement_block" and len(inside) == 1 else node


def jumps(node: Node) -> bool:
    """Whether a branch is nothing but a way out."""
    return only(node).type in JUMPS


def ends(block: Node) -> bool:
    """Whether control never comes out at the end of a statement."""
    if block.type in JUMPS:
        return True
    if block.type == "statement_block":
        return bool(named(block)) and ends(named(block)[-1])
    if block.type == "if_statement":
        other = block.child_by_field_name("alternative")
        return other is not None and ends(field_of(block, "consequence")) and ends(named(other)[0])
    return False


def inside(node: Node) -> list[Piece]:
    """What stands between a block's braces, or the statement."""
    if node.type == "statement_block":
        return [Part(node.start_byte + 1, node.end_byte - 1)]
    return [node]


def declared(block: list[Node]) -> set[bytes]:
    """What statements declare in the block they stand in."""
    found: set[bytes] = set()
    for statement in block:
        if statement.type in ("lexical_declaration", "variable_declaration"):
            for declarator in named(statement):
                if declarator.type == "variable_declarator":
                    found |= names_in(field_of(declarator, "name"))
        elif statement.type in DECLARATIONS:
            found.add(text_of(statement.child_by_field_name("name")))
    return found


def body_of_function(block: Node) -> bool:
    """Whether a block is the body of a function that is no constructor."""
    return (
        block.type == "statement_block"
        and block.parent is not None
        and block.parent.child_by_field_name("body") == block
        and block.parent.type
        in ("function_declaration", "function_expression", "arrow_function", "method_definition")
    )


def body_of_loop(block: Node) -> bool:
    """Whether a block is the body of a loop."""
    return (
        block.type == "statement_block"
        and block.parent is not None
        and block.parent.type in ("for_statement", "for_in_statement", "while_statement")
    )


def way_out(block: Node) -> bytes:
    """The statement that leaves a block as its end does; empty where none does."""
    return b"return" if body_of_function(block) else b"continue" if body_of_loop(block) else b""


def early_return_nested(code: Code) -> Iterator[Edit]:
    """`if (c) return; rest` to `if (!c) { rest }`, and the same with `continue` in loops."""
    for block in code.of("statement_block"):
        out = way_out(block)
        inner = statements(block)
        for index, guard in enumerate(inner[:-1] if out else []):
            rest = inner[index + 1 :]
            if not plain_if(guard) or text_of(only(field_of(guard, "consequence"))).rstrip(b";") != out:
                continue
            if any(s.type in ("function_declaration", "class_declaration") for s in rest):
                continue
            if any(declared(rest) & names_in(earlier) for earlier in inner[: index + 1]):
                continue
            yield Edit(
                guard.start_byte,
                inner[-1].end_byte,
                (
                    b"if (",
                    *negated(condition_of(guard)),
                    b") {\n",
                    Part(rest[0].start_byte, inner[-1].end_byte),
                    b"\n}",
                ),
            )
            break


def else_after_jump(code: Code) -> Iterator[Edit]:
    """`if (c) return x; rest` to `if (c) return x; else { rest }`."""
    for block in code.of("statement_block"):
        inner = statements(block)
        for index, guard in enumerate(inner[:-1]):
            rest = inner[index + 1 :]
            if not plain_if(guard) or not ends(field_of(guard, "consequence")):
                continue
            if any(s.type in ("function_declaration", "class_declaration") for s in rest):
                continue
            if any(declared(rest) & names_in(earlier) for earlier in inner[: index + 1]):
                continue
            body = field_of(guard, "consequence")
            yield Edit(
                body.start_byte,
                inner[-1].end_byte,
                (b"{ ", *inside(body), b"\n} else {\n", Part(rest[0].start_byte, inner[-1].end_byte), b"\n}"),
            )
            break


def nested_early_return(code: Code) -> Iterator[Edit]:
    """A last `if (c) { body }` of a function or a loop to `if (!c) return; body`."""
    for block in code.of("statement_block"):
        out = way_out(block)
        inner = statements(block)
        if not out or not inner or not plain_if(inner[-1]):
            continue
        body = field_of(inner[-1], "consequence")
        taken = {name for s in inner for name in declared([s])}
        clash = body.type == "statement_block" and declared(statements(body)) & taken
        lead, tail = (b" {", b"}") if clash else (b"", b"")
        yield replace(
            inner[-1],
            b"if (",
            *negated(condition_of(inner[-1])),
            b") " + out + b";\n" + lead,
            *inside(body),
            tail,
        )


def branches_swapped(code: Code) -> Iterator[Edit]:
    """`if (c) A else B` to `if (!c) B else A`."""
    for node in code.of("if_statement"):
        other = node.child_by_field_name("alternative")
        if other is None:
            continue
        yield replace(
            node,
            b"if (",
            *negated(condition_of(node)),
            b") {",
            *inside(named(other)[0]),
            b"} else {",
            *inside(field_of(node, "consequence")),
            b"}",
        )


def else_if_nested(code: Code) -> Iterator[Edit]:
    """`else if (c) A` to `else { if (c) A }`."""
    for node in code.of("else_clause"):
        if named(node)[0].type == "if_statement":
            yield replace(named(node)[0], b"{", named(node)[0], b"}")


def and_nested(code: Code) -> Iterator[Edit]:
    """`if (a && b) S` to `if (a) { if (b) S }`."""
    for node in code.of("if_statement"):
        test = condition_of(node)
        if node.child_by_field_name("alternative") is not None or test.type != "binary_expression":
            continue
        if text_of(field_of(test, "operator")) == b"&&":
            yield replace(
                node,
                b"if (",
                field_of(test, "left"),
                b") { if (",
                field_of(test, "right"),
                b") ",
                field_of(node, "consequence"),
                b" }",
            )


def or_split(code: Code) -> Iterator[Edit]:
    """`if (a || b) return x;` to two ifs."""
    for node in code.of("if_statement"):
        test, body = condition_of(node), field_of(node, "consequence")
        if not plain_if(node) or test.type != "binary_expression" or not jumps(body):
            continue
        if text_of(field_of(test, "operator")) == b"||":
            yield replace(
                node,
                b"if (",
                field_of(test, "left"),
                b") ",
                body,
                b"\nif (",
                field_of(test, "right"),
                b") ",
                body,
            )


def ternary_if(code: Code) -> Iterator[Edit]:
    """`return c ? a : b`, `x = c ? a : b` and `const x = c ? a : b` to an if."""
    for node in code.of("ternary_expression"):
        up = node.parent
        if up is None or up.parent is None:
            continue
        test, yes, no = (field_of(node, f) for f in ("condition", "consequence", "alternative"))
        if up.type == "return_statement" and up.parent.type == "statement_block":
            yield replace(up, b"if (", test, b") { return ", yes, b"; } else { return ", no, b"; }")
        elif up.type == "assignment_expression" and up.parent.type == "expression_statement":
            left = field_of(up, "left")
            yield replace(
                up.parent, b"if (", test, b") {", left, b" = ", yes, b";} else {", left, b" = ", no, b";}"
            )
        elif (
            up.type == "variable_declarator"
            and field_of(up, "name").type == "identifier"
            and len(named(up.parent)) == 1
            and up.parent.parent is not None
            and up.parent.parent.type in BLOCKS
        ):
            left = field_of(up, "name")
            shown = Part(left.start_byte, (up.child_by_field_name("type") or left).end_byte)
            yield replace(
                up.parent,
                b"let ",
                shown,
                b"; if (",
                test,
                b") {",
                left,
                b" = ",
                yes,
                b";} else {",
                left,
                b" = ",
                no,
                b";}",
            )


def if_ternary(code: Code) -> Iterator[Edit]:
    """`if (c) return a; return b;` to `return c ? a : b;`."""
    for block in code.of("statement_block"):
        inner = statements(block)
        for guard, last in itertools.pairwise(inner):
            if not plain_if(guard) or last.type != "return_statement" or not named(last):
                continue
            taken = only(field_of(guard, "consequence"))
            if taken.type == "return_statement" and named(taken):
                yield Edit(
                    guard.start_byte,
                    last.end_byte,
                    (
                        b"return (",
                        condition_of(guard),
                        b") ? (",
                        named(taken)[0],
                        b") : (",
                        named(last)[0],
                        b");",
                    ),
                )


def short_circuit(code: Code) -> Iterator[Edit]:
    """`if (c) call();` to `c && call();`."""
    for node in code.of("if_statement"):
        body = only(field_of(node, "consequence"))
        if not plain_if(node) or body.type != "expression_statement":
            continue
        if named(body)[0].type in ("call_expression", "await_expression"):
            yield replace(node, b"(", condition_of(node), b") && (", named(body)[0], b");")


def short_circuit_if(code: Code) -> Iterator[Edit]:
    """`c && call();` to `if (c) { call(); }`."""
    for node in code.of("expression_statement"):
        inner = named(node)[0]
        if inner.type == "binary_expression" and text_of(field_of(inner, "operator")) == b"&&":
            yield replace(node, b"if (", field_of(inner, "left"), b") {", field_of(inner, "right"), b";}")


def switch_if(code: Code) -> Iterator[Edit]:
    """A switch whose cases all end to a chain of ifs."""
    for node in code.of("switch_statement"):
        cases = named(field_of(node, "body"))
        value = named(field_of(node, "value"))[0]
        if not cases or value.type not in ("identifier", "member_expression", "subscript_expression"):
            continue
        pieces: list[Piece] = []
        good = True
        labels: list[Node] = []
        for number, case in enumerate(cases):
            inner = statements(case)
            if len(inner) == 1 and inner[0].type == "statement_block":
                inner = statements(inner[0])
            if case.type == "switch_case":
                labels.append(field_of(case, "value"))
            last = number == len(cases) - 1
            if not inner:
                good = good and case.type == "switch_case" and not last
                continue
            stop = inner[-1].type == "break_statement"
            body = inner[:-1] if stop else inner
            if not (stop or last or ends(inner[-1])) or any(has(s, "break_statement") for s in body):
                good = False
            if case.type == "switch_default":
                good = good and last and not labels
            else:
                pieces += [b"if ("]
                for index, label in enumerate(labels):
                    pieces += [b" || " * bool(index), value, b" === (", label, b")"]
                pieces += [b") "]
                labels = []
            pieces += [b"{\n", *([Part(body[0].start_byte, body[-1].end_byte)] if body else []), b"\n}"]
            pieces += [b" else "] if not last else []
        if good and pieces:
            yield replace(node, *pieces)


def if_switch(code: Code) -> Iterator[Edit]:
    """A chain of `x === literal` to a switch."""
    for node in code.of("if_statement"):
        if node.parent is None or node.parent.type == "else_clause":
            continue
        arms: list[tuple[Node, Node, Node]] = []
        at: Node | None = node
        default: Node | None = None
        while at is not None and at.type == "if_statement":
            test = condition_of(at)
            if test.type != "binary_expression" or text_of(field_of(test, "operator")) not in (b"===", b"=="):
                break
            arms.append((field_of(test, "left"), field_of(test, "right"), field_of(at, "consequence")))
            other = at.child_by_field_name("alternative")
            at = named(other)[0] if other is not None else None
        if at is not None and at.type != "if_statement":
            default, at = at, None
        bodies = [arm[2] for arm in arms] + ([default] if default is not None else [])
        if at is not None or not arms or len({text_of(arm[0]) for arm in arms}) > 1:
            continue
        if any(arm[1].type not in ("string", "number") for arm in arms):
            continue
        if any(has(body, "break_statement") for body in bodies):
            continue
        pieces: list[Piece] = [b"switch (", arms[0][0], b") {\n"]
        for _, literal, body in arms:
            pieces += [b"case ", literal, b": {", *inside(body), b" break; }\n"]
        if default is not None:
            pieces += [b"default: {", *inside(default), b"}\n"]
        yield replace(node, *pieces, b"}")


def for_of_each(code: Code) -> Iterator[Edit]:
    """`for (const x of xs) { body }` to `xs.forEach((x) => { body })`."""
    for node in code.of("for_in_statement"):
        body, left = field_of(node, "body"), field_of(node, "left")
        operator = text_of(node.child_by_field_name("operator"))
        right = field_of(node, "right")
        if operator != b"of" or any(c.type == "await" for c in node.children) or left.type != "identifier":
            continue
        if right.type not in ("identifier", "member_expression") or body.type != "statement_block":
            continue
        if has(
            body,
            "await_expression",
            "yield_expression",
            "return_statement",
            "break_statement",
            "for_in_statement",
        ):
            continue
        if any(text_of(n) in (b"arguments",) for n in walk(body)):
            continue
        if has(body, "for_statement", "while_statement", "labeled_statement"):
            continue
        if node.child_by_field_name("kind") is None:
            continue
        yield replace(node, right, b".forEach((", left, b") => ", body, b");")
        for jump in own(body):
            if jump.type == "continue_statement":
                yield replace(jump, b"return;")


def each_for_of(code: Code) -> Iterator[Edit]:
    """`xs.forEach((x) => { body })` to `for (const x of xs) { body }`."""
    for node in code.of("expression_statement"):
        call = named(node)[0]
        if call.type != "call_expression":
            continue
        callee, arguments = field_of(call, "function"), named(field_of(call, "arguments"))
        if callee.type != "member_expression" or text_of(field_of(callee, "property")) != b"forEach":
            continue
        if len(arguments) != 1 or arguments[0].type != "arrow_function":
            continue
        arrow = arguments[0]
        single = arrow.child_by_field_name("parameter")
        several = named(arrow.child_by_field_name("parameters"))
        if single is None and (len(several) != 1 or text_of(arrow).startswith(b"async")):
            continue
        name = single if single is not None else several[0]
        pattern = name.child_by_field_name("pattern") or name
        body = field_of(arrow, "body")
        if pattern.type not in ("identifier", "array_pattern", "object_pattern") or has(
            body, "return_statement"
        ):
            continue
        yield replace(
            node, b"for (const ", pattern, b" of ", field_of(callee, "object"), b") {", *inside(body), b"}"
        )


def _asynchronous(function: Node | None) -> bool:
    return function is not None and any(c.type == "async" for c in function.children)


def _arrow(block: Node, parameter: bytes) -> tuple[Piece, ...]:
    lead = b"async " if has(block, "await_expression") else b""
    return (lead + parameter + b" => ", block)


def _chainable(node: Node) -> tuple[Node, Node | None, bytes, Node | None] | None:
    if node.parent is None or node.parent.type not in BLOCKS or not _asynchronous(holder(node)):
        return None
    body = field_of(node, "body")
    handler, final = node.child_by_field_name("handler"), node.child_by_field_name("finalizer")
    caught = field_of(handler, "body") if handler is not None else None
    finally_block = field_of(final, "body") if final is not None else None
    for block in (caught, finally_block):
        if block is not None and has(
            block, "return_statement", "break_statement", "continue_statement", "yield_expression"
        ):
            return None
    parameter = handler.child_by_field_name("parameter") if handler is not None else None
    shown = b"(" + text_of(parameter) + b")"
    return body, caught, shown, finally_block


def try_chain(code: Code) -> Iterator[Edit]:
    """`try { await call(); } catch (e) {C} finally {D}` to `await call().catch((e) => {C}).finally(() => {D});`."""
    for node in code.of("try_statement"):
        parts = _chainable(node)
        if parts is None:
            continue
        body, caught, shown, last = parts
        inner = named(body)
        if len(inner) != 1:
            continue
        tail = (
            node.parent is not None and statements(node.parent)[-1] == node and body_of_function(node.parent)
        )
        value = named(inner[0])
        if not value or value[0].type != "await_expression" or named(value[0])[0].type != "call_expression":
            continue
        if inner[0].type == "return_statement":
            if caught is not None and not tail:
                continue
            lead = b"return await "
        elif inner[0].type == "expression_statement":
            lead = b"await "
        else:
            continue
        pieces: list[Piece] = [lead, named(value[0])[0]]
        if caught is not None:
            pieces += [b".catch(", *_arrow(caught, shown), b")"]
        if last is not None:
            pieces += [b".finally(", *_arrow(last, b"()"), b")"]
        yield replace(node, *pieces, b";")


def try_inner_function(code: Code) -> Iterator[Edit]:
    """`try {B} catch (e) {C} finally {D}` to `await (async () => {B})().catch(...).finally(...)`."""
    for node in code.of("try_statement"):
        parts = _chainable(node)
        if parts is None:
            continue
        body, caught, shown, last = parts
        if has(body, "return_statement", "break_statement", "continue_statement", "yield_expression"):
            continue
        pieces: list[Piece] = [b"await (async () => ", body, b")()"]
        if caught is not None:
            pieces += [b".catch(", *_arrow(caught, shown), b")"]
        if last is not None:
            pieces += [b".finally(", *_arrow(last, b"()"), b")"]
        yield replace(node, *pieces, b";")


def chain_try(code: Code) -> Iterator[Edit]:
    """`e.then((v) => {B}).catch((w) => {C}).finally(() => {D})` as a statement to an async function with a try."""
    for node in code.of("expression_statement", "return_statement"):
        inner = named(node)
        if not inner:
            continue
        value = inner[0]
        waits = value.type == "await_expression"
        at = named(value)[0] if waits else value
        steps: dict[bytes, Node] = {}
        order = (b"finally", b"catch", b"then")
        level = 0
        while at.type == "call_expression":
            callee, arguments = field_of(at, "function"), named(field_of(at, "arguments"))
            method = (
                text_of(callee.child_by_field_name("property")) if callee.type == "member_expression" else b""
            )
            if method not in order[level:] or len(arguments) != 1 or arguments[0].type != "arrow_function":
                break
            steps[method] = arguments[0]
            level = order.index(method) + 1
            at = field_of(callee, "object")
        if not steps or at.type not in ("call_expression", "identifier") or has(at, "await_expression"):
            continue
        if node.type == "return_statement" and not waits and _asynchronous(holder(node)):
            continue
        pieces: list[Piece] = [b"(async () => { try { "]
        then, caught, last = (steps.get(name) for name in (b"then", b"catch", b"finally"))
        if then is None:
            pieces += [b"return await ", at, b";"]
        else:
            shown = then.child_by_field_name("parameter") or first(then.child_by_field_name("parameters"))
            pieces += [b"const ", shown, b" = "] if shown is not None else []
            pieces += [b"await ", at, b";", *_body(then)]
        pieces += [b"}"]
        if caught is not None:
            shown = caught.child_by_field_name("parameter") or first(caught.child_by_field_name("parameters"))
            pieces += [b" catch", *_between(b" (", shown, b")"), b" {", *_body(caught), b"}"]
        if last is not None:
            pieces += [b" finally {", *_body(last, plain=True), b"}"]
        elif caught is None:
            pieces += [b" finally {}"]
        yield replace(value, b"await " * waits, *pieces, b" })()")


def _between(start: bytes, node: Node | None, end: bytes) -> list[Piece]:
    return [start, node, end] if node is not None else []


def _body(arrow: Node, plain: bool = False) -> list[Piece]:
    body = field_of(arrow, "body")
    if body.type == "statement_block":
        return inside(body)
    return [b"" if plain else b"return ", body, b";"]


def statements_between(code: Code) -> Iterator[Edit]:
    """A statement that does nothing, a comment and a logging call before each statement."""
    for block in code.of(*BLOCKS):
        for statement in statements(block):
            if statement.type in ("import_statement", "comment", "hash_bang_line"):
                continue
            if statement.type == "expression_statement" and named(statement)[0].type == "string":
                continue
            name = code.name()
            yield before(
                statement,
                b"/* a remark */ let "
                + name
                + b" = 0; "
                + name
                + b' += 2; console.debug("step", '
                + name
                + b");\n",
            )


def comments_between(code: Code) -> Iterator[Edit]:
    """A comment before each statement and each member of a class."""
    for block in code.of(*BLOCKS, "class_body"):
        for statement in statements(block):
            yield before(statement, b"// a remark: clearTimeout(timer), seen.add(id)\n/* another */ ")


KINDS = {
    "early return to nested if": early_return_nested,
    "else after a jump": else_after_jump,
    "nested if to early return": nested_early_return,
    "branches swapped": branches_swapped,
    "else if nested": else_if_nested,
    "and to nested ifs": and_nested,
    "or to two ifs": or_split,
    "ternary to if": ternary_if,
    "if to ternary": if_ternary,
    "if to short circuit": short_circuit,
    "short circuit to if": short_circuit_if,
    "switch to ifs": switch_if,
    "ifs to switch": if_switch,
    "for-of to forEach": for_of_each,
    "forEach to for-of": each_for_of,
    "try to promise chain": try_chain,
    "try to chain of an inner function": try_inner_function,
    "promise chain to try": chain_try,
    "statements between": statements_between,
    "comments between": comments_between,
}
