"""Staleness: where a function learns that this side's copy is ahead of the server's, so that it has diverged.

Strong evidence: an ordering comparison that puts a position of this side's lasting state above one that came with
the call or in a reply, directly, through a predicate of the file, or by a named choice. Weak evidence: the words of
a predicate of another file, or of two parameters. That this side is *behind* is no divergence: catching up is what a
recovery is for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Key, atom, facts_at, implied, key, plain, returns, substitute
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.origin import Frame, Leaf, Origins
from wsantipattern.roles.words import any_of, of_place, split

Kind = Literal["ahead", "life", "base", "gap", "differs", "dropped", "said"]

_ACCOUNTS: dict[Kind, str] = {
    "ahead": "this side is ahead of the server here: its copy has diverged",
    "life": "the server lives another life here than this side knows: its copy has diverged",
    "base": "the batch does not start here where the copy of this side ends",
    "gap": "the server has gone on too far here: the copy of this side cannot be continued",
    "differs": "what this side and the server hold differs here, and the tracker is reset for it elsewhere",
    "dropped": "what this side and the server hold differs here, and the copy is dropped for it",
    "said": "this says that the copy of this side is stale",
}


_LAX = {(">=", True): ">", ("<", False): ">", ("<=", True): "<", (">", False): "<"}
"""By operator and truth, what is left of a comparison where the two sides are not the same."""

REASONS = 3
"""How many alternatives of a condition are looked into, one within the other."""


@record(frozen=True, slots=True, eq=False)
class Divergence:
    """A step after which a function knows, on one way, that its copy has diverged.

    Attributes:
        step: the test, or the assignment of a condition to a variable.
        labels: the edges of `step` on which it has; None for an assignment.
        given: what holds where it has.
        extent: the condition, for a trace.
        confidence: high for a comparison of positions, medium for words.
        loops: the iterables of which the compared position is an element.
        is_sure: this side is ahead. Otherwise it only differs, or the server has gone far on: a divergence where the
            function itself treats it as one.
        kind: what tells: this side is `ahead`, another `life` of the server, another `base` of the batch, a `gap`, that
            it `differs` (and the copy is `dropped` for it), or a predicate that is `said` so.
    """

    step: Step
    labels: tuple[str, ...] | None
    given: tuple[tuple[Key, bool], ...]
    extent: t.Extent
    confidence: Confidence
    loops: frozenset[int]
    is_sure: bool = True
    kind: Kind = "ahead"

    @property
    def account(self) -> str:
        """What is known at the condition, for a trace."""
        return _ACCOUNTS[self.kind]

    def decides(self, condition: t.Term, module: Module) -> bool | None:
        """The truth of a condition where the copy has diverged; None where this does not say."""
        known = dict(self.given)
        decided = atom(plain(condition, module))
        if decided is None or decided[0] not in known:
            return None
        return known[decided[0]] == decided[1]


@record(frozen=True, slots=True)
class _Verdict:
    confidence: Confidence
    loops: frozenset[int]
    term: t.Term
    is_sure: bool = True
    kind: Kind = "ahead"

    @property
    def weight(self) -> tuple[bool, Confidence]:
        return (self.is_sure, self.confidence)


class Staleness:
    """The staleness tests of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, origins: Origins) -> None:
        self.module = module
        self.knowledge = knowledge
        self.origins = origins
        self._kept: dict[Function, list[Divergence]] = {}
        self._moving: dict[tuple[Binding, str], bool] = {}

    def learned_in(self, function: Function) -> list[Divergence]:
        """The steps at which a function learns that its copy has diverged, in building order."""
        if function not in self._kept:
            found = list(self._learned(function)) if function in self._candidates else []
            if any(d.is_sure and d.confidence >= Confidence.HIGH for d in found):
                found = [d for d in found if d.is_sure]
            self._kept[function] = found
        return self._kept[function]

    @cached_property
    def _candidates(self) -> set[Function]:
        """The functions that could learn it: they put values in order, use a word for it, or mention one that does.

        Most functions of most files are none of these, and are then never lowered.
        """
        module = self.module
        at = {*module.orderings, *module.inequalities, *self._worded_at()}
        todo = list(dict.fromkeys(module.function_at(offset) for offset in at))
        for name in self.knowledge.names("dedup", "exceeds") | self.knowledge.names("dedup", "precedes"):
            todo.extend(module.functions_mentioning(name))
        chosen: set[Function] = set()
        while todo:
            function = todo.pop()
            if function in chosen:
                continue
            chosen |= {function, function.host}
            if function.kind == "lambda" and function.parent is not None:
                chosen.add(function.parent.host)  # `[...seen].some((n) => n > head)`
            # A variable of it may hold the outcome for the closures in it, and callers of it have it from it.
            todo.extend(self._seeing_outcomes(at) if function.kind == "top" else function.closures)
            name = function.name.rpartition(".")[2]
            if name:
                todo.extend(module.functions_mentioning(name))
        return chosen

    def _seeing_outcomes(self, at: set[int]) -> Iterator[Function]:
        """The functions that mention a variable of the module which is given something with one of these places in it."""
        module = self.module
        if module.offset_map is not None:
            yield from module.functions
            return
        places = sorted(at)
        names: set[str] = set()
        for _, store in module.top.cfg.assignments:
            first = bisect_left(places, store.extent[0])
            if first < len(places) and places[first] < store.extent[1] and isinstance(store.target, t.Ref):
                names.update((store.target.place.root.name, store.target.place.name))
        for name in names:
            yield from module.functions_mentioning(name)

    def _worded_at(self) -> Iterator[int]:
        """Where the text has one of the words that say so without an operator, as a word of a name."""
        names = [self.knowledge.names("words", key) for key in ("staleness", "diverged", "lives")]
        for word in frozenset().union(*names):
            yield from self.module.words_of_names(word)

    def _learned(self, function: Function) -> Iterator[Divergence]:
        frame = Frame(function)
        named: set[Place] = set()
        for step, store in function.cfg.assignments:
            if step.target is None or ELEMENT in step.target.path or not _may_be_condition(store.value):
                continue
            if self._is_mask(function, step.target):
                continue
            learned = list(self._either(frame, store.value))
            if not learned and isinstance(store.value, t.Call):
                # `const isStale = checkState(ours, theirs)`: the variable is named for it.
                stale = self.knowledge.names("words", "staleness")
                said = self._asked(frame, store.value) if any_of(split(step.target.name), stale) else None
                learned = [(True, said)] if said is not None else []
            for holds, verdict in learned:
                if verdict is not None:
                    named.add(step.target)
                    given: list[tuple[Key, bool]] = [(("set", step.target), holds), *_atoms(verdict.term)]
                    yield Divergence(
                        step,
                        None,
                        tuple(given),
                        store.value.extent,
                        verdict.confidence,
                        verdict.loops,
                        verdict.is_sure,
                        verdict.kind,
                    )
        for step in function.cfg.of_kind("test"):
            if step.term is None or _core(step.term) in named:
                continue
            for holds, verdict in self._either(frame, step.term):
                label = "true" if holds else "false"
                told = set(_atoms(verdict.term))
                if not self._is_maximum(function, step, verdict.term) and not self._is_excluded(
                    function, step, told
                ):
                    given = [*told]
                    decided = function.cfg.atom(step)
                    if decided is not None:
                        given.append((decided[0], decided[1] == holds))
                    yield Divergence(
                        step,
                        (label,),
                        tuple(given),
                        step.extent,
                        verdict.confidence,
                        verdict.loops,
                        verdict.is_sure,
                        verdict.kind,
                    )

    def _is_mask(self, function: Function, place: Place) -> bool:
        """Whether a comparison is one of each element, by which some are chosen: `rows[rows.at <= last]` of an array."""
        if place.path:
            return False
        marker = ("masks", function)
        masks: set[Place] | None = self.module.memo.get(marker)
        if masks is None:
            masks = self.module.memo[marker] = {
                inner.place
                for step in function.cfg.steps
                if step.term is not None
                for part in step.term.walk()
                if isinstance(part, (t.Ref, t.Element)) and part.key is not None
                for inner in part.key.walk()
                if isinstance(inner, t.Ref)
            }
        return place in masks

    def _is_excluded(self, function: Function, step: Step, told: set[tuple[Key, bool]]) -> bool:
        """Whether an earlier condition has said already that it is not so: `case stale: ... case current: ...`."""
        for fact in facts_at(function, step):
            decided = atom(plain(fact.term, self.module))
            if decided is not None and (decided[0], decided[1] != fact.holds) in told:
                return True
        return False

    def _either(self, frame: Frame, term: t.Term) -> Iterator[tuple[bool, _Verdict]]:
        """The truth value of a condition that tells best of a divergence, with what tells it."""
        found = [(holds, verdict) for holds in (True, False) if (verdict := self._says(frame, term, holds))]
        if found:
            yield max(found, key=lambda one: one[1].weight)

    def _says(self, frame: Frame, term: t.Term, holds: bool, depth: int = REASONS) -> _Verdict | None:
        """What shows that the copy has diverged where the condition is true (false)."""
        best: _Verdict | None = None
        known = list(implied(term, holds, self.module))
        for condition, truth in known:
            found = (
                self._one_of(frame, condition, truth, depth)
                or self._compared(frame, condition, truth)
                or self._compared_each(frame, condition, truth)
                or self._worded(frame, condition, truth)
                or self._differs(frame, condition, truth)
            )
            if found is not None and (best is None or found.weight > best.weight):
                best = found
        if best is None or not best.is_sure:
            return self._apart(frame, known) or best
        return best

    def _one_of(self, frame: Frame, condition: t.Term, holds: bool, depth: int) -> _Verdict | None:
        """The best of several reasons: `const outdated = !m.complete || m.version < version`."""
        if depth <= 0 or not isinstance(condition, t.Logic) or condition.op != ("or" if holds else "and"):
            return None
        sides = (self._says(frame, side, holds, depth - 1) for side in (condition.left, condition.right))
        return max((side for side in sides if side is not None), key=lambda one: one.weight, default=None)

    def _apart(self, frame: Frame, known: list[tuple[t.Term, bool]]) -> _Verdict | None:
        """Two positions of which one is not below the other, and not the same: `a != b and not a < b`."""
        for one, truth in known:
            op = _LAX.get((one.op, truth)) if isinstance(one, t.Binary) else None
            if op is not None and isinstance(one, t.Binary) and len(known) > 1:
                same = atom(t.Binary(one.extent, "==", one.left, one.right))
                if same is not None and any(
                    decided[0] == same[0] and decided[1] is not holds
                    for other, holds in known
                    if (decided := atom(other)) is not None
                ):
                    return self._compared(frame, t.Binary(one.extent, op, one.left, one.right), True)
        return None

    # -- comparisons -----------------------------------------------------------------------------

    def _compared(self, frame: Frame, condition: t.Term, holds: bool) -> _Verdict | None:
        sides = self._ordered(condition, holds)
        if sides is None:
            return None
        larger, smaller = sides
        considered = self.module.considered
        if self._is_no_position(larger) or self._is_no_position(smaller) or self._bounds(smaller):
            what = "this compares with a size, a time, a limit or a literal, which is no position of the other side"
            considered.aside(condition.extent, what)
            return None
        if (
            self._counts_through(larger, smaller)
            or self._counts_through(smaller, larger)
            or self._is_counter(larger)
            or self._is_counter(smaller)
        ):
            considered.aside(condition.extent, "this is the condition of a counting loop")
            return None
        own, other = self.origins.of(frame, larger), self.origins.of(frame, smaller)
        if not own or not other:
            return None
        outer, inner = _rank(own), _rank(other)
        loops = frozenset(loop for leaf in (*own, *other) for loop in leaf.loops)
        told = condition if holds else t.Not(condition.extent, condition)
        if outer < inner:
            ours = [leaf for leaf in own if leaf.rank == outer]
            if not any(self._moves(leaf) for leaf in ours):
                if any(self._is_moved_elsewhere(leaf) for leaf in ours) and self._is_of_other_side(smaller):
                    return _Verdict(Confidence.MEDIUM, loops, told)
                considered.aside(
                    condition.extent, "this side's value does not go on with what comes in: no position"
                )
                return None
            sure = Confidence.HIGH if any(leaf.is_state for leaf in ours) else Confidence.MEDIUM
            return _Verdict(sure, loops, told)
        if outer == inner and all(leaf.kind != "state" for leaf in (*own, *other)):
            if self._is_kept(larger) and not self._is_kept(smaller):
                return _Verdict(Confidence.HIGH, loops, told)
            if self._named_apart(larger, smaller):
                return _Verdict(Confidence.MEDIUM, loops, told)
        behind = "this says that this side is behind: no divergence, but what a recovery is for"
        same = "this compares values of one and the same side"
        considered.aside(condition.extent, behind if outer > inner else same)
        return None

    def _compared_each(self, frame: Frame, condition: t.Term, holds: bool) -> _Verdict | None:
        """Some of what is kept is compared: `[...seen].some((n) => n > head)`, `any(n > head for n in seen)`."""
        if not isinstance(condition, t.Call) or self.module.resolve(condition) is not None:
            return None
        known, argument = self.knowledge.names, condition.argument(0)
        name = self.module.canonical(condition.callee) or ""
        if name in known("dedup", "searches_of" if holds else "requires_of"):
            compared = (
                argument.operands[-1] if isinstance(argument, t.Several) and argument.operands else None
            )
            return self._says(frame, compared, holds) if isinstance(compared, t.Binary) else None
        if condition.method in known("dedup", "searches" if holds else "requires"):
            function = self.module.resolve_value(argument)
            if function is None or not function.parameters or condition.receiver is None:
                return None
            element = {function.parameters[0]: t.Element(condition.extent, condition.receiver)}
            for value, _ in returns(function):
                if isinstance(value, t.Binary):
                    return self._compared(frame, substitute(value, element), holds)
        return None

    def _differs(self, frame: Frame, condition: t.Term, holds: bool) -> _Verdict | None:
        """Lives of the server that are not the same, or a gap between positions."""
        if not isinstance(condition, t.Binary):
            return None
        left, right = condition.left, condition.right
        told = condition if holds else t.Not(condition.extent, condition)
        if condition.op in ("==", "!="):
            if holds != (condition.op == "!="):
                return None
            sides = self._own_first(frame, left, right)
            if sides is None:
                return None
            if any_of(_words(left) | _words(right), self.knowledge.names("words", "lives")):
                return _Verdict(Confidence.MEDIUM, sides, told, kind="life")
            if self._is_other_part(frame.function, left, right):
                return _Verdict(Confidence.MEDIUM, sides, told, kind="base")
            return _Verdict(Confidence.HIGH, sides, told, is_sure=False, kind="differs")
        said = {">": (left, right), ">=": (left, right), "<": (right, left), "<=": (right, left)}
        if condition.op not in said:
            return None
        larger, smaller = said[condition.op] if holds else said[condition.op][::-1]
        larger, smaller = self._value(larger), self._value(smaller)
        loops: frozenset[int] | None = None
        if isinstance(smaller, t.Binary) and smaller.op == "+":
            found = [self._own_first(frame, side, larger) for side in (smaller.left, smaller.right)]
            loops = next((side for side in found if side is not None), None)
        elif isinstance(larger, t.Binary) and larger.op == "-" and not _is_zero(smaller):
            loops = self._own_first(frame, larger.right, larger.left)
        elif self._is_other_part(frame.function, smaller, larger):
            loops = self._own_first(frame, smaller, larger)
        if loops is not None:
            return _Verdict(Confidence.HIGH, loops, told, is_sure=False, kind="gap")
        return self._outgrown(frame, larger, smaller, told)

    def _outgrown(self, frame: Frame, larger: t.Term, smaller: t.Term, told: t.Term) -> _Verdict | None:
        """What the caller holds above what then came in, where nothing shows that it goes on: `max(rows.n) > reply.last`."""
        if self._is_no_position(larger) or self._is_no_position(smaller) or self._bounds(smaller):
            return None
        own, other = self.origins.of(frame, larger), self.origins.of(frame, smaller)
        if not own or not other or not all(leaf.kind == "given" for leaf in own):
            return None
        if _rank(own) > _rank(other) or not all(leaf.kind == "reply" for leaf in other):
            return None
        return _Verdict(Confidence.MEDIUM, _loops([*own, *other]), told, is_sure=False, kind="differs")

    def _is_other_part(self, function: Function, first: t.Term, second: t.Term) -> bool:
        """Whether one side is compared with a part of a message, and then set to another part of it."""
        for own, other in ((first, second), (second, first)):
            if not isinstance(own, t.Ref) or not isinstance(other, t.Ref):
                return False
            for step, store in function.cfg.assignments:
                value = store.value
                if step.target != own.place or store.op is not None or not isinstance(value, t.Ref):
                    continue
                if value.place.root is other.place.root and value.place != other.place:
                    return True
        return False

    def _own_first(self, frame: Frame, first: t.Term, second: t.Term) -> frozenset[int] | None:
        """The loops of two positions, where one is this side's, that goes on, and the other came with the call."""
        if self._is_no_position(first) or self._is_no_position(second):
            return None
        sides = (self.origins.of(frame, first), self.origins.of(frame, second))
        if not all(sides):
            return None
        ranks = [_rank(side) for side in sides]
        if ranks[0] == ranks[1]:
            is_handed = all(leaf.kind != "state" for side in sides for leaf in side)
            if not is_handed or _is_set(frame.function, first) == _is_set(frame.function, second):
                return None
            return frozenset(loop for side in sides for leaf in side for loop in leaf.loops)
        ours = sides[0] if ranks[0] < ranks[1] else sides[1]
        outer = min(ranks)
        if not any(leaf.is_state and leaf.rank == outer and self._moves(leaf) for leaf in ours):
            return None
        return frozenset(loop for side in sides for leaf in side for loop in leaf.loops)

    def _ordered(self, condition: t.Term, holds: bool) -> tuple[t.Term, t.Term] | None:
        """The larger and the smaller of what a condition says is strictly ordered."""
        if isinstance(condition, t.Call):
            return self._ordered_by_name(condition, holds)
        if not isinstance(condition, t.Binary):
            return None
        left, right = condition.left, condition.right
        strict = {">": (True, left, right), "<": (True, right, left)}
        lax = {"<=": (False, left, right), ">=": (False, right, left)}
        said = strict.get(condition.op) or lax.get(condition.op)
        if said is None or said[0] != holds:
            return None
        larger, smaller = self._value(said[1]), self._value(said[2])
        for side, other, turned in ((larger, smaller, False), (smaller, larger, True)):
            if _is_zero(other) and isinstance(side, t.Call) and self.module.resolve(side) is None:
                pair = _pair(side) if side.method in self.knowledge.names("dedup", "compares") else None
                if pair is not None:
                    return pair[::-1] if turned else pair
        if isinstance(smaller, t.Constant) and isinstance(larger, t.Binary) and larger.op == "-":
            return larger.left, larger.right
        if isinstance(larger, t.Constant) and isinstance(smaller, t.Binary) and smaller.op == "-":
            return smaller.right, smaller.left
        return said[1], said[2]

    def _ordered_by_name(self, call: t.Call, holds: bool) -> tuple[t.Term, t.Term] | None:
        """`ours.After(theirs)`, `semver.gt(ours, theirs)`: an order that a library's method tells."""
        if self.module.resolve(call) is not None or not holds:
            return None
        pair = _pair(call)
        if pair is not None and call.method in self.knowledge.names("dedup", "exceeds"):
            return pair
        if pair is not None and call.method in self.knowledge.names("dedup", "precedes"):
            return pair[::-1]
        return None

    def _value(self, term: t.Term) -> t.Term:
        return self.module.value_of(term) or term

    def _is_no_position(self, term: t.Term) -> bool:
        """Whether a side is a literal, a size or a time of day, or a difference (an age)."""
        value = self._value(term)
        if isinstance(value, t.Constant):
            return True
        if isinstance(value, t.Binary) and value.op == "-" and not isinstance(value.right, t.Constant):
            return True
        sizes = self.knowledge.names("dedup", "sizes")
        for part in value.walk():
            if isinstance(part, t.Call):
                name = self.module.typed_name(part.callee) or ""
                if name in self.knowledge.names("liveness", "clocks"):
                    return True
        if isinstance(value, t.Call):
            return value.method in sizes or value.method in self.knowledge.names("liveness", "clock_methods")
        if isinstance(value, t.Ref) and value.place.path:
            fields = self.knowledge.names("dedup", "size_fields")
            return value.place.name in fields and not self._is_kept(value)
        return isinstance(value, t.Field) and value.name in self.knowledge.names("dedup", "size_fields")

    def _counts_through(self, counter: t.Term, size: t.Term) -> bool:
        """Whether this is the condition of a counting loop: `i < xs.length`."""
        if not isinstance(counter, t.Ref) or not counter.place.is_local or not isinstance(size, t.Ref):
            return False
        stepped = any(store.op in ("+", "-") for _, store in self.module.stores_to(counter.place))
        return stepped and size.place.name in self.knowledge.names("dedup", "size_fields")

    def _is_counter(self, term: t.Term) -> bool:
        """Whether a side is a variable of one call that starts at a number and goes on by numbers: rounds, attempts."""
        if not isinstance(term, t.Ref) or not term.place.is_local or term.place.root.constant:
            return False
        stores = [store for _, store in self.module.stores_to(term.place)]
        return (
            all(isinstance(store.value, t.Constant) for store in stores)
            and any(store.declares for store in stores)
            and any(store.op in ("+", "-") for store in stores)
        )

    def _bounds(self, term: t.Term) -> bool:
        """Whether a side is a field of a message that bounds something: a limit that it names is no position."""
        value = self._value(term)
        name = value.place.name if isinstance(value, t.Ref) and value.place.path else ""
        name = value.name if isinstance(value, t.Field) else name
        return any_of(split(name), self.knowledge.names("words", "limits"))

    def _is_moved_elsewhere(self, leaf: Leaf) -> bool:
        """A field that this file only reads: another file of the package moves it."""
        place = leaf.place
        return place is not None and bool(place.path) and not self.module.stores_to(place)

    def _is_of_other_side(self, term: t.Term) -> bool:
        value = self._value(term)
        words = self.knowledge.names("words", "other_side")
        return isinstance(value, t.Ref) and any_of(split(value.place.name), words)

    def _moves(self, leaf: Leaf) -> bool:
        """Whether this side's value goes on as items come in: a limit that is set up once or used up is no position."""
        if leaf.place is None or leaf.kind == "library":
            return True
        moved = (leaf.place.root, leaf.place.name)
        if moved not in self._moving:
            self._moving[moved] = self._goes_on(leaf.place) or self._is_driven(leaf.place)
        return self._moving[moved]

    def _is_driven(self, place: Place) -> bool:
        """Whether a position is a field that another file moves: of an object whose methods are given what comes in."""
        owner = place.parent
        if owner is None or (owner.root.kind == "this" and not owner.path) or self.module.stores_to(place):
            return False
        if self.module.class_of(owner) is not None:
            return False
        return any(
            call.receiver_place == owner
            and self.module.resolve(call) is None
            and any(self._comes_in(function, argument) for argument in call.arguments)
            for function in self.module.functions_mentioning(owner.name)
            for _, call in function.cfg.calls
        )

    def _comes_in(self, function: Function, argument: t.Term) -> bool:
        """Whether something that came with the call or in a reply is handed on as a whole."""
        value = self._value(argument)
        if not isinstance(value, (t.Ref, t.Element)):
            return False
        return any(leaf.kind in ("given", "reply") for leaf in self.origins.of(Frame(function), value))

    def _goes_on(self, place: Place) -> bool:
        name = place.name
        goes_on = False
        for function in self.module.functions_mentioning(name):
            for step in function.cfg.steps:
                target, store = step.target, step.store
                if target is not None and store is not None and target.name == name:
                    operation, value = store.change or (None, store.value)
                    if operation == "-" or self._is_least(value, target):
                        return False
                    own = bool(target.path) or target.root is place.root
                    at_start = store.declares or function.kind in ("constructor", "top")
                    literal = isinstance(value, t.Constant)
                    if literal and operation == "+":
                        literal = not self._takes_in(function)
                    goes_on = goes_on or (
                        own
                        and not at_start
                        and (_is_entry_of(place, store.target) or not (literal or self._is_time(store.value)))
                    )
                receiver = step.call.receiver_place if step.call is not None else None
                if step.call is not None and receiver is not None and receiver.name == name:
                    # A library's object: whether its methods move it cannot be seen.
                    goes_on = goes_on or self.module.resolve(step.call) is None
                goes_on = goes_on or (step.term is not None and self._rises_in(step, name))
        return goes_on

    def _rises_in(self, step: Step, name: str) -> bool:
        """Whether a step makes an object anew whose field is the larger of the old one's and another value:
        `return { ...state, highest: Math.max(state.highest, row.n) }`, `replace(state, highest=max(state.highest, n))`."""
        term = step.statement.value if isinstance(step.statement, t.Return) else step.term
        for part in term.walk() if term is not None else ():
            entries = part.entries if isinstance(part, t.Record) else ()
            keywords = part.keywords if isinstance(part, t.Call) else ()
            for key_, value in (*entries, *keywords):
                if (
                    key_ == name
                    and isinstance(value, t.Call)
                    and value.method == "max"
                    and any(isinstance(a, t.Ref) and a.place.path[-1:] == (name,) for a in value.arguments)
                ):
                    return True
        return False

    def _is_least(self, value: t.Term, place: Place) -> bool:
        """Whether a value is the lesser of a place's own and another: a bound that both sides keep."""
        return (
            isinstance(value, t.Call)
            and value.method == "min"
            and any(isinstance(argument, t.Ref) and argument.place == place for argument in value.arguments)
        )

    def _takes_in(self, function: Function) -> bool:
        """Whether a function that counts also adds to a container: it counts what it takes in."""
        adds = self.knowledge.names("dedup", "adds") | self.knowledge.names("dedup", "adds_all")
        return any(
            (step.call is not None and step.call.method in adds)
            or (step.kind == "assign" and step.target is not None and step.target.path[-1:] == (ELEMENT,))
            for step in function.cfg.steps
        )

    def _is_time(self, value: t.Term) -> bool:
        name = self.module.typed_name(value.callee) if isinstance(value, t.Call) else None
        return name is not None and name in self.knowledge.names("liveness", "clocks")

    def _is_kept(self, term: t.Term) -> bool:
        """Whether something of the file writes the field that a side reads: it is state, handed in."""
        if not isinstance(term, t.Ref) or not term.place.path:
            return False
        marker = ("written", term.place.path)
        if marker not in self.module.memo:
            self.module.memo[marker] = any(
                store.target.place.path == term.place.path
                for function in self.module.functions_mentioning(term.place.name)
                for _, store in function.cfg.assignments
                if isinstance(store.target, t.Ref)
            )
        return self._is_handed_back(term.place) or bool(self.module.memo[marker])

    def _is_handed_back(self, place: Place) -> bool:
        """Whether a field is of a state that a function takes and returns, with another value for the field."""
        function = place.root.scope
        if place.root.kind != "parameter" or function is None:
            return False
        whole, changed = False, False
        for step in function.cfg.of_kind("return"):
            value = step.statement.value if isinstance(step.statement, t.Return) else None
            whole = whole or (isinstance(value, t.Ref) and value.place == Place(place.root))
            for name, entry in value.entries if isinstance(value, t.Record) else ():
                if isinstance(entry, t.Spread):
                    whole = whole or (
                        isinstance(entry.value, t.Ref) and entry.value.place == Place(place.root)
                    )
                changed = changed or (
                    name == place.name and isinstance(entry, t.Ref) and entry.place != place
                )
        return whole and changed

    def _named_apart(self, larger: t.Term, smaller: t.Term) -> bool:
        ours, theirs = self.knowledge.names("words", "this_side"), self.knowledge.names("words", "other_side")
        first, second = _words(larger), _words(smaller)
        if any_of(first, theirs) or any_of(second, ours):
            return False
        return any_of(first, ours) or any_of(second, theirs)

    def _is_maximum(self, function: Function, step: Step, told: t.Term) -> bool:
        """Whether a comparison only picks or keeps the larger value: `a > b ? a : b`, `if (a > b) b = a`."""
        condition = told.operand if isinstance(told, t.Not) else told
        sides = self._ordered(condition, condition is told)
        if sides is None:
            return False
        larger, smaller = key(sides[0]), key(sides[1])
        choice = condition.parent
        while isinstance(choice, (t.Not, t.Logic)):
            choice = choice.parent
        if isinstance(choice, t.Choice) and larger is not None:
            return {key(choice.then), key(choice.otherwise)} == {larger, smaller}
        if larger is None or smaller is None:
            return False
        given: dict[bool, set[Key | None]] = {True: set(), False: set()}
        for at, store in function.cfg.assignments:
            written, value = key(store.target), key(store.value)
            if store.op is not None or value not in (larger, smaller):
                continue
            if (written, value) == (smaller, larger):
                return True
            known = {fact.holds for fact in function.cfg.known_at(at) if fact.step is step}
            # `if (a > b) { c = a } else { c = b }`
            if written is not None and known == {(condition is told) == (value == larger)}:
                given[value == larger].add(written)
        return not given[True].isdisjoint(given[False])

    # -- words -----------------------------------------------------------------------------------

    def _worded(self, frame: Frame, condition: t.Term, holds: bool) -> _Verdict | None:
        """A predicate of another file that compares two positions and is named for divergence."""
        if not holds:
            return None
        stale = self.knowledge.names("words", "staleness")
        if isinstance(condition, t.Call):
            return self._asked(frame, condition) if any_of(split(condition.method), stale) else None
        if not isinstance(condition, t.Ref):
            return None
        words = split(condition.place.name)
        copy = self.knowledge.names("words", "this_side")
        leaves = self.origins.of(frame, condition)
        if not leaves or not all(leaf.kind in ("given", "reply") and leaf.place for leaf in leaves):
            return None
        plain = not condition.place.path and set(words) <= stale | copy | _AUXILIARY
        told = any_of(words, stale) and (plain or any_of(words, copy))
        if told or any_of(words, self.knowledge.names("words", "diverged")):
            return _Verdict(Confidence.MEDIUM, _loops(leaves), condition, kind="said")
        return None

    def _asked(self, frame: Frame, call: t.Call) -> _Verdict | None:
        """A function of another file is asked about two positions."""
        if self.module.resolve(call) is not None:
            return None
        read = [a for a in call.arguments if not isinstance(self._value(a), t.Constant)]
        if len(read) < 2 or any(self._is_no_position(a) for a in read):
            return None
        leaves = [leaf for a in read for leaf in self.origins.of(frame, a)]
        if all(leaf.is_state for leaf in leaves):
            return None
        return _Verdict(Confidence.MEDIUM, _loops(leaves), call, kind="said")


