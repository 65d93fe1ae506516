"""Slots: storage that a file sets and reads in many spellings, and every move of one.

A slot is a field, an element, or a variable. It is set by an assignment, a deletion, or a call that `knowledge` lists
(`W.Store(v)`, `atomic.StoreInt64(&W, v)`, `m.set(k, v)`, `d.pop(k)`, a state setter, a record that copies another one
but for an entry), and read likewise (`m.get(k) ?? 0`, `W.Load()`), through constant variables, getters and functions
of the file. Elements of one container are one slot: which key is meant is not followed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import bind, returns, substitute
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record

Keys = frozenset[Hashable]
"""Every name by which one slot is known; two places mean the same slot where they share one."""

DEPTH = 4
"""Definitions and functions that a read is followed through."""


@record(frozen=True, slots=True, eq=False)
class Move:
    """A step that gives a slot a value.

    Attributes:
        place: the slot, as this function names it.
        value: what it gets; None where it is deleted.
        extent: the assignment, or the call or entry that stands for one.
        setter: the name of the function that sets it, where that is another one.
        swaps: the value is set only where the slot still holds another one (compare-and-swap).
    """

    function: Function
    step: Step
    place: Place
    value: t.Term | None
    extent: t.Extent
    swaps: bool = False
    setter: str = ""

    @property
    def word(self) -> str:
        """The word of the text that names the slot here: its setter's, or its own."""
        return self.setter or self.place.name


