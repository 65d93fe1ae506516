"""Scopes and variables of a JavaScript or TypeScript file.

Tables of names are made when first asked for and kept. A `Variable` is a `Binding` whose constancy, value, function
and type are worked out on demand from the syntax. Lowers nothing: initial values come through `File.lower_site`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_syntax import (
    PATTERN_DEPTH,
    first_named,
    key_name,
    string_value,
    unwrap,
    word,
)
from wsantipattern.model.module import Class, Function
from wsantipattern.model.place import Binding, BindingKind, ElementTypes, Place
from wsantipattern.model.term import Extent, Ref, Term

if TYPE_CHECKING:
    from tree_sitter import Node

    from wsantipattern.languages.javascript_file import File


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

    __slots__ = ("_alias", "_class", "_constant", "_function", "_type", "definitions", "file", "home")

    def __init__(
        self,
        file: File,
        name: str,
        kind: BindingKind,
        home: Scope | None,
        function: Function | None,
        origin: str | None = None,
    ) -> None:
        self.file = file
        self.home = home
        """The scope that declares it; None for one that the source has no name for."""
        self.definitions: list[Definition] = []
        self._alias: Place | bool | None = None
        super().__init__(name, kind, function, origin)
        self._constant: bool | None = None
        self._function: Function | bool | None = None
        self._class: Class | bool | None = None
        self._type: str | bool | None = None

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
        return count + sum(1 if write.plain else 2 for write in self.file.writes.to(self))

    def _only(self) -> Definition | None:
        """The definition of a constant that gives the value."""
        if not self.constant:
            return None
        for definition in self.definitions:
            if definition.counts:
                return definition
        for write in self.file.writes.to(self):
            value = write.site.child_by_field_name("right")
            path = () if write.target.parent == write.site else None
            return Definition(self.file.scope_at(write.start), write.site, value, path)
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
            if definition is not None and definition.value is not None and definition.path == ():
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
            if definition is not None and definition.value is not None and definition.path == ():
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
    def element_types(self) -> ElementTypes:
        for definition in self.definitions:
            written = definition.annotation or (definition.value if definition.path == () else None)
            if written is not None:
                return self.file.element_types(written, definition.scope)
        return ()

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
            end = definition.scope.function.host.extent[1]
            if self.file.writes.writes_name(root.name, definition.value.end_byte, end):
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
        depth = 0
        while scope.children:
            depth += 1
            index = bisect_right(scope.children, offset, key=lambda s: s.start) - 1
            if index < 0 or offset >= scope.children[index].end:
                break
            scope = scope.children[index]
        # Scopes nest a few deep in what people write; thousands deep, every name costs them all.
        self.file.module.spend(1 + depth // 4)
        return scope


class _Declarer:
    """Fills a scope's names from one declaration."""

    def __init__(self, scope: Scope, lexical: Scope) -> None:
        self.scope = scope
        self.lexical = lexical
        self.file = scope.file
        self.depth = 0

    def bind(
        self, name: str, kind: BindingKind, definition: Definition, origin: str | None = None
    ) -> Variable:
        names = self.scope.names
        variable = names.get(name)
        if variable is None:
            function = None if kind == "import" else self.scope.function
            variable = Variable(self.file, name, kind, self.scope, function, origin)
            names[name] = variable
        variable.definitions.append(definition)
        return variable

    def parameters(self, node: Node) -> None:
        if node.type == "function_expression" or node.type == "generator_function":
            name = node.child_by_field_name("name")
            if name is not None:
                own = self.bind(word(name), "function", Definition(self.lexical, None, node, ()))
                own.function = self.scope.function
        made = self.file.functions.get(node.id)
        for parameter, pattern in made.written if made is not None else []:
            self.parameter(parameter, pattern)

    def parameter(self, node: Node, pattern: Node) -> None:
        annotation = node.child_by_field_name("type")
        if pattern.type == "identifier":
            definition = Definition(self.lexical, annotation=annotation)
            self.bind(word(pattern), "parameter", definition)
        else:
            self.pattern(
                pattern, "local", Definition(self.lexical, node, None, None, _members(self.file, annotation))
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
                site = node if node.type == "enum_declaration" else None
                self.bind(word(name), "local", Definition(self.lexical, site))

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
                self.file.required(value) if value is not None and not self.file.writes.has(name) else None
            )
            definition = Definition(
                self.lexical, node, value, () if value is not None else None, annotation, value is not None
            )
            self.bind(name, "import" if origin else "local", definition, origin)
            return
        if value is not None:
            self.pattern(
                pattern, "local", Definition(self.lexical, node, value, (), _members(self.file, annotation))
            )

    def pattern(self, node: Node, kind: BindingKind, definition: Definition) -> None:
        """Binds the names of a pattern; `definition.path` leads to what the pattern takes apart."""
        if self.depth >= PATTERN_DEPTH:
            return
        self.depth += 1
        self._pattern(node, kind, definition)
        self.depth -= 1

    def _pattern(self, node: Node, kind: BindingKind, definition: Definition) -> None:
        shape = node.type
        if shape in ("identifier", "shorthand_property_identifier_pattern"):
            name = word(node)
            origin = None
            if definition.path and definition.value is not None and not self.file.writes.has(name):
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
        annotation = _member_type(self.file, outer.annotation, name or typed)
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


def _members(file: File, annotation: Node | None) -> Node | None:
    """The members of an annotation: an object type written out, or an interface of the file."""
    inner = first_named(annotation) if annotation is not None else None
    if inner is None or inner.type == "object_type":
        return inner
    return file.shapes.get(word(inner)) if inner.type == "type_identifier" else None


def _member_type(file: File, members: Node | None, name: str | None) -> Node | None:
    if members is None or name is None or members.type not in ("object_type", "interface_body"):
        return None
    for member in members.named_children:
        if member.type == "property_signature" and key_name(member.child_by_field_name("name")) == name:
            annotation = member.child_by_field_name("type")
            return _members(file, annotation) or annotation
    return None
