"""Orders: which conditions of a function put a slot's value and another value in order, and what they guard.

`x > W` in any spelling: turned round, negated with an early return, through a helper, a getter or a constant, both
sides under one transformation (`key(x) <= key(W)`), a comparison function (`compare(x, W) > 0`, `x - W <= 0`,
`x.After(W)`). Path questions are asked on edges: a step is guarded where every way to it takes a favourable edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import bind, implied, returns, substitute
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record
from wsantipattern.roles.slot import Move, Slots, is_conversion, is_fixed
from wsantipattern.roles.words import any_of, split

RELATIONS = ("<", "<=", ">", ">=")
DEPTH = 4

Sources = frozenset[Place]
"""The places that a value comes from; two values with a common one speak of the same thing."""


@record(frozen=True, slots=True)
class Order:
    """What one outcome of a condition says: a slot's value and another one stand in an order.

    Attributes:
        place: the slot that is compared.
        sources: where the value on the other side comes from.
        above: the other value is at or above the slot's; None where the text does not say which is.
        is_order: the condition orders the two; else it only takes both (an unknown predicate).
    """

    place: Place
    sources: Sources
    above: bool | None
    is_order: bool


@record(frozen=True, slots=True, eq=False)
class Outcome:
    """One outcome of a test: what it implies, and the orders among that."""

    step: Step
    holds: bool
    terms: list[tuple[t.Term, bool]]
    orders: list[Order]

    @property
    def label(self) -> str:
        """The label of the edge that is taken."""
        return "true" if self.holds else "false"


class Orders:
    """The orders of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, slots: Slots) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = slots
        self._may_order: dict[Function, bool] = {}
        self._outcomes: dict[Function, list[Outcome]] = {}

    # -- terms -----------------------------------------------------------------------------------

    def sources(self, term: t.Term | None, depth: int = DEPTH) -> Sources:
        """The places that a value comes from, through constant variables, arithmetic and conversions."""
        return frozenset(self._sources(term, depth))

    def _sources(self, term: t.Term | None, depth: int) -> Iterator[Place]:
        if term is None or depth <= 0:
            return
        for part in term.walk():
            if not isinstance(part, t.Ref) or part.place.root.kind in (
                "import",
                "global",
                "function",
                "class",
            ):
                if (
                    isinstance(part, t.Ref)
                    and part.place.root.kind == "global"
                    and not _is_callee(part, term)
                ):
                    yield part.place
                continue
            yield part.place
            value = self.module.value_of(part)
            if value is not None and value is not part and self._is_same_thing(value):
                yield from self._sources(value, depth - 1)

    def _is_same_thing(self, value: t.Term) -> bool:
        """Whether a variable given this value still speaks of what the value comes from."""
        if isinstance(value, t.Call):
            return is_conversion(value, self.module, self.knowledge) or self.slots.read(value) is not None
        return isinstance(value, (t.Ref, t.Binary, t.Unary, t.Field, t.Choice, t.Logic))

    def orders_of(self, term: t.Term, holds: bool) -> Iterator[Order]:
        """What an atomic condition and its truth say of slots."""
        if isinstance(term, t.Binary) and term.op in RELATIONS:
            yield from self._of_relation(term, holds)
        elif isinstance(term, t.Call):
            ordered = self._is_ordering(term)
            yield from self._among(operands_of(term), ordered)

    def _of_relation(self, term: t.Binary, holds: bool) -> Iterator[Order]:
        left, right = _unwrapped(term.left, term.right)
        for compared, other in ((term.left, term.right), (term.right, term.left)):
            if isinstance(other, t.Constant) and other.value in (0, 1, -1):
                inner = self.module.value_of(compared)
                if isinstance(inner, t.Call):
                    yield from self._among(operands_of(inner), True)
                elif isinstance(inner, t.Binary) and inner.op == "-":
                    yield from self._among([inner.left, inner.right], True)
        rising = (term.op in ("<", "<=")) == holds
        for slot, other, above in ((left, right, rising), (right, left, not rising)):
            place = self.slots.read(slot)
            if place is not None:
                yield Order(place, self.sources(other), above, True)

    def _among(self, operands: list[t.Term], ordered: bool) -> Iterator[Order]:
        if len(operands) == 1 and isinstance(operands[0], t.Binary) and operands[0].op == "-":
            operands = [operands[0].left, operands[0].right]
        for slot in operands:
            place = self.slots.read(slot)
            if place is None:
                continue
            for other in operands:
                if other is not slot:
                    yield Order(place, self.sources(other), None, ordered)

    def _is_ordering(self, call: t.Call) -> bool:
        """Whether a predicate puts its operands in order: by what it returns, or as knowledge or its words say."""
        function = self.module.resolve(call)
        if function is not None:
            return any(
                isinstance(part, t.Binary) and part.op in RELATIONS
                for value, facts in returns(function)
                for term in (value, *(fact.term for fact in facts))
                if term is not None
                for part in term.walk()
            )
        return any_of(split(call.method), self.knowledge.names("watermark", "orderings"))

    def may_order(self, function: Function) -> bool:
        """Whether the text of a function could put two values in order, by itself or by a function that it mentions;
        most functions are passed over unread."""
        found = self._may_order.get(function)
        if found is None:
            found = self._may_order[function] = self._orders(function) or function in self._asking
        return found

    def _orders(self, function: Function) -> bool:
        return self.module.orders_within(function.extent) or self._has_word(*function.extent)

    @cached_property
    def _asking(self) -> set[Function]:
        """The functions that mention a function of the file which puts values in order."""
        names = {
            function.name.rpartition(".")[2]
            for function in self.module.all_functions
            if function.kind != "top" and self._orders(function)
        }
        return {other for name in names if name for other in self.module.functions_mentioning(name)}

    def _has_word(self, start: int, end: int) -> bool:
        text = self.module.text
        return any(text.find(word, start, end) >= 0 for word in self._words)

    @cached_property
    def _words(self) -> list[bytes]:
        words = self.knowledge.names("watermark", "orderings") | {"max"}
        spelled = {
            form.encode()
            for word in words
            for form in (
                f"{word}(",
                f"{word.capitalize()}(",
                f"is{word.capitalize()}",
                f"is_{word}",
                f"{word}_than",
            )
        }
        return sorted(word for word in spelled if word in self.module.text)

    # -- conditions ------------------------------------------------------------------------------

    def outcomes(self, function: Function) -> list[Outcome]:
        """Both outcomes of every test of a function, with what each implies and what it orders."""
        found = self._outcomes.get(function)
        if found is None:
            found = self._outcomes[function] = []
            for step in function.cfg.of_kind("test"):
                for holds in (True, False):
                    terms = list(implied(step.term, holds, self.module)) if step.term is not None else []
                    orders = [order for term, truth in terms for order in self.orders_of(term, truth)]
                    found.append(Outcome(step, holds, terms, orders))
        return found

    def says_unset(self, term: t.Term, holds: bool, place: Place) -> bool:
        """Whether a condition says that a slot holds nothing yet."""
        if isinstance(term, t.Ref):
            value = self.module.value_of(term)
            if isinstance(value, t.Result) and value.index == 1:
                return not holds and self._is(value.call, place)
            return not holds and self._is(term, place)
        if isinstance(term, t.Binary):
            if term.op in ("==", "!="):
                for side, other in ((term.left, term.right), (term.right, term.left)):
                    if (is_null(other) or is_fixed(other)) and self._is(side, place):
                        return holds == (term.op == "==")
            if term.op == "in" and isinstance(term.right, t.Ref):
                return not holds and self.slots.same(term.right.place.element, place)
        if isinstance(term, t.Call):
            receiver = term.receiver_place
            if receiver is not None and term.method in self.knowledge.names("slot", "has"):
                return not holds and self.slots.same(receiver.element, place)
            return not holds and self._is(term, place)
        return False

    def _is(self, term: t.Term | None, place: Place) -> bool:
        found = self.slots.read(term)
        return found is not None and self.slots.same(found, place)

    # -- values compared with their slot ---------------------------------------------------------

    def is_compared(self, move: Move, value: t.Term | None, *, rising: bool, by_callers: bool = True) -> bool:
        """Whether, on every way to a move, its value has been compared with the slot (or the slot held nothing).

        With `rising`, only comparisons that order the two and do not put the value below the slot count, and one of
        them must be there. `by_callers`: comparisons in the functions that call this one count as well.
        """
        sources = self.sources(value)
        made = self.module.value_of(value)
        if not rising and isinstance(made, t.Call) and made is not value:
            # What is made of a thing that was compared speaks of that thing.
            sources |= {Place(part.root) for part in self.sources(made)}
        depth = 2 if by_callers else 0
        return self._compared(move.function, move.step, move.place, sources, rising, depth)

    def _compared(
        self, function: Function, step: Step, place: Place, sources: Sources, rising: bool, depth: int
    ) -> bool:
        if not sources:
            return False
        outcomes = self.outcomes(function) if self.may_order(function) else []
        chosen = {
            (outcome.step, outcome.label)
            for outcome in outcomes
            if any(self._matches(order, place, sources, rising) for order in outcome.orders)
        }
        if chosen:
            chosen |= {
                (outcome.step, outcome.label)
                for outcome in outcomes
                if any(self.says_unset(term, holds, place) for term, holds in outcome.terms)
            }
            if is_guarded(function, step, chosen):
                return True
        return depth > 0 and self._compared_by_callers(function, place, sources, rising, depth)

    def _matches(self, order: Order, place: Place, sources: Sources, rising: bool) -> bool:
        return (
            not (rising and (order.above is False or not order.is_order))
            and not order.sources.isdisjoint(sources)
            and self.slots.same(order.place, place)
        )

    def _compared_by_callers(
        self, function: Function, place: Place, sources: Sources, rising: bool, depth: int
    ) -> bool:
        if not any(source.root in function.parameters for source in sources):
            return False
        word = function.name.rpartition(".")[2]
        if not any(self.may_order(other) for other in self.module.functions_mentioning(word)):
            return False
        sites = list(callers(function))
        for caller, step in sites:
            if step.call is None:
                return False
            mapping = bind(step.call, function)
            given: set[Place] = set()
            for source in sources:
                if source.root in mapping:
                    given |= self.sources(substitute(t.Ref(step.extent, source), mapping))
            seen = substitute(t.Ref(step.extent, place), mapping)
            outer = seen.place if isinstance(seen, t.Ref) else place
            if not self._compared(caller, step, outer, frozenset(given), rising, depth - 1):
                return False
        return bool(sites)

    def choice_orders(
        self, test: t.Term, outcome: bool, place: Place, value: t.Term, *, rising: bool
    ) -> bool:
        """Whether a conditional value's own test has compared its arm with the slot."""
        sources = self.sources(value)
        return any(
            self._matches(order, place, sources, rising)
            for term, holds in implied(test, outcome, self.module)
            for order in self.orders_of(term, holds)
        )


