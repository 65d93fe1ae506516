"""Terms and statements: the small neutral tree that front ends lower to and that the graph is built from.

Syntax-free: three languages, one set of nodes. A term is a value (read, call, comparison, store); a statement is
control. Every node has an `extent`: (start, end) byte offsets into its module's text. Front ends construct nodes;
the graph builder (`model.build`) gives every term its `parent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, fields
from typing import TYPE_CHECKING, Literal

from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.model.module import Function
    from wsantipattern.model.place import Place

Extent = tuple[int, int]
"""Byte offsets (start, end), end exclusive."""


def _described(node: Term | Statement) -> str:
    """Like a dataclass's own, which each class would have to be given when the module is imported."""
    shown = ", ".join(f"{part.name}={getattr(node, part.name)!r}" for part in fields(node) if part.repr)
    return f"{type(node).__name__}({shown})"


@record(slots=True, eq=False, repr=False)
class Term:
    """A value. Compared by identity; `key` in `model.flow` compares by structure."""

    extent: Extent
    parent: Term | None = field(default=None, init=False, repr=False)

    def __repr__(self) -> str:
        return _described(self)

    def children(self) -> Iterator[Term]:
        """Operands in evaluation order."""
        return iter(())

    def walk(self) -> Iterator[Term]:
        """This term and every term below it, not entering closures or regions."""
        yield self
        # One generator for the whole term: most terms are small, and there are very many.
        around = [self.children()]
        while around:
            for child in around[-1]:
                yield child
                around.append(child.children())
                break
            else:
                around.pop()


@record(slots=True, eq=False, repr=False)
class Ref(Term):
    """A read of a place. `key` is the index of the last `[*]` selector, where there is one.

    In `a?.b` the place is `a.b` and `guard` is the term for `a`: the read happens only where `a` is set.
    """

    place: Place
    key: Term | None = None
    guard: Term | None = None

    def children(self) -> Iterator[Term]:
        guard, key = self.guard, self.key
        if guard is None:
            return iter(()) if key is None else iter((key,))
        return iter((guard,)) if key is None else iter((guard, key))


LiteralKind = Literal["number", "string", "bool", "null", "other"]


@record(slots=True, eq=False, repr=False)
class Constant(Term):
    """A literal. `value` is int/float, str, bool, None (`null`, `undefined`, `None`, `nil`), or the raw text."""

    kind: LiteralKind
    value: int | float | str | bool | None


@record(slots=True, eq=False, repr=False)
class Call(Term):
    """A call.

    Attributes:
        callee: what is called: a Ref (`f`, `this.ws.send`, `conn.WriteMessage`), a Field (`f().then`) or any term.
        arguments: positional, in order (a Spread among them where written).
        keywords: keyword arguments, in order (Python; empty elsewhere).
        constructs: `new X(...)`, or a call of a class of this file.
        total: a language builtin that never raises (`console.log`, `clearTimeout`, `len`, `print`).
        guard: in `a?.f()` or `f?.()`, the term that must be set for the call to happen.
    """

    callee: Term
    arguments: list[Term] = field(default_factory=list)
    keywords: list[tuple[str, Term]] = field(default_factory=list)
    constructs: bool = False
    total: bool = False
    guard: Term | None = None

    def children(self) -> Iterator[Term]:
        inner = [self.callee, *self.arguments]
        if self.guard is not None:
            inner.insert(0, self.guard)
        if self.keywords:
            inner += [value for _, value in self.keywords]
        return iter(inner)

    @property
    def method(self) -> str:
        """The last written word of what is called: `send` of `this.ws.send(x)`, `setTimeout` of `setTimeout(f)`."""
        callee = self.callee
        if isinstance(callee, Ref):
            return callee.place.name
        return callee.name if isinstance(callee, Field) else ""

    @property
    def receiver(self) -> Term | None:
        """The object the method is called on, as a term: Ref(`this.ws`) of `this.ws.send(x)`; None for `f(x)`."""
        if isinstance(self.callee, Field):
            return self.callee.subject
        if isinstance(self.callee, Ref):
            inner = self.callee.place.parent
            if inner is not None:
                return Ref(self.callee.extent, inner)
        return None

    @property
    def receiver_place(self) -> Place | None:
        """The place the method is called on, or None."""
        return self.callee.place.parent if isinstance(self.callee, Ref) else None

    def argument(self, index: int, keyword: str | None = None) -> Term | None:
        """Positional argument `index` (from 0), or the one named `keyword`; None where absent or after a spread."""
        if index < len(self.arguments) and not any(
            isinstance(a, Spread) for a in self.arguments[: index + 1]
        ):
            return self.arguments[index]
        return next((value for name, value in self.keywords if name == keyword), None)


