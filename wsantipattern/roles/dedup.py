"""Dedup trackers: what remembers which items were taken in, what marks an item there, and what empties it.

A tracker is a place that outlives the call and of which something in the file asks whether an item is in it, to skip
the item where it is. A mark adds an element of a batch to it, directly or through functions of the file. Weak
evidence is a function of another file that is named for marking. A container whose stored values are used (a cache,
the view itself) is no tracker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Cfg, Path, Step
from wsantipattern.model.flow import Key, atom, implied, returns
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.origin import Frame, Origins, waits_in_loop
from wsantipattern.roles.staleness import Divergence, Staleness
from wsantipattern.roles.words import any_of, of_place, split

DEPTH = 3
"""Functions of the file that a mark or a reset is followed through."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A container: its place, and for each `[*]` of it the key, where the text says which."""

    place: Place
    keys: tuple[object, ...] = ()

    def field(self, *parts: str) -> Storage:
        return Storage(Place(self.place.root, (*self.place.path, *parts)), self.keys)

    def element(self, at: object = None) -> Storage:
        return Storage(self.place.element, (*self.keys, at))

    def holds(self, other: Storage) -> bool:
        """Whether `other` is this container or lies in it, as far as the keys may be equal."""
        return other.place.starts_with(self.place) and all(
            mine is None or its is None or mine == its
            for mine, its in zip(self.keys, other.keys, strict=False)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A step that adds something to a container.

    Attributes:
        step: in the function that is looked at.
        extent: where it stands: the adding call or assignment, or the call of the helper that does it.
        storages: what it may be added to.
        values: what is added, each with the frame it is written in.
        bulk: all elements of the value are added at once.
        via: the container as it is written, where it starts at a variable of the innermost frame.
        said: where only words say that it marks: `named` for what was seen, or only a `verb`; else empty.
    """

    step: Step
    extent: t.Extent
    storages: tuple[Storage, ...]
    values: tuple[tuple[Frame, t.Term], ...]
    bulk: bool = False
    via: Place | None = None
    said: Literal["", "named", "verb"] = ""


@dataclass(frozen=True, slots=True, eq=False)
class StaleMark:
    """A batch is marked in a tracker that still holds what the diverged copy had seen."""

    function: Function
    divergence: Divergence
    mark: Mark
    tracker: Storage
    way: Path
    reset: t.Extent | None
    confidence: Confidence
    is_late: bool

    @property
    def name(self) -> str:
        """The tracker as the user writes it."""
        place = self.tracker.place
        while place.path and place.path[-1] == ELEMENT and place.parent is not None:
            place = place.parent
        return str(place)


class Trackers:
    """The dedup trackers of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, origins: Origins, staleness: Staleness) -> None:
        self.module = module
        self.knowledge = knowledge
        self.origins = origins
        self.staleness = staleness

    def _known(self, what: str) -> frozenset[str]:
        return self.knowledge.names("dedup", what)

    # -- findings --------------------------------------------------------------------------------

    def stale_marks(self) -> Iterator[StaleMark]:
        """The marks that a way on which the copy has diverged comes to without a reset, function by function."""
        for function in self.module.all_functions:
            if not function.is_inlined:
                yield from self.stale_marks_in(function)

    def stale_marks_in(self, function: Function) -> list[StaleMark]:
        """The marks of one function, in order."""
        learned = self.staleness.learned_in(function)
        if not learned or function.cfg.incomplete:
            return []
        found: dict[t.Extent, StaleMark] = {}
        for mark in self.marks(Frame(function)):
            loops = self._batches(mark)
            if not loops or mark.extent in found:
                continue
            for storage in mark.storages:
                if not mark.said and not (
                    self._outlives(function, storage, mark.step) and self._is_tracker(storage)
                ):
                    continue
                for divergence in learned:
                    if all(inner in divergence.loops for inner in loops):
                        continue  # It compares the very item: an old item is left out, nothing has diverged.
                    if mark.said == "verb" and divergence.confidence > Confidence.MEDIUM:
                        continue
                    stale = self._stale(function, divergence, mark, storage)
                    if stale is not None:
                        found.setdefault(mark.extent, stale)
        return [found[extent] for extent in sorted(found)]

    def _batches(self, mark: Mark) -> set[int]:
        """The collections, of those that came with the call or in a reply, of which the marked item is an element."""
        found: set[int] = set()
        for frame, value in mark.values:
            for leaf in self.origins.of(frame, value):
                if leaf.kind in ("given", "reply") and (leaf.loops or mark.bulk):
                    found.add(leaf.loops[0] if leaf.loops else id(value))
        return found

    def _stale(
        self, function: Function, divergence: Divergence, mark: Mark, storage: Storage
    ) -> StaleMark | None:
        cfg = function.cfg
        frame = Frame(function)
        kept: dict[Step, bool] = {}

        def resets(step: Step) -> bool:
            if step not in kept:
                kept[step] = self._resets(frame, step, storage, mark, divergence)
            return kept[step]

        again = _rounds(cfg, divergence.step)
        given = [*divergence.given, *_filled(storage)]
        sure = Confidence.MEDIUM if mark.said else Confidence.HIGH
        confidence = min(sure, divergence.confidence)

        def avoided(step: Step) -> bool:
            return step in again or resets(step)

        before = cfg.path(cfg.entry, {divergence.step}, avoiding=resets, given=given)
        if before is None:
            return None
        facts = {**dict(before.facts), **dict(given)}
        way = cfg.path(
            divergence.step, {mark.step}, avoiding=avoided, given=facts.items(), labels=divergence.labels
        )
        reset = self._reset_nearby(cfg, frame, storage, mark, divergence)
        if way is not None:
            return StaleMark(function, divergence, mark, storage, way, reset, confidence, is_late=False)
        if cfg.reaches(divergence.step, mark.step) or not cfg.reaches(mark.step, divergence.step):
            return None
        # The test comes after the marks: too late, if it is there that the tracker is reset.
        late = cfg.path(divergence.step, resets, given=given, labels=divergence.labels)
        way = cfg.path(cfg.entry, {mark.step}, avoiding=resets, given=given)
        if late is None or way is None or cfg.path(mark.step, {divergence.step}, avoiding=resets) is None:
            return None
        return StaleMark(function, divergence, mark, storage, way, late.goal.extent, confidence, is_late=True)

    def _reset_nearby(
        self, cfg: Cfg, frame: Frame, storage: Storage, mark: Mark, divergence: Divergence
    ) -> t.Extent | None:
        for step in cfg.steps:
            if step.kind in ("call", "assign", "delete") and self._resets(
                frame, step, storage, mark, divergence
            ):
                return step.extent
        return None

    # -- containers ------------------------------------------------------------------------------

    def containers(self, frame: Frame, term: t.Term | None, depth: int = 6) -> list[Storage]:
        """The containers that a term may stand for, in the outermost frame's terms."""
        return list(dict.fromkeys(self._containers(frame, term, depth)))

    def _containers(self, frame: Frame, term: t.Term | None, depth: int) -> Iterator[Storage]:
        if term is None or depth <= 0:
            return
        match term:
            case t.Ref():
                yield from self._read(frame, term, depth)
            case t.Field():
                for inner in self._containers(frame, term.subject, depth):
                    yield inner.field(term.name)
            case t.Element() if not isinstance(term.key, t.Several):
                for inner in self._containers(frame, term.subject, depth):
                    yield inner.element(frame.key(term.key))
            case t.Call():
                yield from self._given_by(frame, term, depth)
            case t.Result() if term.index == 0:
                yield from self._containers(frame, term.call, depth)
            case t.Suspend():
                yield from self._containers(frame, term.value, depth)
            case t.Logic():
                yield from self._containers(frame, term.left, depth - 1)
                yield from self._containers(frame, term.right, depth - 1)
            case t.Choice():
                yield from self._containers(frame, term.then, depth - 1)
                yield from self._containers(frame, term.otherwise, depth - 1)
            case t.Store():
                yield from self._containers(frame, term.value, depth - 1)
            case t.Several() if len(term.operands) == 1:
                yield from self._containers(frame, term.operands[0], depth - 1)
            case _:
                return

    def _read(self, frame: Frame, ref: t.Ref, depth: int) -> Iterator[Storage]:
        place = ref.place
        root = place.root
        last = len(place.path) - 1 - place.path[::-1].index(ELEMENT) if ELEMENT in place.path else -1

        def extended(start: Storage) -> Storage:
            for index, part in enumerate(place.path):
                if part == ELEMENT:
                    start = start.element(frame.key(ref.key) if index == last else None)
                else:
                    start = start.field(part)
            return start

        if root in frame.bound and frame.outer is not None:
            for inner in self._containers(frame.outer, frame.bound[root], depth - 1):
                yield extended(inner)
            return
        yield extended(Storage(Place(root)))
        if root.kind == "local" and root.scope is not None and root.scope.host is frame.function.host:
            for _, store in self.module.stores_to(Place(root)):
                if store.op is None:
                    for inner in self._containers(frame, store.value, depth - 1):
                        yield extended(inner)

    def _given_by(self, frame: Frame, call: t.Call, depth: int) -> Iterator[Storage]:
        callee = self.module.resolve(call)
        if callee is not None:
            if call.constructs or frame.runs(callee) or frame.level >= DEPTH:
                return
            inner = frame.into(callee, call)
            values = (
                [s.term.value for s in callee.cfg.steps if _yields(s) and isinstance(s.term, t.Suspend)]
                if callee.is_generator
                else [value for value, _ in returns(callee)]
            )
            for value in values:
                for storage in self._containers(inner, value, depth - 1):
                    if storage.place.root.scope is not callee or storage.place.root.kind != "local":
                        yield storage
        elif call.method in self._known("gets") and call.receiver is not None:
            for storage in self._containers(frame, call.receiver, depth):
                yield storage.element(frame.key(call.argument(0)))

    def _outlives(self, function: Function, storage: Storage, mark: Step) -> bool:
        """Whether a container is still there when the function is called again, or waits again."""
        place = storage.place
        root = place.root
        if root.kind in ("this", "import", "global"):
            return True
        if root.scope is None or root.scope.kind == "top":
            return True
        if root.scope.host is not function.host:
            return root.scope.encloses(function)
        if root.kind == "parameter":
            return bool(place.path) or not self._is_handed_anew(root)
        made = [s for s in function.cfg.steps if s.kind == "assign" and s.target == Place(root)]
        return (
            bool(made)
            and not any(function.cfg.reaches(s, s) and _declares(s) for s in made)
            and waits_in_loop(function, mark)
        )

    def _is_handed_anew(self, parameter: Binding) -> bool:
        """Whether a caller in the file hands over a container of its own."""
        function = parameter.scope
        if function is None or parameter not in function.parameters:
            return False
        index = function.parameters.index(parameter)
        for caller, step in callers(function):
            value = step.call.argument(index, parameter.name) if step.call is not None else None
            if isinstance(value, t.Ref):
                root = value.place.root
                if root.kind == "local" and not value.place.path and root.scope is caller:
                    return True
            elif value is not None:
                return True
        return False

    # -- trackers --------------------------------------------------------------------------------

    def _is_tracker(self, storage: Storage) -> bool:
        return any(family in self._families for family in self._family(storage.place))

    def _family(self, place: Place) -> Iterator[Place]:
        """The place, and what it is called inside the class it is a field of."""
        yield place
        for length in range(len(place.path) - 1, -1, -1):
            owner = self.module.class_of(Place(place.root, place.path[:length]))
            if owner is not None and owner.this is not place.root:
                yield Place(owner.this, place.path[length:])

    @cached_property
    def _families(self) -> set[Place]:
        """The places of which some condition of the file asks whether an item is in, to skip it."""
        found: set[Place] = set()
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for storage in self._asked_in(function):
                found.update(self._family(storage.place))
        return found

    def is_tracker(self, place: Place) -> bool:
        """Whether some condition of the file asks whether an item is in the container at a place, to skip it."""
        return not self._families.isdisjoint(self._family(place))

    def _asked_in(self, function: Function) -> Iterator[Storage]:
        cfg, frame = function.cfg, Frame(function)
        for step in cfg.steps:
            if step.kind == "test" and step.term is not None:
                for label in ("true", "false"):
                    for condition, holds in implied(step.term, label == "true", self.module):
                        asked = self.asked(frame, condition, holds)
                        if self._decides(function, step, label, asked):
                            yield from asked
            for part in step.term.walk() if step.term is not None else ():
                if isinstance(part, t.Several):
                    # A comprehension's condition leaves elements out.
                    for operand in part.operands[:-1]:
                        for condition, holds in implied(operand, False, self.module):
                            yield from self.asked(frame, condition, holds)
                elif isinstance(part, t.Call) and part.method in self._known("each"):
                    yield from self._asked_by_filter(part)

    def _asked_by_filter(self, call: t.Call) -> Iterator[Storage]:
        for argument in call.arguments[:1]:
            function = self.module.resolve_value(argument)
            if function is not None and not function.is_inlined:
                for value, _ in returns(function):
                    for condition, holds in implied(value, False, self.module) if value is not None else ():
                        yield from self.asked(Frame(function), condition, holds)

    def asked(self, frame: Frame, condition: t.Term, holds: bool) -> list[Storage]:
        """The containers that a condition, by its truth or falsity, says to hold an element already."""
        match condition:
            case t.Call():
                receiver = condition.receiver
                if self.module.resolve(condition) is not None:
                    return []
                name = self.module.canonical(condition.callee) or ""
                if name in self._known("asks_of") and holds:
                    return self.containers(frame, condition.argument(0))
                if name in self._known("searches_of") and holds:
                    argument = condition.argument(0)
                    last = argument.operands[-1] if isinstance(argument, t.Several) else None
                    return self.asked(frame, last, True) if isinstance(last, t.Binary) else []
                if receiver is None or not condition.arguments:
                    return []
                if condition.method in self._known("searches") and holds:
                    return self._searched(frame, receiver, condition.argument(0))
                if (condition.method in self._known("asks") and holds) or (
                    condition.method in self._known("adds_if_new") and not holds
                ):
                    return self.containers(frame, receiver)
            case t.Binary(op="in") if holds:
                return self.containers(frame, condition.right)
            case t.Binary(op="==" | "!="):
                for side, other in (
                    (condition.left, condition.right),
                    (condition.right, condition.left),
                ):
                    if isinstance(other, t.Constant) and other.kind == "null":
                        if holds == (condition.op == "!="):
                            return self.asked(frame, side, True)
                    elif _number(other) == -1 and holds == (condition.op == "!="):
                        return self._asked_position(frame, side)
                    elif isinstance(side, t.Ref) and side.place.is_local and holds == (condition.op == "=="):
                        # `for r in recent: if r == n`: the loop looks for it.
                        for _, store in self.module.stores_to(side.place):
                            if isinstance(store.value, t.Element) and store.value.key is None:
                                return self.containers(frame, store.value.subject)
            case t.Binary(op="<" | "<=" | ">" | ">="):
                at_least = (
                    condition.op if holds else {"<": ">=", ">=": "<", "<=": ">", ">": "<="}[condition.op]
                )
                bound = _number(condition.right)
                if (at_least == ">" and bound == -1) or (at_least == ">=" and bound == 0):
                    return self._asked_position(frame, condition.left)
            case t.Ref():
                value = self.module.value_of(condition)
                if value is not None and value is not condition:
                    return self.asked(frame, value, holds)
                if holds and condition.place.path and condition.place.path[-1] == ELEMENT:
                    parent = condition.place.parent
                    if parent is not None and not _is_index(condition.key):
                        return self.containers(frame, t.Ref(condition.extent, parent))
            case t.Result(index=1) if holds:
                call = condition.call
                if isinstance(call, t.Call) and call.method in self._known("gets"):
                    return self.containers(frame, call.receiver)
                return self.asked(frame, call, True) if isinstance(call, t.Ref) else []
            case t.Result(index=0):
                return self.asked(frame, condition.call, holds)
            case t.Store():
                return self.asked(frame, condition.value, holds)
            case t.Suspend():
                return self.asked(frame, condition.value, holds) if condition.value is not None else []
            case _:
                return []
        return []

    def _searched(self, frame: Frame, collection: t.Term, test: t.Term | None) -> list[Storage]:
        """`recent.some((r) => r === n)`: the elements themselves are compared."""
        function = self.module.resolve_value(test)
        if function is None or not function.parameters:
            return []
        for value, _ in returns(function):
            for side in (value.left, value.right) if isinstance(value, t.Binary) and value.op == "==" else ():
                if isinstance(side, t.Ref) and side.place == Place(function.parameters[0]):
                    return self.containers(frame, collection)
        return []

    def _asked_position(self, frame: Frame, term: t.Term) -> list[Storage]:
        value = self.module.value_of(term)
        if isinstance(value, t.Call) and value.method in self._known("asks_position"):
            return self.containers(frame, value.receiver)
        return []

    def _decides(self, function: Function, test: Step, member: str, asked: list[Storage]) -> bool:
        """Whether an item that is in already is left out: what is done for a new one is not done for it."""
        if not asked:
            return False
        old, new = (_ahead(test, label) for label in (member, "false" if member == "true" else "true"))
        frame = Frame(function)
        if any(self._uses_kept(frame, step, asked) for step in old | new):
            return False
        return any(self._is_work(frame, step, asked) for step in new - old)

    def _uses_kept(self, frame: Frame, step: Step, asked: list[Storage]) -> bool:
        """Whether a step uses the value that a container holds for a key: then it is the data, no tracker."""
        if step.term is None or step.kind in ("test", "iterate"):
            return False
        terms: list[t.Term] = []
        if step.store is not None:
            if step.target is not None and step.target.is_local and isinstance(step.store.value, t.Result):
                return False
            terms = [step.store.value]
            if (
                isinstance(step.store.target, t.Ref)
                and step.store.target.place.path[-1:] != (ELEMENT,)
                and ELEMENT in step.store.target.place.path
            ):
                terms.append(step.store.target)
        elif step.call is not None and self.module.resolve(step.call) is None:
            terms = [*step.call.arguments]
            if step.call.receiver is not None:
                terms.append(step.call.receiver)
        elif isinstance(step.statement, t.Return) and step.statement.value is not None:
            terms = [step.statement.value]
        for term in terms:
            for part in term.walk():
                if not isinstance(part, (t.Ref, t.Call)):
                    continue
                for storage in self.containers(frame, part, 3):
                    if any(
                        len(storage.place.path) > len(a.place.path)
                        and storage.place.path[len(a.place.path)] == ELEMENT
                        and storage.place.starts_with(a.place)
                        for a in asked
                    ):
                        return True
        return False

    def _is_work(self, frame: Frame, step: Step, asked: list[Storage]) -> bool:
        if step.kind in ("suspend", "raise", "spawn", "return"):
            return True
        if step.kind == "call" and step.call is not None:
            if step.call.total or step.call.constructs or _is_made(step.call):
                return False
            added = self._added_directly(frame, step)
            return added is None or not _overlap(added.storages, asked)
        if step.kind == "assign" and step.target is not None and not step.target.is_local:
            added = self._added_directly(frame, step)
            return added is None or not _overlap(added.storages, asked)
        if step.kind == "assign" and step.store is not None:
            return not step.store.declares and step.store.op is not None
        return False

    # -- marks -----------------------------------------------------------------------------------

    def marks(self, frame: Frame) -> list[Mark]:
        """Everything that a function adds to containers, itself or through functions of the file."""
        found: list[Mark] = []
        for step in frame.function.cfg.steps:
            direct = self._added_directly(frame, step)
            if direct is not None:
                found.append(direct)
                continue
            call = step.call if step.kind == "call" else None
            if call is None:
                continue
            for callee, inner, is_closure in self._run_by(frame, call):
                for mark in self.marks(inner):
                    storages = tuple(s for s in mark.storages if self._comes_dirty(inner, mark, s))
                    if storages:
                        extent = mark.extent if is_closure else call.extent
                        found.append(replace(mark, step=step, extent=extent, storages=storages))
                del callee
            weak = self._marked_by_name(frame, step, call)
            if weak is not None:
                found.append(weak)
        return found

    def _run_by(self, frame: Frame, call: t.Call) -> Iterator[tuple[Function, Frame, bool]]:
        """The functions of the file that a call runs at once, each with its frame, and whether it is written there."""
        if frame.level >= DEPTH:
            return
        callee = self.module.resolve(call)
        if callee is not None:
            if not call.constructs and not frame.runs(callee):
                yield callee, frame.into(callee, call), False
            return
        collection: t.Term | None = None
        if call.method in self._known("each") and call.receiver is not None and call.arguments:
            receiver = call.receiver
            if not (isinstance(receiver, t.Ref) and receiver.place.root.kind == "import"):
                collection = receiver
        elif (self.module.canonical(call.callee) or "") in self._known("each_of") and len(
            call.arguments
        ) == 2:
            collection = call.arguments[1]
        if collection is not None:
            function = self.module.resolve_value(call.arguments[0])
            if function is not None and not function.is_inlined and not frame.runs(function):
                element = t.Element(collection.extent, collection)
                inner = frame.each(function, element)
                yield function, inner, isinstance(call.arguments[0], t.Closure)

    def _comes_dirty(self, inner: Frame, mark: Mark, storage: Storage) -> bool:
        """Whether a called function marks on some way on which it has not emptied the container itself."""
        cfg = inner.function.cfg
        return (
            cfg.path(
                cfg.entry,
                {mark.step},
                avoiding=lambda s: self._resets(inner, s, storage, mark, None),
            )
            is not None
        )

    def _added_directly(self, frame: Frame, step: Step) -> Mark | None:
        """What a step by itself adds to a container."""
        call = step.call if step.kind == "call" else None
        if call is not None:
            receiver = call.receiver
            if receiver is None or not call.arguments or self.module.resolve(call) is not None:
                return None
            if call.method in self._known("adds_all"):
                storages = self.containers(frame, receiver)
                return self._mark(frame, step, storages, call.arguments[:1], bulk=True)
            if call.method in self._known("adds"):
                values = [a.value if isinstance(a, t.Spread) else a for a in call.arguments[:1]]
                spread = any(isinstance(a, t.Spread) for a in call.arguments[:1])
                return self._mark(frame, step, self.containers(frame, receiver), values, bulk=spread)
            return None
        store = step.store
        if store is None or step.target is None or not isinstance(store.target, t.Ref):
            return None
        target = store.target
        if target.place.path[-1:] == (ELEMENT,) and target.key is not None:
            parent = target.place.parent
            assert parent is not None
            if isinstance(store.value, t.Constant) and store.value.value is False:
                return None
            storages = self.containers(frame, t.Ref(target.extent, parent))
            return self._mark(frame, step, storages, [target.key])
        if store.op in ("|", "+"):
            return self._mark(frame, step, self.containers(frame, target), [store.value], bulk=True)
        if store.op is None and self._keeps(frame, store.value, Storage(step.target), None):
            joined = _joined(store.value)
            if joined:
                return self._mark(frame, step, self.containers(frame, target), joined, bulk=True)
        return None

    def _mark(
        self, frame: Frame, step: Step, storages: list[Storage], values: list[t.Term], bulk: bool = False
    ) -> Mark | None:
        if not storages or not values:
            return None
        first = storages[0].place
        is_variable = first.root.kind == "local" and first.root not in frame.bound
        via = first if is_variable else None
        return Mark(step, step.extent, tuple(storages), tuple((frame, v) for v in values), bulk, via)

    def _marked_by_name(self, frame: Frame, step: Step, call: t.Call) -> Mark | None:
        """A function of another file that is named for marking, given an item's number."""
        if self.module.resolve(call) is not None or call.total or not isinstance(call.callee, t.Ref):
            return None
        words = split(call.method)
        if not any_of(words, self.knowledge.names("words", "marking")):
            return None
        if any_of(of_place(call.callee.place), self.knowledge.names("words", "logging")):
            return None
        values = [a for a in call.arguments if isinstance(a, t.Ref) and a.place.path]
        if not values:
            return None
        named = any_of(words, self.knowledge.names("words", "seen")) or self._marks_single_items(call)
        # `remember(tank, feeding.no)`: under a name, one number. Enough where words said that the copy is stale.
        if not named and (len(call.arguments) < 2 or any(isinstance(a, t.Constant) for a in call.arguments)):
            return None
        return Mark(
            step,
            step.extent,
            (Storage(call.callee.place),),
            tuple((frame, v) for v in values),
            said="named" if named else "verb",
        )

    def _marks_single_items(self, call: t.Call) -> bool:
        """Whether the same function is called elsewhere for one item that came alone: live and recovered alike."""
        assert isinstance(call.callee, t.Ref)
        for function in self.module.functions_mentioning(call.method):
            for _, other in function.cfg.calls:
                if (
                    other.extent != call.extent
                    and isinstance(other.callee, t.Ref)
                    and other.callee.place == call.callee.place
                    and len(other.arguments) == len(call.arguments)
                ):
                    leaves = [leaf for a in other.arguments for leaf in self.origins.of(Frame(function), a)]
                    if leaves and not any(leaf.loops for leaf in leaves):
                        return True
        return False

    # -- resets ----------------------------------------------------------------------------------

    def _resets(
        self, frame: Frame, step: Step, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> bool:
        """Whether passing a step certainly empties a container, or drops the key that is about to be marked."""
        match step.kind:
            case "assign" if step.store is not None:
                if step.store.declares and step.target == storage.place:
                    return False  # It starts here: it holds what earlier rounds have put in.
                if mark.via is not None and step.target == Place(mark.via.root) and step.store.op is None:
                    inside = len(storage.place.path) - len(mark.via.path)
                    named = Place(storage.place.root, storage.place.path[:inside])
                    return not self._names(frame, step.store.value, named, divergence)
                return self._replaces(frame, step.store, storage, divergence)
            case "delete" if isinstance(step.term, t.Delete):
                return self._deletes(frame, step.term, storage, mark)
            case "iterate":
                return self._clears_each(frame, step, storage)
            case "call" if step.call is not None:
                return self._empties(frame, step.call, storage, mark, divergence)
            case "test":
                return self._asks_for_emptiness(frame, step.term, storage)
            case "release" if isinstance(step.term, t.Call):
                return self._resets_within(frame, step.term, storage, mark, divergence, at_entry=False)
            case _:
                return False

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
            return any(s.holds(storage) for s in self.containers(frame, t.Ref(target.extent, parent)))
        else:
            written = self.containers(frame, target)
        for place in written:
            if place.holds(storage):
                if store.op in ("-", "&"):
                    return place.place == storage.place
                rest = storage.place.path[len(place.place.path) :]
                return not self._keeps(frame, store.value, storage, divergence, rest)
        return False

    def _names(self, frame: Frame, value: t.Term, place: Place, divergence: Divergence | None) -> bool:
        """Whether a variable that is given this value names the place from then on."""
        if isinstance(value, t.Choice):
            holds = divergence.decides(value.test) if divergence is not None else None
            if holds is not None:
                side = value.then if holds else value.otherwise
                return self._names(frame, side, place, divergence)
        return any(s.place == place for s in self.containers(frame, value))

    def _keeps(
        self,
        frame: Frame,
        value: t.Term,
        storage: Storage,
        divergence: Divergence | None,
        rest: tuple[str, ...] = (),
    ) -> bool:
        """Whether a value still has what the container held; `rest` is the container's path inside the value."""

        def again(term: t.Term, deeper: tuple[str, ...] = rest) -> bool:
            return self._keeps(frame, term, storage, divergence, deeper)

        match value:
            case t.Ref():
                definition = self.module.value_of(value)
                if definition is not None and definition is not value and value.place.is_local:
                    return again(definition)
                return any(
                    s.place.starts_with(storage.place) or storage.place.starts_with(s.place)
                    for s in self.containers(frame, value, 3)
                )
            case t.Choice():
                holds = divergence.decides(value.test) if divergence is not None else None
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
                    return value.method in self._known("joins") or value.method in ("slice", "values", "keys")
                copies = (
                    value.constructs or name in self._known("copies") or value.method in self._known("joins")
                )
                return copies and any(again(a) for a in value.arguments)
            case _:
                return False

    def _deletes(self, frame: Frame, delete: t.Delete, storage: Storage, mark: Mark) -> bool:
        target = delete.target
        if isinstance(target, t.Element):
            # `del seen[:]`
            return any(s.holds(storage) for s in self.containers(frame, target.subject))
        return any(self._drops(s, storage, mark) for s in self.containers(frame, target))

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
        body = [s for s in _ahead(head, "true", {head}) if cfg.reaches(s, head)]
        for step in body:
            removed: list[tuple[Storage, t.Term | None]] = []
            if (
                step.kind == "delete"
                and isinstance(step.term, t.Delete)
                and isinstance(step.term.target, t.Ref)
            ):
                parent = step.term.target.place.parent
                if parent is not None:
                    removed = [
                        (s, step.term.target.key)
                        for s in self.containers(frame, t.Ref(step.term.target.extent, parent))
                    ]
            elif step.kind == "call" and step.call is not None and step.call.method in self._known("removes"):
                removed = [(s, step.call.argument(0)) for s in self.containers(frame, step.call.receiver)]
            for container, at in removed:
                lies_in = container.place == storage.place or container.holds(storage)
                if lies_in and any(own in leaf.loops for leaf in self.origins.of(frame, at)):
                    return True
        return False

    def _empties(
        self, frame: Frame, call: t.Call, storage: Storage, mark: Mark, divergence: Divergence | None
    ) -> bool:
        callee = self.module.resolve(call)
        if callee is not None:
            return self._resets_within(frame, call, storage, mark, divergence, at_entry=True)
        words = self.knowledge.names("words", "resetting")
        receiver = call.receiver
        on = self.containers(frame, receiver) if receiver is not None else []
        if any(s.holds(storage) for s in on):
            if call.method in self._known("clears") or any_of(split(call.method), words):
                return True
            if call.method == "splice":
                return _number(call.argument(0)) == 0
        if call.method in self._known("removes"):
            dropped = [s.element(frame.key(call.argument(0))) for s in on]
            if any(self._drops(s, storage, mark) for s in dropped):
                return True
        if call.method in self._known("adds") - self._known("gets") and len(call.arguments) == 2:
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
            if isinstance(a, t.Ref) and any(s.holds(storage) for s in self.containers(frame, a))
        ]
        if handed and (name in self._known("clears_of") or not (call.total or is_logger)):
            return True  # What another file does with the whole tracker is trusted.
        if mark.said and any_of(split(call.method), words):
            return True
        if call.method in self._known("each") and any(s.holds(storage) for s in on):
            # `seen.Range(func(k, _ any) bool { seen.Delete(k); return true })`
            for argument in call.arguments:
                function = self.module.resolve_value(argument)
                if function is not None and any(
                    inner.method in self._known("removes")
                    and any(s.holds(storage) for s in self.containers(frame, inner.receiver))
                    for _, inner in function.cfg.calls
                ):
                    return True
        if call.method in self._known("defers") or (
            call.arguments and isinstance(call.arguments[0], t.Constant)
        ):
            return False
        return any(
            isinstance(argument, t.Closure)
            and not argument.function.is_inlined
            and not frame.runs(argument.function)
            and frame.level < DEPTH
            and any(
                self._resets(Frame(argument.function, frame), s, storage, mark, divergence)
                for s in argument.function.cfg.steps
                if s.kind in ("call", "assign", "delete")
            )
            for argument in call.arguments
        )

    def _is_fresh(self, frame: Frame, value: t.Term, storage: Storage, divergence: Divergence | None) -> bool:
        """Whether a value is a container made now (and not one that was fetched to be put back)."""
        known = self.module.value_of(value)
        if isinstance(known, t.Call) and not (known.constructs or known.total or _is_made(known)):
            return False
        return known is not value or not isinstance(value, t.Ref)

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
        callee = self.module.resolve(call)
        if callee is None or call.constructs or frame.runs(callee) or frame.level >= DEPTH:
            return False
        inner = frame.into(callee, call)
        cfg = callee.cfg
        kept: dict[Step, bool] = {}

        def resets(step: Step) -> bool:
            if step not in kept:
                kept[step] = self._resets(inner, step, storage, mark, divergence)
            return kept[step]

        if cfg.incomplete or not any(resets(s) for s in cfg.steps if s.kind != "test"):
            return False
        yields = {s for s in cfg.steps if _yields(s)} if callee.is_generator else set()
        ends = {cfg.exit}
        if callee.is_async and not isinstance(call.parent, t.Suspend):
            # Nobody waits for it: only what it does before it first gives way is done when the call returns.
            if isinstance(call.parent, t.Call) and call.parent.method in self._known("defers"):
                return False
            ends |= {s for s in cfg.steps if s.suspends}
        given: list[tuple[Key, bool]] = []
        known = dict(divergence.given) if divergence is not None else {}
        for step in cfg.of_kind("test"):
            if step.term is None:
                continue
            here, there = atom(step.term), atom(inner.lifted(step.term))
            if here is not None and there is not None and there[0] in known:
                given.append((here[0], (known[there[0]] == there[1]) == here[1]))
        if not yields:
            return at_entry and cfg.path(cfg.entry, ends, avoiding=resets, given=given) is None
        if at_entry:
            return cfg.path(cfg.entry, yields, avoiding=resets, given=given) is None
        return all(cfg.path(y, {cfg.exit}, avoiding=resets, given=given) is None for y in yields)

    def _asks_for_emptiness(self, frame: Frame, term: t.Term | None, storage: Storage) -> bool:
        """`len(seen) > 0`, `len(seen) == 0`: an empty tracker needs no reset, so neither way is looked at."""
        for side in (term.left, term.right) if isinstance(term, t.Binary) else (term,):
            other = None
            if isinstance(term, t.Binary):
                other = term.right if side is term.left else term.left
            if (
                isinstance(side, t.Call)
                and side.method in self._known("sizes_of")
                and (other is None or _number(other) == 0)
                and any(s.place == storage.place for s in self.containers(frame, side.argument(0)))
            ):
                return True
        return False


