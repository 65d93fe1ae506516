"""Incoming messages: which terms carry what a peer sent, over which transport it came, and on what way.

Strong evidence: a parameter of a registered message handler, an element of a loop over a socket, the result or the
filled-in argument of `recv`/`ReadMessage` on a socket, and what is parsed, destructured or computed from these, through
calls, callbacks, generators, channels and queues of the file. Weak: the words. What is looked up by a message (`m[msg.id]`,
`m.get(msg.id)`), counted or compared is no content of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.channel import handed_on
from wsantipattern.roles.event import Events, Registration, event_name
from wsantipattern.roles.evidence import Evidence, strong, weak
from wsantipattern.roles.invocation import Invocations
from wsantipattern.roles.socket import Library, Socket, Sockets
from wsantipattern.roles.words import any_of, of_place, split

DEPTH = 12
"""How many variables, parameters and calls a message is followed back through."""

_NO_CONTENT = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "instanceof"})


@record(frozen=True, slots=True)
class Message:
    """Where content comes from.

    Attributes:
        transport: `websocket`, `sse`, `socket.io`, another library's own, `other` for things that look like a socket
            and are none, or "" where unknown.
        evidence: why it is a message.
        library: of the socket, where known.
        parameters: those it came through, the nearest first; the function of each runs anew for each message.
        reads: the terms that take it in (a receiving call, what a loop runs over), the nearest first.
        extent: where it comes in, for traces.
    """

    transport: str
    evidence: Evidence
    library: Library | None = None
    parameters: tuple[Binding, ...] = ()
    reads: tuple[t.Term, ...] = ()

    @property
    def confidence(self) -> Confidence:
        return self.evidence.confidence

    def read_by(self, term: t.Term) -> Message:
        """The same content, taken in by `term`."""
        return replace(self, reads=(term, *self.reads))


class Messages:
    """The incoming content of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.invocations = Invocations(module, knowledge)
        self._feeds = {entry["library"]: entry for entry in knowledge.entries("message", "feed")}
        self._fields = frozenset(name for entry in self._feeds.values() for name in entry.get("fields", []))
        self._fills = frozenset(name for entry in self._feeds.values() for name in entry.get("fills", []))
        self._bindings: dict[Binding, Message | None] = {}
        self._results: dict[Function, Message | None] = {}

    # -- terms -------------------------------------------------------------------------------------

    def in_term(self, term: t.Term | None, depth: int = DEPTH) -> Message | None:
        """The message that a term carries content of, the surest where there are several."""
        if term is None or depth <= 0:
            return None
        received = self._received(term)
        if received is not None:
            return received
        match term:
            case t.Ref():
                return self.at(term.place, depth)
            case t.Result():
                return self.in_term(term.call, depth)
            case t.Binary() if term.op in _NO_CONTENT:
                return None
            case t.Not() | t.Closure() | t.Constant() | t.Region():
                return None
            case t.Unary() if term.op == "typeof":
                return None
            case t.Choice():
                return self._best((term.then, term.otherwise), depth)
            case t.Logic() if self._is_kept_or_made(term):
                return self.in_term(term.left, depth)
            case t.Element():
                return self.in_term(term.subject, depth)
            case t.Field():
                return self._of_hook(term.subject, term.name) or self.in_term(term.subject, depth)
            case t.Store():
                return self.in_term(term.value, depth)
            case t.Suspend():
                return self._suspended(term, depth)
            case t.Call():
                return self._call(term, depth)
        return self._best(term.children(), depth)

    def _is_kept_or_made(self, term: t.Logic) -> bool:
        """`replies[m.id] ?? { id: m.id, text: "" }`: what is kept under a key, which begins with no more than the key."""
        if term.op not in ("or", "??"):
            return False
        return _is_made(term.right) and self._is_lookup(term.left)

    def _is_lookup(self, value: t.Term) -> bool:
        """Whether a term looks something up by a key."""
        value = value.call if isinstance(value, t.Result) else value
        if isinstance(value, t.Call):
            return value.method in self.knowledge.names("message", "lookups")
        return isinstance(value, t.Ref) and value.key is not None

    def _best(self, terms: Iterable[t.Term], depth: int) -> Message | None:
        best: Message | None = None
        for term in terms:
            found = self.in_term(term, depth)
            if found is not None and (best is None or found.confidence > best.confidence):
                best = found
        return best

    def _call(self, call: t.Call, depth: int) -> Message | None:
        known = self.knowledge
        if call.method in known.names("message", "measures") or call.method in known.names(
            "message", "answers"
        ):
            return None
        queued = self._queued(call, depth)
        if queued is not None:
            return queued
        target = self.invocations.resolve(call)
        if target is not None and not call.constructs:
            found = self._returned(target, depth - 1)
            if found is not None and any(p in target.parameters for p in found.parameters):
                # It gives back what it gets: here that must be a message as well.
                mapping = flow.bind(call, target)
                passed = (mapping.get(p) for p in found.parameters if p in target.parameters)
                return self._best([v for v in passed if v is not None], depth - 1)
            return found
        receiver = call.receiver
        if receiver is not None and not (
            isinstance(receiver, t.Ref) and receiver.place.root.kind in ("import", "global")
        ):
            found = self.in_term(receiver, depth)
            if found is not None:
                return found
        elif receiver is None and not isinstance(call.callee, t.Ref):
            found = self.in_term(call.callee, depth)
            if found is not None:
                return found
        if receiver is not None and call.method in self.knowledge.names("message", "lookups"):
            return None
        return self._best((*call.arguments, *(value for _, value in call.keywords)), depth)

    def _returned(self, function: Function, depth: int) -> Message | None:
        """What a function of the file returns, or yields, of a message."""
        if function not in self._results:
            self._results[function] = None
            values = (
                [
                    s.term.value
                    for s in function.cfg.of_kind("suspend")
                    if isinstance(s.term, t.Suspend) and s.term.op == "yield"
                ]
                if function.is_generator
                else [value for value, _ in flow.returns(function)]
            )
            self._results[function] = self._best((v for v in values if v is not None), depth)
        return self._results[function]

    def _suspended(self, term: t.Suspend, depth: int) -> Message | None:
        value = term.value
        if term.op == "receive" and isinstance(value, t.Ref):
            sent = self._sent(value.place, depth)
            return sent.read_by(term) if sent is not None else None
        if not isinstance(value, t.Call):
            return self.in_term(value, depth)
        if (
            value.arguments
            and self.invocations.resolve(value) is None
            and value.method not in self.knowledge.names("message", "parses")
            and self.in_term(value.receiver, depth) is None
        ):
            # What is awaited for a message is an answer to it, not its content.
            return None
        found = self.in_term(value, depth)
        return found.read_by(term) if found is not None else None

    def _received(self, term: t.Term) -> Message | None:
        """`await ws.recv()`, `conn.ReadMessage()`, `wsutil.ReadServerData(conn)`: the call that reads a message."""
        call = term.value if isinstance(term, t.Suspend) else term
        if not isinstance(call, t.Call):
            return None
        socket = self._read_from(call)
        if socket is None:
            return None
        return Message(
            socket.transport,
            Evidence(socket.evidence.confidence, ((call.extent, "a message is read from the socket here"),)),
            socket.library,
            reads=(call,),
        )

    def _read_from(self, call: t.Call) -> Socket | None:
        """The socket that a call reads a message from."""
        name = self.module.typed_name(call.callee)
        if name is not None:
            for library in self.sockets.libraries:
                for entry in library.facts.get("receive_functions", []):
                    if entry["call"] == name:
                        return Socket(None, library, strong(call.extent, "read from the connection"))
        if call.method not in self.knowledge.names("message", "receives") or call.receiver is None:
            return None
        socket = self.feed(call.receiver)
        if socket is None or socket.evidence.is_strong:
            return socket
        made = self.module.made_type(call.receiver.place) if isinstance(call.receiver, t.Ref) else None
        if made is not None:
            named = any(any_of(split(part), ("ws", "websocket")) for part in made.split("."))
            return socket if named else None
        imported = self._imported
        if imported is not None and call.method in self.knowledge.names("message", "distinct"):
            return Socket(socket.place, imported, strong(call.extent, "only a WebSocket reads so"))
        words = split(socket.place.name) if socket.place is not None else ()
        return socket if imported is not None or any_of(words, ("ws", "websocket")) else None

    @property
    def _imported(self) -> Library | None:
        return next((lib for lib in self.sockets.libraries if self.sockets.imports(lib)), None)

    def reads(self, term: t.Term) -> bool:
        """Whether a call or a suspension takes the next message in."""
        call = term.value if isinstance(term, t.Suspend) else term
        if isinstance(call, t.Call):
            return self._read_from(call) is not None or self._queued(call, DEPTH) is not None
        return isinstance(term, t.Suspend) and term.op == "receive" and self.in_term(term) is not None

    def gives(self, iterable: t.Term) -> bool:
        """Whether a loop over a term takes a message, or a part of one, in each turn."""
        return (
            self._element(t.Element(iterable.extent, iterable), DEPTH) is not None
            or self.in_term(iterable) is not None
        )

    # -- sockets and what stands for one -----------------------------------------------------------

    def feed(self, term: t.Term | None, depth: int = 9) -> Socket | None:
        """The socket that a term is, or is a channel, subscription or stream of."""
        if term is None or depth <= 0:
            return None
        socket = self.sockets.of(term)
        if socket is not None and socket.evidence.is_strong:
            library = socket.library
            # Frames of one connection, from a protocol machine without one.
            frames = library is not None and library.name in self.knowledge.names("message", "framing")
            return None if frames else socket
        found: Socket | None = None
        named = self.module.canonical(term)
        if named is not None:
            for library in self.sockets.libraries:
                if named in self._feeds.get(library.name, {}).get("connections", []):
                    return Socket(None, library, strong(term.extent, "the connection of this request"))
        if isinstance(term, t.Suspend):
            found = self.feed(term.value, depth)
        elif isinstance(term, t.Call):
            found = self._derived(term, depth - 1)
        elif isinstance(term, t.Field) and term.name in self._fields:
            found = self._standing_for(term.name, self.feed(term.subject, depth - 1))
        elif isinstance(term, t.Ref) and term.place.root.kind == "parameter" and not term.place.path:
            found = self._filled_feed(term.place.root, depth - 1)
        elif isinstance(term, t.Ref):
            values = (
                [store.value for _, store in self.module.stores_to(term.place)] if term.place.name else []
            )
            for value in values:
                value = value.call if isinstance(value, t.Result) and value.index == 0 else value
                if isinstance(value, t.Element) and self._is_connecting(value.subject):
                    # `async for conn in websockets.connect(url)`
                    value = value.subject
                if isinstance(value, (t.Call, t.Suspend, t.Ref)) and value is not term:
                    found = self.feed(value, depth - 1)
                    if found is not None and found.evidence.is_strong:
                        return found
            if (found is None or not found.evidence.is_strong) and term.place.path:
                found = self._field_feed(term, depth - 1)
        if found is not None and found.evidence.is_strong:
            return found
        return None if self._is_foreign else socket

    def _field_feed(self, term: t.Ref, depth: int) -> Socket | None:
        """`client.channels`: a field that stands for the connection it is of; `api.talk.lines` of a proxy of one."""
        owner = term.place.parent
        if owner is None or not owner.name:
            return None
        if term.place.name in self._fields:
            return self._standing_for(term.place.name, self.feed(t.Ref(term.extent, owner), depth))
        if not self._proxies:
            return None
        found = self.feed(t.Ref(term.extent, Place(term.place.root)), depth)
        return found if found is not None and found.library in self._proxies else None

    @property
    def _proxies(self) -> list[Library]:
        """The libraries of the file of whose connections every field, at any depth, stands for the connection."""
        key = ("message", "proxies")
        memo = self.module.memo
        if key not in memo:
            memo[key] = [
                library
                for library in self.sockets.imported
                if self._feeds.get(library.name, {}).get("proxies", False)
            ]
        known: list[Library] = memo[key]
        return known

    def _standing_for(self, name: str, owner: Socket | None) -> Socket | None:
        """A connection, if a field of this name stands for it."""
        if owner is None or owner.library is None or not owner.evidence.is_strong:
            return None
        return owner if name in self._feeds.get(owner.library.name, {}).get("fields", []) else None

    @property
    def _is_foreign(self) -> bool:
        """Whether the file's sockets, by their name alone, are those of another protocol."""
        key = ("message", "foreign")
        memo = self.module.memo
        if key not in memo:
            memo[key] = self._imported is None and any(
                self.module.imports_from(name) for name in self.knowledge.names("message", "foreign")
            )
        return bool(memo[key])

    def _filled_feed(self, parameter: Binding, depth: int) -> Socket | None:
        """The socket that the calls of the file give to a parameter."""
        function = parameter.scope
        if function is None or parameter not in function.parameters:
            return None
        index = function.parameters.index(parameter)
        for invocation in self.invocations.of(function):
            found = self.feed(invocation.argument(index, parameter.name), depth)
            if found is not None and found.evidence.is_strong:
                return found
        return None

    def _derived(self, call: t.Call, depth: int) -> Socket | None:
        """`pusher.subscribe("x")`, `manager.socket("/")`, `webSocket(url).pipe(...)`, `fromEvent(ws, "message")`."""
        if self.module.typed_name(call.callee) in self.knowledge.names("message", "wraps"):
            return self.feed(call.argument(0), depth)
        receiver = self.feed(call.receiver, depth)
        if receiver is None or receiver.library is None:
            return None
        entry = self._feeds.get(receiver.library.name, {})
        if call.method in entry.get("derives", []):
            return receiver
        into = next((e["library"] for e in entry.get("turns", []) if e["method"] == call.method), None)
        library = next((lib for lib in self.sockets.libraries if lib.name == into), None)
        return replace(receiver, library=library) if library is not None else None

    # -- bindings ----------------------------------------------------------------------------------

    def at(self, place: Place, depth: int = DEPTH) -> Message | None:
        """The message that a place is or is part of: decided by its root; by its words where the file has no more."""
        root = place.root
        if place.path and place.name in self.knowledge.names("message", "measures"):
            return None
        found = self._of_binding(root, depth) or self._hooked(place) or self._put_on_page(place, depth)
        if found is not None:
            return found
        if (
            root.kind == "global"
            and root.name not in self.knowledge.names("message", "browser")
            and any_of(of_place(place), self.knowledge.names("words", "message"))
        ):
            # In a fragment the names are all there is.
            return Message("", weak((0, 0), f"`{place}` is named like an incoming message"))
        return None

    def _put_on_page(self, place: Place, depth: int) -> Message | None:
        """`box = document.createElement("i"); box.textContent = text; box.innerHTML`: markup holds what it was made of.

        An element that was there before holds what came earlier: that is what is added to, no message.
        """
        scope, texts = place.root.scope, self.knowledge.names("accumulation", "texts")
        if len(place.path) != 1 or place.name not in texts or place.root.kind != "local" or scope is None:
            return None
        element = Place(place.root)
        if not self.is_node(t.Ref((0, 0), element)):
            return None
        given = [
            store.value
            for name in texts
            for _, store in self.module.stores_to(Place(place.root, (name,)))
            if store.op is None
        ]
        for _, call in scope.host.cfg.calls:
            if call.receiver_place == element and call.method in self.knowledge.names("accumulation", "page"):
                given.extend(call.arguments)
        return self._best(given, depth - 1)

    def is_node(self, term: t.Term) -> bool:
        """Whether a term is an element of a page that is made there, or in the only value of the variable it reads."""
        value = self.module.value_of(term)
        return isinstance(value, t.Call) and value.method in self.knowledge.names("accumulation", "nodes")

    def _hooked(self, place: Place) -> Message | None:
        """`const { lastMessage } = useWebSocket(url)`: a field of what a hook gives."""
        return (
            self._of_hook(place.root.initial, place.path[0]) if place.path and place.root.constant else None
        )

    def _of_hook(self, call: t.Term | None, name: str) -> Message | None:
        socket = self.sockets.of(call) if isinstance(call, t.Call) else None
        if call is None or socket is None or socket.library is None:
            return None
        if name not in self._feeds.get(socket.library.name, {}).get("gives", []):
            return None
        said = strong(call.extent, f"`{name}` is the newest message of this connection")
        return Message(socket.transport, said, socket.library)

    def handler_message(self, function: Function) -> Message | None:
        """The message that a handler, or a function that is only called with messages, works on."""
        for parameter in function.parameters:
            found = self._of_binding(parameter, DEPTH)
            if found is not None:
                return found
        return None

    def _of_binding(self, binding: Binding, depth: int) -> Message | None:
        if binding in self._bindings:
            return self._bindings[binding]
        if depth <= 0:
            return None
        self._bindings[binding] = None
        found = (
            self._parameter(binding, depth) if binding.kind == "parameter" else self._variable(binding, depth)
        )
        self._bindings[binding] = found
        return found

    # -- parameters --------------------------------------------------------------------------------

    def _parameter(self, binding: Binding, depth: int) -> Message | None:
        function = binding.scope
        if function is None or binding not in function.parameters:
            return None
        index = function.parameters.index(binding)
        socket = self.sockets.at(Place(binding))
        if socket is not None and socket.evidence.is_strong:
            return None
        candidates = [*self._registered(function, index), *self._delivered(function, index)]
        called = False
        if function.is_inlined:
            # `pieces.forEach((piece) => ...)` as a statement runs where it is written.
            for step, store in function.host.cfg.assignments:
                if step.target == Place(binding):
                    found = self._stored(store, depth - 1)
                    if found is not None:
                        candidates.append(found)
        for invocation in self.invocations.of(function):
            called = True
            found = self.in_term(invocation.argument(index, binding.name), depth - 1)
            if found is not None:
                candidates.append(found)
        candidates.extend(self._iterated(function, index, depth))
        candidates.extend(self._relayed(function, index, depth))
        candidates.extend(self._observed(function, index, depth))
        candidates.extend(self._overridden(function, index))
        if not called and not candidates:
            candidates.extend(self._dispatched(function, binding, depth))
        if not called and not candidates:
            candidates.extend(self._named(function, binding))
        best: Message | None = None
        for found in candidates:
            if best is None or _rank(found) > _rank(best):
                best = found
        return replace(best, parameters=(binding, *best.parameters)) if best is not None else None

    def _registered(self, function: Function, index: int) -> Iterator[Message]:
        for registration in self.events.of_handler(function):
            socket = (
                self.feed(registration.emitter) or self._inherited(registration) or self._told(registration)
            )
            if not self._is_content(registration, socket):
                continue
            library = socket.library if socket is not None else None
            if index < self._content_from(library):
                continue
            said = registration.step.extent if registration.step is not None else function.name_extent
            reason = f"runs for each `{registration.event}` event"
            if socket is None:
                yield Message("", strong(said, reason))
            else:
                yield Message(
                    socket.transport, Evidence(socket.evidence.confidence, ((said, reason),)), library
                )

    def _is_content(self, registration: Registration, socket: Socket | None) -> bool:
        """Whether an event brings content of a peer: on a connection whose events the peer names, most do."""
        event = registration.event
        if event in self.knowledge.names("message", "watched"):
            return False
        if socket is not None and socket.evidence.is_strong and socket.transport != "websocket":
            return event not in self.knowledge.names("event", "connection")
        return event not in self.knowledge.names("event", "lifecycle")

    def _told(self, registration: Registration) -> Socket | None:
        """The connection of an event that only one library has, of an emitter from another file."""
        if registration.step is None:
            return None
        for library in self.sockets.libraries:
            if registration.event in self._feeds.get(library.name, {}).get("events", []):
                return Socket(
                    None, library, strong(registration.step.extent, "an event of this library alone")
                )
        return None

    def _inherited(self, registration: Registration) -> Socket | None:
        """The connection that a method of a handler works on: its own object, or what it is given beside the message."""
        owner = registration.handler.owner
        if registration.word != "method" or owner is None:
            return None
        own = self.sockets.at(Place(owner.this))
        if own is not None and own.evidence.is_strong:
            return own
        given = (self.sockets.at(Place(parameter)) for parameter in registration.handler.parameters)
        return next((s for s in given if s is not None and s.evidence.is_strong), own)

    def _content_from(self, library: Library | None) -> int:
        """The index of the first handler parameter that is content; those before are the connection and its data."""
        entry = self._feeds.get(library.name, {}) if library is not None else {}
        return int(entry.get("content_from", 0))

    def _delivered(self, function: Function, index: int) -> Iterator[Message]:
        """The function is handed to a call that runs it for each message: `client.subscribe(topic, f)`."""
        for _, step, value in self.invocations.uses(function):
            call, option = _receiver_of(value)
            if call is None or self.invocations.resolve(call) is not None:
                continue
            hooked = self._hook_of(call, option)
            if hooked is not None:
                if index < self._content_from(hooked):
                    continue
                said = f"`{call.method}` runs it for each message"
                yield Message(hooked.transport, strong(step.extent, said), hooked)
                continue
            socket = self.feed(call.receiver)
            library = socket.library if socket is not None else None
            entry = self._feeds.get(library.name, {}) if library is not None else {}
            if socket is not None and library is not None and (option is None or "hands" in entry):
                taken = option is None or option in entry["hands"]
                if (
                    taken
                    and call.method in entry.get("delivers", [])
                    and index >= self._content_from(library)
                ):
                    said = f"`{call.method}` runs it for each message"
                    yield Message(socket.transport, strong(step.extent, said), library)
                continue
            if socket is not None and socket.evidence.is_strong:
                continue
            if self._sounds_delivering(call, option):
                yield Message(
                    "websocket", weak(step.extent, f"`{call.method}` sounds like messages of a socket")
                )

    def _hook_of(self, call: t.Call, option: str | None) -> Library | None:
        """The library whose hook or spelling a call is: `useChannel(name, f)`, `x.subscriptions.create(y, { received: f })`."""
        name = self.module.typed_name(call.callee)
        receiver = call.receiver_place
        spelled = f"{receiver.name}.{call.method}" if receiver is not None else None
        for library in self.sockets.libraries:
            entry = self._feeds.get(library.name, {})
            handed = option in entry["hands"] if "hands" in entry else option is None
            if handed and (
                (name is not None and name in entry.get("hooks", []))
                or spelled in entry.get("spelled", [])
                or call.method in entry.get("methods", [])
            ):
                return library
        return None

    def _sounds_delivering(self, call: t.Call, option: str | None) -> bool:
        """`boardSocket.onSticky(f)`, `useSocketEvent("line", f)`, `useWebSocket(url, { onMessage: f })`: words alone."""
        transports = self.knowledge.names("words", "transport")
        lifecycle = self.knowledge.names("event", "lifecycle")
        receiver = call.receiver_place
        if option is not None:
            named = option.startswith("on") and event_name(option) not in lifecycle
            return named and any_of(split(call.method), transports)
        words = split(call.method)
        first = call.argument(0)
        if receiver is not None and isinstance(first, t.Constant) and isinstance(first.value, str):
            # A registration, which says more by its event.
            return False
        if event_name(call.method) in lifecycle or any_of(words, lifecycle):
            return False
        if receiver is not None and any_of(split(receiver.name), transports):
            return words[:1] == ("on",) or any_of(words, self.knowledge.names("words", "listen"))
        listens = (
            words[:1] in (("on",), ("use",), ("subscribe",))
            or any_of(words, self.knowledge.names("words", "listen"))
            or any_of(words, self.knowledge.names("words", "received"))
        )
        outgoing = any_of(words, self.knowledge.names("words", "outgoing"))
        return any_of(words, transports) and listens and not outgoing and not call.constructs

    def _iterated(self, function: Function, index: int, depth: int) -> Iterator[Message]:
        """The parameter of `items.map(f)`, `promise.then(f)`, `stream.pipe(scan(f))`, where what is run through is of a message."""
        if function.kind != "lambda" or function.name:
            return
        for _, step, value in self.invocations.uses(function):
            call = value.parent
            if not isinstance(call, t.Call) or value is call.callee:
                continue
            if call.method in self.knowledge.names("message", "iterates") and index == 0:
                found = self.in_term(call.receiver, depth - 1)
                if found is not None:
                    yield found
            if (
                call.method in self.knowledge.names("message", "watches")
                and index == 0
                and call.argument(1) is value
            ):
                watched = call.argument(0)
                getter = self.module.resolve_value(watched) if isinstance(watched, t.Closure) else None
                given = [watched] if getter is None else [v for v, _ in flow.returns(getter)]
                found = self._best([v for v in given if v is not None], depth - 1)
                if found is not None:
                    yield found
            pipe = call.parent
            if isinstance(pipe, t.Call) and call is not pipe.callee and pipe.method == "pipe":
                socket = self.feed(pipe.receiver)
                folds = call.method in self.knowledge.names("message", "folds")
                if socket is not None and socket.evidence.is_strong and index == (1 if folds else 0):
                    said = strong(step.extent, f"`{call.method}` gets each message of the stream")
                    yield Message(socket.transport, said, socket.library)

    def _relayed(self, function: Function, index: int, depth: int) -> Iterator[Message]:
        """`hub.on("piece", f)` of what `hub.emit("piece", message)` hands on."""
        for registration in self.events.of_handler(function):
            emitter = registration.emitter
            if not isinstance(emitter, t.Ref) or not emitter.place.name or registration.step is None:
                continue
            for host in self.module.functions_mentioning(emitter.place.name):
                for _, call in host.cfg.calls:
                    if (
                        call.receiver_place != emitter.place
                        or call.method not in self.knowledge.names("message", "relays")
                        or len(call.arguments) <= index + 1
                    ):
                        continue
                    first = call.arguments[0]
                    if isinstance(first, t.Constant) and event_name(str(first.value)) == registration.event:
                        found = self.in_term(call.arguments[index + 1], depth - 1)
                        if found is not None:
                            yield found

    def _observed(self, function: Function, index: int, depth: int) -> Iterator[Message]:
        """`pieces.subscribe(f)`, `pieces.pipe(map(f))` of a subject of the file that `pieces.next(message)` feeds."""
        names = self.knowledge.names
        for _, _, value in self.invocations.uses(function):
            call, option = _receiver_of(value)
            if call is None or option not in (None, "next"):
                continue
            outer = call.parent
            if call.method in names("message", "subscribes"):
                source = call.receiver if index == 0 else None
            elif isinstance(outer, t.Call) and call is not outer.callee and outer.method == "pipe":
                folds = call.method in names("message", "folds")
                source = outer.receiver if index == (1 if folds else 0) else None
            else:
                continue
            subject = self._subject(source)
            for host in self.module.functions_mentioning(subject.name) if subject is not None else ():
                for _, other in host.cfg.calls:
                    if other.method == "next" and other.receiver_place == subject and other.arguments:
                        found = self.in_term(other.arguments[0], depth - 1)
                        if found is not None:
                            yield found.read_by(call)

    def _subject(self, term: t.Term | None, depth: int = 6) -> Place | None:
        """The subject of the file whose values a stream gives, unless it drops those that come again."""
        if depth <= 0:
            return None
        if isinstance(term, t.Call) and term.method in self.knowledge.names("message", "observes"):
            distincts = self.knowledge.names("message", "distincts")
            if any(isinstance(a, t.Call) and a.method in distincts for a in term.arguments):
                return None
            return self._subject(term.receiver, depth - 1)
        if not isinstance(term, t.Ref) or not term.place.name:
            return None
        if self.module.made_type(term.place) in self.knowledge.names("message", "subjects"):
            return term.place
        stores = self.module.stores_to(term.place)
        return self._subject(stores[0][1].value, depth - 1) if len(stores) == 1 else None

    def _dispatched(self, function: Function, binding: Binding, depth: int) -> Iterator[Message]:
        """The action of a reducer that another file runs, where this one dispatches an action of the same type.

        `case "chunk": return { ...state, text: state.text + action.text }`, and `dispatch({ type: "chunk", text })` on a
        function that is not of the file.
        """
        if len(function.parameters) != 2 or function.parameters[1] is not binding or depth <= 0:
            return
        asked = {
            side.value
            for test in function.cfg.of_kind("test")
            if isinstance(test.term, t.Binary) and test.term.op == "=="
            for of, side in ((test.term.left, test.term.right), (test.term.right, test.term.left))
            if isinstance(side, t.Constant) and isinstance(of, t.Ref) and of.place.root is binding
        }
        for host in self.module.all_functions if asked else ():
            for step, call in host.cfg.calls if not host.is_inlined else ():
                callee = call.callee.place.root if isinstance(call.callee, t.Ref) else None
                action = call.argument(0)
                if callee is None or callee.kind != "parameter" or not isinstance(action, t.Record):
                    continue
                if any(isinstance(v, t.Constant) and v.value in asked for _, v in action.entries):
                    found = self.in_term(action, depth - 1)
                    if found is not None:
                        said = weak(step.extent, f"an action of this type is given to `{callee.name}`")
                        yield Message(found.transport, said, found.library)

    def _overridden(self, function: Function, index: int) -> Iterator[Message]:
        """`async def on_sentence(self, data)` of a class that extends a library's namespace or endpoint."""
        owner = function.owner
        name = function.name.rpartition(".")[2]
        if owner is None or not owner.bases or function.kind != "method" or not name.startswith("on_"):
            return
        for library in self.sockets.libraries:
            entry = self._feeds.get(library.name, {})
            if not any(base in entry.get("bases", []) for base in owner.bases):
                continue
            event = event_name(name)
            if event in self.knowledge.names("event", "connection") or index < self._content_from(library):
                continue
            if name not in entry.get("hands", [name]):
                continue
            said = strong(function.name_extent, f"runs for each `{event}` event")
            yield Message(library.transport, said, library)

    def is_endpoint(self, owner: Class) -> bool:
        """Whether a class extends a library's namespace or endpoint, whose `on_...` methods are handlers."""
        return any(base in entry.get("bases", []) for entry in self._feeds.values() for base in owner.bases)

    def _named(self, function: Function, binding: Binding) -> Iterator[Message]:
        """`on_websocket_message(self, msg)` in a file that does not say who calls it."""
        owner = function.owner
        words = split(function.name.rpartition(".")[2])
        known = self.knowledge
        if any(any_of(split(p.name), known.names("words", "callable")) for p in function.parameters):
            # It registers a handler.
            return
        about = (*words, *(w for w in split(owner.name) if w != "socket")) if owner is not None else words
        if (
            any_of(about, known.names("words", "transport"))
            and any_of(words, known.names("words", "received"))
            and any_of(words, known.names("words", "handling"))
            and not any_of(words, known.names("words", "outgoing"))
            and binding.name
        ):
            yield Message(
                "websocket",
                weak(function.name_extent, f"`{function.name}` is named like a handler of messages"),
            )

    # -- variables ---------------------------------------------------------------------------------

    def _variable(self, binding: Binding, depth: int) -> Message | None:
        if binding.kind != "local" or binding.scope is None:
            return None
        best: Message | None = None
        if not binding.name:
            # What a pattern takes apart.
            return self.in_term(binding.initial, depth - 1)
        stores = self.module.stores_to(Place(binding))
        kept = any(self._is_lookup(store.value) for _, store in stores)
        for _, store in stores:
            if store.op not in (None, "or", "??") or (kept and _is_made(store.value)):
                # `page = pages[m.id]; if (!page) page = new Page(m.id)`: the variable is what is kept.
                continue
            if _mentions(store.value, binding) and not self._is_read_into(store.value):
                # What grows by messages holds more than one: that is an accumulation, not a message.
                continue
            found = self._stored(store, depth)
            if found is not None and (best is None or _rank(found) > _rank(best)):
                best = found
        return best or self._filled(binding, depth)

    def _is_read_into(self, value: t.Term) -> bool:
        """`batch, err = wsutil.ReadServerMessage(conn, batch[:0])`: the variable lends its memory to what is read."""
        call = value.call if isinstance(value, t.Result) else value
        return isinstance(call, (t.Call, t.Suspend)) and self._received(call) is not None

    def _stored(self, store: t.Store, depth: int) -> Message | None:
        value = store.value
        if isinstance(value, t.Element) and store.declares:
            found = self._element(value, depth)
            if found is not None:
                return found
        return self.in_term(value, depth - 1)

    def _element(self, element: t.Element, depth: int) -> Message | None:
        """What a loop takes from a socket, from a method or wrapper of one, from a generator or from a channel."""
        subject = element.subject
        call = subject.value if isinstance(subject, t.Suspend) else subject
        socket = self.feed(subject) if isinstance(subject, t.Ref) else self.sockets.of(subject)
        if socket is None and isinstance(call, t.Call):
            socket = self.feed(call) or self.feed(call.receiver)
            if socket is not None and not socket.evidence.is_strong:
                socket = None
            known = self.knowledge.names("message", "streams")
            if socket is not None and call.method not in known and self._derived(call, 5) is None:
                wraps = self.module.typed_name(call.callee) in self.knowledge.names("message", "wraps")
                socket = socket if wraps or self._makes_stream(call) else None
        if socket is not None and socket.evidence.is_strong:
            if self._is_connecting(subject):
                return None
            said = strong(element.extent, "each turn of the loop takes a message from the socket")
            return Message(socket.transport, said, socket.library, reads=(subject,))
        if isinstance(call, t.Call):
            target = self.invocations.resolve(call)
            if target is not None and target.is_generator:
                found = self._returned(target, depth - 1)
                return found.read_by(subject) if found is not None else None
        if isinstance(subject, t.Ref):
            sent = self._sent(subject.place, depth)
            return sent.read_by(subject) if sent is not None else None
        return None

    def _makes_stream(self, call: t.Call) -> bool:
        """Whether looping over the very call that makes a connection gives its messages."""
        socket = self.sockets.of(call)
        entry = self._feeds.get(socket.library.name, {}) if socket is not None and socket.library else {}
        return bool(entry.get("loops"))

    def _is_connecting(self, subject: t.Term) -> bool:
        """`async for conn in websockets.connect(url)` gives connections, not messages."""
        return (
            isinstance(subject, t.Call)
            and self.sockets.of(subject) is not None
            and not self._makes_stream(subject)
        )

    def _filled(self, binding: Binding, depth: int) -> Message | None:
        """`conn.ReadJSON(&m)`, `json.Unmarshal(raw, &m)`: a variable that a call fills in."""
        if not binding.name:
            return None
        place = Place(binding)
        for function in self.module.functions_mentioning(binding.name):
            if binding.scope is None or not binding.scope.host.encloses(function):
                continue
            for _, call in function.cfg.calls:
                if not any(isinstance(a, t.Ref) and a.place == place for a in call.arguments):
                    continue
                socket = self._read_from(call)
                if socket is not None:
                    said = ((call.extent, "a message is read from the socket here"),)
                    return Message(
                        socket.transport,
                        Evidence(socket.evidence.confidence, said),
                        socket.library,
                        reads=(call,),
                    )
                if call.method in self.knowledge.names("message", "decodes"):
                    others = [a for a in call.arguments if not (isinstance(a, t.Ref) and a.place == place)]
                    found = self._best([*others, *([call.receiver] if call.receiver else [])], depth - 1)
                    if found is not None:
                        return found
        return None

    # -- channels and queues -----------------------------------------------------------------------

    def _sent(self, channel: Place, depth: int) -> Message | None:
        """What is sent into a channel of the file: `strokes <- k`, or by a library: `client.SubscribeChan("", strokes)`."""
        for place in handed_on(self.module, channel):
            for function in self.module.functions_mentioning(place.name):
                found = self._filling(function, place)
                if found is not None:
                    return found
                for operands in _several(function.body):
                    if len(operands) == 2 and isinstance(operands[0], t.Ref) and operands[0].place == place:
                        found = self.in_term(operands[1], depth - 1)
                        if found is not None:
                            return found
        return None

    def _filling(self, function: Function, channel: Place) -> Message | None:
        """The messages that a library puts into a channel that a call of this function gives it."""
        for step, call in function.cfg.calls:
            if call.method not in self._fills or not any(
                isinstance(a, t.Ref) and a.place == channel for a in call.arguments
            ):
                continue
            socket = self.feed(call.receiver)
            library = socket.library if socket is not None else None
            if socket is None or library is None:
                continue
            if call.method in self._feeds.get(library.name, {}).get("fills", []):
                said = strong(step.extent, f"`{call.method}` fills `{channel}` with each message")
                return Message(socket.transport, said, library)
        return None

    def _queued(self, call: t.Call, depth: int) -> Message | None:
        """`await queue.get()` of what `queue.put(message)` puts in elsewhere."""
        queue = call.receiver_place
        if (
            queue is None
            or call.arguments
            or not queue.name
            or call.method not in self.knowledge.names("message", "dequeues")
        ):
            return None
        for function in self.module.functions_mentioning(queue.name):
            for _, other in function.cfg.calls:
                if (
                    other.receiver_place == queue
                    and other.method in self.knowledge.names("message", "enqueues")
                    and other.arguments
                ):
                    found = self.in_term(other.arguments[0], depth - 1)
                    if found is not None:
                        return found.read_by(call)
        return None