@record(slots=True, eq=False, repr=False)
class Field(Term):
    """A field of something that is no place: `f().x`, `(a || b).x`."""

    subject: Term
    name: str

    def children(self) -> Iterator[Term]:
        return iter((self.subject,))


@record(slots=True, eq=False, repr=False)
class Element(Term):
    """An element or slice of something that is no place, or of a place by slice: `f()[k]`, `s[1:]`, `s[:n]`."""

    subject: Term
    key: Term | None = None

    def children(self) -> Iterator[Term]:
        return iter((self.subject,)) if self.key is None else iter((self.subject, self.key))


@record(slots=True, eq=False, repr=False)
class Binary(Term):
    """An operation on two values.

    `op` is one of `+ - * / % ** & | ^ << >>`, `== != < <= > >=` (`===`, `is`, `is not` become `==`/`!=`), `in`,
    `instanceof`. Python's `not in` is Not(Binary in). `a < b < c` is Logic(and) of two.
    """

    op: str
    left: Term
    right: Term

    def children(self) -> Iterator[Term]:
        return iter((self.left, self.right))


@record(slots=True, eq=False, repr=False)
class Unary(Term):
    """`-x`, `+x`, `~x`, `typeof x`, `void x`. A negative number literal is a Constant."""

    op: str
    operand: Term

    def children(self) -> Iterator[Term]:
        return iter((self.operand,))


@record(slots=True, eq=False, repr=False)
class Not(Term):
    """Logical negation."""

    operand: Term

    def children(self) -> Iterator[Term]:
        return iter((self.operand,))


@record(slots=True, eq=False, repr=False)
class Logic(Term):
    """Short-circuit `and`, `or`, or `??` (the right side only where the left is null)."""

    op: Literal["and", "or", "??"]
    left: Term
    right: Term

    def children(self) -> Iterator[Term]:
        return iter((self.left, self.right))


@record(slots=True, eq=False, repr=False)
class Choice(Term):
    """A conditional value: `test ? then : otherwise`, `then if test else otherwise`."""

    test: Term
    then: Term
    otherwise: Term

    def children(self) -> Iterator[Term]:
        yield self.test
        yield self.then
        yield self.otherwise


@record(slots=True, eq=False, repr=False)
class Suspend(Term):
    """A point where other code runs before this goes on.

    `await`: may raise (a rejected promise, a cancelled task); `yield`; `receive`: a Go channel receive `<-value`;
    `select` is made by the builder.
    """

    op: Literal["await", "yield", "receive"]
    value: Term | None

    def children(self) -> Iterator[Term]:
        if self.value is not None:
            yield self.value


@record(slots=True, eq=False, repr=False)
class Closure(Term):
    """A function value: arrow, function expression, lambda, Go func literal. Its body is the function's own."""

    function: Function


@record(slots=True, eq=False, repr=False)
class Record(Term):
    """An object, dict or struct literal. A spread entry has no key. `type_name` is a Go or constructor type."""

    entries: list[tuple[str | None, Term]] = field(default_factory=list)
    type_name: str | None = None

    def children(self) -> Iterator[Term]:
        for _, value in self.entries:
            yield value


@record(slots=True, eq=False, repr=False)
class Sequence(Term):
    """A list, array, tuple or set literal."""

    elements: list[Term] = field(default_factory=list)

    def children(self) -> Iterator[Term]:
        yield from self.elements


@record(slots=True, eq=False, repr=False)
class Template(Term):
    """A text made of parts: template literal, f-string."""

    parts: list[Term] = field(default_factory=list)

    def children(self) -> Iterator[Term]:
        yield from self.parts


