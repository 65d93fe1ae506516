"""Unified diffs: the lines that they show, and which line of the one state is which of the other.

Reads what git and `diff -u` write, as bytes; guarantees that hunks have the lines they say they have. Reads no files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import field

from wsantipattern.record import record

DEV_NULL = "/dev/null"

_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


class DiffError(Exception):
    """A diff that cannot be read, or that does not fit the files; the message is one line."""


@record(slots=True)
class Hunk:
    """A changed place.

    Attributes:
        old, new: the number (from 1) of its first line in either state; where it has no line there, of the line
            that would follow.
        lines: pairs of `" "`, `"-"` or `"+"` and the line with its end.
    """

    old: int
    new: int
    lines: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def old_count(self) -> int:
        """How many lines it has in the old state."""
        return sum(kind != "+" for kind, _ in self.lines)

    @property
    def new_count(self) -> int:
        """How many lines it has in the new state."""
        return sum(kind != "-" for kind, _ in self.lines)

    def numbered(self) -> Iterator[tuple[str, int, int]]:
        """Kind, old and new line number of each line."""
        old, new = self.old, self.new
        for kind, _ in self.lines:
            yield kind, old, new
            old += kind != "+"
            new += kind != "-"


@record(slots=True)
class FileDiff:
    """What a diff says about one file.

    Attributes:
        old, new: its path before and after, None where it did not exist then.
        hunks: in order; none where the file is binary or only its name or mode differs.
        is_binary: whether the diff says that the contents differ without saying how.
    """

    old: str | None
    new: str | None
    hunks: list[Hunk] = field(default_factory=list)
    is_binary: bool = False

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The first and last line, in the new state, that each hunk shows."""
        for hunk in self.hunks:
            if hunk.new_count:
                yield hunk.new, hunk.new + hunk.new_count - 1

    def before(self) -> dict[int, int]:
        """For the lines that are shown unchanged: the old number by the new one."""
        return {new: old for hunk in self.hunks for kind, old, new in hunk.numbered() if kind == " "}

    def old_line(self, line: int) -> int | None:
        """The number that a line of the new state had in the old one; None where it is new or changed."""
        shift = 0
        for hunk in self.hunks:
            if line < hunk.new:
                break
            if line < hunk.new + hunk.new_count:
                return next((old for kind, old, new in hunk.numbered() if new == line and kind == " "), None)
            shift += hunk.old_count - hunk.new_count
        return line + shift

    def is_gone(self, line: int) -> bool:
        """Whether a line of the old state was deleted or changed."""
        return any(kind == "-" and old == line for hunk in self.hunks for kind, old, _ in hunk.numbered())

    def replaced(self, line: int) -> range:
        """The lines of the old state in whose stead a new or changed line stands; may be empty."""
        for hunk in self.hunks:
            if not hunk.new <= line < hunk.new + hunk.new_count:
                continue
            first = last = hunk.old
            is_inside = False
            for kind, old, new in hunk.numbered():
                if kind == " ":
                    if is_inside:
                        break
                    first = last = old + 1
                    continue
                if kind == "-":
                    last = old + 1
                is_inside = is_inside or (kind == "+" and new == line)
            if is_inside:
                return range(first, last)
        return range(0)

    def undone(self, text: bytes) -> bytes:
        """The old state of a file whose new state is given.

        Raises:
            DiffError: the diff is not one to this text.
        """
        lines = text.split(b"\n")
        lines = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
        out: list[bytes] = []
        at = 0
        for hunk in self.hunks:
            start = hunk.new - 1
            if start < at:
                raise DiffError(f"{self.new}: the hunk at line {hunk.new} overlaps the one before it")
            out += lines[at:start]
            at = start
            for kind, line in hunk.lines:
                if kind == "-":
                    out.append(line)
                    continue
                if at >= len(lines) or lines[at].rstrip(b"\r\n") != line.rstrip(b"\r\n"):
                    raise DiffError(f"{self.new}: the diff does not fit the file at line {at + 1}")
                if kind == " ":
                    out.append(lines[at])
                at += 1
        return b"".join(out + lines[at:])

    def old_text(self) -> bytes:
        """The old state of a file that the diff deletes."""
        return b"".join(line for hunk in self.hunks for kind, line in hunk.lines if kind == "-")


def parse(data: bytes) -> list[FileDiff]:
    """The files of a unified diff, in order. What stands between them (a commit's message) is passed over.

    Raises:
        DiffError: a hunk is broken off or has a line that no hunk can have.
    """
    return list(_Parser(data.removesuffix(b"\n").split(b"\n")).files())


