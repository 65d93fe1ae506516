"""Instances: which class of the file a value is an object of, where no declaration says so.

Told by what is put into the container that the value comes out of, by what a function of the file returns, and by the
other side of a default. Where the file puts objects of two classes there, nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.module import Class, Module, is_null
from wsantipattern.model.place import ELEMENT, Place

DEPTH = 6
"""How many variables, functions and containers an object is followed back through."""


class Instances:
    """The objects of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge
        self._elements: dict[Place, Class | None] = {}

    def of(self, term: t.Term | None, depth: int = DEPTH) -> Class | None:
        """The class of the file that a value is an object of, or None."""
        if depth <= 0:
            return None
        match term:
            case t.Ref():
                return self._at(term.place, depth)
            case t.Record():
                return next((c for c in self.module.classes if c.name and c.name == term.type_name), None)
            case t.Result() if term.index == 0:
                return self.of(term.call, depth - 1)
            case t.Suspend() | t.Store():
                return self.of(term.value, depth - 1)
            case t.Logic():
                return self.of(term.left, depth - 1) or self.of(term.right, depth - 1)
            case t.Choice():
                return self.of(term.then, depth - 1) or self.of(term.otherwise, depth - 1)
            case t.Unary():
                return self.of(term.operand, depth - 1)
            case t.Call():
                return self._given(term, depth)
        return None

    def at(self, place: Place) -> Class | None:
        """The class of the file that the value of a place is an object of, or None."""
        return self._at(place, DEPTH)

    def _given(self, call: t.Call, depth: int) -> Class | None:
        callee = call.callee
        if isinstance(callee, t.Ref) and not callee.place.path and callee.place.root.class_ is not None:
            return callee.place.root.class_ if call.constructs else None
        target = self.module.resolve(call)
        if target is not None:
            answers = [] if target.is_generator else flow.returns(target)
            found = [self.of(value, depth - 1) for value, _ in answers if value is not None]
            return self._one(found)
        container = call.receiver_place
        if container is None or call.method not in self.knowledge.names("holder", "elements"):
            return None
        held = self._at(container.element, depth - 1)
        return held or next((c for a in call.arguments[1:] if (c := self.of(a, depth - 1))), None)

    def _at(self, place: Place, depth: int) -> Class | None:
        declared = self.module.class_of(place)
        if declared is not None:
            return declared
        root = place.root
        if place.path[-1:] == (ELEMENT,):
            if place not in self._elements:
                self._elements[place] = None
                self._elements[place] = self._one(list(self._put(place, depth)))
            return self._elements[place]
        if root.kind == "this" and len(place.path) == 1 and root.owner is not None:
            return self._handed(place, root.owner, depth)
        if place.path or root.kind != "local" or not root.name:
            return None
        stores = [store.value for _, store in self.module.stores_to(place) if store.op is None]
        return self._one([self.of(value, depth - 1) for value in stores])

    def _handed(self, field: Place, owner: Class, depth: int) -> Class | None:
        """The class of what a field has from whoever makes its object: `Mirror(url, CellStore(path))`."""
        if field not in self._elements:
            self._elements[field] = None
            found: list[Class | None] = []
            for maker, store in self.module.stores_to(field):
                value = store.value
                root = value.place.root if isinstance(value, t.Ref) and not value.place.path else None
                if root is None or root not in maker.parameters:
                    if not is_null(value):
                        found.append(self.of(value, depth - 1))
                    continue
                index = maker.parameters.index(root)
                for function in self.module.functions_mentioning(owner.name) if owner.name else ():
                    for _, call in function.cfg.calls:
                        callee = call.callee
                        made = callee.place if isinstance(callee, t.Ref) else None
                        if made is not None and not made.path and made.root.class_ is owner:
                            found.append(self.of(call.argument(index, root.name), depth - 1))
            # An object of which somebody else is told something else may be any.
            self._elements[field] = self._one(found) if found and None not in found else None
        return self._elements[field]

    def _put(self, element: Place, depth: int) -> Iterator[Class | None]:
        """The classes of what is put into a container."""
        for _, store in self.module.stores_to(element):
            yield self.of(store.value, depth - 1)
        container = element.parent
        if container is None or not container.name:
            return
        for function in self.module.functions_mentioning(container.name):
            for _, call in function.cfg.calls:
                puts = call.method in self.knowledge.names("invocation", "puts")
                if puts and call.arguments and call.receiver_place == container:
                    yield self.of(call.arguments[-1], depth - 1)
            for step, store in function.cfg.assignments:
                value = store.value
                if step.target == container:
                    yield from (self.of(made, depth - 1) for made in _filled_with(value))
                # `defaultdict(Page)`
                if step.target == container and isinstance(value, t.Call) and len(value.arguments) == 1:
                    made = value.arguments[0]
                    if isinstance(made, t.Ref) and not made.place.path:
                        yield made.place.root.class_ if made.place.root.kind == "class" else None

    def _one(self, found: list[Class | None]) -> Class | None:
        known = list(dict.fromkeys(c for c in found if c is not None))
        return known[0] if len(known) == 1 else None


def _filled_with(value: t.Term) -> list[t.Term]:
    """What a container is made with: the elements of a list, the entries of a record, what a comprehension gives."""
    if isinstance(value, t.Sequence):
        return [e for e in value.elements if not isinstance(e, t.Spread)]
    if isinstance(value, t.Record) and value.type_name is None:
        return [entry for name, entry in value.entries if name is not None]
    return value.operands[-1:] if isinstance(value, t.Several) else []
