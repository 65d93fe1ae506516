"""Scopes of a Python text and what they declare: variables, classes and functions that describe themselves on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from tree_sitter import Node

from wsantipattern.languages.python_syntax import extent_of
from wsantipattern.model.module import Class, Function, FunctionKind
from wsantipattern.model.place import Binding, BindingKind, ElementTypes, Place
from wsantipattern.model.term import Statement, Term
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.languages.python_names import Names

ScopeKind = Literal["module", "function", "class", "comprehension"]
SiteKind = Literal[
    "assign",
    "part",
    "augment",
    "for",
    "with",
    "except",
    "import",
    "def",
    "class",
    "delete",
    "case",
    "parameter",
    "declare",
]


@record(slots=True, eq=False)
class Site:
    """One place in the text that binds a name.

    `assign` is `x = value`; `part` any other way to give a name a value that is an expression or a part of one
    (destructuring, `:=`); `declare` an annotation without a value.
    """

    kind: SiteKind
    start: int
    scope: Scope
    value: Node | None = None
    annotation: Node | None = None
    origin: str | None = None


@record(slots=True, eq=False)
class Scope:
    """One region of names. `function` is the function whose code runs there."""

    kind: ScopeKind
    function: Function
    parent: Scope | None
    class_: Class | None = None
    outer: dict[str, Literal["global", "nonlocal"]] = field(default_factory=dict)
    sites: dict[str, list[Site]] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)


@record(slots=True, eq=False)
class FieldStore:
    start: int
    root: str
    path: list[str]
    scope: Scope
    value: Node | None
    annotation: Node | None


class Variable(Binding):
    """A binding whose type and value are worked out when asked for."""

    __slots__ = ("_declared", "_is_known", "_names", "sites")

    def __init__(
        self, names: Names, name: str, kind: BindingKind, scope: Function | None, sites: list[Site]
    ) -> None:
        self._names = names
        self._declared: str | None = None
        self._is_known = True
        self.sites = sites
        super().__init__(name, kind, scope)
        self._is_known = False

    @property
    def declared_type(self) -> str | None:
        if not self._is_known:
            self._is_known, names = True, self._names
            notes = (names.annotation(s.annotation, s.scope) for s in self.sites if s.annotation is not None)
            self._declared = next(notes, None)
        return self._declared

    @declared_type.setter
    def declared_type(self, value: str | None) -> None:
        self._declared = value

    @property
    def element_types(self) -> ElementTypes:
        for site in self.sites:
            if site.annotation is not None:
                return self._names.element_types(site.annotation, site.scope)
        return ()

    @property
    def initial(self) -> Term | None:
        if self._initial is None and self.constant:
            # Lowering the function that assigns it records the value, so that the graph and this are one term.
            for site in self.sites:
                if site.value is not None:
                    _ = site.scope.function.body
        return self._initial

    @initial.setter
    def initial(self, term: Term | None) -> None:
        self._initial = term

    @property
    def first(self) -> int:
        """The byte offset of the first site that gives it a value."""
        return min((s.start for s in self.sites if s.kind != "declare"), default=-1)


class ClassDefinition(Class):
    """A class whose bases and field types are worked out when asked for."""

    def __init__(self, names: Names, node: Node, name: str, this: Binding) -> None:
        self._names = names
        self._bases: list[str] | None = None
        self._field_types: dict[str, str] | None = None
        self._field_elements: dict[str, ElementTypes] | None = None
        self.node = node
        self.scope: Scope | None = None
        super().__init__(name, extent_of(node), this)
        self._bases = self._field_types = self._field_elements = None

    @property
    def bases(self) -> list[str]:
        if self._bases is None:
            self._bases = self._names.base_names(self)
        return self._bases

    @bases.setter
    def bases(self, value: list[str]) -> None:
        self._bases = value

    @property
    def field_types(self) -> dict[str, str]:
        if self._field_types is None:
            self._field_types = self._names.fields_of(self)
        return self._field_types

    @field_types.setter
    def field_types(self, value: dict[str, str]) -> None:
        self._field_types = value

    @property
    def field_elements(self) -> dict[str, ElementTypes]:
        if self._field_elements is None:
            self._field_elements = self._names.field_elements_of(self)
        return self._field_elements

    @field_elements.setter
    def field_elements(self, value: dict[str, ElementTypes]) -> None:
        self._field_elements = value


class Definition(Function):
    """A function whose parameters, decorators and binding are worked out when asked for."""

    def __init__(
        self,
        names: Names,
        node: Node,
        name: str,
        kind: FunctionKind,
        parent: Function,
        owner: Class | None,
        lower: Callable[[Function], list[Statement]],
    ) -> None:
        self._names = names
        self._parameters: list[Binding] | None = None
        self._decorators: list[Term] | None = None
        self._binding: Binding | None = None
        self.node = node
        self.scope: Scope | None = None
        self.receiver: str | None = None
        self.binds_class = False
        self.is_coroutine = False
        self.decorator_nodes: list[Node] = []
        label = node.child_by_field_name("name")
        super().__init__(
            names.module,
            name,
            kind,
            extent_of(node),
            name_extent=extent_of(label) if label is not None else None,
            parent=parent,
            owner=owner,
            is_async=node.child_count > 0 and node.children[0].type == "async",
            lower=lower,
        )
        self._parameters = self._decorators = None

    @property
    def parameters(self) -> list[Binding]:
        if self._parameters is None:
            self._parameters = self._names.parameters_of(self)
        return self._parameters

    @parameters.setter
    def parameters(self, value: list[Binding]) -> None:
        self._parameters = value

    @property
    def decorators(self) -> list[Term]:
        if self._decorators is None:
            self._decorators = self._names.decorators_of(self)
        return self._decorators

    @decorators.setter
    def decorators(self, value: list[Term]) -> None:
        self._decorators = value

    @property
    def binding(self) -> Binding | None:
        if self._binding is None:
            self._names.bind_definition(self)
        return self._binding

    @binding.setter
    def binding(self, value: Binding | None) -> None:
        self._binding = value
