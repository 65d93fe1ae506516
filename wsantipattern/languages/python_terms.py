"""Python expressions to terms.

Guarantees that any tree, however deep or broken, becomes a term: what lies deeper than `DEPTH_LIMIT` becomes an
empty `Several`. Knows the language's builtins and the standard library's clocks and loggers, and no other library.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Literal

from tree_sitter import Node

from wsantipattern.languages.python_names import Names
from wsantipattern.languages.python_scope import Definition, Scope, Variable
from wsantipattern.languages.python_syntax import extent_of, first, leaves, name_of, parts, plain_string
from wsantipattern.model.place import Place
from wsantipattern.model.term import (
    Binary,
    Call,
    Choice,
    Closure,
    Constant,
    Element,
    Extent,
    Field,
    Logic,
    Not,
    Record,
    Ref,
    Result,
    Sequence,
    Several,
    Spread,
    Store,
    Suspend,
    Template,
    Term,
    Unary,
)

DEPTH_LIMIT = 90
"""Nested terms and statements; deeper ones are left out, so that no reader of the model runs out of stack."""

_LITERAL_LIMIT = 2_000
"""Elements of one literal that are lowered: a longer one is a table of data."""

_FLAT_LIMIT = 24
"""Operands of one chain of operators that nest to the left; a longer chain is made flat or balanced."""

_TOTAL_BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "bytearray",
        "callable",
        "dict",
        "enumerate",
        "filter",
        "format",
        "frozenset",
        "globals",
        "hasattr",
        "hash",
        "id",
        "isinstance",
        "issubclass",
        "len",
        "list",
        "locals",
        "map",
        "max",
        "min",
        "object",
        "print",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "vars",
        "zip",
    ]
)
_TOTAL_FUNCTIONS = frozenset(
    [
        "time.time",
        "time.monotonic",
        "time.perf_counter",
        "time.time_ns",
        "time.monotonic_ns",
        "time.perf_counter_ns",
        "time.process_time",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "logging.getLogger",
    ]
)
_LOG_METHODS = frozenset(
    ["debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"]
)
_LOGGERS = frozenset({"logging.getLogger", "logging.Logger", "logging.LoggerAdapter"})
_OPERATORS = {"//": "/", "@": "*", "<>": "!=", "is": "==", "is not": "!="}


def operator_name(text: str) -> str:
    """The neutral spelling of a binary operator."""
    return _OPERATORS.get(text, text)


class Terms:
    """Lowers the expressions of one text. `names` is set once, before the first use."""

    names: Names

    def __init__(self) -> None:
        self.depth = 0
        self._handlers: dict[str, Callable[[Node, Scope], Term]] = {
            "identifier": self._identifier,
            "attribute": self._access,
            "subscript": self._access,
            "call": self._call,
            "string": self._string,
            "concatenated_string": self._strings,
            "integer": self._number,
            "float": self._number,
            "true": self._word,
            "false": self._word,
            "none": self._word,
            "ellipsis": self._word,
            "await": self._await,
            "yield": self._yield,
            "parenthesized_expression": self._parenthesized,
            "comparison_operator": self._comparison,
            "boolean_operator": self._logic,
            "not_operator": self._not,
            "binary_operator": self._binary,
            "unary_operator": self._unary,
            "conditional_expression": self._choice,
            "named_expression": self._walrus,
            "lambda": self._lambda,
            "list": self._sequence,
            "tuple": self._sequence,
            "set": self._sequence,
            "expression_list": self._sequence,
            "pattern_list": self._sequence,
            "list_pattern": self._sequence,
            "tuple_pattern": self._sequence,
            "dictionary": self._record,
            "list_splat": self._spread,
            "dictionary_splat": self._spread,
            "list_splat_pattern": self._spread,
            "slice": self._slice,
            "list_comprehension": self._comprehension,
            "set_comprehension": self._comprehension,
            "dictionary_comprehension": self._comprehension,
            "generator_expression": self._comprehension,
        }

    def term(self, node: Node, scope: Scope) -> Term:
        """The value of an expression whose names are looked up in `scope`."""
        if self.depth >= DEPTH_LIMIT:
            return Several(extent_of(node))
        self.depth += 1
        try:
            handler = self._handlers.get(node.type)
            if handler is not None:
                return handler(node, scope)
            return Several(extent_of(node), [self.term(c, scope) for c in self._readable(node)])
        finally:
            self.depth -= 1

    def target(self, node: Node, scope: Scope) -> Term:
        """What an assignment writes: a name's own place, never what it is an alias of."""
        if node.type == "identifier":
            return Ref(extent_of(node), self.names.own(name_of(node), scope))
        return self.term(node, scope)

    def store(
        self,
        extent: Extent,
        node: Node,
        target: Term,
        value: Term,
        op: str | None = None,
        record: Term | None = None,
    ) -> Store:
        """An assignment to the target written at `node`; remembers the only value of a variable (`record`, or `value`)."""
        declares = False
        if (
            isinstance(target, Ref)
            and not target.place.path
            and isinstance(target.place.root, Variable)
            and op is None
        ):
            variable = target.place.root
            declares = variable.kind == "local" and variable.first == node.start_byte
            if variable.constant and variable.kind == "local":
                variable.initial = record or value
        return Store(extent, target, value, op, declares)

    def assign(self, extent: Extent, left: Node, right: Node, scope: Scope) -> list[Store]:
        """The stores of `left = right`, one for each name or field on the left."""
        if left.type == "identifier" or left.type in ("attribute", "subscript"):
            value = self.term(right, scope)
            return [self.store(extent, left, self.target(left, scope), value)]
        return self._destructure(extent, left, right, scope)

    def _destructure(self, extent: Extent, left: Node, right: Node, scope: Scope) -> list[Store]:
        targets = parts(left)
        values = parts(right) if right.type in ("tuple", "list", "expression_list") else []
        starred = any(n.type in ("list_splat", "list_splat_pattern") for n in (*targets, *values))
        if values and len(values) == len(targets) and not starred:
            return self._pairwise(extent, targets, [self.term(v, scope) for v in values], scope)
        value = self.term(right, scope)
        stores: list[Store] = []
        for index, target in enumerate(targets):
            part: Term
            if isinstance(value, Ref):
                key = Constant(value.extent, "number", index)
                part = Ref(value.extent, value.place.element, key)
            else:
                part = Result(value.extent, value, index)
            stores += self._give(extent, target, part, scope)
        return stores

    def _pairwise(self, extent: Extent, targets: list[Node], values: list[Term], scope: Scope) -> list[Store]:
        stores: list[Store] = []
        for target, value in zip(targets, values, strict=True):
            written = [s.target.place for s in stores if isinstance(s.target, Ref)]
            read = [t.place for t in value.walk() if isinstance(t, Ref)]
            if any(place.starts_with(w) for place in read for w in written):
                # `a, b = b, a`: the second value was read before the first store.
                value = Several(value.extent, [value])
            stores += self._give(extent, target, value, scope)
        return stores

    def _give(self, extent: Extent, target: Node, value: Term, scope: Scope) -> list[Store]:
        """Stores a value in one target of a destructuring, which may be a destructuring itself."""
        inner = list(leaves(target))
        if target.type in ("list_splat", "list_splat_pattern") or len(inner) == 1:
            return [self.store(extent, leaf, self.target(leaf, scope), value) for leaf in inner[:1]]
        stores: list[Store] = []
        for index, leaf in enumerate(inner):
            part: Term = Several(value.extent, [value] if index == 0 else [])
            stores.append(self.store(extent, leaf, self.target(leaf, scope), part))
        return stores

    # -- names, fields, elements -----------------------------------------------------------------

    def _identifier(self, node: Node, scope: Scope) -> Term:
        if node.is_missing:
            return Several(extent_of(node))
        return Ref(extent_of(node), self.names.place(name_of(node), scope))

    def _access(self, node: Node, scope: Scope) -> Term:
        """`a.b["c"][k].d`: without recursion, for as long as the chain is."""
        links: list[Node] = []
        current: Node | None = node
        while current is not None and current.type in ("attribute", "subscript"):
            links.append(current)
            current = current.child_by_field_name("object" if current.type == "attribute" else "value")
        value: Term = self.term(current, scope) if current is not None else Several(extent_of(node))
        for link in reversed(links[-400:]):
            value = (
                self._attribute(link, value)
                if link.type == "attribute"
                else self._subscript(link, value, scope)
            )
        return value

    def _attribute(self, node: Node, value: Term) -> Term:
        label = node.child_by_field_name("attribute")
        name = name_of(label) if label is not None else ""
        if isinstance(value, Ref):
            return Ref(extent_of(node), value.place.field(name), value.key)
        return Field(extent_of(node), value, name)

    def _subscript(self, node: Node, value: Term, scope: Scope) -> Term:
        keys = node.children_by_field_name("subscript")
        name = plain_string(keys[0]) if len(keys) == 1 else None
        if name is not None:
            if isinstance(value, Ref):
                return Ref(extent_of(node), value.place.field(name), value.key)
            return Field(extent_of(node), value, name)
        terms = [self.term(k, scope) for k in keys]
        key: Term | None = None
        if terms:
            key = terms[0] if len(terms) == 1 else Sequence((keys[0].start_byte, keys[-1].end_byte), terms)
        plain = isinstance(value, Ref) and (value.key is None or isinstance(value.key, (Ref, Constant)))
        if isinstance(value, Ref) and plain and all(k.type != "slice" for k in keys):
            return Ref(extent_of(node), value.place.element, key)
        return Element(extent_of(node), value, key)

    def _slice(self, node: Node, scope: Scope) -> Term:
        """The bounds: start, stop and, where written, step; null where a bound is not written."""
        bounds: list[Term | None] = [None]
        for child in node.children:
            if child.type == ":":
                bounds.append(None)
            elif child.is_named and not child.is_extra:
                bounds[-1] = self.term(child, scope)
        null = extent_of(node)
        return Several(null, [b if b is not None else Constant(null, "null", None) for b in bounds])

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, node: Node, scope: Scope) -> Term:
        function, listing = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        callee = self.term(function, scope) if function is not None else Several(extent_of(node))
        call = Call(extent_of(node), callee)
        if listing is not None and listing.type == "generator_expression":
            call.arguments.append(self.term(listing, scope))
        elif listing is not None:
            for argument in first(listing, _LITERAL_LIMIT):
                if argument.type in ("comment", "line_continuation"):
                    continue
                if argument.type == "keyword_argument":
                    name, value = argument.child_by_field_name("name"), argument.child_by_field_name("value")
                    if name is not None and value is not None:
                        call.keywords.append((name_of(name), self.term(value, scope)))
                else:
                    call.arguments.append(self.term(argument, scope))
        call.constructs = (
            isinstance(callee, Ref) and not callee.place.path and callee.place.root.class_ is not None
        )
        call.total = isinstance(callee, Ref) and self._is_total(callee.place, len(call.arguments))
        if isinstance(callee, Ref) and len(call.arguments) == 1 and self._canonical(callee.place) == "bool":
            # `bool(x)` is x in a condition.
            return Not(call.extent, Not(call.extent, call.arguments[0]))
        return self._named_field(call) or call

    def _named_field(self, call: Call) -> Term | None:
        """`getattr(ws, "closed", False)` is `ws.closed`, another way to write the read."""
        if not isinstance(call.callee, Ref) or self._canonical(call.callee.place) != "getattr":
            return None
        subject, name = call.argument(0), call.argument(1)
        if not isinstance(name, Constant) or not isinstance(name.value, str):
            return None
        if isinstance(subject, Ref) and subject.key is None:
            return Ref(call.extent, subject.place.field(name.value))
        return None

    def _is_total(self, place: Place, count: int) -> bool:
        """Whether calling a place is a call of a builtin or standard library function that never raises."""
        name = self._canonical(place)
        if name is not None:
            if place.root.kind == "global":
                return (
                    name in _TOTAL_BUILTINS
                    or (name == "getattr" and count == 3)
                    or (name == "next" and count == 2)
                )
            module, _, word = name.rpartition(".")
            return name in _TOTAL_FUNCTIONS or (module == "logging" and word in _LOG_METHODS)
        receiver = place.parent
        return receiver is not None and place.path[-1] in _LOG_METHODS and self._is_logger(receiver)

    def _canonical(self, place: Place) -> str | None:
        root = place.root
        return (
            ".".join((root.origin, *place.path))
            if root.kind in ("import", "global") and root.origin
            else None
        )

    def _is_logger(self, place: Place) -> bool:
        root = place.root
        if len(place.path) == 1 and root.kind == "this" and root.owner is not None:
            return root.owner.field_types.get(place.path[0]) in _LOGGERS
        if place.path or not isinstance(root, Variable):
            return False
        if root.declared_type in _LOGGERS:
            return True
        for site in root.sites:
            if not root.constant or site.value is None or site.value.type != "call":
                continue
            function = site.value.child_by_field_name("function")
            if function is not None and self.names.canonical(function, site.scope) in _LOGGERS:
                return True
        return False

    # -- literals --------------------------------------------------------------------------------

    def _string(self, node: Node, scope: Scope) -> Term:
        if any(c.type == "interpolation" for c in node.named_children):
            return Template(extent_of(node), self._template_parts(node, scope))
        return Constant(extent_of(node), "string", _text_of(node))

    def _template_parts(self, node: Node, scope: Scope) -> list[Term]:
        pieces: list[Term] = []
        for child in node.named_children:
            if child.type == "string_content":
                pieces.append(Constant(extent_of(child), "string", name_of(child)))
            elif child.type in ("interpolation", "format_expression"):
                expression = child.child_by_field_name("expression")
                if expression is not None:
                    pieces.append(self.term(expression, scope))
                specifier = child.child_by_field_name("format_specifier")
                if specifier is not None:
                    pieces += self._template_parts(specifier, scope)
        return pieces

    def _strings(self, node: Node, scope: Scope) -> Term:
        pieces = [self._string(c, scope) for c in first(node, _LITERAL_LIMIT) if c.type == "string"]
        if all(isinstance(p, Constant) for p in pieces):
            return Constant(
                extent_of(node), "string", "".join(str(p.value) for p in pieces if isinstance(p, Constant))
            )
        flat: list[Term] = []
        for piece in pieces:
            flat += piece.parts if isinstance(piece, Template) else [piece]
        return Template(extent_of(node), flat)

    def _number(self, node: Node, scope: Scope) -> Constant:
        text = name_of(node)
        try:
            value = int(text, 0) if node.type == "integer" else float(text)
        except ValueError:
            return Constant(extent_of(node), "other", text)
        return Constant(extent_of(node), "number", value)

    def _word(self, node: Node, scope: Scope) -> Term:
        match node.type:
            case "true" | "false":
                return Constant(extent_of(node), "bool", node.type == "true")
            case "none":
                return Constant(extent_of(node), "null", None)
            case _:
                return Constant(extent_of(node), "other", name_of(node))

    def _sequence(self, node: Node, scope: Scope) -> Term:
        return Sequence(extent_of(node), [self.term(c, scope) for c in self._readable(node)])

    def _record(self, node: Node, scope: Scope) -> Term:
        entries: list[tuple[str | None, Term]] = []
        for child in self._readable(node):
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if child.type != "pair" or key is None or value is None:
                entries.append((None, self.term(child, scope)))
                continue
            name = plain_string(key)
            if name is not None:
                entries.append((name, self.term(value, scope)))
            else:
                pair = [self.term(key, scope), self.term(value, scope)]
                entries.append((None, Several(extent_of(child), pair)))
        return Record(extent_of(node), entries)

    def _spread(self, node: Node, scope: Scope) -> Term:
        inner = parts(node)
        return Spread(extent_of(node), self.term(inner[0], scope) if inner else Several(extent_of(node)))

    # -- operators -------------------------------------------------------------------------------

    def _parenthesized(self, node: Node, scope: Scope) -> Term:
        inner = self._readable(node)
        if len(inner) == 1:
            return self.term(inner[0], scope)
        return Several(extent_of(node), [self.term(c, scope) for c in inner])

    def _await(self, node: Node, scope: Scope) -> Term:
        inner = parts(node)
        return Suspend(extent_of(node), "await", self.term(inner[0], scope) if inner else None)

    def _yield(self, node: Node, scope: Scope) -> Term:
        inner, function = parts(node), scope.function
        waits = isinstance(function, Definition) and function.is_coroutine
        value = self.term(inner[0], scope) if inner else None
        return Suspend(extent_of(node), "await" if waits else "yield", value)

    def _not(self, node: Node, scope: Scope) -> Term:
        argument = node.child_by_field_name("argument")
        return Not(
            extent_of(node), self.term(argument, scope) if argument is not None else Several(extent_of(node))
        )

    def _unary(self, node: Node, scope: Scope) -> Term:
        operator, argument = node.child_by_field_name("operator"), node.child_by_field_name("argument")
        if operator is None or argument is None:
            return Several(extent_of(node))
        operand = self.term(argument, scope)
        if operator.type == "-" and isinstance(operand, Constant) and isinstance(operand.value, (int, float)):
            return Constant(extent_of(node), "number", -operand.value)
        return Unary(extent_of(node), operator.type, operand)

    def _spine(self, node: Node, kind: str, same: str | None) -> tuple[Node, list[tuple[str, Node]]]:
        """The leftmost operand and the (operator, operand) pairs of operators that nest to the left."""
        rest: list[tuple[str, Node]] = []
        current = node
        while current.type == kind:
            operator = current.child_by_field_name("operator")
            left, right = current.child_by_field_name("left"), current.child_by_field_name("right")
            if (
                operator is None
                or left is None
                or right is None
                or (same is not None and operator.type != same)
            ):
                break
            rest.append((operator.type, right))
            current = left
        return current, rest[::-1]

    def _binary(self, node: Node, scope: Scope) -> Term:
        leftmost, rest = self._spine(node, "binary_operator", None)
        if leftmost is node:
            return Several(extent_of(node), [self.term(c, scope) for c in self._readable(node)])
        value = self.term(leftmost, scope)
        operands = [(op, self.term(right, scope)) for op, right in rest[:_LITERAL_LIMIT]]
        if len(operands) > _FLAT_LIMIT:
            return Several(extent_of(node), [value, *(right for _, right in operands)])
        for op, right in operands:
            value = Binary((leftmost.start_byte, right.extent[1]), operator_name(op), value, right)
        return value

    def _logic(self, node: Node, scope: Scope) -> Term:
        operator = node.child_by_field_name("operator")
        word = operator.type if operator is not None else ""
        leftmost, rest = self._spine(node, "boolean_operator", word)
        if leftmost is node or word not in ("and", "or"):
            return Several(extent_of(node), [self.term(c, scope) for c in self._readable(node)])
        operands = [self.term(leftmost, scope), *(self.term(n, scope) for _, n in rest[:_LITERAL_LIMIT])]
        return _joined("and" if word == "and" else "or", operands)

    def _comparison(self, node: Node, scope: Scope) -> Term:
        operands: list[Node] = []
        operators: list[str] = []
        for child in node.children[: 2 * _LITERAL_LIMIT]:
            if child.is_named and not child.is_extra:
                operands.append(child)
            elif not child.is_named:
                operators.append(child.type)
        if not operands or len(operators) != len(operands) - 1:
            return Several(extent_of(node), [self.term(n, scope) for n in operands])
        links: list[Term] = []
        left = self.term(operands[0], scope)
        for operator, operand in zip(operators, operands[1:], strict=True):
            right = self.term(operand, scope)
            links.append(_compared((left.extent[0], right.extent[1]), operator, left, right))
            left = _again(right)
        return links[0] if len(links) == 1 else _joined("and", links)

    def _choice(self, node: Node, scope: Scope) -> Term:
        inner = parts(node)
        if len(inner) != 3:
            return Several(extent_of(node), [self.term(c, scope) for c in inner])
        then, test, otherwise = inner
        return Choice(
            extent_of(node), self.term(test, scope), self.term(then, scope), self.term(otherwise, scope)
        )

    def _walrus(self, node: Node, scope: Scope) -> Term:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None:
            return Several(extent_of(node), [self.term(c, scope) for c in parts(node)])
        return self.store(extent_of(node), name, self.target(name, scope), self.term(value, scope))

    def _lambda(self, node: Node, scope: Scope) -> Term:
        function = self.names.definitions.get(node.id)
        return Closure(extent_of(node), function) if function is not None else Several(extent_of(node))

    def _comprehension(self, node: Node, scope: Scope) -> Term:
        """The targets, given elements of the iterables, the conditions and the element, in the order they run."""
        inner = self.names.comprehension(node) or scope
        operands: list[Term] = []
        around = scope
        for child in parts(node)[1:]:
            if child.type == "for_in_clause":
                right = child.child_by_field_name("right")
                if right is not None:
                    iterable = self.term(right, around)
                    if any(c.type == "async" for c in child.children):
                        iterable = Suspend(iterable.extent, "await", iterable)
                    left = child.child_by_field_name("left")
                    names = [n for n in leaves(left) if n.type == "identifier"] if left is not None else []
                    element = Element(iterable.extent, iterable)
                    for index, name in enumerate(names):
                        part = element if len(names) == 1 else Result(extent_of(name), element, index)
                        operands.append(Store(extent_of(name), self.target(name, inner), part, declares=True))
                    if not names:
                        operands.append(iterable)
                around = inner
            elif child.type == "if_clause":
                operands += [self.term(c, inner) for c in parts(child)]
        body = node.child_by_field_name("body")
        if body is not None:
            operands += [self.term(c, inner) for c in (parts(body) if body.type == "pair" else [body])]
        return Several(extent_of(node), operands)

    def _readable(self, node: Node) -> list[Node]:
        """The operands of a literal or of a node of no known kind. In broken text, stray words are left out."""
        children = [c for c in first(node, _LITERAL_LIMIT) if c.type not in ("comment", "line_continuation")]
        if node.type == "ERROR":
            children = [c for c in children if c.type != "identifier"]
        return children


