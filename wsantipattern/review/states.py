"""The texts of the changed files before and after a change, from git or from a diff.

Decides which files a review is about: the changed ones that a run over the same paths would look at. Paths are
reported relative to the current folder, as they are after the change. Does not look for findings.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from wsantipattern.files import FilterFor, is_known, is_reached
from wsantipattern.finding import FileError
from wsantipattern.record import record
from wsantipattern.report import Shown
from wsantipattern.review.diff import DiffError, FileDiff, parse
from wsantipattern.review.git import Changed, GitError, Repository, Target
from wsantipattern.source import SIZE_LIMIT, reason


class StateError(Exception):
    """The two states cannot be had; the message is one line for the user."""


@record(frozen=True, slots=True)
class Wanted:
    """What the user asks to compare.

    Attributes:
        paths: files and folders, relative to the current folder; empty for the whole repository.
        base: the name of a commit, or None for the default branch.
        head: the name of a commit, or None for the working tree.
        is_staged: look at the index instead of the working tree, against the last commit.
        diff: the bytes of a unified diff that led to the working tree, instead of all these.
        default_bases: names of commits that are tried before the default branch.
        default_heads: names of commits that are tried before the working tree.
    """

    paths: tuple[str, ...] = ()
    base: str | None = None
    head: str | None = None
    is_staged: bool = False
    diff: bytes | None = None
    default_bases: tuple[str, ...] = ()
    default_heads: tuple[str, ...] = ()


@record(slots=True)
class ChangedFile:
    """One file of a change.

    Attributes:
        path: as reported; that of the base where the file is gone.
        old, new: relative to the repository; None where the file does not exist in that state.
        before, after: its raw bytes; None likewise.
    """

    path: str
    old: str | None
    new: str | None
    before: bytes | None
    after: bytes | None


@record(slots=True)
class States:
    """Two states of a project.

    Attributes:
        base: the earlier one, in words.
        files: those that differ and are looked at, by reported path.
        skipped: how many others differ.
        folder: the current folder within the repository, "" at its top.
        commit: the id of the later state's commit, "" where it is none.
        errors: changed files that cannot be read.
        load: how a file that both states have differs.
    """

    base: str
    files: dict[str, ChangedFile] = field(default_factory=dict)
    skipped: int = 0
    folder: str = ""
    commit: str = ""
    errors: list[FileError] = field(default_factory=list)
    load: Callable[[ChangedFile], FileDiff | None] = lambda file: None
    _diffs: dict[str, FileDiff | None] = field(default_factory=dict)

    def diff(self, path: str) -> FileDiff | None:
        """How a file of the change differs; None where one of the states does not have it."""
        if path not in self._diffs:
            file = self.files[path]
            both = file.before is not None and file.after is not None
            self._diffs[path] = self.load(file) if both else None
        return self._diffs[path]

    def shown(self, path: str) -> Shown:
        """The lines of a file that a code review shows."""
        file = self.files[path]
        if file.after is None:
            return Shown()
        if file.before is None:
            lines = file.after.count(b"\n") + (not file.after.endswith(b"\n") and bool(file.after))
            return Shown(((1, lines),) if lines else (), {}, file.new or "")
        diff = self.diff(path)
        if diff is None:
            return Shown()
        return Shown(tuple(diff.ranges()), diff.before(), file.old or "")


def states(wanted: Wanted, filter_for: FilterFor) -> States:
    """The two states that the user asks for.

    Raises:
        StateError: they cannot be had.
        ConfigError: a configuration on the way cannot be used.
    """
    try:
        if wanted.diff is not None:
            return _of_diff(wanted, wanted.diff, filter_for)
        return _of_git(wanted, filter_for)
    except (GitError, DiffError) as error:
        raise StateError(str(error)) from None


def _of_git(wanted: Wanted, filter_for: FilterFor) -> States:
    repository = Repository(os.getcwd())
    target, tip = _target(repository, wanted)
    base, words = _base(repository, wanted, tip)
    scope = _Scope(repository.top, wanted.paths, filter_for)
    result = States(base=words, folder=scope.folder, commit=(target.commit or tip or ""))
    entries: list[Changed] = []
    for entry in repository.changes(base, target):
        if scope.takes(entry.new or entry.old or ""):
            entries.append(entry)
        else:
            result.skipped += 1
    scope.must_have_met_all()
    objects = [entry.old_object for entry in entries if entry.old is not None and entry.old_object]
    objects += [entry.new_object for entry in entries if entry.new is not None and entry.new_object]
    contents = repository.contents(objects)
    in_tree = target == Target()
    for entry in entries:
        path = scope.reported(entry.new or entry.old or "")
        before = contents[entry.old_object] if entry.old is not None and entry.old_object else None
        after: bytes | None = None
        if entry.new is not None:
            if in_tree:
                try:
                    after = _read(os.path.join(repository.top, entry.new))
                except OSError as error:
                    result.errors.append(FileError(path, reason(error)))
                    continue
            elif entry.new_object:
                after = contents[entry.new_object]
        known = result.files.get(path)
        if known is not None:
            # A file that was replaced by one of another kind, or that is staged as gone and there again.
            known.old, known.before = known.old or entry.old, _either(known.before, before)
            known.new, known.after = known.new or entry.new, _either(known.after, after)
        else:
            result.files[path] = ChangedFile(path, entry.old, entry.new, before, after)

    def load(file: ChangedFile) -> FileDiff | None:
        names = list(dict.fromkeys(name for name in (file.old, file.new) if name is not None))
        diffs = repository.diff(base, target, names)
        wanted_names = (file.old, file.new)
        return next((diff for diff in diffs if (diff.old, diff.new) == wanted_names), FileDiff(*wanted_names))

    result.load = load
    return result


def _either(one: bytes | None, other: bytes | None) -> bytes | None:
    return other if one is None else one


def _target(repository: Repository, wanted: Wanted) -> tuple[Target, str | None]:
    """The later state, and the commit it is or stands on."""
    tip = repository.commit("HEAD")
    if wanted.head is not None:
        commit = repository.commit(wanted.head)
        if commit is None:
            raise StateError(_missing(repository, wanted.head))
        return Target(commit=commit), commit
    for name in wanted.default_heads:
        commit = repository.commit(name)
        if commit is not None and commit != tip:
            return Target(commit=commit), commit
    return Target(is_index=wanted.is_staged), tip


def _base(repository: Repository, wanted: Wanted, tip: str | None) -> tuple[str, str]:
    """The earlier state's commit or tree, and how it is called."""
    if tip is None:
        if wanted.base is not None:
            raise StateError(_missing(repository, wanted.base))
        return repository.empty_tree(), "an empty repository"
    if wanted.base is None and wanted.is_staged:
        return tip, "the last commit"
    name = wanted.base
    if name is None:
        name = next((base for base in wanted.default_bases if repository.commit(base)), None)
    if name is None:
        name = repository.default_branch()
    if name is None:
        if repository.is_shallow:
            raise StateError(
                f"this shallow clone has no commit of the default branch to compare with; {_DEEPEN}"
            )
        raise StateError("nothing says which branch to compare with; name a commit with --base")
    commit = repository.commit(name)
    if commit is None:
        raise StateError(_missing(repository, name))
    shown = name.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    parted = repository.merge_base(commit, tip)
    if parted is None:
        if repository.is_shallow:
            raise StateError(
                f"this shallow clone does not reach back to where {shown} and the change parted; {_DEEPEN}"
            )
        return commit, shown
    return parted, shown if parted == commit else f"{parted[:10]}, where it left {shown}"


