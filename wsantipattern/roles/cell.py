"""Cells: fields and shared variables that hold one small value, and every write of them in the file.

A write is an assignment, an entry of an object or struct literal, or a call that `knowledge` lists (`x.Store(v)`,
`atomic.StoreInt32(&x, v)`, `event.set()`). A helper that writes its parameter (`setState(Open)`) writes what its callers
give. Fields are told apart by their name and, where a declaration says it, their class; writes from other files are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record

Cell = tuple[Class | None, str] | Binding
"""A field by its class (None where unknown) and name, or a variable."""


@record(frozen=True, slots=True, eq=False)
class Write:
    """One write of a cell.

    Attributes:
        function, step: where it happens.
        value: what is written, or None for an unknown value.
        steps: it counts up or down instead of replacing the value.
        record: the literal that the value is an entry of, or None.
    """

    function: Function
    step: Step
    value: t.Term | None
    steps: bool = False
    record: t.Record | None = None


class Cells:
    """The cells of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self._reads = knowledge.entries("cell", "read")
        self._writes = knowledge.entries("cell", "write")
        self._kept: dict[Cell, list[Write]] = {}

    def of(self, place: Place) -> Cell:
        """The cell at a place: its field, or the variable."""
        path = _plain(place)
        if not path.path:
            return path.root
        parent = path.parent
        assert parent is not None
        return (self.module.class_of(parent), path.path[-1])

    def read(self, term: t.Term) -> Place | None:
        """The place whose value a term is: a plain read, an assignment, or a call that loads it."""
        if isinstance(term, t.Store):
            # `if (++missed > 2)`
            term = term.target
        if isinstance(term, t.Ref):
            return term.place
        if isinstance(term, t.Call):
            return self._at(term, self._reads)[0]
        return None

    def written(self, step: Step) -> Iterator[tuple[Place, t.Term | None, bool]]:
        """The places that a step writes, with the value and whether it only counts up or down."""
        if step.store is not None:
            target = step.target
            if target is None and isinstance(step.store.target, t.Field):
                # `seen.get(id).missed = 0`: a field of something that has no place of its own.
                target = Place(_SOMEWHERE, (step.store.target.name,))
            if target is not None:
                yield target, step.store.value, step.store.op not in (None, "or", "??")
        if step.call is not None:
            place, entry = self._at(step.call, self._writes)
            if place is not None and entry is not None:
                value = step.call.argument(entry["value"]) if "value" in entry else None
                if value is None and "constant" in entry:
                    value = t.Constant(step.call.extent, "bool", bool(entry["constant"]))
                yield place, value, bool(entry.get("step"))

    def writes(self, place: Place) -> list[Write]:
        """Every write of the cell at a place, in order of appearance."""
        cell = self.of(place)
        if cell not in self._kept:
            self._kept[cell] = []
            self._kept[cell] = list(self._find(cell))
        return self._kept[cell]

    def _find(self, cell: Cell) -> Iterator[Write]:
        name = cell.name if isinstance(cell, Binding) else cell[1]
        for function in self.module.functions_mentioning(name):
            for step in function.cfg.steps:
                for place, value, steps in self.written(step):
                    if _plain(place).name == name and self._same(cell, self.of(place)):
                        yield from self._given(Write(function, step, value, steps))
                if not isinstance(cell, Binding) and step.kind in ("assign", "call", "return", "spawn"):
                    yield from self._entries(cell, function, step)

    def _entries(self, cell: tuple[Class | None, str], function: Function, step: Step) -> Iterator[Write]:
        term = step.term if step.kind != "return" else getattr(step.statement, "value", None)
        if not isinstance(term, t.Term):
            return
        # A call inside an assignment is a step of its own: its literals are seen there.
        for literal in _records(term):
            owner = literal.type_name
            if owner is not None and cell[0] is not None and cell[0].name and owner != cell[0].name:
                continue
            for key, value in literal.entries:
                if key == cell[1]:
                    yield Write(function, step, value, record=literal)

    def _given(self, write: Write) -> Iterator[Write]:
        value = write.value
        if isinstance(value, t.Ref) and value.place.is_local and value.place.root.kind == "parameter":
            index = (
                write.function.parameters.index(value.place.root)
                if value.place.root in write.function.parameters
                else -1
            )
            found = False
            for caller, step in callers(write.function) if index >= 0 else ():
                if step.call is not None:
                    found = True
                    yield Write(caller, step, step.call.argument(index, value.place.root.name), write.steps)
            if found:
                return
        yield write

    def _same(self, one: Cell, other: Cell) -> bool:
        if isinstance(one, Binding) or isinstance(other, Binding):
            return one is other
        if one[1] != other[1] or one[0] is None or other[0] is None:
            return one[1] == other[1]
        return one[0] in self.module.lineage(other[0]) or other[0] in self.module.lineage(one[0])

    def _at(self, call: t.Call, entries: list[dict[str, Any]]) -> tuple[Place | None, dict[str, Any] | None]:
        for entry in entries:
            if entry.get("method") == call.method and call.receiver_place is not None:
                return call.receiver_place, entry
            if "call" in entry and entry["call"].rpartition(".")[2] == call.method:
                first = call.argument(0)
                if isinstance(first, t.Ref) and self.module.canonical(call.callee) == entry["call"]:
                    return first.place, entry
        return None, None


_SOMEWHERE = Binding("", "global")


def _plain(place: Place) -> Place:
    """A place without the selectors at its end: `b.up` of `b.up[*]`; the value cell of a ref or signal is the ref's."""
    path = place.path
    while path and path[-1] in (ELEMENT, "current", "value"):
        path = path[:-1]
    return Place(place.root, path)


def _records(term: t.Term) -> Iterator[t.Record]:
    for part in term.walk():
        if isinstance(part, t.Record):
            yield part
