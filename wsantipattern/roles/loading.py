"""Values that slots are given: the slot's own, made greater, a fixed lower one, or loaded from elsewhere.

Tells by structure where a value comes from: a literal or constant, an answer of a call, a batch that a parameter
brings, another object's state. Knows no path of a function; prefers "neither" where the text does not say.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.flow import bind, returns, substitute
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.roles.order import Orders
from wsantipattern.roles.slot import Move, Slots, is_fixed
from wsantipattern.roles.words import any_of, split

DEPTH = 3

Arm = tuple[t.Term | None, list[tuple[t.Term, bool]]]
"""A value that a move may give, with the conditions of a conditional value under which it does."""


class Values:
    """The values of the moves of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, slots: Slots, orders: Orders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = slots
        self.orders = orders

    def is_number_of(self, value: t.Term) -> bool:
        """Whether a value is a position as it was compared: read, computed or converted, not made of it."""
        if isinstance(value, t.Call):
            given = len(value.arguments) + len(value.keywords)
            own = isinstance(value.callee, t.Ref) and value.callee.place.root.kind == "this"
            return not value.constructs and not value.total and given <= (0 if own else 1)
        return isinstance(value, (t.Ref, t.Binary, t.Unary, t.Field, t.Element, t.Result, t.Suspend))

    def is_time(self, value: t.Term) -> bool:
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

    def greater_of(self, value: t.Term, place: Place) -> list[t.Term]:
        """The other operands of `max(W, x)`; empty where the value is something else."""
        call = self.module.value_of(value)
        if isinstance(call, t.Call) and call.method.lower() != "max":
            # A function of the file that answers with the greater of both.
            function = self.module.resolve(call)
            results = [] if function is None or function.is_generator else [v for v, _ in returns(function)]
            if function is not None and len(results) == 1 and results[0] is not None:
                call = self.module.value_of(substitute(results[0], bind(call, function)))
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

    def arms(self, value: t.Term | None) -> Iterator[Arm]:
        """The values that a move may give, one by one."""
        inner = self.module.value_of(value)
        if isinstance(inner, t.Choice):
            for branch, outcome in ((inner.then, True), (inner.otherwise, False)):
                for arm, conditions in self.arms(branch):
                    yield arm, [(inner.test, outcome), *conditions]
            return
        yield value, []

    def is_settled(self, move: Move, value: t.Term | None, conditions: list[tuple[t.Term, bool]]) -> bool:
        """Whether a loaded value was compared with the slot in any way, or is the greater of both."""
        if value is None:
            return False
        if self.greater_of(value, move.place) or move.swaps:
            return True
        if any(
            self.orders.choice_orders(test, outcome, move.place, value, rising=False)
            for test, outcome in conditions
        ):
            return True
        return self.orders.is_compared(move, value, rising=False)

    def is_lower(self, value: t.Term) -> bool:
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
            return known and bool(value.arguments) and all(self.is_lower(a) for a in value.arguments)
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

    def is_loaded(
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
            return self.is_loaded(function, value.left, place, depth)
        if isinstance(value, (t.Result, t.Field, t.Element)):
            inner = value.call if isinstance(value, t.Result) else value.subject
            return self.is_loaded(function, inner, place, depth, part=True)
        if isinstance(value, (t.Binary, t.Unary)):
            return any(self.is_loaded(function, child, place, depth - 1) for child in value.children())
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
            return bool(value.place.path) and self._is_iterated(function, value.place)
        if root.kind != "local" or root.scope is None or not root.scope.host.encloses(function):
            return False
        if value.place.path and self._is_filled(function, Place(root)):
            return True
        stores = [store for _, store in self.module.stores_to(Place(root))]
        return any(
            isinstance(store.value, (t.Call, t.Suspend, t.Result, t.Field, t.Ref, t.Region))
            and (
                isinstance(store.value, t.Region)
                or self.is_loaded(function, store.value, place, depth - 1, part=bool(value.place.path))
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

    def _is_iterated(self, function: Function, value: Place) -> bool:
        """Whether a function goes through a list that a parameter brings, of which the value is an element, or which
        has something about it: `reply.items` and `reply.head`."""
        if value.root not in function.parameters:
            return False
        for collection in self._collections(function):
            for place in self.orders.sources(collection):
                if place.root is value.root and (place.path or value.path[0] == ELEMENT):
                    return True
        return False

    def _collections(self, function: Function) -> Iterator[t.Term]:
        for step in function.cfg.of_kind("iterate"):
            if isinstance(step.statement, t.ForEach):
                yield step.statement.iterable
        for _, call in function.cfg.calls:
            if call.receiver is not None and any(isinstance(a, t.Closure) for a in call.arguments):
                yield call.receiver

    def _is_loaded_from(self, value: t.Term | None) -> bool:
        call = value.value if isinstance(value, t.Suspend) else value
        if not isinstance(call, t.Call):
            return value is not None
        name = self.module.typed_name(call.callee) or ""
        clocks = self.knowledge.names("liveness", "clocks")
        words = self.knowledge.names("watermark", "clock_words")
        return not call.constructs and name not in clocks and not any_of(split(call.method), words)
