"""Remedies to edits: what a rule knows would put its match right, written into the file it was found in.

`drafts` gives whole new texts of one module; `host_text` puts such a text back into the file around it. Nothing here
decides that a draft is good: `correct` tries it by analysing the file again. Imports the libraries of a language only
when a file in that language is fixed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from wsantipattern.record import record
from wsantipattern.remedy import (
    Advice,
    ClearAlways,
    ClearBefore,
    Drop,
    Guard,
    OnlyRaise,
    Remedy,
    ResetBefore,
)

if TYPE_CHECKING:
    from wsantipattern.fix.outline import Block, Editor
    from wsantipattern.model.module import Module

_EDITORS = {
    "javascript": "wsantipattern.fix.javascript",
    "typescript": "wsantipattern.fix.javascript",
    "tsx": "wsantipattern.fix.javascript",
    "go": "wsantipattern.fix.go",
    "python": "wsantipattern.fix.python",
}


@record(frozen=True, slots=True)
class Draft:
    """A new text of a module, what it does in a few words, and whether it changes nothing but the fault."""

    text: bytes
    title: str
    safe: bool


def advice(remedy: Remedy | None) -> str:
    """What a remedy says where it has no edits, or ""."""
    return remedy.text if isinstance(remedy, Advice) else ""


def drafts(module: Module, remedy: Remedy) -> Iterator[Draft]:
    """The new texts that a remedy may have in a module, the one to try first coming first."""
    if isinstance(remedy, Advice) or module.has_errors:
        return
    make: Callable[[bytes, str], Any] = importlib.import_module(_EDITORS[module.language]).editor
    editor = make(module.text, module.language)
    if editor is not None:
        for draft in _drafts(editor, remedy):
            if draft.text != module.text:
                yield draft


def _drafts(editor: Any, remedy: Remedy) -> Iterator[Draft]:
    if isinstance(remedy, ClearAlways):
        yield from _clearing(editor, remedy)
    elif isinstance(remedy, ClearBefore):
        yield from _before(editor, remedy)
    elif isinstance(remedy, Drop):
        yield from _drop(editor, remedy)
    elif isinstance(remedy, OnlyRaise):
        yield from _raise(editor, remedy)
    elif isinstance(remedy, ResetBefore):
        yield from _reset(editor, remedy)
    elif isinstance(remedy, Guard):
        yield from _guard(editor, remedy)


def _clearing(editor: Any, remedy: ClearAlways) -> Iterator[Draft]:
    from wsantipattern.fix import clearing

    made = clearing.with_defer if hasattr(editor, "defer") else clearing.with_try
    for text, where in made(editor, remedy):
        # Not everything that can be waited for has a `finally`, and what is returned may ask the context.
        safe = remedy.safe and where in ("in `finally`", "in `defer`")
        yield Draft(text, f"clear `{remedy.name}` {where}", safe)


def _before(editor: Editor, remedy: ClearBefore) -> Iterator[Draft]:
    arm, step = editor.outline.statement_at(remedy.arm), editor.outline.statement_at(remedy.step)
    if arm is None or step is None or not arm.block.is_open:
        return
    block = arm.block.extent
    if not (block[0] <= step.extent[0] and step.extent[1] <= block[1]):
        return  # The handle cannot be named there.
    text = editor.insert_before(step, editor.text(remedy.clear))
    if text is not None:
        yield Draft(text, f"clear `{remedy.name}` before the promise is settled", False)


def _drop(editor: Editor, remedy: Drop) -> Iterator[Draft]:
    statement = editor.outline.statement_at(remedy.assignment)
    if statement is None:
        return
    is_whole = statement.expression == remedy.assignment
    if not is_whole and statement.awaited != remedy.assignment:
        return
    if statement.block.role == "function" and len(statement.block.statements) == 1 and not remedy.may_be_all:
        return
    title = f"leave `{remedy.name}` as it is"
    text = editor.drop([statement])
    if text is not None:
        yield Draft(text, title, remedy.is_plain and is_whole)
        return
    left = editor.leave_out(statement)
    if left is not None:
        text, goes_alone = left
        yield Draft(text, title, remedy.is_plain and is_whole and goes_alone)


def _raise(editor: Editor, remedy: OnlyRaise) -> Iterator[Draft]:
    statement = editor.outline.statement_at(remedy.assignment)
    if statement is None or statement.expression != remedy.assignment:
        return
    title = f"let `{remedy.name}` only rise"
    target, value = editor.text(remedy.target), editor.text(remedy.value)
    if remedy.is_repeatable and not editor.has_maximum:
        text = editor.enclose(statement, f"{value} > {target}")
        if text is not None:
            yield Draft(text, title, False)
    text = editor.raised(statement, remedy.target, remedy.value, remedy.is_number)
    if text is not None:
        yield Draft(text, title, False)


def _reset(editor: Editor, remedy: ResetBefore) -> Iterator[Draft]:
    if remedy.reset is not None:
        code = editor.text(remedy.reset)
    else:
        code = editor.emptying(remedy.name, remedy.grown_by)
    if code:
        for text in (*_where_known(editor, remedy, code), _before_step(editor, remedy, code)):
            if text is not None:
                yield Draft(text, f"reset `{remedy.name}` before items are marked", False)


def _where_known(editor: Editor, remedy: ResetBefore, code: str) -> Iterator[bytes | None]:
    """New texts with the reset at the end of a block that is entered only where it must be."""
    seen: list[Block] = []
    for extent in remedy.within:
        statement = editor.outline.statement_at(extent)
        block = statement.block if statement is not None else None
        if block is None or block.role in ("module", "function", "loop") or block in seen:
            continue
        seen.append(block)
        if not remedy.known[1] <= block.extent[0] < block.extent[1] <= remedy.step[0]:
            continue
        last = block.statements[-1]
        if last.leaves or last.turns:
            yield editor.insert_before(last, code)
        else:
            yield editor.insert_after(last, code)


def _before_step(editor: Editor, remedy: ResetBefore, code: str) -> bytes | None:
    """The new text with the reset before the step, or the loop around it."""
    statement = editor.outline.statement_at(remedy.step)
    known = editor.outline.statement_at(remedy.known)
    if statement is None or known is None or not remedy.can_precede:
        return None
    # Before the loop that marks one item after the other, not in it; and not before what is asked is known.
    while statement.block.owner is not None and not statement.block.owner.holds(remedy.known):
        if statement.block.role == "function":
            return None
        statement = statement.block.owner
    if statement is known or (remedy.condition is not None and statement.block is not known.block):
        return None
    condition = editor.text(remedy.condition) if remedy.condition is not None else ""
    return editor.insert_before(statement, code, condition)


def _guard(editor: Editor, remedy: Guard) -> Iterator[Draft]:
    statement = editor.outline.statement_at(remedy.step)
    if statement is None:
        return
    content, addition = editor.text(remedy.content), editor.text(remedy.addition)
    if remedy.kind == "value":
        text = editor.chosen(remedy.step, content, addition)
    elif remedy.kind == "part":
        text = editor.chosen_part(remedy.addition, content)
    elif statement.expression != remedy.step:
        return
    else:
        if remedy.kind == "builder":
            content = editor.built(content)
        condition = editor.lacks_suffix(content, addition)
        text = editor.enclose(statement, condition) if condition else None
    if text is not None:
        yield Draft(text, f"add to `{remedy.name}` only what is not there yet", False)


# -- the file around ---------------------------------------------------------------------------------


@record(frozen=True, slots=True)
class Change:
    """Bytes from `start` up to `end` of a file's text, and what stands there instead; whole lines."""

    start: int
    end: int
    text: bytes


