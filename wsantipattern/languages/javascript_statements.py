"""Statements of JavaScript and TypeScript, and the bodies of functions, lowered.

A function's body starts with what its parameters do (defaults, patterns) and, for a constructor, with the fields of
the class. Types, interfaces and ambient declarations have no statements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_file import File, JavaScriptFunction
from wsantipattern.languages.javascript_patterns import DEPTH
from wsantipattern.languages.javascript_promise import Promises, each_label
from wsantipattern.languages.javascript_scope import Scope
from wsantipattern.languages.javascript_syntax import extent_of, key_name, parameter_default, unwrap, word
from wsantipattern.languages.javascript_terms import WIDTH, operands
from wsantipattern.languages.javascript_types import is_property
from wsantipattern.model.module import Function
from wsantipattern.model.place import ELEMENT, Place
from wsantipattern.model.term import (
    Block,
    Break,
    Call,
    Case,
    Constant,
    Continue,
    Evaluate,
    ForEach,
    Halt,
    Handler,
    If,
    Raise,
    Record,
    Ref,
    Return,
    Several,
    Statement,
    Store,
    Switch,
    Term,
    Try,
    While,
)

if TYPE_CHECKING:
    from tree_sitter import Node


def lower_function(function: Function) -> list[Statement]:
    """The statements of a function's body."""
    assert isinstance(function, JavaScriptFunction)
    file = function.file
    scope = function.inner or file.top_scope
    lowering = Statements(file, function, scope)
    if function.kind == "top":
        return lowering.statements(file.root.named_children)
    statements: list[Statement] = []
    owner = function.owner
    if function.node is not None:
        statements += lowering.parameters()
    if function.kind == "constructor" and owner is not None and owner in file.fields:
        statements += lowering.parameter_fields()
        statements += lowering.fields()
    if function.node is None:
        return statements
    body = function.node.child_by_field_name("body")
    if body is None:
        return statements
    if body.type == "statement_block":
        return statements + lowering.statements(body.named_children)
    return statements + lowering.concise(body)


