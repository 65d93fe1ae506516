"""Liveness: what in a module shows that the peer was heard, and whether a dead link is noticed and closed.

Strong evidence is structural: something is set when the peer answers (in a message or pong handler, after a receive)
and read before a send or before closing; a timer that closes is cleared when the peer answers; a library's own
heartbeat is on. Words (healthy, pong, missed) count only towards silence, and only where the file has no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import facts_at
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Binding, Place
from wsantipattern.roles.event import Events
from wsantipattern.roles.socket import Library, Sockets
from wsantipattern.roles.timer import Timers
from wsantipattern.roles.words import any_of, of_place, split

Mark = str | Binding
"""A place that is set when the peer answers: by its field's name (other closures name other roots), or a variable."""

DEPTH = 2


class Liveness:
    """The signs of life of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets, timers: Timers
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.timers = timers

    # -- the peer answers ------------------------------------------------------------------------

    @cached_property
    def answers(self) -> list[tuple[Function, Step]]:
        """The steps that run because the peer was heard: of message and pong handlers, and after a receive."""
        found: list[tuple[Function, Step]] = []
        heard = self.knowledge.names("liveness", "heard")
        for registration in self.events.registrations(*heard):
            found.extend(self._run_by(registration.handler, DEPTH))
        receives = self.knowledge.names("message", "receives")
        for word in sorted(receives):
            for function in self.module.functions_mentioning(word):
                for step, call in function.cfg.calls:
                    if call.method == word and self.sockets.of(call.receiver) is not None:
                        found.extend(self._after(function, step))
        for function in self._loops_over_sockets:
            for step in function.cfg.of_kind("iterate"):
                if step.suspends and self.sockets.of(step.term) is not None:
                    found.extend(self._after(function, step))
        return found

    @property
    def _loops_over_sockets(self) -> Iterator[Function]:
        for function in self.module.all_functions:
            if (
                not function.is_inlined
                and b"for" in self.module.text[function.extent[0] : function.extent[1]]
            ):
                yield function

    def _after(self, function: Function, step: Step) -> Iterator[tuple[Function, Step]]:
        for reached in function.cfg.reachable(step):
            yield function, reached
            yield from self._called(function, reached, DEPTH - 1)

    def _run_by(self, function: Function, depth: int) -> Iterator[tuple[Function, Step]]:
        for step in function.cfg.steps:
            yield function, step
            yield from self._called(function, step, depth - 1)

    def _called(self, function: Function, step: Step, depth: int) -> Iterator[tuple[Function, Step]]:
        if depth >= 0 and step.kind == "call" and step.call is not None:
            callee = self.module.resolve(step.call)
            if callee is not None and callee is not function:
                yield from self._run_by(callee, depth)

    @cached_property
    def marks(self) -> set[Mark]:
        """What is set when the peer answers: to zero, true or false, nothing, or the time."""
        found: set[Mark] = set()
        for function, step in self.answers:
            del function
            if step.store is None or step.target is None or step.store.declares:
                continue
            if step.target.is_local and not self._is_captured(step.target):
                continue
            if self._is_sign(step.store.value):
                found.add(_mark(step.target))
        return found

    def _is_captured(self, place: Place) -> bool:
        scope = place.root.scope
        return scope is None or any(
            f is not scope.host and place.root.kind == "local"
            for f in self.module.functions_mentioning(place.root.name)
        )

    def _is_sign(self, value: t.Term) -> bool:
        if isinstance(value, t.Constant):
            return value.kind in ("number", "bool", "null")
        if isinstance(value, t.Call):
            name = self.module.typed_name(value.callee) or ""
            return name in self.knowledge.names("liveness", "clocks") or value.method in self.knowledge.names(
                "liveness", "clock_methods"
            )
        return False

    def reads_mark(self, term: t.Term, depth: int = 4) -> bool:
        """Whether a condition reads something that the peer's answer sets, directly or through variables."""
        for part in term.walk():
            if not isinstance(part, t.Ref):
                continue
            if any(_mark(place) in self.marks for place in _prefixes(part.place)):
                return True
            value = self.module.value_of(part)
            if value is not None and value is not part and depth > 0 and self.reads_mark(value, depth - 1):
                return True
        return False

    # -- facts -----------------------------------------------------------------------------------

    def carries(self, term: t.Term) -> bool:
        """Whether an atomic condition says something of the peer's life, and not only of the socket's state."""
        if self.reads_mark(term):
            return True
        if isinstance(term, t.Call):
            callee = self.module.resolve(term)
            if callee is not None and any(
                self.reads_mark(step.term) for step in callee.cfg.steps if step.term is not None
            ):
                return True
            if callee is not None and callee.cfg.steps and not self._has_words(term):
                return False
        return self._has_words(term)

    def _has_words(self, term: t.Term) -> bool:
        wanted = self.knowledge.names("words", "liveness")
        for part in term.walk():
            if isinstance(part, t.Ref) and any_of(of_place(part.place), wanted):
                return True
            if isinstance(part, (t.Field,)) and any_of(split(part.name), wanted):
                return True
        return False

    # -- a dead peer is noticed ------------------------------------------------------------------

    @cached_property
    def watched(self) -> bool:
        """Whether the module closes or replaces its socket when the peer has not been heard."""
        return self._closes_on_silence or self._deadline_is_extended or self._closing_timer_is_cleared

    @cached_property
    def _closes_on_silence(self) -> bool:
        if not self.marks:
            return False
        return any(
            any(self.reads_mark(fact.term) for fact in facts_at(function, step))
            for function, step in self._endings
        )

    @cached_property
    def _endings(self) -> list[tuple[Function, Step]]:
        """The steps that close or replace a socket."""
        found = []
        words = self.knowledge.names("liveness", "ends")
        for word in sorted(words):
            for function in self.module.functions_mentioning(word):
                for step, call in function.cfg.calls:
                    if call.method == word:
                        found.append((function, step))
        return found

    @cached_property
    def _closing_timer_is_cleared(self) -> bool:
        """A timeout that closes the socket, cleared or armed anew whenever the peer answers."""
        endings: set[Function] = {function for function, _ in self._endings}
        ending_calls = set(endings)
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for timer in self.timers.armed_in(function):
                callback = timer.callback
                if callback is None or not self._ends(callback, ending_calls, DEPTH):
                    continue
                clears = self.timers.clears(timer.arming)
                for answering, step in self.answers:
                    if clears.may_at(answering, step, timer.place) or (step is timer.step):
                        return True
        return False

    def _ends(self, function: Function, endings: set[Function], depth: int) -> bool:
        if function in endings:
            return True
        if depth <= 0:
            return False
        for _, call in function.cfg.calls:
            callee = self.module.resolve(call)
            if callee is not None and callee is not function and self._ends(callee, endings, depth - 1):
                return True
        return False

    @cached_property
    def _deadline_is_extended(self) -> bool:
        """A read deadline (Go) or a timeout around the receive (Python): silence ends the loop."""
        return any(
            call.method in self.knowledge.names("liveness", "deadlines")
            for word in sorted(self.knowledge.names("liveness", "deadlines"))
            for function in self.module.functions_mentioning(word)
            for _, call in function.cfg.calls
        )

    # -- libraries -------------------------------------------------------------------------------

    def kept_by_library(self, library: Library | None) -> bool:
        """Whether the library itself notices a dead peer here, by default or because an option is on."""
        if library is None:
            return False
        if library.keepalive == "default":
            return not self._has_option(library.facts.get("off", []))
        if library.keepalive == "option":
            return self._has_option(library.facts.get("on", []))
        if library.keepalive == "server":
            return any(
                name in self.module.imports for name in self.knowledge.names("liveness", "pinging_servers")
            )
        return False

    def _has_option(self, options: list[dict[str, str]]) -> bool:
        """Whether some call or options object of the file gives one of the options (a given value, where one is named)."""
        for option in options:
            word = option["keyword"]
            for function in self.module.functions_mentioning(word):
                for step in function.cfg.steps:
                    for name, value in _options(step):
                        is_null = isinstance(value, t.Constant) and not value.value
                        if name == word and is_null == (option.get("value") == "null"):
                            return True
        return False

    def is_heartbeat(self, call: t.Call) -> bool:
        """Whether what a call sends is itself the sign of life: a ping by its literal content, or by its words."""
        wanted = self.knowledge.names("words", "heartbeat")
        for argument in call.arguments:
            value = self.module.value_of(argument) or argument
            for part in (*argument.walk(), *value.walk()):
                if isinstance(part, t.Constant) and isinstance(part.value, str) and len(part.value) < 200:
                    if any_of(split(part.value), wanted):
                        return True
                elif isinstance(part, t.Record):
                    if any(name is not None and any_of(split(name), wanted) for name, _ in part.entries):
                        return True
                elif isinstance(part, t.Ref) and any_of(of_place(part.place), wanted):
                    return True
        return False


def _mark(place: Place) -> Mark:
    return place.name if place.path else place.root


def _prefixes(place: Place) -> Iterator[Place]:
    for length in range(len(place.path) + 1):
        yield Place(place.root, place.path[:length])


def _options(step: Step) -> Iterator[tuple[str, t.Term]]:
    if step.term is None:
        return
    for part in step.term.walk():
        if isinstance(part, t.Call):
            yield from part.keywords
        elif isinstance(part, t.Record):
            yield from ((name, value) for name, value in part.entries if name is not None)
