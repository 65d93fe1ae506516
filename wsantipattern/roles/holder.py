"""Holders: where a value is kept, seen through aliases, lookups, defaults and conversions.

`told`, `stories.get(name, "")` and `stories[name] or ""` are all elements of `stories`; `newest.body` is a field of an
element of `view.column` where `newest` was taken from there. A holder is compared by value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.module import Class, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.invocation import Invocations

DEPTH = 8

_VALUES = frozenset({"value", "current"})
"""Fields of refs and signals that are their value."""


@record(frozen=True, slots=True)
class Found:
    """What an unknown call gives: the same one for the same callee and the same arguments.

    Attributes:
        by: the callee and the arguments as the model tells them apart; a call that it cannot tell apart is its own.
        text: the call as written, for messages.
    """

    by: tuple[object, ...]
    text: str = field(compare=False)


@record(frozen=True, slots=True)
class Holder:
    """A binding, or what an unknown call gives, and a path of fields and elements."""

    root: Binding | Found
    path: tuple[str, ...] = ()

    def field(self, name: str) -> Holder:
        return Holder(self.root, (*self.path, name))

    @property
    def name(self) -> str:
        """The last written word of the path, or of the root."""
        for part in reversed(self.path):
            if part != ELEMENT and part not in _VALUES:
                return part
        return self.root.text if isinstance(self.root, Found) else self.root.name

    @property
    def parent(self) -> Holder | None:
        return Holder(self.root, self.path[:-1]) if self.path else None

    def within(self, other: Holder) -> bool:
        """Whether it is `other` or lies in it."""
        return self.root == other.root and self.path[: len(other.path)] == other.path

    def near(self, other: Holder) -> bool:
        """Whether one lies in the other."""
        return self.within(other) or other.within(self)

    def __str__(self) -> str:
        text = self.root.text if isinstance(self.root, Found) else self.root.name
        for part in self.path:
            text += part if part == ELEMENT else f".{part}"
        return text


class Holders:
    """The holders of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, invocations: Invocations) -> None:
        self.module = module
        self.knowledge = knowledge
        self.invocations = invocations

    def of(self, term: t.Term | None, depth: int = DEPTH) -> Holder | None:
        """Where the value of a term is kept; None for what is made anew."""
        if term is None or depth <= 0:
            return None
        match term:
            case t.Ref():
                return self.at(term.place, depth)
            case t.Field():
                inner = self.of(term.subject, depth - 1)
                return inner.field(term.name) if inner is not None else None
            case t.Element():
                inner = self.of(term.subject, depth - 1)
                if inner is None or isinstance(term.key, t.Several):
                    # A piece between two bounds.
                    return inner
                return inner.field(ELEMENT)
            case t.Logic():
                return self.of(term.left, depth - 1) or self.of(term.right, depth - 1)
            case t.Choice():
                return self.of(term.then, depth - 1) or self.of(term.otherwise, depth - 1)
            case t.Suspend() | t.Spread():
                return self.of(term.value, depth - 1)
            case t.Store():
                return self.of(term.target, depth - 1)
            case t.Result():
                return self._result(term, depth - 1)
            case t.Call():
                return self._call(term, depth - 1)
            case t.Sequence():
                # `[...prev]`: a copy whose elements are those of the original.
                copied = [e.value for e in term.elements if isinstance(e, t.Spread)]
                return self.of(copied[0], depth - 1) if len(copied) == 1 else None
            case t.Record() if len(term.entries) == 1 and isinstance(term.entries[0][1], t.Spread):
                return self.of(term.entries[0][1], depth - 1)
        return None

    def at(self, place: Place, depth: int = DEPTH) -> Holder | None:
        """Where the value at a place is kept: followed through variables that only stand for something else."""
        root = place.root
        if root.kind == "local" and depth > 0:
            alias = self._alias(root, bool(place.path), depth - 1)
            if alias is not None:
                return Holder(alias.root, alias.path + place.path)
        return Holder(root, place.path)

    def alike(self, one: Holder, other: Holder) -> bool:
        """Whether two places can be the same field of objects that the file does not tell apart."""
        return alike(one, other) or self._is_own(one, other) or self._is_own(other, one)

    def _is_own(self, own: Holder, other: Holder) -> bool:
        """`this.last` of a class, and `pages[*].last` where the pages are of that class."""
        root, outer = own.root, other.root
        if not (isinstance(root, Binding) and root.kind == "this" and isinstance(outer, Binding)):
            return False
        if root.owner is None or len(own.path) != 1 or other.path[-1:] != own.path or outer is root:
            return False
        return self.invocations.instances.at(Place(outer, other.path[:-1])) is root.owner

    def outside(self, kept: Holder) -> Iterator[Holder]:
        """What a field of an object is for those who keep the object: `this.text` of a `Page` is `pages[*].text` elsewhere."""
        root = kept.root
        owner = root.owner if isinstance(root, Binding) and root.kind == "this" else None
        for home in self._homes(owner) if owner is not None and kept.path else ():
            where = self.at(home)
            if where is not None and where.root is not root:
                yield Holder(where.root, where.path + kept.path)

    def is_housed(self, owner: Class | None) -> bool:
        """Whether the file puts objects of a class into fields or containers."""
        return owner is not None and bool(self._homes(owner))

    def _homes(self, owner: Class) -> list[Place]:
        """The fields and containers that the file puts objects of a class into."""
        key = ("homes", owner)
        memo = self.module.memo
        if key not in memo:
            found: dict[Place, None] = {}
            instances = self.invocations.instances
            for function in self.module.functions_mentioning(owner.name) if owner.name else ():
                for step, store in function.cfg.assignments:
                    if step.target is not None and step.target.path and instances.of(store.value) is owner:
                        found[step.target] = None
                for _, call in function.cfg.calls:
                    container = call.receiver_place
                    puts = call.method in self.knowledge.names("invocation", "puts")
                    kept = call.arguments[-1] if call.arguments and container is not None else None
                    if container is not None and puts and instances.of(kept) is owner:
                        found[container.element] = None
            memo[key] = list(found)
        homes: list[Place] = memo[key]
        return homes

    def object_of(self, term: t.Term) -> Holder | None:
        """Where the object that a term stands for is kept, also where the variable was given another one at times."""
        if isinstance(term, t.Ref) and not term.place.path and term.place.root.kind == "local":
            alias = self._alias(term.place.root, True, DEPTH)
            if alias is not None:
                return alias
        return self.of(term)

    def _alias(self, binding: Binding, as_object: bool, depth: int) -> Holder | None:
        """What a variable stands for. One with several values stands for an object that one of them is looked up as."""
        if binding.constant:
            value = binding.initial
            if value is None and binding.scope is not None and binding.name:
                value = next((s.value for _, s in self.module.stores_to(Place(binding))), None)
            return self.of(value, depth) if value is not None else None
        if not as_object or not binding.name:
            return None
        for _, store in self.module.stores_to(Place(binding)):
            found = self.of(store.value, depth) if store.op is None else None
            if found is not None and found.root is not binding and not isinstance(found.root, Found):
                return found
        return None

    def _result(self, term: t.Result, depth: int) -> Holder | None:
        if isinstance(term.call, t.Ref):
            # `text, ok := texts[k]`
            return self.of(term.call, depth) if term.index == 0 else None
        if isinstance(term.call, t.Call) and term.index == 0:
            if term.call.method in self.knowledge.names("holder", "states"):
                return None
            return self._call(term.call, depth)
        return None

    def _call(self, call: t.Call, depth: int) -> Holder | None:
        if call.constructs:
            return None
        receiver = call.receiver
        method = call.method
        known = self.knowledge
        if method in known.names("holder", "makes"):
            return None
        target = self.invocations.guess(call)
        if target is not None:
            return self._returned(call, depth)
        if receiver is not None and not self._is_library(receiver):
            if method in known.names("holder", "elements"):
                inner = self.of(receiver, depth)
                return inner.field(_key(call)) if inner is not None else None
            if method in known.names("holder", "same"):
                return self.of(receiver, depth)
            if method in known.names("holder", "selects"):
                return None
        if method in known.names("holder", "conversions") and call.arguments:
            return self.of(call.arguments[0], depth)
        if receiver is None and isinstance(call.callee, t.Ref) and not call.arguments:
            if call.callee.place.root.kind == "global":
                return None  # `set()`, `list()`: a builtin makes something new.
            # `text()`: the getter of a signal.
            return Holder(call.callee.place.root, ())
        if method in known.names("holder", "finds") or not call.arguments:
            return Holder(self._found(call))
        return None

    def _found(self, call: t.Call) -> Found:
        """The identity of what a call finds: `document.getElementById("log")` is one thing wherever it is asked for."""
        asked = [_identity(part) for part in (call.callee, *call.arguments)]
        known = all(part is not None for part in asked)
        by: tuple[object, ...] = tuple(asked) if known else (call.extent,)
        return Found(by, self.module.snippet(call.extent))

    def _returned(self, call: t.Call, depth: int) -> Holder | None:
        """What a function of the file gives, where all it returns is kept in one place."""
        target = self.invocations.guess(call)
        if target is None or target.is_generator or depth <= 0:
            return None
        mapping = flow.bind(call, target)
        found: Holder | None = None
        for value, _ in flow.returns(target):
            if value is None:
                continue
            here = self.of(flow.substitute(value, mapping), depth - 1)
            if here is not None:
                found = here
        return found

    def _is_library(self, receiver: t.Term) -> bool:
        return isinstance(receiver, t.Ref) and receiver.place.root.kind == "import"


def alike(one: Holder, other: Holder) -> bool:
    """The same field of objects that the file does not tell apart: `turn.step` and `this.turns[*].step`."""
    if one.path[-1:] != other.path[-1:] or not one.path or one.path[-1] == ELEMENT:
        return False
    return one.root is other.root or any(
        isinstance(holder.root, Binding) and holder.root.kind == "parameter" for holder in (one, other)
    )


def _identity(term: t.Term) -> object:
    """What two terms for the same thing have in common; None where that cannot be told."""
    match term:
        case t.Call() if not term.constructs and not term.keywords:
            parts = [_identity(part) for part in (term.callee, *term.arguments)]
            return ("call", *parts) if all(part is not None for part in parts) else None
        case t.Field():
            inner = _identity(term.subject)
            return ("field", inner, term.name) if inner is not None else None
        case t.Template():
            parts = [_identity(part) for part in term.parts]
            return ("template", *parts) if all(part is not None for part in parts) else None
    return flow.key(term)


def _key(call: t.Call) -> str:
    """The selector of what a lookup gives: a field where it is asked for by a written name."""
    first = call.argument(0)
    if isinstance(first, t.Constant) and isinstance(first.value, str) and call.method != "at":
        return first.value
    return ELEMENT
