"""Incoming messages: which terms carry what a peer sent, and over which transport it came.

Strong evidence: a parameter of a registered message handler, an element of `async for` over a socket, the result of
`recv`/`ReadMessage` on a socket, and what is parsed, destructured or computed from these. Weak: the words.
"""

from __future__ import annotations

from dataclasses import dataclass

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.event import Events, Registration
from wsantipattern.roles.evidence import Evidence, strong, weak
from wsantipattern.roles.socket import Library, Sockets
from wsantipattern.roles.words import any_of, of_place

DEPTH = 6


@dataclass(frozen=True, slots=True)
class Message:
    """Where content comes from. `transport` is `websocket`, `sse`, `socket.io`, `other`, or "" where unknown."""

    transport: str
    evidence: Evidence
    library: Library | None = None


class Messages:
    """The incoming content of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self._bindings: dict[Binding, Message | None] = {}

    def in_term(self, term: t.Term | None, depth: int = DEPTH) -> Message | None:
        """The message that a term carries something of: through fields, calls, operations and constant variables."""
        if term is None or depth <= 0:
            return None
        received = self._received(term)
        if received is not None:
            return received
        if isinstance(term, t.Ref):
            found = self.at(term.place, depth)
            return found or (self.in_term(term.key, depth - 1) if term.key is not None else None)
        if isinstance(term, t.Result):
            return self.in_term(term.call, depth)
        if isinstance(term, t.Suspend):
            return self.in_term(term.value, depth)
        best: Message | None = None
        for child in term.children():
            if isinstance(term, t.Call) and child is term.callee:
                # `msg.text.trim()` carries the message; `parse(...)` does through its arguments.
                child = term.receiver or child
                if isinstance(child, t.Ref) and child.place.root.kind in ("import", "global"):
                    continue
            found = self.in_term(child, depth - 1)
            if found is not None and (best is None or found.evidence.confidence > best.evidence.confidence):
                best = found
        return best

    def at(self, place: Place, depth: int = DEPTH) -> Message | None:
        """The message that a place is or is part of: decided by its root; by its words where the file has no more."""
        root = place.root
        strong_ = self._of_binding(root, depth)
        if strong_ is not None:
            return strong_
        if root.kind == "global" and any_of(of_place(place), self.knowledge.names("words", "message")):
            # In a fragment the names are all there is.
            return Message("", weak((0, 0), f"`{place}` is named like an incoming message"))
        return None

    def handler_message(self, function: Function) -> Message | None:
        """The message that a handler, or a function that is only called with messages, works on."""
        for parameter in function.parameters:
            found = self._of_binding(parameter, DEPTH)
            if found is not None:
                return found
        return None

    def _of_binding(self, binding: Binding, depth: int) -> Message | None:
        if binding in self._bindings:
            return self._bindings[binding]
        if depth <= 0:
            return None
        self._bindings[binding] = None
        found = (
            self._parameter(binding, depth) if binding.kind == "parameter" else self._variable(binding, depth)
        )
        self._bindings[binding] = found
        return found

    def _parameter(self, binding: Binding, depth: int) -> Message | None:
        function = binding.scope
        if function is None or binding not in function.parameters:
            return None
        for registration in self.events.of_handler(function):
            if registration.event not in self.knowledge.names("event", "lifecycle"):
                transport, library = self._transport(registration)
                if transport == "timer":
                    continue
                return Message(
                    transport,
                    strong(
                        function.name_extent,
                        f"`{binding.name}` is what a `{registration.event}` event brings",
                    ),
                    library,
                )
        index = function.parameters.index(binding)
        for caller, step in callers(function):
            del caller
            if step.call is None:
                continue
            found = self.in_term(step.call.argument(index, binding.name), depth - 1)
            if found is not None:
                return found
        return None

    def _transport(self, registration: Registration) -> tuple[str, Library | None]:
        socket = self.sockets.of(registration.emitter)
        if socket is not None and (socket.library is not None or registration.event == "message"):
            return socket.transport, socket.library
        if (
            isinstance(registration.emitter, t.Ref)
            and registration.word == "property"
            and registration.event == "message"
        ):
            return "", None
        return "", None

    def _variable(self, binding: Binding, depth: int) -> Message | None:
        if binding.kind != "local" or binding.scope is None:
            return None
        for _, store in self.module.stores_to(Place(binding)):
            value = store.value
            if isinstance(value, t.Element) and store.declares:
                socket = self.sockets.of(value.subject)
                if socket is not None and socket.evidence.is_strong:
                    return Message(
                        socket.transport, strong(value.extent, "read from the socket here"), socket.library
                    )
            found = self.in_term(value, depth - 1)
            if found is not None:
                return found
        return None

    def _received(self, term: t.Term) -> Message | None:
        """`await ws.recv()`, `conn.ReadMessage()`: the call that reads a message from a socket."""
        call = term.value if isinstance(term, t.Suspend) else term
        if not isinstance(call, t.Call) or call.method not in self.knowledge.names("message", "receives"):
            return None
        socket = self.sockets.of(call.receiver)
        if socket is None:
            return None
        return Message(socket.transport, strong(call.extent, "read from the socket here"), socket.library)
