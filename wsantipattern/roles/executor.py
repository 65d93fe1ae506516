"""Promises and futures that handlers settle: timers that are armed for one, and ways to settle it that leave them armed.

`new Promise((resolve, reject) => { const t = setTimeout(...); source.on("error", reject) })`: a handler that settles the
promise ends the wait, and so it is a way out of the executor as a return is one out of a function. The same holds of a
future that a function makes and its nested functions settle. Speaks only where another handler, or the executor itself,
clears the timer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Path, Step
from wsantipattern.model.flow import Key, carried
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import Effect
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.roles.timer import Timer, Timers


@record(frozen=True, slots=True, eq=False)
class Executor:
    """A promise executor inlined into a graph: its region, what settles it, and whether it is awaited at once."""

    region: t.Region
    settles: tuple[Place, ...]
    awaited: bool

    def holds(self, extent: t.Extent) -> bool:
        return self.region.extent[0] <= extent[0] and extent[1] <= self.region.extent[1]


class Executors:
    """The promise executors of one module, and what they do about its timers."""

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.module = timers.module

    def of(self, function: Function) -> list[Executor]:
        """The promise executors that are inlined into a function's graph."""
        found = []
        for step in function.cfg.steps:
            if step.kind == "call" and step.call is not None:
                for argument in step.call.arguments:
                    if isinstance(argument, t.Region) and argument.settles:
                        waits = isinstance(step.call.parent, t.Suspend)
                        found.append(Executor(argument, argument.settles, waits))
        return found

    def leaky_settle(self, function: Function, timer: Timer) -> tuple[Function, Path, str] | None:
        """A handler that settles a promise or future and leaves the timer armed, with the way, and what it settles.

        Only where another handler, or the executor itself, clears the timer: then that is what was meant.
        """
        clears = self.timers.clears(timer.arming)
        for executor in self.of(function):
            if not executor.holds(timer.call.extent) or self.timers.outlives(function, timer):
                continue
            settles, settled = _settling(executor.settles), executor.settles[0]
            found = self._leaky_handler(executor.region.extent, timer, clears, settles, settled)
            if found is not None:
                return *found, "promise"
            if self._cleared_within(executor.region.extent, timer, clears):
                way = self._settled_by_name(function, timer, clears, executor)
                if way is not None:
                    return function, way, "promise"
        if any(clears.may_at(function, step, timer.place) for step in function.cfg.steps):
            return None  # It looks after the timer itself, around the wait.
        for future in self._futures(function):
            if not self.timers.outlives(function, timer) and not self._cleared_when_done(
                function, timer, clears
            ):
                found = self._leaky_handler(function.extent, timer, clears, self._finishing, future)
                if found is not None:
                    return *found, "future"
        return None

    def _cleared_when_done(self, function: Function, timer: Timer, clears: Effect) -> bool:
        """Whether a future clears the timer once it is done: `answer.add_done_callback(lambda _: bell.cancel())`.

        It may be another future, which waits for this one: jupyter-server gathers its two.
        """
        for _, call in function.cfg.calls:
            if call.method in self.timers.knowledge.names("timer", "consumes"):
                for argument in call.arguments:
                    callback = self.module.resolve_value(argument)
                    given = isinstance(argument, t.Ref) and argument.place.parent == timer.place
                    if given or (callback is not None and clears.possibly(callback, timer.place)):
                        return True
        return False

    def _futures(self, function: Function) -> Iterator[Place]:
        """The variables of a function that hold a future it makes itself."""
        makes = self.timers.knowledge.names("timer", "futures")
        for step, store in function.cfg.assignments:
            made = store.value
            if not isinstance(made, t.Call) or step.target is None or not step.target.is_local:
                continue
            name = self.module.typed_name(made.callee)
            if name in makes or (name is None and f".{made.method}" in makes and made.receiver is not None):
                yield step.target

    @cached_property
    def _finishing(self) -> Effect:
        """The effect of settling a future by a method of its own."""
        methods = self.timers.knowledge.names("timer", "settles")

        def does(function: Function, step: Step, place: Place) -> bool:
            call = step.call
            return call is not None and call.receiver_place == place and call.method in methods

        return Effect(does)

    def _within(self, extent: t.Extent, timer: Timer) -> list[Function]:
        """The handlers in a part of the text: closures that are no code of the timer itself."""
        return [
            f
            for f in self.module.functions
            if extent[0] <= f.extent[0]
            and f.extent[1] <= extent[1]
            and f.extent != extent
            and not f.is_inlined
            and not self._is_timer_code(timer, f)
        ]

    def _cleared_within(self, extent: t.Extent, timer: Timer, clears: Effect) -> bool:
        return any(clears.possibly(f, timer.place) for f in self._within(extent, timer))

    def _leaky_handler(
        self, extent: t.Extent, timer: Timer, clears: Effect, settles: Effect, settled: Place
    ) -> tuple[Function, Path] | None:
        if self._cleared_within(extent, timer, clears):
            for handler in self._within(extent, timer):
                found = self._settles_armed(handler, timer, clears, settles, settled)
                if found is not None and not self._is_cleared_by_close(handler, timer, clears):
                    return handler, found
        return None

    def _is_cleared_by_close(self, handler: Function, timer: Timer, clears: Effect) -> bool:
        """Whether a handler hears of an error, and the same emitter's close, which always follows, clears the timer; or
        another handler of the very event does."""
        host = handler.parent.host if handler.parent is not None else None
        if host is None:
            return False
        failed = self.timers.knowledge.names("timer", "error_events")
        heard = list(self._heard(host))
        return any(
            (event in failed and self._clears_at_close(host, emitter, timer, clears))
            or any(
                (other, at) == (emitter, event)
                and beside is not None
                and beside is not handler
                and clears.possibly(beside, timer.place)
                for other, at, beside in heard
            )
            for emitter, event, given in heard
            if given is handler
        )

    def _clears_at_close(self, host: Function, emitter: Place, timer: Timer, clears: Effect) -> bool:
        closed = self.timers.knowledge.names("timer", "close_events")
        return any(
            event in closed and other == emitter and given is not None and clears.possibly(given, timer.place)
            for other, event, given in self._heard(host)
        )

    def _heard(self, host: Function) -> Iterator[tuple[Place, str, Function | None]]:
        """The handlers that a function registers: the emitter, the event, and what runs, where it is in the file."""
        for step in host.cfg.steps:
            call, store, target = step.call, step.store, step.target
            if step.kind == "call" and call is not None and call.receiver_place is not None:
                first = call.argument(0)
                if isinstance(first, t.Constant) and isinstance(first.value, str):
                    yield call.receiver_place, first.value, self.module.resolve_value(call.argument(1))
            elif store is not None and target is not None and target.parent is not None:
                event = target.name.lower().removeprefix("on")
                yield target.parent, event, self.module.resolve_value(store.value)

    def rejects_otherwise(self, executor: Executor, timer: Timer) -> bool:
        """Whether something in an executor rejects that is not the timer's own callback."""
        if len(executor.settles) < 2:
            return False
        reject = executor.settles[1]
        rejecting = _settling((reject,))
        return any(
            executor.holds(f.extent)
            and not f.is_inlined
            and not self._is_timer_code(timer, f)
            and rejecting.possibly(f, reject)
            for f in self.module.functions
        ) or any(
            # `stream.once("error", reject)`
            executor.holds(call.extent) and self.timers.arming_of(call) is None and _is_given(call, reject)
            for _, call in (executor.region.function.host.cfg.calls if executor.region.function else ())
        )

    def _is_timer_code(self, timer: Timer, function: Function) -> bool:
        return timer.callback is not None and timer.callback.encloses(function)

    def _settles_armed(
        self, handler: Function, timer: Timer, clears: Effect, settles: Effect, settled: Place
    ) -> Path | None:
        if self._is_only_called(handler) or self._is_run_by_helper(handler):
            return None  # Its callers may have cleared; they are looked at themselves.
        if self._was_cleared_around(handler, timer, clears):
            return None
        cfg = handler.cfg
        released = {s for s in cfg.steps if clears.may_at(handler, s, timer.place)}
        armed_again = {s for s in cfg.steps if s.kind == "assign" and s.target == timer.place}
        for step in cfg.steps:
            if step in released or not settles.may_at(handler, step, settled):
                continue
            armed = [(("set", timer.place), True), *self._flags(handler, timer.place)]
            before = cfg.path(cfg.entry, {step}, avoiding=released | armed_again, given=armed)
            if before is not None and cfg.path(step, cfg.exits, avoiding=released, given=armed) is not None:
                return before
        return None

    def _flags(self, handler: Function, place: Place) -> Iterator[tuple[Key, bool]]:
        """The variables that say where the timer is armed that it is: `const isArmed = timer !== null`."""
        for step in handler.cfg.of_kind("test"):
            own, told = handler.cfg.atom(step), flow.atom(self.module.value_of(step.term))
            if own is not None and told is not None and told[0] == ("set", place):
                yield own[0], own[1] == told[1]

    def _was_cleared_around(self, handler: Function, timer: Timer, clears: Effect) -> bool:
        """Whether a handler is made by another one, which has cleared the timer by then."""
        outer = handler.parent.host if handler.parent is not None else None
        if outer is None:
            return False
        released = {s for s in outer.cfg.steps if clears.may_at(outer, s, timer.place)}
        if not released:
            return False
        before = outer.cfg.reachable(outer.cfg.entry, avoiding=released)
        made = [
            s
            for s in outer.cfg.of_kind("closure")
            if isinstance(s.term, t.Closure) and s.term.function is handler
        ]
        return bool(made) and not any(s in before for s in made)

    def _is_only_called(self, function: Function) -> bool:
        """Whether a function is a local helper: it is called by name and never handed over as a value."""
        if function.binding is None:
            return False
        own = Place(function.binding)
        called = False
        for user in self.module.functions_mentioning(function.binding.name):
            for step in user.cfg.steps:
                call, store = step.call, step.store
                called = called or (call is not None and self.module.resolve(call) is function)
                handed: list[t.Term] = list(call.arguments) if call is not None else []
                if store is not None and step.target != own:
                    handed = list(carried(store.value))
                if any(isinstance(v, t.Ref) and v.place == own for v in handed):
                    return False
        return called

    def _is_run_by_helper(self, function: Function) -> bool:
        """Whether a closure is handed to a function of the file: `finish(() => reject(cause))` clears, then runs it."""
        if function.parent is None:
            return False
        return any(
            isinstance(step.term, t.Closure)
            and step.term.function is function
            and isinstance(step.term.parent, t.Call)
            and self.module.resolve(step.term.parent) is not None
            for step in function.parent.host.cfg.of_kind("closure")
        )

    def _settled_by_name(
        self, function: Function, timer: Timer, clears: Effect, executor: Executor
    ) -> Path | None:
        """`source.once("error", reject)`: the settle function itself is the handler, and clears nothing."""
        cfg = function.cfg
        for step, call in cfg.calls:
            if (
                not executor.holds(call.extent)
                or call is timer.call
                or clears.may_at(function, step, timer.place)
            ):
                continue
            if self.module.resolve(call) is not None or self.timers.arming_of(call) is not None:
                continue
            if any(isinstance(a, t.Ref) and a.place in executor.settles for a in call.arguments):
                event = call.argument(0)
                if (
                    isinstance(event, t.Constant)
                    and event.value in self.timers.knowledge.names("timer", "error_events")
                    and call.receiver_place is not None
                    and self._clears_at_close(function, call.receiver_place, timer, clears)
                ):
                    continue
                return cfg.path(cfg.entry, {step})
        return None


