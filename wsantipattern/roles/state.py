"""State guards: a condition that says a socket is open by the socket's own word, in any spelling.

Either the library's word (`readyState`, `closed`, `client_state`), or that of a wrapper (`wrapper`). A send counts where
such a condition guards it and nothing that tells of the peer's life does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Fact, atom, bind, facts_at, implied, returns, substitute
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record
from wsantipattern.roles.keepalive import Keepalive
from wsantipattern.roles.liveness import Liveness
from wsantipattern.roles.relay import Relays
from wsantipattern.roles.sending import Sending, Sends
from wsantipattern.roles.socket import Library, Socket, Sockets
from wsantipattern.roles.words import any_of, of_place
from wsantipattern.roles.wrapper import Wrappers

DEPTH = 2
"""Calls of the file that a send is followed up through, to a guard around the call."""


@record(frozen=True, slots=True, eq=False)
class GuardedSend:
    """A send that only the socket's own state guards.

    Attributes:
        shown: what the send is called on, as written.
        fact: the condition that says open. flag: the wrapper's flag that it reads, or None for the library's state.
    """

    function: Function
    step: Step
    call: t.Call
    place: Place
    shown: str
    fact: Fact
    flag: Place | None
    confidence: Confidence


@record(frozen=True, slots=True, eq=False)
class _Guard:
    fact: Fact
    socket: Socket
    confidence: Confidence
    flag: Place | None = None


class States:
    """The state guards of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        sockets: Sockets,
        sends: Sends,
        wrappers: Wrappers,
        liveness: Liveness,
        keepalive: Keepalive,
        relays: Relays,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.sockets = sockets
        self.sends = sends
        self.wrappers = wrappers
        self.liveness = liveness
        self.keepalive = keepalive
        self.relays = relays
        self._open_names = {n: lib for lib in sockets.libraries for n in lib.facts.get("open_names", [])}
        self._closed_names = {n: lib for lib in sockets.libraries for n in lib.facts.get("closed_names", [])}

    def by_owner(self) -> list[list[GuardedSend]]:
        """The sends of the module that trust the socket's own state and nothing else, those of one owner together.

        An owner is a class, a function that holds the connection in a variable, or the module.
        """
        groups: dict[object, list[GuardedSend]] = {}
        senders = list(self.sends.senders())
        for function in senders:
            for send in self.guarded_sends(function):
                groups.setdefault(_owner(function, send.place), []).append(send)
        if self.module.considered.active:
            for function in self.module.all_functions:
                for _, call in function.cfg.calls if function not in senders else ():
                    self._account_for_no_send(call)
        for group in groups.values():
            group.sort(key=lambda send: send.call.extent)
        return sorted(groups.values(), key=lambda group: group[0].call.extent)

    def guarded_sends(self, function: Function) -> list[GuardedSend]:
        """The sends of a function that trust the socket's own state and nothing else."""
        found: list[GuardedSend] = []
        seen: set[t.Extent] = set()
        for step in function.cfg.of_kind("call", "spawn"):
            sending = self.sends.of(step.call) if step.call is not None else None
            if sending is None:
                if self.module.considered.active and step.call is not None:
                    self._account_for_no_send(step.call)
                continue
            if sending.call.extent in seen:
                continue
            guard = self._guard(function, step, sending.place, sending, DEPTH)
            if guard is None:
                if self.module.considered.active:
                    self._account_for_no_guard(function, step, sending)
                continue
            if self._is_live(function, step, sending, guard.socket):
                continue
            seen.add(sending.call.extent)
            if self.module.considered.active:
                self._account_for(sending, guard)
            found.append(
                GuardedSend(
                    function,
                    step,
                    sending.call,
                    sending.place,
                    sending.shown,
                    guard.fact,
                    guard.flag,
                    self._confidence(function, sending, guard),
                )
            )
        return found

    def _account_for_no_send(self, call: t.Call) -> None:
        """Takes down what is called on a connection and is no send of a WebSocket."""
        on = call.receiver_place
        socket = self.sockets.at(self.sockets.own(on)) if on is not None else None
        if socket is None:
            named = {name for library in self.sockets.libraries for name in (*library.sends, *library.closes)}
            if on is not None and call.method in named:
                self.module.considered.aside(call.extent, "`{}` is not known to be a WebSocket here", on)
            return
        if socket.transport != "websocket":
            self.module.considered.aside(
                call.extent, "`{}` is of the transport {}, no WebSocket", on, socket.transport
            )
        else:
            what = "`{}` sends no content on `{}` that could be lost"
            self.module.considered.aside(call.extent, what, call.method, on)

    def _account_for_no_guard(self, function: Function, step: Step, sending: Sending) -> None:
        """Takes down that nothing on the way to a send says that the connection is open, by its own state."""
        extent = sending.call.extent
        facts = self._facts(function, step, sending.place)
        asked = next((f for f in facts if self._state_of(f) is not None), None)
        if asked is not None:
            what = "`{}` is the state of something else, or is not known to be that of `{}`"
            at = asked.term.extent
            self.module.considered.silent(extent, what, self._shown(at), sending.shown, at=at)
        elif facts:
            at = facts[0].term.extent
            what = "what guards this send (`{}`) is not the state that `{}` itself keeps"
            self.module.considered.silent(extent, what, self._shown(at), sending.shown, at=at)
        else:
            what = "no condition guards this send, so it does not rest on the state of `{}`"
            self.module.considered.silent(extent, what, sending.shown)

    def _account_for(self, sending: Sending, guard: _Guard) -> None:
        """Takes down what made a send a finding."""
        considered, extent = self.module.considered, sending.call.extent
        for at, reason in guard.socket.evidence.reasons[:2]:
            considered.evidence(
                extent, "`{}` is a connection: {}", sending.shown, reason, at=at if at != (0, 0) else None
            )
        at = guard.fact.term.extent
        word = "its wrapper's flag" if guard.flag is not None else "its own state"
        considered.evidence(extent, "`{}` guards the send, by {}", self._shown(at), word, at=at)
        considered.evidence(
            extent, "nothing in the file asks the peer: no answer, no age, no heartbeat, no time limit"
        )
        if guard.confidence < Confidence.HIGH:
            what = "only names say that `{}` is a WebSocket, or that this is its state"
            considered.weaker(extent, what, sending.shown)

    def _shown(self, extent: t.Extent) -> str:
        text = " ".join(self.module.snippet(extent).split())
        return text if len(text) <= 60 else text[:57] + "..."

    def _confidence(self, function: Function, sending: Sending, guard: _Guard) -> Confidence:
        if not self.relays.hands_on(function, sending.call, sending.place):
            return guard.confidence
        what = "what is given is handed on, and the end of `{}` is told to an owner, who may watch over it"
        self.module.considered.weaker(sending.call.extent, what, sending.shown)
        return Confidence.LOW

    def _is_live(self, function: Function, step: Step, sending: Sending, socket: Socket) -> bool:
        considered, extent = self.module.considered, sending.call.extent
        if socket.transport != "websocket":
            considered.silent(extent, "`{}` is no WebSocket but of another transport", sending.shown)
            return True
        if self.keepalive.is_heartbeat(function, sending.call):
            considered.silent(extent, "what is sent here is itself a ping, or as good as one")
            return True
        if self.liveness.marks and self.keepalive.is_paced(function, sending.call):
            # `{"are you": "there"}`: a ping by what is done with its answers.
            considered.silent(extent, "this asks again and again, and what the peer answers is kept")
            return True
        if self.keepalive.is_farewell(function, step, sending.place):
            considered.silent(
                extent,
                "what is sent here is a farewell: the connection ends, and with it all that could be lost",
            )
            return True
        if self.keepalive.is_greeting(function, step):
            considered.silent(
                extent, "this runs as `{}` has opened: the peer has just answered", sending.shown
            )
            return True
        if self.keepalive.loops_back is not None:
            what = "`{}` is a connection to this very machine, whose end is heard at once"
            considered.silent(extent, what, sending.shown, at=self.keepalive.loops_back)
            return True
        if self.keepalive.kept_by_library(socket.library):
            name = socket.library.name if socket.library is not None and socket.library.name else "the server"
            considered.silent(extent, "{} itself notices a dead peer of `{}`", name, sending.shown)
            return True
        facts = self._facts(function, step, sending.place)
        for caller, call_step in callers(function):
            facts.extend(facts_at(caller, call_step))
        for fact in facts:
            if self.liveness.tells(fact) and self._state_of(fact) is None:
                at = fact.term.extent
                what = "`{}` guards it too, and tells of the peer's life"
                considered.silent(extent, what, self._shown(at), at=at)
                return True
        watch, where = self.liveness.watch
        if watch:
            considered.silent(extent, watch, at=where)
        return self.liveness.watched

    def _guard(
        self, function: Function, step: Step, place: Place, sending: Sending, depth: int
    ) -> _Guard | None:
        """What says at a step that the connection at `place` is open: there, or around every call of the function."""
        facts = self._facts(function, step, place)
        found = self._by_library(facts, place, sending) or self._by_wrapper(facts, place, sending)
        if found is not None or depth <= 0:
            return found
        around: _Guard | None = None
        for caller, call_step in callers(function):
            outer = _seen_outside(place, call_step.call, function) if call_step.call is not None else None
            told = (
                self._guard(caller, call_step, self.sockets.own(outer), sending, depth - 1)
                if outer is not None
                else None
            )
            if told is None:
                return None
            around = around or told
        return around

    def _facts(self, function: Function, step: Step, place: Place) -> list[Fact]:
        """What holds at a step, also by the conditions of a comprehension or filter that chose the connection."""
        facts = facts_at(function, step)
        facts.extend(self._promised(function, step, facts))
        facts.extend(self._computed(facts))
        term = step.term
        while term is not None:
            parent = term.parent
            if isinstance(parent, t.Several):
                facts.extend(self._chosen(parent, term))
            term = parent
        if place.root.kind in ("local", "parameter"):
            for _, store in self.module.stores_to(Place(place.root)):
                if store.declares and isinstance(store.value, t.Element):
                    facts.extend(self._filtered(store.value.subject, Place(place.root), store.extent))
        return facts

    def _promised(self, function: Function, step: Step, facts: list[Fact]) -> Iterator[Fact]:
        """What helpers of the file have made sure of: by raising otherwise, or by an error that is now known to be null."""
        for before, call, callee in self._checks(function):
            if function.cfg.dominates(before, step):
                yield from self._held([callee.cfg.known_at(callee.cfg.exit)], call, callee)
        for call, errors in self._null_results(facts).items():
            asked = self.module.resolve(call)
            if asked is not None and asked is not function:
                ways = [known for value, known in returns(asked) if _is_null_at(value, errors)]
                yield from self._held(ways, call, asked)

    def _held(self, ways: list[list[Fact]], call: t.Call, callee: Function) -> Iterator[Fact]:
        """What holds on all of these ways out of a called function, in the caller's terms."""
        mapping = bind(call, callee)
        for shared in _common(ways):
            for term, holds in implied(shared.term, shared.holds, self.module):
                yield Fact(substitute(term, mapping), holds)

    def _checks(self, function: Function) -> list[tuple[Step, t.Call, Function]]:
        """The calls of helpers that raise where something does not hold."""
        key = ("checks", function)
        if key not in self.module.memo:
            self.module.memo[key] = [
                (step, call, callee)
                for step, call in function.cfg.calls
                if (callee := self.module.resolve(call)) is not None
                and callee is not function
                and not callee.is_generator
                and any(True for _ in callee.cfg.of_kind("raise"))
            ]
        found: list[tuple[Step, t.Call, Function]] = self.module.memo[key]
        return found

    def _null_results(self, facts: list[Fact]) -> dict[t.Call, set[int]]:
        """The calls of which the facts know a result to be null, with which; 0 where a call has one."""
        found: dict[t.Call, set[int]] = {}
        for fact in facts:
            decided = atom(fact.term)
            if decided is None or decided[0][0] != "set" or fact.holds == decided[1]:
                continue
            for _, store in self.module.stores_to(decided[0][1]):
                value = store.value
                call, index = (value.call, value.index) if isinstance(value, t.Result) else (value, 0)
                if isinstance(call, t.Call):
                    found.setdefault(call, set()).add(index)
        return found

    def _computed(self, facts: list[Fact]) -> Iterator[Fact]:
        """What follows from the value of a computed variable: `usable.value` of `computed(() => ...)`."""
        for fact in facts:
            term = fact.term
            if not isinstance(term, t.Ref) or term.place.path not in ((), ("value",)):
                continue
            made = term.place.root.initial if term.place.root.constant else None
            if not isinstance(made, t.Call) or made.method not in self.knowledge.names("socket", "computes"):
                continue
            asked = t.Call(term.extent, made.arguments[0]) if made.arguments else None
            if asked is not None:
                yield from (Fact(inner, holds) for inner, holds in implied(asked, fact.holds, self.module))

    def _chosen(self, made: t.Several, last: t.Term) -> Iterator[Fact]:
        """The conditions of a comprehension before one of its parts: `f(p) for p in peers if p.open`."""
        if not (made.operands and isinstance(made.operands[0], t.Store) and made.operands[0].declares):
            return
        for operand in made.operands:
            if operand is last:
                return
            if not isinstance(operand, t.Store):
                yield from (Fact(term, holds) for term, holds in implied(operand, True, self.module))

    def _filtered(self, container: t.Term, element: Place, extent: t.Extent, depth: int = 4) -> list[Fact]:
        """What the filters and comprehensions that a container was made by say of its elements."""
        if depth <= 0:
            return []
        found: list[Fact] = []
        value = self.module.value_of(container) or container
        if isinstance(value, t.Several) and isinstance(value.operands[-1], t.Ref):
            chosen = value.operands[-1].place
            mapping = {chosen.root: t.Ref(extent, element)} if not chosen.path else {}
            found.extend(
                Fact(substitute(fact.term, mapping), fact.holds)
                for fact in self._chosen(value, value.operands[-1])
            )
        elif isinstance(value, t.Call) and value.method == "filter" and value.arguments:
            asked = t.Call(extent, value.arguments[0], [t.Ref(extent, element)])
            found.extend(Fact(term, holds) for term, holds in implied(asked, True, self.module))
            inner = value.receiver if len(value.arguments) == 1 else value.arguments[1]
            found.extend(self._filtered(inner, element, extent, depth - 1) if inner is not None else [])
        elif isinstance(value, t.Call):
            callee = self.module.resolve(value)
            given = [v for v, _ in returns(callee)] if callee is not None else value.arguments[:1]
            if len(given) == 1 and given[0] is not None:
                found.extend(self._filtered(given[0], element, extent, depth - 1))
        return found

    def _by_library(self, facts: list[Fact], place: Place, sending: Sending) -> _Guard | None:
        for fact in facts:
            told = self._state_of(fact)
            if told is None:
                continue
            subject, name, library, confidence = told
            if subject != place and not place.starts_with(subject):
                continue
            socket = self.sockets.at(place)
            if socket is None or (socket.library is None and not socket.evidence.is_strong):
                library = library or self._meant(name, sending)
                if library is not None:
                    apparent = self.sockets.unnamed(place, fact.term.extent)
                    known = replace(apparent, library=library)
                    return _Guard(fact, known, confidence if library.name else Confidence.MEDIUM)
                if name not in self.knowledge.names("socket", "state_fields"):
                    continue
                if sending.method not in self.sends.general or (
                    socket is None and confidence < Confidence.HIGH
                ):
                    continue
                socket = socket or self.sockets.unnamed(place, fact.term.extent)
                return _Guard(fact, socket, confidence)
            if socket.library is not None and not self.sends.by_library(socket.library, sending):
                continue
            return _Guard(fact, socket, Confidence.HIGH if socket.evidence.is_strong else confidence)
        return None

    def _meant(self, name: str, sending: Sending) -> Library | None:
        """The library that the file imports and whose state and send these are, where nothing else tells the type."""
        for library in self.sockets.imported:
            if name not in _state_names(library) or sending.method not in library.sends:
                continue
            if sending.method not in self.sends.general or any_of(
                of_place(sending.place), self.knowledge.names("words", "socket")
            ):
                return library
        return None

    def _by_wrapper(self, facts: list[Fact], place: Place, sending: Sending) -> _Guard | None:
        socket = self.sockets.at(place)
        library = sending.library or (socket.library if socket is not None else None)
        if library is None or not self.sends.by_library(library, sending):
            return None
        if sending.library is None and (socket is None or not socket.evidence.is_strong):
            return None
        known = (
            socket
            if socket is not None and socket.library is not None
            else replace(self.sockets.unnamed(place, sending.call.extent), library=library)
        )
        told = self.wrappers.says_open(facts, place, library)
        return _Guard(told[0], known, told[2], told[1]) if told is not None else None

    def _state_of(self, fact: Fact) -> tuple[Place, str, Library | None, Confidence] | None:
        """The place that a fact calls open by its own state, the state's name, and how surely it is a WebSocket's."""
        term = fact.term
        asked = term.callee if isinstance(term, t.Call) else term if isinstance(term, t.Field) else None
        place = self.sockets.place_of(asked)
        if place is not None:
            flagged = self._flagged(place, fact.holds) if place.path else None
            if flagged is not None:
                return flagged
        decided = atom(term)
        if decided is not None and decided[0][0] == "set":
            place = self.sockets.own(decided[0][1])
            return self._flagged(place, fact.holds == decided[1]) if place.path else None
        for state, op, constant in _comparisons(term):
            value = self.wrappers.value(state)
            place = self.sockets.place_of(value.callee if isinstance(value, t.Call) else value)
            if place is not None and place.path:
                told = self._compared(place, op, constant, fact.holds)
                if told is not None:
                    return told
        return None

    def _flagged(self, place: Place, holds: bool) -> tuple[Place, str, Library | None, Confidence] | None:
        """A field or method of a socket that is true while it is open, or while it is closed."""
        parent = place.parent
        assert parent is not None
        name = place.name
        subject = self._outer(parent)
        known = self.sockets.at(subject)
        if known is not None and known.library is not None:
            candidates = [known.library]
        else:
            candidates = self.sockets.imported
        for library in candidates:
            facts = library.facts
            says = (holds and name in (*facts.get("open_flags", []), *facts.get("inner_open", []))) or (
                not holds and name in facts.get("closed_flags", [])
            )
            if says:
                sure = known is not None and known.evidence.is_strong
                return subject, name, None, Confidence.HIGH if sure else Confidence.MEDIUM
        return None

    def _outer(self, place: Place) -> Place:
        """The connection that a field of it stands for: `ws` of `ws.sock`."""
        parent = place.parent
        if parent is None:
            return place
        known = self.sockets.at(parent)
        if known is not None and known.library is not None:
            return parent if place.name in known.library.facts.get("inner", []) else place
        return place

    def _compared(
        self, state: Place, op: str, constant: t.Term, holds: bool
    ) -> tuple[Place, str, Library | None, Confidence] | None:
        if state.path and state.path[-1] in ("value", "name") and len(state.path) > 1:
            # A signal's or an enumeration member's own content.
            state = Place(state.root, state.path[:-1])
        parent = state.parent
        if parent is None:
            return None
        subject = self._outer(parent)
        if op in ("<", ">", "<=", ">="):
            known = self._state_field(state, subject)
            value = self._plain_value(constant)
            number = value.value if known and isinstance(value, t.Constant) else None
            beyond = {("<", 2): True, ("<=", 1): True, (">", 1): False, (">=", 2): False}
            says = isinstance(number, int) and beyond.get((op, number)) is holds
            return (subject, state.name, None, Confidence.MEDIUM) if says else None
        equal = holds == (op == "==")
        canonical = self.module.canonical(constant) or ""
        named = self._open_names.get(canonical) if equal else self._closed_names.get(canonical)
        if named is not None:
            return subject, state.name, named, Confidence.HIGH
        if not self._state_field(state, subject):
            return None
        known_at = self.sockets.at(subject)
        library = known_at.library if known_at is not None else None
        words = library.facts.get("open_values", []) if library is not None else []
        confidence = self._value_says(constant, canonical, subject, equal, words)
        return (subject, state.name, None, confidence) if confidence is not None else None

    def _state_field(self, state: Place, subject: Place) -> bool:
        """Whether a field is the state of a socket: by its name on any, or by what is known of its library."""
        known = self.sockets.at(subject)
        own = known.library.facts if known is not None and known.library is not None else {}
        return state.name in self.knowledge.names("socket", "state_fields") or state.name in own.get(
            "state_fields", []
        )

    def _value_says(
        self, constant: t.Term, canonical: str, socket: Place, equal: bool, words: list[str]
    ) -> Confidence | None:
        """How surely being equal (or not) to a value says that a socket is open."""
        value = self._plain_value(constant)
        if isinstance(value, t.Constant):
            if value.kind == "number":
                return Confidence.MEDIUM if (value.value == 1) == equal and value.value in (1, 3) else None
            # A data channel and a media source call their states by strings; a WebSocket by numbers.
            return Confidence.HIGH if value.value in words and equal else None
        names = {part.place.name for part in (constant, value) if isinstance(part, t.Ref)}
        if equal and not names.isdisjoint(self.knowledge.names("socket", "open_constants")):
            of_socket = isinstance(constant, t.Ref) and constant.place.parent == socket
            sure = of_socket or canonical.split(".")[0] in ("WebSocket", "ws")
            return Confidence.HIGH if sure else Confidence.MEDIUM
        if not equal and not names.isdisjoint(self.knowledge.names("socket", "closed_constants")):
            return Confidence.MEDIUM
        return None

    def _plain_value(self, constant: t.Term) -> t.Term | None:
        """The value of a constant, also of a member of an object or enumeration of the file."""
        value = self.module.value_of(constant)
        if isinstance(value, t.Ref) and len(value.place.path) == 1:
            members = value.place.root.initial
            if isinstance(members, t.Call) and members.arguments:
                # `Object.freeze({...})`
                members = members.arguments[0]
            if isinstance(members, t.Record):
                return next((v for name, v in members.entries if name == value.place.name), value)
        return value


