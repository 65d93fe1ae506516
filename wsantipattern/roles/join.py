"""Joins: terms that make one text or list of several parts, in any spelling.

Concatenation, templates, `%` and `format`, joins of a literal list, spreads, Go's `append` and `Sprintf`. Knows the parts
only, not what they are for.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t


class Joins:
    """Takes joins apart."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    def is_inner(self, term: t.Term) -> bool:
        """Whether a join is only a part of a larger one."""
        parent = term.parent
        while isinstance(parent, (t.Spread, t.Logic, t.Choice)):
            term, parent = parent, parent.parent
        if parent is None or not self.parts(parent):
            return False
        return any(unspread(part) is term or part is term for part in self.parts(parent))

    def parts(self, term: t.Term) -> list[t.Term]:
        """What a joining term is made of; nothing for other terms."""
        match term:
            case t.Binary(op="+"):
                return [*self._flat(term.left), *self._flat(term.right)]
            case t.Binary(op="%") if is_string(term.left):
                return list(term.right.elements) if isinstance(term.right, t.Sequence) else [term.right]
            case t.Template():
                return [p for part in term.parts for p in self._flat(part)]
            case t.Sequence() if any(isinstance(e, t.Spread) for e in term.elements):
                return list(term.elements)
            case t.Call():
                return self._call_parts(term)
        return []

    def _flat(self, term: t.Term) -> list[t.Term]:
        if isinstance(term, (t.Binary, t.Template)):
            return self.parts(term) or [term]
        return [term]

    def _call_parts(self, call: t.Call) -> list[t.Term]:
        names = self.knowledge.names
        receiver = call.receiver
        spread = [e for a in call.arguments for e in (a.elements if isinstance(a, t.Sequence) else [a])]
        if call.method in names("accumulation", "joins"):
            # `[a, b].join("")`, `"".join([a, b])`, `strings.Join([]string{a, b}, "")`
            inner = call.callee.subject if isinstance(call.callee, t.Field) else None
            if isinstance(inner, t.Sequence):
                return list(inner.elements)
            first = call.argument(0)
            return list(first.elements) if isinstance(first, t.Sequence) else []
        if call.method in names("accumulation", "concatenates"):
            inside = receiver is not None and not self.is_namespace(receiver)
            return [receiver, *spread] if inside and receiver is not None else spread
        if call.method in names("accumulation", "prints"):
            return list(call.arguments)
        if call.method in names("accumulation", "formats"):
            return list(
                call.arguments[1:] if receiver is None or self.is_namespace(receiver) else call.arguments
            )
        if call.method == "append" and receiver is None and len(call.arguments) > 1:
            return list(call.arguments)
        return []

    def is_namespace(self, term: t.Term) -> bool:
        return (
            isinstance(term, t.Ref) and term.place.root.kind in ("import", "global") and (not term.place.path)
        )


def unspread(term: t.Term) -> t.Term:
    return term.value if isinstance(term, t.Spread) else term


def is_string(term: t.Term) -> bool:
    return isinstance(term, t.Constant) and term.kind == "string"
