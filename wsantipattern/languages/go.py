"""The Go front end: text to model.

Parsing finds every function and type of a file; bodies are lowered on first use. Any bytes give a module: broken text
is lowered as far as it reads, and statements without a package, or `case` arms without their switch, are read as the
fragments of documentation that they are. Knows the language and its builtins, and no library beyond what ends a
process.
"""

from __future__ import annotations

from tree_sitter import Node, Tree

from wsantipattern.languages.go_literal import string
from wsantipattern.languages.go_scope import Names, Variable
from wsantipattern.languages.go_statement import Statements
from wsantipattern.languages.go_syntax import (
    additions,
    declarations,
    first_leaf,
    has_token,
    is_broken,
    is_of_names,
    is_trivial,
    listed,
    only,
    parameters,
    parse_tree,
    parts,
    repeated,
    run_once,
    spelled,
)
from wsantipattern.languages.go_term import Terms, extent
from wsantipattern.languages.go_type import Types
from wsantipattern.languages.single_call import finder
from wsantipattern.model.module import Class, Function, FunctionKind, Module
from wsantipattern.model.place import Binding

_SWITCH, _SELECT = b"switch {", b"select {"
_END = b"\n}\n"


def parse(text: bytes, path: str, language: str) -> Module:
    """The model of one Go file or fragment; never raises."""
    tree = parse_tree(text)
    arms = _arms(text, tree) if tree.root_node.has_error else None
    if arms is None:
        return _Collector(Module(path, text, language, raises=False), tree).module
    wrapped, tree = arms
    module = Module(path, wrapped, language, raises=False)
    end, shift = len(_SWITCH) + len(text), len(_SWITCH)
    module.offset_map = [(0, -shift), *((end + extra, len(text)) for extra in range(len(_END) + 1))]
    _Collector(module, tree)
    return module


def _arms(text: bytes, tree: Tree) -> tuple[bytes, Tree] | None:
    """The text as the arms of a switch or select, and its tree, where it starts with one."""
    leaf = first_leaf(tree.root_node)
    if leaf is None or leaf.type not in ("case", "default"):
        return None
    select = parse_tree(_SELECT + text + _END)
    communications = [
        case.child_by_field_name("communication")
        for top in parts(select.root_node)
        for case in parts(top)
        if case.type == "communication_case"
    ]
    if communications and all(_communicates(communication) for communication in communications):
        return _SELECT + text + _END, select
    return _SWITCH + text + _END, parse_tree(_SWITCH + text + _END)


def _communicates(node: Node | None) -> bool:
    """Whether a case of a select sends or receives; the grammar takes any expression there."""
    if node is None or node.type != "receive_statement":
        return node is not None and node.type == "send_statement"
    right = node.child_by_field_name("right")
    return right is not None and right.type == "unary_expression" and has_token(right, "<-")


