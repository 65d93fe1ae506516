"""Which files a run looks at: a walk that obeys .gitignore and the configuration.

Guarantees a stable order (by name within a folder), each file at most once, and that no symbolic link found on
the way is followed, so a walk neither leaves its root nor runs in circles. A file named by the user is always
taken, whatever the patterns say. Does not read source files and does not know rules.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wsantipattern.finding import FileError
from wsantipattern.languages import EXTENSIONS, HOSTS
from wsantipattern.record import record
from wsantipattern.source import reason

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SKIPPED_FOLDERS = frozenset(
    {
        ".bzr", ".cache", ".direnv", ".eggs", ".git", ".hg", ".idea", ".mypy_cache", ".next", ".nox", ".nuxt",
        ".output", ".parcel-cache", ".pnpm-store", ".pytest_cache", ".ruff_cache", ".svelte-kit", ".svn", ".tox",
        ".turbo", ".venv", ".vercel", ".vscode", ".yarn", "__pycache__", "bower_components", "build", "coverage",
        "dist", "node_modules", "site-packages", "target", "third_party", "vendor", "venv",
    }
)  # fmt: skip
"""Names of folders that hold other people's code, build results or caches."""

Patterns = Sequence[str]


@record(frozen=True, slots=True)
class Filter:
    """What the configuration says about files.

    Attributes:
        root: absolute folder that the patterns are relative to.
        include: only files that match one of these are taken; empty for all.
        exclude: files and folders that match are left out; None for `SKIPPED_FOLDERS`.
        extend_exclude: the same, in addition.
    """

    root: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()


FilterFor = Callable[[str], Filter]
"""The filter of an absolute folder: that of the configuration nearest to it."""


@record(slots=True)
class Discovery:
    """The result of a walk.

    Attributes:
        files: paths as they are reported: as the user wrote them, normalised, with `/`.
        named: those that the user named one by one.
        errors: paths that are missing or cannot be listed.
    """

    files: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    errors: list[FileError] = field(default_factory=list)


def ending_of(path: str) -> str:
    """The lower-case ending with the dot, `""` where there is none: what decides the language."""
    return os.path.splitext(path)[1].lower()


def is_known(path: str) -> bool:
    """Whether the ending says that there is a front end for it."""
    ending = ending_of(path)
    return ending in EXTENSIONS or ending in HOSTS


def matches(patterns: Patterns, relative: str) -> bool:
    """Whether a path (relative, with `/`; folders end in one) matches one of the patterns, as .gitignore reads them."""
    return bool(patterns) and _spec(tuple(patterns)).match_file(relative)


def discover(paths: Sequence[str], filter_for: FilterFor) -> Discovery:
    """The files of the given files and folders, in the order of the arguments, each once."""
    found = Discovery()
    seen: set[str] = set()

    def add(path: str, named: bool) -> None:
        absolute = os.path.abspath(path)
        if absolute not in seen:
            seen.add(absolute)
            found.files.append(path)
            if named:
                found.named.add(path)

    for given in paths:
        path = os.path.normpath(given).replace(os.sep, "/") if given else given
        try:
            os.stat(path)
        except (OSError, ValueError) as error:
            message = reason(error) if isinstance(error, OSError) else "not a possible path"
            found.errors.append(FileError(given, message))
            continue
        if os.path.isdir(path):
            for file in _walk(path, filter_for, found.errors):
                add(file, named=False)
        else:
            add(path, named=True)
    return found


def is_reached(top: str, path: str, filter_for: FilterFor) -> bool:
    """Whether a walk from the folder `top` would find a file below it; neither needs to exist. Both are absolute."""
    folder = top.rstrip("/")
    ignores = _ignores_around(folder)
    if ignores.hides(folder, True):
        ignores = _Ignores()
    *folders, name = path[len(folder) + 1 :].split("/")
    for part in folders:
        ignores = ignores.within(folder, _gitignore(f"{folder}/.gitignore"))
        inner = f"{folder}/{part}"
        if _excludes(filter_for(folder), inner, part, True) or ignores.hides(inner, True):
            return False
        folder = inner
    ignores = ignores.within(folder, _gitignore(f"{folder}/.gitignore"))
    return is_known(name) and _takes(filter_for(folder), path, name) and not ignores.hides(path, False)


