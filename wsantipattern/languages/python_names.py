"""Names of a Python text: its functions and classes, what each name is bound to, and what annotations say.

Guarantees Python's scoping (class bodies, comprehensions, `global`, `nonlocal`, assignment expressions) and that
nothing is worked out before it is asked for, except that every function and class is known from the start. Does not
lower code, and knows no library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from tree_sitter import Node, QueryCursor

from wsantipattern.languages.python_scope import (
    ClassDefinition,
    Definition,
    FieldStore,
    Scope,
    Site,
    SiteKind,
    Variable,
)
from wsantipattern.languages.python_syntax import (
    chain,
    is_none,
    last_name,
    leaves,
    name_of,
    parameter_name,
    parts,
    plain_string,
    query,
    read,
)
from wsantipattern.languages.single_call import finder
from wsantipattern.model.module import Class, Function, FunctionKind, Module
from wsantipattern.model.place import Binding, BindingKind, ElementTypes, Place
from wsantipattern.model.term import Statement, Term

_DEFINITIONS = """
(function_definition) @function
(lambda) @lambda
(class_definition) @class
(yield) @yield
(decorated_definition) @decorated
["<" "<=" ">" ">="] @ordering
"!=" @unequal
(import_statement) @import
(import_from_statement) @import
"""

_ADDITIONS = """
(assignment) @assignment
(augmented_assignment) @augmented
[(list_splat) (dictionary_splat)] @addition
(for_statement left: (subscript)) @addition
"""

_SITES = """
[(list_comprehension) (set_comprehension) (dictionary_comprehension) (generator_expression)] @comprehension
(assignment) @assign
(augmented_assignment) @augment
(named_expression) @walrus
(for_statement) @for
(for_in_clause) @for
(with_item (as_pattern) @with)
(except_clause (as_pattern) @except)
(import_statement) @import
(import_from_statement) @from
(global_statement) @global
(nonlocal_statement) @nonlocal
(delete_statement) @delete
(case_pattern (dotted_name . (identifier) @case .))
(keyword_pattern (identifier) (dotted_name . (identifier) @case .))
(splat_pattern (identifier) @case)
(as_pattern (case_pattern) (identifier) @case)
"""

_NAMES = frozenset({"attribute", "identifier", "subscript"})
_GETTERS = frozenset({"property", "cached_property", "abstractproperty"})
_WITHOUT_RECEIVER = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "InitVar"})


_CONTAINERS = frozenset(
    {
        "dict",
        "list",
        "set",
        "frozenset",
        "tuple",
        "deque",
        "defaultdict",
        "OrderedDict",
        "WeakSet",
        "WeakValueDictionary",
    }
    | {
        "Dict",
        "List",
        "Set",
        "FrozenSet",
        "Tuple",
        "Deque",
        "DefaultDict",
        "Mapping",
        "MutableMapping",
        "Sequence",
    }
    | {"MutableSequence", "MutableSet", "AbstractSet", "Iterable", "Iterator", "Collection"}
)
"""Generic types of Python 3.13 whose last argument is what they hold; of a tuple, the first."""


class Names:
    """Every function, class and name of one text.

    Args:
        module: is filled with functions, classes, imports and globals.
        lower: makes the body of a function.
        term: lowers an expression in a scope (for decorators).
    """

    def __init__(
        self,
        module: Module,
        root: Node,
        lower: Callable[[Function], list[Statement]],
        term: Callable[[Node, Scope], Term],
    ) -> None:
        self.module = module
        self.root = root
        self.top = Scope("module", module.top, None)
        self.definitions: dict[int, Definition] = {}
        self.classes: dict[int, ClassDefinition] = {}
        self._comprehensions: dict[int, Scope] = {}
        self._lower = lower
        self._term = term
        self._opened: list[tuple[int, int, Scope]] = []
        self._resolving: set[tuple[Scope, str]] = set()
        self._decorators: dict[int, list[Node]] = {}
        self._lambda_names: dict[int, str] = {}
        self._defined: list[tuple[Scope, str, Site, Definition | ClassDefinition]] = []
        self._collect()

    def _means(self, function: Function, name: str, offset: int) -> bool:
        """Whether the name of a nested function is bound to nothing else."""
        binding = function.binding
        return binding is not None and binding.constant and binding.function is function

    # -- functions and classes -------------------------------------------------------------------

    def _collect(self) -> None:
        """One pass over the definitions in order, keeping what is open around them."""
        found = QueryCursor(query(_DEFINITIONS)).captures(self.root)
        for node in found.pop("import", []):
            self.module.imports.update(_imported(node))
        orderings = found.pop("ordering", [])
        self.module.orderings = sorted(node.start_byte for node in orderings if not _is_trivial(node))
        unequal = found.pop("unequal", [])
        self.module.inequalities = sorted(node.start_byte for node in unequal if _is_of_names(node))
        self.module.find_additions = lambda: _additions(self.root)
        self.module.find_call = finder(self.root, self._means)
        for node in found.pop("decorated", []):
            definition = node.child_by_field_name("definition")
            if definition is not None:
                self._decorators[definition.id] = [
                    parts(d)[0] for d in parts(node) if d.type == "decorator" and parts(d)
                ]
        for node in found.get("lambda", []):
            statement = node.parent
            if statement is not None and statement.type == "assignment":
                left = statement.child_by_field_name("left")
                if left is not None and left.type == "identifier":
                    self._lambda_names[node.id] = name_of(left)
        items: list[tuple[int, int, int, str, Node]] = []
        for tag, nodes in found.items():
            for node in nodes:
                items.append((node.start_byte, -node.end_byte, 1, tag, node))
                body = node.child_by_field_name("body") if tag != "yield" else None
                if body is not None:
                    items.append((body.start_byte, -body.end_byte, 0, "open", node))
        items.sort(key=lambda i: i[:3])
        around: list[tuple[int, Definition | ClassDefinition]] = []
        scopes: list[tuple[int, Scope]] = [(1 << 62, self.top)]
        for start, negative_end, _, tag, node in items:
            while around and around[-1][0] <= start:
                around.pop()
            while scopes[-1][0] <= start:
                scopes.pop()
            scope = scopes[-1][1]
            if tag == "open":
                made = self.definitions.get(node.id) or self.classes.get(node.id)
                if made is not None and made.scope is not None:
                    scopes.append((-negative_end, made.scope))
                    self._opened.append((start, -negative_end, made.scope))
            elif tag == "yield":
                function = scope.function
                if function.kind != "top" and not (
                    isinstance(function, Definition) and function.is_coroutine
                ):
                    function.is_generator = True
            else:
                defined: Definition | ClassDefinition
                if tag == "class":
                    defined = self._class(node, scope)
                else:
                    defined = self._function(node, scope, around, tag == "lambda")
                around.append((-negative_end, defined))

    def _class(self, node: Node, scope: Scope) -> ClassDefinition:
        label = node.child_by_field_name("name")
        name = name_of(label) if label is not None else ""
        this = Binding("self", "this", constant=True)
        made = ClassDefinition(self, node, name, this)
        made.scope = Scope("class", scope.function, scope, made)
        self.classes[node.id] = made
        self.module.classes.append(made)
        self._defined.append((scope, name, Site("class", node.start_byte, scope), made))
        return made

    def _function(
        self,
        node: Node,
        scope: Scope,
        around: list[tuple[int, Definition | ClassDefinition]],
        is_lambda: bool,
    ) -> Definition:
        outer = next((d for _, d in reversed(around) if isinstance(d, Definition)), None)
        parent = outer if outer is not None else self.module.top
        label = node.child_by_field_name("name")
        short = name_of(label) if label is not None else ""
        owner = scope.class_ if scope.kind == "class" and not is_lambda else None
        decorators = self._decorators.get(node.id, [])
        kind: FunctionKind
        if is_lambda:
            name, kind = self._lambda_names.get(node.id, ""), "lambda"
        else:
            name, kind = short, _kind(short, owner, decorators)
        if name and around:
            outermost = around[-1][1]
            prefix = outermost.name
            if isinstance(outermost, Class):
                holder = next((d for _, d in reversed(around[:-1]) if isinstance(d, Definition)), None)
                prefix = f"{holder.name}.{prefix}" if holder is not None and holder.name else prefix
            name = f"{prefix}.{name}" if prefix else name
        made = Definition(self, node, name, kind, parent, owner, self._lower)
        made.scope = Scope("function", made, scope)
        made.decorator_nodes = decorators
        # What drives the generator decides whether it throws at a `yield`: contextlib does, a test fixture does not.
        words = {last_name(d) for d in decorators}
        made.is_resumed = bool(decorators) and words.isdisjoint(_THROWING | _COROUTINES)
        if words & _COROUTINES:
            made.is_coroutine = made.is_async = True
        if owner is not None:
            self._join(made, owner, short, decorators)
        self.definitions[node.id] = made
        self.module.functions.append(made)
        if not is_lambda and not any(last_name(d) == "overload" for d in decorators):
            self._defined.append((scope, short, Site("def", node.start_byte, scope), made))
        return made

    def _join(self, made: Definition, owner: Class, name: str, decorators: list[Node]) -> None:
        words = {last_name(d) for d in decorators}
        made.is_static = "staticmethod" in words or "classmethod" in words
        made.is_private = name.startswith("_") and not name.endswith("__")
        if "overload" not in words and made.kind not in ("getter", "setter"):
            owner.methods[name] = made
        elif made.kind == "getter":
            owner.getters[name] = made
        if "staticmethod" in words:
            return
        listing = made.node.child_by_field_name("parameters")
        first = next(iter(parts(listing)), None) if listing is not None else None
        label = parameter_name(first) if first is not None else None
        if label is not None and first is not None and first.type in ("identifier", "typed_parameter"):
            made.receiver = name_of(label)
            made.binds_class = "classmethod" in words or name in _WITHOUT_RECEIVER

    # -- sites -----------------------------------------------------------------------------------

    @cached_property
    def _tables(self) -> list[FieldStore]:
        """Fills every scope's sites and bindings; the value is the assignments to fields, in order."""
        fields: list[FieldStore] = []
        found = QueryCursor(query(_SITES)).captures(self.root)
        items: list[tuple[int, int, int, str, Node | Scope]] = []
        for tag, nodes in found.items():
            rank = 1 if tag == "comprehension" else 2
            items.extend((n.start_byte, -n.end_byte, rank, tag, n) for n in nodes)
        items.extend((start, -end, 0, "open", scope) for start, end, scope in self._opened)
        items.sort(key=lambda i: i[:3])
        scopes: list[tuple[int, Scope]] = [(1 << 62, self.top)]
        written: list[tuple[Scope, str, Site]] = []
        for start, negative_end, _, tag, item in items:
            while scopes[-1][0] <= start:
                scopes.pop()
            scope = scopes[-1][1]
            if isinstance(item, Scope):
                scopes.append((-negative_end, item))
            elif tag == "comprehension":
                inner = Scope("comprehension", scope.function, scope)
                self._comprehensions[item.id] = inner
                scopes.append((-negative_end, inner))
            elif tag in ("global", "nonlocal"):
                for word in parts(item):
                    scope.outer[name_of(word)] = "global" if tag == "global" else "nonlocal"
            elif tag in ("import", "from"):
                written.extend((scope, name, site) for name, site in self._imports(item, scope))
            else:
                _note(item, tag, scope, written, fields)
        for definition in self.definitions.values():
            written.extend(self._parameter_sites(definition))
        written.extend((scope, name, site) for scope, name, site, _ in self._defined)
        for scope, name, site in written:
            if name not in scope.outer:
                scope.sites.setdefault(name, []).append(site)
        for scope, name, site in written:
            if name in scope.outer:
                self._outer(scope, name).sites.setdefault(name, []).append(site)
        self._make_bindings([self.top, *(s for _, _, s in self._opened), *self._comprehensions.values()])
        return fields

    def _outer(self, scope: Scope, name: str) -> Scope:
        """The scope that a `global` or `nonlocal` declaration means."""
        if scope.outer[name] == "nonlocal":
            current = scope.parent
            while current is not None:
                if current.kind == "function" and name in current.sites:
                    return current
                current = current.parent
        return self.top

    def _imports(self, node: Node, scope: Scope) -> Iterator[tuple[str, Site]]:
        prefix = ""
        module = node.child_by_field_name("module_name")
        if module is not None:
            prefix = "".join(name_of(module).split())
        for item in node.children_by_field_name("name"):
            label, alias = item, None
            if item.type == "aliased_import":
                label, alias = item.child_by_field_name("name") or item, item.child_by_field_name("alias")
            dotted = "".join(name_of(label).split())
            if module is None:
                origin = dotted if alias is not None else dotted.split(".")[0]
            else:
                origin = prefix + dotted if prefix.endswith(".") else f"{prefix}.{dotted}"
            name = name_of(alias) if alias is not None else dotted.split(".")[0]
            yield name, Site("import", item.start_byte, scope, origin=origin)

    def _parameter_sites(self, definition: Definition) -> Iterator[tuple[Scope, str, Site]]:
        listing = definition.node.child_by_field_name("parameters")
        if listing is None or definition.scope is None or definition.scope.parent is None:
            return
        for node in parts(listing):
            label = parameter_name(node)
            if label is not None:
                # Annotations are read where the function is written, not inside it.
                site = Site(
                    "parameter",
                    label.start_byte,
                    definition.scope.parent,
                    annotation=node.child_by_field_name("type"),
                )
                yield definition.scope, name_of(label), site

    def _make_bindings(self, scopes: list[Scope]) -> None:
        named = {(scope, name): made for scope, name, _, made in self._defined}
        for scope in scopes:
            for name, sites in scope.sites.items():
                sites.sort(key=lambda s: s.start)
                kinds = {s.kind for s in sites}
                values = [s for s in sites if s.kind not in ("parameter", "declare")]
                if "import" in kinds:
                    binding: Binding = Binding(
                        name, "import", origin=next(s.origin for s in sites if s.origin)
                    )
                    binding.constant = len(values) == 1
                    scope.bindings[name] = binding
                    continue
                if scope.kind == "class":
                    continue
                if "parameter" in kinds:
                    definition = scope.function
                    assert isinstance(definition, Definition)
                    if (
                        name == definition.receiver
                        and not definition.binds_class
                        and definition.owner is not None
                    ):
                        scope.bindings[name] = definition.owner.this
                        continue
                    kind: BindingKind = "parameter"
                elif len(values) == 1 and values[0].kind in ("def", "class"):
                    kind = "function" if values[0].kind == "def" else "class"
                else:
                    kind = "local"
                binding = Variable(self, name, kind, scope.function, sites)
                binding.constant = len(values) <= 1 and not kinds & {"augment", "delete"}
                made = named.get((scope, name))
                if kind == "function" and isinstance(made, Definition):
                    binding.function = made
                    made.binding = binding
                elif kind == "class" and isinstance(made, ClassDefinition):
                    binding.class_ = made
                elif kind == "local" and binding.constant and values and values[0].value is not None:
                    value = self.definitions.get(values[0].value.id)
                    if value is not None:
                        binding.function = value
                        value.binding = binding
                scope.bindings[name] = binding

    # -- lookup ----------------------------------------------------------------------------------

    def place(self, name: str, scope: Scope) -> Place:
        """What a name means in a scope: a variable, a member of the class around it, or the place it is an alias of."""
        _ = self._tables
        known = scope.places.get(name)
        if known is None:
            known = self._resolve(name, scope)
            scope.places[name] = known
        return known

    def comprehension(self, node: Node) -> Scope | None:
        """The scope of a comprehension's own variables."""
        _ = self._tables
        return self._comprehensions.get(node.id)

    def _resolve(self, name: str, start: Scope) -> Place:
        scope: Scope | None = start
        while scope is not None:
            if name in scope.outer:
                holder = self._outer(scope, name)
                if name in holder.bindings:
                    return self._alias(holder.bindings[name]) or Place(holder.bindings[name])
                break
            if name in scope.bindings and (scope.kind != "class" or scope is start):
                binding = scope.bindings[name]
                return self._alias(binding) or Place(binding)
            if scope.kind == "class" and scope is start and name in scope.sites and scope.class_ is not None:
                return Place(scope.class_.this, (name,))
            scope = scope.parent
        binding = self.module.globals.get(name) or Binding(name, "global", origin=name)
        self.module.globals[name] = binding
        return Place(binding)

    def own(self, name: str, scope: Scope) -> Place:
        """The place that an assignment to a name in a scope writes: like `place`, but no alias is followed."""
        place = self.place(name, scope)
        if scope.kind == "comprehension" and name not in scope.bindings:
            while scope.kind == "comprehension" and scope.parent is not None:
                scope = scope.parent
        holder = self._outer(scope, name) if name in scope.outer else scope
        binding = holder.bindings.get(name)
        return Place(binding) if binding is not None else place

    def _alias(self, binding: Binding) -> Place | None:
        """The field path that a variable holds for all of its life, as far as its function shows."""
        if not isinstance(binding, Variable) or binding.kind != "local" or not binding.constant:
            return None
        site = next((s for s in binding.sites if s.kind == "assign"), None)
        if site is None or site.value is None or site.annotation is not None:
            return None
        links = chain(site.value)
        if links is None or not links[1]:
            return None
        identifier, path = links
        root = name_of(identifier)
        # A name that is being resolved already would be an alias of itself.
        if root in site.scope.places:
            source = site.scope.places[root]
        elif (site.scope, root) in self._resolving:
            return None
        else:
            self._resolving.add((site.scope, root))
            source = self._resolve(root, site.scope)
            self._resolving.discard((site.scope, root))
        if source.root is binding or (isinstance(source.root, Variable) and not source.root.constant):
            return None
        end = site.scope.function.extent[1]
        for store in self._stores_by_root.get(root, []):
            if site.start < store.start < end and path[: len(store.path)] == store.path:
                return None
        return Place(source.root, source.path + tuple(path))

    @cached_property
    def _stores_by_root(self) -> dict[str, list[FieldStore]]:
        stores: dict[str, list[FieldStore]] = {}
        for store in self._tables:
            stores.setdefault(store.root, []).append(store)
        return stores

    # -- what is said about definitions ----------------------------------------------------------

    def parameters_of(self, definition: Definition) -> list[Binding]:
        """The bindings of the parameters in order, without the receiver."""
        _ = self._tables
        listing = definition.node.child_by_field_name("parameters")
        scope = definition.scope
        if listing is None or scope is None:
            return []
        labels = [label for label in map(parameter_name, parts(listing)) if label is not None]
        names = [name_of(label) for label in labels]
        if definition.receiver is not None:
            names = names[1:]
        return [scope.bindings[name] for name in names if name in scope.bindings]

    def decorators_of(self, definition: Definition) -> list[Term]:
        scope = definition.scope.parent if definition.scope is not None else None
        return [self._term(node, scope or self.top) for node in definition.decorator_nodes]

    def bind_definition(self, definition: Definition) -> None:
        """Sees to it that `definition.binding` is set where a single name stands for it."""
        _ = self._tables

    def base_names(self, class_: ClassDefinition) -> list[str]:
        listing = class_.node.child_by_field_name("superclasses")
        scope = class_.scope.parent if class_.scope is not None else None
        if listing is None or scope is None:
            return []
        bases = [
            n for n in parts(listing) if n.type not in ("keyword_argument", "dictionary_splat", "list_splat")
        ]
        return [name for name in (self.annotation(n, scope) for n in bases) if name is not None]

    def fields_of(self, class_: ClassDefinition) -> dict[str, str]:
        """Declared types of fields; then those that every typed assignment to a field agrees on."""
        stores = self._field_stores.get(class_.this, [])
        scope = class_.scope
        declared: dict[str, str] = {}
        assigned: dict[str, set[str]] = {}
        if scope is not None:
            for name, sites in scope.sites.items():
                for site in sites:
                    note = self.annotation(site.annotation, scope) if site.annotation is not None else None
                    if note is not None:
                        declared.setdefault(name, note)
                    elif (
                        site.value is not None
                        and (made := self._type_of_value(site.value, scope)) is not None
                    ):
                        assigned.setdefault(name, set()).add(made)
        for store in stores:
            name = store.path[0]
            if store.annotation is not None:
                note = self.annotation(store.annotation, store.scope)
                if note is not None:
                    declared.setdefault(name, note)
            elif (
                store.value is not None
                and (made := self._type_of_value(store.value, store.scope)) is not None
            ):
                assigned.setdefault(name, set()).add(made)
        agreed = {name: types.pop() for name, types in assigned.items() if len(types) == 1}
        return agreed | declared

    def field_elements_of(self, class_: ClassDefinition) -> dict[str, ElementTypes]:
        """What the fields of a class hold that are declared as containers, or are given such a parameter."""
        found: dict[str, ElementTypes] = {}
        for name, sites in class_.scope.sites.items() if class_.scope is not None else ():
            for site in sites:
                if site.annotation is not None and class_.scope is not None:
                    found.setdefault(name, self.element_types(site.annotation, class_.scope))
        for store in self._field_stores.get(class_.this, []):
            if store.annotation is not None:
                found.setdefault(store.path[0], self.element_types(store.annotation, store.scope))
            elif store.value is not None and store.value.type == "identifier":
                place = self.place(name_of(store.value), store.scope)
                if place.root.kind == "parameter" and not place.path:
                    found.setdefault(store.path[0], place.root.element_types)
        return {name: elements for name, elements in found.items() if elements}

    @cached_property
    def _field_stores(self) -> dict[Binding, list[FieldStore]]:
        """Assignments to fields of a class's instance, by the class's `this`."""
        stores: dict[Binding, list[FieldStore]] = {}
        for store in self._tables:
            if len(store.path) == 1:
                place = self.place(store.root, store.scope)
                if place.root.kind == "this" and not place.path:
                    stores.setdefault(place.root, []).append(store)
        return stores

    def _type_of_value(self, node: Node, scope: Scope) -> str | None:
        """The class a value is made by (of this file, or imported), or the declared type of the parameter it is."""
        while node.type == "parenthesized_expression" and len(parts(node)) == 1:
            node = parts(node)[0]
        if node.type == "call":
            function = node.child_by_field_name("function")
            return self._type_name(function, scope) if function is not None else None
        if node.type == "identifier":
            place = self.place(name_of(node), scope)
            return place.root.declared_type if place.root.kind == "parameter" and not place.path else None
        return None

    def _type_name(self, node: Node, scope: Scope) -> str | None:
        links = chain(node)
        if links is None:
            return None
        place = self.place(name_of(links[0]), scope)
        if place.root.class_ is not None and not place.path and not links[1]:
            return place.root.class_.name
        if place.root.kind == "import" and place.root.origin is not None:
            return ".".join((place.root.origin, *place.path, *links[1]))
        return None

    def canonical(self, node: Node, scope: Scope) -> str | None:
        """The canonical name that an expression refers to: an import or a name the file does not declare."""
        links = chain(node)
        if links is None:
            return None
        place = self.place(name_of(links[0]), scope)
        if place.root.kind not in ("import", "global") or place.root.origin is None:
            return None
        return ".".join((place.root.origin, *place.path, *links[1]))

    def annotation(self, node: Node, scope: Scope) -> str | None:
        """The canonical name of an annotated type: `X` for `Optional["X"]`, `dict` for `dict[str, X]`, else None."""
        for _ in range(12):
            kind = node.type
            inner: list[Node] = []
            if kind in ("type", "parenthesized_expression", "module", "expression_statement"):
                inner = parts(node)
                if len(inner) != 1:
                    return None
            elif kind == "string":
                content = plain_string(node)
                if content is None:
                    return None
                inner = [read(content.encode())]
            elif kind in ("union_type", "binary_operator"):
                inner = [n for n in parts(node) if not is_none(n)]
                if len(inner) != 1:
                    return None
            elif kind in ("generic_type", "subscript"):
                operands = parts(node)
                subject = operands[0] if operands else None
                if subject is None:
                    return None
                arguments = [
                    a for o in operands[1:] for a in (parts(o) if o.type == "type_parameter" else [o])
                ]
                word = last_name(subject)
                if word == "Union":
                    arguments = [a for a in arguments if not is_none(a)]
                    if len(arguments) != 1:
                        return None
                    inner = arguments
                else:
                    inner = arguments[:1] if word in _WRAPPERS else [subject]
                if not inner:
                    return None
            elif kind in ("identifier", "attribute", "member_type"):
                return self._named_type(node, scope)
            else:
                return None
            node = inner[0]
        return None

    def element_types(self, node: Node, scope: Scope) -> ElementTypes:
        """The types of what a container's annotation holds: (`set`, `X`) of `dict[str, set[X]]`."""
        found: list[str | None] = []
        for _ in range(16):
            kind = node.type
            inner: list[Node] = []
            if kind in ("type", "parenthesized_expression", "module", "expression_statement"):
                inner = parts(node)
            elif kind == "string":
                content = plain_string(node)
                inner = [read(content.encode())] if content is not None else []
            elif kind in ("union_type", "binary_operator"):
                inner = [n for n in parts(node) if not is_none(n)]
            elif kind in ("generic_type", "subscript"):
                subject, *operands = parts(node)
                given = [a for o in operands for a in (parts(o) if o.type == "type_parameter" else [o])]
                name = last_name(subject)
                if name in _WRAPPERS or name == "Union":
                    inner = [a for a in given if not is_none(a)][: 1 if name in _WRAPPERS else None]
                elif name in _CONTAINERS and given:
                    inner = given[:1] if name in ("tuple", "Tuple") else given[-1:]
                    found.append(self.annotation(inner[0], scope))
            if len(inner) != 1:
                break
            node = inner[0]
        return tuple(found)

    def _named_type(self, node: Node, scope: Scope) -> str | None:
        links = chain(node)
        if links is None and node.type == "member_type":
            words = name_of(node).split(".")
            place = self.place(words[0].strip(), scope)
            fields = [w.strip() for w in words[1:]]
        elif links is not None:
            place, fields = self.place(name_of(links[0]), scope), links[1]
        else:
            return None
        root = place.root
        if root.class_ is not None:
            return root.class_.name if not fields and not place.path else None
        if root.kind in ("import", "global") and root.origin is not None:
            return ".".join((root.origin, *place.path, *fields))
        return None


