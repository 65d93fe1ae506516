"""Relays: transports and adapters that hand everything on, so that whether the link lives is for their owner to say.

A relay sends what it is given, tells its owner of the connection's end (an own event, a callback from outside, a method
of a base class of another file), dials nothing again, and sends no heartbeat. Its owner mostly has the timer that
notices a dead peer, in another file. Structure decides; a class that dials again by itself is no relay.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Binding, Place
from wsantipattern.roles.hearing import Hearing
from wsantipattern.roles.keepalive import Keepalive
from wsantipattern.roles.sending import Sends
from wsantipattern.roles.timer import Timers

DEPTH = 2
"""Calls of the file that a timer's callback is followed through, to a dial."""


class Relays:
    """What one module hands on of its connections."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        hearing: Hearing,
        timers: Timers,
        keepalive: Keepalive,
        sends: Sends,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.hearing = hearing
        self.timers = timers
        self.keepalive = keepalive
        self.sends = sends

    def hands_on(self, function: Function, call: t.Call, connection: Place) -> bool:
        """Whether a send passes on what the function was given, of a connection whose end an owner is told of."""
        return (
            bool(call.arguments)
            and self._is_given(function, call.arguments[0])
            and (self._tells_owner(function, connection) or self._is_handler_from_elsewhere(connection))
            and not self._beats
            and not self._dials_later(self._making(connection))
        )

    def _is_given(self, function: Function, value: t.Term, depth: int = 3) -> bool:
        """Whether a value is a parameter, or made of nothing but parameters."""
        value = self.module.value_of(value) or value
        if isinstance(value, t.Ref):
            return not value.place.path and value.place.root.kind == "parameter"
        if isinstance(value, t.Call) and depth > 0 and value.arguments:
            return all(self._is_given(function, a, depth - 1) for a in value.arguments)
        return False

    def _tells_owner(self, function: Function, connection: Place) -> bool:
        """Whether an end of the connection is told onward, in the object that the function belongs to."""
        owner = function.this
        if owner is None:
            return False
        told = [(f, s) for f, s in self._ends(owner) if self._is_told(s, owner)]
        making = self._making(connection)
        return bool(told) and not any(self._dials(f, s, making) for f, s in told)

    def _making(self, connection: Place) -> set[Function]:
        """The functions that make a connection, or give its place something new."""
        found = set(self.hearing.dialling)
        for function in self.module.functions_mentioning(connection.name):
            for step, store in function.cfg.assignments:
                target = step.target
                if target is None or target.name != connection.name:
                    continue
                value = self.module.value_of(store.value) or store.value
                if any(isinstance(part, t.Call) and part.constructs for part in value.walk()):
                    found.add(function)
        return found

    def _ends(self, owner: Binding) -> Iterator[tuple[Function, Step]]:
        """The steps that run at the end of a connection, in code that has this `this`; also those of its own `close`."""
        ends = self.knowledge.names("liveness", "ends")
        for function, steps in self.hearing.endings.items():
            if function.this is owner:
                yield from ((function, step) for step in steps)
        for function in self.module.functions:
            is_own = function.this is owner and function.kind == "method" and not function.is_inlined
            if is_own and function.name.rpartition(".")[2] in ends:
                yield from ((function, step) for step in function.cfg.steps)

    def _is_told(self, step: Step, owner: Binding) -> bool:
        """Whether a step calls something of the object that the file does not define: `this.emit("close")`."""
        call = step.call
        if call is None or not isinstance(call.callee, t.Ref) or self.module.resolve(call) is not None:
            return False
        place = self._source(call.callee.place)
        if place.root is not owner or not place.path:
            return False
        if len(place.path) > 1 and place.path[-1] != "[*]":
            return False  # `this.socket.close()` ends; it tells nobody.
        return place.name in self.knowledge.names("event", "emitters") or self._is_from_elsewhere(
            place, owner
        )

    def _source(self, place: Place) -> Place:
        """The field that a callback is taken from: `this.callbacks.onClose[*]` of `callback`."""
        for _ in range(3):
            if place.root.kind == "this" or place.path:
                break
            found = [store.value for _, store in self.module.stores_to(place)]
            if len(found) != 1:
                break
            if isinstance(found[0], t.Element) and isinstance(found[0].subject, t.Ref):
                inner = found[0].subject.place
                return Place(inner.root, (inner.name, "[*]")) if inner.path else place
            if not isinstance(found[0], t.Ref):
                break
            place = found[0].place
        return place

    def _is_from_elsewhere(self, place: Place, owner: Binding) -> bool:
        """Whether a field is a callback that others set, or a method of a base class of another file."""
        if place.path[-1] == "[*]":
            return True
        class_ = owner.owner
        stores = self.module.stores_to(place)
        if stores:
            return not any(self.module.resolve_value(store.value) is not None for _, store in stores)
        # An object literal that is given to a call is mixed into something there.
        return isinstance(class_, Class) and (not class_.name or self._has_outer_base(class_))

    def _has_outer_base(self, class_: Class) -> bool:
        names = {c.name for c in self.module.classes}
        return any(base not in names for c in self.module.lineage(class_) for base in c.bases)

    def _is_handler_from_elsewhere(self, connection: Place) -> bool:
        """Whether the handler of a connection's end is made by another file: `socket.onclose = owner.emits("end")`."""
        return any(
            isinstance(store.value, t.Call)
            and store.value.receiver_place is not None
            and not store.value.receiver_place.starts_with(connection)
            and self.module.resolve_value(store.value) is None
            and not any(isinstance(a, t.Closure) for a in store.value.arguments)
            for event in sorted(self.knowledge.names("liveness", "ended"))
            for _, store in self.module.stores_to(connection.field(f"on{event}"))
        )

    def _dials(self, function: Function, told: Step, making: set[Function]) -> bool:
        """Whether a new connection is made on a way on which the end is told."""
        return any(
            callee is not None
            and self._reaches_dial(callee, making, DEPTH)
            and (function.cfg.reaches(step, told) or function.cfg.reaches(told, step))
            for step, call in function.cfg.calls
            for callee in [self.module.resolve(call)]
        )

    @cached_property
    def _beats(self) -> bool:
        """Whether the file itself sends heartbeats."""
        return any(
            self.sends.of(call) is not None and self.keepalive.is_heartbeat(function, call)
            for function in self.sends.senders()
            for _, call in function.cfg.calls
        )

    def _dials_later(self, making: set[Function]) -> bool:
        """Whether a timer of the file makes a new connection."""
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for _, call in function.cfg.calls:
                arming = self.timers.arming_of(call, 0)
                if arming is None or arming.callback is None:
                    continue
                callback = self.module.resolve_value(call.argument(arming.callback))
                if callback is not None and self._reaches_dial(callback, making, DEPTH):
                    return True
        return False

    def _reaches_dial(self, function: Function, making: set[Function], depth: int) -> bool:
        if any(f in making for f in (function, *function.descendants)):
            return True
        return depth > 0 and any(
            callee is not None and callee is not function and self._reaches_dial(callee, making, depth - 1)
            for _, call in function.cfg.calls
            for callee in [self.module.resolve(call)]
        )
