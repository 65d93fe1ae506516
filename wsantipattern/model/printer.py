"""Prints a control-flow graph as text: the form of the graph fixtures and of `wsantipattern debug cfg`.

One line a step: number, kind, what it is about, and its edges. Numbers are those of this printing, breadth first
from the entry, so that equal graphs of three languages print alike.
"""

from __future__ import annotations

from collections import deque

from wsantipattern.model import term as t
from wsantipattern.model.cfg import Cfg, Step
from wsantipattern.model.module import Function


def render(function: Function) -> str:
    """The graph of a function: a header, then `number kind text -> label number, ...` a line."""
    cfg = function.cfg
    order = numbering(cfg)
    lines = [f"function {function.name or '<anonymous>'}" + (" (incomplete)" if cfg.incomplete else "")]
    for step, number in order.items():
        edges = ", ".join(
            ("" if e.label == "next" else f"{e.label} ")
            + str(order[e.target])
            + ("^" if order[e.target] <= number else "")
            for e in step.edges
        )
        text = " ".join(part for part in (str(number), step.kind, describe(step)) if part)
        lines.append(f"  {text}" + (f" -> {edges}" if edges else ""))
    return "\n".join(lines) + "\n"


def numbering(cfg: Cfg) -> dict[Step, int]:
    """The steps that the entry reaches, breadth first, numbered from 0."""
    order: dict[Step, int] = {cfg.entry: 0}
    todo = deque([cfg.entry])
    while todo:
        for edge in todo.popleft().edges:
            if edge.target not in order:
                order[edge.target] = len(order)
                todo.append(edge.target)
    return order


def describe(step: Step) -> str:
    """What a step is about, in the model's words: places, callees, conditions."""
    if step.kind == "assign" and isinstance(step.term, t.Store):
        return f"{step.target if step.target is not None else show(step.term.target)} {step.term.op or ''}= {show(step.term.value)}"
    if step.kind in ("entry", "exit", "raised", "handler", "select", "join"):
        return ""
    if step.kind in ("defer", "registered"):
        return f"#{step.flag}"
    if step.kind == "suspend" and isinstance(step.term, t.Suspend):
        return f"{step.term.op} {show(step.term.value)}".strip()
    return show(step.term) if step.term is not None else ""


def show(term: t.Term | None) -> str:
    """A term in one notation for all languages, for printing only."""
    match term:
        case None:
            return ""
        case t.Ref():
            return str(term.place)
        case t.Constant():
            if term.kind == "string":
                return f'"{term.value}"'
            return (
                "null"
                if term.kind == "null"
                else str(term.value).lower()
                if term.kind == "bool"
                else str(term.value)
            )
        case t.Call():
            arguments = [show(a) for a in term.arguments] + [f"{n}={show(v)}" for n, v in term.keywords]
            return ("new " if term.constructs else "") + f"{show(term.callee)}({', '.join(arguments)})"
        case t.Field():
            return f"{show(term.subject)}.{term.name}"
        case t.Element():
            return f"{show(term.subject)}[{show(term.key)}]"
        case t.Binary():
            return f"{show(term.left)} {term.op} {show(term.right)}"
        case t.Unary():
            return f"{term.op}{show(term.operand)}"
        case t.Not():
            return f"not {show(term.operand)}"
        case t.Logic():
            return f"{show(term.left)} {term.op} {show(term.right)}"
        case t.Choice():
            return f"{show(term.test)} ? {show(term.then)} : {show(term.otherwise)}"
        case t.Suspend():
            return f"{term.op} {show(term.value)}".strip()
        case t.Closure():
            return f"closure {term.function.name}".strip()
        case t.Store():
            return f"{show(term.target)} {term.op or ''}= {show(term.value)}"
        case t.Spread():
            return f"...{show(term.value)}"
        case t.Result():
            return f"result {term.index} of {show(term.call)}"
        case t.Record():
            return "{" + ", ".join(f"{k}: {show(v)}" if k else show(v) for k, v in term.entries) + "}"
        case t.Sequence():
            return "[" + ", ".join(show(e) for e in term.elements) + "]"
        case t.Template():
            return " + ".join(show(p) for p in term.parts)
        case t.Region():
            return "{...}"
        case _:
            return ", ".join(show(c) for c in term.children())
