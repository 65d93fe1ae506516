"""Candidates: which functions could add to a container, told before anything is lowered.

A superset: the names of methods that add, the places that the front end gives, and everything that could run a
function with one of them. Functions outside it are never read by a rule that needs such a step. Decides nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model.module import Function, Module, is_word
from wsantipattern.roles.container import DEPTH


def adding(module: Module, knowledge: Knowledge) -> set[Function]:
    """The functions that could add to a container, themselves or through functions of the file that they run."""
    names = knowledge.names
    added, answering = module.additions
    own = {module.function_at(offset).host for offset in added}
    for word in names("dedup", "adds") | names("dedup", "adds_all"):
        own.update(module.functions_mentioning(word))
    if answering:
        joins = {entry.name for entry in module.classes if entry.name} | names("dedup", "joins")
        for name in names("dedup", "copies"):
            first, _, last = name.rpartition(".")
            if first.encode() in module.text:
                joins.add(last)
        answered = {module.function_at(offset).host for offset in answering}
        for word in joins:
            own.update(answered.intersection(module.functions_mentioning(word)))
    for word in names("words", "marking"):
        own.update(module.function_at(offset).host for offset in _called(module, word))
    return _running(module, own)


def _called(module: Module, word: str) -> Iterator[int]:
    """Where a word stands in an identifier, in any case, that is called or handed over."""
    text = module.text
    for at in module.words_of_names(word):
        end = at + len(word)
        while end < len(text) and is_word(text, end):
            end += 1
        if _is_used(text, end):
            yield at


_USED = frozenset(b"(),<[?!`")


def _is_used(text: bytes, end: int) -> bool:
    """Whether what follows an identifier lets it be called or handed over."""
    while end < len(text) and text[end] in b" \t\r\n":
        end += 1
    return end < len(text) and text[end] in _USED


def _running(module: Module, functions: Iterable[Function]) -> set[Function]:
    """These functions, and those from which a few calls lead to one of them."""
    chosen: set[Function] = set()
    level = set(functions)
    for _ in range(DEPTH + 1):
        chosen |= level
        level = {runner.host for function in level for runner in _runners(module, function)} - chosen
    return chosen


def _runners(module: Module, function: Function) -> Iterator[Function]:
    """The functions that could run a function: around it, or by a name."""
    for inner in (function, *_inlined(function)):
        if inner.parent is not None:
            yield inner.parent
        name = inner.name.rpartition(".")[2]
        if not name and module.wrapped is not None:
            name = module.wrapped.get(inner.extent[0], "")
        if name:
            yield from _users(module, name)
        elif module.wrapped is None and inner.parent is not None:
            # A variable may hold what a call makes of it, for all functions that see the variable.
            yield from inner.parent.descendants


def _users(module: Module, name: str) -> list[Function]:
    """The functions that could call a function of a name, or hand it over."""
    marker = ("users", name)
    found: list[Function] | None = module.memo.get(marker)
    if found is None:
        needle = name.encode()
        chosen: dict[Function, None] = {}
        for at in module.mentions_of(name):
            if _is_used(module.text, at + len(needle)):
                chosen[module.function_at(at).host] = None
        found = module.memo[marker] = list(chosen)
    return found


def _inlined(function: Function) -> Iterator[Function]:
    for closure in function.closures:
        if closure.is_inlined:
            yield closure
            yield from _inlined(closure)
