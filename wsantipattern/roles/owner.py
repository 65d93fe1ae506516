"""Owners of timers: the connection that an object keeps, what runs when it closes, and the ends at which it is let go.

An end is a function that closes the connection, or clears a timer, for good: the cleanup that an effect returns, a
function registered for a component's end, a method that a framework calls at the end, or one whose name says so.
A function that also connects anew, and one that the connection's own handlers or timers call, is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import atom, plain, returns, truth
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers, visible_in
from wsantipattern.record import record
from wsantipattern.roles.event import Events, Registration
from wsantipattern.roles.hearing import Hearing
from wsantipattern.roles.owner_timer import OwnerTimers
from wsantipattern.roles.socket import Library, Sockets
from wsantipattern.roles.timer import Timers
from wsantipattern.roles.words import any_of, of_place, split

DEPTH = 4
"""Calls of the file that are followed."""

ALIASES = 4
"""Rounds in which the other places of one connection are looked for."""


@record(frozen=True, slots=True, eq=False)
class Link:
    """A connection that an owner keeps.

    Attributes:
        places: every place of the file that holds it.
        library: of the connection, where known; is_strong: more than a word says that it is one.
        handlers: the functions that run when it has closed.
        makers: the functions that make it.
        sends: methods that send on it, where no library says so.
        writers: places of what writes on it: `json.NewEncoder(conn)`, or an object whose connection it is.
    """

    places: frozenset[Place]
    library: Library | None
    is_strong: bool
    handlers: tuple[Function, ...]
    makers: frozenset[Function]
    sends: frozenset[str] = frozenset()
    writers: frozenset[Place] = frozenset()


@record(frozen=True, slots=True, eq=False)
class End:
    """A function at which an owner ends.

    Attributes:
        function: what runs. kind: `effect`, `hook`, `contract`, `event` (the connection's close handler), `method`
            (a public one whose name says so), `named` (any other, and what a function returns for its caller to end
            it), `last` (a method that clears a timer which only making the object and the timer itself arm), or `plain`
            (nothing but what it does says so).
        link: the connection that it closes, or None; closing: the call that does, as seen from `function`.
    """

    function: Function
    kind: str
    link: Link | None = None
    closing: Step | None = None

    @property
    def is_sure(self) -> bool:
        """Whether it ends its owner by contract."""
        return self.kind in ("effect", "hook", "contract")


class Owners:
    """The connections and the ends of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        sockets: Sockets,
        timers: Timers,
        hearing: Hearing,
        kept: OwnerTimers,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.timers = timers
        self.hearing = hearing
        self.kept = kept
        self._runs: dict[tuple[Function, int], list[Function]] = {}

    def own(self, place: Place) -> Place:
        """The place that a variable was given from, as the methods of its object name it: `c.conn` of a `*Client` that a hub
        is handed is the client's own."""
        place = self.sockets.own(place)
        root = place.root
        if not place.path or root.kind not in ("local", "parameter"):
            return place
        owner = self.module.class_of(Place(root))
        return Place(owner.this, place.path) if owner is not None and owner.name else place

    def holds(self, link: Link, place: Place | None) -> bool:
        """Whether a place is one of a connection's, as it is written or as the methods of its object name it."""
        return place is not None and (place in link.places or self.own(place) in link.places)

    def sees(self, function: Function, place: Place) -> bool:
        """Whether code of a function can name a place, be it by another object of the same class that it is handed."""
        root = place.root
        if visible_in(root, function):
            return True
        if root.kind != "this" or root.owner is None or not root.owner.name:
            return False
        key = ("handed", function)
        memo = self.module.memo
        if key not in memo:
            roots = {
                part.place.root
                for step in function.cfg.steps
                for part in (step.term.walk() if step.term is not None else ())
                if isinstance(part, t.Ref)
                and part.place.path
                and part.place.root.kind in ("local", "parameter")
            }
            memo[key] = {self.module.class_of(Place(r)) for r in roots}
        return root.owner in memo[key]

    # -- what runs ---------------------------------------------------------------------------------

    def run_by(self, function: Function, depth: int = DEPTH) -> list[Function]:
        """A function and those of the file that it calls or spawns, nearest first."""
        key = (function, depth)
        if key not in self._runs:
            found: dict[Function, None] = {function: None}
            todo = [(function, depth)]
            while todo:
                current, left = todo.pop(0)
                if left <= 0:
                    continue
                for step in current.cfg.of_kind("call", "spawn"):
                    callee = self.module.resolve(step.call) if step.call is not None else None
                    if callee is not None and callee not in found:
                        found[callee] = None
                        todo.append((callee, left - 1))
            self._runs[key] = list(found)
        return self._runs[key]

    def callers_of(self, function: Function, depth: int = DEPTH) -> list[Function]:
        """The functions of the file that run a function, nearest first."""
        found: dict[Function, None] = {}
        todo = [(function, depth)]
        while todo:
            current, left = todo.pop(0)
            if left <= 0:
                continue
            for caller, _ in callers(current):
                if caller not in found and caller is not function:
                    found[caller] = None
                    todo.append((caller, left - 1))
        return list(found)

    # -- connections -------------------------------------------------------------------------------

    @cached_property
    def links(self) -> list[Link]:
        """The connections of the module that are closed, or whose close is heard, in order of appearance."""
        found: list[Link] = []
        known: set[Place] = set()
        for place in self._candidates():
            if place in known or ELEMENT in place.path:
                continue
            group = self._aliases(place)
            known |= group
            link = self._link(group)
            if link is not None:
                found.append(link)
        found.extend(self._protocols())
        return found

    def _protocols(self) -> Iterator[Link]:
        """The transports of objects that an event loop tells of their connection: asyncio's protocols, and their like."""
        entries = self.knowledge.entries("owner", "protocol")
        for owner in self.module.classes:
            entry = next((e for e in entries if not set(owner.bases).isdisjoint(e["bases"])), None)
            if entry is None:
                continue
            made, lost = owner.methods.get(entry["made"]), owner.methods.get(entry["lost"])
            given = Place(made.parameters[0]) if made is not None and made.parameters else None
            group = frozenset() if given is None else self._aliases(given)
            if "field" in entry:
                group |= {Place(owner.this).field(entry["field"])}
            if group:
                handlers = () if lost is None else (lost,)
                makers = frozenset() if made is None else frozenset({made})
                own = frozenset({Place(owner.this)}) if "own" in entry else frozenset()
                sends = frozenset((*entry["sends"], *entry.get("own", ())))
                yield Link(group, None, True, handlers, makers, sends, own)

    def _candidates(self) -> Iterator[Place]:
        for registration in self._closings:
            place = self._emitter(registration.emitter)
            if place is not None:
                yield place
        for _, step in self._own_close_calls:
            if step.call is not None and step.call.receiver_place is not None:
                yield self.own(step.call.receiver_place)
        for step in self._handed_closes:
            for place, _ in self._closed_by(step):
                yield place
        for owner in self.module.classes:
            if owner.bases:
                yield Place(owner.this)

    @cached_property
    def _closings(self) -> list[Registration]:
        return self.events.registrations(*self.knowledge.names("owner", "events"))

    def _emitter(self, emitter: t.Term | None) -> Place | None:
        if isinstance(emitter, t.Ref):
            return self.own(emitter.place)
        if isinstance(emitter, t.Call):
            # An option of the call that makes it: the place that the call is stored to.
            parent = emitter.parent
            while isinstance(parent, t.Suspend):
                parent = parent.parent
            if isinstance(parent, t.Store) and isinstance(parent.target, t.Ref):
                return self.own(parent.target.place)
        return None

    @cached_property
    def closing_words(self) -> frozenset[str]:
        return self.knowledge.names("owner", "closes").union(*(lib.closes for lib in self.sockets.libraries))

    @cached_property
    def _close_calls(self) -> list[tuple[Function, Step]]:
        handed = [(function, step) for step, function in self._handed_closes.items()]
        return [*self._own_close_calls, *handed]

    @cached_property
    def _own_close_calls(self) -> list[tuple[Function, Step]]:
        found: dict[Step, Function] = {}
        for word in sorted(self.closing_words):
            for function in self.module.functions_mentioning(word):
                for step in function.cfg.of_kind("call", "spawn"):
                    if step.call is not None and step.call.method == word and step.call.receiver is not None:
                        found[step] = function
        return [(function, step) for step, function in found.items()]

    def _aliases(self, place: Place) -> frozenset[Place]:
        group = {place}
        new = [place]
        for _ in range(ALIASES):
            found: set[Place] = set()
            for known in new:
                if not known.name:
                    continue
                for _, store in self.module.stores_to(known):
                    found.update(self._kept_in(store.value))
                for function in self.module.functions_mentioning(known.name):
                    for step, store in function.cfg.assignments:
                        if step.target is not None and known in set(self._kept_in(store.value)):
                            found.add(step.target)
            new = [p for p in found if p not in group and ELEMENT not in p.path]
            group.update(new)
            if not new:
                break
        return frozenset(group)

    def _kept_in(self, value: t.Term) -> Iterator[Place]:
        """The places whose value an assigned term is."""
        if isinstance(value, t.Ref):
            yield self.own(value.place)
        elif isinstance(value, t.Store) and isinstance(value.target, t.Ref):
            yield value.target.place
            yield from self._kept_in(value.value)
        elif isinstance(value, t.Logic):
            yield from self._kept_in(value.left)
            yield from self._kept_in(value.right)
        elif isinstance(value, t.Call) and not value.constructs:
            # `const ws = connect()`: what the function of the file gives.
            callee = self.module.resolve(value)
            for answer, _ in returns(callee) if callee is not None and not callee.is_generator else ():
                if isinstance(answer, t.Ref):
                    yield self.own(answer.place)

    def _link(self, group: frozenset[Place]) -> Link | None:
        sockets = [s for s in map(self.sockets.at, sorted(group, key=str)) if s is not None]
        strong = next((s for s in sockets if s.evidence.is_strong), None)
        library = strong.library if strong is not None else None
        if library is not None and library.transport == "other":
            return None
        # What connects again by itself has only closed for good where it is told to.
        heard = () if library is not None and library.reconnects else self._closings
        handlers = dict.fromkeys(r.handler for r in heard if self._hears(r.emitter, r.handler, group))
        makers = frozenset(self._makers(group))
        stream = None if strong is not None else self._stream(group)
        if strong is None and stream is None and not (sockets or (handlers and makers)):
            return None
        sends = frozenset(stream["sends"]) if stream is not None else frozenset()
        is_strong = strong is not None or stream is not None
        return Link(group, library, is_strong, tuple(handlers), makers, sends, self._writers(group))

    def _stream(self, group: frozenset[Place]) -> dict[str, Any] | None:
        """What is known of a connection without messages, such as a TCP socket, by its type or what makes it."""
        entries = self.knowledge.entries("owner", "stream")
        types = {self.module.made_type(place) for place in group}
        for place in group:
            for _, store in self.module.stores_to(place):
                made: t.Term | None = store.value.call if isinstance(store.value, t.Result) else store.value
                made = made.value if isinstance(made, t.Suspend) else made
                types.add(self.module.typed_name(made.callee) if isinstance(made, t.Call) else None)
        return next((entry for entry in entries if not types.isdisjoint(entry["types"])), None)

    def _writers(self, group: frozenset[Place]) -> frozenset[Place]:
        """The places of what is made of a connection to write on it."""
        wraps = self.knowledge.names("owner", "wraps")
        found: set[Place] = set()
        for word in {name.rpartition(".")[2] for name in wraps}:
            for function in self.module.functions_mentioning(word):
                for step in function.cfg.steps:
                    for part in step.term.walk() if step.term is not None else ():
                        if isinstance(part, t.Call) and (self.module.canonical(part.callee) or "") in wraps:
                            found.update(self._written_by(part, group))
        return frozenset(found)

    def _written_by(self, made: t.Call, group: frozenset[Place]) -> Iterator[Place]:
        """Where something that writes on a connection is kept, when it is made of it."""
        around = made.parent
        given = {self.own(a.place) for a in made.arguments if isinstance(a, t.Ref)}
        if isinstance(around, t.Store) and isinstance(around.target, t.Ref) and given & group:
            yield around.target.place
        owner = self._class_named(around.type_name) if isinstance(around, t.Record) else None
        if owner is not None and isinstance(around, t.Record):
            this = Place(owner.this)
            beside = {
                self.own(v.place)
                for name, v in around.entries
                if isinstance(v, t.Ref) and name is not None and this.field(name) in group
            }
            if given & (group | beside):
                yield from (this.field(name) for name, v in around.entries if v is made and name is not None)

    def _class_named(self, name: str | None) -> Class | None:
        last = (name or "").rpartition(".")[2]
        return next((c for c in self.module.classes if c.name == last), None) if last else None

    def _hears(self, emitter: t.Term | None, handler: Function, group: frozenset[Place]) -> bool:
        if emitter is None:
            # A method that a base class calls: the object itself is the connection.
            return handler.owner is not None and Place(handler.owner.this) in group
        place = self._emitter(emitter)
        return place is not None and place in group

    def _makers(self, group: frozenset[Place]) -> Iterator[Function]:
        for place in group:
            for function, store in self.module.stores_to(place):
                if self._makes(store.value):
                    yield function

    def _makes(self, value: t.Term, depth: int = 2) -> bool:
        if isinstance(value, t.Store):
            return self._makes(value.value, depth)
        if isinstance(value, t.Result):
            return value.index == 0 and self._makes(value.call, depth)
        if isinstance(value, t.Suspend):
            return value.value is not None and self._makes(value.value, depth)
        if isinstance(value, (t.Logic, t.Choice)):
            return any(self._makes(v, depth) for v in value.children())
        if not isinstance(value, t.Call):
            return False
        if self.sockets.makes(value) or value.constructs:
            return True
        if split(value.method)[:1] and split(value.method)[0] in self.knowledge.names("owner", "makes"):
            return True
        callee = self.module.resolve(value)
        return (
            callee is not None
            and depth > 0
            and any(
                self._makes(call, depth - 1)
                for function in self.run_by(callee, 1)
                for _, call in function.cfg.calls
                if call.constructs or self.sockets.makes(call)
            )
        )

    def makes(self, link: Link, function: Function, step: Step) -> bool:
        """Whether a step makes the connection anew."""
        store = step.store
        return store is not None and self.holds(link, step.target) and self._makes(store.value)

    def receives(self, link: Link | None) -> list[tuple[Function, Step]]:
        """The steps that take a message from the connection, and so end when it is closed."""
        found: list[tuple[Function, Step]] = []
        for function, step in self.hearing.receives if link is not None else ():
            place = step.call.receiver_place if step.call is not None else None
            if isinstance(step.term, t.Ref):
                place = step.term.place
            if link is not None and place is not None and self.own(place) in link.places:
                found.append((function, step))
        return found

    def makes_another(self, step: Step) -> bool:
        """Whether a step makes a connection of a known library, wherever it is kept."""
        return step.kind == "call" and step.call is not None and self.sockets.makes(step.call)

    def closes(self, link: Link, step: Step) -> bool:
        """Whether a step closes the connection, or hands it to a function of the file that closes it."""
        call = step.call
        if call is None or step.kind not in ("call", "spawn"):
            return False
        words = link.library.closes if link.library is not None else self.closing_words
        place = call.receiver_place
        if call.method in words and place is not None and self.own(place) in link.places:
            return True
        return any(place in link.places and not words.isdisjoint(how) for place, how in self._closed_by(step))

    def _closed_by(self, step: Step) -> Iterator[tuple[Place, set[str]]]:
        """What a call hands to a function of the file that closes it, and the words it does so with."""
        call = step.call
        callee = self.module.resolve(call) if step in self._handed_closes and call is not None else None
        if callee is None or call is None:
            return
        for parameter, words in self._closed_parameters[callee].items():
            value = call.argument(callee.parameters.index(parameter), parameter.name)
            if isinstance(value, t.Ref):
                yield self.own(value.place), words

    @cached_property
    def _closed_parameters(self) -> dict[Function, dict[Binding, set[str]]]:
        """The parameters that functions of the file close, and the words they do it with."""
        found: dict[Function, dict[Binding, set[str]]] = {}
        for function, step in self._own_close_calls:
            place = step.call.receiver_place if step.call is not None else None
            if (
                step.call is not None
                and place is not None
                and place.root in function.parameters
                and not place.path
            ):
                found.setdefault(function, {}).setdefault(place.root, set()).add(step.call.method)
        return found

    @cached_property
    def _handed_closes(self) -> dict[Step, Function]:
        """The calls of functions that close what they are given, and the functions that they stand in."""
        return {step: caller for closer in self._closed_parameters for caller, step in callers(closer)}

    # -- ends --------------------------------------------------------------------------------------

    @cached_property
    def _sure(self) -> dict[Function, str]:
        """The functions that end a component or an object by contract."""
        found: dict[Function, str] = {}
        options = self.knowledge.names("owner", "options")
        contracts = self.knowledge.names("owner", "contracts") | options
        for function in self.module.functions:
            if function.owner is not None and _last(function) in contracts:
                if _last(function) in options and self._is_plain_class(function.owner):
                    continue
                found[function] = "contract"
        hooks, effects = self.knowledge.names("owner", "hooks"), self.knowledge.names("owner", "effects")
        for word in sorted(hooks | effects):
            for function in self.module.functions_mentioning(word):
                for _, call in function.cfg.calls:
                    if call.method != word or not call.arguments:
                        continue
                    handler = self.module.resolve_value(call.arguments[0])
                    if handler is None:
                        continue
                    if word in hooks:
                        found[handler] = "hook"
                        continue
                    for step in handler.cfg.of_kind("return"):
                        value = step.statement.value if isinstance(step.statement, t.Return) else None
                        cleanup = self.module.resolve_value(value)
                        if cleanup is not None:
                            found[cleanup] = "effect"
        return found

    def _is_plain_class(self, owner: Class) -> bool:
        """Whether something is a class of its own, and no object of options."""
        made = any(f.kind == "constructor" and f.owner is owner for f in self.module.functions)
        return made and not owner.bases

    def ends_of(self, link: Link) -> list[End]:
        """The ends at which a connection is closed for good, those by contract first."""
        closing: dict[Function, Step] = {}
        for function, step in self._close_calls:
            if self.closes(link, step):
                closing.setdefault(function, step)
        todo = [(f, DEPTH) for f in closing]
        while todo:
            current, left = todo.pop(0)
            for caller, step in callers(current) if left > 0 else ():
                if caller not in closing:
                    closing[caller] = step
                    todo.append((caller, left - 1))
        found = []
        for function, step in closing.items():
            kind = self.kind_of(function)
            if kind is not None and not self._goes_on(function, link):
                found.append(End(function, kind, link, step))
        return sorted(found, key=lambda end: (not end.is_sure, end.kind == "plain", end.function.extent))

    @cached_property
    def last_ends(self) -> list[End]:
        """The functions that end a component, an object or a scope for good, whatever they close, those by contract first."""
        last = self.knowledge.names("owner", "final")
        named = {f: _last(f).lstrip("_#") for f in self.module.functions if f not in self._sure}
        found = [End(f, kind) for f, kind in self._sure.items()]
        for function, name in named.items():
            if name in last or name[:1].lower() + name[1:] in last:
                kind = self.kind_of(function)
                # Whoever of the file calls it may do more.
                if not self.callers_of(function, 1) and (
                    kind == "method" or (kind == "named" and function.owner is None)
                ):
                    found.append(End(function, kind))
        known = {end.function for end in found}
        found.extend(End(f, self.kind_of(f) or "named") for f in self.switches if f not in known)
        return found

    def kind_of(self, function: Function) -> str | None:
        """In which way a function ends its owner, or None where it runs in the middle of the owner's life."""
        if function in self._sure:
            return self._sure[function]
        if function.kind in ("top", "constructor"):
            return None
        is_switch, is_named = function in self.switches, self.is_named_end(function)
        for caller in (function, *self.callers_of(function)):
            if caller not in self._sure and self.is_machine(caller):
                # What the connection itself runs ends the owner where others may call it, and nothing begins anew there.
                ends = is_switch or (is_named and function.kind == "method" and not function.is_private)
                if not ends or self.begins(caller):
                    return None
        if not is_named:
            return "named" if is_switch or self._is_returned(function) else "plain"
        is_public = function.kind == "method" and not _last(function).startswith(("_", "#"))
        return "method" if is_public else "named"

    def _is_returned(self, function: Function) -> bool:
        """Whether a nameless function is what the function around it returns, by itself or as an object's end."""
        if function.kind != "lambda" or function.binding is not None or function.parent is None:
            return False
        for answer, _ in returns(function.parent.host):
            for part in answer.children() if isinstance(answer, t.Sequence) else (answer,):
                if isinstance(part, t.Closure) and part.function is function:
                    return True
                entries = part.entries if isinstance(part, t.Record) else ()
                if any(
                    isinstance(value, t.Closure)
                    and value.function is function
                    and name is not None
                    and self._says_end(name)
                    for name, value in entries
                ):
                    return True
        return False

    @cached_property
    def switches(self) -> dict[Function, Place]:
        """The functions that switch a field which is never switched back, and with which no timer is armed any more."""
        asked: dict[Place, bool] = {}
        for function in self._leading_to_arming:
            for step in function.cfg.of_kind("test"):
                asked.update(self._keeping_from_arming(function, step))
        found: dict[Function, Place] = {}
        for place in sorted(asked, key=str):
            stores = self.module.stores_to(place)
            later = [(f, s) for f, s in stores if f.kind not in ("top", "constructor") and not s.declares]
            begun = [s for f, s in stores if (f, s) not in later]
            value = asked[place]
            if all(truth(s) is value and isinstance(s.value, t.Constant) for _, s in later) and all(
                truth(s) is not value for s in begun
            ):
                found.update(
                    (f, place)
                    for f, _ in later
                    if not any(c.kind in ("top", "constructor") for c in self.callers_of(f))
                )
        return found

    @cached_property
    def _leading_to_arming(self) -> dict[Function, set[Step]]:
        """The functions of objects that arm a timer, and their callers, with the steps that lead there."""
        found: dict[Function, set[Step]] = {}
        todo: list[tuple[Function, Step]] = [(armed.function, armed.step) for armed in self.kept.armed]
        while todo:
            function, step = todo.pop()
            is_new = function not in found
            found.setdefault(function, set()).add(step)
            if is_new:
                todo.extend(callers(function))
        return found

    def _keeping_from_arming(self, function: Function, step: Step) -> Iterator[tuple[Place, bool]]:
        """The field, with its truth, that keeps a function from arming a timer: `if (this.over) return`."""
        decided = atom(plain(step.term, self.module)) if step.term is not None else None
        place = decided[0][1] if decided is not None and len(decided[0]) == 2 else None
        if decided is None or decided[0][0] != "set" or not isinstance(place, Place):
            return
        if place.root.kind != "this" or len(place.path) != 1:
            return
        goals, cfg = self._leading_to_arming[function], function.cfg
        for value in (True, False):
            label = "true" if decided[1] is value else "false"
            edges = [edge for edge in step.edges if edge.label == label]
            if edges and not any(
                edge.target in goals or cfg.path(edge.target, goals, avoiding={step}) is not None
                for edge in edges
            ):
                yield place, value

    def begins(self, function: Function) -> bool:
        """Whether a function makes a connection, or arms a timer that does."""
        ran = self.run_by(function)
        for armed in self.kept.armed:
            if any(self.kept.arms(armed, f, s) for f in ran for s in f.cfg.steps):
                ran = [*ran, *self.run_by(armed.callback)]
        makers = frozenset().union(*(link.makers for link in self.links))
        return any(f in makers or any(map(self.makes_another, f.cfg.steps)) for f in dict.fromkeys(ran))

    def only_tells(self, call: t.Call) -> bool:
        """Whether a call of another file writes a line to a log, or says something of what it is given and keeps nothing of
        it: `log.info("%s gone", self)`, `crowd.leave(id(self))`."""
        on, loggers = call.receiver_place, self.knowledge.names("owner", "loggers")
        if on is not None and any_of(of_place(on), loggers):
            return True
        made = on.root.initial if on is not None and on.root.constant and not on.path else None
        if isinstance(made, t.Call) and any_of(split(self.module.canonical(made.callee) or ""), loggers):
            return True  # `notes = logging.getLogger("guide")`, by any name
        words = split(call.method) if call.receiver is None else []
        if words[:1] and words[0] in loggers and words[1:2] not in (["in"], ["out"], ["on"], ["off"]):
            return True  # `logDebug(...)`, of a project's own file; `logOut()` is none.
        return (self.module.canonical(call.callee) or "") in self.knowledge.names("owner", "inspects")

    def is_named_end(self, function: Function) -> bool:
        """Whether the name of a function says that it ends something."""
        return self._says_end(_last(function).lstrip("_#"))

    def releases(self, function: Function) -> bool:
        """Whether the whole name of a function says that it ends its object, or lets go of what it held."""
        name = _last(function).lstrip("_#")
        names = self.knowledge.names
        return name in names("owner", "ends") | names("owner", "final") | names("owner", "releases")

    def _says_end(self, name: str) -> bool:
        words, ends = split(name), self.knowledge.names("owner", "ends")
        return bool(words) and (words[0] in ends or name in ends)

    def is_machine(self, function: Function) -> bool:
        """Whether a function runs by itself: a handler of events, what a timer runs, what makes a connection."""
        if function in self.callbacks or any(function in link.makers for link in self.links):
            return True
        return self._is_heard(function) or any(
            r.function is not None or (r.word == "method" and self._is_connection(function))
            for r in self.events.of_handler(function)
        )

    def _is_heard(self, function: Function) -> bool:
        """Whether an event loop calls a method of a protocol by this name."""
        owner = function.owner
        return owner is not None and any(
            _last(function) in (entry["made"], entry["lost"], *entry["heard"])
            for entry in self.knowledge.entries("owner", "protocol")
            if not set(owner.bases).isdisjoint(entry["bases"])
        )

    def _is_connection(self, function: Function) -> bool:
        """Whether a method's object is a connection by its base class: then the framework calls it."""
        return function.owner is not None and self.sockets.at(Place(function.owner.this)) is not None

    def is_inner(self, function: Function) -> bool:
        """Whether a function is part of a connection's life: it runs by itself, or only what does so calls it."""
        if self.is_machine(function):
            return True
        outer = self.callers_of(function)
        return bool(outer) and all(self.is_machine(f) or self.callers_of(f) for f in outer)

    @cached_property
    def callbacks(self) -> set[Function]:
        """What the module's timers run."""
        return {armed.callback for armed in self.kept.armed}

    @cached_property
    def timer_places(self) -> frozenset[Place]:
        """Where the timers are kept."""
        return self.kept.places

    def _goes_on(self, function: Function, link: Link) -> bool:
        """Whether a function makes a connection itself, or what it calls does."""
        return any(f in link.makers for f in self.run_by(function))


def _last(function: Function) -> str:
    return function.name.rpartition(".")[2]