def _note(
    node: Node, tag: str, scope: Scope, written: list[tuple[Scope, str, Site]], fields: list[FieldStore]
) -> None:
    """Records what one binding construct binds."""
    value: Node | None = None
    note: Node | None = None
    kind: SiteKind
    left: Node | None
    match tag:
        case "assign":
            kind, left = "assign", node.child_by_field_name("left")
            value, note = node.child_by_field_name("right"), node.child_by_field_name("type")
            while value is not None and value.type == "assignment":
                value = value.child_by_field_name("right")
            if node.child_by_field_name("right") is None:
                kind = "declare"
        case "augment":
            kind, left = "augment", node.child_by_field_name("left")
        case "walrus":
            # What is stored is tested at once: the variable keeps its own place.
            kind, left, value = "part", node.child_by_field_name("name"), node.child_by_field_name("value")
            while scope.kind == "comprehension" and scope.parent is not None:
                scope = scope.parent
        case "for":
            kind, left = "for", node.child_by_field_name("left")
        case "with" | "except":
            kind, left = ("with" if tag == "with" else "except"), node.child_by_field_name("alias")
            value = next(iter(parts(node)), None) if tag == "with" else None
        case "delete":
            kind, left = "delete", next(iter(parts(node)), None)
        case _:
            kind, left = "case", node
    if left is None:
        return
    if kind == "assign" and left.type != "identifier":
        kind = "part"
    for leaf in leaves(left):
        if leaf.type == "identifier":
            written.append((scope, name_of(leaf), Site(kind, leaf.start_byte, scope, value, note)))
        elif kind != "declare" or note is not None:
            links = chain(leaf)
            if links is not None:
                only = value if leaf == left else _paired(left, value, leaf)
                fields.append(FieldStore(leaf.start_byte, name_of(links[0]), links[1], scope, only, note))


