"""Events: which functions are handlers, of which event, of which emitter.

Decided by shape: a call with an event's name and a handler (`x.on("message", f)`, `x.addEventListener(...)`), an
assignment to an `on...` property, an `on...` entry of an options object or keyword, a decorator, and the method and
function names that `knowledge` lists (`SetPongHandler`, tornado's `on_message`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.term import Call, Closure, Constant, Record, Ref, Store, Term
from wsantipattern.record import record
from wsantipattern.roles import computed
from wsantipattern.roles.words import split


@record(frozen=True, slots=True, eq=False)
class Registration:
    """A handler is registered.

    Attributes:
        event: the event's name, lower case, without `on`: `message`, `pong`, `open`, or the emitter's own name for it.
        handler: the function that runs.
        emitter: what it is registered on, as a term, or None (decorated or overriding methods).
        function, step: where the registration stands; None for methods and decorators.
        word: the way it was said: `on`, `addEventListener`, `property`, `option`, `method`, `decorator`.
    """

    event: str
    handler: Function
    emitter: Term | None
    function: Function | None
    step: Step | None
    word: str


class Events:
    """The registrations of one module."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge
        self._by_function: dict[Function, list[Registration]] = {}
        self._of_handler: dict[Function, list[Registration]] = {}
        self._all: list[Registration] | None = None

    def registrations(self, *names: str) -> list[Registration]:
        """The registrations of these events, in order; of every event when no name is given."""
        if self._all is None:
            self._all = [r for f in self.module.all_functions if not f.is_inlined for r in self.made_in(f)]
            for function in self.module.functions:
                self._all.extend(self._declared(function))
        return [r for r in self._all if not names or r.event in names]

    def of_handler(self, function: Function) -> list[Registration]:
        """The registrations that make this function a handler."""
        if function not in self._of_handler:
            known = [*self._candidates(function), *self._enrolled.get(function, [])]
            self._of_handler[function] = [r for r in dict.fromkeys(known) if r.handler is function]
        return self._of_handler[function]

    @cached_property
    def _enrolled(self) -> dict[Function, list[Registration]]:
        """The registrations whose text does not name the handler: out of a table, by a name that is put together."""
        found: dict[Function, list[Registration]] = {}
        for word in sorted(self.knowledge.names("event", "adders")):
            for host in self.module.functions_mentioning(word):
                for registration in self.made_in(host):
                    if registration.word == word:
                        found.setdefault(registration.handler, []).append(registration)
        return found

    def _candidates(self, function: Function) -> Iterator[Registration]:
        yield from self._declared(function)
        if function.parent is not None and not function.is_inlined:
            yield from self.made_in(function.parent.host)
        word = function.name.rpartition(".")[2]
        if word:
            for other in self.module.functions_mentioning(word):
                if function.parent is None or other is not function.parent.host:
                    yield from self.made_in(other)

    def made_in(self, function: Function) -> list[Registration]:
        """The registrations that this function's own steps make."""
        if function not in self._by_function:
            found: list[Registration] = []
            for step in function.cfg.steps:
                found.extend(self._at(function, step))
            self._by_function[function] = found
        return self._by_function[function]

    def _at(self, function: Function, step: Step) -> Iterator[Registration]:
        if step.kind == "assign" and isinstance(step.term, Store) and isinstance(step.term.target, Ref):
            store = step.term
            place = store.target.place if isinstance(store.target, Ref) else None
            if place is not None and place.path and place.name.startswith("on"):
                handler = self._handler(store.value)
                parent = place.parent
                if handler is not None and parent is not None:
                    yield Registration(
                        event_name(place.name),
                        handler,
                        Ref(store.target.extent, parent),
                        function,
                        step,
                        "property",
                    )
        call = step.call
        if call is None:
            return
        yield from self._options(function, step, call)
        receiver = call.receiver
        first = call.argument(0)
        if (
            receiver is not None
            and not isinstance(first, Constant)
            and call.method in self.knowledge.names("event", "adders")
        ):
            yield from self._computed(function, step, call)
        if (
            isinstance(first, Constant)
            and isinstance(first.value, str)
            and call.method not in self._unregistering
        ):
            for argument in call.arguments[1:3]:
                handler = self._handler(argument)
                if handler is not None:
                    yield Registration(
                        event_name(first.value), handler, receiver, function, step, call.method
                    )
                    return
        signal = self._signals.get(receiver.place.name) if isinstance(receiver, Ref) else None
        if (
            signal is not None
            and call.method == "connect"
            and isinstance(receiver, Ref)
            and receiver.place.path
        ):
            handler, sender = self._handler(first), receiver.place.parent
            if handler is not None and sender is not None:
                emitter = Ref(receiver.extent, sender)
                yield Registration(signal, handler, emitter, function, step, call.method)
                return
        spelled = self._spelled.get(call.method)
        if spelled is not None and receiver is not None:
            for argument in call.arguments:
                handler = self._handler(argument)
                if handler is not None:
                    yield Registration(spelled, handler, receiver, function, step, call.method)
                    return

    def _computed(self, function: Function, step: Step, call: Call) -> Iterator[Registration]:
        """`socket.on(name, f)` of a named event, of each of a list, of each entry of a table of handlers."""
        first = call.argument(0)
        for argument in call.arguments[1:3]:
            handler = self._handler(argument)
            if handler is not None:
                named = [(name, handler) for name in self._names(first)]
            else:
                named = computed.entries(argument, self.module, self.knowledge) or [
                    (method.name.rpartition(".")[2], method)
                    for method in computed.methods(argument, self.module, self.knowledge)
                ]
            for name, found in named:
                yield Registration(event_name(name), found, call.receiver, function, step, call.method)

    def _names(self, term: Term | None) -> list[str]:
        """The events that a term names; a name of another file, `EVENTS.PIECE`, says of itself which one it is."""
        told = computed.names(term, self.module)
        if told or not isinstance(term, Ref) or term.place.root.kind not in ("import", "local", "class"):
            return told
        if term.place.root.kind == "local" and not (term.place.path and term.place.root.constant):
            return []
        word = term.place.name
        own = self.knowledge.names("event", "connection") | self.knowledge.names("event", "lifecycle")
        return [next((part for part in split(word) if part in own), word.lower())]

    def _options(self, function: Function, step: Step, call: Call) -> Iterator[Registration]:
        entries: list[tuple[str | None, Term]] = list(call.keywords)
        for argument in call.arguments:
            if isinstance(argument, Record):
                entries.extend(argument.entries)
        for name, value in entries:
            if (
                name is not None
                and name.startswith("on")
                and len(name) > 2
                and (name[2] == "_" or name[2].isupper() or name[2:] in _PLAIN)
            ):
                handler = self._handler(value)
                if handler is not None:
                    yield Registration(event_name(name), handler, call, function, step, "option")

    def _handler(self, term: Term | None) -> Function | None:
        if not isinstance(term, (Closure, Ref, Call)):
            return None
        kept = self.module.kept_functions(term)
        if not kept and isinstance(term, Call):
            # `socket.on("piece", made_for(job))`: what the function of the file gives.
            maker = self.module.resolve(term)
            given = {self.module.resolve_value(value) for value, _ in flow.returns(maker)} if maker else set()
            return given.pop() if len(given) == 1 else None
        return kept[0] if len(kept) == 1 else None

    def _declared(self, function: Function) -> Iterator[Registration]:
        """A method that a base class calls by name, or a decorated function."""
        name = function.name.rpartition(".")[2]
        if function.kind == "method" and function.owner is not None and function.owner.bases:
            event = self._methods.get(name)
            if event is not None:
                yield Registration(event, function, None, None, None, "method")
        for decorator in function.decorators:
            target = decorator.callee if isinstance(decorator, Call) else decorator
            if not isinstance(target, Ref) or not target.place.path:
                continue
            word = target.place.name
            parent = target.place.parent
            emitter = Ref(target.extent, parent) if parent is not None else None
            if word in ("on", "on_event") and isinstance(decorator, Call):
                first = decorator.argument(0)
                if isinstance(first, Constant) and isinstance(first.value, str):
                    yield Registration(event_name(first.value), function, emitter, None, None, "decorator")
            elif word == "event":
                yield Registration(event_name(name), function, emitter, None, None, "decorator")
            elif word.startswith("on_"):
                yield Registration(event_name(word), function, emitter, None, None, "decorator")

    @cached_property
    def _unregistering(self) -> frozenset[str]:
        """Methods that name an event and register nothing for it."""
        names = self.knowledge.names
        return names("event", "removers") | names("event", "emitters") | names("event", "publishers")

    @property
    def _spelled(self) -> dict[str, str]:
        """Method names that register a handler of one event, and the event."""
        return {e["method"]: e["event"] for e in self.knowledge.entries("event", "registers")}

    @cached_property
    def _signals(self) -> dict[str, str]:
        """The signals of an object that a slot is connected to, `socket.pong.connect(slot)`, and the event of each."""
        return {e["signal"]: e["event"] for e in self.knowledge.entries("event", "signals")}

    @property
    def _methods(self) -> dict[str, str]:
        """Method names that frameworks call for an event, and the event."""
        return {e["method"]: e["event"] for e in self.knowledge.entries("event", "overrides")}


_PLAIN = frozenset(
    {"message", "messageerror", "open", "close", "error", "ping", "pong", "data", "event", "end"}
)


def event_name(name: str) -> str:
    """An event's name: `onMessage`, `on_message`, `onmessage` and `message` are `message`."""
    if name.startswith("on_"):
        name = name[3:]
    elif name.startswith("on") and len(name) > 2 and (name[2].isupper() or name[2:] in _PLAIN):
        name = name[2:]
    return name.lower()
