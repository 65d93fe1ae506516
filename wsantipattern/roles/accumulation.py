"""Accumulations: places where content of incoming messages is added to what is already there.

An addition is a term that joins what a place holds with content of a message and goes back to the same place, in any
spelling: `x += m`, concatenation, template, join, format, spread, the entry of a rebuilt record, a state updater; or a
call that appends to a list, a builder or an element of a page. Guarantees that the place outlives the message and that
the content is no number. Whether it is proven new is for `newness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Key
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Binding, Place
from wsantipattern.record import record
from wsantipattern.roles.cap import Caps
from wsantipattern.roles.destination import Destinations
from wsantipattern.roles.event import Events
from wsantipattern.roles.holder import Found, Holder, Holders
from wsantipattern.roles.join import Joins, is_string, unspread
from wsantipattern.roles.lifetime import Lifetimes
from wsantipattern.roles.message import Message, Messages
from wsantipattern.roles.nature import Natures
from wsantipattern.roles.newness import Newness
from wsantipattern.roles.reconnect import Reconnects
from wsantipattern.roles.renewal import Renewals
from wsantipattern.roles.socket import Sockets
from wsantipattern.roles.words import any_of, split

MANY = 3
"""Additions of a function to one place that are reported by themselves; of more, the first stands for all."""

_NUMERIC = frozenset({"-", "*", "/", "**", "%", "&", "|", "^", "<<", ">>"})


@record(frozen=True, slots=True, eq=False)
class Addition:
    """Content of a message is added to what a place holds.

    Attributes:
        function, step: where it happens.
        extent: the addition itself.
        kept: what it is added to.
        name: `kept`, as written.
        added: the parts that bring the content.
        message: where it comes from.
        kind: `text`, `list`, or "" where the file does not tell.
        term: the term of `extent`.
        others: the further additions to `kept` that this one stands for.
    """

    function: Function
    step: Step
    extent: t.Extent
    kept: Holder
    name: str
    added: tuple[t.Term, ...]
    message: Message
    kind: str
    term: t.Term
    confidence: Confidence
    others: tuple[t.Extent, ...] = ()


class Accumulations:
    """The accumulations of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets, messages: Messages
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.messages = messages
        self.sockets = sockets
        self.holders = Holders(module, knowledge, messages.invocations)
        self.joins = Joins(knowledge)
        self.caps = Caps(module, knowledge, self.holders)
        self.destinations = Destinations(module, knowledge, self.holders)
        self.natures = Natures(module, knowledge, self.holders, self.joins, self.destinations)
        self.lifetimes = Lifetimes(
            module, knowledge, events, sockets, messages, self.holders, self.destinations
        )
        self.renewals = Renewals(
            module, knowledge, events, sockets, messages, self.holders, self.destinations
        )
        self.reconnects = Reconnects(module, knowledge, events, sockets)
        self.newness = Newness(module, knowledge, messages, self.holders)
        self.in_tests = any(map(module.imports_from, knowledge.names("accumulation", "tests")))

    def unguarded(self) -> list[Addition]:
        """The additions that nothing proves new, in order, one a place in the text."""
        found: dict[t.Extent, Addition] = {}
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for addition in self._additions(function):
                if addition.extent not in found and not self._is_harmless(addition):
                    found[addition.extent] = addition
                    if self.module.considered.active:
                        self._account_for(addition)
        return self._summed(sorted(found.values(), key=lambda a: a.extent))

    def _summed(self, additions: list[Addition]) -> list[Addition]:
        """The additions, of which the first stands for all where a function makes many to one place: a handler that writes
        each of thirty kinds of messages to its log has one fault, not thirty."""
        beside: dict[tuple[Function, Holder], list[Addition]] = {}
        for addition in additions:
            beside.setdefault((addition.function, addition.kept), []).append(addition)
        found: list[Addition] = []
        for addition in additions:
            first, *others = beside[addition.function, addition.kept]
            if len(others) < MANY:
                found.append(addition)
            elif addition is first:
                found.append(replace(first, others=tuple(other.extent for other in others)))
            else:
                what = "this is reported once, where `{}` is first added to"
                self.module.considered.silent(addition.extent, what, first.name, at=first.extent)
        return found

    def _account_for(self, a: Addition) -> None:
        """Takes down what made an addition a finding."""
        considered = self.module.considered
        for at, reason in a.message.evidence.reasons:
            considered.evidence(
                a.extent, "this is content of a message: {}", reason, at=at if at != (0, 0) else None
            )
        what = "`{}` outlives the message, and no test on the way sets the content against what is there"
        considered.evidence(a.extent, what, a.name)
        if a.confidence < Confidence.HIGH:
            if a.message.confidence < Confidence.HIGH:
                considered.weaker(a.extent, "only names say that this is a message of a transport")
            elif not a.kind:
                considered.weaker(a.extent, "the file does not tell what `{}` is: a text, a list", a.name)
            else:
                considered.weaker(a.extent, "`{}` lives as long as one connection", a.name)

    def _is_harmless(self, a: Addition) -> bool:
        considered = self.module.considered
        if self.in_tests:
            considered.silent(a.extent, "a test takes down whatever comes, what comes twice too")
            return True
        once = self.reconnects.never(a.message.library)
        if once is not None:
            what = "this connection does not come back: its library is not asked to, or its failure closes it"
            considered.silent(a.extent, what, at=once)
            return True
        test = self.newness.proven(a.function, a.step, a.kept, a.term)
        if test is not None:
            considered.silent(
                a.extent, "a test on the way lets only through what is new to `{}`", a.name, at=test
            )
            return True
        for part in a.added:
            if self.newness.filtered(part, a.kept, a.function):
                what = "what is added has gone through a filter, or is cut to what `{}` lacks"
                considered.silent(a.extent, what, a.name, at=part.extent)
                return True
        gone = self._taken_away(a)
        if gone is not None:
            considered.silent(a.extent, "what is added to `{}` is taken away again", a.name, at=gone)
            return True
        joined = next((at for part in a.added if (at := self._with_link(part)) is not None), None)
        if joined is not None and a.kind != "text":
            what = (
                "what is added to `{}` stands for a connection that is there now: it is registered, not shown"
            )
            considered.silent(a.extent, what, a.name, at=joined)
            return True
        places = (a.kept, *self.holders.outside(a.kept))
        slid = self._slides(a)
        if slid is not None:
            what = "`{}` is a window of a fixed length: each addition pushes the oldest out"
            considered.silent(a.extent, what, a.name, at=slid)
            return True
        cut = self.caps.of(a.function, a.kept, a.term) if a.kind == "list" else None
        if cut is not None:
            what = "`{}` keeps only its newest items, so that what comes twice is soon gone"
            considered.silent(a.extent, what, a.name, at=cut)
            return True
        taken = next((at for p in places if (at := self.lifetimes.consumed(p, a.kind == "text"))), None)
        if taken is not None:
            what = "`{}` is worked off: what is in it is taken out again"
            considered.silent(a.extent, what, a.name, at=taken)
            return True
        if a.kind != "text" and any_of(split(a.kept.name), self.knowledge.names("accumulation", "queues")):
            considered.silent(a.extent, "`{}` is named for what waits until another part takes it", a.name)
            return True
        emptied = self.renewals.begun_anew(a.kept)
        if emptied is not None:
            what = "`{}` is emptied whenever a connection is made or ended, so what is sent again is wanted"
            considered.silent(a.extent, what, a.name, at=emptied)
            return True
        emptied = self.renewals.begun_for_message(a.function, a.step, a.kept, a.message)
        if emptied is not None:
            considered.silent(a.extent, "`{}` is emptied for each message", a.name, at=emptied)
            return True
        if self.lifetimes.is_made_with_link(a.kept, a.message) or self.lifetimes.is_handshake(
            a.kept, a.message
        ):
            considered.silent(a.extent, "`{}` is made anew together with the connection", a.name)
            return True
        # What a handler adds to is there between two messages, for anybody who holds it.
        unread = a.kind == "text" and not a.message.reads
        if not unread and self.lifetimes.ends_with_link(a.kept, a.message) and not self._is_shown(a):
            what = "`{}` lives as long as one connection, which does not come back by itself"
            considered.silent(a.extent, what, a.name)
            return True
        return False

    def _with_link(self, part: t.Term) -> t.Extent | None:
        """Where the connection itself is put into what is added: `seats.push({ socket, name })`."""
        made = part
        if isinstance(part, t.Ref) and part.place.root.constant and not part.place.path:
            made = part.place.root.initial or part
        values = [value for _, value in made.entries] if isinstance(made, t.Record) else []
        if isinstance(made, t.Call) and made.constructs:
            values = [*made.arguments, *(value for _, value in made.keywords)]
        for value in values:
            found = self.sockets.of(value) if isinstance(value, t.Ref) else None
            if found is not None and found.evidence.is_strong:
                return value.extent
        return None

    def _taken_away(self, a: Addition) -> t.Extent | None:
        """Where an element that is added to a page is removed again: a toast, a burst of hearts."""
        removes = self.knowledge.names("accumulation", "removes")
        for part in a.added:
            if not isinstance(part, t.Ref) or part.place.path or not part.place.name:
                continue
            for function in self.module.functions_mentioning(part.place.name):
                for step, call in function.cfg.calls:
                    on_it = call.receiver_place == part.place and not call.arguments
                    if on_it and call.method in removes:
                        return step.extent
        return None

    def _slides(self, a: Addition) -> t.Extent | None:
        """Where the run that adds to a list always takes one out of it as well: `rates.shift(); rates.push(rate)`."""
        cfg = a.function.cfg
        for step, call in cfg.calls:
            place = call.receiver_place
            if (
                place is None
                or step is a.step
                or call.method not in self.knowledge.names("owner", "takes")
                or self.holders.of(call.receiver) != a.kept
            ):
                continue
            there: list[tuple[Key, bool]] = [(("set", place), True)]
            if (
                cfg.path(cfg.entry, {a.step}, avoiding={step}, given=there) is None
                or cfg.path(a.step, {cfg.exit}, avoiding={step}, given=there) is None
            ):
                return step.extent
        return None

    def _is_shown(self, a: Addition) -> bool:
        return self.lifetimes.is_shown(a.function, a.step, a.kept, a.term)

    def _additions(self, function: Function) -> Iterator[Addition]:
        seen: set[int] = set()
        for step in function.cfg.steps:
            if step.kind not in ("call", "assign", "return", "suspend", "spawn") or step.term is None:
                continue
            if self.module.considered.active:
                self._account_for_replacement(step)
            for term in step.term.walk():
                if id(term) in seen:
                    continue
                seen.add(id(term))
                if isinstance(term, t.Store) and term.op == "+":
                    yield from self._grown(function, step, term)
                elif isinstance(term, t.Call) and term is step.term:
                    yield from self._appended(function, step, term)
                parts = self.joins.parts(term)
                if parts and not self.joins.is_inner(term):
                    yield from self._joined(function, step, term, parts)

    def _make(
        self,
        function: Function,
        step: Step,
        term: t.Term,
        kept: Holder,
        name: str,
        added: Iterable[t.Term],
        kind: str,
    ) -> Iterator[Addition]:
        parts = tuple(part for part in added if self._is_content(part))
        message = self._message(parts)
        considered = self.module.considered
        if message is None:
            if considered.active:
                self._account_for_no_message(term, name, parts)
            return
        if not self.lifetimes.outlives(kept, message, function):
            what = "`{}` is begun anew for each message or connection"
            considered.silent(term.extent, what, name)
            return
        if not message.transport and function.kind != "top":
            # Names alone, outside of a fragment that has nothing but names.
            what = "only names say that a message is appended to `{}`, and no transport is to be seen"
            considered.silent(term.extent, what, name)
            return
        if all(self._is_moved(part, message, function) for part in parts):
            what = "what is appended to `{}` is one element for good: it is only moved"
            considered.silent(term.extent, what, name)
            return
        sure = message.confidence if kind else Confidence.MEDIUM
        if self.lifetimes.ends_with_link(kept, message):
            if message.transport != "websocket":
                # One response, read from its beginning to its end.
                what = "`{}` is filled from one response, read from its beginning to its end"
                considered.silent(term.extent, what, name)
                return
            # Nothing comes again on one connection unless its sender says so twice.
            sure = min(sure, Confidence.MEDIUM)
        yield Addition(function, step, term.extent, kept, name, parts, message, kind, term, sure)

    def _is_moved(self, part: t.Term, message: Message, function: Function) -> bool:
        """Whether a part is an element of a page that was there before the message, with its content written into it."""
        if not isinstance(part, t.Ref) or part.place.path or self.messages.in_term(part) is not None:
            return False
        root = part.place.root
        scope = root.scope
        if not root.constant or scope is None or scope.host is function.host:
            return False
        return self.lifetimes.outlives(Holder(root), message, function)

    def _account_for_no_message(self, term: t.Term, name: str, parts: tuple[t.Term, ...]) -> None:
        """Takes down that what is added is no content of a message that can come again."""
        carried = next((m for p in parts if (m := self._carried(p)) is not None), None)
        if carried is None:
            what = "what is added to `{}` is no content of a message, as far as the file shows"
            self.module.considered.aside(term.extent, what, name)
        elif carried.transport:
            what = "what is added to `{}` comes by {}, which sends nothing again by itself"
            self.module.considered.aside(term.extent, what, name, carried.transport)
        else:
            what = "what is added to `{}` comes over no transport that the file names"
            self.module.considered.aside(term.extent, what, name)

    def _message(self, parts: Iterable[t.Term]) -> Message | None:
        best: Message | None = None
        for part in parts:
            found = self._carried(part)
            if found is None or not self._comes_again(found):
                continue
            if best is None or found.confidence > best.confidence:
                best = found
        return best

    def _comes_again(self, message: Message) -> bool:
        if not message.transport:
            return message.confidence < Confidence.HIGH
        return message.transport in self.knowledge.names("accumulation", "transports")

    def _carried(self, part: t.Term) -> Message | None:
        """The message that a part brings content of; of an element of a page, what was written into it."""
        found = self.messages.in_term(part)
        if found is not None or not isinstance(part, t.Ref) or part.place.path or not part.place.name:
            return found
        texts = self.knowledge.names("accumulation", "texts")
        page = self.knowledge.names("accumulation", "page")
        for function in self.module.functions_mentioning(part.place.name):
            for step in function.cfg.steps:
                written: list[t.Term] = []
                if step.store is not None and step.target is not None and step.target.parent == part.place:
                    written = [step.store.value] if step.target.name in texts else []
                elif step.call is not None and step.call.receiver_place == part.place:
                    written = list(step.call.arguments) if step.call.method in page else []
                for term in written:
                    found = self._carried(term) if term is not part else None
                    if found is not None:
                        return found
        return None

    def _is_content(self, part: t.Term) -> bool:
        """Whether a part brings content, not a number that was computed from it."""
        value = self.module.value_of(unspread(part))
        if isinstance(value, t.Binary) and value.op in _NUMERIC:
            formats = value.op == "%" and is_string(value.left)
            return formats and self._carried(part) is not None
        if self._is_numeric(value) or (isinstance(value, t.Ref) and self._counts(value.place)):
            return False
        return self._carried(unspread(part)) is not None

    def _is_numeric(self, value: t.Term | None) -> bool:
        return isinstance(value, t.Call) and value.method in self.knowledge.names("accumulation", "numeric")

    def _counts(self, place: Place) -> bool:
        """Whether a variable only ever gets numbers: `count = reader.readUInt8()`."""
        if place.path or place.root.kind != "local":
            return False
        values = [store.value for _, store in self.module.stores_to(place)]
        return bool(values) and all(map(self._is_numeric, values))

    def _grown(self, function: Function, step: Step, store: t.Store) -> Iterator[Addition]:
        """`x += m`."""
        target = store.target
        if not isinstance(target, (t.Ref, t.Field, t.Element)):
            return
        name = self.module.snippet(target.extent)
        kept = self.holders.of(target)
        if kept is None:
            return
        kind = self.natures.of(kept, target, [store.value])
        if kind == "number":
            self.module.considered.silent(
                store.extent, "`{}` is a number that is counted, no text or list", name
            )
            return
        yield from self._make(function, step, store, kept, name, [store.value], kind)
        if isinstance(target, t.Ref) and not target.place.path:
            for origin in self._origins(target.place.root):
                if self.destinations.goes_back(
                    function, t.Ref(target.extent, target.place), target.place.root, origin
                ):
                    yield from self._make(function, step, store, origin, str(origin), [store.value], kind)

    def _origins(self, binding: Binding) -> Iterator[Holder]:
        """What a variable was loaded from."""
        for _, store in self.module.stores_to(Place(binding)) if binding.name else ():
            if store.op is None:
                origin = self.holders.of(store.value)
                if origin is not None and origin.root is not binding:
                    yield origin

    def _joined(
        self, function: Function, step: Step, term: t.Term, parts: list[t.Term]
    ) -> Iterator[Addition]:
        """A term that joins what is kept with content, and goes back to where it is kept."""
        for part in parts:
            old = unspread(part)
            if isinstance(old, t.Constant):
                continue
            if self._is_selected(old, part is not parts[-1]):
                what = "`{}` is cut or filtered before something is added, so that it is not there twice"
                self._account_for_no_join(term, old, what)
                continue
            kept = self.holders.of(old)
            if kept is None or not self.destinations.returns_to(term, kept, function):
                what = "what is joined here does not go back to `{}`, so nothing accumulates in it"
                self._account_for_no_join(term, old, what)
                continue
            if self._is_of_message(kept):
                self._account_for_no_join(term, old, "`{}` is itself part of the message")
                continue
            others = [p for p in parts if p is not part]
            kind = "list" if _lists(term, part) else self.natures.of(kept, old, others, joined=term)
            if kind == "number":
                self._account_for_no_join(term, old, "`{}` is a number that is counted, no text or list")
                continue
            yield from self._make(
                function, step, term, kept, self._written(old), [unspread(p) for p in others], kind
            )
            return

    def _account_for_no_join(self, term: t.Term, old: t.Term, what: str) -> None:
        """Takes down why a term that joins `old` with something adds nothing to what is kept."""
        if self.module.considered.active:
            name = self._written(old).replace("`", "'")
            self.module.considered.aside(
                term.extent, what, name if len(name) <= 60 else f"{name[:57]}...", at=old.extent
            )

    def _account_for_replacement(self, step: Step) -> None:
        """Takes down that content of a message replaces something, or goes to a place of its own."""
        store, call = step.store, step.call
        target = step.target
        if (
            store is not None
            and step.kind == "assign"
            and store.op != "+"
            and not self.joins.parts(store.value)
        ):
            is_kept = target is None or bool(target.path)
            if is_kept or self._carried(store.value) is not None:
                what = "`{}` is replaced, or written at a key or an index, and nothing is added to it"
                name = " ".join(self.module.snippet(store.target.extent).split())
                self.module.considered.aside(store.extent, what, name)
        elif call is not None and call.receiver is not None:
            known = {entry["method"] for entry in self.knowledge.entries("accumulation", "append")}
            if call.method not in known and any(self._carried(a) is not None for a in call.arguments):
                what = "`{}` is no append: it sets, replaces, or keeps each thing once"
                self.module.considered.aside(call.extent, what, call.method)

    def _written(self, old: t.Term) -> str:
        while isinstance(old, t.Logic):
            old = old.left
        if isinstance(old, t.Ref):
            return str(old.place)
        if isinstance(old, t.Call) and old.receiver_place is not None:
            return str(old.receiver_place)
        return " ".join(self.module.snippet(old.extent).split())

    def _is_of_message(self, kept: Holder) -> bool:
        """Whether what is added to is itself a message, or a part of one."""
        return not isinstance(kept.root, Found) and self.messages.at(Place(kept.root)) is not None

    def _is_selected(self, old: t.Term, is_first: bool) -> bool:
        """Whether something is taken out before content is added, or left out where it is added.

        `ids.filter(id => id !== sticky.id)`, `text.slice(0, offset)`, and `messages.slice(0, -1)` whose last one is replaced.
        """
        value = self.module.value_of(old)
        todo: list[t.Term] = [value if isinstance(value, (t.Call, t.Element)) else old]
        while todo:
            part = todo.pop()
            if isinstance(part, t.Call) and part.method in self.knowledge.names("holder", "selects"):
                return True
            if isinstance(part, t.Several) and len(part.operands) > 1:
                return True
            bounds = self._bounds(part)
            if any(self.newness.carries(bound) for bound in bounds):
                return True
            if (len(bounds) > 1 and not is_null(bounds[1])) if is_first else bool(bounds):
                start = bounds[0] if bounds else None
                if is_first or not (is_null(start) or (isinstance(start, t.Constant) and start.value == 0)):
                    return True
            todo.extend(part.children() if not isinstance(part, t.Element) else [part.subject])
        return False

    def _bounds(self, term: t.Term) -> list[t.Term]:
        """From where to where a term cuts a piece out of another one; nothing for other terms."""
        if isinstance(term, t.Element) and isinstance(term.key, t.Several):
            return term.key.operands
        if isinstance(term, t.Call) and term.method in self.knowledge.names("accumulation", "cuts"):
            return term.arguments
        return []

    def _appended(self, function: Function, step: Step, call: t.Call) -> Iterator[Addition]:
        """`list.append(m)`, `builder.WriteString(m)`, `element.insertAdjacentHTML("beforeend", m)`."""
        if self.module.resolve(call) is not None:
            return  # A method of the file by that name is looked at by itself.
        for entry in self.knowledge.entries("accumulation", "append"):
            if entry["method"] != call.method:
                continue
            receiver: t.Term | None = call.receiver
            arguments = list(call.arguments)
            if "function" in entry:
                if self.module.canonical(call.callee) != entry["function"]:
                    continue
                receiver, arguments = call.argument(0), arguments[1:]
            if receiver is None:
                continue
            if "first" in entry:
                first = arguments[0] if arguments else None
                said = first.value if isinstance(first, t.Constant) else None
                said = first.place.name if isinstance(first, t.Ref) else said
                if said not in entry["first"]:
                    continue
                arguments = arguments[1:]
            kept = self.holders.object_of(receiver)
            name = " ".join(self.module.snippet(receiver.extent).split())
            if isinstance(receiver, t.Ref):
                name = str(receiver.place)
            if kept is None:
                self.module.considered.silent(call.extent, "`{}` is kept nowhere that the file shows", name)
                continue
            if self._is_of_message(kept):
                self.module.considered.silent(call.extent, "`{}` is itself part of the message", name)
                continue
            if self.module.canonical(receiver) in self.knowledge.names("accumulation", "unshown"):
                self.module.considered.silent(call.extent, "`{}` shows nothing that is put into it", name)
                continue
            kind = self._receives(entry, receiver, kept, arguments)
            if kind is None:
                what = "`{}` is not known to be a text, a list or an element of a page that grows"
                self.module.considered.silent(call.extent, what, name)
                continue
            yield from self._make(function, step, call, kept, name, [unspread(a) for a in arguments], kind)
            return

    def _receives(
        self, entry: dict[str, object], receiver: t.Term, kept: Holder, arguments: list[t.Term]
    ) -> str | None:
        """The kind of what a call appends to, or None where it is not of the entry's."""
        kind = str(entry["kind"])
        types = entry.get("types")
        if isinstance(types, list):
            return kind if self.natures.types(receiver) & set(types) else None
        if kind == "list":
            found = self.natures.of(kept, receiver, [])
            if found == "list" or (found == "text" and "whole" in entry):
                # Bytes that are extended are a list of bytes.
                return kind
            if isinstance(kept.root, Found) or any(self.messages.is_node(a) for a in arguments):
                # An element of a page; what is pushed to is none.
                return "text" if entry["method"] in self.knowledge.names("accumulation", "page") else kind
            return (
                ""
                if found == ""
                and isinstance(receiver, t.Ref)
                and receiver.place.name.endswith("s")
                and (receiver.place.path)
                and not any_of(split(receiver.place.name), self.knowledge.names("accumulation", "queues"))
                else None
            )
        return kind


def _lists(term: t.Term, old: t.Term) -> bool:
    return isinstance(term, t.Sequence) and isinstance(old, t.Spread)
