"""The Python front end: names, places, terms, statements, fragments, and no text that breaks it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsantipattern.languages.python import parse
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Place


def module(text: str) -> Module:
    return parse(text.encode(), "client.py", "python")


def function(text: str, name: str) -> Function:
    return next(f for f in module(text).functions if f.name == name)


def value(text: str) -> t.Term:
    """The term of the last statement of a text, an expression."""
    statement = module(text).top.body[-1]
    assert isinstance(statement, t.Evaluate)
    return statement.term


def shown(node: object) -> str:
    """A term or statement in one line, without extents, flags that are off and empty lists."""
    if isinstance(node, list | tuple):
        return ", ".join(shown(n) for n in node)
    if isinstance(node, t.Ref):
        return str(node.place) + (f"<{shown(node.key)}>" if node.key is not None else "")
    if isinstance(node, t.Constant):
        return repr(node.value)
    if dataclasses.is_dataclass(node) and not isinstance(node, Place):
        fields = [
            getattr(node, f.name)
            for f in dataclasses.fields(node)
            if f.name not in ("extent", "parent", "kind")
        ]
        said = [shown(f) for f in fields if not (f is None or f is False or f in ([], ()))]
        return f"{type(node).__name__}({'; '.join(said)})"
    return str(node)


def body(function: Function) -> list[str]:
    return [shown(s) for s in function.body]


# -- what the file declares --------------------------------------------------------------------------

CLIENT = """
import asyncio
import websockets.legacy.client as old
from . import wire
from .errors import Gone as Lost

class Client(wire.Base, Protocol[T]):
    url: str
    retries = 0

    def __init__(self, url, loop: "asyncio.AbstractEventLoop | None" = None, *rest, key=1, **more):
        self.loop = loop
        self.inbox = asyncio.Queue()
        self.helper = Helper()
        self.seen: dict[str, int] = {}
        self.either = Helper() if url else None

    @property
    def is_open(self): ...

    @is_open.setter
    def is_open(self, value): ...

    @classmethod
    def make(cls, x): return cls(x)

    @staticmethod
    def plain(x): ...

    async def publish(this, x):
        def inner(): return this.inbox
        return [inner, lambda y: y]

class Helper:
    pass