class Slots:
    """The slots of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge
        self._moves: dict[Function, list[Move]] = {}
        self._setters: dict[Binding, Place | None] = {}
        self._keys: dict[Place, Keys] = {}
        self._stores = {
            (entry["method"], entry["arguments"]): entry for entry in knowledge.entries("slot", "store")
        }
        self._functions = {entry["call"]: entry for entry in knowledge.entries("slot", "store_function")}

    # -- identity --------------------------------------------------------------------------------

    def keys(self, place: Place) -> Keys:
        """The names of the slot at a place: the place itself, its class and field, or its bare path.

        The bare path is used where nothing tells what a parameter or variable holds: two functions of a file that
        take `state` and use `state.playedUpTo` mean the same.
        """
        found = self._keys.get(place)
        if found is None:
            found = self._keys[place] = frozenset(self._named(place))
        return found

    def _named(self, place: Place) -> Iterator[Hashable]:
        yield place
        inner = place
        suffix: tuple[str, ...] = ()
        while inner.path:
            suffix = (inner.path[-1], *suffix)
            parent = inner.parent
            assert parent is not None
            owner = self.module.class_of(parent)
            if owner is not None:
                yield (owner.name or owner, suffix)
                if ELEMENT not in suffix:
                    return
                break
            inner = parent
        if not place.path or place.name in self.knowledge.names("slot", "boxes") or place.path[-1] == ELEMENT:
            return
        value = place.root.initial if place.root.kind == "local" else None
        held = self.read(value) if value is not None else None
        if held is not None and held.root is not place.root:
            yield from self.keys(Place(held.root, held.path + place.path))
        if place.root.kind in ("parameter", "local") and not self._is_one_of_many(place):
            yield ("path", place.path)
        holder = place.root if held is None else held.root
        if holder.kind == "this" and (held is not None or place.path[-2:-1] == (ELEMENT,)):
            owner = self._only_owner(place.name, holder.owner)
            if owner is not None:
                yield (owner.name or owner, (place.name,))

    def _is_one_of_many(self, place: Place) -> bool:
        """Whether several variables of a scope begin as objects with such a field: `max = {x: 0}` and `size = {x: 0}`."""
        scope = place.root.scope
        if place.root.kind != "local" or scope is None:
            return False
        alike = {
            step.target.root
            for step, store in scope.host.cfg.assignments
            if step.target is not None
            and not step.target.path
            and isinstance(store.value, t.Record)
            and any(name == place.path[0] for name, _ in store.value.entries)
        }
        return place.root in alike and len(alike) > 1

    def same(self, one: Place, other: Place) -> bool:
        """Whether two places mean one slot."""
        return one == other or not self.keys(one).isdisjoint(self.keys(other))

    def _only_owner(self, name: str, keeper: Class | None) -> Class | None:
        """The class of the file that alone speaks of a field: an object that another class keeps is taken for one
        of it."""
        owners = {
            function.this.owner
            for function in self.module.functions_mentioning(name)
            if function.this is not None and function.this.owner is not None
        } - {keeper}
        return owners.pop() if len(owners) == 1 else None

    # -- moves -----------------------------------------------------------------------------------

    def moves_in(self, function: Function) -> list[Move]:
        """Every move that the steps of a function make, in building order."""
        if function not in self._moves:
            found: dict[tuple[t.Extent, Place], Move] = {}
            for step in function.cfg.steps:
                for move in self._at(function, step):
                    found.setdefault((move.extent, move.place), move)
            self._moves[function] = list(found.values())
        return self._moves[function]

    def _at(self, function: Function, step: Step) -> Iterator[Move]:
        term = step.term
        if step.kind == "assign" and isinstance(term, t.Store):
            if step.target is not None and term.op is None:
                yield Move(function, step, step.target, term.value, term.extent)
            yield from self._copies(function, step, term.value)
            if step.target is not None and step.target.path and term.op is None:
                yield from self._rebuilt(function, step, step.target, term.value)
        elif step.kind == "delete" and step.target is not None and step.target.path:
            yield Move(function, step, step.target, None, step.extent)
        elif step.kind == "call" and isinstance(term, t.Call):
            yield from self._by_call(function, step, term)
            for argument in term.arguments:
                yield from self._copies(function, step, argument)
        elif step.kind == "return" and isinstance(step.statement, t.Return):
            yield from self._copies(function, step, step.statement.value)

    def _copies(self, function: Function, step: Step, value: t.Term | None) -> Iterator[Move]:
        """`{...state, last: 0}`: the copy is what follows the original, with one entry moved."""
        if not isinstance(value, t.Record):
            return
        original: Place | None = None
        for name, entry in value.entries:
            if isinstance(entry, t.Spread) and isinstance(entry.value, t.Ref):
                original = entry.value.place
            elif name is not None and original is not None:
                yield Move(function, step, original.field(name), entry, entry.extent)

    def _rebuilt(self, function: Function, step: Step, place: Place, value: t.Term) -> Iterator[Move]:
        """`P = {topic: P.topic, last: 0}`, `P = Position(topic=P.topic, last=0)`: a copy that is written out."""
        if isinstance(value, t.Record):
            entries = [(name, entry) for name, entry in value.entries if name is not None]
        elif isinstance(value, t.Call) and value.constructs:
            entries = list(value.keywords)
        else:
            return
        kept = {
            name for name, entry in entries if isinstance(entry, t.Ref) and entry.place == place.field(name)
        }
        if kept:
            for name, entry in entries:
                if name not in kept:
                    yield Move(function, step, place.field(name), entry, entry.extent)

    def _by_call(self, function: Function, step: Step, call: t.Call) -> Iterator[Move]:
        named = self._functions.get(self.module.typed_name(call.callee) or "")
        if named is not None:
            target, value = call.argument(0), call.argument(named["value"])
            if isinstance(target, t.Ref) and value is not None:
                yield Move(function, step, target.place, value, call.extent, bool(named.get("swaps")))
            return
        setter = self._set_by(call.callee)
        if setter is not None and len(call.arguments) == 1:
            value = self._updated(call.arguments[0], setter)
            yield Move(function, step, setter, value, call.extent, setter=call.method)
            return
        merged = list(self._merged(call)) or list(self._patched(call))
        if merged:
            for place, value in merged:
                yield Move(function, step, place, value, value.extent)
            return
        receiver = call.receiver_place
        if receiver is None or call.keywords or self.module.resolve(call) is not None:
            return
        entry = self._stores.get((call.method, len(call.arguments)))
        if entry is None:
            return
        place = receiver.element if entry.get("element") else receiver
        value = call.arguments[entry["value"]] if "value" in entry else None
        yield Move(function, step, place, value, call.extent, bool(entry.get("swaps")))

    def _merged(self, call: t.Call) -> Iterator[tuple[Place, t.Term]]:
        """`Object.assign(P, {last: 0})`, `P.update({"last": 0})`, `setattr(P, "last", 0)`, `replace(P, last=0)`."""
        name = self.module.canonical(call.callee) or ""
        first = call.argument(0)
        if name in self.knowledge.names("slot", "merges") and isinstance(first, t.Ref):
            for argument in call.arguments[1:]:
                if isinstance(argument, t.Record):
                    yield from _entries(first.place, argument)
            for word, value in call.keywords:
                yield first.place.field(word), value
        elif name in self.knowledge.names("slot", "attribute_stores") and len(call.arguments) == 3:
            word_, value = call.arguments[1:]
            if isinstance(first, t.Ref) and isinstance(word_, t.Constant) and isinstance(word_.value, str):
                yield first.place.field(word_.value), value
        elif call.method in self.knowledge.names("slot", "merge_methods") and call.receiver_place is not None:
            for argument in call.arguments:
                if isinstance(argument, t.Record):
                    yield from _entries(call.receiver_place, argument)
            for word, value in call.keywords:
                yield call.receiver_place.field(word), value

    def _patched(self, call: t.Call) -> Iterator[tuple[Place, t.Term]]:
        """`set({ last: 0 })`, `setState((s) => ({ last: max(s.last, x) }))`: a store's own setter, given new fields."""
        if (
            call.method not in self.knowledge.names("slot", "state_setters")
            or not isinstance(call.callee, t.Ref)
            or call.receiver is not None
            or len(call.arguments) != 1
        ):
            return
        given = call.arguments[0]
        if isinstance(given, t.Closure):
            results = [value for value, _ in returns(given.function)]
            given = results[0] if len(results) == 1 and results[0] is not None else given
        if isinstance(given, t.Record):
            yield from _entries(call.callee.place, given)

    def _set_by(self, callee: t.Term) -> Place | None:
        """The variable that a state setter sets: the other half of `const [x, setX] = useState(0)`."""
        if not isinstance(callee, t.Ref) or callee.place.path:
            return None
        root = callee.place.root
        if root not in self._setters:
            self._setters[root] = self._other_half(root)
        return self._setters[root]

    def _other_half(self, root: Binding) -> Place | None:
        made = root.initial
        if not (isinstance(made, t.Result) and made.index == 1 and isinstance(made.call, t.Call)):
            return None
        name = self.module.typed_name(made.call.callee) or ""
        if name.rpartition(".")[2] not in self.knowledge.names("slot", "state_pairs") or root.scope is None:
            return None
        for step, store in root.scope.host.cfg.assignments:
            value = store.value
            if isinstance(value, t.Result) and value.index == 0 and value.call is made.call:
                return step.target
        return None

    def _updated(self, value: t.Term, place: Place) -> t.Term:
        """What a setter's argument amounts to: an updater function stands for what it returns."""
        if isinstance(value, t.Closure) and value.function.parameters:
            results = [result for result, _ in returns(value.function) if result is not None]
            if len(results) == 1:
                return substitute(results[0], {value.function.parameters[0]: t.Ref(value.extent, place)})
        return value

    # -- reads -----------------------------------------------------------------------------------

    def read(self, term: t.Term | None, depth: int = DEPTH) -> Place | None:
        """The slot whose present value a term is, or None.

        Sees through a default (`?? 0`), a conversion (`Number(x)`), constant variables, getters, and functions of
        the file that return what a slot holds.
        """
        if term is None or depth <= 0:
            return None
        if isinstance(term, t.Ref):
            value = self.module.value_of(term)
            if value is not None and value is not term and not isinstance(value, t.Constant):
                inner = self.read(value, depth - 1)
                if inner is not None:
                    return inner
            getter = self.module.getter_of(term.place)
            if getter is not None and getter.owner is not None:
                parent = term.place.parent
                mapping = {getter.owner.this: t.Ref(term.extent, parent)} if parent is not None else {}
                return self._returned(getter, mapping, depth)
            return term.place
        if isinstance(term, t.Logic) and term.op in ("??", "or"):
            return self.read(term.left, depth - 1) if self._is_fixed(term.right) else None
        if isinstance(term, t.Choice):
            sides = [side for side in (term.then, term.otherwise) if not self._is_fixed(side)]
            return self.read(sides[0], depth - 1) if len(sides) == 1 else None
        if isinstance(term, t.Result) and term.index == 0:
            return self.read(term.call, depth - 1)
        if isinstance(term, t.Suspend) and term.op == "await" and isinstance(term.value, t.Call):
            return self._read_by(term.value, depth)
        if isinstance(term, t.Call):
            return self._read_by(term, depth)
        if isinstance(term, t.Field) and isinstance(term.subject, t.Call):
            return self._of_state(term.subject, term.name)
        return None

    def _is_fixed(self, term: t.Term) -> bool:
        return is_fixed(term) or is_fixed(self.module.value_of(term))

    def _of_state(self, call: t.Call, name: str) -> Place | None:
        """`get().last`, `store.getState().last`: a field of the state that a store's setter sets."""
        if call.arguments or call.keywords or not isinstance(call.callee, t.Ref):
            return None
        if (
            call.method not in self.knowledge.names("slot", "state_getters")
            or self.module.resolve(call) is not None
        ):
            return None
        owner = call.callee.place if call.receiver is None else call.receiver_place
        return owner.field(name) if owner is not None else None

    def _read_by(self, call: t.Call, depth: int) -> Place | None:
        name = self.module.typed_name(call.callee) or ""
        first = call.argument(0)
        if name in self.knowledge.names("slot", "load_functions"):
            return self.read(first, depth - 1)
        function = self.module.resolve(call)
        if function is not None:
            mapping: dict[Binding, t.Term] = bind(call, function)
            return self._returned(function, mapping, depth)
        receiver = call.receiver_place
        if receiver is not None:
            if not call.arguments and call.method in self.knowledge.names("slot", "loads"):
                return receiver
            if 1 <= len(call.arguments) <= 2 and call.method in self.knowledge.names("slot", "element_loads"):
                return receiver.element
        if len(call.arguments) == 1 and is_conversion(call, self.module, self.knowledge):
            return self.read(first, depth - 1)
        return None

    def _returned(self, function: Function, mapping: Mapping[Binding, t.Term], depth: int) -> Place | None:
        results = [value for value, _ in returns(function)]
        if not results or function.is_generator:
            return None
        places = {self.read(substitute(v, mapping), depth - 1) if v is not None else None for v in results}
        return places.pop() if len(places) == 1 else None

    def speaks_of(self, term: t.Term | None, place: Place) -> bool:
        """Whether a condition or value mentions the slot's value, or something computed from it."""
        return term is not None and any(
            isinstance(part, (t.Ref, t.Call)) and self.is_derived(part, place) for part in term.walk()
        )

    def is_derived(
        self, term: t.Term | None, place: Place, depth: int = DEPTH, *, merged: bool = True
    ) -> bool:
        """Whether a value is computed from the slot's own: `W + 1`, `Math.min(end, W + 100)`; not what a call asked
        with it answers. With `merged`, what an unknown function makes of it and of others counts as well."""
        if term is None or depth <= 0:
            return False
        found = self.read(term)
        if found is not None and self.same(found, place):
            return True
        if isinstance(term, t.Ref):
            value = self.module.value_of(term)
            return (
                value is not None
                and value is not term
                and self.is_derived(value, place, depth - 1, merged=merged)
            )
        if isinstance(term, (t.Binary, t.Unary, t.Logic, t.Choice)):
            return any(self.is_derived(child, place, depth, merged=merged) for child in term.children())
        if isinstance(term, t.Call) and (
            call_word(term) in self.knowledge.names("slot", "picks")
            or is_conversion(term, self.module, self.knowledge)
        ):
            return any(self.is_derived(a, place, depth - 1, merged=merged) for a in term.arguments)
        if (
            merged
            and isinstance(term, t.Call)
            and len(term.arguments) > 1
            and self.module.resolve(term) is None
        ):
            # `laterOf(W, x)`, `xs.reduce(later, W)`: what is made of the slot's value and others.
            return any(self._is_read(argument, place) for argument in term.arguments)
        return False

    def _is_read(self, term: t.Term, place: Place) -> bool:
        found = self.read(term)
        return found is not None and self.same(found, place)


