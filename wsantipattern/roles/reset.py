"""Resets: what empties a container, replaces it, or drops what is about to be marked, before the next step.

Only what has happened when the step is passed counts: not what is put off, left to another task, or tried in vain.
What another file does by a name that says so, on the container or its owner, is trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Key, atom, implied, plain, returns
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.roles.container import DEPTH, Containers, Storage, number, yields
from wsantipattern.roles.event import Events, event_name
from wsantipattern.roles.failure import asked_result, tells_of_failure
from wsantipattern.roles.origin import Frame, Origins
from wsantipattern.roles.staleness import Divergence
from wsantipattern.roles.words import any_of, of_place, split

if TYPE_CHECKING:
    from wsantipattern.roles.mark import Mark


class Resets:
    """The resets of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, events: Events, origins: Origins, containers: Containers
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.origins = origins
        self.containers = containers
        self._followed: set[Place] = set()

    def at(
        self, frame: Frame, step: Step, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> bool:
        """Whether passing a step certainly empties a container, or drops the key that is about to be marked."""
        match step.kind:
            case "assign" if (
                mark.is_position and step.store is not None and self._goes_through(frame, step.store)
            ):
                return False
            case "assign" if step.store is not None:
                if step.store.declares and step.target == storage.place:
                    return False  # It starts here: it holds what earlier rounds have put in.
                if mark.via is not None and step.target == Place(mark.via.root) and step.store.op is None:
                    inside = len(storage.place.path) - len(mark.via.path)
                    named = Place(storage.place.root, storage.place.path[:inside])
                    return not self._names(frame, step.store.value, named, divergence)
                if self._renames(frame, step.store, storage, mark):
                    return True
                return self._replaces(frame, step.store, storage, divergence)
            case "delete" if isinstance(step.term, t.Delete):
                return self._deletes(frame, step.term, storage, mark) or self._deletes_by_object(
                    frame, step.term, storage, mark, divergence
                )
            case "iterate":
                return self._clears_each(frame, step, storage)
            case "call" if step.call is not None:
                return self._empties(frame, step.call, storage, mark, divergence)
            case "test":
                return self.filled_outcome(frame, step, storage) is not None
            case "release" if isinstance(step.term, t.Call):
                return self._resets_within(frame, step.term, storage, mark, divergence, at_entry=False)
            case _:
                return False

    def _goes_through(self, frame: Frame, store: t.Store) -> bool:
        """Whether the value is of an element of a batch."""
        return any(leaf.loops for leaf in self.origins.of(frame, store.value))

    def _replaces(
        self, frame: Frame, store: t.Store, storage: Storage, divergence: Divergence | None
    ) -> bool:
        target = store.target
        if not isinstance(target, t.Ref) or store.op in ("or", "??", "+", "|"):
            return False
        if target.place.is_local:
            if store.declares:
                return False
            written = [Storage(target.place)]
        elif target.place.path[-1:] == ("length",):
            parent = target.place.parent
            assert parent is not None
            return any(s.holds(storage) for s in self.containers.of(frame, t.Ref(target.extent, parent)))
        else:
            written = self.containers.of(frame, target)
        for place in written:
            if place.holds(storage):
                if store.op in ("-", "&"):
                    return place.place == storage.place
                rest = storage.place.path[len(place.place.path) :]
                return not self.keeps(frame, store.value, storage, divergence, rest)
        return False

    def _renames(self, frame: Frame, store: t.Store, storage: Storage, mark: Mark) -> bool:
        """Whether an assignment changes what every key starts with: `seen.add(f"{self.epoch}:{item.no}")`."""
        if not isinstance(store.target, t.Ref) or not store.target.place.path or store.declares:
            return False
        written = self.containers.of(frame, store.target)
        for inner, value in mark.values:
            value = self.module.value_of(value) or value
            for part in value.walk():
                if isinstance(part, t.Ref) and part.place.path:
                    leaves = self.origins.of(inner, part)
                    named = self.containers.of(inner, part)
                    if any(leaf.is_state for leaf in leaves) and any(n in written for n in named):
                        return True
        return False

    def _names(self, frame: Frame, value: t.Term, place: Place, divergence: Divergence | None) -> bool:
        """Whether a variable that is given this value names the place from then on."""
        if isinstance(value, t.Choice):
            holds = divergence.decides(value.test, self.module) if divergence is not None else None
            if holds is not None:
                side = value.then if holds else value.otherwise
                return self._names(frame, side, place, divergence)
        copied = [
            source for part in self.containers.copied(value) for source in self.containers.of(frame, part)
        ]
        return any(s.place == place for s in (*self.containers.of(frame, value), *copied))

    def keeps(
        self,
        frame: Frame,
        value: t.Term,
        storage: Storage,
        divergence: Divergence | None,
        rest: tuple[str, ...] = (),
    ) -> bool:
        """Whether a value still has what the container held; `rest` is the container's path inside the value."""

        def again(term: t.Term, deeper: tuple[str, ...] = rest) -> bool:
            return self.keeps(frame, term, storage, divergence, deeper)

        match value:
            case t.Ref():
                definition = self.module.value_of(value)
                if definition is not None and definition is not value and value.place.is_local:
                    if value.place in self._followed:
                        return False  # `var held = held || {}` is made of itself.
                    self._followed.add(value.place)
                    try:
                        return again(definition)
                    finally:
                        self._followed.discard(value.place)
                return any(
                    s.place.starts_with(storage.place) or storage.place.starts_with(s.place)
                    for s in self.containers.of(frame, value, 3)
                )
            case t.Choice():
                holds = divergence.decides(value.test, self.module) if divergence is not None else None
                sides = {True: (value.then,), False: (value.otherwise,), None: (value.then, value.otherwise)}
                return any(again(side) for side in sides[holds])
            case t.Logic():
                return again(value.left) or again(value.right)
            case t.Record() if rest:
                for name, entry in reversed(value.entries):
                    if name == rest[0]:
                        return again(entry, rest[1:])
                    if name is None:
                        spread = entry.value if isinstance(entry, t.Spread) else entry
                        return again(spread, ())
                return False
            case t.Record():
                return any(again(entry) for name, entry in value.entries if name is None)
            case t.Sequence():
                return any(again(element) for element in value.elements)
            case t.Spread() | t.Suspend():
                return value.value is not None and again(value.value)
            case t.Binary(op="|" | "+"):
                return again(value.left) or again(value.right)
            case t.Element():
                # A slice: the newest entries stay.
                return again(value.subject)
            case t.Call():
                name = self.module.canonical(value.callee) or ""
                receiver = value.receiver
                if receiver is not None and again(receiver):
                    return value.method in self.containers.known("joins") or value.method in (
                        "slice",
                        "values",
                        "keys",
                    )
                copies = (
                    value.constructs
                    or name in self.containers.known("copies")
                    or value.method in self.containers.known("joins")
                )
                return copies and any(again(a) for a in value.arguments)
            case _:
                return False

    def _deletes(self, frame: Frame, delete: t.Delete, storage: Storage, mark: Mark) -> bool:
        target = delete.target
        if isinstance(target, t.Element):
            # `del seen[:]`
            return any(s.holds(storage) for s in self.containers.of(frame, target.subject))
        return any(self._drops(s, storage, mark) for s in self.containers.of(frame, target))

    def _deletes_by_object(
        self, frame: Frame, delete: t.Delete, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> bool:
        """`del marks[track]`, where a class of the file says what that does."""
        target = delete.target
        if (
            not isinstance(target, t.Ref)
            or target.place.path[-1:] != (ELEMENT,)
            or target.place.parent is None
        ):
            return False
        method = self.containers.written_for(target.place.parent, "deletion")
        if method is None or method.owner is None or frame.runs(method) or frame.level >= DEPTH:
            return False
        given: dict[Binding, t.Term] = {method.owner.this: t.Ref(target.extent, target.place.parent)}
        if target.key is not None and method.parameters:
            given[method.parameters[0]] = target.key
        inner = Frame(method, frame, given)
        return any(
            self.at(inner, s, storage, mark, divergence)
            for s in method.cfg.steps
            if s.kind in ("call", "assign", "delete")
        )

    def _drops(self, dropped: Storage, storage: Storage, mark: Mark) -> bool:
        """Whether dropping one entry empties the container that lies in it, or makes room for the marked key."""
        if dropped.holds(storage):
            return True
        inner = storage.element()
        if dropped.place != inner.place or not storage.holds(Storage(storage.place, dropped.keys[:-1])):
            return False
        return dropped.keys[-1] is not None and any(
            frame.key(value) == dropped.keys[-1] for frame, value in mark.values
        )

    def _clears_each(self, frame: Frame, head: Step, storage: Storage) -> bool:
        """A loop that drops what it goes through: the container's own keys, or those of the batch, one by one."""
        if not isinstance(head.statement, t.ForEach):
            return False
        cfg = frame.function.cfg
        own = id(head.statement.iterable)
        for step in ahead(head, "true", {head}):
            if cfg.reaches(step, head):
                for container, at in self._dropped_by(frame, step):
                    lies_in = container.place == storage.place or container.holds(storage)
                    if lies_in and any(own in leaf.loops for leaf in self.origins.of(frame, at)):
                        return True
        return False

    def _dropped_by(self, frame: Frame, step: Step) -> list[tuple[Storage, t.Term | None]]:
        """The containers that a step drops one entry of, or sets back to a literal, with its key."""
        target: t.Term | None = None
        if step.kind == "delete" and isinstance(step.term, t.Delete):
            target = step.term.target
        elif step.store is not None and _is_set_back(step.store.value):
            target = step.store.target
        if isinstance(target, t.Ref) and target.place.path[-1:] == (ELEMENT,):
            parent = target.place.parent
            assert parent is not None
            return [(s, target.key) for s in self.containers.of(frame, t.Ref(target.extent, parent))]
        call = step.call if step.kind == "call" else None
        if call is None:
            return []
        back = _is_set_back(call.argument(1))
        if call.method in self.containers.known("removes") or (
            back and call.method in self.containers.known("adds")
        ):
            return [(s, call.argument(0)) for s in self.containers.of(frame, call.receiver)]
        return []

    def _empties(
        self, frame: Frame, call: t.Call, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> bool:
        callee = self.containers.run(frame, call)
        if callee is not None:
            return self._resets_within(frame, call, storage, mark, divergence, at_entry=True)
        words = self.knowledge.names("words", "resetting")
        receiver = call.receiver
        on = self.containers.of(frame, receiver) if receiver is not None else []
        if any(s.holds(storage) for s in on):
            if not self._is_callback(call) and (
                call.method in self.containers.known("clears") or any_of(split(call.method), words)
            ):
                return True
            if call.method == "splice":
                return number(call.argument(0)) == 0
        if call.method in self.containers.known("removes"):
            dropped = [s.element(frame.key(call.argument(0))) for s in on]
            if any(self._drops(s, storage, mark) for s in dropped):
                return True
        if (
            call.method in self.containers.known("adds") - self.containers.known("gets")
            and len(call.arguments) == 2
        ):
            at = frame.key(call.argument(0))
            for container in on:
                entry = container.element(at)
                if entry.holds(storage) and len(entry.place.path) <= len(storage.place.path):
                    value = call.arguments[1]
                    if self._is_fresh(frame, value, storage, divergence):
                        return True
        name = self.module.canonical(call.callee) or ""
        is_logger = isinstance(call.callee, t.Ref) and any_of(
            of_place(call.callee.place), self.knowledge.names("words", "logging")
        )
        handed = [
            a
            for a in call.arguments
            if isinstance(a, t.Ref) and any(s.holds(storage) for s in self.containers.of(frame, a))
        ]
        is_copied = (
            call.constructs
            or name in self.containers.known("copies")
            or call.method in self.containers.known("each")
        )
        if handed and (
            name in self.containers.known("clears_of") or not (call.total or is_logger or is_copied)
        ):
            return True  # What another file does with the whole tracker is trusted.
        if mark.said and any_of(split(call.method), words) and not self._is_of_another(call, mark):
            return True
        if call.method in self.containers.known("each") and any(s.holds(storage) for s in on):
            # `seen.Range(func(k, _ any) bool { seen.Delete(k); return true })`
            for argument in call.arguments:
                function = self.module.resolve_value(argument)
                if function is not None and any(
                    inner.method in self.containers.known("removes")
                    and any(s.holds(storage) for s in self.containers.of(frame, inner.receiver))
                    for _, inner in function.cfg.calls
                ):
                    return True
        if self._tells(frame, call, storage, mark, divergence):
            return True
        if call.method in self.containers.known("defers") or (
            call.arguments and isinstance(call.arguments[0], t.Constant)
        ):
            return False
        return any(
            isinstance(argument, t.Closure)
            and not argument.function.is_inlined
            and not frame.runs(argument.function)
            and frame.level < DEPTH
            and any(
                self.at(Frame(argument.function, frame), s, storage, mark, divergence)
                for s in argument.function.cfg.steps
                if s.kind in ("call", "assign", "delete")
            )
            for argument in call.arguments
        )

    def _is_callback(self, call: t.Call) -> bool:
        """Whether what is called is a function kept in a field: it belongs to others, and cannot reach the object."""
        receiver = call.receiver_place
        owner = self.module.class_of(receiver) if receiver is not None else None
        if receiver is None or owner is None:
            return False
        return call.method in owner.field_types or bool(self.module.stores_to(receiver.field(call.method)))

    def _is_of_another(self, call: t.Call, mark: Mark) -> bool:
        """Whether a method is called on one object where the mark is a method of another one."""
        marks = mark.storages[0].place
        owner, receiver = marks.parent, call.receiver_place
        if owner is None or receiver is None or marks.root.kind in ("import", "global"):
            return False
        return not owner.starts_with(receiver) and not receiver.starts_with(owner)

    def _tells(
        self, frame: Frame, call: t.Call, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> bool:
        """Whether an event is emitted whose handler in the file empties the container."""
        first = call.argument(0)
        if call.method not in self.containers.known("emits") or not isinstance(first, t.Constant):
            return False
        if not isinstance(first.value, str) or frame.level >= DEPTH:
            return False
        return any(
            any(
                self.at(Frame(r.handler, frame), s, storage, mark, divergence)
                for s in r.handler.cfg.steps
                if s.kind in ("call", "assign", "delete")
            )
            for r in self.events.registrations(event_name(first.value))
            if not frame.runs(r.handler)
        )

    def _is_fresh(self, frame: Frame, value: t.Term, storage: Storage, divergence: Divergence | None) -> bool:
        """Whether a value is a container made now (and not one that was fetched to be put back)."""
        known = self.module.value_of(value)
        if isinstance(known, (t.Logic, t.Choice)):
            sides = (known.left, known.right) if isinstance(known, t.Logic) else (known.then, known.otherwise)
            return all(self._is_fresh(frame, side, storage, divergence) for side in sides)
        if isinstance(known, t.Call) and known.method in self.containers.known("gets"):
            return False
        if isinstance(known, t.Call) and not (known.constructs or known.total or is_made(known)):
            return self._makes(frame, known, storage, divergence)
        return known is not value or not isinstance(value, t.Ref)

    def _makes(self, frame: Frame, call: t.Call, storage: Storage, divergence: Divergence | None) -> bool:
        """Whether a function of the file makes a new container whenever it is called: `Log.blank()`."""
        callee = self.module.resolve(call) or self._of_class(call)
        if callee is None or callee.is_generator or frame.runs(callee) or frame.level >= DEPTH:
            return False
        inner, given = self.containers.into(frame, callee, call), returns(callee)
        return bool(given) and all(
            value is not None and self._is_fresh(inner, value, storage, divergence) for value, _ in given
        )

    def _of_class(self, call: t.Call) -> Function | None:
        """A method that is called on a class of the file itself."""
        receiver = call.receiver_place
        owner = receiver.root.class_ if receiver is not None and not receiver.path else None
        return self.module.method_of(owner, call.method) if owner is not None else None

    def _resets_within(
        self,
        frame: Frame,
        call: t.Call,
        storage: Storage,
        mark: Mark,
        divergence: Divergence | None,
        at_entry: bool,
    ) -> bool:
        """Whether a function of the file certainly empties the container before it returns (or first yields)."""
        callee = self.containers.run(frame, call)
        if callee is None or call.constructs or frame.runs(callee) or frame.level >= DEPTH:
            return False
        inner = self.containers.into(frame, callee, call)
        cfg = callee.cfg
        kept: dict[Step, bool] = {}

        def resets(step: Step) -> bool:
            if step not in kept:
                kept[step] = self.at(inner, step, storage, mark, divergence)
            return kept[step]

        if cfg.incomplete or not any(resets(s) for s in cfg.steps if s.kind != "test"):
            return False
        given_out = {s for s in cfg.steps if yields(s)} if callee.is_generator else set()
        ends = {cfg.exit}
        if callee.is_async and not isinstance(call.parent, t.Suspend):
            # Nobody waits for it: only what it does before it first gives way is done when the call returns.
            if isinstance(call.parent, t.Call) and call.parent.method in self.containers.known("defers"):
                return False
            ends |= {s for s in cfg.steps if s.suspends}
        given = self.known_within(inner, storage, divergence)
        if not given_out:
            return at_entry and cfg.path(cfg.entry, ends, avoiding=resets, given=given) is None
        if at_entry:
            return cfg.path(cfg.entry, given_out, avoiding=resets, given=given) is None
        return all(cfg.path(y, {cfg.exit}, avoiding=resets, given=given) is None for y in given_out)

    def known_within(
        self, inner: Frame, storage: Storage, divergence: Divergence | None
    ) -> list[tuple[Key, bool]]:
        """What holds in a called function where the tracker is not empty and the copy has diverged."""
        cfg = inner.function.cfg
        given: list[tuple[Key, bool]] = []
        guards = [call.guard for _, call in cfg.calls if call.guard is not None]
        known = {**dict(filled(storage)), **(dict(divergence.given) if divergence is not None else {})}
        for parameter, value in inner.bound.items():
            handed = atom(plain(inner.outer.lifted(value) if inner.outer is not None else value, self.module))
            if handed is not None and handed[0] in known:
                given.append((("set", Place(parameter)), known[handed[0]] == handed[1]))
        for step in cfg.of_kind("test"):
            if step.term is None:
                continue
            here, there = cfg.atom(step), atom(plain(inner.lifted(step.term), self.module))
            if here is not None and there is not None and there[0] in known:
                given.append((here[0], (known[there[0]] == there[1]) == here[1]))
            elif (
                here is not None
                and there is None
                and step.term in guards
                and any(s.holds(storage) for s in self.containers.of(inner, step.term))
            ):
                # `ring.ids?.clear()`, of a ring that a map holds: where it is missing, there is nothing to clear.
                given.append(here)
            elif here is not None and any(
                s.holds(storage)
                for s in self._entries_asked_for(inner, self.module.value_of(plain(step.term, self.module)))
            ):
                # `if room in self.seen: del self.seen[room]`: where it is missing, there is nothing to drop.
                given.append(here)
        return given

    def filled_outcome(self, frame: Frame, step: Step, storage: Storage) -> str | None:
        """`len(seen) > 0`, `len(seen) == 0`: the outcome of a test on which the tracker is not empty.

        An empty tracker needs no reset. None where the test does not ask for that.
        """
        if step.kind != "test" or step.term is None:
            return None
        for label, holds in (("true", True), ("false", False)):
            facts = implied(step.term, holds, self.module)
            if any(self._says_filled(frame, term, truth, storage) for term, truth in facts):
                return label
        return None

    def failing_outcome(
        self, frame: Frame, step: Step, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> str | None:
        """`if err := c.startOver(); err != nil`: the outcome of a test on which a helper that empties did not do it."""
        if step.kind != "test" or step.term is None:
            return None
        asked = asked_result(frame.function, step)
        callee = self.module.resolve(asked.call) if asked is not None else None
        if asked is None or callee is None or frame.runs(callee) or frame.level >= DEPTH:
            return None
        if callee.is_generator or callee.cfg.incomplete or asked.call is mark.step.call:
            return None
        inner, cfg = self.containers.into(frame, callee, asked.call), callee.cfg
        emptying = {s for s in cfg.steps if s.kind != "test" and self.at(inner, s, storage, mark, divergence)}
        if not emptying:
            return None
        given = self.known_within(inner, storage, divergence)
        answers = list(cfg.of_kind("return"))
        if cfg.path(cfg.entry, {cfg.exit}, avoiding={*emptying, *answers}, given=given) is not None:
            return None
        unemptied = [
            a for a in answers if cfg.path(cfg.entry, {a}, avoiding=emptying, given=given) is not None
        ]
        return asked.label if all(tells_of_failure(cfg, a, asked) for a in unemptied) else None

    def _entries_asked_for(self, frame: Frame, term: t.Term | None) -> list[Storage]:
        """The entries that a condition says to be in a map."""
        if isinstance(term, t.Binary) and term.op == "in":
            key = frame.key(term.left)
            return [s.element(key) for s in self.containers.of(frame, term.right)]
        if isinstance(term, t.Call) and term.method in self.containers.known("asks"):
            key = frame.key(term.argument(0))
            return [s.element(key) for s in self.containers.of(frame, term.receiver)]
        if isinstance(term, t.Result) and term.index == 1 and isinstance(term.call, t.Ref):
            return self.containers.of(frame, term.call)
        return []

    def _says_filled(self, frame: Frame, term: t.Term, holds: bool, storage: Storage) -> bool:
        """Whether the truth of a condition says that something is in a container, by its size."""
        pairs: list[tuple[t.Term, t.Term | None]] = [(term, None)]
        if isinstance(term, t.Binary):
            pairs = [(term.left, term.right), (term.right, term.left)]
            holds = holds != (term.op in ("==", "<=", ">="))
        return holds and any(
            isinstance(side, t.Call)
            and side.method in self.containers.known("sizes_of")
            and (other is None or number(self.module.value_of(other) or other) == 0)
            and any(s.place == storage.place for s in self.containers.of(frame, side.argument(0)))
            for side, other in pairs
        )


def _is_set_back(value: t.Term | None) -> bool:
    """Zero or false; null is what a dict that serves as a set holds for each of its keys."""
    return isinstance(value, t.Constant) and value.kind in ("number", "bool") and not value.value


def filled(storage: Storage) -> list[tuple[Key, bool]]:
    """What holds of a tracker that is not empty."""
    place = storage.place
    facts: list[tuple[Key, bool]] = [(("set", place), True)]
    owner = place.parent
    while owner is not None and owner.path:
        facts.append((("set", owner), True))
        owner = owner.parent
    zero: Key = ("constant", "number", 0)
    for name in ("size", "length"):
        size: Key = ("place", place.field(name))
        facts.append((("set", place.field(name)), True))
        facts.append((("<", zero, size), True))
        first, second = sorted((zero, size), key=repr)
        facts.append((("==", first, second), False))
    return facts


def ahead(step: Step, label: str, avoiding: set[Step] | None = None) -> set[Step]:
    """The steps that follow by an edge, up to where a loop closes."""
    stop = avoiding or set()
    found: set[Step] = set()
    todo = [e.target for e in step.edges if e.label == label and not e.back]
    while todo:
        current = todo.pop()
        if current in found or current in stop or current is step:
            continue
        found.add(current)
        todo.extend(e.target for e in current.edges if not e.back and e.label != "raise")
    return found


def is_made(call: t.Call) -> bool:
    """Go's `make` and `new`, Python's container types."""
    return isinstance(call.callee, t.Ref) and (
        call.callee.place.root.kind == "global"
        and not call.callee.place.path
        and call.callee.place.name in ("make", "new", "set", "dict", "list")
    )