class Statements(Promises):
    """Lowers the statements of one function."""

    # -- bodies ----------------------------------------------------------------------------------------

    def concise(self, node: Node) -> list[Statement]:
        """The body of an arrow function that is one expression."""
        loop = self.each(node)
        if loop is not None:
            return loop
        role = self.function.role if isinstance(self.function, JavaScriptFunction) else ""
        if role in ("each", "executor", "final"):
            return self.expression(node, node)
        value = self.returned(node)
        if isinstance(value, Call) and self.file.module.canonical(value.callee) in _EXITS:
            return [Halt(extent_of(node), value)]
        return [Return(extent_of(node), value)]

    def parameters(self) -> list[Statement]:
        """Defaults and patterns of the parameters."""
        function = self.function
        assert isinstance(function, JavaScriptFunction)
        made: list[Statement] = []
        for index, (node, pattern) in enumerate(function.written):
            place = Place(function.parameters[index])
            default = parameter_default(node)
            if default is not None:
                target = Ref(extent_of(pattern), place)
                store = Store(extent_of(node), target, self.lower(default), "??", declares=True)
                made.append(Evaluate(extent_of(node), store))
            if pattern.type != "identifier":
                stores = self.file.stores.get(node.id)
                if stores is None:
                    value = Ref(extent_of(pattern), place)
                    stores = self.bind(pattern, value, extent_of(pattern), True)
                    self.file.stores[node.id] = stores
                made.extend(Evaluate(store.extent, store) for store in stores)
        return made

    def parameter_fields(self) -> list[Statement]:
        """The stores of `constructor(private ws: WebSocket)`."""
        function = self.function
        assert isinstance(function, JavaScriptFunction)
        assert function.owner is not None
        made: list[Statement] = []
        parameters = function.node.child_by_field_name("parameters") if function.node is not None else None
        for node in parameters.named_children if parameters is not None else []:
            name = node.child_by_field_name("pattern") if is_property(node) else None
            if name is not None:
                extent = extent_of(name)
                target = Ref(extent, Place(function.owner.this, (word(name),)))
                made.append(Evaluate(extent, Store(extent, target, self.identifier(name))))
        return made

    def fields(self) -> list[Statement]:
        """The initialisers of a class's fields."""
        owner = self.function.owner
        assert owner is not None
        lowering = Statements(self.file, self.function, self.file.field_scopes[owner])
        made: list[Statement] = []
        for node in self.file.fields[owner]:
            value = node.child_by_field_name("value")
            if value is None:
                continue
            key = node.child_by_field_name("name") or node.child_by_field_name("property")
            place = Place(owner.this, (key_name(key) or ELEMENT,))
            target = Ref(extent_of(key) if key is not None else extent_of(node), place)
            made.append(Evaluate(extent_of(node), Store(extent_of(node), target, lowering.lower(value))))
        return made

    def class_body(self, node: Node) -> list[Statement]:
        """Heritage, decorators, static fields and static blocks."""
        made: list[Statement] = []
        owner = self.file.classes.get(node.id)
        body = node.child_by_field_name("body")
        binding = None
        name = node.child_by_field_name("name")
        if name is not None:
            binding = self.scope.lookup(word(name))
        for part in node.named_children:
            if part.type == "decorator":
                made.append(Evaluate(extent_of(part), self.unknown(part)))
            elif part.type == "class_heritage":
                for heritage in part.named_children:
                    value = (
                        heritage.child_by_field_name("value")
                        if heritage.type == "extends_clause"
                        else heritage
                    )
                    if value is not None and value.type != "implements_clause":
                        made.append(Evaluate(extent_of(value), self.lower(value)))
        if owner is None or body is None:
            return made
        kept = self.file.fields.get(owner, [])
        instance = {field.id for field in kept}
        for member in body.named_children:
            if member.type in ("field_definition", "public_field_definition") and member.id not in instance:
                value = member.child_by_field_name("value")
                key = member.child_by_field_name("name") or member.child_by_field_name("property")
                if value is None or key is None:
                    continue
                term = self.lower(value)
                if binding is not None:
                    place = Place(binding, (key_name(key) or ELEMENT,))
                    term = Store(extent_of(member), Ref(extent_of(key), place), term)
                made.append(Evaluate(extent_of(member), term))
            elif member.type == "class_static_block":
                inner = member.child_by_field_name("body")
                if inner is not None:
                    made.append(Block(extent_of(member), self.block(inner)))
        return made

    # -- lists -----------------------------------------------------------------------------------------

    def statements(self, nodes: list[Node]) -> list[Statement]:
        made: list[Statement] = []
        for node in nodes:
            made.extend(self.statement(node))
        return made

    def statement(self, node: Node, label: str | None = None) -> list[Statement]:
        """The statements that a statement becomes."""
        kind = node.type
        if kind in _NOTHING:
            return []
        file = self.file
        if file.depth >= DEPTH:
            return [Evaluate(extent_of(node), Several(extent_of(node)))]
        handler = _STATEMENTS.get(kind)
        outer = self.scope
        inner = file.scopes.get(node.id)
        file.depth += 1
        if inner is not None:
            self.scope = inner
        try:
            if handler is not None:
                made = handler(self, node, label)
            elif kind == "ERROR":
                made = self.broken(node)
            else:
                made = self.expression(node, node)
        finally:
            self.scope = outer
            file.depth -= 1
        if label is not None and kind not in _LABELLED:
            return [Block(extent_of(node), made, label)]
        return made

    def block(self, node: Node | None) -> list[Statement]:
        """The body of a control statement: a block's statements, or the one statement."""
        if node is None:
            return []
        if node.type == "else_clause":
            inner = operands(node)
            return self.block(inner[0]) if inner else []
        if node.type != "statement_block":
            return self.statement(node)
        outer = self.scope
        self.scope = self.file.scopes.get(node.id) or outer
        try:
            return self.statements(node.named_children)
        finally:
            self.scope = outer

    def broken(self, node: Node) -> list[Statement]:
        """What can be told of text that does not parse."""
        children = node.named_children
        return self.statements(children) if len(children) <= WIDTH else []

    # -- simple ----------------------------------------------------------------------------------------

    def expression(self, node: Node, whole: Node) -> list[Statement]:
        inner = unwrap(node)
        if inner.type == "sequence_expression":
            made: list[Statement] = []
            for part in operands(inner):
                made.extend(self.expression(part, part))
            return made
        if inner.type == "internal_module":
            return self.namespace(inner, None)
        loop = self.each(inner)
        if loop is not None:
            return loop
        detached = self.detached(inner)
        if detached is not None:
            return [detached]
        if inner.type == "assignment_expression":
            return [Evaluate(extent_of(whole), store) for store in self.stores(inner)]
        term = self.lower(inner)
        if isinstance(term, Call) and self.file.module.canonical(term.callee) in _EXITS:
            return [Halt(extent_of(whole), term)]
        return [Evaluate(extent_of(whole), term)]

    def expression_statement(self, node: Node, label: str | None) -> list[Statement]:
        inner = operands(node)
        return self.expression(inner[0], node) if inner else []

    def declaration(self, node: Node, label: str | None) -> list[Statement]:
        made: list[Statement] = []
        keeps = node.type == "variable_declaration"
        for child in node.named_children:
            if child.type != "variable_declarator":
                if child.type == "ERROR":
                    made.extend(self.broken(child))
                continue
            if keeps and child.child_by_field_name("value") is None:
                continue
            made.extend(Evaluate(store.extent, store) for store in self.stores(child))
        return made

    def class_declaration(self, node: Node, label: str | None) -> list[Statement]:
        return self.class_body(node)

    def export(self, node: Node, label: str | None) -> list[Statement]:
        made: list[Statement] = [
            Evaluate(extent_of(child), self.unknown(child))
            for child in node.named_children
            if child.type == "decorator"
        ]
        declaration = node.child_by_field_name("declaration")
        value = node.child_by_field_name("value")
        if declaration is not None:
            made.extend(self.statement(declaration))
        elif value is not None:
            made.extend(self.expression(value, value))
        else:
            for child in node.named_children:
                if child.type not in (
                    "export_clause",
                    "namespace_export",
                    "string",
                    "decorator",
                    "identifier",
                ):
                    made.extend(self.statement(child))
        return made

    def enumeration(self, node: Node, label: str | None) -> list[Statement]:
        return [Evaluate(store.extent, store) for store in self.members(node)]

    def members(self, node: Node) -> list[Store]:
        """An enumeration as the object it is: its members with their values, counted up where none is written."""
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        kept = self.file.stores.get(node.id)
        if kept is None and name is not None and body is not None:
            entries: list[tuple[str | None, Term]] = []
            following: int | None = 0
            for member in body.named_children:
                value = member.child_by_field_name("value") if member.type == "enum_assignment" else None
                named = member.child_by_field_name("name") if member.type == "enum_assignment" else member
                if named is None or named.type not in ("property_identifier", "string", "enum_assignment"):
                    continue
                term: Term
                if value is not None:
                    term = self.lower(value)
                    number = term.value if isinstance(term, Constant) and term.kind == "number" else None
                    following = number + 1 if isinstance(number, int) else None
                elif following is None:
                    term = self.unknown(member)
                else:
                    term = Constant(extent_of(member), "number", following)
                    following += 1
                entries.append((key_name(named), term))
            kept = [
                Store(extent_of(node), self.target(name), Record(extent_of(body), entries), declares=True)
            ]
            self.file.stores[node.id] = kept
        return kept or []

    def namespace(self, node: Node, label: str | None) -> list[Statement]:
        return [Block(extent_of(node), self.block(node.child_by_field_name("body")))]

    def compound(self, node: Node, label: str | None) -> list[Statement]:
        return [Block(extent_of(node), self.statements(node.named_children), label)]

    def labelled(self, node: Node, label: str | None) -> list[Statement]:
        name, body = node.child_by_field_name("label"), node.child_by_field_name("body")
        if body is None:
            return []
        return self.statement(body, word(name) if name is not None else None)

    # -- branches --------------------------------------------------------------------------------------

    def branch(self, node: Node, label: str | None) -> list[Statement]:
        return [
            If(
                extent_of(node),
                self.field(node, "condition"),
                self.block(node.child_by_field_name("consequence")),
                self.block(node.child_by_field_name("alternative")),
            )
        ]

    def switch(self, node: Node, label: str | None) -> list[Statement]:
        subject: Term | None = self.field(node, "value")
        fragment = self.file.is_case_fragment and node.start_byte == 0
        if fragment:
            subject = None
        body = node.child_by_field_name("body")
        cases: list[Case] = []
        outer = self.scope
        if body is not None:
            self.scope = self.file.scopes.get(body.id) or outer
        for child in body.named_children if body is not None else []:
            if child.type not in ("switch_case", "switch_default"):
                continue
            value = child.child_by_field_name("value")
            statements: list[Statement] = []
            for part in child.named_children:
                if value is None or part.id != value.id:
                    statements.extend(self.statement(part))
            tests = [self.lower(value)] if value is not None else []
            cases.append(Case(extent_of(child), tests, statements, falls_through=not _leaves(statements)))
        self.scope = outer
        if cases:
            cases[-1].falls_through = False
        return [Switch(extent_of(node), subject, cases, label=label, fragment=fragment)]

    def attempt(self, node: Node, label: str | None) -> list[Statement]:
        handlers: list[Handler] = []
        handler = node.child_by_field_name("handler")
        body = self.block(node.child_by_field_name("body"))
        if handler is not None:
            handlers.append(self._handler_clause(handler))
        finalizer = node.child_by_field_name("finalizer")
        final = self.block(finalizer.child_by_field_name("body")) if finalizer is not None else []
        return [Try(extent_of(node), body, handlers, final=final)]

    def _handler_clause(self, node: Node) -> Handler:
        outer = self.scope
        self.scope = self.file.scopes.get(node.id) or outer
        try:
            parameter = node.child_by_field_name("parameter")
            target: Term | None = None
            body: list[Statement] = []
            if parameter is not None and parameter.type == "identifier":
                target = self.target(parameter)
            elif parameter is not None:
                kept = Ref(extent_of(parameter), Place(self._kept(None)))
                target = kept
                again = Ref(kept.extent, kept.place)
                stores = self.bind(parameter, again, kept.extent, True)
                body.extend(Evaluate(store.extent, store) for store in stores)
            return Handler(
                extent_of(node), body + self.block(node.child_by_field_name("body")), target=target
            )
        finally:
            self.scope = outer

    # -- loops -----------------------------------------------------------------------------------------

    def loop(self, node: Node, label: str | None) -> list[Statement]:
        test = self.field(node, "condition")
        body = self.block(node.child_by_field_name("body"))
        return [
            While(extent_of(node), _forever(test), body, post_test=node.type == "do_statement", label=label)
        ]

    def counted(self, node: Node, label: str | None) -> list[Statement]:
        initializer = node.child_by_field_name("initializer")
        condition = node.child_by_field_name("condition")
        increment = node.child_by_field_name("increment")
        made = self.statement(initializer) if initializer is not None else []
        test: Term | None = None
        if condition is not None and condition.type == "expression_statement":
            inner = operands(condition)
            condition = inner[0] if inner else None
        if condition is not None and condition.type not in ("empty_statement", ";"):
            test = self.lower(condition)
        update = self.expression(increment, increment) if increment is not None else []
        body = self.block(node.child_by_field_name("body"))
        loop = While(extent_of(node), _forever(test) if test is not None else None, body, update, label=label)
        return [*made, loop]

    def each_of(self, node: Node, label: str | None) -> list[Statement]:
        left = node.child_by_field_name("left")
        targets = self._targets(left) if left is not None else []
        suspends = any(child.type == "await" for child in node.children)
        iterable = self.field(node, "right")
        body = self.block(node.child_by_field_name("body"))
        return [ForEach(extent_of(node), targets, iterable, body, suspends=suspends, label=label)]

    def _targets(self, node: Node) -> list[Term]:
        """The names of a loop's pattern, in order."""
        node = unwrap(node)
        kind = node.type
        if kind in ("object_pattern", "array_pattern", "rest_pattern"):
            found: list[Term] = []
            for child in node.named_children:
                if child.type != "comment":
                    found.extend(self._targets(child))
            return found
        if kind == "pair_pattern":
            value = node.child_by_field_name("value")
            return self._targets(value) if value is not None else []
        if kind in ("assignment_pattern", "object_assignment_pattern"):
            left = node.child_by_field_name("left")
            return self._targets(left) if left is not None else []
        return [self.target(node)]

    # -- jumps -----------------------------------------------------------------------------------------

    def leave(self, node: Node, label: str | None) -> list[Statement]:
        inner = operands(node)
        extent = extent_of(node)
        function = self.function
        if isinstance(function, JavaScriptFunction) and function.role == "each":
            made: list[Statement] = self.expression(inner[0], inner[0]) if inner else []
            return [*made, Continue(extent, each_label(function))]
        return [Return(extent, self.returned(inner[0]) if inner else None)]

    def throw(self, node: Node, label: str | None) -> list[Statement]:
        inner = operands(node)
        return [Raise(extent_of(node), self.lower(inner[0]) if inner else None)]

    def stop(self, node: Node, label: str | None) -> list[Statement]:
        target = node.child_by_field_name("label")
        name = word(target) if target is not None else None
        return [
            Break(extent_of(node), name)
            if node.type == "break_statement"
            else Continue(extent_of(node), name)
        ]

    def scoped(self, node: Node, label: str | None) -> list[Statement]:
        """The `with` statement."""
        subject = Evaluate(extent_of(node), self.field(node, "object"))
        return [subject, Block(extent_of(node), self.block(node.child_by_field_name("body")))]


