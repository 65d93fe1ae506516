"""The JavaScript and TypeScript front end: text to model.

`parse` accepts any bytes and never raises. Parsing finds functions, classes and scopes; bodies and names are lowered
when they are asked for. A fragment may return or await at its top, and may be the arms of a switch without the
switch. Knows the language and its builtins, and no library.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING

from tree_sitter import Language, Parser

from wsantipattern.languages.javascript_collect import collect
from wsantipattern.languages.javascript_file import File, JavaScriptFunction
from wsantipattern.languages.javascript_scope import Scope
from wsantipattern.languages.javascript_statements import Statements, lower_function, lower_site
from wsantipattern.languages.javascript_syntax import calls_of
from wsantipattern.model.module import Function, Module

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

    from wsantipattern.model.term import Store, Term

_CASE_PREFIX = b"switch(_){"
_CASE_SUFFIX = b"\n}"


@cache
def _language(name: str) -> Language:
    if name == "javascript":
        import tree_sitter_javascript

        return Language(tree_sitter_javascript.language())
    import tree_sitter_typescript

    if name == "tsx":
        return Language(tree_sitter_typescript.language_tsx())
    return Language(tree_sitter_typescript.language_typescript())


class JavaScriptModule(Module):
    """A module that knows which constructor runs a class's field initialisers."""

    def __init__(self, path: str, text: bytes, language: str) -> None:
        super().__init__(path, text, language)
        self._fields: tuple[list[int], list[tuple[int, Function]]] = ([], [])

    def set_fields(self, fields: list[tuple[int, int, Function]]) -> None:
        """Takes (start, end, constructor) of every field initialiser, in order."""
        fields.sort(key=lambda field: field[0])
        self._fields = ([field[0] for field in fields], [(field[1], field[2]) for field in fields])

    def function_at(self, offset: int) -> Function:
        found = super().function_at(offset)
        starts, fields = self._fields
        index = bisect_right(starts, offset) - 1
        if index < 0 or offset >= fields[index][0]:
            return found
        inside = found.kind != "top" and found.extent[0] >= starts[index]
        return found if inside else fields[index][1]


def parse(text: bytes, path: str, language: str) -> Module:
    """The model of JavaScript (with JSX), TypeScript or TSX text; `language` is one of those three, in lower case."""
    grammar = _language(language)
    tree = Parser(grammar).parse(text)
    wrapped = False
    if tree.root_node.has_error and _starts_with_case(tree):
        inside = _CASE_PREFIX + text + _CASE_SUFFIX
        tree = Parser(grammar).parse(inside)
        wrapped = True
        text, size = inside, len(text)
    if language == "javascript" and _misreads_await(tree.root_node, text):
        other = Parser(_language("tsx")).parse(text)
        if tree.root_node.has_error or not other.root_node.has_error:
            tree, grammar = other, _language("tsx")
    module = JavaScriptModule(path, text, language)
    file = File(module, tree.root_node)
    file.is_case_fragment = wrapped
    extent = (0, len(text))
    if wrapped:
        start = len(_CASE_PREFIX)
        module.offset_map = [(0, 0), (start, 0)]
        extent = (start, start + size)
    top = JavaScriptFunction(file, None, "", "top", extent, lower=lower_function)
    module.top = top
    module.has_errors = tree.root_node.has_error
    file.lower_site = lambda node, scope: _site(file, node, scope)
    file.lower_expression = lambda node, scope: _expression(file, node, scope)
    collect(file, grammar, lower_function, is_javascript=grammar is _language("javascript"))
    top.inner = file.top_scope
    module.set_fields(
        [
            (field.start_byte, field.end_byte, owner.methods["constructor"])
            for owner, fields in file.fields.items()
            for field in fields
        ]
    )
    return module


def _site(file: File, node: Node, scope: Scope) -> list[Store]:
    return lower_site(file, node, scope)


def _expression(file: File, node: Node, scope: Scope) -> Term:
    return Statements(file, scope.function, scope).lower(node)


def _misreads_await(root: Node, text: bytes) -> bool:
    """Whether `await (x)` was taken for a call: the JavaScript grammar does so, the TSX grammar does not."""
    return any(node.type == "identifier" for node in calls_of(root, text, b"await"))


def _starts_with_case(tree: Tree) -> bool:
    """Whether the first word of the text is `case` or `default`."""
    cursor = tree.walk()
    if not cursor.goto_first_child():
        return False
    while cursor.node is not None and cursor.node.type == "comment":
        if not cursor.goto_next_sibling():
            return False
    while cursor.goto_first_child():
        while cursor.node is not None and cursor.node.type == "comment":
            if not cursor.goto_next_sibling():
                return False
    return cursor.node is not None and cursor.node.text in (b"case", b"default")
