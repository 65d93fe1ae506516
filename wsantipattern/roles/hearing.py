"""Hearing: which code runs because the peer was heard, and which at the start or the end of a connection.

Answers are message and pong handlers and what follows a receive that brought something; endings are close and error
handlers and what follows a receive that failed. What such code calls in the file belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import implied
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Place
from wsantipattern.roles.event import Events
from wsantipattern.roles.socket import Sockets

Steps = dict[Function, set[Step]]
"""Steps by the function whose graph has them."""

DEPTH = 2
"""Calls that are followed into functions of the file."""


class Hearing:
    """When the code of one module runs."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets

    @cached_property
    def answers(self) -> Steps:
        """The steps that run because the peer was heard: of message and pong handlers, and after a receive."""
        found = self._handling("heard")
        for function in self.module.functions_mentioning("ping"):
            for _, call in function.cfg.calls:
                for argument in call.arguments if call.method == "ping" else ():
                    # `ws.ping(null, () => ...)`: what runs when the pong is there
                    handler = self.module.resolve_value(argument)
                    if handler is not None:
                        found[handler] = set(handler.cfg.steps)
        for function, step in self.receives:
            found.setdefault(function, set()).update(self._heard_after(function, step))
        return self._with_callees(found)

    @cached_property
    def openings(self) -> Steps:
        """The steps of the handlers that run when a connection opens."""
        return self._with_callees(self._handling("opened"))

    @cached_property
    def endings(self) -> Steps:
        """The steps that run because the connection has ended: close and error handlers, and after a failed receive."""
        found = self._handling("ended")
        for function, step in self.receives:
            heard = self._heard_after(function, step)
            rest = {s for s in function.cfg.reachable(step) if s not in heard and s is not step}
            found.setdefault(function, set()).update(rest)
        return self._with_callees(found)

    def _handling(self, events: str) -> Steps:
        return {
            r.handler: set(r.handler.cfg.steps)
            for r in self.events.registrations(*self.knowledge.names("liveness", events))
        }

    def _with_callees(self, found: Steps) -> Steps:
        """The steps, and those of the functions of the file that they call."""
        fresh: Iterable[tuple[Function, set[Step]]] = list(found.items())
        for _ in range(DEPTH):
            called: dict[Function, None] = {}
            for function, steps in fresh:
                for step in steps:
                    if step.kind == "call" and step.call is not None:
                        callee = self.module.resolve(step.call)
                        if callee is not None and callee is not function:
                            called[callee] = None
            fresh = []
            for callee in called:
                steps = set(callee.cfg.steps)
                if not steps <= found.get(callee, set()):
                    found.setdefault(callee, set()).update(steps)
                    fresh.append((callee, steps))
        return found

    @cached_property
    def receives(self) -> list[tuple[Function, Step]]:
        """The steps that take one message from a socket: receive calls, and loops over a socket."""
        found: list[tuple[Function, Step]] = []
        words = {*self.knowledge.names("message", "receives"), *self._receivers}
        for word in sorted({name.rpartition(".")[2] for name in words}):
            for function in self.module.functions_mentioning(word):
                for step, call in function.cfg.calls:
                    if call.method == word and self._receives(call):
                        found.append((function, step))
        for function in self.module.all_functions:
            if not function.is_inlined:
                found.extend(
                    (function, step)
                    for step in function.cfg.of_kind("iterate")
                    if step.suspends and self._iterates_socket(step.term)
                )
        return found

    @cached_property
    def _receivers(self) -> dict[str, int]:
        """Functions that receive on a connection given as an argument, and its index."""
        return {
            entry["call"]: entry["argument"]
            for library in self.sockets.libraries
            for entry in library.facts.get("receive_functions", [])
        }

    def _receives(self, call: t.Call) -> bool:
        if call.method in self.knowledge.names("message", "receives") and (
            self.sockets.of(call.receiver) is not None or self._is_sent_to(call.receiver_place)
        ):
            return True
        return (self.module.canonical(call.callee) or "") in self._receivers

    def _is_sent_to(self, place: Place | None) -> bool:
        """Whether the file sends on a place as one does on the connections of a library that it imports."""
        if place is None or place.root.kind in ("import", "global"):
            return False
        return any(
            call.receiver_place == place and any(call.method in lib.sends for lib in self.sockets.imported)
            for function in self.module.functions_mentioning(place.name)
            for _, call in function.cfg.calls
        )

    def _iterates_socket(self, term: t.Term | None) -> bool:
        if self.sockets.of(term) is not None:
            return True
        # `async for text in websocket.iter_text()`
        return isinstance(term, t.Call) and self.sockets.of(term.receiver) is not None

    @cached_property
    def dialling(self) -> set[Function]:
        """The functions that make a new connection."""
        return {function for function, _, _ in self.sockets.made}

    def _heard_after(self, function: Function, step: Step) -> set[Step]:
        """The steps after a receive that brought something: not those where it failed, nor those after the loop."""
        key = ("heard", function, step)
        if key not in self.module.memo:
            cfg = function.cfg
            labels = ("next", "true", "false")
            if step.kind == "iterate":
                first = [edge.target for edge in step.edges if edge.label == "true"]
                inside = cfg.reachable(step, avoiding={step}, labels=labels)
                outside = cfg.reachable(cfg.entry, avoiding=set(first))
                heard = {s for s in inside if s not in outside} | set(first)
            else:
                # What is deferred runs when the function ends, and not because something was heard.
                heard = cfg.reachable(step, labels=labels, avoiding=set(cfg.of_kind("registered")))
                failures = self.failures(function, step)
                if failures:
                    heard = {
                        s
                        for s in heard
                        if not any(id(f.term) in failures and f.holds for f in cfg.known_at(s))
                    }
            self.module.memo[key] = heard
        found: set[Step] = self.module.memo[key]
        return found

    def failures(self, function: Function, step: Step) -> set[int]:
        """The tests of a call's own error result (`err != nil`), by identity of their terms."""
        holders = self.holders(function, step)
        return {
            id(test.term)
            for test in function.cfg.of_kind("test")
            if test.term is not None
            and any(
                isinstance(term, t.Binary)
                and holds == (term.op == "!=")
                and term.op in ("==", "!=")
                and is_null(term.right)
                and isinstance(term.left, t.Ref)
                and term.left.place in holders
                for term, holds in implied(test.term, True, self.module)
            )
        }

    def holders(self, function: Function, step: Step) -> set[Place]:
        """The places that get a call's result, or one of its results."""
        return {
            store.target.place
            for _, store in function.cfg.assignments
            if isinstance(store.target, t.Ref) and _given(store.value) is step.term
        }


def _given(value: t.Term) -> t.Term:
    """The call whose result a value is."""
    if isinstance(value, t.Result):
        value = value.call
    if isinstance(value, t.Suspend) and value.value is not None:
        value = value.value
    return value
