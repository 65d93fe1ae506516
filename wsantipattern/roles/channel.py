"""Channels: by which parameters of the file's functions what is sent and what is received are the same one."""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.model import term as t
from wsantipattern.model.module import Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers

HANDED = 3
"""How many calls of the file a channel is followed through, up or down."""

NAMES = 12
"""How many functions may name a channel, and by how many places it may be had, for it to be followed."""


def handed_on(module: Module, channel: Place) -> list[Place]:
    """The places of the file that have a channel, itself first: `go read(conn, events)` hands it to a parameter."""
    key = ("handed_on", channel)
    memo = module.memo
    if key not in memo:
        found: dict[Place, None] = {channel: None} if channel.name else {}
        todo = [(place, HANDED) for place in found]
        while todo and len(found) <= NAMES:
            place, left = todo.pop(0)
            # What is handed about in a large file by everybody, such as the `v` of a reader of options, is no channel.
            near: list[Place] = []
            if left > 0 and len(module.functions_mentioning(place.name)) <= NAMES:
                near = [*_parameters_given(module, place), *_given_to(place)]
            for other in near:
                if other.name and other not in found:
                    found[other] = None
                    todo.append((other, left - 1))
        memo[key] = list(found)
    places: list[Place] = memo[key]
    return places


def _parameters_given(module: Module, place: Place) -> Iterator[Place]:
    """The parameters of functions of the file that are given what is at a place."""
    for function in module.functions_mentioning(place.name):
        for step in function.cfg.of_kind("call", "spawn"):
            given = step.call.arguments if step.call is not None else []
            if step.call is None or not any(isinstance(a, t.Ref) and a.place == place for a in given):
                continue
            callee = module.resolve(step.call)
            for parameter, value in zip(callee.parameters if callee is not None else (), given, strict=False):
                if isinstance(value, t.Ref) and value.place == place:
                    yield Place(parameter)


def _given_to(place: Place) -> Iterator[Place]:
    """What the callers of a function of the file give to its parameter."""
    scope = place.root.scope
    if place.path or scope is None or place.root not in scope.parameters:
        return
    index = scope.parameters.index(place.root)
    for _, step in callers(scope):
        value = step.call.argument(index, place.root.name) if step.call is not None else None
        if isinstance(value, t.Ref):
            yield value.place
