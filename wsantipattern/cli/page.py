"""The page of one rule, as `explain` prints it: its documentation, its examples, and what it knows.

The documentation is the rule file's docstring and the examples are files beside it, so neither can go stale. Which
roles and which knowledge a rule uses is read from its code and from that of the roles.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from wsantipattern.analysis import Settings
from wsantipattern.rule import Rule

EXAMPLES = "examples"
"""The folder beside a rule with its examples: `<rule-id>.bad.<ending>` and `<rule-id>.good.<ending>`."""

SHOWN_NAMES = 12
"""How many names of one key of the knowledge are printed."""


def page(rule: Rule, settings: Settings) -> str:
    """The page of a rule under the settings of a project."""
    parts = [f"{rule.id} ({settings.severity.get(rule.id, rule.severity).label})\n\n{rule.summary}"]
    for title, text in (("Why", rule.why), ("Instead", rule.instead), ("Limits", rule.limits)):
        parts.append(_section(title, text))
    for kind in ("bad", "good"):
        parts += [
            _section(f"{kind.capitalize()} ({file.suffix[1:]})", code) for file, code in examples(rule, kind)
        ]
    roles = roles_used(rule)
    if roles:
        parts.append(_section("Roles", "\n".join(f"{name}: {summary}" for name, summary in roles.items())))
    names = [line for table, key in knowledge_used(rule) if (line := _names(settings, table, key))]
    if names:
        parts.append(_section("Knowledge", "\n".join(names)))
    parts.append(_section("Why here, or why not", f"wsantipattern explain {rule.id} --at FILE:LINE"))
    parts.append(_section("Suppress", f"wsantipattern: ignore[{rule.id}] -- reason"))
    return "\n\n".join(parts) + "\n"


def examples(rule: Rule, kind: str) -> list[tuple[Path, str]]:
    """The `bad` or `good` examples of a rule: file and text, by name; empty where the pack has none."""
    files = sorted((Path(rule.path).parent / EXAMPLES).glob(f"{rule.id}.{kind}.*"))
    return [(file, file.read_text("utf-8").rstrip()) for file in files]


def roles_used(rule: Rule) -> dict[str, str]:
    """The roles that a rule's code asks for, by name, each with the first line of its documentation."""
    return {name: _first_line(home.__doc__) for name, home in _homes(rule)}


def knowledge_used(rule: Rule) -> list[tuple[str, str]]:
    """The (table, key) pairs that the rule and its roles look up, in order."""
    trees = [_tree(Path(rule.path))]
    for _, home in _homes(rule):
        file = inspect.getsourcefile(home)
        if file is not None:
            trees.append(_tree(Path(file)))
    return sorted({pair for tree in trees for pair in _lookups(tree)})


def _section(title: str, text: str) -> str:
    return f"{title}\n{textwrap.indent(text, '    ')}"


def _names(settings: Settings, table: str, key: str) -> str:
    knowledge = settings.joined_knowledge
    named = [_name_of(entry) for entry in knowledge.entries(table, key)]
    names = sorted({*knowledge.names(table, key), *(name for name in named if name)})
    if not names:
        return ""
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"[{table}] {key}: {', '.join(names[:SHOWN_NAMES])}{more}"


def _name_of(entry: dict[str, Any]) -> str:
    """What an entry of the knowledge is about: the first of its values that is a name."""
    return next((value for value in entry.values() if isinstance(value, str)), "")


def _homes(rule: Rule) -> Iterator[tuple[str, type]]:
    """Name and class of each role that the rule's code reads from its `roles`, and of those that these ask in turn."""
    from wsantipattern.roles import Roles

    asked = _read_from("roles", _tree(Path(rule.path)))
    bodies = {
        node.name: node
        for node in ast.walk(_tree(Path(inspect.getfile(Roles))))
        if isinstance(node, ast.FunctionDef)
    }
    todo = list(asked)
    while todo:
        more = _read_from("self", bodies[name]) - asked if (name := todo.pop()) in bodies else set()
        asked |= more
        todo += more
    for name in sorted(asked):
        getter = inspect.getattr_static(Roles, name, None)
        function = getter.func if isinstance(getter, cached_property) else getattr(getter, "fget", None)
        home = _returned(function)
        if home is not None:
            yield name, home


def _read_from(variable: str, tree: ast.AST) -> set[str]:
    """The attributes of a variable that a piece of code reads."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == variable
    }


def _returned(function: object) -> type | None:
    """The class of the package that a property's annotation names, where it is imported inside or only for typing."""
    annotation = getattr(function, "__annotations__", {}).get("return")
    if isinstance(annotation, type):
        return annotation
    module = inspect.getmodule(function)
    if not isinstance(annotation, str) or module is None:
        return None
    for node in ast.walk(_tree(Path(str(module.__file__)))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if annotation == (alias.asname or alias.name):
                    found = getattr(importlib.import_module(node.module), alias.name, None)
                    return found if isinstance(found, type) else None
    return None


def _lookups(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("names", "entries")
            and len(node.args) == 2
        ):
            table, key = node.args
            if (
                isinstance(table, ast.Constant)
                and isinstance(key, ast.Constant)
                and isinstance(table.value, str)
                and isinstance(key.value, str)
            ):
                yield table.value, key.value


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