class _Collector:
    """Finds what a file declares and hands each function its lowering."""

    def __init__(self, module: Module, tree: Tree) -> None:
        self.module = module
        root = self.root = tree.root_node
        module.has_errors = is_broken(module.text, tree)
        self.types = Types()
        self.functions: dict[tuple[int, int], Function] = {}
        self.classes: dict[str, Class] = {}
        captured = declarations(root)
        imports = self._imports(captured.get("import", []))
        specs = sorted(captured.get("type", []), key=_start)
        module.orderings = sorted(n.start_byte for n in captured.get("ordering", []) if not is_trivial(n))
        module.inequalities = sorted(n.start_byte for n in captured.get("unequal", []) if is_of_names(n))
        module.find_additions = lambda: additions(root)
        module.find_call = finder(root, self._means)
        structs = {name: spec for spec in specs if (name := self.types.declare(spec))}
        module.top = Function(
            module, "", "top", (0, len(module.text)), lower=lambda _: self.statements.top(root)
        )
        names = self.names = Names(module, root, self.types, self.functions, imports, self.classes)
        terms = Terms(module, names, self.types, self.functions)
        first = only(root) if module.offset_map is not None else None
        self.statements = Statements(terms, extent(first) if first is not None else None)
        names.lower_top = self.statements.top_statements
        self._classes(structs)
        names.file_functions = self._functions(captured)
        module.classes = sorted(self.classes.values(), key=lambda c: c.extent)
        self._fields(list(structs))

    def _means(self, function: Function, name: str, offset: int) -> bool:
        """Whether a name at a byte offset is that of a function that a variable holds."""
        return self.names.resolve(name, offset).function is function

    # -- imports and types -----------------------------------------------------------------------

    def _imports(self, specs: list[Node]) -> list[tuple[list[str], Binding]]:
        """Every import with the names that may mean it, likeliest first."""
        found: list[tuple[list[str], Binding]] = []
        for spec in sorted(specs, key=_start):
            path = spec.child_by_field_name("path")
            if path is None:
                continue
            origin, name = string(spelled(path)), spec.child_by_field_name("name")
            self.module.imports.add(origin)
            if name is None:
                candidates = _package_names(origin)
            elif name.type == "package_identifier":
                candidates = [spelled(name)]
            else:
                continue
            found.append((candidates, Binding(candidates[0], "import", origin=origin, constant=True)))
        return found

    def _classes(self, structs: dict[str, Node]) -> None:
        for name, spec in structs.items():
            self._class(name, spec)

    def _class(self, name: str, node: Node) -> Class:
        known = self.classes.get(name)
        if known is None:
            this = Binding(name, "this", declared_type=name, constant=True)
            known = self.classes[name] = Class(name, extent(node), this)
        return known

    def _fields(self, structs: list[str]) -> None:
        for name in structs:
            self.types.declare_fields(name)
        for name in structs:
            self.classes[name].bases = self.types.embedded[name]
            fields = self.classes[name].field_types
            for field, type_node in self.types.fields[name].items():
                canonical = self.types.canonical(type_node)
                if canonical is not None:
                    fields[field] = canonical
                elements = self.types.element_types(type_node)
                if elements:
                    self.classes[name].field_elements[field] = elements
        for name in structs:
            self._promote(name)

    def _promote(self, name: str) -> None:
        """Fields of embedded structs of the file are fields of the type that embeds them."""
        own = self.classes[name].field_types
        todo, seen = list(self.types.embedded[name]), {name}
        for inner in todo:
            if inner in seen or inner not in self.types.fields:
                continue
            seen.add(inner)
            for field, type_node in self.types.fields[inner].items():
                canonical = self.types.canonical(type_node)
                if canonical is not None and field not in self.types.fields[name]:
                    own.setdefault(field, canonical)
            todo.extend(self.types.embedded[inner])

    # -- functions -------------------------------------------------------------------------------

    def _functions(self, captured: dict[str, list[Node]]) -> dict[str, Binding]:
        """Makes every function, in order; the declared ones by name."""
        called = {extent(node) for node in captured.get("called", [])}
        called -= {extent(node) for node in captured.get("spawned", [])}
        if b"sync.Once" in self.module.text:
            called |= {extent(node) for node in run_once(self.root)}
        assigned = _assigned_literals(captured.get("naming", []))
        declared: dict[str, Binding] = {}
        hosts = self.names.hosts
        around: list[Function] = [self.module.top]
        for node in sorted(captured.get("function", []), key=lambda n: (n.start_byte, -n.end_byte)):
            while len(around) > 1 and around[-1].extent[1] <= node.start_byte:
                around.pop()
            function = self._function(node, around[-1], assigned.get(node.start_byte))
            function.runs_in_place = extent(node) in called
            hosts[function] = hosts.get(around[-1], around[-1]) if function.runs_in_place else function
            around.append(function)
            self.functions[extent(node)] = function
            self.module.functions.append(function)
            if node.type == "function_declaration" and function.name not in ("", "_", "init"):
                binding = Binding(function.name, "function", self.module.top, constant=True)
                binding.function, function.binding = function, binding
                declared.setdefault(function.name, binding)
        return declared

    def _function(self, node: Node, parent: Function, assigned: Node | None) -> Function:
        name_node = node.child_by_field_name("name") if node.type != "func_literal" else assigned
        written, owner = spelled(name_node), None
        kind: FunctionKind = "function"
        if node.type == "method_declaration":
            kind, owner = "method", self._receiver(node)
        elif node.type == "func_literal":
            kind = "lambda"
        if owner is not None:
            name = f"{owner.name}.{written}"
        elif kind == "lambda" and written and parent.name:
            name = f"{parent.name}.{written}"
        else:
            name = written
        function = Function(
            self.module,
            name,
            kind,
            extent(node),
            name_extent=extent(name_node)
            if name_node is not None
            else (node.start_byte, node.start_byte + len("func")),
            parent=parent,
            owner=owner,
            lower=lambda f: (
                self.statements.inlined_body(f) if f.runs_in_place else self.statements.body(node)
            ),
        )
        result = node.child_by_field_name("result")
        owner_name = owner.name if owner is not None else ""
        if kind != "lambda":
            self.types.results.setdefault((owner_name, written), result)
        if owner is not None:
            owner.methods.setdefault(written, function)
            function.is_private = written[:1].islower() or written.startswith("_")
        for parameter, type_node in parameters(node.child_by_field_name("parameters")):
            variable = Variable(parameter, "parameter", function, node.start_byte)
            variable.type_node = type_node
            variable.declared_type = self.types.canonical(type_node)
            variable.element_types = self.types.element_types(type_node)
            variable.constant = True
            function.parameters.append(variable)
        return function

    def _receiver(self, node: Node) -> Class | None:
        receivers = parameters(node.child_by_field_name("receiver"))
        if not receivers:
            return None
        name, type_node = receivers[0]
        stripped = self.types.stripped(type_node)
        if not isinstance(stripped, Node) or stripped.type != "type_identifier":
            return None
        owner = self._class(spelled(stripped), node)
        if owner.this.name == owner.name and name not in ("", "_"):
            owner.this.name = name
        return owner


