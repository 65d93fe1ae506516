"""What a call of a function of the file does for its caller: certain and possible effects, lifted through calls.

A rule or role says what one step does to a place (`clears`, `resets`, `marks`); an `Effect` extends that to helpers,
methods, hoisted arrows and wrapped closures, following the place through parameters, captures and `this`. Recursion
gives up towards "does not".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.term import Call, Ref

Does = Callable[[Function, Step, Place], bool]
"""Whether one step by itself does something to a place."""

DEPTH = 5
"""Calls that an effect is followed through."""


class Effect:
    """One kind of effect on places. Make it once for a module: answers are kept."""

    def __init__(self, does: Does) -> None:
        self._does = does
        self._certain: dict[tuple[Function, Place], bool] = {}
        self._possible: dict[tuple[Function, Place], bool] = {}

    def at(self, function: Function, step: Step, place: Place, depth: int = DEPTH) -> bool:
        """Whether passing `step` certainly does it: by itself, or in the function that it calls."""
        if self._does(function, step, place):
            return True
        callee = _callee(function, step)
        if callee is None or depth <= 0:
            return False
        inner = seen_from(place, step.call, callee)
        return inner is not None and self.certainly(callee, inner, depth - 1)

    def may_at(self, function: Function, step: Step, place: Place, depth: int = DEPTH) -> bool:
        """Whether passing `step` possibly does it."""
        if self._does(function, step, place):
            return True
        callee = _callee(function, step)
        if callee is None or depth <= 0:
            return False
        inner = seen_from(place, step.call, callee)
        return inner is not None and self.possibly(callee, inner, depth - 1)

    def certainly(self, function: Function, place: Place, depth: int = DEPTH) -> bool:
        """Whether every feasible way through `function` to its return does it."""
        key = (function, place)
        if key not in self._certain:
            self._certain[key] = False
            cfg = function.cfg
            self._certain[key] = (
                not cfg.incomplete
                and self._any(function, place, depth)
                and (
                    cfg.path(
                        cfg.entry,
                        {cfg.exit},
                        avoiding=lambda s: self.at(function, s, place, depth),
                        given=[(("set", place), True)],
                    )
                    is None
                )
            )
        return self._certain[key]

    def possibly(self, function: Function, place: Place, depth: int = DEPTH) -> bool:
        """Whether some step of `function` does it."""
        key = (function, place)
        if key not in self._possible:
            self._possible[key] = False
            self._possible[key] = any(self.may_at(function, s, place, depth) for s in function.cfg.steps)
        return self._possible[key]

    def _any(self, function: Function, place: Place, depth: int) -> bool:
        return any(self.at(function, s, place, depth) for s in function.cfg.steps)

    def steps(self, function: Function, place: Place) -> list[Step]:
        """The steps of a function that certainly do it, in building order."""
        return [s for s in function.cfg.steps if self.at(function, s, place)]


def _callee(function: Function, step: Step) -> Function | None:
    if step.kind != "call" or step.call is None:
        return None
    return function.module.resolve(step.call)


def seen_from(place: Place, call: Call | None, callee: Function) -> Place | None:
    """The name that `place` of the caller has inside the called function, or None where it cannot be seen there."""
    if call is not None:
        for index, parameter in enumerate(callee.parameters):
            value = call.argument(index, parameter.name)
            if isinstance(value, Ref) and place.starts_with(value.place):
                return place.replace(value.place, Place(parameter))
        receiver = call.receiver_place
        if callee.owner is not None and receiver is not None and place.starts_with(receiver):
            return place.replace(receiver, Place(callee.owner.this))
    if place.root.scope is not None and place.root.scope.host is callee:
        return None  # A recursive call has variables of its own.
    return place if visible_in(place.root, callee) else None


def visible_in(root: Binding, function: Function) -> bool:
    """Whether code of `function` can name this binding."""
    if root.kind in ("import", "global"):
        return True
    if root.kind == "this":
        return function.this is root
    return root.scope is None or root.scope.host.encloses(function)


def callers(function: Function) -> Iterator[tuple[Function, Step]]:
    """The call steps of the file that run this function, with the function they stand in."""
    memo = function.module.memo
    marker = ("callers", function)
    if marker not in memo:
        memo[marker] = list(_calling(function))
    yield from memo[marker]


def _calling(function: Function) -> Iterator[tuple[Function, Step]]:
    word = function.name.rpartition(".")[2]
    if not word:
        return
    for caller in function.module.functions_mentioning(word):
        for step, call in caller.cfg.calls:
            if function.module.resolve(call) is function:
                yield caller, step
