"""Asked: conditions that say that the position a peer asks for is not there.

`!ring.covers(from)`, `after > len(log)`, `items.findIndex(i => i.id === since) < 0`: what was asked for lies before what
is kept, or beyond it. The position is a parameter, a field of one, or of a message; words tell it from other keys.
Does not tell whether the peer was given anything before.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.roles.order import Orders
from wsantipattern.roles.slot import is_fixed, terms_in
from wsantipattern.roles.words import any_of, split


class Asked:
    """The positions that are asked for in the functions of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, orders: Orders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.orders = orders

    def is_gone(self, function: Function, term: t.Term, holds: bool) -> bool:
        """Whether a condition and its truth say that what is asked for is not there."""
        told = self.module.value_of(term) or term
        if isinstance(told, t.Suspend) and told.op == "await" and told.value is not None:
            told = told.value
        if isinstance(told, t.Call):
            return not holds and self._holds(function, told)
        if not isinstance(told, t.Binary):
            return False
        if told.op == "in":
            return not holds and self._is_asked(function, told.left)
        return self._is_beyond(function, told, holds) or self._is_not_found(function, told, holds)

    def _holds(self, function: Function, call: t.Call) -> bool:
        """`ring.covers(from)`, `items.some(i => i.id === from)`"""
        words = split(call.method)[:1]
        if any_of(words, self.knowledge.names("watermark", "holdings")):
            return any(self._is_asked(function, argument) for argument in call.arguments)
        if call.method in self.knowledge.names("watermark", "searches"):
            return any(self._looks_for(function, argument) for argument in call.arguments)
        return False

    def _is_beyond(self, function: Function, term: t.Binary, holds: bool) -> bool:
        """`after > items.length`: strictly, for at the end is the ordinary way."""
        op = term.op if holds else {"<=": ">", ">=": "<"}.get(term.op, "")
        sides = {">": (term.left, term.right), "<": (term.right, term.left)}.get(op)
        return sides is not None and self._is_asked(function, sides[0]) and self._is_size(sides[1])

    def _is_size(self, term: t.Term) -> bool:
        value = self.module.value_of(term) or term
        if isinstance(value, t.Suspend) and value.value is not None:
            value = value.value
        name = value.method if isinstance(value, t.Call) else ""
        if isinstance(value, t.Ref):
            name = value.place.name
        elif isinstance(value, t.Field):
            name = value.name
        return any_of(split(name), self.knowledge.names("watermark", "sizes"))

    def _is_not_found(self, function: Function, term: t.Binary, holds: bool) -> bool:
        """`items.indexOf(since) < 0`, `findIndex(...) === -1`"""
        if not is_fixed(self.module.value_of(term.right)) or holds != (term.op in ("<", "==")):
            return False
        value = self.module.value_of(term.left)
        return (
            isinstance(value, t.Call)
            and value.method in self.knowledge.names("watermark", "searches")
            and any(self._looks_for(function, argument) for argument in value.arguments)
        )

    def _looks_for(self, function: Function, argument: t.Term) -> bool:
        if not isinstance(argument, t.Closure):
            return self._is_asked(function, argument)
        return any(
            isinstance(part, t.Ref)
            and part.place.root not in argument.function.parameters
            and self._is_asked(function, part)
            for part in terms_in(argument.function)
        )

    def _is_asked(self, function: Function, term: t.Term) -> bool:
        """Whether a value is a position that a parameter or a message brings."""
        words = self.knowledge.names("watermark", "asked")
        return any(
            any_of(split(place.name), words) and self._is_brought(function, place)
            for place in self.orders.sources(term)
        )

    def _is_brought(self, function: Function, place: Place) -> bool:
        root = place.root
        if root.kind == "parameter":
            return root.scope is not None and root.scope.host.encloses(function)
        return place.root.kind == "local" and bool(place.path)