handler = lambda: 1
"""


def test_functions_are_known_with_names_and_kinds() -> None:
    found = [(f.name, f.kind) for f in module(CLIENT).functions]
    assert found == [
        ("Client.__init__", "constructor"),
        ("Client.is_open", "getter"),
        ("Client.is_open", "setter"),
        ("Client.make", "method"),
        ("Client.plain", "method"),
        ("Client.publish", "method"),
        ("Client.publish.inner", "function"),
        ("", "lambda"),
        ("handler", "lambda"),
    ]


def test_nothing_is_lowered_before_it_is_asked_for() -> None:
    assert all("body" not in f.__dict__ for f in module(CLIENT).functions)


def test_functions_know_their_surroundings() -> None:
    made = module(CLIENT)
    by_name = {f.name: f for f in made.functions}
    inner = by_name["Client.publish.inner"]
    assert inner.parent is by_name["Client.publish"]
    assert inner.this is made.classes[0].this
    assert by_name["Client.publish"].is_async
    assert made.function_at(CLIENT.index("this.inbox")) is inner


def test_receivers_share_one_binding_whatever_they_are_called() -> None:
    made = module(CLIENT)
    client = made.classes[0]
    inner = next(f for f in made.functions if f.name == "Client.publish.inner")
    assert isinstance(inner.body[0], t.Return)
    assert isinstance(inner.body[0].value, t.Ref)
    assert inner.body[0].value.place == Place(client.this, ("inbox",))
    assert [p.name for p in client.methods["publish"].parameters] == ["x"]


def test_a_class_method_has_its_own_receiver() -> None:
    make = module(CLIENT).classes[0].methods["make"]
    assert [p.name for p in make.parameters] == ["x"]
    assert isinstance(make.body[0], t.Return)
    call = make.body[0].value
    assert isinstance(call, t.Call)
    assert isinstance(call.callee, t.Ref)
    assert call.callee.place.root.kind == "parameter"


def test_parameters_in_order_with_their_types() -> None:
    parameters = module(CLIENT).classes[0].methods["__init__"].parameters
    assert [p.name for p in parameters] == ["url", "loop", "rest", "key", "more"]
    assert parameters[1].declared_type == "asyncio.AbstractEventLoop"


def test_classes_know_bases_fields_methods_and_getters() -> None:
    client = module(CLIENT).classes[0]
    assert client.bases == [".wire.Base", "Protocol"]
    assert client.field_types == {
        "url": "str",
        "loop": "asyncio.AbstractEventLoop",
        "inbox": "asyncio.Queue",
        "helper": "Helper",
        "seen": "dict",
    }
    assert list(client.methods) == ["__init__", "make", "plain", "publish"]
    assert list(client.getters) == ["is_open"]


def test_fields_that_get_different_types_have_none() -> None:
    made = module(
        "class A:\n  def f(self):\n    self.x = B()\n    self.x = C()\nclass B: ...\nclass C: ...\n"
    )
    assert made.classes[0].field_types == {}


def test_imports_are_named_by_their_modules() -> None:
    made = module(CLIENT)
    assert made.imports == {"asyncio", "websockets.legacy.client", ".", ".errors"}
    names = ["old.connect", "asyncio.sleep", "wire.Frame", "Lost"]
    found = [made.canonical(value(CLIENT + name)) for name in names]
    assert found == ["websockets.legacy.client.connect", "asyncio.sleep", ".wire.Frame", ".errors.Gone"]


def test_a_dotted_import_binds_its_first_word() -> None:
    assert Module.canonical(module(""), value("import a.b\na.b.c")) == "a.b.c"


def test_a_name_with_several_imports_has_the_first_ones_origin() -> None:
    text = "try:\n  from a import f\nexcept ImportError:\n  from b import f\nf"
    assert module(text).canonical(value(text)) == "a.f"


def test_names_nobody_declares_are_globals() -> None:
    made = module("print(x)")
    assert [s for f in made.all_functions for s in f.body]
    assert {n: b.origin for n, b in made.globals.items()} == {"print": "print", "x": "x"}


def test_decorators_are_lowered_once() -> None:
    made = module("@app.on('message')\ndef f(): ...\n")
    statement = made.top.body[0]
    assert isinstance(statement, t.Evaluate)
    assert made.functions[0].decorators == [statement.term]
    assert shown(statement.term) == "Call(app.on; 'message')"


# -- scopes ------------------------------------------------------------------------------------------


def test_global_and_nonlocal_name_the_outer_variable() -> None:
    text = """
count = 0
def f():
    global count
    count = 1
    total = 0
    def g():
        nonlocal total
        total += count
