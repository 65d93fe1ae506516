"""Timers that one way to an end clears and another forgets: two functions release the same thing, one of them clears first.

What the ways have in common is a function of the file whose name says that it ends something, the closing of one
connection, or that they take the object out of a collection which is not its own.
Silent where the way that forgets arms a timer or connects anew, where whoever calls it may clear, and where the callback
asks for anything that the way writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsantipattern.finding import Confidence
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function
from wsantipattern.model.place import Binding, Place
from wsantipattern.roles.owner import End, Link
from wsantipattern.roles.owner_forgotten import asks, matters
from wsantipattern.roles.owner_timer import Armed
from wsantipattern.roles.words import any_of, split

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
    for ways, is_leaving in _ways(survivors, armed, place):
        if not any(_clears(survivors, armed, f, place) is not None for f in ways):
            continue
        for function in ways:
            if is_leaving and not _ends(survivors, armed, function):
                continue
            if function.owner is not place.root.owner or clears.possibly(function, place):
                continue
            if dealings.is_cleared_around(armed, function, place):
                continue
            end = End(function, "named")
            if dealings.arms_itself(end, armed) or dealings.deals_with(end, armed, None):
                continue
            if owners.begins(function):
                continue
            work = survivors.work(survivors.after(end), armed, lambda f, s: matters(survivors, armed, f, s))
            if work is None or asks(survivors, armed, end, work):
                continue
            before = [(armed.function, armed.step)]
            yield Survivor(armed, end, "left", before, work, False, None, Confidence.MEDIUM)
            return


def _ways(survivors: Survivors, armed: Armed, place: Place) -> Iterator[tuple[list[Function], bool]]:
    """The functions that come to one end of a timer's owner, for each end that none of them clears for the others; and
    whether they only have in common that the owner leaves a collection."""
    clears = survivors.timers.clears(armed.arming)
    for common in _endings(survivors, place):
        if not clears.possibly(common, place):
            yield survivors.owners.callers_of(common, 1), False
    for ways in _leavings(survivors, place).values():
        yield ways, True


def _ends(survivors: Survivors, armed: Armed, function: Function) -> bool:
    """Whether a function that takes its object out of a collection ends it: it clears another timer, or its name says so.
    What leaves a room, or a queue of those who wait, may live on."""
    words = split(function.name.rpartition(".")[2])
    return (
        survivors.dealings.sibling(End(function, "named"), armed) is not None
        or survivors.owners.is_named_end(function)
        or any_of(words, survivors.knowledge.names("owner", "leaves"))
    )


def _leavings(survivors: Survivors, place: Place) -> dict[object, list[Function]]:
    """The methods of a timer's owner that take it out of a collection which is not its own, `tables.delete(this.id)`, by
    the collection and what it is taken out by."""
    found: dict[object, list[Function]] = {}
    removes, this = survivors.knowledge.names("dedup", "removes"), place.root
    for function in survivors.module.functions:
        if function.kind != "method" or function.owner is not this.owner:
            continue
        for step in function.cfg.of_kind("call", "delete"):
            if step.kind == "delete":
                target = step.term.target if isinstance(step.term, t.Delete) else None
                kept = step.target.parent if step.target is not None else None
                by = target.key if isinstance(target, t.Ref) else None
            else:
                kept = step.call.receiver_place if step.call is not None else None
                by = step.call.argument(0) if step.call is not None and step.call.method in removes else None
            if kept is None or not isinstance(by, t.Ref) or by.place.root is not this:
                continue
            scope = kept.root.scope
            if scope is not None and scope.host is function.host:
                continue  # `room.members.delete(this.id)` of a room that is given
            # What an object keeps itself, `this.players.delete(this.leader)`, is not where it is kept.
            own = kept.root is this and len(kept.path) < 2 and not _is_given(survivors, kept)
            if (own and by.place.path) or _joins_later(survivors, this, kept):
                continue
            found.setdefault((kept, by.place), []).append(function)
    return found


def _joins_later(survivors: Survivors, this: Binding, kept: Place) -> bool:
    """Whether an object puts itself into a collection by a method of its own: a queue, or a room, which it may leave and
    live on. What is put there by whoever makes it is a list of all that live."""
    itself = Place(this)
    return any(
        (
            step.call is not None
            and step.call.receiver_place == kept
            and any(isinstance(a, t.Ref) and a.place == itself for a in step.call.arguments)
            and step.call.method in survivors.knowledge.names("dedup", "adds")
        )
        or (
            step.store is not None
            and step.target == kept.element
            and isinstance(step.store.value, t.Ref)
            and step.store.value.place == itself
        )
        for function in survivors.module.functions
        if function.kind == "method" and function.owner is this.owner
        for step in function.cfg.of_kind("call", "assign")
    )


def _is_given(survivors: Survivors, kept: Place) -> bool:
    """Whether an object has a collection from whoever made it."""
    stores = survivors.module.stores_to(kept)
    return bool(stores) and all(
        isinstance(store.value, t.Ref) and store.value.place.root.kind == "parameter" for _, store in stores
    )


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
            and not _ends_another(function)
        ):
            yield function


def _ends_another(function: Function) -> bool:
    """Whether a method ends something that it is given, and not its own object: `s.unsubscribe(sub)` (nats-server)."""
    given = set(function.parameters)
    return any(
        isinstance(part, t.Ref) and part.place.root in given and part.place.path
        for step in function.cfg.steps
        for part in (step.term.walk() if step.term is not None else ())
    )


def _clears(survivors: Survivors, armed: Armed, function: Function, place: Place) -> Step | None:
    """Where a function clears a timer, not to arm it anew."""
    if not survivors.owners.sees(function, place) or survivors.dealings.arms_itself(
        End(function, "named"), armed
    ):
        return None
    clears = survivors.timers.clears(armed.arming)
    return next((s for s in function.cfg.steps if clears.may_at(function, s, place)), None)