def _rounds(cfg: Cfg, start: Step) -> set[Step]:
    """The steps that only the next round of a loop around `start` comes to again before `start` itself."""
    if not cfg.reaches(start, start):
        return set()
    around = [s for s in cfg.steps if s is not start and cfg.reaches(s, start) and cfg.reaches(start, s)]
    return {start, *(s for s in around if cfg.dominates(s, start))}


def _filled(storage: Storage) -> list[tuple[Key, bool]]:
    """What holds of a tracker that is not empty."""
    place = storage.place
    facts: list[tuple[Key, bool]] = [(("set", place), True)]
    zero: Key = ("constant", "number", 0)
    for name in ("size", "length"):
        size: Key = ("place", place.field(name))
        facts.append((("set", place.field(name)), True))
        facts.append((("<", zero, size), True))
        first, second = sorted((zero, size), key=repr)
        facts.append((("==", first, second), False))
    return facts


def _ahead(step: Step, label: str, avoiding: set[Step] | None = None) -> set[Step]:
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


def _overlap(first: tuple[Storage, ...], second: list[Storage]) -> bool:
    return any(a.place == b.place for a in first for b in second)


def _joined(value: t.Term) -> list[t.Term]:
    """What an assignment adds to the old content that its value repeats."""
    match value:
        case t.Binary(op="|" | "+"):
            return [value.right]
        case t.Sequence():
            return [e.value if isinstance(e, t.Spread) else e for e in value.elements[1:]]
        case t.Call():
            inner = [a for a in value.arguments if isinstance(a, t.Sequence)]
            if value.constructs and inner:
                return _joined(inner[0])
            if value.method == "append":
                return list(value.arguments[1:])
            return list(value.arguments)
        case _:
            return []


def _yields(step: Step) -> bool:
    return step.kind == "suspend" and isinstance(step.term, t.Suspend) and step.term.op == "yield"


def _declares(step: Step) -> bool:
    return step.store is not None and step.store.declares


def _is_made(call: t.Call) -> bool:
    """Go's `make` and `new`, Python's container types."""
    return isinstance(call.callee, t.Ref) and (
        call.callee.place.root.kind == "global"
        and not call.callee.place.path
        and call.callee.place.name in ("make", "new", "set", "dict", "list")
    )


def _number(term: t.Term | None) -> float | None:
    if isinstance(term, t.Constant) and term.kind == "number" and isinstance(term.value, (int, float)):
        return term.value
    return None


def _is_index(selector: t.Term | None) -> bool:
    return isinstance(selector, t.Constant) and selector.kind == "number"
