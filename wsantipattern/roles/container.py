"""Containers: which sets, maps and lists a term stands for, through variables, helpers and keys.

A container is named by its place in the function that is looked at; terms of called functions are followed into it.
Decided by bindings and by the methods that `knowledge` lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import returns
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.instance import Instances
from wsantipattern.roles.origin import Frame

DEPTH = 3
"""Functions of the file that a container is followed through."""


@record(frozen=True, slots=True)
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


class Containers:
    """The containers of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge
        self._put_back: dict[Function, set[Place]] = {}
        self.instances = Instances(module, knowledge)
        self._asked: set[tuple[Frame, int]] = set()
        self._frames: dict[tuple[Frame | None, Function, t.Call | None], Frame] = {}
        self._known: dict[tuple[Frame, int, int], tuple[t.Term | None, list[Storage]]] = {}

    def known(self, what: str) -> frozenset[str]:
        """The names of `[dedup]` under a key."""
        return self.knowledge.names("dedup", what)

    def run(self, frame: Frame, call: t.Call) -> Function | None:
        """The function of the file that a call runs, also on an object that another object, map or list holds."""
        callee = self.module.resolve(call)
        if callee is not None or call.receiver is None or call.method not in self._methods:
            return callee
        asked = (frame, id(call))
        if asked in self._asked:
            return None  # `e = e.next()` stands for itself.
        self._asked.add(asked)
        try:
            for storage in self.of(frame, call.receiver):
                owner = self.instances.at(storage.place)
                method = self.module.method_of(owner, call.method) if owner is not None else None
                if method is not None:
                    return method
        finally:
            self._asked.discard(asked)
        return None

    @cached_property
    def _methods(self) -> set[str]:
        return {name for owner in self.module.classes for name in owner.methods}

    def written_for(self, place: Place, operation: str) -> Function | None:
        """What the class of what is at a place has for an operation of the language: `in`, `del`."""
        owner = self.module.class_of(place)
        names = self.known(operation) if owner is not None else ()
        methods = (self.module.method_of(owner, name) for name in names if owner is not None)
        return next((method for method in methods if method is not None), None)

    def of(self, frame: Frame, term: t.Term | None, depth: int = 6) -> list[Storage]:
        """The containers that a term may stand for, in the outermost frame's terms."""
        marker = (frame, id(term), depth)
        if marker not in self._known:
            self.module.spend(1)
            self._known[marker] = (term, list(dict.fromkeys(self._containers(frame, term, depth))))
        return self._known[marker][1]

    def first(self, function: Function) -> Frame:
        """The frame of a function that is looked at for itself; the same one whenever it is asked for."""
        return self._frame((None, function, None), lambda: Frame(function))

    def into(self, frame: Frame, callee: Function, call: t.Call) -> Frame:
        """The frame of a function of the file that a call runs; the same one for the same call in the same frame."""
        return self._frame((frame, callee, call), lambda: frame.into(callee, call))

    def _frame(
        self, marker: tuple[Frame | None, Function, t.Call | None], make: Callable[[], Frame]
    ) -> Frame:
        if marker not in self._frames:
            self._frames[marker] = make()
        return self._frames[marker]

    def _containers(self, frame: Frame, term: t.Term | None, depth: int) -> Iterator[Storage]:
        if term is None or depth <= 0:
            return
        # Inner terms are asked for as a whole: pdf.js has a variable with some fifty assignments that read it.
        match term:
            case t.Ref():
                yield from self._read(frame, term, depth)
            case t.Field():
                for inner in self.of(frame, term.subject, depth):
                    yield inner.field(term.name)
            case t.Element(subject=t.Sequence(elements=elements)):
                # `for table in (self._ids, self._heads): table.clear()`: each of them, one after the other.
                for element in elements:
                    yield from self.of(frame, element, depth - 1)
            case t.Element() if not isinstance(term.key, t.Several):
                for inner in self.of(frame, term.subject, depth):
                    yield inner.element(frame.key(term.key))
            case t.Call():
                yield from self._given_by(frame, term, depth)
            case t.Result() if term.index == 0:
                yield from self.of(frame, term.call, depth)
            case t.Suspend():
                yield from self.of(frame, term.value, depth)
            case t.Logic():
                yield from self.of(frame, term.left, depth - 1)
                yield from self.of(frame, term.right, depth - 1)
            case t.Choice():
                yield from self.of(frame, term.then, depth - 1)
                yield from self.of(frame, term.otherwise, depth - 1)
            case t.Store():
                yield from self.of(frame, term.value, depth - 1)
            case t.Several() if len(term.operands) == 1:
                yield from self.of(frame, term.operands[0], depth - 1)
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
            for inner in self.of(frame.outer, frame.bound[root], depth - 1):
                yield extended(inner)
            return
        getter = self.module.getter_of(place)
        if getter is not None and getter.owner is not None and not frame.runs(getter) and frame.level < DEPTH:
            parent = place.parent
            assert parent is not None
            inner_frame = Frame(getter, frame, {getter.owner.this: t.Ref(ref.extent, parent)})
            for value, _ in returns(getter):
                yield from self.of(inner_frame, value, depth - 1)
            return
        yield extended(Storage(Place(root)))
        scope = root.scope
        if scope is None or scope.host is not frame.function.host:
            return
        # What a closure that runs in place is called with is assigned there.
        if root.kind == "local" or (root.kind == "parameter" and scope.is_inlined):
            for _, store in self.module.stores_to(Place(root)):
                if store.op is None:
                    for inner in self.of(frame, store.value, depth - 1):
                        yield extended(inner)
                    if not place.path and self._is_put_back(frame, root):
                        for copied in self.copied(store.value):
                            yield from self.of(frame, copied, depth - 1)

    def copied(self, value: t.Term) -> Iterator[t.Term]:
        """What a value is a copy of: `{ ...state.seen }`, `new Set(state.seen)`, `[...recent]`."""
        match value:
            case t.Record():
                for name, entry in value.entries:
                    if name is None and isinstance(entry, t.Spread):
                        yield entry.value
            case t.Sequence():
                yield from (element.value for element in value.elements if isinstance(element, t.Spread))
            case t.Choice():
                yield from self.copied(value.then)
                yield from self.copied(value.otherwise)
            case t.Call() if len(value.arguments) == 1 and (
                value.constructs or (self.module.canonical(value.callee) or "") in self.known("copies")
            ):
                yield value.arguments[0]
            case _:
                return

    def _is_put_back(self, frame: Frame, root: Binding) -> bool:
        """Whether a variable becomes part of the state that its function returns: the copy follows the original."""
        function = frame.function
        known = self._put_back.get(function)
        if known is None:
            known = self._put_back[function] = {
                entry.place
                for step in function.cfg.of_kind("return")
                if isinstance(step.statement, t.Return) and isinstance(step.statement.value, t.Record)
                for name, entry in step.statement.value.entries
                if name is not None and isinstance(entry, t.Ref)
            }
        return Place(root) in known

    def _given_by(self, frame: Frame, call: t.Call, depth: int) -> Iterator[Storage]:
        callee = self.run(frame, call)
        if callee is not None:
            if call.constructs or frame.runs(callee) or frame.level >= DEPTH:
                return
            inner = self.into(frame, callee, call)
            values = (
                [s.term.value for s in callee.cfg.steps if yields(s) and isinstance(s.term, t.Suspend)]
                if callee.is_generator
                else [value for value, _ in returns(callee)]
            )
            for value in values:
                for storage in self.of(inner, value, depth - 1):
                    if storage.place.root.scope is not callee or storage.place.root.kind != "local":
                        yield storage
        elif call.method in self.known("gets") and call.receiver is not None:
            for storage in self.of(frame, call.receiver, depth):
                yield storage.element(frame.key(call.argument(0)))


def yields(step: Step) -> bool:
    """Whether a step hands a value to whoever runs the generator."""
    return step.kind == "suspend" and isinstance(step.term, t.Suspend) and step.term.op == "yield"


def number(term: t.Term | None) -> float | None:
    """The value of a number literal."""
    if isinstance(term, t.Constant) and term.kind == "number" and isinstance(term.value, (int, float)):
        return term.value
    return None