def _forever(test: Term) -> Term | None:
    """The test of a loop, None where it is always true."""
    if isinstance(test, Constant) and ((test.kind == "bool" and test.value) or test.value == 1):
        return None
    return test


def _leaves(statements: list[Statement]) -> bool:
    """Whether control does not reach the end, as far as the last statement tells."""
    if not statements:
        return False
    last = statements[-1]
    if isinstance(last, Break | Continue | Return | Raise | Halt):
        return True
    if isinstance(last, Block) and last.label is None:
        return _leaves(last.body)
    return isinstance(last, If) and _leaves(last.then) and _leaves(last.otherwise)


_NOTHING = frozenset(
    {
        "comment",
        "html_comment",
        "hash_bang_line",
        "empty_statement",
        "debugger_statement",
        "import_statement",
        "function_declaration",
        "generator_function_declaration",
        "function_signature",
        "interface_declaration",
        "type_alias_declaration",
        "ambient_declaration",
        "import_alias",
        "abstract_method_signature",
        "decorator",
        "property_identifier",
        "statement_identifier",
        "type_identifier",
        "type_annotation",
        "predefined_type",
        "formal_parameters",
        "accessibility_modifier",
        "jsx_text",
        "string_fragment",
    }
)
_EXITS = frozenset({"process.exit", "node:process.exit"})
_LABELLED = frozenset(
    {
        "for_statement",
        "for_in_statement",
        "while_statement",
        "do_statement",
        "switch_statement",
        "statement_block",
    }
)
_STATEMENTS: dict[str, Callable[[Statements, Node, str | None], list[Statement]]] = {
    "expression_statement": Statements.expression_statement,
    "lexical_declaration": Statements.declaration,
    "variable_declaration": Statements.declaration,
    "class_declaration": Statements.class_declaration,
    "abstract_class_declaration": Statements.class_declaration,
    "export_statement": Statements.export,
    "enum_declaration": Statements.enumeration,
    "internal_module": Statements.namespace,
    "module": Statements.namespace,
    "statement_block": Statements.compound,
    "labeled_statement": Statements.labelled,
    "if_statement": Statements.branch,
    "switch_statement": Statements.switch,
    "try_statement": Statements.attempt,
    "while_statement": Statements.loop,
    "do_statement": Statements.loop,
    "for_statement": Statements.counted,
    "for_in_statement": Statements.each_of,
    "return_statement": Statements.leave,
    "throw_statement": Statements.throw,
    "break_statement": Statements.stop,
    "continue_statement": Statements.stop,
    "with_statement": Statements.scoped,
}


def lower_site(file: File, node: Node, scope: Scope) -> list[Store]:
    """The stores of a declarator, assignment or destructured parameter, in its own scope."""
    function = scope.function
    kept = file.stores.get(node.id)
    if kept is not None:
        return kept
    lowering = Statements(file, function, scope)
    if node.type in ("variable_declarator", "assignment_expression"):
        return lowering.stores(node)
    if node.type == "enum_declaration":
        return lowering.members(node)
    if isinstance(function, JavaScriptFunction) and function.node is not None:
        lowering.parameters()
    return file.stores.get(node.id, [])
