"""The Go front end: what names mean, what statements become, and that no text breaks it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsantipattern.languages.go import parse
from wsantipattern.model import term as t
from wsantipattern.model.module import Function, Module

HEADER = """package hub

import (
	"os"
	"log"
	"github.com/gorilla/websocket"
	nh "nhooyr.io/websocket"
	"gopkg.in/yaml.v3"
	"github.com/mattn/go-sqlite3"
	"example.com/deep/feed/v2"
)

type base struct {
	id uint64
}

type Client struct {
	base
	*websocket.Dialer
	conn  *websocket.Conn
	peers map[string]*Client
	send  chan []byte
	list  []*Client
	a, b  int
}

func NewClient() *Client { return &Client{a: 1} }

func pair() (*Client, error) { return nil, nil }
"""


def read(source: str) -> Module:
    return parse(source.encode(), "x.go", "go")


def method(body: str) -> tuple[Module, Function]:
    """A module and its method `(c *Client) run` with this body."""
    module = read(
        f"{HEADER}\nfunc (c *Client) run(x int, msgs ...string) (n int, err error) {{\n{body}\n}}\n"
    )
    return module, function(module, "Client.run")


def function(module: Module, name: str) -> Function:
    return next(f for f in module.functions if f.name == name)


def lines(body: str) -> list[str]:
    """The printed statements of a method's body."""
    return [show(s) for s in method(body)[1].body]


def show(node: object) -> str:
    """A compact print of terms and statements; what is absent or default is left out."""
    if isinstance(node, t.Ref):
        return str(node.place) + (f"<{show(node.key)}>" if node.key is not None else "")
    if isinstance(node, t.Constant):
        return repr(node.value)
    if isinstance(node, t.Evaluate):
        return show(node.term)
    if isinstance(node, t.Store):
        return f"{show(node.target)} {':' if node.declares else ''}{node.op or ''}= {show(node.value)}"
    if isinstance(node, t.Call):
        return f"{show(node.callee)}({', '.join(show(a) for a in node.arguments)})"
    if isinstance(node, t.Result):
        return f"{show(node.call)}#{node.index}"
    if isinstance(node, Function):
        return f"func {node.name}"
    if isinstance(node, list):
        return f"[{'; '.join(show(item) for item in node)}]"
    if isinstance(node, tuple):
        return f"({', '.join(show(item) for item in node)})"
    if dataclasses.is_dataclass(node):
        shown = [
            f"{f.name}={show(value)}"
            for f in dataclasses.fields(node)
            if f.name not in ("extent", "parent")
            and (value := getattr(node, f.name)) not in (None, False, True, [], ())
        ]
        return f"{type(node).__name__}({' '.join(shown)})"
    return str(node)


def ref(node: t.Term) -> t.Ref:
    assert isinstance(node, t.Ref)
    return node


def called(statement: t.Statement) -> t.Call:
    assert isinstance(statement, t.Evaluate)
    assert isinstance(statement.term, t.Call)
    return statement.term


def stored(statement: t.Statement) -> t.Store:
    assert isinstance(statement, t.Evaluate)
    assert isinstance(statement.term, t.Store)
    return statement.term


# ---------------------------------------------------------------------------------------------- names


def test_receivers_of_one_type_share_a_binding() -> None:
    module = read(
        "package p\ntype T struct{ n int }\nfunc (a *T) f() { a.n = 1 }\nfunc (b T) g() { b.n = 2 }\n"
    )
    first, second = (stored(f.body[0]).target for f in module.functions)
    assert ref(first).place == ref(second).place
    assert str(ref(first).place) == "a.n"
    assert [c.name for c in module.classes] == ["T"]
    assert set(module.classes[0].methods) == {"f", "g"}


def test_methods_of_a_type_of_another_file_have_a_class() -> None:
    module = read("package p\nfunc (h *Hub[T]) close() { h.quit() }\nfunc (h *Hub[T]) quit() {}\n")
    assert module.resolve(called(module.functions[0].body[0])) is module.functions[1]


