"""Origins: where a value comes from, across helpers: this side's lasting state, what the call was given, or a reply.

A `Frame` is a function as one call runs it; terms of a called function are followed into the terms of its caller.
Decided by bindings and assignments alone, never by names. Knows no library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from functools import cached_property
from typing import Literal

from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import bind, key, returns, substitute
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.instance import Instances

DEPTH = 9
"""Assignments and calls that one value is followed through."""

LOOPS = 4
"""Loops that one value is followed out of."""


@record(frozen=True, slots=True, eq=False)
class Frame:
    """A function and what its parameters and receiver stand for in the function that calls it (`outer`)."""

    function: Function
    outer: Frame | None = None
    bound: dict[Binding, t.Term] = field(default_factory=dict)

    def into(self, callee: Function, call: t.Call) -> Frame:
        """The frame of a function of the file that a call runs."""
        return Frame(callee, self, bind(call, callee))

    def each(self, callee: Function, elements: t.Element) -> Frame:
        """The frame of a function that is run for each element of a collection."""
        return Frame(callee, self, dict.fromkeys(callee.parameters[:1], elements))

    @property
    def first(self) -> Frame:
        """The outermost frame: the function that is looked at."""
        return self if self.outer is None else self.outer.first

    @property
    def level(self) -> int:
        """How many calls lie between the outermost frame and this one."""
        return 0 if self.outer is None else self.outer.level + 1

    def runs(self, function: Function) -> bool:
        """Whether the function is already running in this frame or in one around it."""
        return self.function is function or (self.outer is not None and self.outer.runs(function))

    def lifted(self, term: t.Term) -> t.Term:
        """The term in the outermost frame's terms, as far as parameters and receivers say so."""
        if self.outer is None:
            return term
        return self.outer.lifted(substitute(term, self.bound))

    def key(self, term: t.Term | None) -> object:
        """What two equal reads have in common, in the outermost frame's terms; None where they may differ."""
        return key(self.lifted(term)) if term is not None else None


Kind = Literal["state", "given", "reply", "library"]


@record(frozen=True, slots=True)
class Leaf:
    """One thing a value is made of.

    Attributes:
        kind: `state` outlives the call, `given` came with it, `reply` was waited for, `library` is imported.
        rank: how far out it lives: 0 for `this` and the module, else the nesting of the function that owns it.
        place: where it was read, in the terms of the frame it was found in; None for what a call gave.
        loops: the iterables (by identity) of which the value is an element, innermost first.
    """

    kind: Kind
    rank: float
    place: Place | None
    loops: tuple[int, ...] = ()

    @property
    def is_state(self) -> bool:
        return self.kind == "state"


