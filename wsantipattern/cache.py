"""Results of earlier runs, kept in a folder, so that a file which has not changed is not analyzed again.

An entry belongs to a path, to everything that decides its findings (settings, rules, the tool's own code, grammars) and
to the digest of the file's bytes. A file whose size, times and inode are those of its entry is not even read, unless
it had been written shortly before it was looked at. Guarantees that no fault of the cache reaches the findings: one
that cannot be read counts as empty, one that cannot be written is left alone, and both are said in `remarks`. Several
runs may share one. It is a database, never code: nothing in it is executed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsantipattern.finding import Confidence, Edit, Finding, Fix, Position, Severity, Span, TraceStep
from wsantipattern.record import record
from wsantipattern.source import reason

if TYPE_CHECKING:
    from wsantipattern.analysis import Settings

FOLDER = ".wsantipattern_cache"
"""The name of the folder, in the root of a project."""

SIZE_LIMIT = 100_000_000
"""Bytes of the database above which the entries that were unused for longest are dropped."""

UNUSED_DAYS = 30
"""Days after which an entry that no run has used is dropped."""

_VERSION = 1
_DATABASE = f"results-{_VERSION}.db"
_AT_REST = 2_000_000_000
"""Nanoseconds for which a file must have been left alone for its times to vouch for its content."""
_WAIT = 5.0
"""Seconds to wait for another run that writes."""
_FEW = 200
"""Files up to which entries are fetched one by one."""
_GRAMMARS = "tree_sitter"
"""How the names of tree-sitter and of all its grammars begin."""
_DAY = 86_400

Stat = tuple[int, int, int, int]
"""Size in bytes, times of the last change of the content and of the inode in nanoseconds, and the inode."""


@record(frozen=True, slots=True)
class Kept:
    """What an earlier run found in a file: its findings, or why it left the file out."""

    findings: tuple[Finding, ...] = ()
    skipped: str | None = None


@record(slots=True)
class Look:
    """A file about to be checked: what `Cache.store` needs when its result is there."""

    settings: bytes
    name: bytes
    stat: Stat
    digest: bytes = b""


class CacheError(Exception):
    """A cache folder that cannot be removed; the message is one line."""


class Cache:
    """The cache in a folder; `remarks` are lines for a person about what is wrong with it."""

    def __init__(self, folder: str, files: int) -> None:
        """Takes the folder, which need not exist, and how many files the run will ask about."""
        self.remarks: list[str] = []
        self._folder = folder
        self._file = os.path.join(folder, _DATABASE)
        self._few = files <= _FEW
        self._database: sqlite3.Connection | None = None
        self._rows: dict[bytes, dict[bytes, tuple[Any, ...]]] = {}
        self._keys: dict[int, tuple[Settings, bytes]] = {}
        self._new: list[tuple[Any, ...]] = []
        self._used: list[tuple[Any, ...]] = []
        self._started = time.time_ns()
        self._today = self._started // 1_000_000_000 // _DAY
        self._is_broken = False
        self._is_empty = False
        self._open()

    def _open(self) -> None:
        if not os.path.exists(self._file):
            return
        try:
            self._database = self._connect()
            table = "SELECT 1 FROM sqlite_master WHERE name = 'entry'"
            if self._database.execute(table).fetchone() is None:
                self._is_empty = True  # another run is about to fill it
        except sqlite3.Error as error:
            self._broken(error)

    def _connect(self) -> sqlite3.Connection:
        # Not `with`, which would end transactions but leave the connection open.
        return sqlite3.connect(self._file, timeout=_WAIT, isolation_level=None)

    def _broken(self, error: sqlite3.Error) -> None:
        """Goes on as if the cache were empty; one that is merely busy is not to be replaced."""
        self.close()
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            self.remarks.append("the cache is in use by another run; this one goes on without it")
        else:
            self._is_broken = True
            self.remarks.append(f"the cache in {self._folder} cannot be read ({error}); it counts as empty")

    # -- asking ----------------------------------------------------------------------------------

    def look(self, path: str, ending: str, settings: Settings) -> tuple[Look | None, Kept | None]:
        """What is known of a file before it is read; no look where it cannot be cached.

        Args:
            path: as reported.
            ending: by which it is taken.
            settings: those of the file.
        """
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None, None
        stat = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        name = f"{settings.identity(path)}\n{path}\n{ending}".encode("utf-8", "surrogateescape")
        look = Look(self._key(settings), name, stat)
        row = self._row(look)
        if row is None or row[0:4] != stat or row[5] < max(stat[1], stat[2]) + _AT_REST:
            return look, None
        return look, self._kept(look, row, path)

    def read(self, look: Look, data: bytes, path: str) -> Kept | None:
        """What is known of a file by its bytes."""
        look.digest = blake2b(data, digest_size=16).digest()
        row = self._row(look)
        if row is None or row[4] != look.digest:
            return None
        kept = self._kept(look, row, path)
        if kept is not None:
            self._new.append(
                (look.settings, look.name, *look.stat, look.digest, self._started, self._today, row[7])
            )
        return kept

    def store(self, look: Look, kept: Kept) -> None:
        """Keeps the result of a file whose bytes `read` was told."""
        text = None if kept == Kept() else json.dumps(_packed(kept), separators=(",", ":"))
        self._new.append(
            (look.settings, look.name, *look.stat, look.digest, self._started, self._today, text)
        )

    def _row(self, look: Look) -> tuple[Any, ...] | None:
        if self._database is None or self._is_empty:
            return None
        columns = "size, mtime, ctime, inode, digest, looked, used, result"
        try:
            if self._few:
                query = f"SELECT {columns} FROM entry WHERE settings = ? AND name = ?"
                row: tuple[Any, ...] | None = self._database.execute(
                    query, (look.settings, look.name)
                ).fetchone()
                return row
            rows = self._rows.get(look.settings)
            if rows is None:
                query = f"SELECT name, {columns} FROM entry WHERE settings = ?"
                rows = {row[0]: row[1:] for row in self._database.execute(query, (look.settings,))}
                self._rows[look.settings] = rows
            return rows.get(look.name)
        except sqlite3.Error as error:
            self._broken(error)
            return None

    def _kept(self, look: Look, row: tuple[Any, ...], path: str) -> Kept | None:
        try:
            kept = Kept() if row[7] is None else _unpacked(json.loads(row[7]), path)
        except (ValueError, TypeError, KeyError, IndexError):
            return None
        if row[6] != self._today:
            self._used.append((self._today, look.settings, look.name))
        return kept

    def _key(self, settings: Settings) -> bytes:
        known = self._keys.get(id(settings))
        if known is None:
            # The settings are kept too, so that no other object gets their id.
            known = self._keys[id(settings)] = (settings, self._digest(settings))
        return known[1]

    def _digest(self, settings: Settings) -> bytes:
        digest = blake2b(self._tool, digest_size=16)
        for folder in settings.packs:
            _add_files(digest.update, folder, (".py",))
        left_out = {"packs", "root"}
        said = {
            field.name: getattr(settings, field.name)
            for field in fields(settings)
            if field.name not in left_out
        }
        digest.update(json.dumps(said, sort_keys=True, default=repr).encode("utf-8", "surrogatepass"))
        return digest.digest()

    @cached_property
    def _tool(self) -> bytes:
        """A digest of the code that makes findings: this package, the grammars, and the interpreter."""
        digest = blake2b(repr(sys.version_info[:3]).encode())
        here = os.path.dirname(os.path.abspath(__file__))
        for folder in ("", "fix", "knowledge", "languages", "model", "roles"):
            _add_files(digest.update, os.path.join(here, folder), (".py", ".toml"))
        for name in _installed_grammars():
            digest.update(name.encode("utf-8", "surrogateescape") + b"\n")
        return digest.digest()

    # -- keeping ---------------------------------------------------------------------------------

    def write(self) -> None:
        """Keeps what this run has added; where that is impossible, it is said in `remarks` and nothing is changed."""
        if not self._new and not self._used:
            return
        try:
            self._prepare()
            database = self._database or self._connect()
            self._database = database
            database.execute("BEGIN IMMEDIATE")
            try:
                self._create(database)
                if self._new:
                    marks = ", ".join("?" * len(self._new[0]))
                    database.executemany(f"INSERT OR REPLACE INTO entry VALUES ({marks})", self._new)
                database.executemany("UPDATE entry SET used = ? WHERE settings = ? AND name = ?", self._used)
                if self._new:
                    database.execute("DELETE FROM entry WHERE used < ?", (self._today - UNUSED_DAYS,))
                database.execute("COMMIT")
            except sqlite3.Error:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            self._shrink(database)
        except (OSError, sqlite3.Error) as error:
            said = reason(error) if isinstance(error, OSError) else str(error)
            self.remarks.append(f"the cache in {self._folder} cannot be written ({said})")
        finally:
            self._new, self._used = [], []

    def close(self) -> None:
        """Lets go of the database."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._rows.clear()

    def _prepare(self) -> None:
        os.makedirs(self._folder, exist_ok=True)
        ignore = os.path.join(self._folder, ".gitignore")
        if not os.path.exists(ignore):
            Path(ignore).write_text("*\n", "utf-8")
        if self._is_broken:
            for ending in ("", "-journal"):
                Path(self._file + ending).unlink(missing_ok=True)
            self._is_broken = False

    def _create(self, database: sqlite3.Connection) -> None:
        database.execute(
            "CREATE TABLE IF NOT EXISTS entry (settings BLOB, name BLOB, size INTEGER, mtime INTEGER, ctime INTEGER,"
            " inode INTEGER, digest BLOB, looked INTEGER, used INTEGER, result TEXT, PRIMARY KEY (settings, name))"
            " WITHOUT ROWID"
        )

    def _shrink(self, database: sqlite3.Connection) -> None:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
        if pages * size <= SIZE_LIMIT:
            return
        (count,) = database.execute("SELECT count(*) FROM entry").fetchone()
        database.execute(
            "DELETE FROM entry WHERE (settings, name) IN"
            " (SELECT settings, name FROM entry ORDER BY used, looked LIMIT ?)",
            (count // 2 + 1,),
        )
        database.execute("VACUUM")


def clean(folder: str) -> bool:
    """Removes a cache; false where there is none.

    Raises:
        CacheError: it cannot be removed, or the folder holds something that is none of its own.
    """
    try:
        names = set(os.listdir(folder))
        own = {".gitignore", _DATABASE, f"{_DATABASE}-journal"}
        if names - own:
            raise CacheError(
                f"{folder} holds {min(names - own)}, which is not of the cache; nothing is removed"
            )
        for name in names:
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CacheError(f"cannot remove {folder}: {reason(error)}") from None
    return True


def _add_files(update: Callable[[bytes], None], place: str, endings: tuple[str, ...]) -> None:
    """Adds names and contents of the files of a folder (or of one file) to a digest, in a stable order."""
    files = (
        [os.path.join(place, name) for name in sorted(os.listdir(place))] if os.path.isdir(place) else [place]
    )
    for file in files:
        if file.endswith(endings):
            with open(file, "rb") as stream:
                data = stream.read()
            update(f"{os.path.basename(file)} {len(data)}\n".encode("utf-8", "surrogateescape"))
            update(data)


def _installed_grammars() -> list[str]:
    """The distributions of tree-sitter and its grammars, with versions, without importing them."""
    names: set[str] = set()
    for folder in sys.path:
        try:
            listed = os.listdir(folder or ".")
        except OSError:
            continue
        for name in listed:
            if name.startswith(_GRAMMARS):
                names.add(name)
                if not name.endswith(".dist-info"):
                    names.update(_libraries(os.path.join(folder, name)))
    return sorted(names)


def _libraries(folder: str) -> list[str]:
    """The compiled files of a package with their sizes."""
    try:
        with os.scandir(folder) as listing:
            return [
                f"{e.name} {e.stat().st_size}" for e in listing if e.name.endswith((".so", ".pyd", ".dylib"))
            ]
    except OSError:
        return []


def _packed(kept: Kept) -> list[Any]:
    return [kept.skipped, [_packed_finding(finding) for finding in kept.findings]]


def _packed_finding(finding: Finding) -> list[Any]:
    fix = finding.fix
    return [
        finding.rule,
        finding.message,
        int(finding.severity),
        int(finding.confidence),
        _packed_span(finding.span),
        [[step.path, _packed_span(step.span), step.message] for step in finding.trace],
        None if fix is None else [fix.title, fix.safe, [[_packed_span(e.span), e.text] for e in fix.edits]],
        finding.fingerprint,
        finding.anchor,
    ]


def _packed_span(span: Span) -> list[int]:
    return [span.start.line, span.start.column, span.end.line, span.end.column]


def _unpacked(value: list[Any], path: str) -> Kept:
    skipped, findings = value
    return Kept(tuple(_unpacked_finding(finding, path) for finding in findings), skipped)


def _unpacked_finding(value: list[Any], path: str) -> Finding:
    rule, message, severity, confidence, span, trace, fix, fingerprint, anchor = value
    return Finding(
        rule,
        message,
        Severity(severity),
        Confidence(confidence),
        path,
        _unpacked_span(span),
        tuple(TraceStep(at, _unpacked_span(inner), text) for at, inner, text in trace),
        None
        if fix is None
        else Fix(fix[0], tuple(Edit(_unpacked_span(inner), text) for inner, text in fix[2]), fix[1]),
        fingerprint,
        anchor,
    )


def _unpacked_span(value: list[int]) -> Span:
    line, column, end_line, end_column = value
    return Span(Position(line, column), Position(end_line, end_column))
