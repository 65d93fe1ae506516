"""Newness: whether anything on the way to a step lets only content through that has not been there before.

A test counts where one of its ways does not come to the step, and what it asks sets the incoming content against what
is kept: contained or not, above or at a position that moves, in a set of what was seen, beginning where the kept text
ends. A comparison of ids that only picks what to extend is none, and neither is a test after the step. What cannot be
seen into (a function of another file that is asked about the content by a telling name) counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import flow
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.roles.container import number
from wsantipattern.roles.holder import Found, Holder, Holders
from wsantipattern.roles.message import Messages
from wsantipattern.roles.words import any_of, split

DEPTH = 6
"""How many callers up a test is looked for."""

_ORDER = frozenset({"<", "<=", ">", ">="})


class Newness:
    """The tests of newness of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, messages: Messages, holders: Holders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.messages = messages
        self.invocations = messages.invocations
        self.holders = holders
        self._takes: dict[Function, set[Step]] = {}

    # -- where tests stand -------------------------------------------------------------------------

    def proven(
        self, function: Function, step: Step, kept: Holder, term: t.Term | None = None
    ) -> t.Extent | None:
        """Where a test proves what `step` adds to `kept` new, in this function or on every way into it, or None."""
        chosen = self._chosen(term, kept, function) if term is not None else None
        return chosen or self._above(function, step, kept, DEPTH, frozenset())

    def _above(
        self, function: Function, step: Step, kept: Holder, depth: int, seen: frozenset[Function]
    ) -> t.Extent | None:
        places = (kept, *self.holders.outside(kept))
        for fact in self._deciding(function, step):
            if any(self.tells(fact, place, function) for place in places):
                return fact.term.extent
        if depth <= 0 or function in seen:
            return None
        first: t.Extent | None = None
        for outer, at in self._ways_in(function):
            told = self._above(outer, at, kept, depth - 1, seen | {function})
            if told is None:
                return None
            first = first or told
        return first

    def _ways_in(self, function: Function) -> Iterator[tuple[Function, Step]]:
        """The calls that bring a message into a function; for a closure that nothing of the file calls, its making."""
        called = False
        for invocation in self.invocations.of(function):
            called = True
            if not function.parameters or any(
                self.messages.in_term(invocation.argument(i, p.name)) is not None
                for i, p in enumerate(function.parameters)
            ):
                yield invocation.function, invocation.step
        if not called and function.parent is not None and function.parent.kind != "top":
            host = function.parent.host
            for step in host.cfg.of_kind("closure"):
                if isinstance(step.term, t.Closure) and step.term.function is function:
                    yield host, step
                    return

    def _deciding(self, function: Function, step: Step) -> Iterator[flow.Fact]:
        """What the tests say of which only one way comes to a step, with all that follows from it."""
        cfg = function.cfg
        taken = self._taken_in(function) - {step}
        for test in cfg.of_kind("test"):
            if test.term is None or not cfg.reaches(test, step):
                continue
            ways = [
                any(
                    edge.label == label
                    and edge.target not in taken
                    and (edge.target is step or step in cfg.reachable(edge.target, avoiding=taken))
                    for edge in test.edges
                )
                for label in ("true", "false")
            ]
            if all(ways) and self.carries(test.term):
                # A flag that a loop sets: only the facts on the way tell the two apart.
                ways = [
                    cfg.path(test, {step}, labels={label}, avoiding=taken) is not None
                    for label in ("true", "false")
                ]
            if ways[0] != ways[1]:
                for term, holds in flow.implied(test.term, ways[0], self.module):
                    yield flow.Fact(term, holds, test)

    def _taken_in(self, function: Function) -> set[Step]:
        """The steps where the next message is taken: a test behind the addition says nothing of this one."""
        found = self._takes.get(function)
        if found is None:
            found = self._takes[function] = {
                step
                for step in function.cfg.steps
                if step.term is not None
                and (
                    (step.kind == "iterate" and self.messages.gives(step.term))
                    or (step.kind in ("call", "suspend") and self.messages.reads(step.term))
                )
            }
        return found

    def _chosen(self, term: t.Term, kept: Holder, function: Function) -> t.Extent | None:
        """The telling test of the conditional values that an addition stands in."""
        inner, outer = term, term.parent
        while outer is not None and not isinstance(outer, t.Closure):
            facts: list[tuple[t.Term, bool]] = []
            if isinstance(outer, t.Choice) and inner is not outer.test:
                facts = list(flow.implied(outer.test, inner is outer.then, self.module))
            elif isinstance(outer, t.Logic) and inner is outer.right and outer.op in ("and", "or"):
                facts = list(flow.implied(outer.left, outer.op == "and", self.module))
            for part, holds in facts:
                if self.tells(flow.Fact(part, holds), kept, function):
                    return part.extent
            inner, outer = outer, outer.parent
        return None

    def filtered(self, term: t.Term | None, kept: Holder, function: Function, depth: int = 5) -> bool:
        """Whether content has gone through a filter that only what is new passes, or is cut to what is missing."""
        if term is None or depth <= 0:
            return False
        value = self.module.value_of(term)
        if value is not term:
            return self.filtered(value, kept, function, depth - 1)
        if isinstance(term, t.Choice):
            return any(
                self.messages.in_term(side) is not None
                and any(
                    self.tells(flow.Fact(part, truth), kept, function)
                    for part, truth in flow.implied(term.test, holds, self.module)
                )
                for side, holds in ((term.then, True), (term.otherwise, False))
            ) or any(self.filtered(side, kept, function, depth - 1) for side in (term.then, term.otherwise))
        if isinstance(term, t.Several):
            # A comprehension: what it runs over, its conditions, its element.
            conditions = [o for o in term.operands if isinstance(o, (t.Binary, t.Not, t.Logic, t.Call))]
            if any(self._any_told(o, True, kept, function) for o in conditions):
                return True
        if isinstance(term, t.Call) and term.method in self.knowledge.names("newness", "filters"):
            for argument in term.arguments:
                predicate = self.module.resolve_value(argument)
                if predicate is not None and any(
                    value is not None and self._any_told(value, True, kept, predicate)
                    for value, _ in flow.returns(predicate)
                ):
                    return True
        if isinstance(term, t.Element) and term.key is not None and self._about(term.key, kept):
            return True
        if isinstance(term, t.Call) and any(self._about(a, kept) for a in term.arguments):
            return True
        return any(
            self.filtered(child, kept, function, depth - 1)
            for child in term.children()
            if not isinstance(child, t.Closure)
        )

    def _any_told(self, term: t.Term, holds: bool, kept: Holder, function: Function) -> bool:
        return any(
            self.tells(flow.Fact(part, truth), kept, function)
            for part, truth in flow.implied(term, holds, self.module)
        )

    def _about(self, term: t.Term, kept: Holder) -> bool:
        """Whether a term reads what is kept, or its length."""
        return any(
            isinstance(part, t.Ref)
            and (holder := self.holders.of(self._unmeasured(part))) is not None
            and holder.near(kept)
            and bool(kept.path or holder.root is kept.root)
            and self.messages.in_term(part) is None
            for part in term.walk()
        )

    def _unmeasured(self, ref: t.Ref) -> t.Term:
        if ref.place.path and ref.place.name in self.knowledge.names("message", "measures"):
            parent = ref.place.parent
            assert parent is not None
            return t.Ref(ref.extent, parent)
        return ref

    # -- what a test says --------------------------------------------------------------------------

    def tells(self, fact: flow.Fact, kept: Holder, function: Function) -> bool:
        """Whether a fact says that content is new to what is kept."""
        term, holds = fact.term, fact.holds
        term, holds = _plain(term, holds)
        if isinstance(term, t.Binary):
            return self._compared(term, holds, kept, function, fact.step)
        if isinstance(term, t.Result):
            asks = isinstance(term.call, t.Call) and term.call.method in self.knowledge.names(
                "newness", "marks"
            )
            # `known, _ := seen.ContainsOrAdd(id)` tells with its first result, `_, known := seen.LoadOrStore(id)` its second.
            if isinstance(term.call, t.Ref) or term.index > 0 or asks:
                return self._member(term.call, holds, kept, function, fact.step)
            return False
        if isinstance(term, t.Suspend) and term.value is not None:
            term = term.value
        if isinstance(term, t.Ref) and isinstance(
            named := self.module.value_of(term), (t.Binary, t.Not, t.Logic)
        ):
            # A predicate was asked about a condition that has a name.
            return any(
                self.tells(flow.Fact(part, truth, fact.step), kept, function)
                for part, truth in flow.implied(named, holds, self.module)
            )
        if isinstance(term, t.Ref):
            term = self._given_last(term, function, fact.step) or term
        if isinstance(term, (t.Call, t.Ref)):
            return self._member(term, holds, kept, function, fact.step)
        return False

    def _given_last(self, ref: t.Ref, function: Function, step: Step | None) -> t.Term | None:
        """The lookup that a variable was given last where it is asked, though it is given something else later:
        `found = known.get(id); if found is None: found = Entry(); known[id] = found`."""
        root = ref.place.root
        if step is None or ref.place.path or ref.key is not None or root.kind != "local" or root.constant:
            return None
        cfg = function.cfg
        stores = self.module.stores_to(Place(root))
        if any(inner is not function for inner, _ in stores):
            return None
        steps = {s for s, store in cfg.assignments if any(store is x for _, x in stores)}
        for last in steps:
            others = steps - {last}
            if cfg.dominates(last, step) and not any(
                other in cfg.reachable(last, avoiding={step})
                and step in cfg.reachable(other, avoiding={last})
                for other in others
            ):
                value = last.store.value if last.store is not None else None
                value = value.value if isinstance(value, t.Suspend) else value
                return value if isinstance(value, (t.Call, t.Ref)) and value is not ref else None
        return None

    def _compared(
        self, term: t.Binary, holds: bool, kept: Holder, function: Function, step: Step | None
    ) -> bool:
        left, right = self._defined(term.left, function, step), self._defined(term.right, function, step)
        difference = left if isinstance(left, t.Binary) and left.op == "-" else None
        if difference is not None and number(right) == 0:
            # `missing = len(self.content) - at`, `if missing != 0`
            left, right = difference.left, difference.right
        if term.op == "in":
            # What it is asked of is the container itself, not the empty one that the variable began with.
            return self.carries(left) and self._contained(left, term.right, holds, kept, function, step)
        for side, named in ((left, right), (right, left)):
            other = self.module.value_of(named)
            if isinstance(other, t.Constant):
                asked = _asked(term.op, other, side is right)
                if asked is not None:
                    value, found = _plain(side, asked == holds)
                    if isinstance(value, t.Field) and value.name in self.knowledge.names(
                        "message", "measures"
                    ):
                        value = value.subject  # `$("#" + id).length === 0`
                    if isinstance(value, (t.Call, t.Result, t.Ref)) and not _is_plain(value):
                        inner = value.call if isinstance(value, t.Result) else value
                        if self._member(inner, found, kept, function, step):
                            return True
        if self._is_counted(left) and self._is_counted(right):
            # `const before = seen.size; seen.add(id); if (seen.size === before) return`
            return True
        for side, other in ((left, right), (right, left)):
            if not self.carries(side) or self._carries_all(other, function, step):
                continue
            if term.op in _ORDER and self._moves(other, kept, function, step):
                return True
            if term.op in ("==", "!="):
                equal = (term.op == "==") == holds
                if equal and self._next(side, other, kept, function, step):
                    return True
                if not equal and self._skips(other, kept, function, step):
                    return True
        return False

    def _member(self, term: t.Term, holds: bool, kept: Holder, function: Function, step: Step | None) -> bool:
        """Whether a lookup or a question about content says that it is not there yet."""
        if _is_dispatched(term, function):
            return False
        if isinstance(term, t.Ref):
            if self.messages.in_term(term) is not None:
                return term.place.name in self.knowledge.names("newness", "flags") and not holds
            if term.key is not None and term.place.path[-1:] == (ELEMENT,) and not holds:
                container = self.holders.at(term.place)
                inner = container.parent if container is not None else None
                return self.carries(term.key) and inner is not None and self._remembers(inner, kept)
            return False
        if not isinstance(term, t.Call):
            return False
        known = self.knowledge
        method = term.method
        asked = [*term.arguments, *(value for _, value in term.keywords)]
        involved = [*asked, *([term.receiver] if term.receiver is not None else [])]
        about = any(self.carries(part) or self._asks(part) for part in involved)
        if not about:
            return False
        if method in known.names("newness", "page") and not holds:
            # What was shown before is found by what the content says of itself, not by a name that is always the same.
            return any(self.carries(part) for part in asked)
        if method in known.names("newness", "contains") and not holds:
            return any(self._keeps(part, kept) for part in involved)
        if method in known.names("newness", "excludes") and holds:
            return any(self._keeps(part, kept) for part in involved)
        if method in known.names("newness", "contains") and holds and term.receiver is not None:
            holder = self.holders.of(term.receiver)
            return holder is not None and self._forgets(holder, function)
        if method in known.names("newness", "adds") and holds:
            return True
        words = split(method)
        target = self.invocations.guess(term)
        if target is not None and self.module.resolve(term) is None:
            mapping = flow.bind(term, target)
            values = [v for v, _ in flow.returns(target) if v is not None and not isinstance(v, t.Constant)]
            if values and all(
                self._any_told(flow.substitute(v, mapping), holds, kept, function) for v in values
            ):
                return True
        if target is not None and self.module.resolve(term) is target and _is_membership(target):
            # What it says is a fact of its own: `return name not in listeners`.
            return False
        if any_of(words, known.names("newness", "words")) or words in (("is", "new"), ("accept",)):
            return target is None or self._looks(target)
        return target is not None and self._looks(target)

    def _contained(
        self,
        left: t.Term,
        right: t.Term,
        holds: bool,
        kept: Holder,
        function: Function,
        step: Step | None,
    ) -> bool:
        if holds:
            holder = self.holders.of(right)
            return holder is not None and self._forgets(holder, function)
        return self._keeps(right, kept)

    # -- what is set against content ---------------------------------------------------------------

    def carries(self, term: t.Term) -> bool:
        """Whether a term holds content of a message somewhere outside of measures."""
        if self.messages.in_term(term) is not None:
            return True
        if isinstance(term, (t.Binary, t.Logic, t.Choice, t.Not, t.Sequence, t.Unary, t.Template)):
            return any(self.carries(child) for child in term.children())
        if isinstance(term, t.Call) and term.method not in self.knowledge.names("message", "measures"):
            return any(self.carries(a) or self._asks(a) for a in term.arguments) or (
                term.receiver is not None and self.carries(term.receiver)
            )
        if isinstance(term, t.Ref) and term.key is not None:
            return self.carries(term.key)
        if isinstance(term, t.Ref):
            value = self.module.value_of(term)
            return (
                value is not None
                and value is not term
                and isinstance(value, (t.Call, t.Result))
                and self.carries(value)
            )
        if isinstance(term, t.Result):
            return self.carries(term.call)
        return False

    def _carries_all(self, term: t.Term, function: Function, step: Step | None) -> bool:
        """Whether a term is of this message alone, or of no variable at all."""
        refs = [part for part in term.walk() if isinstance(part, t.Ref)]
        return all(
            self.messages.in_term(ref) is not None and not self._is_left_over(ref, function, step)
            for ref in refs
        )

    def _is_left_over(self, ref: t.Ref, function: Function, step: Step | None) -> bool:
        """Whether a variable still holds what an earlier message left in it: nothing gave it this one's before."""
        root = ref.place.root
        if ref.place.path or root.kind != "local" or root.constant or step is None:
            return False
        stores = self.module.stores_to(Place(root))
        here = [s for s in function.cfg.steps if s.store is not None and any(s.store is x for _, x in stores)]
        return len(stores) > 1 and not any(
            function.cfg.dominates(s, step)
            for s in here
            if s.store is not None and self.messages.in_term(s.store.value) is not None
        )

    def _asks(self, term: t.Term) -> bool:
        """A closure that compares with content: `held.some(h => h.id === line.id)`."""
        predicate = self.module.resolve_value(term) if isinstance(term, t.Closure) else None
        if predicate is None:
            return isinstance(term, t.Several) and any(
                isinstance(part, t.Binary)
                and (self.messages.in_term(part.left) or self.messages.in_term(part.right))
                for part in term.walk()
            )
        return any(
            isinstance(part, t.Ref) and self.messages.in_term(part) is not None
            for step in predicate.cfg.steps
            if step.term is not None
            for part in step.term.walk()
        )

    def _defined(self, term: t.Term, function: Function, step: Step | None) -> t.Term:
        """The lookup behind a variable, which says more than its name."""
        if isinstance(term, t.Store):
            return self._defined(term.value, function, step)
        value = self.module.value_of(term)
        if value is term and isinstance(term, t.Ref):
            value = self._given_last(term, function, step)
        if isinstance(value, t.Ref) and value.key is not None:
            return value  # `lane := lanes[name]`
        return value if isinstance(value, (t.Call, t.Result, t.Binary)) else term

    def _moves(self, term: t.Term, kept: Holder, function: Function, step: Step | None) -> bool:
        """Whether a term is a position that content moves on: a length of what is kept, a number that is taken over."""
        for part in term.walk():
            if isinstance(part, t.Call):
                if part.method in self.knowledge.names("message", "measures"):
                    if self._measures(part, kept):
                        return True
                    continue
                if self.module.canonical(part.callee) in self.knowledge.names("liveness", "clocks"):
                    continue
                holder = self.holders.of(part)
                if holder is not None and self._is_written(holder):
                    return True
                if self.invocations.resolve(part) is None and part.method in self.knowledge.names(
                    "holder", "elements"
                ):
                    continue
                if part.method not in self.knowledge.names("newness", "arithmetic"):
                    return True
            elif (
                isinstance(part, t.Ref)
                and not (isinstance(part.parent, t.Call) and part.parent.callee is part)
                and self._position(part, kept, function, step)
            ):
                return True
        return False

    def _position(self, ref: t.Ref, kept: Holder, function: Function, step: Step | None) -> bool:
        place = ref.place
        if self._is_left_over(ref, function, step):
            return True
        if self.messages.in_term(ref) is not None:
            return False
        if place.path and place.name in self.knowledge.names("message", "measures"):
            return self._near(self._unmeasured(ref), kept)
        if isinstance(self.module.value_of(ref), t.Constant) or (
            place.root.kind in ("import", "global") and not place.path
        ):
            return False
        holder = self.holders.at(place)
        if holder is None:
            return False
        # A field of an element of the list that grows moves with it.
        return (holder.within(kept) and holder != kept) or self._is_written(holder)

    def _measures(self, call: t.Call, kept: Holder) -> bool:
        """Whether a call asks for the length of what is kept."""
        if any(self._near(argument, kept) for argument in call.arguments):
            return True
        on = call.receiver_place
        if on is None or on.path or on.root.kind != "local":
            return call.receiver is not None and self._near(call.receiver, kept)
        # A method is called on what a variable stands for, also where it was only just put there:
        # `d, ok := drafts[id]; if !ok { d = &strings.Builder{}; drafts[id] = d }; d.Len()`
        through = self.holders.at(on.field(call.method))
        return through is not None and self._is_near(Holder(through.root, through.path[:-1]), kept)

    def _near(self, term: t.Term, kept: Holder) -> bool:
        """Whether a term is what is kept, or a whole that it is a field of; a list that it is only one element of is not."""
        holder = self.holders.of(term)
        return holder is not None and self._is_near(holder, kept)

    def _is_near(self, holder: Holder, kept: Holder) -> bool:
        return holder.near(kept) and ELEMENT not in kept.path[len(holder.path) :]

    def _next(self, side: t.Term, other: t.Term, kept: Holder, function: Function, step: Step | None) -> bool:
        """Whether equality with `other` means that content goes on exactly where the kept content ends."""
        for part in (*other.walk(), *side.walk()):
            if (
                isinstance(part, t.Binary)
                and part.op in ("+", "-")
                and self._moves(other, kept, function, step)
            ):
                return True
            if (
                isinstance(part, t.Call)
                and part.method in self.knowledge.names("message", "measures")
                and self._measures(part, kept)
            ):
                return True
            if (
                isinstance(part, t.Ref)
                and part.place.path
                and part.place.name in self.knowledge.names("message", "measures")
                and self._near(self._unmeasured(part), kept)
            ):
                return True
        place = other.place if isinstance(other, t.Ref) else None
        if place is None:
            return False
        for _, store in self._stores(place):
            if store.op in ("+", "-") or (isinstance(store.value, t.Binary) and store.value.op in ("+", "-")):
                return True
            if (
                isinstance(store.value, t.Ref)
                and isinstance(side, t.Ref)
                and self.messages.in_term(store.value) is not None
                and store.value.place.name != side.place.name
                and store.value.place.path
                and side.place.path
            ):
                # `if (delta.base === this.revision) { ...; this.revision = delta.revision }`
                return True
        # `if (piece.n !== old.next) return state; return { ...old, next: old.next + 1 }`
        return any(isinstance(v, t.Binary) and v.op in ("+", "-") for v in self._entries(place.name))

    def _is_counted(self, term: t.Term) -> bool:
        """Whether a term is the size of a container that content is put into, or was a moment ago."""
        if isinstance(term, t.Ref) and not term.place.path and term.place.root.kind == "local":
            values = [s.value for _, s in self.module.stores_to(term.place)] if term.place.name else []
            return any(not isinstance(v, t.Ref) or v.place.path for v in values) and any(
                self._is_counted(v) for v in values if not (isinstance(v, t.Ref) and not v.place.path)
            )
        counted: t.Term | None = None
        if isinstance(term, t.Ref) and term.place.path:
            inner = self._unmeasured(term)
            counted = inner if inner is not term else None
        elif isinstance(term, t.Call) and term.method in self.knowledge.names("message", "measures"):
            counted = term.argument(0) or term.receiver
        holder = self.holders.of(counted) if counted is not None else None
        return holder is not None and self._is_marked(holder)

    def _skips(self, other: t.Term, kept: Holder, function: Function, step: Step | None) -> bool:
        """Whether being unequal to `other` keeps out what came last, or what is kept: it is taken over after the test."""
        holder = self.holders.of(other)
        if holder is None:
            return False
        if holder == kept and not isinstance(other, t.Ref):
            # `text.slice(-m.length) !== m`
            return True
        container = kept.parent if kept.path[-1:] == (ELEMENT,) else kept
        if container is not None and holder.within(container) and ELEMENT in holder.path:
            return True
        if not isinstance(other, t.Ref) or step is None:
            return False
        onward = function.cfg.reachable(step)
        return any(
            inner is function
            and self.messages.in_term(store.value) is not None
            and any(s.term is store for s in onward)
            for inner, store in self._stores(other.place)
        )

    def _keeps(self, term: t.Term, kept: Holder) -> bool:
        """Whether a term is what is kept, or remembers content that has passed."""
        if self.messages.in_term(term) is not None or isinstance(term, (t.Constant, t.Closure)):
            return False
        if isinstance(term, (t.Sequence, t.Template)):
            return any(self._keeps(child, kept) for child in term.children())
        holder = self.holders.of(term)
        if holder is None:
            if isinstance(term, t.Several):
                return any(self._keeps(child, kept) for child in term.children())
            return (
                isinstance(term, t.Call)
                and not term.constructs
                and any(
                    self._keeps(a, kept)
                    for a in (*term.arguments, *([term.receiver] if term.receiver else []))
                )
            )
        return self._remembers(holder, kept)

    def _remembers(self, holder: Holder, kept: Holder) -> bool:
        if holder.near(kept) or isinstance(holder.root, Found):
            return True
        parent = kept.parent
        while parent is not None and parent.path:
            if holder.near(parent):
                return True
            parent = parent.parent
        if holder.root.kind == "import" or (holder.root.kind == "parameter" and not holder.path):
            return True
        return self._is_marked(holder)

    def _is_marked(self, holder: Holder) -> bool:
        """Whether content is put into a container somewhere in the file."""
        for function in self.module.functions_mentioning(holder.name):
            for step in function.cfg.steps:
                call = step.call
                if call is not None and call.method in self.knowledge.names("newness", "marks"):
                    receiver = self.holders.of(call.receiver)
                    if receiver == holder and any(self.carries(a) for a in call.arguments):
                        return True
                if step.store is not None and isinstance(step.store.target, t.Ref):
                    target = step.store.target
                    where = self.holders.at(target.place)
                    if where is None or not where.near(holder):
                        continue
                    if (target.key is not None and self.carries(target.key)) or self.carries(
                        step.store.value
                    ):
                        return True
        return False

    def _is_written(self, holder: Holder) -> bool:
        """Whether a position is counted on, or content is taken over into it, somewhere in the file."""
        if isinstance(holder.root, Found):
            return True
        name = holder.name
        for function in self.module.functions_mentioning(name):
            for step in function.cfg.steps:
                if step.store is not None and isinstance(step.store.target, t.Ref):
                    where = self.holders.at(step.store.target.place)
                    if where is not None and (where == holder or self.holders.alike(where, holder)):
                        if step.store.op in ("+", "-") or self.carries(step.store.value):
                            return True
                        if isinstance(step.store.value, t.Binary) and step.store.value.op in ("+", "-"):
                            return True
                if step.call is not None and step.call.method in self.knowledge.names("newness", "marks"):
                    receiver = self.holders.of(step.call.receiver)
                    if (
                        receiver is not None
                        and receiver.field(ELEMENT) == holder
                        and any(self.carries(a) for a in step.call.arguments)
                    ):
                        return True
        if any(
            self.carries(value) or (isinstance(value, t.Binary) and value.op in ("+", "-"))
            for value in self._entries(name)
        ):
            return True
        return holder.root.kind == "parameter" and not holder.path

    def _entries(self, name: str) -> Iterator[t.Term]:
        """The values that records and keyword arguments of the file give a field of this name: `{ ...old, next: n + 1 }`,
        `replace(old, rev=m["rev"])`."""
        for function in self.module.functions_mentioning(name):
            for step in function.cfg.steps:
                if step.kind in ("call", "assign", "return") and step.term is not None:
                    for part in step.term.walk():
                        if isinstance(part, t.Record):
                            yield from (value for key, value in part.entries if key == name)
                        elif isinstance(part, t.Call) and part.keywords:
                            yield from (value for key, value in part.keywords if key == name)

    def _forgets(self, holder: Holder, function: Function) -> bool:
        """Whether content is taken out of a container here: what was expected once is expected no more."""
        return any(
            call.method in self.knowledge.names("newness", "forgets")
            and self.holders.of(call.receiver) == holder
            and any(self.carries(a) for a in call.arguments)
            for _, call in function.cfg.calls
        ) or any(
            isinstance(step.term, t.Delete)
            and isinstance(step.term.target, t.Ref)
            and (where := self.holders.at(step.term.target.place)) is not None
            and where.parent == holder
            for step in function.cfg.of_kind("delete")
        )

    def _stores(self, place: Place) -> Iterable[tuple[Function, t.Store]]:
        """The assignments to a place, under whatever name of its object."""
        wanted = self.holders.at(place)
        for function in self.module.functions_mentioning(place.name):
            for _, store in function.cfg.assignments:
                if isinstance(store.target, t.Ref):
                    where = self.holders.at(store.target.place)
                    if (
                        where is not None
                        and wanted is not None
                        and (where == wanted or self.holders.alike(where, wanted))
                    ):
                        yield function, store

    def _looks(self, function: Function) -> bool:
        """Whether a predicate of the file sets its argument against what the file keeps."""
        key = ("newness", function)
        memo = self.module.memo
        if key not in memo:
            memo[key] = False
            memo[key] = any(self._sets_against(step, function) for step in function.cfg.steps)
        return bool(memo[key])

    def _sets_against(self, step: Step, function: Function) -> bool:
        if step.term is None:
            return False
        for part in step.term.walk():
            if isinstance(part, t.Binary) and part.op in (*_ORDER, "in"):
                sides = [self._roots(part.left, function), self._roots(part.right, function)]
            elif isinstance(part, t.Call) and part.method in (
                self.knowledge.names("newness", "contains") | self.knowledge.names("newness", "adds")
            ):
                sides = [
                    {r for a in part.arguments for r in self._roots(a, function)},
                    self._roots(part.receiver, function) if part.receiver is not None else set(),
                ]
            else:
                continue
            own = set(function.parameters)
            if (sides[0] & own and sides[1] - own) or (sides[1] & own and sides[0] - own):
                return True
        return False

    def _roots(self, term: t.Term, function: Function, depth: int = 4) -> set[object]:
        """What a term is made of; of the function's own variables, what they are made of."""
        found: set[object] = set()
        for part in term.walk():
            if not isinstance(part, t.Ref) or part.place.root.kind in ("import", "global", "function"):
                continue
            root = part.place.root
            own = root.kind == "local" and root.scope is function and bool(root.name) and depth > 0
            values = [store.value for _, store in self.module.stores_to(Place(root))] if own else []
            if values:
                for value in values:
                    found |= self._roots(value, function, depth - 1)
            else:
                found.add(root)
        return found