def host_changes(host: bytes, module: Module, text: bytes) -> list[Change] | None:
    """A module's new text as changes of whole lines in the text of the file it stands in, in order.

    Each new line gets what precedes its neighbour in the file (a quote's or a list's indentation). None where the lines
    that change are not those of the file: a front end read them otherwise.
    """
    from difflib import SequenceMatcher

    before, after = module.text.splitlines(keepends=True), text.splitlines(keepends=True)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(
        None, before[head : len(before) - tail], after[head : len(after) - tail], autojunk=False
    )
    changes: list[Change] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            continue
        first, last = head + i1, head + i2
        lines = after[head + j1 : head + j2]
        if module.offset_map is None:
            changes.append(Change(starts[first], starts[last], b"".join(lines)))
            continue
        if any(not line.endswith((b"\n", b"\r")) for line in [*before[first:last], *lines]):
            return None  # The end of a fragment may stand on a line with more of the file.
        change = _in_host(host, module, starts, before, first, last, lines)
        if change is None:
            return None
        changes.append(change)
    return changes


def _in_host(
    host: bytes,
    module: Module,
    starts: list[int],
    before: list[bytes],
    first: int,
    last: int,
    lines: list[bytes],
) -> Change | None:
    if first == 0:
        return None
    for index in range(first - 1, last):
        at = module.host_offset(starts[index])
        if host[at : at + len(before[index])] != before[index]:
            return None
    neighbour = module.host_offset(starts[first - 1])
    start = neighbour + len(before[first - 1])
    close = start
    if last > first:
        close = module.host_offset(starts[last - 1]) + len(before[last - 1])
        neighbour = module.host_offset(starts[first])
    line = max(host.rfind(b"\n", 0, neighbour), host.rfind(b"\r", 0, neighbour)) + 1
    margin = host[line:neighbour]
    if margin.strip(b" \t>"):
        return None
    text = b"".join((margin if line.strip() else margin.rstrip()) + line for line in lines)
    return Change(start, close, text)


def host_text(host: bytes, changes: list[Change]) -> bytes:
    """The text of a file with changes made."""
    for change in sorted(changes, key=lambda c: c.start, reverse=True):
        host = host[: change.start] + change.text + host[change.end :]
    return host
