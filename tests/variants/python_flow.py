"""The same control flow in Python, written in another way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tree_sitter import Node

from variants.rewriting import Code, Edit, Part, Piece, before, field_of, has, named, replace, text_of

JUMPS = ("return_statement", "raise_statement", "break_statement", "continue_statement")


def column(node: Node) -> int:
    """The column a node starts at, from 0."""
    return node.start_point[1]


def pad(columns: int) -> bytes:
    """A new line with its indentation."""
    return b"\n" + b" " * columns


def part(first: Node, last: Node, shift: int = 0) -> Part:
    """From one statement to another."""
    return Part(first.start_byte, last.end_byte, shift)


def block_of(node: Node, name: str = "consequence") -> list[Node]:
    """The statements of a branch; empty where it stands on the line of its header."""
    block = field_of(node, name)
    return named(block) if block.start_point[0] > node.start_point[0] else []


def negated(condition: Node) -> tuple[Piece, ...]:
    """The opposite of a condition."""
    if condition.type == "not_operator":
        return (field_of(condition, "argument"),)
    return (b"not (", condition, b")")


def plain_if(node: Node) -> bool:
    """An if with neither elif nor else."""
    return (
        node.type == "if_statement"
        and not node.children_by_field_name("alternative")
        and bool(block_of(node))
    )


def function_of(block: Node) -> Node | None:
    """The function a block is the body of."""
    return block.parent if block.parent is not None and block.parent.type == "function_definition" else None


def way_out(block: Node) -> bytes:
    """The statement that leaves a block as its end does; empty for none."""
    if function_of(block) is not None:
        return b"return"
    loops = ("for_statement", "while_statement")
    if (
        block.parent is not None
        and block.parent.type in loops
        and block.parent.child_by_field_name("body") == block
    ):
        return b"continue"
    return b""


def early_return_nested(code: Code) -> Iterator[Edit]:
    """`if c: return` and the rest to `if not c:` with the rest inside."""
    for block in code.of("block"):
        out, inner = way_out(block), named(block)
        for index, guard in enumerate(inner[:-1] if out else []):
            if not plain_if(guard) or [text_of(s) for s in block_of(guard)] != [out]:
                continue
            test = field_of(guard, "condition")
            yield Edit(
                guard.start_byte,
                inner[-1].end_byte,
                (b"if ", *negated(test), b":" + pad(column(guard) + 4), part(inner[index + 1], inner[-1], 4)),
            )
            break


def else_after_jump(code: Code) -> Iterator[Edit]:
    """`if c: return x` and the rest to `else:` with the rest inside."""
    for block in code.of("block"):
        inner = named(block)
        for index, guard in enumerate(inner[:-1]):
            if plain_if(guard) and block_of(guard)[-1].type in JUMPS:
                yield Edit(
                    guard.end_byte,
                    inner[-1].end_byte,
                    (
                        pad(column(guard)) + b"else:" + pad(column(guard) + 4),
                        part(inner[index + 1], inner[-1], 4),
                    ),
                )
                break


def nested_early_return(code: Code) -> Iterator[Edit]:
    """A last `if c:` of a function or a loop to `if not c: return` before its body."""
    for block in code.of("block"):
        out, inner = way_out(block), named(block)
        if not out or not inner or not plain_if(inner[-1]):
            continue
        guard = inner[-1]
        branch = block_of(guard)
        yield replace(
            guard,
            b"if ",
            *negated(field_of(guard, "condition")),
            b":" + pad(column(guard) + 4) + out + pad(column(guard)),
            part(branch[0], branch[-1], column(guard) - column(branch[0])),
        )


def branches_swapped(code: Code) -> Iterator[Edit]:
    """`if c: A else: B` to `if not c: B else: A`."""
    for node in code.of("if_statement"):
        others = node.children_by_field_name("alternative")
        if (
            len(others) != 1
            or others[0].type != "else_clause"
            or not block_of(node)
            or not block_of(others[0], "body")
        ):
            continue
        first, second = block_of(node), block_of(others[0], "body")
        inner = pad(column(node) + 4)
        yield replace(
            node,
            b"if ",
            *negated(field_of(node, "condition")),
            b":" + inner,
            part(second[0], second[-1]),
            pad(column(node)) + b"else:" + inner,
            part(first[0], first[-1]),
        )


def elif_nested(code: Code) -> Iterator[Edit]:
    """The last `elif c:` to `else:` with an if inside."""
    for node in code.of("if_statement"):
        others = node.children_by_field_name("alternative")
        arms = [o for o in others if o.type == "elif_clause"]
        if not arms or not block_of(arms[-1]):
            continue
        rest = others[others.index(arms[-1]) :]
        at = column(node)
        yield Edit(
            arms[-1].start_byte,
            rest[-1].end_byte,
            (b"else:" + pad(at + 4), Part(arms[-1].start_byte + 2, rest[-1].end_byte, 4)),
        )


def _operator(node: Node) -> bytes:
    return text_of(field_of(node, "operator")) if node.type == "boolean_operator" else b""


def and_nested(code: Code) -> Iterator[Edit]:
    """`if a and b:` to two ifs."""
    for node in code.of("if_statement"):
        test = field_of(node, "condition")
        if plain_if(node) and _operator(test) == b"and":
            branch = block_of(node)
            yield replace(
                node,
                b"if ",
                field_of(test, "left"),
                b":" + pad(column(node) + 4) + b"if ",
                field_of(test, "right"),
                b":" + pad(column(node) + 8),
                part(branch[0], branch[-1], 4),
            )


def or_split(code: Code) -> Iterator[Edit]:
    """`if a or b: return x` to two ifs."""
    for node in code.of("if_statement"):
        test = field_of(node, "condition")
        if not plain_if(node) or _operator(test) != b"or" or len(block_of(node)) != 1:
            continue
        jump = block_of(node)[0]
        if jump.type in JUMPS:
            inner = b":" + pad(column(node) + 4)
            yield replace(
                node,
                b"if ",
                field_of(test, "left"),
                inner,
                jump,
                pad(column(node)) + b"if ",
                field_of(test, "right"),
                inner,
                jump,
            )


def ternary_if(code: Code) -> Iterator[Edit]:
    """`x = a if c else b` and `return a if c else b` to an if."""
    for node in code.of("conditional_expression"):
        up = node.parent
        yes, test, no = named(node)
        if up is None or up.parent is None:
            continue
        if up.type == "return_statement":
            lead: tuple[Piece, ...] = (b"return ",)
            statement = up
        elif (
            up.type == "assignment"
            and up.parent.type == "expression_statement"
            and up.child_by_field_name("type") is None
        ):
            lead = (field_of(up, "left"), b" = ")
            statement = up.parent
        else:
            continue
        inner, level = pad(column(statement) + 4), pad(column(statement))
        yield replace(statement, b"if ", test, b":" + inner, *lead, yes, level + b"else:" + inner, *lead, no)


def if_ternary(code: Code) -> Iterator[Edit]:
    """`if c: return a` and `return b` to `return a if c else b`."""
    for block in code.of("block"):
        inner = named(block)
        for guard, last in itertools.pairwise(inner):
            if not plain_if(guard) or last.type != "return_statement" or len(named(last)) != 1:
                continue
            first = block_of(guard)
            if len(first) == 1 and first[0].type == "return_statement" and len(named(first[0])) == 1:
                yield Edit(
                    guard.start_byte,
                    last.end_byte,
                    (
                        b"return (",
                        named(first[0])[0],
                        b") if (",
                        field_of(guard, "condition"),
                        b") else (",
                        named(last)[0],
                        b")",
                    ),
                )


def if_match(code: Code) -> Iterator[Edit]:
    """A chain of `x == literal` to a match."""
    for node in code.of("if_statement"):
        arms = [node, *(o for o in node.children_by_field_name("alternative") if o.type == "elif_clause")]
        last = [o for o in node.children_by_field_name("alternative") if o.type == "else_clause"]
        tests = [field_of(a, "condition") for a in arms]
        if any(t.type != "comparison_operator" or len(named(t)) != 2 for t in tests):
            continue
        if any(text_of(t.child_by_field_name("operators")) != b"==" for t in tests):
            continue
        if any(
            named(t)[1].type not in ("string", "integer") or has(named(t)[1], "interpolation") for t in tests
        ):
            continue
        if len({text_of(named(t)[0]) for t in tests}) > 1 or not all(block_of(a) for a in arms):
            continue
        if last and not block_of(last[0], "body"):
            continue
        at = column(node)
        pieces: list[Piece] = [b"match ", named(tests[0])[0], b":"]
        for arm, test in zip(arms, tests, strict=True):
            branch = block_of(arm)
            pieces += [
                pad(at + 4) + b"case ",
                named(test)[1],
                b":" + pad(at + 8),
                part(branch[0], branch[-1], 4),
            ]
        if last:
            branch = block_of(last[0], "body")
            pieces += [pad(at + 4) + b"case _:" + pad(at + 8), part(branch[0], branch[-1], 4)]
        yield replace(node, *pieces)


def match_if(code: Code) -> Iterator[Edit]:
    """A match of literals to a chain of ifs."""
    for node in code.of("match_statement"):
        cases = [c for c in named(field_of(node, "body")) if c.type == "case_clause"]
        subject = node.child_by_field_name("subject")
        if subject is None or subject.type not in ("identifier", "attribute", "subscript") or not cases:
            continue
        pieces: list[Piece] = []
        good = True
        for number, case in enumerate(cases):
            patterns = [c for c in named(case) if c.type == "case_pattern"]
            branch = named(field_of(case, "consequence"))
            guard = case.child_by_field_name("guard")
            if (
                len(patterns) != 1
                or guard is not None
                or field_of(case, "consequence").start_point[0] == case.start_point[0]
            ):
                good = False
                break
            label = named(patterns[0])
            if text_of(patterns[0]) == b"_" and number == len(cases) - 1 and number:
                pieces += [b"else:"]
            elif len(label) == 1 and label[0].type in ("string", "integer"):
                pieces += [b"elif " if number else b"if ", subject, b" == ", label[0], b":"]
            else:
                good = False
                break
            pieces += [
                pad(column(node) + 4),
                part(branch[0], branch[-1], column(node) + 4 - column(branch[0])),
            ]
            pieces += [pad(column(node))] if number < len(cases) - 1 else []
        if good:
            yield replace(node, *pieces)


def walrus_split(code: Code) -> Iterator[Edit]:
    """`if (x := f()) ...` to an assignment and an if."""
    for node in code.of("if_statement"):
        test = field_of(node, "condition")
        first = test
        while first.type in (
            "boolean_operator",
            "comparison_operator",
            "parenthesized_expression",
            "not_operator",
        ):
            first = named(first)[0]
        if first.type == "named_expression":
            yield before(node, field_of(first, "name"), b" = ", field_of(first, "value"), pad(column(node)))
            whole = (
                first.parent
                if first.parent is not None and first.parent.type == "parenthesized_expression"
                else first
            )
            yield replace(whole, b"(", field_of(first, "name"), b")")


def with_split(code: Code) -> Iterator[Edit]:
    """`with a, b:` to two of them."""
    for node in code.of("with_statement"):
        clause = named(node)[0]
        items = named(clause)
        branch = named(field_of(node, "body"))
        if len(items) < 2 or field_of(node, "body").start_point[0] == node.start_point[0]:
            continue
        lead = b"async with " if text_of(node).startswith(b"async") else b"with "
        pieces: list[Piece] = []
        for number, item in enumerate(items):
            pieces += [lead, item, b":" + pad(column(node) + 4 * (number + 1))]
        yield replace(node, *pieces, part(branch[0], branch[-1], 4 * (len(items) - 1)))


def _bodies(code: Code) -> Iterator[list[Node]]:
    """The statements of each function, its documentation left out."""
    for function in code.of("function_definition"):
        block = field_of(function, "body")
        inner = named(block)
        if inner and inner[0].type == "expression_statement" and named(inner[0])[0].type == "string":
            inner = inner[1:]
        if inner and block.start_point[0] > function.start_point[0]:
            yield inner


def try_around(code: Code) -> Iterator[Edit]:
    """A body in a `try` whose `finally` does nothing."""
    for inner in _bodies(code):
        at = column(inner[0])
        yield Edit(
            inner[0].start_byte,
            inner[-1].end_byte,
            (
                b"try:" + pad(at + 4),
                part(inner[0], inner[-1], 4),
                pad(at) + b"finally:" + pad(at + 4) + b"pass",
            ),
        )


def with_around(code: Code) -> Iterator[Edit]:
    """A body in a context that does nothing."""
    for inner in _bodies(code):
        at = column(inner[0])
        yield Edit(
            inner[0].start_byte,
            inner[-1].end_byte,
            (b"with contextlib.nullcontext():" + pad(at + 4), part(inner[0], inner[-1], 4)),
        )
    yield import_line(code, b"import contextlib\n")


def import_line(code: Code, text: bytes) -> Edit:
    """A line after the imports from the future and the module's documentation."""
    for statement in named(code.root):
        if statement.type == "future_import_statement":
            continue
        if statement.type == "expression_statement" and named(statement)[0].type == "string":
            continue
        return before(statement, text)
    raise AssertionError("an empty module")


