"""What is known after an end: what it has changed, and which conditions a later step is behind.

A condition that reads what the end changes counts as a guard, unless the end decides it: `this.closed = true` decides
`if (this.closed)`, and only the way that is left is followed. Guarantees silence in doubt: whatever may tell that the
owner has ended is a guard.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function
from wsantipattern.model.place import Place
from wsantipattern.roles.owner import DEPTH, End, Owners

Goal = Callable[[Function, Step], bool]
Chain = list[tuple[Function, Step]]
"""The calls that lead to a step, outermost first, and the step."""


class Aftermath:
    """What holds once an end has run; with `way`, once it has run through these steps of its function alone."""

    def __init__(self, owners: Owners, end: End, way: frozenset[Step] | None = None) -> None:
        self.owners = owners
        self.module = owners.module
        self.end = end
        self.link = end.link
        self.truths: dict[Place, bool] = {}
        self.changed: set[Place] = set()
        self._settled: dict[Place, bool] = {}
        self._decided: dict[Place, bool] = {}
        self._guards: dict[tuple[Function, bool], set[Step]] = {}
        self._way = way
        self._ran = set(owners.run_by(end.function))
        if way is not None:
            called = [self.module.resolve(s.call) for s in way if s.call is not None]
            self._ran = {end.function, *(g for f in called if f is not None for g in owners.run_by(f))}
        self._collect()

    # -- what the end changes ----------------------------------------------------------------------

    def _collect(self) -> None:
        for function in self._ran:
            for step in function.cfg.steps:
                if function is self.end.function and self._way is not None and step not in self._way:
                    continue
                if not _is_of_one_run(function, step):
                    self._effect(step, certain=True)
            for inner in function.descendants:
                if not inner.is_inlined and inner not in self._ran:
                    for step in inner.cfg.steps:
                        self._effect(step, certain=False)
        if self.end.kind != "event":
            for caller in self.owners.callers_of(self.end.function):
                for step in caller.cfg.steps:
                    self._effect(step, certain=False)

        # What a function declares is another variable when it runs again: `body, err := json.Marshal(v)`.
        self.changed -= {p for p in self.changed if p.is_local and p.root.scope in self._ran}
        self._settled = dict(self.truths)
        for handler in self.link.handlers if self.link is not None and self.end.kind != "event" else ():
            # The end closes the connection: what its close handlers note is true by the time a timer fires.
            for function in self.owners.run_by(handler):
                for _, store in function.cfg.assignments:
                    truth = flow.truth(store)
                    if isinstance(store.target, t.Ref) and truth is not None:
                        self._settled.setdefault(store.target.place, truth)

    def _effect(self, step: Step, certain: bool) -> None:
        if step.kind in ("assign", "delete") and step.target is not None:
            store = step.store
            truth = flow.truth(store) if store is not None else None
            place = step.target
            if not certain or truth is None or self.truths.get(place, truth) != truth:
                self.changed.add(place)
            else:
                self.truths[place] = truth
            return
        call = step.call
        if call is None or step.kind not in ("call", "spawn") or self.module.resolve(call) is not None:
            return
        if self._is_clear(call):
            return
        receiver = call.receiver_place
        if (
            receiver is not None
            and (receiver.path or receiver.root.kind in ("local", "parameter"))
            and not self._is_link(receiver)
            and call.method not in self.owners.knowledge.names("owner", "reads")
        ):
            self.changed.add(receiver)
        if isinstance(call.callee, t.Ref) and not call.callee.place.path:
            self.changed.update(self._state_set_by(call.callee.place))
        # What is sent or logged is not written by that.
        told = self.owners.knowledge.names("owner", "harmless") | self.owners.knowledge.names(
            "socket", "sends"
        )
        for argument in call.arguments if call.method not in told else ():
            for part in argument.walk():
                if (
                    isinstance(part, t.Ref)
                    and (part.place.path or part.place.is_local)
                    and not self._is_link(part.place)
                ):
                    self.changed.add(part.place)

    def _is_clear(self, call: t.Call) -> bool:
        for arming in self.owners.timers.armings:
            if (self.module.canonical(call.callee) or "") in arming.cleared_by:
                return True
            if call.method in arming.methods and call.receiver_place in self.owners.timer_places:
                return True
        return False

    def _state_set_by(self, setter: Place) -> Iterator[Place]:
        """The state of `const [closed, setClosed] = useState(...)`, by its setter."""
        for function, store in self.module.stores_to(setter):
            if isinstance(store.value, t.Result) and store.value.index == 1:
                for _, other in function.cfg.assignments:
                    value = other.value
                    if (
                        isinstance(value, t.Result)
                        and value.index == 0
                        and value.call is store.value.call
                        and isinstance(other.target, t.Ref)
                    ):
                        yield other.target.place

    def _is_link(self, place: Place) -> bool:
        return self.link is not None and self.owners.own(place) in self.link.places

    # -- conditions --------------------------------------------------------------------------------

    def given(self, function: Function, handler: bool) -> list[tuple[flow.Key, bool]]:
        """What is known at the start of a function that runs after the end; `handler`: because it closes."""
        truths = self.truths if handler else self._settled
        known: list[tuple[flow.Key, bool]] = [
            (("set", place), truth) for place, truth in truths.items() if place not in self.changed
        ]
        for step in function.cfg.of_kind("test"):
            told = self._state(step.term)
            if told is not None and told[1] is not None:
                known.append((told[0], told[1]))
        return known

    def _state(self, term: t.Term | None) -> tuple[flow.Key, bool | None] | None:
        """The key of a condition on the connection's own state, and its truth after the end (None: it depends)."""
        if self.link is None or term is None:
            return None
        decided = flow.atom(term)
        if decided is None:
            return None
        key = decided[0]
        knowledge = self.owners.knowledge
        if isinstance(term, t.Binary) and term.op in ("==", "!="):
            for side, other in ((term.left, term.right), (term.right, term.left)):
                if not (
                    isinstance(side, t.Ref) and side.place.name in knowledge.names("socket", "state_fields")
                ):
                    continue
                parent = side.place.parent
                if parent is None or not self._is_link(parent):
                    continue
                if isinstance(other, t.Constant):
                    return key, (False if other.value in (0, 1) else None)
                if isinstance(other, t.Ref):
                    name = other.place.name
                    alive = (
                        name in knowledge.names("socket", "open_constants") or name.upper() == "CONNECTING"
                    )
                    return key, (False if alive else None)
        if isinstance(term, t.Ref) and term.place.parent is not None and self._is_link(term.place.parent):
            facts = self.link.library.facts if self.link.library is not None else {}
            if term.place.name in facts.get("closed_flags", []):
                return key, True
            if term.place.name in facts.get("open_flags", []):
                return key, False
        return None

    def guards(self, function: Function, handler: bool) -> set[Step]:
        """The steps of a function that may tell that the owner has ended.

        `handler`: also what the function is given (a close code, a reason) may.
        """
        key = (function, handler)
        if key not in self._guards:
            self._guards[key] = {
                step
                for step in function.cfg.of_kind("test", "select")
                if (
                    self._is_guard(step.term, handler)
                    if step.kind == "test"
                    else any(self._tells(part, handler) for part in _communications(step))
                )
            }
        return self._guards[key]

    def _is_guard(self, term: t.Term | None, handler: bool) -> bool:
        """Whether a test may tell, by itself or by the condition that its variable, getter or predicate stands for."""
        if term is None:
            return False
        parts = [
            term,
            *(part for holds in (True, False) for part, _ in flow.implied(term, holds, self.module)),
        ]
        return any(self._is_told_by(part, handler) for part in {id(part): part for part in parts}.values())

    def _is_told_by(self, term: t.Term, handler: bool) -> bool:
        if self._state(term) is not None:
            return False
        decided = flow.atom(term)
        plain = (
            decided[0][1] if decided is not None and decided[0][0] == "set" and len(decided[0]) == 2 else None
        )
        if isinstance(plain, Place):
            if plain in (self.truths if handler else self._settled) and plain not in self.changed:
                return False
            if self._is_link(plain) and plain not in self.changed:
                return False
            if self._is_switched(plain, term):
                return True
            if handler and self.owners.own(plain).root.kind == "local" and self._is_told(plain):
                return False  # That something failed is no news.
        if handler and self._is_other_code(term):
            return False
        return self._tells(term, handler)

    @cached_property
    def hearing(self) -> set[Function]:
        """What runs because the connection has closed."""
        handlers = self.link.handlers if self.link is not None else ()
        heard = {f for handler in handlers for f in self.owners.run_by(handler)}
        return heard | {
            f for reader, _ in self.owners.receives(self.link) for f in self.owners.run_by(reader)
        }

    def _is_told(self, place: Place) -> bool:
        """Whether a place holds what a close handler is told: a code, a reason, the failure of a receive."""
        place = self.owners.own(place)
        if place.root.kind == "parameter":
            return place.root.scope in self.hearing
        if not place.is_local or place.root.scope is None or place.root.scope.host not in self.hearing:
            return False
        if any(isinstance(v.value, t.Result) and v.value.index > 0 for _, v in self.module.stores_to(place)):
            return True
        caught = [
            handler.target
            for step in place.root.scope.host.cfg.of_kind("handler")
            if isinstance(step.statement, t.Try)
            for handler in step.statement.handlers
        ]
        return any(isinstance(target, t.Ref) and target.place == place for target in caught)

    def _is_other_code(self, term: t.Term) -> bool:
        """A comparison with a close code that an end asked for does not have."""
        if not (isinstance(term, t.Binary) and term.op in ("==", "!=")):
            return False
        given = self.end.closing.call.argument(0) if self.end.closing and self.end.closing.call else None
        own = given.value if isinstance(given, t.Constant) else None
        normal = self.owners.knowledge.names("owner", "normal_codes")
        return any(
            isinstance(side, t.Constant)
            and side.kind == "number"
            and side.value != own
            and str(side.value) not in normal
            for side in (term.left, term.right)
        )

    def _tells(self, term: t.Term, handler: bool) -> bool:
        return any(self._part_tells(part, handler) for part in term.walk())

    def _part_tells(self, part: t.Term, handler: bool) -> bool:
        asks = self.owners.knowledge.names("owner", "asks")
        if isinstance(part, t.Ref):
            place = part.place
            if handler and self._is_told(place):
                return True
            if place.name in asks or self.was_changed(place) or self._lies_in_link(place):
                return True
            if self._is_inherited(place):
                return True
            getter = self.module.getter_of(place)
            if getter is not None and self._reads(getter):
                return True
            initial = place.root.initial if place.root.constant and place.root.kind == "local" else None
            if (
                initial is not None
                and not isinstance(initial, (t.Ref, t.Closure))
                and self._value_tells(initial)
            ):
                return True
            return place.is_local and place.root.kind == "local" and self._was_decided(place)
        if isinstance(part, t.Field):
            return part.name in asks
        if isinstance(part, t.Call):
            callee = self.module.resolve(part)
            if callee is not None:
                return any(self._reads(f) for f in self.owners.run_by(callee, 2))
            if part.method in asks:
                return True
            receiver = part.receiver_place
            return receiver is not None and (
                (receiver.root.kind == "this" and not receiver.path) or self._is_link(receiver)
            )
        return False

    def _was_decided(self, place: Place) -> bool:
        """Whether a variable has its value by a condition that reads what the end changes, or by what it changes."""
        if place not in self._decided:
            self._decided[place] = False
            self._decided[place] = any(
                self._value_tells(store.value)
                or any(
                    self._tells(fact.term, False)
                    for step in function.cfg.steps_of(store)
                    for fact in function.cfg.known_at(step)
                )
                for function, store in self.module.stores_to(place)
                if not (store.declares and isinstance(store.value, t.Constant))
            )
        return self._decided[place]

    def _value_tells(self, value: t.Term) -> bool:
        return any(
            isinstance(part, t.Ref) and (self.was_changed(part.place) or self._lies_in_link(part.place))
            for part in value.walk()
        )

    def _reads(self, function: Function) -> bool:
        for step in function.cfg.steps:
            term = step.term
            if step.kind == "return" and isinstance(step.statement, t.Return):
                term = step.statement.value
            for part in term.walk() if term is not None else ():
                if isinstance(part, t.Ref) and (
                    self.was_changed(part.place)
                    or self._lies_in_link(part.place)
                    or self._is_link(part.place)
                ):
                    return True
        return False

    def was_changed(self, place: Place) -> bool:
        """Whether the end writes a place, what it lies in, or the same field of another object."""
        for other in (*self.changed, *self.truths):
            if place.starts_with(other) or (other.starts_with(place) and bool(place.path)):
                return True
            if (
                place.path
                and other.path
                and place.path[-1] == other.path[-1]
                and place.root is not other.root
            ):
                return True
        return False

    def _lies_in_link(self, place: Place) -> bool:
        if self.link is None:
            return False
        place = self.owners.own(place)
        return any(
            place != held and place.starts_with(held)
            for held in self.link.places
            if held.path or held.root.kind != "this"
        )

    def _is_inherited(self, place: Place) -> bool:
        """A field that only a base class of another file can have set."""
        owner = place.root.owner if place.root.kind == "this" else None
        return (
            owner is not None
            and bool(owner.bases)
            and len(place.path) == 1
            and place.name not in owner.field_types
            and not self.module.stores_to(place)
            and self.module.getter_of(place) is None
        )

    def _is_switched(self, place: Place, asked: t.Term) -> bool:
        """A flag that something else than the life of the connection sets: somebody decides by it."""
        is_compared = isinstance(asked, t.Binary)
        return any(
            not store.declares
            and function.kind not in ("top", "constructor")
            and function not in self._ran
            and not self.owners.is_inner(function)
            for function, store in self.module.stores_to(place)
            # What is kept there is no flag, `lot.best = &Bid{...}`, also where it is asked whether there is any.
            if store.op is None
            and not _is_made(store.value)
            and (isinstance(store.value, t.Constant) or not is_compared)
        )

    # -- ways --------------------------------------------------------------------------------------

    def way(
        self,
        function: Function,
        goal: Goal,
        *,
        start: Step | None = None,
        labels: Collection[str] | None = None,
        handler: bool = False,
        depth: int = DEPTH,
        among: frozenset[Function] | None = None,
    ) -> Chain | None:
        """How a function that runs after the end comes to a step of `goal` with nothing on the way that may ask.

        Calls of the file are entered. None where there is no such way.
        """
        if among is None:
            among = self._leading(function, goal)
        cfg = function.cfg
        if function not in among or cfg.incomplete:
            return None
        blocked, given = self.guards(function, handler), self.given(function, handler)
        origin = start if start is not None else cfg.entry
        if origin in blocked:
            return None
        calls: list[tuple[Step, Function]] = []
        for step in cfg.steps:
            if goal(function, step):
                barred = _decisive(function, step, blocked)
                if cfg.path(origin, {step}, avoiding=barred, given=given, labels=labels) is not None:
                    return [(function, step)]
            elif step.kind in ("call", "spawn") and step.call is not None and depth > 0:
                callee = self.module.resolve(step.call)
                if callee is not None and callee is not function and callee in among:
                    calls.append((step, callee))
        for step, callee in calls:
            inner = self.way(callee, goal, handler=handler, depth=depth - 1, among=among - {function})
            if inner is None:
                continue
            barred = _decisive(function, step, blocked)
            if cfg.path(origin, {step}, avoiding=barred, given=given, labels=labels) is not None:
                return [(function, step), *inner]
        return None

    def _leading(self, function: Function, goal: Goal) -> frozenset[Function]:
        """The functions that a function runs from which some step of `goal` is reached at all."""
        ran = self.owners.run_by(function)
        holding = {f for f in ran if any(goal(f, step) for step in f.cfg.steps)}
        if not holding:
            return frozenset()
        return frozenset(f for f in ran if not holding.isdisjoint(self.owners.run_by(f)))


