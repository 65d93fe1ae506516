"""Remedies of what roles find, for rules to hand out with their matches.

Answers in the model's terms, or with nothing where the file does not show enough to write. Writes no code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsantipattern.model import term as t
from wsantipattern.model.place import ELEMENT
from wsantipattern.remedy import Advice, Drop, Guard, ResetBefore

if TYPE_CHECKING:
    from wsantipattern.roles.accumulation import Addition
    from wsantipattern.roles.dedup import StaleMark
    from wsantipattern.roles.watermark import Setback


def left_alone(setback: Setback) -> Drop | None:
    """How a watermark that falls back to a fixed value is left as it is; a loaded value has more to say."""
    move = setback.move
    if setback.is_loaded or setback.value is None:
        return None
    store, call = move.step.store, move.step.call
    if store is not None and store.extent == move.extent:
        return Drop(str(move.place), store.extent, isinstance(store.value, (t.Constant, t.Ref)))
    if call is not None and call.extent == move.extent and setback.value in call.arguments:
        plain = all(isinstance(argument, (t.Constant, t.Ref)) for argument in call.arguments)
        return Drop(str(move.place), call.extent, plain)
    return None


def emptied_before(stale: StaleMark) -> ResetBefore | None:
    """How a tracker is emptied where a divergence is known, before the first mark."""
    if stale.is_late or ELEMENT in stale.tracker.place.path:
        return None
    cfg, divergence = stale.function.cfg, stale.divergence
    own = next((s.extent for s in cfg.of_kind("call") if s.extent == stale.reset), None)
    known = divergence.extent
    grown_by = _grown_by(stale)
    if own is None and not grown_by:
        return None
    if any(fact.step is divergence.step for fact in cfg.known_at(stale.mark.step)):
        return ResetBefore(stale.name, stale.mark.step.extent, own, grown_by, known, None)
    store = divergence.step.store
    if store is not None:
        if not isinstance(store.target, t.Ref) or not store.target.place.is_local:
            return None
        return ResetBefore(stale.name, stale.mark.step.extent, own, grown_by, known, store.target.extent)
    if divergence.labels != ("true",):
        return None
    return ResetBefore(stale.name, stale.mark.step.extent, own, grown_by, known, divergence.extent)


def _grown_by(stale: StaleMark) -> str:
    """How the file puts items into the tracker: the one method that it calls on it, or `[]`, or "" ."""
    if stale.mark.said:
        return ""  # Only the name of a function says that there is a tracker at all.
    name = stale.tracker.place.name
    found: set[str] = set()
    for function in stale.function.module.functions_mentioning(name):
        for step in function.cfg.steps:
            target, call = step.target, step.call
            if step.kind == "assign" and target is not None and target.path[-1:] == (ELEMENT,):
                found |= {"[]"} if target.name == name else set()
            if call is not None and call.receiver_place is not None and call.receiver_place.name == name:
                found |= {call.method} & _GROWING
    return found.pop() if len(found) == 1 else ""


_GROWING = frozenset({"add", "set", "update", "append", "appendleft", "setdefault", "LoadOrStore", "Store"})
"""Methods of the languages' own containers that put something into them."""


def guarded(addition: Addition) -> Guard | None:
    """How a text gets only what it does not end with yet."""
    store = addition.term
    if addition.kind != "text" or not isinstance(store, t.Store) or not isinstance(store.target, t.Ref):
        return None
    added = store.value if store.op == "+" else None
    if store.op is None and isinstance(store.value, t.Binary) and store.value.op == "+":
        left = store.value.left
        if isinstance(left, t.Ref) and left.place == store.target.place:
            added = store.value.right
    if not isinstance(added, t.Ref) or store.target.key is not None or added.guard is not None:
        return None
    return Guard(addition.name, store.extent, store.target.extent, added.extent)


def asked(socket: str) -> Advice:
    """What a person can do about a peer that nobody asks."""
    return Advice(
        f"ping the peer of `{socket}`, count the answers that are missing, and close it when there are too many"
    )
