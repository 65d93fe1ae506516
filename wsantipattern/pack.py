"""Packs: a folder of rule files becomes rules, the built-in one and a project's own by the same checks.

Guarantees for each loaded file: it defines exactly one rule, named as the file; its docstring has all sections; it
imports nothing but `wsantipattern` and the standard library; and no id occurs twice in a run. Loading runs the
files' code: a folder is loaded only when the configuration or the command line names it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from wsantipattern.rule import Rule, RuleError
from wsantipattern.source import reason

BUILTIN = "wsantipattern.rules"
"""The package that the built-in pack is installed as."""


@cache
def builtin_folder() -> Path:
    """The folder of the built-in rules; in a checkout that is not installed, `rules/` beside the package.

    Raises:
        RuleError: there is none.
    """
    found = importlib.util.find_spec(BUILTIN)
    for location in (found.submodule_search_locations if found else None) or ():
        if Path(location).is_dir():
            return Path(location)
    beside = Path(__file__).parent.parent / "rules"
    if beside.is_dir():
        return beside
    raise RuleError("the built-in rules are missing: wsantipattern is not installed as a whole")


def builtin() -> tuple[Rule, ...]:
    """The rules that ship with wsantipattern, by id.

    Raises:
        RuleError: one of them cannot be loaded.
    """
    return load(str(builtin_folder()))


def ids(packs: Sequence[str]) -> list[str]:
    """The ids of the rules of several packs, in order; the built-in one's by the names of its files.

    Raises:
        RuleError: a rule of another pack cannot be loaded, or two share an id.
    """
    if list(packs) == [str(builtin_folder())]:
        return sorted(_id(file) for file in _files(builtin_folder()))
    return list(joined(load(folder) for folder in packs))


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.py") if file.name != "__init__.py")


def _id(file: Path) -> str:
    return file.stem.replace("_", "-")


@cache
def load(path: str) -> tuple[Rule, ...]:
    """The rules of a folder (its own `.py` files, not those of its subfolders) or of one file, by id.

    Raises:
        RuleError: there is nothing at the path, no rule in it, or a rule that cannot be loaded.
    """
    place = Path(os.path.abspath(path))
    try:
        files = _files(place) if place.is_dir() else [place]
        if not place.is_dir() and not place.is_file():
            raise RuleError(f"{path}: no such rule folder or file")
    except OSError as error:
        raise RuleError(f"{path}: {reason(error)}") from None
    rules = [_load_file(file) for file in files]
    if not rules:
        raise RuleError(f"{path}: no rules in this folder")
    return tuple(sorted(rules, key=lambda rule: rule.id))


def joined(packs: Iterable[tuple[Rule, ...]]) -> dict[str, Rule]:
    """The rules of several packs by id, in order of the ids.

    Raises:
        RuleError: two of them share an id.
    """
    rules: dict[str, Rule] = {}
    for pack in packs:
        for rule in pack:
            other = rules.setdefault(rule.id, rule)
            if other.path != rule.path:
                raise RuleError(f"{rule.path}: the id {rule.id} is taken by {other.path}")
    return dict(sorted(rules.items()))


def _load_file(file: Path) -> Rule:
    try:
        text = file.read_bytes()
        tree = ast.parse(text)
    except OSError as error:
        raise RuleError(f"{file}: {reason(error)}") from None
    except (SyntaxError, ValueError) as error:
        at = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise RuleError(f"{file}{at}: not Python: {getattr(error, 'msg', error)}") from None
    for line, name in _imports(tree):
        if name != "wsantipattern" and name not in sys.stdlib_module_names:
            raise RuleError(
                f"{file}:{line}: imports {name}; a rule imports wsantipattern and the standard library only"
            )
    module = _execute(file, text)
    rules = [value for value in vars(module).values() if isinstance(value, Rule)]
    if len(rules) != 1:
        raise RuleError(f"{file}: defines {len(rules)} rules; one file, one rule")
    rule = rules[0]
    if rule.id != _id(file):
        raise RuleError(f"{file}: the rule's name {rule.id.replace('-', '_')} is not the file's")
    return rule


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every import; a relative import is named `.`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." if node.level else (node.module or "").partition(".")[0]


def _execute(file: Path, text: bytes) -> ModuleType:
    name = _module_name(file)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RuleError(f"{file}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    # `rule` reads the docstring of the module that a check stands in while the file is still being run.
    sys.modules[name] = module
    try:
        if file.parent == builtin_folder():
            spec.loader.exec_module(module)
        else:
            # Compiled code beside it would be taken for current after an edit of the same size in the same second.
            exec(compile(text, str(file), "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, RuleError):
            raise
        raise RuleError(f"{file}: cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _module_name(file: Path) -> str:
    if file.parent == builtin_folder():
        return f"{BUILTIN}.{file.stem}"
    digest = hashlib.sha256(str(file.parent).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"wsantipattern_pack_{digest}_{file.stem}"
