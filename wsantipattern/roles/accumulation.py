"""Accumulations: places where content of incoming messages is added to what is already there.

An addition is a term that joins what a place holds with content of a message and goes back to the same place, in any
spelling: `x += m`, concatenation, template, join, format, spread, the entry of a rebuilt record, a state updater; or a
call that appends to a list, a builder or an element of a page. Guarantees that the place outlives the message and that
the content is no number. Whether it is proven new is for `newness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.roles.event import Events
from wsantipattern.roles.holder import Holder, Holders
from wsantipattern.roles.message import Message, Messages
from wsantipattern.roles.newness import Newness
from wsantipattern.roles.socket import Sockets
from wsantipattern.roles.words import any_of, split


@dataclass(frozen=True, slots=True, eq=False)
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
    confidence: Confidence = Confidence.HIGH
    late: t.Extent | None = field(default=None)


class Accumulations:
    """The accumulations of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, events: Events, sockets: Sockets, messages: Messages
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.messages = messages
        self.invocations = messages.invocations
        self.holders = Holders(module, knowledge, messages.invocations)
        self.newness = Newness(module, knowledge, messages, self.holders)
        self._references: dict[Function, dict[Binding, list[tuple[Step, t.Ref]]]] = {}
        self._kinds: dict[Holder, str] = {}

    def unguarded(self) -> list[Addition]:
        """The additions that nothing proves new, in order, one a place in the text."""
        found: dict[t.Extent, Addition] = {}
        for function in self.module.all_functions:
            if function.is_inlined:
                continue
            for addition in self._additions(function):
                if addition.extent not in found and not self._is_harmless(addition):
                    found[addition.extent] = addition
        return sorted(found.values(), key=lambda a: a.extent)

    def _is_harmless(self, a: Addition) -> bool:
        return (
            self.newness.proven(a.function, a.step, a.kept, a.term)
            or any(self.newness.filtered(part, a.kept, a.function) for part in a.added)
            or self._is_consumed(a)
            or self._is_begun_anew(a)
            or (a.kind != "text" and self._ends_with_link(a.kept, a.message) and not self._is_shown(a))
        )

    def _is_shown(self, a: Addition) -> bool:
        """Whether a list is handed on whole where it grows."""
        return any(call is not a.term and self._hands_on(call, a.kept) for _, call in a.function.cfg.calls)

    # -- finding additions -------------------------------------------------------------------------

    def _additions(self, function: Function) -> Iterator[Addition]:
        seen: set[int] = set()
        for step in function.cfg.steps:
            if step.kind not in ("call", "assign", "return", "suspend", "spawn") or step.term is None:
                continue
            for term in step.term.walk():
                if id(term) in seen:
                    continue
                seen.add(id(term))
                if isinstance(term, t.Store) and term.op == "+":
                    yield from self._grown(function, step, term)
                elif isinstance(term, t.Call) and term is step.term:
                    yield from self._appended(function, step, term)
                parts = self._parts(term)
                if parts and not self._is_inner(term):
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
        if message is None or not self._outlives(kept, message, function):
            return
        if not message.transport and function.kind != "top":
            # Names alone, outside of a fragment that has nothing but names.
            return
        sure = message.confidence if kind else Confidence.MEDIUM
        if self._ends_with_link(kept, message):
            # Nothing comes again on one connection unless its sender says so twice.
            sure = min(sure, Confidence.MEDIUM)
        yield Addition(function, step, term.extent, kept, name, parts, message, kind, term, sure)

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
        if found is not None:
            return found
        if isinstance(part, t.Ref) and not part.place.path and part.place.root.name:
            place = part.place
            for function in self.module.functions_mentioning(place.name):
                for step in function.cfg.steps:
                    if step.store is not None and step.target is not None and step.target.parent == place:
                        if step.target.name in self.knowledge.names("accumulation", "texts"):
                            found = self.messages.in_term(step.store.value)
                    elif step.call is not None and step.call.receiver_place == place:
                        if step.call.method in self.knowledge.names("accumulation", "page"):
                            found = next(
                                (m for a in step.call.arguments if a is not part and (m := self._carried(a))),
                                None,
                            )
                    if found is not None:
                        return found
        return None

    def _is_content(self, part: t.Term) -> bool:
        """Whether a part brings content, not a number that was computed from it."""
        part = part.value if isinstance(part, t.Spread) else part
        value = self.module.value_of(part)
        value = value if isinstance(value, (t.Binary, t.Call)) else part
        if isinstance(value, t.Binary) and value.op in ("-", "*", "/", "**", "%", "&", "|", "^", "<<", ">>"):
            if not (value.op == "%" and _is_string(value.left)):
                return False
        if isinstance(value, t.Call) and value.method in self.knowledge.names("accumulation", "numeric"):
            return False
        return self._carried(part) is not None

    def _grown(self, function: Function, step: Step, store: t.Store) -> Iterator[Addition]:
        """`x += m`."""
        target = store.target
        if not isinstance(target, (t.Ref, t.Field, t.Element)):
            return
        name = self.module.snippet(target.extent)
        kept = self.holders.of(target)
        if kept is None:
            return
        kind = self._kind(kept, target, [store.value])
        if kind == "number":
            return
        yield from self._make(function, step, store, kept, name, [store.value], kind)
        if isinstance(target, t.Ref) and not target.place.path:
            for origin in self._origins(target.place.root):
                if self._goes_to(function, t.Ref(target.extent, target.place), target.place.root, origin):
                    yield from self._make(function, step, store, origin, str(origin), [store.value], kind)

    def _origins(self, binding: Binding) -> Iterator[Holder]:
        """What a variable was loaded from."""
        for _, store in self.module.stores_to(Place(binding)) if binding.name else ():
            if store.op is None:
                origin = self.holders.of(store.value)
                if origin is not None and origin.root is not binding:
                    yield origin

    def _goes_to(self, function: Function, value: t.Ref, binding: Binding, kept: Holder) -> bool:
        """Whether the value of a variable is put back to where it was loaded from."""
        for host in (function, *function.descendants):
            if host.is_inlined:
                continue
            for _, ref in self._refs(host).get(binding, []):
                if not ref.place.path and self._returns_to(ref, kept, host, depth=2):
                    return True
        return False

    def _joined(
        self, function: Function, step: Step, term: t.Term, parts: list[t.Term]
    ) -> Iterator[Addition]:
        """A term that joins what is kept with content, and goes back to where it is kept."""
        for part in parts:
            old = _unspread(part)
            if isinstance(old, t.Constant) or self._is_selected(old):
                continue
            kept = self.holders.of(old)
            if kept is None or not self._returns_to(term, kept, function):
                continue
            if self._is_of_message(old, kept):
                continue
            others = [p for p in parts if p is not part]
            kind = "list" if _lists(term, part) else self._kind(kept, old, others, joined=term)
            if kind == "number":
                continue
            yield from self._make(
                function, step, term, kept, self._written(old), [_unspread(p) for p in others], kind
            )
            return

    def _written(self, old: t.Term) -> str:
        while isinstance(old, t.Logic):
            old = old.left
        if isinstance(old, t.Ref):
            return str(old.place)
        if isinstance(old, t.Call) and old.receiver_place is not None:
            return str(old.receiver_place)
        return " ".join(self.module.snippet(old.extent).split())

    def _is_of_message(self, old: t.Term, kept: Holder) -> bool:
        """Whether what is added to is itself the message; a place that is loaded by a key of it is not."""
        root = kept.root
        return (
            not isinstance(root, str)
            and self.messages.at(Place(root)) is not None
            and not (
                self.messages.at(Place(root)) is not None
                and root.kind == "global"
                and self._is_stateful(root)
            )
        )

    def _is_stateful(self, binding: Binding) -> bool:
        return binding.name in self.knowledge.names("accumulation", "globals")

    def _is_selected(self, old: t.Term) -> bool:
        """`ids.filter(id => id !== sticky.id)`: what came before is taken out first."""
        value = self.module.value_of(old)
        for part in (value if isinstance(value, (t.Call, t.Element)) else old).walk():
            if isinstance(part, t.Call) and part.method in self.knowledge.names("holder", "selects"):
                return True
            if isinstance(part, t.Several) and len(part.operands) > 1:
                return True
            # `text.slice(0, offset)`: what is written at a place of its own can be written again.
            place = []
            if isinstance(part, t.Element) and part.key is not None:
                place = [part.key]
            elif isinstance(part, t.Call) and part.method in self.knowledge.names("accumulation", "cuts"):
                place = part.arguments
            if any(self.newness.carries(p) for p in place):
                return True
        return False

    def _is_inner(self, term: t.Term) -> bool:
        """Whether a join is only a part of a larger one."""
        parent = term.parent
        while isinstance(parent, (t.Spread, t.Logic, t.Choice)):
            term, parent = parent, parent.parent
        if parent is None or not self._parts(parent):
            return False
        return any(_unspread(part) is term or part is term for part in self._parts(parent))

    def _parts(self, term: t.Term) -> list[t.Term]:
        """What a joining term is made of; nothing for other terms."""
        match term:
            case t.Binary(op="+"):
                return [*self._flat(term.left), *self._flat(term.right)]
            case t.Binary(op="%") if _is_string(term.left):
                return list(term.right.elements) if isinstance(term.right, t.Sequence) else [term.right]
            case t.Template():
                return [p for part in term.parts for p in self._flat(part)]
            case t.Sequence() if any(isinstance(e, t.Spread) for e in term.elements):
                return list(term.elements)
            case t.Call():
                return self._call_parts(term)
        return []

    def _flat(self, term: t.Term) -> list[t.Term]:
        if isinstance(term, (t.Binary, t.Template)):
            return self._parts(term) or [term]
        return [term]

    def _call_parts(self, call: t.Call) -> list[t.Term]:
        names = self.knowledge.names
        receiver = call.receiver
        spread = [e for a in call.arguments for e in (a.elements if isinstance(a, t.Sequence) else [a])]
        if call.method in names("accumulation", "joins"):
            # `[a, b].join("")`, `"".join([a, b])`, `strings.Join([]string{a, b}, "")`
            inner = call.callee.subject if isinstance(call.callee, t.Field) else None
            if isinstance(inner, t.Sequence):
                return list(inner.elements)
            first = call.argument(0)
            return list(first.elements) if isinstance(first, t.Sequence) else []
        if call.method in names("accumulation", "concatenates"):
            inside = receiver is not None and not self._is_namespace(receiver)
            return [receiver, *spread] if inside and receiver is not None else spread
        if call.method in names("accumulation", "formats"):
            return list(
                call.arguments[1:] if receiver is None or self._is_namespace(receiver) else call.arguments
            )
        if call.method == "append" and receiver is None and len(call.arguments) > 1:
            return list(call.arguments)
        return []

    def _is_namespace(self, term: t.Term) -> bool:
        return (
            isinstance(term, t.Ref) and term.place.root.kind in ("import", "global") and (not term.place.path)
        )

    # -- where a join goes -------------------------------------------------------------------------

    def _returns_to(self, term: t.Term, kept: Holder, function: Function, depth: int = 4) -> bool:
        """Whether the value of a term is put to where `kept` is."""
        if depth <= 0:
            return False
        while True:
            parent = term.parent
            if isinstance(parent, (t.Choice, t.Logic, t.Suspend, t.Spread)) and term is not getattr(
                parent, "test", None
            ):
                term = parent
                continue
            break
        match parent:
            case None:
                return self._is_returned(term, kept, function, depth)
            case t.Store() if parent.value is term:
                return self._stored(parent, kept, function, depth)
            case t.Record():
                return self._entered(parent, term, kept, function, depth)
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
                return passes and self._returns_to(parent.parent, kept, function, depth)
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
                if not ref.place.path and self._returns_to(ref, kept, host, depth - 1):
                    return True
        return False

    def _entered(self, record: t.Record, value: t.Term, kept: Holder, function: Function, depth: int) -> bool:
        """`{ ...last, text: last.text + m }`: the entry has the name of what it is made of."""
        key = next((k for k, v in record.entries if v is value), None)
        name = kept.path[-1] if kept.path else kept.name
        if key is None:
            return False
        if key == name:
            return True
        if name != ELEMENT:
            return False
        # `{ ...texts, [id]: texts[id] + m }`
        return any(
            self.holders.of(v.value) == kept.parent for _, v in record.entries if isinstance(v, t.Spread)
        )

    def _given(self, call: t.Call, value: t.Term, kept: Holder, function: Function, depth: int) -> bool:
        """A call that puts its argument where the value came from: `m.set(k, m.get(k) + x)`, `setText(text + x)`."""
        names = self.knowledge.names
        target = self.invocations.resolve(call)
        receiver = self.holders.of(call.receiver)
        if target is not None:
            index = next((i for i, a in enumerate(call.arguments) if a is value), None)
            return index is not None and self._setter(target, index, kept)
        if receiver is not None and kept.within(receiver) and call.method in names("accumulation", "sets"):
            return True
        if self._is_setter_of(call, kept):
            return True
        if call.method in names("accumulation", "passes"):
            return self._returns_to(call, kept, function, depth - 1)
        return False

    def _is_setter_of(self, call: t.Call, kept: Holder) -> bool:
        """`const [text, setText] = useState("")`: the second result sets the first."""
        if not isinstance(call.callee, t.Ref) or call.callee.place.path or isinstance(kept.root, str):
            return False
        made = self._pair(call.callee.place.root)
        return made is not None and made[1] == 1 and self._pair(kept.root) == (made[0], 0)

    def _pair(self, binding: Binding) -> tuple[t.Term, int] | None:
        """The call and index of a variable that is one of several results."""
        value = binding.initial if binding.constant else None
        if value is None and binding.name and binding.kind == "local":
            stores = self.module.stores_to(Place(binding))
            value = stores[0][1].value if len(stores) == 1 else None
        return (value.call, value.index) if isinstance(value, t.Result) else None

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
        if kept.path or isinstance(kept.root, str) or kept.root not in function.parameters:
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
            if self.invocations.resolve(call) is None and self._updates(call):
                return True
        return len(function.parameters) > 1 and self._is_reducer(function, kept.root, depth)

    def _updates(self, call: t.Call) -> bool:
        """Whether a call sets a state by a function of the old one."""
        if call.method in self.knowledge.names("accumulation", "updates"):
            return True
        if isinstance(call.callee, t.Ref) and not call.callee.place.path:
            made = self._pair(call.callee.place.root)
            if made is not None and made[1] == 1:
                return True
        return any_of(split(call.method)[:1], ("set", "update", "mutate"))

    def _is_reducer(self, function: Function, state: Binding, depth: int) -> bool:
        """Whether callers put what a function returns back to where they took its parameter from."""
        index = function.parameters.index(state)
        for invocation in self.invocations.of(function):
            old = self.holders.of(invocation.argument(index, state.name))
            if old is not None and self._returns_to(
                invocation.call, old, invocation.function, min(depth - 1, 2)
            ):
                return True
        return False

    # -- calls that append -------------------------------------------------------------------------

    def _appended(self, function: Function, step: Step, call: t.Call) -> Iterator[Addition]:
        """`list.append(m)`, `builder.WriteString(m)`, `element.insertAdjacentHTML("beforeend", m)`."""
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
                if not isinstance(first, t.Constant) or first.value not in entry["first"]:
                    if not (isinstance(first, t.Ref) and first.place.name in entry["first"]):
                        continue
                arguments = arguments[1:]
            kept = self.holders.of(receiver)
            if kept is None or self._is_of_message(receiver, kept):
                continue
            kind = self._receives(entry, receiver, kept, arguments)
            if kind is None:
                continue
            name = " ".join(self.module.snippet(receiver.extent).split())
            if isinstance(receiver, t.Ref):
                name = str(receiver.place)
            yield from self._make(function, step, call, kept, name, [_unspread(a) for a in arguments], kind)
            return

    def _receives(
        self, entry: dict[str, object], receiver: t.Term, kept: Holder, arguments: list[t.Term]
    ) -> str | None:
        """The kind of what a call appends to, or None where it is not of the entry's."""
        kind = str(entry["kind"])
        types = entry.get("types")
        if isinstance(types, list):
            made = self.module.made_type(receiver.place) if isinstance(receiver, t.Ref) else None
            if made is None and isinstance(receiver, t.Ref):
                made = self._made(receiver.place)
            return kind if made in types else None
        if kind == "list":
            found = self._kind(kept, receiver, [])
            if found == "list":
                return kind
            if isinstance(kept.root, str) or any(self._is_node(a) for a in arguments):
                # An element of a page.
                return "text"
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

    def _is_node(self, term: t.Term) -> bool:
        value = self.module.value_of(term)
        return isinstance(value, t.Call) and value.method in self.knowledge.names("accumulation", "nodes")

    def _made(self, place: Place) -> str | None:
        """The type of the only thing that a place is ever given: `self.out = io.StringIO()`."""
        for _, store in self.module.stores_to(place) if place.name else ():
            if isinstance(store.value, t.Call):
                return self.module.canonical(store.value.callee)
        return None

    # -- what is kept ------------------------------------------------------------------------------

    def _kind(self, kept: Holder, old: t.Term, added: list[t.Term], joined: t.Term | None = None) -> str:
        """`text`, `list` or `number`; "" where the file does not tell."""
        parts = [*added, old, *([*self._parts(joined)] if joined is not None else [])]
        if any(_is_string(p) or isinstance(p, t.Template) for p in parts) or (
            joined is not None
            and isinstance(joined, (t.Template, t.Call))
            and joined is not None
            and not (
                isinstance(joined, t.Call)
                and joined.method in ("append", *self.knowledge.names("accumulation", "concatenates"))
            )
        ):
            return "text"
        if any(isinstance(p, t.Sequence) for p in added):
            return "list"
        default = self._default(old)
        if default:
            return default
        if kept.path and kept.path[-1] in self.knowledge.names("accumulation", "texts"):
            return "text"
        if kept not in self._kinds:
            self._kinds[kept] = self._declared(kept, old) or self._initial(kept)
        found = self._kinds[kept]
        if found:
            return found
        for part in added:
            told = self._told(part)
            if told:
                return told
        if joined is not None and isinstance(joined, t.Call) and joined.method == "append":
            return "list"
        if any_of(split(kept.name), self.knowledge.names("accumulation", "numbers")):
            return "number"
        return ""

    def _default(self, old: t.Term) -> str:
        """`text || ""`, `counts.get(k, 0)`."""
        if isinstance(old, t.Logic):
            return _kind_of(old.right)
        if isinstance(old, t.Choice):
            return _kind_of(old.then) or _kind_of(old.otherwise)
        value = self.module.value_of(old)
        if isinstance(value, (t.Logic, t.Choice)) and value is not old:
            return self._default(value)
        call = value
        if isinstance(call, t.Call) and len(call.arguments) == 2:
            return _kind_of(call.arguments[1])
        return ""

    def _told(self, term: t.Term) -> str:
        """What the declared type of a part, or the call that makes it, says."""
        value = self.module.value_of(term)
        if isinstance(value, t.Call):
            if value.method in self.knowledge.names("accumulation", "textual"):
                return "text"
        if isinstance(term, t.Ref):
            return self._type(self.module.type_of(term.place))
        return ""

    def _type(self, declared: str | None) -> str:
        if declared is None:
            return ""
        for kind in ("text", "number", "list"):
            if declared in self.knowledge.names("accumulation", f"{kind}_types"):
                return kind
        return ""

    def _declared(self, kept: Holder, old: t.Term) -> str:
        if isinstance(old, t.Ref):
            found = self._type(self.module.type_of(old.place))
            if found:
                return found
        if isinstance(kept.root, Binding):
            return self._type(self.module.type_of(Place(kept.root, kept.path)))
        return ""

    def _initial(self, kept: Holder) -> str:
        """What a place is first given, anywhere in the file."""
        if isinstance(kept.root, Binding):
            pair = self._pair(kept.root)
            if pair is not None and isinstance(pair[0], t.Call) and not kept.path:
                return _kind_of(pair[0].argument(0))
            value = kept.root.initial if kept.root.constant else None
            if isinstance(value, t.Call) and len(kept.path) == 1:
                first = value.argument(0)
                if kept.path == (ELEMENT,) and isinstance(first, t.Ref):
                    return {"str": "text", "int": "number", "float": "number", "list": "list"}.get(
                        first.place.name, ""
                    )
                if kept.path[0] in ("value", "current"):
                    return _kind_of(first)
            if value is not None and not kept.path:
                return _kind_of(value)
            if isinstance(value, t.Record) and kept.path == (ELEMENT,):
                return next((k for _, v in value.entries if (k := _kind_of(v))), "")
        name = kept.name
        for function in self.module.functions_mentioning(name) if name else ():
            for step in function.cfg.steps:
                store = step.store
                if store is not None and step.target is not None and store.op is None:
                    where = self.holders.at(step.target) if step.target.path else Holder(step.target.root)
                    if where == kept or (
                        where is not None
                        and where.path[-1:] == kept.path[-1:] != ()
                        and where.name == name
                        and kept.path[-1] != ELEMENT
                    ):
                        found = _kind_of(store.value)
                        if found:
                            return found
                    if where is not None and kept.path[-1:] == (ELEMENT,) and where == kept.parent:
                        found = self._element_kind(store.value)
                        if found:
                            return found
                if step.term is not None and step.kind in ("call", "assign", "return"):
                    for part in step.term.walk():
                        if isinstance(part, t.Record) and kept.path and kept.path[-1] != ELEMENT:
                            for key, value in part.entries:
                                if key == name and (found := _kind_of(value)):
                                    return found
        return ""

    def _element_kind(self, value: t.Term) -> str:
        if isinstance(value, t.Call) and isinstance(first := value.argument(0), t.Ref):
            return {"str": "text", "int": "number", "float": "number", "list": "list"}.get(
                first.place.name, ""
            )
        if isinstance(value, t.Record):
            return next((k for _, v in value.entries if (k := _kind_of(v))), "")
        return ""

    # -- how long it is kept -----------------------------------------------------------------------

    def _outlives(self, kept: Holder, message: Message, function: Function, depth: int = 4) -> bool:
        """Whether what is kept is there for more than the message, and for more than one connection."""
        root = kept.root
        if isinstance(root, str):
            return True
        if root.kind == "this":
            return True
        if root.kind == "parameter":
            return self._given_lasting(kept, message, function, depth)
        if root.kind == "local" and root.scope is not None:
            return self._local_outlives(root, root.scope.host, message)
        return True

    def _begins(self, binding: Binding, scope: Function) -> set[Step]:
        """The steps that give a variable a value that is made without its old one."""
        return {
            step
            for step, store in scope.cfg.assignments
            if step.target == Place(binding)
            and store.op is None
            and not any(isinstance(p, t.Ref) and p.place.root is binding for p in store.value.walk())
        }

    def _is_connection(self, this: Binding) -> bool:
        """An object that a server makes for each connection ends with it."""
        socket = self.sockets.at(Place(this))
        return socket is not None and socket.evidence.is_strong

    def _given_lasting(self, kept: Holder, message: Message, function: Function, depth: int) -> bool:
        root = kept.root
        assert isinstance(root, Binding)
        if self.messages.at(Place(root)) is not None:
            return False
        scope = root.scope
        if scope is None or root not in scope.parameters or depth <= 0:
            return True
        index = scope.parameters.index(root)
        verdicts: list[bool] = []
        for invocation in self.invocations.of(scope):
            given = self.holders.of(invocation.argument(index, root.name))
            if given is not None:
                verdicts.append(
                    self._outlives(Holder(given.root, given.path + kept.path), message, function, depth - 1)
                )
        for _, _, value in self.invocations.uses(scope):
            call = value.parent
            if isinstance(call, t.Call) and call.method in self.knowledge.names("message", "iterates"):
                given = self.holders.of(call.receiver)
                if given is not None:
                    verdicts.append(self._outlives(given, message, function, depth - 1))
        return not verdicts or any(verdicts)

    def _local_outlives(self, binding: Binding, scope: Function, message: Message) -> bool:
        if any(p.scope is not None and p.scope.host.encloses(scope) for p in message.parameters):
            # Begun anew in each run, and each run is one message.
            return False
        cfg = scope.cfg
        begins = self._begins(binding, scope)
        reads = [s for s in cfg.steps if s.term is not None and any(s.term is r for r in message.reads)]
        if reads and not any(read in cfg.reachable(read, avoiding=begins) for read in reads):
            return False
        return True

    def _ends_with_link(self, kept: Holder, message: Message) -> bool:
        """Whether what is kept lives as long as one connection, which does not come back by itself."""
        if message.library is not None and (
            message.library.reconnects or message.library.replays or message.library.transport != "websocket"
        ):
            return False
        root = kept.root
        if isinstance(root, str):
            return False
        if root.kind == "this":
            return self._is_connection(root)
        if root.kind != "local" or root.scope is None:
            return False
        scope = root.scope.host
        cfg = scope.cfg
        begins = self._begins(root, scope)
        for parameter in scope.parameters:
            socket = self.sockets.at(Place(parameter))
            if socket is not None and socket.transport == "websocket":
                return socket.library is None or not socket.library.reconnects
        makes = [
            step
            for step, call in cfg.calls
            if (s := self.sockets.of(call)) is not None
            and s.evidence.is_strong
            and s.transport == "websocket"
        ]
        loops = [
            step
            for step in cfg.of_kind("iterate")
            if isinstance(step.statement, t.ForEach)
            and isinstance(step.statement.iterable, t.Call)
            and any(step.statement.iterable is m.term for m in makes)
        ]
        makes = [*[m for m in makes if all(l.term is not m.term for l in loops)], *loops]
        return bool(makes) and not any(m in cfg.reachable(m, avoiding=begins) for m in makes)

    # -- what is taken away again ------------------------------------------------------------------

    def _is_consumed(self, a: Addition) -> bool:
        """A queue, or a buffer of which complete pieces are cut off: what is in it has not been shown."""
        for function in self.module.functions_mentioning(a.kept.name) if a.kept.name else ():
            drained = emptied = False
            for step in function.cfg.steps:
                store, call = step.store, step.call
                if call is not None:
                    if self._takes_out(call, a.kept):
                        return True
                    drained = drained or self._hands_on(call, a.kept)
                    if call.method in self.knowledge.names("accumulation", "clears"):
                        emptied = emptied or self.holders.of(call.receiver) == a.kept
                if store is not None and step.target is not None and store.op is None:
                    where = self.holders.at(step.target) if step.target.path else Holder(step.target.root)
                    if where == a.kept and self._cuts(store.value, a.kept):
                        return True
                    if where is not None and a.kept.within(where):
                        emptied = emptied or (_is_empty(store.value) and not store.declares)
                    drained = drained or (where != a.kept and self.holders.of(store.value) == a.kept)
                if step.kind == "iterate" and self.holders.of(step.term) == a.kept:
                    drained = True
                if step.kind == "delete" and step.target is not None:
                    where = self.holders.at(step.target)
                    emptied = emptied or (where is not None and a.kept.within(where))
            if a.kind != "text" and drained and emptied:
                return True
        return False

    def _hands_on(self, call: t.Call, kept: Holder) -> bool:
        """Whether a call gets the whole of what is kept, or makes another whole of it."""
        if call.method in self.knowledge.names("message", "measures"):
            return False
        whole = [*call.arguments, *(value for _, value in call.keywords)]
        if call.receiver is not None and call.method in self.knowledge.names("holder", "same"):
            whole.append(call.receiver)
        return any(self.holders.of(part) == kept for part in whole)

    def _takes_out(self, call: t.Call, kept: Holder) -> bool:
        if call.method == "copy" and len(call.arguments) == 2:
            # Go's `copy(queue, queue[1:])`
            return isinstance(call.arguments[1], t.Element) and all(
                (where := self.holders.of(a)) is not None and where.within(kept) for a in call.arguments
            )
        if call.method not in self.knowledge.names("accumulation", "takes") or call.receiver is None:
            return False
        # `lines.shift()` alone only keeps a log short; the element is what a queue is read for.
        return call.parent is not None and self.holders.of(call.receiver) == kept

    def _cuts(self, value: t.Term, kept: Holder) -> bool:
        """`buffer = buffer.slice(end)`, `buffer = lines.pop()`: the front has been dealt with."""
        if isinstance(value, t.Logic):
            return self._cuts(value.left, kept)
        if isinstance(value, t.Element) and value.key is not None:
            return self.holders.of(value.subject) == kept and not _from_the_end(value.key)
        if isinstance(value, t.Ref) and value.place.path[-1:] == (ELEMENT,) and len(value.place.path) == 1:
            return self._is_split(value.place.root, kept)
        if not isinstance(value, t.Call):
            return False
        if value.method in self.knowledge.names("accumulation", "cuts"):
            first = value.argument(0)
            return first is not None and not _from_the_end(first) and self.holders.of(value.receiver) == kept
        receiver = value.receiver_place
        return (
            value.method in ("pop", "at") and receiver is not None and not receiver.path
        ) and self._is_split(receiver.root, kept)

    def _is_split(self, binding: Binding, kept: Holder) -> bool:
        """Whether a variable holds the pieces of what is kept."""
        values = [store.value for _, store in self.module.stores_to(Place(binding))] if binding.name else []
        return any(
            isinstance(v, t.Call)
            and v.method in ("split", "splitlines", "Split")
            and any(self.holders.of(p) == kept for p in (v.receiver, *v.arguments) if p is not None)
            for v in values
        )

    def _is_begun_anew(self, a: Addition) -> bool:
        """Whether what is kept is emptied whenever a connection is made: then what is sent again is wanted."""
        for function in self._connecting():
            for step in function.cfg.steps:
                if step.store is not None and step.target is not None and step.store.op is None:
                    where = self.holders.at(step.target) if step.target.path else Holder(step.target.root)
                    outer = function if where is None else where.root
                    if (
                        where is not None
                        and a.kept.within(where)
                        and _is_empty(step.store.value)
                        and not (isinstance(outer, Binding) and outer.scope is function)
                    ):
                        return True
                call = step.call
                if call is None:
                    continue
                if call.method in self.knowledge.names("accumulation", "clears"):
                    where = self.holders.of(call.receiver)
                    if where is not None and a.kept.within(where):
                        return True
                if call.arguments and _is_empty(call.arguments[0]) and self._sets(call, a):
                    return True
        return False

    def _sets(self, call: t.Call, a: Addition) -> bool:
        """Whether a call sets the state that an updater function, or the value of a place, stands for."""
        if self._is_setter_of(call, a.kept):
            return True
        if isinstance(a.kept.root, Binding) and a.kept.root.kind == "parameter" and not a.kept.path:
            scope = a.kept.root.scope
            for _, _, value in self.invocations.uses(scope) if scope is not None else ():
                updater = value.parent
                if (
                    isinstance(updater, t.Call)
                    and isinstance(updater.callee, t.Ref)
                    and isinstance(call.callee, t.Ref)
                ):
                    if updater.callee.place == call.callee.place:
                        return True
        receiver = self.holders.of(call.receiver)
        return (
            receiver is not None
            and a.kept.within(receiver)
            and call.method in self.knowledge.names("accumulation", "sets")
        )

    def _connecting(self) -> Iterator[Function]:
        """The functions that run whenever a connection is made: handlers of its opening, and those that make one."""
        key = ("connecting", "functions")
        memo = self.module.memo
        if key not in memo:
            found: dict[Function, None] = {}
            for registration in self.events.registrations(
                "open", "connect", "connected", "reconnect", "connection"
            ):
                found[registration.handler] = None
            for function in self.module.all_functions:
                if function.is_inlined or function.kind in ("constructor", "top"):
                    continue
                if function.name.rpartition(".")[2] in ("__init__", "constructor"):
                    continue
                for _, call in function.cfg.calls:
                    socket = self.sockets.of(call)
                    if (
                        socket is not None
                        and socket.evidence.is_strong
                        and socket.library is not None
                        and not socket.library.reconnects
                    ):
                        found[function] = None
            memo[key] = tuple(found)
        yield from memo[key]

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


