"""What a project says about its checks: `[tool.wsantipattern]` in pyproject.toml, or wsantipattern.toml.

The configuration nearest to a file, upwards, is its configuration; settings of outer ones do not reach it. Guarantees
that a loaded `Config` has known keys with values of the right type; names of rules and roles are judged where those
are known (`runner`). The keys are those of `config.schema.json`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from wsantipattern.files import Filter, is_pattern
from wsantipattern.finding import Confidence, Severity
from wsantipattern.record import record
from wsantipattern.similar import closest
from wsantipattern.source import reason

FILE_NAME = "wsantipattern.toml"
"""A configuration file of its own; it wins over a pyproject.toml in the same folder."""

TABLE = "tool.wsantipattern"
"""The table of a pyproject.toml."""


class ConfigError(Exception):
    """A configuration that cannot be used; the message is one line that names the file."""


@record(frozen=True, slots=True)
class Config:
    """One configuration; the defaults are what holds without any.

    Attributes:
        root: absolute folder that patterns and paths are relative to.
        file: the file it was read from, or None.
        select: ids of the rules that run; None for all.
        ignore: ids of rules that do not.
        min_confidence: findings below it are not shown.
        fail_on: the lowest severity that makes the exit code 1.
        include, exclude, extend_exclude: patterns as in .gitignore; see `files.Filter`.
        per_path_ignores: pairs of a pattern and the ids ignored where it matches.
        severity: severities by rule id, instead of the rule's own.
        rule_paths: absolute folders with rules of the project's own.
        knowledge: tables to join with the built-in ones, words for roles included (table `words`).
        report_unused_suppressions: whether a suppression that hides nothing is reported.
    """

    root: str
    file: str | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence = Confidence.MEDIUM
    fail_on: Severity = Severity.WARNING
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    per_path_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    rule_paths: tuple[str, ...] = ()
    knowledge: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict)
    report_unused_suppressions: bool = True

    @property
    def filter(self) -> Filter:
        """What it says about files."""
        return Filter(self.root, self.include, self.exclude, self.extend_exclude)


def default(folder: str) -> Config:
    """What holds in a folder without a configuration."""
    return Config(root=os.path.abspath(folder).replace(os.sep, "/"))


class Nearest:
    """Finds the configuration nearest to a folder; reads each file once."""

    def __init__(self) -> None:
        self._found: dict[str, Config | None] = {}

    def of(self, folder: str) -> Config | None:
        """The configuration of an absolute folder: its own, else that of its parent, else None.

        Raises:
            ConfigError: the nearest one cannot be used.
        """
        if folder not in self._found:
            parent = os.path.dirname(folder)
            config = _in_folder(folder)
            self._found[folder] = config if config or parent == folder else self.of(parent)
        return self._found[folder]


def _in_folder(folder: str) -> Config | None:
    own = Path(folder, FILE_NAME)
    if own.is_file():
        return load(own)
    project = Path(folder, "pyproject.toml")
    return _load_pyproject(project) if project.is_file() else None


def load(file: Path) -> Config:
    """The configuration in a file; a pyproject.toml holds it in a table, any other file as a whole.

    Raises:
        ConfigError: it cannot be read, is no TOML, or has an unknown key or a value of the wrong type.
    """
    if file.name == "pyproject.toml":
        return _load_pyproject(file) or default(str(file.parent))
    return _from_table(_read(file), file, "")


def of_table(table: Mapping[str, Any]) -> Config:
    """The configuration that a table says, with the keys of a file; its folders are relative to the working one.

    Raises:
        ConfigError: it has an unknown key or a value of the wrong type.
    """
    return replace(_from_table(dict(table), Path("configuration"), ""), root="", file=None)


def _load_pyproject(file: Path) -> Config | None:
    tool = _read(file).get("tool")
    if not isinstance(tool, dict) or "wsantipattern" not in tool:
        return None
    table = tool["wsantipattern"]
    if not isinstance(table, dict):
        raise ConfigError(f"{_shown(file)}: [{TABLE}] must be a table")
    return _from_table(table, file, f"[{TABLE}] ")


def _read(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{_shown(file)}: {reason(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{_shown(file)}: {' '.join(str(error).split())}") from None


def _from_table(table: dict[str, Any], file: Path, where: str) -> Config:
    root = file.absolute().parent.as_posix()
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigError(f"{_shown(file)}: {where}unknown key {key}{closest(key, _KEYS)}")
        try:
            values[key] = _KEYS[key](value)
        except _WrongError as error:
            raise ConfigError(f"{_shown(file)}: {where}{key}{error}") from None
    words = values.pop("words", {})
    knowledge = values.pop("knowledge", {})
    if words:
        knowledge = {**knowledge, "words": {**knowledge.get("words", {}), **words}}
    folders = values.pop("rule-paths", ())
    return Config(
        root=root,
        file=_shown(file),
        rule_paths=tuple(os.path.normpath(os.path.join(root, folder)) for folder in folders),
        knowledge=knowledge,
        **{key.replace("-", "_"): value for key, value in values.items()},
    )


def _shown(file: Path) -> str:
    relative = os.path.relpath(file)
    return str(file) if relative.startswith("..") else relative


class _WrongError(Exception):
    """A value of the wrong type; the message goes on after the key's name."""


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise _WrongError(" must be a list of strings")
    return tuple(value)


def _patterns(value: Any) -> tuple[str, ...]:
    for pattern in (patterns := _strings(value)):
        if not is_pattern(pattern):
            raise _WrongError(f" has a pattern that .gitignore could not have: {pattern}")
    return patterns


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongError(" must be true or false")
    return value


def _level(levels: type[Severity] | type[Confidence]) -> Callable[[Any], Any]:
    names = [level.label for level in levels]

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise _WrongError(f" must be one of {', '.join(names)}")
        if value not in names:
            raise _WrongError(f" must be one of {', '.join(names)}, not {value}{closest(value, names)}")
        return levels[value.upper()]

    return read


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError(" must be a table")
    return value


def _each(read: Callable[[Any], Any], value: Any) -> dict[str, Any]:
    result = {}
    for key, entry in _table(value).items():
        try:
            result[key] = read(entry)
        except _WrongError as error:
            raise _WrongError(f".{key}{error}") from None
    return result


def _path_ignores(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    table = _each(_strings, value)
    _patterns(list(table))
    return tuple(table.items())


def _severities(value: Any) -> dict[str, Severity]:
    return _each(_level(Severity), value)


def _knowledge(value: Any) -> dict[str, dict[str, list[Any]]]:
    return _each(lambda table: _each(_entries, table), value)


def _entries(value: Any) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(entry, (str, dict)) for entry in value):
        raise _WrongError(" must be a list of strings or tables")
    return value


def _words(value: Any) -> dict[str, list[str]]:
    from wsantipattern.knowledge import Knowledge

    known = Knowledge.builtin().tables["words"]
    for role in _table(value):
        if role not in known:
            raise _WrongError(f" has an unknown role {role}{closest(role, known)}")
    return {role: list(words) for role, words in _each(_strings, value).items()}


_KEYS: dict[str, Callable[[Any], Any]] = {
    "select": _strings,
    "ignore": _strings,
    "min-confidence": _level(Confidence),
    "fail-on": _level(Severity),
    "include": _patterns,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "per-path-ignores": _path_ignores,
    "severity": _severities,
    "rule-paths": _strings,
    "knowledge": _knowledge,
    "words": _words,
    "report-unused-suppressions": _boolean,
}

KEYS = tuple(_KEYS)
"""The keys of a configuration."""
