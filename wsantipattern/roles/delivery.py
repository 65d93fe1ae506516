"""Deliveries: whether a function hands on the thing whose position a slot takes.

A call that is given it, a field that keeps it, a channel that it is sent on, a value that is yielded or returned. The
position by itself, and what is only written to a log, is no delivery. Follows callers a few steps; knows no library.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.flow import bind, plain, substitute
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.order import Orders, Sources
from wsantipattern.roles.slot import Slots, terms_in
from wsantipattern.roles.words import any_of, split


class Deliveries:
    """What the functions of one module hand on."""

    def __init__(self, module: Module, knowledge: Knowledge, slots: Slots, orders: Orders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = slots
        self.orders = orders

    def hands_on(self, function: Function, place: Place, sources: Sources, depth: int) -> bool:
        """Whether a function hands on the thing whose position `sources` are: itself, another field of it, or
        something that comes along with the bare number."""
        for term in terms_in(function):
            payload = self._payload(function, term, place)
            if any(self._belongs(function, part, place, sources) for part in payload):
                return True
            if isinstance(term, t.Store) and any(self._is_kept_beside(part, place) for part in payload):
                return True
        for step in function.cfg.of_kind("return"):
            value = step.statement.value if isinstance(step.statement, t.Return) else None
            if isinstance(value, t.Ref) and any(
                source.path and source.starts_with(value.place) for source in sources
            ):
                return True
        if depth <= 0:
            return False
        for caller, step in callers(function):
            if step.call is None:
                continue
            mapping = bind(step.call, function)
            given = {
                source
                for inner in sources
                if inner.root in mapping
                for source in self.orders.sources(substitute(t.Ref(step.extent, inner), mapping))
            }
            if given and self.hands_on(caller, place, frozenset(given), depth - 1):
                return True
        return False

    def _payload(self, function: Function, term: t.Term, place: Place) -> list[t.Term]:
        """What a term gives to somebody else: arguments, stored and sent values."""
        if isinstance(term, t.Call):
            keeps = term.method in self.knowledge.names("watermark", "collects")
            if plain(term, self.module) is not term:
                return []  # A condition in a function of its own.
            if (
                (term.total and not keeps)
                or self.is_log(term)
                or term.method.lower() in self.knowledge.names("slot", "picks")
            ):
                return []
            found = self.slots.read(term)
            if found is not None and self.slots.same(found, place):
                return []
            return [*term.arguments, *(value for _, value in term.keywords)]
        if isinstance(term, t.Store):
            target = term.target
            if not isinstance(target, t.Ref) or not target.place.path or self.slots.same(target.place, place):
                return []
            return [term.value]
        if isinstance(term, t.Several):
            return term.operands[1:]
        if isinstance(term, t.Suspend) and term.op == "yield" and term.value is not None:
            return [term.value]
        if isinstance(term, t.Record) and any(isinstance(value, t.Spread) for _, value in term.entries):
            return [value for name, value in term.entries if name not in (None, place.name)]
        return []

    def is_log(self, call: t.Call) -> bool:
        callee = call.callee
        if not isinstance(callee, t.Ref):
            return False
        names = self.knowledge.names
        if (self.module.canonical(callee) or "") in names("owner", "writes_to"):
            # `fmt.Fprintf(w, "id: %d\n", ...)` writes a line to whom it is given.
            return (self.module.canonical(call.argument(0)) or "") in names("watermark", "consoles")
        words = [word for part in (callee.place.root.name, *callee.place.path) for word in split(part)]
        return any_of(words, self.knowledge.names("watermark", "logs"))

    def _belongs(self, function: Function, payload: t.Term, place: Place, sources: Sources) -> bool:
        for part in self.parts(payload):
            at = part.place
            if at in sources or self.slots.same(at, place):
                continue
            for source in sources:
                if source.path and at.root is source.root:
                    if at.root.kind != "this" or source.starts_with(at):
                        return True
                elif self._is_made_of(part, source) or (
                    not source.path
                    and at.root.kind in ("parameter", "local")
                    and source.root is not at.root
                    and at.root.scope is not None
                    and at.root.scope.host is function.host
                ):
                    return True
        return False

    def _is_made_of(self, part: t.Ref, source: Place) -> bool:
        """Whether a constant variable is made of the thing that `source` is a field of: `await decode(frame.body)`."""
        made = self.module.value_of(part) if part.place.is_local and source.path else None
        if made is None or made is part:
            return False
        return any(
            isinstance(inner, t.Ref) and inner.place.root is source.root and source.root.kind != "this"
            for inner in made.walk()
        )

    def _is_kept_beside(self, value: t.Term, place: Place) -> bool:
        """Whether a stored value is made of a collection that the watermark's owner keeps beside it."""
        owner = place.parent
        return owner is not None and any(
            isinstance(part, t.Call)
            and part.receiver_place is not None
            and part.receiver_place.starts_with(owner)
            and part.receiver_place != owner
            and not self.slots.same(part.receiver_place, place)
            and any(isinstance(argument, t.Closure) for argument in part.arguments)
            for part in value.walk()
        )

    def parts(self, payload: t.Term) -> Iterator[t.Ref]:
        for part in payload.walk():
            if isinstance(part, t.Ref):
                yield part
            elif isinstance(part, t.Closure):
                for inner in terms_in(part.function):
                    if isinstance(inner, t.Ref):
                        yield inner
