"""Modules, classes and functions: one file (or one embedded fragment) as rules see it.

A front end makes a `Module` with every function and class of the file known and no body lowered; bodies, graphs and
summaries are made on first use and kept. The model knows no language: what differs is settled by the front end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from wsantipattern.model.consideration import QUIET, Quiet
from wsantipattern.model.place import ELEMENT, Binding, ElementTypes, Place
from wsantipattern.model.term import (
    Call,
    Closure,
    Constant,
    Extent,
    Field,
    Record,
    Ref,
    Statement,
    Store,
    Suspend,
    Term,
)

if TYPE_CHECKING:
    from wsantipattern.model.cfg import Cfg

FunctionKind = Literal["function", "method", "constructor", "getter", "setter", "lambda", "top"]


BUDGET = 500_000
"""Units of work (a step looked at, a name resolved) that the questions of one rule about one file may take."""


_LONGEST = 60_000
"""Bytes of a function in which local functions are looked for that are called once: not those of a bundled file."""


class BudgetError(Exception):
    """A file asks for more work than it is worth; whoever asked gives up on it."""


class Class:
    """A class, a Go struct type, or an object literal with methods.

    Attributes:
        name: as declared; "" for an anonymous object.
        this: the binding that `this`, `self` and every receiver of its methods share.
        methods: by name; a getter is in `getters` instead.
        field_types: canonical type names of declared fields, by name.
        field_elements: of declared fields that are containers, the canonical types of their elements, of the elements
            of those, and so on; None where the text does not say.
        bases: canonical names of base classes.
    """

    def __init__(self, name: str, extent: Extent, this: Binding) -> None:
        self.name = name
        self.extent = extent
        self.this = this
        self.methods: dict[str, Function] = {}
        self.getters: dict[str, Function] = {}
        self.field_types: dict[str, str] = {}
        self.field_elements: dict[str, ElementTypes] = {}
        self.bases: list[str] = []
        this.owner = self

    def __repr__(self) -> str:
        return f"<class {self.name}>"


class Function:
    """A function, method, closure, or the top level of a module (`kind` "top").

    Attributes:
        name: qualified for display: `Client.publish`, `useFeed.onMessage`; "" for an anonymous closure.
        parameters: bindings in order, without the receiver; a destructured parameter is one unnamed binding.
        parent: the function it is written in; None for the top level.
        owner: the class it is a method of.
        decorators: the decorator terms (Python, TypeScript), lowered.
        extent: the whole declaration; `name_extent` the name, or the first bytes where it has none.
        body: statements, lowered on first use.
        cfg: the finished control-flow graph, built on first use.
        closures: the functions written directly inside it, in order of appearance.
        runs_in_place: an executor, IIFE, `forEach` body or chain callback whose body is lowered into its parent's graph
            (as a Region, ForEach or Try). Known from the start, before anything is lowered.
        is_static: a method that is called on its class, `Reading.parse(raw)`.
        is_private: a method that only its class calls, by the language or by the convention of its name.
        is_resumed: a generator that its driver always resumes (a test framework's fixture): its `yield`s do not raise.
    """

    def __init__(
        self,
        module: Module,
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
        self.module = module
        self.name = name
        self.kind: FunctionKind = kind
        self.extent = extent
        self.name_extent = name_extent or (extent[0], extent[0])
        self.parent = parent
        self.owner = owner
        self.is_async = is_async
        self.is_generator = is_generator
        self.parameters: list[Binding] = []
        self.decorators: list[Term] = []
        self.closures: list[Function] = []
        self.runs_in_place = False
        self.is_resumed = False
        self.is_static = False
        self.is_private = False
        self.binding: Binding | None = None
        self._lower = lower
        if parent is not None:
            parent.closures.append(self)

    @cached_property
    def body(self) -> list[Statement]:
        return self._lower(self) if self._lower else []

    @cached_property
    def cfg(self) -> Cfg:
        from wsantipattern.model.build import build

        return build(self)

    @property
    def is_inlined(self) -> bool:
        """Whether its body stands in its host's graph: it runs in place, or where the only call of it stands."""
        return self.runs_in_place or self.is_called_once

    @cached_property
    def is_called_once(self) -> bool:
        """Whether it is a local function that captures what it works on, and one call in place is its only mention.

        Such a function is but a name for a part of the function around it.
        """
        self.__dict__["is_called_once"] = False  # What is called in itself is not.
        return self.module.is_called_once(self)

    @property
    def ancestors(self) -> Iterator[Function]:
        """The functions around this one, innermost first."""
        function = self.parent
        while function is not None:
            yield function
            function = function.parent

    @property
    def descendants(self) -> Iterator[Function]:
        """The functions written inside this one, at any depth, in order of appearance."""
        todo = self.closures[::-1]
        while todo:
            closure = todo.pop()
            yield closure
            todo.extend(reversed(closure.closures))

    @property
    def host(self) -> Function:
        """The function whose graph holds this one's code: itself, unless it is inlined."""
        function = self
        while function.is_inlined and function.parent is not None:
            function = function.parent
        return function

    @property
    def this(self) -> Binding | None:
        """The binding that `this` has here: the owner's, through closures."""
        function: Function | None = self
        while function is not None:
            if function.owner is not None:
                return function.owner.this
            function = function.parent
        return None

    @property
    def display_name(self) -> str:
        """A name to print: its own, the enclosing one's with "a callback in", or the module's."""
        if self.name:
            return self.name
        for outer in self.ancestors:
            if outer.kind == "top":
                break
            if outer.name:
                return f"a callback in {outer.name}"
        return "the module" if self.kind == "top" else "a callback"

    def encloses(self, other: Function) -> bool:
        """Whether `other` is this function or is written inside it."""
        return other is self or any(outer is self for outer in other.ancestors)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name or '?'}>"


