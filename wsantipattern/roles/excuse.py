"""Excuses: what explains that a watermark goes back.

It held nothing yet, another stream or session begins, the object ends, or the same path drops what the watermark
describes. Also tells whether the stream goes on after a step: whether the file reads or raises the watermark again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import Key, atom, facts_at, key
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.loading import DEPTH
from wsantipattern.roles.order import RELATIONS, Orders, operands_of
from wsantipattern.roles.rise import Rises, Watermark
from wsantipattern.roles.slot import Move, Slots, is_fixed, terms_in
from wsantipattern.roles.words import any_of, split


def _is_zero(value: t.Term | None) -> bool:
    return isinstance(value, t.Constant) and value.kind == "number" and value.value == 0


def _is_nothing(value: t.Term | None) -> bool:
    """Whether a value is what a field holds before anything happens: nothing, zero, an empty text or container."""
    if isinstance(value, t.Constant):
        return value.kind != "bool" and not value.value
    return isinstance(value, (t.Sequence, t.Record)) and not list(value.children())


def _words_of(text: str) -> list[str]:
    """The words of a short text: of a kind, or of the line that gives it."""
    return [word for part in text.replace(":", " ").split()[:4] for word in split(part)]


def _is_along(function: Function, one: Step, other: Step) -> bool:
    """Whether some way takes both steps, in one round of the loops that they are in."""
    return one is other or function.cfg.leads_in_round(one, other) or function.cfg.leads_in_round(other, one)


class Excuses:
    """The excuses of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, slots: Slots, orders: Orders, rises: Rises
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.slots = slots
        self.orders = orders
        self.rises = rises

    def is_first(self, watermark: Watermark, move: Move, conditions: list[tuple[t.Term, bool]]) -> bool:
        """Whether the slot held nothing, or the move is one way of many in which the function fills it."""
        place, function, step = move.place, move.function, move.step
        known = [(f.term, f.holds) for f in facts_at(function, step)]
        considered = self.module.considered
        for term, holds in (*known, *conditions):
            if self.orders.says_unset(term, holds, place):
                considered.silent(
                    move.extent, "`{}` holds nothing yet where this is asked", place, at=term.extent
                )
                return True
            if self._goes_round(place, term):
                considered.silent(
                    move.extent, "`{}` goes round: it is held against a size", place, at=term.extent
                )
                return True
            if not holds and self._joins(move, term):
                what = "`{}` begins here: its key was not there yet, and is taken in on this way"
                considered.silent(move.extent, what, place, at=term.extent)
                return True
        cfg = function.cfg
        for handler in cfg.of_kind("handler"):
            statement = handler.statement
            if isinstance(statement, t.Try) and cfg.dominates(handler, step):
                # The handler gives what the attempt was to give.
                for other in self.slots.moves_in(function):
                    if other is not move and self.slots.same(other.place, place):
                        inside = any(
                            s.extent[0] <= other.extent[0] and other.extent[1] <= s.extent[1]
                            for s in statement.body
                        )
                        follows = [*watermark.raises, *watermark.records]
                        if inside and all(other.step is not known.step for known in follows):
                            what = "the handler gives `{}` what the attempt was to give it"
                            considered.silent(move.extent, what, place, at=other.extent)
                            return True
        return False

    def _goes_round(self, place: Place, term: t.Term) -> bool:
        """Whether a condition puts the slot and the size of something in order: an index that starts over."""
        if not isinstance(term, t.Binary) or term.op not in RELATIONS:
            return False
        sizes = self.knowledge.names("dedup", "sizes") | self.knowledge.names("dedup", "size_fields")
        for side, other in ((term.left, term.right), (term.right, term.left)):
            found = self.slots.read(side)
            if found is None or not self.slots.same(found, place):
                continue
            value = self.module.value_of(other)
            if isinstance(value, t.Call):
                return value.method in sizes
            if isinstance(value, t.Ref) and value.place.path:
                return value.place.name in sizes
        return False

    def _joins(self, move: Move, term: t.Term) -> bool:
        """Whether a condition asks a container for the very key that the slot is kept under, and the way of the move
        adds the key to it: `if symbol not in synced: synced.add(symbol); last[symbol] = n`."""
        if isinstance(term, t.Binary) and term.op == "in":
            asked, item = term.right, term.left
        elif isinstance(term, t.Call) and term.method in self.knowledge.names("slot", "has"):
            if term.receiver is None or len(term.arguments) != 1:
                return False
            asked, item = term.receiver, term.arguments[0]
        else:
            return False
        store, call = move.step.store, move.step.call
        target = store.target if store is not None else None
        at = target.key if isinstance(target, t.Ref) else call.argument(0) if call is not None else None
        if at is None or not isinstance(asked, t.Ref) or ELEMENT not in move.place.path:
            return False
        named = key(item)
        if named is None or named != key(at):
            return False
        return any(
            other.receiver_place == asked.place
            and other.method in self.knowledge.names("watermark", "collects")
            and key(other.argument(0)) == named
            and self._on_the_way(move.function, step, move.step)
            for step, other in move.function.cfg.calls
        )

    def is_excused(self, watermark: Watermark, move: Move, function: Function, step: Step) -> bool:
        """Whether another stream, a cleared view, an end or a whole reset explains the move."""
        considered = self.module.considered
        other = self._other_stream(watermark, function, step, move.place)
        if other is not None:
            what = "another stream or session begins on this way, which numbers anew"
            considered.silent(move.extent, what, at=other)
            return True
        if self._is_end(watermark, function, step):
            considered.silent(
                move.extent, "the stream ends on this way, and nothing reads `{}` after", move.place
            )
            return True
        told = self._told(function, step)
        if told is not None:
            considered.silent(move.extent, "the peer is told to drop what it has on the same way", at=told)
            return True
        cleared = self._cleared(watermark, move, function, step)
        if cleared is not None:
            what = "what `{}` describes is dropped or reset on the same way"
            considered.silent(move.extent, what, move.place, at=cleared)
        return cleared is not None

    def _other_stream(
        self, watermark: Watermark, function: Function, step: Step, place: Place
    ) -> t.Extent | None:
        """Where the way of `step` shows that another stream begins."""
        words = self.knowledge.names("watermark", "identities")
        usual = self._known_before(watermark, function, step)
        for fact in facts_at(function, step):
            term = fact.term
            if self.slots.speaks_of(term, place):
                continue
            operands = operands_of(term) if isinstance(term, t.Call) else []
            if any(
                isinstance(side, t.Ref) and self._is_given(function, step, side.place, other)
                for side in operands
                for other in operands
                if side is not other
            ):
                return term.extent
            if isinstance(term, t.Binary) and (
                (term.op in ("==", "!=") and fact.holds == (term.op == "!=")) or term.op in RELATIONS
            ):
                for side, other in ((term.left, term.right), (term.right, term.left)):
                    if isinstance(side, t.Ref) and self._is_given(function, step, side.place, other):
                        return term.extent
                says_there = fact.holds == (term.op == "!=") and (is_null(term.left) or is_null(term.right))
                if (
                    term.op in ("==", "!=")
                    and not says_there
                    and any(
                        self._has_word(side, words)
                        # Another kind of message than the one that tells of another stream.
                        and not (isinstance(side, t.Constant) and fact.holds == (term.op == "!="))
                        for side in (term.left, term.right)
                    )
                ):
                    return term.extent
            elif self._has_word(term, words) and (term.extent, fact.holds) not in usual:
                return term.extent
        for other_step, _ in function.cfg.assignments:
            at = other_step.target
            if (
                at is not None
                and at.path
                and any_of(split(at.name), words)
                and not self.slots.same(at, place)
                and self._on_the_way(function, other_step, step)
            ):
                return other_step.extent
        return None

    def _known_before(
        self, watermark: Watermark, function: Function, step: Step
    ) -> set[tuple[t.Extent, bool]]:
        """What is known already where the watermark has risen on the way to `step`: it is so in the same stream."""
        return {
            (fact.term.extent, fact.holds)
            for raised in self._risen_before(watermark, function, step)
            for fact in facts_at(function, raised)
        }

    def _risen_before(self, watermark: Watermark, function: Function, step: Step) -> list[Step]:
        """Where the watermark rises on the way to `step`, and not after it as well."""
        return [
            raised.step
            for raised in watermark.raises
            if raised.function is function
            and function.cfg.reaches(raised.step, step)
            and not function.cfg.reaches(step, raised.step)
        ]

    def _is_given(self, function: Function, step: Step, place: Place, value: t.Term) -> bool:
        """Whether a place that was compared with a value takes it on the way of `step`."""
        sources = self.orders.sources(value)
        for move in self.slots.moves_in(function):
            if not self.slots.same(move.place, place) or move.value is None:
                continue
            if not self.orders.sources(move.value).isdisjoint(sources) and self._on_the_way(
                function, move.step, step
            ):
                return True
        return False

    def _has_word(self, term: t.Term, words: frozenset[str]) -> bool:
        if isinstance(term, (t.Ref, t.Call, t.Field)):
            name = (
                term.place.name
                if isinstance(term, t.Ref)
                else term.method
                if isinstance(term, t.Call)
                else term.name
            )
            return any_of(split(name), words)
        return (
            isinstance(term, t.Constant) and isinstance(term.value, str) and any_of(split(term.value), words)
        )

    def _on_the_way(self, function: Function, other: Step, step: Step) -> bool:
        """Whether every way through `step` passes `other` as well, before or after it, where what `other` is called on
        is there (`rows?.clear()`)."""
        cfg = function.cfg
        if other is step:
            return False
        if cfg.dominates(other, step):
            return True
        given = self._is_there(function, other)
        if given and cfg.path(cfg.entry, {step}, avoiding={other}, given=given) is None:
            return True
        return (
            cfg.reaches(step, other)
            and cfg.path(step, {cfg.exit, step}, avoiding={other}, given=given) is None
        )

    def _is_there(self, function: Function, step: Step) -> list[tuple[Key, bool]]:
        """What is known at a call that only says that what it is called on is not null."""
        receiver = step.call.receiver_place if step.call is not None else None
        if receiver is None:
            return []
        told = [atom(fact.term) for fact in function.cfg.known_at(step)]
        return [
            (known[0], True)
            for known in told
            if known is not None
            and known[0][0] == "set"
            and isinstance(known[0][1], Place)
            and receiver.starts_with(known[0][1])
        ]

    def _is_end(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether the object ends on this path, and nothing of the stream is started again."""
        ends = self.knowledge.names("watermark", "ends")
        name = function.name.rpartition(".")[2]
        closes = name in ends or any(
            (self._ends(function, call, ends) or self._unsubscribes(watermark, call))
            and self._on_the_way(function, other, step)
            for other, call in function.cfg.calls
        )
        return closes and not self.goes_on(watermark, function, step)

    def _ends(self, function: Function, call: t.Call, ends: Collection[str]) -> bool:
        """Whether a call ends something, by itself or in a function that was written for it beside it."""
        if call.method in ends:
            return self._outlives(function, call)
        helper = self.module.resolve(call)
        if helper is None or helper.parent is None or helper.parent.host is not function.host:
            return False
        return any(
            inner.method in ends
            and self._outlives(function, inner)
            and helper.cfg.dominates(step, helper.cfg.exit)
            for step, inner in helper.cfg.calls
        )

    def _unsubscribes(self, watermark: Watermark, call: t.Call) -> bool:
        """Whether a call takes off the handler that lets the watermark rise: its stream is over."""
        if call.method not in self.knowledge.names("event", "removers"):
            return False
        return any(
            handler in self._carriers(watermark)
            for argument in call.arguments
            for handler in self.module.kept_functions(argument)
        )

    def _outlives(self, function: Function, call: t.Call) -> bool:
        """Whether a method is called on something that is not this call's own."""
        place = call.receiver_place
        if place is None:
            return False
        return (
            place.root.kind != "local"
            or place.root.scope is None
            or place.root.scope.host is not function.host
        )

    def goes_on(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether, after `step`, the file reads or raises the watermark again, or gives a function away that does."""
        return any(self.touches(watermark, function, other) for other in function.cfg.reachable(step))

    def touches(self, watermark: Watermark, function: Function, step: Step) -> bool:
        if any(move.step is step for move in watermark.raises):
            return True
        term = step.statement.value if isinstance(step.statement, t.Return) else step.term
        if isinstance(term, t.Store):
            term = term.value
        if term is None:
            return False
        for part in term.walk():
            reached = None
            if isinstance(part, (t.Ref, t.Call)):
                if isinstance(part, t.Ref) and not watermark.keys.isdisjoint(self.slots.keys(part.place)):
                    return True
                reached = self.module.resolve_value(part.callee if isinstance(part, t.Call) else part)
            elif isinstance(part, t.Closure):
                reached = part.function
            if reached is not None and reached is not function and reached in self._carriers(watermark):
                return True
        return False

    def _carriers(self, watermark: Watermark) -> set[Function]:
        """The functions that read or raise the watermark, by themselves or through what they call or hold."""
        memo = self.module.memo
        marker = ("watermark carriers", watermark)
        found: set[Function] | None = memo.get(marker)
        if found is not None:
            return found
        found = memo[marker] = set()
        for name in sorted(self.rises.words_of(watermark)):
            for function in self.module.functions_mentioning(name):
                if any(self._reads_it(watermark, function)):
                    found.add(function)
                    found.update(outer for outer in function.ancestors if outer.kind != "top")
        todo = list(found)
        while todo:
            function = todo.pop()
            for caller, _ in callers(function):
                for outer in (caller, *caller.ancestors):
                    if outer not in found and outer.kind != "top":
                        found.add(outer)
                        todo.append(outer)
        return found

    def _reads_it(self, watermark: Watermark, function: Function) -> Iterator[bool]:
        for term in terms_in(function):
            if isinstance(term, t.Store):
                continue
            if isinstance(term, (t.Ref, t.Call)):
                found = self.slots.read(term)
                if found is not None and not watermark.keys.isdisjoint(self.slots.keys(found)):
                    yield True

    def _cleared(self, watermark: Watermark, move: Move, function: Function, step: Step) -> t.Extent | None:
        """Where the same path drops or replaces what the watermark describes, or resets the whole object."""
        resets: set[Place] = set()
        last: t.Extent | None = None
        described = self._described(watermark)
        risen = self._risen_before(watermark, function, step)
        for other in function.cfg.steps:
            if other is step or not self._clears_or_resets(other):
                continue
            if not self._on_the_way(function, other, step):
                continue
            if self._is_clear(function, other, move.place, DEPTH) and not self._is_handed_on(
                watermark, function, other
            ):
                return other.extent
            for reset in self._resets_at(function, other):
                at = reset.place
                if at.root is not move.place.root and self._is_of_call(function, at) and not reset.setter:
                    continue
                if self.slots.same(at, move.place):
                    continue
                value = reset.value
                usual = any(function.cfg.dominates(other, raised) for raised in risen)
                if (
                    not usual
                    and not self.slots.speaks_of(value, at)
                    and any(
                        at.starts_with(d) or d.starts_with(at) or self.slots.same(at, d) for d in described
                    )
                ):
                    return other.extent
                if value is None and ELEMENT in at.path:
                    return other.extent
                if at.parent == move.place.parent and _is_nothing(value):
                    resets.add(at)
                    last = other.extent
        return last if len(resets) > 1 else None

    def _told(self, function: Function, step: Step) -> t.Extent | None:
        """Where the same path tells the peer to drop what it has: `send({ op: "clear" })`."""
        names = self.knowledge.names
        for other, call in function.cfg.calls:
            if call.receiver is not None:
                tells = any_of(split(call.method)[:1], names("watermark", "tells"))
            else:
                # A reducer's own: `dispatch({ type: "wipe" })`; `notify("reset failed")` tells a person.
                tells = len(call.arguments) == 1 and isinstance(call.arguments[0], t.Record)
            if not tells:
                continue
            if any(
                isinstance(part, t.Constant)
                and isinstance(part.value, str)
                and any_of(_words_of(part.value), names("watermark", "told"))
                for argument in call.arguments
                for part in argument.walk()
            ) and self._on_the_way(function, other, step):
                return call.extent
        return None

    def _clears_or_resets(self, step: Step) -> bool:
        return step.kind in ("assign", "delete", "call")

    def _resets_at(self, function: Function, step: Step) -> Iterator[Move]:
        return (move for move in self.slots.moves_in(function) if move.step is step)

    def _is_clear(self, function: Function, step: Step, place: Place, depth: int) -> bool:
        """Whether a step empties something that outlives the call."""
        if step.store is not None and isinstance(step.store.target, t.Element):
            # `rows[:] = []`
            return _is_nothing(step.store.value)
        if step.store is not None and step.target is not None:
            target, value = step.target, step.store.value
            if target.is_local and target.root.scope is not None and target.root.scope.host is function.host:
                return False
            if self.slots.same(target, place) or place.starts_with(target):
                return False
            return self._is_vague(value, target) and not self._is_taken(function, target)
        if step.kind == "delete" and isinstance(step.term, t.Delete) and step.target is None:
            # `del rows[:]`
            return isinstance(step.term.target, t.Element)
        call = step.call
        if call is None or step.kind != "call":
            return False
        if call.method == "splice" and len(call.arguments) <= 2 and self._is_zero(call.argument(0)):
            return True
        if call.method in self.knowledge.names("watermark", "clears") and (
            call.receiver is not None or call.arguments
        ):
            at = call.receiver_place
            return at is None or not self.slots.same(at.element, place)
        if len(call.arguments) == 1 and (
            call.receiver is None
            or any_of(split(call.method)[:1], self.knowledge.names("watermark", "replaces"))
        ):
            # `setEvents([])`, `chart.setData([])`
            only = call.arguments[0]
            if isinstance(only, (t.Sequence, t.Record)) and not list(only.children()):
                return True
        callee = self.module.resolve(call)
        if callee is None or depth <= 0 or callee is function:
            return False
        return any(
            self._is_clear(callee, inner, place, depth - 1) and self._is_certain(callee, inner)
            for inner in callee.cfg.steps
        )

    def _is_zero(self, value: t.Term | None) -> bool:
        return _is_zero(value) or _is_zero(self.module.value_of(value))

    def _is_taken(self, function: Function, place: Place) -> bool:
        """Whether a function takes out what a place holds before it empties it: that is work, not a reset."""
        return any(
            isinstance(store.value, t.Ref) and store.value.place == place
            for _, store in function.cfg.assignments
        )

    def _is_handed_on(self, watermark: Watermark, function: Function, step: Step) -> bool:
        """Whether each thing that a step takes out lets the watermark rise: it is owed to the peer, and not dropped.

        `for (const m of held.splice(0)) this.deliver(m)`; not `for (const row of rows.splice(0)) row.remove()`.
        """
        call = step.call
        if call is None:
            return False
        items = {
            at.target.root
            for at, store in function.cfg.assignments
            if at.target is not None
            and isinstance(store.value, t.Element)
            and self.module.value_of(store.value.subject) is call
        }

        def speaks(term: t.Term | None) -> bool:
            return term is not None and any(
                isinstance(part, t.Ref) and part.place.root in items for part in term.walk()
            )

        raising = {raised.function for raised in watermark.raises}
        return any(
            any(speaks(argument) for argument in given.arguments) and self.module.resolve(given) in raising
            for _, given in function.cfg.calls
        ) or any(raised.function is function and speaks(raised.value) for raised in watermark.raises)

    def _is_certain(self, function: Function, step: Step) -> bool:
        cfg = function.cfg
        return cfg.path(cfg.entry, {cfg.exit}, avoiding={step}) is None

    def _is_vague(self, value: t.Term, target: Place) -> bool:
        """A new, empty container, or a text or length set to nothing."""
        if isinstance(value, (t.Sequence, t.Record)):
            return not list(value.children())
        if isinstance(value, t.Call):
            empty = not any(not is_fixed(a) for a in value.arguments)
            return empty and value.method in self.knowledge.names("slot", "containers")
        if isinstance(value, t.Constant):
            return target.name in self.knowledge.names("watermark", "emptied_fields") and not value.value
        if isinstance(value, t.Element) and isinstance(value.key, t.Several):
            # `rows = rows[:0]`
            return len(value.key.operands) > 1 and _is_zero(value.key.operands[1])
        return False

    def _described(self, watermark: Watermark) -> set[Place]:
        """The places that are written where the watermark rises: what it describes."""
        found: set[Place] = set()
        for raised in watermark.raises:
            function = raised.function
            for step, store in function.cfg.assignments:
                at = step.target
                if at is None or self._is_of_call(function, at) or not _is_along(function, step, raised.step):
                    continue
                if self.slots.same(at, raised.place) or is_fixed(store.value):
                    continue
                found.add(at)
            for step, call in function.cfg.calls:
                at = call.receiver_place
                if (
                    at is not None
                    and _is_along(function, step, raised.step)
                    and not self._is_of_call(function, at)
                    and call.method in self.knowledge.names("watermark", "collects")
                ):
                    found.add(at)
            found.update(
                move.place
                for move in self.slots.moves_in(function)
                if move.setter and not self.slots.same(move.place, raised.place)
            )
        return found

    def _is_of_call(self, function: Function, place: Place) -> bool:
        """Whether a place is a plain variable that is not kept from one call to the next."""
        root = place.root
        if place.path:
            return False
        return root.kind != "local" or root.scope is None or root.scope.host is function.host
