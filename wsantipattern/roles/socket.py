"""Sockets: which places hold a connection, and of which library.

Strong evidence: a constructor, dial or accept call, a type annotation, a base class, a parameter that a library or the
file itself fills with a connection, a container that connections are put into, a comparison of `.readyState` with a
WebSocket constant. Weak evidence: the words of the name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from wsantipattern.knowledge import Knowledge
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import returns
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.model.summary import callers
from wsantipattern.model.term import (
    Call,
    Choice,
    Closure,
    Constant,
    Element,
    Field,
    Logic,
    Record,
    Ref,
    Result,
    Sequence,
    Several,
    Spread,
    Store,
    Suspend,
    Term,
)
from wsantipattern.record import record
from wsantipattern.roles.event import Events
from wsantipattern.roles.evidence import Evidence, strong, weak
from wsantipattern.roles.words import any_of, split

_VIEWS = frozenset({"values", "items", "entries", "copy", "slice"})
_COPIES = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "enumerate", "from"})
_PUTS = frozenset({"add", "append", "appendleft", "push", "unshift", "set", "insert", "Store"})
_TAKES = frozenset({"get", "pop", "setdefault", "at", "shift"})
"""What containers of the languages themselves call: seeing their elements whole, copying, putting in, taking out."""


@record(frozen=True, slots=True)
class Library:
    """What is known of a library's connections; the fields are those of `[[socket.library]]`.

    `transport` is `websocket`, `sse`, `socket.io`, or `other` for things that look like a socket and are none
    (XMLHttpRequest, data channels, workers). `keepalive` is `none`, `default` (on unless `off` says otherwise),
    or `option` (on where `on` says so). `reconnects`: a new link takes over by itself. `replays`: what was sent
    while away comes again.
    """

    name: str
    transport: str
    types: frozenset[str]
    makes: frozenset[str]
    sends: frozenset[str]
    closes: frozenset[str]
    keepalive: str
    reconnects: bool
    replays: bool
    facts: dict[str, Any]


@record(frozen=True, slots=True)
class Socket:
    """A place that holds a connection; `library` is None where only words say so."""

    place: Place | None
    library: Library | None
    evidence: Evidence

    @property
    def transport(self) -> str:
        return self.library.transport if self.library else "websocket"


class Sockets:
    """The sockets of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.libraries = [
            _library(entry, self._dials_again(entry)) for entry in knowledge.entries("socket", "library")
        ]
        self._by_name = {name: lib for lib in self.libraries for name in (*lib.types, *lib.makes)}
        self._by_base = {n: lib for lib in self.libraries for n in (*lib.facts.get("bases", []), *lib.types)}
        self._kept: dict[Place, Socket | None] = {}
        self._recorded: dict[str, Socket | None] = {}
        self._receivers: dict[Function, list[tuple[Call, str | None]]] = {}

    def of(self, term: Term | None) -> Socket | None:
        """The socket that a term stands for, or None. Words count only as weak evidence."""
        if isinstance(term, Suspend):
            return self.of(term.value)
        if isinstance(term, (Logic, Choice)):
            sides = (term.left, term.right) if isinstance(term, Logic) else (term.then, term.otherwise)
            return next((s for s in map(self.of, sides) if s is not None), None)
        if isinstance(term, Call):
            library = self._made_by(term)
            if library is not None:
                return Socket(None, library, strong(term.extent, "the connection is made here"))
            if term.method in _TAKES and term.receiver_place is not None:
                return self.at(term.receiver_place.element)
            chosen = self._chosen(term)
            return self._in_records(chosen) if chosen is not None else None
        if isinstance(term, Field):
            # `get().wire`, of a store whose `set({ wire })` is in the file.
            return self._in_records(term.name) if self._is_state(term.subject) else None
        if isinstance(term, Element):
            return self._element(term.subject)
        if isinstance(term, Result) and isinstance(term.call, Element) and term.index == 1:
            # `for name, ws in people.items()`, `for (const [name, ws] of people)`
            return self._element(term.call.subject)
        if isinstance(term, Ref):
            return self.at(term.place)
        return None

    def _is_state(self, term: Term | None) -> bool:
        """Whether a term asks something of another file for all it has: `get()`, `useStore.getState()`."""
        return isinstance(term, Call) and not term.arguments and self.module.resolve(term) is None

    def _chosen(self, call: Call) -> str | None:
        """The field that a selector asks a store for: `useStore((state) => state.wire)`."""
        asked = call.arguments[0] if len(call.arguments) == 1 else None
        selector = self.module.resolve_value(asked) if isinstance(asked, Closure) else None
        if selector is None or len(selector.parameters) != 1:
            return None
        given = [value for value, _ in returns(selector)]
        if len(given) != 1 or not isinstance(given[0], Ref):
            return None
        place = given[0].place
        return place.path[0] if place.root is selector.parameters[0] and len(place.path) == 1 else None

    def _in_records(self, name: str) -> Socket | None:
        """The connection that every record of the file has under a name, where it has anything."""
        if name not in self._recorded:
            self._recorded[name] = None
            values = [
                value
                for function in self.module.functions_mentioning(name)
                for step in function.cfg.steps
                if step.term is not None
                for part in step.term.walk()
                if isinstance(part, Record)
                for key, value in part.entries
                if key == name and not (isinstance(value, Constant) and value.value is None)
            ]
            found = [self.of(value) for value in values]
            if found and all(one is not None and one.evidence.is_strong for one in found):
                self._recorded[name] = found[0]
        return self._recorded[name]

    def own(self, place: Place) -> Place:
        """The place that a variable was given from, where it has no other value: `this.ws` of `const ws = this.ws`."""
        for _ in range(4):
            value = place.root.initial if place.root.constant and place.root.kind == "local" else None
            given = None
            if isinstance(value, Ref) and value.guard is None:
                given = value.place
            elif isinstance(value, Call) and value.method in _TAKES and value.receiver_place is not None:
                given = value.receiver_place.element
            if given is None or given.root is place.root:
                break
            place = Place(given.root, given.path + place.path)
        return place

    def place_of(self, term: Term | None) -> Place | None:
        """The place that a term reads, of what a container hands out too: `rooms[*].state` of `rooms.get(id)?.state`."""
        if isinstance(term, Ref):
            return self.own(term.place)
        if isinstance(term, Field):
            inner = self.place_of(term.subject)
            return inner.field(term.name) if inner is not None else None
        if isinstance(term, Call) and term.method in _TAKES and term.receiver_place is not None:
            return self.own(term.receiver_place.element)
        return None

    def at(self, place: Place) -> Socket | None:
        """The socket at a place, or None."""
        if place not in self._kept:
            self._kept[place] = None
            self._kept[place] = self._find(place)
        return self._kept[place]

    def unnamed(self, place: Place, said_at: tuple[int, int]) -> Socket:
        """A WebSocket of unknown library: something else in the file says that the place is one."""
        return Socket(place, None, strong(said_at, f"`{place}` is compared with a WebSocket state"))

    def _find(self, place: Place) -> Socket | None:
        declared = self.module.made_type(place)
        if declared is not None and declared in self._by_name:
            library = self._by_name[declared]
            return Socket(place, library, strong(self._where(place), f"`{place}` is declared as {declared}"))
        taken = self._taken_apart(place)
        if taken is not None:
            return taken
        if not place.path and not place.root.name and isinstance(place.root.initial, (Call, Suspend)):
            # `const { send, readyState } = useWebSocket(...)`: what is taken apart has no name.
            return self.of(place.root.initial)
        if len(place.path) == 1 and self._is_state(place.root.initial):
            # `const state = get(); state.wire`
            found = self._in_records(place.path[0])
            if found is not None:
                return found
        inherited = self._inherited(place)
        if inherited is not None:
            return inherited
        for function, store in self._stores(place):
            value = (
                store.value.call
                if isinstance(store.value, Result) and store.value.index == 0
                else store.value
            )
            if isinstance(value, Ref) and value.place == place:
                continue
            found = self.of(value)
            if found is not None and found.evidence.is_strong:
                del function
                return Socket(place, found.library, strong(store.extent, f"`{place}` is connected here"))
        filled = self._filled(place) or self._put(place) or self._given(place)
        if filled is not None:
            return filled
        words = split(place.name)
        if any_of(words, self.knowledge.names("words", "socket")):
            return Socket(place, None, weak(self._where(place), f"`{place}` is named like a socket"))
        return None

    def _filled(self, place: Place) -> Socket | None:
        """A parameter that a library fills: the connection handler's, or a call's inside the file."""
        root = place.root
        if place.path or root.kind != "parameter" or root.scope is None or root not in root.scope.parameters:
            return None
        index = root.scope.parameters.index(root)
        for registration in self.events.of_handler(root.scope):
            if (
                registration.event in ("connection", "connect", "upgrade", "open")
                and index == 0
                and registration.emitter is not None
            ):
                server = self._server(registration.emitter)
                library = self._serves(server)
                if library is not None:
                    return Socket(
                        place, library, strong(self._where(place), f"`{place}` is the new connection")
                    )
        for library in self.libraries:
            for entry in library.facts.get("handlers", []):
                if entry.get("parameter", 0) == index and self._passed_to(root.scope, entry, library):
                    return Socket(
                        place, library, strong(self._where(place), f"`{place}` is the new connection")
                    )
        return None

    def _stores(self, place: Place) -> Iterator[tuple[Function, Store]]:
        """The assignments to a place; to a field of an object, also those that its base classes make."""
        yield from self.module.stores_to(place)
        owner = place.root.owner if place.root.kind == "this" and place.path else None
        for base in self.module.lineage(owner) if owner is not None else ():
            if base is not owner:
                yield from self.module.stores_to(Place(base.this, place.path))

    def _taken_apart(self, place: Place) -> Socket | None:
        """A field of what a call gives: `const { socket } = Deno.upgradeWebSocket(request)`."""
        call = place.root.initial
        if len(place.path) != 1 or not isinstance(call, Call):
            return None
        name = self.module.typed_name(call.callee)
        for library in self.libraries:
            for entry in library.facts.get("gives", []):
                if entry["call"] == name and entry["field"] == place.path[0]:
                    return Socket(place, library, strong(call.extent, "the connection is made here"))
        return None

    def _inherited(self, place: Place) -> Socket | None:
        """An object whose class extends a library's connection."""
        owner = self.module.class_of(place)
        if owner is None:
            return None
        declared = {c.name: c for c in self.module.classes if c.name}
        names, seen = list(owner.bases), set[str]()
        while names:
            name = names.pop()
            if name in self._by_base:
                return Socket(
                    place, self._by_base[name], strong(self._where(place), f"`{place}` is a {name}")
                )
            if name in declared and name not in seen:
                seen.add(name)
                names.extend(declared[name].bases)
        return None

    def _element(self, container: Term) -> Socket | None:
        """What a loop over a container, a copy or the values of one takes out of it."""
        while True:
            if isinstance(container, Call) and container.method in _VIEWS and container.receiver is not None:
                container = container.receiver
            elif isinstance(container, Call) and container.method in _COPIES and container.arguments:
                container = container.arguments[0]
            elif isinstance(container, Sequence) and len(container.elements) == 1:
                container = container.elements[0]
            elif isinstance(container, Spread):
                container = container.value
            elif isinstance(container, Call) and container.method == "filter" and container.arguments:
                # `xs.filter(f)`, `filter(f, xs)`
                inner = container.receiver if len(container.arguments) == 1 else container.arguments[1]
                if inner is None:
                    break
                container = inner
            elif isinstance(container, Logic):
                container = container.left  # `rooms.get(id) ?? []`
            elif isinstance(container, Several) and container.operands:
                # A comprehension: its last part is what it makes.
                return self.of(container.operands[-1])
            else:
                break
        if isinstance(container, Ref):
            place = container.place
            parent = place.parent
            if parent is not None and place.name == "clients":
                library = self._serves(self.module.made_type(parent))
                if library is not None:
                    return Socket(None, library, strong(container.extent, "the server's connections"))
            return self.at(self.own(place).element)
        held = self.place_of(container) if isinstance(container, Call) else None
        return self.at(held.element) if held is not None else None

    def _put(self, place: Place) -> Socket | None:
        """An element of a container that connections are added to."""
        container = place.parent
        if container is None or place.path[-1] != ELEMENT:
            return None
        for function in self.module.functions_mentioning(container.name):
            for _, call in function.cfg.calls:
                if call.method in _PUTS and call.receiver_place == container:
                    for argument in call.arguments[-1:]:
                        found = self.of(argument)
                        if found is not None and found.evidence.is_strong:
                            return Socket(
                                place, found.library, strong(call.extent, "the connection is kept here")
                            )
        return None

    def _given(self, place: Place) -> Socket | None:
        """A parameter that the file's own calls fill with a connection."""
        root = place.root
        if place.path or root.kind != "parameter" or root.scope is None or root not in root.scope.parameters:
            return None
        index = root.scope.parameters.index(root)
        for call in self._calls_of(root.scope):
            found = self.of(call.argument(index, root.name))
            if found is not None and found.evidence.is_strong:
                return Socket(place, found.library, found.evidence)
        return None

    def _calls_of(self, function: Function) -> Iterator[Call]:
        """The calls of the file that run a function; of a constructor, those that make its class."""
        owner = function.owner
        if function.kind != "constructor" or owner is None or not owner.name:
            yield from (step.call for _, step in callers(function) if step.call is not None)
            return
        for other in self.module.functions_mentioning(owner.name):
            for _, call in other.cfg.calls:
                callee = call.callee
                if isinstance(callee, Ref) and not callee.place.path and callee.place.root.class_ is owner:
                    yield call

    def is_served(self, term: Term) -> bool:
        """Whether a term is a connection or a server of connections."""
        found = self.of(term)
        if found is not None and found.evidence.is_strong:
            return True
        return self._serves(self._server(term)) is not None

    def _server(self, emitter: Term) -> str | None:
        """The class of a server: `wss`, or `new WebSocketServer(...)` at once."""
        if isinstance(emitter, Ref):
            return self.module.made_type(emitter.place)
        return self.module.canonical(emitter.callee) if isinstance(emitter, Call) else None

    def _serves(self, server: str | None) -> Library | None:
        return next(
            (lib for lib in self.libraries if server is not None and server in lib.facts.get("servers", [])),
            None,
        )

    def _passed_to(self, handler: Function, entry: dict[str, Any], library: Library) -> bool:
        """Whether a function is handed to the call that an entry of a library's `handlers` tells of."""
        if handler not in self._receivers:
            self._receivers[handler] = list(self._handed_to(handler))
        for call, option in self._receivers[handler]:
            if "call" in entry:
                named = self.module.typed_name(call.callee) == entry["call"]
            else:
                # `const { upgradeWebSocket: upgrade } = createNodeWebSocket(...)`
                written = self.module.value_of(call.callee)
                word = written.place.name if isinstance(written, Ref) else call.method
                named = word == entry["method"] and (
                    any(map(self.module.imports_from, entry["modules"]))
                    if "modules" in entry
                    else self.imports(library)
                )
            given = entry.get("given")
            if (
                named
                and (option in entry["options"] if "options" in entry else option is None)
                and (given is None or any(name == given for a in call.arguments for name in _entries(a)))
            ):
                return True
        return False

    def _handed_to(self, handler: Function) -> Iterator[tuple[Call, str | None]]:
        """The calls that a function is handed to; with a name, where it is an entry of an object that they get."""
        word = handler.name.rpartition(".")[2]
        near = [handler.parent.host] if handler.parent is not None else []
        # `upgrade(() => ({ onMessage: f }))`: what hands the function over stands one function further out.
        near += [f.parent.host for f in near if f.parent is not None]
        for function in [*near, *(self.module.functions_mentioning(word) if word else [])]:
            yield from self._handing(function).get(handler, ())

    def _handing(self, function: Function) -> dict[Function, list[tuple[Call, str | None]]]:
        """By function that a function hands to a call: the calls, with a name likewise."""
        marker = ("handing", function)
        if marker not in self.module.memo:
            found: dict[Function, list[tuple[Call, str | None]]] = {}
            for _, call in function.cfg.calls:
                for value in (*call.arguments, *(value for _, value in call.keywords)):
                    for option, inner in ((None, value), *self._within(value, 3)):
                        handed = self.module.resolve_value(inner)
                        if handed is not None:
                            found.setdefault(handed, []).append((call, option))
            self.module.memo[marker] = found
        handing: dict[Function, list[tuple[Call, str | None]]] = self.module.memo[marker]
        return handing

    def _within(self, value: Term, depth: int) -> Iterator[tuple[str | None, Term]]:
        """The entries of an object, of those in it, and of one that a function given in its place returns."""
        if isinstance(value, Record) and depth:
            for name, inner in value.entries:
                yield name, inner
                yield from self._within(inner, depth - 1)
        elif isinstance(value, Closure) and depth == 3:
            function = self.module.resolve_value(value)
            for returned, _ in returns(function) if function is not None else ():
                if isinstance(returned, Record):
                    yield from self._within(returned, 1)

    def makes(self, call: Call) -> bool:
        """Whether a call makes a connection."""
        return self._made_by(call) is not None

    def _made_by(self, call: Call) -> Library | None:
        name = self.module.typed_name(call.callee)
        if name is not None and name in self._by_name:
            return self._by_name[name]
        chosen = self._class_of(call.callee)
        if chosen is not None or call.receiver is None:
            return chosen
        # A method that no other library of the file has: `session.ws_connect(...)` of a session from elsewhere.
        return next((lib for lib in self.imported if call.method in lib.facts.get("make_methods", [])), None)

    def _class_of(self, term: Term | None, depth: int = 3) -> Library | None:
        """The library of one of the classes or functions that a term stands for.

        Clients for pages and servers alike choose one: `options.impl ?? WebSocket`,
        `typeof window === "undefined" ? require("ws") : WebSocket`.
        """
        if isinstance(term, (Logic, Choice)):
            sides = (term.left, term.right) if isinstance(term, Logic) else (term.then, term.otherwise)
            return next(
                (lib for lib in (self._class_of(side, depth) for side in sides) if lib is not None), None
            )
        if not isinstance(term, Ref):
            return None
        name = self.module.canonical(term)
        if name is not None:
            return self._by_name.get(name)
        if depth <= 0:
            return None
        for _, store in self._stores(term.place):
            found = self._class_of(store.value, depth - 1)
            if found is not None:
                return found
        return None

    @cached_property
    def made(self) -> list[tuple[Function, Call, Library]]:
        """The calls of the file that make a connection, with the functions whose graphs run them."""
        return [
            (function, call, library)
            for function in self.module.all_functions
            if not function.is_inlined
            for _, call in function.cfg.calls
            if (library := self._made_by(call)) is not None
        ]

    @cached_property
    def imported(self) -> list[Library]:
        """The libraries that the file imports something of."""
        return [lib for lib in self.libraries if self.imports(lib)]

    def imports(self, library: Library) -> bool:
        """Whether the file imports one of the library's modules, or a part of one."""
        return any(self.module.imports_from(name) for name in library.facts.get("modules", []))

    def has_option(self, options: list[dict[str, Any]]) -> bool:
        """Whether some call, options object or assignment gives one of the options.

        An option with `value` "null" is one that is switched off here; one with `not_beside` counts only in objects that
        have none of these entries.
        """
        for option in options:
            word, wants_off = option["keyword"], option.get("value") == "null"
            given: list[bool] = []
            kept: list[bool] = []
            for function in self.module.functions_mentioning(word):
                for step in function.cfg.steps:
                    for name, value, beside in _options(step):
                        if name == word and not beside & set(option.get("not_beside", [])):
                            value = self.module.value_of(value) or value
                            is_off = isinstance(value, Constant) and not value.value
                            (kept if step.target is not None else given).append(is_off)
            # What a call is given decides; a field that is named like it, only where no call is given it.
            if wants_off in (given or kept):
                return True
        return False

    def _dials_again(self, entry: dict[str, Any]) -> bool:
        """Whether a library's links dial again by themselves, or by an option or a method that the file uses."""
        word = entry.get("reconnects_on")
        if word is None or not entry.get("reconnects", False):
            return bool(entry.get("reconnects", False))
        called = any(
            call.method == word for f in self.module.functions_mentioning(word) for _, call in f.cfg.calls
        )
        return called or self.has_option([{"keyword": word}])

    def _where(self, place: Place) -> tuple[int, int]:
        scope = place.root.scope
        return scope.name_extent if scope is not None else (0, 0)


