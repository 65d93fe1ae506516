"""Where a clear must stand so that control always passes it: decided on the outline, written by the editor.

Yields whole new texts, the one that changes least first; whoever asked tries each. Guarantees that a clear that goes
on after the work it watches over is moved over nothing that waits. Decides nothing about safety.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wsantipattern.fix.outline import Block, DeferEditor, Statement, TryEditor, around
from wsantipattern.model.term import Extent
from wsantipattern.remedy import ClearAlways


def with_try(editor: TryEditor, remedy: ClearAlways) -> Iterator[tuple[bytes, str]]:
    """New texts in a language with `finally`, each with the place where the clear now stands."""
    arm = editor.outline.statement_at(remedy.arm)
    if arm is None:
        return
    code = editor.text(remedy.clear)
    plans = [
        _Plan(editor, remedy, start)
        for start in _levels(arm, remedy)
        if start.block.is_open and start.block.function.role != "module"
    ]
    plans = [plan for plan in plans if plan.released]
    inside = [plan for plan in plans if not plan.is_in_callbacks]
    for plan in inside:
        for statement, without in plan.existing():
            yield from _texts(editor.add_finally(statement, code, without), "in `finally`")
    for plan in inside:
        for first, last, without in plan.wrapped():
            yield from _texts(editor.wrap(first, last, code, without), "in `finally`")
    for plan in plans:
        if plan.is_in_callbacks and len(plan.released) == 1:
            yield from _texts(editor.chain(plan.released[0], code), "in `.finally()`")


def with_defer(editor: DeferEditor, remedy: ClearAlways) -> Iterator[tuple[bytes, str]]:
    """New texts in a language with `defer`; in a loop, where deferred calls would pile up, a clear before each end."""
    arm = editor.outline.statement_at(remedy.arm)
    if arm is None or not arm.block.is_open or arm.block.role == "module":
        return
    code = editor.text(remedy.clear)
    if not arm.block.is_repeated:
        yield from _texts(editor.defer(arm, code), "in `defer`")
        return
    ends = [end for statement in arm.following for end in _ends(statement, remedy.armed, is_own=True)]
    if arm.block.role == "loop" and ends:
        yield from _texts(editor.insert_before_all(ends, code), "before each end of the round")


def _ends(statement: Statement, armed: tuple[Extent, ...], *, is_own: bool) -> Iterator[Statement]:
    """The statements inside one that end a round of the loop around it, or the function, with the timer armed.

    `is_own` says that nothing stands between which a `break` might end.
    """
    if statement.leaves or (statement.turns and is_own):
        siblings = statement.block.statements
        index = siblings.index(statement)
        owner = statement.block.owner
        before = siblings[index - 1].extent if index else owner.extent if owner else statement.extent
        if any(_within(e, statement.extent) or _within(e, before) for e in armed):
            yield statement
    for block in statement.blocks:
        if block.role not in ("function", "executor"):
            for inner in block.statements:
                yield from _ends(inner, armed, is_own=is_own and block.role not in ("loop", "arm"))


def _texts(text: bytes | None, where: str) -> Iterator[tuple[bytes, str]]:
    if text is not None:
        yield text, where


def _levels(arm: Statement, remedy: ClearAlways) -> Iterator[Statement]:
    """The statements behind which the handle is known: what arms it, and those around that in its scope."""
    yield arm
    if remedy.variable in arm.declares or not remedy.is_harmless_unset:
        return
    inner = arm
    for outer in around(arm):
        if inner.block.role == "function" or remedy.variable in _declared(inner.block):
            return
        yield outer
        inner = outer


def _declared(block: Block) -> set[str]:
    return {name for statement in block.statements for name in statement.declares}


class _Plan:
    """What can be done behind one statement."""

    def __init__(self, editor: TryEditor, remedy: ClearAlways, start: Statement) -> None:
        self._editor = editor
        self._remedy = remedy
        self._start = start
        arm = editor.outline.statement_at(remedy.arm)
        # A `try` around the arming can take the clear into its own `finally`; a statement whose executor arms, and which
        # waits for more than that, is watched over itself: `await Promise.race([work, new Promise(...)])`.
        is_inside = arm is not None and arm.block.function is not start.block.function
        around_arm = arm is not start and (start.is_try or is_inside)
        self._rest = [*([start] if around_arm else []), *start.following]
        self.released = [e for e in (*remedy.clears, *remedy.others) if any(s.holds(e) for s in self._rest)]

    @property
    def is_in_callbacks(self) -> bool:
        """Whether a clear stands in a function of its own, run later than the statements around it."""
        function = self._start.block.function
        inside = [self._editor.outline.statement_at(extent) for extent in self.released]
        if any(s is None or s.block.function is not function for s in inside):
            return True
        return not function.suspends and any(self._waits(s.extent) for s in self._rest)

    def existing(self) -> Iterator[tuple[Statement, list[Statement]]]:
        """A `try` that already stands around all that is watched over, and the clears that its `finally` replaces."""
        holder = next((s for s in self._rest if any(s.holds(e) for e in self.released)), None)
        if holder is not None and holder.expression in self._remedy.clears:
            # The `try` just before a clear that stands by itself.
            index = self._rest.index(holder)
            holder = self._rest[index - 1] if index else None
        if holder is None or not holder.is_try:
            return
        final = holder.block_of("final")
        if final is not None and any(_within(e, final.extent) for e in self.released):
            return
        after = holder.following
        without = [s for s in self._clears_in(holder) if self._is_replaced(s, holder)]
        outside = [e for e in self.released if not holder.holds(e)]
        if outside:
            if outside != [after[0].expression] or outside[0] not in self._remedy.clears:
                return
            if not self._editor.is_alone(after[0]):
                return
            without.append(after[0])
        elif any(self._waits(s.extent) for s in after):
            return
        yield holder, without

    def wrapped(self) -> Iterator[tuple[Statement, Statement, list[Statement]]]:
        """First and last statement of what goes into a new `try`, and the clears that its `finally` replaces."""
        rest = self._rest
        while len(rest) > 1 and not any(_within(e, rest[0].extent) for e in self._remedy.risks):
            rest = rest[1:]
        ends = [i for i, s in enumerate(rest) if s.expression in self._remedy.clears]
        for index in ends[-1:]:
            behind = rest[index + 1 :]
            declared = {name for s in rest[:index] for name in s.declares}
            if (
                index
                and not (declared and behind)
                and self._editor.is_alone(rest[index])
                and not any(s.holds(e) for s in behind for e in self.released)
                and not any(s.is_hoisted for s in rest[:index])
            ):
                # The last clear is written as the `finally`; it goes with the statements that it ends.
                yield rest[0], rest[index], [rest[index], *self._replaced(rest[:index])]
        trailing = len(rest)
        while trailing and rest[trailing - 1].is_hoisted:
            trailing -= 1
        inside = rest[:trailing]
        if inside and not any(s.is_hoisted for s in inside):
            yield inside[0], inside[-1], self._replaced(inside)

    def _replaced(self, statements: Sequence[Statement]) -> list[Statement]:
        found: list[Statement] = []
        for statement in statements:
            found += [s for s in self._clears_in(statement) if self._is_replaced(s, statements[-1])]
        return found

    def _clears_in(self, outer: Statement) -> list[Statement]:
        """The statements that are nothing but a clear."""
        inside = [self._editor.outline.statement_at(e) for e in self._remedy.clears if outer.holds(e)]
        return [s for s in inside if s is not None and s.expression in self._remedy.clears]

    def _is_replaced(self, clear: Statement, last: Statement) -> bool:
        """Whether the new `finally` comes at once after a clear, wherever control goes from there.

        `last` is the last statement that the `finally` follows, or the `try` that gets it.
        """
        if not self._editor.is_alone(clear):
            return False
        statement, goes_on = clear, False
        while True:
            for following in statement.following:
                if self._waits(following.extent) or not (self._remedy.is_immediate or following.leaves):
                    return False
                goes_on = True
                if following.leaves or following is last:
                    return not self._fails_over(clear, last)
            block, owner = statement.block, statement.block.owner
            if statement is last or block is last.block or (owner is last and last.is_try):
                return not (goes_on and self._fails_over(clear, last)) and not self._goes_on_in(block, owner)
            if owner is None or block.role in ("loop", "function", "executor"):
                return False
            if owner.is_try and (owner.block_of("final") is not None or self._goes_on_in(block, owner)):
                return False
            statement = owner

    def _goes_on_in(self, block: Block, owner: Statement | None) -> bool:
        """Whether the `else` of a `try` follows a block."""
        return owner is not None and block.role == "try" and owner.block_of("else") is not None

    def _fails_over(self, clear: Statement, last: Statement) -> bool:
        """Whether what raises after a clear may come to a handler that waits."""
        for owner in around(clear):
            if owner.is_try:
                for block in owner.blocks:
                    waits = self._waits(block.extent)
                    if waits and (block.role == "handler" or (block.role == "final" and owner is not last)):
                        return True
            if owner is last or owner.block is last.block:
                return False
        return False

    def _waits(self, extent: Extent) -> bool:
        return any(_within(wait, extent) for wait in self._remedy.waits)


def _within(inner: Extent, outer: Extent) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
