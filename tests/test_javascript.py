"""The JavaScript and TypeScript front end: what source text becomes in the model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from javascript_text import statements, term

from wsantipattern.languages.javascript import parse
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.term import Call, Closure, ForEach, Ref, Region, Store, Suspend, Switch, Term


def module(source: str, language: str = "javascript") -> Module:
    return parse(source.encode(), "sample", language)


def lowered(source: str, language: str = "javascript") -> str:
    """The top level as text."""
    return statements(module(source, language).top.body)


def function(found: Module, name: str) -> Function:
    return next(f for f in found.functions if f.name == name)


def body(source: str, name: str, language: str = "javascript") -> str:
    return statements(function(module(source, language), name).body)


def terms(found: Function) -> list[Term]:
    """Every term of the plain statements of a function."""
    collected: list[Term] = []
    for statement in found.body:
        value = getattr(statement, "term", None) or getattr(statement, "value", None)
        if isinstance(value, Term):
            collected.extend(value.walk())
    return collected


def binding(found: Module, name: str) -> Binding:
    """The binding of a name mentioned at the top level."""
    for one in terms(found.top):
        refs = [one.target] if isinstance(one, Store) else [one]
        for ref in refs:
            if isinstance(ref, Ref) and ref.place.root.name == name:
                return ref.place.root
    raise AssertionError(name)


def render(found: Term | None) -> str:
    assert found is not None
    return term(found)


# -- expressions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b.c", "a.b.c"),
        ('a["x"].y', "a.x.y"),
        ("a[k].b", "a[k].b"),
        ("a[0]", "a[0]"),
        ("f().x", "(f()).x"),
        ("a?.b", "a.b if a"),
        ("a?.b?.c", "a.b.c if a.b if a"),
        ("a?.b.c()", "a.b.c() if a"),
        ("f?.(1)", "f(1) if f"),
        ("a?.b?.(1)", "a.b(1) if a.b if a"),
        ("a?.[k]", "a[k] if a"),
        ("a === b", "(a == b)"),
        ("a !== null", "(a != null)"),
        ("!!a", "!!a"),
        ("Boolean(a)", "!!a"),
        ("a && b || (c ?? d)", "((a && b) || (c ?? d))"),
        ("a ? b : c", "(a ? b : c)"),
        ("a ||= b", "a or= b"),
        ("a &&= b", "a and= b"),
        ("a ??= b", "a ??= b"),
        ("a += 1", "a += 1"),
        ("a--", "a -= 1"),
        ("-1", "-1"),
        ("0xFF", "255"),
        ("10n", "10"),
        ("1e3", "1000.0"),
        ("void 0", "null"),
        ("undefined", "null"),
        ("'a\\n\\u0041'", "'a\\nA'"),
        ("`a`", "'a'"),
        ("`a${b}`", "`'a' b`"),
        ("tag`a${b}`", "tag(`'a' b`)"),
        ("delete a[k]", "delete a[k]"),
        ("'x' in a", "('x' in a)"),
        ("a instanceof B", "(a instanceof B)"),
        ("typeof a", "(typeof a)"),
        ("new Foo", "new Foo()"),
        ("new a.B(1, ...c)", "new a.B(1, ...c)"),
        ("({a, b: 1, [c]: 2, ...d})", "{a: a, b: 1, *: (c, 2), *: ...d}"),
        ("[1, ...a]", "[1, ...a]"),
        ("/x/g", "'/x/g'"),
        ("window.setTimeout(f)", "setTimeout!(f)"),
        ("globalThis.WebSocket.OPEN", "WebSocket.OPEN"),
        ("console.log(a)", "console.log!(a)"),
        ("Math.max(a, b)", "Math.max!(a, b)"),
        ("new Map()", "new Map!()"),
        ("JSON.parse(a)", "JSON.parse(a)"),
        ("await f()", "await f()"),
        ("a, b", "a; b"),
    ],
)
def test_expressions(source: str, expected: str) -> None:
    assert lowered(f"({source})" if source.startswith("{") else source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a as B", "a"),
        ("await f<T>(x)", "await f(x)"),
        ("(a as any).b", "a.b"),
        ("a!.b!", "a.b"),
        ("<B>a", "a"),
        ("a satisfies B", "a"),
        ("let x: number = a", "x := a"),
        ("f<B>(a)", "f(a)"),
        ("interface A { b(): void }", ""),
        ("type A = B", ""),
        ("declare const x: A", ""),
        ("namespace N { f() }", "{ f() }"),
    ],
)
def test_typescript_leaves_no_trace(source: str, expected: str) -> None:
    assert lowered(source, "typescript") == expected


def test_an_enumeration_is_an_object_of_its_members() -> None:
    assert lowered("enum E { A, B = 3, C, D = f(), 'e f' }", "typescript").startswith(
        "E := {A: 0, B: 3, C: 4, D: f(), e f: "
    )


def test_markup_runs_its_attributes_and_children_in_order() -> None:
    source = "x = <A b={f()} c='1' {...d}>text {g()} <B>{h()}</B></A>"
    assert lowered(source) == "x = (f(), ...d, g(), h())"
    assert lowered(source, "tsx") == lowered(source)


def test_deep_sums_and_conditions_keep_every_operand() -> None:
    names = [f"n{i}" for i in range(300)]
    for operator in ("+", "||", "&&"):
        found = module(f"x = {operator.join(names)}").top
        read = [t.place.root.name for t in terms(found) if isinstance(t, Ref)]
        assert read[-300:] == names


# -- statements ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("let x", "x := null"),
        ("var x", ""),
        ("if (a) b(); else if (c) { d() } else e()", "if a { b() } else { if c { d() } else { e() } }"),
        ("for (let i = 0; i < 3; i++) f()", "i := 0; while (i < 3) { f() } update { i += 1 }"),
        ("for (;;) { break }", "while ever { break }"),
        ("while (true) {}", "while ever {}"),
        ("do { f() } while (a)", "do a { f() }"),
        ("for (const [k, v] of m) f(k)", "for k, v of m { f(k) }"),
        ("for (x in m) {}", "for x of m {}"),
        ("for await (const x of m) f(x)", "for await x of m { f(x) }"),
        ("l: for (;;) { continue l }", "l: while ever { continue l }"),
        ("l: { break l }", "l: { break l }"),
        ("throw e", "throw e"),
        ("process.exit(1)", "halt process.exit(1)"),
        ("try { f() } catch (e) { g(e) } finally { h() }", "try { f() } catch e { g(e) } finally { h() }"),
        ("try { f() } catch { g() }", "try { f() } catch { g() }"),
        ("try { f() } catch ({ message }) {}", "try { f() } catch _ { message := _.message }"),
        (
            "switch (a) { case 1: case 2: f(); break; case 3: g(); default: h() }",
            "switch a [case 1 falls {} case 2 { f(); break } case 3 falls { g() } default { h() }]",
        ),
        ("export const a = 1", "a := 1"),
        ("export default f()", "f()"),
        ("export * from 'a'", ""),
        ("function f() {}", ""),
        ("class A extends B { static c = f(); static { g() } }", "B; A.c = f(); { g() }"),
        ("return 1", "return 1"),
    ],
)
def test_statements(source: str, expected: str) -> None:
    assert lowered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const { a, b: c } = d", "a := d.a; c := d.b"),
        ("const { a = 1 } = d", "a := (d.a ?? 1)"),
        ("const { a: { b } } = d", "b := d.a.b"),
        ("const { a, ...r } = d", "a := d.a; r := {*: ...d}"),
        ("const { a } = f()", "a := (f()).a"),
        ("const { a, b } = f()", "_ := f(); a := _.a; b := _.b"),
        ("const { [k]: a } = d", "a := d[k]"),
        ("const [a, b] = f()", "a := f()#0; b := f()#1"),
        ("const [, b] = f()", "_ := f()#0; b := f()#1"),
        ("const [a, b] = await f()", "a := await f()#0; b := await f()#1"),
        ("const [a, ...r] = d", "a := d[0]; r := [...d]"),
        ("[a, b] = [b, a]", "a = b; b = a"),
        ("({ a: x.y } = d)", "x.y = d.a"),
    ],
)
def test_patterns(source: str, expected: str) -> None:
    assert lowered(source) == expected


def test_results_of_one_call_share_it() -> None:
    stores = [t for t in terms(module("const [a, b] = f()").top) if isinstance(t, Store)]
    assert len({id(getattr(store.value, "call", None)) for store in stores}) == 1


def test_parameters_begin_the_body() -> None:
    source = "function f(a, { b, c = 1 }, [d], ...e) { g() }"
    assert body(source, "f") == "b := _.b; c := (_.c ?? 1); d := _[0]; g()"
    found = function(module(source), "f")
    assert [parameter.name for parameter in found.parameters] == ["a", "", "", "e"]
    assert body("function f(a = g()) {}", "f") == "a ??= g()"


# -- names ---------------------------------------------------------------------------------------------


def test_scopes_are_told_apart() -> None:
    found = module("let x = 1; { let x = 2; f(x) } g(x); function h(x) { return x }")
    refs = [c.arguments[0] for s in found.top.body for c in _calls(s)]
    assert isinstance(refs[0], Ref)
    assert isinstance(refs[1], Ref)
    assert refs[0].place != refs[1].place
    assert function(found, "h").parameters[0].kind == "parameter"


def _calls(statement: object) -> list[Call]:
    found: list[Call] = []
    value = getattr(statement, "term", None)
    if isinstance(value, Term):
        found.extend(t for t in value.walk() if isinstance(t, Call))
    for inner in getattr(statement, "body", ()):
        found.extend(_calls(inner))
    return found


def test_var_is_hoisted_and_shared_by_closures() -> None:
    found = module("function f() { if (a) { var t = 1 } return () => { t = 2 } }")
    outer, inner = found.functions
    roots = {
        str(t.target): t.target.place.root
        for t in terms(inner)
        if isinstance(t, Store) and isinstance(t.target, Ref)
    }
    assert [root.scope for root in roots.values()] == [outer]
    assert not next(iter(roots.values())).constant


@pytest.mark.parametrize(
    ("source", "constant"),
    [
        ("const x = f()", True),
        ("let x = f()", True),
        ("let x; x = f()", True),
        ("let x = 1; x = f()", False),
        ("let x = 1; x++", False),
        ("let x; [x] = f()", True),
        ("let x = 1; for (x of y) {}", False),
        ("let x = 1; { let x; x = 2 }", True),
        ("let x = 1; x ||= 2", False),
    ],
)
def test_constant(source: str, constant: bool) -> None:
    assert binding(module(source), "x").constant is constant


def test_initial_is_the_term_of_the_body() -> None:
    for source in ("const x = f()", "let x; x = f()", "const { x } = y", "const [x] = f()"):
        found = module(source)
        root = binding(found, "x")
        store = [t for t in terms(found.top) if isinstance(t, Store)][-1]
        assert root.initial is store.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import WS from 'ws'; new WS()", "ws"),
        ("import * as WS from 'ws'; new WS.Server()", "ws.Server"),
        ("import { Server as S } from 'ws'; new S()", "ws.Server"),
        ("const WS = require('ws'); new WS()", "ws"),
        ("const { Server } = require('ws'); new Server()", "ws.Server"),
        ("const S = require('ws').Server; new S()", "ws.Server"),
        ("const WS = require('ws'); const { Server: S } = WS; new S()", "ws.Server"),
        ("const { Server } = await import('ws'); new Server()", "ws.Server"),
        ("new (require('ws').Server)()", "ws.Server"),
        ("const W = window.WebSocket; new W()", "WebSocket"),
        ("const self = 1; new self.X()", None),
        ("new WebSocket()", "WebSocket"),
        ("class WebSocket {}; new WebSocket()", None),
    ],
)
def test_canonical_names(source: str, expected: str | None) -> None:
    found = module(source)
    calls = [t for t in terms(found.top) if isinstance(t, Call) and t.constructs]
    assert found.canonical(calls[-1].callee) == expected


def test_imports_are_listed() -> None:
    source = (
        "import a from 'a'; import 'b'; const c = require('c'); f(() => import('d')); import e = require('e')"
    )
    assert module(source, "typescript").imports == {"a", "b", "c", "d", "e"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const self = this; self.x()", "self := this; this.x()"),
        ("const { ws } = this; ws.send(1)", "ws := this.ws; this.ws.send(1)"),
        ("const ws = this.ws; f(() => ws)", "ws := this.ws; f(<lambda>)"),
        ("const { a: { b } } = c; b()", "b := c.a.b; c.a.b()"),
        ("const a = b.c; const d = a.e; d()", "a := b.c; d := b.c.e; b.c.e()"),
        ("let a = b.c; a()", "a := b.c; b.c()"),
        ("const a = b[k]; a()", "a := b[k]; a()"),
        ("const a = b(); a()", "a := b(); a()"),
        ("const { a = 1 } = b; a()", "a := (b.a ?? 1); a()"),
        ("let a = b.c; a = 1; a()", "a := b.c; a = 1; a()"),
        ("const a = b.c; b.c = 1; f(a)", "a := b.c; b.c = 1; f(a)"),
        ("b.c = 1; const a = b.c; f(a)", "b.c = 1; a := b.c; f(b.c)"),
        ("const a = b.c; if (b.c !== a) f()", "a := b.c; if (b.c != a) { f() }"),
        ("let b = 1; const a = b; b = 2; f(a)", "b := 1; a := b; b = 2; f(a)"),
    ],
)
def test_aliases(source: str, expected: str) -> None:
    assert lowered(source) == expected


def test_aliases_reach_into_closures() -> None:
    source = "class A { m() { const self = this; const { ws } = this; f(function () { self.go(ws) }) } }"
    found = module(source)
    assert statements(found.functions[-1].body) == "this.go(this.ws)"
    call = next(t for t in terms(found.functions[-1]) if isinstance(t, Call))
    assert found.resolve(call) is None
    assert call.receiver_place == Place(found.classes[0].this)


def test_functions_are_known_by_their_names() -> None:
    source = """
        function a() { const b = () => {}; b(); c(); function c() {} }
        const d = useCallback(() => {}, []);
        const e = setTimeout(() => {}, 1);
        ws.onmessage = () => {};
        const h = { open() {}, close: () => {} };
    """
    found = module(source)
    assert [f.name for f in found.functions] == [
        "a",
        "a.b",
        "a.c",
        "d",
        "",
        "ws.onmessage",
        "h.open",
        "h.close",
    ]
    calls = [t for t in terms(found.functions[0]) if isinstance(t, Call)]
    assert [found.resolve(call) for call in calls] == found.functions[1:3]
    named = found.functions[1].binding
    assert named is not None
    assert named.function is found.functions[1]


def test_a_reassigned_name_stands_for_no_function() -> None:
    found = module("let f = () => {}; f = g; f()")
    assert binding(found, "f").function is None


# -- classes -------------------------------------------------------------------------------------------

CLIENT = """
class Client extends Base {
  private ws: WebSocket | null = null;
  #seen = new Map<string, number>();
  names: string[] = [];
  static count = 0;
  onOpen = () => { this.ws.send("x"); };
  constructor(private url: string, opts = {}) { super(); this.timer = new Timer(); }
  get open() { return this.ws.readyState === WebSocket.OPEN }
  set open(value) {}
  async *stream() { yield this.url }
  static make() { return new Client("x") }
  #hidden() { const self = this; setTimeout(function () { self.url }, 1) }
}
"""


def test_class_members() -> None:
    found = module(CLIENT, "typescript")
    (owner,) = found.classes
    assert owner.bases == ["Base"]
    assert list(owner.methods) == ["constructor", "onOpen", "stream", "make", "#hidden"]
    assert list(owner.getters) == ["open"]
    assert owner.field_types == {"ws": "WebSocket", "#seen": "Map", "url": "string", "timer": "Timer"}
    kinds = [(f.name, f.kind, f.is_async, f.is_generator) for f in found.functions]
    assert kinds == [
        ("Client.onOpen", "method", False, False),
        ("Client.constructor", "constructor", False, False),
        ("Client.open", "getter", False, False),
        ("Client.open", "setter", False, False),
        ("Client.stream", "method", True, True),
        ("Client.make", "method", False, False),
        ("Client.#hidden", "method", False, False),
        ("", "lambda", False, False),
    ]


def test_fields_are_set_at_the_start_of_the_constructor() -> None:
    assert body(CLIENT, "Client.constructor", "typescript") == (
        "opts ??= {}; this.url = url; this.ws = null; this.#seen = new Map!(); this.names = []; "
        "this.onOpen = <Client.onOpen>; super(); this.timer = new Timer()"
    )
    assert lowered(CLIENT, "typescript") == "Base; Client.count = 0"


def test_a_class_without_constructor_gets_one_for_its_fields() -> None:
    found = module("class A { seq = 0; go() { return this.seq } }")
    made = found.classes[0].methods["constructor"]
    assert made.kind == "constructor"
    assert statements(made.body) == "this.seq = 0"
    offset = found.text.index(b"seq = 0")
    assert found.function_at(offset) is made
    assert found.function_at(found.text.index(b"return")).name == "A.go"
    assert "A.constructor" in {f.name for f in found.functions_mentioning("seq")}


def test_this_is_shared_by_the_methods_and_their_closures() -> None:
    found = module(CLIENT, "typescript")
    this = found.classes[0].this
    for name in ("Client.onOpen", "Client.open", "Client.stream"):
        one = function(found, name)
        assert one.this is this
    roots = {t.place.root for t in terms(found.functions[-1]) if isinstance(t, Ref)}
    assert roots == {this}
    assert found.type_of(Place(this, ("ws",))) == "WebSocket"


def test_a_plain_function_has_a_this_of_its_own() -> None:
    found = module("class A { m() { f(function () { this.x }); g(() => this.x) } }")
    method, plain, arrow = found.functions
    roots = [next(t.place.root for t in terms(f) if isinstance(t, Ref)) for f in (plain, arrow)]
    assert roots[0] is not found.classes[0].this
    assert roots[1] is method.this is found.classes[0].this


def test_prototypes_make_a_class_of_a_function() -> None:
    source = """
        function Old(url) { this.ws = new WebSocket(url); const self = this; go(function () { self.send() }) }
        Old.prototype.send = function () { this.ws.send("x") };
        function Other() {}
        Other.prototype = { close: function () { this.done = true }, open() {} };
        const old = new Old("x"); old.send();
    """
    found = module(source)
    assert [(c.name, list(c.methods)) for c in found.classes] == [
        ("Old", ["constructor", "send"]),
        ("Other", ["constructor", "close", "open"]),
    ]
    assert found.classes[0].field_types == {"ws": "WebSocket"}
    send = function(found, "Old.send")
    assert send.this is function(found, "Old").this is found.classes[0].this
    call = [t for t in terms(found.top) if isinstance(t, Call)][-1]
    assert found.resolve(call) is send


def test_a_prototype_of_a_function_expression_makes_a_class() -> None:
    source = """
        const vane = function vane(url) { this.url = url };
        vane.prototype.turn = function turn() { this.take(1) };
        vane.prototype.take = function (m) {};
    """
    found = module(source)
    assert [(c.name, list(c.methods)) for c in found.classes] == [("vane", ["constructor", "turn", "take"])]
    call = next(t for t in terms(function(found, "vane.turn")) if isinstance(t, Call))
    assert found.resolve(call) is function(found, "vane.take")


def test_an_object_with_methods_is_a_class() -> None:
    source = "const client = { ws: new WebSocket(u), send(x) { this.ws.send(x) }, stop: function () { this.send(1) } }; client.send(2)"
    found = module(source)
    (owner,) = found.classes
    assert owner.name == "client"
    assert owner.field_types == {"ws": "WebSocket"}
    assert function(found, "client.stop").this is owner.this
    outside = next(t for t in terms(found.top) if isinstance(t, Call) and t.method == "send")
    inside = next(t for t in terms(function(found, "client.stop")) if isinstance(t, Call))
    assert found.resolve(outside) is found.resolve(inside) is function(found, "client.send")


def test_component_options_share_one_this() -> None:
    source = "export default { mounted() { this.t = 1 }, methods: { stop() { this.t = 2 }, go: function () { this.stop() } } }"
    found = module(source)
    (owner,) = found.classes
    assert list(owner.methods) == ["mounted", "stop", "go"]
    assert {f.this for f in found.functions} == {owner.this}


def test_instances_resolve_to_methods() -> None:
    found = module("class A { m() {} } const a = new A(); a.m(); function f(b) { b.m() }")
    assert found.resolve([t for t in terms(found.top) if isinstance(t, Call)][-1]) is function(found, "A.m")
    typed = module("class A { m() {} } function f(b: A | undefined) { b.m() }", "typescript")
    call = next(t for t in terms(function(typed, "f")) if isinstance(t, Call))
    assert typed.resolve(call) is function(typed, "A.m")


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("WebSocket", "WebSocket"),
        ("WebSocket | null", "WebSocket"),
        ("null | undefined | WebSocket", "WebSocket"),
        ("A | B", None),
        ("WebSocket[]", None),
        ("Map<string, A>", "Map"),
        ("Socket", "socket.io-client.Socket"),
        ("WS.Server", "ws.Server"),
        ("NodeJS.Timeout", "NodeJS.Timeout"),
        ("Readonly<A>", "Readonly"),
        ("string", "string"),
    ],
)
def test_declared_types(annotation: str, expected: str | None) -> None:
    source = f"import WS from 'ws'; import {{ Socket }} from 'socket.io-client'; let x: {annotation} = f()"
    assert binding(module(source, "typescript"), "x").declared_type == expected


def test_interfaces_give_fields_their_types() -> None:
    source = """
        interface Props { socket: WebSocket | null; id: string; on(): void }
        function Feed({ socket }: Props, props: Props) { socket.send(1); props.socket.send(2) }
    """
    found = module(source, "typescript")
    calls = [t for t in terms(function(found, "Feed")) if isinstance(t, Call)]
    assert [found.type_of(c.receiver_place) for c in calls if c.receiver_place] == ["WebSocket", "WebSocket"]


def test_a_box_knows_what_it_holds() -> None:
    source = "const wire = useRef<WebSocket | null>(null); const seen = useRef(new Map()); f(wire, seen); seen.current.set(1)"
    found = module(source, "typescript")
    assert found.type_of(Place(binding(found, "wire"), ("current",))) == "WebSocket"
    assert found.type_of(Place(binding(found, "seen"), ("current",))) == "Map"
    assert lowered(source, "typescript").endswith("seen.current.set!(1)")


def test_containers_of_the_file_do_not_raise() -> None:
    assert lowered("const a = []; a.push(1); b.push(1)") == "a := []; a.push!(1); b.push(1)"
    assert body("class A { m = new Set(); f() { this.m.add(1) } }", "A.f") == "this.m.add!(1)"


# -- what runs in place --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("await p.then(r => f(r))", "do { r := await p; return await f(r) }"),
        ("await p.then(() => { f() })", "do { await p; f() }"),
        (
            "await p.then(a => { f(a) }, b => { g(b) })",
            "do { try { a := await p } catch b { g(b) } else { f(a) } }",
        ),
        ("await p.catch(e => { g(e) })", "do { try { return await p } catch e { g(e) } }"),
        ("await p.finally(() => { h() })", "do { try { return await p } finally { h() } }"),
        ("await p.finally(() => h())", "do { try { return await p } finally { h() } }"),
        (
            "await p.finally(() => { if (a) return; h() })",
            "do { try { return await p } finally { do { if a { return }; h() } } }",
        ),
        ("await p.then(f)", "do { _ := await p; return f(_) }"),
        ("await p.catch(g)", "do { try { return await p } catch _ { return g(_) } }"),
        ("await p.finally(h)", "do { try { return await p } finally { h() } }"),
        ("await p.then(null, g)", "do { try { return await p } catch _ { return g(_) } }"),
        ("return p.catch(() => 1)", "return do { try { return await p } catch { return 1 } }"),
        ("p.then(f)", "spawn { do { _ := await p; return f(_) } }"),
        ("void p.catch(() => {})", "spawn { do { try { return await p } catch {} } }"),
        (
            "p.then(a => { f(a) }).catch(e => { g(e) }).finally(() => { h() })",
            "spawn { do { try { return do { try { return do { a := await p; f(a) } } catch e { g(e) } } } finally { h() } } }",
        ),
        (
            "const q = p.then(a => a.b)",
            "q := do { try { return do { a := await p; return a.b } } catch {} }",
        ),
        ("const q = p.then(f)", "q := p.then(f)"),
        ("await p.then(async a => { await f(a) })", "do { a := await p; await f(a) }"),
        ("await (async () => { await f() })()", "do { await f() }"),
        ("const x = (await (await f()).json()).id", "x := (await (await f()).json()).id"),
        ("(async () => { await f() })()", "spawn { do { await f() } }"),
        ("(() => { f() })()", "do { f() }"),
        ("(function (a) { f(a) })(1)", "do { a := 1; f(a) }"),
        ("const x = (() => g())()", "x := do { return g() }"),
        (
            "await new Promise((resolve, reject) => { f(resolve); g(reject) })",
            "await new Promise!(do settles resolve, reject { f(resolve); g(reject) })",
        ),
        (
            "await new Promise(r => setTimeout(r, 5))",
            "await new Promise!(do settles r { setTimeout!(r, 5) })",
        ),
        ("xs.forEach(x => { if (x) return; f(x) })", "for x of xs { if x { continue }; f(x) }"),
        ("xs.forEach((x, i) => f(x))", "for x, i of xs { f(x) }"),
        ("xs?.forEach(x => f(x))", "if xs { for x of xs { f(x) } }"),
        ("Object.keys(a).forEach(({ id }) => f(id))", "for _ of Object.keys(a) { id := _.id; f(id) }"),
        ("xs.forEach(async x => { await f(x) })", "xs.forEach(<lambda>)"),
        ("xs.map(x => f(x))", "xs.map(<lambda>)"),
        ("xs.forEach(f)", "xs.forEach(f)"),
    ],
)
def test_in_place(source: str, expected: str) -> None:
    found = module(source)
    assert statements(found.top.body) == expected
    for closure in found.functions:
        assert closure.is_inlined is ("<lambda>" not in expected)
        assert closure.host is (found.top if closure.is_inlined else closure)


def test_an_arrow_that_only_iterates_is_a_loop() -> None:
    found = module("const stop = () => timers.forEach(t => clearTimeout(t))")
    assert isinstance(function(found, "stop").body[0], ForEach)


def test_the_wait_of_a_chain_is_where_the_promise_is() -> None:
    found = module("await send(1).then(() => { f() })")
    region = terms(found.top)[0]
    assert isinstance(region, Region)
    first = getattr(region.body[0], "term", None)
    assert isinstance(first, Suspend)
    assert found.snippet(first.extent) == "send(1)"


def test_an_executor_is_the_only_argument_of_its_promise() -> None:
    found = module("new Promise((ok, no) => { go(ok) })")
    call = terms(found.top)[0]
    assert isinstance(call, Call)
    (region,) = call.arguments
    assert isinstance(region, Region)
    assert region.function is found.functions[0]
    assert region.settles == tuple(Place(parameter) for parameter in found.functions[0].parameters)


def test_a_generator_or_async_executor_is_not_inlined() -> None:
    found = module("new Promise(async (ok) => { await f(); ok() })")
    assert not found.functions[0].is_inlined
    assert isinstance(terms(found.top)[-1], Closure)


# -- fragments and broken text -------------------------------------------------------------------------


def test_a_case_without_its_switch() -> None:
    source = '// what arrives\ncase "loaded": {\n  const n = f();\n  g(n);\n}\ndefault:\n  h();\n'
    found = module(source)
    (switch,) = found.top.body
    assert isinstance(switch, Switch)
    assert switch.fragment
    assert switch.subject is None
    assert (
        statements(found.top.body)
        == "switch fragment [case 'loaded' falls { { n := f(); g(n) } } default { h() }]"
    )
    call = next(c for c in _calls(switch.cases[1]))
    assert source.encode()[found.host_offset(call.extent[0]) :].startswith(b"h();")


def test_a_fragment_may_return_and_await() -> None:
    found = module("const a = await f();\nif (a) { return a }")
    assert not found.has_errors
    assert statements(found.top.body) == "a := await f(); if a { return a }"


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("f(; g(a); h()", "g(a)"),
        ("if (a) { ws.send(x)", "ws.send(x)"),
        ("...\nws.send(x)\n...", "ws.send(x)"),
        ("const x = {a: 1, +}; ws.send(x)", "ws.send(x)"),
    ],
)
def test_broken_text_is_lowered_as_far_as_it_goes(source: str, inside: str) -> None:
    found = module(source)
    assert found.has_errors
    assert inside in statements(found.top.body)


def lower_everything(found: Module) -> None:
    for one in found.all_functions:
        assert isinstance(one.body, list)
        assert one.name is not None
        for parameter in one.parameters:
            assert parameter.initial is None or isinstance(parameter.initial, Term)
            assert parameter.constant in (True, False)
        assert one.binding is None or one.binding.function is one
        assert one.decorators is not None


@pytest.mark.parametrize("language", ["javascript", "typescript", "tsx"])
@pytest.mark.parametrize(
    "source",
    [
        b"(" * 10_000,
        b"(" * 10_000 + b")" * 10_000,
        b"x=" + b"[" * 10_000 + b"]" * 10_000,
        b"{" * 10_000,
        b"x=" + b"{a:" * 10_000,
        b"f(" * 10_000,
        b"a" + b".b" * 10_000,
        b"a" + b"?.b" * 10_000,
        b"a" + b"+b" * 10_000,
        b"p" + b".then(x=>x)" * 2_000,
        b"a?b:" * 10_000 + b"c",
        b"if(a){}else " * 3_000 + b"{}",
        b"()=>" * 3_000 + b"x",
        b"(()=>{" * 1_000 + b"x" + b"})()" * 1_000,
        b"const " + b"{a:" * 2_000 + b"b" + b"}" * 2_000 + b"=c",
        b"const a0=this;" + b"".join(b"const a%d=a%d.x;" % (i + 1, i) for i in range(1_000)) + b"f(a1000)",
        b"const a=b,b=a;f(a)",
        b"\xff\xfe\x00var \xf0 = 1",
    ],
    ids=lambda source: source[:12].decode("latin-1"),
)
def test_nothing_nests_too_deep(source: bytes, language: str) -> None:
    lower_everything(parse(source, "sample", language))


_WORDS = [
    "a",
    "b",
    "this",
    "super",
    "x.y",
    "x?.y",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "=>",
    ",",
    ";",
    ":",
    ".",
    "...",
    "=",
    "==",
    "+",
    "++",
    "&&",
    "||",
    "??",
    "!",
    "?",
    "async",
    "await",
    "function",
    "class",
    "extends",
    "static",
    "get",
    "set",
    "constructor",
    "#p",
    "return",
    "throw",
    "if",
    "else",
    "for",
    "of",
    "in",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "break",
    "continue",
    "try",
    "catch",
    "finally",
    "const",
    "let",
    "var",
    "new",
    "delete",
    "typeof",
    "void",
    "yield",
    "import",
    "export",
    "from",
    "require('ws')",
    "'ws'",
    "`t${",
    "}",
    "`",
    "1",
    "Promise",
    "resolve",
    ".then(",
    ".catch(",
    ".finally(",
    ".forEach(",
    "prototype",
    "interface",
    "enum",
    "namespace",
    "as",
    "satisfies",
    "<",
    ">",
    "</a>",
    "<a",
    "/>",
    ":",
    "A",
    "|",
    "null",
    "private",
    "readonly",
    "@dec",
    "\n",
    "/*",
    "*/",
    "//",
    "undefined",
]


@settings(max_examples=250, deadline=None)
@given(
    st.lists(st.sampled_from(_WORDS), max_size=40).map(" ".join) | st.text(max_size=60),
    st.sampled_from(["javascript", "typescript", "tsx"]),
)
def test_any_text_is_lowered(source: str, language: str) -> None:
    lower_everything(parse(source.encode("utf-8", "surrogatepass"), "sample", language))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(CLIENT)), st.integers(0, len(CLIENT)))
def test_any_part_of_a_program_is_lowered(start: int, end: int) -> None:
    lower_everything(module(CLIENT[start:end], "typescript"))