def _library(entry: dict[str, Any], reconnects: bool) -> Library:
    return Library(
        name=entry["name"],
        transport=entry.get("transport", "websocket"),
        types=frozenset(entry.get("types", [])),
        makes=frozenset(entry.get("makes", [])),
        sends=frozenset(entry.get("sends", ["send"])),
        closes=frozenset(entry.get("closes", ["close"])),
        keepalive=entry.get("keepalive", "none"),
        reconnects=reconnects,
        replays=bool(entry.get("replays", False)),
        facts=entry,
    )


def names(libraries: list[Library]) -> Iterator[str]:
    """Every canonical name of every library, for the triggers of rules."""
    for library in libraries:
        yield from library.types
        yield from library.makes


def _options(step: Step) -> Iterator[tuple[str, Term, frozenset[str]]]:
    """The names that a step gives values, each with the names that are given beside it in the same object."""
    alone: frozenset[str] = frozenset()
    if step.target is not None and step.target.path and step.store is not None:
        yield step.target.name, step.store.value, alone
        if isinstance(step.store.target, Ref) and isinstance(step.store.target.key, Constant):
            yield str(step.store.target.key.value), step.store.value, alone
    if step.term is None:
        return
    for part in step.term.walk():
        if isinstance(part, Call):
            yield from ((name, value, alone) for name, value in part.keywords)
        elif isinstance(part, Record):
            beside = frozenset(name for name, _ in part.entries if name is not None)
            yield from ((name, value, beside) for name, value in part.entries if name is not None)


def _entries(term: Term) -> Iterator[str | None]:
    """The names of the entries of an object."""
    if isinstance(term, Record):
        yield from (name for name, _ in term.entries)