def _decisive(function: Function, goal: Step, guards: set[Step]) -> set[Step]:
    """The guards that keep a function from a step: those of which some outcome does not come to it.

    `if err != nil { failures++ } else { failures = 0 }` asks, and goes on to the step either way.
    """
    barred = set(guards)
    while True:
        idle = {
            guard
            for guard in barred
            if guard.kind == "test"
            and all(
                edge.target is goal or function.cfg.path(edge.target, {goal}, avoiding=barred) is not None
                for edge in guard.edges
                if edge.label != "raise"
            )
        }
        if not idle:
            return barred
        barred -= idle


def _is_made(value: t.Term) -> bool:
    return isinstance(value, t.Record) or (isinstance(value, t.Call) and value.constructs)


def _communications(step: Step) -> Iterator[t.Term]:
    """The terms that the cases of a select wait for."""
    if isinstance(step.statement, t.Switch):
        for case in step.statement.cases:
            for statement in case.before:
                if isinstance(statement, t.Evaluate):
                    yield statement.term


def _is_of_one_run(function: Function, step: Step) -> bool:
    """Whether a step only writes a variable that each run of its function has anew, and that no closure sees."""
    place = step.target
    return (
        step.kind == "assign"
        and place is not None
        and place.is_local
        and not place.path
        and place.root.kind == "local"
        and place.root.scope is function
        and not function.closures
    )
