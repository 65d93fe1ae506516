"""Membership: conditions that ask whether an item is in a container, and whether they leave the item out.

A container of which something in the file asks so, to skip what is in, serves to tell duplicates. One whose stored
values are used is the data itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import implied, returns
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.roles.container import DEPTH, Containers, Storage, number
from wsantipattern.roles.mark import Marks
from wsantipattern.roles.origin import Frame
from wsantipattern.roles.reset import ahead, is_made

ROUNDS = 2
"""Calls between a condition and the function that mentions the container it asks about."""


class Membership:
    """The questions of one module for what is in its containers."""

    def __init__(self, module: Module, containers: Containers, marks: Marks) -> None:
        self.module = module
        self.containers = containers
        self.marks = marks
        self._answers: dict[Place, bool] = {}
        self._asked: dict[str, set[Place]] = {}
        self._places: dict[Function, set[Place]] = {}
        self._seeing_through: list[t.Term] = []

    def is_tracker(self, place: Place) -> bool:
        """Whether some condition of the file asks whether an item is in the container at a place, to skip it."""
        known = self._answers.get(place)
        if known is None:
            names = set(self.family(place))
            known = not self._asked_about(place.name).isdisjoint(names)
            if not known:
                # A class of the file that is a container itself asks in its own methods.
                owners = [own.root.owner for own in names if not own.path and own.root.owner is not None]
                known = any(
                    Place(owner.this) in self._asked_places(method)
                    for owner in owners
                    for method in owner.methods.values()
                )
            self._answers[place] = known
        return known

    def family(self, place: Place) -> Iterator[Place]:
        """The place, and what it is called inside the class it is a field of."""
        yield place
        for length in range(len(place.path) - 1, -1, -1):
            owner = self.containers.instances.at(Place(place.root, place.path[:length]))
            for name_giver in self.module.lineage(owner) if owner is not None else ():
                if name_giver.this is not place.root:
                    yield Place(name_giver.this, place.path[length:])

    def asked_at(self, function: Function, storage: Storage) -> set[Step]:
        """The steps of a function that ask whether something is in a container."""
        frame, found = Frame(function), set()
        for step in function.cfg.steps:
            terms = [step.term] if step.kind == "test" or step.call is not None else []
            for term in terms:
                for holds in (True, False):
                    conditions = (
                        implied(term, holds, self.module) if step.kind == "test" and term else [(term, holds)]
                    )
                    for condition, truth in conditions:
                        if condition is not None and any(
                            s.place == storage.place for s in self.asked(frame, condition, truth)
                        ):
                            found.add(step)
        return found

    def _asked_about(self, name: str) -> set[Place]:
        """The places of which a condition asks, in functions that mention a name, or one that does, or that one."""
        if name not in self._asked:
            functions = dict.fromkeys(self.module.functions_mentioning(name))
            for _ in range(ROUNDS):
                for function in list(functions):
                    word = function.name.rpartition(".")[2]
                    if word in self.containers.known("membership"):
                        word = "in"
                    if word:
                        functions.update(dict.fromkeys(self.module.functions_mentioning(word)))
            self._asked[name] = {place for f in functions for place in self._asked_places(f)}
        return self._asked[name]

    def _asked_places(self, function: Function) -> set[Place]:
        if function not in self._places:
            storages = self._asked_in(function)
            self._places[function] = {place for s in storages for place in self.family(s.place)}
        return self._places[function]

    def _asked_in(self, function: Function) -> Iterator[Storage]:
        cfg, frame = function.cfg, Frame(function)
        for step in cfg.steps:
            if step.kind == "test" and step.term is not None:
                for label in ("true", "false"):
                    for condition, holds in implied(step.term, label == "true", self.module):
                        asked = self.asked(frame, condition, holds)
                        if self._decides(function, step, label, asked):
                            yield from asked
            for part in step.term.walk() if step.term is not None else ():
                if isinstance(part, t.Several):
                    # A comprehension's condition leaves elements out.
                    for operand in part.operands[:-1]:
                        for condition, holds in implied(operand, False, self.module):
                            yield from self.asked(frame, condition, holds)
                elif isinstance(part, t.Call) and part.method in self.containers.known("each"):
                    yield from self._asked_by_filter(part)

    def _asked_by_filter(self, call: t.Call) -> Iterator[Storage]:
        for argument in call.arguments[:1]:
            function = self.module.resolve_value(argument)
            if function is not None and not function.is_inlined:
                for value, _ in returns(function):
                    for condition, holds in implied(value, False, self.module) if value is not None else ():
                        yield from self.asked(Frame(function), condition, holds)

    def asked(self, frame: Frame, condition: t.Term, holds: bool) -> list[Storage]:
        """The containers that a condition, by its truth or falsity, says to hold an element already."""
        match condition:
            case t.Call():
                receiver = condition.receiver
                if self.module.resolve(condition) is not None:
                    return []
                asking = self.containers.run(frame, condition)
                if asking is not None and not frame.runs(asking) and frame.level < DEPTH:
                    return self._answered(frame.into(asking, condition), holds)
                name = self.module.canonical(condition.callee) or ""
                if (
                    name in self.containers.known("asks_of")
                    and holds
                    and not _is_named(condition.argument(1))
                ):
                    return self.containers.of(frame, condition.argument(0))
                if name in self.containers.known("searches_of") and holds:
                    argument = condition.argument(0)
                    last = argument.operands[-1] if isinstance(argument, t.Several) else None
                    return self.asked(frame, last, True) if isinstance(last, t.Binary) else []
                if receiver is None or not condition.arguments or _is_named(condition.argument(0)):
                    return []
                if condition.method in self.containers.known("searches") and holds:
                    return self._searched(frame, receiver, condition.argument(0))
                if condition.method in self.containers.known("asks_and_adds") and holds:
                    return self.containers.of(frame, receiver)
                if (condition.method in self.containers.known("asks") and holds) or (
                    condition.method in self.containers.known("adds_if_new") and not holds
                ):
                    return self.containers.of(frame, receiver)
            case t.Binary(op="in") if holds and not _is_named(condition.left):
                return [
                    *self.containers.of(frame, condition.right),
                    *self._asked_by_object(frame, condition.right),
                ]
            case t.Binary(op="==" | "!="):
                for side, other in (
                    (condition.left, condition.right),
                    (condition.right, condition.left),
                ):
                    if isinstance(other, t.Constant) and other.kind == "null":
                        if holds == (condition.op == "!="):
                            return self.asked(frame, side, True)
                    elif number(other) == -1 and holds == (condition.op == "!="):
                        return self._asked_position(frame, side)
                    elif isinstance(side, t.Ref) and side.place.is_local and holds == (condition.op == "=="):
                        # `for r in recent: if r == n`: the loop looks for it.
                        for _, store in self.module.stores_to(side.place):
                            if isinstance(store.value, t.Element) and store.value.key is None:
                                return self.containers.of(frame, store.value.subject)
            case t.Binary(op="<" | "<=" | ">" | ">="):
                at_least = (
                    condition.op if holds else {"<": ">=", ">=": "<", "<=": ">", ">": "<="}[condition.op]
                )
                bound = number(condition.right)
                if (at_least == ">" and bound == -1) or (at_least == ">=" and bound == 0):
                    return self._asked_position(frame, condition.left)
                higher = condition.left if at_least in (">", ">=") else condition.right
                lowest = number(higher.right) if isinstance(higher, t.Logic) and higher.op == "??" else None
                if isinstance(higher, t.Logic) and lowest is not None and lowest <= 0:
                    # `(newest.get(id) ?? -1) >= version`: below every version where there is no entry.
                    return self.asked(frame, higher.left, True)
            case t.Ref():
                value = self.module.value_of(condition)
                if value is not None and value is not condition and value not in self._seeing_through:
                    # `var q = q || {}` stands for itself.
                    self._seeing_through.append(value)
                    try:
                        return self.asked(frame, value, holds)
                    finally:
                        self._seeing_through.pop()
                if holds and condition.place.path and condition.place.path[-1] == ELEMENT:
                    parent = condition.place.parent
                    if parent is not None and not _is_index(condition.key):
                        return self.containers.of(frame, t.Ref(condition.extent, parent))
            case t.Result(index=1) if holds:
                call = condition.call
                if isinstance(call, t.Call) and call.method in self.containers.known("gets"):
                    return self.containers.of(frame, call.receiver)
                return self.asked(frame, call, True) if isinstance(call, t.Ref) else []
            case t.Result(index=0):
                return self.asked(frame, condition.call, holds)
            case t.Store():
                return self.asked(frame, condition.value, holds)
            case t.Logic(op="or" | "and") if holds == (condition.op == "or"):
                # One side alone is enough for the whole: where the item is in, it is so.
                return [
                    *self.asked(frame, condition.left, holds),
                    *self.asked(frame, condition.right, holds),
                ]
            case t.Suspend():
                return self.asked(frame, condition.value, holds) if condition.value is not None else []
            case _:
                return []
        return []

    def _asked_by_object(self, frame: Frame, term: t.Term) -> list[Storage]:
        """`no in self.window`, where a class of the file says what that asks."""
        place = term.place if isinstance(term, t.Ref) and term.key is None else None
        asking = self.containers.written_for(place, "membership") if place is not None else None
        if asking is None or asking.owner is None or frame.runs(asking) or frame.level >= DEPTH:
            return []
        return self._answered(Frame(asking, frame, {asking.owner.this: term}), True)

    def _answered(self, inner: Frame, holds: bool) -> list[Storage]:
        """The containers that hold an element already where a function of the file says so by its truth or falsity."""
        found: list[Storage] = []
        for value, facts in returns(inner.function):
            if isinstance(value, t.Constant):
                known = [(fact.term, fact.holds) for fact in facts] if bool(value.value) == holds else []
            else:
                known = [(value, holds)] if value is not None else []
            for term, truth in known:
                for condition, is_so in implied(term, truth, self.module):
                    found.extend(self.asked(inner, condition, is_so))
        return found

    def _searched(self, frame: Frame, collection: t.Term, test: t.Term | None) -> list[Storage]:
        """`recent.some((r) => r === n)`: the elements themselves are compared."""
        function = self.module.resolve_value(test)
        if function is None or not function.parameters:
            return []
        for value, _ in returns(function):
            for side in (value.left, value.right) if isinstance(value, t.Binary) and value.op == "==" else ():
                if isinstance(side, t.Ref) and side.place == Place(function.parameters[0]):
                    return self.containers.of(frame, collection)
        return []

    def _asked_position(self, frame: Frame, term: t.Term) -> list[Storage]:
        value = self.module.value_of(term)
        if isinstance(value, t.Call) and value.method in self.containers.known("asks_position"):
            return self.containers.of(frame, value.receiver)
        return []

    def _decides(self, function: Function, test: Step, member: str, asked: list[Storage]) -> bool:
        """Whether an item that is in already is left out: what is done for a new one is not done for it."""
        if not asked:
            return False
        old, new = (ahead(test, label) for label in (member, "false" if member == "true" else "true"))
        frame = Frame(function)
        if any(self._uses_kept(frame, step, asked) for step in old | new):
            return False
        return any(self._is_work(frame, step, asked) for step in new - old)

    def _uses_kept(self, frame: Frame, step: Step, asked: list[Storage]) -> bool:
        """Whether a step uses the value that a container holds for a key: then it is the data, no tracker."""
        if step.term is None or step.kind in ("test", "iterate"):
            return False
        terms: list[t.Term] = []
        if step.store is not None:
            if step.target is not None and step.target.is_local and isinstance(step.store.value, t.Result):
                return False
            terms = [step.store.value]
            if (
                isinstance(step.store.target, t.Ref)
                and step.store.target.place.path[-1:] != (ELEMENT,)
                and ELEMENT in step.store.target.place.path
            ):
                terms.append(step.store.target)
        elif step.call is not None and self.module.resolve(step.call) is None:
            if self._drops_of(frame, step, {a.place for a in asked}):
                return False
            terms = [*step.call.arguments]
            if step.call.receiver is not None:
                terms.append(step.call.receiver)
        elif isinstance(step.statement, t.Return) and step.statement.value is not None:
            terms = [step.statement.value]
        for term in terms:
            for part in term.walk():
                if not isinstance(part, (t.Ref, t.Call)):
                    continue
                for storage in self.containers.of(frame, part, 3):
                    if any(
                        len(storage.place.path) > len(a.place.path)
                        and storage.place.path[len(a.place.path)] == ELEMENT
                        and storage.place.starts_with(a.place)
                        for a in asked
                    ):
                        return not self._trims(frame, step, asked)
        return False

    def _trims(self, frame: Frame, step: Step, asked: list[Storage], depth: int = 3) -> bool:
        """Whether what a step takes out of a container only tells what is dropped from it, or stays in it."""
        store, target = step.store, step.target
        if store is None or target is None or depth <= 0:
            return False
        own = {s.place for s in asked}
        if any(s.place in own for s in self.containers.of(frame, store.target)):
            return not isinstance(store.value, t.Ref)
        if target.path or target.root.kind != "local":
            return False
        return all(
            other is step
            or other.kind in ("test", "iterate")
            or not _mentions(other, target.root)
            or self._drops_of(frame, other, own)
            or (other.store is not None and self._trims(frame, other, asked, depth - 1))
            for other in frame.function.cfg.steps
        )

    def _drops_of(self, frame: Frame, step: Step, own: set[Place]) -> bool:
        """Whether a step drops an entry of one of these containers."""
        if step.kind == "delete" and isinstance(step.term, t.Delete):
            target = step.term.target
            dropped = self.containers.of(frame, target)
            return any(s.place.parent in own for s in dropped)
        call = step.call if step.kind == "call" else None
        if call is None or call.method not in self.containers.known("removes"):
            return False
        return any(s.place in own for s in self.containers.of(frame, call.receiver))

    def _is_work(self, frame: Frame, step: Step, asked: list[Storage]) -> bool:
        if step.kind in ("suspend", "raise", "spawn", "return"):
            return True
        if step.kind == "call" and step.call is not None:
            added = self.marks.direct(frame, step)
            if added is not None:
                return not _overlap(added.storages, asked)
            return not (step.call.total or step.call.constructs or is_made(step.call))
        if step.kind == "assign" and step.target is not None and not step.target.is_local:
            added = self.marks.direct(frame, step)
            return added is None or not _overlap(added.storages, asked)
        if step.kind == "assign" and step.store is not None:
            return not step.store.declares and step.store.op is not None
        return False


def _mentions(step: Step, root: Binding) -> bool:
    """Whether a step reads a variable, or writes into what it holds."""
    if step.target is not None and step.target.path and step.target.root is root:
        return True
    return step.term is not None and any(
        isinstance(part, t.Ref) and part.place.root is root for part in step.term.walk()
    )


def _overlap(first: tuple[Storage, ...], second: list[Storage]) -> bool:
    return any(a.place == b.place for a in first for b in second)


def _is_named(key: t.Term | None) -> bool:
    """Whether a key is written down: what is asked is whether an object has a field, not whether an item was seen."""
    return isinstance(key, t.Constant)


def _is_index(selector: t.Term | None) -> bool:
    return isinstance(selector, t.Constant) and selector.kind == "number"