def _settling(settles: tuple[Place, ...]) -> Effect:
    """The effect of settling a promise: calling one of these places."""

    def does(function: Function, step: Step, place: Place) -> bool:
        call = step.call
        return call is not None and isinstance(call.callee, t.Ref) and call.callee.place in settles

    return Effect(does)


def _is_given(call: t.Call, place: Place) -> bool:
    return any(isinstance(a, t.Ref) and a.place == place for a in call.arguments)


def cannot_reject(term: t.Term | None, module: Module, joins: frozenset[str], depth: int = 4) -> bool:
    """Whether a promise settles well in any case: its failure is caught in the same expression, its executor takes no
    `reject`, or it joins such promises (`Promise.race`, by `joins`)."""
    value = module.value_of(term) if term is not None else None
    value = value or term
    if depth <= 0:
        return False
    if isinstance(value, t.Region):
        return not value.settles and _is_caught(value.body)
    if not isinstance(value, t.Call):
        return False
    first = value.arguments[0] if len(value.arguments) == 1 else None
    if value.constructs:
        return isinstance(first, t.Region) and len(first.settles) == 1
    return (
        isinstance(first, t.Sequence)
        and module.canonical(value.callee) in joins
        and all(cannot_reject(element, module, joins, depth - 1) for element in first.elements)
    )


def _is_caught(body: list[t.Statement]) -> bool:
    """Whether what statements fail with is caught by a handler that does not throw itself: `work().catch(() => null)`."""
    if len(body) != 1:
        return False
    (only,) = body
    if isinstance(only, t.Return):
        return isinstance(only.value, t.Region) and not only.value.settles and _is_caught(only.value.body)
    if not isinstance(only, t.Try) or only.final:
        return False
    if not any(handler.body for handler in only.handlers):
        # What nothing awaits fails unseen; the promise itself fails all the same.
        return _is_caught(only.body)
    return any(h.catches_all for h in only.handlers) and not any(
        isinstance(s, t.Raise) for h in only.handlers for s in h.body
    )
