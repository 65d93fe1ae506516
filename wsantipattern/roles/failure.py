"""Failures: tests that ask whether a function failed, and which of its returns say that it did.

Decided by null and truth alone: an error is what is returned where something was not null. Knows no library.
"""

from __future__ import annotations

from wsantipattern.model import term as t
from wsantipattern.model.cfg import Cfg, Step
from wsantipattern.model.flow import STRAIGHT
from wsantipattern.model.module import Function
from wsantipattern.model.place import Place
from wsantipattern.record import record


@record(frozen=True, slots=True)
class AskedResult:
    """A test of what a call gave.

    Attributes:
        call: the call that is asked about.
        index: which of its results, where it has several.
        label: the outcome of the test on which the call has failed.
        is_error: a failure is told by a value that is not null; otherwise by one that is false.
    """

    call: t.Call
    index: int | None
    label: str
    is_error: bool


def asked_result(function: Function, test: Step) -> AskedResult | None:
    """The call whose result a test asks about: an error that is not null, or an answer that is false."""
    term, label, is_error = test.term, "false", False
    while isinstance(term, t.Not):
        term, label = term.operand, "true" if label == "false" else "false"
    if isinstance(term, t.Binary) and term.op in ("!=", "=="):
        if not isinstance(term.right, t.Constant) or term.right.kind != "null":
            return None
        is_error = True
        label = "true" if (term.op == "!=") == (label == "false") else "false"
        term = term.left
    value = _just_given(function, test, term.place) if isinstance(term, t.Ref) else term
    index = value.index if isinstance(value, t.Result) else None
    value = value.call if isinstance(value, t.Result) else value
    if isinstance(value, t.Suspend):
        value = value.value
    return AskedResult(value, index, label, is_error) if isinstance(value, t.Call) else None


def _just_given(function: Function, step: Step, place: Place) -> t.Term | None:
    """What a variable was given last on the only way to a step."""
    for _ in range(STRAIGHT):
        before = function.cfg.predecessors[step]
        if len(before) != 1:
            return None
        step = before[0][0]
        if step.store is not None and step.target == place:
            return step.store.value if step.store.op is None else None
    return None


def tells_of_failure(cfg: Cfg, answer: Step, asked: AskedResult) -> bool:
    """Whether a return gives what the caller takes for a failure."""
    value = answer.statement.value if isinstance(answer.statement, t.Return) else None
    if asked.index is not None and isinstance(value, t.Sequence):
        value = value.elements[asked.index] if asked.index < len(value.elements) else None
    if not asked.is_error:
        return value is None or (isinstance(value, t.Constant) and not value.value)
    if value is None or isinstance(value, t.Constant):
        return False
    return any(
        fact.holds == (fact.term.op == "!=")
        for fact in cfg.known_at(answer)
        if isinstance(fact.term, t.Binary) and fact.term.op in ("==", "!=")
        if isinstance(fact.term.right, t.Constant) and fact.term.right.kind == "null"
    )