"""
    made = module(text)
    first = made.top.body[0]
    f, g = made.functions
    assert isinstance(first, t.Evaluate)
    assert isinstance(first.term, t.Store)
    assert isinstance(first.term.target, t.Ref)
    shared = first.term.target.place.root
    assert shared.kind == "local"
    assert shared.scope is made.top
    assert not shared.constant
    assert isinstance(f.body[0], t.Evaluate)
    assert isinstance(f.body[0].term, t.Store)
    assert isinstance(f.body[0].term.target, t.Ref)
    assert f.body[0].term.target.place.root is shared
    assert isinstance(g.body[0], t.Evaluate)
    assert isinstance(g.body[0].term, t.Store)
    assert isinstance(g.body[0].term.target, t.Ref)
    assert g.body[0].term.target.place.root.scope is f


def test_class_members_are_fields_and_invisible_to_methods() -> None:
    text = "x = 1\nclass A:\n  x = 2\n  y = x\n  def f(self): return x\n"
    made = module(text)
    stores = [shown(s) for s in made.top.body]
    assert stores == [
        "Evaluate(Store(x; 1; True))",
        "Evaluate(Store(self.x; 2))",
        "Evaluate(Store(self.y; self.x))",
    ]
    assert shown(made.functions[0].body[0]) == "Return(x)"


def test_comprehension_variables_are_their_own() -> None:
    made = module("def f(x, xs):\n  return [x for x in xs if x], x")
    returned = made.functions[0].body[0]
    assert isinstance(returned, t.Return)
    assert isinstance(returned.value, t.Sequence)
    inner, outer = returned.value.elements
    assert isinstance(inner, t.Several)
    assert isinstance(outer, t.Ref)
    assert isinstance(inner.operands[-1], t.Ref)
    assert inner.operands[-1].place != outer.place
    assert outer.place.root.kind == "parameter"


def test_an_assignment_expression_leaves_the_comprehension() -> None:
    f = function("def f(xs):\n  ys = [y for x in xs if (y := g(x))]\n  return y", "f")
    returned = f.body[1]
    assert isinstance(returned, t.Return)
    assert isinstance(returned.value, t.Ref)
    assert returned.value.place.root.scope is f
    assert returned.value.place.root.kind == "local"


def test_constant_bindings_know_their_value() -> None:
    text = "def f():\n  a = g()\n  b = 1\n  b = 2\n  c, d = h()\n  with open(p) as e: pass\n  for i in a: pass\n  return a, b, c, d, e, i"
    f = function(text, "f")
    returned = f.body[-1]
    assert isinstance(returned, t.Return)
    assert isinstance(returned.value, t.Sequence)
    bindings = {e.place.name: e.place.root for e in returned.value.elements if isinstance(e, t.Ref)}
    assert {n: b.constant for n, b in bindings.items()} == {
        "a": True,
        "b": False,
        "c": True,
        "d": True,
        "e": True,
        "i": True,
    }
    assert {n: shown(b.initial) for n, b in bindings.items()} == {
        "a": "Call(g)",
        "b": "None",
        "c": "Result(Call(h); 0)",
        "d": "Result(Call(h); 1)",
        "e": "Call(open; p)",
        "i": "None",
    }
    assert isinstance(f.body[0], t.Evaluate)
    assert isinstance(f.body[0].term, t.Store)
    assert bindings["a"].initial is f.body[0].term.value


def test_a_constant_of_the_module_is_lowered_on_demand() -> None:
    made = module("queue = asyncio.Queue()\ndef f(): return queue")
    returned = made.functions[0].body[0]
    assert isinstance(returned, t.Return)
    assert shown(made.value_of(returned.value)) == "Call(asyncio.Queue)"


def test_names_of_functions_and_classes_lead_to_them() -> None:
    made = module("def f(): ...\ng = lambda: 1\nclass A: ...\n[f(), g(), A()]")
    statement = made.top.body[-1]
    assert isinstance(statement, t.Evaluate)
    assert isinstance(statement.term, t.Sequence)
    calls = [c for c in statement.term.elements if isinstance(c, t.Call)]
    assert [made.resolve(c) for c in calls[:2]] == made.functions
    assert [c.constructs for c in calls] == [False, False, True]
    assert [f.binding.name for f in made.functions if f.binding] == ["f", "g"]


def test_a_redefined_function_is_no_longer_known() -> None:
    made = module("def f(): ...\ndef f(x): ...\nf()")
    statement = made.top.body[-1]
    assert isinstance(statement, t.Evaluate)
    assert isinstance(statement.term, t.Call)
    assert made.resolve(statement.term) is None


# -- aliases -----------------------------------------------------------------------------------------


def method(code: str) -> list[str]:
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    return body(function(f"class A:\n  async def f(self, p):\n{lines}", "A.f"))


def test_a_variable_that_holds_a_field_is_the_field() -> None:
    assert method("ws = self._ws\nws.state")[1] == "Evaluate(self._ws.state)"
    assert method("conn = self._conn\nws = conn.ws\nws.state")[2] == "Evaluate(self._conn.ws.state)"
    assert method("kind = p['type']\nkind")[1] == "Evaluate(p.type)"


@pytest.mark.parametrize(
    "code",
    [
        "old = self.seq\nself.seq = p\nold",
        "old = self.a.seq\nself.a = p\nold",
        "old = self.seq\ndef g(): self.seq = 1\nold",
        "old = self.seq\nold = p\nold",
        "old, new = self.seq, p\nold",
        "old = self.seq[p]\nold",
        "old = p\nold",
        "del p\nold = p.x\nold",
    ],
)
def test_a_snapshot_is_no_alias(code: str) -> None:
    assert method(code)[-1] == "Evaluate(old)"


def test_an_alias_follows_what_was_assigned_before() -> None:
    assert method("self.ws = p\nws = self.ws\nws")[-1] == "Evaluate(self.ws)"


def test_aliases_of_each_other_end() -> None:
    assert body(module("a = b.x\nb = a.y\na, b").top)


# -- types -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "name"),
    [
        ("int", "int"),
        ("Optional[Socket]", "lib.Socket"),
        ("typing.Optional['Socket']", "lib.Socket"),
        ("Socket | None", "lib.Socket"),
        ("None | Socket", "lib.Socket"),
        ("'Socket | None'", "lib.Socket"),
        ("Union[Socket, None]", "lib.Socket"),
        ("Union[Socket, int]", None),
        ("Socket | int", None),
        ("dict[str, Socket]", "dict"),
        ("Annotated[Socket, 1]", "lib.Socket"),
        ("lib2.sub.Socket", "lib2.sub.Socket"),
        ("'Own'", "Own"),
        ("f'{x}'", None),
        ("'['", None),
    ],
)
def test_annotations_are_canonical(note: str, name: str | None) -> None:
    text = f"import typing, lib2\nfrom lib import Socket\ndef f(x: {note} = None): ...\nclass Own: ..."
    assert module(text).functions[0].parameters[0].declared_type == name


def test_annotated_variables_and_fields() -> None:
    made = module(
        "import lib\nws: lib.Socket\nws = get()\nclass A:\n  def f(self): self.b: 'lib.B | None' = None\n"
    )
    assert isinstance(made.top.body[-1], t.Evaluate)
    store = next(s.term for s in made.top.body if isinstance(s, t.Evaluate) and isinstance(s.term, t.Store))
    assert isinstance(store.target, t.Ref)
    assert made.type_of(store.target.place) == "lib.Socket"
    assert made.type_of(Place(made.classes[0].this, ("b",))) == "lib.B"


# -- terms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a.b.c", "a.b.c"),
        ("a['x'].b", "a.x.b"),
        ("a[k].b", "a[*].b<k>"),
        ("a[k][1]", "a[*][*]<1>"),
        ("a[f()][1]", "Element(a[*]<Call(f)>; 1)"),
        ("a[1:]", "Element(a; Several(1, None))"),
        ("a[:n:2]", "Element(a; Several(None, n, 2))"),
        ("f().x['y'][0]", "Element(Field(Field(Call(f); x); y); 0)"),
        ("f(a, *b, c=1, **d)", "Call(f; a, Spread(b), Spread(d); c, 1)"),
        ("(await f())", "Suspend(await; Call(f))"),
        ("a < b", "Binary(<; a; b)"),
        ("a is not None", "Binary(!=; a; None)"),
        ("a not in b", "Not(Binary(in; a; b))"),
        ("a < b <= c", "Logic(and; Binary(<; a; b); Binary(<=; b; c))"),
        ("a < f() < c", "Logic(and; Binary(<; a; Call(f)); Binary(<; Several(); c))"),
        ("a and b or not c", "Logic(or; Logic(and; a; b); Not(c))"),
        ("a // b @ c", "Binary(*; Binary(/; a; b); c)"),
        ("a if b else c", "Choice(b; a; c)"),
        ("(a := b)", "Store(a; b; True)"),
        ("-1", "-1"),
        ("-a", "Unary(-; a)"),
        ("0x1F", "31"),
        ("1_000.5", "1000.5"),
        ("3j", "'3j'"),
        ("'a' \"b\"", "'ab'"),
        ("'a\\n'", "'a\\n'"),
        ("r'\\d'", "'\\\\d'"),
        ("b'\\xff'", "'ÿ'"),
        ("f'a{b}c{d:>{e}}'", "Template('a', b, 'c', d, e)"),
        ("{'a': 1, **b, c: 2}", "Record(a, 1, None, Spread(b), None, Several(c, 2))"),
        ("[1, *a]", "Sequence(1, Spread(a))"),
        ("{1, 2}", "Sequence(1, 2)"),
        ("(yield a)", "Suspend(yield; a)"),
        ("[x async for x in a if x]", "Several(Store(x; Element(Suspend(await; a)); True), x, x)"),
        (
            "{k: v for k, v in f()}",
            "Several(Store(k; Result(Element(Call(f)); 0); True), Store(v; Result(Element(Call(f)); 1); True), k, v)",
        ),
        ("any(x for x in a)", "Call(any; Several(Store(x; Element(a); True), x); True)"),
        ("len(a)", "Call(len; a; True)"),
        ("getattr(a.b, 'c', False)", "a.b.c"),
        ("getattr(a, b)", "Call(getattr; a, b)"),
        ("int(a)", "Call(int; a)"),
        ("...", "'...'"),
    ],
)
def test_terms(code: str, expected: str) -> None:
    assert shown(value(code)) == expected


@pytest.mark.parametrize(
    ("before", "call", "total"),
    [
        ("import logging", "logging.info(x)", True),
        ("import logging\nlog = logging.getLogger(__name__)", "log.warning(x)", True),
        ("from logging import getLogger\nlog = getLogger()", "log.error(x)", True),
        ("log = structlog.get_logger()", "log.error(x)", False),
        ("import time", "time.monotonic()", True),
        ("import time", "time.strptime(x)", False),
        ("", "task.cancel()", False),
        ("len = f", "len(x)", False),
    ],
)
def test_only_builtins_clocks_and_loggers_never_raise(before: str, call: str, total: bool) -> None:
    term = value(f"{before}\n{call}")
    assert isinstance(term, t.Call)
    assert term.total is total


def test_a_logger_in_a_field_is_a_logger() -> None:
    f = function(
        "import logging\nclass A:\n  def __init__(self): self.log = logging.getLogger()\n  def f(self): self.log.info(1)\n",
        "A.f",
    )
    assert body(f) == ["Evaluate(Call(self.log.info; 1; True))"]


# -- statements --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = y = f()", ["Evaluate(Store(x; Store(y; Call(f); True); True))"]),
        ("x += 1", ["Evaluate(Store(x; 1; +))"]),
        ("x //= 2", ["Evaluate(Store(x; 2; /))"]),
        ("x: int", []),
        ("x: int = 1", ["Evaluate(Store(x; 1; True))"]),
        (
            "a, b = f()",
            ["Evaluate(Store(a; Result(Call(f); 0); True))", "Evaluate(Store(b; Result(Call(f); 1); True))"],
        ),
        ("a, b = o.x", ["Evaluate(Store(a; o.x[*]<0>; True))", "Evaluate(Store(b; o.x[*]<1>; True))"]),
        ("a, b = 1, c", ["Evaluate(Store(a; 1; True))", "Evaluate(Store(b; c; True))"]),
        ("o.a, o.b = o.b, o.a", ["Evaluate(Store(o.a; o.b))", "Evaluate(Store(o.b; Several(o.a)))"]),
        ("del x.a, y[k]", ["Evaluate(Delete(x.a))", "Evaluate(Delete(y[*]<k>))"]),
        ("assert x, y", ["If(Not(x); Raise(y))"]),
        (
            "if a: f()\nelif b: g()\nelse: h()",
            ["If(a; Evaluate(Call(f)); If(b; Evaluate(Call(g)); Evaluate(Call(h))))"],
        ),
        ("while True: break\nelse: f()", ["While(Break(); Evaluate(Call(f)))"]),
        ("while x: continue", ["While(x; Continue())"]),
        ("for a, (b, c) in d: pass", ["ForEach(a, b, c; d)"]),
        ("async for m in ws: pass\nelse: f()", ["ForEach(m; ws; True; Evaluate(Call(f)))"]),
        ("with a as b, c: pass", ["With(a, b, c, None)"]),
        ("async with a: f()", ["With(a, None; Evaluate(Call(f)); True)"]),
        ("with a as (b, c): pass", ["With(a, Sequence(b, c))"]),
        ("raise A from b", ["Raise(A)"]),
        ("return f(), 1", ["Return(Sequence(Call(f), 1))"]),
        ("import sys\nsys.exit(1)", ["Evaluate(Call(__import__; 'sys'))", "Raise(Call(sys.exit; 1))"]),
        ("import os\nos._exit(1)", ["Evaluate(Call(__import__; 'os'))", "Halt(Call(os._exit; 1))"]),
        ("loop.create_task(f(x))", ["Spawn(Call(f; x))"]),
        (
            "from asyncio import create_task as go\ngo(f())",
            ["Evaluate(Call(__import__; 'asyncio'))", "Spawn(Call(f))"],
        ),
        ("create_task(f())", ["Evaluate(Call(create_task; Call(f)))"]),
        ("t = loop.create_task(f(x))", ["Evaluate(Store(t; Call(loop.create_task; Call(f; x)); True))"]),
        ("def f(a=g()): h()", ["Evaluate(Call(g))"]),
        ("pass", []),
    ],
)
def test_statements(code: str, expected: list[str]) -> None:
    assert body(module(code).top) == expected


def test_handlers_name_what_they_catch() -> None:
    text = "import asyncio\ntry: f()\nexcept (asyncio.TimeoutError, E) as e: a()\nexcept* Exception: b()\nexcept E, F: b()\nexcept: c()\nelse: d()\nfinally: g()"
    statement = module(text).top.body[1]
    assert isinstance(statement, t.Try)
    found = [(h.types, h.catches_all, shown(h.body)) for h in statement.handlers]
    assert found == [
        (["asyncio.TimeoutError", "E"], False, "Evaluate(Call(a))"),
        (["Exception"], True, "Evaluate(Call(b))"),
        (["E", "F"], False, "Evaluate(Call(b))"),
        ([], True, "Evaluate(Call(c))"),
    ]
    assert shown(statement.handlers[0].target) == "e"
    assert (shown(statement.otherwise), shown(statement.final)) == ("Evaluate(Call(d))", "Evaluate(Call(g))")


@pytest.mark.parametrize(("text", "swallows"), [("contextlib.suppress(E)", True), ("other(E)", False)])
def test_suppress_swallows(text: str, swallows: bool) -> None:
    statement = module(f"import contextlib\nwith {text}: f()").top.body[1]
    assert isinstance(statement, t.With)
    assert statement.swallows is swallows


def test_match() -> None:
    text = """
