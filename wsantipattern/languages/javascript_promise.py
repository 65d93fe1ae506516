"""What JavaScript runs in place: immediately invoked functions, promise executors, promise chains, `forEach`.

A chain `p.then(f).catch(g).finally(h)` becomes what `await p` in try/catch/finally would be. Which closures are
inlined was decided when they were collected; here they are given their parameters and put where they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_file import JavaScriptFunction
from wsantipattern.languages.javascript_scope import Variable
from wsantipattern.languages.javascript_syntax import CLOSURES, chain_link, extent_of, first_named, unwrap
from wsantipattern.languages.javascript_terms import Terms, operands
from wsantipattern.model.place import Place
from wsantipattern.model.term import (
    Call,
    Evaluate,
    Extent,
    ForEach,
    Handler,
    If,
    Ref,
    Region,
    Return,
    Spawn,
    Statement,
    Store,
    Suspend,
    Term,
    Try,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_ABSENT = frozenset({"null", "undefined"})
_REFERENCES = frozenset({"identifier", "member_expression", "subscript_expression"})


class Promises(Terms):
    """Lowers what is run in place."""

    # -- recognising -----------------------------------------------------------------------------------

    def invoked(self, node: Node) -> JavaScriptFunction | None:
        """The function of an immediately invoked one."""
        callee = node.child_by_field_name("function") if node.type == "call_expression" else None
        if callee is None:
            return None
        inner = unwrap(callee)
        if inner.type not in CLOSURES:
            return None
        function = self.file.functions.get(inner.id)
        return function if function is not None and function.role == "iife" else None

    def is_chain(self, node: Node) -> bool:
        return chain_link(node) is not None

    def _has_inlined(self, node: Node) -> bool:
        """Whether any link of a chain has a closure that runs in place."""
        current: Node | None = node
        while current is not None:
            link = chain_link(unwrap(current))
            if link is None:
                return False
            for reaction in link[2]:
                function = self.file.functions.get(reaction.id)
                if function is not None and function.runs_in_place:
                    return True
            current = link[1]
        return False

    # -- uses ------------------------------------------------------------------------------------------

    def in_place(self, node: Node) -> Term | None:
        function = self.invoked(node)
        if function is not None:
            region = self.invocation(node, function)
            return self._contained(node, region) if function.is_async else region
        if self.is_chain(node) and self._has_inlined(node):
            return self._contained(node, self.chain(node))
        return None

    def awaited(self, node: Node) -> Term:
        node = unwrap(node)
        function = self.invoked(node)
        if function is not None and function.is_async:
            return self.invocation(node, function)
        if self.is_chain(node):
            return self.chain(node)
        value = self.lower(node)
        if (
            node.type == "call_expression"
            and isinstance(value, Ref)
            and self.file.import_source(node) is not None
        ):
            return Suspend(extent_of(node), "await", value)
        return Suspend(extent_of(node), "await", value)

    def returned(self, node: Node) -> Term:
        """The value of `return`: a promise that is handed on is waited for here."""
        inner = unwrap(node)
        if self.is_chain(inner):
            return self.chain(inner)
        function = self.invoked(inner)
        if function is not None and function.is_async:
            return self.invocation(inner, function)
        role = self.function.role if isinstance(self.function, JavaScriptFunction) else ""
        if role in ("link", "final"):
            value = self.lower(node)
            if isinstance(value, Call) and not (value.total and not value.constructs):
                return Suspend(extent_of(inner), "await", value)
            return value
        return self.lower(node)

    def detached(self, node: Node) -> Statement | None:
        """An expression statement whose promise nobody waits for, or None."""
        inner = unwrap(node)
        if inner.type == "unary_expression":
            operator, argument = inner.child_by_field_name("operator"), inner.child_by_field_name("argument")
            if operator is None or argument is None or operator.type != "void":
                return None
            inner = unwrap(argument)
        function = self.invoked(inner)
        if function is not None and function.is_async:
            region: Term = self.invocation(inner, function)
        elif self.is_chain(inner):
            region = self.chain(inner)
        else:
            return None
        return Spawn(extent_of(node), [Evaluate(extent_of(inner), region)])

    def _contained(self, node: Node, term: Term) -> Term:
        """A promise that is kept for later: it runs here, and its rejection does not leave."""
        extent = extent_of(node)
        return Region(extent, [Try(extent, [Return(extent, term)], [Handler((extent[1], extent[1]), [])])])

    # -- closures in place -----------------------------------------------------------------------------

    def invocation(self, node: Node, function: JavaScriptFunction) -> Term:
        """The body of an immediately invoked function, its parameters given."""
        arguments = node.child_by_field_name("arguments")
        values = operands(arguments) if arguments is not None else []
        body: list[Statement] = []
        for index, value in enumerate(values):
            term = self.lower(value)
            if index < len(function.parameters):
                target = Ref(extent_of(value), Place(function.parameters[index]))
                body.append(Evaluate(extent_of(value), Store(extent_of(value), target, term, declares=True)))
            else:
                body.append(Evaluate(extent_of(value), term))
        body.extend(function.body)
        return Region(extent_of(node), body, function=function)

    def executor(self, function: JavaScriptFunction) -> Term:
        settles = tuple(Place(parameter) for parameter in function.parameters[:2])
        return Region(function.extent, list(function.body), settles, function)

    def each(self, node: Node) -> list[Statement] | None:
        """`xs.forEach(x => ...)` as a loop, or None for another call."""
        node = unwrap(node)
        if node.type != "call_expression":
            return None
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        first = first_named(arguments) if arguments is not None else None
        function = self.file.functions.get(first.id) if first is not None else None
        subject = callee.child_by_field_name("object") if callee is not None else None
        if function is None or function.role != "each" or subject is None or callee is None:
            return None
        iterable = self.lower(subject)
        guard: Term | None = None
        if isinstance(iterable, Ref) and callee.child_by_field_name("optional_chain") is not None:
            guard = Ref(iterable.extent, iterable.place, iterable.key, iterable.guard)
        targets: list[Term] = [
            Ref(_first_bytes(function), Place(parameter)) for parameter in function.parameters
        ]
        loop = ForEach(extent_of(node), targets, iterable, list(function.body), label=each_label(function))
        return [If(extent_of(node), guard, [loop])] if guard is not None else [loop]

    # -- chains ----------------------------------------------------------------------------------------

    def chain(self, node: Node) -> Term:
        """The settled value of a chain, or of any promise."""
        node = unwrap(node)
        if self.file.depth >= _LONGEST:
            return Suspend(extent_of(node), "await", None)
        link = chain_link(node)
        if link is None:
            return self.awaited(node)
        kind, subject, reactions = link
        self.file.depth += 1
        try:
            return self._linked(node, kind, subject, reactions)
        finally:
            self.file.depth -= 1

    def _linked(self, node: Node, kind: str, subject: Node, reactions: list[Node]) -> Term:
        extent = extent_of(node)
        promise = self.chain(subject)
        present = [None if r.type in _ABSENT else r for r in reactions]
        first = present[0] if present else None
        if kind == "finally":
            after = self._afterwards(first) if first is not None else []
            return Region(extent, [Try(extent, [Return(promise.extent, promise)], final=after)])
        if kind == "catch":
            if first is None:
                return promise
            return Region(extent, [Try(extent, [Return(promise.extent, promise)], [self._handler(first)])])
        second = present[1] if len(present) > 1 else None
        if first is None and second is None:
            return promise
        if first is None and second is not None:
            return Region(extent, [Try(extent, [Return(promise.extent, promise)], [self._handler(second)])])
        assert first is not None
        before, after, inlined = self._reaction(first, promise)
        if second is None:
            return Region(extent, before + after, function=inlined)
        return Region(extent, [Try(extent, before, [self._handler(second)], otherwise=after)])

    def _inlined(self, node: Node) -> JavaScriptFunction | None:
        function = self.file.functions.get(node.id)
        return function if function is not None and function.runs_in_place else None

    def _reaction(
        self, node: Node, promise: Term
    ) -> tuple[list[Statement], list[Statement], JavaScriptFunction | None]:
        """A `then` reaction: what waits for the value and keeps it, what is done with it, and the closure."""
        function = self._inlined(node)
        waits = promise.extent
        if function is not None:
            if function.parameters:
                target = Ref(_first_bytes(function), Place(function.parameters[0]))
                stored = Store(waits, target, promise, declares=True)
                return [Evaluate(waits, stored)], list(function.body), function
            return [Evaluate(waits, promise)], list(function.body), function
        kept = self._kept(promise)
        place = Place(kept)
        stored = Store(waits, Ref(waits, place), promise, declares=True)
        return (
            [Evaluate(waits, stored)],
            [Return(extent_of(node), self._called(node, [Ref(waits, place)]))],
            None,
        )

    def _kept(self, value: Term | None) -> Variable:
        kept = Variable(self.file, "", "local", None, self.function)
        kept.constant = True
        kept.initial = value
        return kept

    def _called(self, node: Node, arguments: list[Term]) -> Term:
        """A call of a function that was handed over by name, or made by an expression."""
        callee = self.lower(node)
        if isinstance(callee, Ref) and callee.guard is not None:
            callee = Ref(callee.extent, callee.place, callee.key)
        return Call(extent_of(node), callee, arguments, total=self.is_total(callee))

    def _handler(self, node: Node) -> Handler:
        function = self._inlined(node)
        if function is not None:
            target = (
                Ref(_first_bytes(function), Place(function.parameters[0])) if function.parameters else None
            )
            return Handler(extent_of(node), list(function.body), target=target)
        error = Ref(extent_of(node), Place(self._kept(None)))
        call = self._called(node, [Ref(error.extent, error.place)])
        return Handler(extent_of(node), [Return(extent_of(node), call)], target=error)

    def _afterwards(self, node: Node) -> list[Statement]:
        function = self._inlined(node)
        if function is None:
            return [Evaluate(extent_of(node), self._called(node, []))]
        body = list(function.body)
        if any(_returns(statement) for statement in body):
            return [Evaluate(function.extent, Region(function.extent, body, function=function))]
        return body


_LONGEST = 90


def each_label(function: JavaScriptFunction) -> str:
    """The label of the loop that an inlined `forEach` body becomes; no name in the file is like it."""
    return f"forEach@{function.extent[0]}"


def _first_bytes(function: JavaScriptFunction) -> Extent:
    """Where a closure's first parameter, or the closure, is written."""
    node = function.node
    if node is not None:
        single = node.child_by_field_name("parameter")
        if single is not None:
            return extent_of(single)
        several = node.child_by_field_name("parameters")
        first = first_named(several) if several is not None else None
        if first is not None:
            return extent_of(first)
    return function.extent


def _returns(statement: Statement) -> bool:
    """Whether a statement may be left by `return`."""
    if isinstance(statement, Return):
        return True
    for name in ("then", "otherwise", "body", "final", "update"):
        inner = getattr(statement, name, None)
        if isinstance(inner, list) and any(isinstance(s, Statement) and _returns(s) for s in inner):
            return True
    for holder in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        if any(_returns(inner) for inner in holder.body):
            return True
    return False