def test_struct_types() -> None:
    module = read(HEADER)
    client = next(c for c in module.classes if c.name == "Client")
    assert client.field_types == {
        "base": "base",
        "Dialer": "github.com/gorilla/websocket.Dialer",
        "conn": "github.com/gorilla/websocket.Conn",
        "peers": "map",
        "send": "chan",
        "list": "[]",
        "a": "int",
        "b": "int",
        "id": "uint64",
    }
    assert client.bases == ["base", "github.com/gorilla/websocket.Dialer"]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("websocket.DefaultDialer.Dial", "github.com/gorilla/websocket.DefaultDialer.Dial"),
        ("nh.Dial", "nhooyr.io/websocket.Dial"),
        ("yaml.Marshal", "gopkg.in/yaml.v3.Marshal"),
        ("sqlite3.Open", "github.com/mattn/go-sqlite3.Open"),
        ("feed.Read", "example.com/deep/feed/v2.Read"),
        ("unknown.Read", "unknown.Read"),
        ("len", "len"),
    ],
)
def test_canonical_names(written: str, canonical: str) -> None:
    module, run = method(f"{written}(1)")
    assert module.canonical(called(run.body[0]).callee) == canonical


def test_undeclared_names_are_globals_and_declared_ones_are_not() -> None:
    module, run = method("other(table, NewClient)\n_ = 1\n_, err = pair()")
    call = called(run.body[0])
    assert ref(call.callee).place.root.kind == "global"
    assert set(module.globals) == {"other", "table"}
    assert ref(call.arguments[1]).place.root.function is function(module, "NewClient")


def test_package_variables_and_constants() -> None:
    module = read(
        "package p\nconst (\n A = iota\n B\n)\nvar hub = newHub()\nvar n int\nfunc newHub() *Hub { return nil }\n"
        "func f() { use(hub, A, B, n); n = 2 }\n"
    )
    call = called(function(module, "f").body[0])
    hub, a, b, n = (ref(argument).place.root for argument in call.arguments)
    assert (hub.constant, hub.declared_type, show(hub.initial)) == (True, "Hub", "newHub()")
    assert (show(a.initial), show(b.initial)) == ("0", "1")
    assert (n.constant, n.initial) == (False, None)
    top = [show(s) for s in module.top.body]
    assert top == ["A := 0", "B := 1", "hub := newHub()", "n := 0"]
    assert hub.initial is stored(module.top.body[2]).value


def test_block_scopes() -> None:
    _, run = method(
        "y := 1\nif y := 2; y > 1 {\n y := 3\n use(y)\n}\nuse(y)\nswitch {\ncase x > 1:\n y := y\n}"
    )
    outer, test = stored(run.body[0]), run.body[2]
    init = stored(run.body[1])
    assert isinstance(test, t.If)
    inner = stored(test.then[0])
    roots = [ref(s.target).place.root for s in (outer, init, inner)]
    assert len(set(roots)) == 3
    assert isinstance(test.test, t.Binary)
    assert ref(test.test.left).place.root is roots[1]
    assert show(run.body[3]) == "use(y)"
    assert ref(called(run.body[3]).arguments[0]).place.root is roots[0]
    switch = run.body[4]
    assert isinstance(switch, t.Switch)
    last = stored(switch.cases[0].body[0])
    assert ref(last.target).place.root not in roots
    assert ref(last.value).place.root is roots[0]


def test_redeclared_variables_are_assigned() -> None:
    _, run = method("a, err := pair()\nb, err := pair()\nuse(a, b, err)")
    first, second = stored(run.body[1]), stored(run.body[3])
    # `err` is a named result already.
    assert ref(first.target).place == ref(second.target).place
    assert not first.declares
    assert stored(run.body[0]).declares
    assert stored(run.body[2]).declares