_AUXILIARY = frozenset({"is", "was", "are", "has", "state", "now"})


def _is_set(function: Function, term: t.Term) -> bool:
    """Whether a function itself gives a field that it reads another value: it keeps it, in an object handed to it."""
    return (
        isinstance(term, t.Ref)
        and bool(term.place.path)
        and any(step.target == term.place for step, _ in function.cfg.assignments)
    )


def _rank(leaves: list[Leaf]) -> float:
    """How far out the outermost of these lives; what is imported beside other values does not count."""
    return min(leaf.rank for leaf in [leaf for leaf in leaves if leaf.kind != "library"] or leaves)


def _loops(leaves: list[Leaf]) -> frozenset[int]:
    return frozenset(loop for leaf in leaves for loop in leaf.loops)


def _may_be_condition(value: t.Term) -> bool:
    return isinstance(value, (t.Binary, t.Not, t.Logic, t.Call, t.Choice)) and not (
        isinstance(value, t.Binary) and value.op in ("+", "-", "*", "/", "%")
    )


def _core(term: t.Term) -> Place | None:
    """The variable that a condition only reads: `stale` of `!stale`, `stale === true`."""
    if isinstance(term, t.Not):
        return _core(term.operand)
    if isinstance(term, t.Binary) and term.op in ("==", "!="):
        for side, other in ((term.left, term.right), (term.right, term.left)):
            if isinstance(other, t.Constant) and other.kind in ("bool", "null"):
                return _core(side)
    if isinstance(term, t.Store) and isinstance(term.target, t.Ref):
        return term.target.place
    return term.place if isinstance(term, t.Ref) else None


def _atoms(told: t.Term) -> Iterator[tuple[Key, bool]]:
    decided = atom(told)
    if decided is not None:
        yield decided


def _pair(call: t.Call) -> tuple[t.Term, t.Term] | None:
    """The two things that a call compares: its two arguments, or its receiver and its argument."""
    if len(call.arguments) == 2:
        return call.arguments[0], call.arguments[1]
    if len(call.arguments) == 1 and call.receiver is not None:
        return call.receiver, call.arguments[0]
    return None


def _is_entry_of(place: Place, target: t.Term) -> bool:
    """Whether an entry is put into the container at a place, by what came in: `booked[n] = time.time()`, of which the keys
    are the positions."""
    return (
        isinstance(target, t.Ref)
        and target.place.path[-1:] == (ELEMENT,)
        and len(target.place.path) > len(place.path)
        and not isinstance(target.key, t.Constant)
    )


def _is_zero(term: t.Term) -> bool:
    return isinstance(term, t.Constant) and not term.value


def _words(term: t.Term) -> set[str]:
    return {word for part in term.walk() if isinstance(part, t.Ref) for word in of_place(part.place)}