def is_guarded(function: Function, step: Step, chosen: set[tuple[Step, str]]) -> bool:
    """Whether every way from the entry to `step` takes one of the chosen outcomes."""
    seen, todo = {function.cfg.entry}, [function.cfg.entry]
    while todo:
        current = todo.pop()
        for edge in current.edges:
            if (current, edge.label) not in chosen and edge.target not in seen:
                seen.add(edge.target)
                todo.append(edge.target)
    return step not in seen


def operands_of(call: t.Call) -> list[t.Term]:
    """What a call works on: its receiver, where that is a value, and its positional arguments."""
    found = list(call.arguments)
    receiver = call.receiver
    if receiver is not None and not (isinstance(receiver, t.Ref) and receiver.place.root.kind in ("import",)):
        found.insert(0, receiver)
    return found


def _unwrapped(left: t.Term, right: t.Term) -> tuple[t.Term, t.Term]:
    """Both sides without a transformation that they share: `key(a) <= key(b)` orders `a` and `b`."""
    if (
        isinstance(left, t.Call)
        and isinstance(right, t.Call)
        and isinstance(left.callee, t.Ref)
        and isinstance(right.callee, t.Ref)
        and left.callee.place == right.callee.place
        and len(left.arguments) == len(right.arguments) == 1
    ):
        return left.arguments[0], right.arguments[0]
    return left, right


def _is_callee(part: t.Ref, whole: t.Term) -> bool:
    return any(isinstance(other, t.Call) and other.callee is part for other in whole.walk())