def test_initial_values_and_types() -> None:
    _, run = method(
        "d, ok := pair()\nw := new(Client)\nv := &Client{}\nz := NewClient()\nvar q *websocket.Conn\n"
        "for _, p := range c.peers {\n p.run(1)\n}\nfor i := 0; i < 3; i++ {\n use(i)\n}\nm := c.list[0]\nk := make(chan int)"
    )
    roots = {}
    for statement in run.body:
        if isinstance(statement, t.Evaluate) and isinstance(statement.term, t.Store):
            root = ref(statement.term.target).place.root
            roots[root.name] = root
    types = {name: root.declared_type for name, root in roots.items()}
    assert types == {
        "d": "Client",
        "ok": "error",
        "w": "Client",
        "v": "Client",
        "z": "Client",
        "q": "github.com/gorilla/websocket.Conn",
        "i": "int",
        "m": "Client",
        "k": "chan",
    }
    assert show(roots["d"].initial) == "pair()#0"
    assert roots["i"].constant is False
    each = next(s for s in run.body if isinstance(s, t.ForEach))
    assert ref(each.targets[0]).place.root.declared_type == "Client"


def test_initial_of_a_captured_variable_is_known_before_its_function_is_lowered() -> None:
    module = read("package p\nfunc f() {\n n := g(1)\n h(func() { use(n) })\n}\n")
    inner = module.functions[1]
    captured = ref(called(inner.body[0]).arguments[0]).place.root
    assert show(captured.initial) == "g(1)"
    assert captured.initial is stored(module.functions[0].body[0]).value


def test_address_taken_is_not_constant() -> None:
    _, run = method("var m Client\nread(&m)\nuse(m)")
    assert not ref(stored(run.body[0]).target).place.root.constant


# -------------------------------------------------------------------------------------------- aliases


@pytest.mark.parametrize(
    ("body", "last"),
    [
        ("k := c.conn\nk.Close()", "c.conn.Close()"),
        ("k := c.base\nj := k\nj.id.x()", "j.id.x()"),
        ("k := &c.base\nj := k\nj.id.x()", "c.base.id.x()"),
        ("k := c.conn\nc.conn = nil\nk.Close()", "k.Close()"),
        ("c.conn = nil\nk := c.conn\nk.Close()", "c.conn.Close()"),
        ("k := c.conn\nk = nil\nk.Close()", "k.Close()"),
        ("k := c.list[0]\nk.Close()", "k.Close()"),
        ("k := websocket.DefaultDialer\nk.Dial()", "websocket.DefaultDialer.Dial()"),
        ("k := c\nk.conn = nil\nk.conn.Close()", "c.conn.Close()"),
        ("k := c.conn\nd := c\nd.conn = nil\nk.Close()", "k.Close()"),
        ("k := c.any.(*websocket.Conn)\nk.Close()", "k.Close()"),
        ("func(k *Client) { k.run(1) }(c)\nc.run(2)", "c.run(2)"),
    ],
)
def test_aliases(body: str, last: str) -> None:
    assert lines(body)[-1] == last


def test_an_argument_of_a_literal_called_at_once_is_followed() -> None:
    module, run = method("go func(k *websocket.Conn) { k.Close() }(c.conn)")
    assert show(run.body[0]) == "Spawn(term=Closure(function=func )(c.conn))"
    assert show(module.functions[-1].body) == "[c.conn.Close()]"


