"""Python statements to the neutral statements.

Guarantees that any block, however broken, becomes a list: in text that did not parse, what did is lowered. Knows the
language and its standard library where that is control flow (`sys.exit`, `contextlib.suppress`, `create_task`).
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from wsantipattern.languages.python_patterns import Patterns
from wsantipattern.languages.python_scope import Definition, Scope
from wsantipattern.languages.python_syntax import extent_of, first, leaves, name_of, parts
from wsantipattern.languages.python_terms import DEPTH_LIMIT, Terms, operator_name
from wsantipattern.model.module import Function
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.term import (
    Break,
    Call,
    Case,
    Constant,
    Continue,
    Delete,
    Evaluate,
    ForEach,
    Halt,
    Handler,
    If,
    Not,
    Raise,
    Ref,
    Return,
    Sequence,
    Several,
    Spawn,
    Statement,
    Store,
    Suspend,
    Switch,
    Term,
    Try,
    While,
    With,
)

_SILENT = frozenset(
    [
        "pass_statement",
        "global_statement",
        "nonlocal_statement",
        "comment",
        "line_continuation",
        "future_import_statement",
        "type_alias_statement",
    ]
)
_SPAWNERS = frozenset({"create_task", "ensure_future"})
_LEAVES = frozenset({"sys.exit", "exit", "quit"})
_HALTS = frozenset({"os._exit", "os.abort", "os.execv", "os.execve", "os.execvp", "os.execvpe"})
_SWALLOWERS = frozenset({"contextlib.suppress", "pytest.raises"})
_CATCH_ALL = frozenset({"Exception", "BaseException"})

_CHAIN_LIMIT = 24
"""Links of an `elif` chain that are nested; a longer one becomes a switch without a subject."""

_BLOCK_LIMIT = 50_000
"""Statements of one block that are lowered: more than a graph may have steps."""


class Statements:
    """Lowers the function bodies of one text.

    Args:
        terms: the lowering of expressions.
        root: the syntax tree's root, which is the body of the top level.
        synthetic: bytes at the start of the text that the front end put there: a `match` for a lone `case`.
    """

    def __init__(self, terms: Terms, root: Node, synthetic: int = 0) -> None:
        self.terms = terms
        self.root = root
        self.synthetic = synthetic
        self.patterns = Patterns(terms)
        self._handlers: dict[str, Callable[[Node, Scope], list[Statement]]] = {
            "expression_statement": self._expression,
            "if_statement": self._if,
            "while_statement": self._while,
            "for_statement": self._for,
            "try_statement": self._try,
            "with_statement": self._with,
            "match_statement": self._match,
            "return_statement": self._return,
            "raise_statement": self._raise,
            "break_statement": self._break,
            "continue_statement": self._continue,
            "assert_statement": self._assert,
            "delete_statement": self._delete,
            "function_definition": self._function,
            "class_definition": self._class,
            "decorated_definition": self._decorated,
            "import_statement": self._import,
            "import_from_statement": self._import,
            "print_statement": self._print,
            "exec_statement": self._print,
        }

    def body(self, function: Function) -> list[Statement]:
        """The statements of a function of this text."""
        if not isinstance(function, Definition) or function.scope is None:
            return self.block(self.root, self.terms.names.top)
        node = function.node.child_by_field_name("body")
        if node is None:
            return []
        if function.kind == "lambda":
            return [Return(extent_of(node), self.terms.term(node, function.scope))]
        return self.block(node, function.scope)

    def block(self, node: Node | None, scope: Scope) -> list[Statement]:
        if node is None or self.terms.depth >= DEPTH_LIMIT:
            return []
        self.terms.depth += 1
        try:
            return [s for child in first(node, _BLOCK_LIMIT) for s in self.statement(child, scope)]
        finally:
            self.terms.depth -= 1

    def statement(self, node: Node, scope: Scope) -> list[Statement]:
        kind = node.type
        handler = self._handlers.get(kind)
        if handler is not None:
            return handler(node, scope)
        if kind in _SILENT:
            return []
        if kind in (
            "block",
            "ERROR",
            "else_clause",
            "finally_clause",
            "elif_clause",
            "except_clause",
            "case_clause",
        ):
            return self.block(node, scope)
        if node.is_error or kind == "identifier":
            return []
        return [Evaluate(extent_of(node), self.terms.term(node, scope))]

    # -- expressions and assignments -------------------------------------------------------------

    def _expression(self, node: Node, scope: Scope) -> list[Statement]:
        statements: list[Statement] = []
        for child in parts(node):
            if child.type == "assignment":
                statements += [Evaluate(extent_of(node), s) for s in self._assignment(child, scope)]
            elif child.type == "augmented_assignment":
                statements += self._augmented(child, scope)
            else:
                statements.append(self._effect(child, scope))
        return statements

    def _effect(self, node: Node, scope: Scope) -> Statement:
        """An expression as a statement: an end of the process, a spawned coroutine, or its value's effects."""
        term = self.terms.term(node, scope)
        if isinstance(term, Call):
            place = term.callee.place if isinstance(term.callee, Ref) else None
            name = _origin(place)
            if name in _LEAVES:
                return Raise(extent_of(node), term)
            if name in _HALTS:
                return Halt(extent_of(node), term)
            known = name or ""
            of_object = term.method in _SPAWNERS and (place is None or bool(place.path))
            if of_object or (known.startswith("asyncio.") and known.removeprefix("asyncio.") in _SPAWNERS):
                coroutine = term.argument(0, "coro")
                return Spawn(extent_of(node), term=coroutine if isinstance(coroutine, Call) else term)
        return Evaluate(extent_of(node), term)

    def _assignment(self, node: Node, scope: Scope) -> list[Store]:
        lefts: list[Node] = []
        current: Node | None = node
        while current is not None and current.type == "assignment":
            left = current.child_by_field_name("left")
            if left is not None:
                lefts.append(left)
            current = current.child_by_field_name("right")
        if current is None or not lefts:
            return []
        extent = extent_of(node)
        if len(lefts) == 1:
            return self.terms.assign(extent, lefts[0], current, scope)
        simple = [n for n in lefts if n.type in ("identifier", "attribute", "subscript")]
        stores: list[Store] = []
        value = original = self.terms.term(current, scope)
        for left in reversed(simple[:_CHAIN_LIMIT]):
            value = self.terms.store(extent, left, self.terms.target(left, scope), value, record=original)
        if isinstance(value, Store):
            stores.append(value)
        for left in lefts:
            if left not in simple:
                for leaf in leaves(left):
                    part = Several(extent, [] if stores else [original])
                    stores.append(self.terms.store(extent, leaf, self.terms.target(leaf, scope), part))
        return stores

    def _augmented(self, node: Node, scope: Scope) -> list[Statement]:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return []
        extent = extent_of(node)
        target, value = self.terms.target(left, scope), self.terms.term(right, scope)
        op = operator_name(operator.type.removesuffix("="))
        return [Evaluate(extent, self.terms.store(extent, left, target, value, op))]

    def _delete(self, node: Node, scope: Scope) -> list[Statement]:
        targets = [leaf for part in parts(node) for leaf in leaves(part)]
        return [Evaluate(extent_of(t), Delete(extent_of(t), self.terms.target(t, scope))) for t in targets]

    def _print(self, node: Node, scope: Scope) -> list[Statement]:
        return [
            Evaluate(
                extent_of(node), Several(extent_of(node), [self.terms.term(c, scope) for c in parts(node)])
            )
        ]

    def _import(self, node: Node, scope: Scope) -> list[Statement]:
        """The call of the import machinery, which is what may fail."""
        callee = Ref(extent_of(node), self.terms.names.place("__import__", self.terms.names.top))
        named = node.child_by_field_name("module_name") or node.child_by_field_name("name")
        argument = Constant(extent_of(named), "string", name_of(named)) if named is not None else None
        return [
            Evaluate(
                extent_of(node), Call(extent_of(node), callee, [argument] if argument is not None else [])
            )
        ]

    # -- control ---------------------------------------------------------------------------------

    def _if(self, node: Node, scope: Scope) -> list[Statement]:
        arms = [node]
        otherwise: list[Statement] = []
        for alternative in node.children_by_field_name("alternative"):
            if alternative.type == "elif_clause":
                arms.append(alternative)
            else:
                otherwise = self.block(alternative.child_by_field_name("body"), scope)
        lowered = [
            (
                extent_of(arm),
                self._test(arm, scope),
                self.block(arm.child_by_field_name("consequence"), scope),
            )
            for arm in arms
        ]
        if len(lowered) > _CHAIN_LIMIT:
            cases = [Case(extent, [test], body) for extent, test, body in lowered]
            if otherwise:
                cases.append(Case(extent_of(node), [], otherwise))
            return [Switch(extent_of(node), None, cases, breakable=False)]
        for (start, end), test, body in reversed(lowered[1:]):
            otherwise = [If((start, max(end, node.end_byte)), test, body, otherwise)]
        return [If(extent_of(node), lowered[0][1], lowered[0][2], otherwise)]

    def _test(self, node: Node, scope: Scope) -> Term:
        condition = node.child_by_field_name("condition")
        return self.terms.term(condition, scope) if condition is not None else Several(extent_of(node))

    def _while(self, node: Node, scope: Scope) -> list[Statement]:
        test: Term | None = self._test(node, scope)
        if isinstance(test, Constant) and test.kind in ("bool", "number") and test.value:
            test = None
        body = self.block(node.child_by_field_name("body"), scope)
        return [While(extent_of(node), test, body, otherwise=self._else(node, scope))]

    def _else(self, node: Node, scope: Scope) -> list[Statement]:
        clause = node.child_by_field_name("alternative") or next(
            (c for c in node.children if c.type == "else_clause"), None
        )
        return self.block(clause.child_by_field_name("body"), scope) if clause is not None else []

    def _for(self, node: Node, scope: Scope) -> list[Statement]:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        iterable = self.terms.term(right, scope) if right is not None else Several(extent_of(node))
        targets = [self.terms.target(leaf, scope) for leaf in leaves(left)] if left is not None else []
        body = self.block(node.child_by_field_name("body"), scope)
        otherwise = self._else(node, scope)
        return [
            ForEach(extent_of(node), targets, iterable, body, suspends=_is_async(node), otherwise=otherwise)
        ]

    def _try(self, node: Node, scope: Scope) -> list[Statement]:
        result = Try(extent_of(node), self.block(node.child_by_field_name("body"), scope))
        for clause in node.named_children:
            if clause.type in ("except_clause", "except_group_clause"):
                result.handlers.append(self._handler(clause, scope))
            elif clause.type == "else_clause":
                result.otherwise = self.block(clause.child_by_field_name("body"), scope)
            elif clause.type == "finally_clause":
                result.final = self.block(next((c for c in parts(clause) if c.type == "block"), None), scope)
            elif clause.type == "ERROR":
                result.body += self.block(clause, scope)
        return [result]

    def _handler(self, node: Node, scope: Scope) -> Handler:
        handler = Handler(extent_of(node), [])
        values = node.children_by_field_name("value")
        if values and values[-1].type == "as_pattern":
            named = values.pop()
            alias = named.child_by_field_name("alias")
            leaf = next(leaves(alias), None) if alias is not None else None
            handler.target = self.terms.target(leaf, scope) if leaf is not None else None
            values += parts(named)[:1]
        if values:
            handler.types = [self._type(leaf, scope) for value in values for leaf in leaves(value)]
            handler.catches_all = any(name in _CATCH_ALL for name in handler.types)
        handler.body = self.block(next((c for c in parts(node) if c.type == "block"), None), scope)
        return handler

    def _type(self, node: Node, scope: Scope) -> str:
        return self.terms.names.annotation(node, scope) or name_of(node)

    def _with(self, node: Node, scope: Scope) -> list[Statement]:
        clause = next((c for c in node.named_children if c.type == "with_clause"), None)
        result = With(extent_of(node), [], [], suspends=_is_async(node))
        for item in parts(clause) if clause is not None else []:
            value, target = item.child_by_field_name("value"), None
            if value is None:
                continue
            named = value.child_by_field_name("alias") if value.type == "as_pattern" else None
            if value.type == "as_pattern" and parts(value):
                value = parts(value)[0]
            context = self.terms.term(value, scope)
            if named is not None:
                target = self._context_target(named, context, scope)
            callee = context.callee if isinstance(context, Call) else None
            result.swallows = result.swallows or (
                isinstance(callee, Ref) and _origin(callee.place) in _SWALLOWERS
            )
            result.items.append((context, target))
        result.body = self.block(node.child_by_field_name("body"), scope)
        return [result]

    def _context_target(self, node: Node, context: Term, scope: Scope) -> Term | None:
        found = list(leaves(node))
        targets = [self.terms.target(leaf, scope) for leaf in found]
        if len(targets) != 1:
            return Sequence(extent_of(node), targets) if targets else None
        # A manager nearly always hands out itself: the variable's value is what made it.
        self.terms.store(extent_of(node), found[0], targets[0], context)
        return targets[0]

    def _match(self, node: Node, scope: Scope) -> list[Statement]:
        subjects = [self.terms.term(n, scope) for n in node.children_by_field_name("subject")]
        subject: Term | None = None
        if subjects:
            subject = subjects[0] if len(subjects) == 1 else Sequence(extent_of(node), subjects)
        fragment = node.start_byte < self.synthetic
        before: list[Statement] = []
        if fragment:
            subject = None
        elif isinstance(subject, (Call, Suspend)):
            # What is taken apart needs a place that its parts are fields of.
            held = Binding("", "local", scope.function, constant=True)
            held.initial = subject
            whole = Ref(subject.extent, Place(held))
            before.append(Evaluate(subject.extent, Store(subject.extent, whole, subject, declares=True)))
            subject = Ref(subject.extent, Place(held))
        result = Switch(extent_of(node), subject, [], fragment=fragment, breakable=False)
        body = node.child_by_field_name("body")
        for clause in parts(body) if body is not None else []:
            if clause.type != "case_clause":
                continue
            tests, captures, opaque = self.patterns.case(clause, subject, scope)
            stores: list[Statement] = [Evaluate(s.extent, s) for s in captures]
            inner = self.block(clause.child_by_field_name("consequence"), scope)
            case = Case(extent_of(clause), tests, inner, pattern=opaque)
            guard = clause.child_by_field_name("guard")
            if guard is not None:
                conditions = [self.terms.term(c, scope) for c in parts(guard)]
                case.guard = conditions[0] if len(conditions) == 1 else Several(extent_of(guard), conditions)
            if tests or guard is not None:
                case.before = stores
            else:
                # A default: nothing is tested before its captures.
                case.body = stores + inner
            result.cases.append(case)
        return [*before, result]

    # -- leaving ---------------------------------------------------------------------------------

    def _return(self, node: Node, scope: Scope) -> list[Statement]:
        value = next(iter(parts(node)), None)
        return [Return(extent_of(node), self.terms.term(value, scope) if value is not None else None)]

    def _raise(self, node: Node, scope: Scope) -> list[Statement]:
        cause = node.child_by_field_name("cause")
        value = next((n for n in parts(node) if n != cause), None)
        return [Raise(extent_of(node), self.terms.term(value, scope) if value is not None else None)]

    def _break(self, node: Node, scope: Scope) -> list[Statement]:
        return [Break(extent_of(node))]

    def _continue(self, node: Node, scope: Scope) -> list[Statement]:
        return [Continue(extent_of(node))]

    def _assert(self, node: Node, scope: Scope) -> list[Statement]:
        test, *message = [self.terms.term(n, scope) for n in parts(node)] or [Several(extent_of(node))]
        extent = extent_of(node)
        return [If(extent, Not(test.extent, test), [Raise(extent, message[0] if message else None)])]

    # -- definitions -----------------------------------------------------------------------------

    def _function(self, node: Node, scope: Scope) -> list[Statement]:
        """What a `def` evaluates where it stands: its decorators and defaults."""
        terms: list[Term] = []
        definition = self.terms.names.definitions.get(node.id)
        if definition is not None:
            terms += definition.decorators
        listing = node.child_by_field_name("parameters")
        for parameter in parts(listing) if listing is not None else []:
            default = parameter.child_by_field_name("value")
            if default is not None:
                terms.append(self.terms.term(default, scope))
        return [Evaluate(t.extent, t) for t in terms]

    def _class(self, node: Node, scope: Scope) -> list[Statement]:
        """What a `class` evaluates where it stands: its bases, then its body, whose assignments are to its fields."""
        statements: list[Statement] = []
        listing = node.child_by_field_name("superclasses")
        for base in parts(listing) if listing is not None else []:
            value = base.child_by_field_name("value") if base.type == "keyword_argument" else base
            if value is not None:
                statements.append(Evaluate(extent_of(value), self.terms.term(value, scope)))
        definition = self.terms.names.classes.get(node.id)
        if definition is not None and definition.scope is not None:
            statements += self.block(node.child_by_field_name("body"), definition.scope)
        return statements

    def _decorated(self, node: Node, scope: Scope) -> list[Statement]:
        definition = node.child_by_field_name("definition")
        if definition is None:
            return []
        statements: list[Statement] = []
        if definition.type == "class_definition":
            for decorator in parts(node):
                if decorator.type == "decorator":
                    terms = [self.terms.term(n, scope) for n in parts(decorator)]
                    statements += [Evaluate(t.extent, t) for t in terms]
        return statements + self.statement(definition, scope)


def _origin(place: Place | None) -> str | None:
    """The canonical name of a place, or None."""
    if place is None or place.root.kind not in ("import", "global") or place.root.origin is None:
        return None
    return ".".join((place.root.origin, *place.path))


def _is_async(node: Node) -> bool:
    return any(c.type == "async" for c in node.children)
