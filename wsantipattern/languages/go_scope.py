"""What names mean in a Go file: scopes, variables, and variables that only stand for another place.

Names are resolved by their byte offset, so that bodies can be lowered in any order and still share their bindings.
The tables of one top-level declaration are made when a name in it is first asked for, and kept. Knows no terms.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import field
from functools import partial

from tree_sitter import Node

from wsantipattern.languages.go_syntax import (
    has_token,
    listed,
    names,
    only,
    operator_of,
    parameters,
    parts,
    repeated,
    spelled,
    writes,
)
from wsantipattern.languages.go_type import TYPE_NODES, Type, Types
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Binding, BindingKind, ElementTypes, Place
from wsantipattern.model.term import Term
from wsantipattern.record import record

_DEPTH = 24


class Variable(Binding):
    """A variable, parameter or constant of the file.

    Attributes:
        type_node: its declared type, or None.
        value: the expression that its declaration gives it, and `index` which of its results.
        ranged: the container that it ranges over (`index` 0: keys, 1: elements).
        since: the byte offset from which it is in scope.
        alias: the place that it stands for, because it is only another name for it.
        aliasable: whether its value is copied as it is, not asserted to be of another type.
        assignments: the values assigned to it after its declaration; None among them for anything not plain.
        source: makes `initial` known, by lowering what declares the variable.
    """

    __slots__ = (
        "alias",
        "aliasable",
        "assignments",
        "element_types",
        "implicit",
        "index",
        "ranged",
        "since",
        "source",
        "type_node",
        "value",
    )

    def __init__(self, name: str, kind: BindingKind, scope: Function, since: int) -> None:
        super().__init__(name, kind, scope)
        self.since = since
        self.element_types: ElementTypes = ()
        self.type_node: Type | None = None
        self.value: Node | None = None
        self.index = 0
        self.ranged: Node | None = None
        self.alias: Place | None = None
        self.aliasable = True
        self.assignments: list[Node | None] = []
        self.implicit = False
        self.source: Callable[[], object] | None = None

    @property
    def initial(self) -> Term | None:
        if self._initial is None and self.source is not None and self.constant:
            source, self.source = self.source, None
            source()
        return self._initial

    @initial.setter
    def initial(self, term: Term | None) -> None:
        self._initial = term


@record(slots=True, eq=False)
class Scope:
    """A block; the names declared in it, each with the offsets from which they hold."""

    start: int
    end: int
    function: Function
    parent: Scope | None
    names: dict[str, list[tuple[int, Binding]]] = field(default_factory=dict)

    def declare(self, name: str, since: int, binding: Binding) -> None:
        if name not in ("", "_"):
            self.names.setdefault(name, []).append((since, binding))

    def own(self, name: str, offset: int) -> Binding | None:
        """The latest declaration of a name in this very scope that holds at an offset."""
        for since, binding in reversed(self.names.get(name, ())):
            if since <= offset:
                return binding
        return None


@record(slots=True, eq=False)
class _Unit:
    """The scopes of one top-level declaration, ordered by where they start."""

    starts: list[int]
    scopes: list[Scope]
    outer: Scope

    def at(self, offset: int) -> Scope:
        index = bisect_right(self.starts, offset) - 1
        scope: Scope | None = self.scopes[index] if index >= 0 else None
        while scope is not None and scope.end <= offset:
            scope = scope.parent
        return scope or self.outer


class Names:
    """Resolves the names of a file.

    `functions` are the functions of the file by extent; `hosts` those whose graphs hold the code of inlined ones.
    """

    def __init__(
        self,
        module: Module,
        root: Node,
        types: Types,
        functions: dict[tuple[int, int], Function],
        imports: list[tuple[list[str], Binding]],
        classes: dict[str, Class],
    ) -> None:
        self.module = module
        self.root = root
        self.types = types
        self.functions = functions
        self.classes = classes
        self.lower_top: Callable[[Node], object] = lambda node: None
        self.file_functions: dict[str, Binding] = {}
        self.hosts: dict[Function, Function] = {}
        children = parts(root)
        self.is_fragment = any(child.type not in _DECLARATIONS for child in children)
        self.tops = [root] if self.is_fragment else children
        self._top_starts = [child.start_byte for child in self.tops]
        self._units: dict[int, _Unit] = {}
        self._globals: dict[str, Binding] = {}
        self._imported: dict[str, Binding] = {}
        self._file_variables: dict[str, Callable[[], Variable]] | None = None
        self._written: set[str] | None = None
        self._inferring: set[Binding] = set()
        self._inferred: dict[Binding, Type | None] = {}
        for rank in range(max((len(candidates) for candidates, _ in imports), default=0)):
            for candidates, binding in imports:
                if rank < len(candidates):
                    self._imported.setdefault(candidates[rank], binding)
        types.packages = self._imported
        types.resolve = self.resolve
        types.variable_type = self.type_of

    # -- resolving -------------------------------------------------------------------------------

    def resolve(self, name: str, offset: int, after: int | None = None) -> Binding:
        """What a name means at a byte offset; with `after`, past the declaration there that ends at that offset."""
        scope: Scope | None = self.unit_at(offset).at(offset)
        known = offset if after is None else after
        while scope is not None:
            binding = scope.own(name, known) if name in scope.names else None
            if binding is not None:
                return binding
            scope = scope.parent
        return self._of_file(name)

    def place(self, name: str, offset: int) -> Place:
        """The place that a name stands for: its variable, or what the variable is another name for."""
        place = Place(self.resolve(name, offset))
        for _ in range(_DEPTH):
            root = place.root
            if not isinstance(root, Variable) or root.alias is None:
                break
            place = Place(root.alias.root, root.alias.path + place.path)
        return place

    def unit_at(self, offset: int) -> _Unit:
        index = max(bisect_right(self._top_starts, offset) - 1, 0)
        unit = self._units.get(index)
        if unit is None:
            unit = self._make_unit(index)
        return unit

    def _of_file(self, name: str) -> Binding:
        binding = self._globals.get(name)
        if binding is None:
            binding = self._globals[name] = self._declared_in_file(name)
        return binding

    def _declared_in_file(self, name: str) -> Binding:
        function = self.file_functions.get(name)
        if function is not None:
            return function
        if name in self.types.specs:
            binding = Binding(name, "class", self.module.top, constant=True)
            binding.class_ = self.classes.get(name)
            return binding
        make = self.file_variables.get(name)
        if make is not None:
            return make()
        imported = self._imported.get(name)
        if imported is not None:
            return imported
        return self.unbound(name)

    def unbound(self, name: str) -> Binding:
        """The binding of a name that nothing in the file declares."""
        binding = self.module.globals.get(name) or Binding(name, "global", origin=name)
        if name:
            self.module.globals[name] = binding
        return binding

    @property
    def file_variables(self) -> dict[str, Callable[[], Variable]]:
        """What makes the variables and constants of the package, by name."""
        if self._file_variables is None:
            self._file_variables = {}
            for top in () if self.is_fragment else self.tops:
                if top.type in ("var_declaration", "const_declaration"):
                    self._declare_specs(top, top, self._file_variables)
        return self._file_variables

    def _declare_specs(self, node: Node, top: Node, table: dict[str, Callable[[], Variable]]) -> None:
        for spec in parts(node):
            if spec.type == "var_spec_list":
                self._declare_specs(spec, top, table)
            elif spec.type in ("var_spec", "const_spec"):
                for index, name in enumerate(repeated(spec, "name")):
                    table.setdefault(
                        spelled(name), partial(self._file_variable, spec, index, spelled(name), top)
                    )

    def _file_variable(self, spec: Node, index: int, name: str, top: Node) -> Variable:
        variable = Variable(name, "local", self.module.top, 0)
        self.give(variable, spec.child_by_field_name("value"), index, len(repeated(spec, "name")))
        variable.type_node = spec.child_by_field_name("type")
        self._globals[name] = variable
        if self._written is None:
            self._written = {
                spelled(node) for node in map(_target, writes(self.root)) if node.type == "identifier"
            }
        variable.constant = spec.type == "const_spec" or name not in self._written
        variable.source = lambda: self.lower_top(top)
        self.finish(variable)
        return variable

    # -- scopes ----------------------------------------------------------------------------------

    def _make_unit(self, index: int) -> _Unit:
        top = self.module.top
        outer = Scope(0, len(self.module.text) + 1, top, None)
        if not self.tops:
            unit = self._units[index] = _Unit([], [], outer)
            return unit
        node = self.tops[index]
        captured = names(node)
        nodes = sorted(captured.get("scope", []), key=lambda n: (n.start_byte, -n.end_byte))
        bodies: set[tuple[int, int]] = set()
        scopes: list[Scope] = []
        pairs: list[tuple[Scope, Node]] = []
        stack: list[Scope] = [outer]
        for scope_node in nodes:
            extent = (scope_node.start_byte, scope_node.end_byte)
            # A function's body and its parameters are one block.
            if extent in bodies:
                continue
            while len(stack) > 1 and stack[-1].end <= extent[0]:
                stack.pop()
            function = stack[-1].function
            if scope_node.type in _FUNCTIONS:
                function = self.functions.get(extent, function)
                body = scope_node.child_by_field_name("body")
                if body is not None:
                    bodies.add((body.start_byte, body.end_byte))
            scope = Scope(*extent, function, stack[-1])
            stack.append(scope)
            scopes.append(scope)
            pairs.append((scope, scope_node))
        unit = _Unit([scope.start for scope in scopes], scopes, outer)
        self._units[index] = unit
        tables = _Tables(self, unit)
        for scope, scope_node in pairs:
            if scope_node.type in _FUNCTIONS:
                tables.declare_signature(scope, scope_node)
            elif scope_node.type == "type_switch_statement":
                tables.declare_switched(scope_node)
        for event in sorted(captured.get("event", []), key=lambda n: n.start_byte):
            tables.take_in(event, node)
        tables.settle()
        return unit

    # -- variables -------------------------------------------------------------------------------

    @staticmethod
    def give(variable: Variable, values: Node | None, index: int, count: int) -> None:
        """Notes which expression a declaration of `count` variables gives to the one at `index`."""
        given = listed(values)
        if len(given) == 1 and count > 1:
            variable.value, variable.index, variable.aliasable = given[0], index, False
        elif index < len(given):
            variable.value = given[index]

    def finish(self, variable: Variable) -> None:
        """Settles the type and the function that a variable holds."""
        made = self.type_of(variable, 0)
        variable.declared_type = self.types.canonical(made)
        variable.element_types = self.types.element_types(made)
        given = list(variable.assignments)
        if variable.value is not None and variable.value.type != "nil":
            given.append(variable.value)
        literal = given[0] if len(given) == 1 else None
        if literal is None or literal.type != "func_literal" or variable.implicit or variable.kind != "local":
            return
        variable.function = self.functions.get((literal.start_byte, literal.end_byte))
        if variable.function is not None:
            variable.function.binding = variable

    def type_of(self, binding: Binding, depth: int) -> Type | None:
        """The type of a variable, from its declaration or from what it is given."""
        if binding.kind == "this":
            return binding.declared_type
        if not isinstance(binding, Variable):
            return None
        if binding.type_node is not None:
            return binding.type_node
        if binding in self._inferred:
            return self._inferred[binding]
        if binding in self._inferring or depth > _DEPTH:
            return None
        self._inferring.add(binding)
        try:
            if binding.ranged is not None:
                container = self.types.of(binding.ranged, 0, depth + 1)
                found = self.types.key(container) if binding.index == 0 else self.types.element(container)
            else:
                found = self.types.of(binding.value, binding.index, depth + 1)
        finally:
            self._inferring.discard(binding)
        self._inferred[binding] = found
        return found

    def plain_place(self, node: Node | None) -> Place | None:
        """The place of fields that an expression names, without following other names for it; else None."""
        path: list[str] = []
        while node is not None:
            kind = node.type
            if kind == "identifier":
                binding = self.resolve(spelled(node), node.start_byte)
                return Place(binding, tuple(reversed(path)))
            if kind == "selector_expression":
                path.append(spelled(node.child_by_field_name("field")))
                node = node.child_by_field_name("operand")
            elif kind == "parenthesized_expression":
                node = only(node)
            elif kind == "unary_expression" and operator_of(node) in ("&", "*"):
                node = node.child_by_field_name("operand")
            else:
                return None
        return None


class _Tables:
    """Fills the scopes of one unit, then decides which variables are constant and which only name another place."""

    def __init__(self, names_: Names, unit: _Unit) -> None:
        self.names = names_
        self.unit = unit
        self.variables: list[Variable] = []
        self.written: list[tuple[int, Node]] = []

    def variable(self, scope: Scope, name: str, since: int, kind: BindingKind = "local") -> Variable:
        variable = Variable(name, kind, scope.function, since)
        host = self.names.hosts.get(scope.function, scope.function)
        variable.source = lambda: host.body
        scope.declare(name, since, variable)
        self.variables.append(variable)
        return variable

    def declare_signature(self, scope: Scope, node: Node) -> None:
        """Receiver, parameters and named results."""
        function = scope.function
        for name, _ in parameters(node.child_by_field_name("receiver")):
            if function.owner is not None:
                scope.declare(name, scope.start, function.owner.this)
        for binding in function.parameters:
            scope.declare(binding.name, scope.start, binding)
            if isinstance(binding, Variable):
                self.variables.append(binding)
        result = node.child_by_field_name("result")
        if result is not None and result.type == "parameter_list":
            for name, type_node in parameters(result):
                if name:
                    variable = self.variable(scope, name, scope.start)
                    variable.type_node = type_node
                    # `return x` assigns it.
                    variable.implicit = True

    def declare_switched(self, node: Node) -> None:
        """`switch v := x.(type)`: a variable of its own in each case, with the case's type where it has one."""
        alias, value = node.child_by_field_name("alias"), node.child_by_field_name("value")
        name = spelled(only(alias)) if alias is not None else ""
        if not name:
            return
        for case in node.named_children:
            if case.type in ("type_case", "default_case"):
                scope = self.unit.at(case.start_byte)
                variable = self.variable(scope, name, case.start_byte)
                variable.value = value
                listed_types = repeated(case, "type")
                if len(listed_types) == 1:
                    variable.type_node = listed_types[0]
                    variable.aliasable = False

    def take_in(self, node: Node, top: Node) -> None:
        """One declaration or assignment."""
        kind = node.type
        if kind == "short_var_declaration":
            self._declare(node, node.child_by_field_name("left"), node.child_by_field_name("right"))
        elif kind in ("var_spec", "const_spec"):
            scope = self.unit.at(node.start_byte)
            if scope is not self.unit.outer or self.names.is_fragment:
                self._declare_spec(scope, node)
        elif kind == "range_clause":
            self._range(node)
        elif kind == "receive_statement":
            if has_token(node, ":="):
                self._declare(node, node.child_by_field_name("left"), node.child_by_field_name("right"))
            else:
                self._assign(listed(node.child_by_field_name("left")), None)
        elif kind == "assignment_statement":
            left, right = listed(node.child_by_field_name("left")), listed(node.child_by_field_name("right"))
            plain = operator_of(node) == "=" and len(left) == len(right)
            self._assign(left, right if plain else None)
        elif kind == "call_expression":
            self._pass(node)
        else:
            operand = node.child_by_field_name("operand") if kind == "unary_expression" else only(node)
            if operand is not None and operand.type != "composite_literal":
                self._assign([operand], None)

    def _declare(self, node: Node, left: Node | None, right: Node | None) -> None:
        scope = self.unit.at(node.start_byte)
        targets = listed(left)
        fresh: list[Node] = []
        for index, target in enumerate(targets):
            name = spelled(target)
            if target.type != "identifier" or name == "_":
                continue
            if scope.own(name, node.start_byte) is not None:
                fresh.append(target)
                continue
            variable = self.variable(scope, name, node.end_byte)
            self.names.give(variable, right, index, len(targets))
        self._assign(fresh, None)

    def _declare_spec(self, scope: Scope, node: Node) -> None:
        type_node, values = node.child_by_field_name("type"), node.child_by_field_name("value")
        written = repeated(node, "name")
        since = 0 if scope is self.unit.outer else node.end_byte
        for index, name in enumerate(written):
            if spelled(name) == "_":
                continue
            variable = self.variable(scope, spelled(name), since)
            variable.since = node.end_byte
            variable.type_node = type_node
            self.names.give(variable, values, index, len(written))

    def _range(self, node: Node) -> None:
        targets = listed(node.child_by_field_name("left"))
        if not has_token(node, ":="):
            self._assign(targets, None)
            return
        scope = self.unit.at(node.start_byte)
        for index, target in enumerate(targets):
            if target.type == "identifier" and spelled(target) != "_":
                variable = self.variable(scope, spelled(target), node.end_byte)
                variable.ranged, variable.index = node.child_by_field_name("right"), index

    def _pass(self, call: Node) -> None:
        """The arguments of a function literal that is called where it is written."""
        literal = call.child_by_field_name("function")
        while literal is not None and literal.type == "parenthesized_expression":
            literal = only(literal)
        arguments = call.child_by_field_name("arguments")
        if literal is None or arguments is None:
            return
        function = self.names.functions.get((literal.start_byte, literal.end_byte))
        given = parts(arguments)
        if function is None or len(given) != len(function.parameters):
            return
        for parameter, value in zip(function.parameters, given, strict=True):
            if (
                isinstance(parameter, Variable)
                and value.type not in TYPE_NODES
                and value.type != "variadic_argument"
            ):
                parameter.value = value

    def _assign(self, targets: list[Node], values: list[Node] | None) -> None:
        for index, target in enumerate(targets):
            plain = _target(target)
            if plain.type == "blank_identifier" or (plain.type == "identifier" and spelled(plain) == "_"):
                continue
            self.written.append((target.start_byte, target))
            if plain.type == "identifier":
                binding = self.names.resolve(spelled(plain), plain.start_byte)
                if isinstance(binding, Variable):
                    simple = values is not None and plain is target
                    binding.assignments.append(values[index] if values is not None and simple else None)

    # -- conclusions -----------------------------------------------------------------------------

    def settle(self) -> None:
        for variable in self.variables:
            variable.constant = not variable.assignments and not variable.implicit
        followed = self._follow()
        if followed:
            self._keep_unwritten(followed)
        for variable in self.variables:
            self.names.finish(variable)

    def _follow(self) -> dict[Binding, Place]:
        """The variables that are given a place and never another value, and that place."""
        followed: dict[Binding, Place] = {}
        for variable in self.variables:
            if variable.constant and variable.aliasable and variable.value is not None:
                place = None if self._is_copy(variable.value) else self.names.plain_place(variable.value)
                if place is not None and place.root is not variable:
                    followed[variable] = place
        return followed

    def _is_copy(self, value: Node, depth: int = 0) -> bool:
        """Whether a value is a struct, so that a variable given it is another one."""
        if value.type == "unary_expression":
            return operator_of(value) == "*"
        if value.type == "call_expression" and spelled(value.child_by_field_name("function")) == "new":
            return False
        if value.type == "identifier" and depth < _DEPTH:
            binding = self.names.resolve(spelled(value), value.start_byte)
            if isinstance(binding, Variable) and binding.type_node is None and binding.value is not None:
                return binding.index == 0 and self._is_copy(binding.value, depth + 1)
        type_ = self.names.types.of(value)
        if not isinstance(type_, Node) or type_.type != "type_identifier":
            return False
        shape = self.names.types.underlying(type_)
        return isinstance(shape, Node) and shape.type == "struct_type"

    def _keep_unwritten(self, followed: dict[Binding, Place]) -> None:
        """Sets `alias` where the source keeps its value: nothing it lies in is assigned after the declaration."""
        written: dict[Binding, list[tuple[int, tuple[str, ...]]]] = {}
        for offset, node in self.written:
            place = self.names.plain_place(node)
            if place is not None:
                for spelling in {place, _expanded(place, followed)}:
                    written.setdefault(spelling.root, []).append((offset, spelling.path))
        for variable in followed:
            assert isinstance(variable, Variable)
            place = followed[variable]
            changed = any(
                offset >= variable.since and spelling.path[: len(path)] == path
                for spelling in {place, _expanded(place, followed)}
                for offset, path in written.get(spelling.root, ())
            )
            if not changed:
                variable.alias = place


def _expanded(place: Place, followed: dict[Binding, Place]) -> Place:
    """The place with every followed variable at its root replaced by what it was given."""
    for _ in range(_DEPTH):
        source = followed.get(place.root)
        if source is None:
            break
        place = Place(source.root, source.path + place.path)
    return place


def _target(node: Node) -> Node:
    """What is assigned, without the parentheses and dereferences around it."""
    while True:
        inner: Node | None = None
        if node.type == "parenthesized_expression":
            inner = only(node)
        elif node.type == "unary_expression":
            inner = node.child_by_field_name("operand")
        if inner is None:
            return node
        node = inner


_FUNCTIONS = frozenset({"function_declaration", "method_declaration", "func_literal"})
_DECLARATIONS = _FUNCTIONS | {
    "package_clause",
    "import_declaration",
    "var_declaration",
    "const_declaration",
    "type_declaration",
}