# --------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("int64(c.a)", "c.a"),
        ("[]byte(x)", "x"),
        ("string(msgs[0])", "msgs[*]<0>"),
        ("*(&c.conn)", "c.conn"),
        ("c.peers[x].conn", "c.peers[*].conn<x>"),
        ("c.peers[f()].list[0]", "Element(subject=c.peers[*].list<f()> key=0)"),
        ("c.v.(*Client).conn", "c.v.conn"),
        ("pair2().conn", "Field(subject=pair2() name=conn)"),
        ("msgs[1:]", "Element(subject=msgs key=Several(operands=[1; None]))"),
        ("msgs[:0]", "Element(subject=msgs key=Several(operands=[None; 0]))"),
        ("-1", "-1"),
        ("0x_ff", "255"),
        ("1.5e3", "1500.0"),
        ("'\\n'", "'\\n'"),
        ('"a\\tb\\u00e9\\x41"', "'a\\tbéA'"),
        ("`raw\\n`", "'raw\\\\n'"),
        ("nil", "None"),
        ("!true", "Not(operand=True)"),
        (
            "c.a > 1 && x == 2",
            "Logic(op=and left=Binary(op=> left=c.a right=1) right=Binary(op=== left=x right=2))",
        ),
        ("<-c.send", "Suspend(op=receive value=c.send)"),
        ("append(c.list, msgs...)", "append(c.list, Spread(value=msgs))"),
        ("generic[int](x)", "generic(x)"),
        ("NewClient()", "NewClient()"),
        ("&Client{a: 1, conn: nil}", "Record(entries=[(a, 1); (conn, None)] type_name=Client)"),
        ("websocket.Dialer{A: 1}", "Record(entries=[(A, 1)] type_name=github.com/gorilla/websocket.Dialer)"),
        ('map[string]int{"k": 1}', "Record(entries=[(k, 1)] type_name=map)"),
        ("[]int{1, 2}", "Sequence(elements=[1; 2])"),
        ("[]*Client{{a: 1}}", "Sequence(elements=[Record(entries=[(a, 1)] type_name=Client)])"),
        ("base{7}", "Record(entries=[(id, 7)] type_name=base)"),
        ("func() int { return 3 }()", "Region(body=[Return(value=3)] function=func )"),
    ],
)
def test_values(written: str, printed: str) -> None:
    assert lines(f"use({written})")[0] == f"use({printed})"


def test_literals_are_decoded() -> None:
    assert lines('use(0o17, 017, 0b11, 1_000, 0x1p4, 2i, 99999999999999999999, "\\ud800")')[0] == (
        "use(15, 15, 3, 1000, 16.0, 2i, 99999999999999999999, \\ud800)".replace("2i", "'2i'").replace(
            "\\ud800", "'\\\\ud800'"
        )
    )


def test_builtins_are_total() -> None:
    _, run = method("_ = len(msgs)\nuse(1)")
    assert called(run.body[0]).total
    assert not called(run.body[1]).total


# ---------------------------------------------------------------------------------------- assignments


def test_several_results_share_the_call() -> None:
    _, run = method("v, ok := c.peers[x]\nm, more := <-c.send\nd, is := c.any.(*Client)\n_, e := pair()")
    assert [show(s) for s in run.body] == [
        "v := c.peers[*]<x>#0",
        "ok := c.peers[*]<x>#1",
        "m := Suspend(op=receive value=c.send)#0",
        "more := Suspend(op=receive value=c.send)#1",
        "d := c.any#0",
        "is := c.any#1",
        "pair()#0",
        "e := pair()#1",
    ]
    first, second = stored(run.body[0]).value, stored(run.body[1]).value
    assert isinstance(first, t.Result)
    assert isinstance(second, t.Result)
    assert first.call is second.call
    assert ref(stored(run.body[4]).target).place.root.declared_type == "Client"


def test_assignments() -> None:
    assert lines(
        "c.a += x\nc.b++\nc.a, c.b = c.b, c.a\n_ = c.a\nc.peers[msgs[0]] = nil\ndelete(c.peers, x)\nvar q, r = 1, 2"
    ) == [
        "c.a += x",
        "c.b += 1",
        "c.a = c.b",
        "c.b = c.a",
        "c.a",
        "c.peers[*]<msgs[*]<0>> = None",
        "Delete(target=c.peers[*]<x>)",
        "q := 1",
        "r := 2",
    ]


def test_zero_values() -> None:
    body = "var i int\nvar s string\nvar b bool\nvar p *Client\nvar m map[string]int\nvar e error\nvar k Client\nvar a [3]int"
    assert lines(body) == [
        "i := 0",
        "s := ''",
        "b := False",
        "p := None",
        "m := None",
        "e := None",
        "k := Record(type_name=Client)",
        "a := Sequence()",
    ]


# ----------------------------------------------------------------------------------------- statements


