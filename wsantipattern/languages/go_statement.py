"""Go statements as the model's statements.

Lowers the body of one function at a time; broken text is lowered as far as it reads. A function literal that is called
or deferred where it stands is lowered in place, as a Region; every other one is left to itself.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from wsantipattern.languages.go_scope import Variable
from wsantipattern.languages.go_syntax import has_token, listed, only, operator_of, parts, repeated, spelled
from wsantipattern.languages.go_term import MAX_DEPTH, Terms, binding_of, extent
from wsantipattern.model.module import Function
from wsantipattern.model.place import Binding, Place
from wsantipattern.model.term import (
    Block,
    Break,
    Call,
    Case,
    Constant,
    Continue,
    Defer,
    Evaluate,
    ForEach,
    Goto,
    Halt,
    If,
    Raise,
    Record,
    Ref,
    Region,
    Result,
    Return,
    Sequence,
    Several,
    Spawn,
    Statement,
    Store,
    Switch,
    Term,
    While,
)

_HALTS = frozenset({"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "runtime.Goexit"})
_PANICS = frozenset({"log.Panic", "log.Panicf", "log.Panicln"})
_SILENT = frozenset(
    [
        "comment",
        "empty_statement",
        "package_clause",
        "import_declaration",
        "type_declaration",
        "function_declaration",
        "method_declaration",
        "label_name",
    ]
)

Out = list[Statement]


class Statements:
    """Lowers the bodies of one file's functions."""

    def __init__(self, terms: Terms, fragment: tuple[int, int] | None) -> None:
        self.terms = terms
        self.names = terms.names
        self.types = terms.types
        self.fragment = fragment
        self.inlined: dict[Function, Out] = {}
        self._bodies: dict[tuple[int, int], Node] = {}
        self._tops: dict[tuple[int, int], Out] = {}
        terms.region = self._region
        self._handlers: dict[str, Callable[[Node, Out], None]] = {
            "block": self._block,
            "statement_list": self._sequence,
            "ERROR": self._sequence,
            "expression_statement": self._expression,
            "send_statement": self._send,
            "receive_statement": self._receive,
            "inc_statement": self._step,
            "dec_statement": self._step,
            "assignment_statement": self._assignment,
            "short_var_declaration": self._short,
            "var_declaration": self._sequence,
            "var_spec_list": self._sequence,
            "var_spec": self._var,
            "const_declaration": self._const,
            "if_statement": self._if,
            "for_statement": self._for,
            "expression_switch_statement": self._switch,
            "type_switch_statement": self._type_switch,
            "select_statement": self._select,
            "labeled_statement": self._labeled,
            "return_statement": self._return,
            "break_statement": lambda node, out: out.append(Break(extent(node), _label(node))),
            "continue_statement": lambda node, out: out.append(Continue(extent(node), _label(node))),
            "goto_statement": lambda node, out: out.append(Goto(extent(node), _label(node) or "")),
            "fallthrough_statement": lambda node, out: None,
            "defer_statement": self._defer,
            "go_statement": self._go,
        } | dict.fromkeys(_SILENT, lambda node, out: None)
        self._pending_label: str | None = None
        self._label: str | None = None

    # -- bodies ----------------------------------------------------------------------------------

    def body(self, node: Node) -> Out:
        """The statements of a function that is not inlined, from its own node."""
        block = node.child_by_field_name("body")
        depth, self.terms.depth = self.terms.depth, 0
        try:
            return self.statements(parts(block)) if block is not None else []
        finally:
            self.terms.depth = depth

    def inlined_body(self, function: Function) -> Out:
        """The statements of an inlined function: those that its host holds; empty where the host left it out."""
        _ = self.names.hosts[function].body
        return self.inlined.get(function, [])

    def top(self, root: Node) -> Out:
        """The statements of the file itself."""
        out: Out = []
        for node in parts(root):
            out.extend(self.top_statements(node))
        return out

    def top_statements(self, node: Node) -> Out:
        """One top-level declaration or statement, lowered once."""
        cached = self._tops.get(extent(node))
        if cached is None:
            cached = self._tops[extent(node)] = self.statements([node])
        return cached

    def statements(self, nodes: list[Node]) -> Out:
        out: Out = []
        for node in nodes:
            self.statement(node, out)
        return out

    def statement(self, node: Node, out: Out) -> None:
        """Adds what a statement does to `out`."""
        if self.terms.depth >= MAX_DEPTH:
            return
        kind = node.type
        if kind in (
            "for_statement",
            "expression_switch_statement",
            "type_switch_statement",
            "select_statement",
        ):
            label = self._pending_label
        else:
            label = None
        self._pending_label = None
        handler = self._handlers.get(kind)
        self.terms.depth += 1
        try:
            if handler is None:
                out.append(Evaluate(extent(node), self.terms.term(node)))
            else:
                self._label = label
                handler(node, out)
        finally:
            self.terms.depth -= 1

    def nested(self, node: Node | None) -> Out:
        """The statements of a block, or of the one statement that stands for it."""
        if node is None:
            return []
        return self.statements(parts(node) if node.type in ("block", "statement_list") else [node])

    def _sequence(self, node: Node, out: Out) -> None:
        for child in parts(node):
            self.statement(child, out)

    def _block(self, node: Node, out: Out) -> None:
        out.append(Block(extent(node), self.statements(parts(node))))

    # -- simple statements -----------------------------------------------------------------------

    def _expression(self, node: Node, out: Out) -> None:
        inner = only(node)
        if inner is None:
            return
        call: Node | None = inner
        while call is not None and call.type == "parenthesized_expression":
            call = only(call)
        term = self.terms.term(inner)
        if not isinstance(term, Call) or call is None:
            out.append(Evaluate(extent(node), term))
            return
        canonical = self.terms.module.canonical(term.callee)
        if canonical == "panic" and self.terms.builtin(call.child_by_field_name("function")) == "panic":
            out.append(Raise(extent(node), term.arguments[0] if term.arguments else None))
        elif canonical in _PANICS:
            out.append(Raise(extent(node), term))
        elif canonical in _HALTS:
            out.append(Halt(extent(node), term))
        else:
            out.append(Evaluate(extent(node), term))

    def _send(self, node: Node, out: Out) -> None:
        channel, value = node.child_by_field_name("channel"), node.child_by_field_name("value")
        out.append(
            Evaluate(
                extent(node), Several(extent(node), self.terms.terms([n for n in (channel, value) if n]))
            )
        )

    def _receive(self, node: Node, out: Out) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        declares = has_token(node, ":=")
        self._give(node, listed(left), [right] if right is not None else [], out, declares)

    def _step(self, node: Node, out: Out) -> None:
        operand = only(node)
        if operand is None:
            return
        one = Constant((operand.end_byte, node.end_byte), "number", 1)
        target = self.terms.target(operand) or Several(extent(operand))
        out.append(
            Evaluate(
                extent(node), Store(extent(node), target, one, "+" if node.type == "inc_statement" else "-")
            )
        )

    def _assignment(self, node: Node, out: Out) -> None:
        left, right = listed(node.child_by_field_name("left")), listed(node.child_by_field_name("right"))
        operator = operator_of(node)
        if operator != "=" and len(left) == 1 and len(right) == 1:
            target, value = self.terms.target(left[0]), self.terms.term(right[0])
            op = operator.removesuffix("=")
            out.append(
                Evaluate(
                    extent(node), Store(extent(node), target, value, op) if target is not None else value
                )
            )
            return
        self._give(node, left, right, out, False)

    def _short(self, node: Node, out: Out) -> None:
        left, right = listed(node.child_by_field_name("left")), listed(node.child_by_field_name("right"))
        self._give(node, left, right, out, True)

    def _give(self, node: Node, left: list[Node], right: list[Node], out: Out, declares: bool) -> None:
        """Assigns or declares; `declares` where the statement is `:=`, which may also assign what is declared."""
        if len(right) == 1 and len(left) != 1:
            value = self.terms.term(right[0])
            if not left:
                out.append(Evaluate(extent(node), value))
                return
            for index, written in enumerate(left):
                result = Result(value.extent, value, index)
                self._store(node, written, result, out, declares)
            return
        values = self.terms.terms(right)
        for written, value in zip(left, values, strict=False):
            self._store(node, written, value, out, declares)
        for extra in values[len(left) :]:
            out.append(Evaluate(extent(node), extra))

    def _store(self, node: Node, written: Node, value: Term, out: Out, declares: bool) -> None:
        if declares:
            target = self.terms.declared(written, node)
        else:
            target = self.terms.target(written)
        if target is None:
            # `_` takes the value and drops it; only a first result still has to be evaluated.
            if not isinstance(value, Result) or value.index == 0:
                out.append(Evaluate(extent(node), value))
            return
        binding = binding_of(target)
        fresh = declares and isinstance(binding, Variable) and binding.since == node.end_byte
        if fresh:
            self._know(binding, value)
        where = extent(node) if not isinstance(value, Result) else (written.start_byte, node.end_byte)
        out.append(Evaluate(extent(node), Store(where, target, value, declares=fresh)))

    @staticmethod
    def _know(binding: Binding | None, value: Term) -> None:
        if isinstance(binding, Variable) and binding.constant:
            binding.initial = value

    def _var(self, node: Node, out: Out) -> None:
        written = repeated(node, "name")
        values, type_node = listed(node.child_by_field_name("value")), node.child_by_field_name("type")
        terms = self.terms.terms(values)
        shared = terms[0] if len(terms) == 1 and len(written) > 1 else None
        for index, name in enumerate(written):
            if shared is not None:
                value: Term = Result(shared.extent, shared, index)
            elif index < len(terms):
                value = terms[index]
            else:
                value = self._zero(node, type_node)
            self._store_spec(node, name, value, out)

    def _store_spec(self, node: Node, name: Node, value: Term, out: Out) -> None:
        if spelled(name) in ("_", ""):
            if not isinstance(value, Result) or value.index == 0:
                out.append(Evaluate(extent(node), value))
            return
        binding = self.names.resolve(spelled(name), node.start_byte, node.end_byte)
        self._know(binding, value)
        out.append(
            Evaluate(
                extent(node), Store(extent(node), Ref(extent(name), Place(binding)), value, declares=True)
            )
        )

    def _zero(self, node: Node, type_node: Node | None) -> Term:
        where = (node.end_byte, node.end_byte)
        if type_node is None:
            return Several(where)
        if self.types.has_literal_zero(type_node):
            value = self.types.zero(type_node)
            if isinstance(value, bool):
                return Constant(where, "bool", value)
            if isinstance(value, int):
                return Constant(where, "number", value)
            return Constant(where, "null", None) if value is None else Constant(where, "string", value)
        shape = self.types.underlying(type_node)
        if isinstance(shape, Node) and shape.type == "array_type":
            return Sequence(where)
        return Record(where, [], self.types.canonical(type_node))

    def _const(self, node: Node, out: Out) -> None:
        """A group of constants; one without a value repeats the expression above it with the next `iota`."""
        above: list[Node] = []
        specs = [spec for spec in parts(node) if spec.type == "const_spec"]
        for number, spec in enumerate(specs):
            above = listed(spec.child_by_field_name("value")) or above
            outer, self.terms.iota = self.terms.iota, number
            for name, value in zip(repeated(spec, "name"), above, strict=False):
                self._store_spec(spec, name, self.terms.term(value), out)
            self.terms.iota = outer

    # -- branches --------------------------------------------------------------------------------

    def _if(self, node: Node, out: Out) -> None:
        # A chain of `else if` is walked here, not by recursion, and built from its end.
        links: list[tuple[Node, Out]] = []
        current: Node | None = node
        while current is not None and current.type == "if_statement" and len(links) < MAX_DEPTH // 2:
            before: Out = []
            initializer = current.child_by_field_name("initializer")
            if initializer is not None:
                self.statement(initializer, before)
            links.append((current, before))
            current = current.child_by_field_name("alternative")
        tail = self.nested(current) if current is not None and current.type != "if_statement" else []
        for link, before in reversed(links):
            test = self.terms.term(link.child_by_field_name("condition"), link)
            then = self.nested(link.child_by_field_name("consequence"))
            tail = [*before, If(extent(link), test, then, tail)]
        out.extend(tail)

    def _for(self, node: Node, out: Out) -> None:
        label, body = self._label, node.child_by_field_name("body")
        head = next((n for n in parts(node) if body is None or n.start_byte < body.start_byte), None)
        if head is None or head.type == "ERROR":
            out.append(While(extent(node), None, self.nested(body), label=label))
        elif head.type == "range_clause":
            out.append(self._range(node, head, body, label))
        elif head.type == "for_clause":
            initializer, update = head.child_by_field_name("initializer"), head.child_by_field_name("update")
            condition = head.child_by_field_name("condition")
            if initializer is not None:
                self.statement(initializer, out)
            test = self.terms.term(condition) if condition is not None else None
            inside = self.nested(body)
            out.append(While(extent(node), test, inside, self.nested(update), label=label))
        else:
            test = self.terms.term(head)
            out.append(While(extent(node), test, self.nested(body), label=label))

    def _range(self, node: Node, clause: Node, body: Node | None, label: str | None) -> Statement:
        """The key is among the targets where it is named; a lone value is the only target."""
        right = clause.child_by_field_name("right")
        declares = has_token(clause, ":=")
        targets: list[Term] = []
        for written in listed(clause.child_by_field_name("left")):
            target = self.terms.declared(written, clause) if declares else self.terms.target(written)
            if target is not None:
                targets.append(target)
        suspends = self.types.is_channel(self.types.of(right))
        iterable = self.terms.term(right, clause)
        return ForEach(extent(node), targets, iterable, self.nested(body), suspends=suspends, label=label)

    def _switch(self, node: Node, out: Out) -> None:
        label = self._label
        initializer, value = node.child_by_field_name("initializer"), node.child_by_field_name("value")
        if initializer is not None:
            self.statement(initializer, out)
        subject = self.terms.term(value) if value is not None else None
        cases = [
            Case(
                extent(case),
                [self.terms.term(test) for test in listed(case.child_by_field_name("value"))],
                self._case_body(case),
                falls_through=_falls_through(case),
            )
            for case in parts(node)
            if case.type in ("expression_case", "default_case")
        ]
        fragment = extent(node) == self.fragment
        out.append(Switch(extent(node), subject, cases, label=label, fragment=fragment))

    def _type_switch(self, node: Node, out: Out) -> None:
        label = self._label
        initializer, value = node.child_by_field_name("initializer"), node.child_by_field_name("value")
        alias = node.child_by_field_name("alias")
        named = only(alias) if alias is not None else None
        if initializer is not None:
            self.statement(initializer, out)
        subject = self.terms.term(value, node)
        if named is not None and not isinstance(subject, Ref):
            # Every case names the value: it is evaluated once, before them.
            subject = self._hold(subject, named, out)
        cases: list[Case] = []
        for case in parts(node):
            if case.type not in ("type_case", "default_case"):
                continue
            tests = [self.terms.term(type_) for type_ in repeated(case, "type")]
            inside: Out = []
            if named is not None and spelled(named) != "_":
                binding = self.names.resolve(spelled(named), case.start_byte)
                source = Ref(subject.extent, subject.place) if isinstance(subject, Ref) else subject
                self._know(binding, source)
                store = Store(extent(named), Ref(extent(named), Place(binding)), source, declares=True)
                inside.append(Evaluate(extent(named), store))
            inside.extend(self._case_body(case))
            cases.append(Case(extent(case), tests, inside, pattern=True))
        out.append(Switch(extent(node), subject, cases, label=label))

    def _select(self, node: Node, out: Out) -> None:
        label = self._label
        cases: list[Case] = []
        for case in parts(node):
            if case.type not in ("communication_case", "default_case"):
                continue
            before: Out = []
            communication = case.child_by_field_name("communication")
            if communication is not None:
                self.statement(communication, before)
            cases.append(Case(extent(case), [], self._case_body(case), before))
        fragment = extent(node) == self.fragment
        out.append(Switch(extent(node), None, cases, "select", label, fragment))

    def _case_body(self, case: Node) -> Out:
        out: Out = []
        colon = next((child.start_byte for child in case.children if child.type == ":"), case.start_byte)
        for child in parts(case):
            if child.start_byte > colon:
                self.statement(child, out)
        return out

    def _labeled(self, node: Node, out: Out) -> None:
        label = spelled(node.child_by_field_name("label"))
        inner = [child for child in parts(node) if child.type != "label_name"]
        if inner and inner[0].type in (
            "for_statement",
            "expression_switch_statement",
            "type_switch_statement",
            "select_statement",
        ):
            self._pending_label = label
            self.statement(inner[0], out)
        else:
            out.append(Block(extent(node), self.statements(inner), label))

    # -- leaving ---------------------------------------------------------------------------------

    def _return(self, node: Node, out: Out) -> None:
        inner = only(node)
        values = self.terms.terms(listed(inner))
        if len(values) > 1 and inner is not None:
            out.append(Return(extent(node), Sequence(extent(inner), values)))
        else:
            out.append(Return(extent(node), values[0] if values else None))

    def _defer(self, node: Node, out: Out) -> None:
        call = only(node)
        if call is None:
            return
        term = self.terms.term(call)
        if isinstance(term, Call) and isinstance(term.callee, Call):
            # `defer begin()()`: what is deferred is made now.
            term.callee = self._hold(term.callee, call, out)
        out.append(Defer(extent(node), [Evaluate(extent(call), term)]))

    def _go(self, node: Node, out: Out) -> None:
        call = only(node)
        if call is not None:
            out.append(Spawn(extent(node), term=self.terms.term(call)))

    def _hold(self, value: Term, node: Node, out: Out) -> Ref:
        """Evaluates a value into a variable without a name, and reads it."""
        scope = self.names.unit_at(node.start_byte).at(node.start_byte)
        held = Variable("", "local", scope.function, node.end_byte)
        held.constant, held.initial = True, value
        out.append(
            Evaluate(value.extent, Store(value.extent, Ref(value.extent, Place(held)), value, declares=True))
        )
        return Ref(value.extent, Place(held))

    # -- inlined literals ------------------------------------------------------------------------

    def _region(self, call: Node, function: Function, arguments: list[Term]) -> Term:
        """A function literal run where it stands; its parameters are given their arguments first."""
        literal = self._literal_of(call)
        block = literal.child_by_field_name("body") if literal is not None else None
        body: Out = []
        for index, argument in enumerate(arguments):
            parameter = function.parameters[index] if index < len(function.parameters) else None
            if parameter is None or len(arguments) != len(function.parameters):
                body.append(Evaluate(argument.extent, argument))
                continue
            self._know(parameter, argument)
            target = Ref(argument.extent, Place(parameter))
            body.append(Evaluate(argument.extent, Store(argument.extent, target, argument, declares=True)))
        own = self.statements(parts(block)) if block is not None else []
        self.inlined[function] = own
        return Region(extent(call), body + own, function=function)

    @staticmethod
    def _literal_of(call: Node) -> Node | None:
        literal = call.child_by_field_name("function")
        while literal is not None and literal.type == "parenthesized_expression":
            literal = only(literal)
        if literal is not None and literal.type != "func_literal":
            arguments = call.child_by_field_name("arguments")
            return only(arguments) if arguments is not None else None
        return literal


def _label(node: Node) -> str | None:
    return next((spelled(child) for child in parts(node) if child.type == "label_name"), None)


def _falls_through(case: Node) -> bool:
    last = case.named_children[-1] if case.named_children else None
    if last is not None and last.type == "statement_list":
        last = next((child for child in reversed(last.named_children) if child.type != "comment"), None)
    return last is not None and last.type == "fallthrough_statement"
