"""Marks: what a function adds to containers, itself, through functions of the file, or by the name of a function.

A mark names the step in the function that is looked at, the containers it may be added to, and what is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import key
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.record import record
from wsantipattern.roles.container import DEPTH, Containers, Storage
from wsantipattern.roles.order import Orders
from wsantipattern.roles.origin import Frame, Origins
from wsantipattern.roles.reset import Resets
from wsantipattern.roles.slot import Slots, is_fixed
from wsantipattern.roles.staleness import Divergence
from wsantipattern.roles.words import any_of, of_place, split


@record(frozen=True, slots=True, eq=False)
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
        is_handed: it is in a function that is handed to another file, which may run it later.
        is_position: the tracker is the highest number seen, which the number of a new item replaces.
        within: the mark as the function has it that the step calls, with the frame of that function.
    """

    step: Step
    extent: t.Extent
    storages: tuple[Storage, ...]
    values: tuple[tuple[Frame, t.Term], ...]
    bulk: bool = False
    via: Place | None = None
    said: Literal["", "named", "verb"] = ""
    is_handed: bool = False
    is_position: bool = False
    within: tuple[Frame, Mark] | None = None


class Marks:
    """The marks of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, origins: Origins, containers: Containers, resets: Resets
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.origins = origins
        self.containers = containers
        self.resets = resets
        self.slots = Slots(module, knowledge)
        self.orders = Orders(module, knowledge, self.slots)
        self._rising: dict[Function, set[Step]] = {}

    def made_in(self, frame: Frame, wanted: Callable[[Storage], bool] | None = None) -> list[Mark]:
        """What a function adds to containers (to wanted ones), itself or through functions of the file."""
        found: list[Mark] = []
        for step in frame.function.cfg.steps:
            position = self._raised(frame, step)
            if position is not None:
                found.append(position)
                continue
            direct = self.direct(frame, step)
            if direct is not None:
                kept = step.call.argument(1) if step.call is not None else None
                if step.store is not None and step.target is not None and step.target.path[-1:] == (ELEMENT,):
                    kept = step.store.value
                is_registry = _is_object(self.module.value_of(kept))
                if not is_registry and (wanted is None or any(wanted(s) for s in direct.storages)):
                    found.append(direct)
                continue
            call = step.call if step.kind == "call" else None
            if call is None:
                continue
            for callee, inner, is_closure in self._run_by(frame, call):
                for mark in self.made_in(inner, wanted):
                    storages = tuple(
                        s
                        for s in mark.storages
                        if (mark.said or mark.is_position or wanted is None or wanted(s))
                        and self.comes_dirty(inner, mark, s, None)
                    )
                    if storages:
                        extent = mark.extent if is_closure else call.extent
                        handed = is_closure and self._each(call) is None
                        found.append(
                            replace(
                                mark,
                                step=step,
                                extent=extent,
                                storages=storages,
                                is_handed=mark.is_handed or handed,
                                within=(inner, mark),
                            )
                        )
                del callee
            weak = self._marked_by_name(frame, step, call)
            if weak is not None:
                found.append(weak)
        return found

    def _run_by(self, frame: Frame, call: t.Call) -> Iterator[tuple[Function, Frame, bool]]:
        """The functions of the file that a call runs at once, each with its frame, and whether it is written there."""
        if frame.level >= DEPTH:
            return
        callee = self.containers.run(frame, call)
        if callee is not None:
            if not call.constructs and not frame.runs(callee):
                yield callee, self.containers.into(frame, callee, call), False
            return
        each = self._each(call)
        if each is not None:
            function, collection = each
            if not frame.runs(function):
                element = t.Element(collection.extent, collection)
                yield function, frame.each(function, element), function.kind == "lambda"
            return
        if call.method in self.containers.known("defers") - {"setState"}:
            return
        if call.arguments and isinstance(call.arguments[0], t.Constant):
            return  # A registration: `socket.on("page", ...)`.
        for argument in call.arguments:
            closure = argument.function if isinstance(argument, t.Closure) else None
            if closure is not None and not closure.is_inlined and not frame.runs(closure):
                yield closure, Frame(closure, frame), True

    def _each(self, call: t.Call) -> tuple[Function, t.Term] | None:
        """The function that a call runs for each element of a collection, and the collection."""
        arguments, receiver = call.arguments, call.receiver
        known = self.containers.known
        pair: tuple[t.Term, t.Term] | None = None
        if call.method in known("each") and receiver is not None and arguments:
            if not (isinstance(receiver, t.Ref) and receiver.place.root.kind == "import"):
                pair = (arguments[0], receiver)
            elif len(arguments) >= 2:
                pair = (arguments[1], arguments[0])  # lodash
        elif (self.module.canonical(call.callee) or "") in known("each_of") and len(arguments) == 2:
            pair = (arguments[0], arguments[1])
        function = self.module.resolve_value(pair[0]) if pair is not None else None
        if pair is None or function is None or function.is_inlined:
            return None
        return function, pair[1]

    def comes_dirty(self, inner: Frame, mark: Mark, storage: Storage, divergence: Divergence | None) -> bool:
        """Whether a called function marks on some way on which it has not emptied the container itself."""
        cfg = inner.function.cfg
        given = self.resets.known_within(inner, storage, divergence) if divergence is not None else []
        emptying: set[Step] = set()
        while True:
            way = cfg.path(cfg.entry, {mark.step}, avoiding=emptying, given=given)
            if way is None:
                return False
            # Only what lies on a way is looked at: most functions that mark empty nothing.
            found = {
                step
                for step in way.steps[1:]
                if self._is_reset_before(inner, step, mark, storage, divergence)
            }
            if not found:
                return True
            emptying |= found

    def _is_reset_before(
        self, inner: Frame, step: Step, mark: Mark, storage: Storage, divergence: Divergence | None
    ) -> bool:
        if step is mark.step and mark.within is not None:
            return not self.comes_dirty(*mark.within, storage, divergence)
        return self.resets.at(inner, step, storage, mark, divergence)

    def direct(self, frame: Frame, step: Step) -> Mark | None:
        """What a step by itself adds to a container."""
        call = step.call if step.kind == "call" else None
        if call is not None:
            receiver = call.receiver
            each = self._each_method(call)
            if each is not None:
                added = [t.Element(each[1].extent, each[1])]
                return self._mark(frame, step, self.containers.of(frame, each[0]), list(added))
            if receiver is None or not call.arguments or self.containers.run(frame, call) is not None:
                return None
            if call.method in self.containers.known("adds_all"):
                storages = self.containers.of(frame, receiver)
                return self._mark(frame, step, storages, call.arguments[:1], bulk=True)
            if call.method in self.containers.known("adds"):
                values = [a.value if isinstance(a, t.Spread) else a for a in call.arguments[:1]]
                spread = any(isinstance(a, t.Spread) for a in call.arguments[:1])
                return self._mark(frame, step, self.containers.of(frame, receiver), values, bulk=spread)
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
            storages = self.containers.of(frame, t.Ref(target.extent, parent))
            return self._mark(frame, step, storages, [target.key])
        if store.op in ("|", "+"):
            return self._mark(frame, step, self.containers.of(frame, target), [store.value], bulk=True)
        if store.op is None and self.resets.keeps(frame, store.value, Storage(step.target), None):
            joined, bulk = _joined(store.value)
            if joined:
                return self._mark(frame, step, self.containers.of(frame, target), joined, bulk)
        return None

    def _raised(self, frame: Frame, step: Step) -> Mark | None:
        """The highest number seen, in a function that takes one item: `if (n <= highest) return; highest = n`."""
        store, function = step.store, frame.function
        if frame.outer is None or store is None or step.target is None or store.op is not None:
            return None
        if not step.target.path or not isinstance(store.target, t.Ref) or not self.orders.may_order(function):
            return None
        if not self._rises(function, step):
            return None
        made = self._mark(frame, step, self.containers.of(frame, store.target), [store.value])
        return replace(made, is_position=True) if made is not None else None

    def _rises(self, function: Function, step: Step) -> bool:
        """Whether a step of a function gives a slot a value that was found above it."""
        known = self._rising.get(function)
        if known is None:
            known = self._rising[function] = {
                move.step
                for move in self.slots.moves_in(function)
                if move.value is not None
                and not is_fixed(move.value)
                and self.orders.is_compared(move, move.value, rising=True, by_callers=False)
            }
        return step in known

    def _each_method(self, call: t.Call) -> tuple[t.Term, t.Term] | None:
        """`ids.forEach(seen.add, seen)`, `map(seen.add, ids)`: the container, and the collection."""
        name = self.module.canonical(call.callee) or ""
        for argument, collection in (
            (call.argument(0), call.receiver if call.method in self.containers.known("each") else None),
            (call.argument(0), call.argument(1) if name in self.containers.known("each_of") else None),
        ):
            if collection is None or not isinstance(argument, t.Ref) or not argument.place.path:
                continue
            parent = argument.place.parent
            if argument.place.name in self.containers.known("adds") and parent is not None:
                return t.Ref(argument.extent, parent), collection
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
        if call.total or not isinstance(call.callee, t.Ref) or self.containers.run(frame, call) is not None:
            return None
        words = split(call.method)
        if not any_of(words, self.knowledge.names("words", "marking")):
            return None
        if any_of(of_place(call.callee.place), self.knowledge.names("words", "logging")):
            return None
        values = [a for a in call.arguments if isinstance(a, t.Ref) and a.place.path]
        if not values:
            return None
        named = (
            any_of(of_place(call.callee.place), self.knowledge.names("words", "seen"))
            or self._marks_single_items(call)
            or self._is_judged(frame, call)
            or self._is_asked(frame, call)
        )
        # `remember(tank, feeding.no)`: under a name, one number. Enough where words said that the copy is stale.
        if not named and (len(call.arguments) < 2 or any(isinstance(a, t.Constant) for a in call.arguments)):
            return None
        return Mark(
            step,
            step.extent,
            self._named(frame, call.receiver, call.callee.place),
            tuple((frame, v) for v in values),
            said="named" if named else "verb",
        )

    def _named(self, frame: Frame, receiver: t.Term | None, callee: Place) -> tuple[Storage, ...]:
        """What a function of another file marks in, by its name: where its object lies, if a variable holds it."""
        if callee.path and callee.root.kind == "local":
            for storage in self.containers.of(frame, receiver):
                if storage.place.root is not callee.root:
                    return (storage.field(callee.name),)
        return (Storage(callee),)

    def _is_judged(self, frame: Frame, call: t.Call) -> bool:
        """Whether the answer decides what becomes of the item: `if (!window.admit(item.no)) continue`."""
        return any(
            step.kind == "test" and step.term is not None and call in step.term.walk()
            for step in frame.function.cfg.steps
        )

    def _is_asked(self, frame: Frame, call: t.Call) -> bool:
        """Whether the same object is asked for the same item: `if marks.seen(r.index) continue; marks.mark(r.index)`."""
        on, keys = call.receiver_place, {key(a) for a in call.arguments} - {None}
        seen, asks = self.knowledge.names("words", "seen"), self.containers.known("asks")
        return on is not None and any(
            other.receiver_place == on
            and (other.method in asks or any_of(split(other.method), seen))
            and any(key(a) in keys for a in other.arguments)
            for _, other in frame.function.cfg.calls
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


def _joined(value: t.Term) -> tuple[list[t.Term], bool]:
    """What an assignment adds to the old content that its value repeats, and whether it adds all elements of it."""
    match value:
        case t.Binary(op="|" | "+"):
            right = value.right
            return (right.elements, False) if isinstance(right, t.Sequence) else ([right], True)
        case t.Sequence():
            return _spread_out(value.elements[1:])
        case t.Call():
            inner = [a for a in value.arguments if isinstance(a, t.Sequence)]
            if value.constructs and inner:
                return _joined(inner[0])
            if value.method == "append":
                return _spread_out(value.arguments[1:])
            return list(value.arguments), True
        case t.Record():
            # `{ ...seen, [id]: true }`
            pairs = [entry for name, entry in value.entries if name is None and isinstance(entry, t.Several)]
            return [pair.operands[0] for pair in pairs if pair.operands], False
        case _:
            return [], False


def _spread_out(terms: list[t.Term]) -> tuple[list[t.Term], bool]:
    spread = any(isinstance(term, t.Spread) for term in terms)
    return [term.value if isinstance(term, t.Spread) else term for term in terms], spread


def _is_object(value: t.Term | None) -> bool:
    """Whether a value is an object made for its key: the container is a registry, and tells nothing apart."""
    if isinstance(value, t.Record):
        return bool(value.entries)
    return isinstance(value, t.Call) and value.constructs and not value.total
