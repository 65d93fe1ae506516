"""What the roles of a module see, for a person to read: which place plays which role, and because of which line."""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.term import Extent
from wsantipattern.roles import Roles
from wsantipattern.roles.origin import Frame

Row = tuple[str, str, int, str]
"""Role, place as written, line in the host file from 1, evidence."""


def describe(module: Module, knowledge: Knowledge, host: bytes) -> list[Row]:
    """The rows of a module, by line; `host` is the text of the file that the module stands in."""
    roles = Roles(module, knowledge)
    found: dict[tuple[str, str], tuple[Extent, str]] = {}
    for role, place, extent, evidence in _all(module, roles):
        known = found.get((role, place))
        if known is None or extent < known[0]:
            found[(role, place)] = (extent, evidence)
    rows = [
        (role, place, host.count(b"\n", 0, module.host_offset(extent[0])) + 1, evidence)
        for (role, place), (extent, evidence) in found.items()
    ]
    return sorted(rows, key=lambda row: (row[2], row[0], row[1]))


def _all(module: Module, roles: Roles) -> Iterator[tuple[str, str, Extent, str]]:
    functions = [function for function in module.all_functions if not function.is_inlined]
    for function in functions:
        yield from _in_function(function, roles)
    for watermark in roles.watermarks.strong:
        for move in watermark.raises:
            yield (
                "watermark",
                str(watermark.place),
                move.extent,
                "rises here, and is compared with what it gets",
            )
    for addition in roles.accumulations.unguarded():
        yield "accumulation", addition.name, addition.extent, "grows here by content of a message"


def _in_function(function: Function, roles: Roles) -> Iterator[tuple[str, str, Extent, str]]:
    for timer in roles.timers.armed_in(function):
        yield "timer", str(timer.place), timer.call.extent, f"{timer.arming.made} here"
    for place, mentioned in _places(function).items():
        socket = roles.sockets.at(place)
        if socket is not None:
            library = f" ({socket.library.name})" if socket.library else ""
            extent, reason = (
                socket.evidence.reasons[0] if socket.evidence.reasons else (function.name_extent, "")
            )
            extent = extent if extent != (0, 0) else mentioned
            yield "socket", str(place), extent, f"{reason}, {socket.evidence.confidence.label}{library}"
    for parameter in function.parameters:
        message = roles.messages.at(Place(parameter)) if parameter.name else None
        if message is not None:
            reason = message.evidence.reasons[0][1] if message.evidence.reasons else "what a handler is given"
            yield (
                "message",
                parameter.name,
                function.name_extent,
                f"{reason}, {message.evidence.confidence.label}",
            )
    for divergence in roles.staleness.learned_in(function):
        text = " ".join(function.module.snippet(divergence.extent).split())
        yield (
            "staleness",
            text,
            divergence.extent,
            f"says that the copy has diverged, {divergence.confidence.label}",
        )
    frame = Frame(function)
    for mark in roles.trackers.marks(frame):
        for storage in mark.storages:
            if roles.trackers.is_tracker(storage.place):
                yield (
                    "dedup",
                    str(storage.place),
                    mark.extent,
                    "is added to here, and asked to skip what it holds",
                )
    for step, store in function.cfg.assignments:
        if step.target is not None and not store.declares and roles.liveness.is_mark(step.target):
            yield (
                "liveness",
                str(step.target),
                store.extent,
                "is set here, and elsewhere when the peer answers",
            )


def _places(function: Function) -> dict[Place, Extent]:
    """The places that a function assigns or calls methods of, with the first step that does."""
    found: dict[Place, Extent] = {}
    for step in function.cfg.steps:
        if step.kind == "assign" and step.target is not None:
            found.setdefault(step.target, step.extent)
        if step.call is not None and step.call.receiver_place is not None:
            found.setdefault(step.call.receiver_place, step.extent)
    return found
