"""Natures: whether a place holds a text, a list or a number, as far as its file tells.

Told by literals, defaults, declared types, what the place is first given, and the properties of page elements; by the words
of its name only where nothing else says that it counts.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.module import Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.roles.destination import Destinations
from wsantipattern.roles.holder import Holder, Holders
from wsantipattern.roles.join import Joins, is_string
from wsantipattern.roles.words import any_of, split

_BUILT = {"str": "text", "bytes": "text", "int": "number", "float": "number", "list": "list"}
"""What Python's own types make when they are called without arguments."""


class Natures:
    """The natures of the places of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, holders: Holders, joins: Joins, destinations: Destinations
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.holders = holders
        self.joins = joins
        self.destinations = destinations
        self._kinds: dict[Holder, str] = {}

    def of(self, kept: Holder, old: t.Term, added: list[t.Term], joined: t.Term | None = None) -> str:
        """`text`, `list` or `number`; "" where the file does not tell."""
        parts = [*added, old, *([*self.joins.parts(joined)] if joined is not None else [])]
        lists = {"append", *self.knowledge.names("accumulation", "concatenates")}
        if (
            any(is_string(p) or isinstance(p, t.Template) for p in parts)
            or isinstance(joined, t.Template)
            or (isinstance(joined, t.Call) and joined.method not in lists)
        ):
            return "text"
        if any(isinstance(p, t.Sequence) for p in added):
            return "list"
        default = self._default(old)
        if default:
            return default
        if kept.path and kept.path[-1] in self.knowledge.names("accumulation", "texts"):
            return "text"
        if kept not in self._kinds:
            self._kinds[kept] = self._declared(kept, old) or self._initial(kept)
        found = self._kinds[kept]
        if found:
            return found
        for part in added:
            told = self._told(part)
            if told:
                return told
        if joined is not None and isinstance(joined, t.Call) and joined.method == "append":
            return "list"
        if any_of(split(kept.name), self.knowledge.names("accumulation", "numbers")):
            return "number"
        return ""

    def _default(self, old: t.Term) -> str:
        """`text || ""`, `counts.get(k, 0)`."""
        if isinstance(old, t.Logic):
            return kind_of(old.right)
        if isinstance(old, t.Choice):
            return kind_of(old.then) or kind_of(old.otherwise)
        value = self.module.value_of(old)
        if isinstance(value, (t.Logic, t.Choice)) and value is not old:
            return self._default(value)
        if isinstance(value, t.Call) and len(value.arguments) == 2:
            return kind_of(value.arguments[1])
        return ""

    def _told(self, term: t.Term) -> str:
        """What the declared type of a part, or the call that makes it, says."""
        value = self.module.value_of(term)
        if isinstance(value, t.Call) and value.method in self.knowledge.names("accumulation", "textual"):
            return "text"
        if isinstance(term, t.Ref):
            return self._type(self.module.type_of(term.place))
        return ""

    def _type(self, declared: str | None) -> str:
        if declared is None:
            return ""
        for kind in ("text", "number", "list"):
            if declared in self.knowledge.names("accumulation", f"{kind}_types"):
                return kind
        return ""

    def _declared(self, kept: Holder, old: t.Term) -> str:
        if isinstance(old, t.Ref):
            found = self._type(self.module.type_of(old.place))
            if found:
                return found
        if isinstance(kept.root, Binding):
            return self._type(self.module.type_of(Place(kept.root, kept.path)))
        return ""

    def _initial(self, kept: Holder) -> str:
        """What a place is first given, anywhere in the file."""
        if isinstance(kept.root, Binding):
            pair = self.destinations.pair(kept.root)
            if pair is not None and isinstance(pair[0], t.Call) and not kept.path:
                return kind_of(pair[0].argument(0))
            value = kept.root.initial if kept.root.constant else None
            if isinstance(value, t.Call) and len(kept.path) == 1:
                first = value.argument(0)
                if kept.path == (ELEMENT,) and isinstance(first, t.Ref):
                    return _BUILT.get(first.place.name, "")
                if kept.path[0] in ("value", "current"):
                    return kind_of(first)
            if value is not None and not kept.path:
                return kind_of(value)
            if isinstance(value, t.Record) and kept.path == (ELEMENT,):
                return next((k for _, v in value.entries if (k := kind_of(v))), "")
        name = kept.name
        for function in self.module.functions_mentioning(name) if name else ():
            for step in function.cfg.steps:
                store = step.store
                if store is not None and step.target is not None and store.op is None:
                    where = self.holders.at(step.target) if step.target.path else Holder(step.target.root)
                    if where == kept or (
                        where is not None
                        and where.path[-1:] == kept.path[-1:] != ()
                        and where.name == name
                        and kept.path[-1] != ELEMENT
                    ):
                        found = kind_of(store.value)
                        if found:
                            return found
                    if where is not None and kept.path[-1:] == (ELEMENT,) and where == kept.parent:
                        found = self._element_kind(store.value)
                        if found:
                            return found
                if step.term is not None and step.kind in ("call", "assign", "return"):
                    for part in step.term.walk():
                        if isinstance(part, t.Record) and kept.path and kept.path[-1] != ELEMENT:
                            for key, value in part.entries:
                                if key == name and (found := kind_of(value)):
                                    return found
        return ""

    def _element_kind(self, value: t.Term) -> str:
        if isinstance(value, t.Call) and isinstance(first := value.argument(0), t.Ref):
            return _BUILT.get(first.place.name, "")
        if isinstance(value, t.Record):
            return next((k for _, v in value.entries if (k := kind_of(v))), "")
        return ""


def kind_of(value: t.Term | None) -> str:
    """What a literal is: text, number, list, or "" for anything else."""
    if isinstance(value, t.Constant):
        if value.kind == "string":
            return "text"
        return "number" if value.kind == "number" else ""
    if isinstance(value, t.Template):
        return "text"
    if isinstance(value, t.Sequence):
        return "list"
    if isinstance(value, t.Call) and isinstance(value.callee, t.Ref):
        return {"Array": "list", "list": "list", "deque": "list", "str": "text", "bytearray": "text"}.get(
            value.callee.place.name, ""
        )
    return ""
