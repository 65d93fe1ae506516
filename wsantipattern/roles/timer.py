"""Timers: what is armed, under which place, what clears it, and where its handle gets a new owner.

Only calls listed in `knowledge` arm a timer (and functions of the file that return what such a call gives).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import STRAIGHT, Path, Step, awaited
from wsantipattern.model.flow import carried, returns
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.model.summary import Effect, callers, visible_in
from wsantipattern.record import record
from wsantipattern.roles.executor import Executors, cannot_reject

if TYPE_CHECKING:
    from wsantipattern.remedy import ClearAlways, ClearBefore


@record(frozen=True, slots=True)
class Arming:
    """What `knowledge` says of the call that arms; the fields are those of `[[timer.arm]]`."""

    name: str
    methods: frozenset[str]
    cleared_by: frozenset[str]
    cleared_by_methods: frozenset[str]
    called: bool
    result: int
    callback: int | None
    starts: str | None
    fires: str | None
    ticks: str | None
    rearms: frozenset[str]
    repeats: bool
    task: bool

    @property
    def state(self) -> str:
        """What a message calls it before it is cleared."""
        return "uncalled" if self.called else "running" if self.task else "armed"

    @property
    def made(self) -> str:
        """What a trace says where it begins."""
        return "is made" if self.called else "is started" if self.task else "is armed"


@record(frozen=True, slots=True, eq=False)
class Timer:
    """A timer that a step arms. `step` is after the handle is in `place`; `call` is the arming call."""

    arming: Arming
    call: t.Call
    step: Step
    place: Place
    callback: Function | None
    is_made_before: bool = False

    @property
    def extent(self) -> t.Extent:
        """Where it is armed: the arming call, or that makes what the same function starts; where another function has made
        it, the call that starts it."""
        return self.step.extent if self.is_made_before else self.call.extent


TURNS = 60
"""Steps of one function that a way out is tried over."""


class Timers:
    """The timers of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge
        self._clears: dict[Arming, Effect] = {}

    @cached_property
    def executors(self) -> Executors:
        return Executors(self)

    @cached_property
    def armings(self) -> list[Arming]:
        return [_arming(entry) for entry in self.knowledge.entries("timer", "arm")]

    def armed_in(self, function: Function) -> Iterator[Timer]:
        """The timers that the steps of a function arm and keep in a place."""
        considered = self.module.considered
        if considered.active:
            self._account_for_unkept(function)
        for step, store in function.cfg.assignments:
            if step.target is None or store.op not in (None, "or", "??"):
                continue
            call, index = _called(store.value)
            if call is None:
                continue
            arming = self.arming_of(call)
            if arming is None or arming.result != index:
                continue
            if arming.task and self._is_grouped(call):
                considered.silent(
                    call.extent, "the task group that `{}` belongs to ends its tasks", step.target
                )
                continue
            if arming.task and self._is_main(function):
                considered.silent(
                    call.extent, "whatever runs {} as the program cancels its tasks", self.described(function)
                )
                continue
            start = step if arming.starts is None else self._started(function, step, arming)
            if start is None:
                what = "`{}` is made here, and not started in {} on every way"
                considered.silent(call.extent, what, step.target, self.described(function))
                continue
            yield Timer(arming, call, start, step.target, self._callback(arming, call))
        yield from self._started_in(function)

    def _started_in(self, function: Function) -> Iterator[Timer]:
        """The timers of an object that another method has made: `self.beat = LoopingCall(self.ping)` in a constructor, and
        `self.beat.start(5)` when it is connected."""
        for step, call in function.cfg.calls if self._starting else ():
            place = call.receiver_place
            if call.method not in self._starting or place is None or place.root.kind != "this":
                continue
            stores = [s for s in self.module.stores_to(place) if not is_null(s[1].value)]
            made = [(f, *_called(store.value)) for f, store in stores]
            if len(made) != 1 or made[0][0] is function or made[0][1] is None:
                continue
            arming = self.arming_of(made[0][1])
            if arming is not None and arming.starts == call.method and arming.result == made[0][2]:
                yield Timer(arming, made[0][1], step, place, self._callback(arming, made[0][1]), True)

    @cached_property
    def _starting(self) -> frozenset[str]:
        """The methods that start what this module makes."""
        made = (a for a in self.armings if a.starts is not None)
        return frozenset(
            a.starts or "" for a in made if self.module.functions_mentioning(a.name.rpartition(".")[2])
        )

    def _account_for_unkept(self, function: Function) -> None:
        """Takes down the timers whose handle no step of a function keeps; they are no candidates."""
        kept = {
            id(call)
            for step, store in function.cfg.assignments
            if step.target is not None and store.op in (None, "or", "??")
            for call, _ in [_called(store.value)]
            if call is not None
        }
        for _, call in function.cfg.calls:
            if id(call) not in kept and self.arming_of(call) is not None:
                if any(
                    isinstance(step.statement, t.Return) and step.statement.value is call
                    for step in function.cfg.of_kind("return")
                ):
                    why = "what `{}` gives is returned: clearing it is for the caller of {}"
                elif isinstance(call.parent, t.Call):
                    why = "what `{}` gives is handed on at once: clearing it is for its new owner"
                elif call.parent is not None:
                    why = "what `{}` gives is kept in no variable of {}, so clearing it is left to others"
                else:
                    why = "what `{}` gives is kept nowhere, so nothing means to clear it: fire and forget"
                name = " ".join(self.module.snippet(call.callee.extent).split())
                self.module.considered.silent(call.extent, why, name, self.described(function))

    def arming_of(self, call: t.Call, depth: int = 3) -> Arming | None:
        """What a call arms: by its canonical name, its method, or what the function of the file returns."""
        name = self.module.typed_name(call.callee)
        for arming in self.armings:
            if name == arming.name or (
                arming.name.startswith(".") and call.method == arming.name[1:] and call.receiver is not None
            ):
                return arming
        callee = self.module.resolve(call)
        if callee is None or depth <= 0 or callee.is_async or callee.is_generator:
            return None
        found: set[Arming | None] = set()
        for value, _ in returns(callee):
            inner, index = _called(self.module.value_of(value))
            made = self.arming_of(inner, depth - 1) if inner is not None else None
            found.add(made if made is not None and made.result == index else None)
        return found.pop() if len(found) == 1 else None

    def _started(self, function: Function, made: Step, arming: Arming) -> Step | None:
        """The step that starts what was made, where every way to it comes from there."""
        for step, call in function.cfg.calls:
            receiver = call.receiver.target if isinstance(call.receiver, t.Store) else call.receiver
            on_it = isinstance(receiver, t.Ref) and receiver.place == made.target
            if call.method == arming.starts and on_it and function.cfg.dominates(made, step):
                return step
        return None

    def _callback(self, arming: Arming, call: t.Call) -> Function | None:
        return (
            self.module.resolve_value(call.argument(arming.callback)) if arming.callback is not None else None
        )

    # -- clearing --------------------------------------------------------------------------------

    def clears(self, arming: Arming) -> Effect:
        """The effect of clearing a timer of this kind."""
        if arming not in self._clears:

            def does(function: Function, step: Step, place: Place) -> bool:
                return self.clears_by_itself(arming, function, step, place)

            self._clears[arming] = Effect(does)
        return self._clears[arming]

    def clears_by_itself(self, arming: Arming, function: Function, step: Step, place: Place) -> bool:
        """Whether a step clears the timer in a place without the help of another function of the file."""
        if step.kind == "suspend" and isinstance(step.term, t.Suspend):
            waited = step.term.value
            if (
                arming.fires is not None
                and isinstance(waited, t.Ref)
                and waited.place == place.field(arming.fires)
            ):
                return True
            return arming.task and isinstance(waited, t.Ref) and waited.place == place
        loop = step.statement
        if step.kind == "iterate" and isinstance(loop, t.ForEach) and isinstance(loop.iterable, t.Sequence):
            # A loop over handles that are written out turns for each of them.
            return any(isinstance(e, t.Ref) and e.place == place for e in loop.iterable.elements) and any(
                loop.extent[0] <= inner.extent[0] < loop.extent[1]
                and self.clears_by_itself(arming, function, inner, place)
                for inner, _ in function.cfg.calls
            )
        call = step.call
        if call is None:
            return False
        if arming.called and isinstance(call.callee, t.Ref) and self._stands_for(call.callee.place, place):
            return True
        on = call.receiver_place
        if call.method in arming.methods and on is not None and self._stands_for(on, place):
            return True
        takes_handle = (
            call.method in arming.cleared_by_methods
            or (self.module.canonical(call.callee) or "") in arming.cleared_by
        )
        return takes_handle and any(
            isinstance(a, t.Ref) and self._stands_for(a.place, place) for a in call.arguments
        )

    def _stands_for(self, written: Place, place: Place) -> bool:
        """Whether what is written is the place, or any field of its object (`timers[key]`), or one of several in turn
        (`for handle in (self.ask, self.cull)`)."""
        if written == place:
            return True
        if written.path[-1:] == (ELEMENT,) and written.parent == place.parent:
            return True
        if written.path and written.path == place.path and place.root.kind == "this":
            # `c.idle.Stop()` of a client that a hub is handed
            handed = written.root.kind in ("local", "parameter")
            return handed and self.module.class_of(Place(written.root)) is place.root.owner
        if written.path or written.root.kind not in ("local", "parameter"):
            return False
        return any(
            isinstance(store.value, t.Element)
            and isinstance(store.value.subject, t.Sequence)
            and any(isinstance(e, t.Ref) and e.place == place for e in store.value.subject.elements)
            for _, store in self.module.stores_to(written)
        )

    # -- new owners ------------------------------------------------------------------------------

    def gives_away(self, timer: Timer, function: Function, step: Step) -> bool:
        """Whether a step gives the handle, or a closure that can clear it, to another owner; or loses track of it."""
        place = timer.place
        if step.kind in ("assign", "delete") and step.target is not None:
            if place.starts_with(step.target):
                return True
            if step.store is not None and any(self._hands_over(timer, v) for v in carried(step.store.value)):
                return True
        if step.kind == "closure" and isinstance(step.term, t.Closure):
            return self._is_cleanup(timer, step.term)
        if step.kind == "return" and isinstance(step.statement, t.Return):
            return any(self._hands_over(timer, v) for v in carried(step.statement.value))
        if step.kind in ("call", "spawn", "suspend") and step.term is not None:
            call = step.call
            if call is None:
                return isinstance(step.term, t.Suspend) and any(
                    self._hands_over(timer, v) for v in carried(step.term.value) if step.term.op == "yield"
                )
            arguments: list[t.Term] = [*call.arguments, *(value for _, value in call.keywords)]
            if self._looks_on(call):
                return False
            if call.total and (call.receiver_place is None or call.receiver_place.root.kind == "global"):
                return False  # `console.log(timer)`; but `pending.set(id, timer)` has a new owner.
            return any(self._hands_over(timer, v) for a in arguments for v in carried(a))
        return False

    def _hands_over(self, timer: Timer, value: t.Term) -> bool:
        """Whether a value is the handle, its clearing method, or a function of the file that can clear it."""
        if not isinstance(value, t.Ref):
            return False
        place = timer.place
        if value.place == place or (value.place.parent == place and value.place.name in timer.arming.methods):
            return True
        function = self.module.resolve_value(value)
        return (
            function is not None
            and function is not timer.callback
            and visible_in(place.root, function)
            and self.clears(timer.arming).possibly(function, place)
        )

    def _is_cleanup(self, timer: Timer, closure: t.Closure) -> bool:
        function = closure.function
        if function is timer.callback or function.is_inlined:
            return False
        if function.binding is not None and any(True for _ in callers(function)):
            # A local helper: its calls count, not its definition.
            return False
        return visible_in(timer.place.root, function) and any(
            self.clears(timer.arming).possibly(inner, timer.place)
            for inner in (function, *function.descendants)
        )

    # -- ways out --------------------------------------------------------------------------------

    def way_out(self, function: Function, timer: Timer) -> Path | None:
        """A way from arming to an end of the function on which the timer is neither cleared nor given away.

        None where nothing after the arming clears it (then another owner may), and where only plain synchronous
        code lies on the way.
        """
        cfg, clears = function.cfg, self.clears(timer.arming)
        considered = self.module.considered
        if timer.arming.task and self._is_test:
            what = "the event loop of a test ends with it, and all tasks with the loop"
            considered.silent(timer.extent, what)
            return None
        if timer.arming.task and self._is_work(function, timer):
            return None
        released = {s for s in cfg.steps if clears.may_at(function, s, timer.place)}
        released |= {s for s in cfg.steps if self._asks_handle(function, s, timer, released)}
        if not self._is_meant(function, timer, released):
            return None
        for executor in self.executors.of(function):
            if not executor.holds(timer.call.extent):
                continue
            # The end of an executor is no end of the wait; and that the promise settles may be the timer's doing.
            if all(executor.holds(s.extent) for s in released):
                what = "`{}` is cleared inside the promise executor, and the executor's end is not the end of the wait"
                considered.silent(timer.extent, what, timer.place, at=_first(released))
                return None
            if executor.awaited and not self.executors.rejects_otherwise(executor, timer):
                what = "nothing in the awaited promise rejects but `{}` itself, so the wait ends in one way"
                considered.silent(timer.extent, what, timer.place, at=executor.region.extent)
                return None
        given = {s for s in cfg.steps if s is not timer.step and self.gives_away(timer, function, s)}
        given |= self._seen_done(function, timer)
        avoiding = released | given | {timer.step}
        armed = [(("set", timer.place), True)]
        if self.outlives(function, timer) and cfg.path(
            timer.step, cfg.exits, avoiding=avoiding, given=armed, along=STRAIGHT
        ):
            # The handle outlives the call by design; some branch may still clear it.
            what = "`{}` outlives {}, which leaves it armed where all goes well: that is its plan"
            considered.silent(timer.extent, what, timer.place, self.described(function))
            return None
        way = cfg.path(timer.step, cfg.exits, avoiding=avoiding, given=armed)
        if way is None:
            if considered.active:
                self._account_for_no_way(function, timer, released, given)
            return None
        if self._was_decided(function, way, released):
            what = "a condition in the cleanup decides whether `{}` is cleared: a decision, not an oversight"
            considered.silent(timer.extent, what, timer.place, at=_first(s for s in released if s.is_cleanup))
            return None
        if self._takes_over(timer, function, way, released):
            what = "what `{}` runs is also called where it is cleared, and on no other way: it is meant to come first"
            considered.silent(timer.extent, what, timer.place, at=_first(released))
            return None
        if self._is_early(way, timer):
            return way
        # The shortest way is plain synchronous code; another may lead over a step where something can happen.
        for step in [s for s in cfg.steps if s.suspends or s.kind in ("return", "raise") or _raises(s)][
            :TURNS
        ]:
            first = cfg.path(timer.step, {step}, avoiding=avoiding, given=armed)
            onward = (
                cfg.path(step, cfg.exits, avoiding=avoiding, given=first.facts) if first is not None else None
            )
            if first is not None and onward is not None and self._is_early(first.then(onward), timer):
                return first.then(onward)
        what = "the ways out of {} that leave `{}` armed are plain synchronous code, where nothing else can happen"
        considered.silent(timer.extent, what, self.described(function), timer.place, at=way.goal.extent)
        return None

    def _account_for_no_way(
        self, function: Function, timer: Timer, released: set[Step], given: set[Step]
    ) -> None:
        """Takes down what stops every way out on which the timer would stay armed."""
        cfg, name = function.cfg, self.described(function)
        onward = cfg.reachable(timer.step, avoiding={timer.step})
        lost = _first(s for s in given if s in onward)
        armed = [(("set", timer.place), True)]
        if lost is not None and cfg.path(
            timer.step, cfg.exits, avoiding=released | {timer.step}, given=armed
        ):
            what = "`{}`, or what clears it, has a new owner here, on a way out of {} that does not clear it"
            self.module.considered.silent(timer.extent, what, timer.place, name, at=lost)
            return
        what = "every way out of {} clears `{}` first"
        at = _first(s for s in released if s in onward)
        self.module.considered.silent(timer.extent, what, name, timer.place, at=at)

    def outlives(self, function: Function, timer: Timer) -> bool:
        """Whether the handle is kept where later calls find it: a field, or a variable of a function around this one."""
        scope = timer.place.root.scope
        return not timer.place.is_local or scope is None or scope.host is not function

    def _is_meant(self, function: Function, timer: Timer, released: set[Step]) -> bool:
        """Whether the function means to clear the timer once its work is done.

        For a handle that outlives the call, clearing only where something failed is a different plan (the timer is
        to go on). Clearing to arm anew is a restart. That it fired is no clearing. A callback that clears its own timer ("whichever comes first") leaves it armed by design.
        """
        cfg, considered = function.cfg, self.module.considered
        why = "nothing in {} clears `{}` after it is armed: another owner may, or nobody means to"
        candidates = {s for s in released if s.kind == "call"}
        if candidates and self.outlives(function, timer):
            why = "{} clears `{}` only where something failed: else it is to go on"
            candidates &= cfg.reachable(timer.step, labels=STRAIGHT)
        arming = {s for s in cfg.steps if self._arms_anew(s, timer)}
        for step in sorted(candidates, key=lambda s: s.extent):
            callee = self.module.resolve(step.call) if step.call is not None else None
            if callee is not None and callee is timer.callback:
                why = "{} clears `{}` only through its own callback, whichever comes first"
                continue
            if cfg.reaches(timer.step, step):
                if any(end in cfg.reachable(step, avoiding=arming) for end in cfg.exits):
                    what = "{} means to clear `{}`: it does so here"
                    considered.evidence(
                        timer.extent, what, self.described(function), timer.place, at=step.extent
                    )
                    return True
                why = "{} clears `{}` only to arm it anew"
        considered.silent(timer.extent, why, self.described(function), timer.place, at=_first(released))
        return False

    def _arms_anew(self, step: Step, timer: Timer) -> bool:
        if step.kind == "assign" and step.target == timer.place:
            return True
        call = step.call
        return call is not None and call.method in timer.arming.rearms and call.receiver_place == timer.place

    def _asks_handle(self, function: Function, step: Step, timer: Timer, released: set[Step]) -> bool:
        """`if not task.done(): task.cancel()`: whichever way the handle's own answer goes, it is dealt with."""
        if step.kind != "test" or step.term is None:
            return False
        asks = self._asks_for_name(step.term) or any(
            isinstance(p, t.Call) and p.receiver_place == timer.place for p in step.term.walk()
        )
        return asks and any(f.step is step for r in released for f in function.cfg.known_at(r))

    def _asks_for_name(self, term: t.Term) -> bool:
        """`"task" in locals()`: whether the variable is there at all."""
        return (
            isinstance(term, t.Binary)
            and term.op == "in"
            and isinstance(term.right, t.Call)
            and self.module.canonical(term.right.callee) in self.knowledge.names("timer", "scopes")
        )

    def _is_work(self, function: Function, timer: Timer) -> bool:
        """Whether a task is the work itself, whose result is awaited or read, and no watchdog beside it."""
        considered = self.module.considered
        if not timer.place.is_local:
            # What is kept elsewhere is cancelled by whoever keeps it.
            considered.silent(
                timer.extent, "the task `{}` is kept beyond the call, by its owner", timer.place
            )
            return True
        started = timer.call.arguments[0] if timer.call.arguments else None
        job = self.module.resolve(started) if isinstance(started, t.Call) else None
        if job is not None and any(value is not None and not is_null(value) for value, _ in returns(job)):
            # Who returns a value has a result; who watches or beats has none.
            considered.silent(
                timer.extent, "the task `{}` is the work itself: {} gives a result", timer.place, job.name
            )
            return True
        work = "the task `{}` is the work itself: its result is awaited, read or handed over here"
        cfg = function.cfg
        cancelled = [
            s for s, call in cfg.calls if self.clears_by_itself(timer.arming, function, s, timer.place)
        ]
        for step in cfg.steps:
            waited = awaited(step)
            for_it = isinstance(waited, t.Ref) and waited.place == timer.place
            if for_it and not any(cfg.dominates(s, step) for s in cancelled):
                considered.silent(timer.extent, work, timer.place, at=step.extent)
                return True
            call = step.call
            if call is None:
                continue
            if call.receiver_place == timer.place and call.method in self.knowledge.names(
                "timer", "consumes"
            ):
                considered.silent(timer.extent, work, timer.place, at=step.extent)
                return True
            if (
                not self._looks_on(call)
                and not self._only_cancels(timer, call)
                and any(
                    isinstance(v, t.Ref) and v.place == timer.place
                    for a in call.arguments
                    for v in carried(a)
                )
            ):
                considered.silent(timer.extent, work, timer.place, at=step.extent)
                return True
        return False

    def _only_cancels(self, timer: Timer, call: t.Call) -> bool:
        """Whether a function of the file that a call gives the task to does nothing with it but cancel it."""
        callee = self.module.resolve(call)
        if callee is None or callee.is_inlined:
            return False
        for index, parameter in enumerate(callee.parameters):
            given = call.argument(index, parameter.name)
            if not isinstance(given, t.Ref) or given.place != timer.place:
                continue
            uses = [
                part
                for step in callee.cfg.steps
                if step.kind != "test" and step.term is not None
                for part in step.term.walk()
                if isinstance(part, t.Ref) and part.place.root is parameter
            ]
            return bool(uses) and all(
                part.place == Place(parameter).field(method)
                or (
                    isinstance(part.parent, t.Call)
                    and part.parent.receiver is part
                    and part.parent.method == method
                )
                for part in uses
                for method in [self._cancelling(timer, part)]
            )
        return False

    def _cancelling(self, timer: Timer, part: t.Ref) -> str:
        """The method that cancels the task, where a term names it."""
        call = part.parent
        name = call.method if isinstance(call, t.Call) else part.place.name
        return name if name in timer.arming.methods else ""

    def _takes_over(self, timer: Timer, function: Function, way: Path, released: set[Step]) -> bool:
        """Whether the timer's callback ends what was asked for where the way out does not.

        `const late = setTimeout(() => done("late"), ms); work().catch(() => { clearTimeout(late); done(); })`
        """
        if timer.callback is None:
            return False
        ends = {
            call.callee.place
            for _, call in timer.callback.cfg.calls
            if isinstance(call.callee, t.Ref)
            and not call.callee.place.path
            and call.callee.place.root.kind == "parameter"
        }
        after = {s for r in released for s in function.cfg.reachable(r)}
        return any(_calls(after, place) and not _calls(way.steps, place) for place in ends)

    def _looks_on(self, call: t.Call) -> bool:
        """Whether a call waits for tasks that stay its caller's, also where it is cancelled itself."""
        return self.module.canonical(call.callee) in self.knowledge.names("timer", "waits")

    def _seen_done(self, function: Function, timer: Timer) -> set[Step]:
        """What follows a wait for the task and others: which of them are done is a question of its own."""
        return {
            edge.target
            for step in function.cfg.of_kind("suspend")
            if timer.arming.task
            and isinstance(call := awaited(step), t.Call)
            and self._looks_on(call)
            and any(
                isinstance(v, t.Ref) and v.place == timer.place for a in call.arguments for v in carried(a)
            )
            for edge in step.edges
            if edge.label != "raise"
        }

    def _was_decided(self, function: Function, way: Path, released: set[Step]) -> bool:
        """Whether the way leads past a condition in a `finally` or deferred body that keeps it from the clear there.

        `defer func() { if err != nil { stop() } }()` is a decision, not an oversight.
        """
        decisions = {
            f.step
            for r in released
            if r.is_cleanup
            for f in function.cfg.known_at(r)
            if f.step and f.step.is_cleanup
        }
        return any(step in decisions for step in way.steps)

    def _is_early(self, way: Path, timer: Timer) -> bool:
        """Whether something else can run, or the function is left on a branch, before the end is reached."""
        if any(label == "false" and self._ticks(step) for step, label in way.turns):
            return False  # A ticker's channel is never closed: ranging over it does not end by itself.
        raised = way.raised_at
        if raised is not None and self._is_own_doing(raised, timer):
            return False
        if raised is not None and raised.call is not None and raised.call.receiver_place == timer.place:
            return False  # What is asked of the handle itself does not fail: `timer.unref()`.
        if any(_asks_which(step, timer.place.parent) for step in way.steps):
            return False  # Whoever put another one in its place has ended this one.
        if raised is not None and cannot_reject(
            awaited(raised), self.module, self.knowledge.names("timer", "joins")
        ):
            return False
        if raised is not None and raised.suspends:
            return not (
                timer.arming.task and (self._is_only_cancelled(raised) or self._is_caught(raised, way))
            )
        return (
            raised is not None
            or any(step.suspends for step in way.steps[1:])
            or (
                any(step.kind == "return" for step in way.steps)
                and any(step.kind == "test" for step in way.steps)
            )
        )

    def _ticks(self, step: Step) -> bool:
        """Whether a step takes the next tick of a timer: `for range ticker.C`, `for range time.NewTicker(d).C`."""
        over = step.term if step.kind == "iterate" else None
        if isinstance(over, t.Field):
            made = [over.subject]
        elif isinstance(over, t.Ref) and over.place.parent is not None:
            made = [store.value for _, store in self.module.stores_to(over.place.parent)]
        else:
            return False
        return any(isinstance(m, t.Call) and self.arming_of(m, 0) is not None for m in made)

    def _is_own_doing(self, raised: Step, timer: Timer) -> bool:
        """Whether the timer's callback settles just what is waited for: `setTimeout(() => answer.reject(), ms)`."""
        waited = awaited(raised)
        if timer.callback is None or not isinstance(waited, t.Ref):
            return False
        return any(
            call.receiver_place is not None and waited.place.starts_with(call.receiver_place)
            for _, call in timer.callback.cfg.calls
        )

    def _is_only_cancelled(self, step: Step) -> bool:
        """Whether only a cancellation from outside can raise here: a `yield`, a sleep.

        It mostly ends the loop or the process with all its tasks: half of asyncio's own tests were findings.
        """
        if isinstance(step.term, t.Suspend) and step.term.op == "yield":
            return True
        waited = awaited(step)
        return isinstance(waited, t.Call) and (
            self.module.canonical(waited.callee) in self.knowledge.names("timer", "sleeps")
        )

    def _is_caught(self, step: Step, way: Path) -> bool:
        """Whether a way leaves past a handler that takes the cancellation, all that a wait for tasks can raise."""
        waited = awaited(step)
        if not (isinstance(waited, t.Call) and self._looks_on(waited)):
            return False
        # Handlers of some types only are chosen from at a join of their own.
        chosen = [edge for edge in step.edges if edge.label == "raise"]
        chosen += [edge for first in chosen if first.target.kind == "join" for edge in first.target.edges]
        taken = way.steps[way.steps.index(step) + 1 :][:2]
        return any(
            edge.target not in taken
            and edge.target.kind == "handler"
            and isinstance(edge.target.statement, t.Try)
            and any(
                handler.extent == edge.target.extent and "asyncio.CancelledError" in handler.types
                for handler in edge.target.statement.handlers
            )
            for edge in chosen
        )

    @cached_property
    def _is_test(self) -> bool:
        """Whether the file is made of tests: it imports what tests are written with."""
        return any(map(self.module.imports_from, self.knowledge.names("timer", "tests")))

    def _is_grouped(self, call: t.Call) -> bool:
        """Whether a task belongs to a group that ends its tasks itself."""
        place = call.receiver_place
        return place is not None and any(
            isinstance(store.value, t.Call)
            and self.module.canonical(store.value.callee) in self.knowledge.names("timer", "groups")
            for _, store in self.module.stores_to(place)
        )

    def _is_main(self, function: Function) -> bool:
        """Whether a function only runs as the program's main task: `asyncio.run(main())`."""
        runners = self.knowledge.names("timer", "runners")
        runs = [step.call for _, step in callers(function)]
        return bool(runs) and all(
            run is not None
            and isinstance(run.parent, t.Call)
            and self.module.canonical(run.parent.callee) in runners
            for run in runs
        )

    def has_other_owner(self, function: Function, timer: Timer) -> bool:
        """Whether the handle outlives the call and another function of the file clears it too."""
        if timer.place.is_local:
            return False
        clears = self.clears(timer.arming)
        for other in self.module.functions_mentioning(timer.place.name):
            if (
                other is not function
                and visible_in(timer.place.root, other)
                and clears.possibly(other, timer.place)
            ):
                what = "`{}` outlives the call, and {} clears it too"
                self.module.considered.weaker(
                    timer.extent, what, timer.place, self.described(other), at=other.name_extent
                )
                return True
        return False

    def described(self, function: Function) -> str:
        """How a message names a function."""
        return f"`{function.name}`" if function.name else function.display_name

    def account(self, function: Function, timer: Timer, way: Path) -> tuple[list[tuple[t.Extent, str]], str]:
        """The trace of a way out, and what the function does at its end ("`publish` ends")."""
        steps: list[tuple[t.Extent, str]] = []
        raised = way.raised_at
        handled = False
        for step, label in way.turns:
            if label == "raise" and step.kind not in ("raise", "join"):
                what = "this await may reject" if step.suspends else "this call may raise"
                steps.append((step.extent, f"{what} before the timer is cleared"))
            elif label in ("true", "false") and step is not raised and step.kind == "test":
                steps.append((step.extent, f"when this is {label}"))
        for step in way.steps:
            if step.kind == "handler":
                handled = True
                steps.append((step.extent, f"the handler runs with `{timer.place}` {timer.arming.state}"))
            elif step.kind == "return":
                steps.append((step.extent, f"this returns with `{timer.place}` {timer.arming.state}"))
            elif step.kind == "raise":
                steps.append((step.extent, f"this leaves with `{timer.place}` {timer.arming.state}"))
        name = self.described(function)
        if handled:
            return steps, f"{name} handles the failure"
        if way.goal is function.cfg.raised:
            return steps, f"{name} fails"
        return steps, f"{name} returns" if any(s.kind == "return" for s in way.steps) else f"{name} ends"

    # -- remedies --------------------------------------------------------------------------------

    def clear_always(self, function: Function, timer: Timer) -> ClearAlways | None:
        """How the function can clear the timer on every way out, or None."""
        from wsantipattern.roles import clearing

        return clearing.always(self, function, timer)

    def clear_before(self, function: Function, timer: Timer, way: Path) -> ClearBefore | None:
        """How the timer can be cleared before the step that settles the promise at the end of `way`, or None."""
        from wsantipattern.roles import clearing

        return clearing.before_settling(self, function, timer, way)