def _state_names(library: Library) -> frozenset[str]:
    keys = ("state_fields", "open_flags", "closed_flags", "inner_open")
    return frozenset(name for k in keys for name in library.facts.get(k, []))


def _comparisons(term: t.Term) -> Iterator[tuple[t.Term, str, t.Term]]:
    """The ways to read a comparison as (state, operator, constant); `x in (a,)` and `[a].includes(x)` are `==`."""
    if isinstance(term, t.Binary):
        if term.op == "in" and isinstance(term.right, t.Sequence):
            yield from ((term.left, "==", element) for element in term.right.elements)
        elif term.op in ("==", "!="):
            yield term.left, term.op, term.right
            yield term.right, term.op, term.left
        elif term.op in _MIRRORED:
            yield term.left, term.op, term.right
            yield term.right, _MIRRORED[term.op], term.left
    elif isinstance(term, t.Call) and term.method == "includes" and isinstance(term.receiver, t.Sequence):
        yield from ((state, "==", element) for state in term.arguments for element in term.receiver.elements)


_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _common(ways: list[list[Fact]]) -> Iterator[Fact]:
    """The facts of the first way that hold on all of them."""
    for fact in ways[0] if ways else ():
        decided = atom(fact.term)
        if all(
            any(
                other.holds == fact.holds
                and (other.term is fact.term or (decided is not None and atom(other.term) == decided))
                for other in way
            )
            for way in ways[1:]
        ):
            yield fact


def _is_null_at(value: t.Term | None, indexes: set[int]) -> bool:
    """Whether a returned value is null, or has null among its results where the caller saw it."""
    if isinstance(value, t.Sequence):
        return all(index < len(value.elements) and is_null(value.elements[index]) for index in indexes)
    return is_null(value)


def _seen_outside(place: Place, call: t.Call, function: Function) -> Place | None:
    """The name that `place` of the called function has at the call."""
    root = place.root
    if root in function.parameters:
        value = call.argument(function.parameters.index(root), root.name)
        return Place(value.place.root, value.place.path + place.path) if isinstance(value, t.Ref) else None
    if function.owner is not None and root is function.owner.this and call.receiver_place is not None:
        return Place(call.receiver_place.root, call.receiver_place.path + place.path)
    return place


def _owner(function: Function, connection: Place) -> object:
    """The class a send belongs to, the outermost function that holds the connection, or else the module."""
    for outer in (function, *function.ancestors):
        if outer.owner is not None:
            return outer.owner
    scope = connection.root.scope
    if connection.root.kind == "local" and scope is not None and scope.kind != "top":
        outermost = scope
        for outer in scope.ancestors:
            if outer.kind != "top":
                outermost = outer
        return outermost
    return function.module
