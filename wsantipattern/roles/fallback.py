"""Fallbacks: whether a step runs because something went wrong, and what says so.

Structure: an exception handler, a rejected promise, a Go error that is not nil, a handler of an error or close event,
two positions that stand the wrong way round, an answer that is not there. Words (`isStale`, `onFailure`, a status
code) are weaker evidence. Helpers and closures run for the reason that their callers have.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Fact, facts_at, implied
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record
from wsantipattern.roles.asked import Asked
from wsantipattern.roles.event import Events, Registration
from wsantipattern.roles.order import RELATIONS, Orders, is_guarded
from wsantipattern.roles.slot import Slots, is_fixed, terms_in, terms_of
from wsantipattern.roles.words import any_of, split

DEPTH = 2


@record(frozen=True, slots=True)
class Fallback:
    """Why a step runs on a fallback path.

    Attributes:
        extent, reason: where that is said, and a short clause for the trace.
        is_strong: structure says so, not words.
        event: the connection's own event that runs it (`close`, `reconnect`), else "".
        is_vague: also how a first start looks (an answer is not there); counts only where the stream goes on.
        is_error: an error value is there, by structure or by its name.
        is_crossed: two positions stand the wrong way round.
        is_asked: a position that a peer asks for is not there; counts only where it was given something before.
        function, step: the function whose text says so, and its step on the way.
    """

    extent: t.Extent
    reason: str
    is_strong: bool
    function: Function
    step: Step
    event: str = ""
    is_vague: bool = False
    is_crossed: bool = False
    is_error: bool = False
    is_asked: bool = False


class Fallbacks:
    """The fallback paths of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, events: Events, slots: Slots, orders: Orders
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.slots = slots
        self.orders = orders
        self.asked = Asked(module, knowledge, orders)

    def reasons(
        self,
        function: Function,
        step: Step,
        place: Place,
        extra: list[tuple[t.Term, bool]],
        depth: int = DEPTH,
    ) -> Iterator[Fallback]:
        """Why `step`, which moves the slot at `place`, runs on a fallback path; strong reasons need not come first.

        `extra` are conditions that hold for the moved value alone (those of a conditional value).
        """
        yield from self._handlers(function, step)
        yield from self._cases(function, step)
        facts = [*facts_at(function, step), *(Fact(term, holds) for term, holds in extra)]
        for fact in facts:
            yield from self._of_fact(function, step, fact, place)
        yield from self._narrowed(function, step, facts, place)
        yield from self._either(function, step, place)
        yield from self._of_events(function, step, place, direct=depth == DEPTH)
        if depth > 0:
            for caller, site in self._runs(function, step):
                yield from self.reasons(caller, site, place, [], depth - 1)

    def _handlers(self, function: Function, step: Step) -> Iterator[Fallback]:
        for handler in function.cfg.of_kind("handler"):
            if function.cfg.dominates(handler, step):
                yield Fallback(handler.extent, "the attempt failed", True, function, step)

    def _cases(self, function: Function, step: Step) -> Iterator[Fallback]:
        """A case of a select that is taken when nothing came in time, or when a channel brings an error."""
        cfg = function.cfg
        for waits in cfg.of_kind("suspend"):
            if (
                not isinstance(waits.term, t.Suspend)
                or waits.term.op != "receive"
                or not any(cfg.dominates(choice, waits) for choice in cfg.of_kind("select"))
                or not cfg.dominates(waits, step)
            ):
                continue
            name = _last_word_of(waits.term.value)
            if self._is_timeout(waits.term.value):
                yield Fallback(waits.extent, "nothing came in time", True, function, step)
            elif self._named(waits.term.value, "errors"):
                yield Fallback(
                    waits.extent, f"`{name}` brings an error", False, function, step, is_error=True
                )
            elif self._named(waits.term.value, "link_handlers"):
                reason = f"`{name}` tells of a lost connection"
                yield Fallback(waits.extent, reason, False, function, step, event=name)
            elif self._named(waits.term.value, "losses"):
                reason = f"`{name}` tells that something was lost"
                yield Fallback(waits.extent, reason, False, function, step, is_vague=True)

    def _is_timeout(self, channel: t.Term | None) -> bool:
        if isinstance(channel, t.Call):
            return (self.module.canonical(channel.callee) or "") in self.knowledge.names(
                "watermark", "timeouts"
            )
        if isinstance(channel, t.Ref) and channel.place.parent is not None:
            made = self.module.value_of(t.Ref(channel.extent, channel.place.parent))
            return isinstance(made, t.Call) and (
                (self.module.canonical(made.callee) or "") in self.knowledge.names("watermark", "timers")
            )
        return False

    def _runs(self, function: Function, step: Step) -> Iterator[tuple[Function, Step]]:
        """The steps that run this one unless an attempt fails before: calls of its function, and where a closure is
        made."""
        if any(self._failed(fact.term, not fact.holds) is None for fact in function.cfg.known_at(step)):
            return
        yield from callers(function)
        if function.kind == "lambda" and function.parent is not None and self._runs_at_once(function):
            parent = function.parent.host
            for made in parent.cfg.of_kind("closure"):
                if isinstance(made.term, t.Closure) and made.term.function is function:
                    yield parent, made

    def _runs_at_once(self, function: Function) -> bool:
        """Whether a closure is given to a call that runs it: not kept, not registered, not put off."""
        takers = list(self._takers(function))
        return (
            bool(takers)
            and not self.events.of_handler(function)
            and not any(taker.method in self.knowledge.names("watermark", "delays") for taker in takers)
        )

    # -- facts -----------------------------------------------------------------------------------

    def _of_fact(self, function: Function, step: Step, fact: Fact, place: Place) -> Iterator[Fallback]:
        term, holds = fact.term, fact.holds
        if self.slots.speaks_of(term, place):
            return
        extent = fact.step.extent if fact.step is not None else term.extent
        if self._is_crossed(term, holds):
            yield Fallback(
                extent, "two positions are found the wrong way round", True, function, step, is_crossed=True
            )
        failed = self._failed(term, holds)
        if failed is not None:
            named = isinstance(term, t.Binary) and self._named(term.left, "errors")
            yield Fallback(extent, "the attempt failed", failed, function, step, is_error=failed or named)
        elif self._is_absent(function, term, holds) and self._is_caught(term, place):
            yield Fallback(extent, "the attempt failed", True, function, step)
        elif self._is_absent(function, term, holds):
            yield Fallback(extent, "the answer is not there", True, function, step, is_vague=True)
        elif self._says_trouble(term, holds):
            yield Fallback(extent, "something has gone wrong", False, function, step)
        elif self.asked.is_gone(function, term, holds):
            reason = "the position that is asked for is not there"
            yield Fallback(extent, reason, False, function, step, is_vague=True, is_asked=True)

    def _is_crossed(self, term: t.Term, holds: bool) -> bool:
        """Whether one position is found beyond another: no literals, lengths, times, or counters of the file.

        Only strictly beyond: that the two stand as they should, or are equal, is the ordinary way.
        """
        if not isinstance(term, t.Binary) or term.op not in RELATIONS or (term.op in ("<", ">")) != holds:
            return False
        return all(self._is_position(side) for side in (term.left, term.right))

    def _is_position(self, side: t.Term) -> bool:
        value = self.module.value_of(side) or side
        if isinstance(value, t.Result):
            value = value.call
        if is_fixed(value) or isinstance(value, t.Binary):
            return False
        if isinstance(value, (t.Call, t.Suspend)):
            call = value.value if isinstance(value, t.Suspend) else value
            return not (isinstance(call, t.Call) and (call.total or self._is_amount(call.method)))
        if not isinstance(value, t.Ref) or self._is_amount(value.place.name):
            return False
        return not any(store.op in ("+", "-") for _, store in self.module.stores_to(value.place))

    def _is_amount(self, name: str) -> bool:
        return any_of(split(name), self.knowledge.names("watermark", "amounts"))

    def _failed(self, term: t.Term, holds: bool) -> bool | None:
        """Whether a condition says that an attempt failed: True by structure, False by words, None where it does not."""
        if isinstance(term, t.Binary) and term.op in ("==", "!="):
            for side, other in ((term.left, term.right), (term.right, term.left)):
                if is_null(other) and holds == (term.op == "!="):
                    if self._is_go_error(side):
                        return True
                    return False if self._named(side, "errors") else None
                if self._named(side, "statuses") and not self._named(side, "errors"):
                    good = self._says_good(other)
                    return False if holds == ((term.op == "==") != good) else None
        if isinstance(term, t.Binary) and term.op in RELATIONS and self._named(term.left, "statuses"):
            return False if is_fixed(term.right) and holds == (term.op in (">", ">=")) else None
        if isinstance(term, t.Binary) and term.op == "instanceof" and holds:
            return False if self._named(term.right, "errors") else None
        if isinstance(term, t.Call):
            name = self.module.canonical(term.callee) or ""
            if name in self.knowledge.names("watermark", "error_tests"):
                return True if holds else None
            if name == "isinstance" and holds and self._named(term.argument(1), "errors"):
                return False
        if isinstance(term, t.Ref) and self._named(term, "errors"):
            return False if holds else None
        if isinstance(term, t.Ref) and self._named(term, "successes"):
            value = self.module.value_of(term)
            # A closed channel, a key that a map has not: nothing has failed.
            looked_up = isinstance(value, t.Result) and not isinstance(value.call, t.Call)
            return None if holds or looked_up else False
        return None

    def _is_go_error(self, side: t.Term) -> bool:
        """The last of several results, in a language where errors are values, or what a panic left."""
        if self.module.raises or not isinstance(side, t.Ref) or side.place.path:
            return False
        value = self.module.value_of(side)
        if isinstance(value, t.Call) and self.module.canonical(value.callee) == "recover":
            return True
        return any(
            isinstance(store.value, t.Result)
            and store.value.index > 0
            and isinstance(store.value.call, t.Call)
            for _, store in self.module.stores_to(side.place)
        )

    def _named(self, term: t.Term | None, key: str) -> bool:
        name = _last_word_of(term)
        return bool(name) and any_of(split(name), self.knowledge.names("watermark", key))

    def _says_good(self, term: t.Term) -> bool:
        if isinstance(term, t.Constant):
            return str(term.value).lower() in self.knowledge.names("watermark", "good_statuses")
        return any_of(split(_last_word_of(term)), self.knowledge.names("watermark", "good_statuses"))

    def _is_absent(self, function: Function, term: t.Term, holds: bool) -> bool:
        """Whether a condition says that what was asked for did not come."""
        subject: t.Term | None = None
        if isinstance(term, t.Ref):
            subject = term if not holds else None
        elif isinstance(term, t.Binary) and term.op in ("==", "!=") and holds == (term.op == "=="):
            if is_null(term.right):
                subject = term.left
            elif is_null(term.left):
                subject = term.right
        if not isinstance(subject, t.Ref) or not subject.place.is_local:
            return False
        if self._is_go_error(subject) or self._named(subject, "errors"):
            return False
        return any(
            isinstance(store.value, (t.Call, t.Suspend, t.Region, t.Result))
            for _, store in self.module.stores_to(subject.place)
        )

    def _is_caught(self, term: t.Term, place: Place) -> bool:
        """Whether what is asked about is there unless an attempt failed that was made with the slot's value:
        `await load(W).catch(() => null)`."""
        return any(
            isinstance(region, t.Region)
            and any(isinstance(statement, t.Try) and statement.handlers for statement in region.body)
            and any(
                isinstance(part, t.Ref)
                and (
                    self.slots.same(part.place, place)
                    or (bool(part.place.path) and place.starts_with(part.place))
                )
                for part in terms_of(region)
            )
            for region in (self.module.value_of(part) for part in term.walk())
        )

    def _says_trouble(self, term: t.Term, holds: bool) -> bool:
        trouble = self.knowledge.names("watermark", "troubles")
        if isinstance(term, t.Binary) and term.op == "in" and holds:
            return any_of(split(_constant_word(term.left)), trouble)
        if isinstance(term, t.Binary) and term.op == "==" and holds:
            return any(
                any_of(split(name), trouble)
                for name in (_constant_word(term.left), _constant_word(term.right))
                if name
            )
        if isinstance(term, t.Record):
            # A pattern: what it takes apart.
            return holds and any(
                name is not None and any_of(split(name), trouble) for name, _ in term.entries
            )
        if isinstance(term, (t.Ref, t.Call)):
            return holds and any_of(split(_last_word_of(term)), trouble)
        return False

    def _narrowed(
        self, function: Function, step: Step, facts: list[Fact], place: Place
    ) -> Iterator[Fallback]:
        """Conditions that hold on every way that can be taken, where the plain intersection loses them."""
        known = {id(fact.step) for fact in facts}
        cfg = function.cfg
        for test in cfg.of_kind("test"):
            if id(test) in known or not cfg.reaches(test, step) or test.term is None:
                continue
            if not any(
                self._is_crossed(term, holds) or self._failed(term, holds) is not None
                for outcome in (True, False)
                for term, holds in implied(test.term, outcome, self.module)
            ):
                continue
            if cfg.path(cfg.entry, {step}, avoiding={test}) is not None:
                continue
            first = cfg.path(cfg.entry, {test})
            if first is None:
                continue
            ways = [
                outcome
                for outcome in (True, False)
                if cfg.path(test, {step}, avoiding={test}, labels=["true" if outcome else "false"])
                is not None
            ]
            if len(ways) == 1:
                for term, holds in implied(test.term, ways[0], self.module):
                    yield from self._of_fact(function, step, Fact(term, holds, test), place)

    def _either(self, function: Function, step: Step, place: Place) -> Iterator[Fallback]:
        """`if resume and after <= head: ... else: here`: the positions stand wrong, or were not asked about."""
        cfg = function.cfg
        crossed = [
            outcome
            for outcome in self.orders.outcomes(function)
            if any(
                self._is_crossed(term, holds) and not self.slots.speaks_of(term, place)
                for term, holds in outcome.terms
            )
            and cfg.reaches(outcome.step, step)
        ]
        for outcome in crossed:
            before = [fact for fact in cfg.known_at(outcome.step) if fact.step is not None]
            if any(_names_two(fact.term) for fact in before):
                continue
            chosen = {(outcome.step, outcome.label)}
            chosen |= {(f.step, "false" if f.holds else "true") for f in before if f.step is not None}
            if before and is_guarded(function, step, chosen):
                reason = "the positions asked about stand the wrong way round, or none were asked about"
                yield Fallback(outcome.step.extent, reason, True, function, step, is_vague=True)

    # -- events ----------------------------------------------------------------------------------

    def _of_events(self, function: Function, step: Step, place: Place, *, direct: bool) -> Iterator[Fallback]:
        is_last = self._is_served(function)
        for registration in self.events.of_handler(function):
            extent = registration.step.extent if registration.step is not None else function.name_extent
            reason = f"a `{registration.event}` event runs this"
            if registration.event in self.knowledge.names("watermark", "error_events"):
                yield Fallback(extent, reason, True, function, step)
            elif registration.event in self.knowledge.names("watermark", "link_events"):
                if is_last or self._is_for_good(registration, place):
                    continue
                yield Fallback(extent, reason, True, function, step, event=registration.event)
            elif any_of(split(registration.event), self.knowledge.names("watermark", "troubles")):
                yield Fallback(extent, reason, False, function, step)
        for taker in self._takers(function):
            if taker.method in self.knowledge.names("watermark", "error_takers"):
                yield Fallback(taker.extent, "the attempt failed", True, function, step)
            elif direct and taker.method in self.knowledge.names("watermark", "delays"):
                yield Fallback(taker.extent, "nothing came in time", False, function, step, is_vague=True)
            elif any(
                isinstance(a, t.Ref)
                and any_of(split(a.place.name), self.knowledge.names("watermark", "errors"))
                for a in taker.arguments
            ):
                yield Fallback(taker.extent, "the attempt failed", False, function, step)
        name = function.name.rpartition(".")[2]
        words = split(name)
        if any_of(words, self.knowledge.names("watermark", "error_handlers")):
            yield Fallback(function.name_extent, f"`{name}` deals with a failure", False, function, step)
        elif any_of(words, self.knowledge.names("watermark", "recoveries")):
            yield Fallback(
                function.name_extent,
                f"`{name}` deals with what was lost",
                False,
                function,
                step,
                is_vague=True,
            )
        elif any_of(words, self.knowledge.names("watermark", "link_handlers")) and not is_last:
            yield Fallback(
                function.name_extent,
                f"`{name}` deals with a lost connection",
                False,
                function,
                step,
                event=name,
            )

    def _is_served(self, function: Function) -> bool:
        """Whether a method belongs to an object that a framework makes for one connection, and calls when it ends."""
        if function.owner is None or any(r.word != "method" for r in self.events.of_handler(function)):
            return False
        served = self.knowledge.names("watermark", "served")
        return any(not served.isdisjoint(owner.bases) for owner in self.module.lineage(function.owner))

    def _is_for_good(self, registration: Registration, place: Place) -> bool:
        """Whether the connection whose end runs a handler was given to what keeps the slot, once: it does not come
        back, and the slot ends with it."""
        given, maker = registration.emitter, registration.function
        if (
            maker is None
            or not isinstance(given, t.Ref)
            or given.place.path
            or given.place.root not in maker.parameters
            or registration.event not in self.knowledge.names("watermark", "ending_events")
        ):
            return False
        back = self.knowledge.names("watermark", "coming_events")
        if any(
            other.event in back and isinstance(other.emitter, t.Ref) and other.emitter.place == given.place
            for other in self.events.made_in(maker)
        ):
            return False
        root = place.root
        if root.kind == "this":
            return maker.kind == "constructor" and maker.owner is root.owner
        return root.kind == "local" and root.scope is not None and root.scope.host is maker

    def _takers(self, function: Function) -> Iterator[t.Call]:
        """The calls that a function is directly given to."""
        word = function.name.rpartition(".")[2]
        places = [function.parent.host] if function.kind == "lambda" and function.parent is not None else []
        for other in places or self.module.functions_mentioning(word):
            for term in terms_in(other):
                if isinstance(term, t.Call) and any(
                    (isinstance(a, t.Closure) and a.function is function)
                    or (isinstance(a, t.Ref) and self.module.resolve_value(a) is function)
                    for a in term.arguments
                ):
                    yield term


def _names_two(term: t.Term) -> bool:
    """Whether a condition compares two things neither of which is written out: then it may tell two streams apart."""
    return isinstance(term, t.Binary) and not any(
        is_fixed(side) or (isinstance(side, t.Ref) and side.place.root.kind in ("import", "global", "class"))
        for side in (term.left, term.right)
    )


def _last_word_of(term: t.Term | None) -> str:
    if isinstance(term, t.Ref):
        return term.place.name
    if isinstance(term, t.Field):
        return term.name
    if isinstance(term, t.Call):
        return term.method
    return ""


def _constant_word(term: t.Term) -> str:
    """The text of a literal, or the last word of a name that is written like a constant of a type."""
    if isinstance(term, t.Constant) and isinstance(term.value, str):
        return term.value
    if isinstance(term, t.Ref) and term.place.root.kind in ("import", "global", "class") and term.place.path:
        return term.place.name
    return ""
