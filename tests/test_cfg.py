"""The questions that rules ask of a graph: paths, facts, dominance, summaries. Sources are small on purpose."""

from __future__ import annotations

from wsantipattern.languages import parse
from wsantipattern.model import flow
from wsantipattern.model.cfg import STRAIGHT, Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.printer import show
from wsantipattern.model.summary import Effect, callers
from wsantipattern.model.term import Call, Ref


def module(text: str, language: str = "javascript") -> Module:
    return parse(text.encode(), "case", language)


def function(text: str, name: str = "f", language: str = "javascript") -> Function:
    return next(f for f in module(text, language).functions if f.name == name)


def calling(of: Function, name: str) -> Step:
    return next(step for step, call in of.cfg.calls if call.method == name)


def told(of: Function, name: str) -> set[tuple[str, bool]]:
    """The facts at the call of `name`, printed."""
    return {(show(fact.term), fact.holds) for fact in flow.facts_at(of, calling(of, name))}


# -- facts -------------------------------------------------------------------------------------------


def test_early_return_leaves_the_negation() -> None:
    assert told(function("function f(a) { if (!a) return; go(); }"), "go") == {("a", True)}


def test_disjunction_tells_nothing_of_its_parts() -> None:
    assert told(function("function f(a, b) { if (a || b) go(); }"), "go") == set()


def test_negated_disjunction_tells_both() -> None:
    assert told(function("function f(a, b) { if (a || b) return; go(); }"), "go") == {
        ("a", False),
        ("b", False),
    }


def test_a_constant_variable_implies_its_value() -> None:
    facts = told(function("function f(a, b) { const ok = a > b && b; if (ok) go(); }"), "go")
    assert {("a > b", True), ("b", True)} <= facts


def test_a_variable_given_straight_before_its_test_implies_that_value() -> None:
    text = "function f(a, b) { let ok = a; ok = b > 1; if (ok) go(); }"
    assert ("b > 1", True) in told(function(text), "go")
    assert told(function("function f(a, b) { let ok = b > 1; if (a) ok = a; if (ok) go(); }"), "go") == {
        ("ok", True)
    }


def test_deferred_calls_are_no_further_way_out_of_a_predicate() -> None:
    text = """package p
func (c *C) gone() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.closed }
func f(c *C) { if c.gone() { return }; go1() }
type C struct { closed bool }
"""
    assert ("c.closed", False) in told(function(text, language="go"), "go1")


def test_a_predicate_speaks_in_the_callers_terms() -> None:
    text = "const newer = (x, y) => x > y; function f(m, last) { if (!newer(m.seq, last)) return; go(); }"
    assert ("m.seq > last", True) in told(function(text), "go")


def test_a_predicate_with_several_returns_implies_what_they_share() -> None:
    text = """
    function fresh(x) { if (!x) return false; if (x.a > 1) return x.b; return x.b; }
    function f(m) { if (fresh(m)) go(); }"""
    facts = told(function(text), "go")
    assert ("m", True) in facts
    assert ("m.b", True) in facts
    assert ("m.a > 1", True) not in facts


def test_a_getter_is_followed() -> None:
    text = "class C { get open() { return this.ws.readyState === 1; } f() { if (this.open) go(); } }"
    assert ("this.ws.readyState == 1", True) in told(function(text, "C.f"), "go")


def test_facts_do_not_survive_a_join() -> None:
    assert told(function("function f(a) { if (a) { x(); } go(); }"), "go") == set()


def test_equal_conditions_have_equal_keys() -> None:
    f = function("function f(a, b) { if (a < b) {} if (b > a) {} if (!(a >= b)) {} }")
    atoms = [flow.atom(step.term) for step in f.cfg.of_kind("test")]
    assert atoms[0] == atoms[1]
    assert atoms[2] is not None
    assert atoms[0] is not None
    assert atoms[0][0] == atoms[2][0]


# -- paths -------------------------------------------------------------------------------------------


def test_a_condition_is_not_taken_both_ways() -> None:
    f = function("function f(a) { if (a) start(); if (a) stop(); }")
    stop = calling(f, "stop")
    assert f.cfg.path(calling(f, "start"), f.cfg.exits, avoiding={stop}) is None


def test_an_assignment_forgets_the_condition() -> None:
    f = function("function f(a) { if (a) start(); a = next(); if (a) stop(); }")
    assert f.cfg.path(calling(f, "start"), f.cfg.exits, avoiding={calling(f, "stop")}) is not None


def test_a_flag_set_before_the_start_is_known() -> None:
    f = function("function f() { let late = false; start(); if (late) { lost(); } stop(); }")
    assert f.cfg.path(calling(f, "start"), {calling(f, "lost")}) is None


def test_a_witness_names_the_step_that_raises() -> None:
    f = function("async function f() { start(); await work(); stop(); }")
    way = f.cfg.path(calling(f, "start"), {f.cfg.raised}, avoiding={calling(f, "stop")})
    assert way is not None
    assert way.raised_at is not None
    assert way.raised_at.suspends


