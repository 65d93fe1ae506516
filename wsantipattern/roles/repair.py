"""Remedies of what roles find, for rules to hand out with their matches.

Answers in the model's terms, or with nothing where the file does not show enough to write. Writes no code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsantipattern.model import term as t
from wsantipattern.model.flow import key
from wsantipattern.model.place import ELEMENT
from wsantipattern.remedy import Advice, Drop, Guard, OnlyRaise, ResetBefore

if TYPE_CHECKING:
    from wsantipattern.model.cfg import Step
    from wsantipattern.model.flow import Fact
    from wsantipattern.model.module import Module
    from wsantipattern.model.place import Place
    from wsantipattern.roles.accumulation import Addition
    from wsantipattern.roles.dedup import StaleMark
    from wsantipattern.roles.slot import Move
    from wsantipattern.roles.staleness import Divergence
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
    if stale.is_late:
        return None
    cfg, divergence = stale.function.cfg, stale.divergence
    own = next((s.extent for s in cfg.of_kind("call") if s.extent == stale.reset), None)
    # Where a key is missing, or only the name of a function says that there is a tracker, the file's own reset it is.
    known = not stale.mark.said and ELEMENT not in stale.tracker.place.path
    grown_by = _grown_by(stale) if known else frozenset[str]()
    if own is None and not grown_by:
        return None
    within = dict.fromkeys(
        step.extent
        for step in cfg.steps
        if step.kind not in ("entry", "exit", "raised")
        and any(_tells(divergence, fact, stale.function.module) for fact in cfg.known_at(step))
    )
    condition, can_precede = _condition(stale)
    return ResetBefore(
        stale.name,
        _first_use(stale),
        own,
        grown_by,
        divergence.extent,
        tuple(sorted(within)),
        condition,
        can_precede,
    )


def _first_use(stale: StaleMark) -> t.Extent:
    """Where the tracker is first looked at behind the divergence, or marked: what was left out is not taken in again."""
    cfg, divergence, place = stale.function.cfg, stale.divergence, _container(stale.tracker.place)

    def is_known(step: Step) -> bool:
        return any(_tells(divergence, fact, stale.function.module) for fact in cfg.known_at(step))

    found = stale.mark.step.extent
    apart = is_known(stale.mark.step)
    for step in cfg.steps:
        if step.term is None or not divergence.extent[1] < step.extent[0] < found[0]:
            continue
        named = [part.place for part in step.term.walk() if isinstance(part, t.Ref)]
        is_use = any(p.root == place.root and p.path[: len(place.path)] == place.path for p in named)
        # What is done where the divergence is known may be there to reset it, too late or for something else.
        if is_use and (apart or not is_known(step)):
            found = step.extent
    return found


def _tells(divergence: Divergence, fact: Fact, module: Module) -> bool:
    """Whether it is known of a step that the copy has diverged."""
    if fact.step is divergence.step and divergence.labels is not None:
        return divergence.labels == ("true" if fact.holds else "false",)
    return divergence.decides(fact.term, module) == fact.holds


def _condition(stale: StaleMark) -> tuple[t.Extent | None, bool]:
    """What says before the mark that the copy has diverged, if that must be said, and whether it can be said."""
    cfg, divergence = stale.function.cfg, stale.divergence
    if any(fact.step is divergence.step for fact in cfg.known_at(stale.mark.step)):
        return None, True
    store = divergence.step.store
    if store is not None:
        local = isinstance(store.target, t.Ref) and store.target.place.is_local
        return (store.target.extent, True) if local else (None, False)
    return (divergence.extent, True) if divergence.labels == ("true",) else (None, False)


def _container(place: Place) -> Place:
    """A container, of the place of its elements."""
    while place.path and place.path[-1] == ELEMENT and place.parent is not None:
        place = place.parent
    return place


def _grown_by(stale: StaleMark) -> frozenset[str]:
    """How the file puts items into the tracker: the methods that it calls on it, `[]`, or `append` of the result."""
    place = _container(stale.tracker.place)
    found: set[str] = set()
    for function in stale.function.module.functions_mentioning(place.name):
        for step in function.cfg.steps:
            target, call, store = step.target, step.call, step.store
            if step.kind == "assign" and target is not None and store is not None:
                if target.path[-1:] == (ELEMENT,) and _may_be(_container(target), place):
                    found.add("[]")
                elif _may_be(target, place) and _is_append(store):
                    found.add("append=")
                elif _may_be(target, place) and store.op is not None:
                    found.add(f"{store.op}=")
            if call is not None and call.receiver_place is not None and _may_be(call.receiver_place, place):
                found |= {call.method} & _GROWING
    return frozenset(found)


def _may_be(place: Place, container: Place) -> bool:
    """Whether a place is a container, or one of the same name somewhere that is not another class."""
    if place.name != container.name:
        return False
    if len(place.path) > 1 or len(container.path) > 1:
        return True
    owners = [p.root.owner for p in (place, container) if p.root.kind == "this"]
    return len(owners) < 2 or owners[0] is owners[1]


def _is_append(store: t.Store) -> bool:
    value = store.value
    return isinstance(value, t.Call) and value.total and value.method == "append" and store.op is None


_GROWING = frozenset(
    {"add", "set", "update", "append", "appendleft", "setdefault", "LoadOrStore", "Store", "push"}
)
"""Methods of the languages' own containers that put something into them."""