_DEEPEN = "fetch more history (git fetch --unshallow; `fetch-depth: 0` for actions/checkout) or name a commit with --base"


def _missing(repository: Repository, name: str) -> str:
    if repository.is_shallow:
        return f"{name} is not in this shallow clone; {_DEEPEN}"
    return f"there is no commit {name} in this repository"


def _of_diff(wanted: Wanted, data: bytes, filter_for: FilterFor) -> States:
    try:
        top = Repository(os.getcwd()).top
    except GitError:
        top = os.getcwd()
    diffs = parse(data)
    if data.strip() and not diffs:
        raise StateError("this is no unified diff")
    top = _root_of(diffs, top)
    scope = _Scope(top, wanted.paths, filter_for)
    result = States(base="the state before the diff", folder=scope.folder)
    by_path: dict[str, FileDiff] = {}
    for diff in diffs:
        name = diff.new or diff.old
        if name is None:
            continue
        if not scope.takes(name) or diff.is_binary:
            result.skipped += 1
            continue
        path = scope.reported(name)
        if path in by_path:
            raise StateError(f"{path}: the diff changes it twice")
        by_path[path] = diff
        before = after = None
        if diff.new is None:
            before = diff.old_text()
        else:
            try:
                after = _read(os.path.join(top, name))
            except OSError as error:
                raise StateError(
                    f"{path}: {reason(error)}; the diff must lead to the files as they are"
                ) from None
            before = None if diff.old is None else diff.undone(after)
        result.files[path] = ChangedFile(path, diff.old, diff.new, before, after)
    scope.must_have_met_all()
    result.load = lambda file: by_path[file.path]
    return result