_LISTS = frozenset({"pattern_list", "tuple_pattern", "expression_list", "tuple"})
_STARRED = frozenset({"list_splat", "list_splat_pattern"})


def _paired(left: Node, value: Node | None, leaf: Node) -> Node | None:
    """What one target of several gets: `self.url, self.bank = url, bank`."""
    if value is None or left.type not in _LISTS or value.type not in _LISTS:
        return None
    targets, values = parts(left), parts(value)
    if len(targets) != len(values) or any(part.type in _STARRED for part in (*targets, *values)):
        return None
    return next((given for target, given in zip(targets, values, strict=True) if target == leaf), None)


def _imported(node: Node) -> Iterator[str]:
    """The canonical names of the modules that an import statement names."""
    module = node.child_by_field_name("module_name")
    if module is not None:
        yield "".join(name_of(module).split())
        return
    for item in node.children_by_field_name("name"):
        label = item.child_by_field_name("name") if item.type == "aliased_import" else item
        if label is not None:
            yield "".join(name_of(label).split())


_THROWING = frozenset({"contextmanager", "asynccontextmanager"})

_COROUTINES = frozenset({"inlineCallbacks", "coroutine"})
"""Decorators that make of a generator what `async def` makes: each `yield` waits (Twisted 24 `defer.inlineCallbacks`, tornado
6 `gen.coroutine`)."""


