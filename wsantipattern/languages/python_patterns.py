"""The patterns of `match`: what a case tests, and what it captures.

A literal (or several, with `|`) is a test the model can compare; any other pattern is an opaque term that shows what
it is made of: a mapping pattern is a record of its literal keys, a sequence pattern a sequence. A capture is a store
of the part of the subject it stands for, where the subject is a place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from tree_sitter import Node

from wsantipattern.languages.python_scope import Scope
from wsantipattern.languages.python_syntax import extent_of, name_of, parts, plain_string
from wsantipattern.languages.python_terms import DEPTH_LIMIT, Terms
from wsantipattern.model.place import Place
from wsantipattern.model.term import Binary, Constant, Logic, Record, Ref, Sequence, Several, Store, Term
from wsantipattern.record import record

_LITERALS = frozenset({"integer", "float", "string", "concatenated_string", "true", "false", "none"})

_WHOLE = frozenset(
    {
        "bool",
        "bytearray",
        "bytes",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "set",
        "str",
        "tuple",
    }
)
"""The classes of which a pattern's only positional part is the whole object (Python 3.13, 8.6.4.9)."""


@record(slots=True)
class _Reading:
    scope: Scope
    captures: list[Store] = field(default_factory=list)


class Patterns:
    """Lowers the patterns of one text."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    def case(self, clause: Node, subject: Term | None, scope: Scope) -> tuple[list[Term], list[Store], bool]:
        """The tests of a case, its captures, and whether the tests are opaque. No tests: it matches anything."""
        reading = _Reading(scope)
        patterns = [c for c in parts(clause) if c.type == "case_pattern"]
        place = subject.place if isinstance(subject, Ref) else None
        if len(patterns) != 1:
            subjects = subject.elements if isinstance(subject, Sequence) else []
            terms: list[Term] = []
            for index, pattern in enumerate(patterns):
                part = subjects[index] if index < len(subjects) else None
                terms.append(self._opaque(pattern, part.place if isinstance(part, Ref) else None, reading))
            return [Sequence(extent_of(clause), terms)], reading.captures, True
        literals = self._literals(patterns[0], scope)
        if literals:
            return literals, [], False
        if self._matches_anything(patterns[0]):
            self._opaque(patterns[0], place, reading)
            return [], reading.captures, False
        shape = self._opaque(patterns[0], place, reading)
        return [self._compared(shape, place)], reading.captures, True

    def _compared(self, shape: Term, place: Place | None) -> Term:
        """A pattern whose literals are also compared: `{"kind": "ack"}` asks whether `subject["kind"]` is "ack"."""
        test = shape
        for part, value in reversed(list(_literal_parts(shape, place))):
            test = Logic(
                shape.extent, "and", Binary(value.extent, "==", Ref(value.extent, part), value), test
            )
        return test

    def _literals(self, node: Node, scope: Scope) -> list[Term]:
        """The values of a pattern that is one literal or dotted name, or several; empty for others."""
        if any(c.type == "splat_pattern" for c in node.children):
            return []
        inner = parts(node)
        if len(inner) != 1:
            return []
        only = inner[0]
        if only.type == "union_pattern":
            values = [self._literal(c, only, scope) for c in parts(only)]
        else:
            values = [self._literal(only, node, scope)]
        return [v for v in values if v is not None] if all(v is not None for v in values) else []

    def _literal(self, node: Node, parent: Node, scope: Scope) -> Term | None:
        if node.type in _LITERALS:
            term = self.terms.term(node, scope)
            before = node.prev_sibling
            negated = before is not None and before.type == "-" and before.start_byte >= parent.start_byte
            if (
                negated
                and before is not None
                and isinstance(term, Constant)
                and isinstance(term.value, (int, float))
            ):
                return Constant((before.start_byte, node.end_byte), "number", -term.value)
            return term if isinstance(term, Constant) else None
        words = parts(node)
        if node.type == "dotted_name" and len(words) > 1:
            place = self.terms.names.place(name_of(words[0]), scope)
            return Ref(extent_of(node), Place(place.root, (*place.path, *(name_of(w) for w in words[1:]))))
        return None

    def _matches_anything(self, node: Node) -> bool:
        inner = parts(node)
        if not inner:
            return True
        return len(inner) == 1 and inner[0].type == "dotted_name" and len(parts(inner[0])) == 1

    def _opaque(self, node: Node, place: Place | None, reading: _Reading) -> Term:
        """A pattern as a term of what it is made of. `place` is what it is matched with, where that is known."""
        if self.terms.depth >= DEPTH_LIMIT:
            return Several(extent_of(node))
        self.terms.depth += 1
        try:
            return self._shape(node, place, reading)
        finally:
            self.terms.depth -= 1

    def _shape(self, node: Node, place: Place | None, reading: _Reading) -> Term:
        extent = extent_of(node)
        inner = parts(node)
        match node.type:
            case "case_pattern" if len(inner) == 1:
                return self._opaque(inner[0], place, reading)
            case "dotted_name" if len(inner) == 1:
                self._capture(inner[0], place, reading)
                return Several(extent)
            case "splat_pattern":
                for name in inner:
                    self._capture(name, None, reading)
                return Several(extent)
            case "as_pattern":
                terms = [self._opaque(c, place, reading) for c in inner if c.type == "case_pattern"]
                for name in inner:
                    if name.type == "identifier":
                        self._capture(name, place, reading)
                return terms[0] if len(terms) == 1 else Several(extent, terms)
            case "dict_pattern":
                return self._mapping(node, place, reading)
            case "list_pattern" | "tuple_pattern":
                if (
                    len(inner) == 1
                    and node.type == "tuple_pattern"
                    and not any(c.type == "," for c in node.children)
                ):
                    return self._opaque(inner[0], place, reading)
                part = place.element if place is not None else None
                return Sequence(extent, [self._opaque(c, part, reading) for c in inner])
            case "class_pattern":
                return self._instance(node, place, reading)
            case "union_pattern":
                return Several(extent, [self._opaque(c, place, reading) for c in inner])
            case _:
                literal = self._literal(node, node, reading.scope)
                return literal or Several(extent, [self._opaque(c, None, reading) for c in inner])

    def _mapping(self, node: Node, place: Place | None, reading: _Reading) -> Term:
        record = Record(extent_of(node))
        keys, values = node.children_by_field_name("key"), node.children_by_field_name("value")
        for key, value in zip(keys, values, strict=False):
            name = plain_string(key)
            part = place.field(name) if place is not None and name is not None else None
            record.entries.append((name, self._opaque(value, part, reading)))
        for rest in parts(node):
            if rest.type == "splat_pattern":
                self._opaque(rest, None, reading)
        return record

    def _instance(self, node: Node, place: Place | None, reading: _Reading) -> Term:
        """`Message(kind="chunk", text=t)`: a record of the keyword patterns with the class's name."""
        record = Record(extent_of(node))
        for part in parts(node):
            if part.type == "dotted_name":
                record.type_name = self._class_name(part, reading.scope)
                continue
            inner = parts(part)
            keyword = inner[0] if len(inner) == 1 and inner[0].type == "keyword_pattern" else None
            words = parts(keyword) if keyword is not None else []
            if keyword is not None and len(words) == 2:
                name = name_of(words[0])
                record.entries.append(
                    (name, self._opaque(words[1], place.field(name) if place is not None else None, reading))
                )
            else:
                # `str(text)` asks for the kind of the whole, which it captures.
                whole = place if record.type_name in _WHOLE else None
                record.entries.append((None, self._opaque(part, whole, reading)))
        return record

    def _class_name(self, node: Node, scope: Scope) -> str:
        words = [name_of(w) for w in parts(node)]
        place = self.terms.names.place(words[0], scope) if words else None
        if place is not None and place.root.kind in ("import", "global") and place.root.origin is not None:
            return ".".join((place.root.origin, *place.path, *words[1:]))
        return ".".join(words)

    def _capture(self, name: Node, place: Place | None, reading: _Reading) -> None:
        if name.type != "identifier" or name_of(name) == "_":
            return
        extent = extent_of(name)
        value: Term = Ref(extent, place) if place is not None else Several(extent)
        reading.captures.append(self.terms.store(extent, name, self.terms.target(name, reading.scope), value))


def _literal_parts(shape: Term, place: Place | None) -> Iterator[tuple[Place, Constant]]:
    """The literals of a pattern's record, with the parts of the subject that they are matched with."""
    for name, value in shape.entries if isinstance(shape, Record) else ():
        if name is None or place is None:
            continue
        if isinstance(value, Constant):
            yield place.field(name), value
        else:
            yield from _literal_parts(value, place.field(name))
