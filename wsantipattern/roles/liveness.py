"""Liveness: what in a module shows that the peer was heard, and whether a dead link is noticed and closed.

Strong evidence is structural: something is set when the peer answers (in a message or pong handler, after a receive),
wears out by itself (it counts, ages, or is taken back while waiting), and is read before a send or before closing; a
timer that closes is cleared when the peer answers; a receive has a time limit; a ping waits for its pong; a library's
own heartbeat is on. Words (healthy, pong, missed) count only towards silence, and only where the file has no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Fact, atom, facts_at
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.roles.cell import Cells, Write
from wsantipattern.roles.event import Events
from wsantipattern.roles.socket import Library, Sockets
from wsantipattern.roles.timer import Timers
from wsantipattern.roles.words import any_of, of_place, split

Mark = str | Binding
"""A place that is set when the peer answers: by its field's name (other closures name other roots), or a variable."""

Steps = dict[Function, set[Step]]

DEPTH = 2

TOLD = "told"
PUTS = frozenset({"add", "set", "append", "push"})
TAKES = frozenset({"delete", "discard", "remove", "pop"})
CLEARS = frozenset({"clearTimeout", "clearInterval", "cancel", "Stop", "remove_timeout"})


class Liveness:
    """The signs of life of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        sockets: Sockets,
        timers: Timers,
        cells: Cells,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.timers = timers
        self.cells = cells

    # -- when code runs --------------------------------------------------------------------------

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
            if (
                not function.is_inlined
                and b"for" in self.module.text[function.extent[0] : function.extent[1]]
            ):
                for step in function.cfg.of_kind("iterate"):
                    if step.suspends and self._iterates_socket(step.term):
                        found.append((function, step))
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
            self.sockets.of(call.receiver) is not None
        ):
            return True
        return (self.module.canonical(call.callee) or "") in self._receivers

    def _iterates_socket(self, term: t.Term | None) -> bool:
        if self.sockets.of(term) is not None:
            return True
        # `async for text in websocket.iter_text()`
        return isinstance(term, t.Call) and self.sockets.of(term.receiver) is not None

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
                heard = cfg.reachable(step, labels=labels)
                failures = self._failures(function, step)
                if failures:
                    heard = {
                        s
                        for s in heard
                        if not any(id(f.term) in failures and f.holds for f in cfg.known_at(s))
                    }
            self.module.memo[key] = heard
        found: set[Step] = self.module.memo[key]
        return found

    def _failures(self, function: Function, step: Step) -> set[int]:
        """The tests of a call's own error result (`err != nil`), by identity of their terms."""
        holders = self._holders(function, step)
        return {
            id(test.term)
            for test in function.cfg.of_kind("test")
            if isinstance(test.term, t.Binary)
            and test.term.op == "!="
            and is_null(test.term.right)
            and isinstance(test.term.left, t.Ref)
            and test.term.left.place in holders
        }

    def _holders(self, function: Function, step: Step) -> set[Place]:
        """The places that get a call's result, or one of its results."""
        return {
            store.target.place
            for _, store in function.cfg.assignments
            if isinstance(store.target, t.Ref) and _given(store.value) is step.term
        }

    # -- marks -----------------------------------------------------------------------------------

    @cached_property
    def marks(self) -> dict[Mark, set[object]]:
        """What is set when the peer answers and wears out otherwise, with what it is set to.

        The values are True, False, None, and `TOLD` for a number or a time.
        """
        found: dict[Mark, list[tuple[Place, t.Term]]] = {}
        for steps in self.answers.values():
            for step in steps:
                for place, value, counts in self.cells.written(step):
                    if value is None or counts or (step.store is not None and step.store.declares):
                        continue
                    if place.is_local and not self._is_captured(place):
                        continue
                    if self._is_time(value) or isinstance(value, t.Constant):
                        found.setdefault(_mark(place), []).append((place, value))
        worn: dict[Mark, set[object]] = {
            mark: {_kind(value) for _, value in settings}
            for mark, settings in found.items()
            if any(self._wears(*s) for s in settings)
        }
        for place, call in self._kept_by_answers:
            if self._is_dated(call):
                worn.setdefault(_mark(place), set()).add(TOLD)
        return worn

    @cached_property
    def _kept_by_answers(self) -> list[tuple[Place, t.Call]]:
        """The calls of an answer that put something in a container, or take it out."""
        return [
            (step.call.receiver_place, step.call)
            for steps in self.answers.values()
            for step in steps
            if step.call is not None
            and step.call.receiver_place is not None
            and step.call.method in PUTS | TAKES
        ]

    def _is_dated(self, call: t.Call) -> bool:
        """Whether a container is given the time: `seen.set(ws, Date.now())`."""
        return any(self._is_time(argument) for argument in call.arguments)

    @cached_property
    def _waiting(self) -> set[Mark]:
        """Containers of which an answer takes what other code has put in, or the other way round: who is waited for."""
        found: set[Mark] = set()
        for place, call in self._kept_by_answers:
            opposite = TAKES if call.method in PUTS else PUTS
            if any(
                other.method in opposite
                and other.receiver_place is not None
                and _mark(other.receiver_place) == _mark(place)
                and not any(
                    step in steps.get(function, ()) for steps in (self.answers, self.openings, self.endings)
                )
                for function in self.module.functions_mentioning(place.name)
                for step, other in function.cfg.calls
            ):
                found.add(_mark(place))
        return found

    def _is_captured(self, place: Place) -> bool:
        scope = place.root.scope
        return scope is None or any(
            f is not scope.host and place.root.kind == "local"
            for f in self.module.functions_mentioning(place.root.name)
        )

    def _is_time(self, value: t.Term) -> bool:
        for part in value.walk():
            if isinstance(part, t.Call):
                name = self.module.typed_name(part.callee) or ""
                if name in self.knowledge.names("liveness", "clocks"):
                    return True
                # A clock of another library: `time.getUnixTime()`, `clock.now()`.
                if not part.arguments and any_of(split(part.method), self.knowledge.names("words", "clock")):
                    return True
        return False

    def _wears(self, place: Place, value: t.Term) -> bool:
        """Whether what an answer sets tells less and less: a time, or something that other code takes back."""
        if self._is_time(value):
            return True
        if not isinstance(value, t.Constant):
            return False
        for write in self.cells.writes(place):
            if write.step in self.answers.get(write.function, ()):
                continue
            if write.steps:
                if value.kind == "number":
                    return True
                continue
            if self._is_beginning(write) or write.step in self.endings.get(write.function, ()):
                continue
            other = write.value
            if value.kind == "null":
                if other is not None and not is_null(other):
                    return True
            elif isinstance(other, t.Constant):
                if other.kind == value.kind and other.value != value.value:
                    return True
            elif other is not None and value.kind == "number":
                # `missed = missed + 1`
                if isinstance(other, t.Binary) and other.op in ("+", "-"):
                    return True
        return False

    def is_mark(self, place: Place) -> bool:
        """Whether a place is one that the peer's answer sets."""
        return _mark(place) in self.marks

    def _is_beginning(self, write: Write) -> bool:
        """Whether a write gives a cell its first value, of the object or of a connection."""
        store = write.step.store
        return (
            write.record is not None
            or (store is not None and store.declares)
            or write.function.kind in ("constructor", "top")
            or write.function in self.dialling
            or write.step in self.openings.get(write.function, ())
        )

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

    def _says(self, fact: Fact, heard: bool) -> bool:
        """Whether a fact reads a mark, and says that the peer was heard (or that it was not)."""
        decided = atom(fact.term)
        place, holds = self.cells.read(fact.term), fact.holds
        if decided is not None and decided[0][0] == "set":
            place, holds = decided[0][1], fact.holds == decided[1]
        values = self.marks.get(_mark(place)) if place is not None else None
        if values is not None and len(values) == 1 and TOLD not in values:
            return (bool(next(iter(values))) == holds) == heard
        return self.reads_mark(fact.term)

    # -- facts -----------------------------------------------------------------------------------

    def tells(self, fact: Fact) -> bool:
        """Whether a fact says something of the peer's life, and not only of the socket's state."""
        return self._says(fact, True) or (not self.reads_mark(fact.term) and self.carries(fact.term))

    def carries(self, term: t.Term, depth: int = 3) -> bool:
        """Whether a condition reads something of the peer's life, here or in the functions that it calls."""
        if self.reads_mark(term):
            return True
        for part in term.walk():
            if isinstance(part, t.Call):
                callee = self.module.resolve(part)
                loaded = self.cells.read(part)
                if callee is not None and callee.cfg.steps:
                    if depth > 0 and any(self.carries(inner, depth - 1) for inner in _conditions(callee)):
                        return True
                elif self._has_words(part.callee) and (loaded is None or not self._is_explained(loaded)):
                    return True
            elif isinstance(part, t.Ref):
                if self._is_callee(part, term) or not self._has_words(part):
                    continue
                getter = self.module.getter_of(part.place)
                if getter is not None:
                    if depth > 0 and any(self.carries(inner, depth - 1) for inner in _conditions(getter)):
                        return True
                elif not self._is_explained(part.place):
                    return True
            elif isinstance(part, t.Field) and any_of(
                split(part.name), self.knowledge.names("words", "liveness")
            ):
                return True
        return False

    def _is_callee(self, ref: t.Ref, term: t.Term) -> bool:
        return any(isinstance(part, t.Call) and part.callee is ref for part in term.walk())

    def _is_explained(self, place: Place) -> bool:
        """Whether the file shows every write of a place, and each is at the start or the end of a connection."""
        value = place.root.initial if not place.path else None
        if value is not None:
            # A variable's only value is looked at by itself, where the fact is taken apart.
            return not isinstance(value, (t.Call, t.Suspend))
        writes = [w for w in self.cells.writes(place) if not is_null(w.value)]
        return bool(writes) and all(
            isinstance(w.value, (t.Constant, t.Ref)) and w.step not in self.answers.get(w.function, ())
            for w in writes
        )

    def _has_words(self, term: t.Term) -> bool:
        wanted = self.knowledge.names("words", "liveness")
        for part in term.walk():
            if isinstance(part, t.Ref) and any_of(of_place(part.place), wanted):
                return True
            if isinstance(part, t.Field) and any_of(split(part.name), wanted):
                return True
        return False

    # -- a dead peer is noticed ------------------------------------------------------------------

    @cached_property
    def watched(self) -> bool:
        """Whether the module closes or replaces its socket when the peer has not been heard."""
        return (
            self._deadline_is_extended
            or self._closes_on_silence
            or self._counts_strikes
            or self._closing_timer_is_cleared
            or self._receive_is_limited
            or self._wait_is_limited
            or self._arm_hangs_up
            or self._ping_is_answered
        )

    @cached_property
    def _closings(self) -> list[tuple[Function, Step]]:
        """The steps that close or replace a socket."""
        return [
            (function, step)
            for word in sorted(self.knowledge.names("liveness", "ends"))
            for function in self.module.functions_mentioning(word)
            for step in function.cfg.steps
            if step.call is not None and step.call.method == word
        ]

    @cached_property
    def _closing_functions(self) -> set[Function]:
        return {function for function, _ in self._closings} | self.dialling

    @cached_property
    def dialling(self) -> set[Function]:
        """The functions that make a new connection."""
        words = {name.rpartition(".")[2] for lib in self.sockets.libraries for name in lib.makes}
        words.update(m for lib in self.sockets.libraries for m in lib.facts.get("make_methods", []))
        return {
            function
            for word in sorted(words)
            for function in self.module.functions_mentioning(word)
            if any(self.sockets.makes(call) for _, call in function.cfg.calls)
        }

    def _gives_up(self, function: Function, step: Step) -> bool:
        """Whether a step closes, replaces the connection, or leaves a loop or a receiving function by raising."""
        if step.kind == "raise":
            return any(e.back for s in function.cfg.steps for e in s.edges)
        call = step.call
        if call is None:
            return False
        if call.method in self.knowledge.names("liveness", "ends"):
            return True
        callee = self.module.resolve(call)
        return (
            callee is not None and callee is not function and self._ends(callee, self._closing_functions, 1)
        )

    @cached_property
    def _closes_on_silence(self) -> bool:
        if any(
            any(
                # Raising because a handshake is missing gives nothing up; raising because of an age or a count does.
                (step.kind != "raise" or (isinstance(fact.term, t.Binary) and not _asks_null(fact.term)))
                and self._says(fact, False)
                for fact in facts_at(function, step)
            )
            for function in self._readers
            for step in function.cfg.steps
            if self._gives_up(function, step)
        ):
            return True
        # What is counted or dated may be kept in another file: then its words are all there is.
        hangs_up = self.knowledge.names("liveness", "hangs_up")
        return any(
            step.call is not None
            and step.call.method in hangs_up
            and any(
                self._tells_of_silence(fact.term) or self._asks_waiting(fact.term)
                for fact in facts_at(function, step)
            )
            for function, step in self._closings
        )

    def _asks_waiting(self, term: t.Term) -> bool:
        """`if (waiting.has(ws))`, `if ws in waiting`"""
        asked: t.Term | None = None
        if isinstance(term, t.Call) and term.method in ("has", "includes"):
            asked = term.receiver
        elif isinstance(term, t.Binary) and term.op == "in":
            asked = term.right
        return isinstance(asked, t.Ref) and _mark(asked.place) in self._waiting

    def _tells_of_silence(self, term: t.Term) -> bool:
        if isinstance(term, t.Ref) and not any_of(
            of_place(term.place), self.knowledge.names("words", "verdict")
        ):
            # `if (heartbeatTimer)` asks for the timer.
            return False
        return not _asks_null(term) and self.carries(term)

    @property
    def _readers(self) -> Iterator[Function]:
        """The functions that name a mark."""
        seen: set[Function] = set()
        for mark in self.marks:
            name = mark if isinstance(mark, str) else mark.name
            for function in self.module.functions_mentioning(name):
                if function not in seen:
                    seen.add(function)
                    yield function

    @cached_property
    def _counts_strikes(self) -> bool:
        """A count that closes the connection when it grows, and that other code sets back: unanswered beats."""
        for function, step in self._closings:
            for fact in facts_at(function, step):
                term = fact.term
                if not isinstance(term, t.Binary) or term.op not in ("<", ">", "<=", ">=", "=="):
                    continue
                for side in (term.left, term.right):
                    place = self.cells.read(side)
                    if place is not None and not place.is_local and self._is_strike(function, place):
                        return True
        return False

    def _is_strike(self, function: Function, place: Place) -> bool:
        writes = self.cells.writes(place)
        counted = [w for w in writes if w.steps]
        if not any(w.function is function for w in counted):
            return False
        return any(
            isinstance(w.value, t.Constant)
            and w.value.value == 0
            and not w.steps
            and w.record is None
            and w.function is not function
            and w.function.kind not in ("constructor", "top")
            and w.step not in self.openings.get(w.function, ())
            and w.function not in self.dialling
            for w in writes
        )

    @cached_property
    def _closing_timer_is_cleared(self) -> bool:
        """A timeout that closes the socket, cleared or armed anew whenever the peer answers."""
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for step, call in function.cfg.calls:
                arming = self.timers.arming_of(call, 0)
                if arming is None or arming.callback is None or arming.repeats:
                    continue
                given = call.argument(arming.callback)
                callback = self.module.resolve_value(given)
                if callback is None:
                    # A method that cannot be seen: that an answer calls it off says enough.
                    is_method = isinstance(given, t.Ref) and bool(given.place.path)
                    if is_method and self._is_handled_by_answer(call, arming.rearms):
                        return True
                    continue
                if not self._ends(callback, self._closing_functions, DEPTH):
                    continue
                if step in self.answers.get(function, ()) or self._is_handled_by_answer(call, arming.rearms):
                    return True
                if not self._ends(callback, self._hanging_up, DEPTH):
                    continue
                if self._is_watchdog(function, call) or self._is_called_off(function, call):
                    return True
        return False

    @cached_property
    def _hanging_up(self) -> set[Function]:
        return {function for function, _ in self._closings}

    def _is_called_off(self, function: Function, arming: t.Call) -> bool:
        """Whether other code than the start and the end of a connection clears a timeout that would close it."""
        kept = _keepers(arming)
        if not kept or function in self.dialling:
            return False
        return any(
            call.method in CLEARS
            and other is not function
            and other not in self.dialling
            and other not in self._hanging_up
            and step not in self.openings.get(other, ())
            and step not in self.endings.get(other, ())
            and any(isinstance(a, t.Ref) and _mark(a.place) in kept for a in (*call.arguments, call.receiver))
            for word in sorted(CLEARS)
            for other in self.module.functions_mentioning(word)
            for step, call in other.cfg.calls
        )

    def _is_watchdog(self, function: Function, arming: t.Call) -> bool:
        """Whether a function puts a timeout off, clearing and arming it, and not only when a connection is made."""
        kept = _keepers(arming)
        cleared = any(
            call.method in CLEARS
            and any(isinstance(a, t.Ref) and _mark(a.place) in kept for a in (*call.arguments, call.receiver))
            for _, call in function.cfg.calls
        )
        if not cleared or not function.name or function in self.dialling:
            return False
        name = function.name.rpartition(".")[2]
        return any(
            call.method == name
            for other in self.module.functions_mentioning(name)
            if other not in self.dialling
            for step, call in other.cfg.calls
            if step not in self.openings.get(other, ())
        )

    def _is_handled_by_answer(self, arming: t.Call, rearms: frozenset[str]) -> bool:
        """Whether an answer clears, resets or takes out the handle of a timer, by the name of where it is kept."""
        kept = _keepers(arming)
        if not kept:
            return False
        clears = {
            "clearTimeout",
            "clearInterval",
            "cancel",
            "Stop",
            "delete",
            "pop",
            "remove_timeout",
            *rearms,
        }
        for steps in self.answers.values():
            for step in steps:
                call = step.call
                if call is None or call.method not in clears:
                    continue
                for part in call.walk():
                    if isinstance(part, t.Ref) and not kept.isdisjoint(map(_mark, _prefixes(part.place))):
                        return True
                    value = self.module.value_of(part) if isinstance(part, t.Ref) else None
                    for inner in value.walk() if value is not None and value is not part else ():
                        if isinstance(inner, t.Ref) and not kept.isdisjoint(
                            map(_mark, _prefixes(inner.place))
                        ):
                            return True
        return False

    def _ends(self, function: Function, closing: set[Function], depth: int) -> bool:
        if function in closing:
            return True
        if depth <= 0:
            return False
        for _, call in function.cfg.calls:
            callee = self.module.resolve(call)
            if callee is not None and callee is not function and self._ends(callee, closing, depth - 1):
                return True
        return False

    @cached_property
    def _deadline_is_extended(self) -> bool:
        """A read deadline (Go) that is no zero time: silence fails the read."""
        for word in sorted(self.knowledge.names("liveness", "deadlines")):
            for function in self.module.functions_mentioning(word):
                for step in function.cfg.steps:
                    call = step.call
                    if call is not None and call.method == word and call.arguments:
                        until = self.module.value_of(call.arguments[0]) or call.arguments[0]
                        if not (isinstance(until, t.Record) and not until.entries):
                            return True
        return False

    @cached_property
    def _receive_is_limited(self) -> bool:
        """A receive that ends by itself when nothing comes, and then leaves its loop or closes."""
        for function, step in self.receives:
            call = step.call
            if call is None:
                continue
            if self._has_limited_context(call):
                return True
            if _is_set(call.argument(99, "timeout")) and (
                self._leaves_when_failed(function, step) or self._leaves_when_empty(function, step)
            ):
                return True
        return any(
            call.method == word and call.arguments and _is_set(call.arguments[0])
            for word in sorted(self.knowledge.names("liveness", "timeouts"))
            for function in self.module.functions_mentioning(word)
            for _, call in function.cfg.calls
            if self.sockets.of(call.receiver) is not None
        )

    @cached_property
    def _wait_is_limited(self) -> bool:
        """A time limit on a receive that leaves when it runs out, or on any other wait that then closes the socket."""
        limits = self.knowledge.names("liveness", "limits")
        received = {id(step.term) for _, step in self.receives}
        for word in sorted({name.rpartition(".")[2] for name in limits}):
            for function in self.module.functions_mentioning(word):
                for step, call in function.cfg.calls:
                    if self.module.canonical(call.callee) not in limits:
                        continue
                    inside = {id(part) for part in call.walk()}
                    waits = [step]
                    if not any(isinstance(a, (t.Call, t.Ref)) for a in call.arguments[:1]):
                        # A block with a limit: `async with timeout(30): await ws.receive()`
                        waits = [s for s in function.cfg.reachable(step) if s.suspends or s.kind == "call"]
                        inside = {id(s.term) for s in waits}
                    if any(self._hangs_up_when_failed(function, s) for s in waits):
                        return True
                    heard = [s for s in waits if id(s.term) in received] or waits[:1]
                    if inside & received and any(self._leaves_when_failed(function, s) for s in heard):
                        return True
        return False

    @cached_property
    def _arm_hangs_up(self) -> bool:
        """A select that closes the socket when a timer is the first to come (Go)."""
        for function in self.module.functions_mentioning("select"):
            cfg = function.cfg
            for step in cfg.of_kind("select"):
                for edge in step.edges:
                    if not self._waits_for_timer(edge.target):
                        continue
                    others = {
                        reached
                        for other in step.edges
                        if other is not edge
                        for reached in (other.target, *cfg.reachable(other.target, avoiding={step}))
                    }
                    own = {edge.target, *cfg.reachable(edge.target, avoiding={step})} - others
                    if any(self._hangs_up(function, s) for s in own):
                        return True
        return False

    def _waits_for_timer(self, step: Step) -> bool:
        """Whether an arm of a select starts by receiving from a timer that fires once."""
        for _ in range(3):
            if step.kind == "suspend" and isinstance(step.term, t.Suspend):
                channel = step.term.value
                if (
                    isinstance(channel, t.Ref)
                    and channel.place.name == "C"
                    and channel.place.parent is not None
                ):
                    made = [store.value for _, store in self.module.stores_to(channel.place.parent)]
                    armings = [self.timers.arming_of(m, 0) for m in made if isinstance(m, t.Call)]
                    return any(arming is not None and not arming.repeats for arming in armings)
                return isinstance(channel, t.Call) and self.module.canonical(
                    channel.callee
                ) in self.knowledge.names("liveness", "alarms")
            if len(step.edges) != 1:
                return False
            step = step.edges[0].target
        return False

    def _hangs_up(self, function: Function, step: Step) -> bool:
        """Whether a step closes a socket, by itself or in the function that it calls."""
        call = step.call
        if call is None:
            return False
        if call.method in self.knowledge.names("liveness", "hangs_up"):
            return self.sockets.of(call.receiver) is not None
        callee = self.module.resolve(call)
        return (
            callee is not None
            and callee is not function
            and any(
                inner.method in self.knowledge.names("liveness", "hangs_up")
                and self.sockets.of(inner.receiver) is not None
                for _, inner in callee.cfg.calls
            )
        )

    def _hangs_up_when_failed(self, function: Function, step: Step) -> bool:
        return self._after_failure(self._failed_at(function, step), lambda s: self._hangs_up(function, s))

    def _has_limited_context(self, call: t.Call) -> bool:
        """Whether the context of a read has a time limit (Go)."""
        contexts = self.knowledge.names("liveness", "contexts")
        for argument in call.arguments[:1]:
            if not isinstance(argument, t.Ref):
                continue
            for _, store in self.module.stores_to(argument.place):
                value = store.value.call if isinstance(store.value, t.Result) else store.value
                if isinstance(value, t.Call) and self.module.canonical(value.callee) in contexts:
                    return True
        return False

    def _leaves_when_failed(self, function: Function, step: Step) -> bool:
        """Whether a failed receive or ping closes, raises or leaves, and does not only go round its loop again."""
        return self._after_failure(self._failed_at(function, step), lambda s: self._leaves(function, s))

    def _leaves_when_empty(self, function: Function, step: Step) -> bool:
        """The same where nothing was received: `if m is None: ...`."""
        holders = self._holders(function, step)
        starts: list[Step] = []
        for test in function.cfg.of_kind("test"):
            decided = atom(test.term)
            if decided is not None and decided[0][0] == "set" and decided[0][1] in holders:
                empty = "false" if decided[1] else "true"
                starts.extend(edge.target for edge in test.edges if edge.label == empty)
        return self._after_failure(starts, lambda s: self._leaves(function, s))

    def _leaves(self, function: Function, step: Step) -> bool:
        return (
            step in function.cfg.exits or step.kind in ("return", "raise") or self._gives_up(function, step)
        )

    def _failed_at(self, function: Function, step: Step) -> list[Step]:
        """Where a call's failure leads: its raise edge, that of its await, and the tests of its own error (Go)."""
        cfg = function.cfg
        sources = [step]
        # The call itself does not raise where it is awaited: the await does.
        sources.extend(
            s
            for s in cfg.of_kind("suspend")
            if s.term is not None and step.term is not None and any(p is step.term for p in s.term.walk())
        )
        found = [edge.target for source in sources for edge in source.edges if edge.label == "raise"]
        failures = self._failures(function, step)
        for test in cfg.of_kind("test"):
            if id(test.term) in failures:
                found.extend(edge.target for edge in test.edges if edge.label == "true")
        return found

    @staticmethod
    def _after_failure(starts: list[Step], wanted: Callable[[Step], bool]) -> bool:
        """Whether what is wanted comes before the loop goes round again."""
        seen: set[Step] = set()
        todo = list(starts)
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            if wanted(here):
                return True
            todo.extend(edge.target for edge in here.edges if not edge.back and edge.label != "raise")
        return False

    @cached_property
    def _ping_is_answered(self) -> bool:
        """A ping that waits for its pong, and closes or leaves without it."""
        for library in self.sockets.libraries:
            for entry in library.facts.get("pings", []):
                if not self.sockets.imports(library):
                    continue
                for function in self.module.functions_mentioning(entry["method"]):
                    for step, call in function.cfg.calls:
                        if call.method == entry["method"] and call.receiver is not None:
                            waiting = [step] if entry["waits"] == "call" else self._waits(function, call)
                            if any(self._leaves_when_failed(function, s) for s in waiting):
                                return True
        return False

    def _waits(self, function: Function, call: t.Call) -> list[Step]:
        """The awaits of what an awaited ping gave: `await (await ws.ping())`, `await wait_for(waiter, 10)`."""
        cfg = function.cfg
        holders = {
            store.target.place
            for _, store in cfg.assignments
            if isinstance(store.target, t.Ref)
            and (store.value.value if isinstance(store.value, t.Suspend) else store.value) is call
        }
        found = []
        for step in cfg.of_kind("suspend"):
            if not isinstance(step.term, t.Suspend) or step.term.value is call or step.term.value is None:
                continue
            parts = list(step.term.value.walk())
            if any(part is call or (isinstance(part, t.Ref) and part.place in holders) for part in parts):
                found.append(step)
        return found

    # -- libraries -------------------------------------------------------------------------------

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

    def _is_kept(self, keepalive: str, facts: dict[str, list[dict[str, str]]]) -> bool:
        if keepalive == "default":
            return not self._has_option(facts.get("off", []))
        if keepalive == "option":
            return self._has_option(facts.get("on", []))
        return False

    def _is_served_alive(self, otherwise: bool) -> bool:
        """Whether the server that the file names keeps its connections alive; `otherwise` where it names none."""
        named = [
            entry
            for entry in self.knowledge.entries("socket", "server")
            if any(self.sockets.imports_module(name) for name in entry["modules"])
        ]
        return any(self._is_kept(e["keepalive"], e) for e in named) if named else otherwise

    def _has_option(self, options: list[dict[str, str]]) -> bool:
        """Whether some call, options object or assignment gives one of the options (a given value, where one is named)."""
        for option in options:
            word = option["keyword"]
            for function in self.module.functions_mentioning(word):
                for step in function.cfg.steps:
                    for name, value in _options(step):
                        value = self.module.value_of(value) or value
                        is_off = isinstance(value, t.Constant) and not value.value
                        if name == word and is_off == (option.get("value") == "null"):
                            return True
        return False

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
                elif isinstance(part, t.Call) and part.method in controls:
                    return True
                elif isinstance(part, t.Ref):
                    if part.place.name in controls or any_of(of_place(part.place), wanted):
                        return True
        return False

    def _is_repeated(self, function: Function) -> bool:
        """Whether a function is the callback of a timer that fires again and again."""
        if function.parent is None:
            return False
        for _, call in function.parent.host.cfg.calls:
            arming = self.timers.arming_of(call, 0)
            if arming is not None and arming.repeats and arming.callback is not None:
                if self.module.resolve_value(call.argument(arming.callback)) is function:
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


