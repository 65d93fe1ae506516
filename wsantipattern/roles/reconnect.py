"""Reconnects: whether what the library of a connection would do again is done in this file.

A hook or builder that connects again only when it is asked to, and is not; a connection that comes back by itself, and
that the handler of its failure closes for good. Knows nothing of reconnects that a file writes out itself.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.flow import Key
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.roles.event import Events
from wsantipattern.roles.socket import Library, Sockets


class Reconnects:
    """What the connections of one module do after a failure."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets

    def never(self, library: Library | None) -> t.Extent | None:
        """Where the file makes the connections of a library, none of which comes back; None where one may."""
        made = [call for _, call, of in self.sockets.made if of is library] if library is not None else []
        if library is None or not made:
            return None
        if not library.reconnects:
            return made[0].extent if "reconnects_on" in library.facts else None
        return made[0].extent if all(self._is_given_up(call, library) for call in made) else None

    def _is_given_up(self, call: t.Call, library: Library) -> bool:
        """Whether the handler of its failure closes a connection: `source.onerror = () => source.close()`."""
        kept = call.parent
        if not isinstance(kept, t.Store) or not isinstance(kept.target, t.Ref):
            return False
        place = self.sockets.own(kept.target.place)
        return any(
            isinstance(registration.emitter, t.Ref)
            and self.sockets.own(registration.emitter.place) == place
            and self._always_closes(registration.handler, place, library)
            for registration in self.events.registrations("error")
        )

    def _always_closes(self, function: Function, place: Place, library: Library, depth: int = 2) -> bool:
        cfg = function.cfg
        closing = {
            step
            for step, call in cfg.calls
            if (
                call.method in library.closes
                and call.receiver_place is not None
                and self.sockets.own(call.receiver_place) == place
            )
            or (
                depth > 0
                and (callee := self.module.resolve(call)) is not None
                and self._always_closes(callee, self._inside(call, callee, place), library, depth - 1)
            )
        }
        # `source?.close()`: there is one where it fails.
        there: list[tuple[Key, bool]] = [(("set", place), True)]
        return bool(closing) and cfg.path(cfg.entry, {cfg.exit}, avoiding=closing, given=there) is None

    def _inside(self, call: t.Call, callee: Function, place: Place) -> Place:
        """What a place is called in a function that is called: the parameter that gets it, or itself."""
        for index, parameter in enumerate(callee.parameters):
            given = call.argument(index, parameter.name)
            if isinstance(given, t.Ref) and self.sockets.own(given.place) == place:
                return Place(parameter)
        return place
