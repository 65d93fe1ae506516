"""What a value is for: socket, timer, watermark, dedup tracker, staleness, liveness, accumulation, message.

A role answers with evidence or with nothing. `Roles` is made once for each module and hands out one object a role;
each is made on first use and keeps what it found.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from wsantipattern.knowledge import Knowledge
from wsantipattern.model.module import Module

if TYPE_CHECKING:
    from wsantipattern.roles.accumulation import Accumulations
    from wsantipattern.roles.cell import Cells
    from wsantipattern.roles.dedup import Trackers
    from wsantipattern.roles.event import Events
    from wsantipattern.roles.hearing import Hearing
    from wsantipattern.roles.keepalive import Keepalive
    from wsantipattern.roles.liveness import Liveness
    from wsantipattern.roles.message import Messages
    from wsantipattern.roles.origin import Origins
    from wsantipattern.roles.owner import Owners
    from wsantipattern.roles.owner_survivor import Survivors
    from wsantipattern.roles.owner_timer import OwnerTimers
    from wsantipattern.roles.relay import Relays
    from wsantipattern.roles.sending import Sends
    from wsantipattern.roles.silence import Silence
    from wsantipattern.roles.socket import Sockets
    from wsantipattern.roles.staleness import Staleness
    from wsantipattern.roles.state import States
    from wsantipattern.roles.timer import Timers
    from wsantipattern.roles.watermark import Watermarks
    from wsantipattern.roles.wrapper import Wrappers


class Roles:
    """The roles of one module, under one body of knowledge."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge

    @cached_property
    def events(self) -> Events:
        from wsantipattern.roles.event import Events

        return Events(self.module, self.knowledge)

    @cached_property
    def sockets(self) -> Sockets:
        from wsantipattern.roles.socket import Sockets

        return Sockets(self.module, self.knowledge, self.events)

    @cached_property
    def messages(self) -> Messages:
        from wsantipattern.roles.message import Messages

        return Messages(self.module, self.knowledge, self.events, self.sockets)

    @cached_property
    def timers(self) -> Timers:
        from wsantipattern.roles.timer import Timers

        return Timers(self.module, self.knowledge)

    @cached_property
    def owner_timers(self) -> OwnerTimers:
        from wsantipattern.roles.holder import Holders
        from wsantipattern.roles.owner_collection import Collections
        from wsantipattern.roles.owner_timer import OwnerTimers

        holders = Holders(self.module, self.knowledge, self.messages.invocations)
        collections = Collections(self.module, self.knowledge, self.timers, holders)
        return OwnerTimers(self.module, self.knowledge, self.timers, collections)

    @cached_property
    def owners(self) -> Owners:
        from wsantipattern.roles.owner import Owners

        return Owners(
            self.module,
            self.knowledge,
            self.events,
            self.sockets,
            self.timers,
            self.hearing,
            self.owner_timers,
        )

    @cached_property
    def survivors(self) -> Survivors:
        from wsantipattern.roles.owner_survivor import Survivors

        return Survivors(
            self.module,
            self.knowledge,
            self.events,
            self.timers,
            self.owner_timers,
            self.owners,
            self.sends,
        )

    @cached_property
    def cells(self) -> Cells:
        from wsantipattern.roles.cell import Cells

        return Cells(self.module, self.knowledge)

    @cached_property
    def liveness(self) -> Liveness:
        from wsantipattern.roles.liveness import Liveness

        return Liveness(self.module, self.knowledge, self.sockets, self.hearing, self.silence, self.cells)

    @cached_property
    def hearing(self) -> Hearing:
        from wsantipattern.roles.hearing import Hearing

        return Hearing(self.module, self.knowledge, self.events, self.sockets)

    @cached_property
    def silence(self) -> Silence:
        from wsantipattern.roles.silence import Silence

        return Silence(self.module, self.knowledge, self.sockets, self.timers, self.hearing)

    @cached_property
    def keepalive(self) -> Keepalive:
        from wsantipattern.roles.keepalive import Keepalive

        return Keepalive(self.module, self.knowledge, self.sockets, self.timers)

    @cached_property
    def states(self) -> States:
        from wsantipattern.roles.state import States

        return States(
            self.module,
            self.knowledge,
            self.sockets,
            self.sends,
            self.wrappers,
            self.liveness,
            self.keepalive,
            self.relays,
        )

    @cached_property
    def relays(self) -> Relays:
        from wsantipattern.roles.relay import Relays

        return Relays(self.module, self.knowledge, self.hearing, self.timers, self.keepalive, self.sends)

    @cached_property
    def sends(self) -> Sends:
        from wsantipattern.roles.sending import Sends

        return Sends(self.module, self.knowledge, self.sockets)

    @cached_property
    def wrappers(self) -> Wrappers:
        from wsantipattern.roles.wrapper import Wrappers

        return Wrappers(self.module, self.knowledge, self.sockets, self.sends, self.hearing, self.cells)

    @cached_property
    def watermarks(self) -> Watermarks:
        from wsantipattern.roles.watermark import Watermarks

        return Watermarks(self.module, self.knowledge, self.events)

    @cached_property
    def origins(self) -> Origins:
        from wsantipattern.roles.instance import Instances
        from wsantipattern.roles.origin import Origins

        return Origins(self.module, Instances(self.module, self.knowledge))

    @cached_property
    def staleness(self) -> Staleness:
        from wsantipattern.roles.staleness import Staleness

        return Staleness(self.module, self.knowledge, self.origins)

    @cached_property
    def trackers(self) -> Trackers:
        from wsantipattern.roles.dedup import Trackers

        return Trackers(self.module, self.knowledge, self.events, self.origins, self.staleness)

    @cached_property
    def accumulations(self) -> Accumulations:
        from wsantipattern.roles.accumulation import Accumulations

        return Accumulations(self.module, self.knowledge, self.events, self.sockets, self.messages)
