"""Types of Go expressions, as far as one file's syntax tells.

A type is a type node of the tree, or the name of a type where no node says it. Canonical names have imports resolved
and pointers, parentheses and type arguments stripped; unnamed types are called `[]`, `map`, `chan` and `func`. An
unknown type is None. Reads declarations only; does no inference across files and checks nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from wsantipattern.languages.go_syntax import only, operator_of, parameters, parts, repeated, spelled
from wsantipattern.model.place import Binding, ElementTypes

Type = Node | str

_DEPTH = 24
_SHAPES = {
    "slice_type": "[]",
    "array_type": "[]",
    "implicit_length_array_type": "[]",
    "variadic_parameter_declaration": "[]",
    "map_type": "map",
    "channel_type": "chan",
    "function_type": "func",
    "func_literal": "func",
}
_LITERALS = {
    "int_literal": "int",
    "float_literal": "float64",
    "rune_literal": "rune",
    "interpreted_string_literal": "string",
    "raw_string_literal": "string",
    "true": "bool",
    "false": "bool",
}
_NUMBERS = frozenset(
    [
        "int",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "uintptr",
        "float32",
        "float64",
        "complex64",
        "complex128",
        "byte",
        "rune",
    ]
)
BUILTIN = _NUMBERS | {"string", "bool", "error", "any"}
"""The type names that every file has."""

TYPE_NODES = frozenset(_SHAPES) - {"func_literal", "variadic_parameter_declaration"} | {
    "type_identifier",
    "qualified_type",
    "pointer_type",
    "generic_type",
    "parenthesized_type",
    "struct_type",
    "interface_type",
}
"""The kinds of node that are types wherever they stand."""


class Types:
    """The types that a file declares, and what follows from them.

    `resolve` gives the binding of a name at a byte offset; `variable_type` the type of such a binding.
    """

    def __init__(self) -> None:
        self.resolve: Callable[[str, int], Binding] = lambda name, offset: Binding(name, "global")
        self.variable_type: Callable[[Binding, int], Type | None] = lambda binding, depth: None
        self.packages: dict[str, Binding] = {}
        self.specs: dict[str, Node] = {}
        self.aliases: set[str] = set()
        self.fields: dict[str, dict[str, Node]] = {}
        self.embedded: dict[str, list[str]] = {}
        self.results: dict[tuple[str, str], Node | None] = {}
        """Result nodes of functions (under "") and methods (under their type's name)."""

    def declare(self, spec: Node) -> str | None:
        """Takes in a type_spec or type_alias; the name of the struct type it declares, if it does."""
        name, inner = spelled(spec.child_by_field_name("name")), spec.child_by_field_name("type")
        if not name or inner is None or name in self.specs:
            return None
        self.specs[name] = inner
        if spec.type == "type_alias":
            self.aliases.add(name)
            return None
        return name if inner.type == "struct_type" else None

    def declare_fields(self, name: str) -> None:
        """Reads the fields of a struct type that was declared."""
        fields: dict[str, Node] = {}
        embedded: list[str] = []
        body = only(self.specs[name])
        for field in parts(body) if body is not None else []:
            type_node = field.child_by_field_name("type") if field.type == "field_declaration" else None
            if type_node is None:
                continue
            names = repeated(field, "name")
            for written in names:
                fields.setdefault(spelled(written), type_node)
            if not names:
                canonical = self.canonical(type_node)
                if canonical:
                    embedded.append(canonical)
                    fields.setdefault(canonical.rpartition(".")[2], type_node)
        self.fields[name] = fields
        self.embedded[name] = embedded

    # -- names of types --------------------------------------------------------------------------

    def canonical(self, type_: Type | None) -> str | None:
        """The canonical name of a type, or None."""
        for _ in range(_DEPTH):
            type_ = self.stripped(type_)
            if type_ is None or isinstance(type_, str):
                return type_ or None
            kind = type_.type
            if kind == "type_identifier":
                name = spelled(type_)
                if name not in self.aliases:
                    return name
                type_ = self.specs[name]
            elif kind == "qualified_type":
                package = spelled(type_.child_by_field_name("package"))
                binding = self.packages.get(package)
                origin = binding.origin if binding is not None and binding.origin else package
                return f"{origin}.{spelled(type_.child_by_field_name('name'))}"
            else:
                return _SHAPES.get(kind)
        return None

    @staticmethod
    def stripped(type_: Type | None) -> Type | None:
        """The type without pointers, parentheses and type arguments."""
        while isinstance(type_, Node) and type_.type in (
            "pointer_type",
            "parenthesized_type",
            "generic_type",
        ):
            type_ = type_.child_by_field_name("type") if type_.type == "generic_type" else only(type_)
        return type_

    def underlying(self, type_: Type | None) -> Type | None:
        """What a type of this file is made of: its struct, map, slice or channel node; else the type stripped."""
        for _ in range(_DEPTH):
            type_ = self.stripped(type_)
            name = (
                type_
                if isinstance(type_, str)
                else spelled(type_)
                if type_ is not None and type_.type == "type_identifier"
                else ""
            )
            if name not in self.specs:
                return type_
            type_ = self.specs[name]
        return None

    def element(self, type_: Type | None) -> Type | None:
        """The type of the elements of a slice, array, map, channel or pointer to one."""
        inner = self.underlying(type_)
        if isinstance(inner, Node):
            if inner.type in ("map_type", "channel_type"):
                return inner.child_by_field_name("value")
            if inner.type in ("slice_type", "array_type", "implicit_length_array_type"):
                return inner.child_by_field_name("element")
            if inner.type == "variadic_parameter_declaration":
                return inner.child_by_field_name("type")
        return None

    def element_types(self, type_: Type | None) -> ElementTypes:
        """The canonical types of what a container holds, of what that holds, and so on."""
        found: list[str | None] = []
        inner = self.element(type_)
        while inner is not None and len(found) < 4:
            found.append(self.canonical(inner))
            inner = self.element(inner)
        return tuple(found)

    def key(self, type_: Type | None) -> Type | None:
        """The type of the keys of a map; `int` for what is counted."""
        inner = self.underlying(type_)
        if isinstance(inner, Node):
            if inner.type == "map_type":
                return inner.child_by_field_name("key")
            if inner.type == "channel_type":
                return inner.child_by_field_name("value")
            if _SHAPES.get(inner.type) == "[]":
                return "int"
        return None

    def is_channel(self, type_: Type | None) -> bool:
        inner = self.underlying(type_)
        return isinstance(inner, Node) and inner.type == "channel_type"

    def field(self, type_: Type | None, name: str) -> Type | None:
        """The type of a field of a struct type, promoted ones included."""
        todo = [self.canonical(type_)]
        for owner in todo:
            if len(todo) > _DEPTH or owner is None:
                continue
            found = self.fields.get(owner, {}).get(name)
            if found is not None:
                return found
            todo.extend(self.embedded.get(owner, []))
        return None

    def method_result(self, type_: Type | None, name: str) -> Node | None:
        """The result node of a method of a type of this file."""
        todo = [self.canonical(type_)]
        for owner in todo:
            if len(todo) > _DEPTH or owner is None:
                continue
            if (owner, name) in self.results:
                return self.results[owner, name]
            todo.extend(self.embedded.get(owner, []))
        return None

    # -- types of expressions --------------------------------------------------------------------

    def of(self, node: Node | None, index: int = 0, depth: int = 0) -> Type | None:
        """The type of an expression; of its result number `index`, from 0, where it has several."""
        while node is not None and depth < _DEPTH:
            depth += 1
            kind = node.type
            if kind == "identifier":
                return self.variable_type(self.resolve(spelled(node), node.start_byte), depth)
            if kind in ("parenthesized_expression", "literal_element"):
                node = only(node)
            elif kind == "unary_expression":
                operand = node.child_by_field_name("operand")
                operator = operator_of(node)
                if operator == "!":
                    return "bool"
                if operator == "<-":
                    return self.element(self.of(operand, 0, depth)) if index == 0 else "bool"
                node = operand
            elif kind == "selector_expression":
                return self._selector(node, depth)
            elif kind == "index_expression":
                element = self.element(self.of(node.child_by_field_name("operand"), 0, depth))
                return element if index == 0 else "bool"
            elif kind == "slice_expression":
                node = node.child_by_field_name("operand")
            elif kind in ("composite_literal", "type_assertion_expression", "type_conversion_expression"):
                return node.child_by_field_name("type") if index == 0 else "bool"
            elif kind == "call_expression":
                return self._call(node, index, depth)
            elif kind == "binary_expression":
                if operator_of(node) in (
                    "==",
                    "!=",
                    "<",
                    "<=",
                    ">",
                    ">=",
                    "&&",
                    "||",
                ):
                    return "bool"
                node = node.child_by_field_name("left")
            elif kind == "func_literal":
                return node
            else:
                return _LITERALS.get(kind)
        return None

    def _selector(self, node: Node, depth: int) -> Type | None:
        operand, name = node.child_by_field_name("operand"), spelled(node.child_by_field_name("field"))
        return self.field(self.of(operand, 0, depth), name)

    def _call(self, node: Node, index: int, depth: int) -> Type | None:
        callee = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        while callee is not None and callee.type == "parenthesized_expression":
            callee = only(callee)
        if callee is None:
            return None
        if callee.type == "func_literal":
            return self.nth(callee.child_by_field_name("result"), index)
        if callee.type == "unary_expression":
            named = callee.child_by_field_name("operand")
            return spelled(named) if named is not None and spelled(named) in self.specs else None
        if callee.type == "selector_expression":
            subject = self.of(callee.child_by_field_name("operand"), 0, depth)
            return self.nth(self.method_result(subject, spelled(callee.child_by_field_name("field"))), index)
        if callee.type != "identifier":
            return None
        name = spelled(callee)
        binding = self.resolve(name, callee.start_byte)
        if binding.kind == "class" or (binding.kind == "global" and name in BUILTIN):
            return name
        if binding.kind == "function":
            return self.nth(self.results.get(("", name)), index)
        if binding.kind == "global" and name in ("new", "make"):
            return only(arguments) if arguments is not None else None
        if binding.kind == "global" and name == "append":
            return self.of(only(arguments), 0, depth) if arguments is not None else None
        if binding.kind == "global" and name in ("len", "cap", "copy"):
            return "int"
        literal = self.variable_type(binding, depth)
        if isinstance(literal, Node) and literal.type in ("func_literal", "function_type"):
            return self.nth(literal.child_by_field_name("result"), index)
        return None

    @staticmethod
    def nth(result: Node | None, index: int) -> Type | None:
        """Type number `index` of a function's result node."""
        if result is None:
            return None
        if result.type != "parameter_list":
            return result if index == 0 else None
        types = [type_ for _, type_ in parameters(result)]
        return types[index] if index < len(types) else None

    # -- values of types -------------------------------------------------------------------------

    def zero(self, type_: Type | None) -> int | str | bool | None:
        """The literal zero of a type: 0, "", False, or None for nil. Asked only where `has_literal_zero`."""
        name = self.canonical(self.underlying(type_))
        if name in _NUMBERS:
            return 0
        if name == "string":
            return ""
        if name == "bool":
            return False
        return None

    def has_literal_zero(self, type_: Node) -> bool:
        """Whether the zero value of a type is a literal rather than a struct or array of zeros."""
        if self._is_pointer(type_):
            return True
        inner = self.underlying(type_)
        if isinstance(inner, str) or inner is None:
            return True
        if inner.type == "type_identifier":
            return spelled(inner) in BUILTIN
        return inner.type in ("map_type", "slice_type", "channel_type", "function_type", "interface_type")

    def _is_pointer(self, type_: Type | None) -> bool:
        for _ in range(_DEPTH):
            if isinstance(type_, Node) and type_.type == "parenthesized_type":
                type_ = only(type_)
            elif isinstance(type_, Node) and type_.type == "type_identifier" and spelled(type_) in self.specs:
                type_ = self.specs[spelled(type_)]
            else:
                break
        return isinstance(type_, Node) and type_.type == "pointer_type"
