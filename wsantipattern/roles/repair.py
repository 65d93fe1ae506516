"""Remedies of what roles find, for rules to hand out with their matches.

Answers in the model's terms, or with nothing where the file does not show enough to write. Writes no code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsantipattern.model import term as t
from wsantipattern.model.place import ELEMENT
from wsantipattern.remedy import Advice, Drop, Guard, OnlyRaise, ResetBefore

if TYPE_CHECKING:
    from wsantipattern.roles.accumulation import Addition
    from wsantipattern.roles.dedup import StaleMark
    from wsantipattern.roles.slot import Move
    from wsantipattern.roles.watermark import Setback


def left_alone(setback: Setback) -> Drop | OnlyRaise | None:
    """How a watermark that falls back to a fixed value is left as it is, and one that takes a loaded value rises only."""
    move = setback.move
    if setback.is_loaded:
        return _only_raised(move)
    store, call, term = move.step.store, move.step.call, move.step.term
    # Whoever else calls the function may mean it.
    own = setback.fallback is not None and setback.fallback.function is move.function
    may_be_all = own and move.function.kind == "lambda"
    if store is not None and store.extent == move.extent and setback.value is not None:
        if _is_used_up(move, store.value):
            return None
        plain = isinstance(store.value, (t.Constant, t.Ref))
        return Drop(str(move.place), store.extent, plain and own, may_be_all)
    if isinstance(term, t.Delete) and term.extent == move.extent:
        return Drop(
            str(move.place), term.extent, own and all(_is_read(part) for part in term.children()), may_be_all
        )
    if call is not None and call.extent == move.extent:
        plain = all(isinstance(argument, (t.Constant, t.Ref)) for argument in call.arguments)
        if (setback.value is None and plain) or setback.value in call.arguments:
            return Drop(str(move.place), call.extent, plain and own, may_be_all)
    return None


def _is_used_up(move: Move, value: t.Term) -> bool:
    """Whether a language that wants every variable used may miss a use of the value."""
    return not move.function.module.raises and isinstance(value, t.Ref) and value.place.is_local


def _only_raised(move: Move) -> Drop | OnlyRaise | None:
    """How a value is taken only where it is higher; not where the file has nothing there at first."""
    store = move.step.store
    if store is None or store.extent != move.extent or store.op is not None or store.declares:
        return None
    target = store.target
    if not isinstance(target, t.Ref) or (target.key is not None and not _is_read(target.key)):
        return None
    if _is_length(store.value):
        # How much came says nothing about where it ends: the higher one of the two is no position either.
        return Drop(str(move.place), store.extent, False, False)
    numbers = False
    for function in move.function.module.all_functions:
        for _, other in function.cfg.assignments:
            named = other.target.place if isinstance(other.target, t.Ref) else None
            if named is not None and named.name == move.place.name and isinstance(other.value, t.Constant):
                if other.value.kind != "number":
                    return None
                numbers = True
    read = [part for part in store.value.walk() if not (isinstance(part, t.Call) and part.total)]
    repeatable = all(_is_read(part) or isinstance(part, (t.Binary, t.Unary)) for part in read)
    return OnlyRaise(str(move.place), store.extent, target.extent, store.value.extent, repeatable, numbers)


def _is_length(value: t.Term) -> bool:
    if isinstance(value, t.Call):
        return value.total and value.method == "len"
    return isinstance(value, t.Ref) and value.place.name == "length"


def _is_read(term: t.Term) -> bool:
    return isinstance(term, (t.Constant, t.Ref, t.Field, t.Element))


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
