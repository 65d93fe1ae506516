"""Timers of what is taken out of a collection: a player leaves the map of players, and the player's timer goes on.

Speaks where the function that takes an entry out clears another timer of the same entry, or where another one that takes
entries out clears this timer. Silent where the callback asks the collection, where the entry is handed on or called, and
where the callback only settles what somebody waits for. Decided by places; the entries of one collection are not told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsantipattern.finding import Confidence
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function
from wsantipattern.model.place import Place
from wsantipattern.roles.owner import End
from wsantipattern.roles.owner_timer import Armed

if TYPE_CHECKING:
    from wsantipattern.roles.owner_after import Chain
    from wsantipattern.roles.owner_survivor import Survivor, Survivors


def removed(survivors: Survivors, armed: Armed) -> Iterator[Survivor]:
    """How the timer of an entry survives the entry's removal."""
    from wsantipattern.roles.owner_survivor import Survivor

    kept, field = armed.collection, _field(armed)
    if kept is None or field is None:
        return
    owners, collections = survivors.owners, survivors.kept.collections
    ran = owners.run_by(armed.callback)
    # What only takes entries out asks nothing; a callback that does so itself settles what somebody waits for.
    asking = {
        f
        for f in collections.mentioning(kept)
        if f is armed.callback or not _only_takes_out(survivors, f, kept)
    }
    if any(_may_stop(survivors, armed, f, asking) for f in ran):
        return
    # What removes an entry when its timer has fired leaves none (node-red's trigger node arms it in three places).
    fired = {
        inner
        for other in survivors.kept.armed
        if other.collection == kept and _field(other) == field
        for f in owners.run_by(other.callback)
        for inner in (f, *f.descendants)
    }
    removing = {
        f: step
        for f in collections.mentioning(kept)
        if f is not armed.function and f not in fired
        for step in f.cfg.steps
        if _takes_out(survivors, step, kept)
    }
    clearing = {f: _cleared_fields(survivors, f, armed, step) for f, step in removing.items()}
    told = any(field in fields for fields in clearing.values())
    for function, step in removing.items():
        around = [function, *owners.callers_of(function)]
        if any(
            field in _cleared_fields(survivors, f, armed, step if f is function else None) for f in around
        ):
            continue
        sibling = next((c for name, c in clearing[function].items() if name != field), None)
        if (sibling is None and not told) or _is_handed_on(survivors, function, kept):
            continue
        end = End(function, "method", None, step)
        felt = ((f, s) for f in ran if f not in asking for s in f.cfg.steps if _is_felt(survivors, s))
        work: Chain | None = next(([one] for one in felt if not _asks(survivors, armed, end, one)), None)
        if work is None:
            continue
        cleared = None if sibling is None else (sibling, kept.element)
        before = [(armed.function, armed.step)]
        yield Survivor(armed, end, "left", before, work, False, cleared, Confidence.MEDIUM)
        return


def _field(armed: Armed) -> str | None:
    """The field of an entry that keeps the timer."""
    place = armed.timer.place if armed.timer is not None else None
    if place is None and isinstance(armed.call.parent, t.Record):
        return next((name for name, value in armed.call.parent.entries if value is armed.call), None)
    return place.path[-1] if place is not None and place.path else None


def _may_stop(survivors: Survivors, armed: Armed, function: Function, asking: set[Function]) -> bool:
    """Whether a function of a callback may leave its work because of what the collection says."""
    if function is armed.callback and function in asking:
        return True
    return any(
        callee in asking and (call.parent is not None or not _is_statement(function, call))
        for _, call in function.cfg.calls
        for callee in [survivors.module.resolve(call)]
        if callee is not None
    ) or any(inner in asking for inner in function.descendants)


def _is_statement(function: Function, call: t.Call) -> bool:
    """Whether nothing takes the answer of a call."""
    return not any(
        step.kind not in ("call", "spawn") and any(part is call for part in step.term.walk())
        for step in function.cfg.steps
        if step.term is not None
    )


def _takes_out(survivors: Survivors, step: Step, kept: Place) -> bool:
    """Whether a step takes one entry out of a collection."""
    if step.kind == "delete":
        return step.target == kept.element
    call = step.call
    return (
        step.kind == "call"
        and call is not None
        and call.receiver_place == kept
        and bool(call.arguments)
        and call.method in survivors.knowledge.names("dedup", "removes")
    )