@record(frozen=True, slots=True)
class _Ignores:
    """The .gitignore files that hold in a folder, innermost first, each with the absolute folder it stands in."""

    specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def within(self, folder: str, spec: GitIgnoreSpec | None) -> _Ignores:
        return self if spec is None else _Ignores(((folder, spec), *self.specs))

    def hides(self, absolute: str, is_folder: bool) -> bool:
        for folder, spec in self.specs:
            relative = absolute[len(folder) :].lstrip("/") + ("/" if is_folder else "")
            verdict = spec.check_file(relative).include
            if verdict is not None:
                return verdict
        return False


def _walk(top: str, filter_for: FilterFor, errors: list[FileError]) -> Iterator[str]:
    absolute = os.path.abspath(top).replace(os.sep, "/")
    ignores = _ignores_around(absolute)
    if ignores.hides(absolute, True):
        ignores = _Ignores()  # who names an ignored folder means it
    yield from _walk_folder("" if top == "." else top, absolute, ignores, filter_for, errors)


def _walk_folder(
    shown: str, absolute: str, ignores: _Ignores, filter_for: FilterFor, errors: list[FileError]
) -> Iterator[str]:
    stack = [(shown, absolute, ignores)]
    while stack:
        shown, absolute, ignores = stack.pop()
        try:
            with os.scandir(absolute) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            errors.append(FileError(shown or ".", reason(error)))
            continue
        rules = filter_for(absolute)
        if any(entry.name == ".gitignore" for entry in entries):
            ignores = ignores.within(absolute, _gitignore(f"{absolute}/.gitignore"))
        folders = []
        for entry in entries:
            path = f"{absolute.rstrip('/')}/{entry.name}"
            name = f"{shown.rstrip('/')}/{entry.name}" if shown else entry.name
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if not _excludes(rules, path, entry.name, True) and not ignores.hides(path, True):
                    folders.append((name, path, ignores))
            elif is_known(entry.name) and entry.is_file():
                if not _takes(rules, path, entry.name) or ignores.hides(path, False):
                    continue
                yield name
        stack.extend(reversed(folders))


def _takes(rules: Filter, path: str, name: str) -> bool:
    if rules.include and not matches(rules.include, _relative(path, rules.root)):
        return False
    return not _excludes(rules, path, name, False)


def _excludes(rules: Filter, path: str, name: str, is_folder: bool) -> bool:
    if rules.exclude is None and is_folder and name in SKIPPED_FOLDERS:
        return True
    patterns = (rules.exclude or ()) + rules.extend_exclude
    if not patterns:
        return False
    return matches(patterns, _relative(path, rules.root) + ("/" if is_folder else ""))


def _relative(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")


def _ignores_around(folder: str) -> _Ignores:
    """The .gitignore files above a folder, up to the root of its git repository; none outside of one."""
    above: list[str] = []
    current = Path(folder)
    for parent in (current, *current.parents):
        if parent != current:
            above.append(parent.as_posix())
        if (parent / ".git").exists():
            break
    else:
        return _Ignores()
    ignores = _Ignores()
    root = above[-1] if above else folder
    exclude = _gitignore(f"{root}/.git/info/exclude")
    ignores = ignores.within(root, exclude)
    for outer in reversed(above):
        ignores = ignores.within(outer, _gitignore(f"{outer}/.gitignore"))
    return ignores


def _gitignore(file: str) -> GitIgnoreSpec | None:
    try:
        lines = Path(file).read_text("utf-8", "replace").splitlines()
    except OSError:
        return None  # absent, or not ours to read: git ignores it then, too
    kept = tuple(line for line in lines if line.strip() and not line.startswith("#"))
    try:
        return _spec(kept) if kept else None
    except ValueError:
        return _spec(tuple(line for line in kept if is_pattern(line)))


def is_pattern(line: str) -> bool:
    """Whether a line can be read as a .gitignore pattern; git passes over those that cannot."""
    try:
        _spec((line,))
    except ValueError:
        return False
    return True


@cache
def _spec(lines: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)