def test_if_chains() -> None:
    assert lines("if v := f(); v > 1 {\n g()\n} else if w := h(); w {\n i()\n} else {\n j()\n}") == [
        "v := f()",
        "If(test=Binary(op=> left=v right=1) then=[g()] otherwise=[w := h(); If(test=w then=[i()] otherwise=[j()])])",
    ]


def test_loops() -> None:
    assert lines(
        "for {\n break\n}\nfor x > 1 {\n}\nfor i := 0; i < 9; i++ {\n continue\n}\nfor i, m := range msgs {\n use(i, m)\n}\n"
        "for _, m := range msgs {\n}\nfor range 3 {\n}\nfor m := range c.send {\n}\nouter:\nfor {\n for {\n continue outer\n }\n}"
    ) == [
        "While(body=[Break()])",
        "While(test=Binary(op=> left=x right=1))",
        "i := 0",
        "While(test=Binary(op=< left=i right=9) body=[Continue()] update=[i += 1])",
        "ForEach(targets=[i; m] iterable=msgs body=[use(i, m)])",
        "ForEach(targets=[m] iterable=msgs)",
        "ForEach(iterable=3)",
        "ForEach(targets=[m] iterable=c.send)",
        "While(body=[While(body=[Continue(label=outer)])] label=outer)",
    ]
    _, run = method("for m := range c.send {\n}\nk := make(chan int)\nfor range k {\n}\nfor range msgs {\n}")
    assert [s.suspends for s in run.body if isinstance(s, t.ForEach)] == [True, True, False]


def test_switches() -> None:
    _, run = method(
        "switch y := f(); y {\ncase 1, 2:\n fallthrough\ndefault:\n g()\n}\nswitch {\ncase x > 1:\n}"
    )
    first, second = run.body[1], run.body[2]
    assert isinstance(first, t.Switch)
    assert isinstance(second, t.Switch)
    assert show(first.subject) == "y"
    assert [show(test) for test in first.cases[0].tests] == ["1", "2"]
    assert [case.falls_through for case in first.cases] == [True, False]
    assert first.cases[1].tests == []
    assert second.subject is None
    assert not second.fragment


def test_type_switch() -> None:
    module, run = method(
        "switch m := read().(type) {\ncase *Client:\n m.run(1)\ncase nil, int:\ndefault:\n m.x()\n}"
    )
    held, switch = run.body
    assert isinstance(switch, t.Switch)
    assert show(held) == " := read()"
    assert [[show(test) for test in case.tests] for case in switch.cases] == [
        ["'Client'"],
        ["None", "'int'"],
        [],
    ]
    assert all(case.pattern for case in switch.cases)
    assert module.resolve(called(switch.cases[0].body[1])) is run


def test_select() -> None:
    _, run = method(
        "select {\ncase m, ok := <-c.send:\n use(m, ok)\ncase c.send <- nil:\ncase <-done():\n return\ndefault:\n}"
    )
    select = run.body[0]
    assert isinstance(select, t.Switch)
    assert select.kind == "select"
    assert [show(case.before) for case in select.cases] == [
        "[m := Suspend(op=receive value=c.send)#0; ok := Suspend(op=receive value=c.send)#1]",
        "[Several(operands=[c.send; None])]",
        "[Suspend(op=receive value=done())]",
        "[]",
    ]
    assert show(select.cases[0].body) == "[use(m, ok)]"


def test_a_variable_of_an_empty_case_is_its_own() -> None:
    _, run = method("select {\ncase x := <-c.send:\n y := x\n}\nswitch {\ncase true:\n x := 2\n}")
    outer = run.parameters[0]
    select, switch = run.body
    assert isinstance(select, t.Switch)
    assert isinstance(switch, t.Switch)
    assert ref(stored(select.cases[0].before[0]).target).place.root is not outer
    assert ref(stored(switch.cases[0].body[0]).target).place.root is not outer


