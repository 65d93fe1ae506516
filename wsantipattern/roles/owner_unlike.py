"""Timers that one way to an end clears and another forgets: two functions release the same thing, one of them clears first.

What the ways have in common is a function of the file whose name says that it ends something, or the closing of one connection.
Silent where the way that forgets arms a timer or connects anew, where whoever calls it may clear, and where the callback
asks for anything that the way writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsantipattern.finding import Confidence
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function
from wsantipattern.model.place import Place
from wsantipattern.model.summary import visible_in
from wsantipattern.roles.owner import End, Link
from wsantipattern.roles.owner_forgotten import asks, matters
from wsantipattern.roles.owner_timer import Armed

if TYPE_CHECKING:
    from wsantipattern.roles.owner_survivor import Survivor, Survivors


def unlike(survivors: Survivors, armed: Armed) -> Iterator[Survivor]:
    """How a timer survives one of several ways to the same end."""
    from wsantipattern.roles.owner_survivor import Survivor

    place = armed.place
    if place is None or place.root.kind != "this":
        return
    owners, dealings = survivors.owners, survivors.dealings
    clears = survivors.timers.clears(armed.arming)
    for common in _endings(survivors, place):
        if clears.possibly(common, place):
            continue
        ways = owners.callers_of(common, 1)
        if not any(_clears(survivors, armed, f, place) is not None for f in ways):
            continue
        for function in ways:
            if function.owner is not common.owner or clears.possibly(function, place):
                continue
            if any(
                clears.possibly(f, place) and not dealings.arms_itself(End(f, "named"), armed)
                for f in owners.callers_of(function)
            ):
                continue
            end = End(function, "named")
            if dealings.arms_itself(end, armed) or dealings.deals_with(end, armed, None):
                continue
            if owners.begins(function) or asks(survivors, armed, end):
                continue
            work = survivors.after(end).way(armed.callback, lambda f, s: matters(survivors, armed, f, s))
            if work is None:
                continue
            before = [(armed.function, armed.step)]
            yield Survivor(armed, end, "left", before, work, False, None, Confidence.MEDIUM)
            return


def given(survivors: Survivors, armed: Armed) -> Iterator[Survivor]:
    """How a timer whose callback is in another file survives one of two ways to close the connection beside it."""
    from wsantipattern.roles.owner_survivor import Survivor

    place = armed.place
    if place is None or place.root.kind != "this":
        return
    owners, dealings = survivors.owners, survivors.dealings
    clears = survivors.timers.clears(armed.arming)
    for link in owners.links:
        if not any(held.root is place.root for held in link.places):
            continue
        ends = [end for end in owners.ends_of(link) if end.function.owner is place.root.owner]
        tidy = [e for e in ends if _is_whole(e, link) and clears.possibly(e.function, place)]
        for end in ends:
            around = [end.function, *owners.callers_of(end.function)]
            if not tidy or any(clears.possibly(f, place) for f in around) or not _is_whole(end, link):
                continue
            if dealings.arms_itself(end, armed) or dealings.deals_with(end, armed, link):
                continue
            yield Survivor(
                armed, end, "left", [(armed.function, armed.step)], [], False, None, Confidence.MEDIUM
            )
            return


def _is_whole(end: End, link: Link) -> bool:
    """Whether an end that no name tells of is one nevertheless: others call it, and it closes a connection for certain."""
    is_open = end.function.kind == "method" and not end.function.is_private
    return end.kind != "plain" or (is_open and link.is_strong)


def _endings(survivors: Survivors, place: Place) -> Iterator[Function]:
    """The methods of a timer's owner that say that they end something, and that several others call."""
    owners = survivors.owners
    for function in survivors.module.functions:
        if (
            function.kind == "method"
            and function.owner is place.root.owner
            and owners.releases(function)
            and len(owners.callers_of(function, 1)) > 1
            and not owners.begins(function)
        ):
            yield function


def _clears(survivors: Survivors, armed: Armed, function: Function, place: Place) -> Step | None:
    """Where a function clears a timer, not to arm it anew."""
    if not visible_in(place.root, function) or survivors.dealings.arms_itself(End(function, "named"), armed):
        return None
    clears = survivors.timers.clears(armed.arming)
    return next((s for s in function.cfg.steps if clears.may_at(function, s, place)), None)
