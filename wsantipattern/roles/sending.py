"""Sending: the calls that may send on a connection, with the place of the connection they send on.

A method (`ws.send`), a function that takes the connection (`wsjson.Write`), or a send that a hook hands out alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.record import record
from wsantipattern.roles.socket import Library, Sockets


@record(frozen=True, slots=True, eq=False)
class Sending:
    """A call that may send: the connection's place (through aliases), and the library where the call tells it."""

    call: t.Call
    place: Place
    method: str
    shown: str
    library: Library | None


class Sends:
    """The sends of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, sockets: Sockets) -> None:
        self.module = module
        self.sockets = sockets
        self.general = knowledge.names("socket", "sends")
        self._functions = {
            entry["call"]: (entry["argument"], library)
            for library in sockets.libraries
            for entry in library.facts.get("send_functions", [])
        }
        self._methods = self.general.union(
            *(library.sends for library in sockets.libraries if library.transport == "websocket")
        )

    def senders(self) -> Iterator[Function]:
        """The functions that may send, in order."""
        found: set[Function] = set()
        for word in sorted(self._methods | {name.rpartition(".")[2] for name in self._functions}):
            for function in self.module.functions_mentioning(word):
                found.add(function)
                for name in self._handed_out(function, word):
                    found.update(self.module.functions_mentioning(name))
        return iter(sorted(found, key=lambda f: (f.extent[0], -f.extent[1])))

    def _handed_out(self, function: Function, word: str) -> Iterator[str]:
        """The names that a send is taken apart under: `const { sendMessage: push } = useWebSocket(...)`."""
        for _, store in function.cfg.assignments:
            given, target = store.value, store.target
            if not (store.declares and isinstance(given, t.Ref) and isinstance(target, t.Ref)):
                continue
            if given.place.path and given.place.name == word and target.place.is_local:
                yield target.place.name

    def of(self, call: t.Call) -> Sending | None:
        """What a call may send on, or None where it is no send."""
        if not isinstance(call.callee, (t.Ref, t.Field)):
            return None
        told = self._functions.get(self.module.canonical(call.callee) or "")
        if told is not None:
            argument = call.argument(told[0])
            if isinstance(argument, t.Ref):
                return Sending(
                    call, self.sockets.own(argument.place), call.method, str(argument.place), told[1]
                )
            return None
        place = self.sockets.place_of(call.callee)
        parent = place.parent if place is not None else None
        if place is None or parent is None:
            return None
        if place.name not in self._methods:
            return None
        return Sending(call, self.sockets.own(parent), place.name, self._shown(call), None)

    def _shown(self, call: t.Call) -> str:
        """The connection as the user writes it."""
        on, written = call.receiver_place, call.callee.extent
        if on is not None and ELEMENT not in on.path:
            return str(on)
        text = " ".join(self.module.snippet(written).split())
        return text.removesuffix(call.method).rstrip(".?!") or call.method

    def by_library(self, library: Library, sending: Sending) -> bool:
        """Whether a call is a send of this library's connections."""
        return sending.library is library or sending.method in library.sends or sending.method in self.general
