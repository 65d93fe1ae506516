"""Lowered statements as short text, for assertions: `x := await f()`, `try { ... } catch e { ... }`."""

from __future__ import annotations

from wsantipattern.model import term as t

_WORDS = {"and": "&&", "or": "||", "??": "??"}


def statements(body: list[t.Statement]) -> str:
    """Statements in a row, separated by semicolons."""
    return "; ".join(statement(one) for one in body)


def _block(body: list[t.Statement]) -> str:
    return f"{{ {statements(body)} }}" if body else "{}"


def statement(one: t.Statement) -> str:
    """One statement."""
    match one:
        case t.Evaluate():
            return term(one.term)
        case t.If():
            return f"if {term(one.test)} {_block(one.then)}" + (
                f" else {_block(one.otherwise)}" if one.otherwise else ""
            )
        case t.While():
            head = "do" if one.post_test else "while"
            update = f" update {_block(one.update)}" if one.update else ""
            return f"{_label(one.label)}{head} {term(one.test) if one.test else 'ever'} {_block(one.body)}{update}"
        case t.ForEach():
            targets = ", ".join(term(target) for target in one.targets)
            word = "for await" if one.suspends else "for"
            label = "" if one.label is None or "@" in one.label else _label(one.label)
            return f"{label}{word} {targets} of {term(one.iterable)} {_block(one.body)}"
        case t.Switch():
            subject = term(one.subject) if one.subject else "fragment" if one.fragment else ""
            return f"{_label(one.label)}switch {subject} [{' '.join(_case(case) for case in one.cases)}]"
        case t.Try():
            text = f"try {_block(one.body)}"
            for handler in one.handlers:
                target = f" {term(handler.target)}" if handler.target else ""
                text += f" catch{target} {_block(handler.body)}"
            if one.otherwise:
                text += f" else {_block(one.otherwise)}"
            return text + (f" finally {_block(one.final)}" if one.final else "")
        case t.Return():
            return f"return {term(one.value)}" if one.value else "return"
        case t.Raise():
            return f"throw {term(one.value)}" if one.value else "throw"
        case t.Halt():
            return f"halt {term(one.term)}"
        case t.Break() | t.Continue():
            word = type(one).__name__.lower()
            return word if one.label is None or "@" in one.label else f"{word} {one.label}"
        case t.Block():
            return _label(one.label) + _block(one.body)
        case t.Spawn():
            return f"spawn {_block(one.body)}" if one.term is None else f"spawn {term(one.term)}"
    raise AssertionError(one)


def _label(label: str | None) -> str:
    return f"{label}: " if label else ""


def _case(case: t.Case) -> str:
    head = "case " + ", ".join(term(test) for test in case.tests) if case.tests else "default"
    return f"{head}{' falls' if case.falls_through else ''} {_block(case.body)}"


def _place(ref: t.Ref) -> str:
    text = str(ref.place) or "_"
    if text[0] in ".[":
        text = "_" + text
    if ref.key is not None:
        before, _, after = text.rpartition("[*]")
        text = f"{before}[{term(ref.key)}]{after}"
    return text


def term(one: t.Term) -> str:
    """One value."""
    match one:
        case t.Ref():
            return _place(one) + (f" if {term(one.guard)}" if one.guard else "")
        case t.Constant():
            return "null" if one.kind == "null" else repr(one.value)
        case t.Call():
            arguments = ", ".join(term(argument) for argument in one.arguments)
            guard = f" if {term(one.guard)}" if one.guard else ""
            return f"{'new ' if one.constructs else ''}{term(one.callee)}{'!' if one.total else ''}({arguments}){guard}"
        case t.Field():
            return f"({term(one.subject)}).{one.name}"
        case t.Element():
            return f"({term(one.subject)})[{term(one.key) if one.key else ''}]"
        case t.Binary():
            return f"({term(one.left)} {one.op} {term(one.right)})"
        case t.Logic():
            return f"({term(one.left)} {_WORDS[one.op]} {term(one.right)})"
        case t.Unary():
            return f"({one.op} {term(one.operand)})"
        case t.Not():
            return f"!{term(one.operand)}"
        case t.Choice():
            return f"({term(one.test)} ? {term(one.then)} : {term(one.otherwise)})"
        case t.Suspend():
            return f"{one.op} {term(one.value)}" if one.value else one.op
        case t.Closure():
            return f"<{one.function.name or one.function.kind}>"
        case t.Record():
            return "{" + ", ".join(f"{name or '*'}: {term(value)}" for name, value in one.entries) + "}"
        case t.Sequence():
            return "[" + ", ".join(term(element) for element in one.elements) + "]"
        case t.Template():
            return "`" + " ".join(term(part) for part in one.parts) + "`"
        case t.Spread():
            return f"...{term(one.value)}"
        case t.Store():
            sign = ":=" if one.declares and one.op is None else f"{one.op or ''}="
            return f"{term(one.target)} {sign} {term(one.value)}"
        case t.Result():
            return f"{term(one.call)}#{one.index}"
        case t.Delete():
            return f"delete {term(one.target)}"
        case t.Several():
            return "(" + ", ".join(term(operand) for operand in one.operands) + ")"
        case t.Region():
            settles = f" settles {', '.join(str(place) for place in one.settles)}" if one.settles else ""
            return f"do{settles} {_block(one.body)}"
    raise AssertionError(one)