def _start(node: Node) -> int:
    return node.start_byte


def _assigned_literals(statements: list[Node]) -> dict[int, Node]:
    """The variable that each function literal is assigned to, by where the literal starts."""
    found: dict[int, Node] = {}
    for statement in statements:
        if statement.type == "var_spec":
            left, right = repeated(statement, "name"), statement.child_by_field_name("value")
        else:
            left, right = (
                listed(statement.child_by_field_name("left")),
                statement.child_by_field_name("right"),
            )
        for name, value in zip(left, listed(right), strict=False):
            if value.type == "func_literal" and name.type == "identifier" and spelled(name) != "_":
                found[value.start_byte] = name
    return found


def _package_names(path: str) -> list[str]:
    """The names that a package of this import path may have, likeliest first; only its own source says which."""
    elements = [element for element in path.split("/") if element]
    if len(elements) > 1 and elements[-1][:1] == "v" and elements[-1][1:].isdigit():
        elements.pop()
    last = elements[-1] if elements else path
    stem, _, version = last.rpartition(".")
    if stem and version[:1] == "v" and version[1:].isdigit():
        last = stem
    candidates = [last]
    for name in (
        last.removeprefix("go-"),
        last.removesuffix("-go").removesuffix(".go"),
        last.rpartition("-")[2],
    ):
        candidates += [name, name.replace("-", "").replace(".", ""), name.replace("-", "_").replace(".", "_")]
    unique = list(dict.fromkeys(candidates))
    # Where the last element is no identifier, it cannot be the name.
    return [name for name in unique if name.isidentifier()] or [last]
