"""Watermarks: the moves that set back a position up to which something was delivered, and what is said of them.

`rise.py` tells which slots are watermarks, `loading.py` what a move gives them, `fallback.py` whether it lies on a
fallback path, and `excuse.py` whether another stream, a fresh start or an end explains it. Knows no language; prefers
silence.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import facts_at
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record
from wsantipattern.roles.delivery import Deliveries
from wsantipattern.roles.event import Events
from wsantipattern.roles.excuse import Excuses
from wsantipattern.roles.fallback import Fallback, Fallbacks
from wsantipattern.roles.kinds import Kinds
from wsantipattern.roles.loading import DEPTH, Values
from wsantipattern.roles.order import Orders
from wsantipattern.roles.rise import Rises, Watermark
from wsantipattern.roles.slot import Move, Slots
from wsantipattern.roles.words import any_of, split


@record(frozen=True, slots=True, eq=False)
class Setback:
    """A move that sets a watermark back.

    Attributes:
        value: the value it gets; None where it is deleted.
        is_loaded: the value comes from elsewhere and was not compared; else it is a fixed, lower one.
        fallback: the path it lies on; None for a loaded value on an ordinary path.
        since: the step before it that shows that the stream was under way, for loaded values.
    """

    watermark: Watermark
    move: Move
    value: t.Term | None
    is_loaded: bool
    fallback: Fallback | None
    since: t.Extent | None

    @property
    def confidence(self) -> Confidence:
        is_known = self.watermark.is_strong and not self.watermark.is_named
        sure = is_known and self.fallback is not None and self.fallback.is_strong
        return Confidence.HIGH if sure else Confidence.MEDIUM


class Watermarks:
    """The watermarks of one module, and what sets them back."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = Slots(module, knowledge)
        self.orders = Orders(module, knowledge, self.slots)
        self.fallbacks = Fallbacks(module, knowledge, events, self.slots, self.orders)
        self.values = Values(module, knowledge, self.slots, self.orders)
        self.deliveries = Deliveries(module, knowledge, self.slots, self.orders)
        self.rises = Rises(module, knowledge, self.slots, self.orders, self.values, self.deliveries)
        self.excuses = Excuses(module, knowledge, self.slots, self.orders, self.rises)
        self.kinds = Kinds(module, knowledge, events, self.slots, self.orders, self.deliveries)

    @property
    def strong(self) -> list[Watermark]:
        """The slots with the monotonic idiom."""
        return self.rises.strong

    def setbacks(self) -> Iterator[Setback]:
        """The moves that set a watermark back, in order of appearance."""
        found: dict[t.Extent, Setback] = {}
        for watermark in (*self.rises.strong, *self.rises.gated):
            for move in self.rises.moves_of(watermark):
                setback = self._judged(watermark, move)
                if setback is not None:
                    found.setdefault(move.extent, setback)
        for watermark in self.rises.named():
            for move in self.rises.moves_of(watermark):
                setback = self._judged(watermark, move)
                if setback is None:
                    continue
                if setback.is_loaded:
                    what = "only its name makes `{}` a watermark, which is too little where it is loaded"
                    self.module.considered.silent(move.extent, what, move.place)
                    continue
                found.setdefault(move.extent, setback)
        if self.module.considered.active:
            self._account_for_others()
        yield from (found[extent] for extent in sorted(found))

    def _account_for_others(self) -> None:
        """Takes down that no watermark was found in what is moved elsewhere."""
        watermarks = [*self.rises.strong, *self.rises.gated, *self.rises.named()]
        known = {key for watermark in watermarks for key in watermark.keys}
        for function in self.module.all_functions:
            if function.is_inlined or function.cfg.incomplete:
                continue
            for move in self.slots.moves_in(function):
                if known.isdisjoint(self.slots.keys(move.place)):
                    what = "`{}` is no watermark: nothing here lets it rise only, with what is handed on"
                    self.module.considered.aside(move.extent, what, move.place)

    def _judged(self, watermark: Watermark, move: Move) -> Setback | None:
        function, step = move.function, move.step
        considered, extent, place = self.module.considered, move.extent, move.place
        if (
            function.kind in ("constructor", "top")
            and function.module.path
            and not self._is_fragment(function)
        ):
            considered.silent(extent, "`{}` starts here: this runs once, where its owner is made", place)
            return None
        if isinstance(step.term, t.Store) and step.term.declares:
            considered.silent(extent, "`{}` begins here: this declares it", place)
            return None
        if self._is_fresh(watermark, function, move.place, step):
            considered.silent(extent, "`{}` is new: this function made it itself", place.root.name)
            return None
        if not self._has_risen(watermark, move):
            what = "`{}` lives for one call, and has not risen before, or nobody is asked with it"
            considered.silent(extent, what, place)
            return None
        for value, conditions in self.values.arms(move.value):
            lower = value is None or self.values.is_lower(value)
            loaded = not lower and (
                self.values.is_loaded(function, value, move.place)
                or self.kinds.is_brought(watermark, move, value)
            )
            if not (lower or loaded):
                what = "what `{}` gets here is neither a fixed value nor loaded: a caller gives it, or a step further"
                if considered.active and value is not None and self.slots.is_derived(value, place):
                    what = (
                        "what `{}` gets here is made of what it held: the greater of both, or a step further"
                    )
                considered.silent(extent, what, place, at=value.extent if value is not None else None)
                continue
            if loaded and self.values.is_settled(move, value, conditions):
                what = "what `{}` gets here was compared with it before, or is the greater of both"
                considered.silent(extent, what, place, at=value.extent if value is not None else None)
                continue
            setback = self._on_path(watermark, move, value, loaded, conditions)
            if setback is not None:
                return setback
        return None

    def _is_fragment(self, function: Function) -> bool:
        """A fragment is a few statements out of a function that is not shown: its top level is that function."""
        return function.kind == "top" and not self.module.functions and self.module.offset_map is not None

    def _made_at(self, function: Function, place: Place, step: Step) -> set[Step]:
        """Where this very function made the object, if it did on every way to `step`."""
        root = place.root
        if not place.path or root.kind != "local" or root.scope is None or root.scope.kind == "top":
            return set()
        if root.scope.host is not function.host:
            return set()
        made = Place(root)
        return {
            at
            for at, store in function.cfg.assignments
            if at.target == made and self._is_new(store.value) and function.cfg.dominates(at, step)
        }

    def _is_fresh(self, watermark: Watermark, function: Function, place: Place, step: Step) -> bool:
        """Whether this very function made the object, and does not let its slot rise before the step and after it."""
        made_at, made = self._made_at(function, place, step), Place(place.root)
        raising = {raised.function for raised in watermark.raises}
        # `while True: try: await follow(state) except OSError: state["last_seq"] = 0`
        return bool(made_at) and not any(
            step in function.cfg.reachable(at, avoiding=made_at)
            and at in function.cfg.reachable(step, avoiding=made_at)
            for at, call in function.cfg.calls
            if self.module.resolve(call) in raising
            and any(isinstance(a, t.Ref) and a.place == made for a in call.arguments)
        )

    def _is_new(self, value: t.Term) -> bool:
        """Whether a value is an object that did not exist before."""
        return isinstance(value, t.Record) or (
            isinstance(value, t.Call) and (value.constructs or value.method in ("cls", "new"))
        )

    def _has_risen(self, watermark: Watermark, move: Move) -> bool:
        """Whether the slot can have risen before the move. A variable of one call must have risen in it, and what it
        holds must matter to others: the peer is asked with it."""
        root, function = move.place.root, move.function
        if (
            root.kind != "local"
            or move.place.path
            or root.scope is None
            or root.scope.host is not function.host
        ):
            return True
        declared = {
            step for step, store in function.cfg.assignments if store.declares and step.target == move.place
        }
        return any(
            raised.function is not function
            or move.step in function.cfg.reachable(raised.step, avoiding=declared)
            for raised in watermark.raises
        ) and self.rises.is_asked_with(watermark)

    def _on_path(
        self,
        watermark: Watermark,
        move: Move,
        value: t.Term | None,
        loaded: bool,
        conditions: list[tuple[t.Term, bool]],
    ) -> Setback | None:
        function, step = move.function, move.step
        if self.excuses.is_first(watermark, move, conditions) or self.excuses.is_excused(
            watermark, move, function, step
        ):
            return None
        considered, extent = self.module.considered, move.extent
        if not self._is_on_every_copy(move):
            considered.silent(extent, "this `finally` also runs when all went well")
            return None
        for reason in sorted(
            self.fallbacks.reasons(function, step, move.place, conditions), key=lambda r: not r.is_strong
        ):
            if self._counts(watermark, move, reason, loaded):
                return self._accounted(Setback(watermark, move, value, loaded, reason, None))
            what = "on this way ({}) going back can be right for `{}`"
            considered.silent(extent, what, reason.reason, move.place, at=reason.extent)
        if loaded and watermark.is_strong and not watermark.is_gated and self._only_rises(watermark):
            in_loop = function.cfg.reaches(step, step)
            # A loop that also takes messages of another kind is no start, though it runs as soon as the object is made.
            beside = self.kinds.sibling(watermark, move, value)
            if not (in_loop and beside is not None) and self._is_start(move):
                considered.silent(extent, "this is how `{}` starts", move.place)
                return None
            since = self._raised_in_round(watermark, move) if in_loop else self._under_way(watermark, move)
            since = since or beside
            if since is not None:
                return self._accounted(Setback(watermark, move, value, True, None, since))
        if loaded:
            what = "no failure or fallback leads here, and nothing shows that the stream of `{}` is under way"
        else:
            what = "no failure or fallback leads here: setting `{}` back is the ordinary way"
        considered.silent(extent, what, move.place)
        return None

    def _accounted(self, setback: Setback) -> Setback:
        """The setback, after what made it one was taken down."""
        considered, move, watermark = self.module.considered, setback.move, setback.watermark
        if not considered.active:
            return setback
        extent, place = move.extent, move.place
        if watermark.raises:
            what = "`{}` is a watermark: it only rises here, with what is handed on"
            considered.evidence(extent, what, place, at=watermark.raises[0].extent)
            if watermark.is_named:
                considered.weaker(extent, "that `{}` is what the peer has taken, only its name says", place)
        else:
            at = watermark.records[0].extent if watermark.records else None
            considered.weaker(extent, "only words say that `{}` is a watermark", place, at=at)
        if setback.fallback is not None:
            what = "this way is a fallback: {}"
            considered.evidence(extent, what, setback.fallback.reason, at=setback.fallback.extent)
            if not setback.fallback.is_strong:
                at = setback.fallback.extent
                considered.weaker(extent, "words or values, not structure, make it a fallback", at=at)
        else:
            what = "the stream is under way before it, and no fallback leads here"
            considered.weaker(extent, what, at=setback.since)
        loaded = (
            "is loaded, and nothing has compared it with `{}`" if setback.is_loaded else "lies below `{}`"
        )
        considered.evidence(extent, "what it gets " + loaded, place)
        return setback

    def _is_on_every_copy(self, move: Move) -> bool:
        """Whether the move is not one of a `finally` that also runs when all went well."""
        cfg = move.function.cfg
        copies = [step for step in cfg.of_kind(move.step.kind) if step.term is move.step.term]
        handlers = list(cfg.of_kind("handler"))
        return len(copies) < 2 or all(any(cfg.dominates(h, copy) for h in handlers) for copy in copies)

    def _counts(self, watermark: Watermark, move: Move, reason: Fallback, loaded: bool) -> bool:
        function, step = reason.function, reason.step
        if function is not move.function and self.excuses.is_excused(watermark, move, function, step):
            return False
        if (
            not watermark.is_strong
            and not reason.is_crossed
            # A name without a word for a position may as well be a time or a flag.
            and (
                not (reason.is_strong or reason.is_error)
                or reason.event
                or reason.is_vague
                or not self.rises.is_position(watermark)
            )
        ):
            return False
        if loaded and function is not move.function and not self._is_only_fallback(move):
            return False
        if loaded and self._gives_out(move.place):
            return False
        if not watermark.is_strong and self._sweeps(move):
            return False
        if reason.event:
            # With every connection positions may start anew, unless the file asks with the old one.
            return ELEMENT not in move.place.path and self.rises.is_asked_with(watermark)
        if reason.is_asked and not self._was_served(watermark, move, reason):
            return False
        if reason.is_vague:
            return not loaded and self.excuses.goes_on(watermark, function, step)
        if loaded and reason.is_crossed:
            return not self._is_own(move) and self.excuses.goes_on(watermark, function, step)
        return True

    def _was_served(self, watermark: Watermark, move: Move, reason: Fallback) -> bool:
        """Whether who asks was given something before: the function also goes on from where the watermark stands, it
        is no start, and the watermark rises on other ways than through it."""
        function = reason.function
        cfg = function.cfg
        otherwise = any(
            self.kinds.raises(watermark, function, step)
            and cfg.path(cfg.entry, {step}, avoiding={reason.step}) is not None
            for step in cfg.steps
        )
        if not otherwise or self._begins(function, move):
            return False
        if any(
            other is not move
            and other.step is not reason.step
            and not watermark.keys.isdisjoint(self.slots.keys(other.place))
            and all(other.step is not raised.step for raised in watermark.raises)
            for other in self.slots.moves_in(function)
        ):
            return False
        return self.kinds.rises_without(watermark, function)

    def _begins(self, function: Function, move: Move) -> bool:
        """Whether a function is how an object starts: it is called once where that is made."""
        for caller, step in callers(function):
            if caller.kind == "constructor" or self._runs_for_new(function, caller, step):
                return True
        return function.kind in ("constructor", "top") or self._is_own(move)

    def _sweeps(self, move: Move) -> bool:
        """Whether a loop over the positions of many drops those of which something holds: they are of no use."""
        if move.value is not None:
            return False
        for head in move.function.cfg.of_kind("iterate"):
            loop = head.statement
            if not isinstance(loop, t.ForEach) or not isinstance(loop.iterable, t.Ref):
                continue
            inside = loop.extent[0] <= move.extent[0] and move.extent[1] <= loop.extent[1]
            if inside and self.slots.same(loop.iterable.place.element, move.place):
                return any(
                    loop.extent[0] < fact.term.extent[0] and fact.term.extent[1] <= loop.extent[1]
                    for fact in facts_at(move.function, move.step)
                )
        return False

    def _gives_out(self, place: Place) -> bool:
        """Whether a slot is the next number that this side gives out itself: what was not stored gives it back."""
        return any_of(split(place.name), self.knowledge.names("watermark", "next")) and any(
            store.op == "+" and isinstance(store.value, t.Constant)
            for function in self.module.functions_mentioning(place.name)
            for step, store in function.cfg.assignments
            if step.target is not None and self.slots.same(step.target, place)
        )

    def _is_only_fallback(self, move: Move) -> bool:
        """Whether every call of the moving function lies on a fallback path: else to load is its ordinary work."""
        return all(
            any(True for _ in self.fallbacks.reasons(caller, step, move.place, [], 1))
            for caller, step in callers(move.function)
        )

    def _only_rises(self, watermark: Watermark) -> bool:
        """Whether the file lets the slot rise more often than it gives it other values of the moment."""
        free = 0
        for move in self.rises.moves_of(watermark):
            if move.function.kind in ("constructor", "top") or any(
                m.step is move.step for m in watermark.raises
            ):
                continue
            for value, conditions in self.values.arms(move.value):
                if (
                    value is not None
                    and not self.values.is_lower(value)
                    and not self.slots.is_derived(value, move.place)
                    and not self.values.is_settled(move, value, conditions)
                ):
                    free += 1
        return free <= len(watermark.raises) + 1

    def _is_own(self, move: Move) -> bool:
        """Whether the slot is a plain variable of the very function that moves it."""
        place = move.place
        return place.is_local and place.root.scope is not None and place.root.scope.host is move.function.host

    def _is_start(self, move: Move) -> bool:
        """Whether a loaded value is how the slot starts."""
        function, place = move.function, move.place
        if self._is_own(move):
            return True
        for caller, step in callers(function):
            if caller.kind in ("constructor", "top") or self._runs_for_new(function, caller, step):
                return True
            if any(
                other.value is not None
                and self.values.is_lower(other.value)
                and caller.cfg.reaches(other.step, step)
                for other in self.slots.moves_in(caller)
                if other.place.name == place.name
            ):
                return True
        return False

    def _runs_for_new(self, function: Function, caller: Function, step: Step, depth: int = 2) -> bool:
        """Whether a call runs a function once for an object that the caller has made, also where the function is
        written inside the one that is called."""
        receiver = step.call.receiver_place if step.call is not None else None
        if receiver is None:
            return (
                depth > 0
                and function.parent is not None
                and function.parent.host is caller.host
                and any(self._runs_for_new(caller, outer, at, depth - 1) for outer, at in callers(caller))
            )
        return bool(self._made_at(caller, receiver.field(""), step)) and not self._is_repeated(
            caller, receiver, step
        )

    def _is_repeated(self, function: Function, made: Place, step: Step) -> bool:
        """Whether a step runs more than once for one object that the function makes: for each message, say."""
        makes = {at for at, _ in function.cfg.assignments if at.target == Place(made.root)}
        return step in function.cfg.reachable(step, avoiding=makes)

    def _under_way(self, watermark: Watermark, move: Move) -> t.Extent | None:
        """The step before a loaded move that shows that the stream was under way: the watermark is read, things are
        put through the idiom, or are handed on as they are where it rises. To load the value is none of these."""
        function, step = move.function, move.step
        cfg = function.cfg
        loading = [v.extent for v in (move.value, self.module.value_of(move.value)) if v is not None]
        deliveries = self._delivered_by(watermark)
        for other in cfg.steps:
            if (
                other is step
                or other.kind not in ("call", "assign", "suspend", "iterate", "test")
                or not cfg.reaches(other, step)
                or any(first <= other.extent[0] and other.extent[1] <= last for first, last in loading)
            ):
                continue
            if cfg.reaches(step, other):
                continue
            if other.kind == "test":
                if self._filters(watermark, function, other):
                    return other.extent
                continue
            if self.excuses.touches(watermark, function, other):
                return other.extent
            call = other.call
            if call is not None:
                names = [call.callee, *call.arguments]
                if any(isinstance(n, t.Ref) and n.place in deliveries for n in names):
                    return other.extent
        return None

    def _raised_in_round(self, watermark: Watermark, move: Move) -> t.Extent | None:
        """The call before a move, in the same round of its loop, of a function that lets the watermark only rise:
        `for item in reply.items { take(item) }; acked = reply.count`."""
        raising = {raised.function for raised in watermark.raises} - {move.function}
        return next(
            (
                step.extent
                for step, call in move.function.cfg.calls
                if self.module.resolve(call) in raising and move.function.cfg.leads_in_round(step, move.step)
            ),
            None,
        )

    def _filters(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether a test in a loop puts the watermark and something else in order: a batch is filtered by it."""
        return function.cfg.reaches(step, step) and any(
            order.is_order and not watermark.keys.isdisjoint(self.slots.keys(order.place))
            for outcome in self.orders.outcomes(function)
            if outcome.step is step
            for order in outcome.orders
        )

    def _delivered_by(self, watermark: Watermark) -> set[Place]:
        """What is called where the watermark rises, by the functions' own names."""
        found: set[Place] = set()
        for raised in watermark.raises:
            found |= self._called_around(raised.function, None, DEPTH)
        return found

    def _called_around(self, function: Function, after: Step | None, depth: int) -> set[Place]:
        """What a function calls that may deliver, or else what is called where it is: a position in a type of its own
        is told to rise where things are delivered."""
        found = set(self._called_in(function, after))
        if depth > 0 and all(
            self.module.resolve_value(t.Ref(function.extent, at)) is not None for at in found
        ):
            for caller, site in callers(function):
                found |= self._called_around(caller, site, depth - 1)
        return found

    def _called_in(self, function: Function, after: Step | None) -> Iterator[Place]:
        """What a function calls that may deliver; with `after`, only what that step leads to."""
        moved = {move.step for move in self.slots.moves_in(function)}
        for step, call in function.cfg.calls:
            if not isinstance(call.callee, t.Ref) or call.total or self.deliveries.is_log(call):
                continue
            if not (call.arguments or call.keywords):
                continue  # Nothing is handed on.
            if after is not None and (step is after or not function.cfg.reaches(after, step)):
                continue
            at = call.callee.place
            own = step in moved or (call.receiver_place is not None and self.slots.read(call) is not None)
            if (
                at.root.kind not in ("import", "global")
                and at.name.lower() not in self.knowledge.names("slot", "picks")
                and not own
            ):
                yield at

    def message(self, setback: Setback) -> str:
        """The fact, with the names of the file."""
        name = self._written(setback.move)
        if setback.is_loaded:
            return f"`{name}` takes `{self._value(setback)}`, which nothing compares with it: it can go back"
        if setback.value is None:
            return f"`{name}` is forgotten on a fallback path: what was delivered counts as new"
        return f"`{name}` goes back to `{self._value(setback)}` on a fallback path: what was delivered counts as new"

    def trace(self, setback: Setback) -> list[tuple[t.Extent, str]]:
        """How it comes about, in order."""
        move, watermark = setback.move, setback.watermark
        name = self._written(move)
        steps: list[tuple[t.Extent, str]] = []
        if watermark.raises:
            steps.append((watermark.raises[0].extent, f"`{name}` only rises here, with what is delivered"))
        elif watermark.records:
            steps.append((watermark.records[0].extent, f"`{name}` follows what is delivered here"))
        if setback.fallback is not None:
            steps.append((setback.fallback.extent, setback.fallback.reason))
        if setback.since is not None:
            steps.append((setback.since, "the stream is under way"))
        steps.append((move.extent, f"`{name}` goes back, and what lies above it is delivered again"))
        return steps

    def _written(self, move: Move) -> str:
        term = move.step.term
        target = term.target if isinstance(term, (t.Store, t.Delete)) else None
        if isinstance(term, t.Delete) and isinstance(target, t.Ref) and target.key is not None:
            # Go's `delete(sent, id)` names the two apart.
            return f"{target.place.parent}[{' '.join(self.module.snippet(target.key.extent).split())}]"
        if target is not None and isinstance(target, t.Ref) and target.place == move.place:
            text = " ".join(self.module.snippet(target.extent).split())
            if 0 < len(text) <= 60:
                return text
        return str(move.place)

    def _value(self, setback: Setback) -> str:
        value = setback.value
        text = " ".join(self.module.snippet(value.extent).split()) if value is not None else ""
        return text if len(text) <= 60 else text[:57] + "..."
