"""Collections of timers: the map, object, list or set of an owner in which its timers are kept by key or in a row.

A handle is in a collection by itself (`waiting.set(id, timer)`), or in an object that is (`pending[id] = {timer}`).
Decided by places; a collection that somebody of another file may have is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import carried
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.holder import Holder, Holders
from wsantipattern.roles.renewal import is_emptied
from wsantipattern.roles.reset import is_made
from wsantipattern.roles.timer import Arming, Timer, Timers

DEPTH = 3
"""Functions of the file that a clear of all timers is followed through."""


class Collections:
    """The collections of timers of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, timers: Timers, holders: Holders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.timers = timers
        self.holders = holders
        self._shared: dict[Place, bool] = {}
        self._emptied: dict[tuple[Place, Arming], set[Function]] = {}

    # -- what is kept where ----------------------------------------------------------------------

    def of(self, function: Function, call: t.Call, timer: Timer | None) -> Place | None:
        """The collection that a function puts a timer into, where nobody else gets it."""
        carriers: set[Place] = set()
        if timer is not None:
            found = self._around(timer.place)
            if found is not None:
                return found if self._is_own(found) else None
            scope = timer.place.root.scope
            if timer.place.root in function.parameters:
                handed = self._handed(function, timer.place)
                return handed if handed is not None and self._is_own(handed) else None
            if timer.place.root.kind != "local" or scope is None or scope.host is not function:
                return None
            carriers = {timer.place, Place(timer.place.root)}
        for step in function.cfg.steps:
            place = self._put_into(step, call, carriers)
            if place is not None:
                alone = timer is None or not self._is_given_elsewhere(function, timer, step, place)
                return place if alone and self._is_own(place) else None
        return None

    def is_put(self, function: Function, timer: Timer) -> bool:
        """Whether a function takes an object with a timer out of a collection, or puts it into one."""
        if self._around(timer.place) is not None or self._handed(function, timer.place) is not None:
            return True
        carriers = {timer.place, Place(timer.place.root)}
        return any(self._put_into(step, timer.call, carriers) is not None for step in function.cfg.steps)

    def _handed(self, function: Function, place: Place) -> Place | None:
        """The collection in which a caller has the object that a function keeps the timer in, by all that is seen:
        `this.inflight.set(id, entry); this.transmit(id, entry)`."""
        if place.root not in function.parameters or not place.path:
            return None
        found: set[Place] = set()
        index = function.parameters.index(place.root)
        for caller, step in callers(function):
            given = step.call.argument(index, place.root.name) if step.call is not None else None
            if not isinstance(given, t.Ref) or given.place == Place(place.root):
                continue
            around = self._around(given.place)
            if around is not None:
                found.add(around)
                continue
            carriers = {given.place}
            puts = (self._put_into(s, step.call, carriers) for s in caller.cfg.steps if step.call is not None)
            found.update(put for put in puts if put is not None)
        return found.pop() if len(found) == 1 else None

    def _around(self, place: Place) -> Place | None:
        """The collection that an element, or a field of one, lies in."""
        where = self._where(self.holders.at(place), place)
        if where is None or ELEMENT not in where.path:
            return None
        return Place(where.root, where.path[: where.path.index(ELEMENT)])

    def within(self, term: t.Term | None) -> Place | None:
        """The collection that a value was taken from."""
        if isinstance(term, t.Ref):
            return self._around(term.place)
        held = self.holders.of(term)
        if held is None or not isinstance(held.root, Binding) or ELEMENT not in held.path:
            # What a ref holds is made by a call: `timers.current.get(id)`.
            taken = term.receiver_place if isinstance(term, t.Call) else None
            known = self.knowledge.names("holder", "elements")
            return taken if isinstance(term, t.Call) and term.method in known else None
        return Place(held.root, held.path[: held.path.index(ELEMENT)])

    def _where(self, held: Holder | None, place: Place) -> Place | None:
        """The place that something is kept at; where a call made what is at its root, as it is written."""
        if held is None:
            return None
        return Place(held.root, held.path) if isinstance(held.root, Binding) else place

    def _put_into(self, step: Step, call: t.Call, carriers: set[Place]) -> Place | None:
        """The collection that a step puts the handle, or what holds it, into."""
        if step.kind == "call" and step.call is not None:
            put = step.call
            receiver = put.receiver_place
            if receiver is None or put.method not in self.knowledge.names("dedup", "adds"):
                return None
            if any(self._carries(a, call, carriers) for a in put.arguments):
                return self._whole(receiver)
            return None
        store, target = step.store, step.target
        if store is None or target is None or store.declares:
            return None
        if ELEMENT in target.path:
            return self._around(target) if self._carries(store.value, call, carriers) else None
        # `timers = append(timers, timer)`, `timers = [...timers, timer]`
        parts = store.value.arguments if isinstance(store.value, t.Call) else list(store.value.children())
        values = [part.value if isinstance(part, t.Spread) else part for part in parts]
        grows = store.op == "+" or any(isinstance(v, t.Ref) and v.place == target for v in values)
        named = not isinstance(store.value, t.Call) or store.value.method == "append"
        if grows and named and any(self._carries(v, call, carriers) for v in parts):
            return self._whole(target)
        return None

    def _whole(self, place: Place) -> Place | None:
        where = self._where(self.holders.at(place), place)
        return self._around(where) or where if where is not None else None

    def _carries(self, value: t.Term, call: t.Call, carriers: set[Place]) -> bool:
        """Whether a value is the handle, or an object that it is put into."""
        for part in carried(value):
            if part is call or (isinstance(part, t.Ref) and part.place in carriers):
                return True
            if isinstance(part, t.Call) and part is not call and part.constructs:
                inner = [*part.arguments, *(given for _, given in part.keywords)]
                if any(self._carries(given, call, carriers) for given in inner):
                    return True
        return False

    def _is_given_elsewhere(self, function: Function, timer: Timer, put: Step, place: Place) -> bool:
        """Whether something else than the collection also gets the handle, or a closure that clears it."""
        for step in function.cfg.steps:
            if step in (put, timer.step):
                continue
            if step.store is not None and (step.store.declares or step.store.value is timer.call):
                continue
            if step.call is not None and step.call.method in self.knowledge.names("owner", "unowned"):
                receiver = step.call.receiver_place
                if receiver is not None and receiver == timer.place:
                    return True
            if isinstance(step.term, t.Closure) and step.term.function is timer.callback:
                continue
            if self.timers.gives_away(timer, function, step):
                store = step.store
                if store is None or step.target is None or self._whole(step.target) != place:
                    return True
        return False

    # -- who has it ------------------------------------------------------------------------------

    def _is_own(self, place: Place) -> bool:
        """Whether a collection belongs to the file: made there, and handed to nobody."""
        if place.root.kind not in ("this", "local"):
            return False
        if place not in self._shared:
            self._shared[place] = any(
                isinstance(part, t.Ref) and part.place == place and self._hands_on(part)
                for function in self.mentioning(place)
                for step in function.cfg.steps
                for part in _terms(step)
            ) or any(self._is_given(value) for value in self._values(place))
        return not self._shared[place]

    def _values(self, place: Place) -> Iterator[t.Term]:
        """What a collection is made of, also where the object that has it is written down: `&Hub{timers: timers}`."""
        yield from (store.value for _, store in self.module.stores_to(place))
        owner = place.root.owner
        if owner is None or len(place.path) != 1 or not owner.name:
            return
        for function in self.mentioning(place):
            for step in function.cfg.steps:
                for part in _terms(step):
                    if isinstance(part, t.Record) and (part.type_name or "").rpartition(".")[2] == owner.name:
                        yield from (value for name, value in part.entries if name == place.path[0])

    def _is_given(self, value: t.Term) -> bool:
        """Whether a collection comes from elsewhere: a parameter, a global, what an unknown call gives."""
        return isinstance(value, t.Ref) and value.place.root.kind in ("parameter", "import", "global")

    def _hands_on(self, ref: t.Ref) -> bool:
        parent = ref.parent
        while isinstance(parent, (t.Logic, t.Choice)):
            parent = parent.parent
        if isinstance(parent, t.Call):
            if (
                ref in (parent.callee, parent.guard)
                or parent.total
                or self.module.resolve(parent) is not None
            ):
                return False
            return parent.method not in self.knowledge.names("owner", "views")
        if isinstance(parent, t.Store):
            return isinstance(parent.target, t.Ref) and bool(parent.target.place.path)
        if parent is None:
            return ref in self._returned
        return isinstance(parent, (t.Record, t.Sequence))

    @property
    def _returned(self) -> set[t.Term]:
        memo = self.module.memo
        if "returned terms" not in memo:
            memo["returned terms"] = {
                step.statement.value
                for function in self.module.all_functions
                if not function.is_inlined
                for step in function.cfg.of_kind("return")
                if isinstance(step.statement, t.Return) and step.statement.value is not None
            }
        found: set[t.Term] = memo["returned terms"]
        return found

    def mentioning(self, place: Place) -> list[Function]:
        """The functions whose text has the name of a collection."""
        return self.module.functions_mentioning(Holder(place.root, place.path).name)

    # -- what is cleared -------------------------------------------------------------------------

    def emptied_by(self, place: Place, arming: Arming) -> set[Function]:
        """The functions that clear the timers of a collection one after another, or as they give it up."""
        key = (place, arming)
        if key not in self._emptied:
            self._emptied[key] = {
                function
                for function in self.mentioning(place)
                if function.kind not in ("top", "constructor") and self._empties(function, place, arming)
            }
        return self._emptied[key]

    def _empties(self, function: Function, place: Place, arming: Arming) -> bool:
        runs = False
        for step in function.cfg.steps:
            if step.target == place and (
                step.store is None or not (step.store.declares or self._grows(step.store, place))
            ):
                runs = True
            call = step.call
            if call is not None and step.kind == "call":
                known = self.module.canonical(call.callee) or ""
                if call.receiver_place == place and call.method in self.knowledge.names("dedup", "clears"):
                    runs = True
                if (
                    call.receiver_place == place
                    and call.method in self.knowledge.names("owner", "takes")
                    and not call.arguments
                    and step in function.cfg.reachable(step)
                ):
                    runs = True  # `while (timers.length) clearTimeout(timers.pop())`
                if known in self.knowledge.names("dedup", "clears_of") and any(
                    isinstance(a, t.Ref) and a.place == place for a in call.arguments
                ):
                    runs = True
                if call.method in self.knowledge.names("dedup", "each") and self._sees(call, place):
                    runs = True
            if step.kind == "iterate" and step.term is not None and self._sees(step.term, place):
                runs = True
        return runs and self._clears_some(function, arming)

    def _clears_some(self, function: Function, arming: Arming, depth: int = DEPTH) -> bool:
        """Whether a function, or one that it calls or runs for each, may clear a timer of this kind."""
        for inner in (function, *function.descendants):
            for step in inner.cfg.steps:
                if any(not self._stands_for_single(inner, value) for value in self.cleared_at(step, arming)):
                    return True
                call = step.call
                if call is None or depth <= 0:
                    continue
                for value in (call.callee, *call.arguments):
                    if value is not call.callee and (self.module.canonical(value) or "") in arming.cleared_by:
                        return True  # `timers.forEach(clearTimeout)`
                    callee = self.module.resolve_value(value) if isinstance(value, t.Ref) else None
                    if callee is not None and self._clears_some(callee, arming, depth - 1):
                        return True
        return False

    def _stands_for_single(self, function: Function, value: t.Term) -> bool:
        """Whether a term is a timer that a field keeps by itself, or a parameter that is given nothing else."""
        if not isinstance(value, t.Ref) or value.place.path or value.place.root not in function.parameters:
            return is_single(value)
        index = function.parameters.index(value.place.root)
        calls = [step.call for _, step in callers(function) if step.call is not None]
        given = [call.argument(index, value.place.root.name) for call in calls]
        return bool(given) and all(one is not None and is_single(one) for one in given)

    def _grows(self, store: t.Store, place: Place) -> bool:
        return store.op is not None or any(
            isinstance(part, t.Ref) and part.place == place for part in store.value.walk()
        )

    def _sees(self, term: t.Term, place: Place) -> bool:
        return any(isinstance(part, t.Ref) and part.place.starts_with(place) for part in term.walk())

    def only_drops(self, function: Function, place: Place) -> bool:
        """Whether a function does nothing with a collection but forget what is in it: `timers.clear()`."""
        touching = [
            step
            for step in function.cfg.steps
            if step.kind != "test"
            and (
                (step.target is not None and step.target.starts_with(place))
                or any(isinstance(part, t.Ref) and part.place.starts_with(place) for part in _terms(step))
            )
        ]
        given_up = self._settling(function, place)
        return any(self._drops(step, place) for step in touching) and all(
            step in given_up or self._drops(step, place) for step in touching
        )

    def _settling(self, function: Function, place: Place) -> set[Step]:
        """The steps of loops over a collection in which only the promises of its entries are settled:
        `for (const entry of pending.values()) entry.reject(error)`."""
        looping: set[Step] = set()
        entries: set[Binding] = set()
        for step in function.cfg.steps:
            target, store, call = step.target, step.store, step.call
            if step.kind == "iterate" or (
                step.kind == "call"
                and call is not None
                and call.method in self.knowledge.names("owner", "views")
            ):
                if step.term is not None and self._sees(step.term, place):
                    looping.add(step)
            elif (
                target is not None
                and store is not None
                and not target.path
                and self.within(store.value) == place
            ):
                looping.add(step)
                entries.add(target.root)
        for step in function.cfg.steps:
            if step.kind == "test":
                continue
            used = any(isinstance(p, t.Ref) and p.place.root in entries for p in _terms(step))
            callee = step.call.callee if step.kind == "call" and step.call is not None else None
            if used and not (isinstance(callee, t.Ref) and callee.place.path[-1:] in self._settlers):
                return set()
        return looping if entries else set()

    @cached_property
    def _settlers(self) -> set[tuple[str, ...]]:
        """The fields of objects that keep what settles a promise: `{ resolve, reject }` in the promise's executor."""
        found: set[tuple[str, ...]] = set()
        for function in self.module.functions_mentioning("Promise"):
            settles = {p for executor in self.timers.executors.of(function) for p in executor.settles}
            for step in function.cfg.steps if settles else ():
                for part in step.term.walk() if step.term is not None else ():
                    if isinstance(part, t.Record):
                        found.update(
                            (name,)
                            for name, value in part.entries
                            if name is not None and isinstance(value, t.Ref) and value.place in settles
                        )
        return found

    def _drops(self, step: Step, place: Place) -> bool:
        call, store = step.call, step.store
        if step.kind == "call" and call is not None:
            return (
                call.receiver_place == place
                and call.method in self.knowledge.names("dedup", "clears")
                and not call.arguments
            )
        if store is None or store.op is not None or store.declares:
            return False
        value = store.value
        if step.target == place:
            return (isinstance(value, (t.Record, t.Sequence)) and not any(value.children())) or (
                isinstance(value, t.Call) and (is_made(value) or (value.constructs and not value.arguments))
            )
        return step.target is not None and step.target.parent == place and is_emptied(step, self.knowledge)

    def is_cleared_singly(self, place: Place, arming: Arming, among: set[Function]) -> bool:
        """Whether a function of those clears one timer of a collection."""
        return any(
            self.clears_element(step, place, arming)
            for function in self.mentioning(place)
            if function in among
            for step in function.cfg.steps
        )

    def clears_element(self, step: Step, place: Place, arming: Arming) -> bool:
        """Whether a step clears one timer of a collection."""
        return any(self.within(value) == place for value in self.cleared_at(step, arming))

    def cleared_at(self, step: Step, arming: Arming) -> Iterator[t.Term]:
        """What a step clears, as terms, where it clears a timer of this kind."""
        call = step.call
        if call is None or step.kind != "call":
            return
        if call.method in arming.methods and call.receiver is not None:
            yield call.receiver
        known = self.module.canonical(call.callee) or ""
        if call.method in arming.cleared_by_methods or known in arming.cleared_by:
            yield from call.arguments


def is_single(value: t.Term) -> bool:
    """Whether a term is a timer that a field keeps by itself."""
    return isinstance(value, t.Ref) and not value.place.is_local and ELEMENT not in value.place.path


def _terms(step: Step) -> Iterator[t.Term]:
    """What a step reads."""
    if step.term is not None:
        yield from step.term.walk()
    if step.kind == "return" and isinstance(step.statement, t.Return) and step.statement.value is not None:
        yield from step.statement.value.walk()
