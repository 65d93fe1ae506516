"""Timers that outlive the call that arms them: kept in a field, a ref, a captured variable or a collection, or by nobody.

A task counts where it sleeps between the rounds of a loop, a ticker where one function takes its ticks, and both where a
field keeps them. Contexts are left out.
"""

from __future__ import annotations

from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.record import record
from wsantipattern.roles.owner_beat import Beats
from wsantipattern.roles.owner_collection import Collections
from wsantipattern.roles.timer import Arming, Timer, Timers


@record(frozen=True, slots=True, eq=False)
class Armed:
    """A timer that is still armed when the function that arms it returns.

    Attributes:
        arming, call: what arms it. step: where the handle is kept, or the call where nobody keeps it.
        function: whose graph has the step. place: where it is kept, or None. callback: what runs when it fires.
        collection: the map, list or set that it is kept in with others; then `place` is None.
        waits: the steps of `callback` at which it waits for its next round, where it is a loop.
    """

    arming: Arming
    call: t.Call
    step: Step
    function: Function
    place: Place | None
    callback: Function
    timer: Timer | None
    collection: Place | None = None
    waits: tuple[Step, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether firing does not end it."""
        return self.arming.repeats or bool(self.waits)

    @property
    def extent(self) -> t.Extent:
        """Where it is armed, as `Timer.extent` has it."""
        return self.timer.extent if self.timer is not None else self.call.extent

    @property
    def name(self) -> str:
        """How a message names it."""
        place = self.collection.element if self.collection is not None else self.place
        return str(place) if place is not None else self.call.method

    @property
    def held(self) -> Place | None:
        """Where its owner keeps it, by itself or with others; None where nobody does."""
        return self.place if self.place is not None else self.collection


class OwnerTimers:
    """The timers of one module that outlive the call that arms them."""

    def __init__(
        self, module: Module, knowledge: Knowledge, timers: Timers, collections: Collections
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.timers = timers
        self.collections = collections
        self.beats = Beats(module, knowledge)

    @property
    def armed(self) -> list[Armed]:
        """Each of them whose callback is in the file, in order of appearance."""
        return self._found[0]

    @property
    def given(self) -> list[Armed]:
        """Those that are kept by themselves, and that run what somebody else gave."""
        return self._found[1]

    @property
    def tasks(self) -> list[Armed]:
        """The tasks that fields keep and that do not beat: readers, writers."""
        return self._found[2]

    def _of_others(self, function: Function, timer: Timer) -> Armed:
        callback = Function(self.module, "", "lambda", timer.call.extent)
        place = self._of_object(function, timer.place)
        return Armed(timer.arming, timer.call, timer.step, function, place, callback, timer)

    @cached_property
    def _found(self) -> tuple[list[Armed], list[Armed], list[Armed]]:
        """Those whose callback is in the file, those whose callback is not, and tasks that do not beat."""
        kinds = [a for a in self.timers.armings if not a.task and a.callback is not None]
        looped = [a for a in self.timers.armings if a.task or a.ticks is not None]
        functions: dict[Function, None] = {}
        for kind in (*kinds, *looped):
            functions.update(dict.fromkeys(self._naming(kind)))
        found: list[Armed] = []
        given: list[Armed] = []
        tasks: list[Armed] = []
        considered = self.module.considered
        for function in sorted(functions, key=lambda f: f.extent):
            stored: set[int] = set()
            with self.module.unheard():
                kept = list(self.timers.armed_in(function))
            for timer in kept:
                stored.add(id(timer.call))
                callback = self.callback_of(timer.arming, timer.call)
                if timer.arming in looped:
                    beating = self._beating(function, timer)
                    if beating is not None:
                        (found if beating.waits else tasks).append(beating)
                elif timer.arming not in kinds:
                    considered.aside(timer.extent, "`{}` is a task or a context, no timer", timer.place)
                elif callback is None:
                    given.append(self._of_others(function, timer))
                    what = "what runs when `{}` fires is not in this file"
                    considered.silent(timer.extent, what, timer.place)
                elif self._is_record(timer, function) or not self._outlives(timer, function):
                    collection = self.collections.of(function, timer.call, timer)
                    if collection is not None:
                        found.append(
                            Armed(
                                timer.arming,
                                timer.call,
                                timer.step,
                                function,
                                None,
                                callback,
                                timer,
                                collection,
                            )
                        )
                        continue
                    what = "`{}` is kept with others, or the function that arms it deals with it itself"
                    considered.silent(timer.extent, what, timer.place)
                else:
                    place = self._of_object(function, timer.place)
                    found.append(
                        Armed(timer.arming, timer.call, timer.step, function, place, callback, timer)
                    )
            for step, call in function.cfg.calls:
                if id(call) in stored:
                    continue
                arming = self.timers.arming_of(call, 0)
                field = self._field_of(call) if arming is not None else None
                if arming is not None and arming.ticks is not None and field is not None:
                    beat = self.beats.of_ticks(field, arming.ticks)
                    if beat is not None:
                        found.append(Armed(arming, call, step, function, field, beat[0], None, None, beat[1]))
                    continue
                callback = self.callback_of(arming, call) if arming in kinds and arming is not None else None
                if arming is None or callback is None or arming.starts is not None:
                    continue
                if self.module.resolve(call) is not None:
                    continue  # A method of the file by that name keeps it as it likes.
                collection = self.collections.of(function, call, None) if call.parent is not None else None
                if call.parent is None or collection is not None:
                    found.append(Armed(arming, call, step, function, None, callback, None, collection))
                elif field is not None:
                    found.append(Armed(arming, call, step, function, field, callback, None))
        return found, given, tasks

    def _field_of(self, call: t.Call) -> Place | None:
        """The field that a timer is written down for: `&Poller{ticker: time.NewTicker(d)}`."""
        made = call.parent
        if not isinstance(made, t.Record) or not made.type_name:
            return None
        last = made.type_name.rpartition(".")[2]
        owner = next((c for c in self.module.classes if c.name == last), None)
        name = next((name for name, value in made.entries if value is call), None)
        return Place(owner.this).field(name) if owner is not None and name is not None else None

    def _beating(self, function: Function, timer: Timer) -> Armed | None:
        """A task or ticker that a field keeps, with the loop that it runs; without `waits`, a task that does not beat."""
        considered, place = self.module.considered, self._of_object(function, timer.place)
        if place.root.kind != "this" or ELEMENT in place.path:
            considered.aside(timer.extent, "no field keeps `{}` by itself", timer.place)
            return None
        if timer.arming.ticks is not None:
            beat = self.beats.of_ticks(place, timer.arming.ticks)
            what = "no function of this file, or more than one, takes the ticks of `{}`"
        else:
            beat = self.beats.of_task(timer.call)
            what = "`{}` is a task that sleeps in no loop of this file, and no timer"
        if beat is not None:
            return Armed(timer.arming, timer.call, timer.step, function, place, beat[0], timer, None, beat[1])
        considered.aside(timer.extent, what, timer.place)
        return self._of_others(function, timer) if timer.arming.task else None

    def _of_object(self, function: Function, place: Place) -> Place:
        """The field that an object's methods know as theirs, where a function makes the object and returns it:
        `b := &Bridge{}; b.summary = time.AfterFunc(...); return b`."""
        root = place.root
        made = root.initial if root.kind == "local" and root.constant and len(place.path) == 1 else None
        owner = self.module.class_of(Place(root)) if isinstance(made, (t.Record, t.Call)) else None
        if owner is None or (isinstance(made, t.Call) and not made.constructs):
            return place
        returned = any(
            isinstance(step.statement, t.Return)
            and step.statement.value is not None
            and any(isinstance(p, t.Ref) and p.place == Place(root) for p in step.statement.value.walk())
            for step in function.cfg.of_kind("return")
        )
        return Place(owner.this, place.path) if returned else place

    @cached_property
    def places(self) -> frozenset[Place]:
        """Where the module's timers are kept, those included whose callback is not in the file."""
        with self.module.unheard():
            return frozenset(
                timer.place
                for function in {f for a in self.timers.armings for f in self._naming(a)}
                for timer in self.timers.armed_in(function)
                if not timer.arming.task and timer.arming.callback is not None
            )

    def _naming(self, arming: Arming) -> list[Function]:
        """The functions that name what arms a timer, or that may start what another function makes."""
        making = self.module.functions_mentioning(arming.name.rpartition(".")[2])
        starting = self.module.functions_mentioning(arming.starts) if making and arming.starts else []
        return [*making, *starting]

    def callback_of(self, arming: Arming, call: t.Call) -> Function | None:
        """What runs when a timer fires."""
        if arming.callback is None:
            return None
        value = call.argument(arming.callback, "function")
        return self.module.resolve_value(value)

    def is_concurrent(self, arming: Arming) -> bool:
        """Whether the callback runs beside the code that clears the timer."""
        return arming.name in self.knowledge.names("owner", "concurrent")

    def _outlives(self, timer: Timer, function: Function) -> bool:
        if ELEMENT in timer.place.path:
            return False
        scope = timer.place.root.scope
        if not timer.place.is_local or scope is None or scope.host is not function:
            return True
        # A variable of the call itself: closures may clear it, and nothing else has it.
        return not self.timers.clears(timer.arming).possibly(function, timer.place) and not any(
            step is not timer.step
            and not (step.store is not None and step.store.declares and step.target == timer.place)
            and self.timers.gives_away(timer, function, step)
            for step in function.cfg.of_kind("call", "spawn", "return", "suspend", "assign")
        )

    def _is_record(self, timer: Timer, function: Function) -> bool:
        """Whether a timer is kept in an object that the function puts into a collection."""
        scope = timer.place.root.scope
        if timer.place.root in function.parameters:
            return self.collections.is_put(function, timer)
        return (
            timer.place.root.kind == "local"
            and bool(timer.place.path)
            and scope is not None
            and scope.host is function
            and self.collections.is_put(function, timer)
        )

    def arms(self, armed: Armed, function: Function, step: Step) -> bool:
        """Whether a step arms this timer: the call itself, another one for the same place, or a restart."""
        if step is armed.step or step.term is armed.call:
            return True
        call = step.call
        if armed.collection is not None and armed.timer is not None and call is not None:
            # `lane.poll.Reset(d)`, where `lane` was taken out of the collection
            field, on = armed.timer.place.path[-1:], call.receiver_place
            return (
                call.method in armed.arming.rearms
                and on is not None
                and bool(field)
                and on.path[-1:] == field
            )
        if armed.place is None:
            return False
        if call is not None and step.kind == "call":
            again = call.method in armed.arming.rearms or call.method == armed.arming.starts
            return again and call.receiver_place == armed.place
        return (
            step.kind == "assign"
            and step.target == armed.place
            and any(other.step is step for other in self._by_function.get(function, ()))
        )

    @cached_property
    def _by_function(self) -> dict[Function, list[Armed]]:
        found: dict[Function, list[Armed]] = {}
        for armed in self.armed:
            found.setdefault(armed.function, []).append(armed)
        return found
