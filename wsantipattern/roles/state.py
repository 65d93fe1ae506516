"""State guards: a condition that says a socket is open by the socket's own word, in any spelling."""

from __future__ import annotations

from dataclasses import dataclass

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Fact, facts_at
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.liveness import Liveness
from wsantipattern.roles.socket import Socket, Sockets


@dataclass(frozen=True, slots=True, eq=False)
class GuardedSend:
    """A send that only the socket's own state guards."""

    function: Function
    step: Step
    call: t.Call
    socket: Socket
    fact: Fact
    confidence: Confidence

    @property
    def place(self) -> Place:
        place = self.call.receiver_place
        assert place is not None
        return place


class States:
    """The state guards of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, sockets: Sockets, liveness: Liveness) -> None:
        self.module = module
        self.knowledge = knowledge
        self.sockets = sockets
        self.liveness = liveness

    def guarded_sends(self, function: Function) -> list[GuardedSend]:
        """The sends of a function that trust the socket's own state and nothing else."""
        found: list[GuardedSend] = []
        seen: set[t.Extent] = set()
        for step, call in function.cfg.calls:
            place = call.receiver_place
            if place is None or call.extent in seen or not self._may_send(call):
                continue
            guard = self._guard(function, step, place)
            if guard is None:
                continue
            fact, socket, confidence = guard
            if not self._sends(call, socket) or self._is_live(function, step, call, socket):
                continue
            seen.add(call.extent)
            found.append(GuardedSend(function, step, call, socket, fact, confidence))
        return found

    def by_owner(self) -> list[list[GuardedSend]]:
        """All such sends of the module, those of one owner (class, outermost function) and socket together."""
        groups: dict[object, list[GuardedSend]] = {}
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for send in self.guarded_sends(function):
                groups.setdefault((_owner(function), send.place.name), []).append(send)
        for group in groups.values():
            group.sort(key=lambda send: send.call.extent)
        return sorted(groups.values(), key=lambda group: group[0].call.extent)

    def _may_send(self, call: t.Call) -> bool:
        return call.method in self.knowledge.names("socket", "sends") or any(
            call.method in library.sends for library in self.sockets.libraries
        )

    def _sends(self, call: t.Call, socket: Socket) -> bool:
        if socket.library is not None:
            return call.method in socket.library.sends or call.method in self.knowledge.names(
                "socket", "sends"
            )
        return True

    def _is_live(self, function: Function, step: Step, call: t.Call, socket: Socket) -> bool:
        if socket.transport == "other" or socket.transport == "sse":
            return True
        if self.liveness.is_heartbeat(call) or self.liveness.kept_by_library(socket.library):
            return True
        if any(
            self.liveness.carries(f.term) and not self._says_state(f) for f in self._facts(function, step)
        ):
            return True
        return self.liveness.watched

    def _facts(self, function: Function, step: Step) -> list[Fact]:
        """What holds at a step; for a function that is only called, also what holds at each call."""
        found = facts_at(function, step)
        shared: list[Fact] | None = None
        for caller, call_step in callers(function):
            here = facts_at(caller, call_step)
            shared = here if shared is None else [f for f in shared if any(_same(f, g) for g in here)]
        return found + (shared or [])

    def _says_state(self, fact: Fact) -> bool:
        return self._state_of(fact) is not None

    def _guard(self, function: Function, step: Step, place: Place) -> tuple[Fact, Socket, Confidence] | None:
        """The fact that says `place` is open, with the socket it speaks of."""
        for fact in self._facts(function, step):
            told = self._state_of(fact)
            if told is None:
                continue
            subject, confidence = told
            if subject != place and not place.starts_with(subject):
                continue
            socket = self.sockets.at(place)
            if socket is None:
                if confidence < Confidence.HIGH:
                    continue
                # Compared with a WebSocket constant: that is what it is.
                return fact, self.sockets.unnamed(place, fact.term.extent), confidence
            if socket.library is None and confidence >= Confidence.HIGH:
                return fact, socket, confidence
            return fact, socket, Confidence.HIGH if socket.evidence.is_strong else Confidence.MEDIUM
        return None

    def _state_of(self, fact: Fact) -> tuple[Place, Confidence] | None:
        """The socket's place that a fact calls open, and how surely the fact speaks of a WebSocket."""
        term, holds = fact.term, fact.holds
        if isinstance(term, t.Binary) and term.op in ("==", "!=", "in"):
            for state, constant in ((term.left, term.right), (term.right, term.left)):
                if not isinstance(state, t.Ref) or not state.place.path:
                    continue
                parent = state.place.parent
                if parent is None or state.place.name not in self._state_fields(parent):
                    continue
                return self._compared(parent, constant, holds == (term.op != "!="))
            return None
        if isinstance(term, t.Ref) and term.place.path:
            parent = term.place.parent
            wanted = self._flags(parent).get(term.place.name) if parent is not None else None
            if parent is not None and wanted is holds:
                return _owner_of_flag(parent), Confidence.MEDIUM
        if isinstance(term, t.Call) and term.receiver_place is not None:
            wanted = self._flags(term.receiver_place).get(term.method)
            if wanted is holds:
                return term.receiver_place, Confidence.MEDIUM
        return None

    def _compared(self, socket: Place, constant: t.Term, equal: bool) -> tuple[Place, Confidence] | None:
        value = self.module.value_of(constant)
        name = value.place.name if isinstance(value, t.Ref) else ""
        if isinstance(value, t.Constant):
            if value.kind == "number" and value.value == 1 and equal:
                return socket, Confidence.MEDIUM
            if isinstance(value.value, str) and value.value.upper() in ("OPEN", "CONNECTED") and equal:
                # A data channel and a media source call their states by strings; a WebSocket by numbers.
                known = self.sockets.at(socket)
                return (
                    (socket, Confidence.MEDIUM) if known is not None and known.library is not None else None
                )
            return None
        if isinstance(constant, t.Ref) and not name:
            name = constant.place.name
        said_open = name in self.knowledge.names("socket", "open_constants") or (
            isinstance(constant, t.Ref)
            and constant.place.name in self.knowledge.names("socket", "open_constants")
        )
        if said_open and equal:
            canonical = self.module.canonical(constant) or ""
            of_socket = isinstance(constant, t.Ref) and constant.place.parent == socket
            sure = of_socket or canonical.split(".")[0] in ("WebSocket", "ws")
            return socket, Confidence.HIGH if sure else Confidence.MEDIUM
        if name in self.knowledge.names("socket", "closed_constants") and not equal:
            return socket, Confidence.MEDIUM
        return None

    def _state_fields(self, socket: Place) -> frozenset[str]:
        known = self.sockets.at(socket)
        general = self.knowledge.names("socket", "state_fields")
        if known is not None and known.library is not None:
            return general | frozenset(known.library.facts.get("state_fields", []))
        return general

    def _flags(self, socket: Place) -> dict[str, bool]:
        """Fields and methods of a socket that say it is open (True) or closed (False)."""
        known = self.sockets.at(socket)
        if known is None and socket.path:
            parent = socket.parent
            known = self.sockets.at(parent) if parent is not None else None
        if known is None or known.library is None:
            return {}
        return {
            **dict.fromkeys(known.library.facts.get("open_flags", []), True),
            **dict.fromkeys(known.library.facts.get("closed_flags", []), False),
        }


def _owner_of_flag(place: Place) -> Place:
    """`ws.sock.connected` speaks of `ws`."""
    return place.parent if place.path and place.name == "sock" and place.parent is not None else place


def _same(first: Fact, second: Fact) -> bool:
    from wsantipattern.model.flow import atom

    one, other = atom(first.term), atom(second.term)
    if one is None or other is None:
        return first.term is second.term and first.holds == second.holds
    return one[0] == other[0] and (one[1] == first.holds) == (other[1] == second.holds)


def _owner(function: Function) -> object:
    """The class a function belongs to, or else the outermost function around it."""
    outermost = function
    for outer in (function, *function.ancestors):
        if outer.owner is not None:
            return outer.owner
        if outer.kind != "top":
            outermost = outer
    return outermost
