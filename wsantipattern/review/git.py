"""What git knows about a change: commits, changed paths, contents, diffs.

Guarantees that names of any bytes come through, that no setting of the user changes what is read, and that nothing
which a repository configures (external diffs, text conversions) is run. Changes nothing in the repository.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence

from wsantipattern.record import record
from wsantipattern.review.diff import FileDiff, parse

_SETTINGS = (
    "core.quotePath=true",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.interHunkContext=0",
    "diff.suppressBlankEmpty=false",
    "diff.renames=true",
    "diff.relative=false",
    "core.fsmonitor=false",
)

_DIFF = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--ignore-submodules=all",
    "--find-renames",
)

_FILE_MODES = ("100644", "100755")


class GitError(Exception):
    """Something git could not do or does not have; the message is one line for the user."""


@record(frozen=True, slots=True)
class Changed:
    """One changed file.

    Attributes:
        old, new: paths relative to the repository, None where it did not exist, or was no regular file.
        old_object, new_object: the ids of the contents; None where only the working tree has it.
    """

    old: str | None
    new: str | None
    old_object: str | None = None
    new_object: str | None = None


@record(frozen=True, slots=True)
class Target:
    """The state that is looked at: a commit, the index, or (both unset) the working tree."""

    commit: str | None = None
    is_index: bool = False

    @property
    def arguments(self) -> list[str]:
        """How `git diff BASE` is told."""
        return [self.commit] if self.commit else []

    @property
    def options(self) -> list[str]:
        """Options of `git diff` that say it."""
        return ["--cached"] if self.is_index else []


class Repository:
    """A git repository with a working tree."""

    def __init__(self, folder: str) -> None:
        """Finds the repository around a folder.

        Raises:
            GitError: there is none, or git is missing.
        """
        self.top = folder
        out = self._run("rev-parse", "--show-toplevel")
        self.top = os.fsdecode(out.removesuffix(b"\n"))
        if not self.top:
            raise GitError("a bare git repository has no files to review")

    @property
    def is_shallow(self) -> bool:
        """Whether part of its history has not been fetched."""
        return self._run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def commit(self, name: str) -> str | None:
        """The id of a commit by any of its names, or None."""
        if name.startswith("-"):
            return None  # no name of a commit, and git would take it for an option
        out = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", fails=True)
        return out.decode().strip() or None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which two histories parted, or None."""
        return self._run("merge-base", one, other, fails=True).decode().strip() or None

    def empty_tree(self) -> str:
        """The id of a tree without files."""
        return self._run("hash-object", "-t", "tree", "--stdin", stdin=b"").decode().strip()

    def default_branch(self) -> str | None:
        """The branch that others are merged into, as a name of a commit, or None where nothing says which."""
        names: list[str] = []
        remotes = self._remotes()
        for remote in remotes:
            head = self._run("symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD", fails=True)
            names += [head.decode().strip()] if head else []
            names += [f"refs/remotes/{remote}/{branch}" for branch in ("main", "master", "trunk")]
        configured = self._run("config", "init.defaultBranch", fails=True).decode("utf-8", "replace").strip()
        names += [f"refs/heads/{name}" for name in (configured, "main", "master", "trunk") if name]
        local = (
            self._run("for-each-ref", "--format=%(refname)", "refs/heads").decode("utf-8", "replace").split()
        )
        names += local if len(local) == 1 and not remotes else []
        return next((name for name in names if self.commit(name)), None)

    def _remotes(self) -> list[str]:
        names = self._run("remote").decode("utf-8", "replace").split()
        return sorted(names, key=lambda name: (name != "origin", name != "upstream", name))

    def changes(self, base: str, target: Target) -> list[Changed]:
        """The files that differ between a commit (or tree) and a state, untracked ones included."""
        out = self._run(*_DIFF, "--raw", "-z", "--no-abbrev", *target.options, base, *target.arguments, "--")
        fields = iter(out.split(b"\0"))
        changed: dict[tuple[str | None, str | None], Changed] = {}
        for field in fields:
            if not field:
                continue
            old_mode, new_mode, old_object, new_object, status = field.decode().removeprefix(":").split(" ")
            old = new = os.fsdecode(next(fields))
            if status[0] in "RC":
                new = os.fsdecode(next(fields))
            if status[0] == "U":
                continue  # in conflict; the state in the working tree has an entry of its own
            entry = Changed(
                old if old_mode in _FILE_MODES else None,
                new if new_mode in _FILE_MODES else None,
                old_object,
                # Of a file in the working tree, git may know the id without having the content.
                None if target == Target() else new_object,
            )
            if entry.old is not None or entry.new is not None:
                changed[(entry.old, entry.new)] = entry
        if target == Target():
            for name in self._untracked():
                changed[(None, name)] = Changed(None, name)
        return list(changed.values())

    def _untracked(self) -> list[str]:
        out = self._run("ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--", ":/")
        names = [os.fsdecode(name) for name in out.split(b"\0") if name and not name.endswith(b"/")]
        return [name for name in names if not os.path.islink(os.path.join(self.top, name))]

    def contents(self, objects: Iterable[str]) -> dict[str, bytes]:
        """The contents of objects by their ids.

        Raises:
            GitError: one of them is missing.
        """
        wanted = sorted(set(objects))
        if not wanted:
            return {}
        out = self._run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in wanted).encode())
        found: dict[str, bytes] = {}
        at = 0
        for name in wanted:
            end = out.index(b"\n", at)
            words = out[at:end].split(b" ")
            if len(words) != 3:
                raise GitError(f"git does not have the object {name}; fetch the history that holds it")
            size = int(words[2])
            found[name] = out[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def diff(self, base: str, target: Target, paths: Sequence[str]) -> list[FileDiff]:
        """The diff of some files, as a code review shows it: with three lines around each change."""
        out = self._run(
            "--literal-pathspecs",
            *_DIFF,
            "--patch",
            "--unified=3",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            *target.options,
            base,
            *target.arguments,
            "--",
            *paths,
        )
        return parse(out)

    def _run(self, *arguments: str, stdin: bytes | None = None, fails: bool = False) -> bytes:
        """The output of a git command, run at the top of the repository.

        With `fails`, one that fails gives nothing; else it raises GitError.
        """
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        try:
            done = subprocess.run(
                ["git", *settings, *arguments],
                cwd=self.top,
                env=environment,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
            )
        except FileNotFoundError:
            raise GitError("git is not installed") from None
        if done.returncode == 0:
            return done.stdout
        if fails:
            return b""
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = next(
            (line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else ""
        )
        raise GitError(f"git {arguments[0]}: {said.partition(': ')[2] or said or 'failed'}")
