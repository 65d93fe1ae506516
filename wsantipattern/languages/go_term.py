"""Go expressions as terms.

Lowers any expression node, broken ones included, to one term; nesting beyond `MAX_DEPTH` becomes an empty Several.
Addresses, dereferences, parentheses, type assertions and conversions of types known here leave no term. Knows no
statements: the body of a function literal that is called where it stands comes from `region`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tree_sitter import Node

from wsantipattern.languages import go_literal, go_wasm
from wsantipattern.languages.go_scope import Names
from wsantipattern.languages.go_syntax import only, operator_of, parts, spelled
from wsantipattern.languages.go_type import BUILTIN, TYPE_NODES, Type, Types
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.term import (
    Binary,
    Call,
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
    Sequence,
    Several,
    Spread,
    Suspend,
    Term,
    Unary,
)

MAX_DEPTH = 100
"""How deep terms and statements nest; deeper text is left out."""

LONGEST_CHAIN = 60
"""How many operands one chain of binary operators keeps as a tree."""

_TOTAL = frozenset(
    [
        "append",
        "cap",
        "complex",
        "copy",
        "imag",
        "len",
        "make",
        "max",
        "min",
        "new",
        "print",
        "println",
        "real",
    ]
)
_KNOWN = frozenset(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">="])


class Terms:
    """Lowers the expressions of one file."""

    def __init__(
        self, module: Module, names: Names, types: Types, functions: dict[tuple[int, int], Function]
    ) -> None:
        self.module = module
        self.names = names
        self.types = types
        self.functions = functions
        self.depth = 0
        self.iota = 0
        self.region: Callable[[Node, Function, list[Term]], Term] = lambda node, function, arguments: Several(
            extent(node), arguments
        )
        self._handlers: Mapping[str, Callable[[Node], Term]] = {
            "identifier": self._name,
            "field_identifier": self._name,
            "blank_identifier": self._name,
            "package_identifier": self._name,
            "selector_expression": self._selector,
            "index_expression": self._index,
            "slice_expression": self._slice,
            "call_expression": self.call,
            "type_conversion_expression": self._conversion,
            "type_instantiation_expression": self._inner,
            "type_assertion_expression": self._inner,
            "parenthesized_expression": self._inner,
            "parenthesized_type": self._inner,
            "literal_element": self._inner,
            "unary_expression": self._unary,
            "binary_expression": self._binary,
            "composite_literal": self._composite,
            "literal_value": lambda node: self._entries(node, None),
            "func_literal": self._literal,
            "int_literal": self._number,
            "float_literal": self._number,
            "imaginary_literal": self._number,
            "rune_literal": self._string,
            "interpreted_string_literal": self._string,
            "raw_string_literal": self._string,
            "nil": lambda node: Constant(extent(node), "null", None),
            "true": lambda node: Constant(extent(node), "bool", True),
            "false": lambda node: Constant(extent(node), "bool", False),
            "iota": lambda node: Constant(extent(node), "number", self.iota),
            "variadic_argument": self._spread,
        } | dict.fromkeys(TYPE_NODES - {"parenthesized_type"}, self._type)

    def term(self, node: Node | None, fallback: Node | None = None) -> Term:
        """The term of an expression; an empty Several at `fallback` where there is no node."""
        if node is None:
            return Several(extent(fallback) if fallback is not None else (0, 0))
        if self.depth >= MAX_DEPTH:
            return Several(extent(node))
        handler = self._handlers.get(node.type, self._unknown)
        self.depth += 1
        try:
            return handler(node)
        finally:
            self.depth -= 1

    def terms(self, nodes: list[Node]) -> list[Term]:
        return [self.term(node) for node in nodes]

    # -- places ----------------------------------------------------------------------------------

    def place(self, node: Node) -> tuple[Place, Node | None] | None:
        """The place that an expression reads and the index of its last element, or None where it is no place."""
        path: list[str] = []
        key: Node | None = None
        current: Node | None = node
        while current is not None:
            kind = current.type
            if kind == "identifier":
                if current.start_byte == current.end_byte:
                    # A name that the grammar only supposes in broken text.
                    return None
                root = self.names.place(spelled(current), current.start_byte)
                if path:
                    root = Place(root.root, root.path + tuple(reversed(path)))
                return root, key
            if kind == "selector_expression":
                path.append(spelled(current.child_by_field_name("field")))
                current = current.child_by_field_name("operand")
            elif kind == "index_expression":
                index = current.child_by_field_name("index")
                if key is None:
                    key = index
                elif index is not None and not _is_plain(index):
                    # Only the last index is kept: this one does something, and must not be lost.
                    return None
                path.append(ELEMENT)
                current = current.child_by_field_name("operand")
            elif kind in ("parenthesized_expression", "type_assertion_expression"):
                current = only(current)
            elif kind == "unary_expression":
                if operator_of(current) not in ("&", "*"):
                    return None
                current = current.child_by_field_name("operand")
            elif kind == "type_conversion_expression":
                if not self._converts(current):
                    return None
                current = current.child_by_field_name("operand")
            elif kind == "call_expression":
                current = self._converted(current)
            else:
                return None
        return None

    def target(self, node: Node) -> Term | None:
        """The place that an assignment writes, with no other name followed for a plain variable; None for `_`."""
        inner: Node | None = node
        while inner is not None and inner.type == "parenthesized_expression":
            inner = only(inner)
        if inner is not None and inner.type in ("identifier", "blank_identifier"):
            name = spelled(inner)
            if name in ("_", ""):
                return None
            return Ref(extent(node), Place(self.names.resolve(name, inner.start_byte)))
        return self.term(node)

    def declared(self, node: Node, declaration: Node) -> Term | None:
        """The variable that a declaration starts, or assigns anew; None for `_`."""
        name = spelled(node)
        if node.type != "identifier" or name in ("_", ""):
            return self.target(node)
        binding = self.names.resolve(name, declaration.start_byte, declaration.end_byte)
        return Ref(extent(node), Place(binding))

    def _at(self, node: Node) -> Term | None:
        found = self.place(node)
        if found is None:
            return None
        place, key = found
        # The extent of what is named, without the `&` or the conversion around it.
        while node.type not in ("identifier", "selector_expression", "index_expression"):
            inner = (
                self._converted(node)
                if node.type == "call_expression"
                else node.child_by_field_name("operand") or only(node)
            )
            if inner is None:
                break
            node = inner
        return Ref(extent(node), place, self.term(key) if key is not None else None)

    def _name(self, node: Node) -> Term:
        if node.start_byte == node.end_byte:
            return Several(extent(node))
        return Ref(extent(node), self.names.place(spelled(node), node.start_byte))

    def _selector(self, node: Node) -> Term:
        found = self._at(node)
        if found is not None:
            return found
        subject = self.term(node.child_by_field_name("operand"), node)
        return Field(extent(node), subject, spelled(node.child_by_field_name("field")))

    def _index(self, node: Node) -> Term:
        found = self._at(node)
        if found is not None:
            return found
        index = node.child_by_field_name("index")
        subject = self.term(node.child_by_field_name("operand"), node)
        return Element(extent(node), subject, self.term(index) if index is not None else None)

    def _slice(self, node: Node) -> Term:
        """The key is the list of bounds; an absent one is null."""
        bounds: list[Term] = []
        for name in ("start", "end", "capacity"):
            bound = node.child_by_field_name(name)
            if bound is not None:
                bounds.append(self.term(bound))
            elif name != "capacity":
                bounds.append(Constant((node.end_byte, node.end_byte), "null", None))
        subject = self.term(node.child_by_field_name("operand"), node)
        return Element(extent(node), subject, Several(extent(node), bounds))

    def _inner(self, node: Node) -> Term:
        if node.type == "type_assertion_expression":
            return self._at(node) or self.term(node.child_by_field_name("operand"), node)
        return self.term(only(node), node)

    # -- calls -----------------------------------------------------------------------------------

    def call(self, node: Node) -> Term:
        """A call, or what stands for it: a conversion's operand, a Delete, a Region."""
        converted = self._converted(node)
        if converted is not None:
            return self.term(converted)
        callee = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        handed = only(arguments) if arguments is not None else None
        if handed is not None and handed.type == "func_literal":
            function = self.functions.get(extent(handed))
            if function is not None and function.runs_in_place:
                return self.region(node, function, [])  # `once.Do(func() { ... })`
        given = self.terms(parts(arguments)) if arguments is not None else []
        literal = callee
        while literal is not None and literal.type == "parenthesized_expression":
            literal = only(literal)
        if literal is not None and literal.type == "func_literal":
            function = self.functions.get(extent(literal))
            if function is not None and function.runs_in_place:
                return self.region(node, function, given)
        builtin = self.builtin(callee)
        if builtin == "delete" and len(given) == 2:
            return Delete(extent(node), _element(given[0], given[1]))
        call = Call(extent(node), self.callee(callee, node), given, total=builtin in _TOTAL)
        if go_wasm.MODULE in self.module.imports:
            return (
                go_wasm.foreign(call, _called_before(callee), self.module.canonical, self.names.unbound)
                or call
            )
        return call

    def callee(self, node: Node | None, call: Node) -> Term:
        """What a call runs; type arguments are left out."""
        if node is not None and node.type == "index_expression":
            operand, index = node.child_by_field_name("operand"), node.child_by_field_name("index")
            found = self.place(operand) if operand is not None else None
            if operand is not None and index is not None and found is not None:
                kind = found[0].root.kind
                if kind == "function" or (kind == "import" and self._names_type(index)):
                    return self.term(operand)
        return self.term(node, call)

    def builtin(self, callee: Node | None) -> str:
        """The name of the undeclared function that is called, or ""."""
        if callee is None or callee.type != "identifier":
            return ""
        binding = self.names.resolve(spelled(callee), callee.start_byte)
        return binding.name if binding.kind == "global" else ""

    def _converted(self, call: Node) -> Node | None:
        """The operand of a conversion that is written like a call: `int64(x)`, `Seq(x)`, `(*T)(x)`."""
        callee, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if callee is None or arguments is None or not self._names_type(callee):
            return None
        given = parts(arguments)
        return given[0] if len(given) == 1 and given[0].type != "variadic_argument" else None

    def _names_type(self, node: Node) -> bool:
        """Whether an expression is the name of a builtin type or of a type of this file."""
        current: Node | None = node
        while current is not None and current.type in ("parenthesized_expression", "unary_expression"):
            current = current.child_by_field_name("operand") or only(current)
        if current is None:
            return False
        if current.type != "identifier":
            return current.type in TYPE_NODES
        binding = self.names.resolve(spelled(current), current.start_byte)
        return binding.kind == "class" or (binding.kind == "global" and binding.name in BUILTIN)

    def _converts(self, node: Node) -> bool:
        """Whether a node that the grammar takes for a conversion is one: `f[int](x)` looks the same."""
        type_ = node.child_by_field_name("type")
        if type_ is None or type_.type != "generic_type":
            return True
        name = type_.child_by_field_name("type")
        if name is None or name.type != "type_identifier":
            return False
        return self.names.resolve(spelled(name), name.start_byte).kind == "class"

    def _conversion(self, node: Node) -> Term:
        operand, type_ = node.child_by_field_name("operand"), node.child_by_field_name("type")
        if self._converts(node) or type_ is None:
            return self.term(operand, node)
        name = type_.child_by_field_name("type")
        place: Place | None = None
        if name is not None and name.type == "type_identifier":
            place = self.names.place(spelled(name), name.start_byte)
        elif name is not None and name.type == "qualified_type":
            place = self.names.place(spelled(name.child_by_field_name("package")), name.start_byte)
            place = place.field(spelled(name.child_by_field_name("name")))
        given = [self.term(operand)] if operand is not None else []
        callee: Term = (
            Ref(extent(name), place) if name is not None and place is not None else Several(extent(node))
        )
        return Call(extent(node), callee, given)

    def _spread(self, node: Node) -> Term:
        return Spread(extent(node), self.term(only(node), node))

    # -- operators -------------------------------------------------------------------------------

    def _unary(self, node: Node) -> Term:
        operand = node.child_by_field_name("operand")
        operator = operator_of(node)
        if operator in ("&", "*"):
            return self._at(node) or self.term(operand, node)
        inner = self.term(operand, node)
        if operator == "!":
            return Not(extent(node), inner)
        if operator == "<-":
            return Suspend(extent(node), "receive", inner)
        if (
            operator == "-"
            and isinstance(inner, Constant)
            and isinstance(inner.value, (int, float))
            and inner.kind == "number"
        ):
            return Constant(extent(node), "number", -inner.value)
        return Unary(extent(node), "~" if operator == "^" else operator, inner)

    def _binary(self, node: Node) -> Term:
        # Long sums lean left: walked here, not by recursion.
        chain: list[Node] = []
        leftmost: Node | None = node
        while leftmost is not None and leftmost.type == "binary_expression":
            chain.append(leftmost)
            leftmost = leftmost.child_by_field_name("left")
        chain.reverse()
        result = self.term(leftmost, node)
        rights = [self.term(link.child_by_field_name("right"), link) for link in chain]
        if len(chain) > LONGEST_CHAIN:
            return Several(extent(node), [result, *rights])
        for link, right in zip(chain, rights, strict=True):
            result = self.operation(extent(link), operator_of(link), result, right)
        return result

    @staticmethod
    def operation(where: Extent, operator: str, left: Term, right: Term) -> Term:
        if operator == "&&":
            return Logic(where, "and", left, right)
        if operator == "||":
            return Logic(where, "or", left, right)
        if operator in _KNOWN:
            return Binary(where, operator, left, right)
        return Several(where, [left, right])

    # -- literals --------------------------------------------------------------------------------

    def _number(self, node: Node) -> Term:
        text = spelled(node)
        value = go_literal.number(text)
        return (
            Constant(extent(node), "other", text)
            if value is None
            else Constant(extent(node), "number", value)
        )

    def _string(self, node: Node) -> Term:
        return Constant(extent(node), "string", go_literal.string(spelled(node)))

    def _literal(self, node: Node) -> Term:
        function = self.functions.get(extent(node))
        return Closure(extent(node), function) if function is not None else Several(extent(node))

    def _type(self, node: Node) -> Term:
        """A type among values (`new(T)`, `make(chan T)`): its canonical name."""
        if node.type == "type_identifier" and spelled(node) == "nil":
            return Constant(extent(node), "null", None)
        return Constant(extent(node), "other", self.types.canonical(node) or spelled(node))

    def _composite(self, node: Node) -> Term:
        body, type_ = node.child_by_field_name("body"), node.child_by_field_name("type")
        if body is None:
            return Several(extent(node))
        term = self._entries(body, type_)
        term.extent = extent(node)
        return term

    def _entries(self, body: Node, type_: Type | None) -> Term:
        """The value of a braced list. A type that is not in the file is a struct where its keys are names."""
        if self.depth >= MAX_DEPTH:
            return Several(extent(body))
        shape = self.types.underlying(type_)
        kind = shape.type if isinstance(shape, Node) else ""
        element = self.types.element(type_)
        elements = parts(body)
        if kind in ("slice_type", "array_type", "implicit_length_array_type"):
            return Sequence(extent(body), [self._value(e, element) for e in elements])
        name = self.types.canonical(type_)
        fields = list(self.types.fields.get(name or "", {}).items())
        entries: list[tuple[str | None, Term]] = []
        inner: Type | None
        for index, entry in enumerate(elements):
            if entry.type != "keyed_element":
                label, inner = fields[index] if index < len(fields) else (str(index), None)
                entries.append((label, self._value(entry, inner or element)))
                continue
            key, value = entry.child_by_field_name("key"), entry.child_by_field_name("value")
            label = self._label(key)
            inner = element if kind == "map_type" else dict(fields).get(label) if fields else None
            entries.append(
                (label, self._value(value, inner) if value is not None else Several(extent(entry)))
            )
        return Record(extent(body), entries, name)

    def _label(self, key: Node | None) -> str:
        while key is not None and key.type == "literal_element":
            key = only(key)
        if key is None:
            return ""
        if key.type in ("interpreted_string_literal", "raw_string_literal", "rune_literal"):
            return go_literal.string(spelled(key))
        return spelled(key)

    def _value(self, node: Node, type_: Type | None) -> Term:
        """An element of a braced list; a bare list in braces has the type of the elements around it."""
        inner: Node | None = node
        if node.type == "keyed_element":
            inner = node.child_by_field_name("value")
        while inner is not None and inner.type == "literal_element":
            inner = only(inner)
        if inner is None:
            return Several(extent(node))
        if inner.type != "literal_value":
            return self.term(inner)
        self.depth += 1
        try:
            return self._entries(inner, type_)
        finally:
            self.depth -= 1

    def _unknown(self, node: Node) -> Term:
        """Broken text, and what has no value: what can be read of it."""
        return Several(extent(node), self.terms(parts(node)))


def extent(node: Node) -> Extent:
    return (node.start_byte, node.end_byte)


def _called_before(callee: Node | None) -> str:
    """The method whose result another is called on: `Get` in `x.Get("a").Int()`; "" for anything else."""
    operand = callee.child_by_field_name("operand") if callee is not None else None
    function = (
        operand.child_by_field_name("function")
        if operand is not None and operand.type == "call_expression"
        else None
    )
    return spelled(function.child_by_field_name("field")) if function is not None else ""


def binding_of(term: Term | None) -> Binding | None:
    """The plain variable that a term names, or None."""
    return term.place.root if isinstance(term, Ref) and not term.place.path else None


def _element(container: Term, key: Term) -> Term:
    where = (container.extent[0], key.extent[1])
    if isinstance(container, Ref) and (container.key is None or isinstance(container.key, (Ref, Constant))):
        return Ref(where, container.place.element, key)
    return Element(where, container, key)


def _is_plain(node: Node) -> bool:
    """Whether evaluating an index does nothing but read."""
    current: Node | None = node
    while current is not None and current.type in ("selector_expression", "parenthesized_expression"):
        current = current.child_by_field_name("operand") or only(current)
    return current is not None and (current.type == "identifier" or current.type.endswith("_literal"))
