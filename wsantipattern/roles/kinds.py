"""Kinds: what a handler of messages of several kinds does with a watermark, each kind on a way of its own.

`case "ack": W = max(W, m.n)` beside `case "stats": W = m.count`: the first shows that the stream is under way when the
second comes. Silent for kinds whose word says that positions start anew or may go back, and where the message also
brings what is to be shown. Knows no path of a fallback; words of a kind can only excuse.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import facts_at
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.delivery import Deliveries
from wsantipattern.roles.order import Orders
from wsantipattern.roles.rise import Watermark
from wsantipattern.roles.slot import Move, Slots
from wsantipattern.roles.words import any_of, split

DEPTH = 3
"""Callers that a rise is followed through."""

Tag = tuple[Place, str]
"""A field that tells kinds apart, and the constant that it equals."""


class Kinds:
    """The kinds of messages that the functions of one module tell apart."""

    def __init__(
        self, module: Module, knowledge: Knowledge, slots: Slots, orders: Orders, deliveries: Deliveries
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = slots
        self.orders = orders
        self.deliveries = deliveries
        self._raisers: dict[Watermark, set[Function]] = {}

    def sibling(self, watermark: Watermark, move: Move) -> t.Extent | None:
        """Where the same function lets the watermark rise for a message of another kind; None where it does not, or
        where the kind itself says that positions start anew."""
        function = move.function
        tags = dict(self._tags(function, move.step))
        if not tags or any(self._says_start(word) for word in tags.values()):
            return None
        for step in function.cfg.steps:
            if step is move.step or not self.raises(watermark, function, step):
                continue
            if any(
                place in tags and tags[place] != word and not self._says_start(word)
                for place, word in self._tags(function, step)
            ):
                return step.extent
        return None

    def is_brought(self, watermark: Watermark, move: Move, value: t.Term | None) -> bool:
        """Whether a value is a field of the message that is handled, other than the position by which the watermark
        rises elsewhere, on a way that takes nothing else in that is to be shown."""
        value = self.module.value_of(value)
        if not isinstance(value, t.Ref) or not value.place.path or value.place.path[-1] == ELEMENT:
            return False
        root, function = value.place.root, move.function
        if root not in function.parameters or any(raised.swaps for raised in watermark.raises):
            return False
        tags = dict(self._tags(function, move.step))
        if not any(place.root is root for place in tags) or self.sibling(watermark, move) is None:
            return False
        usual = {source.name for raised in watermark.raises for source in self.orders.sources(raised.value)}
        if value.place.name in usual:
            return False
        return not any(
            self._takes_in(watermark, function, step, value.place)
            for step in function.cfg.steps
            if step is not move.step and tags.items() <= dict(self._tags(function, step)).items()
        )

    def _tags(self, function: Function, step: Step) -> Iterator[Tag]:
        """What is known of kinds at a step: `m.kind == "ack"`."""
        for fact in facts_at(function, step):
            term = fact.term
            if (
                not isinstance(term, t.Binary)
                or term.op not in ("==", "!=")
                or fact.holds != (term.op == "==")
            ):
                continue
            for side, other in ((term.left, term.right), (term.right, term.left)):
                word = _constant(other)
                if word and isinstance(side, t.Ref):
                    named = self.module.value_of(side)
                    at = named.place if isinstance(named, t.Ref) else side.place
                    if at.path or at.root.kind == "parameter":
                        yield at, word

    def _says_start(self, word: str) -> bool:
        return any_of(split(word), self.knowledge.names("watermark", "starts"))

    def _takes_in(self, watermark: Watermark, function: Function, step: Step, value: Place) -> bool:
        """Whether a step gives a part of the message to something that may show or keep it."""
        call = step.call
        if call is not None and step.kind == "call":
            if call.total or self.deliveries.is_log(call) or self.raises(watermark, function, step):
                return False
            given = (*call.arguments, *(argument for _, argument in call.keywords))
            return any(
                self._is_of(part, value) for argument in given for part in self.deliveries.parts(argument)
            )
        if step.kind != "assign" or step.store is None or step.target is None or not step.target.path:
            return False
        return any(
            self._is_of(part, value) for part in self.deliveries.parts(step.store.value)
        ) and not self._is_plain(step.target)

    def _is_of(self, part: t.Ref, value: Place) -> bool:
        return part.place.root is value.root and part.place != value

    def _is_plain(self, target: Place) -> bool:
        """Whether a field holds a number, a text or a flag: by its type, or by a literal that it is given."""
        kind = self.module.type_of(target)
        if kind is not None:
            names = self.knowledge.names
            return kind in names("accumulation", "number_types") | names("accumulation", "text_types")
        return any(
            isinstance(store.value, t.Constant) and store.value.value is not None
            for _, store in self.module.stores_to(target)
        )

    def raises(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether a step lets the watermark rise, by itself or in a function of the file."""
        if any(raised.step is step for raised in watermark.raises):
            return True
        if step.call is None:
            return False
        callee = self.module.resolve(step.call)
        return callee is not None and callee is not function and callee in self.raisers(watermark)

    def rises_without(self, watermark: Watermark, function: Function) -> bool:
        """Whether the watermark also rises when others than `function` are called from outside."""
        raisers = self.raisers(watermark)
        reached = {raised.function for raised in watermark.raises} - {function}
        todo = list(reached)
        while todo:
            known = {caller for caller, _ in callers(todo.pop())}
            if not known:
                return True
            new = (known & raisers) - reached - {function}
            reached |= new
            todo.extend(new)
        return False

    def raisers(self, watermark: Watermark) -> set[Function]:
        """The functions that let the watermark rise, by themselves or through what they call."""
        found = self._raisers.get(watermark)
        if found is None:
            found = self._raisers[watermark] = {raised.function for raised in watermark.raises}
            new = set(found)
            for _ in range(DEPTH):
                new = {caller for function in new for caller, _ in callers(function)} - found
                found |= new
        return found


def _constant(term: t.Term) -> str:
    """The text of a literal, or the last word of a name that is written like a constant of a type."""
    if isinstance(term, t.Constant):
        return term.value if isinstance(term.value, str) else ""
    if isinstance(term, t.Ref) and term.place.root.kind in ("import", "global", "class"):
        return term.place.name
    return ""
