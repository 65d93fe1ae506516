"""The functions, classes and scopes of a JavaScript or TypeScript file, found by one compiled query and one sweep.

Decides names, owners, and which closures are inlined into the function around them. Lowers nothing, and makes no
table of names except for the types of class fields.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from tree_sitter import Language, Query, QueryCursor

from wsantipattern.languages.javascript_file import File, JavaScriptFunction
from wsantipattern.languages.javascript_scope import Scope
from wsantipattern.languages.javascript_syntax import (
    CLOSURES,
    FUNCTIONS,
    calls_of,
    chain_link,
    extent_of,
    first_named,
    has_token,
    key_name,
    string_value,
    unwrap,
    word,
)
from wsantipattern.languages.javascript_types import fill_types, owner_around
from wsantipattern.languages.single_call import finder, says
from wsantipattern.model.module import Class, Function
from wsantipattern.model.place import Binding

if TYPE_CHECKING:
    from tree_sitter import Node

    from wsantipattern.model.module import FunctionKind
    from wsantipattern.model.term import Statement

Lower = Callable[[Function], "list[Statement]"]

_FUNCTION_VALUES = "(function_expression) (arrow_function) (generator_function)"
_SHAPES = """
[(function_declaration) (generator_function_declaration) (method_definition) %(functions)s] @function
[(class_declaration) (class) %(classes)s] @class
[(statement_block) (for_statement) (for_in_statement) (switch_body) (catch_clause)] @block
[(lexical_declaration) (variable_declaration) (import_statement) %(declarations)s] @declaration
(%(field)s) @field
[(assignment_expression) (augmented_assignment_expression) (update_expression)] @assigned
["<" "<=" ">" ">="] @ordering
["!=" "!=="] @unequal
%(shapes)s
"""
"""Single nodes only: tree-sitter takes ten times as long to compile a pattern with children, at every start."""
_STRICT = {
    "javascript": {"classes": "", "declarations": "", "field": "field_definition", "shapes": ""},
    "typescript": {
        "classes": "(abstract_class_declaration)",
        "declarations": "(enum_declaration) (internal_module)",
        "field": "public_field_definition",
        "shapes": "[(interface_declaration) (type_alias_declaration)] @shape",
    },
}
_ADDITIONS = """
[(spread_element) (computed_property_name)] @addition
(for_in_statement left: [(subscript_expression) (array_pattern) (object_pattern)]) @addition
"""
_SHARED = frozenset({"methods", "computed", "watch"})
"""Keys of an object with methods whose own methods are given the outer object as `this` (component options)."""
_PARENTS = {"variable_declarator": "declarator", "pair": "pair", "export_statement": "exported"}
_NAMES = frozenset({"member_expression", "identifier"})
_NAMEABLE = frozenset({"function_expression", "arrow_function", "generator_function", "class", "object"})
_TIMERS = frozenset({"setTimeout", "setInterval", "setImmediate", "requestAnimationFrame"})


@cache
def _query(language: Language, is_javascript: bool) -> Query:
    words = dict(_STRICT["javascript" if is_javascript else "typescript"], functions=_FUNCTION_VALUES)
    return Query(language, _SHAPES % words)


@cache
def _additions_query(language: Language) -> Query:
    return Query(language, _ADDITIONS)


class _Entry:
    """What the sweep is inside of: where it ends, its scope, its function, and the class it is the body of."""

    __slots__ = ("end", "function", "owner", "scope")

    def __init__(self, end: int, scope: Scope, function: Function, owner: Class | None) -> None:
        self.end = end
        self.scope = scope
        self.function = function
        self.owner = owner


def collect(file: File, language: Language, lower: Lower, *, is_javascript: bool) -> None:
    """Fills the file's and its module's functions, classes, scopes and imports; `is_javascript` tells the grammar."""
    _Collector(file, language, lower, is_javascript).run()


class _Collector:
    def __init__(self, file: File, language: Language, lower: Lower, is_javascript: bool) -> None:
        self.file = file
        self.module = file.module
        self.lower = lower
        self.language = language
        self.is_javascript = is_javascript
        self.found: dict[str, list[Node]] = {}
        self.contexts: dict[int, tuple[str, Node]] = {}
        self.constructors: dict[int, JavaScriptFunction] = {}
        self.members: dict[int, tuple[Class, Node, list[Node]]] = {}
        self.has_decorators = b"@" in file.text
        self.replaced: list[Node] = []
        self.typed: list[Node] = []
        self.late: list[tuple[JavaScriptFunction, Node]] = []
        self.calls: dict[int, Node] = {}
        self.constructions: dict[int, Node] = {}
        self.invocations: list[Node] = []

    def run(self) -> None:
        file = self.file
        query = _query(self.language, self.is_javascript)
        self.found = QueryCursor(query).captures(file.root)
        file.assigned = self.found.get("assigned", [])
        orderings = self.found.get("ordering", [])
        self.module.orderings = sorted(node.start_byte for node in orderings if _is_ordering(node))
        unequal = self.found.get("unequal", [])
        self.module.inequalities = sorted(node.start_byte for node in unequal if _is_of_names(node))
        self.module.find_additions = lambda: _additions(file, self.language)
        self.module.find_call = finder(file.root, self._means)
        self._contexts()
        self._shapes()
        self._sweep()
        self._prototypes()
        fill_types(
            file,
            classes=[
                (*self.members[node.id], self.constructors.get(id(self.members[node.id][0])))
                for node in self.found.get("class", [])
            ],
            literals=[
                (file.classes[id_], node)
                for id_, node in {n.id: n for n in self.found.get("object", [])}.items()
            ],
            assigned=self.typed,
        )
        self._imports()

    def _means(self, function: Function, name: str, offset: int) -> bool:
        """Whether a name at a byte offset is that of a function, and the function's `this` is the one around it."""
        variable = self.file.lookup(name, offset)
        if variable is None or not variable.constant or variable.function is not function:
            return False
        is_arrow = isinstance(function, JavaScriptFunction) and function.is_arrow
        return is_arrow or not says(self.file.root, function, "this", "this")

    # -- contexts ----------------------------------------------------------------------------------

    def _contexts(self) -> None:
        contexts = self.contexts
        self._parents()
        for node in self.found.get("field", []):
            value = node.child_by_field_name("value")
            if value is not None:
                contexts[value.id] = ("field", node)
        for node in self.found.get("assigned", []):
            value = node.child_by_field_name("right")
            if value is None:
                continue
            shape = value.type
            if shape in _NAMEABLE:
                contexts[value.id] = ("assigns", node)
                if shape == "object":
                    self.replaced.append(node)
            elif shape == "new_expression":
                self.typed.append(node)
        wrapped = self.module.wrapped = {}
        for call in self.calls.values():
            declarator = call.parent
            if declarator is None or declarator.type != "variable_declarator":
                continue
            callee = call.child_by_field_name("function")
            first = _first_argument(call)
            if first is None or callee is None:
                continue
            name = declarator.child_by_field_name("name")
            if name is not None:
                wrapped[first.start_byte] = word(name)
            # What a method or a timer gives back is not the closure: `const total = xs.reduce(...)`.
            if callee.type == "identifier" and word(callee) not in _TIMERS:
                contexts[first.id] = ("wrapper", declarator)
        self._inlined_contexts()

    def _parents(self) -> None:
        """Takes down what each function, class and object with methods stands in."""
        objects: dict[int, Node] = {}
        arrows: dict[int, Node] = {}
        for node in self.found.get("function", []):
            around = node.parent
            if around is None:
                continue
            shape, kind = around.type, node.type
            if kind == "method_definition":
                if shape == "object":
                    objects[around.id] = around
            elif shape == "arguments":
                call = around.parent
                if call is not None and call.type == "call_expression":
                    self.calls[call.id] = call
                elif call is not None and call.type == "new_expression":
                    self.constructions[call.id] = call
            elif shape == "call_expression":
                self.invocations.append(around)
            elif shape == "parenthesized_expression":
                call = around.parent
                if call is not None and call.type == "call_expression":
                    self.invocations.append(call)
            elif shape in _PARENTS and kind in _NAMEABLE:
                self.contexts[node.id] = (_PARENTS[shape], around)
                literal = around.parent if shape == "pair" else None
                if literal is not None and literal.type == "object":
                    if kind == "function_expression":
                        objects[literal.id] = literal
                    elif kind == "arrow_function":
                        arrows[literal.id] = literal
        self.found["object"] = list(objects.values())
        self.found["arrows"] = list(arrows.values())
        for node in (*self.found.get("class", []), *objects.values(), *arrows.values()):
            around = node.parent
            if around is not None and around.type in _PARENTS and node.type in _NAMEABLE:
                self.contexts[node.id] = (_PARENTS[around.type], around)

    def _shapes(self) -> None:
        for node in self.found.get("shape", []):
            name = node.child_by_field_name("name")
            body = node.child_by_field_name("body") or node.child_by_field_name("value")
            if name is not None and body is not None and body.type in ("interface_body", "object_type"):
                self.file.shapes.setdefault(word(name), body)

    def _inlined_contexts(self) -> None:
        """The closures that run where they are written; what `javascript_promise` lowers must agree with this."""
        contexts = self.contexts
        for node in self.calls.values():
            link = chain_link(node)
            if link is None:
                continue
            kind, _, reactions = link
            for reaction in reactions:
                if reaction.type in CLOSURES:
                    contexts[reaction.id] = ("final" if kind == "finally" else "link", node)
        for node in self.calls.values():
            around = node.parent
            if around is None or around.type not in ("expression_statement", "arrow_function"):
                continue
            callee = node.child_by_field_name("function")
            name = callee.child_by_field_name("property") if callee is not None else None
            first = _first_argument(node)
            if name is None or first is None or word(name) != "forEach" or has_token(first, "async"):
                continue
            contexts[first.id] = ("each", node)
        for node in self.constructions.values():
            constructor = node.child_by_field_name("constructor")
            first = _first_argument(node)
            if first is not None and constructor is not None and word(constructor) == "Promise":
                contexts[first.id] = ("executor", node)
        for node in self.invocations:
            callee = node.child_by_field_name("function")
            if callee is not None and unwrap(callee).type in CLOSURES:
                contexts[unwrap(callee).id] = ("iife", node)

    # -- the sweep ---------------------------------------------------------------------------------

    def _sweep(self) -> None:
        file = self.file
        events: list[tuple[int, int, int, str, Node]] = []
        for order, kind in enumerate(("block", "declaration", "field", "object", "class", "function")):
            seen: set[int] = set()
            for node in self.found.get(kind, []):
                if kind != "object" or node.id not in seen:
                    seen.add(node.id)
                    events.append((node.start_byte, -node.end_byte, order, kind, node))
        objects = {node.id for node in self.found.get("object", [])}
        for node in self.found.get("arrows", []):
            if node.id not in objects and self.contexts.get(node.id, ("",))[0] == "declarator":
                objects.add(node.id)
                events.append((node.start_byte, -node.end_byte, 3, "object", node))
        events.sort(key=lambda event: event[:3])
        top = self.module.top
        file.top_scope = Scope(file, None, top, None, (0, max(len(file.text), 1)))
        stack = [_Entry(len(file.text) + 1, file.top_scope, top, None)]
        for start, end, _, kind, node in events:
            while stack[-1].end <= start and len(stack) > 1:
                stack.pop()
            current = stack[-1]
            if kind == "block":
                if node.id in file.scopes:
                    continue
                scope = Scope(file, current.scope, current.function, None, (start, -end))
                file.scopes[node.id] = scope
                if node.type == "catch_clause":
                    scope.declarations.append(("catch", node, scope))
                elif node.type == "for_in_statement":
                    self._loop(node, scope)
                stack.append(_Entry(-end, scope, current.function, None))
            elif kind == "declaration":
                self._declaration(node, current.scope)
            elif kind == "field":
                owner = current.owner
                inside = current.function
                if owner is not None and not has_token(node, "static"):
                    inside = self._constructor_of(owner) or inside
                stack.append(_Entry(-end, current.scope, inside, owner))
            elif kind == "object":
                owner = self._object(node, current.owner)
                stack.append(_Entry(-end, current.scope, current.function, owner))
            elif kind == "class":
                stack.append(self._class(node, current, -end))
            else:
                stack.append(self._function(node, current, -end))
        self.module.functions.sort(key=lambda f: (f.extent[0], -f.extent[1]))
        for function in {
            id(f): f for f in self.module.functions if f.kind == "constructor" and f.parent
        }.values():
            assert function.parent is not None
            function.parent.closures.sort(key=lambda f: (f.extent[0], -f.extent[1]))

    def _loop(self, node: Node, scope: Scope) -> None:
        kind = node.child_by_field_name("kind")
        if kind is None:
            self.file.assigned.append(node)
        elif word(kind) == "var":
            scope.outermost.declarations.append(("loop", node, scope))
        else:
            scope.declarations.append(("loop", node, scope))

    def _declaration(self, node: Node, scope: Scope) -> None:
        kind = node.type
        if kind == "import_statement":
            kind = "import"
        home = scope.outermost if kind == "variable_declaration" else scope
        home.declarations.append((kind, node, scope))

    def _constructor_of(self, owner: Class) -> JavaScriptFunction | None:
        return self.constructors.get(id(owner))

    # -- classes -----------------------------------------------------------------------------------

    def _class(self, node: Node, current: _Entry, end: int) -> _Entry:
        file = self.file
        scope = current.scope
        name_node = node.child_by_field_name("name")
        if node.type == "class" and name_node is not None:
            scope = Scope(file, scope, current.function, None, extent_of(node))
            scope.declarations.append(("class", node, scope))
        elif name_node is not None:
            scope.declarations.append(("class", node, scope))
        name = word(name_node) if name_node is not None else self._declared_name(node)
        owner = Class(name, extent_of(node), Binding("this", "this"))
        file.classes[node.id] = owner
        self.module.classes.append(owner)
        body = node.child_by_field_name("body")
        fields: list[Node] = []
        constructor: Node | None = None
        for member in body.named_children if body is not None else []:
            if member.type == "method_definition":
                key = member.child_by_field_name("name")
                if key is not None and word(key) == "constructor":
                    constructor = member
            elif member.type in ("field_definition", "public_field_definition"):
                fields.append(member)
        instance = [f for f in fields if not has_token(f, "static")]
        file.fields[owner] = [f for f in instance if f.child_by_field_name("value") is not None]
        file.field_scopes[owner] = scope
        self.members[node.id] = (owner, node, fields)
        if constructor is not None:
            made = self._make(constructor, "constructor", f"{name}.constructor", current.function, owner)
            self.constructors[id(owner)] = made
        elif file.fields[owner] and body is not None:
            start = name_node.start_byte if name_node is not None else node.start_byte
            made = JavaScriptFunction(
                file,
                None,
                f"{name}.constructor",
                "constructor",
                (start, start),
                parent=current.function,
                owner=owner,
                lower=self.lower,
            )
            made.inner = scope
            self.module.functions.append(made)
            self.constructors[id(owner)] = made
            owner.methods["constructor"] = made
        return _Entry(end, scope, current.function, owner)

    def _object(self, node: Node, outer: Class | None) -> Class:
        kind, context = self.contexts.get(node.id, ("", node))
        if outer is not None and kind == "pair" and key_name(context.child_by_field_name("key")) in _SHARED:
            self.file.classes[node.id] = outer
            return outer
        owner = Class(self._declared_name(node), extent_of(node), Binding("this", "this"))
        self.file.classes[node.id] = owner
        self.module.classes.append(owner)
        return owner

    def _declared_name(self, node: Node) -> str:
        kind, context = self.contexts.get(node.id, ("", node))
        if kind == "declarator":
            name = context.child_by_field_name("name")
            return word(name) if name is not None and name.type == "identifier" else ""
        if kind == "assigns":
            return self._target_name(context.child_by_field_name("left"))
        if kind == "pair":
            return key_name(context.child_by_field_name("key")) or ""
        return ""

    # -- functions ---------------------------------------------------------------------------------

    def _function(self, node: Node, current: _Entry, end: int) -> _Entry:
        file = self.file
        made = file.functions.get(node.id)
        shape = node.type
        if made is None:
            owner = current.owner
            if shape == "method_definition":
                made = self._method(node, current, owner)
            else:
                made = self._plain(node, current, owner)
        scope = Scope(file, current.scope, made, node, extent_of(node))
        made.inner = scope
        body = node.child_by_field_name("body")
        if body is not None:
            file.scopes[body.id] = scope
        if shape in ("function_declaration", "generator_function_declaration"):
            current.scope.declarations.append(("function", node, current.scope))
            name = node.child_by_field_name("name")
            if name is not None:
                made.named = (current.scope, word(name))
        return _Entry(end, scope, made, None)

    def _method(self, node: Node, current: _Entry, owner: Class | None) -> JavaScriptFunction:
        key = node.child_by_field_name("name")
        name = key_name(key)
        kind: FunctionKind = "method"
        if has_token(node, "get"):
            kind = "getter"
        elif has_token(node, "set"):
            kind = "setter"
        title = f"{owner.name}.{name}" if owner is not None and owner.name and name else name or ""
        if owner is None or not owner.name:
            title = self._qualified(title, current.function)
        made = self._make(node, kind, title, current.function, owner)
        made.is_static = has_token(node, "static")
        made.is_private = (name or "").startswith(("#", "_")) or any(
            child.type == "accessibility_modifier" and word(child) != "public" for child in node.children
        )
        if owner is not None and name is not None:
            if kind == "getter":
                owner.getters[name] = made
            elif kind == "method":
                owner.methods.setdefault(name, made)
        return made

    def _plain(self, node: Node, current: _Entry, owner: Class | None) -> JavaScriptFunction:
        shape = node.type
        kind: FunctionKind = "function" if shape.endswith("_declaration") else "lambda"
        own = node.child_by_field_name("name")
        role, context = self.contexts.get(node.id, ("", node))
        name, name_node = (word(own), own) if own is not None else ("", None)
        parent = current.function
        holder: Class | None = None
        if role in ("declarator", "wrapper"):
            name_node = context.child_by_field_name("name")
            if name_node is not None and name_node.type == "identifier":
                name = word(name_node)
            else:
                role = ""
        elif role == "assigns":
            name_node = context.child_by_field_name("left")
            name = self._target_name(name_node) or name
        elif role in ("pair", "field"):
            name_node = context.child_by_field_name("key" if role == "pair" else "name") or (
                context.child_by_field_name("property")
            )
            name = key_name(name_node) or name
            if role == "field" and owner is not None:
                holder = owner
                kind = "method"
                grand = self._constructor_of(owner)
                if grand is parent and grand is not None and grand.parent is not None:
                    parent = grand.parent
            elif owner is not None and shape != "arrow_function":
                holder = owner
                kind = "method"
            elif owner is None:
                outer = self._pair_owner(context)
                name = f"{outer}.{name}" if outer else name
        prefix = owner.name if owner is not None and role in ("pair", "field") else ""
        title = f"{prefix}.{name}" if prefix and name else self._qualified(name, parent)
        made = self._make(node, kind, title, parent, holder, name_node)
        if owner is not None and role in ("pair", "field") and name:
            owner.methods.setdefault(name, made)
            made.is_static = role == "field" and has_token(context, "static")
        if role in ("iife", "executor", "each", "link", "final") and shape in CLOSURES:
            made.role = role
            made.runs_in_place = not (role == "executor" and made.is_async)
            if not made.runs_in_place:
                made.role = ""
        elif role == "declarator" and name_node is not None:
            made.named = (current.scope, word(name_node))
        elif role == "assigns" and name_node is not None:
            if name_node.type == "identifier":
                made.named = (current.scope, word(name_node))
            elif name_node.type == "member_expression":
                self.late.append((made, name_node))
        return made

    def _make(
        self,
        node: Node,
        kind: FunctionKind,
        name: str,
        parent: Function,
        owner: Class | None,
        name_node: Node | None = None,
    ) -> JavaScriptFunction:
        name_node = name_node or node.child_by_field_name("name")
        made = JavaScriptFunction(
            self.file,
            node,
            name,
            kind,
            extent_of(node),
            name_extent=extent_of(name_node) if name_node is not None else None,
            parent=parent,
            owner=owner,
            is_async=has_token(node, "async"),
            is_generator=node.type.startswith("generator") or (kind == "method" and has_token(node, "*")),
            lower=self.lower,
        )
        if node.type == "method_definition" and self.has_decorators:
            made.decorator_nodes = _decorators(node)
        if kind == "constructor" and owner is not None:
            owner.methods["constructor"] = made
        self.file.functions[node.id] = made
        self.module.functions.append(made)
        return made

    def _qualified(self, name: str, parent: Function) -> str:
        if not name:
            return ""
        outer: Function | None = parent
        while outer is not None and not outer.name:
            outer = outer.parent
        return f"{outer.name}.{name}" if outer is not None else name

    def _pair_owner(self, pair: Node) -> str:
        """The name of the object literal that a pair without a class is in."""
        parent = pair.parent
        return self._declared_name(parent) if parent is not None and parent.type == "object" else ""

    def _target_name(self, node: Node | None) -> str:
        """A name for what is assigned: `onmessage` of `this.onmessage`, `ws.onopen`, `Foo.bar` of a prototype."""
        if node is None:
            return ""
        if node.type == "identifier":
            return word(node)
        parts: list[str] = []
        inner: Node | None = node
        while inner is not None and inner.type == "member_expression" and len(parts) < 6:
            field = inner.child_by_field_name("property")
            if field is not None:
                parts.append(word(field))
            inner = inner.child_by_field_name("object")
        if inner is not None and inner.type == "identifier":
            parts.append(word(inner))
        elif inner is None or inner.type != "this":
            parts = parts[:1]
        skipped = {"prototype", "exports", "module"}
        return ".".join(part for part in reversed(parts) if part not in skipped)

    # -- what needs names --------------------------------------------------------------------------

    def _prototypes(self) -> None:
        """`Foo.prototype.bar = function () {}` and `Foo.prototype = {...}` make a class of the function Foo."""
        for made, target in self.late:
            inner = target.child_by_field_name("object")
            field = target.child_by_field_name("property")
            if inner is None or field is None:
                continue
            if inner.type == "this":
                owner = owner_around(made.parent)
                if owner is not None:
                    owner.methods.setdefault(word(field), made)
                    if owner.name:
                        made.name = f"{owner.name}.{word(field)}"
                continue
            owner = self._prototype_class(inner, target.start_byte)
            if owner is not None and not made.is_arrow:
                made.owner = owner
                made.kind = "method"
                made.name = f"{owner.name}.{word(field)}"
                owner.methods.setdefault(word(field), made)
        for node in self.replaced:
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is not None and right is not None:
                self._replaced_prototype(left, right)

    def _replaced_prototype(self, left: Node, right: Node) -> None:
        owner = self._prototype_class(left, left.start_byte)
        literal = self.file.classes.get(right.id)
        if owner is None or literal is None or literal is owner:
            return
        self.file.classes[right.id] = owner
        if literal in self.module.classes:
            self.module.classes.remove(literal)
        for function in self.module.functions:
            if function.owner is literal:
                function.owner = owner
        for name, method in literal.methods.items():
            owner.methods.setdefault(name, method)
        for name, getter in literal.getters.items():
            owner.getters.setdefault(name, getter)

    def _prototype_class(self, node: Node, offset: int) -> Class | None:
        """The class of Foo for `Foo.prototype`, where Foo is a function or class of this file."""
        if node.type != "member_expression":
            return None
        field, inner = node.child_by_field_name("property"), node.child_by_field_name("object")
        if field is None or inner is None or word(field) != "prototype" or inner.type != "identifier":
            return None
        variable = self.file.lookup(word(inner), offset)
        if variable is None:
            return None
        if variable.class_ is not None:
            return variable.class_
        function = variable.function
        if not isinstance(function, JavaScriptFunction) or function.is_arrow:
            return None
        owner = Class(variable.name, function.extent, Binding("this", "this"))
        function.owner = owner
        function.kind = "constructor"
        owner.methods["constructor"] = function
        variable.class_ = owner
        self.module.classes.append(owner)
        self.module.classes.sort(key=lambda c: c.extent[0])
        return owner

    def _imports(self) -> None:
        names = self.module.imports
        for node in self.found.get("declaration", []):
            if node.type != "import_statement":
                continue
            source = node.child_by_field_name("source")
            if source is None:
                clause = next((c for c in node.named_children if c.type == "import_require_clause"), None)
                source = clause.child_by_field_name("source") if clause is not None else None
            if source is not None:
                names.add(string_value(source))
        for needle in (b"require", b"import"):
            for callee in calls_of(self.file.root, self.file.text, needle):
                name = self.file.import_source(callee.parent) if callee.parent is not None else None
                if name is not None:
                    names.add(name)


