"""Births: the variables that objects of a class of the file are made in, where all of them are.

An object that is made in a variable of a function lives for one run of it, unless it is kept elsewhere; what its methods
add to `this.text` lives no longer. Tells nothing where an object is made straight into a field or container, or given away.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Binding
from wsantipattern.roles.invocation import Invocations

DEPTH = 3
"""How many functions that only make an object are looked through."""


class Births:
    """Where the objects of the classes of one module are made."""

    def __init__(self, module: Module, invocations: Invocations) -> None:
        self.module = module
        self.invocations = invocations

    def of(self, owner: Class) -> list[tuple[Binding, Step]]:
        """The variables and the steps that give them an object; nothing where some object is made elsewhere."""
        key = ("births", owner)
        memo = self.module.memo
        if key not in memo:
            found: list[tuple[Binding, Step]] = []
            for function in self.module.functions_mentioning(owner.name) if owner.name else ():
                for step, made in self._made(function, owner):
                    found.extend(self._variables(function, step, made, DEPTH) or [(owner.this, step)])
            memo[key] = [] if any(root is owner.this for root, _ in found) else found
        born: list[tuple[Binding, Step]] = memo[key]
        return born

    def _made(self, function: Function, owner: Class) -> Iterator[tuple[Step, t.Term]]:
        seen: set[int] = set()
        for step in function.cfg.steps:
            for part in step.term.walk() if step.term is not None else ():
                if id(part) in seen:
                    continue
                seen.add(id(part))
                root = (
                    part.callee.place.root
                    if isinstance(part, t.Call) and isinstance(part.callee, t.Ref)
                    else None
                )
                made = (
                    isinstance(part, t.Call) and part.constructs and root is not None and root.class_ is owner
                )
                if made or (isinstance(part, t.Record) and part.type_name == owner.name):
                    yield step, part

    def _variables(
        self, function: Function, step: Step, made: t.Term, depth: int
    ) -> list[tuple[Binding, Step]] | None:
        """The variables that one made object goes to, or None where it goes elsewhere."""
        parent = made.parent
        while isinstance(parent, (t.Logic, t.Choice, t.Unary, t.Suspend)):
            made, parent = parent, parent.parent
        if isinstance(parent, t.Store) and parent.value is made and isinstance(parent.target, t.Ref):
            place = parent.target.place
            at = next((s for s in function.cfg.steps if s.store is parent), step)
            return [(place.root, at)] if place.is_local and place.root.kind == "local" else None
        returned = any(
            isinstance(s.statement, t.Return) and s.statement.value is made
            for s in function.cfg.of_kind("return")
        )
        if parent is not None or not returned or depth <= 0:
            return None
        found: list[tuple[Binding, Step]] = []
        for made_by in self.invocations.of(function):
            inner = self._variables(made_by.function, made_by.step, made_by.call, depth - 1)
            if inner is None:
                return None
            found.extend(inner)
        return found or None
