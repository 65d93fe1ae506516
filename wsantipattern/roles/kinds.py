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
from wsantipattern.model.flow import bind, facts_at
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.delivery import Deliveries
from wsantipattern.roles.event import Events
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
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        slots: Slots,
        orders: Orders,
        deliveries: Deliveries,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.slots = slots
        self.orders = orders
        self.deliveries = deliveries
        self._raisers: dict[Watermark, set[Function]] = {}

    def sibling(self, watermark: Watermark, move: Move, value: t.Term | None) -> t.Extent | None:
        """Where the same function lets the watermark rise for a message of another kind; None where it does not, where
        the kind itself says that positions start anew, or where the message that brings the value also brings what is
        to be shown."""
        function = move.function
        tags = dict(self._tags(function, move.step))
        if any(self._says_start(word) for word in tags.values()):
            return None
        value = self._value_at(move, value)
        if (
            isinstance(value, t.Ref)
            and (_is_parameter(value.place.root, function) or any(at.root is value.place.root for at in tags))
            and any(
                self._takes_in(watermark, function, step, value.place)
                for step in function.cfg.steps
                if step is not move.step and tags.items() <= dict(self._tags(function, step)).items()
            )
        ):
            return None
        if not tags:
            return self._beside(watermark, function)
        for step in function.cfg.steps:
            if step is move.step or not self.raises(watermark, function, step):
                continue
            if any(
                place in tags and tags[place] != word and not self._says_start(word)
                for place, word in self._tags(function, step)
            ):
                return step.extent
        return None

    def _beside(self, watermark: Watermark, function: Function) -> t.Extent | None:
        """Where a handler of another event of the same emitter lets the watermark rise."""
        own = [r for r in self.events.of_handler(function) if isinstance(r.emitter, t.Ref)]
        if not own or any(not self._is_message(r.event) for r in own):
            return None
        emitters = {r.emitter.place for r in own if isinstance(r.emitter, t.Ref)}
        emitters = {at for at in emitters if self._is_link(at)}
        events = {r.event for r in own}
        for raiser in sorted(self.raisers(watermark) - {function}, key=lambda f: f.extent):
            for other in self.events.of_handler(raiser):
                if (
                    isinstance(other.emitter, t.Ref)
                    and other.emitter.place in emitters
                    and other.event not in events
                    and self._is_message(other.event)
                ):
                    return raiser.name_extent
        return None

    def _is_link(self, place: Place) -> bool:
        """Whether an emitter brings messages, by its name or that of its type: no element of a page, no clock."""
        named = (*split(place.name), *split((self.module.type_of(place) or "").rpartition(".")[2]))
        return any_of(named, self.knowledge.names("watermark", "links"))

    def _is_message(self, event: str) -> bool:
        """Whether an event is a kind of message, and not one of the connection's own."""
        names = self.knowledge.names
        own = names("watermark", "link_events") | names("watermark", "error_events")
        own |= names("watermark", "gestures")
        return event not in own and not self._says_start(event)

    def is_brought(self, watermark: Watermark, move: Move, value: t.Term | None) -> bool:
        """Whether a value is a field of the message that is handled, other than the position by which the watermark
        rises elsewhere, on a way that takes nothing else in that is to be shown."""
        value = self._value_at(move, value)
        if not isinstance(value, t.Ref) or not value.place.path or value.place.path[-1] == ELEMENT:
            return False
        root, function = value.place.root, move.function
        tags = dict(self._tags(function, move.step))
        is_told = any(place.root is root for place in tags)
        # What a loop reads into a variable is a message where its kind is asked.
        if not (is_told if tags or not _is_parameter(root, function) else True):
            return False
        if value.place.name in self._usual(watermark):
            return False
        return self.sibling(watermark, move, value) is not None

    def _value_at(self, move: Move, value: t.Term | None) -> t.Term | None:
        """What a variable holds at a move, where the last store before it is on every way to it."""
        known = self.module.value_of(value)
        if known is not value or not isinstance(value, t.Ref) or not value.place.is_local or value.place.path:
            return known
        cfg = move.function.cfg
        stores = [
            (at, store)
            for at, store in cfg.assignments
            if at.target == value.place and cfg.dominates(at, move.step)
        ]
        last = [store for at, store in stores if all(cfg.dominates(other, at) for other, _ in stores)]
        return last[0].value if len(last) == 1 and last[0].op is None else known

    def _usual(self, watermark: Watermark) -> set[str]:
        """The names of what the watermark takes where it rises, also of what such a function is given."""
        found: set[str] = set()
        for raised in watermark.raises:
            for source in self.orders.sources(raised.value):
                found.add(source.name)
                if source.path or source.root not in raised.function.parameters:
                    continue
                for _, step in callers(raised.function):
                    given = (
                        bind(step.call, raised.function).get(source.root) if step.call is not None else None
                    )
                    found |= {inner.name for inner in self.orders.sources(given)}
        return found

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
                word = _constant(other, self.module)
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
        if step.kind != "assign" or step.store is None or step.target is None:
            return False
        root = step.target.root
        if not step.target.path and (root.scope is None or root.scope.host is function.host):
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
            at = todo.pop()
            known = {caller for caller, _ in callers(at)}
            if not known or self._is_called_unseen(at):
                return True
            new = (known & raisers) - reached - {function}
            reached |= new
            todo.extend(new)
        return False

    def _is_called_unseen(self, function: Function) -> bool:
        """Whether a method of this name is called on something that the file does not say the type of."""
        name = function.name.rpartition(".")[2]
        return function.kind == "method" and any(
            call.method == name and self.module.resolve(call) is None
            for other in self.module.functions_mentioning(name)
            for _, call in other.cfg.calls
        )

    def _giving(self, function: Function) -> Iterator[Function]:
        """The functions that run one for each element: `items.forEach(give)`."""
        name = function.name.rpartition(".")[2]
        eachs = self.knowledge.names("watermark", "eachs")
        for other in self.module.functions_mentioning(name) if name else ():
            if any(
                call.method in eachs
                and any(self.module.resolve_value(argument) is function for argument in call.arguments)
                for _, call in other.cfg.calls
            ):
                yield other

    def raisers(self, watermark: Watermark) -> set[Function]:
        """The functions that let the watermark rise, by themselves or through what they call."""
        found = self._raisers.get(watermark)
        if found is None:
            found = self._raisers[watermark] = {raised.function for raised in watermark.raises}
            new = set(found)
            for _ in range(DEPTH):
                new = {
                    caller
                    for function in new
                    for caller in (*(caller for caller, _ in callers(function)), *self._giving(function))
                } - found
                found |= new
        return found


def _is_parameter(root: Binding, function: Function) -> bool:
    """Whether a name is a parameter of a function, or of one around it."""
    return root.kind == "parameter" and root.scope is not None and root.scope.host.encloses(function)


def _constant(term: t.Term, module: Module) -> str:
    """The text of a literal, or the last word of a name that is written like a constant of a type."""
    if isinstance(term, t.Constant):
        return term.value if isinstance(term.value, str) else ""
    if isinstance(term, t.Ref):
        root = term.place.root
        value = module.value_of(term)
        if isinstance(value, t.Constant):
            return value.value if isinstance(value.value, str) else root.name
        if root.kind in ("import", "global", "class"):
            return term.place.name
        if root.kind == "local" and root.constant and root.scope is not None and root.scope.kind == "top":
            return term.place.name
    return ""