def _only_takes_out(survivors: Survivors, function: Function, kept: Place) -> bool:
    """Whether a function does nothing with a collection but take entries out of it."""
    touching = [
        step
        for step in function.cfg.steps
        if (step.target is not None and step.target.starts_with(kept))
        or any(
            isinstance(part, t.Ref) and part.place.starts_with(kept)
            for part in (step.term.walk() if step.term is not None else ())
        )
    ]
    return bool(touching) and all(_takes_out(survivors, step, kept) for step in touching)


def _cleared_fields(
    survivors: Survivors, function: Function, armed: Armed, removal: Step | None = None
) -> dict[str, Step]:
    """The fields of entries whose timers a function, or one that it calls, clears.

    With a removal, a call that is given something else than the removed entry's key deals with another entry.
    """
    key = _key_of(removal) if removal is not None else None
    ran = [function]
    for _, call in function.cfg.calls:
        callee = survivors.module.resolve(call)
        if callee is None:
            continue
        given = [flow.key(a) for a in call.arguments]
        if key is None or not given or None in given or key in given or _is_of_entry(call, removal):
            ran.extend(survivors.owners.run_by(callee))
    return {
        value.place.path[-1]: step
        for inner in dict.fromkeys(ran)
        for step in inner.cfg.steps
        for value in survivors.kept.collections.cleared_at(step, armed.arming)
        if isinstance(value, t.Ref) and value.place.path
    }


def _is_of_entry(call: t.Call, removal: Step | None) -> bool:
    """Whether a call is given the entry that is taken out by a field of it: `quiet(t); delete(tables, t.id)`."""
    by = _taken_by(removal) if removal is not None else None
    return isinstance(by, t.Ref) and any(
        isinstance(a, t.Ref) and by.place.path and by.place.starts_with(a.place) for a in call.arguments
    )


def _key_of(removal: Step) -> flow.Key | None:
    """The key of the entry that a step takes out."""
    by = _taken_by(removal)
    return flow.key(by) if by is not None else None


def _taken_by(removal: Step) -> t.Term | None:
    """What a step says of the entry that it takes out."""
    if removal.kind == "delete" and isinstance(removal.term, t.Delete):
        target = removal.term.target
        return target.key if isinstance(target, t.Ref) else None
    return removal.call.argument(0) if removal.call is not None else None


def _is_handed_on(survivors: Survivors, function: Function, kept: Place) -> bool:
    """Whether the entry itself is given to something of another file, which may clear its timers."""
    entries = {
        step.target
        for step, store in function.cfg.assignments
        if step.target is not None
        and not step.target.path
        and survivors.kept.collections.within(
            store.value.call if isinstance(store.value, t.Result) else store.value
        )
        == kept
    }
    if any(
        isinstance(end.statement, t.Return)
        and end.statement.value is not None
        and any(isinstance(p, t.Ref) and p.place in entries for p in end.statement.value.walk())
        for end in function.cfg.of_kind("return")
    ):
        return True
    return any(
        survivors.module.resolve(call) is None
        and (
            call.receiver_place in entries
            or any(isinstance(a, t.Ref) and a.place in entries for a in call.arguments)
        )
        for _, call in function.cfg.calls
    )


def _asks(survivors: Survivors, armed: Armed, end: End, work: tuple[Function, Step]) -> bool:
    """Whether a callback asks for a field that the removal writes, and may leave what it does then."""
    after = survivors.after(end)
    host, goal = work
    return any(
        isinstance(part, t.Ref) and part.place.path and after.was_changed(part.place)
        for function in dict.fromkeys((armed.callback, host))
        for step in function.cfg.of_kind("test")
        if step.term is not None and not (function is host and _goes_on(function, step, goal))
        for part in step.term.walk()
    )


def _goes_on(function: Function, test: Step, goal: Step) -> bool:
    """Whether every outcome of a test comes to a step, or none does."""
    cfg = function.cfg
    outcomes = {
        edge.target is goal or cfg.reaches(edge.target, goal) for edge in test.edges if edge.label != "raise"
    }
    return len(outcomes) < 2


def _is_felt(survivors: Survivors, step: Step) -> bool:
    """Whether a step of a callback calls something that an object keeps, which is no log and no answer to who waits."""
    call = step.call
    if call is None or step.kind not in ("call", "spawn") or call.total:
        return False
    if survivors.module.resolve(call) is not None or survivors.timers.arming_of(call, 0) is not None:
        return False
    if not isinstance(call.callee, t.Ref):
        return False
    names = survivors.knowledge.names
    slight = names("owner", "quick") | names("owner", "logs") | names("dedup", "removes")
    root, path = call.callee.place.root, call.callee.place.path
    keeps = root.kind in ("this", "parameter") and len(path) > 0
    return keeps and call.method not in slight
