"""What each library's names mean, as data: the TOML files beside this one, and what a project adds.

Every file is a table of tables of lists: `[timer] arms = [...]`. Entries of one key are joined over all files, so
that a library is one file and no line of Python. Strings are canonical names (see `Module.canonical`) or method
names, as each key's comment in the files says; entries may also be tables. The shape of a key is known to the role
that reads it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any


class Knowledge:
    """The joined tables; immutable, so that one can serve a whole run."""

    def __init__(self, tables: Mapping[str, Mapping[str, list[Any]]]) -> None:
        self._tables = tables

    @classmethod
    def builtin(cls) -> Knowledge:
        """What ships with the package."""
        return _builtin()

    def extended(self, tables: Mapping[str, Mapping[str, list[Any]]]) -> Knowledge:
        """This knowledge and a project's own."""
        return Knowledge(_join([self._tables, tables])) if tables else self

    def names(self, table: str, key: str) -> frozenset[str]:
        """The strings of `[table] key`; empty where nothing is known."""
        cached = self._names.get((table, key))
        if cached is None:
            cached = frozenset(e for e in self._tables.get(table, {}).get(key, []) if isinstance(e, str))
            self._names[(table, key)] = cached
        return cached

    def entries(self, table: str, key: str) -> list[dict[str, Any]]:
        """The tables of `[[table.key]]`; empty where nothing is known."""
        cached = self._entries.get((table, key))
        if cached is None:
            cached = [e for e in self._tables.get(table, {}).get(key, []) if isinstance(e, dict)]
            self._entries[(table, key)] = cached
        return cached

    @property
    def tables(self) -> Mapping[str, Mapping[str, list[Any]]]:
        """Everything, for `explain` and for validation."""
        return self._tables

    @cached_property
    def _entries(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        return {}

    @cached_property
    def _names(self) -> dict[tuple[str, str], frozenset[str]]:
        return {}


@cache
def _builtin() -> Knowledge:
    folder = os.path.dirname(os.path.abspath(__file__))
    with os.scandir(folder) as listing:
        files = sorted((entry for entry in listing if entry.name.endswith(".toml")), key=lambda e: e.name)
    stamp = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files]
    kept = os.path.join(folder, "__pycache__", "tables.json")
    tables = _read(kept, stamp)
    if tables is None:
        import tomllib

        parts = []
        for file in files:
            with open(file.path, "rb") as stream:
                parts.append(tomllib.load(stream))
        tables = _join(parts)
        _keep(kept, stamp, tables)
    return Knowledge(tables)


def _read(file: str, stamp: list[list[Any]]) -> dict[str, dict[str, list[Any]]] | None:
    """The joined tables of an earlier run, from beside the compiled code, where the files are those of then."""
    try:
        with open(file, "rb") as stream:
            known = json.load(stream)
    except (OSError, ValueError):
        return None
    if (
        not isinstance(known, dict)
        or known.get("files") != stamp
        or not isinstance(known.get("tables"), dict)
    ):
        return None
    tables: dict[str, dict[str, list[Any]]] = known["tables"]
    return tables


def _keep(file: str, stamp: list[list[Any]], tables: dict[str, dict[str, list[Any]]]) -> None:
    """Keeps the joined tables as Python keeps compiled code: only where it may, and not at all where it cannot."""
    if sys.dont_write_bytecode:
        return
    own = f"{file}.{os.getpid()}"
    try:
        with open(own, "w", encoding="utf-8") as stream:
            json.dump({"files": stamp, "tables": tables}, stream)
        os.replace(own, file)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(own)


def _join(parts: list[Any]) -> dict[str, dict[str, list[Any]]]:
    joined: dict[str, dict[str, list[Any]]] = {}
    for part in parts:
        for table, keys in part.items():
            for key, entries in keys.items():
                if isinstance(entries, list):
                    joined.setdefault(table, {}).setdefault(key, []).extend(entries)
    return joined