def _text_of(node: Node) -> str:
    """The value of a string literal; the written text where it has an escape that Python does not know."""
    raw = "".join(name_of(c) for c in node.named_children if c.type == "string_content")
    start = name_of(node.named_children[0]).lower() if node.named_children else ""
    if "\\" not in raw or "r" in start:
        return raw
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(name_of(node))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return raw
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _joined(op: Literal["and", "or"], operands: list[Term]) -> Term:
    """`a and b and c`: nested to the left as written where it is short, balanced where it is long."""
    if len(operands) == 1:
        return operands[0]
    middle = len(operands) - 1 if len(operands) <= _FLAT_LIMIT else len(operands) // 2
    extent = (operands[0].extent[0], operands[-1].extent[1])
    left, right = _joined(op, operands[:middle]), _joined(op, operands[middle:])
    return Logic(extent, op, left, right)


def _compared(extent: Extent, operator: str, left: Term, right: Term) -> Term:
    if operator == "not in":
        return Not(extent, Binary(extent, "in", left, right))
    return Binary(extent, operator_name(operator), left, right)


def _again(term: Term) -> Term:
    """The middle of `a < b < c` as the left side of the second comparison: its value, not its effects once more."""
    match term:
        case Store(target=Ref() as target):
            return Ref(target.extent, target.place)
        case Ref(key=None | Ref() | Constant()):
            return Ref(term.extent, term.place, term.key)
        case Constant():
            return Constant(term.extent, term.kind, term.value)
        case _:
            return Several(term.extent)
