"""Caps: whether a list only ever keeps its newest items, so that what is sent twice is soon gone.

True where the list is cut down to a number of items in one expression with the addition or beside it: in the function that
adds, in one that calls it, or in one that it calls (`next.slice(-MAX)`, `if (rows.length > MAX) rows.shift()`,
`rows = rows[-MAX:]`); or where it is made with a greatest length. That a list is emptied, or that somebody takes one item out of
it elsewhere, is no cap. Knows nothing of messages.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.holder import Holder, Holders


class Caps:
    """The caps of the lists of one module."""

    def __init__(self, module: Module, knowledge: Knowledge, holders: Holders) -> None:
        self.module = module
        self.knowledge = knowledge
        self.holders = holders

    def of(self, function: Function, kept: Holder, added: t.Term) -> t.Extent | None:
        """Where a list is cut down that a term of a function adds to; `added` is the joined term, or the call."""
        made = self._made_short(kept)
        if made is not None:
            return made
        named = {
            step.target
            for step, store in function.cfg.assignments
            if step.target is not None
            and not step.target.path
            and any(part is added for part in store.value.walk())
        }
        for other in self._beside(function):
            own = named if other is function else set()
            for step in other.cfg.steps:
                if self._takes_oldest(step, kept, own) or any(
                    self._is_of(cut, kept, added, own) and self._goes_back(step, cut, kept, added, own)
                    for cut in self._cuts(step)
                ):
                    return step.extent
        return None

    def _beside(self, function: Function) -> Iterator[Function]:
        """A function, those of the file that it calls, and those that call it."""
        called = [self.module.resolve(call) for _, call in function.cfg.calls]
        calling = [caller for caller, _ in callers(function)]
        yield from dict.fromkeys((function, *(c for c in called if c is not None), *calling))

    def _made_short(self, kept: Holder) -> t.Extent | None:
        """`deque(maxlen=200)`."""
        if not isinstance(kept.root, Binding):
            return None
        names = self.knowledge.names("accumulation", "lengths")
        for _, store in self.module.stores_to(Place(kept.root, kept.path)):
            made = store.value
            if isinstance(made, t.Call) and any(
                name in names and not is_null(v) for name, v in made.keywords
            ):
                return made.extent
        return None

    def _takes_oldest(self, step: Step, kept: Holder, named: set[Place]) -> bool:
        """`rows.shift()`, `rows.splice(0, n)`, whose answer nobody takes; `del rows[:-20]`."""
        dropped = step.term.target if isinstance(step.term, t.Delete) else None
        if isinstance(dropped, t.Element) and isinstance(dropped.key, t.Several):
            of = dropped.subject
            own = isinstance(of, t.Ref) and of.place in named
            bound = any(not is_null(b) for b in dropped.key.operands)
            return bound and (own or self.holders.of(of) == kept)
        call = step.call
        return (
            step.kind == "call"
            and call is not None
            and (call.parent is None or isinstance(call.parent, t.Logic))
            and self._drops_first(call)
            and (call.receiver_place in named or self.holders.of(call.receiver) == kept)
        )

    def _drops_first(self, call: t.Call) -> bool:
        first = call.argument(0)
        from_start = first is None or (isinstance(first, t.Constant) and first.value == 0)
        return from_start and call.method in self.knowledge.names("accumulation", "drops")

    def _cuts(self, step: Step) -> Iterator[t.Term]:
        """The parts of a step that cut a piece out of a list, and leave something of it."""
        term = step.term
        if step.kind == "return" and isinstance(step.statement, t.Return):
            term = step.statement.value
        for part in term.walk() if term is not None else ():
            bounds: list[t.Term] = []
            if isinstance(part, t.Element) and isinstance(part.key, t.Several):
                bounds = part.key.operands
            elif isinstance(part, t.Call) and part.method in self.knowledge.names("accumulation", "cuts"):
                bounds = part.arguments
            if any(not is_null(bound) for bound in bounds) and not _is_empty(bounds):
                yield part

    def _is_of(self, cut: t.Term, kept: Holder, added: t.Term, named: set[Place]) -> bool:
        """Whether a piece is cut out of the list, or out of what the addition makes of it."""
        whole = _whole(cut)
        if any(part is added for part in (whole.walk() if whole is not None else ())):
            return True
        return (isinstance(whole, t.Ref) and whole.place in named) or self.holders.of(whole) == kept

    def _goes_back(self, step: Step, cut: t.Term, kept: Holder, added: t.Term, named: set[Place]) -> bool:
        """Whether the piece becomes the list, or is what is added to: not only shown."""
        whole = _whole(cut)
        if (isinstance(whole, t.Ref) and whole.place in named) or any(
            part is added for part in (whole.walk() if whole is not None else ())
        ):
            return True
        if any(part is cut for part in _alternatives(added).walk()):
            return True
        target = step.target
        return (
            step.store is not None
            and target is not None
            and self.holders.of(t.Ref(step.extent, target)) == kept
            and _is_piece(step.store.value, cut)
        )


def _alternatives(added: t.Term) -> t.Term:
    """What an addition is one branch of: `xs.length < MAX ? [x, ...xs] : [x, ...xs.slice(0, MAX - 1)]`; itself otherwise."""
    return added.parent if isinstance(added.parent, t.Choice) else added


def _whole(cut: t.Term) -> t.Term | None:
    if isinstance(cut, t.Element):
        return cut.subject
    return cut.receiver if isinstance(cut, t.Call) else None


def _is_piece(value: t.Term, cut: t.Term) -> bool:
    """Whether a value is a piece, on one of its branches or copied: `rows.length > MAX ? rows.slice(-MAX) : rows`."""
    if value is cut:
        return True
    if isinstance(value, t.Choice):
        return _is_piece(value.then, cut) or _is_piece(value.otherwise, cut)
    return isinstance(value, t.Call) and any(argument is cut for argument in value.arguments)


def _is_empty(bounds: list[t.Term]) -> bool:
    """`rows[:0]`, `rows.slice(0, 0)`."""
    end = bounds[1] if len(bounds) > 1 else None
    return isinstance(end, t.Constant) and end.value == 0