match msg:
    case {"type": "chunk", "text": text} if text: a()
    case 1 | -2: b()
    case Kind.END: c()
    case Ping(id=i): d(i)
    case [first, *rest]: e()
    case other: f(other)
"""
    statement = module(text).top.body[0]
    assert isinstance(statement, t.Switch)
    assert not statement.breakable
    cases = [(shown(c.tests), shown(c.before), shown(c.guard), c.pattern) for c in statement.cases]
    assert cases == [
        (
            "Logic(and; Binary(==; msg.type; 'chunk'); Record(type, 'chunk', text, Several()))",
            "Evaluate(Store(text; msg.text; True))",
            "text",
            True,
        ),
        ("1, -2", "", "None", False),
        ("Kind.END", "", "None", False),
        ("Record(id, Several(); Ping)", "Evaluate(Store(i; msg.id; True))", "None", True),
        (
            "Sequence(Several(), Several())",
            "Evaluate(Store(first; msg[*]; True)), Evaluate(Store(rest; Several(); True))",
            "None",
            True,
        ),
        ("", "", "None", False),
    ]
    assert shown(statement.cases[-1].body) == "Evaluate(Store(other; msg; True)), Evaluate(Call(f; other))"


def test_what_a_match_takes_out_of_a_call_are_fields_of_its_result() -> None:
    text = """
