"""One JavaScript or TypeScript file: its functions, what names and `this` mean in it, its types.

Shared by everything that lowers the file. Every index is made when first asked for and kept. Knows no library, but
for the words of calls that box a value (`useRef`), whose type argument says what the box holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_scope import Definition, Scope, Variable
from wsantipattern.languages.javascript_syntax import (
    extent_of,
    first_named,
    key_name,
    parameter_nodes,
    parameter_pattern,
    string_value,
    unwrap,
    word,
)
from wsantipattern.languages.javascript_writes import Writes
from wsantipattern.model.module import Class, Function, Module
from wsantipattern.model.place import Binding, ElementTypes, Place
from wsantipattern.model.term import Extent, Store, Term

if TYPE_CHECKING:
    from tree_sitter import Node

    from wsantipattern.model.module import FunctionKind
    from wsantipattern.model.term import Statement

GLOBAL_OBJECTS = frozenset({"window", "globalThis", "self", "global"})
_HOLDERS = {"useRef": "current", "createRef": "current", "ref": "value", "shallowRef": "value"}
"""Calls that box a value, by their last word, and the field that the value is in."""
_ALIAS_STEPS = 12
_MENTIONS = 400
"""How many mentions of a name are looked at before it is taken for more than an alias."""
_CONTAINERS = frozenset(
    {"Map", "WeakMap", "ReadonlyMap", "Record", "Set", "WeakSet", "ReadonlySet", "Array", "ReadonlyArray"}
)
"""Generic types of ECMAScript and TypeScript whose last argument is what they hold; `Record` may be partial."""
_SAYS_NOTHING = {"unknown", "any", "object", "never"}
"""Annotations that leave open what a value is: what it is given tells more."""


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
        self.is_arrow = node is not None and node.type == "arrow_function"
        self.inner: Scope | None = None
        self.named: tuple[Scope, str] | None = None
        self.decorator_nodes: list[Node] = []
        self._written: list[tuple[Node, Node]] | None = None
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
    def written(self) -> list[tuple[Node, Node]]:
        """The parameters and their names or patterns, without TypeScript's `this`."""
        if self._written is None:
            self._written = []
            for node in parameter_nodes(self.node) if self.node is not None else []:
                pattern = parameter_pattern(node)
                if pattern is not None and pattern.type != "this":
                    self._written.append((node, pattern))
        return self._written

    @property
    def parameters(self) -> list[Binding]:
        if self._parameters is None:
            self._parameters = []
            for node, pattern in self.written if self.inner is not None else []:
                found = (
                    self.inner.names.get(word(pattern))
                    if pattern.type == "identifier" and self.inner
                    else None
                )
                if found is None and self.inner is not None:
                    found = Variable(self.file, "", "parameter", None, self)
                    annotation = node.child_by_field_name("type")
                    found.definitions.append(Definition(self.inner, annotation=annotation))
                if found is not None:
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
        self.shapes: dict[str, Node] = {}
        """The bodies of interfaces and of aliases of object types, by name."""
        self.assigned: list[Node] = []
        """Assignments, updates and loops that write existing names or members."""
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
            found = Variable(self, "arguments", "local", None, current)
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

    # -- writes ------------------------------------------------------------------------------------

    @cached_property
    def writes(self) -> Writes:
        return Writes(self.top_scope, self.assigned)

    def is_snapshot(self, variable: Variable, place: Place, definition: Definition) -> bool:
        """Whether a name keeps an older value of a field that is written later, or is compared with it."""
        extent = definition.scope.function.host.extent
        value = definition.value
        assert value is not None
        if any(self.writes.writes_field(field, value.end_byte, extent[1]) for field in place.path):
            return True
        return self._is_compared(variable.name, place.path[-1], extent)

    def _is_compared(self, name: str, field: str, extent: Extent) -> bool:
        """Whether the name is compared with the field of something, somewhere in the extent."""
        needle = name.encode()
        at = self.text.find(needle, *extent)
        for _ in range(_MENTIONS):
            if at < 0:
                return False
            node = self.root.descendant_for_byte_range(at, at + len(needle))
            parent = (
                node.parent if node is not None and node.type == "identifier" and word(node) == name else None
            )
            if parent is not None and parent.type == "binary_expression":
                sides = parent.child_by_field_name("left"), parent.child_by_field_name("right")
                for side in sides:
                    member = unwrap(side) if side is not None else None
                    last = member.child_by_field_name("property") if member is not None else None
                    if last is not None and word(last) == field:
                        return True
            at = self.text.find(needle, at + len(needle), extent[1])
        return True

    # -- types -------------------------------------------------------------------------------------

    def type_name(self, node: Node | None, scope: Scope) -> str | None:
        """The canonical name of a type, without generics, `null` and `undefined`; None for arrays and unions."""
        for _ in range(8):
            if node is None or node.type in ("object_type", "interface_body"):
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
        if node.type != "predefined_type" or word(node) in _SAYS_NOTHING:
            return None
        return word(node)

    def element_types(self, node: Node | None, scope: Scope) -> ElementTypes:
        """The types of what a container's type holds: (`Set`, `WebSocket`) of `Map<string, Set<WebSocket>>`."""
        found: list[str | None] = []
        while node is not None and len(found) < 4:
            kind, inner = node.type, None
            if kind in ("type_annotation", "parenthesized_type", "readonly_type"):
                node = first_named(node)
                continue
            if kind == "union_type":
                node = self._only_member(node)
                continue
            if kind == "array_type":
                inner = first_named(node)
            elif kind in ("generic_type", "new_expression"):
                name = node.child_by_field_name("name") or node.child_by_field_name("constructor")
                given = node.child_by_field_name("type_arguments")
                if given is not None and name is not None and word(name) in _CONTAINERS:
                    inner = given.named_children[-1] if given.named_children else None
            elif kind == "object_type":
                signature = first_named(node)
                if signature is not None and signature.type == "index_signature":
                    inner = signature.child_by_field_name("type")
            if inner is None:
                break
            found.append(self.type_name(inner, scope))
            node = inner
        return tuple(found)

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