def test_leaving() -> None:
    body = 'panic("x")\nos.Exit(1)\nlog.Fatalf("y")\nlog.Panicln(1)\nreturn\nreturn x, nil\nreturn f()\ngoto done\ndone:\n g()'
    assert lines(body) == [
        "Raise(value='x')",
        "Halt(term=os.Exit(1))",
        "Halt(term=log.Fatalf('y'))",
        "Raise(value=log.Panicln(1))",
        "Return()",
        "Return(value=Sequence(elements=[x; None]))",
        "Return(value=f())",
        "Goto(label=done)",
        "Block(body=[g()] label=done)",
    ]


def test_a_shadowed_panic_is_a_call() -> None:
    assert lines("panic := f\npanic(1)")[-1] == "f(1)"


def test_defer_and_go() -> None:
    module, run = method(
        "defer c.mu.Unlock()\ndefer func() {\n c.a = 0\n return\n}()\ndefer begin()()\ngo c.run(1)"
    )
    assert [show(s) for s in run.body] == [
        "Defer(body=[c.mu.Unlock()])",
        "Defer(body=[Region(body=[c.a = 0; Return()] function=func )])",
        " := begin()",
        "Defer(body=[()])",
        "Spawn(term=c.run(1))",
    ]
    inlined = module.functions[-1]
    assert inlined.is_inlined
    assert inlined.host is run
    assert show(inlined.body) == "[c.a = 0; Return()]"


def test_an_inlined_body_is_the_one_its_host_holds() -> None:
    module = read("package p\nfunc f() {\n func(n int) { g(n) }(1)\n}\n")
    outer, inner = module.functions
    body = inner.body
    assert isinstance(outer.body[0], t.Evaluate)
    region = outer.body[0].term
    assert isinstance(region, t.Region)
    assert region.body[1] is body[0]
    assert show(region.body) == "[n := 1; g(n)]"
    assert show(inner.parameters[0].initial) == "1"


def test_names_of_functions() -> None:
    module = read(
        "package p\nvar hook = func() {}\nfunc (h *Hub) f() {\n inner := func() { deep := func() {} }\n go func() {}()\n}\nfunc init() {}\n"
    )
    assert [f.name for f in module.functions] == [
        "hook",
        "Hub.f",
        "Hub.f.inner",
        "Hub.f.inner.deep",
        "",
        "init",
    ]
    assert [f.kind for f in module.functions] == [
        "lambda",
        "method",
        "lambda",
        "lambda",
        "lambda",
        "function",
    ]
    assert module.snippet(module.functions[1].name_extent) == "f"
    assert module.functions[3].parent is module.functions[2]
    assert module.functions[1].parent is module.top


def test_local_closures_are_functions_of_their_variables() -> None:
    module = read(
        "package p\nfunc f() {\n stop := func() {}\n stop()\n var again func()\n again = func() { again() }\n again()\n}\n"
    )
    _, stop, again = module.functions
    calls = [
        s.term for s in module.functions[0].body if isinstance(s, t.Evaluate) and isinstance(s.term, t.Call)
    ]
    assert [module.resolve(call) for call in calls] == [stop, again]


# ------------------------------------------------------------------------------------------ fragments


def test_fragment_of_statements() -> None:
    module = read(
        "if afterSeq > max {\n    c.seqMu.Lock()\n    c.lastSentSeq = 0  // BUG\n    c.seqMu.Unlock()\n}"
    )
    assert not module.has_errors
    guard = module.top.body[0]
    assert isinstance(guard, t.If)
    store = stored(guard.then[1])
    assert show(store) == "c.lastSentSeq = 0"
    assert ref(store.target).place.root is module.globals["c"]


def test_aliases_in_a_fragment() -> None:
    module = read("conn := c.conn\nconn.Close()\nfunc f() { conn.Ping() }\n")
    assert show(module.top.body[1]) == "c.conn.Close()"
    assert show(module.functions[0].body) == "[c.conn.Ping()]"


def test_arms_without_a_switch() -> None:
    text = '// why\ncase "events":\n  reset()\ncase "other":\n  return'
    module = read(text)
    switch = module.top.body[0]
    assert isinstance(switch, t.Switch)
    assert switch.fragment
    assert switch.subject is None
    call = switch.cases[0].body[0]
    assert module.host_offset(call.extent[0]) == text.index("reset")
    assert module.host_offset(0) == 0
    assert module.host_offset(len(module.text)) == len(text)
    assert not module.has_errors


