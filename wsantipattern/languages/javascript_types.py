"""The types of class fields in JavaScript and TypeScript, and the classes they extend.

From annotations, `new X()` initialisers, parameter properties and assignments to `this`; interfaces of the file are
classes without methods. Run once, after all classes and scopes of the file are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsantipattern.languages.javascript_file import File, JavaScriptFunction
from wsantipattern.languages.javascript_scope import Scope
from wsantipattern.languages.javascript_syntax import extent_of, key_name, unwrap, word
from wsantipattern.model.module import Class, Function
from wsantipattern.model.place import Binding

if TYPE_CHECKING:
    from tree_sitter import Node


def fill_types(
    file: File,
    *,
    classes: list[tuple[Class, Node, list[Node], JavaScriptFunction | None]],
    literals: list[tuple[Class, Node]],
    assigned: list[Node],
) -> None:
    """Fills `field_types` and `bases`.

    `classes` are classes with their syntax, fields and constructor; `literals` the objects with methods; `assigned`
    the assignments of a constructed value.
    """
    types = _Types(file)
    for owner, node, fields, constructor in classes:
        types.declared(owner, node, fields, constructor)
    types.shapes()
    types.assigned(assigned)
    for owner, node in literals:
        types.pairs(owner, node)


def owner_around(function: Function | None) -> Class | None:
    """The class whose instance `this` is in a function, through arrows."""
    while isinstance(function, JavaScriptFunction) and function.is_arrow and function.owner is None:
        function = function.parent
    if isinstance(function, JavaScriptFunction) and function.is_static:
        return None
    return function.owner if function is not None else None


def is_property(parameter: Node) -> bool:
    """Whether a constructor parameter also declares a field: `private ws: WebSocket`."""
    return parameter.type in ("required_parameter", "optional_parameter") and any(
        child.type in ("accessibility_modifier", "readonly", "override_modifier")
        for child in parameter.children
    )


class _Types:
    def __init__(self, file: File) -> None:
        self.file = file

    def shapes(self) -> None:
        """An interface with typed fields is a class without methods, so that `session.ws` has a type."""
        taken = {owner.name for owner in self.file.module.classes}
        for name, body in self.file.shapes.items():
            owner = Class(name, extent_of(body), Binding("this", "this"))
            scope = self.file.scope_at(body.start_byte)
            for member in body.named_children:
                if member.type == "property_signature":
                    self._field_type(owner, member, scope)
            if owner.field_types and name not in taken:
                self.file.module.classes.append(owner)

    def declared(
        self, owner: Class, node: Node, fields: list[Node], constructor: JavaScriptFunction | None
    ) -> None:
        """Heritage, field declarations and parameter properties of a class."""
        scope = self.file.field_scopes[owner]
        for heritage in node.named_children:
            if heritage.type == "class_heritage":
                self._bases(owner, heritage, scope)
        for field in fields:
            self._field_type(owner, field, scope)
        if constructor is None or constructor.node is None:
            return
        parameters = constructor.node.child_by_field_name("parameters")
        for parameter in parameters.named_children if parameters is not None else []:
            if is_property(parameter):
                name = parameter.child_by_field_name("pattern")
                kind = self.file.type_name(parameter.child_by_field_name("type"), scope)
                if name is not None and kind is not None:
                    owner.field_types.setdefault(word(name), kind)
                elements = self.file.element_types(parameter.child_by_field_name("type"), scope)
                if name is not None and elements:
                    owner.field_elements.setdefault(word(name), elements)

    def assigned(self, nodes: list[Node]) -> None:
        """`this.ws = new WebSocket(url)` gives a field without annotation its type, where all agree."""
        found: dict[Class, dict[str, set[str]]] = {}
        for node in nodes:
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            holder = left.child_by_field_name("object") if left is not None else None
            field = left.child_by_field_name("property") if left is not None else None
            if holder is None or holder.type != "this":
                continue
            scope = self.file.scope_at(node.start_byte)
            owner = owner_around(scope.function)
            kind = self.file.constructed_type(right, scope) if right is not None else None
            if owner is not None and field is not None and kind is not None:
                found.setdefault(owner, {}).setdefault(word(field), set()).add(kind)
        for owner, fields in found.items():
            for name, kinds in fields.items():
                if len(kinds) == 1:
                    owner.field_types.setdefault(name, next(iter(kinds)))

    def pairs(self, owner: Class, node: Node) -> None:
        """Fields of an object literal that start as `new X()`."""
        scope = self.file.scope_at(node.start_byte)
        for pair in node.named_children:
            value = pair.child_by_field_name("value") if pair.type == "pair" else None
            name = key_name(pair.child_by_field_name("key")) if value is not None else None
            if value is not None and name is not None and value.type == "new_expression":
                kind = self.file.constructed_type(value, scope)
                if kind is not None:
                    owner.field_types.setdefault(name, kind)

    def _field_type(self, owner: Class, field: Node, scope: Scope) -> None:
        name = key_name(field.child_by_field_name("name") or field.child_by_field_name("property"))
        if name is None:
            return
        kind = self.file.type_name(field.child_by_field_name("type"), scope)
        value = field.child_by_field_name("value")
        if kind is None and value is not None:
            kind = self.file.constructed_type(value, scope)
        if kind is not None:
            owner.field_types.setdefault(name, kind)
        for written in (field.child_by_field_name("type"), value):
            elements = self.file.element_types(written, scope)
            if elements:
                owner.field_elements.setdefault(name, elements)

    def _bases(self, owner: Class, heritage: Node, scope: Scope) -> None:
        for part in heritage.named_children:
            value = part.child_by_field_name("value") if part.type == "extends_clause" else part
            if value is None or part.type == "implements_clause":
                continue
            place = self.file.pure_place(value, scope)
            if place is not None:
                owner.bases.append(self.file.canonical_name(word(unwrap(value)).split("."), scope))