@record(slots=True, eq=False, repr=False)
class Spread(Term):
    """`...x`, `*x`, `**x`, Go's `x...`."""

    value: Term

    def children(self) -> Iterator[Term]:
        yield self.value


@record(slots=True, eq=False, repr=False)
class Store(Term):
    """An assignment, as a value. `op` is None for `=`, else the operator of `+=`, `-=`, `||=` ("or"), `??=`.

    `x++` is Store(x, "+", 1). A declaration without a value is a Store of Constant null only where the language
    gives the variable that value (`let x;`, Go's zero value as the literal 0, "", false or nil); `declares` says
    that the variable starts here. `a, b := f()` is two stores: Store(a, Result(call, 0)), Store(b, Result(call, 1)).
    """

    target: Term
    value: Term
    op: str | None = None
    declares: bool = False

    def children(self) -> Iterator[Term]:
        # The target's own place is written, not read; what it is computed from is read first.
        if isinstance(self.target, Ref):
            if self.target.key is None and self.target.guard is None:
                return iter((self.value,))
            return iter((*self.target.children(), self.value))
        return iter((self.target, self.value))

    @property
    def change(self) -> tuple[str, Term] | None:
        """By which operation and operand the target goes on from its own value: `x += v`, `x = x + v`; else None."""
        if self.op is not None:
            return self.op, self.value
        target, value = self.target, self.value
        if not (isinstance(value, Binary) and isinstance(value.left, Ref) and isinstance(target, Ref)):
            return None
        is_own = value.left.place == target.place and value.left.key is None and target.key is None
        return (value.op, value.right) if is_own else None


@record(slots=True, eq=False, repr=False)
class Result(Term):
    """One of several results of a call (Go `a, b := f()`, Python tuple and JS array destructuring), from 0.

    The first Result of a destructuring holds the call; the others hold the same Call object, evaluated once.
    """

    call: Term
    index: int

    def children(self) -> Iterator[Term]:
        return iter((self.call,)) if self.index == 0 else iter(())


@record(slots=True, eq=False, repr=False)
class Delete(Term):
    """`delete x[k]`, `del x[k]`, Go's `delete(m, k)`."""

    target: Term

    def children(self) -> Iterator[Term]:
        return self.target.children() if isinstance(self.target, Ref) else iter((self.target,))


@record(slots=True, eq=False, repr=False)
class Several(Term):
    """Operands evaluated in order by an operation the model does not know; the last is the value of a comma."""

    operands: list[Term] = field(default_factory=list)

    def children(self) -> Iterator[Term]:
        return iter(self.operands)


@record(slots=True, eq=False, repr=False)
class Region(Term):
    """Statements run in place as part of a value: an IIFE, a promise executor, an awaited promise chain.

    `return` inside leaves the region with its value, not the function. `settles` are the settle functions'
    places of a promise executor (resolve, reject); empty for other regions. `function` is the inlined closure.
    """

    body: list[Statement]
    settles: tuple[Place, ...] = ()
    function: Function | None = None


# ---------------------------------------------------------------------------------------------- statements


@record(slots=True, eq=False, repr=False)
class Statement:
    """Control. Bodies are lists of statements."""

    extent: Extent

    def __repr__(self) -> str:
        return _described(self)


@record(slots=True, eq=False, repr=False)
class Evaluate(Statement):
    """A term evaluated for its effects: expression statement, assignment, declaration."""

    term: Term


@record(slots=True, eq=False, repr=False)
class If(Statement):
    """`if`: one of two bodies."""

    test: Term
    then: list[Statement]
    otherwise: list[Statement] = field(default_factory=list)


@record(slots=True, eq=False, repr=False)
class While(Statement):
    """`while`, `for(;;)`, Go `for`. `test` None is for ever; `post_test` is `do ... while`; `otherwise` is Python's."""

    test: Term | None
    body: list[Statement]
    update: list[Statement] = field(default_factory=list)
    post_test: bool = False
    otherwise: list[Statement] = field(default_factory=list)
    label: str | None = None