match message.json():
    case {"kind": "words", "words": str(words)}: a(words)
"""
    taken, statement = module(text).top.body
    assert isinstance(taken, t.Evaluate)
    assert isinstance(taken.term, t.Store)
    assert isinstance(statement, t.Switch)
    store = statement.cases[0].before[0]
    assert isinstance(store, t.Evaluate)
    assert isinstance(store.term, t.Store)
    assert isinstance(store.term.value, t.Ref)
    place = store.term.value.place
    assert place.path == ("words",)
    assert place.root.initial is taken.term.value


def test_a_long_chain_of_conditions_stays_flat() -> None:
    arms = "".join(f"elif x == {i}: f()\n" for i in range(400))
    statement = module(f"if x: pass\n{arms}else: g()").top.body[0]
    assert isinstance(statement, t.Switch)
    assert statement.subject is None
    assert len(statement.cases) == 402


# -- fragments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("case 'chunk':\n    a = 1\n    f()\ncase _:\n    g()\n", t.Switch),
        ("        case 'chunk':\n            f()\n", t.Switch),
        ("except E as e:\n    f(e)\nfinally:\n    g()\n", t.Try),
        ("elif x:\n    f()\nelse:\n    g()\n", t.If),
        ("    async for m in ws:\n        f(m)\n    return 1\n", t.ForEach),
    ],
)
def test_fragments_are_read_and_map_back(text: str, kind: type[t.Statement]) -> None:
    made = module(text)
    statement = made.top.body[0]
    assert isinstance(statement, kind)
    assert not made.has_errors
    call = made.text.index(b"f(")
    assert text[made.host_offset(call) :].startswith("f(")
    assert made.host_offset(0) == len(text) - len(text.lstrip())
    assert any(
        step.kind == "call" and made.snippet(step.extent).startswith("f(") for step in made.top.cfg.steps
    )
    if isinstance(statement, t.Switch):
        assert statement.fragment
        assert statement.subject is None


def test_broken_text_is_read_as_far_as_it_goes() -> None:
    made = module("def f(:\n  x = (\ndef g():\n  h()\n  if (\n")
    assert made.has_errors
    assert any("h" in name for f in made.all_functions for name in body(f))


# -- no text breaks it -------------------------------------------------------------------------------


def lower(text: bytes) -> Module:
    made = parse(text, "x.py", "python")
    for each in made.all_functions:
        assert each.body is not None
        assert each.cfg.steps
        assert all(p.declared_type is None or p.declared_type for p in each.parameters)
        assert all(d.extent[0] >= 0 for d in each.decorators)
        assert 0 <= each.extent[0] <= each.extent[1] <= len(made.text)
    for class_ in made.classes:
        assert all(class_.bases)
        assert all(class_.field_types.values())
    return made


@pytest.mark.parametrize(
    "text",
    [
        b"(" * 10_000 + b")" * 10_000,
        b"[" * 10_000,
        b"f(" * 5_000 + b")" * 5_000,
        b"x" + b".a()" * 5_000,
        b"x" + b"[0]" * 5_000,
        b"a = " * 3_000 + b"1",
        b"1" + b" + x" * 5_000,
        b"x" + b" and x" * 5_000,
        b"not " * 5_000 + b"x",
        b"lambda: " * 2_000 + b"x",
        b"x if y else " * 3_000 + b"z",
        b"".join(b" " * i + b"if x:\n" for i in range(300)) + b" " * 300 + b"f()\n",
        b"".join(b" " * i + b"def f():\n" for i in range(300)) + b" " * 300 + b"f()\n",
        b"match x:\n case " + b"[" * 3_000 + b"y" + b"]" * 3_000 + b": pass",
        b"x = [" + b"1, " * 100_000 + b"]",
        b"x: " + b"Optional[" * 500 + b"int" + b"]" * 500,
        b"class A:\n x: '''" + b"'" * 3,
        b"\xff\xfe\x00 def f(\x00): \xff",
        b"",
    ],
    ids=range(19),
)
def test_extreme_texts(text: bytes) -> None:
    lower(text)


WORDS = st.sampled_from(
    [
        "def",
        "f",
        "(",
        ")",
        ":",
        "\n\n\n",
        "\n",
        "",
        "\n",
        "",
        "",
        "",
        "async",
        "await",
        "for",
        "in",
        "with",
        "as",
        "try",
        "except",
        "finally",
        "if",
        "elif",
        "else",
        "match",
        "case",
        "_",
        "x",
        "y",
        "self",
        ".",
        ",",
        "=",
        ":=",
        "+",
        "[",
        "]",
        "{",
        "}",
        "*",
        "**",
        "lambda",
        "class",
        "A",
        "global",
        "nonlocal",
        "return",
        "yield",
        "del",
        "import",
        "from",
        "is",
        "not",
        "'a'",
        "f'{x}'",
        '"',
        "1",
        "-1",
        "@",
        "#",
        "\\",
        "\t",
        "->",
        "|",
        "None",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_random_programs_are_lowered(text: str) -> None:
    lower(text.encode())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_random_bytes_are_lowered(text: bytes) -> None:
    lower(text)


def test_parameters_share_a_place_with_the_elements_of_their_containers() -> None:
    f = function("def f(d, k):\n  return d[k].timer", "f")
    returned = f.body[0]
    assert isinstance(returned, t.Return)
    assert isinstance(returned.value, t.Ref)
    assert returned.value.place == Place(f.parameters[0], (ELEMENT, "timer"))
