"""Where a JavaScript file writes the names and fields that it declares elsewhere.

An index by name over the assignments that were collected; made on first use, and resolved one write at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_syntax import string_value, unwrap, word

if TYPE_CHECKING:
    from tree_sitter import Node

    from wsantipattern.languages.javascript_scope import Scope, Variable


class Write:
    """One write of a name: the name's node, whether it is a plain `=`, and the assignment, update or loop."""

    __slots__ = ("plain", "site", "start", "target")

    def __init__(self, target: Node, plain: bool, site: Node) -> None:
        self.start = target.start_byte
        self.target = target
        self.plain = plain
        self.site = site


class Writes:
    """The writes of one file; `sites` are its assignments, updates, and loops over existing names."""

    def __init__(self, top: Scope, sites: list[Node]) -> None:
        self._top = top
        self._names: dict[str, list[Write]] = {}
        self._fields: dict[str, list[int]] = {}
        self._resolved: dict[int, Variable | None] = {}
        for site in sites:
            target = site.child_by_field_name("left") or site.child_by_field_name("argument")
            if target is not None:
                self._add(site, unwrap(target))
        for writes in self._names.values():
            writes.sort(key=_start)
        for starts in self._fields.values():
            starts.sort()

    def _add(self, site: Node, target: Node) -> None:
        plain = site.type == "assignment_expression"
        pending = [target]
        while pending:
            part = pending.pop()
            kind = part.type
            if kind in ("identifier", "shorthand_property_identifier_pattern"):
                self._names.setdefault(word(part), []).append(Write(part, plain, site))
            elif kind == "member_expression":
                field = part.child_by_field_name("property")
                if field is not None:
                    self._fields.setdefault(word(field), []).append(part.start_byte)
            elif kind == "subscript_expression":
                index = part.child_by_field_name("index")
                if index is not None and index.type == "string":
                    self._fields.setdefault(string_value(index), []).append(part.start_byte)
            elif kind in ("pair_pattern", "assignment_pattern", "object_assignment_pattern"):
                inner = part.child_by_field_name("value" if kind == "pair_pattern" else "left")
                if inner is not None:
                    pending.append(inner)
            elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
                pending.extend(part.named_children)

    def has(self, name: str) -> bool:
        """Whether any variable of this name is written."""
        return name in self._names

    def to(self, variable: Variable) -> list[Write]:
        """The writes of one variable, in order."""
        named = self._names.get(variable.name)
        home = variable.home
        if not named or home is None:
            return []
        found: list[Write] = []
        for index in range(bisect_left(named, home.start, key=_start), len(named)):
            write = named[index]
            if write.start >= home.end:
                break
            if write.start not in self._resolved:
                self._resolved[write.start] = self._top.at(write.start).lookup(variable.name)
            if self._resolved[write.start] is variable:
                found.append(write)
        return found

    def writes_name(self, name: str, start: int, end: int) -> bool:
        """Whether a variable of this name is written between two byte offsets."""
        named = self._names.get(name, [])
        index = bisect_left(named, start, key=_start)
        return index < len(named) and named[index].start < end

    def writes_field(self, name: str, start: int, end: int) -> bool:
        """Whether a field of this name, of anything, is written between two byte offsets."""
        starts = self._fields.get(name, [])
        index = bisect_left(starts, start)
        return index < len(starts) and starts[index] < end


def _start(write: Write) -> int:
    return write.start
