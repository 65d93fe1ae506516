"""Liveness: what in a module shows that the peer was heard, and whether a dead link is noticed and closed.

Strong evidence is structural: something is set when the peer answers, wears out by itself (it counts, ages, or is taken
back while waiting), and is read before a send or before closing; or silence ends the connection by time (`silence`).
Words (healthy, pong, missed) count only towards silence, and only where the file has no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Fact, atom, facts_at, implied, returns
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.cell import Cells, Write
from wsantipattern.roles.hearing import Hearing
from wsantipattern.roles.silence import Mark, Silence, mark_of, prefixes
from wsantipattern.roles.socket import Sockets
from wsantipattern.roles.words import any_of, of_place, split

TOLD = "told"
"""The value of a mark that is a number or a time."""

PUTS = frozenset({"add", "set", "append", "push"})
TAKES = frozenset({"delete", "discard", "remove", "pop"})


class Liveness:
    """The signs of life of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        sockets: Sockets,
        hearing: Hearing,
        silence: Silence,
        cells: Cells,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.sockets = sockets
        self.hearing = hearing
        self.silence = silence
        self.cells = cells

    @cached_property
    def marks(self) -> dict[Mark, set[object]]:
        """What is set when the peer answers and wears out otherwise, with what it is set to.

        The values are True, False, None, and `TOLD` for a number or a time.
        """
        found: dict[Mark, list[tuple[Place, t.Term]]] = {}
        for steps in self.hearing.answers.values():
            for step in steps:
                for place, value, counts in self.cells.written(step):
                    if value is None or counts or (step.store is not None and step.store.declares):
                        continue
                    if place.is_local and not self._is_captured(place):
                        continue
                    held = self.sockets.at(place) if is_null(value) else None
                    if held is not None and held.evidence.is_strong:
                        continue  # The server asked to come back later (eris): the connection itself is let go.
                    if self._is_time(value) or isinstance(value, t.Constant) or self._is_counted(value):
                        found.setdefault(mark_of(place), []).append((place, value))
        worn: dict[Mark, set[object]] = {
            mark: {_kind(value) for _, value in settings}
            for mark, settings in found.items()
            if any(self._wears(*s) for s in settings)
        }
        for place, call in self._kept_by_answers:
            if self._is_dated(call):
                worn.setdefault(mark_of(place), set()).add(TOLD)
        return worn

    def is_mark(self, place: Place) -> bool:
        """Whether a place is one that the peer's answer sets."""
        return mark_of(place) in self.marks

    @cached_property
    def _kept_by_answers(self) -> list[tuple[Place, t.Call]]:
        """The calls of an answer that put something in a container, or take it out."""
        return [
            (step.call.receiver_place, step.call)
            for steps in self.hearing.answers.values()
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
                (other.method in opposite or _takes_back(call, other))
                and other.receiver_place is not None
                and mark_of(other.receiver_place) == mark_of(place)
                and not any(
                    step in steps.get(function, ())
                    for steps in (self.hearing.answers, self.hearing.openings, self.hearing.endings)
                )
                for function in self.module.functions_mentioning(place.name)
                for step, other in function.cfg.calls
            ):
                found.add(mark_of(place))
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

    def _is_counted(self, value: t.Term) -> bool:
        """Whether other code counts what an answer catches up with: `acked = sent`, and `sent += 1` with each beat."""
        return isinstance(value, t.Ref) and any(
            (write.steps or (isinstance(write.value, t.Binary) and write.value.op in ("+", "-")))
            and write.step not in self.hearing.answers.get(write.function, ())
            for write in self.cells.writes(value.place)
        )

    def _wears(self, place: Place, value: t.Term) -> bool:
        """Whether what an answer sets tells less and less: a time, or something that other code takes back."""
        if self._is_time(value) or self._is_counted(value):
            return True
        if not isinstance(value, t.Constant):
            return False
        for write in self.cells.writes(place):
            if write.step in self.hearing.answers.get(write.function, ()):
                continue
            if write.steps:
                if value.kind == "number":
                    return True
                continue
            if self._is_beginning(write) or write.step in self.hearing.endings.get(write.function, ()):
                continue
            other = write.value
            if value.kind == "null":
                if other is not None and not is_null(other):
                    return True
            elif isinstance(other, t.Constant):
                if other.kind == value.kind and other.value != value.value:
                    return True
            elif value.kind == "number" and isinstance(other, t.Binary) and other.op in ("+", "-"):
                # `missed = missed + 1`
                return True
        return False

    def _is_beginning(self, write: Write) -> bool:
        """Whether a write gives a cell its first value, of the object or of a connection."""
        store = write.step.store
        return (
            write.record is not None
            or (store is not None and store.declares)
            or write.function.kind in ("constructor", "top")
            or write.function in self.hearing.dialling
            or (
                write.step in self.hearing.openings.get(write.function, ())
                and not self._also_runs_later(write.function)
            )
        )

    def _also_runs_later(self, function: Function) -> bool:
        """Whether what runs when a connection opens also runs while it is open: the first beat, which a timer repeats."""
        return any(
            caller not in self.hearing.openings
            and caller not in self.hearing.endings
            and caller not in self.hearing.dialling
            and caller.kind not in ("constructor", "top")
            for caller, _ in callers(function)
        )

    def reads_mark(self, term: t.Term, depth: int = 4) -> bool:
        """Whether a condition reads something that the peer's answer sets, directly or through variables."""
        for part in term.walk():
            if isinstance(part, t.Store):
                # `if (++missed > 2)`
                part = part.target
            if not isinstance(part, t.Ref):
                continue
            if any(mark_of(place) in self.marks for place in prefixes(part.place)):
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
        values = self.marks.get(mark_of(place)) if place is not None else None
        if values is not None and len(values) == 1 and TOLD not in values:
            return (bool(next(iter(values))) == holds) == heard
        return self.reads_mark(fact.term)

    def tells(self, fact: Fact) -> bool:
        """Whether a fact says something of the peer's life, and not only of the socket's state."""
        return self._says(fact, True) or (not self.reads_mark(fact.term) and self.carries(fact.term))

    def carries(self, term: t.Term, depth: int = 3) -> bool:
        """Whether a condition reads something of the peer's life, here or in the functions that it calls."""
        if self.reads_mark(term) or self._waited_for(term):
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

    def _waited_for(self, term: t.Term) -> bool:
        """Whether a condition reads what a wait for an answer gave: `await Promise.race([once(ws, "pong"), ...])`."""
        value = self.module.value_of(term)
        return (
            value is not None
            and value is not term
            and any(
                isinstance(part, t.Call)
                and any(
                    isinstance(a, t.Constant) and a.value in self.knowledge.names("liveness", "heard")
                    for a in part.arguments[1:]
                )
                for part in value.walk()
            )
        )

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
            isinstance(w.value, (t.Constant, t.Ref))
            and w.step not in self.hearing.answers.get(w.function, ())
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

    @cached_property
    def watched(self) -> bool:
        """Whether the module closes or replaces its socket when the peer has not been heard."""
        return bool(self.watch[0])

    @cached_property
    def watch(self) -> tuple[str, t.Extent | None]:
        """How the module closes or replaces its socket when the peer has not been heard, as a clause ("" where it does
        not), and where."""
        if self.silence.is_noticed:
            return self.silence.notice, None
        closing = self._closes_on_silence
        if closing is not None:
            return "the connection is given up when the peer has not been heard", closing
        strike = self._counts_strikes
        if strike is not None:
            return "unanswered beats are counted, and too many of them close the connection", strike
        if self._is_handed_over:
            return "the socket or its server is handed to something that is named for watching over it", None
        return "", None

    @cached_property
    def _closes_on_silence(self) -> t.Extent | None:
        """Where the connection is given up because the peer has not been heard."""
        for function in self._readers:
            for step in function.cfg.steps:
                if self.silence.gives_up(function, step) and any(
                    # Raising because a handshake is missing gives nothing up; raising because of an age or a count does.
                    (step.kind != "raise" or (isinstance(fact.term, t.Binary) and not _asks_null(fact.term)))
                    and self._says(fact, False)
                    for fact in facts_at(function, step)
                ):
                    return step.extent
        for function in self._readers:
            for step in function.cfg.steps:
                if self._leaves_loop(function, step):
                    return step.extent
        for function in self.module.all_functions:
            if function.is_inlined or not any(
                self._is_of_age(asked)
                for step in function.cfg.of_kind("test")
                if step.term is not None
                for holds in (True, False)
                for asked, _ in implied(step.term, holds, self.module)
            ):
                continue
            for step in function.cfg.steps:
                if self.silence.gives_up(function, step) and any(
                    self._is_of_age(fact.term) for fact in facts_at(function, step)
                ):
                    return step.extent
        # What is counted or dated may be kept in another file: then its words are all there is.
        hangs_up = self.knowledge.names("liveness", "hangs_up")
        for function, step in self.silence.closings:
            if (
                step.call is not None
                and step.call.method in hangs_up
                # What runs because the peer was heard answers no silence.
                and step not in self.hearing.answers.get(function, ())
                and any(
                    self._tells_of_silence(fact.term) or self._asks_waiting(fact.term)
                    for fact in facts_at(function, step)
                )
            ):
                return step.extent
        return None

    def _is_of_age(self, term: t.Term) -> bool:
        """Whether a condition holds the age of something against a limit, and other code than the start makes it young
        again: `now - peer.lastSeen > STALE`. Another file may hear the peer and say so."""
        if not isinstance(term, t.Binary) or term.op not in ("<", ">", "<=", ">="):
            return False
        for side in (term.left, term.right):
            age = self.module.value_of(side) or side
            if not (isinstance(age, t.Binary) and age.op == "-"):
                continue
            since, now = age.right, self.module.value_of(age.left) or age.left
            if (
                isinstance(since, t.Ref)
                and since.place.path
                and self._is_time(now)
                and any(
                    write.value is not None
                    and self._is_time(write.value)
                    and not self._is_beginning(write)
                    and write.function.kind == "method"
                    and not self._sends_in(write.function)
                    for write in self.cells.writes(since.place)
                )
            ):
                return True
        return False

    def _sends_in(self, function: Function) -> bool:
        """Whether a function speaks on a connection itself: that this side has spoken says nothing of the peer."""
        return any(
            call.receiver is not None
            and (socket := self.sockets.of(call.receiver)) is not None
            and (socket.library is None or call.method in socket.library.sends)
            for _, call in function.cfg.calls
        )

    def _leaves_loop(self, function: Function, step: Step) -> bool:
        """Whether a test of an age or a count leaves a loop, after which the connection is closed: `break`, then `close()`."""
        if step.kind != "test" or step.term is None:
            return False
        asked = [term for holds in (True, False) for term, _ in implied(step.term, holds, self.module)]
        if not any(isinstance(a, t.Binary) and not _asks_null(a) and self.reads_mark(a) for a in asked):
            return False
        ways = [
            not edge.back and self.silence.closes_onward(function, edge.target)
            for edge in step.edges
            if edge.label in ("true", "false")
        ]
        return any(ways) and not all(ways)

    @cached_property
    def _is_handed_over(self) -> bool:
        """A socket or its server is given to something from elsewhere that is named for liveness."""
        return any(
            isinstance(call.callee, t.Ref)
            and call.callee.place.root.kind == "import"
            and self._has_words(call.callee)
            and any(self.sockets.is_served(argument) for argument in call.arguments)
            for function in self.module.all_functions
            if not function.is_inlined
            for _, call in function.cfg.calls
        )

    def _asks_waiting(self, term: t.Term) -> bool:
        """`if (waiting.has(ws))`, `if ws in waiting`"""
        asked: t.Term | None = None
        if isinstance(term, t.Call) and term.method in ("has", "includes", "get"):
            asked = term.receiver
        elif isinstance(term, t.Binary) and term.op == "in":
            asked = term.right
        return isinstance(asked, t.Ref) and mark_of(asked.place) in self._waiting

    def _tells_of_silence(self, term: t.Term) -> bool:
        if self._waited_for(term):
            return True
        if isinstance(term, t.Ref) and not any_of(
            of_place(term.place), self.knowledge.names("words", "verdict")
        ):
            # `if (heartbeatTimer)` asks for the timer.
            return False
        return not _asks_null(term) and self.carries(term)

    @property
    def _readers(self) -> Iterator[Function]:
        """The functions that name a mark, and those that name a getter or predicate that does."""
        seen: set[Function] = set()
        names = [mark if isinstance(mark, str) else mark.name for mark in self.marks]
        for name in names:
            for function in self.module.functions_mentioning(name):
                if function not in seen:
                    seen.add(function)
                    yield function
        asked = {f.name.rpartition(".")[2] for f in seen if any(value is not None for value, _ in returns(f))}
        for name in sorted(asked - {""}):
            for function in self.module.functions_mentioning(name):
                if function not in seen:
                    seen.add(function)
                    yield function

    @cached_property
    def _counts_strikes(self) -> t.Extent | None:
        """A count that closes the connection when it grows, and that other code sets back: unanswered beats."""
        for function, step in self.silence.closings:
            for fact in facts_at(function, step):
                term = fact.term
                if not isinstance(term, t.Binary) or term.op not in ("<", ">", "<=", ">=", "=="):
                    continue
                for side in (term.left, term.right):
                    place = self.cells.read(side)
                    if place is not None and not place.is_local and self._is_strike(function, place):
                        return step.extent
        return None

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
            and w.step not in self.hearing.openings.get(w.function, ())
            and w.function not in self.hearing.dialling
            for w in writes
        )


def _conditions(function: Function) -> Iterator[t.Term]:
    """What a function tests and returns."""
    for step in function.cfg.of_kind("test", "return"):
        if step.term is not None:
            yield step.term
        elif isinstance(step.statement, t.Return) and step.statement.value is not None:
            yield step.statement.value


def _takes_back(call: t.Call, other: t.Call) -> bool:
    """Whether two calls put opposite truths in a container: `answered.set(ws, true)`, `answered.set(ws, false)`."""
    if call.method != other.method or not call.arguments or not other.arguments:
        return False
    one, two = call.arguments[-1], other.arguments[-1]
    return (
        isinstance(one, t.Constant)
        and isinstance(two, t.Constant)
        and one.kind == two.kind == "bool"
        and one.value != two.value
    )


def _asks_null(term: t.Term) -> bool:
    return isinstance(term, t.Binary) and (is_null(term.left) or is_null(term.right))


def _kind(value: t.Term) -> object:
    if isinstance(value, t.Constant) and value.kind in ("bool", "null"):
        return value.value
    return TOLD
