"""Facts: what an atomic condition says, when two say the same, and what a condition implies.

Works on terms alone; knows no graph, syntax or library.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wsantipattern.model import term as t
from wsantipattern.model.place import Binding, Place
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.model.cfg import Step
    from wsantipattern.model.module import Function, Module

Key = tuple[Any, ...]
"""A condition by structure: `("set", place)`, `("<", key, key)`, `("==", key, key)`, `("flag", n)`."""

DEPTH = 6
"""How many definitions and predicates one fact is followed through."""

STRAIGHT = 8
"""Steps before a test among which the value of the tested variable is looked for."""


@record(frozen=True, slots=True)
class Fact:
    """An atomic condition that is known to hold (or, with `holds` false, not to hold), and the test that says so."""

    term: t.Term
    holds: bool
    step: Step | None = None


def key(term: t.Term | None) -> Key | None:
    """A hashable form of a term that is equal for equal reads; None where two mentions may differ (calls)."""
    if isinstance(term, t.Ref):
        if term.key is None:
            named = literal(term)
            return ("place", term.place) if named is None else ("constant", named.kind, named.value)
        inner = key(term.key)
        return ("place", term.place, inner) if inner is not None else None
    if isinstance(term, t.Constant):
        return ("constant", term.kind, term.value)
    if isinstance(term, t.Binary):
        left, right = key(term.left), key(term.right)
        return (term.op, left, right) if left is not None and right is not None else None
    if isinstance(term, t.Field):
        inner = key(term.subject)
        return ("field", inner, term.name) if inner is not None else None
    if isinstance(term, t.Unary):
        inner = key(term.operand)
        return (term.op, inner) if inner is not None else None
    return None


def literal(term: t.Term | None) -> t.Constant | None:
    """The literal that a term is, or that the variable which it reads names for good; None for anything else."""
    if isinstance(term, t.Constant):
        return term
    if not isinstance(term, t.Ref):
        return None
    root = term.place.root
    if term.place.path or root.kind != "local" or not root.constant:
        return None
    return root.initial if isinstance(root.initial, t.Constant) else None


def atom(term: t.Term | None) -> tuple[Key, bool] | None:
    """The key that an atomic condition decides, and the key's truth where the condition is true.

    `x`, `x != null` and `x is not None` decide the same key; so do `a < b`, `b > a` and `a >= b` (inverted).
    """
    if isinstance(term, t.Not):
        inner = atom(term.operand)
        return (inner[0], not inner[1]) if inner else None
    if isinstance(term, t.Store):
        return atom(term.target)
    if isinstance(term, t.Ref):
        if term.key is None:
            return (("set", term.place), True)
        index = key(term.key)
        return (("set", term.place, index), True) if index is not None else None
    if not isinstance(term, t.Binary):
        return None
    op, left, right = term.op, term.left, term.right
    if op in ("==", "!="):
        if isinstance(left, t.Constant):
            left, right = right, left
        if isinstance(right, t.Constant) and (
            right.kind == "null" or right.value is False or right.value is True
        ):
            inner = atom(left) if isinstance(left, t.Ref) else None
            if inner is None:
                return None
            positive = (op == "==") == (right.value is True)
            return (inner[0], inner[1] == positive)
        keys = sorted((key(left), key(right)), key=repr)
        if keys[0] is None or keys[1] is None:
            return None
        return (("==", keys[0], keys[1]), op == "==")
    first, second = key(left), key(right)
    if first is None or second is None:
        return None
    if op == "<":
        return (("<", first, second), True)
    if op == ">":
        return (("<", second, first), True)
    if op == ">=":
        return (("<", first, second), False)
    if op == "<=":
        return (("<", second, first), False)
    return ((op, first, second), True)


def decided(term: t.Term | None, facts: Collection[tuple[Key, bool]]) -> bool | None:
    """What a condition comes to where these facts hold; None where they do not say."""
    if isinstance(term, t.Not):
        inner = decided(term.operand, facts)
        return None if inner is None else not inner
    if isinstance(term, t.Logic) and term.op in ("and", "or"):
        sides = (decided(term.left, facts), decided(term.right, facts))
        settles = term.op == "or"
        if settles in sides:
            return settles
        return None if None in sides else not settles
    known = atom(term)
    if known is None:
        return None
    for truth_ in (True, False):
        if (known[0], truth_) in facts:
            return truth_ == known[1]
    return None


def atoms(term: t.Term | None) -> Iterator[Key]:
    """The keys that a condition is put together of."""
    if isinstance(term, t.Not):
        yield from atoms(term.operand)
    elif isinstance(term, t.Logic):
        yield from atoms(term.left)
        yield from atoms(term.right)
    else:
        known = atom(term)
        if known is not None:
            yield known[0]


def mentions(of: Any, place: Place) -> bool:
    """Whether a key reads `place`, something inside it, or something it lies in."""
    if isinstance(of, Place):
        return of.starts_with(place) or place.starts_with(of)
    if isinstance(of, tuple):
        return any(mentions(part, place) for part in of)
    return False


def truth(store: t.Store) -> bool | None:
    """Whether the stored value is truthy, where the text says so."""
    if store.op is not None:
        return None
    value = store.value
    if isinstance(value, t.Constant):
        return bool(value.value) if value.kind != "other" else None
    if isinstance(value, (t.Closure, t.Record)) or (isinstance(value, t.Call) and value.constructs):
        return True
    return None


# ------------------------------------------------------------------------------------------- implication


def implied(term: t.Term, holds: bool, module: Module, depth: int = DEPTH) -> Iterator[tuple[t.Term, bool]]:
    """Every atomic condition that follows from a condition's truth (or falsity), the condition itself first.

    Follows `!`, `&&`, `||`, constant variables, getters, and predicates of the file: a call of a function whose
    returns are conditions implies what all of them imply, in the caller's terms.
    """
    if isinstance(term, t.Not):
        yield from implied(term.operand, not holds, module, depth)
        return
    if isinstance(term, t.Logic):
        if term.op == "and" and holds:
            yield from implied(term.left, True, module, depth)
            yield from implied(term.right, True, module, depth)
        elif term.op == "or" and not holds:
            yield from implied(term.left, False, module, depth)
            yield from implied(term.right, False, module, depth)
        elif term.op == "??" and isinstance(term.right, t.Constant):
            # `x?.isOpen ?? false`: where the constant would not do, the left side was it.
            if bool(term.right.value) != holds:
                yield from implied(term.left, holds, module, depth)
        elif term.op == "or" and isinstance(term.right, t.Constant) and bool(term.right.value) != holds:
            yield from implied(term.left, holds, module, depth)
        else:
            yield term, holds
        return
    if isinstance(term, t.Choice):
        for value, other, test_holds in (
            (term.then, term.otherwise, True),
            (term.otherwise, term.then, False),
        ):
            if isinstance(other, t.Constant) and bool(other.value) != holds:
                yield from implied(term.test, test_holds, module, depth)
                yield from implied(value, holds, module, depth)
                return
        yield term, holds
        return
    if isinstance(term, t.Store):
        yield from implied(term.value, holds, module, depth)
        return
    if isinstance(term, t.Binary) and term.op in ("==", "!="):
        # `ready === true`, `check() !== false`
        for side, other in ((term.left, term.right), (term.right, term.left)):
            if isinstance(other, t.Constant) and other.kind == "bool":
                yield from implied(side, holds == ((term.op == "==") == bool(other.value)), module, depth)
                return
    module.spend(1)
    yield term, holds
    if depth <= 0:
        return
    if isinstance(term, t.Binary):
        if term.op == "in":
            yield from _among(term, term.left, term.right, holds, module, depth)
        yield from _chosen(term, holds, module, depth)
        return
    if isinstance(term, t.Call) and term.method == "includes" and len(term.arguments) == 1:
        yield from _among(term, term.arguments[0], term.receiver, holds, module, depth)
    if isinstance(term, t.Suspend) and term.value is not None:
        yield from implied(term.value, holds, module, depth)
        return
    if isinstance(term, t.Ref):
        definition = module.value_of(term)
        if definition is not None and definition is not term:
            yield from implied(definition, holds, module, depth - 1)
            return
        getter = module.getter_of(term.place)
        if getter is not None:
            yield from _predicate(getter, holds, _receiver_of(term, getter), module, depth)
        return
    if isinstance(term, t.Call):
        function = module.resolve(term)
        simple = plain(term, module) if function is not None else None
        if simple is not None and simple is not term:
            yield from implied(simple, holds, module, depth - 1)
        elif function is not None and not function.is_generator:
            yield from _predicate(function, holds, bind(term, function), module, depth)


def _among(
    term: t.Term, one: t.Term, several: t.Term | None, holds: bool, module: Module, depth: int
) -> Iterator[tuple[t.Term, bool]]:
    """`boot not in ("", theirs)`: it differs from each that is written down."""
    if isinstance(several, t.Sequence) and (not holds or len(several.elements) == 1):
        for element in several.elements:
            if not isinstance(element, t.Spread):
                yield from implied(t.Binary(term.extent, "==", one, element), holds, module, depth - 1)


def plain(term: t.Term | None, module: Module, depth: int = DEPTH) -> t.Term | None:
    """The condition that a test amounts to, seen through predicates of the file that only return one and through
    other names of a constant variable; what a variable was made of is left, since that may have changed since."""
    if depth <= 0:
        return term
    if isinstance(term, t.Not):
        inner = plain(term.operand, module, depth)
        return t.Not(term.extent, inner) if inner is not None and inner is not term.operand else term
    if isinstance(term, t.Ref) and _is_constant(term):
        named = module.value_of(term)
        core = named.operand if isinstance(named, t.Not) else named
        return plain(named, module, depth - 1) if isinstance(core, t.Ref) and _is_constant(core) else term
    if isinstance(term, t.Ref):
        function = module.getter_of(term.place) if term.place.path and term.key is None else None
    elif isinstance(term, t.Call):
        function = module.resolve(term)
    else:
        return term
    if function is None or function.is_generator or function.is_async or function.kind == "constructor":
        return term
    answers = returns(function)
    if len(answers) != 1 or answers[0][1]:
        return term
    value = answers[0][0]
    if isinstance(value, t.Ref) and _is_constant(value) and value.place.root.scope is function:
        value = module.value_of(value)
    mapping = bind(term, function) if isinstance(term, t.Call) else _receiver_of(term, function)
    return plain(substitute(value, mapping), module, depth - 1) if value is not None else term


def _receiver_of(read: t.Ref, getter: Function) -> dict[Binding, t.Term]:
    """What the receiver of a getter stands for where it is read."""
    owner, parent = getter.owner, read.place.parent
    return {owner.this: t.Ref(read.extent, parent)} if owner is not None and parent is not None else {}


def _is_constant(term: t.Ref) -> bool:
    return not term.place.path and term.place.root.kind == "local" and term.place.root.constant


def _chosen(term: t.Binary, holds: bool, module: Module, depth: int) -> Iterator[tuple[t.Term, bool]]:
    """What follows from a named choice: `relation(x) == AHEAD` implies what all ways to answer so have in common."""
    if term.op not in ("==", "!="):
        return
    wants_equal = holds == (term.op == "==")
    for side, other in ((term.left, term.right), (term.right, term.left)):
        wanted, value = module.value_of(other), module.value_of(side)
        if not isinstance(wanted, (t.Constant, t.Ref)) or not isinstance(value, (t.Call, t.Choice)):
            continue
        if isinstance(value, t.Choice):
            yield from _choosing(module, [(value, [])], wanted, wants_equal, depth)
            return
        function = module.resolve(value)
        if function is None or function.is_generator or function.is_async:
            continue
        marker = ("chosen", function, key(wanted), wants_equal)
        if marker not in module.memo:
            module.memo[marker] = []  # Recursion finds nothing until the outer call is done.
            answers = returns(function)
            module.memo[marker] = list(_choosing(module, answers, wanted, wants_equal, depth))
        mapping = bind(value, function)
        for inner, truth_ in module.memo[marker]:
            yield substitute(inner, mapping), truth_
        return


def _choosing(
    module: Module,
    answers: list[tuple[t.Term | None, list[Fact]]],
    wanted: t.Term,
    wants_equal: bool,
    depth: int,
) -> Iterator[tuple[t.Term, bool]]:
    """What all answers that can be (can differ from) the wanted one have in common."""
    ways: list[dict[Any, tuple[t.Term, bool]]] = []
    for answer, facts in answers:
        for final, more in _alternatives(answer):
            if _may_equal(module.value_of(final), wanted) is (not wants_equal):
                continue
            way: dict[Any, tuple[t.Term, bool]] = {}
            for known in (*facts, *more):
                for inner, truth_ in implied(known.term, known.holds, module, depth - 1):
                    way[_identity(inner, truth_)] = (inner, truth_)
            ways.append(way)
    if ways:
        shared = set(ways[0]).intersection(*ways[1:])
        for identity, found in ways[0].items():
            if identity in shared:
                yield found


def _alternatives(term: t.Term | None) -> Iterator[tuple[t.Term | None, list[Fact]]]:
    """The values that a term can have by its own conditions, with the conditions of each."""
    if not isinstance(term, t.Choice):
        yield term, []
        return
    for value, holds in ((term.then, True), (term.otherwise, False)):
        for final, facts in _alternatives(value):
            yield final, [Fact(term.test, holds), *facts]


def _may_equal(value: t.Term | None, wanted: t.Term) -> bool | None:
    """Whether two constants or names of constants are equal; None where the text does not say."""
    first, second = key(value), key(wanted)
    if first is None or second is None:
        return None
    if first == second:
        return True
    if isinstance(value, t.Constant) and isinstance(wanted, t.Constant):
        return False
    if isinstance(value, t.Ref) and isinstance(wanted, t.Ref) and value.place.parent == wanted.place.parent:
        return False if value.place.path else None
    return None


def bind(call: t.Call, function: Function) -> dict[Binding, t.Term]:
    """What the parameters and the receiver of `function` stand for in this call."""
    mapping: dict[Binding, t.Term] = {}
    for index, parameter in enumerate(function.parameters):
        value = call.argument(index, parameter.name)
        if value is not None:
            mapping[parameter] = value
    receiver = call.receiver
    if function.owner is not None and receiver is not None:
        mapping[function.owner.this] = receiver
    return mapping


def _predicate(
    function: Function, holds: bool, mapping: Mapping[Binding, t.Term], module: Module, depth: int
) -> Iterator[tuple[t.Term, bool]]:
    """What follows from `function` having returned a truthy (falsy) value, in its caller's terms."""
    marker = ("predicate", function, holds)
    if marker not in module.memo:
        module.memo[marker] = []  # Recursion finds nothing until the outer call is done.
        module.memo[marker] = _in_common(function, holds, module, depth)
    for term, truth_ in module.memo[marker]:
        yield substitute(term, mapping), truth_