def _root_of(diffs: Sequence[FileDiff], top: str) -> str:
    """The folder that the paths of a diff start from: the repository's, or the current one where that fits better."""
    names = [diff.new for diff in diffs if diff.new is not None]
    here = os.getcwd()

    def fitting(folder: str) -> int:
        return sum(os.path.exists(os.path.join(folder, name)) for name in names)

    return here if fitting(here) > fitting(top) else top


def _read(file: str) -> bytes:
    """The bytes of a regular file; of one that is too large to be looked at, only so many that this shows.

    Raises:
        OSError: it cannot be read.
    """
    with open(file, "rb") as stream:
        return stream.read(SIZE_LIMIT + 1)


class _Scope:
    """Which of the changed files the user asks for."""

    def __init__(self, top: str, paths: Sequence[str], filter_for: FilterFor) -> None:
        self._top = os.path.realpath(top).replace(os.sep, "/")
        self._here = os.path.realpath(os.getcwd()).replace(os.sep, "/")
        self._filter_for = filter_for
        # The name itself is not resolved: a link is an entry of its own.
        self._paths: Mapping[str, str] = {
            posixpath.normpath(posixpath.join(self._here, path.replace(os.sep, "/"))): path for path in paths
        }
        self._met: set[str] = set()

    @property
    def folder(self) -> str:
        """The current folder, relative to the repository; "" at its top or outside."""
        relative = posixpath.relpath(self._here, self._top)
        return "" if relative == "." or relative.startswith("..") else relative

    def reported(self, name: str) -> str:
        """How a path relative to the repository is reported."""
        return posixpath.relpath(posixpath.join(self._top, name), self._here)

    def takes(self, name: str) -> bool:
        """Whether a file is looked at, by its path relative to the repository."""
        absolute = posixpath.join(self._top, name)
        if not self._paths:
            return is_known(name) and is_reached(self._top, absolute, self._filter_for)
        taken = False
        for path in self._paths:
            if absolute == path:
                self._met.add(path)
                taken = is_known(name) or taken
            elif absolute.startswith(path.rstrip("/") + "/"):
                self._met.add(path)
                taken = taken or (is_known(name) and is_reached(path, absolute, self._filter_for))
        return taken

    def must_have_met_all(self) -> None:
        """Raises StateError for a path that neither exists nor is part of the change."""
        for absolute, path in self._paths.items():
            if absolute not in self._met and not os.path.lexists(absolute):
                raise StateError(f"{path}: no such file or directory")
