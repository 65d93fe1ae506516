"""Edits that turn a program that is right into one that is wrong, with the lines where the fault must be found then.

Each is made alone and only where the program's own structure makes it certain: the release of a timer goes from the
way that is always taken to the end of the straight way; the guard of an append goes below it, or away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from variants import javascript_flow, python_flow
from variants.rewriting import (
    FAMILIES,
    Code,
    Edit,
    Piece,
    after,
    before,
    copied,
    field_of,
    has,
    holder,
    named,
    replace,
    text_of,
    walk,
)

Break = tuple[list[Edit], range]
"""The edits, and the source's lines (from 1) on one of which something must be found."""


def line(node: Node) -> range:
    """The line a node starts at."""
    return range(node.start_point[0] + 1, node.start_point[0] + 2)


def lines(node: Node) -> range:
    """The lines of a node."""
    return range(node.start_point[0] + 1, node.end_point[0] + 2)


def _mentions(node: Node, name: bytes) -> bool:
    return any(n.type == "identifier" and text_of(n) == name for n in walk(node))


def _uses(node: Node, name: bytes) -> int:
    return sum(n.type == "identifier" and text_of(n) == name for n in walk(node))


def _last(statement: Node, declaration: bytes, name: bytes, release: tuple[Piece, ...], end: bytes) -> Edit:
    """The release behind a statement, and before the return where it is one."""
    if statement.type != "return_statement" or not named(statement):
        return after(statement, *release)
    return replace(statement, declaration + b" = ", named(statement)[0], *release, end, b"return " + name)


def javascript_release(code: Code) -> Iterator[Break]:
    """`finally { clearTimeout(t); }` to `clearTimeout(t);` at the end of the try's body."""
    for node in code.of("try_statement"):
        final = node.child_by_field_name("finalizer")
        up = node.parent
        if final is None or up is None:
            continue
        releases, body = named(field_of(final, "body")), named(field_of(node, "body"))
        if not releases or not body or not has(node, "await_expression"):
            continue
        call = named(releases[0])[0]
        if call.type != "call_expression" or text_of(field_of(call, "function")) not in (
            b"clearTimeout",
            b"clearInterval",
        ):
            continue
        target = named(field_of(call, "arguments"))[0]
        siblings = javascript_flow.statements(up)
        armed = [
            s
            for s in siblings
            if s.end_byte <= node.start_byte and text_of(target) in javascript_flow.declared([s])
        ]
        function = holder(node)
        if len(armed) != 1 or function is None or _uses(function, text_of(target)) != 2:
            continue
        value = named(armed[0])[0].child_by_field_name("value")
        if value is None or text_of(value.child_by_field_name("function")) not in (
            b"setTimeout",
            b"setInterval",
        ):
            continue
        if javascript_flow.ends(body[-1]) and body[-1].type != "return_statement":
            continue
        name = code.name()
        moved = _last(body[-1], b"const " + name, name, (b"\n", copied(releases[0])), b"\n")
        yield [moved, replace(releases[0])], line(armed[0])


def python_release(code: Code) -> Iterator[Break]:
    """`finally: t.cancel()` to `t.cancel()` at the end of the try's body."""
    for node in code.of("try_statement"):
        parts = [c for c in named(node) if c.type == "finally_clause"]
        up = node.parent
        if len(parts) != 1 or up is None:
            continue
        releases, body = named(named(parts[0])[0]), named(field_of(node, "body"))
        if (
            not releases
            or not has(node, "await")
            or body[-1].type in ("if_statement", "for_statement", "raise_statement")
        ):
            continue
        call = named(releases[0])[0]
        callee = call.child_by_field_name("function")
        if (
            call.type != "call"
            or callee is None
            or callee.type != "attribute"
            or text_of(field_of(callee, "attribute")) != b"cancel"
        ):
            continue
        target = field_of(callee, "object")
        function = holder(node)
        armed = [
            s
            for s in named(up)
            if s.end_byte <= node.start_byte
            and s.type == "expression_statement"
            and named(s)[0].type == "assignment"
            and text_of(field_of(named(s)[0], "left")) == text_of(target)
        ]
        if len(armed) != 1 or function is None or _uses(function, text_of(target)) != 2:
            continue
        if b"call_later" not in text_of(armed[0]) and b"Timer" not in text_of(armed[0]):
            continue
        at = python_flow.pad(python_flow.column(body[-1]))
        name = code.name()
        moved = _last(body[-1], name, name, (at, copied(releases[0])), at)
        yield [moved, replace(releases[0], b"pass")], line(armed[0])


def go_release(code: Code) -> Iterator[Break]:
    """`defer t.Stop()` to `t.Stop()` before the last return, where an earlier one passes by."""
    for node in code.of("defer_statement"):
        call, block = named(node)[0], node.parent
        function = holder(node)
        if block is None or function is None or call.type != "call_expression" or block.parent is None:
            continue
        if block.parent.parent != function or function.type == "func_literal":
            continue
        callee = field_of(call, "function")
        inner = named(block)
        name = (
            text_of(field_of(callee, "operand")) if callee.type == "selector_expression" else text_of(callee)
        )
        armed = [
            s
            for s in inner
            if s.end_byte <= node.start_byte
            and s.type == "short_var_declaration"
            and _mentions(field_of(s, "left"), name)
        ]
        if len(armed) != 1 or _uses(function, name) != 2:
            continue
        if b"AfterFunc" not in text_of(armed[0]) and b"NewTicker" not in text_of(armed[0]):
            continue
        between = inner[inner.index(node) + 1 :]
        if inner[-1].type in ("for_statement", "select_statement") or not any(
            s.type == "if_statement" and has(s, "return_statement") for s in between
        ):
            continue
        release = copied(call)
        if inner[-1].type == "return_statement":
            yield [replace(node), before(inner[-1], release, b"\n")], line(armed[0])
        else:
            yield [replace(node), after(inner[-1], b"\n", release)], line(armed[0])


