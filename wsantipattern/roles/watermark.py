"""Watermarks: positions up to which something was delivered, and the moves that set one back.

A slot is a watermark by the monotonic idiom: somewhere in the file it takes a value that was compared with it (or the
greater of the two), and there the thing whose position that is gets handed on. A peak value or a progress bar rises
too, but nothing beside the number itself is handed on. Where the idiom is not in the file, the words of a name are
weak evidence. Knows no language; prefers silence where another stream, a fresh start or an end explains the move.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import bind, facts_at, substitute
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.event import Events
from wsantipattern.roles.fallback import Fallback, Fallbacks
from wsantipattern.roles.order import RELATIONS, Orders, Sources, operands_of
from wsantipattern.roles.slot import Move, Slots, is_fixed, terms_in
from wsantipattern.roles.words import any_of, split

DEPTH = 3

Arm = tuple[t.Term | None, list[tuple[t.Term, bool]]]
"""A value that a move may give, with the conditions of a conditional value under which it does."""


@dataclass(slots=True, eq=False)
class Watermark:
    """A slot that rises with what is delivered.

    `raises` are the moves of the monotonic idiom; empty where only words say so. `records` are moves that take the
    position of what is handed on there, unconditionally, of a slot that the peer is asked with. `is_gated`: comparison
    and move stand apart.
    """

    place: Place
    keys: set[Hashable]
    raises: list[Move] = field(default_factory=list)
    records: list[Move] = field(default_factory=list)
    is_gated: bool = False

    @property
    def is_strong(self) -> bool:
        return bool(self.raises)


@dataclass(frozen=True, slots=True, eq=False)
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
        sure = self.watermark.is_strong and self.fallback is not None and self.fallback.is_strong
        return Confidence.HIGH if sure else Confidence.MEDIUM


_CLOCK_WORDS = frozenset({"now", "time", "utcnow", "clock", "today"})


def _is_zero(value: t.Term | None) -> bool:
    return isinstance(value, t.Constant) and value.kind == "number" and value.value == 0


def _is_nothing(value: t.Term | None) -> bool:
    """Whether a value is what a field holds before anything happens: nothing, zero, an empty text or container."""
    if isinstance(value, t.Constant):
        return value.kind != "bool" and not value.value
    return isinstance(value, (t.Sequence, t.Record)) and not list(value.children())


class Watermarks:
    """The watermarks of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = Slots(module, knowledge)
        self.orders = Orders(module, knowledge, self.slots)
        self.fallbacks = Fallbacks(module, knowledge, events, self.slots, self.orders)

    # -- which slots are watermarks --------------------------------------------------------------

    @cached_property
    def _functions(self) -> list[Function]:
        return [f for f in self.module.all_functions if not f.is_inlined]

    @cached_property
    def strong(self) -> list[Watermark]:
        """The slots with the monotonic idiom, where they gate or record a delivery."""
        found: list[Watermark] = []
        for function in self._functions:
            if not self.orders.may_order(function) or function.cfg.incomplete:
                continue
            for move in self.slots.moves_in(function):
                if self._is_amount(move.place) or not self._lasts(move) or not self._raises(move):
                    continue
                keys = self.slots.keys(move.place)
                known = next((w for w in found if not w.keys.isdisjoint(keys)), None)
                if known is None:
                    known = Watermark(move.place, set(keys))
                    found.append(known)
                known.keys |= keys
                known.raises.append(move)
        return found

    @cached_property
    def gated(self) -> list[Watermark]:
        """The slots that something's position is compared with, and that take such a position somewhere else: after
        a filter, at the end of a batch, in a function that is called behind the comparison."""
        known = {key for watermark in self.strong for key in watermark.keys}
        found: list[Watermark] = []
        for function, place, source in self._comparisons():
            keys = self.slots.keys(place)
            if not known.isdisjoint(keys):
                continue
            raises = [
                move
                for other in self.module.functions_mentioning(place.name)
                if not other.cfg.incomplete
                for move in self.slots.moves_in(other)
                if self.slots.same(move.place, place)
                and self._takes(move, source.path[-1])
                and (
                    self._hands_on(function, place, frozenset({source}), 1)
                    or self._hands_on(other, move.place, self.orders.sources(move.value), 1)
                )
            ]
            if raises:
                known |= keys
                found.append(Watermark(place, set(keys), raises, is_gated=True))
        return found

    def _comparisons(self) -> Iterator[tuple[Function, Place, Place]]:
        """What is compared where: a slot that outlives the call, and a field of something else."""
        for function in self._functions:
            if not self.orders.may_order(function) or function.cfg.incomplete:
                continue
            for term in terms_in(function):
                if not isinstance(term, t.Binary) or term.op not in RELATIONS:
                    continue
                for order in self.orders.orders_of(term, True):
                    place = order.place
                    if (
                        not order.is_order
                        or not self._outlives_calls(function, place)
                        or self._is_amount(place)
                    ):
                        continue
                    for source in order.sources:
                        if source.path and source.path[-1] != ELEMENT and source.root is not place.root:
                            yield function, place, source

    def _outlives_calls(self, function: Function, place: Place) -> bool:
        root = place.root
        if root.kind == "this":
            return bool(place.path)
        return root.kind == "local" and root.scope is not None and root.scope.host is not function.host

    def _takes(self, move: Move, name: str) -> bool:
        """Whether a move gives the slot a field of that name, of something that is handed about."""
        value = self.module.value_of(move.value)
        return (
            isinstance(value, t.Ref)
            and bool(value.place.path)
            and value.place.path[-1] == name
            and value.place.root.kind != "this"
        )

    def _lasts(self, move: Move) -> bool:
        """Whether the slot outlives the step: no variable that only one run of the code sees."""
        root, function = move.place.root, move.function
        if root.kind != "local" or root.scope is None or root.scope.host is not function.host:
            return True
        if move.place.path:
            return root.scope.kind == "top" or not self._is_made_here(root.initial)
        declared = {
            step for step, store in function.cfg.assignments if store.declares and step.target == move.place
        }
        return move.step in function.cfg.reachable(move.step, avoiding=declared)

    def _is_made_here(self, value: t.Term | None) -> bool:
        """Whether a variable's only value is a new object or container."""
        return isinstance(value, (t.Record, t.Sequence)) or (
            isinstance(value, t.Call) and (value.constructs or value.total)
        )

    def _is_amount(self, place: Place) -> bool:
        names = [part for part in (place.root.name, *place.path) if part != ELEMENT][-2:]
        boxes = self.knowledge.names("slot", "boxes")
        named = [n for n in names if n not in boxes][-1:]
        return any(any_of(split(n), self.knowledge.names("watermark", "statistics")) for n in named)

    def _raises(self, move: Move) -> bool:
        """Whether a move is the monotonic idiom and hands on the thing whose position it takes."""
        for value, conditions in self._arms(move.value):
            sources = self._raised(move, value, conditions)
            if sources and self._hands_on(move.function, move.place, sources, DEPTH):
                return True
        return False

    def _raised(self, move: Move, value: t.Term | None, conditions: list[tuple[t.Term, bool]]) -> Sources:
        """Where the value of the idiom comes from; empty where the move is not the idiom."""
        if value is None or is_fixed(value):
            return frozenset()
        others = self._greater_of(value, move.place)
        if others:
            return frozenset(source for other in others for source in self.orders.sources(other))
        if self.slots.is_derived(value, move.place):
            return frozenset()
        if not self._is_number_of(value) or self._is_time(value):
            return frozenset()
        sources = self.orders.sources(value)
        for test, outcome in conditions:
            if self.orders.choice_orders(test, outcome, move.place, value, rising=True):
                return sources
        return sources if self.orders.is_compared(move, value, rising=True) else frozenset()

    def _is_number_of(self, value: t.Term) -> bool:
        """Whether a value is a position as it was compared: read, computed or converted, not made of it."""
        if isinstance(value, t.Call):
            given = len(value.arguments) + len(value.keywords)
            own = isinstance(value.callee, t.Ref) and value.callee.place.root.kind == "this"
            return not value.constructs and not value.total and given <= (0 if own else 1)
        return isinstance(value, (t.Ref, t.Binary, t.Unary, t.Field, t.Element, t.Result, t.Suspend))

    def _is_time(self, value: t.Term) -> bool:
        """Whether a value is the time, or computed from it."""
        for part in value.walk():
            inner = self.module.value_of(part)
            if isinstance(inner, t.Call) and not self._is_loaded_from(inner) and not inner.constructs:
                return True
            if isinstance(inner, t.Call) and (
                self.module.typed_name(inner.callee) or ""
            ) in self.knowledge.names("liveness", "clocks"):
                return True
        return False

    def _greater_of(self, value: t.Term, place: Place) -> list[t.Term]:
        """The other operands of `max(W, x)`; empty where the value is something else."""
        call = self.module.value_of(value)
        if not isinstance(call, t.Call) or call.method.lower() != "max":
            return []
        operands: list[t.Term] = []
        for argument in call.arguments:
            operands.extend(argument.elements if isinstance(argument, t.Sequence) else [argument])
        others = [o for o in operands if not self._is(o, place)]
        return others if len(others) < len(operands) else []

    def _is(self, term: t.Term | None, place: Place) -> bool:
        found = self.slots.read(term)
        return found is not None and self.slots.same(found, place)

    def _arms(self, value: t.Term | None) -> Iterator[Arm]:
        """The values that a move may give, one by one."""
        inner = self.module.value_of(value)
        if isinstance(inner, t.Choice):
            for branch, outcome in ((inner.then, True), (inner.otherwise, False)):
                for arm, conditions in self._arms(branch):
                    yield arm, [(inner.test, outcome), *conditions]
            return
        yield value, []

    # -- delivery --------------------------------------------------------------------------------

    def _hands_on(self, function: Function, place: Place, sources: Sources, depth: int) -> bool:
        """Whether a function hands on the thing whose position `sources` are: itself, another field of it, or
        something that comes along with the bare number."""
        for term in terms_in(function):
            payload = self._payload(function, term, place)
            if any(self._belongs(function, part, place, sources) for part in payload):
                return True
            if isinstance(term, t.Store) and any(self._is_kept_beside(part, place) for part in payload):
                return True
        for step in function.cfg.of_kind("return"):
            value = step.statement.value if isinstance(step.statement, t.Return) else None
            if isinstance(value, t.Ref) and any(
                source.path and source.starts_with(value.place) for source in sources
            ):
                return True
        if depth <= 0:
            return False
        for caller, step in callers(function):
            if step.call is None:
                continue
            mapping = bind(step.call, function)
            given = {
                source
                for inner in sources
                if inner.root in mapping
                for source in self.orders.sources(substitute(t.Ref(step.extent, inner), mapping))
            }
            if given and self._hands_on(caller, place, frozenset(given), depth - 1):
                return True
        return False

    def _payload(self, function: Function, term: t.Term, place: Place) -> list[t.Term]:
        """What a term gives to somebody else: arguments, stored and sent values."""
        if isinstance(term, t.Call):
            keeps = term.method in self.knowledge.names("watermark", "collects")
            if (term.total and not keeps) or self._is_log(term) or term.method.lower() in ("max", "min"):
                return []
            found = self.slots.read(term)
            if found is not None and self.slots.same(found, place):
                return []
            return [*term.arguments, *(value for _, value in term.keywords)]
        if isinstance(term, t.Store):
            target = term.target
            if not isinstance(target, t.Ref) or not target.place.path or self.slots.same(target.place, place):
                return []
            return [term.value]
        if isinstance(term, t.Several):
            return term.operands[1:]
        if isinstance(term, t.Suspend) and term.op == "yield" and term.value is not None:
            return [term.value]
        if isinstance(term, t.Record) and any(isinstance(value, t.Spread) for _, value in term.entries):
            return [value for name, value in term.entries if name not in (None, place.name)]
        return []

    def _is_log(self, call: t.Call) -> bool:
        callee = call.callee
        if not isinstance(callee, t.Ref):
            return False
        words = [word for part in (callee.place.root.name, *callee.place.path) for word in split(part)]
        return any_of(words, self.knowledge.names("watermark", "logs"))

    def _belongs(self, function: Function, payload: t.Term, place: Place, sources: Sources) -> bool:
        for part in self._parts(payload):
            at = part.place
            if at in sources or self.slots.same(at, place):
                continue
            for source in sources:
                if source.path and at.root is source.root:
                    if at.root.kind != "this" or source.starts_with(at):
                        return True
                elif (
                    not source.path
                    and at.root.kind in ("parameter", "local")
                    and source.root is not at.root
                    and at.root.scope is not None
                    and at.root.scope.host is function.host
                ):
                    return True
        return False

    def _is_kept_beside(self, value: t.Term, place: Place) -> bool:
        """Whether a stored value is made of a collection that the watermark's owner keeps beside it."""
        owner = place.parent
        return owner is not None and any(
            isinstance(part, t.Call)
            and part.receiver_place is not None
            and part.receiver_place.starts_with(owner)
            and part.receiver_place != owner
            and not self.slots.same(part.receiver_place, place)
            and any(isinstance(argument, t.Closure) for argument in part.arguments)
            for part in value.walk()
        )

    def _parts(self, payload: t.Term) -> Iterator[t.Ref]:
        for part in payload.walk():
            if isinstance(part, t.Ref):
                yield part
            elif isinstance(part, t.Closure):
                for inner in terms_in(part.function):
                    if isinstance(inner, t.Ref):
                        yield inner

    # -- setbacks --------------------------------------------------------------------------------

    def setbacks(self) -> Iterator[Setback]:
        """The moves that set a watermark back, in order of appearance."""
        found: dict[t.Extent, Setback] = {}
        for watermark in (*self.strong, *self.gated):
            for move in self._moves_of(watermark):
                setback = self._judged(watermark, move)
                if setback is not None:
                    found.setdefault(move.extent, setback)
        for watermark in self._named():
            for move in self._moves_of(watermark):
                setback = self._judged(watermark, move)
                if setback is not None and not setback.is_loaded:
                    found.setdefault(move.extent, setback)
        yield from (found[extent] for extent in sorted(found))

    def _moves_of(self, watermark: Watermark) -> Iterator[Move]:
        names = self._names(watermark)
        functions = {f: None for name in sorted(names) for f in self.module.functions_mentioning(name)}
        for function in functions:
            if function.cfg.incomplete:
                continue
            for move in self.slots.moves_in(function):
                if not watermark.keys.isdisjoint(self.slots.keys(move.place)):
                    yield move

    def _names(self, watermark: Watermark) -> set[str]:
        """The words of the text by which the watermark is moved."""
        boxes = self.knowledge.names("slot", "boxes")
        found: set[str] = set()
        for move in (*watermark.raises, *watermark.records):
            found |= {move.word, move.place.root.name if move.place.name in boxes else move.place.name}
        return found or {watermark.place.name}

    def _named(self) -> Iterator[Watermark]:
        """Slots that only their names make watermarks: of what was delivered, or of what was last taken from a stream
        that is asked for more with it."""
        strong = {key for watermark in (*self.strong, *self.gated) for key in watermark.keys}
        found: list[Watermark] = []
        for name in self._candidate_names():
            for function in self.module.functions_mentioning(name):
                for move in self.slots.moves_in(function):
                    keys = self.slots.keys(move.place)
                    if move.place.name == name and strong.isdisjoint(keys):
                        known = next((w for w in found if not w.keys.isdisjoint(keys)), None)
                        if known is None:
                            found.append(Watermark(move.place, set(keys)))
                        else:
                            known.keys |= keys
        for watermark in found:
            if self._is_position(watermark):
                watermark.records = [m for m in self._moves_of(watermark) if self._records(m)]
                if watermark.records and not self._is_asked_with(watermark):
                    watermark.records = []
            name = watermark.place.name
            recent = any_of(split(name), self.knowledge.names("watermark", "recency"))
            if watermark.records or (watermark.place.path and recent and self._says_delivered(name)):
                yield watermark

    def _records(self, move: Move) -> bool:
        """Whether a move takes the position of something that its function hands on."""
        value = self.module.value_of(move.value)
        if not isinstance(value, t.Ref) or not value.place.path or value.place.root.kind == "this":
            return False
        return self._lasts(move) and self._hands_on(move.function, move.place, frozenset({value.place}), 0)

    def _candidate_names(self) -> list[str]:
        """The identifiers of the text whose words say "the last one" of something."""
        found: dict[str, None] = {}
        cursors = self.knowledge.names("watermark", "cursors")
        for start in sorted(self.knowledge.names("watermark", "recency") | cursors):
            for spelled in (start, start.capitalize()):
                at = self.module.text.find(spelled.encode())
                while at >= 0:
                    name = self._identifier_at(at)
                    words = split(name)
                    recent = any_of(words, self.knowledge.names("watermark", "recency"))
                    if (recent and len(words) > 1) or any_of(words, cursors):
                        found[name] = None
                    at = self.module.text.find(spelled.encode(), at + len(spelled))
        return [name for name in found if self._says_delivered(name) or self._says_position(name)]

    def _identifier_at(self, at: int) -> str:
        text = self.module.text
        start = end = at
        while start > 0 and (text[start - 1 : start].isalnum() or text[start - 1 : start] == b"_"):
            start -= 1
        while end < len(text) and (text[end : end + 1].isalnum() or text[end : end + 1] == b"_"):
            end += 1
        return text[start:end].decode("utf-8", "replace")

    def _says_delivered(self, name: str) -> bool:
        return any_of(split(name), self.knowledge.names("watermark", "delivery"))

    def _says_position(self, name: str) -> bool:
        return any_of(split(name), self.knowledge.names("watermark", "position"))

    def _is_position(self, watermark: Watermark) -> bool:
        return self._says_position(watermark.place.name)

    # -- judging a move --------------------------------------------------------------------------

    def _judged(self, watermark: Watermark, move: Move) -> Setback | None:
        function, step = move.function, move.step
        if (
            function.kind in ("constructor", "top")
            and function.module.path
            and not self._is_fragment(function)
        ):
            return None
        if isinstance(step.term, t.Store) and step.term.declares:
            return None
        if self._is_fresh(function, move.place, step) or not self._has_risen(watermark, move):
            return None
        for value, conditions in self._arms(move.value):
            lower = value is None or self._is_lower(value)
            loaded = not lower and self._is_loaded(function, value, move.place)
            if not (lower or loaded):
                continue
            if loaded and self._is_settled(move, value, conditions):
                continue
            setback = self._on_path(watermark, move, value, loaded, conditions)
            if setback is not None:
                return setback
        return None

    def _is_fragment(self, function: Function) -> bool:
        """A fragment is a few statements out of a function that is not shown: its top level is that function."""
        return function.kind == "top" and not self.module.functions and self.module.offset_map is not None

    def _is_fresh(self, function: Function, place: Place, step: Step) -> bool:
        """Whether the object was made by this very function, on every way to `step`."""
        root = place.root
        if not place.path or root.kind != "local" or root.scope is None or root.scope.kind == "top":
            return False
        made = Place(root)
        return root.scope.host is function.host and any(
            at.target == made and self._is_new(store.value) and function.cfg.dominates(at, step)
            for at, store in function.cfg.assignments
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
        ) and self._is_asked_with(watermark)

    def _is_settled(self, move: Move, value: t.Term | None, conditions: list[tuple[t.Term, bool]]) -> bool:
        """Whether a loaded value was compared with the slot in any way, or is the greater of both."""
        if value is None:
            return False
        if self._greater_of(value, move.place) or move.swaps:
            return True
        if any(
            self.orders.choice_orders(test, outcome, move.place, value, rising=False)
            for test, outcome in conditions
        ):
            return True
        return self.orders.is_compared(move, value, rising=False)

    def _is_lower(self, value: t.Term) -> bool:
        """Whether a value is a fixed one: a literal, a constant of the file, a value made of constants."""
        if is_fixed(value):
            return not (isinstance(value, t.Constant) and isinstance(value.value, bool))
        if isinstance(value, t.Ref):
            root = value.place.root
            if root.kind in ("import", "global", "class"):
                words = split(value.place.name)
                return not any_of(words, ("max", "infinity", "positive")) or any_of(words, ("negative",))
            if root.kind == "this":
                return self._is_start_value(value.place)
            if root.kind == "local" and root.scope is not None and root.scope.kind == "top" and root.constant:
                return (
                    not value.place.path
                    and root.initial is not None
                    and self._is_made_of_constants(root.initial)
                )
            return False
        if isinstance(value, t.Call):
            known = value.constructs or (self.module.canonical(value.callee) or "") in self.knowledge.names(
                "slot", "conversions"
            )
            return known and bool(value.arguments) and all(self._is_lower(a) for a in value.arguments)
        if isinstance(value, t.Unary) and value.op == "-":
            return isinstance(value.operand, t.Ref) and value.operand.place.root.kind in ("import", "global")
        return False

    def _is_start_value(self, place: Place) -> bool:
        """Whether a field keeps one value from the start: it is set where the object is made, or nowhere here."""
        return len(place.path) == 1 and all(
            function.kind in ("constructor", "top") for function, _ in self.module.stores_to(place)
        )

    def _is_made_of_constants(self, value: t.Term) -> bool:
        return all(
            not isinstance(part, t.Ref) or part.place.root.kind in ("import", "global", "class")
            for part in value.walk()
        )

    def _is_loaded(
        self,
        function: Function,
        value: t.Term | None,
        place: Place,
        depth: int = DEPTH,
        *,
        part: bool = False,
    ) -> bool:
        """Whether a value is what a call answered, or another object's state; not the slot's own or a parameter."""
        if value is None or depth <= 0 or self.slots.is_derived(value, place, merged=not part):
            return False
        if isinstance(value, t.Suspend):
            return value.op == "await" and self._is_loaded_from(value.value)
        if isinstance(value, t.Call):
            return self._is_loaded_from(value)
        if isinstance(value, t.Logic):
            return self._is_loaded(function, value.left, place, depth)
        if isinstance(value, (t.Result, t.Field, t.Element)):
            inner = value.call if isinstance(value, t.Result) else value.subject
            return self._is_loaded(function, inner, place, depth, part=True)
        if isinstance(value, (t.Binary, t.Unary)):
            return any(self._is_loaded(function, child, place, depth - 1) for child in value.children())
        if not isinstance(value, t.Ref):
            return False
        root = value.place.root
        if root.kind == "this":
            # Another object's state; a field beside the slot is a position that this object keeps itself.
            return (
                len(value.place.path) > 1
                and value.place.parent != place.parent
                and value.place.path[-1] != ELEMENT
            )
        if root.kind == "parameter":
            return bool(value.place.path) and self._is_iterated(function, root)
        if root.kind != "local" or root.scope is None or not root.scope.encloses(function):
            return False
        if value.place.path and self._is_filled(function, Place(root)):
            return True
        stores = [store for _, store in self.module.stores_to(Place(root))]
        return any(
            isinstance(store.value, (t.Call, t.Suspend, t.Result, t.Field, t.Ref, t.Region))
            and (
                isinstance(store.value, t.Region)
                or self._is_loaded(function, store.value, place, depth - 1, part=bool(value.place.path))
            )
            for store in stores
        )

    def _is_filled(self, function: Function, place: Place) -> bool:
        """Whether a call reads an answer into a variable: `decoder.Decode(&page)`."""
        return any(
            call.method in self.knowledge.names("watermark", "fills")
            and any(isinstance(a, t.Ref) and a.place == place for a in call.arguments)
            for _, call in function.cfg.calls
        )

    def _is_iterated(self, function: Function, parameter: Binding) -> bool:
        """Whether a function goes through a list that a parameter brings: a batch with something about it."""
        return parameter in function.parameters and any(
            isinstance(step.statement, t.ForEach)
            and any(
                place.root is parameter and place.path
                for place in self.orders.sources(step.statement.iterable)
            )
            for step in function.cfg.of_kind("iterate")
        )

    def _is_loaded_from(self, value: t.Term | None) -> bool:
        call = value.value if isinstance(value, t.Suspend) else value
        if not isinstance(call, t.Call):
            return value is not None
        name = self.module.typed_name(call.callee) or ""
        clocks = self.knowledge.names("liveness", "clocks")
        return not call.constructs and name not in clocks and not any_of(split(call.method), _CLOCK_WORDS)

    def _on_path(
        self,
        watermark: Watermark,
        move: Move,
        value: t.Term | None,
        loaded: bool,
        conditions: list[tuple[t.Term, bool]],
    ) -> Setback | None:
        function, step = move.function, move.step
        if self._is_first(watermark, move, conditions) or self._is_excused(watermark, move, function, step):
            return None
        if not self._is_on_every_copy(move):
            return None
        for reason in sorted(
            self.fallbacks.reasons(function, step, move.place, conditions), key=lambda r: not r.is_strong
        ):
            if self._counts(watermark, move, reason, loaded):
                return Setback(watermark, move, value, loaded, reason, None)
        if (
            loaded
            and watermark.is_strong
            and not watermark.is_gated
            and self._only_rises(watermark)
            and not self._is_start(move)
        ):
            since = self._under_way(watermark, function, step)
            if since is not None:
                return Setback(watermark, move, value, True, None, since)
        return None

    def _is_on_every_copy(self, move: Move) -> bool:
        """Whether the move is not one of a `finally` that also runs when all went well."""
        cfg = move.function.cfg
        copies = [step for step in cfg.of_kind(move.step.kind) if step.term is move.step.term]
        handlers = list(cfg.of_kind("handler"))
        return len(copies) < 2 or all(any(cfg.dominates(h, copy) for h in handlers) for copy in copies)

    def _counts(self, watermark: Watermark, move: Move, reason: Fallback, loaded: bool) -> bool:
        function, step = reason.function, reason.step
        if function is not move.function and self._is_excused(watermark, move, function, step):
            return False
        if (
            not watermark.is_strong
            and not reason.is_crossed
            # A name without a word for a position may as well be a time or a flag.
            and (
                not (reason.is_strong or reason.is_error)
                or reason.event
                or reason.is_vague
                or not self._is_position(watermark)
            )
        ):
            return False
        if reason.event:
            # With every connection positions may start anew, unless the file asks with the old one.
            return ELEMENT not in move.place.path and self._is_asked_with(watermark)
        if reason.is_vague:
            return not loaded and self._goes_on(watermark, function, step)
        if loaded and reason.is_crossed:
            return not self._is_own(move) and self._goes_on(watermark, function, step)
        return True

    def _only_rises(self, watermark: Watermark) -> bool:
        """Whether the file lets the slot rise more often than it gives it other values of the moment."""
        free = 0
        for move in self._moves_of(watermark):
            if move.function.kind in ("constructor", "top") or any(
                m.step is move.step for m in watermark.raises
            ):
                continue
            for value, conditions in self._arms(move.value):
                if (
                    value is not None
                    and not self._is_lower(value)
                    and not self.slots.is_derived(value, move.place)
                    and not self._is_settled(move, value, conditions)
                ):
                    free += 1
        return free <= len(watermark.raises) + 1

    def _is_own(self, move: Move) -> bool:
        """Whether the slot is a plain variable of the very function that moves it."""
        place = move.place
        return place.is_local and place.root.scope is not None and place.root.scope.host is move.function.host

    def _is_start(self, move: Move) -> bool:
        """Whether a loaded value is how the slot starts, or follows a stream of its own in a loop."""
        function, place = move.function, move.place
        if self._is_own(move):
            return True
        if function.cfg.reaches(move.step, move.step):
            return True
        for caller, step in callers(function):
            if caller.kind in ("constructor", "top"):
                return True
            receiver = step.call.receiver_place if step.call is not None else None
            if receiver is not None and self._is_fresh(caller, receiver.field(""), step):
                return True
            if any(
                other.value is not None
                and self._is_lower(other.value)
                and caller.cfg.reaches(other.step, step)
                for other in self.slots.moves_in(caller)
                if other.place.name == place.name
            ):
                return True
        return False

    # -- what explains a move --------------------------------------------------------------------

    def _is_first(self, watermark: Watermark, move: Move, conditions: list[tuple[t.Term, bool]]) -> bool:
        """Whether the slot held nothing, or the move is one way of many in which the function fills it."""
        place, function, step = move.place, move.function, move.step
        known = [(f.term, f.holds) for f in facts_at(function, step)]
        for term, holds in (*known, *conditions):
            if self.orders.says_unset(term, holds, place):
                return True
        cfg = function.cfg
        for handler in cfg.of_kind("handler"):
            statement = handler.statement
            if isinstance(statement, t.Try) and cfg.dominates(handler, step):
                # The handler gives what the attempt was to give.
                for other in self.slots.moves_in(function):
                    if other is not move and self.slots.same(other.place, place):
                        inside = any(
                            s.extent[0] <= other.extent[0] and other.extent[1] <= s.extent[1]
                            for s in statement.body
                        )
                        follows = [*watermark.raises, *watermark.records]
                        if inside and all(other.step is not known.step for known in follows):
                            return True
        return False

    def _is_excused(self, watermark: Watermark, move: Move, function: Function, step: Step) -> bool:
        """Whether another stream, a cleared view, an end or a whole reset explains the move."""
        return (
            self._is_other_stream(function, step, move.place)
            or self._is_end(watermark, function, step)
            or self._is_cleared(watermark, move, function, step)
        )

    def _is_other_stream(self, function: Function, step: Step, place: Place) -> bool:
        words = self.knowledge.names("watermark", "identities")
        for fact in facts_at(function, step):
            term = fact.term
            if self.slots.speaks_of(term, place):
                continue
            operands = operands_of(term) if isinstance(term, t.Call) else []
            if any(
                isinstance(side, t.Ref) and self._is_given(function, step, side.place, other)
                for side in operands
                for other in operands
                if side is not other
            ):
                return True
            if isinstance(term, t.Binary) and (
                (term.op in ("==", "!=") and fact.holds == (term.op == "!=")) or term.op in RELATIONS
            ):
                for side, other in ((term.left, term.right), (term.right, term.left)):
                    if isinstance(side, t.Ref) and self._is_given(function, step, side.place, other):
                        return True
                if term.op in ("==", "!=") and any(
                    self._has_word(side, words) for side in (term.left, term.right)
                ):
                    return True
            elif self._has_word(term, words):
                return True
        for other_step, _ in function.cfg.assignments:
            at = other_step.target
            if (
                at is not None
                and at.path
                and any_of(split(at.name), words)
                and not self.slots.same(at, place)
                and self._on_the_way(function, other_step, step)
            ):
                return True
        return False

    def _is_given(self, function: Function, step: Step, place: Place, value: t.Term) -> bool:
        """Whether a place that was compared with a value takes it on the way of `step`."""
        sources = self.orders.sources(value)
        for move in self.slots.moves_in(function):
            if not self.slots.same(move.place, place) or move.value is None:
                continue
            if not self.orders.sources(move.value).isdisjoint(sources) and self._on_the_way(
                function, move.step, step
            ):
                return True
        return False

    def _has_word(self, term: t.Term, words: frozenset[str]) -> bool:
        if isinstance(term, (t.Ref, t.Call, t.Field)):
            name = (
                term.place.name
                if isinstance(term, t.Ref)
                else term.method
                if isinstance(term, t.Call)
                else term.name
            )
            return any_of(split(name), words)
        return (
            isinstance(term, t.Constant) and isinstance(term.value, str) and any_of(split(term.value), words)
        )

    def _on_the_way(self, function: Function, other: Step, step: Step) -> bool:
        """Whether every way through `step` passes `other` as well, before or after it."""
        cfg = function.cfg
        if other is step:
            return False
        if cfg.dominates(other, step):
            return True
        return cfg.reaches(step, other) and cfg.path(step, {cfg.exit, step}, avoiding={other}) is None

    def _is_end(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether the object ends on this path, and nothing of the stream is started again."""
        ends = self.knowledge.names("watermark", "ends")
        name = function.name.rpartition(".")[2]
        closes = name in ends or any(
            call.method in ends and self._outlives(function, call) and self._on_the_way(function, other, step)
            for other, call in function.cfg.calls
        )
        return closes and not self._goes_on(watermark, function, step)

    def _outlives(self, function: Function, call: t.Call) -> bool:
        """Whether a method is called on something that is not this call's own."""
        place = call.receiver_place
        if place is None:
            return False
        return (
            place.root.kind != "local"
            or place.root.scope is None
            or place.root.scope.host is not function.host
        )

    def _goes_on(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether, after `step`, the file reads or raises the watermark again, or gives a function away that does."""
        return any(self._touches(watermark, function, other) for other in function.cfg.reachable(step))

    def _touches(self, watermark: Watermark, function: Function, step: Step) -> bool:
        if any(move.step is step for move in watermark.raises):
            return True
        term = step.statement.value if isinstance(step.statement, t.Return) else step.term
        if isinstance(term, t.Store):
            term = term.value
        if term is None:
            return False
        for part in term.walk():
            reached = None
            if isinstance(part, (t.Ref, t.Call)):
                if isinstance(part, t.Ref) and not watermark.keys.isdisjoint(self.slots.keys(part.place)):
                    return True
                reached = self.module.resolve_value(part.callee if isinstance(part, t.Call) else part)
            elif isinstance(part, t.Closure):
                reached = part.function
            if reached is not None and reached is not function and reached in self._carriers(watermark):
                return True
        return False

    def _carriers(self, watermark: Watermark) -> set[Function]:
        """The functions that read or raise the watermark, by themselves or through what they call or hold."""
        memo = self.module.memo
        marker = ("watermark carriers", watermark)
        found: set[Function] | None = memo.get(marker)
        if found is not None:
            return found
        found = memo[marker] = set()
        for name in sorted(self._names(watermark)):
            for function in self.module.functions_mentioning(name):
                if any(self._reads_it(watermark, function)):
                    found.add(function)
                    found.update(outer for outer in function.ancestors if outer.kind != "top")
        todo = list(found)
        while todo:
            function = todo.pop()
            for caller, _ in callers(function):
                for outer in (caller, *caller.ancestors):
                    if outer not in found and outer.kind != "top":
                        found.add(outer)
                        todo.append(outer)
        return found

    def _reads_it(self, watermark: Watermark, function: Function) -> Iterator[bool]:
        for term in terms_in(function):
            if isinstance(term, t.Store):
                continue
            if isinstance(term, (t.Ref, t.Call)):
                found = self.slots.read(term)
                if found is not None and not watermark.keys.isdisjoint(self.slots.keys(found)):
                    yield True

    def _is_cleared(self, watermark: Watermark, move: Move, function: Function, step: Step) -> bool:
        """Whether the same path drops or replaces what the watermark describes, or resets the whole object."""
        resets: set[Place] = set()
        described = self._described(watermark)
        for other in function.cfg.steps:
            if other is step or not self._clears_or_resets(other):
                continue
            if not self._on_the_way(function, other, step):
                continue
            if self._is_clear(function, other, move.place, DEPTH):
                return True
            for reset in self._resets_at(function, other):
                at = reset.place
                if at.root is not move.place.root and at.root.kind == "local" and not at.path:
                    continue
                if self.slots.same(at, move.place):
                    continue
                value = reset.value
                if not self.slots.speaks_of(value, at) and any(
                    at.starts_with(d) or d.starts_with(at) or self.slots.same(at, d) for d in described
                ):
                    return True
                if value is None and ELEMENT in at.path:
                    return True
                if at.parent == move.place.parent and _is_nothing(value):
                    resets.add(at)
        return len(resets) > 1

    def _clears_or_resets(self, step: Step) -> bool:
        return step.kind in ("assign", "delete", "call")

    def _resets_at(self, function: Function, step: Step) -> Iterator[Move]:
        return (move for move in self.slots.moves_in(function) if move.step is step)

    def _is_clear(self, function: Function, step: Step, place: Place, depth: int) -> bool:
        """Whether a step empties something that outlives the call."""
        if step.store is not None and isinstance(step.store.target, t.Element):
            # `rows[:] = []`
            return _is_nothing(step.store.value)
        if step.store is not None and step.target is not None:
            target, value = step.target, step.store.value
            if target.is_local and target.root.scope is not None and target.root.scope.host is function.host:
                return False
            if self.slots.same(target, place) or place.starts_with(target):
                return False
            return self._is_vague(value, target) and not self._is_taken(function, target)
        if step.kind == "delete" and isinstance(step.term, t.Delete) and step.target is None:
            # `del rows[:]`
            return isinstance(step.term.target, t.Element)
        call = step.call
        if call is None or step.kind != "call":
            return False
        if call.method == "splice" and len(call.arguments) <= 2 and _is_zero(call.argument(0)):
            return True
        if call.method in self.knowledge.names("watermark", "clears") and (
            call.receiver is not None or call.arguments
        ):
            at = call.receiver_place
            return at is None or not self.slots.same(at.element, place)
        if len(call.arguments) == 1 and (
            call.receiver is None
            or any_of(split(call.method)[:1], self.knowledge.names("watermark", "replaces"))
        ):
            # `setEvents([])`, `chart.setData([])`
            only = call.arguments[0]
            if isinstance(only, (t.Sequence, t.Record)) and not list(only.children()):
                return True
        callee = self.module.resolve(call)
        if callee is None or depth <= 0 or callee is function:
            return False
        return any(
            self._is_clear(callee, inner, place, depth - 1) and self._is_certain(callee, inner)
            for inner in callee.cfg.steps
        )

    def _is_taken(self, function: Function, place: Place) -> bool:
        """Whether a function takes out what a place holds before it empties it: that is work, not a reset."""
        return any(
            isinstance(store.value, t.Ref) and store.value.place == place
            for _, store in function.cfg.assignments
        )

    def _is_certain(self, function: Function, step: Step) -> bool:
        cfg = function.cfg
        return cfg.path(cfg.entry, {cfg.exit}, avoiding={step}) is None

    def _is_vague(self, value: t.Term, target: Place) -> bool:
        """A new, empty container, or a text or length set to nothing."""
        if isinstance(value, (t.Sequence, t.Record)):
            return not list(value.children())
        if isinstance(value, t.Call):
            empty = not any(not is_fixed(a) for a in value.arguments)
            word = value.method
            return empty and (
                word
                in (
                    "Map",
                    "Set",
                    "Array",
                    "WeakMap",
                    "dict",
                    "list",
                    "set",
                    "deque",
                    "OrderedDict",
                    "make",
                    "defaultdict",
                )
            )
        if isinstance(value, t.Constant):
            return (target.name in ("length", "innerHTML", "textContent", "innerText")) and not value.value
        if isinstance(value, t.Element) and isinstance(value.key, t.Several):
            # `rows = rows[:0]`
            return len(value.key.operands) > 1 and _is_zero(value.key.operands[1])
        return False

    def _described(self, watermark: Watermark) -> set[Place]:
        """The places that are written where the watermark rises: what it describes."""
        found: set[Place] = set()
        for raised in watermark.raises:
            function = raised.function
            for step, store in function.cfg.assignments:
                at = step.target
                if at is None or not at.path or self.slots.same(at, raised.place) or is_fixed(store.value):
                    continue
                found.add(at)
            for _, call in function.cfg.calls:
                at = call.receiver_place
                if (
                    at is not None
                    and at.path
                    and call.method in self.knowledge.names("watermark", "collects")
                ):
                    found.add(at)
        return found

    # -- under way -------------------------------------------------------------------------------

    def _under_way(self, watermark: Watermark, function: Function, step: Step) -> t.Extent | None:
        """The step before a loaded move that shows that the stream was under way: the watermark is read, things are
        put through the idiom, or are handed on as they are where it rises."""
        cfg = function.cfg
        deliveries = self._deliveries(watermark)
        for other in cfg.steps:
            if (
                other is step
                or other.kind not in ("call", "assign", "suspend", "iterate")
                or not cfg.reaches(other, step)
            ):
                continue
            if cfg.reaches(step, other):
                continue
            if self._touches(watermark, function, other):
                return other.extent
            call = other.call
            if call is not None:
                names = [call.callee, *call.arguments]
                if any(isinstance(n, t.Ref) and n.place in deliveries for n in names):
                    return other.extent
        return None

    def _deliveries(self, watermark: Watermark) -> set[Place]:
        """What is called where the watermark rises, by the functions' own names."""
        found: set[Place] = set()
        for raised in watermark.raises:
            for _, call in raised.function.cfg.calls:
                if isinstance(call.callee, t.Ref) and not call.total and not self._is_log(call):
                    root = call.callee.place.root
                    if root.kind not in ("import", "global") and call.callee.place.name.lower() not in (
                        "max",
                        "min",
                    ):
                        found.add(call.callee.place)
        return found

    def _is_asked_with(self, watermark: Watermark) -> bool:
        """Whether the watermark's value goes out: with a request for what comes after it, or to a caller."""
        for name in sorted(self._names(watermark)):
            for function in self.module.functions_mentioning(name):
                for step in function.cfg.of_kind("return"):
                    if isinstance(step.statement, t.Return) and self._is_it(watermark, step.statement.value):
                        return True
                if any(self._asks(watermark, term) for term in terms_in(function)):
                    return True
        return False

    def _asks(self, watermark: Watermark, term: t.Term) -> bool:
        if isinstance(term, t.Record):
            return any(self._is_it(watermark, part) for part in self._parts(term))
        if not isinstance(term, t.Call) or term.total or self._is_log(term):
            return False
        if self.slots.read(term) is not None or term.method.lower() in ("max", "min"):
            return False
        values = (*term.arguments, *(value for _, value in term.keywords))
        return any(self._is_it(watermark, part) for value in values for part in self._parts(value))

    def _is_it(self, watermark: Watermark, term: t.Term | None) -> bool:
        found = self.slots.read(term)
        return found is not None and not watermark.keys.isdisjoint(self.slots.keys(found))

    # -- what is said ----------------------------------------------------------------------------

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
        if target is not None and isinstance(target, t.Ref) and target.place == move.place:
            text = " ".join(self.module.snippet(target.extent).split())
            if 0 < len(text) <= 60:
                return text
        return str(move.place)

    def _value(self, setback: Setback) -> str:
        value = setback.value
        text = " ".join(self.module.snippet(value.extent).split()) if value is not None else ""
        return text if len(text) <= 60 else text[:57] + "..."
