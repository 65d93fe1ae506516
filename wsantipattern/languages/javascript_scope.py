"""Names of a JavaScript or TypeScript file: scopes, variables, aliases, what `this` is, canonical types.

Every table is made when first asked for and kept. A `Variable` is a `Binding` whose properties are worked out on
demand from the syntax. Knows no library. Lowers nothing: initial values come through `File.lower_site`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING

from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Binding, BindingKind, Place
from wsantipattern.model.term import Extent, Ref, Store, Term

if TYPE_CHECKING:
    from tree_sitter import Node

    from wsantipattern.model.module import FunctionKind
    from wsantipattern.model.term import Statement

TRANSPARENT = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "type_assertion",
        "instantiation_expression",
    }
)
FUNCTIONS = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
        "method_definition",
    }
)
CLOSURES = frozenset({"function_expression", "arrow_function"})
GLOBAL_OBJECTS = frozenset({"window", "globalThis", "self", "global"})
_HOLDERS = {"useRef": "current", "createRef": "current", "ref": "value", "shallowRef": "value"}
"""Calls that box a value, by their last word, and the field that the value is in."""
_ALIAS_STEPS = 12


def unwrap(node: Node) -> Node:
    """The expression inside parentheses and type-only operators."""
    while node.type in TRANSPARENT:
        inner = node.named_children
        inner = [child for child in inner if child.type != "comment"]
        if not inner:
            return node
        node = inner[-1] if node.type == "type_assertion" else inner[0]
    return node


def first_named(node: Node) -> Node | None:
    """The first child that is no punctuation."""
    return node.named_child(0) if node.named_child_count else None


def word(node: Node) -> str:
    """The text of a name."""
    text = node.text
    return text.decode("utf-8", "replace") if text else ""


def extent_of(node: Node) -> Extent:
    return (node.start_byte, node.end_byte)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def string_value(node: Node) -> str:
    """The value of a string literal or of a template literal without substitutions."""
    parts: list[str] = []
    for child in node.named_children:
        text = word(child)
        if child.type != "escape_sequence":
            parts.append(text)
        elif text[1:2] in ("u", "x"):
            digits = text[2:].strip("{}")
            code = int(digits, 16) if digits and all(c in "0123456789abcdefABCDEF" for c in digits) else -1
            parts.append(chr(code) if 0 <= code < 0xD800 or 0xDFFF < code < 0x110000 else text)
        else:
            parts.append(_ESCAPES.get(text[1:2], text[1:]))
    return "".join(parts)


def key_name(node: Node | None) -> str | None:
    """The name of a property key; None where it is computed."""
    if node is None:
        return None
    kind = node.type
    if kind == "string":
        return string_value(node)
    if kind == "computed_property_name":
        inner = first_named(node)
        return string_value(inner) if inner is not None and inner.type == "string" else None
    return word(node)


def has_token(node: Node, token: str) -> bool:
    """Whether a keyword stands among the first children: `async`, `static`, `get`."""
    for child in node.children:
        if child.type == token:
            return True
        if child.type in ("formal_parameters", "statement_block"):
            break
    return False


class Definition:
    """One place of the file that gives a variable its value."""

    __slots__ = ("annotation", "counts", "path", "scope", "site", "value")

    def __init__(
        self,
        scope: Scope,
        site: Node | None = None,
        value: Node | None = None,
        path: tuple[str, ...] | None = None,
        annotation: Node | None = None,
        counts: bool = True,
    ) -> None:
        self.scope = scope
        self.site = site
        """The declarator or assignment that lowers to the stores."""
        self.value = value
        """The initial value that `path` leads into."""
        self.path = path
        """Fields from `value` to what is bound; None where the way is not plain."""
        self.annotation = annotation
        self.counts = counts


class Variable(Binding):
    """A declared name. Constancy, value, function and type are worked out when asked for."""

    __slots__ = ("_alias", "_class", "_constant", "_function", "_type", "definitions", "file")

    def __init__(
        self, file: File, name: str, kind: BindingKind, scope: Function | None, origin: str | None
    ) -> None:
        self.file = file
        self.definitions: list[Definition] = []
        self._constant: bool | None = None
        self._function: Function | bool | None = None
        self._class: Class | bool | None = None
        self._type: str | bool | None = None
        self._alias: Place | bool | None = None
        super().__init__(name, kind, scope, origin)
        self._constant = None
        self._function = None
        self._class = None
        self._type = None

    @property
    def constant(self) -> bool:
        if self._constant is None:
            self._constant = self._count() <= 1
        return self._constant

    @constant.setter
    def constant(self, value: bool) -> None:
        self._constant = value

    def _count(self) -> int:
        count = sum(d.counts for d in self.definitions)
        for target, plain, _ in self.file.assignments(self.name):
            if self.file.lookup(self.name, target.start_byte) is self:
                count += 1 if plain else 2
        return count

    def _only(self) -> Definition | None:
        """The definition of a constant that gives the value."""
        if not self.constant:
            return None
        for definition in self.definitions:
            if definition.counts:
                return definition
        for target, plain, site in self.file.assignments(self.name):
            if plain and self.file.lookup(self.name, target.start_byte) is self:
                scope = self.file.scope_at(target.start_byte)
                return Definition(scope, site, site.child_by_field_name("right"), None)
        return None

    @property
    def initial(self) -> Term | None:
        if self._initial is None and self.file.lower_site is not None:
            definition = self._only()
            if definition is not None and definition.site is not None:
                for store in self.file.lower_site(definition.site, definition.scope):
                    if isinstance(store.target, Ref) and store.target.place == Place(self):
                        self._initial = store.value
                        break
        return self._initial

    @initial.setter
    def initial(self, term: Term | None) -> None:
        self._initial = term

    @property
    def function(self) -> Function | None:
        if self._function is None:
            definition = self._only()
            found: Function | None = None
            if definition is not None and definition.value is not None and not definition.path:
                found = self.file.functions.get(unwrap(definition.value).id)
            self._function = found or False
        return self._function if isinstance(self._function, Function) else None

    @function.setter
    def function(self, value: Function | None) -> None:
        self._function = value

    @property
    def class_(self) -> Class | None:
        if self._class is None:
            definition = self._only()
            found: Class | None = None
            if definition is not None and definition.value is not None and not definition.path:
                found = self.file.instance_class(unwrap(definition.value), definition.scope)
            self._class = found or False
        return self._class if isinstance(self._class, Class) else None

    @class_.setter
    def class_(self, value: Class | None) -> None:
        self._class = value

    @property
    def declared_type(self) -> str | None:
        if self._type is None:
            self._type = False
            for definition in self.definitions:
                if definition.annotation is not None:
                    self._type = self.file.type_name(definition.annotation, definition.scope) or False
                    break
        return self._type if isinstance(self._type, str) else None

    @declared_type.setter
    def declared_type(self, value: str | None) -> None:
        self._type = value

    @property
    def alias(self) -> Place | None:
        """The place that this name is only another word for, or None."""
        if self._alias is None:
            self._alias = False
            self._alias = self._find_alias() or False
        return self._alias if isinstance(self._alias, Place) else None

    def _find_alias(self) -> Place | None:
        if self.kind != "local" or len(self.definitions) != 1:
            return None
        definition = self.definitions[0]
        if not definition.counts or definition.value is None or definition.path is None or not self.constant:
            return None
        source = self.file.pure_place(definition.value, definition.scope)
        if source is None:
            return None
        place = Place(source.root, source.path + definition.path)
        root = place.root
        if isinstance(root, Variable) and not root.constant:
            if not place.path:
                return None
            if self.file.assigned_after(root.name, definition.scope.function, definition.value.end_byte):
                return None
        if place.path and self.file.is_snapshot(self, place, definition):
            return None
        return place


class Scope:
    """A function, block, loop, catch or module scope; `names` is made on first use."""

    __slots__ = ("_names", "children", "declarations", "end", "file", "function", "node", "parent", "start")

    def __init__(
        self, file: File, parent: Scope | None, function: Function, node: Node | None, extent: Extent
    ) -> None:
        self.file = file
        self.parent = parent
        self.function = function
        self.node = node
        """The function that the scope is the outermost of; None for the other scopes."""
        self.start, self.end = extent
        self.declarations: list[tuple[str, Node, Scope]] = []
        self.children: list[Scope] = []
        self._names: dict[str, Variable] | None = None
        if parent is not None:
            parent.children.append(self)

    @property
    def names(self) -> dict[str, Variable]:
        if self._names is None:
            self._names = {}
            if self.node is not None:
                _Declarer(self, self).parameters(self.node)
            for kind, node, lexical in self.declarations:
                _Declarer(self, lexical).declare(kind, node)
        return self._names

    @property
    def outermost(self) -> Scope:
        """The scope that `var` declares in."""
        scope = self
        while scope.parent is not None and scope.parent.function is scope.function and scope.node is None:
            scope = scope.parent
        return scope

    def lookup(self, name: str) -> Variable | None:
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def at(self, offset: int) -> Scope:
        """The innermost scope that holds the byte offset."""
        scope = self
        while scope.children:
            index = bisect_right(scope.children, offset, key=lambda s: s.start) - 1
            if index < 0 or offset >= scope.children[index].end:
                break
            scope = scope.children[index]
        return scope


class _Declarer:
    """Fills a scope's names from one declaration."""

    def __init__(self, scope: Scope, lexical: Scope) -> None:
        self.scope = scope
        self.lexical = lexical
        self.file = scope.file

    def bind(
        self, name: str, kind: BindingKind, definition: Definition, origin: str | None = None
    ) -> Variable:
        names = self.scope.names
        variable = names.get(name)
        if variable is None:
            function = None if kind == "import" else self.scope.function
            variable = Variable(self.file, name, kind, function, origin)
            names[name] = variable
        variable.definitions.append(definition)
        return variable

    def parameters(self, node: Node) -> None:
        if node.type == "function_expression" or node.type == "generator_function":
            name = node.child_by_field_name("name")
            if name is not None:
                own = self.bind(word(name), "function", Definition(self.lexical, None, node, ()))
                own.function = self.scope.function
        for parameter in parameter_nodes(node):
            self.parameter(parameter)

    def parameter(self, node: Node) -> None:
        annotation = node.child_by_field_name("type")
        pattern = parameter_pattern(node)
        if pattern is None or pattern.type == "this":
            return
        if pattern.type == "identifier":
            definition = Definition(self.lexical, annotation=annotation)
            self.bind(word(pattern), "parameter", definition)
        else:
            self.pattern(
                pattern, "local", Definition(self.lexical, node, None, None, _object_type(annotation))
            )

    def declare(self, kind: str, node: Node) -> None:
        if kind in ("lexical_declaration", "variable_declaration"):
            for child in node.named_children:
                if child.type == "variable_declarator":
                    self.declarator(child, kind == "variable_declaration")
        elif kind == "function":
            name = node.child_by_field_name("name")
            if name is not None:
                self.bind(word(name), "function", Definition(self.lexical, None, node, ()))
        elif kind == "class":
            name = node.child_by_field_name("name")
            if name is not None:
                variable = self.bind(word(name), "class", Definition(self.lexical))
                variable.class_ = self.file.classes.get(node.id)
        elif kind == "loop":
            left = node.child_by_field_name("left")
            if left is not None:
                self.pattern(left, "local", Definition(self.lexical))
        elif kind == "catch":
            parameter = node.child_by_field_name("parameter")
            if parameter is not None:
                self.pattern(parameter, "local", Definition(self.lexical))
        elif kind == "import":
            self.imports(node)
        else:
            name = node.child_by_field_name("name")
            if name is not None and name.type == "identifier":
                self.bind(word(name), "local", Definition(self.lexical))

    def declarator(self, node: Node, hoisted: bool) -> None:
        pattern = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if pattern is None:
            return
        annotation = node.child_by_field_name("type")
        if pattern.type == "identifier":
            name = word(pattern)
            value_node = unwrap(value) if value is not None else None
            if value_node is not None and value_node.type == "class":
                variable = self.bind(name, "class", Definition(self.lexical, node, value, (), annotation))
                variable.class_ = self.file.classes.get(value_node.id)
                return
            origin = (
                self.file.required(value) if value is not None and not self.file.assignments(name) else None
            )
            definition = Definition(
                self.lexical, node, value, () if value is not None else None, annotation, value is not None
            )
            self.bind(name, "import" if origin else "local", definition, origin)
            return
        if value is not None:
            self.pattern(
                pattern, "local", Definition(self.lexical, node, value, (), _object_type(annotation))
            )

    def pattern(self, node: Node, kind: BindingKind, definition: Definition) -> None:
        """Binds the names of a pattern; `definition.path` leads to what the pattern takes apart."""
        shape = node.type
        if shape in ("identifier", "shorthand_property_identifier_pattern"):
            name = word(node)
            origin = None
            if definition.path and definition.value is not None and not self.file.assignments(name):
                origin = self.file.required(definition.value)
                if origin is not None:
                    origin = ".".join((origin, *definition.path))
            self.bind(name, "import" if origin else kind, definition, origin)
        elif shape == "object_pattern":
            for child in node.named_children:
                if child.type == "shorthand_property_identifier_pattern":
                    self.pattern(child, kind, self._into(definition, word(child)))
                elif child.type == "pair_pattern":
                    value = child.child_by_field_name("value")
                    if value is not None:
                        self.pattern(
                            value, kind, self._into(definition, key_name(child.child_by_field_name("key")))
                        )
                elif child.type in ("object_assignment_pattern", "assignment_pattern"):
                    left = child.child_by_field_name("left")
                    if left is not None:
                        self.pattern(left, kind, self._into(definition, None, word(left)))
                elif child.type == "rest_pattern":
                    self.pattern(child, kind, self._into(definition, None))
        elif shape in ("array_pattern", "rest_pattern"):
            for child in node.named_children:
                self.pattern(child, kind, self._into(definition, None))
        elif shape in ("assignment_pattern", "object_assignment_pattern"):
            left = node.child_by_field_name("left")
            if left is not None:
                self.pattern(left, kind, self._into(definition, None))

    def _into(self, outer: Definition, name: str | None, typed: str | None = None) -> Definition:
        path = None if outer.path is None or name is None else (*outer.path, name)
        annotation = _member_type(outer.annotation, name or typed)
        return Definition(outer.scope, outer.site, outer.value, path, annotation, outer.counts)

    def imports(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        for clause in node.named_children:
            if clause.type == "import_require_clause":
                inner = clause.child_by_field_name("source")
                name = first_named(clause)
                if inner is not None and name is not None:
                    self.bind(word(name), "import", Definition(self.lexical), string_value(inner))
            elif clause.type == "import_clause" and source is not None:
                self.import_clause(clause, string_value(source))

    def import_clause(self, clause: Node, module: str) -> None:
        for part in clause.named_children:
            if part.type == "identifier":
                self.bind(word(part), "import", Definition(self.lexical), module)
            elif part.type == "namespace_import":
                name = first_named(part)
                if name is not None:
                    self.bind(word(name), "import", Definition(self.lexical), module)
            elif part.type == "named_imports":
                for item in part.named_children:
                    name = item.child_by_field_name("name")
                    if name is None:
                        continue
                    local = item.child_by_field_name("alias") or name
                    exported = key_name(name)
                    origin = module if exported == "default" else f"{module}.{exported}"
                    self.bind(word(local), "import", Definition(self.lexical), origin)


def parameter_nodes(node: Node) -> list[Node]:
    """The parameters of a function, in order."""
    single = node.child_by_field_name("parameter")
    if single is not None:
        return [single]
    several = node.child_by_field_name("parameters")
    if several is None:
        return []
    return [child for child in several.named_children if child.type not in ("comment", "decorator", "ERROR")]


def parameter_pattern(node: Node) -> Node | None:
    """The name or pattern of a parameter, without default, type, modifiers or `...`."""
    pattern: Node | None = node
    while pattern is not None:
        if pattern.type in ("required_parameter", "optional_parameter"):
            pattern = pattern.child_by_field_name("pattern")
        elif pattern.type == "assignment_pattern":
            pattern = pattern.child_by_field_name("left")
        elif pattern.type == "rest_pattern":
            pattern = first_named(pattern)
        else:
            break
    return pattern


def parameter_default(node: Node) -> Node | None:
    if node.type in ("required_parameter", "optional_parameter"):
        return node.child_by_field_name("value")
    return node.child_by_field_name("right") if node.type == "assignment_pattern" else None


def _object_type(annotation: Node | None) -> Node | None:
    """The members of an annotation that is written out as an object type."""
    inner = first_named(annotation) if annotation is not None else None
    return inner if inner is not None and inner.type == "object_type" else None


def _member_type(members: Node | None, name: str | None) -> Node | None:
    if members is None or name is None or members.type != "object_type":
        return None
    for member in members.named_children:
        if member.type == "property_signature" and key_name(member.child_by_field_name("name")) == name:
            annotation = member.child_by_field_name("type")
            return _object_type(annotation) or annotation
    return None


class JavaScriptFunction(Function):
    """A function with its syntax. `role` says how it is inlined: "iife", "executor", "each", "link", "final"."""

    def __init__(
        self,
        file: File,
        node: Node | None,
        name: str,
        kind: FunctionKind,
        extent: Extent,
        *,
        name_extent: Extent | None = None,
        parent: Function | None = None,
        owner: Class | None = None,
        is_async: bool = False,
        is_generator: bool = False,
        lower: Callable[[Function], list[Statement]] | None = None,
    ) -> None:
        self.file = file
        self.node = node
        self.role = ""
        self.is_static = False
        self.is_arrow = node is not None and node.type == "arrow_function"
        self.inner: Scope | None = None
        self.named: tuple[Scope, str] | None = None
        self.decorator_nodes: list[Node] = []
        self._parameters: list[Binding] | None = None
        self._decorators: list[Term] | None = None
        self._binding: Binding | None = None
        super().__init__(
            file.module,
            name,
            kind,
            extent,
            name_extent=name_extent,
            parent=parent,
            owner=owner,
            is_async=is_async,
            is_generator=is_generator,
            lower=lower,
        )
        self._parameters = None
        self._decorators = None

    @property
    def parameters(self) -> list[Binding]:
        if self._parameters is None:
            self._parameters = []
            if self.node is not None and self.inner is not None:
                for node in parameter_nodes(self.node):
                    pattern = parameter_pattern(node)
                    if pattern is None or pattern.type == "this":
                        continue
                    found = self.inner.names.get(word(pattern)) if pattern.type == "identifier" else None
                    if found is None:
                        found = Variable(self.file, "", "parameter", self, None)
                        found.definitions.append(
                            Definition(self.inner, annotation=node.child_by_field_name("type"))
                        )
                    self._parameters.append(found)
        return self._parameters

    @parameters.setter
    def parameters(self, value: list[Binding]) -> None:
        self._parameters = value

    @property
    def decorators(self) -> list[Term]:
        if self._decorators is None:
            lower = self.file.lower_expression
            scope = self.inner.parent if self.inner is not None else None
            self._decorators = []
            if lower is not None and scope is not None:
                for node in self.decorator_nodes:
                    inner = first_named(node)
                    if inner is not None:
                        self._decorators.append(lower(inner, scope))
        return self._decorators

    @decorators.setter
    def decorators(self, value: list[Term]) -> None:
        self._decorators = value

    @property
    def binding(self) -> Binding | None:
        if self._binding is None and self.named is not None:
            scope, name = self.named
            found = scope.names.get(name)
            if found is None:
                found = scope.lookup(name)
            if found is not None and found.function is self:
                self._binding = found
        return self._binding

    @binding.setter
    def binding(self, value: Binding | None) -> None:
        self._binding = value


class File:
    """One file's syntax and names, shared by everything that lowers it."""

    def __init__(self, module: Module, root: Node) -> None:
        self.module = module
        self.text = module.text
        self.root = root
        self.functions: dict[int, JavaScriptFunction] = {}
        self.classes: dict[int, Class] = {}
        self.scopes: dict[int, Scope] = {}
        self.top_scope: Scope
        self.assigned: list[Node] = []
        """Assignments, updates and loops that write existing names or members."""
        self.compared: list[Node] = []
        """Comparisons of a name with a member."""
        self.stores: dict[int, list[Store]] = {}
        self.fields: dict[Class, list[Node]] = {}
        self.field_scopes: dict[Class, Scope] = {}
        self.lower_site: Callable[[Node, Scope], list[Store]] | None = None
        self.lower_expression: Callable[[Node, Scope], Term] | None = None
        self.depth = 0
        self.is_case_fragment = False
        self._this: dict[Function, Binding] = {}
        self._modules: dict[str, Binding] = {}
        self._super = Binding("super", "global")
        self._named_targets: dict[str, list[tuple[Node, bool, Node]]] | None = None
        self._member_targets: list[tuple[int, str]] | None = None
        self._name_targets: dict[str, list[int]] = {}
        self._comparisons: dict[tuple[str, str], list[int]] | None = None
        self._holders: dict[int, Class | None] = {}

    # -- names -----------------------------------------------------------------------------------

    def scope_at(self, offset: int) -> Scope:
        return self.top_scope.at(offset)

    def lookup(self, name: str, offset: int) -> Variable | None:
        return self.scope_at(offset).lookup(name)

    def global_binding(self, name: str) -> Binding:
        found = self.module.globals.get(name)
        if found is None:
            found = Binding(name, "global", origin=name)
            self.module.globals[name] = found
        return found

    def module_binding(self, name: str) -> Binding:
        """The binding of a module named in place: `require("ws")`, `import("ws")`."""
        found = self._modules.get(name)
        if found is None:
            found = Binding(name, "import", origin=name, constant=True)
            self._modules[name] = found
        return found

    @property
    def super_binding(self) -> Binding:
        return self._super

    def this_of(self, function: Function) -> Binding:
        """What `this` is in a function: the owner's, through arrows; else a binding of its own."""
        current = function
        while isinstance(current, JavaScriptFunction) and current.is_arrow and current.owner is None:
            if current.parent is None:
                break
            current = current.parent
        static = isinstance(current, JavaScriptFunction) and current.is_static
        if current.owner is not None and not static:
            return current.owner.this
        found = self._this.get(current)
        if found is None:
            found = Binding("this", "this")
            self._this[current] = found
        return found

    def arguments_of(self, function: Function) -> Binding:
        """The `arguments` object: one unnamed kind of local for each function that is no arrow."""
        current = function
        while isinstance(current, JavaScriptFunction) and current.is_arrow and current.parent is not None:
            current = current.parent
        scope = current.inner if isinstance(current, JavaScriptFunction) else None
        names = scope.names if scope is not None else self.top_scope.names
        found = names.get("arguments")
        if found is None:
            found = Variable(self, "arguments", "local", current, None)
            found.definitions.append(Definition(scope or self.top_scope))
            names["arguments"] = found
        return found

    def required(self, node: Node) -> str | None:
        """The canonical name of `require("m")`, `await import("m")` or a field of one; else None."""
        node = unwrap(node)
        if node.type == "await_expression":
            inner = first_named(node)
            if inner is None:
                return None
            node = unwrap(inner)
        path: list[str] = []
        while node.type == "member_expression":
            field = node.child_by_field_name("property")
            inner = node.child_by_field_name("object")
            if field is None or inner is None:
                return None
            path.append(word(field))
            node = unwrap(inner)
            if node.type == "await_expression":
                inner = first_named(node)
                if inner is None:
                    return None
                node = unwrap(inner)
        source = self.import_source(node)
        if source is None:
            return None
        return ".".join([source, *(name for name in reversed(path) if name != "default")])

    def import_source(self, node: Node) -> str | None:
        """The module of `require("m")` or `import("m")`."""
        if node.type != "call_expression":
            return None
        callee = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if callee is None or arguments is None:
            return None
        if callee.type == "identifier":
            if word(callee) != "require":
                return None
        elif callee.type != "import":
            return None
        first = first_named(arguments)
        if first is None or first.type != "string":
            return None
        return string_value(first)

    # -- places without evaluation -----------------------------------------------------------------

    def name_place(self, name: str, scope: Scope) -> Place:
        """The place of a name read in a scope, through aliases."""
        variable = scope.lookup(name)
        if variable is None:
            if name == "arguments" and scope.function.kind != "top":
                return Place(self.arguments_of(scope.function))
            return Place(self.global_binding(name))
        return variable.alias or Place(variable)

    def field_place(self, place: Place, name: str) -> Place:
        """A field of a place; `window.X` is the global X."""
        root = place.root
        if not place.path and root.kind == "global" and root.name in GLOBAL_OBJECTS:
            return Place(self.global_binding(name))
        if name == "default" and not place.path and root.kind == "import":
            return place
        return place.field(name)

    def pure_place(self, node: Node, scope: Scope, steps: int = _ALIAS_STEPS) -> Place | None:
        """The place of an expression that only reads names and fields, or None."""
        fields: list[str] = []
        node = unwrap(node)
        while node.type in ("member_expression", "subscript_expression"):
            name: str | None
            if node.type == "member_expression":
                name = key_name(node.child_by_field_name("property"))
            else:
                index = node.child_by_field_name("index")
                name = string_value(index) if index is not None and index.type == "string" else None
            inner = node.child_by_field_name("object")
            if name is None or inner is None or len(fields) >= steps:
                return None
            fields.append(name)
            node = unwrap(inner)
        if node.type == "identifier":
            place = self.name_place(word(node), scope)
        elif node.type == "this":
            place = Place(self.this_of(scope.function))
        else:
            return None
        for name in reversed(fields):
            place = self.field_place(place, name)
        return place if len(place.path) <= steps else None

    # -- assignments -------------------------------------------------------------------------------

    def assignments(self, name: str) -> list[tuple[Node, bool, Node]]:
        """Writes of a name outside its declaration: (the name, whether by plain `=`, the assignment)."""
        if self._named_targets is None:
            self._index_targets()
        assert self._named_targets is not None
        return self._named_targets.get(name, [])

    def _index_targets(self) -> None:
        self._named_targets = {}
        members: list[tuple[int, str]] = []
        for node in self.assigned:
            target = node.child_by_field_name("left") or node.child_by_field_name("argument")
            if target is None:
                continue
            target = unwrap(target)
            plain = node.type == "assignment_expression"
            pending = [(target, plain)]
            while pending:
                part, simple = pending.pop()
                kind = part.type
                if kind in ("identifier", "shorthand_property_identifier_pattern"):
                    name = word(part)
                    self._named_targets.setdefault(name, []).append((part, simple, node))
                    self._name_targets.setdefault(name, []).append(part.start_byte)
                elif kind == "member_expression":
                    members.append((part.start_byte, word(part.child_by_field_name("property") or part)))
                elif kind == "subscript_expression":
                    index = part.child_by_field_name("index")
                    if index is not None and index.type == "string":
                        members.append((part.start_byte, string_value(index)))
                elif kind in ("pair_pattern", "assignment_pattern", "object_assignment_pattern"):
                    inner = part.child_by_field_name("value" if kind == "pair_pattern" else "left")
                    if inner is not None:
                        pending.append((inner, simple))
                elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
                    pending.extend((child, simple) for child in part.named_children)
        members.sort()
        self._member_targets = members
        for starts in self._name_targets.values():
            starts.sort()

    def assigned_after(self, name: str, function: Function, offset: int) -> bool:
        """Whether the function writes a name somewhere after the byte offset."""
        self.assignments(name)
        starts = self._name_targets.get(name, [])
        index = bisect_left(starts, offset)
        return index < len(starts) and starts[index] < function.host.extent[1]

    def is_snapshot(self, variable: Variable, place: Place, definition: Definition) -> bool:
        """Whether a name keeps an older value of a field that is written later, or is compared with it."""
        function = definition.scope.function.host
        value = definition.value
        assert value is not None
        self.assignments("")
        assert self._member_targets is not None
        fields = set(place.path)
        index = bisect_left(self._member_targets, (value.end_byte, ""))
        for start, field in self._member_targets[index:]:
            if start >= function.extent[1]:
                break
            if field in fields:
                return True
        starts = self.comparisons.get((variable.name, place.path[-1]), [])
        return any(function.extent[0] <= start < function.extent[1] for start in starts)

    @property
    def comparisons(self) -> dict[tuple[str, str], list[int]]:
        """Where a name is compared with a field, by both words."""
        if self._comparisons is None:
            self._comparisons = {}
            for node in self.compared:
                left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                if left is None or right is None:
                    continue
                name, member = (left, right) if left.type == "identifier" else (right, left)
                field = member.child_by_field_name("property")
                if field is not None:
                    self._comparisons.setdefault((word(name), word(field)), []).append(node.start_byte)
        return self._comparisons

    # -- types -------------------------------------------------------------------------------------

    def type_name(self, node: Node | None, scope: Scope) -> str | None:
        """The canonical name of a type, without generics, `null` and `undefined`; None for arrays and unions."""
        for _ in range(8):
            if node is None:
                return None
            kind = node.type
            if kind in ("type_annotation", "parenthesized_type", "readonly_type"):
                node = first_named(node)
            elif kind == "generic_type":
                node = node.child_by_field_name("name") or first_named(node)
            elif kind == "union_type":
                node = self._only_member(node)
            else:
                break
        if node is None:
            return None
        if node.type in ("type_identifier", "identifier"):
            return self.canonical_name([word(node)], scope)
        if node.type in ("nested_type_identifier", "nested_identifier", "member_expression"):
            return self.canonical_name(word(node).split("."), scope)
        return word(node) if node.type == "predefined_type" else None

    def _only_member(self, union: Node) -> Node | None:
        members: list[Node] = []
        pending = list(reversed(union.named_children))
        while pending and len(members) < 20:
            member = pending.pop()
            if member.type == "union_type":
                pending.extend(reversed(member.named_children))
            elif word(member) not in ("null", "undefined", "void"):
                members.append(member)
        return members[0] if len(members) == 1 else None

    def canonical_name(self, path: list[str], scope: Scope) -> str:
        """The canonical name of a dotted name of a class or type."""
        variable = scope.lookup(path[0])
        if variable is not None:
            place = variable.alias or Place(variable)
            root = place.root
            names = [*place.path, *path[1:]]
        else:
            if path[0] in GLOBAL_OBJECTS and len(path) > 1:
                path = path[1:]
            return ".".join(path)
        first = root.origin or root.name
        if root.class_ is not None and root.class_.name:
            first = root.class_.name
        return ".".join([first, *names])

    def constructed_type(self, node: Node, scope: Scope) -> str | None:
        """The canonical name of X of `new X(...)`, or None."""
        node = unwrap(node)
        if node.type != "new_expression":
            return None
        constructor = node.child_by_field_name("constructor")
        if constructor is None:
            return None
        place = self.pure_place(constructor, scope)
        if place is None or place.root.kind in ("this", "parameter"):
            return self.required(constructor)
        root = place.root
        first = root.origin or (
            root.class_.name if root.class_ is not None and root.class_.name else root.name
        )
        return ".".join([first, *place.path])

    def instance_class(self, value: Node, scope: Scope) -> Class | None:
        """The class of an object literal with methods, or of a box (`useRef<WebSocket>(null)`) by its type."""
        if value.type == "object":
            return self.classes.get(value.id)
        if value.type != "call_expression":
            return None
        if value.id in self._holders:
            return self._holders[value.id]
        self._holders[value.id] = None
        callee = value.child_by_field_name("function")
        if callee is None:
            return None
        last = callee.child_by_field_name("property") or callee
        field = _HOLDERS.get(word(last)) if last.type in ("identifier", "property_identifier") else None
        if field is None:
            return None
        held: str | None = None
        types = value.child_by_field_name("type_arguments")
        if types is not None:
            held = self.type_name(first_named(types), scope)
        arguments = value.child_by_field_name("arguments")
        first = first_named(arguments) if arguments is not None else None
        if held is None and first is not None:
            held = self.constructed_type(first, scope)
        if held is None:
            return None
        box = Class("", extent_of(value), Binding("this", "this"))
        box.field_types[field] = held
        self._holders[value.id] = box
        return box