def _in_common(function: Function, holds: bool, module: Module, depth: int) -> list[tuple[t.Term, bool]]:
    """What all ways to return a truthy (falsy) value have in common, in the function's own terms."""
    ways: list[dict[Any, tuple[t.Term, bool]]] = []
    for value, facts in returns(function):
        if isinstance(value, t.Constant) and value.kind != "other" and bool(value.value) != holds:
            continue
        if value is None:
            if not holds:
                return []
            continue
        way: dict[Any, tuple[t.Term, bool]] = {}
        for fact in facts:
            for term, truth_ in implied(fact.term, fact.holds, module, depth - 1):
                way[_identity(term, truth_)] = (term, truth_)
        if not isinstance(value, t.Constant):
            for term, truth_ in implied(value, holds, module, depth - 1):
                way[_identity(term, truth_)] = (term, truth_)
        ways.append(way)
    if not ways:
        return []
    shared = set(ways[0]).intersection(*ways[1:])
    return [
        (_closed(term, function), truth_)
        for identity, (term, truth_) in ways[0].items()
        if identity in shared
    ]


def _closed(term: t.Term, function: Function, depth: int = 3) -> t.Term:
    """An order without the variables of the function itself that are given one value: elements of what it loops over."""
    if depth <= 0 or not isinstance(term, t.Binary) or term.op not in ("<", "<=", ">", ">="):
        return term
    given: dict[Binding, t.Term] = {}
    for part in term.walk():
        root = part.place.root if isinstance(part, t.Ref) else None
        if root is not None and root.kind == "local" and root.scope is function and root not in given:
            stores = function.module.stores_to(Place(root))
            if len(stores) == 1 and isinstance(stores[0][1].value, (t.Element, t.Call, t.Ref)):
                given[root] = stores[0][1].value
    return _closed(substitute(term, given), function, depth - 1) if given else term