class _Parser:
    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._at = 0

    def files(self) -> Iterator[FileDiff]:
        current: FileDiff | None = None
        is_git = False
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(b"diff --git "):
                if current is not None:
                    yield current
                current, is_git = self._git_header(line), True
                continue
            if line.startswith(b"--- ") and self._follows(b"+++ "):
                if current is not None and (not is_git or current.hunks):
                    yield current
                    current = None
                    is_git = False
                old, new = _names(line[4:], self._lines[self._at + 1][4:])
                if current is None:
                    current = FileDiff(old, new)
                elif current.old is not None and current.new is not None:
                    current.old, current.new = old, new
                self._at += 2
                continue
            if line.startswith(b"@@ -") and current is not None:
                current.hunks.append(self._hunk(line))
                continue
            if current is not None and line.startswith((b"Binary files ", b"GIT binary patch")):
                current.is_binary = True
            self._at += 1
        if current is not None:
            yield current

    def _follows(self, start: bytes) -> bool:
        return self._at + 1 < len(self._lines) and self._lines[self._at + 1].startswith(start)

    def _git_header(self, line: bytes) -> FileDiff:
        """Reads the extended header: with it the names are known even where there is no hunk."""
        old, new = _both_names(line[len(b"diff --git ") :].rstrip(b"\r"))
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip(b"\r")
            if line.startswith(b"rename from "):
                old = _name(line[len(b"rename from ") :], b"")
            elif line.startswith(b"rename to "):
                new = _name(line[len(b"rename to ") :], b"")
            elif line.startswith(b"copy to "):
                # A copy is new code: what it was copied from is still there.
                old, new = None, _name(line[len(b"copy to ") :], b"")
            elif line.startswith(b"new file mode "):
                old = None
            elif line.startswith(b"deleted file mode "):
                new = None
            elif not line.startswith(_HEADERS):
                break
            self._at += 1
        return FileDiff(old, new)

    def _hunk(self, header: bytes) -> Hunk:
        number = self._at + 1
        try:
            old_part, new_part = header[4:].split(b" @@", 1)[0].split(b" +", 1)
            old, old_count = _start_and_count(old_part)
            new, new_count = _start_and_count(new_part)
        except ValueError:
            raise DiffError(f"line {number} of the diff: not the head of a hunk") from None
        # A hunk without lines on one side names the line before it there.
        hunk = Hunk(old + (old_count == 0), new + (new_count == 0))
        self._at += 1
        while old_count or new_count:
            if self._at >= len(self._lines):
                raise DiffError(f"line {number} of the diff: the hunk is broken off")
            line = self._lines[self._at]
            # Editors and mail strip the blank of an empty context line.
            kind = line[:1].decode("latin-1") if line.rstrip(b"\r") else " "
            if kind == "\\":
                self._no_line_end(hunk)
            elif kind in (" ", "-", "+"):
                hunk.lines.append((kind, line[1:] + b"\n"))
                old_count -= kind != "+"
                new_count -= kind != "-"
            else:
                raise DiffError(f"line {self._at + 1} of the diff: no line of a hunk starts so")
            if old_count < 0 or new_count < 0:
                raise DiffError(f"line {number} of the diff: the hunk is longer than its head says")
            self._at += 1
        if self._at < len(self._lines) and self._lines[self._at].startswith(b"\\"):
            self._no_line_end(hunk)
            self._at += 1
        return hunk

    def _no_line_end(self, hunk: Hunk) -> None:
        if hunk.lines:
            kind, text = hunk.lines[-1]
            hunk.lines[-1] = (kind, text.removesuffix(b"\n"))


_HEADERS = (
    b"old mode ",
    b"new mode ",
    b"similarity index ",
    b"dissimilarity index ",
    b"copy from ",
    b"index ",
)


def _start_and_count(part: bytes) -> tuple[int, int]:
    start, comma, count = part.partition(b",")
    return int(start), int(count) if comma else 1


def _has_prefixes(old: bytes, new: bytes) -> bool:
    """Whether both names have git's `a/` and `b/`, or would if they were not /dev/null."""
    names = ((old.lstrip(b'"'), b"a/"), (new.lstrip(b'"'), b"b/"))
    return all(name.startswith((prefix, DEV_NULL.encode())) for name, prefix in names)


def _name(text: bytes, prefix: bytes) -> str | None:
    """A path as the file system has it, from a header of a diff; None for /dev/null."""
    text = text.rstrip(b"\r")
    raw = unquoted(text) if text.startswith(b'"') else text.split(b"\t", 1)[0]
    if raw == DEV_NULL.encode():
        return None
    return os.fsdecode(raw.removeprefix(prefix))


def _both_names(text: bytes) -> tuple[str | None, str | None]:
    """The names of a `diff --git` line. Unquoted ones may hold blanks, but then both are the same."""
    if text.startswith(b'"'):
        end = 1
        while end < len(text) and text[end : end + 1] != b'"':
            end += 2 if text[end : end + 1] == b"\\" else 1
        old, new = text[: end + 1], text[end + 2 :]
    elif text.endswith(b'"') and b' "' in text:
        old, new = text.split(b' "', 1)
        new = b'"' + new
    else:
        middle = len(text) // 2
        old, new = text[:middle], text[middle + 1 :]
        if text[middle : middle + 1] != b" ":
            old, _, new = text.partition(b" ")
    return _names(old, new)


def _names(old: bytes, new: bytes) -> tuple[str | None, str | None]:
    if not _has_prefixes(old, new):
        return _name(old, b""), _name(new, b"")
    return _name(old, b"a/"), _name(new, b"b/")


def unquoted(text: bytes) -> bytes:
    """A name that git wrote in quotes, with C's escapes, as it is."""
    out = bytearray()
    at = 1
    while at < len(text) and text[at : at + 1] != b'"':
        if text[at : at + 1] != b"\\":
            out.append(text[at])
            at += 1
            continue
        digits = text[at + 1 : at + 4]
        if digits[:1].isdigit():
            out.append(int(digits, 8) & 0xFF)
            at += 4
            continue
        escape = digits[:1].decode("latin-1")
        out.append(_ESCAPES.get(escape, ord(escape or "\\")))
        at += 2
    return bytes(out)
