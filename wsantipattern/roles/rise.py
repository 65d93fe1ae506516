"""Rises: which slots of a file are watermarks, and the moves by which they rise.

By the monotonic idiom (a value that was compared with the slot, or the greater of both), where the thing whose
position it is gets handed on; by a comparison and a move that stand apart; or, weakly, by the words of a name and a
move that follows what is delivered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import field
from functools import cached_property
from typing import Literal

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.record import record
from wsantipattern.roles.delivery import Deliveries
from wsantipattern.roles.loading import DEPTH, Values
from wsantipattern.roles.order import RELATIONS, Orders, Sources
from wsantipattern.roles.slot import Move, Slots, is_fixed, terms_in
from wsantipattern.roles.words import any_of, split


@record(slots=True, eq=False)
class Watermark:
    """A slot that rises with what is delivered.

    `raises` are the moves of the monotonic idiom; empty where only words say so. `records` are moves that take the
    position of what is handed on there, unconditionally, of a slot that the peer is asked with. `is_gated`: comparison
    and move stand apart. `is_named`: that what rises was delivered, only its name says.
    """

    place: Place
    keys: set[Hashable]
    raises: list[Move] = field(default_factory=list)
    records: list[Move] = field(default_factory=list)
    is_gated: bool = False
    is_named: bool = False

    @property
    def is_strong(self) -> bool:
        return bool(self.raises)


class Rises:
    """The watermarks of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        slots: Slots,
        orders: Orders,
        values: Values,
        deliveries: Deliveries,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = slots
        self.orders = orders
        self.values = values
        self.deliveries = deliveries

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
                if self._is_amount(move.place):
                    what = "`{}` is named for an amount or a time, no position in a stream"
                    self.module.considered.aside(move.extent, what, move.place)
                    continue
                if not self._lasts(move):
                    what = "`{}` is seen by one run of the code only, so it is no watermark"
                    self.module.considered.aside(move.extent, what, move.place)
                    continue
                raised = self._raises(move)
                if raised is None:
                    continue
                keys = self.slots.keys(move.place)
                known = next((w for w in found if not w.keys.isdisjoint(keys)), None)
                if known is None:
                    known = Watermark(move.place, set(keys), is_named=raised == "named")
                    found.append(known)
                known.is_named &= raised == "named"
                known.keys |= keys
                known.raises.append(move)
        return found

    @cached_property
    def gated(self) -> list[Watermark]:
        """The slots that something's position is compared with, and that take such a position somewhere else: after
        a filter, at the end of a batch, in a function that is called behind the comparison."""
        known = {key for watermark in self.strong for key in watermark.keys}
        found: list[Watermark] = []
        for function, place, source in self._compared:
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
                    self.deliveries.hands_on(function, place, frozenset({source}), 1)
                    or self.deliveries.hands_on(other, move.place, self.orders.sources(move.value), 1)
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
        """Whether a variable's only value is a new object or container, and not one out of a container."""
        return isinstance(value, (t.Record, t.Sequence)) or (
            isinstance(value, t.Call)
            and (value.constructs or value.total)
            and not (
                value.receiver_place is not None
                and value.method in self.knowledge.names("slot", "element_loads")
            )
        )

    def _is_amount(self, place: Place) -> bool:
        names = [part for part in (place.root.name, *place.path) if part != ELEMENT][-2:]
        boxes = self.knowledge.names("slot", "boxes")
        named = [n for n in names if n not in boxes][-1:]
        return any(any_of(split(n), self.knowledge.names("watermark", "statistics")) for n in named)

    def _raises(self, move: Move) -> Literal["handed on", "named"] | None:
        """Whether a move is the monotonic idiom, and what says that it hands on the thing whose position it takes."""
        for value, conditions in self.values.arms(move.value):
            sources = self._raised(move, value, conditions)
            if sources:
                if self.deliveries.hands_on(move.function, move.place, sources, DEPTH) or self._gates(move):
                    return "handed on"
                if self._is_acknowledged(move):
                    return "named"
                what = "`{}` rises only, but nothing is handed on with it: a peak or a count, no watermark"
                self.module.considered.silent(move.extent, what, move.place)
        return None

    def _gates(self, move: Move) -> bool:
        """Whether only what lies above the slot is handed on elsewhere: the peer has said that it has the rest."""
        return any(
            self.slots.same(place, move.place)
            and self.deliveries.hands_on(function, place, frozenset({source}), 1)
            for function, place, source in self._compared
        )

    def _is_acknowledged(self, move: Move) -> bool:
        """Whether what the peer has acknowledged decides what it is sent next: `journal.tail(after=self.acked)`."""
        if not self._says_delivered(move.place.name):
            return False
        return self.is_asked_with(Watermark(move.place, set(self.slots.keys(move.place)), [move]))

    @cached_property
    def _compared(self) -> list[tuple[Function, Place, Place]]:
        return list(self._comparisons())

    def _raised(self, move: Move, value: t.Term | None, conditions: list[tuple[t.Term, bool]]) -> Sources:
        """Where the value of the idiom comes from; empty where the move is not the idiom."""
        if value is None or is_fixed(value):
            return frozenset()
        others = self.values.greater_of(value, move.place)
        if others:
            return frozenset(source for other in others for source in self.orders.sources(other))
        if self.slots.is_derived(value, move.place):
            return frozenset()
        if not self.values.is_number_of(value) or self.values.is_time(value):
            return frozenset()
        sources = self.orders.sources(value)
        for test, outcome in conditions:
            if self.orders.choice_orders(test, outcome, move.place, value, rising=True):
                return sources
        return sources if self.orders.is_compared(move, value, rising=True) else frozenset()

    def moves_of(self, watermark: Watermark) -> Iterator[Move]:
        names = self.words_of(watermark)
        functions = {f: None for name in sorted(names) for f in self.module.functions_mentioning(name)}
        for function in functions:
            if function.cfg.incomplete:
                continue
            for move in self.slots.moves_in(function):
                if not watermark.keys.isdisjoint(self.slots.keys(move.place)):
                    yield move

    def words_of(self, watermark: Watermark) -> set[str]:
        """The words of the text by which the watermark is moved."""
        boxes = self.knowledge.names("slot", "boxes")
        found: set[str] = set()
        for move in (*watermark.raises, *watermark.records):
            found |= {move.word, move.place.root.name if move.place.name in boxes else move.place.name}
        return found or {watermark.place.name}

    def named(self) -> Iterator[Watermark]:
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
            if self.is_position(watermark):
                watermark.records = [m for m in self.moves_of(watermark) if self._records(m)]
                if watermark.records and not self.is_asked_with(watermark):
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
        return self._lasts(move) and self.deliveries.hands_on(
            move.function, move.place, frozenset({value.place}), 0
        )

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

    def is_position(self, watermark: Watermark) -> bool:
        return self._says_position(watermark.place.name)

    def is_asked_with(self, watermark: Watermark) -> bool:
        """Whether the watermark's value goes out: with a request for what comes after it, or to a caller."""
        for name in sorted(self.words_of(watermark)):
            for function in self.module.functions_mentioning(name):
                for step in function.cfg.of_kind("return"):
                    if isinstance(step.statement, t.Return) and self._is_it(watermark, step.statement.value):
                        return True
                if any(self._asks(watermark, term) for term in terms_in(function)):
                    return True
        return False

    def _asks(self, watermark: Watermark, term: t.Term) -> bool:
        if isinstance(term, t.Record):
            return any(self._is_it(watermark, part) for part in self.deliveries.parts(term))
        if isinstance(term, t.Store):
            # `headers["Last-Event-ID"] = W`: part of what a variable of the call collects.
            at = term.target.place if isinstance(term.target, t.Ref) else None
            is_part = at is not None and bool(at.path) and at.root.kind == "local"
            return is_part and self._is_it(watermark, term.value)
        if not isinstance(term, t.Call) or term.total or self.deliveries.is_log(term):
            return False
        if self.slots.read(term) is not None or term.method.lower() in self.knowledge.names("slot", "picks"):
            return False
        values = (*term.arguments, *(value for _, value in term.keywords))
        return any(self._is_it(watermark, part) for value in values for part in self.deliveries.parts(value))

    def _is_it(self, watermark: Watermark, term: t.Term | None) -> bool:
        found = self.slots.read(term)
        return found is not None and not watermark.keys.isdisjoint(self.slots.keys(found))
