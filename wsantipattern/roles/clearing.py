"""What would clear a leaking timer always, and whether that changes nothing but the leak.

Answers in the model's terms (`remedy`), or with nothing where the handle gets another owner on some way: what that
owner does with it is not for the function to undo. Writes no code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import STRAIGHT, Path, Step, reads
from wsantipattern.model.module import Function
from wsantipattern.model.place import Place
from wsantipattern.remedy import ClearAlways, ClearBefore
from wsantipattern.roles.timer import Timer, Timers

_RISKS = frozenset({"call", "spawn", "iterate", "release", "return", "raise", "halt"})
"""Kinds of steps at which a function may be left."""


def always(timers: Timers, function: Function, timer: Timer) -> ClearAlways | None:
    """How the function can clear the timer on every way out, or None."""
    clear = _written(timers, function, timer)
    if clear is None or function.kind == "top":
        return None
    cfg, clears, arming = function.cfg, timers.clears(timer.arming), timer.arming
    onward = cfg.reachable(timer.step, avoiding={timer.step})
    if any(step in onward and timers.gives_away(timer, function, step) for step in cfg.steps):
        return None
    direct: dict[t.Extent, None] = {}
    others: dict[t.Extent, None] = {}
    released = {s for s in cfg.steps if clears.may_at(function, s, timer.place)}
    for step in released:
        if step.kind == "call" and step in onward:
            itself = timers.clears_by_itself(arming, function, step, timer.place)
            (direct if itself else others)[step.extent] = None
    waits = dict.fromkeys(s.extent for s in cfg.steps if s.suspends)
    risks = dict.fromkeys(s.extent for s in cfg.steps if s.suspends or s.kind in _RISKS)
    armed = cfg.reachable(timer.step, avoiding=released | {timer.step})
    safe = (
        not timers.outlives(function, timer)
        and not timers.has_other_owner(function, timer)
        and not _is_lent(function, timer, released)
        and (arming.called or _is_oversight(function, timer, released))
    )
    return ClearAlways(
        name=str(timer.place),
        variable=timer.place.root.name,
        arm=timer.step.extent if arming.starts is not None else timer.call.extent,
        clear=clear,
        clears=tuple(sorted(direct)),
        others=tuple(sorted(others)),
        waits=tuple(sorted(waits)),
        risks=tuple(sorted(risks)),
        armed=tuple(sorted({s.extent for s in armed if s.kind not in ("exit", "raised")})),
        is_harmless_unset=bool(arming.cleared_by),
        is_immediate=arming.starts is None and function.module.raises,
        safe=safe,
    )


def before_settling(timers: Timers, function: Function, timer: Timer, way: Path) -> ClearBefore | None:
    """How the handler at the end of `way`, which settles a promise, can clear the timer first, or None."""
    clear = _written(timers, function, timer)
    if clear is None or way.goal.kind != "call":
        return None
    return ClearBefore(str(timer.place), timer.call.extent, clear, way.goal.extent)


def _written(timers: Timers, function: Function, timer: Timer) -> t.Extent | None:
    """A call that clears the handle, made of nothing but the handle and literals; the function's own first."""
    found: list[t.Extent] = []
    for other in dict.fromkeys((function, *timers.module.functions_mentioning(timer.place.name))):
        for step, call in other.cfg.calls:
            named = [*call.arguments, *(value for _, value in call.keywords)]
            if (
                timers.clears_by_itself(timer.arming, other, step, timer.place)
                and call.guard is None
                and all(isinstance(a, t.Constant) or _is(a, timer.place) for a in named)
            ):
                found.append(call.extent)
        if found:
            return min(found)
    return None


def _is(term: t.Term, place: Place) -> bool:
    return isinstance(term, t.Ref) and term.place == place and term.key is None


def _is_oversight(function: Function, timer: Timer, released: set[Step]) -> bool:
    """Whether the function clears the timer where it has done all its work: then the other ways were forgotten.

    A function that clears only where something failed may mean the timer to go on.
    """
    cfg = function.cfg
    onward = cfg.reachable(timer.step, labels=STRAIGHT)
    returns = {step for step in cfg.of_kind("return") if step in onward}
    armed = [(("set", timer.place), True)]
    avoiding = released | {timer.step}
    if cfg.path(timer.step, {cfg.exit}, avoiding=avoiding | returns, given=armed, along=STRAIGHT):
        return False
    if cfg.path(timer.step, {cfg.exit}, avoiding=returns, along=STRAIGHT) or not returns:
        return True
    last = max(step.extent for step in returns)
    return all(step.extent != last for step in _armed_returns(function, timer, released, STRAIGHT))


def _armed_returns(
    function: Function, timer: Timer, released: set[Step], along: frozenset[str] | None = None
) -> Iterator[Step]:
    cfg = function.cfg
    armed = [(("set", timer.place), True)]
    avoiding = released | {timer.step}
    for step in cfg.of_kind("return"):
        first = cfg.path(timer.step, {step}, avoiding=avoiding, given=armed, along=along)
        if first is not None and cfg.path(step, cfg.exits, avoiding=avoiding, given=first.facts) is not None:
            yield step


def _is_lent(function: Function, timer: Timer, released: set[Step]) -> bool:
    """Whether something made under the handle (a request's body) may still be used where it is not cleared now.

    What a failed call gave is not used. A timer has nothing made under it; a context has.
    """
    if not timer.arming.called:
        return False
    made = _made_under(function, timer)
    cfg = function.cfg
    for step in cfg.of_kind("spawn"):
        if any(place in made for place in _mentioned([step.term])) and cfg.reaches(timer.step, step):
            return True
    for step in _armed_returns(function, timer, released):
        value = step.statement.value if isinstance(step.statement, t.Return) else None
        given = {place for place in _mentioned([value]) if place in made}
        failed = {
            key[1]
            for fact in cfg.known_at(step)
            for key, holds in [flow.atom(fact.term) or (("", None), False)]
            if key[0] == "set" and fact.holds == holds
        }
        if given and not given & failed:
            return True
    return False


def _made_under(function: Function, timer: Timer) -> set[Place]:
    """The places whose values come from the same call as the handle, or from one that such a value was given to."""
    made: set[Place] = {timer.place}
    stores = [
        (store.target.place, store)
        for _, store in function.cfg.assignments
        if isinstance(store.target, t.Ref)
    ]
    made |= {p for p, store in stores if isinstance(store.value, t.Result) and store.value.call is timer.call}
    while True:
        more = {
            place
            for place, store in stores
            if place not in made and any(p in made for p in _mentioned([_whole(store.value)]))
        }
        if not more:
            return made
        made |= more


def _whole(value: t.Term) -> t.Term:
    return value.call if isinstance(value, t.Result) else value


def _mentioned(terms: Iterable[t.Term | None]) -> Iterator[Place]:
    """The places that terms read, and those these lie in."""
    for term in terms:
        for place in reads(term):
            inner: Place | None = place
            while inner is not None:
                yield inner
                inner = inner.parent