def statements_between(code: Code) -> Iterator[Edit]:
    """A statement that does nothing, a comment and a logging call before each statement."""
    for statement in _statements(code):
        name = code.name()
        at = pad(column(statement))
        text = (
            b"# a remark"
            + at
            + name
            + b" = 0"
            + at
            + name
            + b" += 2"
            + at
            + b'logging.debug("step %d", '
            + name
            + b")"
            + at
        )
        yield before(statement, text)
    yield import_line(code, b"import logging\n")


def comments_between(code: Code) -> Iterator[Edit]:
    """A comment before each statement."""
    for statement in _statements(code):
        yield before(statement, b"# a remark: timer.cancel(), seen.add(key)" + pad(column(statement)))


def _statements(code: Code) -> Iterator[Node]:
    for block in code.of("block"):
        up = block.parent
        if up is None or up.type == "class_definition" or block.start_point[0] == up.start_point[0]:
            continue
        for statement in named(block):
            if statement.type == "expression_statement" and named(statement)[0].type == "string":
                continue
            before_it = statement.prev_sibling
            if before_it is None or before_it.type != ";":
                yield statement


KINDS = {
    "early return to nested if": early_return_nested,
    "else after a jump": else_after_jump,
    "nested if to early return": nested_early_return,
    "branches swapped": branches_swapped,
    "else if nested": elif_nested,
    "and to nested ifs": and_nested,
    "or to two ifs": or_split,
    "ternary to if": ternary_if,
    "if to ternary": if_ternary,
    "ifs to match": if_match,
    "match to ifs": match_if,
    "named expression before the if": walrus_split,
    "with of several to several": with_split,
    "body in a try": try_around,
    "body in a with": with_around,
    "statements between": statements_between,
    "comments between": comments_between,
}