def _is_dispatched(term: t.Term, function: Function) -> bool:
    """Whether what is looked up is called: `const handler = table[m.type]; if (handler) handler(m)`."""
    for _, call in function.cfg.calls:
        if not isinstance(call.callee, t.Ref) or call.callee.place.path not in ((), ("call",)):
            continue
        value = call.callee.place.root.initial
        if term is (value.call if isinstance(value, t.Result) else value):
            return True
    return False


def _is_membership(function: Function) -> bool:
    """Whether all that a predicate does is to say whether something is in a container, or is not."""
    values = flow.returns(function)
    value = values[0][0] if len(values) == 1 else None
    while isinstance(value, t.Not):
        value = value.operand
    return isinstance(value, t.Binary) and value.op == "in"


def _plain(term: t.Term, holds: bool) -> tuple[t.Term, bool]:
    while isinstance(term, t.Not):
        term, holds = term.operand, not holds
    while isinstance(term, t.Store):
        term = term.value
    return term, holds


def _is_plain(term: t.Term) -> bool:
    return isinstance(term, t.Ref) and term.key is None


def _asked(op: str, constant: t.Constant, constant_first: bool) -> bool | None:
    """Of a comparison of a lookup's result with a constant: whether its truth means that something was found."""
    if constant.kind == "null":
        return {"==": False, "!=": True}.get(op)
    if constant.value == -1:
        return {"==": False, "!=": True, ">": True}.get(op)
    if constant.value == 0 and not isinstance(constant.value, bool):
        if constant_first:
            return {"<=": True, ">": False}.get(op)
        return {"<": False, ">=": True, "==": False, ">": True}.get(op)
    return None