class Origins:
    """The origins of values in one module."""

    def __init__(self, module: Module, instances: Instances) -> None:
        self.module = module
        self.instances = instances
        self._followed: set[tuple[Frame, Binding, tuple[int, ...]]] = set()
        self._survivors: dict[tuple[Function, Binding], bool] = {}
        self._awaited: dict[Function, set[int]] = {}
        self._collections: dict[Function, tuple[dict[Binding, set[Place]], set[int]]] = {}

    def of(
        self, frame: Frame, term: t.Term | None, loops: tuple[int, ...] = (), depth: int = DEPTH
    ) -> list[Leaf]:
        """What a term's value is made of; keys and conditions are not part of it."""
        self._followed = set()
        return list(dict.fromkeys(self._of(frame, term, loops, depth)))

    def _of(self, frame: Frame, term: t.Term | None, loops: tuple[int, ...], depth: int) -> Iterator[Leaf]:
        if term is None or depth <= 0:
            return
        match term:
            case t.Ref():
                yield from self._read(frame, term, loops, depth)
            case t.Element():
                inner = (*loops, id(term.subject)) if _is_each(term.key) else loops
                found = self._of(frame, term.subject, inner, depth)
                yield from self._received(frame, term, list(found), loops) if term.key is None else found
            case t.Field():
                yield from self._of(frame, term.subject, loops, depth)
            case t.Result():
                yield from self._result(frame, term, loops, depth)
            case t.Suspend():
                if term.op == "yield":
                    return
                yield Leaf("reply", nesting(frame.first.function), None, loops)
            case t.Call():
                yield from self._call(frame, term, loops, depth)
            case t.Choice():
                for side in (term.then, term.otherwise):
                    yield from self._of(frame, side, loops, depth - 1)
            case t.Several():
                if term.operands:
                    yield from self._of(frame, term.operands[-1], loops, depth - 1)
            case t.Store():
                yield from self._of(frame, term.value, loops, depth - 1)
            case t.Region():
                for value in _results(term.body):
                    yield from self._of(frame, value, loops, depth - 1)
            case t.Closure():
                return
            case _:
                for child in term.children():
                    yield from self._of(frame, child, loops, depth - 1)

    def _received(
        self, frame: Frame, element: t.Element, found: list[Leaf], loops: tuple[int, ...]
    ) -> list[Leaf]:
        """What is waited for in each round of a loop over something of this side is a reply: `async for e in read()`."""
        if any(leaf.kind in ("given", "reply") for leaf in found):
            return found
        function = frame.function.host
        if function not in self._awaited:
            self._awaited[function] = {
                id(step.statement.iterable)
                for step in function.cfg.of_kind("iterate")
                if isinstance(step.statement, t.ForEach) and step.statement.suspends
            }
        if id(element.subject) not in self._awaited[function]:
            return found
        return [Leaf("reply", nesting(frame.first.function), None, loops)]

    def _read(self, frame: Frame, ref: t.Ref, loops: tuple[int, ...], depth: int) -> Iterator[Leaf]:
        root = ref.place.root
        if ELEMENT in ref.place.path and _is_each(ref.key) and ref.key is not None:
            # `rows[i].no`: which row depends on a variable, so this is some row of the collection.
            loops = (*loops, id(root))
        if root in frame.bound and frame.outer is not None:
            stands_for = frame.bound[root]
            if isinstance(stands_for, t.Ref) and ref.place.path:
                inside = Place(stands_for.place.root, stands_for.place.path + ref.place.path)
                stands_for = t.Ref(ref.extent, inside, stands_for.key)
            yield from self._of(frame.outer, stands_for, loops, depth - 1)
            return
        getter = self._getter(ref.place)
        if getter is not None and getter.owner is not None and not frame.runs(getter):
            parent = ref.place.parent
            assert parent is not None
            inner = Frame(getter, frame, {getter.owner.this: t.Ref(ref.extent, parent)})
            for value, _ in returns(getter):
                yield from self._of(inner, value, loops, depth - 1)
            return
        if root.kind == "this":
            yield Leaf("state", 0, ref.place, loops)
        elif root.kind in ("import", "class", "function"):
            yield Leaf("library", 0, ref.place, loops)
        elif root.kind == "global" or root.scope is None:
            # In a fragment the names are all there is; elsewhere another file declares them.
            if frame.function.host.kind == "top" or self.module.offset_map is not None:
                yield Leaf("given", nesting(frame.first.function), ref.place, loops)
            else:
                yield Leaf("library", 0, ref.place, loops)
        elif root.scope.host is not frame.function.host:
            if not isinstance(root.initial, t.Constant) or not root.constant:
                kind: Kind = "state" if root.scope.kind == "top" or root.kind == "local" else "given"
                yield Leaf(kind, nesting(root.scope.host), ref.place, loops)
        elif root.kind == "parameter" and not root.scope.is_inlined:
            yield Leaf("given", nesting(frame.first.function), ref.place, loops)
        else:
            yield from self._local(frame, ref, loops, depth)

    def _getter(self, place: Place) -> Function | None:
        """The getter that reading a place runs, also of an object that comes out of a container of its kind."""
        known = self.module.getter_of(place)
        parent = place.parent
        if known is not None or parent is None or place.path[-1] not in self._getters:
            return known
        owner = self.instances.at(parent)
        lineage = self.module.lineage(owner) if owner is not None else ()
        return next((c.getters[place.path[-1]] for c in lineage if place.path[-1] in c.getters), None)

    @cached_property
    def _getters(self) -> set[str]:
        return {name for owner in self.module.classes for name in owner.getters}

    def _local(self, frame: Frame, ref: t.Ref, loops: tuple[int, ...], depth: int) -> Iterator[Leaf]:
        root = ref.place.root
        if (frame, root, loops) in self._followed or len(loops) > LOOPS:
            return
        self._followed.add((frame, root, loops))
        here = nesting(frame.first.function)
        if self.survives(frame.function.host, root):
            yield Leaf("state", here - 0.5, ref.place, loops)
            return
        found = False
        for _, store in self.module.stores_to(Place(root)):
            value = store.value
            made = value.call if isinstance(value, t.Result) else value
            if isinstance(made, t.Call) and self._is_answer(frame, made, store, ref):
                found = True
                yield Leaf("reply", here, ref.place, loops)
                continue
            if isinstance(value, t.Ref) and ref.place.path and store.op is None:
                # `room = self.rooms[name]`: what is read of `room` is read of that.
                value = t.Ref(
                    ref.extent, Place(value.place.root, value.place.path + ref.place.path), value.key
                )
            for leaf in self._of(frame, value, loops, depth - 1):
                found = True
                yield leaf
        if not found and (ref.place.path or not root.constant):
            # Filled through its address (`Unmarshal(raw, &frame)`), or by a pattern.
            yield Leaf("given", here, ref.place, loops)

    def _is_answer(self, frame: Frame, made: t.Call, store: t.Store, ref: t.Ref) -> bool:
        """Whether a call outside the file gave both what is read here and a collection that is looped over."""
        if made.constructs or self.module.resolve(made) is not None:
            return False
        function = frame.function.host
        parts, calls = self._looped(function)
        if isinstance(store.value, t.Result) and (id(made) in calls or self._is_ordered(function, made)):
            return True
        return any(place != ref.place for place in parts.get(ref.place.root, ()))

    def _is_ordered(self, function: Function, call: t.Call) -> bool:
        """Whether one of the results of a call is compared with something: a position that came with the others."""
        for step in function.cfg.steps:
            for part in step.term.walk() if step.term is not None and step.kind in ("test", "assign") else ():
                if isinstance(part, t.Binary) and part.op in ("<", "<=", ">", ">="):
                    for side in (part.left, part.right):
                        if isinstance(side, t.Ref) and side.place.root.kind == "local":
                            for _, store in self.module.stores_to(Place(side.place.root)):
                                if isinstance(store.value, t.Result) and store.value.call is call:
                                    return True
        return False

    def _looped(self, function: Function) -> tuple[dict[Binding, set[Place]], set[int]]:
        """What the collections come from that a function goes through, or hands to other functions of the file.

        The places they are read from, by variable (a variable that is looped over itself is none), and the calls, by
        identity, of which one of several results is looped over.
        """
        if function in self._collections:
            return self._collections[function]
        todo: list[t.Term] = []
        for step in function.cfg.steps:
            if step.kind == "iterate" and step.term is not None:
                todo.append(step.term)
            elif step.call is not None:
                if self.module.resolve(step.call) is not None:
                    todo.extend(step.call.arguments)
                if step.call.receiver is not None and any(
                    isinstance(a, t.Closure) for a in step.call.arguments
                ):
                    todo.append(step.call.receiver)
        parts: dict[Binding, set[Place]] = {}
        calls: set[int] = set()
        followed: set[Binding] = set()
        while todo:
            term = todo.pop()
            for part in term.walk():
                if not isinstance(part, t.Ref) or part.place.root.kind != "local":
                    continue
                root = part.place.root
                if part.place.path or part is not term:
                    parts.setdefault(root, set()).add(part.place)
                if root not in followed:
                    followed.add(root)
                    for _, store in self.module.stores_to(Place(root)):
                        todo.append(store.value)
                        if isinstance(store.value, t.Result):
                            calls.add(id(store.value.call))
        self._collections[function] = (parts, calls)
        return parts, calls

    def _result(self, frame: Frame, result: t.Result, loops: tuple[int, ...], depth: int) -> Iterator[Leaf]:
        """One of several results: where the function of the file says which value it is, that alone."""
        call = result.call
        callee = self.module.resolve(call) if isinstance(call, t.Call) else None
        if isinstance(call, t.Call) and callee is not None and not frame.runs(callee) and frame.level < 3:
            inner = frame.into(callee, call)
            values = [value for value, _ in returns(callee)]
            several = [value.elements for value in values if isinstance(value, t.Sequence)]
            if several and len(several) == len(values) and all(len(v) > result.index for v in several):
                leaves = [
                    leaf
                    for elements in several
                    for leaf in self._of(inner, elements[result.index], loops, depth - 1)
                ]
                if leaves:
                    yield from leaves
                    return
        yield from self._of(frame, call, loops, depth)

    def _call(self, frame: Frame, call: t.Call, loops: tuple[int, ...], depth: int) -> Iterator[Leaf]:
        callee = self.module.resolve(call)
        if callee is not None and not call.constructs and not frame.runs(callee) and frame.level < 3:
            inner = frame.into(callee, call)
            values = [value for value, _ in returns(callee) if value is not None]
            if callee.is_generator:
                # What it is run for is what it hands out, one by one: the loop over it is none over a collection.
                values, loops = list(_yielded(callee)), loops[:-1]
            leaves = [leaf for value in values for leaf in self._of(inner, value, loops, depth - 1)]
            if leaves:
                yield from leaves
                return
        found = False
        receiver = call.receiver
        from_outside = isinstance(receiver, t.Ref) and receiver.place.root.kind in ("import", "global")
        if receiver is not None and not from_outside:
            for leaf in self._of(frame, receiver, loops, depth - 1):
                found = True
                yield leaf
        for argument in (*call.arguments, *(value for _, value in call.keywords)):
            for leaf in self._of(frame, argument, loops, depth - 1):
                found = True
                yield leaf
        outside = isinstance(call.callee, t.Ref) and call.callee.place.root.kind in ("import", "global")
        if not found and outside and not call.total:
            yield Leaf("library", 0, None, loops)

    def survives(self, function: Function, binding: Binding) -> bool:
        """Whether a variable of a function that waits in a loop keeps its value from one round to the next."""
        if binding.kind != "local" or binding.constant or binding.scope is None:
            return False
        known = self._survivors.get((function, binding))
        if known is None:
            known = self._survivors[(function, binding)] = self._survives(function, Place(binding))
        return known

    def _survives(self, function: Function, place: Place) -> bool:
        cfg = function.cfg
        stores = [s for s in cfg.steps if s.kind == "assign" and s.target == place]
        again = [s for s in stores if s.store is not None and not s.store.declares and cfg.reaches(s, s)]
        first = [s for s in stores if not cfg.reaches(s, s)]
        return bool(first) and any(waits_in_loop(function, s) for s in again)