_WRAPPED = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"}
)
_ELEMENTS = _WRAPPED | {"subscript_expression", "array_pattern", "object_pattern"}
_MADE_OF_OTHERS = _WRAPPED | {"binary_expression", "new_expression", "array", "type_assertion"}


def _additions(file: File, language: Language) -> tuple[list[int], list[int]]:
    """Where something may be added to what is there, and where a call's result is assigned; see `Module.additions`."""
    captured = QueryCursor(_additions_query(language)).captures(file.root)
    added, answered = [node.start_byte for node in captured.get("addition", [])], []
    for node in file.assigned:
        if node.type == "augmented_assignment_expression":
            added.append(node.start_byte)
            continue
        field = "argument" if node.type == "update_expression" else "left"
        left, right = node.child_by_field_name(field), node.child_by_field_name("right")
        kind = right.type if right is not None else ""
        if kind in _MADE_OF_OTHERS or (left is not None and left.type in _ELEMENTS):
            added.append(node.start_byte)
        elif kind in ("call_expression", "await_expression"):
            answered.append(node.start_byte)
    return added, answered


def _is_ordering(operator: Node) -> bool:
    """Whether `<` and its like put two values in order, and not only a field or an element and a number."""
    around = operator.parent
    if around is None or around.type != "binary_expression":
        # An angle bracket of a type or of an element.
        return False
    before, after = operator.prev_named_sibling, operator.next_named_sibling
    if before is None or after is None:
        return True
    shapes = (before.type, after.type)
    return "number" not in shapes or {"member_expression", "subscript_expression"}.isdisjoint(shapes)


def _is_of_names(operator: Node) -> bool:
    before, after = operator.prev_named_sibling, operator.next_named_sibling
    return before is not None and after is not None and before.type in _NAMES and after.type in _NAMES


def _first_argument(node: Node | None) -> Node | None:
    arguments = node.child_by_field_name("arguments") if node is not None else None
    first = first_named(arguments) if arguments is not None else None
    return first if first is not None and first.type in FUNCTIONS else None


def _decorators(node: Node) -> list[Node]:
    own = [child for child in node.named_children if child.type == "decorator"]
    before = node.prev_named_sibling if not own and node.type == "method_definition" else None
    while before is not None and before.type == "decorator":
        own.insert(0, before)
        before = before.prev_named_sibling
    return own