@record(slots=True, eq=False, repr=False)
class ForEach(Statement):
    """`for x of xs`, `for x in xs`, Go `range`, `xs.forEach(x => ...)`. `suspends` for `async for`, `for await`,
    and ranging over a channel: each step may raise (except in Go)."""

    targets: list[Term]
    iterable: Term
    body: list[Statement]
    suspends: bool = False
    otherwise: list[Statement] = field(default_factory=list)
    label: str | None = None


@record(slots=True, eq=False, repr=False)
class Case:
    """One arm. `tests` are the values compared with the subject (or whole conditions where there is no subject);
    `pattern` marks tests that are opaque patterns, kept as terms. In a select, `before` holds the communication
    (a receive or send, with its assignment); in a switch, the stores of what a pattern captures. `guard` is a further
    condition; where it does not hold the next arm is tried. No tests and no `before`: the default."""

    extent: Extent
    tests: list[Term]
    body: list[Statement]
    before: list[Statement] = field(default_factory=list)
    falls_through: bool = False
    pattern: bool = False
    guard: Term | None = None


@record(slots=True, eq=False, repr=False)
class Switch(Statement):
    """`switch`, `match`, Go `select` (`kind` "select": suspends, then takes any case; with a default it does not
    wait). Also a `case` without its switch in a fragment: the subject is then None and `fragment` true. `breakable`
    is false for Python's `match`, which `break` does not leave."""

    subject: Term | None
    cases: list[Case]
    kind: Literal["switch", "select"] = "switch"
    label: str | None = None
    fragment: bool = False
    breakable: bool = True


@record(slots=True, eq=False, repr=False)
class Handler:
    """`catch (e)`, `except X as e`. `types` are canonical names; empty: catches everything."""

    extent: Extent
    body: list[Statement]
    types: list[str] = field(default_factory=list)
    target: Term | None = None
    catches_all: bool = True


@record(slots=True, eq=False, repr=False)
class Try(Statement):
    """`otherwise` is Python's `else`. A promise chain `.then(a).catch(b).finally(c)` is lowered to this as well."""

    body: list[Statement]
    handlers: list[Handler] = field(default_factory=list)
    otherwise: list[Statement] = field(default_factory=list)
    final: list[Statement] = field(default_factory=list)


@record(slots=True, eq=False, repr=False)
class With(Statement):
    """`with` / `async with` (`suspends`); `swallows` where the manager hides exceptions (`suppress`)."""

    items: list[tuple[Term, Term | None]]
    body: list[Statement]
    suspends: bool = False
    swallows: bool = False


@record(slots=True, eq=False, repr=False)
class Return(Statement):
    """`return`."""

    value: Term | None = None


@record(slots=True, eq=False, repr=False)
class Raise(Statement):
    """`throw`, `raise`, Go `panic`."""

    value: Term | None = None


@record(slots=True, eq=False, repr=False)
class Halt(Statement):
    """The process ends here: `process.exit`, `os.Exit`, `log.Fatal`."""

    term: Term


@record(slots=True, eq=False, repr=False)
class Break(Statement):
    """`break`, out of the loop or block with the label where there is one."""

    label: str | None = None


@record(slots=True, eq=False, repr=False)
class Continue(Statement):
    """`continue`, of the loop with the label where there is one."""

    label: str | None = None


@record(slots=True, eq=False, repr=False)
class Block(Statement):
    """A block; with a label, `break label` leaves it."""

    body: list[Statement]
    label: str | None = None


@record(slots=True, eq=False, repr=False)
class Defer(Statement):
    """Go `defer`: `body` runs, last registered first, on every way out after this point."""

    body: list[Statement]


@record(slots=True, eq=False, repr=False)
class Spawn(Statement):
    """Work that runs concurrently with what follows.

    `body` is a promise chain nobody awaits: it runs after the rest of the function, and its failure leaves only
    itself. `term` is a spawned call (`go f()`, `create_task(f())` as a statement); its closure is a function of
    its own. Exactly one of the two is given.
    """

    body: list[Statement] = field(default_factory=list)
    term: Term | None = None


@record(slots=True, eq=False, repr=False)
class Goto(Statement):
    """A jump the graph does not follow: it marks the function `incomplete`, and rules stay silent."""

    label: str
