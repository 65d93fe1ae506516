"""Expressions of JavaScript and TypeScript, lowered to terms.

Names are resolved and aliases followed here. Nesting deeper than `DEPTH` degrades to `Several([])`. What is run in
place (chains, executors, immediately invoked functions) is left to the subclass.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_file import JavaScriptFunction
from wsantipattern.languages.javascript_patterns import DEPTH, Patterns
from wsantipattern.languages.javascript_scope import Variable
from wsantipattern.languages.javascript_syntax import (
    extent_of,
    first_named,
    key_name,
    string_value,
    unwrap,
    word,
)
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.term import (
    Binary,
    Call,
    Choice,
    Closure,
    Constant,
    Delete,
    Element,
    Extent,
    Field,
    Logic,
    Not,
    Record,
    Ref,
    Region,
    Sequence,
    Several,
    Spread,
    Statement,
    Store,
    Suspend,
    Template,
    Term,
    Unary,
)

if TYPE_CHECKING:
    from tree_sitter import Node

WIDTH = 20_000
"""How many elements a literal may have before it is taken for data and left out."""
_SPINE = 24

_TOTAL_NAMES = frozenset(
    {
        "customElements.whenDefined",
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
        "setImmediate",
        "clearImmediate",
        "queueMicrotask",
        "requestAnimationFrame",
        "cancelAnimationFrame",
        "Number",
        "String",
        "Boolean",
        "Symbol",
        "parseInt",
        "parseFloat",
        "isNaN",
        "isFinite",
        "Date.now",
        "Promise.allSettled",
        "performance.now",
        "Array.isArray",
        "Object.is",
        "Promise.resolve",
        "Promise.reject",
        "Number.isFinite",
        "Number.isInteger",
        "Number.isNaN",
        "Number.isSafeInteger",
        "Number.parseInt",
        "Number.parseFloat",
    }
)
_TOTAL_ROOTS = frozenset({"console", "Math"})
_TOTAL_NEW = frozenset(
    {
        "AbortController",
        "Date",
        "Error",
        "Promise",
        "RangeError",
        "SyntaxError",
        "TextDecoder",
        "TextEncoder",
        "TypeError",
    }
)
_CONTAINERS = frozenset({"Array", "Map", "Set", "WeakMap", "WeakSet"})
_TOTAL_METHODS = frozenset(
    {"push", "pop", "shift", "unshift", "set", "get", "has", "add", "delete", "clear", "includes"}
)
_OPERATORS = {"===": "==", "!==": "!=", ">>>": ">>"}
_ASSIGNS = {"&&=": "and", "||=": "or", "??=": "??", ">>>=": ">>"}


class Terms(Patterns):
    """Lowers the expressions of one function, scope by scope."""

    # -- what the subclass runs in place -------------------------------------------------------------

    @abstractmethod
    def in_place(self, node: Node) -> Term | None:
        """A call that is run in place as a value of unknown use: a chain, an IIFE; None for other calls."""

    @abstractmethod
    def awaited(self, node: Node) -> Term:
        """The value that awaiting an expression gives."""

    @abstractmethod
    def executor(self, function: JavaScriptFunction) -> Term:
        """The executor of `new Promise(...)`."""

    @abstractmethod
    def class_body(self, node: Node) -> list[Statement]:
        """What runs when a class is defined."""

    # -- entry -----------------------------------------------------------------------------------------

    def lower(self, node: Node) -> Term:
        """The term of an expression."""
        file = self.file
        if file.depth >= DEPTH:
            return Several(extent_of(node))
        handler = _HANDLERS.get(node.type)
        file.depth += 1
        try:
            return handler(self, node) if handler is not None else self.unknown(node)
        finally:
            file.depth -= 1

    def field(self, node: Node, name: str) -> Term:
        """The term of a child, or an empty one where it is missing."""
        child = node.child_by_field_name(name)
        return self.lower(child) if child is not None else Several((node.end_byte, node.end_byte))

    def unknown(self, node: Node) -> Term:
        children = operands(node)
        if len(children) > WIDTH:
            return Several(extent_of(node))
        return Several(extent_of(node), [self.lower(child) for child in children])

    # -- names and places ------------------------------------------------------------------------------

    def identifier(self, node: Node) -> Term:
        name = word(node)
        if not name:
            return Several(extent_of(node))
        if name == "undefined":
            return Constant(extent_of(node), "null", None)
        return Ref(extent_of(node), self.file.name_place(name, self.scope))

    def this(self, node: Node) -> Term:
        return Ref(extent_of(node), Place(self.this_binding))

    @property
    def this_binding(self) -> Binding:
        return self.file.this_of(self.function)

    def base_class(self, node: Node) -> Term:
        return Ref(extent_of(node), Place(self.file.super_binding))

    def transparent(self, node: Node) -> Term:
        inner = unwrap(node)
        if inner is node or inner.type == "parenthesized_expression":
            return Several(extent_of(node))
        return self.lower(inner)

    def member(self, node: Node) -> Term:
        field = node.child_by_field_name("property")
        return self._select(node, word(field) if field is not None else "", None)

    def subscript(self, node: Node) -> Term:
        index = node.child_by_field_name("index")
        if index is not None and index.type == "string":
            return self._select(node, string_value(index), None)
        return self._select(node, ELEMENT, index)

    def _select(self, node: Node, name: str, index: Node | None) -> Term:
        inner = node.child_by_field_name("object")
        if inner is None:
            return Several(extent_of(node))
        subject = self.lower(inner)
        key = self.lower(index) if index is not None else None
        if not isinstance(subject, Ref):
            if name == ELEMENT:
                return Element(extent_of(node), subject, key)
            return Field(extent_of(node), subject, name)
        guard = subject.guard
        optional = node.child_by_field_name("optional_chain")
        if optional is not None:
            guard = Ref(subject.extent, subject.place, subject.key, subject.guard)
        place = subject.place.element if name == ELEMENT else self.file.field_place(subject.place, name)
        if (
            name == ELEMENT
            and subject.key is not None
            and any(isinstance(t, Call) for t in subject.key.walk())
        ):
            return Element(extent_of(node), subject, key)
        return Ref(extent_of(node), place, key if name == ELEMENT else subject.key, guard)

    # -- literals ----------------------------------------------------------------------------------------

    def number(self, node: Node) -> Term:
        return Constant(extent_of(node), "number", number_value(word(node)))

    def string(self, node: Node) -> Term:
        return Constant(extent_of(node), "string", string_value(node))

    def truth(self, node: Node) -> Term:
        return Constant(extent_of(node), "bool", node.type == "true")

    def null(self, node: Node) -> Term:
        return Constant(extent_of(node), "null", None)

    def raw(self, node: Node) -> Term:
        return Constant(extent_of(node), "other", word(node))

    def template(self, node: Node) -> Term:
        parts: list[Term] = []
        plain = True
        for child in node.named_children:
            if child.type == "template_substitution":
                plain = False
                parts.extend(self.lower(inner) for inner in operands(child)[:1])
            elif child.type == "string_fragment":
                parts.append(Constant(extent_of(child), "string", word(child)))
        if plain:
            return Constant(extent_of(node), "string", string_value(node))
        return Template(extent_of(node), parts)

    def record(self, node: Node) -> Term:
        children = node.named_children
        record = Record(extent_of(node))
        if len(children) > WIDTH:
            return record
        for child in children:
            kind = child.type
            if kind == "pair":
                key = child.child_by_field_name("key")
                name = key_name(key)
                value = self.field(child, "value")
                if name is None and key is not None:
                    value = Several(extent_of(child), [self._computed(key), value])
                record.entries.append((name, value))
            elif kind == "shorthand_property_identifier":
                record.entries.append((word(child), self.identifier(child)))
            elif kind == "spread_element":
                record.entries.append((None, self.spread(child)))
            elif kind == "method_definition":
                record.entries.append((key_name(child.child_by_field_name("name")), self.closure(child)))
            elif kind == "ERROR":
                record.entries.extend((None, self.lower(part)) for part in operands(child))
        return record

    def array(self, node: Node) -> Term:
        children = operands(node)
        if len(children) > WIDTH:
            return Sequence(extent_of(node))
        return Sequence(extent_of(node), [self.lower(child) for child in children])

    def spread(self, node: Node) -> Term:
        inner = operands(node)
        return Spread(extent_of(node), self.lower(inner[0]) if inner else Several(extent_of(node)))

    def closure(self, node: Node) -> Term:
        function = self.file.functions.get(node.id)
        return Closure(extent_of(node), function) if function is not None else Several(extent_of(node))

    def class_expression(self, node: Node) -> Term:
        body = self.class_body(node)
        if not body:
            return Several(extent_of(node))
        return Region(extent_of(node), body)

    # -- operators ---------------------------------------------------------------------------------------

    def binary(self, node: Node) -> Term:
        operator = node.child_by_field_name("operator")
        op = operator.type if operator is not None else ""
        if op in ("&&", "||", "+"):
            spine = self._spine(node, op)
            if len(spine) > _SPINE:
                return self._balanced(op, [self.lower(part) for part in spine])
        return self._joined(op, extent_of(node), self.field(node, "left"), self.field(node, "right"))

    def _spine(self, node: Node, op: str) -> list[Node]:
        """The operands of a run of one associative operator, left to right."""
        parts: list[Node] = []
        current: Node | None = node
        while current is not None and current.type == "binary_expression":
            operator = current.child_by_field_name("operator")
            right = current.child_by_field_name("right")
            if operator is None or operator.type != op or right is None:
                break
            parts.append(right)
            current = current.child_by_field_name("left")
        if current is not None:
            parts.append(current)
        parts.reverse()
        return parts

    def _balanced(self, op: str, parts: list[Term]) -> Term:
        while len(parts) > 1:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [
                self._joined(op, (p[0].extent[0], p[1].extent[1]), p[0], p[1]) if len(p) == 2 else p[0]
                for p in pairs
            ]
        return parts[0]

    def _joined(self, op: str, extent: Extent, left: Term, right: Term) -> Term:
        if op == "&&":
            return Logic(extent, "and", left, right)
        if op == "||":
            return Logic(extent, "or", left, right)
        if op == "??":
            return Logic(extent, "??", left, right)
        return Binary(extent, _OPERATORS.get(op, op), left, right)

    def unary(self, node: Node) -> Term:
        operator = node.child_by_field_name("operator")
        op = operator.type if operator is not None else ""
        argument = node.child_by_field_name("argument")
        if op == "void" and argument is not None and argument.type == "number":
            return Constant(extent_of(node), "null", None)
        operand = self.field(node, "argument")
        if op == "!":
            return Not(extent_of(node), operand)
        if op == "delete":
            return Delete(extent_of(node), operand)
        if op == "-" and isinstance(operand, Constant) and isinstance(operand.value, int | float):
            return Constant(extent_of(node), "number", -operand.value)
        return Unary(extent_of(node), op, operand)

    def ternary(self, node: Node) -> Term:
        return Choice(
            extent_of(node),
            self.field(node, "condition"),
            self.field(node, "consequence"),
            self.field(node, "alternative"),
        )

    def suspend(self, node: Node) -> Term:
        inner = operands(node)
        return self.awaited(inner[0]) if inner else Suspend(extent_of(node), "await", None)

    def give(self, node: Node) -> Term:
        inner = operands(node)
        return Suspend(extent_of(node), "yield", self.lower(inner[0]) if inner else None)

    # -- assignments ---------------------------------------------------------------------------------------

    def assignment(self, node: Node) -> Term:
        stores = self.stores(node)
        return stores[0] if len(stores) == 1 else Several(extent_of(node), list(stores))

    def augmented(self, node: Node) -> Term:
        operator = node.child_by_field_name("operator")
        op = operator.type if operator is not None else "="
        left = node.child_by_field_name("left")
        target = self.target(left) if left is not None else Several(extent_of(node))
        return Store(extent_of(node), target, self.field(node, "right"), _ASSIGNS.get(op, op[:-1]))

    def update(self, node: Node) -> Term:
        operator = node.child_by_field_name("operator")
        argument = node.child_by_field_name("argument")
        target = self.target(argument) if argument is not None else Several(extent_of(node))
        op = "-" if operator is not None and operator.type == "--" else "+"
        return Store(extent_of(node), target, Constant(extent_of(node), "number", 1), op)

    # -- calls -------------------------------------------------------------------------------------------

    def call(self, node: Node) -> Term:
        done = self.in_place(node)
        if done is not None:
            return done
        source = self.file.import_source(node)
        if source is not None:
            callee = node.child_by_field_name("function")
            declared = (
                callee is not None
                and callee.type == "identifier"
                and self.scope.lookup("require") is not None
            )
            if not declared:
                return Ref(extent_of(node), Place(self.file.module_binding(source)))
        return self.plain_call(node)

    def plain_call(self, node: Node) -> Term:
        callee_node = node.child_by_field_name("function")
        if callee_node is None:
            return self.unknown(node)
        # The grammar reads `await f<T>(x)` as a call of `await f`.
        inner = first_named(callee_node) if callee_node.type == "await_expression" else None
        callee_node = inner or callee_node
        if callee_node.type == "import":
            callee: Term = Ref(extent_of(callee_node), Place(self.file.global_binding("import")))
        else:
            callee = self.lower(callee_node)
        guard: Term | None = None
        if isinstance(callee, Ref) and callee.guard is not None:
            guard, callee = callee.guard, Ref(callee.extent, callee.place, callee.key)
        if isinstance(callee, Ref) and any(child.type in ("?.", "optional_chain") for child in node.children):
            guard = Ref(callee.extent, callee.place, callee.key, guard)
        arguments = self.arguments(node.child_by_field_name("arguments"))
        if self._is_global(callee, "Boolean") and len(arguments) == 1:
            return Not(extent_of(node), Not(extent_of(node), arguments[0]))
        call = Call(extent_of(node), callee, arguments, total=self.is_total(callee), guard=guard)
        return Suspend(extent_of(node), "await", call) if inner is not None else call

    def arguments(self, node: Node | None) -> list[Term]:
        if node is None:
            return []
        if node.type == "template_string":
            return [self.lower(node)]
        children = operands(node)
        if len(children) > WIDTH:
            return []
        return [self.lower(child) for child in children]

    def construction(self, node: Node) -> Term:
        constructor = node.child_by_field_name("constructor")
        if constructor is None:
            return self.unknown(node)
        callee = self.lower(constructor)
        argument_node = node.child_by_field_name("arguments")
        first = first_named(argument_node) if argument_node is not None else None
        inlined = self.file.functions.get(first.id) if first is not None else None
        arguments: list[Term]
        if inlined is not None and inlined.role == "executor":
            arguments = [self.executor(inlined)]
        else:
            arguments = self.arguments(argument_node)
        total = isinstance(callee, Ref) and callee.place.root.kind == "global" and not callee.place.path
        if total and isinstance(callee, Ref):
            name = callee.place.root.name
            total = name in _TOTAL_NEW or (name in _CONTAINERS and not arguments)
        return Call(extent_of(node), callee, arguments, constructs=True, total=total)

    @staticmethod
    def _is_global(term: Term, name: str) -> bool:
        return (
            isinstance(term, Ref)
            and not term.place.path
            and (term.place.root.kind == "global" and term.place.root.name == name)
        )

    def is_total(self, callee: Term) -> bool:
        """Whether a call of this never raises."""
        if not isinstance(callee, Ref):
            return False
        place = callee.place
        root = place.root
        if root.kind == "global":
            name = ".".join((root.name, *place.path))
            return name in _TOTAL_NAMES or (root.name in _TOTAL_ROOTS and len(place.path) == 1)
        if not place.path or place.path[-1] not in _TOTAL_METHODS:
            return False
        receiver = Place(root, place.path[:-1])
        if self.file.module.type_of(receiver) in _CONTAINERS:
            return True
        return not receiver.path and isinstance(root, Variable) and self._starts_as_container(root)

    def _starts_as_container(self, variable: Variable) -> bool:
        for definition in variable.definitions:
            if definition.value is not None and definition.path == ():
                value = unwrap(definition.value)
                if value.type == "array":
                    return True
                return self.file.constructed_type(value, definition.scope) in _CONTAINERS
        return False

    # -- JSX ---------------------------------------------------------------------------------------------

    def jsx(self, node: Node) -> Term:
        return Several(extent_of(node), [self.lower(child) for child in _jsx_operands(node)])

    def sequence(self, node: Node) -> Term:
        parts: list[Node] = []
        pending = [node]
        while pending:
            current = pending.pop()
            if current.type == "sequence_expression":
                pending.extend(reversed(operands(current)))
            else:
                parts.append(current)
        return Several(extent_of(node), [self.lower(part) for part in parts[:WIDTH]])

    def meta(self, node: Node) -> Term:
        return Ref(extent_of(node), Place(self.file.global_binding(word(node))))


def operands(node: Node) -> list[Node]:
    """The children that are values."""
    return [child for child in node.named_children if child.type not in _IGNORED]


_IGNORED = frozenset(
    {
        "comment",
        "html_comment",
        "type_annotation",
        "type_arguments",
        "type_parameters",
        "jsx_text",
        "html_character_reference",
        "escape_sequence",
        "string_fragment",
        "optional_chain",
        "property_identifier",
        "statement_identifier",
        "jsx_namespace_name",
        "jsx_closing_element",
        "type_identifier",
        "predefined_type",
        "accessibility_modifier",
    }
)


def _jsx_operands(node: Node) -> list[Node]:
    """The expressions of an element in order: its attributes' and its children's."""
    found: list[Node] = []
    pending = [node]
    while pending:
        current = pending.pop()
        kind = current.type
        if kind in (
            "jsx_element",
            "jsx_self_closing_element",
            "jsx_opening_element",
            "jsx_attribute",
            "jsx_fragment",
        ):
            inner = [
                child
                for child in current.named_children
                if (child.type.startswith("jsx_") and child.type != "jsx_closing_element")
                or child.type == "spread_element"
            ]
            pending.extend(reversed(inner))
        elif kind in ("jsx_expression", "spread_element"):
            found.extend(operands(current))
    return found


def number_value(text: str) -> int | float:
    """The value of a number literal; 0 where it is malformed."""
    plain = text.replace("_", "").rstrip("n").lower()
    try:
        if plain[:2] in ("0x", "0o", "0b"):
            return int(plain, 0)
        return int(plain) if plain.isdigit() and len(plain) < 400 else float(plain)
    except ValueError:
        return 0


_HANDLERS: dict[str, Callable[[Terms, Node], Term]] = {
    "identifier": Terms.identifier,
    "shorthand_property_identifier": Terms.identifier,
    "undefined": Terms.null,
    "this": Terms.this,
    "super": Terms.base_class,
    "member_expression": Terms.member,
    "subscript_expression": Terms.subscript,
    "parenthesized_expression": Terms.transparent,
    "as_expression": Terms.transparent,
    "satisfies_expression": Terms.transparent,
    "non_null_expression": Terms.transparent,
    "type_assertion": Terms.transparent,
    "instantiation_expression": Terms.transparent,
    "number": Terms.number,
    "string": Terms.string,
    "true": Terms.truth,
    "false": Terms.truth,
    "null": Terms.null,
    "regex": Terms.raw,
    "private_property_identifier": Terms.raw,
    "template_string": Terms.template,
    "object": Terms.record,
    "array": Terms.array,
    "spread_element": Terms.spread,
    "arrow_function": Terms.closure,
    "function_expression": Terms.closure,
    "generator_function": Terms.closure,
    "function_declaration": Terms.closure,
    "generator_function_declaration": Terms.closure,
    "method_definition": Terms.closure,
    "class": Terms.class_expression,
    "class_declaration": Terms.class_expression,
    "binary_expression": Terms.binary,
    "unary_expression": Terms.unary,
    "ternary_expression": Terms.ternary,
    "await_expression": Terms.suspend,
    "yield_expression": Terms.give,
    "assignment_expression": Terms.assignment,
    "augmented_assignment_expression": Terms.augmented,
    "update_expression": Terms.update,
    "call_expression": Terms.call,
    "new_expression": Terms.construction,
    "sequence_expression": Terms.sequence,
    "meta_property": Terms.meta,
    "jsx_element": Terms.jsx,
    "jsx_self_closing_element": Terms.jsx,
    "jsx_fragment": Terms.jsx,
}