def _asks_which(step: Step, holder: Place | None) -> bool:
    """Whether a step asks if the object that holds a timer is still the one in use: `links.get(id) !== link`."""
    term = step.term
    if step.kind != "test" or holder is None or not isinstance(term, t.Binary) or term.op not in ("==", "!="):
        return False
    sides = (term.left, term.right)
    return any(isinstance(side, t.Ref) and side.place == holder for side in sides) and not any(
        map(is_null, sides)
    )


def _calls(steps: Iterable[Step], place: Place) -> bool:
    return any(
        s.call is not None and isinstance(s.call.callee, t.Ref) and s.call.callee.place == place
        for s in steps
    )


def _called(value: t.Term | None) -> tuple[t.Call | None, int]:
    """The call whose result a term is, and which of its results."""
    index = 0
    if isinstance(value, t.Result):
        index = value.index
        value = value.call
    if isinstance(value, t.Suspend):
        return None, 0
    return (value, index) if isinstance(value, t.Call) else (None, 0)


def _arming(entry: dict[str, Any]) -> Arming:
    return Arming(
        name=entry["call"] if "call" in entry else "." + entry["method"],
        methods=frozenset(entry.get("methods", [])),
        cleared_by=frozenset(entry.get("cleared_by", [])),
        cleared_by_methods=frozenset(entry.get("cleared_by_methods", [])),
        called=bool(entry.get("called", False)),
        result=int(entry.get("result", 0)),
        callback=entry.get("callback"),
        starts=entry.get("starts"),
        fires=entry.get("fires"),
        ticks=entry.get("ticks"),
        rearms=frozenset(entry.get("rearms", [])),
        repeats=bool(entry.get("repeats", False)),
        task=bool(entry.get("task", False)),
    )


def _first(steps: Iterable[Step]) -> t.Extent | None:
    """Where the first of some steps stands, for an account."""
    return min((step.extent for step in steps), default=None)


def _raises(step: Step) -> bool:
    return any(edge.label == "raise" for edge in step.edges)
