"""What an end does to a timer: clears it, gives it up, clears another one, or does something that may clear it.

Counts towards "it is dealt with" in doubt: a call that nobody here can see into, with the timer or its owner; a function
that clears the timer and is in somebody else's hands.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import Effect, callers
from wsantipattern.record import record
from wsantipattern.roles.event import Events, Registration
from wsantipattern.roles.owner import DEPTH, End, Link, Owners
from wsantipattern.roles.owner_collection import is_single
from wsantipattern.roles.owner_timer import Armed, OwnerTimers
from wsantipattern.roles.timer import Timers


@record(frozen=True, slots=True, eq=False)
class Early:
    """An end that leaves at `test` where the connection is gone; `known`: what is known of its tests then."""

    function: Function
    test: Step
    known: tuple[tuple[flow.Key, bool], ...]

    def passes_by(self, step: Step) -> bool:
        """Whether the end does not come to a step of its function then."""
        cfg = self.function.cfg
        return cfg.path(cfg.entry, {step}, given=self.known) is None


class Dealings:
    """What the ends of one module do to its timers."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        timers: Timers,
        kept: OwnerTimers,
        owners: Owners,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.timers = timers
        self.kept = kept
        self.owners = owners
        self.collections = kept.collections
        self._arms: dict[Armed, Effect] = {}

    def arms_itself(self, end: End, armed: Armed) -> bool:
        """Whether an end arms the timer itself."""
        return any(self.kept.arms(armed, f, s) for f in self.owners.run_by(end.function) for s in f.cfg.steps)

    def clears(self, end: End, armed: Armed) -> tuple[Step, Place] | None:
        """Where an end clears the timer."""
        return self._cleared_in(end, armed) if armed.place is not None else None

    def _cleared_in(self, end: End, armed: Armed) -> tuple[Step, Place] | None:
        assert armed.place is not None
        clears = self.timers.clears(armed.arming)
        for step in end.function.cfg.steps:
            if clears.may_at(end.function, step, armed.place):
                return step, armed.place
        return None

    def sibling(self, end: End, armed: Armed) -> tuple[Step, Place] | None:
        """Where an end clears another timer of the same owner; for a task, also where it cancels another task."""
        for other in (*self.kept.armed, *(self.kept.tasks if armed.arming.task else ())):
            if other.place is None or other.place == armed.place:
                continue
            found = self._cleared_in(end, other)
            if found is not None:
                return found
        return None

    def goes_on(self, armed: Armed) -> bool:
        """Whether a timer repeats, or what it runs arms it again whatever happens."""
        if armed.repeats:
            return True
        return armed.held is not None and self._arming(armed).certainly(armed.callback, armed.held)

    def _arming(self, armed: Armed) -> Effect:
        if armed not in self._arms:
            self._arms[armed] = Effect(lambda f, s, _: self.kept.arms(armed, f, s))
        return self._arms[armed]

    def is_cleared_elsewhere(self, armed: Armed, end: End) -> bool:
        """Whether some other way in which the owner ends clears the timer."""
        if armed.collection is not None:
            return self._is_emptied_elsewhere(armed, armed.collection, end)
        place = armed.place
        assert place is not None
        clears = self.timers.clears(armed.arming)
        inner = set(self.owners.run_by(armed.callback)) | {armed.function, end.function}
        clearing = [f for f in self.module.functions_mentioning(place.name) if clears.possibly(f, place)]
        outer = dict.fromkeys(
            [*clearing, *(caller for f in clearing for caller in self.owners.callers_of(f))]
        )
        return any(
            f not in inner and clears.possibly(f, place) and self.owners.kind_of(f) not in (None, "plain")
            for f in outer
        )

    def is_cleared_from_outside(self, armed: Armed) -> bool:
        """Whether an object has a function that clears its timer for good, and that whoever owns the object may call."""
        place = armed.place
        if place is None or place.root.kind != "this":
            return False
        return any(
            self.owners.sees(function, place)
            and not self.owners.is_inner(function)
            and self._clears_to_stay(function, armed)
            for function in self.module.functions_mentioning(place.name)
        )

    def is_ever_cleared(self, armed: Armed) -> bool:
        """Whether anything of the file clears the timer for good before it fires, and not only to start it anew: then it
        is not meant to fire come what may."""
        place = armed.place
        assert place is not None
        return any(
            self.owners.sees(function, place) and self._clears_to_stay(function, armed)
            for function in self.module.functions_mentioning(place.name)
        )

    def deals_with(self, end: End, armed: Armed, link: Link | None) -> bool:
        """Whether an end clears the timer, gives it up, or does something that may clear it."""
        place = armed.place
        early = self.leaves_early(end, armed)
        ran = self.owners.run_by(end.function) if early is None else self._run_early(early)
        inside = dict.fromkeys([*ran, *(inner for f in ran for inner in f.descendants)])
        if armed.callback in inside:
            return True
        if armed.collection is not None:
            return self._deals_with_all(
                end, armed, armed.collection, link, inside
            ) or self._is_left_to_others(armed, armed.collection)
        for function in inside:
            for step in function.cfg.steps:
                if early is not None and function is end.function and early.passes_by(step):
                    continue
                if (
                    place is not None
                    and step.kind in ("assign", "delete")
                    and step.target is not None
                    and place.starts_with(step.target)
                ):
                    return True
                if self._may_clear(function, step, armed, link):
                    return True
        if place is None:
            return False
        if armed.waits and any(_takes(step, place) for f in inside for step in f.cfg.steps):
            return True
        clears = self.timers.clears(armed.arming)
        if early is None and any(self.owners.sees(f, place) and clears.possibly(f, place) for f in inside):
            return True
        if place.root.kind == "parameter" and self._clears_of_that_name(inside, armed, place.name):
            return True
        # A timer that fires once has fired when its callback clears it: that keeps the callback from nothing.
        stops_itself = armed.repeats and self._clears_to_stay(armed.callback, armed)
        if stops_itself or self._is_left_to_others(armed, place):
            return True
        if (
            link is not None
            and not self.unhears(end, link)
            and any(self.owners.sees(h, place) and self._clears_to_stay(h, armed) for h in link.handlers)
        ):
            return True
        return self._is_disposed(end, armed, place, link)

    def leaves_early(self, end: End, armed: Armed) -> Early | None:
        """Where an end leaves before it clears, because the connection is gone, as it is where the timer is armed:
        `if (!ws) return` at the top of a cleanup, and a close handler that forgets `ws` and waits to connect anew."""
        place, function, cfg = armed.place, end.function, end.function.cfg
        gone = self._gone_when_armed(armed, end.link) if end.link is not None else frozenset()
        if place is None or not gone or cfg.incomplete:
            return None
        tests: dict[Step, tuple[flow.Key, bool]] = {}
        for step in cfg.of_kind("test"):
            for holds in (True, False):
                own, outcome = cfg.atom(step), self._says_there(step.term, holds, gone)
                if own is not None and outcome is not None:
                    # Where it says so, the connection is there; it is not, so the test goes the other way.
                    tests[step] = (own[0], own[1] == (holds != outcome))
        clears = self.timers.clears(armed.arming)
        steps = {s for s in cfg.steps if clears.may_at(function, s, place)}
        if not tests or not steps or any(clears.possibly(inner, place) for inner in function.descendants):
            return None
        known = list(tests.values())
        if cfg.path(cfg.entry, steps, given=known) is not None:
            return None
        test = next((test for test in tests if any(cfg.reaches(test, step) for step in steps)), None)
        return Early(function, test, tuple(known)) if test is not None else None

    def fails_to_clear(self, end: End, armed: Armed) -> tuple[Step, frozenset[Step]] | None:
        """Where an end closes the connection because something has failed, and leaves without the clear that its other ways
        come to; with the steps of all such ways. `if err := s.drain(); err != nil { s.conn.Close(); return err }`"""
        place, link, function, cfg = armed.place, end.link, end.function, end.function.cfg
        if place is None or link is None or cfg.incomplete:
            return None
        clears = self.timers.clears(armed.arming)
        if not any(clears.may_at(function, s, place) for s in cfg.steps):
            return None
        if self.is_cleared_around(armed, function, place):
            return None
        dealing = {
            step
            for step in cfg.steps
            if clears.may_at(function, step, place)
            or self._may_clear(function, step, armed, link)
            or (
                step.target is not None
                and step.kind in ("assign", "delete")
                and place.starts_with(step.target)
            )
        }
        given = [(("set", place), True)]
        for step in cfg.of_kind("call"):
            if step in dealing or not self._closes(link, step) or not _has_failed(function, step):
                continue
            onward = {edge.label for edge in step.edges} - {"raise"}
            if (
                cfg.path(cfg.entry, {step}, avoiding=dealing, given=given) is not None
                and cfg.path(step, {cfg.exit}, avoiding=dealing, given=given, labels=onward) is not None
            ):
                return step, frozenset(cfg.reachable(cfg.entry, avoiding=dealing))
        return None

    def is_cleared_around(self, armed: Armed, function: Function, place: Place) -> bool:
        """Whether what runs a function clears the timer, not to arm it anew, on a way that also runs the function."""
        clears, outer = self.timers.clears(armed.arming), self.owners.callers_of(function)
        inner = {function, *outer}
        for caller in outer:
            if not clears.possibly(caller, place) or self.arms_itself(End(caller, "named"), armed):
                continue
            cfg = caller.cfg
            calls = [s for s, call in cfg.calls if self.module.resolve(call) in inner]
            for step in cfg.steps:
                if (
                    step not in calls
                    and clears.may_at(caller, step, place)
                    and any(cfg.reaches(step, call) or cfg.reaches(call, step) for call in calls)
                ):
                    return True
        return False

    def _closes(self, link: Link, step: Step) -> bool:
        """Whether a step closes the connection, or a function of the file that it calls does."""
        callee = self.module.resolve(step.call) if step.call is not None else None
        return self.owners.closes(link, step) or (
            callee is not None
            and any(self.owners.closes(link, s) for f in self.owners.run_by(callee) for s in f.cfg.steps)
        )

    def _says_there(self, term: t.Term | None, holds: bool, gone: frozenset[Place]) -> bool | None:
        """Whether a condition's truth (falsity) says that a connection is there; None where it says nothing of it."""
        for part, truth in flow.implied(term, holds, self.module) if term is not None else ():
            decided = flow.atom(part)
            asked = decided[0][1] if decided is not None and decided[0][0] == "set" else None
            if decided is not None and isinstance(asked, Place) and self.owners.own(asked) in gone:
                return decided[1] == truth
        return None

    def _run_early(self, early: Early) -> list[Function]:
        """The functions that an end runs where it leaves early."""
        found: dict[Function, None] = {early.function: None}
        for step, call in early.function.cfg.calls:
            callee = self.module.resolve(call)
            if callee is not None and not early.passes_by(step):
                found.update(dict.fromkeys(self.owners.run_by(callee)))
        return list(found)

    def _gone_when_armed(self, armed: Armed, link: Link) -> frozenset[Place]:
        """The places of a connection that are set to nothing where the timer is armed, or just before."""
        found: set[Place] = set()
        before = [(armed.function, armed.step), *callers(armed.function)]
        for function, goal in before:
            for step, store in function.cfg.assignments:
                target = step.target
                if target is None or store.declares or flow.truth(store) is not False:
                    continue
                own = self.owners.own(target)
                if own in link.places and function.cfg.dominates(step, goal):
                    found.add(own)
        return frozenset(found)

    def _clears_of_that_name(self, inside: Collection[Function], armed: Armed, name: str) -> bool:
        """Whether an end clears the same field of an object that it has from elsewhere."""
        return any(
            isinstance(value, t.Ref) and value.place.path[-1:] == (name,)
            for function in inside
            for step in function.cfg.steps
            for value in self.collections.cleared_at(step, armed.arming)
        )

    def _is_left_to_others(self, armed: Armed, place: Place) -> bool:
        """Whether a function that clears the timer is handed to something of another file, which may run it at the
        end: `stack.callback(self._quiet)`, `this.disposables.defer(this.#stop)`; or the timer itself, or a method of it,
        is kept elsewhere: `self.cleanups.append(self.ticker.stop)`."""
        if armed.collection is None and self._is_kept_twice(armed, place):
            return True
        if armed.collection is not None:
            ending = self.collections.emptied_by(place, armed.arming)
        else:
            clears = self.timers.clears(armed.arming)
            mentioning = self.module.functions_mentioning(place.name)
            ending = {f for f in mentioning if clears.possibly(f, place)}
        for function in ending - {armed.function, armed.callback}:
            name = function.name.rpartition(".")[2]
            if not name or self.events.of_handler(function):
                continue
            if any(
                self.module.resolve(call) is None
                and self.timers.arming_of(call) is None
                and any(
                    isinstance(a, t.Ref) and self.module.resolve_value(a) is function
                    for a in call.arguments[:1]
                )
                for user in self.module.functions_mentioning(name)
                for _, call in user.cfg.calls
            ):
                return True
        return False

    def _is_kept_twice(self, armed: Armed, place: Place) -> bool:
        """Whether a container is given the timer, or one of its methods, or made with it."""
        adds = self.knowledge.names("dedup", "adds")
        functions = self.module.functions_mentioning(place.name)
        if any(
            isinstance(listed, t.Sequence)
            and any(isinstance(e, t.Ref) and e.place.starts_with(place) for e in listed.elements)
            for function in functions
            for _, store in function.cfg.assignments
            for listed in store.value.walk()
        ):
            return True
        return any(
            call.method in adds
            and any(isinstance(a, t.Ref) and a.place.starts_with(place) for a in call.arguments)
            for function in functions
            for _, call in function.cfg.calls
        )

    def _deals_with_all(
        self, end: End, armed: Armed, kept: Place, link: Link | None, inside: Collection[Function]
    ) -> bool:
        """Whether an end touches the collection that a timer is kept in, or something may clear all of it there."""
        touching = {f for f in self.collections.mentioning(kept) if not self.collections.only_drops(f, kept)}
        for function in inside:
            if function in touching or any(
                (step.target is not None and step.target != kept and kept.starts_with(step.target))
                or self._may_clear(function, step, armed, link)
                or self._clears_another_way(function, step, armed)
                for step in function.cfg.steps
            ):
                return True
        own = self.owners.run_by(armed.callback)
        if any(self._clears_its_own(f, s, armed, kept) for f in own for s in f.cfg.steps):
            return armed.repeats
        heard = {f for h in (link.handlers if link is not None else ()) for f in self.owners.run_by(h)}
        for function in self.collections.emptied_by(kept, armed.arming):
            if function in (armed.function, armed.callback):
                continue
            kind = self.owners.kind_of(function)
            if function in heard or kind == "plain" or self._is_handed_over(function, link):
                return True
            if kind in ("effect", "hook", "contract") and (end.is_sure or end.kind == "event"):
                return True
        return False

    def _clears_another_way(self, function: Function, step: Step, armed: Armed) -> bool:
        """Whether a step clears timers that come from somewhere else than the collections that are known."""
        known = {other.collection for other in self.kept.armed if other.collection is not None}
        for value in self.collections.cleared_at(step, armed.arming):
            for given in self._given(function, value):
                around = self.collections.within(given)
                if around is not None and self._are_futures(around):
                    continue
                if not (is_single(given) or around in known or (around is None and self._is_plain(given))):
                    return True
        return False

    def _are_futures(self, place: Place) -> bool:
        """Whether a collection is filled with promises, that somebody settles or cancels: no timers."""
        makes = self.knowledge.names("timer", "futures")
        put = [store.value for _, store in self.module.stores_to(place.element)]
        return bool(put) and all(
            isinstance(made, t.Call)
            and (
                (self.module.typed_name(made.callee) or "") in makes
                or (made.receiver is not None and f".{made.method}" in makes)
            )
            for made in put
        )

    def _given(self, function: Function, value: t.Term) -> list[t.Term]:
        """What a parameter is given by the calls of the file; anything else stands for itself."""
        root = value.place.root if isinstance(value, t.Ref) and not value.place.path else None
        if root is None or root not in function.parameters:
            return [value]
        index = function.parameters.index(root)
        calls = [step.call for _, step in callers(function) if step.call is not None]
        return [given for call in calls if (given := call.argument(index, root.name)) is not None] or [value]

    def _is_plain(self, value: t.Term) -> bool:
        """Whether a variable is a captured timer, or stands for a field: `const timer = this.timer`."""
        if not isinstance(value, t.Ref):
            return False
        place = self.owners.own(value.place)
        return place in self.owners.timer_places or (place.path != () and place.root.kind == "this")

    def _clears_its_own(self, function: Function, step: Step, armed: Armed, kept: Place) -> bool:
        if self.collections.clears_element(step, kept, armed.arming):
            return True
        own = armed.timer.place if armed.timer is not None else None
        return own is not None and any(
            isinstance(value, t.Ref) and value.place == own
            for value in self.collections.cleared_at(step, armed.arming)
        )

    def _is_emptied_elsewhere(self, armed: Armed, kept: Place, end: End) -> bool:
        """Whether another end clears all timers of a collection, or something clears one of them in good time."""
        ran = set(self.owners.run_by(armed.callback))
        others = [armed.function, end.function]
        if any(
            f not in ran and f not in others and self.owners.kind_of(f) not in (None, "plain")
            for f in self.collections.emptied_by(kept, armed.arming)
        ):
            return True
        early = {
            f
            for f in self.collections.mentioning(kept)
            if f not in others
            and (f not in ran or any(c not in ran and c not in others for c in self.owners.callers_of(f, 1)))
        }
        return self.collections.is_cleared_singly(kept, armed.arming, early)

    def is_last_clear(self, function: Function, armed: Armed) -> bool:
        """Whether a method clears the timer for good: nothing but the making of the object and the timer itself arms it."""
        owner, place = function.owner, armed.place
        if owner is None or place is None or place.root.kind != "this" or function is armed.callback:
            return False
        if function.is_private:
            outside = self.owners.callers_of(function)
            if not outside or not all(self._is_open(f) and f is not armed.callback for f in outside):
                return False
        elif self._is_called(function):
            return False
        arming = {f for f in self.module.functions if any(self.kept.arms(armed, f, s) for s in f.cfg.steps)}
        outer = {caller for f in arming for caller in self.owners.callers_of(f)} | arming
        makers = {f for f in outer if self._makes(f, owner)}
        inner = {armed.callback, *makers}
        return bool(makers) and all(any(g.is_private or g in inner for g in (f, *f.ancestors)) for f in outer)

    def _is_called(self, function: Function) -> bool:
        return bool(self.owners.callers_of(function, 1))

    def _is_open(self, function: Function) -> bool:
        """Whether only code outside the file calls a method."""
        return function.kind == "method" and not function.is_private and not self._is_called(function)

    def _makes(self, function: Function, owner: Class) -> bool:
        """Whether a function is the constructor of a class, or makes an object of it."""
        if function.kind == "constructor":
            return function.owner is owner
        return function.owner is not owner and any(
            (isinstance(part, t.Record) and part.type_name == owner.name)
            or (
                isinstance(part, t.Call)
                and part.constructs
                and isinstance(part.callee, t.Ref)
                and part.callee.place.root.class_ is owner
            )
            for step in function.cfg.steps
            if step.term is not None
            for part in step.term.walk()
        )

    def _clears_to_stay(self, function: Function, armed: Armed, depth: int = DEPTH) -> bool:
        """Whether a function may clear the timer and end without having armed it again.

        `clear(t); t = arm()` starts it anew: after such a function it is armed.
        """
        place = armed.place
        assert place is not None
        arms, clears, cfg = self._arming(armed), self.timers.clears(armed.arming), function.cfg
        for step in cfg.steps:
            if not clears.may_at(function, step, place):
                continue
            if not clears.possibly(armed.function, place) or cfg.incomplete:
                return True
            callee = self.module.resolve(step.call) if step.call is not None else None
            seen = callee if callee is not None and self.owners.sees(callee, place) else None
            if seen is not None and depth > 0 and not self._clears_to_stay(seen, armed, depth - 1):
                continue
            if cfg.path(step, {cfg.exit}, avoiding=lambda s: arms.at(function, s, place)) is not None:
                return True
        return False

    def unhears(self, end: End, link: Link) -> bool:
        """Whether an end takes the connection's close handler off by its name before the connection closes."""
        return any(
            call.method in self.knowledge.names("event", "removers")
            and any(
                self.module.resolve_value(a) in link.handlers for a in call.arguments if isinstance(a, t.Ref)
            )
            for function in self.owners.run_by(end.function)
            for _, call in function.cfg.calls
        )

    def _may_clear(self, function: Function, step: Step, armed: Armed, link: Link | None) -> bool:
        """A call that nobody here can see into, with the timer, its owner, or of the owner's own."""
        call = step.call
        if step.kind not in ("call", "spawn") or call is None or self.module.resolve(call) is not None:
            return False
        if self.owners.only_tells(call):
            return False
        place = armed.held
        if isinstance(call.callee, t.Ref) and call.callee.place.root.name == "super":
            owner = function.this.owner if function.this is not None else None
            bases = set(owner.bases) if owner is not None else set()
            return not bases or not bases <= self.knowledge.names("owner", "plain")
        keeps = call.receiver_place is not None and call.method in self._keeping
        if keeps and not self.is_cleared_from_outside(armed):
            # A container keeps what it is given, `watchers.discard(self)`; what is no container could only call it.
            return False
        values = [*call.arguments, *(value for _, value in call.keywords)]
        for value in values:
            inner = value.value if isinstance(value, t.Spread) else value
            if not isinstance(inner, t.Ref):
                continue
            holds = place is not None and place.starts_with(inner.place) and inner.place.root is place.root
            if (
                place is not None
                and holds
                and (
                    inner.place.path or not self._is_told(call, place) or self.is_cleared_from_outside(armed)
                )
            ):
                return True
        receiver = call.receiver_place
        if place is None or receiver is None or receiver != Place(place.root) or place.root.kind != "this":
            return False
        if link is not None and receiver in link.places:
            return False
        if call.method in self.knowledge.names("owner", "harmless") or self._is_only_listeners(call):
            return False
        if isinstance(call.callee, t.Ref) and call.callee.place in self.owners.timer_places:
            return False  # It takes another timer back: `self._unsub_poll()`.
        # What somebody else gave to the object, `self.on_lost(error)`, may come back to it; it is no method of its own.
        return not self._is_given(call) or self.is_cleared_from_outside(armed)

    @cached_property
    def _keeping(self) -> frozenset[str]:
        names = self.knowledge.names
        return names("dedup", "adds") | names("dedup", "removes") | names("dedup", "asks")

    def _is_told(self, call: t.Call, place: Place) -> bool:
        """Whether another object is told of this one, `lobby.leave(self)`: then it can do what this one lets others do,
        and cannot come to what it keeps to itself."""
        receiver = call.receiver_place
        return (
            receiver is not None
            and receiver.root.kind not in ("global", "import")
            and place.root.kind == "this"
            and place.path[0].startswith(("_", "#"))
        )

    def _is_only_listeners(self, call: t.Call) -> bool:
        """Whether an object that is an emitter takes off its own listeners."""
        return call.method in self.knowledge.names("event", "removers")

    def _is_given(self, call: t.Call) -> bool:
        """Whether what is called is a field that parameters of the file fill."""
        stores = self.module.stores_to(call.callee.place) if isinstance(call.callee, t.Ref) else []
        return bool(stores) and all(
            isinstance(part, t.Ref) and part.place.root in function.parameters and not part.place.path
            for function, store in stores
            for part in [store.value]
        )

    def _is_disposed(self, end: End, armed: Armed, place: Place, link: Link | None) -> bool:
        """Whether a function that clears the timer is in somebody's hands who may run it at this end."""
        clears = self.timers.clears(armed.arming)
        inner = {armed.function, end.function, *self.owners.run_by(armed.callback)}
        for function in self.module.functions:
            if function in inner or function.is_inlined or not self.owners.sees(function, place):
                continue
            if place.name.encode() not in self.module.text[function.extent[0] : function.extent[1]]:
                continue
            if not clears.possibly(function, place):
                continue
            kind = self.owners.kind_of(function)
            if kind in ("effect", "hook", "contract"):
                if end.is_sure or end.kind == "event":
                    return True
            elif self._is_handed_over(function, link):
                return True
        return False

    def _is_handed_over(self, function: Function, link: Link | None) -> bool:
        """Whether a function is given to somebody else than the connection, under no name of its own."""
        registrations = self.events.of_handler(function)
        if registrations:
            return any(
                r.event not in self._connection_events or (link is not None and not self._hears(r, link))
                for r in registrations
            )
        if function in self.owners.callbacks:
            return True
        return function.kind == "lambda" and function.binding is None

    def _hears(self, registration: Registration, link: Link) -> bool:
        """Whether a handler is registered on the connection itself, or nothing tells on what."""
        emitter = registration.emitter
        return not isinstance(emitter, t.Ref) or self.owners.own(emitter.place) in link.places

    @cached_property
    def _connection_events(self) -> frozenset[str]:
        return self.knowledge.names("owner", "events") | self.knowledge.names("owner", "events_of_life")

    def aborts(self, end: End) -> bool:
        """Whether an end breaks off what the callback may be waiting for."""
        words = self.knowledge.names("owner", "aborts")
        return any(
            call.method in words and not self._is_timer_call(call)
            for f in self.owners.run_by(end.function)
            for _, call in f.cfg.calls
        )

    def _is_timer_call(self, call: t.Call) -> bool:
        return call.receiver_place in self.owners.timer_places


def _takes(step: Step, place: Place) -> bool:
    """Whether a step does something with what a place holds, and does not only ask for it: `tasks = [self._beat]`."""
    return step.kind != "test" and any(
        isinstance(part, t.Ref) and part.place == place for part in (step.term.walk() if step.term else ())
    )


def _has_failed(function: Function, step: Step) -> bool:
    """Whether a step is only come to where a call has given an error, or something was caught."""
    if any(function.cfg.dominates(handler, step) for handler in function.cfg.of_kind("handler")):
        return True
    for fact in function.cfg.known_at(step):
        told = flow.atom(fact.term)
        place = told[0][1] if told is not None and told[0][0] == "set" and len(told[0]) == 2 else None
        if told is None or told[1] != fact.holds or not isinstance(place, Place) or not place.is_local:
            continue
        values = [store.value for _, store in function.module.stores_to(place)]
        if values and all(isinstance(v, t.Call) or (isinstance(v, t.Result) and v.index > 0) for v in values):
            return True
    return False