def _conditions(function: Function) -> Iterator[t.Term]:
    """What a function tests and returns."""
    for step in function.cfg.of_kind("test", "return"):
        if step.term is not None:
            yield step.term
        elif isinstance(step.statement, t.Return) and step.statement.value is not None:
            yield step.statement.value


def _asks_null(term: t.Term) -> bool:
    return isinstance(term, t.Binary) and (is_null(term.left) or is_null(term.right))


def _kind(value: t.Term) -> object:
    if isinstance(value, t.Constant) and value.kind in ("bool", "null"):
        return value.value
    return TOLD


def _given(value: t.Term) -> t.Term:
    """The call whose result a value is."""
    if isinstance(value, t.Result):
        value = value.call
    if isinstance(value, t.Suspend) and value.value is not None:
        value = value.value
    return value


def _mark(place: Place) -> Mark:
    path = tuple(part for part in place.path if part != ELEMENT and part not in ("current", "value"))
    return path[-1] if path else place.root


def _prefixes(place: Place) -> Iterator[Place]:
    for length in range(len(place.path) + 1):
        yield Place(place.root, place.path[:length])


def _keepers(term: t.Term) -> set[Mark]:
    """Where a handle is kept: what the call's value is stored in, or the container that takes it."""
    found: set[Mark] = set()
    parent = term.parent
    while parent is not None:
        if isinstance(parent, t.Store) and isinstance(parent.target, t.Ref):
            found.add(_mark(parent.target.place))
        elif isinstance(parent, t.Call) and parent.receiver_place is not None:
            found.add(_mark(parent.receiver_place))
        parent = parent.parent
    return found


def _is_set(term: t.Term | None) -> bool:
    return term is not None and not (isinstance(term, t.Constant) and not term.value)


def _options(step: Step) -> Iterator[tuple[str, t.Term]]:
    if step.target is not None and step.target.path and step.store is not None:
        yield step.target.name, step.store.value
        if isinstance(step.store.target, t.Ref) and isinstance(step.store.target.key, t.Constant):
            yield str(step.store.target.key.value), step.store.value
    if step.term is None:
        return
    for part in step.term.walk():
        if isinstance(part, t.Call):
            yield from part.keywords
        elif isinstance(part, t.Record):
            yield from ((name, value) for name, value in part.entries if name is not None)
