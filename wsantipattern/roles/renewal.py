"""Renewals: whether what is kept begins anew with each connection.

True where it is emptied, or replaced by something made without it, on the way through the making or the ending of a
connection: in the function that makes or closes it, in what that calls, in its callers, and in the handlers of its opening
and closing. An emptying outside of the loop that connects again does not count. Knows nothing of who appends.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Binding
from wsantipattern.roles.destination import Destinations
from wsantipattern.roles.event import Events, event_name
from wsantipattern.roles.holder import Holder, Holders, alike
from wsantipattern.roles.message import Message, Messages
from wsantipattern.roles.socket import Sockets

UP, DOWN = 2, 3
"""Calls that an emptying is looked for through, from where a connection begins or ends."""

Turn = tuple[Function, Step | None]
"""A function that runs for each connection, and the step in it where the connection begins or ends; None for a handler."""


class Renewals:
    """What begins anew with each connection in one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        sockets: Sockets,
        messages: Messages,
        holders: Holders,
        destinations: Destinations,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.messages = messages
        self.invocations = messages.invocations
        self.holders = holders
        self.destinations = destinations
        self._turns: list[Turn] | None = None

    def begun_anew(self, kept: Holder) -> t.Extent | None:
        """Where what is kept is emptied whenever a connection is made or ended: what comes again then is wanted."""
        for place in (kept, *self.holders.outside(kept)):
            for function, turn in self._turning():
                found = self._emptied(function, turn, place)
                if found is not None:
                    return found
        return None

    def begun_for_message(
        self, function: Function, step: Step, kept: Holder, message: Message
    ) -> t.Extent | None:
        """Where what is kept is emptied between the taking in of a message and a step that adds to it."""
        cfg = function.cfg
        empties = [
            s
            for s in cfg.steps
            if s is not step and (self._empties_at(function, s, kept) or self._replaces_at(s, kept))
        ]
        if not empties:
            return None
        # A run of a function that takes nothing in has one message.
        taken = [s for s in cfg.steps if s.term is not None and any(s.term is r for r in message.reads)]
        starts = taken or [cfg.entry]
        if any(step in cfg.reachable(start, avoiding=empties) for start in starts):
            return None
        return empties[0].extent

    def _replaces_at(self, step: Step, kept: Holder) -> bool:
        """Whether a step gives a field a value that is made without its old one, or a variable an empty one."""
        store = step.store
        if store is None or store.op is not None or step.target is None:
            return False
        if not step.target.path:
            return kept == Holder(step.target.root) and is_empty(store.value, self.knowledge)
        return self.holders.at(step.target) == kept and not any(
            (held := self.holders.of(part)) is not None and held.near(kept)
            for part in store.value.walk()
            if isinstance(part, t.Ref)
        )

    # -- where connections begin and end -----------------------------------------------------------

    def _turning(self) -> list[Turn]:
        if self._turns is None:
            self._turns = list(dict.fromkeys([*self._handlers(), *self._links()]))
        return self._turns

    def _handlers(self) -> Iterator[Turn]:
        names = ("open", "connect", "connected", "reconnect", "connection", "close", "closed", "disconnect")
        for registration in self.events.registrations(*names):
            yield registration.handler, None
        for function in self.module.functions:
            word = function.name.rpartition(".")[2]
            owner = function.owner
            named = owner is not None and word.startswith("on_") and event_name(word) in names
            if named and owner is not None and self.messages.is_endpoint(owner):
                yield function, None

    def _links(self) -> Iterator[Turn]:
        for function in self.module.all_functions:
            if function.is_inlined or self._runs_once(function):
                continue
            for step in function.cfg.steps:
                if self._makes(step) or self._ends(step):
                    turn = self._looped(function, step) or step
                    yield function, turn
                    if not self._comes_again(function, turn):
                        yield from self._above(function, UP, {function})

    def _looped(self, function: Function, link: Step) -> Step | None:
        """The rounds of a loop over what makes a connection anew each time: `async for ws in websockets.connect(url)`."""
        return next(
            (
                step
                for step in function.cfg.of_kind("iterate")
                if step is not link and step.term is not None and step.term is link.term
            ),
            None,
        )

    def _runs_once(self, function: Function) -> bool:
        return function.kind in ("constructor", "top")

    def _above(self, function: Function, depth: int, seen: set[Function]) -> Iterator[Turn]:
        """The calls of a function that makes or ends a connection."""
        for invocation in self.invocations.of(function) if depth > 0 else ():
            outer = invocation.function
            if outer in seen or self._runs_once(outer):
                continue
            yield outer, invocation.step
            if not self._comes_again(outer, invocation.step):
                yield from self._above(outer, depth - 1, seen | {outer})

    def _comes_again(self, function: Function, link: Step) -> bool:
        """Whether a function connects again by itself after it has read: who called it empties for the first time only."""
        if any(function.encloses(at.function) for at in self.invocations.of(function)) or any(
            function.encloses(host) for host, _, _ in self.invocations.uses(function)
        ):
            # `socket.onclose = () => setTimeout(connect, 1000)`
            return True
        cfg = function.cfg
        if not cfg.reaches(link, link):
            return False
        onward = cfg.reachable(link)
        return any(self._takes_in(s, DOWN) and cfg.reaches(s, link) for s in cfg.steps if s in onward)

    def _takes_in(self, step: Step, depth: int) -> bool:
        """Whether a step takes a message in, by itself or in a function that it calls."""
        if step.term is None:
            return False
        if step.kind == "iterate":
            return self.messages.gives(step.term)
        if step.kind not in ("call", "suspend"):
            return False
        if self.messages.reads(step.term):
            return True
        target = self.invocations.resolve(step.call) if step.call is not None and depth > 0 else None
        if target is None or target.is_inlined:
            return False
        key = ("renewal", target, depth)
        memo = self.module.memo
        if key not in memo:
            memo[key] = False
            memo[key] = any(self._takes_in(inner, depth - 1) for inner in target.cfg.steps)
        return bool(memo[key])

    def _makes(self, step: Step) -> bool:
        socket = self.sockets.of(step.call) if step.call is not None else None
        return (
            socket is not None
            and socket.evidence.is_strong
            and socket.library is not None
            and not socket.library.reconnects
        )

    def _ends(self, step: Step) -> bool:
        """Whether a step closes a connection that the object keeps, or lets go of it."""
        call, store = step.call, step.store
        if call is not None and isinstance(call.receiver, t.Ref):
            place = call.receiver.place
            socket = self.sockets.at(place) if place.path else None
            closes = socket.library.closes if socket is not None and socket.library is not None else ()
            return socket is not None and socket.evidence.is_strong and call.method in closes
        if store is None or step.target is None or not step.target.path or not is_null(store.value):
            return False
        socket = self.sockets.at(step.target)
        return socket is not None and socket.evidence.is_strong

    # -- what is emptied there ---------------------------------------------------------------------

    def _emptied(self, function: Function, turn: Step | None, kept: Holder) -> t.Extent | None:
        cfg = function.cfg
        again = turn is not None and cfg.reaches(turn, turn)
        for step in cfg.steps:
            if not self._empties_below(function, step, kept, DOWN):
                continue
            if turn is None:
                return step.extent
            before, after = cfg.reaches(step, turn), cfg.reaches(turn, step)
            if (before and after) if again else (before or after):
                return step.extent
        return None

    def _empties_below(self, function: Function, step: Step, kept: Holder, depth: int) -> bool:
        if self._empties_at(function, step, kept):
            return True
        target = self.invocations.resolve(step.call) if step.call is not None and depth > 0 else None
        if target is None or target is function or target.is_inlined:
            return False
        if any(self.messages.in_term(a) is not None for a in (step.call.arguments if step.call else ())):
            # It deals with a message, not with the connection.
            return False
        return any(self._empties_below(target, inner, kept, depth - 1) for inner in target.cfg.steps)

    def _empties_at(self, function: Function, step: Step, kept: Holder) -> bool:
        store, call = step.store, step.call
        if store is not None and step.target is not None and store.op is None:
            where = self.holders.at(step.target) if step.target.path else Holder(step.target.root)
            is_page = step.target.name in self.knowledge.names("accumulation", "texts")
            if where is not None and is_page:
                # `board.innerHTML = ""` empties `board`.
                where = where.parent or where
            if where is not None and is_emptied(step, self.knowledge):
                where, is_page = where.parent or where, True  # `lines.length = 0`
            outer = function if where is None else where.root
            if (
                where is not None
                and self._covers(where, kept)
                and (is_emptied(step, self.knowledge) or self._is_made_new(store.value, where))
                and (is_page or not (isinstance(outer, Binding) and outer.scope is function))
            ):
                return True
        if call is None:
            return False
        if call.method in self.knowledge.names("accumulation", "clears"):
            where = self.holders.of(call.receiver)
            if where is not None and self._covers(where, kept):
                return True
        return bool(call.arguments) and is_empty(call.arguments[0], self.knowledge) and self._sets(call, kept)

    def _covers(self, where: Holder, kept: Holder) -> bool:
        """Whether what is at one place holds what is kept, as far as the file tells objects apart."""
        return kept.within(where) or alike(where, kept)

    def _is_made_new(self, value: t.Term, where: Holder) -> bool:
        """Whether a value holds nothing, or is an object made without what was there and without a message."""
        if is_empty(value, self.knowledge):
            return True
        made = value.value if isinstance(value, t.Suspend) else value
        if not (isinstance(made, t.Call) and where.path) or self.messages.in_term(made) is not None:
            return False
        return not any(
            (held := self.holders.of(part)) is not None and held.near(where)
            for part in made.walk()
            if isinstance(part, t.Ref)
        )

    def _sets(self, call: t.Call, kept: Holder) -> bool:
        """Whether a call sets the state that an updater function, or the value of a place, stands for."""
        if self.destinations.is_setter_of(call, kept):
            return True
        if isinstance(kept.root, Binding) and kept.root.kind == "parameter" and not kept.path:
            scope = kept.root.scope
            for _, _, value in self.invocations.uses(scope) if scope is not None else ():
                updater = value.parent
                if (
                    isinstance(updater, t.Call)
                    and isinstance(updater.callee, t.Ref)
                    and isinstance(call.callee, t.Ref)
                    and updater.callee.place == call.callee.place
                ):
                    return True
        receiver = self.holders.of(call.receiver)
        return (
            receiver is not None
            and kept.within(receiver)
            and call.method in self.knowledge.names("accumulation", "sets")
        )


def is_emptied(step: Step, knowledge: Knowledge) -> bool:
    """Whether a step sets the size of something to nothing: `lines.length = 0`."""
    value = step.store.value if step.store is not None else None
    return (
        isinstance(value, t.Constant)
        and value.value == 0
        and step.target is not None
        and bool(step.target.path)
        and step.target.name in knowledge.names("dedup", "size_fields")
    )


def is_empty(value: t.Term, knowledge: Knowledge) -> bool:
    """Whether a value holds nothing: `""`, `[]`, `{}`, null, a new container."""
    if isinstance(value, t.Constant):
        return value.kind == "null" or value.value == ""
    if isinstance(value, t.Sequence):
        return not value.elements
    if isinstance(value, t.Record):
        return all(is_empty(v, knowledge) or isinstance(v, t.Constant) for _, v in value.entries)
    return (
        isinstance(value, t.Call)
        and not value.arguments
        and (value.constructs or value.method in knowledge.names("slot", "containers"))
    )