def test_arms_without_a_select() -> None:
    module = read("case m := <-ch:\n  use(m)\ncase <-done:\n  return\n")
    select = module.top.body[0]
    assert isinstance(select, t.Switch)
    assert (select.kind, select.fragment) == ("select", True)


# --------------------------------------------------------------------------------------- broken texts


def test_broken_text_is_lowered_as_far_as_it_reads() -> None:
    module = read("package p\nfunc f() {\n a := g(\n c.x = 1\n}\nfunc h() { c.y = 2 }\n")
    assert module.has_errors
    assert show(function(module, "h").body) == "[c.y = 2]"


def everything(text: bytes) -> None:
    module = parse(text, "x.go", "go")
    for each in module.all_functions:
        assert isinstance(each.body, list)
        for parameter in each.parameters:
            assert parameter.name is not None
    for binding in module.globals.values():
        assert binding.origin


@pytest.mark.parametrize(
    "nested",
    [
        "[" * 10_000,
        "package p\nfunc f() { x = " + "(" * 10_000 + "1" + ")" * 10_000 + " }\n",
        "package p\nfunc f() " + "{" * 10_000 + "}" * 10_000 + "\n",
        "package p\nfunc f() {" + "func() {" * 3_000 + "}()" * 3_000 + "}\n",
        "package p\nfunc f() { x = a" + ".b()" * 10_000 + " }\n",
        "package p\nfunc f() { x = a" + " + b" * 10_000 + " }\n",
        "package p\nfunc f() { if a {}" + " else if b {}" * 10_000 + " }\n",
        "package p\nfunc f() { var x " + "*" * 10_000 + "T }\n",
        "package p\ntype A B\ntype B A\ntype C = C\ntype D struct { *D; E }\ntype E struct { D }\nfunc f(a A, c C, d D) { var x A; d.y() }\n",
        "x" * 5_000_000,
    ],
)
def test_depth_and_length_are_bounded(nested: str) -> None:
    everything(nested.encode())


_PIECES = st.sampled_from(
    [
        "func",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ":=",
        "=",
        "==",
        "<-",
        ",",
        ";",
        ":",
        ".",
        "*",
        "&",
        "!",
        "+",
        "++",
        "c.x",
        "conn",
        "\n",
        "if",
        "for",
        "range",
        "switch",
        "select",
        "case",
        "default",
        "defer",
        "go",
        "return",
        "chan",
        "map[",
        "string",
        "struct",
        "type",
        "var",
        "const",
        "iota",
        "x.(type)",
        "x.(T)",
        ":=",
        '"s"',
        "'",
        "`",
        "//",
        "/*",
        "break",
        "L:",
        "goto",
        "L",
        "fallthrough",
        "package",
        "p\n",
        "func(){",
        "}()",
        "c",
        "*Client",
        "interface",
        "0x",
        "é",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=40))
def test_no_sequence_of_tokens_breaks_it(pieces: list[str]) -> None:
    everything(" ".join(pieces).encode())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_it(text: bytes) -> None:
    everything(text)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 3000),
    st.integers(0, 60),
    st.sampled_from([b"", b"{", b"}", b"(", b"case x:", b"func", b"\xff", b":="]),
)
def test_no_cut_of_a_file_breaks_it(at: int, length: int, patch: bytes) -> None:
    body = b"""
func (c *Client) run(x int) (n int, err error) {
	k := c.conn
	for m := range c.send { select { case v, ok := <-c.send: use(v, ok, k); default: return } }
	switch y := c.any.(type) { case *Client: y.run(1) }
	defer func() { c.a++ }()
	go func(k int) { c.peers[m] = &Client{a: k} }(x)
	L: for i := 0; i < 3; i++ { if z := f(i); z { continue L } else if !z { goto L } }
	return
}
"""
    text = HEADER.encode() + body
    at %= len(text)
    everything(text[:at] + patch + text[at + length :])