def _entries(place: Place, record: t.Record) -> Iterator[tuple[Place, t.Term]]:
    for name, value in record.entries:
        if name is not None:
            yield place.field(name), value


def call_word(call: t.Call) -> str:
    """The last word of what is called, lower case."""
    return call.method.lower()


def is_conversion(call: t.Call, module: Module, knowledge: Knowledge) -> bool:
    """Whether a call gives its argument in another type: `Number(x)`, `int(x)`, `BigInt(x)`."""
    return (module.canonical(call.callee) or "") in knowledge.names("slot", "conversions")


def is_fixed(term: t.Term | None) -> bool:
    """Whether a value is written out: a literal, an empty or constant container, a signed literal."""
    if isinstance(term, t.Constant):
        return True
    if isinstance(term, t.Unary):
        return is_fixed(term.operand)
    if isinstance(term, (t.Sequence, t.Record)):
        return all(is_fixed(child) for child in term.children())
    return False


def terms_in(function: Function) -> list[t.Term]:
    """Every term that the text of a function holds, inlined closures included, other closures not."""
    memo = function.module.memo
    marker = ("terms_in", function)
    found: list[t.Term] | None = memo.get(marker)
    if found is None:
        found = memo[marker] = list(_terms(function.body))
        for inner in function.descendants:
            if inner.is_called_once and inner.host is function:
                found.extend(_terms(inner.body))
    return found


def terms_of(term: t.Term) -> Iterator[t.Term]:
    """Every term that a term holds, statements run in place included, closures not."""
    return _terms(term)


def _terms(node: Any) -> Iterator[t.Term]:
    if isinstance(node, t.Term):
        for part in node.walk():
            yield part
            if isinstance(part, t.Region):
                yield from _terms(part.body)
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _terms(item)
    elif isinstance(node, (t.Statement, t.Case, t.Handler)):
        for field in fields(node):
            yield from _terms(getattr(node, field.name))
