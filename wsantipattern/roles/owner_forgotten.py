"""Timers that the end of an owner forgets where no connection is at stake: the end clears another timer, or is certain.

Guarantees that the end belongs to what keeps the timer: the same object, or a function around both. A timer that fires
once counts only where the end clears another one and some other end clears this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsantipattern.finding import Confidence
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function
from wsantipattern.model.place import Place
from wsantipattern.model.summary import visible_in
from wsantipattern.roles.owner import End
from wsantipattern.roles.owner_timer import Armed

if TYPE_CHECKING:
    from wsantipattern.roles.owner_after import Chain
    from wsantipattern.roles.owner_survivor import Survivor, Survivors


def forgotten(survivors: Survivors, armed: Armed) -> Iterator[Survivor]:
    """How a timer survives an end that closes no connection of its callback."""
    from wsantipattern.roles.owner_survivor import Survivor

    dealings = survivors.dealings
    repeats = survivors.repeats(armed)
    for end in survivors.owners.last_ends:
        if not _belongs(armed, end):
            continue
        if survivors.module.considered.active and dealings.deals_with(end, armed, None):
            survivors.settled_by(armed, end)
        cleared = _sibling(survivors, end, armed)
        if cleared is None and not (end.is_sure and survivors.dealings.goes_on(armed)):
            continue
        # What waits in a collection for its answer tells who asked when none comes.
        if not repeats and not (
            (armed.place is not None and dealings.is_cleared_elsewhere(armed, end))
            or (cleared is not None and armed.place is not None and dealings.is_ever_cleared(armed))
            or (
                cleared is not None
                and armed.collection is not None
                and end.is_sure
                and dealings.is_cleared_elsewhere(armed, end)
                and any(
                    _reaches_out(survivors, armed, f, s)
                    for f in survivors.owners.run_by(armed.callback)
                    for s in f.cfg.steps
                )
            )
            or (cleared is not None and _uses_closed(survivors, armed, end))
            or (cleared is not None and _is_one_of_both(survivors, armed, cleared[1]))
        ):
            continue
        if dealings.arms_itself(end, armed) or dealings.deals_with(end, armed, None):
            continue
        if asks(survivors, armed, end):
            continue
        work = survivors.work(survivors.after(end), armed, lambda f, s: matters(survivors, armed, f, s))
        if work is None:
            continue
        meant = end.is_sure and cleared is not None and (repeats or armed.collection is None)
        confidence = Confidence.HIGH if meant else Confidence.MEDIUM
        yield Survivor(armed, end, "left", [(armed.function, armed.step)], work, False, cleared, confidence)
        return


def _uses_closed(survivors: Survivors, armed: Armed, end: End) -> bool:
    """Whether a callback calls something that the end closes: `this.link.emit(...)` after `this.link.disconnect()`."""
    owners = survivors.owners
    closed = {
        owners.own(step.call.receiver_place)
        for function in owners.run_by(end.function)
        for step in function.cfg.of_kind("call", "spawn")
        if step.call is not None
        and step.call.receiver_place is not None
        and step.call.method in owners.closing_words
        and not any(True for _ in survivors.kept.collections.cleared_at(step, armed.arming))
    } - owners.timer_places
    return any(
        call.receiver_place is not None and owners.own(call.receiver_place) in closed
        for function in owners.run_by(armed.callback)
        for _, call in function.cfg.calls
    )


def _is_one_of_both(survivors: Survivors, armed: Armed, cleared: Place) -> bool:
    """Whether one function clears and arms this timer together with the one that the end clears."""
    place = armed.place
    if place is None:
        return False
    mine = survivors.timers.clears(armed.arming)
    return any(
        other.place == cleared
        and other.function is armed.function
        and mine.possibly(armed.function, place)
        and survivors.timers.clears(other.arming).possibly(armed.function, cleared)
        for other in survivors.kept.armed
    )


def _belongs(armed: Armed, end: End) -> bool:
    """Whether an end is that of the object or function which keeps the timer."""
    owner = end.function.owner
    if owner is not None:
        root = armed.held.root if armed.held is not None else armed.function.this
        return root is owner.this
    around = end.function.parent.host if end.function.parent is not None else None
    if around is None or not around.encloses(armed.function):
        return False
    return armed.held is None or (
        armed.held.root.kind == "local" and visible_in(armed.held.root, end.function)
    )


def _sibling(survivors: Survivors, end: End, armed: Armed) -> tuple[Step, Place] | None:
    """Where an end clears another timer of the same object or function."""
    found = survivors.dealings.sibling(end, armed)
    if found is None or armed.held is None:
        return None
    mine, other = armed.held.root, found[1].root
    return found if mine is other or (mine.kind == "local" and mine.scope is other.scope) else None


def asks(survivors: Survivors, armed: Armed, end: End, work: Chain | None = None) -> bool:
    """Whether a callback asks for anything that the end writes; with what it does then, before it does that."""
    after = survivors.after(end)
    ran = survivors.owners.run_by(armed.callback) if work is None else [f for f, _ in work]
    goals = dict(work or ())
    return any(
        step in after.guards(function, False)
        or any(isinstance(part, t.Ref) and after.was_changed(part.place) for part in step.term.walk())
        for function in ran
        for step in function.cfg.of_kind("test")
        if step.term is not None and (work is None or function.cfg.reaches(step, goals[function]))
    )


def _reaches_out(survivors: Survivors, armed: Armed, function: Function, step: Step) -> bool:
    """Whether a step of a callback does something outside of its component: it calls what is imported or global, or what
    the component tells others with; no state of its own, and no promise that somebody waits for."""
    call = step.call
    if call is None or not matters(survivors, armed, function, step) or not isinstance(call.callee, t.Ref):
        return False
    place = call.callee.place
    if place.root.kind in ("import", "global"):
        return True
    if place.root.kind != "local" or place.path:
        return False
    made = place.root.initial if place.root.constant else None
    return isinstance(made, t.Call) and made.method in survivors.knowledge.names("owner", "tells")


def matters(survivors: Survivors, armed: Armed, function: Function, step: Step) -> bool:
    """Whether a step of a callback does something that others see."""
    if step.kind == "assign":
        target = step.target
        if target is None or target == armed.held:
            return False
        scope = target.root.scope
        return not (
            target.root.kind in ("local", "parameter") and scope is not None and scope.host is function
        )
    call = step.call
    if call is None or step.kind not in ("call", "spawn") or call.total:
        return False
    returned = function is not armed.callback and any(
        isinstance(end.statement, t.Return) and end.statement.value is call
        for end in function.cfg.of_kind("return")
    )
    if returned or (call.parent is not None and not isinstance(call.parent, t.Suspend)):
        return False  # What its result is for is looked at by itself.
    if survivors.module.resolve(call) is not None or survivors.timers.arming_of(call, 0) is not None:
        return False
    known = survivors.knowledge
    if survivors.owners.only_tells(call):
        return False
    slight = known.names("owner", "quick") | known.names("owner", "logs")
    return call.method not in slight and not any(
        True for _ in survivors.kept.collections.cleared_at(step, armed.arming)
    )