def _identity(term: t.Term, holds: bool) -> Any:
    decided = atom(term)
    if decided is None:
        return (id(term), holds)
    return (decided[0], decided[1] == holds)


def carried(term: t.Term | None) -> Iterator[t.Term]:
    """The terms whose value goes along with a term's: itself, and what literals and choices hold."""
    if term is None:
        return
    yield term
    inner: Iterable[t.Term] = ()
    if isinstance(term, t.Record):
        inner = (value for _, value in term.entries)
    elif isinstance(term, (t.Sequence, t.Spread, t.Choice, t.Logic, t.Store)):
        inner = term.children()
    for child in inner:
        yield from carried(child)


def returns(function: Function) -> list[tuple[t.Term | None, list[Fact]]]:
    """Every returned value of a function with what is known where it is returned; None for falling off the end."""
    cached = _returns_cache(function)
    if cached is not None:
        return cached
    found: list[tuple[t.Term | None, list[Fact]]] = []
    cfg = function.cfg
    found.extend(
        (step.statement.value, cfg.known_at(step))
        for step in cfg.of_kind("return")
        if isinstance(step.statement, t.Return)
    )
    # What is deferred runs after a return too; only where no return was passed does the end give nothing.
    fallen = {cfg.entry, *cfg.reachable(cfg.entry, avoiding=lambda step: step.kind == "return")}
    found.extend(
        (None, cfg.known_at(step))
        for step, _ in cfg.predecessors[cfg.exit]
        if step.kind != "return" and step in fallen
    )
    function.module.memo[("returns", function)] = found
    return found