def _unspread(term: t.Term) -> t.Term:
    return term.value if isinstance(term, t.Spread) else term


def _is_string(term: t.Term) -> bool:
    return isinstance(term, t.Constant) and term.kind == "string"


def _lists(term: t.Term, old: t.Term) -> bool:
    return isinstance(term, t.Sequence) and isinstance(old, t.Spread)


def _from_the_end(key: t.Term) -> bool:
    """Whether a cut keeps the end of a text: `slice(-limit)`, `[len(s) - limit:]`."""
    return any(
        (isinstance(part, (t.Unary, t.Binary)) and part.op == "-")
        or (isinstance(part, t.Constant) and isinstance(part.value, (int, float)) and part.value < 0)
        for part in key.walk()
    )


def _kind_of(value: t.Term | None) -> str:
    """What a literal is: text, number, list, or "" for anything else."""
    if isinstance(value, t.Constant):
        if value.kind == "string":
            return "text"
        return "number" if value.kind == "number" else ""
    if isinstance(value, t.Template):
        return "text"
    if isinstance(value, t.Sequence):
        return "list"
    if isinstance(value, t.Call) and isinstance(value.callee, t.Ref):
        return {"Array": "list", "list": "list", "deque": "list", "str": "text", "bytearray": "text"}.get(
            value.callee.place.name, ""
        )
    return ""


def _is_empty(value: t.Term) -> bool:
    """Whether a value holds nothing: `""`, `[]`, `{}`, null, a new container."""
    if isinstance(value, t.Constant):
        return value.kind == "null" or value.value == ""
    if isinstance(value, t.Sequence):
        return not value.elements
    if isinstance(value, t.Record):
        return all(_is_empty(v) or isinstance(v, t.Constant) for _, v in value.entries)
    return (
        isinstance(value, t.Call)
        and not value.arguments
        and (
            value.constructs
            or value.method in ("list", "dict", "deque", "str", "bytearray", "defaultdict", "make")
        )
    )
