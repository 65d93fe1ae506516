"""The same program in Go, written in another way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tree_sitter import Node

from variants.rewriting import (
    Code,
    Edit,
    Part,
    Piece,
    after,
    before,
    copied,
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

JUMPS = ("return_statement", "break_statement", "continue_statement")
BRANCHES = (
    "break_statement",
    "continue_statement",
    "goto_statement",
    "fallthrough_statement",
    "labeled_statement",
)


def lists(code: Code) -> Iterator[list[Node]]:
    """The statements of each block and case."""
    for node in code.of("statement_list"):
        yield named(node)


def body(block: Node) -> list[Node]:
    """The statements of a block."""
    inner = named(block)
    return named(inner[0]) if inner and inner[0].type == "statement_list" else []


def inside(block: Node) -> Part:
    """What stands between the braces."""
    return Part(block.start_byte + 1, block.end_byte - 1)


def negated(condition: Node) -> tuple[Piece, ...]:
    """The opposite of a condition."""
    if condition.type == "unary_expression" and text_of(condition).startswith(b"!"):
        return (field_of(condition, "operand"),)
    return (b"!(", condition, b")")


def plain_if(node: Node) -> bool:
    """An if without an initializer and without an else, not itself behind one."""
    return (
        node.type == "if_statement"
        and node.child_by_field_name("initializer") is None
        and node.child_by_field_name("alternative") is None
        and node.parent is not None
        and node.parent.type == "statement_list"
    )


def ends(statement: Node) -> bool:
    """Whether control never goes on after a statement."""
    return statement.type in JUMPS


def function_of(block: Node) -> Node | None:
    """The function a block is the body of."""
    up = block.parent
    if up is not None and up.type in ("function_declaration", "method_declaration", "func_literal"):
        return up
    return None


def way_out(block: Node) -> bytes:
    """The statement that leaves a block as its end does; empty for none."""
    function = function_of(block)
    if function is not None:
        return b"return" if function.child_by_field_name("result") is None else b""
    return b"continue" if block.parent is not None and block.parent.type == "for_statement" else b""


def early_return_nested(code: Code) -> Iterator[Edit]:
    """`if c { return }; rest` to `if !c { rest }`, and the same with `continue`."""
    for block in code.of("block"):
        out, inner = way_out(block), body(block)
        for index, guard in enumerate(inner[:-1] if out else []):
            if not plain_if(guard) or [text_of(s) for s in body(field_of(guard, "consequence"))] != [out]:
                continue
            rest = inner[index + 1 :]
            yield Edit(
                guard.start_byte,
                inner[-1].end_byte,
                (
                    b"if ",
                    *negated(field_of(guard, "condition")),
                    b" {\n",
                    Part(rest[0].start_byte, inner[-1].end_byte),
                    b"\n}",
                ),
            )
            break


def else_after_jump(code: Code) -> Iterator[Edit]:
    """`if c { return x }; rest` to `if c { return x } else { rest }`."""
    for block in code.of("block"):
        function, inner = function_of(block), body(block)
        if function is not None and function.child_by_field_name("result") is not None:
            continue
        for index, guard in enumerate(inner[:-1]):
            consequence = guard.child_by_field_name("consequence")
            if (
                not plain_if(guard)
                or consequence is None
                or not body(consequence)
                or not ends(body(consequence)[-1])
            ):
                continue
            rest = inner[index + 1 :]
            yield Edit(
                consequence.end_byte,
                inner[-1].end_byte,
                (b" else {\n", Part(rest[0].start_byte, inner[-1].end_byte), b"\n}"),
            )
            break


def nested_early_return(code: Code) -> Iterator[Edit]:
    """A last `if c { body }` to `if !c { return }; body`."""
    for block in code.of("block"):
        out, inner = way_out(block), body(block)
        if not out or not inner or not plain_if(inner[-1]):
            continue
        yield replace(
            inner[-1],
            b"if ",
            *negated(field_of(inner[-1], "condition")),
            b" {\n" + out + b"\n}\n{",
            inside(field_of(inner[-1], "consequence")),
            b"}",
        )


def _ahead(start: Node | None) -> list[Piece]:
    return [start, b"; "] if start is not None else []


def branches_swapped(code: Code) -> Iterator[Edit]:
    """`if c A else B` to `if !c B else A`."""
    for node in code.of("if_statement"):
        other = node.child_by_field_name("alternative")
        if other is None:
            continue
        start = node.child_by_field_name("initializer")
        yield replace(
            node,
            b"if ",
            *_ahead(start),
            *negated(field_of(node, "condition")),
            b" {",
            inside(other) if other.type == "block" else other,
            b"} else {",
            inside(field_of(node, "consequence")),
            b"}",
        )


def _logical(node: Node, operator: bytes) -> bool:
    return node.type == "binary_expression" and text_of(field_of(node, "operator")) == operator


def and_nested(code: Code) -> Iterator[Edit]:
    """`if a && b S` to `if a { if b S }`."""
    for node in code.of("if_statement"):
        test = field_of(node, "condition")
        if node.child_by_field_name("alternative") is None and _logical(test, b"&&"):
            yield Edit(
                test.start_byte, test.end_byte, (field_of(test, "left"), b" { if ", field_of(test, "right"))
            )
            yield after(node, b"\n}")


def or_split(code: Code) -> Iterator[Edit]:
    """`if a || b { return x }` to two ifs."""
    for node in code.of("if_statement"):
        test, consequence = field_of(node, "condition"), field_of(node, "consequence")
        inner = body(consequence)
        if plain_if(node) and _logical(test, b"||") and len(inner) == 1 and ends(inner[0]):
            yield replace(
                node,
                b"if ",
                field_of(test, "left"),
                b" ",
                consequence,
                b"\nif ",
                field_of(test, "right"),
                b" ",
                consequence,
            )


def initializer_split(code: Code) -> Iterator[Edit]:
    """`if x := f(); c S` to `{ x := f(); if c S }`."""
    for node in code.of("if_statement"):
        start = node.child_by_field_name("initializer")
        if start is None or node.parent is None or node.parent.type != "statement_list":
            continue
        yield replace(
            node, b"{\n", start, b"\nif ", Part(field_of(node, "condition").start_byte, node.end_byte), b"\n}"
        )


def initializer_joined(code: Code) -> Iterator[Edit]:
    """`x := f(); if c S` at the end of a block to `if x := f(); c S`."""
    for inner in lists(code):
        if len(inner) < 2 or not plain_if(inner[-1]) or inner[-2].type != "short_var_declaration":
            continue
        start, last = inner[-2], inner[-1]
        if has(start, "composite_literal", "func_literal"):
            continue
        yield Edit(
            start.start_byte,
            last.end_byte,
            (b"if ", start, b"; ", Part(field_of(last, "condition").start_byte, last.end_byte)),
        )


def _case_values(case: Node) -> list[Node]:
    return named(field_of(case, "value"))


def _case_body(case: Node) -> list[Node]:
    inner = [c for c in case.named_children if c.type == "statement_list"]
    return named(inner[0]) if inner else []


def switch_if(code: Code) -> Iterator[Edit]:
    """A switch to a chain of ifs."""
    for node in code.of("expression_switch_statement"):
        cases = [c for c in named(node) if c.type in ("expression_case", "default_case")]
        value, start = node.child_by_field_name("value"), node.child_by_field_name("initializer")
        if not cases or node.parent is None or node.parent.type != "statement_list":
            continue
        if value is not None and value.type not in ("identifier", "selector_expression"):
            continue
        if any(c.type == "default_case" for c in cases[:-1]) or cases[0].type == "default_case":
            continue
        if any(has(c, "break_statement", "fallthrough_statement") for c in cases):
            continue
        pieces: list[Piece] = [b"{\n", start, b"\n"] if start is not None else []
        for number, case in enumerate(cases):
            inner = _case_body(case)
            pieces += [b" else "] if number else []
            if case.type == "expression_case":
                pieces += [b"if "]
                for index, label in enumerate(_case_values(case)):
                    pieces += [
                        b" || " * bool(index),
                        *([value, b" == "] if value is not None else [b"("]),
                        label,
                    ]
                    pieces += [b")"] if value is None else []
            pieces += [b" {\n", *([Part(inner[0].start_byte, inner[-1].end_byte)] if inner else []), b"\n}"]
        yield replace(node, *pieces, *([b"\n}"] if start is not None else []))


def if_switch(code: Code) -> Iterator[Edit]:
    """A chain of ifs to a switch without a value."""
    for node in code.of("if_statement"):
        if node.parent is None or node.parent.type != "statement_list" or has(node, "break_statement"):
            continue
        start = node.child_by_field_name("initializer")
        pieces: list[Piece] = [b"switch ", *_ahead(start), b"{\n"]
        at: Node | None = node
        good = True
        while at is not None:
            if at.type == "block":
                pieces += [b"default:", inside(at)]
                break
            good = good and (at is node or at.child_by_field_name("initializer") is None)
            pieces += [b"case ", field_of(at, "condition"), b":", inside(field_of(at, "consequence"))]
            at = at.child_by_field_name("alternative")
        if good:
            yield replace(node, *pieces, b"}")


def short_var(code: Code) -> Iterator[Edit]:
    """`x := e` to `var x = e`."""
    for node in code.of("short_var_declaration"):
        names = named(field_of(node, "left"))
        if node.parent is None or node.parent.type != "statement_list" or len(names) != 1:
            continue
        yield replace(node, b"var ", field_of(node, "left"), b" = ", field_of(node, "right"))


def compound(code: Code) -> Iterator[Edit]:
    """`x += y` to `x = x + (y)`, `x++` to `x = x + 1`."""
    for node in code.of("assignment_statement"):
        left, operator = field_of(node, "left"), text_of(field_of(node, "operator"))
        if operator in (b"+=", b"-=") and not has(left, "call_expression"):
            yield replace(
                node, left, b" = ", copied(left), b" " + operator[:1] + b" (", field_of(node, "right"), b")"
            )
    for node in code.of("inc_statement"):
        if not has(node, "call_expression"):
            yield replace(node, named(node)[0], b" = ", copied(named(node)[0]), b" + 1")


def uncompound(code: Code) -> Iterator[Edit]:
    """`x = x + y` to `x += y`."""
    for node in code.of("assignment_statement"):
        left, right = named(field_of(node, "left")), named(field_of(node, "right"))
        if text_of(field_of(node, "operator")) != b"=" or len(left) != 1 or len(right) != 1:
            continue
        if _logical(right[0], b"+") and text_of(field_of(right[0], "left")) == text_of(left[0]):
            yield replace(node, left[0], b" += ", field_of(right[0], "right"))


def parenthesised(code: Code) -> Iterator[Edit]:
    """Conditions and values in parentheses."""
    for node in code.of("if_statement"):
        test = field_of(node, "condition")
        yield replace(test, b"(", test, b")")
    for node in code.of("short_var_declaration", "assignment_statement", "return_statement"):
        values = node.child_by_field_name("right") if node.type != "return_statement" else first(node)
        inner = named(values)
        if len(inner) == 1 and inner[0].type in ("binary_expression", "identifier", "selector_expression"):
            yield replace(inner[0], b"(", inner[0], b")")


def constants_named(code: Code) -> Iterator[Edit]:
    """Numbers and texts in comparisons and arguments to constants of the package."""
    made: dict[bytes, bytes] = {}
    for node in code.of("int_literal", "interpreted_string_literal"):
        up = node.parent
        if up is None or up.type not in ("binary_expression", "argument_list"):
            continue
        if node.type != "int_literal" and up.type == "argument_list":
            continue
        if text_of(node) not in made:
            made[text_of(node)] = code.name()
        yield replace(node, made[text_of(node)])
    if made:
        text = b"".join(b"\nconst %s = %s\n" % (name, value) for value, name in made.items())
        yield Edit(len(code.text), len(code.text), (text,))


def guard_constant(code: Code) -> Iterator[Edit]:
    """`if c S` to `k := c; if k S`."""
    for node in code.of("if_statement"):
        if node.child_by_field_name("initializer") is None and _in_list(node):
            name, test = code.name(), field_of(node, "condition")
            yield before(node, name + b" := ", copied(test), b"\n")
            yield replace(test, name)


def guard_closure(code: Code) -> Iterator[Edit]:
    """`if c S` to `k := func() bool { return c }; if k() S`."""
    for node in code.of("if_statement"):
        if node.child_by_field_name("initializer") is None and _in_list(node):
            name, test = code.name(), field_of(node, "condition")
            yield before(node, name + b" := func() bool { return ", copied(test), b" }\n")
            yield replace(test, name + b"()")


def _in_list(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "statement_list"


def _parameters(function: Node) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for node in [function.child_by_field_name("receiver"), function.child_by_field_name("parameters")]:
        for parameter in named(node):
            if parameter.type == "parameter_declaration":
                for name in parameter.children_by_field_name("name"):
                    found[text_of(name)] = text_of(field_of(parameter, "type"))
    return found


def _locals(function: Node) -> set[bytes]:
    found: set[bytes] = set()
    for node in walk(function):
        if node.type in ("short_var_declaration", "range_clause", "receive_statement"):
            left = node.child_by_field_name("left")
            found |= names_in(left) if left is not None else set()
        elif node.type == "var_spec" or (
            node.type == "parameter_declaration"
            and node.parent is not None
            and node.parent.parent != function
        ):
            found |= {text_of(n) for n in node.children_by_field_name("name")}
    return found


def _variables(node: Node) -> set[bytes]:
    return {text_of(n) for n in walk(node) if n.type == "identifier"}


def _guards(code: Code) -> Iterator[tuple[Node, Node, dict[bytes, bytes]]]:
    """Conditions over parameters, receivers and fields only, with their function and its parameters."""
    for node in code.of("if_statement"):
        function = holder(node)
        while function is not None and function.type == "func_literal":
            function = holder(function)
        test = field_of(node, "condition")
        if (
            function is None
            or has(test, "func_literal")
            or function.child_by_field_name("type_parameters") is not None
        ):
            continue
        if _variables(test) & _locals(function):
            continue
        parameters = _parameters(function)
        if any(kind.startswith(b"...") for kind in parameters.values()):
            continue
        yield test, function, {k: v for k, v in parameters.items() if k in _variables(test)}


def guard_predicate(code: Code) -> Iterator[Edit]:
    """`if c S` to `if p(a, b) S` with a function of the package."""
    for test, _, used in _guards(code):
        name = code.name()
        shown = b", ".join(b"%s %s" % item for item in used.items())
        yield Edit(
            len(code.text),
            len(code.text),
            (b"\nfunc " + name + b"(" + shown + b") bool {\nreturn ", copied(test), b"\n}\n"),
        )
        yield replace(test, name + b"(" + b", ".join(used) + b")")


def guard_method(code: Code) -> Iterator[Edit]:
    """`if t.a > b S` to `if t.p(b) S` with a method."""
    for test, function, used in _guards(code):
        receiver = function.child_by_field_name("receiver")
        own_name = next(iter(_parameters_of(receiver)), b"")
        if receiver is None or own_name not in used:
            continue
        name = code.name()
        rest = {k: v for k, v in used.items() if k != own_name}
        shown = b", ".join(b"%s %s" % item for item in rest.items())
        yield Edit(
            len(code.text),
            len(code.text),
            (
                b"\nfunc ",
                Part(receiver.start_byte, receiver.end_byte),
                b" " + name + b"(" + shown + b") bool {\nreturn ",
                copied(test),
                b"\n}\n",
            ),
        )
        yield replace(test, own_name + b"." + name + b"(" + b", ".join(rest) + b")")


def _parameters_of(node: Node | None) -> Iterator[bytes]:
    for parameter in named(node):
        for name in parameter.children_by_field_name("name"):
            yield text_of(name)


def _is_release(call: Node) -> bool:
    callee = field_of(call, "function")
    if callee.type == "selector_expression":
        return text_of(field_of(callee, "field")) in (b"Stop", b"Close") and not named(
            field_of(call, "arguments")
        )
    return callee.type == "identifier" and text_of(callee).startswith((b"cancel", b"stop"))


def defer_function(code: Code) -> Iterator[Edit]:
    """`defer t.Stop()` to `defer func() { t.Stop() }()`."""
    for node in code.of("defer_statement"):
        call = named(node)[0]
        if call.type == "call_expression" and _is_release(call):
            yield replace(call, b"func() {\n", call, b"\n}()")


def release_helper(code: Code) -> Iterator[Edit]:
    """`t.Stop()` to a call of a function literal that does it, made just before."""
    for node in code.of("expression_statement", "defer_statement"):
        call = named(node)[0]
        if call.type == "call_expression" and _is_release(call) and _in_list(node):
            name = code.name()
            yield before(node, name + b" := func() { ", copied(call), b" }\n")
            yield replace(call, name + b"()")


def statements_between(code: Code) -> Iterator[Edit]:
    """A statement that does nothing, a comment and a logging call before each statement."""
    for inner in lists(code):
        for statement in inner:
            if statement.type != "labeled_statement" and _not_first_of_label(statement):
                name = code.name()
                yield before(
                    statement,
                    b"// a remark\nvar "
                    + name
                    + b" int\n"
                    + name
                    + b' += 2\nlog.Print("step", '
                    + name
                    + b")\n",
                )


def _not_first_of_label(statement: Node) -> bool:
    return statement.parent is None or statement.parent.type == "statement_list"


def comments_between(code: Code) -> Iterator[Edit]:
    """A comment before each statement and each declaration."""
    for inner in [*lists(code), named(code.root)]:
        for statement in inner:
            if statement.type != "package_clause":
                yield before(statement, b"// a remark: timer.Stop(), seen[id] = true\n")


def _outer(code: Code) -> Iterator[Node]:
    for node in code.of("function_declaration", "method_declaration"):
        block = node.child_by_field_name("body")
        if block is None or not body(block) or any(n.type == "goto_statement" for n in walk(node)):
            continue
        result = node.child_by_field_name("result")
        if any(p.child_by_field_name("name") is not None for p in named(result)):
            continue
        yield node


def body_invoked(code: Code) -> Iterator[Edit]:
    """`{ body }` to `{ return func() T { body }() }`."""
    for node in _outer(code):
        block, result = field_of(node, "body"), node.child_by_field_name("result")
        kind = text_of(result) + b" "
        lead = b"return " if result is not None else b""
        yield replace(block, b"{\n" + lead + b"func() " + kind, block, b"()\n}")


def body_closure(code: Code) -> Iterator[Edit]:
    """`{ body }` to `{ run := func() T { body }; return run() }`."""
    for node in _outer(code):
        block, result, name = field_of(node, "body"), node.child_by_field_name("result"), code.name()
        lead = b"return " if result is not None else b""
        yield replace(
            block,
            b"{\n" + name + b" := func() " + text_of(result) + b" ",
            block,
            b"\n" + lead + name + b"()\n}",
        )


def function_method(code: Code) -> Iterator[Edit]:
    """A function that the file does not call to a method of a struct."""
    for node in code.of("function_declaration"):
        name = field_of(node, "name")
        uses = [n for n in code.nodes if n.type == "identifier" and text_of(n) == text_of(name)]
        if len(uses) > 1 or text_of(name) in (b"main", b"init") or text_of(name).startswith(b"Test"):
            continue
        if node.child_by_field_name("type_parameters") is not None:
            continue
        kind = code.name()
        yield Edit(
            node.start_byte, name.start_byte, (b"type " + kind + b" struct{}\n\nfunc (z " + kind + b") ",)
        )


def functions_reversed(code: Code) -> Iterator[Edit]:
    """The functions of a file in the opposite order."""
    movable = [n for n in named(code.root) if n.type in ("function_declaration", "method_declaration")]
    for here, there in zip(movable, reversed(movable), strict=True):
        if here != there:
            yield replace(here, there)


def parameters_apart(code: Code) -> Iterator[Edit]:
    """`(a, b int)` to `(a int, b int)`."""
    for node in code.of("parameter_declaration"):
        names = node.children_by_field_name("name")
        if len(names) > 1:
            kind = text_of(field_of(node, "type"))
            pieces: list[Piece] = []
            for index, name in enumerate(names):
                pieces += [b", " * bool(index), name, b" " + kind]
            yield replace(node, *pieces)


def reordered(code: Code) -> Iterator[Edit]:
    """Neighbouring declarations of plain values change places."""
    done = -1
    for inner in lists(code):
        for one, two in itertools.pairwise(inner):
            kinds = ("short_var_declaration", "var_declaration")
            if one.start_byte < done or one.type not in kinds or two.type not in kinds:
                continue
            if any(
                n.type in ("call_expression", "unary_expression", "selector_expression")
                for s in (one, two)
                for n in own(s)
            ):
                continue
            if names_in(one) & names_in(two):
                continue
            done = two.end_byte
            yield Edit(one.start_byte, two.end_byte, (two, Part(one.end_byte, two.start_byte), one))


KINDS = {
    "early return to nested if": early_return_nested,
    "else after a jump": else_after_jump,
    "nested if to early return": nested_early_return,
    "branches swapped": branches_swapped,
    "and to nested ifs": and_nested,
    "or to two ifs": or_split,
    "initializer before the if": initializer_split,
    "initializer into the if": initializer_joined,
    "switch to ifs": switch_if,
    "ifs to switch": if_switch,
    "short declaration to var": short_var,
    "compound assignment written out": compound,
    "assignment made compound": uncompound,
    "parentheses": parenthesised,
    "constants named": constants_named,
    "guard to constant": guard_constant,
    "guard to closure": guard_closure,
    "guard to predicate": guard_predicate,
    "guard to method": guard_method,
    "defer of a function": defer_function,
    "release to local helper": release_helper,
    "statements between": statements_between,
    "comments between": comments_between,
    "body in a function called at once": body_invoked,
    "body in a closure": body_closure,
    "function to method": function_method,
    "functions in the opposite order": functions_reversed,
    "parameters apart": parameters_apart,
    "declarations reordered": reordered,
}
