"""Computed names: functions that a file reaches by a name it puts together, or one by one out of a table.

`getattr(self, "on_" + kind)` and `this[`on${kind}`]` stand for every method of the class whose name fits; `for (const [name, f] of
Object.entries(table)) socket.on(name, f)` is a registration of each entry. A name of which no part is written stands for
nothing. Knows no events and no messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place

LEAST = 2
"""So many characters of a name must be written."""


def methods(term: t.Term | None, module: Module, knowledge: Knowledge) -> list[Function]:
    """The methods of a class of the file that a term stands for, where it asks an object for a name put together."""
    if isinstance(term, t.Logic):
        return methods(term.left, module, knowledge)
    subject, name = _asked(term, module, knowledge)
    owner = module.class_of(subject) if subject is not None else None
    written = _written(module.value_of(name), module) if name is not None else None
    if owner is None or written is None or len(written[0]) + len(written[1]) < LEAST:
        return []
    before, after = written
    found: dict[Function, None] = {}
    for kin in module.classes:
        if kin is owner or owner in module.lineage(kin) or kin in module.lineage(owner):
            for word, method in kin.methods.items():
                if word.startswith(before) and word.endswith(after) and len(word) > len(before) + len(after):
                    found[method] = None
    return list(found)


def _asked(term: t.Term | None, module: Module, knowledge: Knowledge) -> tuple[Place | None, t.Term | None]:
    """The object that is asked for a name, and the name."""
    if isinstance(term, t.Call) and len(term.arguments) > 1:
        subject = term.arguments[0]
        if module.canonical(term.callee) in knowledge.names("invocation", "attributes"):
            return (subject.place if isinstance(subject, t.Ref) else None), term.arguments[1]
    if isinstance(term, t.Ref) and term.key is not None and term.place.path[-1:] == (ELEMENT,):
        return term.place.parent, term.key
    return None, None


def _written(name: t.Term | None, module: Module) -> tuple[str, str] | None:
    """How a name that is put together begins and ends; None for any other term."""
    parts: list[t.Term] = []
    if isinstance(name, t.Template):
        parts = name.parts
    elif isinstance(name, t.Binary) and name.op == "+":
        parts = _summands(name)
    elif isinstance(name, t.Binary) and name.op == "%":
        text = _text(name.left, module)
        return (text.partition("%")[0], "") if text is not None else None
    elif isinstance(name, t.Call) and isinstance(name.callee, t.Field) and name.method == "format":
        text = _text(name.callee.subject, module)
        return (text.partition("{")[0], text.rpartition("}")[2]) if text is not None else None
    if len(parts) < 2:
        return None
    texts = [_text(part, module) for part in parts]
    before = list(takewhile(lambda text: text is not None, texts))
    after = list(takewhile(lambda text: text is not None, reversed(texts)))
    if len(before) == len(texts):
        return None
    return "".join(text or "" for text in before), "".join(text or "" for text in reversed(after))


def _summands(term: t.Term) -> list[t.Term]:
    if isinstance(term, t.Binary) and term.op == "+":
        return [*_summands(term.left), *_summands(term.right)]
    return [term]


def _text(term: t.Term, module: Module) -> str | None:
    value = module.value_of(term)
    return value.value if isinstance(value, t.Constant) and isinstance(value.value, str) else None


def entries(term: t.Term | None, module: Module, knowledge: Knowledge) -> list[tuple[str, Function]]:
    """The named functions of the table that a term takes one after the other, `f` of `for name, f in table.items()`."""
    if not isinstance(term, t.Ref):
        return []
    inner = term.place.parent
    table: t.Term | None
    if inner is not None and term.place.path[-1] == ELEMENT:
        # `table[name]`
        table = t.Ref(term.extent, inner)
    else:
        table = _run_through(term, module, knowledge)
    found: list[tuple[str, Function]] = []
    for name, value in _pairs(table, module):
        handler = module.resolve_value(value)
        if handler is not None:
            found.append((name, handler))
    return found


def names(term: t.Term | None, module: Module) -> list[str]:
    """The texts that a term stands for: itself, those of a list that a loop runs over, the names in a table."""
    value = module.value_of(term)
    if value is term and isinstance(term, t.Ref) and not term.place.path and term.place.name:
        stores = module.stores_to(term.place)
        value = stores[0][1].value if len(stores) == 1 else term
    if isinstance(value, t.Constant):
        return [value.value] if isinstance(value.value, str) else []
    if isinstance(value, t.Element) and value.key is None:
        listed = module.value_of(value.subject)
        if isinstance(listed, t.Sequence):
            texts = [_text(e, module) for e in listed.elements]
            return [text for text in texts if text is not None] if None not in texts else []
        if isinstance(listed, t.Call) and listed.method == "keys":
            # `Object.keys(table)`, `table.keys()`
            listed = listed.arguments[0] if listed.arguments else listed.receiver
        return [name for name, _ in _pairs(listed, module)]
    if isinstance(value, t.Ref) and len(value.place.path) == 1:
        # `EVENTS.PIECE` of an object of the file
        pairs = dict(_pairs(t.Ref(value.extent, Place(value.place.root)), module))
        text = _text(pairs[value.place.name], module) if value.place.name in pairs else None
        return [text] if text is not None else []
    return []


def _run_through(term: t.Ref, module: Module, knowledge: Knowledge) -> t.Term | None:
    """What a loop runs through that gives a variable its value, the second of two."""
    if term.place.path or not term.place.name:
        return None
    stores = [store for _, store in module.stores_to(term.place)]
    value = stores[0].value if len(stores) == 1 else None
    if isinstance(value, t.Ref) and not value.place.root.name and value.place.path == (ELEMENT,):
        # `entries.forEach(([name, f]) => ...)`: the pair has no name.
        pair = Place(value.place.root)
        scope = pair.root.scope
        steps = scope.host.cfg.assignments if scope is not None else []
        value = next((store.value for step, store in steps if step.target == pair), None)
    if not isinstance(value, t.Element) or value.key is not None:
        return None
    subject = value.subject
    if isinstance(subject, t.Call) and subject.method in knowledge.names("invocation", "lists"):
        return subject.arguments[0] if subject.arguments else subject.receiver
    return subject if isinstance(subject, (t.Ref, t.Sequence)) else None


def _pairs(table: t.Term | None, module: Module) -> Iterator[tuple[str, t.Term]]:
    """The entries of a table that is written in the file: of a record, of a list of pairs, of a map made of one."""
    for value in _values(table, module):
        made = (
            value.arguments[0]
            if isinstance(value, t.Call) and value.constructs and value.arguments
            else value
        )
        if isinstance(made, t.Record):
            yield from ((key, entry) for key, entry in made.entries if key is not None)
        elif isinstance(made, t.Sequence):
            for pair in made.elements:
                if isinstance(pair, t.Sequence) and len(pair.elements) == 2:
                    name = _text(pair.elements[0], module)
                    if name is not None:
                        yield name, pair.elements[1]


def _values(table: t.Term | None, module: Module) -> Iterator[t.Term]:
    if not isinstance(table, t.Ref):
        if table is not None:
            yield table
        return
    if not table.place.path and table.place.root.constant and table.place.root.initial is not None:
        yield table.place.root.initial
    elif table.place.name:
        yield from (store.value for _, store in module.stores_to(table.place))