class Module:
    """One parsed file or embedded fragment.

    Attributes:
        path: as reported.
        text: the bytes that extents point into.
        top: the module's own code as a function.
        functions: every function of the file except `top`, in order of appearance; known from the start.
        classes: every class, in order of appearance.
        imports: canonical names of imported modules.
        raises: whether calls can raise in this language (false for Go, where errors are values).
        orderings: byte offsets of the operators `< <= > >=` between values, ascending; those that only compare a field,
            an element or a size with a number are left out.
        inequalities: byte offsets of the operators `!=`, `!==` between variables and fields, ascending.
        find_call: what a mention of a local function at a byte offset is: true for a call without arguments that is run
            and waited for in place, false for another use, None for no use. Given by the front end.
        find_additions: what the front end gives `additions` and `answered` by, when they are asked for.
        wrapped: names of variables that hold a call's result, by the offset of the closure that the call is given first;
            None where the front end does not tell.
        has_errors: the text did not parse cleanly somewhere.
        offset_map: pairs (offset in `text`, offset in the host file), ascending; None where they are equal.
    """

    def __init__(self, path: str, text: bytes, language: str, *, raises: bool = True) -> None:
        self.path = path
        self.text = text
        self.language = language
        self.raises = raises
        self.top: Function = Function(self, "", "top", (0, len(text)))
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.imports: set[str] = set()
        self.globals: dict[str, Binding] = {}
        self.orderings: list[int] = []
        self.inequalities: list[int] = []
        self.find_call: Callable[[Function, int], bool | None] | None = None
        self.find_additions: Callable[[], tuple[list[int], list[int]]] | None = None
        self.wrapped: dict[int, str] | None = None
        self.has_errors = False
        self.offset_map: list[tuple[int, int]] | None = None
        self.memo: dict[Any, Any] = {}
        """Answers of the model's own queries, kept for the life of the module."""
        self.spent = 0
        """Units of work since the budget was last set back to zero."""
        self.considered: Quiet = QUIET
        """Takes down why rules speak or stay silent, where somebody wants to know."""

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Nothing is taken down meanwhile: for a rule that asks what another rule decides."""
        before, self.considered = self.considered, QUIET
        try:
            yield
        finally:
            self.considered = before

    def spend(self, units: int) -> None:
        """Counts work.

        Raises:
            BudgetError: `BUDGET` is used up.
        """
        self.spent += units
        if self.spent > BUDGET:
            raise BudgetError

    # -- text ------------------------------------------------------------------------------------

    def host_offset(self, offset: int) -> int:
        """The byte offset in the host file of a byte offset in `text`."""
        if not self.offset_map:
            return offset
        index = max(bisect_right(self.offset_map, (offset, 1 << 62)) - 1, 0)
        start, host = self.offset_map[index]
        return max(host + (offset - start), 0)

    def snippet(self, extent: Extent) -> str:
        """The text of `extent`, for messages; invalid bytes replaced."""
        return self.text[extent[0] : extent[1]].decode("utf-8", "replace")

    # -- functions -------------------------------------------------------------------------------

    @property
    def all_functions(self) -> Iterator[Function]:
        """The top level, then every function."""
        yield self.top
        yield from self.functions

    @cached_property
    def _by_start(self) -> tuple[list[int], list[Function]]:
        ordered = sorted(self.functions, key=lambda f: (f.extent[0], -f.extent[1]))
        return [f.extent[0] for f in ordered], ordered

    def function_at(self, offset: int) -> Function:
        """The innermost function whose extent holds the byte offset."""
        starts, ordered = self._by_start
        index = bisect_right(starts, offset) - 1
        function: Function | None = ordered[index] if index >= 0 else None
        while function is not None and function.kind != "top":
            if function.extent[0] <= offset < function.extent[1]:
                return function
            function = function.parent
        return self.top

    @cached_property
    def additions(self) -> tuple[list[int], list[int]]:
        """Byte offsets, in no order: of assignments that may add to what is there (to an element, with an operator, of a
        value that is made of others), and of assignments of a call's result."""
        return self.find_additions() if self.find_additions is not None else ([], [])

    def orders_within(self, extent: Extent) -> bool:
        """Whether two values are put in order by an operator there."""
        index = bisect_left(self.orderings, extent[0])
        return index < len(self.orderings) and self.orderings[index] < extent[1]

    def functions_mentioning(self, word: str) -> list[Function]:
        """The innermost functions (hosts, where inlined) whose text has `word` as a whole identifier, in order."""
        cached = self._mentions.get(word)
        if cached is not None:
            return cached
        found: dict[Function, None] = {}
        for at in self.mentions_of(word):
            found[self.function_at(at).host] = None
        self._mentions[word] = list(found)
        return self._mentions[word]

    def mentions_of(self, word: str, within: Extent | None = None) -> Iterator[int]:
        """The byte offsets at which the text, or an extent of it, has `word` as a whole identifier, ascending."""
        needle = word.encode()
        text = self.text
        start, stop = within or (0, len(text))
        size, last = len(needle), len(text)
        at = text.find(needle, start, stop) if needle else -1
        while at >= 0:
            end = at + size
            if (not at or text[at - 1] not in _WORD) and (end == last or text[end] not in _WORD):
                yield at
            at = text.find(needle, end, stop)

    def is_called_once(self, function: Function) -> bool:
        """See `Function.is_called_once`; looked for in the text of the function around it."""
        parent = function.parent
        word = function.name.rpartition(".")[2]
        if parent is None or parent.kind == "top" or not word or self.find_call is None:
            return False
        if function.runs_in_place or function.is_generator or function.kind not in ("function", "lambda"):
            return False
        if function.owner is not None or parent.extent[1] - parent.extent[0] > _LONGEST:
            return False
        calls: list[int] = []
        for at in self.mentions_of(word, parent.extent):
            use = self.find_call(function, at) if at != function.name_extent[0] else None
            if use is not None:
                calls.append(at)
                if not use or len(calls) > 1:
                    return False
        if len(calls) != 1 or function.parameters or function.decorators:
            return False
        caller: Function | None = self.function_at(calls[0])
        while caller is not None and caller is not parent and caller.is_inlined:
            caller = caller.parent
        return caller is parent

    def words_of_names(self, word: str) -> Iterator[int]:
        """The byte offsets at which a word of a name starts, in any case; some may be in comments and texts."""
        text, lower = self.text, self._lower_text
        needle = word.lower().encode()
        at = lower.find(needle)
        while at >= 0:
            end = at + len(needle)
            # Inside a run of letters of one case, a word neither starts nor ends.
            starts = not _is_letter(text, at - 1) or text[at : at + 1].isupper()
            if starts and not (end < len(text) and 0x61 <= text[end] <= 0x7A):
                yield at
            at = lower.find(needle, end)

    @cached_property
    def _lower_text(self) -> bytes:
        return self.text.lower()

    @cached_property
    def _mentions(self) -> dict[str, list[Function]]:
        return {}

    # -- meaning ---------------------------------------------------------------------------------

    def canonical(self, term: Term | None) -> str | None:
        """The canonical name of what a term refers to: imports and globals by origin, else None.

        `setTimeout`, `window.setTimeout`, `ws.Server`, `github.com/gorilla/websocket.DefaultDialer.Dial`,
        `asyncio.get_event_loop`. A default, namespace or `require` import is named as its module. A constructed
        class or a call result has no name.
        """
        if not isinstance(term, Ref):
            return None
        root = term.place.root
        if root.kind not in ("import", "global") or root.origin is None:
            return None
        return ".".join((root.origin, *(part for part in term.place.path)))

    def typed_name(self, term: Term | None) -> str | None:
        """The canonical name of a term, also through the type of what it starts at.

        `d.Dial` where `d` is declared, made or typed as gorilla's `Dialer` is `github.com/gorilla/websocket.Dialer.Dial`;
        `f().on` where nothing says what `f` returns has no name.
        """
        name = self.canonical(term)
        if name is not None:
            return name
        if isinstance(term, Ref):
            for length in range(len(term.place.path), -1, -1):
                declared = self.made_type(Place(term.place.root, term.place.path[:length]))
                if declared is not None:
                    return ".".join((declared, *term.place.path[length:]))
        if isinstance(term, Field):
            inner = self.typed_name(term.subject.callee) if isinstance(term.subject, Call) else None
            return f"{inner}().{term.name}" if inner is not None else None
        return None

    def made_type(self, place: Place) -> str | None:
        """The declared type of a place, or the canonical name of the class or type it is made of, or None."""
        declared = self.type_of(place)
        if declared is not None:
            return declared
        value = place.root.initial if not place.path else None
        if isinstance(value, Record):
            return value.type_name
        if isinstance(value, Suspend):
            value = value.value
        if isinstance(value, Call) and value.constructs:
            return self.canonical(value.callee)
        return None

    def type_of(self, place: Place) -> str | None:
        """The canonical declared type of a place, from an annotation or a field declaration, or None."""
        if not place.path:
            return place.root.declared_type
        parent = place.parent
        assert parent is not None
        name = place.path[-1]
        if name == ELEMENT:
            return self._element_type(place)
        owner = self.class_of(parent)
        if owner is None:
            return None
        return next((c.field_types[name] for c in self.lineage(owner) if name in c.field_types), None)

    def _element_type(self, place: Place) -> str | None:
        """The declared type of what a container holds: of `lines[*]` where `lines` is a `Map<string, WebSocket>`."""
        depth = 0
        while depth < len(place.path) and place.path[-1 - depth] == ELEMENT:
            depth += 1
        path = place.path[: len(place.path) - depth]
        elements: ElementTypes = ()
        if not path:
            elements = place.root.element_types
        else:
            owner = self.class_of(Place(place.root, path[:-1]))
            for declaring in self.lineage(owner) if owner is not None else ():
                if path[-1] in declaring.field_elements:
                    elements = declaring.field_elements[path[-1]]
                    break
        return elements[depth - 1] if depth <= len(elements) else None

    def class_of(self, place: Place) -> Class | None:
        """The class of this file that a place is an instance of, where a declaration says so."""
        if not place.path and place.root.kind == "this":
            return place.root.owner
        declared = self.type_of(place)
        if declared is not None:
            return self._classes_by_name.get(declared)
        if not place.path and place.root.kind == "local" and place.root.class_ is not None:
            return place.root.class_
        value = place.root.initial if not place.path else None
        if isinstance(value, Call) and isinstance(value.callee, Ref) and not value.callee.place.path:
            return value.callee.place.root.class_
        return None

    @cached_property
    def _classes_by_name(self) -> dict[str, Class]:
        return {c.name: c for c in reversed(self.classes) if c.name}

    def resolve(self, call: Call) -> Function | None:
        """The function of this file that a call runs, or None. Sees through one wrapper: `const f = wrap(() => ...)`."""
        return self.resolve_value(call.callee)

    def resolve_value(self, term: Term | None) -> Function | None:
        """The function of this file that a term stands for: a closure, a name, a method, a wrapped closure."""
        self.spend(1)
        if isinstance(term, Closure):
            return term.function
        if not isinstance(term, Ref):
            if isinstance(term, Call):
                return self._unwrap(term)
            return None
        place = term.place
        if not place.path:
            return self._resolve_binding(place.root)
        parent = place.parent
        assert parent is not None
        owner = self.class_of(parent)
        if owner is not None:
            return self.method_of(owner, place.path[-1])
        if parent.root.kind == "class" and not parent.path and parent.root.class_ is not None:
            method = self.method_of(parent.root.class_, place.path[-1])
            return method if method is not None and method.is_static else None
        return None

    def kept_functions(self, term: Term | None) -> list[Function]:
        """The functions that a term can stand for: the one that `resolve_value` gives, else those that the file keeps in
        the field that is read: `this.#heard` of `this.#heard = (e) => ...`, to be able to take the handler off again."""
        found = self.resolve_value(term)
        if found is not None:
            return [found]
        if not isinstance(term, Ref) or not term.place.path:
            return []
        kept = (self.resolve_value(store.value) for _, store in self.stores_to(term.place))
        return list(dict.fromkeys(function for function in kept if function is not None))

    def _resolve_binding(self, binding: Binding) -> Function | None:
        if binding.function is not None:
            return binding.function
        if binding.constant and binding.initial is not None and not isinstance(binding.initial, Ref):
            return self.resolve_value(binding.initial)
        return None

    def _unwrap(self, call: Call) -> Function | None:
        """`useCallback(f, deps)`, `debounce(f)`, `f.bind(this)`: the closure that goes in comes out, wrapped."""
        if call.method == "bind" and isinstance(call.receiver, Ref):
            return self.resolve_value(call.receiver)
        closures = [a for a in call.arguments if isinstance(a, Closure)]
        if len(closures) == 1 and call.arguments[0] is closures[0]:
            return closures[0].function
        return None

    def method_of(self, owner: Class, name: str) -> Function | None:
        """The method of a class of this file or of its bases in this file."""
        return next((c.methods[name] for c in self.lineage(owner) if name in c.methods), None)

    def imports_from(self, name: str) -> bool:
        """Whether the file imports a module, or a part of it: `uvicorn`, `hypercorn.asyncio` of `hypercorn`."""
        return any(i == name or i.startswith((f"{name}.", f"{name}/")) for i in self.imports)

    def lineage(self, owner: Class) -> Iterator[Class]:
        """A class and its bases in this file, nearest first."""
        seen: set[str] = set()
        current: Class | None = owner
        while current is not None and current.name not in seen:
            yield current
            seen.add(current.name)
            current = next(
                (self._classes_by_name[b] for b in current.bases if b in self._classes_by_name), None
            )

    def getter_of(self, place: Place) -> Function | None:
        """The getter or property that reading a place runs, or None."""
        parent = place.parent
        if parent is None:
            return None
        owner = self.class_of(parent)
        if owner is None:
            return None
        name = place.path[-1]
        return next((c.getters[name] for c in self.lineage(owner) if name in c.getters), None)

    def stores_to(self, place: Place) -> list[tuple[Function, Store]]:
        """Every assignment in the file to exactly this place, with the function whose graph runs it."""
        cached = self._stores.get(place)
        if cached is None:
            cached = []
            scope = place.root.scope.host if place.root.scope is not None else None
            for function in self.functions_mentioning(place.name):
                if scope is not None and not scope.encloses(function):
                    continue
                for step, store in function.cfg.assignments:
                    if step.target == place:
                        cached.append((function, store))
            self._stores[place] = cached
        return cached

    @cached_property
    def _stores(self) -> dict[Place, list[tuple[Function, Store]]]:
        return {}

    def value_of(self, term: Term | None) -> Term | None:
        """The term itself, or the only value ever given to the plain variable that it reads (one step)."""
        if isinstance(term, Ref) and not term.place.path and term.place.root.constant:
            return term.place.root.initial or term
        return term


def is_word(text: bytes, index: int) -> bool:
    """Whether the byte at an offset can be part of an identifier; false outside the text."""
    return 0 <= index < len(text) and text[index] in _WORD


_WORD = frozenset(byte for byte in range(256) if byte >= 0x80 or chr(byte).isalnum() or byte in b"_$")
"""The bytes that an identifier can be made of."""


def _is_letter(text: bytes, index: int) -> bool:
    return 0 <= index < len(text) and (0x61 <= text[index] <= 0x7A or 0x41 <= text[index] <= 0x5A)


def is_null(term: Term | None) -> bool:
    """Whether a term is the literal null, undefined, None or nil."""
    return isinstance(term, Constant) and term.kind == "null"