BLOCKS = {"js": "statement_block", "go": "statement_list", "py": "block"}
GROWS = ("augmented_assignment_expression", "augmented_assignment", "assignment_statement")


def _compares(condition: Node) -> bool:
    """Whether a condition asks for an order of two data, or for the end of a text."""
    if condition.type == "parenthesized_expression":
        return _compares(named(condition)[0])
    if condition.type in ("call", "call_expression"):
        callee = field_of(condition, "function")
        return text_of(callee).endswith((b".endsWith", b".endswith", b".HasSuffix"))
    if condition.type == "binary_expression":
        sides = [field_of(condition, "left"), field_of(condition, "right")]
        operator = text_of(field_of(condition, "operator"))
    elif condition.type == "comparison_operator" and len(named(condition)) == 2:
        sides, operator = named(condition), text_of(field_of(condition, "operators"))
    else:
        return False
    plain = ("identifier", "member_expression", "selector_expression", "attribute", "subscript")
    return operator in (b"<", b"<=", b">", b">=") and all(side.type in plain for side in sides)


def _guards(code: Code) -> Iterator[tuple[Node, Node]]:
    """An if that only leaves when it must not be appended, and the statement of the same block that appends."""
    for block in code.of(BLOCKS[FAMILIES[code.ending]]):
        inner = named(block)
        for index, guard in enumerate(inner):
            if guard.type != "if_statement" or guard.child_by_field_name("alternative") is not None:
                continue
            jump = field_of(guard, "consequence")
            while len(named(jump)) == 1 and jump.type in ("statement_block", "block", "statement_list"):
                jump = named(jump)[0]
            if jump.type not in ("return_statement", "continue_statement") or not _compares(
                field_of(guard, "condition")
            ):
                continue
            for use in inner[index + 1 :]:
                if any(n.type in GROWS and b"+=" in text_of(n) for n in walk(use)):
                    yield guard, use
                    break


def guard_removed(code: Code) -> Iterator[Break]:
    """The guard of an append goes away."""
    for guard, use in _guards(code):
        yield [replace(guard, b"pass" if code.ending == ".py" else b"")], line(use)


def guard_below(code: Code) -> Iterator[Break]:
    """The guard of an append goes below it."""
    for guard, use in _guards(code):
        nothing = b"pass" if code.ending == ".py" else b""
        at = python_flow.pad(python_flow.column(use)) if code.ending == ".py" else b"\n"
        yield [replace(guard, nothing), after(use, at, copied(guard))], line(use)


def _is_asked(function: Node, tracker: bytes) -> bool:
    """Whether a function asks whether something is in a container."""
    for node in walk(function):
        if node.type == "call_expression" and text_of(field_of(node, "function")) == tracker + b".has":
            return True
        if node.type == "comparison_operator" and text_of(node).endswith(b" in " + tracker):
            return True
    return False


def _resets(code: Code) -> Iterator[tuple[Node, Node, Node]]:
    """An `if a > b` without an else that empties a container, the branch, and the function around it."""
    for node in code.of("if_statement"):
        function, branch = holder(node), field_of(node, "consequence")
        test = field_of(node, "condition")
        if function is None or node.child_by_field_name("alternative") is not None or not _compares(test):
            continue
        if node.child_by_field_name("initializer") is not None or branch.type not in (
            "statement_block",
            "block",
        ):
            continue
        emptied = [
            call
            for call in walk(branch)
            if call.type in ("call", "call_expression")
            and text_of(call.child_by_field_name("function")).endswith((b".clear", b"clear"))
        ]
        if len(emptied) != 1 or any(n.type in JUMPS for n in walk(branch)):
            continue
        tracker = text_of(field_of(emptied[0], "function")).rpartition(b".")[0]
        if _is_asked(function, tracker):
            yield node, branch, function


def reset_removed(code: Code) -> Iterator[Break]:
    """A container is no longer emptied where two positions show that the sides have diverged."""
    for _, branch, function in _resets(code):
        yield [replace(branch, b"print()" if code.ending == ".py" else b"{ print() }")], lines(function)


def reset_elsewhere(code: Code) -> Iterator[Break]:
    """A container is emptied on the other branch."""
    for node, branch, function in _resets(code):
        if code.ending == ".py":
            at = python_flow.column(node)
            pieces: tuple[Piece, ...] = (
                b"pass" + python_flow.pad(at) + b"else:" + python_flow.pad(at + 4),
                branch,
            )
        else:
            pieces = (b"{} else ", branch)
        yield [replace(branch, *pieces)], lines(function)


JUMPS = ("return_statement", "raise_statement", "throw_statement", "continue_statement", "break_statement")

BREAKS: dict[str, dict[str, dict[str, Callable[[Code], Iterator[Break]]]]] = {
    "timer-not-cleared": {
        "js": {"release on the straight way only": javascript_release},
        "py": {"release on the straight way only": python_release},
        "go": {"release on the straight way only": go_release},
    },
    "unguarded-append": {
        "js": {"guard removed": guard_removed, "guard below the append": guard_below},
        "py": {"guard removed": guard_removed, "guard below the append": guard_below},
        "go": {"guard removed": guard_removed, "guard below the append": guard_below},
    },
    "stale-dedup-tracker": {
        "js": {"reset removed": reset_removed, "reset on the other branch": reset_elsewhere},
        "py": {"reset removed": reset_removed, "reset on the other branch": reset_elsewhere},
    },
}
