"""Loops that beat: a task that sleeps between its rounds, and what takes the ticks of a ticker from its channel.

Such a loop is to a task or a ticker what a callback is to another timer. Guarantees that each round goes on from the step
given: after it, whatever the loop asks is asked anew.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import visible_in

Beat = tuple[Function, tuple[Step, ...]]
"""The function that beats, and the steps at which it waits for its next round."""


class Beats:
    """The loops of one module that beat."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge

    def of_task(self, made: t.Call) -> Beat | None:
        """The coroutine that a task is made of, where it sleeps in a loop: `asyncio.create_task(self._ping())`."""
        given = made.argument(0)
        function = self.module.resolve(given) if isinstance(given, t.Call) else None
        if function is None or not function.is_async:
            return None
        pauses = self.knowledge.names("timer", "sleeps")
        steps = tuple(
            step
            for step in function.cfg.of_kind("suspend")
            if isinstance(step.term, t.Suspend)
            and isinstance(step.term.value, t.Call)
            and (self.module.canonical(step.term.value.callee) or "") in pauses
            and not _is_zero(self.module.value_of(step.term.value.argument(0)))  # it only lets others run
            and step in function.cfg.reachable(step)
        )
        return (function, steps) if steps else None

    def of_ticks(self, ticker: Place, channel: str) -> Beat | None:
        """The only function that takes what a ticker sends to its channel."""
        ticks = ticker.field(channel)
        found: dict[Function, list[Step]] = {}
        for function in self.module.functions_mentioning(ticker.name):
            if not visible_in(ticker.root, function):
                continue
            for step in function.cfg.of_kind("suspend", "iterate"):
                taken = step.term.value if isinstance(step.term, t.Suspend) else step.term
                if isinstance(taken, t.Ref) and taken.place == ticks:
                    # What a select takes, it takes where no other of its cases is ready.
                    before = [s for s in function.cfg.of_kind("select") if _leads(s, step)]
                    found.setdefault(function, []).extend(before or [step])
        if len(found) != 1:
            return None
        function, steps = next(iter(found.items()))
        return function, tuple(dict.fromkeys(steps))


def _leads(select: Step, step: Step) -> bool:
    return any(edge.target is step for edge in select.edges)


def _is_zero(value: t.Term | None) -> bool:
    return isinstance(value, t.Constant) and value.value == 0