def _returns_cache(function: Function) -> list[tuple[t.Term | None, list[Fact]]] | None:
    memo = function.module.memo
    marker = ("returns", function)
    if marker in memo:
        value: list[tuple[t.Term | None, list[Fact]]] = memo[marker]
        return value
    # Recursion finds nothing until the outer call is done.
    memo[marker] = []
    return None


def substitute(term: t.Term, mapping: Mapping[Binding, t.Term]) -> t.Term:
    """The term with bindings exchanged for the terms they stand for; new objects where something changed."""
    if not mapping:
        return term
    if isinstance(term, t.Ref):
        value = mapping.get(term.place.root)
        changed_key = substitute(term.key, mapping) if term.key is not None else None
        if value is None:
            root = term.place.root
            given = root.initial if root.kind == "local" and root.constant else None
            if isinstance(given, t.Ref) and given.key is None and given.place.root in mapping:
                # `const { readyState } = socket ?? {}` of a parameter that has another name outside
                place = Place(given.place.root, given.place.path + term.place.path)
                return substitute(t.Ref(term.extent, place, changed_key, given.guard), mapping)
            return (
                t.Ref(term.extent, term.place, changed_key, term.guard)
                if changed_key is not term.key
                else term
            )
        if not term.place.path:
            return value
        if isinstance(value, t.Ref):
            return t.Ref(
                term.extent,
                Place(value.place.root, value.place.path + term.place.path),
                changed_key,
                term.guard,
            )
        result: t.Term = value
        for part in term.place.path:
            result = t.Field(term.extent, result, part)
        return result
    if isinstance(term, t.Binary):
        return t.Binary(term.extent, term.op, substitute(term.left, mapping), substitute(term.right, mapping))
    if isinstance(term, t.Not):
        return t.Not(term.extent, substitute(term.operand, mapping))
    if isinstance(term, t.Logic):
        return t.Logic(term.extent, term.op, substitute(term.left, mapping), substitute(term.right, mapping))
    if isinstance(term, t.Unary):
        return t.Unary(term.extent, term.op, substitute(term.operand, mapping))
    if isinstance(term, t.Field):
        return t.Field(term.extent, substitute(term.subject, mapping), term.name)
    if isinstance(term, t.Element):
        return t.Element(
            term.extent,
            substitute(term.subject, mapping),
            substitute(term.key, mapping) if term.key else None,
        )
    if isinstance(term, t.Suspend) and term.value is not None:
        return t.Suspend(term.extent, term.op, substitute(term.value, mapping))
    if isinstance(term, t.Call):
        return t.Call(
            term.extent,
            substitute(term.callee, mapping),
            [substitute(a, mapping) for a in term.arguments],
            [(name, substitute(value, mapping)) for name, value in term.keywords],
            term.constructs,
            term.total,
            term.guard,
        )
    return term


def facts_at(function: Function, step: Step) -> list[Fact]:
    """Everything known at a step, with what each fact implies, in the step's own terms."""
    module = function.module
    found: list[Fact] = []
    for fact in function.cfg.known_at(step):
        found.extend(Fact(term, holds, fact.step) for term, holds in implied(fact.term, fact.holds, module))
        given = _given_before(function, fact)
        if given is not None:
            found.extend(Fact(term, holds, fact.step) for term, holds in implied(given, fact.holds, module))
    return found


def _given_before(function: Function, fact: Fact) -> t.Term | None:
    """The value that a tested variable was given on the straight way to its test, where it has several in all."""
    tested, step = fact.term, fact.step
    if not isinstance(tested, t.Ref) or not tested.place.is_local or tested.place.root.constant:
        return None
    before = function.cfg.predecessors
    for _ in range(STRAIGHT):
        ways = before[step] if step is not None else []
        if len(ways) != 1:
            return None
        step = ways[0][0]
        if step.target == tested.place:
            return step.store.value if step.store is not None and step.store.op is None else None
    return None