def _is_made(value: t.Term) -> bool:
    return isinstance(value, t.Record) or (isinstance(value, t.Call) and value.constructs)


def _rank(message: Message) -> tuple[int, bool]:
    return (message.confidence, message.transport != "")


def _mentions(term: t.Term, binding: Binding) -> bool:
    return any(isinstance(part, t.Ref) and part.place.root is binding for part in term.walk())


def _receiver_of(value: t.Term) -> tuple[t.Call | None, str | None]:
    """The call that a function value is an argument of, and the name where it is an entry of an options object."""
    parent = value.parent
    if isinstance(parent, t.Call) and value is not parent.callee:
        keyword = next((name for name, v in parent.keywords if v is value), None)
        return parent, keyword
    if isinstance(parent, t.Record):
        key = next((k for k, v in parent.entries if v is value), None)
        outer = parent.parent
        if key is not None and isinstance(outer, t.Call) and parent is not outer.callee:
            return outer, key
    return None, None


def _several(body: object) -> Iterator[list[t.Term]]:
    """The operands of every statement that is an operation of its own kind, at any depth of a body."""
    if isinstance(body, list):
        for entry in body:
            yield from _several(entry)
    elif isinstance(body, t.Evaluate):
        if isinstance(body.term, t.Several):
            yield body.term.operands
    elif isinstance(body, (t.Statement, t.Case, t.Handler)) and is_dataclass(body):
        for field in fields(body):
            yield from _several(getattr(body, field.name))
