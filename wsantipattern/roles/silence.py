"""Silence: whether a module notices that nothing comes, by time, and closes or replaces its connection.

A timer that closes is cleared when the peer answers; a receive has a deadline or a time limit; a wait for an answer
closes when its time is over; a ping waits for its pong. Counts and ages that code compares are `liveness`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import atom, implied
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.hearing import DEPTH, Hearing
from wsantipattern.roles.socket import Sockets
from wsantipattern.roles.timer import Timers

Mark = str | Binding
"""A field by its name (other closures name other roots), or a variable."""

CLEARS = frozenset({"clearTimeout", "clearInterval", "cancel", "Stop", "remove_timeout"})


class Silence:
    """What one module does when nothing comes."""

    def __init__(
        self, module: Module, knowledge: Knowledge, sockets: Sockets, timers: Timers, hearing: Hearing
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.sockets = sockets
        self.timers = timers
        self.hearing = hearing

    @property
    def is_noticed(self) -> bool:
        """Whether a time limit of some kind ends a connection whose peer is silent."""
        return bool(self.notice)

    @cached_property
    def notice(self) -> str:
        """How a time limit ends a connection whose peer is silent, as a clause; "" where none does."""
        if self._deadline_is_extended:
            return "a read deadline, which is put off with what the peer sends, ends a silent connection"
        if self._closing_timer_is_cleared:
            return "a timer closes the connection unless the peer answers in time"
        if self._receive_is_limited:
            return "a receive with a time limit ends a silent connection"
        if self._wait_is_limited:
            return "a wait for the peer's answer with a time limit ends a silent connection"
        if self._arm_hangs_up:
            return "a time limit beside the receive hangs up on a silent peer"
        if self._answer_is_dated:
            return "connections are closed by the time of their last answer"
        return "a ping that must be answered ends a silent connection" if self._ping_is_answered else ""

    @cached_property
    def closings(self) -> list[tuple[Function, Step]]:
        """The steps that close or replace a socket."""
        return [
            (function, step)
            for word in sorted(self.knowledge.names("liveness", "ends"))
            for function in self.module.functions_mentioning(word)
            for step in function.cfg.steps
            if step.call is not None and step.call.method == word and not self._is_other(step.call)
        ]

    def _is_other(self, call: t.Call) -> bool:
        """Whether a call ends what is no connection: an observer of a page, a node of an audio graph."""
        place = call.receiver_place
        made = [
            self.module.value_of(store.value)
            for _, store in (self.module.stores_to(place) if place is not None and place.name else ())
            if not is_null(store.value)
        ]
        others = self.knowledge.names("liveness", "others")
        return bool(made) and all(isinstance(value, t.Call) and value.method in others for value in made)

    @cached_property
    def _closing_functions(self) -> set[Function]:
        return {function for function, _ in self.closings} | self.hearing.dialling

    @cached_property
    def _hanging_up(self) -> set[Function]:
        return {function for function, _ in self.closings}

    def gives_up(self, function: Function, step: Step) -> bool:
        """Whether a step closes, replaces the connection, or leaves a loop or a receiving function by raising."""
        if step.kind == "raise":
            return any(e.back for s in function.cfg.steps for e in s.edges)
        call = step.call
        if call is None:
            return False
        if call.method in self.knowledge.names("liveness", "ends"):
            return not self._is_other(call)
        callee = self.module.resolve(call)
        return (
            callee is not None and callee is not function and self._ends(callee, self._closing_functions, 1)
        )

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
    def _closing_timer_is_cleared(self) -> bool:
        """A timeout that closes the socket, cleared or armed anew whenever the peer answers."""
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for step, call in function.cfg.calls:
                given, rearms = self._timeout(call)
                if given is None:
                    continue
                callback = self.module.resolve_value(given)
                if callback is None:
                    # A method that cannot be seen: that an answer calls it off says enough.
                    is_method = isinstance(given, t.Ref) and bool(given.place.path)
                    if is_method and self._is_handled_by_answer(call, rearms):
                        return True
                    continue
                if not self._ends(callback, self._closing_functions, DEPTH):
                    continue
                if (
                    step in self.hearing.endings.get(function, ())
                    and not self._ends(callback, self._hanging_up, DEPTH)
                    and not self._is_put_off(function, call)
                ):
                    continue  # A new attempt after the end, which a bad message may bring about too (Mattermost).
                if step in self.hearing.answers.get(function, ()) or self._is_handled_by_answer(call, rearms):
                    return True
                if not self._ends(callback, self._hanging_up, DEPTH):
                    continue
                if self._is_watchdog(function, call) or self._is_called_off(function, call):
                    return True
        return False

    def _timeout(self, call: t.Call) -> tuple[t.Term | None, frozenset[str]]:
        """What a call runs once after a while, and the methods that put that off."""
        arming = self.timers.arming_of(call, 0)
        if arming is not None:
            once = arming.callback is not None and not arming.repeats
            return (
                call.argument(arming.callback) if once and arming.callback is not None else None
            ), arming.rearms
        # `workerTimers.setTimeout(close, ms)`: another clock, by the same name.
        given = call.argument(0) if call.method in self.knowledge.names("liveness", "after") else None
        return (given if self.module.resolve_value(given) is not None else None), frozenset()

    def _is_called_off(self, function: Function, arming: t.Call) -> bool:
        """Whether other code than the start and the end of a connection clears a timeout that would close it."""
        kept = _keepers(arming)
        if not kept or function in self.hearing.dialling:
            return False
        return any(
            other is not function
            and other not in self.hearing.dialling
            and other not in self._hanging_up
            and step not in self.hearing.openings.get(other, ())
            and step not in self.hearing.endings.get(other, ())
            and not marks.isdisjoint(kept)
            for other, step, marks in self._clears
        )

    @cached_property
    def _clears(self) -> list[tuple[Function, Step, set[Mark]]]:
        """The steps that clear a timer, by themselves or in a function that it is handed to, and what it is kept in."""
        found: list[tuple[Function, Step, set[Mark]]] = []
        for word in sorted(CLEARS):
            for function in self.module.functions_mentioning(word):
                for step, call in function.cfg.calls:
                    if call.method != word:
                        continue
                    cleared = [a.place for a in (*call.arguments, call.receiver) if isinstance(a, t.Ref)]
                    found.append((function, step, {mark_of(place) for place in cleared}))
                    handed = [p for p in function.parameters if Place(p) in cleared]
                    for caller, at in callers(function) if handed else ():
                        given = [
                            at.call.argument(function.parameters.index(p), p.name) if at.call else None
                            for p in handed
                        ]
                        found.append((caller, at, {mark_of(a.place) for a in given if isinstance(a, t.Ref)}))
        return found

    def _is_watchdog(self, function: Function, arming: t.Call) -> bool:
        """Whether a function puts a timeout off, clearing and arming it, and not only when a connection is made."""
        if not self._is_put_off(function, arming) or not function.name or function in self.hearing.dialling:
            return False
        name = function.name.rpartition(".")[2]
        return any(
            call.method == name
            for other in self.module.functions_mentioning(name)
            if other not in self.hearing.dialling
            for step, call in other.cfg.calls
            if step not in self.hearing.openings.get(other, ())
        )

    def _is_put_off(self, function: Function, arming: t.Call) -> bool:
        """Whether the function that arms a timeout also clears the one it has armed before."""
        kept = _keepers(arming)
        return any(other is function and not marks.isdisjoint(kept) for other, _, marks in self._clears)

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
        for steps in self.hearing.answers.values():
            for step in steps:
                call = step.call
                if call is None or call.method not in clears:
                    continue
                for part in call.walk():
                    if isinstance(part, t.Ref) and not kept.isdisjoint(map(mark_of, prefixes(part.place))):
                        return True
                    value = self.module.value_of(part) if isinstance(part, t.Ref) else None
                    for inner in value.walk() if value is not None and value is not part else ():
                        if isinstance(inner, t.Ref) and not kept.isdisjoint(
                            map(mark_of, prefixes(inner.place))
                        ):
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
        for function, step in self.hearing.receives:
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

    @cached_property
    def _wait_is_limited(self) -> bool:
        """A time limit on a receive that leaves when it runs out, or on any other wait that then closes the socket."""
        limits = self.knowledge.names("liveness", "limits")
        received = {id(step.term) for _, step in self.hearing.receives}
        for word in sorted({name.rpartition(".")[2] for name in limits}):
            for function in self.module.functions_mentioning(word):
                for step, call in function.cfg.calls:
                    if self.module.canonical(call.callee) not in limits:
                        continue
                    inside = {id(part) for part in call.walk()}
                    waits = [step]
                    if not any(
                        isinstance(self.module.value_of(a), (t.Call, t.Ref)) for a in call.arguments[:1]
                    ):
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

    def closes_onward(self, function: Function, step: Step) -> bool:
        """Whether a socket is closed from a step on, before a loop goes round again."""
        return self._after_failure([step], lambda s: self._hangs_up(function, s))

    def _hangs_up_when_failed(self, function: Function, step: Step) -> bool:
        return self._after_failure(self._failed_at(function, step), lambda s: self._hangs_up(function, s))

    def _leaves_when_failed(self, function: Function, step: Step) -> bool:
        """Whether a failed receive or ping closes, raises or leaves, and does not only go round its loop again."""
        return self._after_failure(self._failed_at(function, step), lambda s: self._leaves(function, s))

    def _leaves_when_empty(self, function: Function, step: Step) -> bool:
        """The same where nothing was received: `if m is None: ...`."""
        holders = self.hearing.holders(function, step)
        starts: list[Step] = []
        for test in function.cfg.of_kind("test"):
            for edge in test.edges:
                if test.term is None or edge.label not in ("true", "false"):
                    continue
                for term, holds in implied(test.term, edge.label == "true", self.module):
                    decided = atom(term)
                    if decided is not None and decided[0][0] == "set" and decided[0][1] in holders:
                        starts.extend([edge.target] if holds != decided[1] else [])
        return self._after_failure(starts, lambda s: self._leaves(function, s))

    def _leaves(self, function: Function, step: Step) -> bool:
        return step in function.cfg.exits or step.kind in ("return", "raise") or self.gives_up(function, step)

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
        failures = self.hearing.failures(function, step)
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
    def _answer_is_dated(self) -> bool:
        """A function that asks the runtime when a peer was last answered, and ends connections."""
        return any(
            any(call.method == word for _, call in function.cfg.calls)
            and any(self.gives_up(function, step) for step, _ in function.cfg.calls)
            for word in sorted(self.knowledge.names("liveness", "dates"))
            for function in self.module.functions_mentioning(word)
        )

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
                            if any(self._is_given_up_after(function, s) for s in waiting):
                                return True
        return False

    def _is_given_up_after(self, function: Function, step: Step, depth: int = 2) -> bool:
        """Whether a failed ping closes or leaves, here or where its error is returned to: `return c.conn.Ping(ctx)`."""
        if self._leaves_when_failed(function, step):
            return True
        returned = any(
            isinstance(end.statement, t.Return) and end.statement.value is step.term
            for end in function.cfg.of_kind("return")
        )
        return (
            returned
            and depth > 0
            and any(self._is_given_up_after(caller, at, depth - 1) for caller, at in callers(function))
        )

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


def mark_of(place: Place) -> Mark:
    path = tuple(part for part in place.path if part != ELEMENT and part not in ("current", "value"))
    return path[-1] if path else place.root


def prefixes(place: Place) -> Iterator[Place]:
    for length in range(len(place.path) + 1):
        yield Place(place.root, place.path[:length])


def _keepers(term: t.Term) -> set[Mark]:
    """Where a handle is kept: what the call's value is stored in, or the container that takes it."""
    found: set[Mark] = set()
    parent = term.parent
    while parent is not None:
        if isinstance(parent, t.Store) and isinstance(parent.target, t.Ref):
            found.add(mark_of(parent.target.place))
        elif isinstance(parent, t.Call) and parent.receiver_place is not None:
            found.add(mark_of(parent.receiver_place))
        parent = parent.parent
    return found


def _is_set(term: t.Term | None) -> bool:
    return term is not None and not (isinstance(term, t.Constant) and not term.value)
