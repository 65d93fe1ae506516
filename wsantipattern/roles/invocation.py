"""Invocations: the calls of a file that run a function, by its name or as a value.

Follows a function that is given to a parameter, kept in a field, put into a table or a list of listeners, or made the
reducer of a dispatch function, to the calls of what it was given to; a method also to those of a name that is put
together, and of objects that are kept in a container. Calls from other files are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.record import record
from wsantipattern.roles import computed
from wsantipattern.roles.instance import Instances

DEPTH = 5
"""How many times a function is handed on before it is lost sight of."""


@record(frozen=True, slots=True, eq=False)
class Invocation:
    """A call that runs a function, and where it stands. `shift` is what its arguments are counted from."""

    function: Function
    step: Step
    call: t.Call
    shift: int = 0

    def argument(self, index: int, name: str) -> t.Term | None:
        """What the function's parameter `index` gets, or None."""
        return self.call.argument(index - self.shift, name) if index >= self.shift else None


class Invocations:
    """The invocations of the functions of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge
        self.instances = Instances(module, knowledge)
        self._asked: dict[Function, list[tuple[Function, t.Term, int]]] | None = None
        self._of: dict[Function, list[Invocation]] = {}
        self._uses: dict[Function, list[tuple[Function, Step, t.Term]]] = {}
        self._calls: dict[str, list[tuple[Function, Step, t.Call]]] = {}
        self._reads: dict[Function, dict[str, list[tuple[Step, t.Ref]]]] = {}

    def of(self, function: Function) -> list[Invocation]:
        """The calls that run a function, each once."""
        if function not in self._of:
            self._of[function] = []
            found: dict[int, Invocation] = {}
            for invocation in self._find(function):
                found.setdefault(id(invocation.call), invocation)
            self._of[function] = list(found.values())
        return self._of[function]

    def uses(self, function: Function) -> list[tuple[Function, Step, t.Term]]:
        """Where a function stands as a value (not called there): the function and step, and the very term."""
        if function not in self._uses:
            self._uses[function] = []
            found = list(self._values(function))
            for host, step, value in tuple(found):
                if self._is_returned(host, step, value):
                    found.extend((made.function, made.step, made.call) for made in self.of(host))
            self._uses[function] = found
        return self._uses[function]

    def _is_returned(self, host: Function, step: Step, value: t.Term) -> bool:
        """Whether a value is what its host returns: where the host is called stands the value."""
        if step.kind not in ("return", "closure") or value.parent is not None or host.is_generator:
            return False
        return any(
            isinstance(at.statement, t.Return) and at.statement.value is value
            for at in host.cfg.of_kind("return")
        )

    def resolve(self, call: t.Call) -> Function | None:
        """The function of the file that a call runs, constructors included."""
        found = self.module.resolve(call)
        if found is not None:
            return found
        if isinstance(call.callee, t.Ref) and not call.callee.place.path:
            owner = call.callee.place.root.class_
            if owner is not None and call.constructs:
                return owner.methods.get("constructor") or owner.methods.get("__init__")
        return None

    def guess(self, call: t.Call) -> Function | None:
        """The function of the file that a call runs; of an object of unknown class, the only method of that name."""
        found = self.resolve(call)
        if found is not None:
            return found
        owner = self.instances.of(call.receiver)
        if owner is not None:
            return self.module.method_of(owner, call.method)
        methods = [c.methods[call.method] for c in self.module.classes if call.method in c.methods]
        return methods[0] if len(methods) == 1 and self._only(methods[0], call) else None

    # -- the function itself -----------------------------------------------------------------------

    def _find(self, function: Function) -> Iterator[Invocation]:
        word = function.name.rpartition(".")[2]
        # An entry of an object that a call takes is called the way that call makes of it.
        listed = any(isinstance(term.parent, t.Record) for _, _, term in self.uses(function))
        for caller, step, call in self._named(word) if word else ():
            target = self.resolve(call)
            if target is function or (
                target is None
                and not listed
                and (self._only(function, call) or self._is_of_instance(function, call))
            ):
                yield Invocation(caller, step, call)
        for host, term, shift in self._computed.get(function, []):
            yield from self._of_computed(host, term, shift)
        for host, _, term in self.uses(function):
            yield from self._through(host, term, DEPTH)
        yield from self._decorated(function)

    def _only(self, function: Function, call: t.Call) -> bool:
        """Whether a method call on an object of unknown class can mean only this method of the file."""
        receiver = call.receiver_place
        if function.kind != "method" or receiver is None or receiver.root.kind in ("import", "global"):
            return False
        word = function.name.rpartition(".")[2]
        owner = self.module.class_of(Place(receiver.root))
        if receiver.path and owner is not None and owner.methods.get(word) is function:
            # What an object holds is seldom of its own class: `this.sessions[id].onData(x)` is no call of `onData` here.
            return False
        return (
            word not in self.knowledge.names("invocation", "common")
            and sum(1 for c in self.module.classes if word in c.methods) == 1
            and self.module.made_type(receiver) is None
        )

    def _decorated(self, function: Function) -> Iterator[Invocation]:
        """The calls of what a decorator of the file keeps: `@handles("piece")` that enters a function into a table."""
        for decorator in function.decorators:
            keeper = self.module.resolve_value(decorator) if isinstance(decorator, t.Ref) else None
            if isinstance(decorator, t.Call) and (maker := self.module.resolve(decorator)) is not None:
                given = {self.module.resolve_value(value) for value, _ in flow.returns(maker)}
                keeper = given.pop() if len(given) == 1 else None
            if keeper is None or not keeper.parameters:
                continue
            # What is kept of a method gets the object as its first argument.
            shift = -1 if function.owner is not None else 0
            for found in self._held(keeper.parameters[0], DEPTH):
                yield Invocation(found.function, found.step, found.call, found.shift + shift)

    def _is_of_instance(self, function: Function, call: t.Call) -> bool:
        """Whether a method is called on an object out of a container that holds those of its class."""
        if function.kind != "method" or call.receiver is None:
            return False
        owner = self.instances.of(call.receiver)
        return owner is not None and self.module.method_of(owner, call.method) is function

    @property
    def _computed(self) -> dict[Function, list[tuple[Function, t.Term, int]]]:
        """Where each method is asked for by a name that is put together: the function, the term, and the shift of arguments."""
        if self._asked is None:
            self._asked = {}
            words = (*self.knowledge.names("invocation", "attributes"), "this")
            for host in dict.fromkeys(f for word in words for f in self.module.functions_mentioning(word)):
                seen: set[int] = set()
                for step in host.cfg.steps:
                    for part in step.term.walk() if step.term is not None else ():
                        if id(part) not in seen and isinstance(part, (t.Call, t.Ref)):
                            seen.add(id(part))
                            self._ask(host, part)
        return self._asked

    def _ask(self, host: Function, part: t.Call | t.Ref) -> None:
        asked: t.Term = part
        shift = 0
        if (
            isinstance(part, t.Ref)
            and part.place.path[-2:] == (ELEMENT, "call")
            and part.place.parent is not None
        ):
            # `this["on" + kind].call(this, message)`
            asked, shift = t.Ref(part.extent, part.place.parent, part.key), -1
        for method in computed.methods(asked, self.module, self.knowledge):
            assert self._asked is not None
            self._asked.setdefault(method, []).append((host, part, shift))

    def _of_computed(self, host: Function, term: t.Term, shift: int) -> Iterator[Invocation]:
        """The calls of what was asked for by a name: there at once, or of what it is given to."""
        outer = term
        while isinstance(outer.parent, (t.Logic, t.Choice)):
            outer = outer.parent
        call = outer.parent
        if isinstance(call, t.Call) and call.callee is outer:
            for step in host.cfg.steps:
                if step.kind in ("call", "spawn") and step.call is call:
                    yield Invocation(host, step, call, shift)
        elif not shift:
            yield from self._through(host, term, DEPTH)

    def _named(self, word: str) -> list[tuple[Function, Step, t.Call]]:
        """The calls whose last word is this one, spawned ones included."""
        cached = self._calls.get(word)
        if cached is None:
            cached = [
                (function, step, step.call)
                for function in self.module.functions_mentioning(word)
                for step in function.cfg.steps
                if step.kind in ("call", "spawn") and step.call is not None and step.call.method == word
            ]
            self._calls[word] = cached
        return cached

    def _values(self, function: Function) -> Iterator[tuple[Function, Step, t.Term]]:
        if function.parent is not None:
            host = function.parent.host
            for step in host.cfg.of_kind("closure"):
                if isinstance(step.term, t.Closure) and step.term.function is function:
                    yield host, step, step.term
                    break
        word = function.name.rpartition(".")[2]
        for host in self.module.functions_mentioning(word) if word else ():
            for step, ref in self._read_in(host).get(word, []):
                if self.module.resolve_value(ref) is function:
                    yield host, step, ref

    def _read_in(self, host: Function) -> dict[str, list[tuple[Step, t.Ref]]]:
        """The references of a function's graph that are neither called nor written, by their last word."""
        found = self._reads.get(host)
        if found is None:
            found = self._reads[host] = {}
            seen: set[int] = set()
            for step in host.cfg.steps:
                if step.kind not in ("call", "assign", "return", "spawn", "suspend") or step.term is None:
                    continue
                for part in step.term.walk():
                    if not isinstance(part, t.Ref) or id(part) in seen:
                        continue
                    seen.add(id(part))
                    parent = part.parent
                    if isinstance(parent, t.Call) and parent.callee is part:
                        continue
                    if isinstance(parent, t.Store) and parent.target is part:
                        continue
                    found.setdefault(part.place.name, []).append((step, part))
        return found

    # -- what a function value is given to ---------------------------------------------------------

    def _through(self, host: Function, term: t.Term, depth: int) -> Iterator[Invocation]:
        """The calls of what a value is given to, found from where the value stands."""
        if depth <= 0:
            return
        parent = term.parent
        if isinstance(parent, (t.Logic, t.Choice, t.Spread)):
            yield from self._through(host, parent, depth)
        elif isinstance(parent, t.Call) and term is not parent.callee:
            yield from self._argument(host, parent, term, depth)
        elif isinstance(parent, t.Store) and isinstance(parent.target, t.Ref) and parent.value is term:
            yield from self._kept(parent.target.place, depth)
        elif isinstance(parent, t.Record):
            keys = [key for key, value in parent.entries if value is term]
            yield from self._entry(host, parent, keys[0] if keys else None, depth)
        elif isinstance(parent, t.Sequence):
            yield from self._listed(host, parent, depth)

    def _argument(self, host: Function, call: t.Call, value: t.Term, depth: int) -> Iterator[Invocation]:
        target = self.resolve(call)
        position = next((i for i, a in enumerate(call.arguments) if a is value), None)
        keyword = next((name for name, v in call.keywords if v is value), None)
        if target is not None and target is not self.module.resolve_value(value):
            for index, parameter in enumerate(target.parameters):
                if index == position or (keyword is not None and parameter.name == keyword):
                    yield from self._held(parameter, depth - 1)
            return
        if position == 0 and call.method in self.knowledge.names("invocation", "reducers"):
            yield from self._dispatched(call, depth)
        if (
            call.method in self.knowledge.names("invocation", "puts")
            and call.receiver_place is not None
            and position is not None
        ):
            yield from self._taken(call.receiver_place, depth)
        if position == 0 and call.method in self.knowledge.names("invocation", "wrappers"):
            # `useCallback(f, deps)`, `debounce(f)`: what comes out is called in its place.
            yield from self._through(host, call, depth - 1)

    def _dispatched(self, call: t.Call, depth: int) -> Iterator[Invocation]:
        """`const [state, dispatch] = useReducer(reducer, ...)`: dispatching runs it with the action as second argument."""
        for function in self.module.all_functions:
            if function.is_inlined or not function.extent[0] <= call.extent[0] < function.extent[1]:
                continue
            for _, store in function.cfg.assignments:
                if (
                    isinstance(store.value, t.Result)
                    and store.value.call is call
                    and store.value.index == 1
                    and isinstance(store.target, t.Ref)
                    and not store.target.place.path
                ):
                    for found in self._held(store.target.place.root, depth - 1):
                        yield Invocation(found.function, found.step, found.call, shift=1)

    def _entry(self, host: Function, record: t.Record, key: str | None, depth: int) -> Iterator[Invocation]:
        """A function that is the entry of a table or of an object of callbacks."""
        holder: t.Term = record
        while isinstance(holder.parent, (t.Call, t.Record, t.Choice, t.Logic)):
            holder = holder.parent
        if isinstance(holder.parent, t.Store) and isinstance(holder.parent.target, t.Ref):
            table = holder.parent.target.place
            yield from self._taken(table, depth)
        # A slice's action creators take what its reducers get as their second argument.
        sliced = isinstance(holder, t.Call) and holder.method in self.knowledge.names("invocation", "slices")
        if (
            sliced
            and key in self.knowledge.names("invocation", "slice_parts")
            and isinstance(record.parent, t.Record)
        ):
            # `added: { prepare: (text) => ({ payload: text }), reducer(state, action) { ... } }`
            key = next((name for name, value in record.parent.entries if value is record), None)
        if key is None:
            return
        for caller, step, call in self._named(key):
            if self.resolve(call) is None and self._means(call, key):
                yield Invocation(caller, step, call, shift=1 if sliced else 0)
        for caller, step, call in self._taken_apart(key) if sliced else ():
            yield Invocation(caller, step, call, shift=1)
        for method in self.knowledge.names("invocation", "by_name"):
            # `store.commit("ADD", piece)`: the name stands where the state does.
            for caller, step, call in self._named(method):
                first = call.argument(0)
                named = first.value if isinstance(first, t.Constant) else None
                if isinstance(named, str) and named.rpartition("/")[2] == key:
                    yield Invocation(caller, step, call)

    def _taken_apart(self, key: str) -> Iterator[tuple[Function, Step, t.Call]]:
        """The calls of an entry by another name: `const { spoken: say } = record.actions`, and `say(piece)`."""
        for function in self.module.functions_mentioning(key):
            for step, store in function.cfg.assignments:
                value, target = store.value, step.target
                if not isinstance(value, t.Ref) or value.place.path[-1:] != (key,):
                    continue
                if target is None or target.path or target.root.name == key:
                    continue
                for user in self.module.functions_mentioning(target.root.name):
                    for at, call in user.cfg.calls:
                        if isinstance(call.callee, t.Ref) and call.callee.place in (target, value.place):
                            yield user, at, call

    def _means(self, call: t.Call, key: str) -> bool:
        """Whether a call can be one of an entry of this name: `slice.actions.key(x)`, or taken apart from there."""
        if call.receiver is not None:
            root = call.receiver_place
            return root is None or root.root.kind != "global"
        value = self.module.value_of(call.callee)
        if value is call.callee and isinstance(value, t.Ref) and value.place.root.kind == "local":
            stores = self.module.stores_to(value.place) if value.place.root.name else []
            value = stores[0][1].value if len(stores) == 1 else value
        return (isinstance(value, t.Ref) and value.place.path[-1:] == (key,)) or (
            isinstance(value, t.Field) and value.name == key
        )

    def _listed(self, host: Function, sequence: t.Sequence, depth: int) -> Iterator[Invocation]:
        holder: t.Term = sequence
        while isinstance(holder.parent, (t.Sequence, t.Call)):
            # `new Map([["piece", f]])`
            holder = holder.parent
        if isinstance(holder.parent, t.Store) and isinstance(holder.parent.target, t.Ref):
            yield from self._taken(holder.parent.target.place, depth)

    def _held(self, binding: Binding, depth: int) -> Iterator[Invocation]:
        """The calls of the function that a variable holds, and of what it is handed on to."""
        if depth <= 0 or not binding.name:
            return
        place = Place(binding)
        for function in self.module.functions_mentioning(binding.name):
            for step in function.cfg.steps:
                if step.kind in ("call", "spawn") and step.call is not None:
                    call = step.call
                    if isinstance(call.callee, t.Ref) and call.callee.place == place:
                        yield Invocation(function, step, call)
                    elif isinstance(call.callee, t.Ref) and call.callee.place == place.field("call"):
                        yield Invocation(function, step, call, shift=-1)
                    for argument in (*call.arguments, *(value for _, value in call.keywords)):
                        if isinstance(argument, t.Ref) and argument.place == place:
                            yield from self._argument(function, call, argument, depth - 1)
                elif step.kind == "assign" and step.store is not None:
                    value = step.store.value
                    if isinstance(value, t.Ref) and value.place == place and step.target is not None:
                        yield from self._kept(step.target, depth - 1)

    def _kept(self, place: Place, depth: int) -> Iterator[Invocation]:
        """The calls of the function that a place holds."""
        if depth <= 0:
            return
        if place.path and place.path[-1] == ELEMENT and place.parent is not None:
            yield from self._taken(place.parent, depth)
            return
        if not place.path:
            yield from self._held(place.root, depth)
            return
        for function, step, call in self._named(place.name):
            callee = call.callee
            if isinstance(callee, t.Ref) and self._same(callee.place, place):
                yield Invocation(function, step, call)

    def _taken(self, container: Place, depth: int) -> Iterator[Invocation]:
        """The calls of what is taken out of a container: `table[k](x)`, `const f = table.get(k); f(x)`, a loop over it."""
        if depth <= 0 or not container.name:
            return
        for function in self.module.functions_mentioning(container.name):
            for step in function.cfg.steps:
                if step.kind in ("call", "spawn") and step.call is not None:
                    callee = step.call.callee
                    if isinstance(callee, t.Ref) and callee.place.path[-1:] == (ELEMENT,):
                        inner = callee.place.parent
                        if inner is not None and self._same(inner, container):
                            yield Invocation(function, step, step.call)
                    elif isinstance(callee, t.Call) and self._takes(callee, container):
                        yield Invocation(function, step, step.call)
                elif (
                    step.store is not None
                    and step.target is not None
                    and not step.target.path
                    and self._takes(step.store.value, container)
                ):
                    yield from self._held(step.target.root, depth - 1)

    def _takes(self, value: t.Term, container: Place) -> bool:
        """Whether a value is an element of the container."""
        if isinstance(value, (t.Logic, t.Choice)):
            sides = (value.left, value.right) if isinstance(value, t.Logic) else (value.then, value.otherwise)
            return any(self._takes(side, container) for side in sides)
        if isinstance(value, t.Ref):
            inner = value.place.parent
            return value.place.path[-1:] == (ELEMENT,) and inner is not None and self._same(inner, container)
        if isinstance(value, t.Element):
            subject = value.subject
            if isinstance(subject, t.Call) and subject.receiver_place is not None:
                return self._same(subject.receiver_place, container)
            return isinstance(subject, t.Ref) and self._same(subject.place, container)
        if isinstance(value, t.Result):
            return self._takes(value.call, container)
        return (
            isinstance(value, t.Call)
            and value.method in self.knowledge.names("invocation", "takes")
            and value.receiver_place is not None
            and self._same(value.receiver_place, container)
        )

    def _same(self, one: Place, other: Place) -> bool:
        """Whether two places are one, or the same field of one class of the file."""
        if one == other:
            return True
        if not one.path or not other.path or one.path[-1] != other.path[-1]:
            return False
        return self._owner(one) is not None and self._owner(one) is self._owner(other)

    def _owner(self, place: Place) -> Class | None:
        parent = place.parent
        return self.module.class_of(parent) if parent is not None else None