def test_along_restricts_every_edge() -> None:
    f = function("async function f() { start(); await work(); stop(); }")
    assert f.cfg.path(calling(f, "start"), {f.cfg.raised}, along=STRAIGHT) is None


def test_a_deferred_body_runs_only_where_it_was_registered() -> None:
    text = "package p\nfunc f(a bool) {\n start()\n if a {\n  return\n }\n defer stop()\n work()\n}\n"
    f = function(text, language="go")
    stop = calling(f, "stop")
    early = f.cfg.path(calling(f, "start"), f.cfg.exits, avoiding={stop})
    assert early is not None
    assert f.cfg.path(calling(f, "work"), f.cfg.exits, avoiding={stop}) is None


def test_nothing_that_cannot_reject_raises() -> None:
    text = "const nap = (ms) => new Promise((r) => setTimeout(r, ms)); async function f() { start(); await nap(5); }"
    f = function(text)
    assert f.cfg.path(calling(f, "start"), {f.cfg.raised}) is None


def test_ten_thousand_branches_end_in_silence_or_an_answer() -> None:
    branches = "".join(f"if (a{i}) b({i});" for i in range(10_000))
    f = function(f"function f() {{ start(); {branches} }}")
    way = f.cfg.path(calling(f, "start"), f.cfg.exits)
    assert way is None or way.goal in f.cfg.exits


# -- summaries ---------------------------------------------------------------------------------------


def _stops(function: Function, step: Step, place: Place) -> bool:
    call = step.call
    if call is None or call.method != "stop":
        return False
    return any(isinstance(argument, Ref) and argument.place == place for argument in call.arguments)


def test_an_effect_is_followed_through_a_helper_and_its_parameter() -> None:
    f = function("function end(handle) { stop(handle); } function f(t) { end(t); }")
    place = Place(f.parameters[0])
    assert Effect(_stops).certainly(f, place)


def test_an_effect_on_one_branch_is_possible_and_not_certain() -> None:
    f = function("function f(t, a) { if (a) stop(t); }")
    effect, place = Effect(_stops), Place(f.parameters[0])
    assert effect.possibly(f, place)
    assert not effect.certainly(f, place)


def test_a_guard_on_the_place_itself_is_no_branch() -> None:
    f = function("function f(t) { if (t) stop(t); }")
    assert Effect(_stops).certainly(f, Place(f.parameters[0]))


def test_an_effect_is_followed_through_this() -> None:
    text = "class C { end() { stop(this.t); } f() { this.end(); } }"
    f = function(text, "C.f")
    assert f.owner is not None
    assert Effect(_stops).certainly(f, Place(f.owner.this, ("t",)))


def test_recursion_gives_up() -> None:
    f = function("function f(t) { f(t); }")
    assert not Effect(_stops).certainly(f, Place(f.parameters[0]))


def test_callers_are_found() -> None:
    m = module("function f() {} function g() { f(); f(); }")
    f = next(x for x in m.functions if x.name == "f")
    found = list(callers(f))
    assert [caller.name for caller, _ in found] == ["g", "g"]
    assert all(isinstance(step.term, Call) for _, step in found)


# -- dominance ---------------------------------------------------------------------------------------


def test_dominance_is_what_reachability_says() -> None:
    text = """
    async function f(a, b) {
      for (const x of a) { if (x) { one(); continue; } try { await two(x); } catch (e) { three(); } finally { four(); } }
      if (b) { five(); } else { return; }
      six();
    }"""
    cfg = function(text).cfg
    for first in cfg.steps:
        without = cfg.reachable(cfg.entry, avoiding={first})
        for second in cfg.steps:
            reached = second is cfg.entry or second in cfg.reachable(cfg.entry)
            if reached:
                expected = first is second or first is cfg.entry or second not in without | {cfg.entry}
                assert cfg.dominates(first, second) == expected, (first, second)


def test_a_deferred_body_registered_on_the_way_leaves_a_way_out() -> None:
    text = "function f() {\n  const t = setTimeout(g, 1);\n  h().catch(k);\n  return 1;\n}"
    of = function(text)
    start = next(step for step in of.cfg.of_kind("assign"))
    assert of.cfg.path(start, of.cfg.exits) is not None


def test_a_recursive_call_does_nothing_to_the_callers_variables() -> None:
    of = function("function f(n) { const t = g(); stop(t); f(n - 1); }")
    place = next(step.target for step in of.cfg.of_kind("assign") if step.target is not None)
    assert not Effect(_stops).may_at(of, calling(of, "f"), place)


def test_a_promise_that_is_only_resolved_does_not_reject() -> None:
    of = function("async function f(c) { const p = new Promise(r => c.once('x', r)); await p; }")
    assert all(edge.label != "raise" for step in of.cfg.of_kind("suspend") for edge in step.edges)
    of = function("async function f(c) { const p = new Promise((r, e) => c.once('x', e)); await p; }")
    assert any(edge.label == "raise" for step in of.cfg.of_kind("suspend") for edge in step.edges)
