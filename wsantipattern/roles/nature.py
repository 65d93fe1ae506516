"""Natures: whether a place holds a text, a list or a number, as far as its file tells.

Told by literals, defaults, declared types, what the place is first given, and the properties of page elements; by the words
of its name only where nothing else says that it counts.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
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

    def types(self, term: t.Term | None, depth: int = 6) -> set[str]:
        """The canonical names of what a value is declared or made as: `io.StringIO` of `buffers.setdefault(k, StringIO())`."""
        if term is None or depth <= 0:
            return set()
        match term:
            case t.Ref():
                return self._types_at(term.place, depth)
            case t.Record():
                return {term.type_name} if term.type_name is not None else set()
            case t.Result() if term.index == 0:
                return self.types(term.call, depth - 1)
            case t.Logic():
                return self.types(term.left, depth - 1) | self.types(term.right, depth - 1)
            case t.Choice():
                return self.types(term.then, depth - 1) | self.types(term.otherwise, depth - 1)
            case t.Suspend() | t.Store():
                return self.types(term.value, depth - 1)
            case t.Call():
                return self._types_given(term, depth)
        return set()

    def _types_at(self, place: Place, depth: int) -> set[str]:
        found: set[str] = set()
        made = self.module.made_type(place)
        if made is not None:
            found.add(made)
        for _, store in self.module.stores_to(place) if place.name else ():
            if store.op is None:
                found |= self.types(store.value, depth - 1)
        container = place.parent if place.path[-1:] == (ELEMENT,) else None
        for _, store in self.module.stores_to(container) if container is not None and container.name else ():
            # `defaultdict(io.StringIO)`
            value = store.value
            first = value.argument(0) if isinstance(value, t.Call) and len(value.arguments) == 1 else None
            named = self.module.canonical(first) if isinstance(first, t.Ref) else None
            if named is not None:
                found.add(named)
        return found

    def _types_given(self, call: t.Call, depth: int) -> set[str]:
        if call.method == "new" and not call.constructs:
            named = self.module.canonical(call.argument(0))
            return {named} if named is not None else set()
        target = self.holders.invocations.resolve(call) if not call.constructs else None
        if target is not None:
            return {name for value, _ in flow.returns(target) for name in self.types(value, depth - 1)}
        container = call.receiver_place
        if container is not None and call.method in self.knowledge.names("holder", "elements"):
            found = self.types(t.Ref(call.extent, container.element), depth - 1)
            for argument in call.arguments[1:]:
                found |= self.types(argument, depth - 1)
            return found
        named = self.module.canonical(call.callee)
        return {named} if named is not None else set()

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
