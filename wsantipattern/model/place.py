"""Bindings and places: what a name means, and the access path that starts at it.

A `Binding` is one variable of one scope; two mentions of a variable share it across the closures of a file. A
`Place` is a binding and a path of fields (`this.ws`, `wire.current`, `pending.current[*].timer`). Knows no syntax
and no library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.model.module import Class, Function
    from wsantipattern.model.term import Term

ELEMENT = "[*]"
"""The path selector of any element of a container."""

BindingKind = Literal["local", "parameter", "this", "import", "global", "function", "class"]


ElementTypes = tuple[str | None, ...]
"""Canonical types of the elements of a container, of the elements of those, and so on."""


class Binding:
    """One variable, compared by identity.

    Attributes:
        name: as written; for `this`, the owner's own spelling (`this`, `self`, a Go receiver's name).
        kind: `local` also covers variables at the top of a module; `global` is a name nothing in the file declares.
        scope: the function that declares it; None for `import`, `global` and `this`.
        origin: canonical name of an import or global: `ws`, `ws.Server`, `github.com/gorilla/websocket`, `setTimeout`.
        declared_type: canonical name of the annotated type, generics and pointers stripped, or None.
        element_types: where the annotated type is a container, the types of what is in it, outermost first.
        owner: the class or object that a `this` binding stands for.
        function: the function that a `function` binding names; also set for `local` bindings whose only definition
            is a closure (`const f = () => ...`).
        class_: the class that a `class` binding names; of a `local` one, the object literal that is its only value.
        constant: the file assigns it exactly once (or never: parameters, loop variables).
        initial: the only value assigned, where `constant` and the front end saw it; else None. Lowered on demand.
    """

    __slots__ = (
        "_initial",
        "class_",
        "constant",
        "declared_type",
        "function",
        "kind",
        "name",
        "origin",
        "owner",
        "scope",
    )

    def __init__(
        self,
        name: str,
        kind: BindingKind,
        scope: Function | None = None,
        origin: str | None = None,
        declared_type: str | None = None,
        owner: Class | None = None,
        constant: bool = False,
    ) -> None:
        self.name = name
        self.kind: BindingKind = kind
        self.scope = scope
        self.origin = origin
        self.declared_type = declared_type
        self.owner = owner
        self.function: Function | None = None
        self.class_: Class | None = None
        self.constant = constant
        self._initial: Term | None = None

    @property
    def initial(self) -> Term | None:
        return self._initial

    @initial.setter
    def initial(self, term: Term | None) -> None:
        self._initial = term

    @property
    def is_shared(self) -> bool:
        """Whether other calls, other functions or other modules can see it."""
        return self.kind in ("this", "import", "global")

    @property
    def element_types(self) -> ElementTypes:
        return ()

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


@record(slots=True, eq=False)
class Place:
    """An access path from a resolved binding; equal places are the same storage as far as one file can tell.

    Never changed once it is made. Not frozen by the class, which would make each of the very many three times as slow.
    """

    root: Binding
    path: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Place) and self.root is other.root and self.path == other.path

    def __hash__(self) -> int:
        return hash((self.root, self.path))

    def field(self, name: str) -> Place:
        return Place(self.root, (*self.path, name))

    @property
    def element(self) -> Place:
        return self.field(ELEMENT)

    @property
    def parent(self) -> Place | None:
        """The place this is a field or an element of, or None for a plain variable."""
        return Place(self.root, self.path[:-1]) if self.path else None

    @property
    def name(self) -> str:
        """The last written word of the path: `timer` of `pending.current[*].timer`."""
        path = self.path
        if not path:
            return self.root.name
        if path[-1] != ELEMENT:
            return path[-1]
        return next((part for part in reversed(path) if part != ELEMENT), self.root.name)

    @property
    def is_local(self) -> bool:
        """A plain variable that one call of its function owns (closures may capture it)."""
        return not self.path and self.root.kind in ("local", "parameter")

    def starts_with(self, other: Place) -> bool:
        """Whether `other` is this place or one that it lies in."""
        return self.root is other.root and self.path[: len(other.path)] == other.path

    def replace(self, old: Place, new: Place) -> Place:
        """This place with the prefix `old` exchanged for `new`; the place itself where `old` is no prefix."""
        if not self.starts_with(old):
            return self
        return Place(new.root, new.path + self.path[len(old.path) :])

    def __str__(self) -> str:
        text = self.root.name
        for part in self.path:
            text += part if part == ELEMENT else f".{part}"
        return text
