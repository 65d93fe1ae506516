"""Wrappers: a flag beside a connection, in the object that holds it, that follows the connection's start and end.

It is written where the connection is made and where it ends, and never by what the peer answers: so it says no more than
the connection's own state. Words count only where the connection has no state of its own to ask.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.flow import Fact, Key, bind, key, returns, substitute
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.cell import Cells, Write
from wsantipattern.roles.hearing import Hearing
from wsantipattern.roles.sending import Sends
from wsantipattern.roles.socket import Library, Sockets
from wsantipattern.roles.words import any_of, of_place, split


@record(frozen=True, slots=True, eq=False)
class _Wanted:
    """What a condition asks of a cell: to have a value, or not to have it; True stands for any true value."""

    place: Place
    value: Key | None
    equal: bool
    words: tuple[str, ...]

    def met_by(self, value: t.Term | None) -> bool | None:
        """Whether a written value lets the condition hold; None where one cannot tell."""
        if self.value is None:
            return bool(value.value) == self.equal if isinstance(value, t.Constant) else None
        if value is None or not isinstance(value, (t.Constant, t.Ref)):
            return None
        return (key(value) == self.value) == self.equal


class Wrappers:
    """The wrappers' flags of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        sockets: Sockets,
        sends: Sends,
        hearing: Hearing,
        cells: Cells,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.sockets = sockets
        self.sends = sends
        self.hearing = hearing
        self.cells = cells

    def says_open(
        self, facts: list[Fact], connection: Place, library: Library
    ) -> tuple[Fact, Place, Confidence] | None:
        """The surest of the facts that ask a flag of the connection's wrapper, with the flag."""
        best: tuple[Fact, Place, Confidence] | None = None
        for fact in facts:
            wanted = self._wanted(fact)
            if wanted is None or not _beside(wanted.place, connection):
                continue
            confidence = self._is_state(wanted, connection, library)
            if confidence is not None and (best is None or confidence > best[2]):
                best = fact, wanted.place, confidence
        if best is not None and not library.facts.get("wrapped") and any(map(self._is_answered, facts)):
            # A flag that the peer sets stands beside it: more than the wrapper's own word.
            return None
        return best

    def _wanted(self, fact: Fact) -> _Wanted | None:
        """What a fact asks of a cell that code of the file writes."""
        term = fact.term
        if isinstance(term, t.Binary) and term.op in ("==", "!="):
            if is_null(term.left) or is_null(term.right):
                return None
            for side, other in ((term.left, term.right), (term.right, term.left)):
                place = self._loaded(side)
                value = key(other) if isinstance(other, (t.Constant, t.Ref)) else None
                if place is None or value is None or not _is_fixed(other):
                    continue
                equal = fact.holds == (term.op == "==")
                words = of_place(other.place) if isinstance(other, t.Ref) else split(str(_text(other)))
                return _Wanted(place, value, equal, (*_last_words(place), *words))
            return None
        if isinstance(term, t.Binary):
            return self._below(term, fact.holds)
        place = self._loaded(term)
        return _Wanted(place, None, fact.holds, _last_words(place)) if place is not None else None

    def _below(self, term: t.Binary, holds: bool) -> _Wanted | None:
        """`state < Closing`, or not `state >= Closing`: at least it is not that one."""
        if (term.op, holds) not in (("<", True), (">=", False)):
            return None
        place, value = self._loaded(term.left), key(term.right)
        if place is None or value is None or not isinstance(term.right, t.Ref) or not _is_fixed(term.right):
            return None
        return _Wanted(place, value, False, (*_last_words(place), *of_place(term.right.place)))

    def _loaded(self, term: t.Term) -> Place | None:
        place = self.cells.read(self.value(term))
        return self.sockets.own(place) if place is not None else None

    def value(self, term: t.Term, depth: int = 3) -> t.Term:
        """What a term is in the end: through variables with one value, getters, and functions that only return a place."""
        value = self.module.value_of(term) or term
        function: Function | None = None
        mapping: dict[Binding, t.Term] = {}
        if isinstance(value, t.Call):
            function = self.module.resolve(value)
            mapping = bind(value, function) if function is not None else {}
        elif isinstance(value, t.Ref):
            function = self.module.getter_of(value.place)
            parent = value.place.parent
            if function is not None and function.owner is not None and parent is not None:
                mapping = {function.owner.this: t.Ref(value.extent, parent)}
        if function is None or depth <= 0:
            return value
        given = [v for v, _ in returns(function)]
        if len(given) != 1 or given[0] is None:
            return value
        return self.value(substitute(given[0], mapping), depth - 1)

    def _is_state(self, wanted: _Wanted, connection: Place, library: Library) -> Confidence | None:
        """Whether a cell follows the start and end of the connection and nothing else."""
        opened = ended = False
        for write in self.cells.writes(wanted.place):
            met = wanted.met_by(write.value) if not write.steps else None
            starts = self._at_start(write, connection)
            if met and not starts and write.step in self.hearing.answers.get(write.function, ()):
                return None
            opened = opened or (met is True and starts)
            ended = ended or (met is False and self._at_end(write, connection))
        wrapped = library.facts.get("wrapped", False)
        if opened and ended and (wrapped or wanted.equal):
            return Confidence.HIGH
        if not wrapped:
            # Its connections have a state of their own, so that a flag beside it can be about anything.
            return None
        if ended and not wanted.equal:
            return Confidence.HIGH
        if any_of(wanted.words, self.knowledge.names("words", "state")):
            return Confidence.MEDIUM
        if (opened or ended) and any_of(wanted.words, self.knowledge.names("words", "phase")):
            return Confidence.MEDIUM
        return None

    def _is_answered(self, fact: Fact) -> bool:
        place = self._loaded(fact.term)
        return place is not None and any(
            write.step in self.hearing.answers.get(write.function, ()) for write in self.cells.writes(place)
        )

    def _at_start(self, write: Write, connection: Place) -> bool:
        """Whether a write belongs to the making of the connection."""
        name = connection.name
        if write.record is not None and any(k == name and not is_null(v) for k, v in write.record.entries):
            return True
        if write.step in self.hearing.openings.get(write.function, ()):
            return True
        if write.function in self.hearing.dialling and write.function.kind != "top":
            # Where the connection's whole life lies in the function, what a loop writes is not its start.
            cfg = write.function.cfg
            return not (_lives_in(connection, write.function) and cfg.reaches(write.step, write.step))
        return any(not is_null(value) for value in self._assigned(write.function, connection))

    def _at_end(self, write: Write, connection: Place) -> bool:
        """Whether a write belongs to the end of the connection."""
        function = write.function
        if write.step in self.hearing.endings.get(function, ()):
            return True
        if any(is_null(value) for value in self._assigned(function, connection)):
            return True
        if _lives_in(connection, function):
            # A `Close` in it, which may be deferred, says nothing of what else the function writes.
            return self._after_failed_send(write)
        ends = self.knowledge.names("liveness", "ends")
        for step in function.cfg.steps:
            call = step.call
            if call is None or call.method not in ends or call.receiver_place is None:
                continue
            place = call.receiver_place
            socket = self.sockets.at(place)
            if place.name == connection.name or (socket is not None and socket.evidence.is_strong):
                return True
        return self._after_failed_send(write)

    def _after_failed_send(self, write: Write) -> bool:
        for fact in write.function.cfg.known_at(write.step):
            term = fact.term
            if not (isinstance(term, t.Binary) and is_null(term.right) and isinstance(term.left, t.Ref)):
                continue
            if fact.holds != (term.op == "!="):
                continue
            for _, store in self.module.stores_to(term.left.place):
                value = store.value.call if isinstance(store.value, t.Result) else store.value
                if isinstance(value, t.Call) and self.sends.of(value) is not None:
                    return True
        return False

    def _assigned(self, function: Function, connection: Place) -> Iterator[t.Term | None]:
        """What a function gives to the connection's field or variable, also in a literal."""
        for _, store in function.cfg.assignments:
            if not isinstance(store.target, t.Ref):
                continue
            target = store.target.place
            if connection.path:
                if target.path and target.name == connection.name:
                    yield store.value
            elif target == connection:
                yield store.value
            for part in store.value.walk():
                if isinstance(part, t.Record) and connection.path:
                    yield from (value for name, value in part.entries if name == connection.name)


def _lives_in(connection: Place, function: Function) -> bool:
    """Whether the connection is a variable of a function."""
    scope = connection.root.scope
    return not connection.path and scope is not None and scope.host is function.host


def _beside(flag: Place, connection: Place) -> bool:
    """Whether a flag is kept in the object that holds the connection, or in one around it."""
    path = flag.path
    while path and path[-1] in (ELEMENT, "current", "value"):
        path = path[:-1]
    plain = Place(flag.root, path)
    if connection.starts_with(plain):
        return False
    parent = plain.parent
    if parent is not None:
        return connection.starts_with(parent)
    # Two variables of one function, or of the module.
    return (
        plain.root.kind == "local"
        and connection.root.kind in ("local", "parameter")
        and plain.root.scope is connection.root.scope
        and not plain.root.constant
    )


def _is_fixed(term: t.Term) -> bool:
    """Whether a term is a literal or a named constant."""
    if isinstance(term, t.Constant):
        return True
    return isinstance(term, t.Ref) and term.key is None and term.place.root.kind != "this"


def _text(term: t.Term) -> object:
    return term.value if isinstance(term, t.Constant) else ""


def _last_words(place: Place) -> tuple[str, ...]:
    return split(place.name)
