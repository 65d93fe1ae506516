"""Assignments and destructuring patterns of JavaScript, lowered to stores.

A pattern over a place becomes one store a name; over a call, its results; over anything else, stores from an unnamed
variable that keeps the value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_file import File
from wsantipattern.languages.javascript_scope import Scope, Variable
from wsantipattern.languages.javascript_syntax import (
    PATTERN_DEPTH,
    extent_of,
    first_named,
    key_name,
    unwrap,
    word,
)
from wsantipattern.model.module import Function
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.term import (
    Call,
    Constant,
    Element,
    Extent,
    Field,
    Logic,
    Record,
    Ref,
    Result,
    Sequence,
    Spread,
    Store,
    Suspend,
    Term,
)

if TYPE_CHECKING:
    from tree_sitter import Node

DEPTH = 100
"""How deep expressions and statements may nest before the rest is left out."""


class Patterns(ABC):
    """Lowers what is assigned, scope by scope."""

    def __init__(self, file: File, function: Function, scope: Scope) -> None:
        self.file = file
        self.function = function
        self.scope = scope

    @abstractmethod
    def lower(self, node: Node) -> Term:
        """The term of an expression."""

    @abstractmethod
    def field(self, node: Node, name: str) -> Term:
        """The term of a child, or an empty one where it is missing."""

    @abstractmethod
    def unknown(self, node: Node) -> Term:
        """The operands of an expression that the model does not know."""

    def stores(self, node: Node) -> list[Store]:
        """The stores of a declarator, assignment or destructured parameter; the same objects each time."""
        kept = self.file.stores.get(node.id)
        if kept is None:
            declares = node.type == "variable_declarator"
            target = node.child_by_field_name("name" if declares else "left")
            value = node.child_by_field_name("value" if declares else "right")
            kept = []
            if target is not None and value is not None:
                kept = self.bind(target, self.lower(value), extent_of(node), declares)
            elif target is not None and declares and target.type == "identifier":
                kept = [Store(extent_of(node), self.target(target), Constant(extent_of(node), "null", None))]
                kept[0].declares = True
            self.file.stores[node.id] = kept
        return kept

    def target(self, node: Node) -> Term:
        """What is written: the variable itself, never what it is an alias of."""
        node = unwrap(node)
        if node.type in ("identifier", "shorthand_property_identifier_pattern", "undefined"):
            name = word(node)
            variable = self.scope.lookup(name)
            return Ref(extent_of(node), Place(variable or self.file.global_binding(name)))
        return self.lower(node)

    def bind(self, pattern: Node, value: Term, extent: Extent, declares: bool) -> list[Store]:
        """The stores that give a pattern's names their parts of a value."""
        if self.file.depth >= DEPTH + PATTERN_DEPTH:
            return []
        self.file.depth += 1
        try:
            return self._bind(pattern, value, extent, declares)
        finally:
            self.file.depth -= 1

    def _bind(self, pattern: Node, value: Term, extent: Extent, declares: bool) -> list[Store]:
        pattern = unwrap(pattern)
        kind = pattern.type
        if kind in ("assignment_pattern", "object_assignment_pattern"):
            left = pattern.child_by_field_name("left")
            if left is None:
                return []
            default = self.field(pattern, "right")
            return self.bind(left, Logic(value.extent, "??", value, default), extent, declares)
        if kind == "rest_pattern":
            inner = first_named(pattern)
            return self.bind(inner, value, extent, declares) if inner is not None else []
        if kind == "object_pattern":
            return self._bind_fields(pattern, value, extent, declares)
        if kind == "array_pattern":
            return self._bind_elements(pattern, value, extent, declares)
        return [Store(extent, self.target(pattern), value, declares=declares)]

    def _plain(self, value: Term, count: int) -> tuple[list[Store], Term]:
        """The value as something that can be read `count` times, after the stores that make it so."""
        if count <= 1 or (isinstance(value, Ref) and value.key is None and value.guard is None):
            return [], value
        kept = Variable(self.file, "", "local", None, self.function)
        kept.constant = True
        kept.initial = value
        place = Place(kept)
        return [Store(value.extent, Ref(value.extent, place), value, declares=True)], Ref(value.extent, place)

    def _part(self, value: Term, name: str, extent: Extent) -> Term:
        if isinstance(value, Ref):
            return Ref(extent, self.file.field_place(value.place, name), value.key, value.guard)
        return Field(extent, value, name)

    def _computed(self, key: Node) -> Term:
        inner = first_named(key) if key.type == "computed_property_name" else None
        return self.lower(inner) if inner is not None else self.unknown(key)

    def _bind_fields(self, pattern: Node, value: Term, extent: Extent, declares: bool) -> list[Store]:
        children = [c for c in pattern.named_children if c.type not in ("comment", "ERROR")]
        stores, source = self._plain(_or_nothing(value), len(children))
        for child in children:
            kind = child.type
            where = extent_of(child) if len(children) > 1 else extent
            if kind == "shorthand_property_identifier_pattern":
                stores += self.bind(child, self._part(source, word(child), extent_of(child)), where, declares)
            elif kind == "pair_pattern":
                key, target = child.child_by_field_name("key"), child.child_by_field_name("value")
                name = key_name(key)
                if target is None or key is None:
                    continue
                if name is not None:
                    part = self._part(source, name, extent_of(child))
                elif isinstance(source, Ref):
                    part = Ref(extent_of(child), source.place.element, self._computed(key))
                else:
                    part = Element(extent_of(child), source, self._computed(key))
                stores += self.bind(target, part, where, declares)
            elif kind in ("object_assignment_pattern", "assignment_pattern"):
                left = child.child_by_field_name("left")
                if left is not None:
                    part = self._part(source, word(left), extent_of(left))
                    stores += self.bind(child, part, where, declares)
            elif kind == "rest_pattern":
                rest = Record(extent_of(child), [(None, Spread(extent_of(child), _again(source)))])
                stores += self.bind(child, rest, where, declares)
        if not children:
            return [
                Store(extent, Ref(extent, Place(Binding("", "local", self.function))), value, declares=True)
            ]
        return stores

    def _bind_elements(self, pattern: Node, value: Term, extent: Extent, declares: bool) -> list[Store]:
        slots = array_slots(pattern)
        filled = [(index, child) for index, child in enumerate(slots) if child is not None]
        if (
            isinstance(value, Sequence)
            and len(value.elements) >= len(slots)
            and not any(isinstance(e, Spread) for e in value.elements)
            and all(c is None or c.type != "rest_pattern" for c in slots)
        ):
            stores: list[Store] = []
            for index, child in filled:
                stores += self.bind(child, value.elements[index], extent_of(child), declares)
            return stores
        if isinstance(value, Call | Suspend):
            return self._bind_results(filled, value, extent, declares)
        stores, source = self._plain(value, len(filled))
        for index, child in filled:
            key = Constant(extent_of(child), "number", index)
            where = extent_of(child) if len(filled) > 1 else extent
            if child.type == "rest_pattern":
                part: Term = Sequence(extent_of(child), [Spread(extent_of(child), _again(source))])
            elif isinstance(source, Ref):
                part = Ref(extent_of(child), source.place.element, key, source.guard)
            else:
                part = Element(extent_of(child), source, key)
            stores += self.bind(child, part, where, declares)
        if not filled:
            return [
                Store(extent, Ref(extent, Place(Binding("", "local", self.function))), value, declares=True)
            ]
        return stores

    def _bind_results(
        self, filled: list[tuple[int, Node]], value: Term, extent: Extent, declares: bool
    ) -> list[Store]:
        stores: list[Store] = []
        if not filled or filled[0][0] != 0:
            unnamed = Ref(extent, Place(Binding("", "local", self.function)))
            stores.append(Store(extent, unnamed, Result(extent, value, 0), declares=True))
        for index, child in filled:
            where = extent_of(child) if len(filled) > 1 else extent
            stores += self.bind(child, Result(extent_of(child), value, index), where, declares)
        return stores


def array_slots(pattern: Node) -> list[Node | None]:
    """The elements of an array pattern, None where one is left out."""
    slots: list[Node | None] = []
    current: Node | None = None
    for child in pattern.children:
        if child.type == ",":
            slots.append(current)
            current = None
        elif child.is_named and child.type not in ("comment", "ERROR"):
            current = child
    if current is not None:
        slots.append(current)
    return slots


def _or_nothing(value: Term) -> Term:
    """`x` of `const { a } = x ?? {}`, whose fields are read as those of `x?.a` are."""
    if (
        isinstance(value, Logic)
        and value.op != "and"
        and isinstance(value.left, Ref)
        and isinstance(value.right, Record)
        and not value.right.entries
    ):
        given = value.left
        return Ref(value.extent, given.place, given.key, given)
    return value


def _again(term: Term) -> Term:
    """A second read of a place, or the term itself where it is read once only."""
    return Ref(term.extent, term.place, term.key, term.guard) if isinstance(term, Ref) else term
