"""Keepalive: whether a library or a server keeps a connection alive by itself, and which messages are heartbeats."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.socket import Library, Sockets
from wsantipattern.roles.timer import Timers
from wsantipattern.roles.words import any_of, of_place, split


class Keepalive:
    """The heartbeats of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, sockets: Sockets, timers: Timers) -> None:
        self.module = module
        self.knowledge = knowledge
        self.sockets = sockets
        self.timers = timers
        self._pauses = knowledge.names("timer", "sleeps") | knowledge.names("timer", "pauses")

    def kept_by_library(self, library: Library | None) -> bool:
        """Whether the library itself notices a dead peer here, by default or because an option is on."""
        if library is None:
            # Something that is named like a socket, beside a library that keeps its own alive.
            return any(
                self._is_kept(lib.keepalive, lib.facts)
                for lib in self.sockets.libraries
                if lib.keepalive == "default" and self.sockets.imports(lib)
            ) or self._is_served_alive(False)
        if library.keepalive == "server":
            return self._is_served_alive(True)
        return self._is_kept(library.keepalive, library.facts)

    @cached_property
    def loops_back(self) -> t.Extent | None:
        """Where the file makes its connections, if all of them are to this very machine, by a literal address."""
        made = [call for _, call, _ in self.sockets.made]
        return made[0].extent if made and all(map(self._is_to_itself, made)) else None

    def _is_to_itself(self, call: t.Call) -> bool:
        given = call.arguments[0] if call.arguments else None
        value = self.module.value_of(given) or given
        while isinstance(value, (t.Template, t.Binary)):
            # `ws://localhost:${port}/`, `"" + "ws://localhost:" + port`
            parts = [p for p in value.children() if not (isinstance(p, t.Constant) and p.value == "")]
            value = parts[0] if parts else None
        text = value.value if isinstance(value, t.Constant) else None
        if not isinstance(text, str):
            return False
        try:
            host = urlsplit(text).hostname
        except ValueError:
            return False
        return host in self.knowledge.names("liveness", "loopback")

    def _is_kept(self, keepalive: str, facts: dict[str, Any]) -> bool:
        if keepalive == "default":
            return not self.sockets.has_option(facts.get("off", []))
        if keepalive == "option":
            return self.sockets.has_option(facts.get("on", []))
        return False

    def _is_served_alive(self, otherwise: bool) -> bool:
        """Whether the server that the file names keeps its connections alive; `otherwise` where it names none."""
        named = [
            entry
            for entry in self.knowledge.entries("socket", "server")
            if any(self.module.imports_from(name) for name in entry["modules"])
        ]
        return any(self._is_kept(e["keepalive"], e) for e in named) if named else otherwise

    def is_heartbeat(self, function: Function, call: t.Call) -> bool:
        """Whether what a call sends is itself the sign of life.

        A control frame; a message that is a ping by its literal content or by its words; a constant that a timer sends
        again and again; whatever a function named for it sends.
        """
        wanted = self.knowledge.names("words", "heartbeat")
        controls = self.knowledge.names("socket", "control_types")
        if any_of(split(function.name.rpartition(".")[2]), wanted):
            return True
        values = [*call.arguments, *(value for _, value in call.keywords)]
        if values and self._is_repeated(function) and all(self._is_fixed(v) for v in values):
            return True
        for argument in values:
            value = self.module.value_of(argument) or argument
            for part in (*argument.walk(), *value.walk()):
                if isinstance(part, t.Constant) and isinstance(part.value, str) and len(part.value) < 200:
                    if any_of(split(part.value), wanted):
                        return True
                elif isinstance(part, t.Record):
                    if any(name is not None and any_of(split(name), wanted) for name, _ in part.entries):
                        return True
                elif isinstance(part, (t.Call, t.Ref)):
                    name = part.method if isinstance(part, t.Call) else part.place.name
                    words = of_place(part.place) if isinstance(part, t.Ref) else ()
                    if name in controls or any_of(words, wanted):
                        return True
        return False

    def is_farewell(self, function: Function, step: Step, connection: Place) -> bool:
        """Whether a send says goodbye, by its words, while the connection ends.

        The function has just marked the end (`closing = True`) or closes after it, and nothing else is sent after it.
        """
        call, wanted = step.call, self.knowledge.names("words", "farewell")
        if call is None or not self._speaks_of(call, wanted):
            return False
        ends = self.knowledge.names("liveness", "ends")
        cfg, closes, looped = function.cfg, False, False
        for later in cfg.reachable(step):
            if later is step or later.call is None or later.call.receiver_place is None:
                looped = looped or later is step
                continue
            if later.call.receiver_place == connection or later.call.receiver_place == call.receiver_place:
                if later.call.method == call.method and later is not step:
                    return False
                closes = closes or later.call.method in ends
        # In a loop it is not the last message, unless what follows the loop closes.
        return closes or any(
            not looped
            and isinstance(store.value, t.Constant)
            and store.value.value is True
            and cfg.dominates(at, step)
            for at, store in cfg.assignments
        )

    def is_greeting(self, function: Function, step: Step, depth: int = 3) -> bool:
        """Whether a send runs only as its connection has opened, before anything is waited for: the peer has just answered."""
        if any(other.suspends and function.cfg.reaches(other, step) for other in function.cfg.steps):
            return False
        heard, called = self.sockets.events.of_handler(function), list(callers(function))
        opened = self.knowledge.names("liveness", "opened")
        if not all(registration.event in opened for registration in heard):
            return False
        if depth <= 0 or not all(self.is_greeting(caller, at, depth - 1) for caller, at in called):
            return False
        within = function.parent is not None and function.parent.kind != "top"
        own = function.is_private if function.kind == "method" else within
        return bool(heard) or (own and bool(called) and not self._is_handed_on(function))

    def _is_handed_on(self, function: Function) -> bool:
        """Whether something is given a function, and may run it when it likes: `setInterval(announce, 1000)`."""
        name = function.name.rpartition(".")[2]
        return not name or any(
            self.module.resolve_value(argument) is function
            for user in self.module.functions_mentioning(name)
            for _, call in user.cfg.calls
            for argument in call.arguments
        )

    def _speaks_of(self, call: t.Call, wanted: frozenset[str]) -> bool:
        """Whether the names or texts of what a call sends have one of the words."""
        for argument in call.arguments:
            value = self.module.value_of(argument) or argument
            parts = [*argument.walk(), *value.walk()]
            for part in list(parts):
                inner = self.module.value_of(part.receiver) if isinstance(part, t.Call) else None
                parts.extend(inner.walk() if inner is not None else ())
            for part in parts:
                if isinstance(part, t.Constant):
                    words = split(part.value) if isinstance(part.value, str) and len(part.value) < 200 else ()
                elif isinstance(part, t.Ref):
                    words = of_place(part.place)
                else:
                    continue
                if any_of(words, wanted):
                    return True
        return False

    def _is_repeated(self, function: Function) -> bool:
        """Whether a function is the callback of a timer that fires again and again."""
        if function.parent is None:
            return False
        for _, call in function.parent.host.cfg.calls:
            arming = self.timers.arming_of(call, 0)
            if (
                arming is not None
                and arming.repeats
                and arming.callback is not None
                and self.module.resolve_value(call.argument(arming.callback)) is function
            ):
                return True
        return False

    def is_paced(self, function: Function, call: t.Call) -> bool:
        """Whether a call sends the same in a loop that waits a set time each round: it sleeps, or takes ticks."""
        cfg, values = function.cfg, [*call.arguments, *(value for _, value in call.keywords)]
        return (
            bool(values)
            and all(map(self._is_fixed, values))
            and any(
                self._bides_time(function, other)
                for step in cfg.steps_of(call)
                for other in cfg.reachable(step)
                if step in cfg.reachable(other)
            )
        )

    def _bides_time(self, function: Function, step: Step) -> bool:
        for term in step.term.walk() if step.term is not None else ():
            if isinstance(term, t.Call):
                name = self.module.canonical(term.callee) or ""
                if name in self._pauses:
                    return True
            elif isinstance(term, t.Ref) and step.suspends and term.place.path:
                ticker = term.place.parent
                for _, store in self.module.stores_to(ticker) if ticker is not None else ():
                    made = self.timers.arming_of(store.value, 0) if isinstance(store.value, t.Call) else None
                    if made is not None and made.repeats:
                        return True
        return False

    def _is_fixed(self, term: t.Term) -> bool:
        value = self.module.value_of(term) or term
        if isinstance(value, t.Call):
            # `JSON.stringify({...})`, `"x".encode()`; a call without anything fixed brings something new.
            inner = [*value.arguments, *([value.receiver] if isinstance(value.receiver, t.Constant) else [])]
            return bool(inner) and all(self._is_fixed(part) for part in inner)
        return isinstance(value, (t.Constant, t.Record, t.Sequence)) and all(
            self._is_fixed(part) for part in value.children()
        )
