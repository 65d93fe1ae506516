"""Destinations: whether a value goes back to the place that it was made from.

Followed through variables, entries of rebuilt records, state updaters, reducers, setters of the file and of libraries, and
functions that hand their argument on in another form.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.roles.holder import Found, Holder, Holders
from wsantipattern.roles.words import any_of, split


class Destinations:
    """Where the values of one module go."""

    def __init__(self, module: Module, knowledge: Knowledge, holders: Holders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.holders = holders
        self.invocations = holders.invocations
        self._references: dict[Function, dict[Binding, list[tuple[Step, t.Ref]]]] = {}

    def returns_to(self, term: t.Term, kept: Holder, function: Function, depth: int = 4) -> bool:
        """Whether the value of a term is put to where `kept` is."""
        if depth <= 0:
            return False
        parent = term.parent
        while isinstance(parent, (t.Choice, t.Logic, t.Suspend, t.Spread)):
            if isinstance(parent, t.Choice) and term is parent.test:
                return False
            term, parent = parent, parent.parent
        match parent:
            case None:
                return self._is_returned(term, kept, function, depth)
            case t.Store() if parent.value is term:
                return self._stored(parent, kept, function, depth)
            case t.Record():
                return self._entered(parent, term, kept, function, depth)
            case t.Several() if isinstance(parent.parent, t.Record):
                return self._entered_at(parent.parent, parent, kept, function, depth)
            case t.Sequence():
                spreads = [self.holders.of(e.value) for e in parent.elements if isinstance(e, t.Spread)]
                return kept.path[-1:] == (ELEMENT,) and kept.parent in spreads
            case t.Call() if any(value is term for _, value in parent.keywords):
                # `replace(state, text=state.text + m)`
                name = kept.path[-1] if kept.path else kept.name
                return any(key == name for key, value in parent.keywords if value is term)
            case t.Call() if term is not parent.callee:
                return self._given(parent, term, kept, function, depth)
            case t.Field() if isinstance(parent.parent, t.Call):
                passes = parent.parent.method in self.knowledge.names("holder", "same")
                return passes and self.returns_to(parent.parent, kept, function, depth)
        return False

    def goes_back(self, function: Function, value: t.Ref, binding: Binding, kept: Holder) -> bool:
        """Whether the value of a variable is put back to where it was loaded from."""
        for host in (function, *function.descendants):
            if host.is_inlined:
                continue
            for _, ref in self._refs(host).get(binding, []):
                if not ref.place.path and self.returns_to(ref, kept, host, depth=2):
                    return True
        return False

    def _stored(self, store: t.Store, kept: Holder, function: Function, depth: int) -> bool:
        target = store.target
        where = (
            self.holders.of(target)
            if not isinstance(target, t.Ref)
            else Holder(target.place.root, target.place.path)
        )
        if where == kept or (isinstance(target, t.Ref) and self.holders.at(target.place) == kept):
            return True
        if isinstance(target, t.Ref) and not target.place.path and target.place.root.kind == "local":
            return self._variable_goes(target.place.root, kept, function, depth)
        return False

    def _variable_goes(self, binding: Binding, kept: Holder, function: Function, depth: int) -> bool:
        for host in (function, *function.descendants):
            for _, ref in self._refs(host).get(binding, []):
                if not ref.place.path and self.returns_to(ref, kept, host, depth - 1):
                    return True
        return False

    def _entered(self, record: t.Record, value: t.Term, kept: Holder, function: Function, depth: int) -> bool:
        """`{ ...last, text: last.text + m }`: the entry has the name of what it is made of."""
        key = next((k for k, v in record.entries if v is value), None)
        name = kept.path[-1] if kept.path else kept.name
        if key is None:
            return False
        return key == name

    def _entered_at(
        self, record: t.Record, entry: t.Several, kept: Holder, function: Function, depth: int
    ) -> bool:
        """`{ ...texts, [id]: texts[id] + m }`, `texts.update({id: texts[id] + m})`: the entry goes to the same container."""
        container = kept.parent
        if container is None or kept.path[-1] != ELEMENT:
            return False
        beside = [v.value for _, v in record.entries if isinstance(v, t.Spread)]
        if isinstance(record.parent, t.Call):
            call = record.parent
            beside += [*call.arguments, *([call.receiver] if call.receiver is not None else [])]
        known = any(part is not record and self.holders.of(part) == container for part in beside)
        return known and self.returns_to(record, container, function, depth - 1)

    def _given(self, call: t.Call, value: t.Term, kept: Holder, function: Function, depth: int) -> bool:
        """A call that puts its argument where the value came from: `m.set(k, m.get(k) + x)`, `setText(text + x)`."""
        names = self.knowledge.names
        target = self.invocations.resolve(call)
        receiver = self.holders.of(call.receiver)
        if target is not None:
            index = next((i for i, a in enumerate(call.arguments) if a is value), None)
            if index is None:
                return False
            if self._setter(target, index, kept):
                return True
            return self._hands_back(target, index) and self.returns_to(call, kept, function, depth - 1)
        if receiver is not None and kept.within(receiver) and call.method in names("accumulation", "sets"):
            return True
        if self.is_setter_of(call, kept):
            return True
        if call.method in names("accumulation", "passes"):
            return self.returns_to(call, kept, function, depth - 1)
        return False

    def is_setter_of(self, call: t.Call, kept: Holder) -> bool:
        """`const [text, setText] = useState("")`: the second result sets the first."""
        if not isinstance(call.callee, t.Ref) or call.callee.place.path or isinstance(kept.root, Found):
            return False
        made = self.pair(call.callee.place.root)
        return made is not None and made[1] == 1 and self.pair(kept.root) == (made[0], 0)

    def pair(self, binding: Binding) -> tuple[t.Term, int] | None:
        """The call and index of a variable that is one of several results."""
        value = binding.initial if binding.constant else None
        if value is None and binding.name and binding.kind == "local":
            stores = self.module.stores_to(Place(binding))
            value = stores[0][1].value if len(stores) == 1 else None
        return (value.call, value.index) if isinstance(value, t.Result) else None

    def _hands_back(self, function: Function, index: int) -> bool:
        """Whether a function of the file gives back its parameter, or a piece of it: `clip(text)`."""
        if index >= len(function.parameters) or function.is_generator:
            return False
        given = Holder(function.parameters[index])
        answers = [value for value, _ in flow.returns(function) if value is not None]
        return bool(answers) and all(self.holders.of(value) == given for value in answers)

    def _setter(self, function: Function, index: int, kept: Holder) -> bool:
        """Whether a function of the file stores its parameter where `kept` is."""
        if index >= len(function.parameters):
            return False
        parameter = Place(function.parameters[index])
        return any(
            isinstance(store.value, t.Ref)
            and store.value.place == parameter
            and isinstance(store.target, t.Ref)
            and (where := self.holders.at(store.target.place)) is not None
            and where.path == kept.path
            for _, store in function.cfg.assignments
        )

    def _is_returned(self, term: t.Term, kept: Holder, function: Function, depth: int) -> bool:
        """A function that gives the next state for the one that it gets."""
        if kept.path or isinstance(kept.root, Found) or kept.root not in function.parameters:
            return False
        if not any(
            isinstance(s.statement, t.Return) and s.statement.value is term
            for s in function.cfg.of_kind("return")
        ):
            return False
        for _, _, value in self.invocations.uses(function):
            call = value.parent
            if not isinstance(call, t.Call) or value is call.callee:
                continue
            if call.method in self.knowledge.names("invocation", "reducers"):
                return True
            if call.method in self.knowledge.names("accumulation", "keeps"):
                return True
            if self.invocations.resolve(call) is None and self._updates(call):
                return True
        return len(function.parameters) > 1 and self._is_reducer(function, kept.root, depth)

    def _updates(self, call: t.Call) -> bool:
        """Whether a call sets a state by a function of the old one."""
        method = self._method(call)
        if method in self.knowledge.names("accumulation", "updates"):
            return True
        if isinstance(call.callee, t.Ref) and not call.callee.place.path:
            made = self.pair(call.callee.place.root)
            if made is not None and made[1] == 1:
                return True
        return any_of(split(method)[:1], ("set", "update", "mutate"))

    def _method(self, call: t.Call) -> str:
        """The method that is called; for a variable, the field that it was taken from: `const { update } = store`."""
        callee = call.callee
        if isinstance(callee, t.Ref) and callee.place.root.kind == "local" and not callee.place.path:
            stores = self.module.stores_to(callee.place) if callee.place.name else []
            value = stores[0][1].value if len(stores) == 1 else None
            if isinstance(value, t.Field):
                return value.name
            if isinstance(value, t.Ref) and value.place.path:
                return value.place.name
        return call.method

    def _is_reducer(self, function: Function, state: Binding, depth: int) -> bool:
        """Whether callers put what a function returns back to where they took its parameter from."""
        index = function.parameters.index(state)
        for invocation in self.invocations.of(function):
            old = self.holders.of(invocation.argument(index, state.name))
            if old is not None and self.returns_to(
                invocation.call, old, invocation.function, min(depth - 1, 2)
            ):
                return True
        return False

    def _refs(self, function: Function) -> dict[Binding, list[tuple[Step, t.Ref]]]:
        """The reads of variables in a function's graph."""
        if function not in self._references:
            found: dict[Binding, list[tuple[Step, t.Ref]]] = {}
            seen: set[int] = set()
            if not function.is_inlined:
                for step in function.cfg.steps:
                    if step.term is None or step.kind not in ("call", "assign", "return", "suspend", "spawn"):
                        continue
                    for part in step.term.walk():
                        if isinstance(part, t.Ref) and id(part) not in seen:
                            seen.add(id(part))
                            found.setdefault(part.place.root, []).append((step, part))
            self._references[function] = found
        return self._references[function]
