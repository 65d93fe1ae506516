"""The control-flow graph of one function, and the questions a rule asks it.

A graph of steps: one node for each call, assignment, test, suspension and so on, in evaluation order, with labelled
edges. It is finished before anybody sees it. Guarantees: `entry` reaches every step; every edge label is one of
`next true false raise`; an edge that closes a loop is marked `back`. It does not model panics, signals or `goto`
(`incomplete` says that something of the kind was there).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import field
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Literal, TypeVar

from wsantipattern.model import flow
from wsantipattern.model.place import Place
from wsantipattern.model.term import (
    Binary,
    Call,
    Extent,
    ForEach,
    Logic,
    Not,
    Ref,
    Statement,
    Store,
    Suspend,
    Term,
)
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.model.module import Function

_T = TypeVar("_T")

StepKind = Literal[
    "entry",  # the function starts
    "exit",  # it ends by returning
    "raised",  # it ends by an exception
    "call",  # `term` is the Call
    "assign",  # `term` is the Store, `target` its place
    "delete",  # `term` is the Delete, `target` its place
    "test",  # `term` is an atomic condition; edges true and false
    "iterate",  # a loop takes its next element; `statement` is the ForEach; edges true and false
    "suspend",  # `term` is the Suspend
    "select",  # `statement` is the Switch of kind select; one `next` edge a case
    "spawn",  # `term` is the spawned term
    "defer",  # a deferred body is registered: `flag` names it
    "registered",  # on the way out: was the body `flag` registered? edges true and false
    "handler",  # an exception handler starts; `statement` is its Try
    "release",  # the end of a `with` body; `term` is the context
    "closure",  # `term` is the Closure that is made here
    "return",  # `statement` is the Return
    "raise",  # `statement` is the Raise
    "halt",  # the process ends
    "join",  # nothing: where ways meet; only those that have several successors remain in a finished graph
]
Label = Literal["next", "true", "false", "raise"]

STRAIGHT: frozenset[str] = frozenset({"next", "true", "false"})
"""The labels of edges on which nothing has failed."""

STATE_BUDGET = 6000
"""States (step, facts) that one path query may visit before it gives up towards silence."""

STATES_IN_BREADTH = 600
"""States after which a path query no longer looks for the shortest way, but for any: nearest to its goal first."""


@record(slots=True, eq=False)
class Edge:
    label: Label
    target: Step
    back: bool = False


@record(slots=True, eq=False)
class Step:
    """One node of the graph; compared by identity. A `finally` body has a copy of its steps for each way through."""

    index: int
    kind: StepKind
    extent: Extent
    term: Term | None = None
    statement: Statement | None = None
    target: Place | None = None
    flag: int = 0
    is_cleanup: bool = False
    """Whether the step stands in a `finally` or deferred body."""
    edges: list[Edge] = field(default_factory=list)

    @property
    def call(self) -> Call | None:
        """The call that a call step makes, or that a spawn step starts."""
        return self.term if isinstance(self.term, Call) else None

    @property
    def store(self) -> Store | None:
        """The assignment of an assign step."""
        return self.term if self.kind == "assign" and isinstance(self.term, Store) else None

    @property
    def suspends(self) -> bool:
        """Whether other code may run before the next step."""
        if self.kind == "iterate":
            return isinstance(self.statement, ForEach) and self.statement.suspends
        return self.kind in ("suspend", "select")

    def __repr__(self) -> str:
        return f"<{self.index} {self.kind}>"


Steps = Collection[Step] | Callable[[Step], bool]
"""Which steps a query means: a set, or a predicate."""


@record(slots=True, eq=False)
class Path:
    """A witness: the steps in order, start and goal included, and the label of the edge into each (the first: "")."""

    steps: list[Step]
    labels: list[str]
    facts: frozenset[tuple[flow.Key, bool]] = frozenset()
    """What is known at the goal, for a query that goes on from there."""

    def then(self, onward: Path) -> Path:
        """This way and one that starts at its goal."""
        return Path(self.steps + onward.steps[1:], self.labels + onward.labels[1:], onward.facts)

    @property
    def start(self) -> Step:
        return self.steps[0]

    @property
    def goal(self) -> Step:
        return self.steps[-1]

    @property
    def turns(self) -> Iterator[tuple[Step, str]]:
        """The steps where the way was not straight on, with the label taken: branches and raises."""
        for step, label in zip(self.steps, self.labels[1:], strict=False):
            if label != "next":
                yield step, label

    @property
    def raised_at(self) -> Step | None:
        """The first step that raises on the way, or None."""
        return next((step for step, label in self.turns if label == "raise"), None)


class Cfg:
    """The graph of `function`. `steps` are in building order, `entry` first."""

    def __init__(self, function: Function, steps: list[Step], entry: Step, exit_: Step, raised: Step) -> None:
        self.function = function
        self._steps = steps
        self.entry = entry
        self.exit = exit_
        self.raised = raised
        self.incomplete = False

    @property
    def steps(self) -> list[Step]:
        """All of them; to ask counts as a look at each, see `Module.spend`."""
        self.function.module.spend(1 + len(self._steps) // 3)
        return self._steps

    @property
    def exits(self) -> tuple[Step, Step]:
        """The returning and the raising end."""
        return (self.exit, self.raised)

    @cached_property
    def predecessors(self) -> dict[Step, list[tuple[Step, Label]]]:
        before: dict[Step, list[tuple[Step, Label]]] = {step: [] for step in self.steps}
        for step in self.steps:
            for edge in step.edges:
                before[edge.target].append((step, edge.label))
        return before

    @property
    def calls(self) -> Iterator[tuple[Step, Call]]:
        """Every call step, with its call (spawned calls are not among them)."""
        return self._looked_at(self._calls)

    @property
    def assignments(self) -> Iterator[tuple[Step, Store]]:
        """Every assign step, with its store."""
        return self._looked_at(self._assignments)

    def of_kind(self, *kinds: StepKind) -> Iterator[Step]:
        if len(kinds) == 1:
            return self._looked_at(self._by_kind.get(kinds[0], []))
        return (step for step in self.steps if step.kind in kinds)

    def steps_of(self, term: Term) -> list[Step]:
        """The steps that evaluate this very term; several where a `finally` body was copied."""
        return list(self._looked_at(self._by_term.get(id(term), [])))

    def _looked_at(self, found: list[_T]) -> Iterator[_T]:
        self.function.module.spend(1 + len(found) // 3)
        return iter(found)

    @cached_property
    def _calls(self) -> list[tuple[Step, Call]]:
        return [(s, s.term) for s in self.steps if s.kind == "call" and isinstance(s.term, Call)]

    @cached_property
    def _assignments(self) -> list[tuple[Step, Store]]:
        return [(s, s.term) for s in self.steps if s.kind == "assign" and isinstance(s.term, Store)]

    @cached_property
    def _by_kind(self) -> dict[StepKind, list[Step]]:
        found: dict[StepKind, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.kind, []).append(step)
        return found

    @cached_property
    def _by_term(self) -> dict[int, list[Step]]:
        found: dict[int, list[Step]] = {}
        for step in self.steps:
            found.setdefault(id(step.term), []).append(step)
        return found

    # -- reachability ----------------------------------------------------------------------------

    def reachable(
        self, start: Step, *, avoiding: Steps = (), labels: Collection[str] | None = None
    ) -> set[Step]:
        """Every step some way from `start` comes to, without entering `avoiding`; path-insensitive."""
        avoid = _predicate(avoiding)
        seen: set[Step] = set()
        todo = [start]
        while todo:
            for edge in todo.pop().edges:
                if (
                    edge.target not in seen
                    and (labels is None or edge.label in labels)
                    and not avoid(edge.target)
                ):
                    seen.add(edge.target)
                    todo.append(edge.target)
        self.function.module.spend(1 + len(seen) // 4)
        return seen

    def reaches(self, start: Step, goal: Step) -> bool:
        """Whether some way leads from after `start` to `goal`."""
        return goal in self._reach(start)

    def leads_in_round(self, first: Step, then: Step) -> bool:
        """Whether one step leads to another within one round of every loop that the second is in."""
        heads = self._heads_cache.get(then)
        if heads is None:
            heads = self._heads_cache[then] = {
                edge.target
                for step in self.steps
                for edge in step.edges
                if edge.back
                and self.dominates(edge.target, then)
                and (step is then or step in self.reachable(then, avoiding={edge.target}))
            }
        return first not in heads and then in self.reachable(first, avoiding=heads)

    @cached_property
    def _heads_cache(self) -> dict[Step, set[Step]]:
        return {}

    def _reach(self, start: Step) -> set[Step]:
        cached = self._reach_cache.get(start)
        if cached is None:
            cached = self._reach_cache[start] = self.reachable(start)
        return cached

    @cached_property
    def _reach_cache(self) -> dict[Step, set[Step]]:
        return {}

    def dominates(self, first: Step, second: Step) -> bool:
        """Whether every way from the entry to `second` passes `first`."""
        if first is second or first is self.entry:
            return True
        number, parents = self._dominators
        step = second
        while step in parents and number[step] > number[first]:
            step = parents[step]
        return step is first

    @cached_property
    def _dominators(self) -> tuple[dict[Step, int], dict[Step, Step]]:
        """Reverse postorder numbers and immediate dominators (Cooper, Harvey and Kennedy's iteration)."""
        order: list[Step] = []
        seen = {self.entry}
        todo: list[tuple[Step, Iterator[Edge]]] = [(self.entry, iter(self.entry.edges))]
        while todo:
            step, edges = todo[-1]
            edge = next(edges, None)
            if edge is None:
                order.append(step)
                todo.pop()
            elif edge.target not in seen:
                seen.add(edge.target)
                todo.append((edge.target, iter(edge.target.edges)))
        order.reverse()
        number = {step: index for index, step in enumerate(order)}
        parents: dict[Step, Step] = {self.entry: self.entry}
        changed = True
        while changed:
            changed = False
            for step in order[1:]:
                met: Step | None = None
                for before, _ in self.predecessors[step]:
                    if before not in parents:
                        continue
                    other = before
                    if met is None:
                        met = other
                        continue
                    while met is not other:
                        if number[met] > number[other]:
                            met = parents[met]
                        else:
                            other = parents[other]
                if met is not None and parents.get(step) is not met:
                    parents[step] = met
                    changed = True
        del parents[self.entry]
        return number, parents

    # -- facts -----------------------------------------------------------------------------------

    def known_at(self, step: Step) -> list[flow.Fact]:
        """The atomic conditions, with polarity, whose edge lies on every way to `step`, nearest last.

        They held when they were tested; an assignment since then does not remove them.
        """
        mask = self._facts[step]
        self.function.module.spend(1 + len(self._tests) // 4)
        found: dict[tuple[int, bool], flow.Fact] = {}
        for bit, test in self._tests:
            for holds, shift in ((True, bit), (False, bit + 1)):
                if mask >> shift & 1 and test.term is not None:
                    found[(id(test.term), holds)] = flow.Fact(test.term, holds, test)
        return list(found.values())

    @cached_property
    def _tests(self) -> list[tuple[int, Step]]:
        return [(2 * number, step) for number, step in enumerate(s for s in self.steps if s.kind == "test")]

    @cached_property
    def _facts(self) -> dict[Step, int]:
        """A bit for each (test, polarity): forward, meeting by intersection."""
        bit_of = {step: bit for bit, step in self._tests}
        # One condition can have several copies (finally); a fact of one copy is a fact of the term.
        everything = (1 << (2 * len(self._tests))) - 1
        facts = dict.fromkeys(self.steps, everything)
        facts[self.entry] = 0
        todo = deque([self.entry])
        queued = {self.entry}
        while todo:
            step = todo.popleft()
            queued.discard(step)
            out = facts[step]
            for edge in step.edges:
                through = out
                if step in bit_of and edge.label in ("true", "false"):
                    true_bit, false_bit = 1 << bit_of[step], 2 << bit_of[step]
                    if edge.label == "true":
                        through = (through | true_bit) & ~false_bit
                    else:
                        through = (through | false_bit) & ~true_bit
                met = facts[edge.target] & through
                if met != facts[edge.target] or edge.target not in self._seen_facts:
                    self._seen_facts.add(edge.target)
                    facts[edge.target] = met
                    if edge.target not in queued:
                        queued.add(edge.target)
                        todo.append(edge.target)
        return facts

    @cached_property
    def _seen_facts(self) -> set[Step]:
        return set()

    # -- paths -----------------------------------------------------------------------------------

    def path(
        self,
        start: Step,
        to: Steps,
        *,
        avoiding: Steps = (),
        given: Iterable[tuple[flow.Key, bool]] = (),
        labels: Collection[str] | None = None,
        along: Collection[str] | None = None,
    ) -> Path | None:
        """A feasible way from after `start` to a step of `to` that enters no step of `avoiding`; a shortest one, unless
        there are more than `STATES_IN_BREADTH` states to look at.

        Feasible: no condition is taken both ways unless something it reads was assigned in between; `given` are
        facts that hold at `start` (see `flow.atom`). `start` itself is left by any edge but `raise` (its effect has
        happened). `labels` restricts the first edge only, `along` every edge. None where there is none, where the graph is incomplete,
        or where `STATE_BUDGET` was used up.
        """
        if self.incomplete:
            return None
        goal, avoid = _predicate(to), _predicate(avoiding)
        known: dict[flow.Key, bool] = dict(given)
        relevant = self._relevant | set(known)
        for fact in self.known_at(start):
            atom = self.atom(fact.step) if fact.step is not None else flow.atom(fact.term)
            if atom is not None and atom[0] in relevant:
                known.setdefault(atom[0], fact.holds == atom[1])
        for key, truth in self._assigned_before(start).items():
            if key in relevant:
                known.setdefault(key, truth)
        for step in self.of_kind("defer"):
            if not self.reaches(step, start):
                known[("flag", step.flag)] = False
            elif self.dominates(step, start):
                known[("flag", step.flag)] = True
        # A step's own assignment precedes its successors; what is given speaks of the state after it.
        first = (start, frozenset(known.items()))
        came_from: dict[tuple[Step, frozenset[tuple[flow.Key, bool]]], tuple[_State, str] | None] = {
            first: None
        }
        todo: deque[_State] = deque([first])
        near: list[tuple[int, int, _State]] = []
        distance: dict[Step, int] | None = None
        while todo or near:
            state = todo.popleft() if distance is None else heappop(near)[2]
            step, facts = state
            self.function.module.spend(1 + len(facts) // 4)
            for edge in step.edges:
                if step is start and state is first:
                    if edge.label == "raise" and start.kind != "raise":
                        continue
                    if labels is not None and edge.label not in labels:
                        continue
                if avoid(edge.target) or (along is not None and edge.label not in along):
                    continue
                after = self._take(facts, step, edge, relevant)
                if after is None:
                    continue
                done = self._perform(after, edge.target, relevant)
                idle = [item for item in done if edge.target not in self._asking(item[0])]
                if idle:
                    # What nothing ahead asks makes no difference: ways that differ in it alone are one.
                    done = done.difference(idle)
                successor = (edge.target, done)
                if successor in came_from:
                    continue
                came_from[successor] = (state, edge.label)
                if goal(edge.target):
                    return _trace(came_from, successor)
                if len(came_from) > STATE_BUDGET:
                    return None
                if distance is None:
                    todo.append(successor)
                elif edge.target in distance:
                    heappush(near, (distance[edge.target], len(came_from), successor))
            if distance is None and len(came_from) > STATES_IN_BREADTH:
                distance = self._distance_to(goal, avoid)
                for index, waiting in enumerate(todo):
                    if waiting[0] in distance:
                        heappush(near, (distance[waiting[0]], index - len(todo), waiting))
                todo.clear()
        return None

    def _distance_to(self, goal: Callable[[Step], bool], avoid: Callable[[Step], bool]) -> dict[Step, int]:
        """How many steps each step lies before the nearest of `goal`, where conditions do not matter."""
        found = {step: 0 for step in self.steps if goal(step) and not avoid(step)}
        todo = deque(found)
        while todo:
            step = todo.popleft()
            for before, _ in self.predecessors[step]:
                if before not in found:
                    found[before] = found[step] + 1
                    if not avoid(before):
                        todo.append(before)
        return found

    def _asking(self, key: flow.Key) -> set[Step]:
        """The steps that ask for what is known of a key, or that one which does can follow."""
        found = self._asked_ahead.get(key)
        if found is None:
            found = self._asked_ahead[key] = set(self._users.get(key, ()))
            todo = list(found)
            while todo:
                for before, _ in self.predecessors[todo.pop()]:
                    if before not in found:
                        found.add(before)
                        todo.append(before)
        return found

    @cached_property
    def _asked_ahead(self) -> dict[flow.Key, set[Step]]:
        return {}

    @cached_property
    def _users(self) -> dict[flow.Key, list[Step]]:
        """The steps that ask for what is known of a key."""
        found: dict[flow.Key, list[Step]] = {}
        for step in self.steps:
            if step.kind == "test":
                atom = self.atom(step)
                keys = [atom[0]] if atom is not None else [*flow.atoms(self._condition(step))]
            elif step in self._flags:
                keys = [*flow.atoms(self._flags[step])]
            elif step.kind == "registered":
                keys = [("flag", step.flag)]
            else:
                continue
            for key in keys:
                found.setdefault(key, []).append(step)
        return found

    def atom(self, test: Step) -> tuple[flow.Key, bool] | None:
        """The key that a test decides, seen through predicates of the file, and its truth where the test succeeds."""
        if test not in self._atoms:
            self._atoms[test] = flow.atom(self._condition(test))
        return self._atoms[test]

    def _condition(self, test: Step) -> Term | None:
        if test not in self._conditions:
            self._conditions[test] = flow.plain(test.term, self.function.module)
        return self._conditions[test]

    @cached_property
    def _conditions(self) -> dict[Step, Term | None]:
        return {}

    @cached_property
    def _flags(self) -> dict[Step, Term]:
        """The assignments that give a constant variable the outcome of a condition, with the condition."""
        found: dict[Step, Term] = {}
        for step in self.of_kind("assign"):
            store = step.store
            if store is None or not store.declares or step.target is None or not step.target.root.constant:
                continue
            condition = flow.plain(store.value, self.function.module)
            if isinstance(condition, (Not, Logic)) or (
                isinstance(condition, Binary) and condition.op in ("==", "!=", "<", "<=", ">", ">=")
            ):
                found[step] = condition
        return found

    @cached_property
    def _atoms(self) -> dict[Step, tuple[flow.Key, bool] | None]:
        return {}

    def _assigned_before(self, start: Step) -> dict[flow.Key, bool]:
        """What plain variables surely hold at a step: the only assignment that can have come before gave it."""
        known: dict[flow.Key, bool] = {}
        for place, writers in self._writers.items():
            before = [w for w in writers if w is start or self.reaches(w, start)]
            if len(before) == 1 and isinstance(before[0].term, Store) and self.dominates(before[0], start):
                truth = flow.truth(before[0].term)
                if truth is not None:
                    known[("set", place)] = truth
        return known

    @cached_property
    def _writers(self) -> dict[Place, list[Step]]:
        found: dict[Place, list[Step]] = {}
        for step in self.of_kind("assign", "delete"):
            if step.target is not None:
                found.setdefault(step.target, []).append(step)
        return {place: steps for place, steps in found.items() if ("set", place) in self._relevant}

    @cached_property
    def _relevant(self) -> set[flow.Key]:
        """Keys that more than one test or assignment decides; only these can make a way infeasible."""
        count: dict[flow.Key, set[Extent]] = {}
        for step in self.steps:
            if step.kind == "test":
                atom = self.atom(step)
                if atom is not None:
                    count.setdefault(atom[0], set()).add(step.extent)
                else:
                    for key in flow.atoms(self._condition(step)):
                        count.setdefault(key, set()).add(step.extent)
            elif step in self._flags:
                for key in (("set", step.target), *flow.atoms(self._flags[step])):
                    count.setdefault(key, set()).add(step.extent)
            elif step.kind == "assign" and step.target is not None and isinstance(step.term, Store):
                if flow.truth(step.term) is not None:
                    count.setdefault(("set", step.target), set()).add(step.extent)
            elif step.kind in ("defer", "registered"):
                count.setdefault(("flag", step.flag), set()).update({(step.index, 0), (step.index, 1)})
        return {key for key, extents in count.items() if len(extents) > 1}

    def _take(self, facts: _Facts, step: Step, edge: Edge, relevant: set[flow.Key]) -> _Facts | None:
        """The facts after leaving `step` by `edge`, or None where they contradict it."""
        if edge.label not in ("true", "false"):
            return facts
        if step.kind == "registered":
            key: flow.Key = ("flag", step.flag)
            value = edge.label == "true"
        elif step.kind == "test":
            atom = self.atom(step)
            if atom is None:
                settled = flow.decided(self._condition(step), facts)
                return None if settled is not None and settled != (edge.label == "true") else facts
            if atom[0] not in relevant:
                return facts
            key = atom[0]
            value = (edge.label == "true") == atom[1]
        else:
            return facts
        if (key, not value) in facts:
            return None
        return facts | {(key, value)}

    def _perform(self, facts: _Facts, step: Step, relevant: set[flow.Key]) -> _Facts:
        """The facts after the effect of `step`: an assignment forgets what was known of its target."""
        if step.kind == "defer":
            flag: flow.Key = ("flag", step.flag)
            return (facts - {(flag, False)}) | {(flag, True)}
        if step.kind not in ("assign", "delete") or step.target is None:
            return facts
        target = step.target
        if (
            step.store is not None
            and step.store.declares
            and target.root.constant
            and not self.reaches(step, step)
        ):
            kept = facts  # It has but one value: what is known of it was given.
        else:
            kept = frozenset(item for item in facts if not flow.mentions(item[0], target))
        if isinstance(step.term, Store):
            truth = flow.truth(step.term)
            if truth is None and step in self._flags:
                truth = flow.decided(self._flags[step], facts)
            key: flow.Key = ("set", target)
            if truth is not None and key in relevant:
                kept |= {(key, truth)}
        return kept


_Facts = frozenset[tuple[flow.Key, bool]]
_State = tuple[Step, _Facts]


def _predicate(steps: Steps) -> Callable[[Step], bool]:
    if callable(steps):
        return steps
    chosen = steps if isinstance(steps, (set, frozenset)) else set(steps)
    return chosen.__contains__


def _trace(came_from: dict[_State, tuple[_State, str] | None], goal: _State) -> Path:
    steps: list[Step] = []
    labels: list[str] = []
    state: _State | None = goal
    while state is not None:
        steps.append(state[0])
        before = came_from[state]
        labels.append(before[1] if before else "")
        state = before[0] if before else None
    return Path(steps[::-1], labels[::-1], goal[1])


def awaited(step: Step) -> Term | None:
    """What a suspend step waits for: the awaited term, the channel, or None."""
    return step.term.value if step.kind == "suspend" and isinstance(step.term, Suspend) else None


def reads(term: Term | None) -> Iterator[Place]:
    """The places that evaluating a term reads, closures and regions excluded."""
    if term is None:
        return
    for part in term.walk():
        if isinstance(part, Ref):
            yield part.place