def waits_in_loop(function: Function, step: Step) -> bool:
    """Whether a step lies in a loop that waits for something from outside in each round."""
    cfg = function.cfg
    return any(
        other.suspends and cfg.reaches(step, other) and cfg.reaches(other, step) for other in cfg.steps
    )


def nesting(function: Function) -> int:
    """How many functions a function is written in; 0 for the module's own code."""
    host = function.host
    return sum(1 for outer in (host, *host.ancestors) if outer.kind != "top" and not outer.is_inlined)


def _is_each(selector: t.Term | None) -> bool:
    """Whether a selector means some element: none (a loop's own), or one that is not written as a literal."""
    if selector is None:
        return True
    return not isinstance(selector, (t.Constant, t.Unary, t.Several))


def _yielded(generator: Function) -> Iterator[t.Term]:
    """What a generator hands to whoever runs it."""
    for step in generator.cfg.of_kind("suspend"):
        if isinstance(step.term, t.Suspend) and step.term.op == "yield" and step.term.value is not None:
            yield step.term.value


def _results(body: list[t.Statement]) -> Iterator[t.Term]:
    """The values that a region returns."""
    for statement in body:
        if isinstance(statement, t.Return):
            if statement.value is not None:
                yield statement.value
            continue
        for name in ("then", "otherwise", "body", "final"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list):
                yield from _results(inner)
        for arm in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _results(arm.body)