def _kind(name: str, owner: Class | None, decorators: list[Node]) -> FunctionKind:
    if owner is None:
        return "function"
    words = {last_name(d) for d in decorators}
    if words & {"setter", "deleter"}:
        return "setter"
    if words & _GETTERS:
        return "getter"
    return "constructor" if name == "__init__" else "method"


_ELEMENTS = frozenset({"subscript", "pattern_list", "tuple_pattern", "list_pattern"})
_MADE_OF_OTHERS = frozenset(
    {"binary_operator", "parenthesized_expression", "list", "set", "tuple", "expression_list"}
)


def _additions(root: Node) -> tuple[list[int], list[int]]:
    """Where something may be added to what is there, and where a call's result is assigned; see `Module.additions`."""
    captured = QueryCursor(query(_ADDITIONS)).captures(root)
    added = [node.start_byte for tag in ("addition", "augmented") for node in captured.get(tag, [])]
    answered = []
    for node in captured.get("assignment", []):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        kind = right.type if right is not None and right.named_child_count > 0 else ""
        if kind in _MADE_OF_OTHERS or (left is not None and left.type in _ELEMENTS):
            added.append(node.start_byte)
        elif kind in ("call", "await"):
            answered.append(node.start_byte)
    return added, answered


def _is_of_names(operator: Node) -> bool:
    before, after = operator.prev_named_sibling, operator.next_named_sibling
    return before is not None and after is not None and before.type in _NAMES and after.type in _NAMES


def _is_trivial(operator: Node) -> bool:
    """Whether a comparison only sets a field, an element or a size against a number."""
    sides = (operator.prev_named_sibling, operator.next_named_sibling)
    for side, other in (sides, sides[::-1]):
        if side is not None and other is not None and other.type in ("integer", "float"):
            if side.type in ("attribute", "subscript"):
                return True
            callee = side.child_by_field_name("function") if side.type == "call" else None
            if callee is not None:
                return callee.type == "identifier" and name_of(callee) == "len"
    return False