def guarded(addition: Addition) -> Guard | None:
    """How a text gets only what it does not end with yet."""
    term = addition.term
    typed = not addition.function.module.raises
    if addition.kind != "text" and not (typed and addition.kind == ""):
        return None
    if isinstance(term.parent, t.Store) and term.parent.value is term:
        term = term.parent
    if isinstance(term, t.Store):
        return _guarded_store(addition, term)
    if isinstance(term, t.Call):
        return _guarded_write(addition, term) if typed else None
    if not isinstance(term, t.Binary) or term.op != "+" or not _is_repeatable(term.right):
        return None
    held, spare = _held(term.left)
    if isinstance(held, t.Ref) and spare is None and _is_repeatable(held):
        return Guard(addition.name, term.extent, held.extent, term.right.extent, "value")
    if isinstance(spare, t.Constant) and (_is_lookup(held) or _is_repeatable(held)):
        return Guard(addition.name, term.extent, term.left.extent, term.right.extent, "part")
    return None


def _guarded_store(addition: Addition, store: t.Store) -> Guard | None:
    target, value = store.target, store.value
    if not isinstance(target, t.Ref) or not _is_repeatable(target) or target.place.name in _SERIALIZED:
        return None
    content: t.Term = target
    added = value if store.op == "+" else None
    if store.op is None and isinstance(value, t.Binary) and value.op == "+":
        content, added = value.left, value.right
    elif store.op is None and isinstance(value, t.Template) and len(value.parts) == 2:
        content, added = value.parts
    held, spare = _held(content)
    if added is None or not _is_repeatable(added) or not (spare is None or isinstance(spare, t.Constant)):
        return None
    if store.declares:
        if not isinstance(value, t.Binary) or not _is_repeatable(held):
            return None
        if content is held:
            return Guard(addition.name, value.extent, held.extent, added.extent, "value")
        return Guard(addition.name, value.extent, content.extent, added.extent, "part")
    same = key(held) is not None and key(held) == key(target)
    if not same and not (_is_lookup(held) and _is_element(target, held)):
        return None
    return Guard(addition.name, store.extent, content.extent, added.extent, "statement")


def _held(content: t.Term) -> tuple[t.Term, t.Term | None]:
    """What is added to, and what stands for it where it is nothing."""
    return (content.left, content.right) if isinstance(content, t.Logic) else (content, None)


def _is_lookup(term: t.Term) -> bool:
    """Whether a term looks something up in a container, which changes nothing."""
    return (
        isinstance(term, t.Call)
        and term.method == "get"
        and term.receiver_place is not None
        and not term.keywords
        and 1 <= len(term.arguments) <= 2
        and _is_repeatable(term.arguments[0])
        and all(isinstance(argument, t.Constant) for argument in term.arguments[1:])
    )


def _is_element(target: t.Ref, lookup: t.Term) -> bool:
    """Whether what is looked up is the element that is assigned."""
    return (
        isinstance(lookup, t.Call)
        and target.key is not None
        and target.place.parent == lookup.receiver_place
        and key(target.key) is not None
        and key(target.key) == key(lookup.arguments[0])
    )


_SERIALIZED = frozenset({"innerHTML", "outerHTML"})
"""What reads otherwise than it was written."""


def _guarded_write(addition: Addition, call: t.Call) -> Guard | None:
    """A builder of texts, which gives its text and is written to."""
    if call.method != "WriteString" or len(call.arguments) != 1 or not isinstance(call.callee, t.Ref):
        return None
    added = call.arguments[0]
    if call.receiver_place is None or call.callee.key is not None or not _is_repeatable(added):
        return None
    start, end = call.callee.extent
    return Guard(addition.name, call.extent, (start, end - len(f".{call.method}")), added.extent, "builder")


def _is_repeatable(term: t.Term) -> bool:
    """Whether a term may be written, and computed, twice."""
    return all(
        isinstance(part, (t.Constant, t.Ref, t.Field, t.Element, t.Template, t.Binary))
        and getattr(part, "guard", None) is None
        for part in term.walk()
    )


def ended(timer: str, end: str, how: str) -> Advice:
    """What a person can do about a timer that survives its owner; `end` is how the end is called."""
    if how == "left":
        return Advice(
            f"clear `{timer}` in {end}, and look first thing in its callback whether the owner has ended"
        )
    return Advice(
        f"note in {end} that the owner has ended, before anything is closed, and look at that where `{timer}` is armed"
    )


def asked(socket: str) -> Advice:
    """What a person can do about a peer that nobody asks."""
    return Advice(
        f"ping the peer of `{socket}`, count the answers that are missing, and close it when there are too many"
    )
