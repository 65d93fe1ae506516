"""One file as text: read safely, decoded, and with positions for byte offsets.

Guarantees that `Source.text` is what the front ends parse (UTF-8 without a byte order mark, whatever the file's own
encoding), and that every span lies inside the file. Does not decide which files are looked at (`files`), and does
not parse.
"""

from __future__ import annotations

import codecs
import os
import stat
from bisect import bisect_right
from functools import cached_property
from pathlib import Path

from wsantipattern.finding import Position, Span
from wsantipattern.record import record

SIZE_LIMIT = 1_000_000
"""Bytes above which a file is skipped: nobody wrote it by hand."""

LINE_LIMIT = 100_000
"""Bytes in one line above which a file is skipped."""

MINIFIED_SIZE = 5_000
MINIFIED_AVERAGE = 300
"""A text of at least `MINIFIED_SIZE` bytes whose lines average more than `MINIFIED_AVERAGE` bytes is minified."""

HEAD = 4_096
HEAD_LINES = 40
"""The first bytes and lines in which a generated file says that it is one."""

_FORMATTING = frozenset("();,\"'`\\")

_COMMENT_STARTS = (b"//", b"/*", b"*", b"#", b"<!--", b'"""', b"--")


class ReadError(Exception):
    """A file that cannot be read; the message is one line without the path."""


@record(frozen=True, slots=True)
class Skip:
    """A file that is left out on purpose, and why."""

    path: str
    reason: str


class Source:
    """The text of one file.

    Attributes:
        path: as reported.
        text: UTF-8 bytes without a byte order mark; bytes that are no UTF-8 stay as they are, and each counts as
            one replacement character (U+FFFD) in a column.
    """

    def __init__(self, path: str, text: bytes) -> None:
        self.path = path
        self.text = text

    @classmethod
    def decode(cls, path: str, data: bytes) -> Source:
        """The source of a file's raw bytes, whatever their encoding."""
        return cls(path, as_utf8(data))

    @cached_property
    def _lines(self) -> tuple[list[int], list[bytes]]:
        lines = self.text.splitlines(keepends=True)
        starts, at = [], 0
        for line in lines:
            starts.append(at)
            at += len(line)
        if not lines or lines[-1].endswith((b"\n", b"\r")):
            starts.append(at)
            lines.append(b"")
        return starts, lines

    @property
    def line_count(self) -> int:
        """The number of lines; a line end at the very end starts one more, empty line."""
        return len(self._lines[0])

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its end; empty outside the file."""
        lines = self._lines[1]
        if not 1 <= number <= len(lines):
            return ""
        return lines[number - 1].rstrip(b"\r\n").decode("utf-8", "replace")

    def significant(self, span: Span, limit: int = 60) -> str:
        """The first `limit` characters of a span's code, without those that formatters add, remove or exchange."""
        kept: list[str] = []
        for number in range(span.start.line, min(span.end.line, self.line_count) + 1):
            line = self.line(number)
            first = span.start.column - 1 if number == span.start.line else 0
            last = span.end.column - 1 if number == span.end.line else len(line)
            kept += (c for c in line[first:last] if c not in _FORMATTING and not c.isspace())
            if len(kept) >= limit:
                break
        return "".join(kept[:limit])

    def line_at(self, offset: int) -> int:
        """The line (from 1) that holds a byte offset; offsets outside the file are moved to its ends."""
        return bisect_right(self._lines[0], min(max(offset, 0), len(self.text)))

    def line_start(self, number: int) -> int:
        """The byte offset at which line `number` (from 1) starts."""
        starts = self._lines[0]
        return starts[min(max(number, 1), len(starts)) - 1]

    def position(self, offset: int) -> Position:
        """The position of a byte offset; offsets outside the file are moved to its ends."""
        starts, lines = self._lines
        number = self.line_at(offset)
        line = lines[number - 1].rstrip(b"\r\n")
        width = min(max(offset - starts[number - 1], 0), len(line))
        before = line[:width]
        return Position(number, (width if before.isascii() else len(before.decode("utf-8", "replace"))) + 1)

    def span(self, start: int, end: int) -> Span:
        """The span of the byte offsets from `start` up to `end`; empty where `end` comes first."""
        return Span(self.position(start), self.position(max(start, end)))


def as_utf8(data: bytes) -> bytes:
    """The bytes without a byte order mark; UTF-16 with one is decoded and encoded again."""
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace").encode("utf-8", "replace")
    return data


# UTF-32 first: its little-endian mark starts with that of UTF-16.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read(file: str | Path, path: str) -> Source | Skip:
    """Reads a file that is reported as `path`.

    Raises:
        ReadError: it is missing, no regular file, not permitted, or shorter than it was when it was opened.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe waits for somebody to write into it.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise ReadError(reason(error)) from None
    except ValueError:
        raise ReadError("not a possible path") from None
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise ReadError("is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise ReadError("not a regular file")
        if status.st_size > SIZE_LIMIT:
            return Skip(path, f"larger than {SIZE_LIMIT // 1_000_000} MB")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            data = stream.read()
    except OSError as error:
        raise ReadError(reason(error)) from None
    finally:
        os.close(handle)
    if len(data) < status.st_size:
        raise ReadError("became shorter while it was read")
    return checked(Source.decode(path, data))


def checked(source: Source) -> Source | Skip:
    """The source, or why it is not looked at: binary, minified or generated."""
    text = source.text
    if b"\0" in text:
        return Skip(source.path, "binary (holds NUL bytes)")
    if len(text) > SIZE_LIMIT:
        return Skip(source.path, f"larger than {SIZE_LIMIT // 1_000_000} MB")
    if is_generated(text):
        return Skip(source.path, "generated")
    if is_minified(source.path, text):
        return Skip(source.path, "minified")
    return source


def is_generated(text: bytes) -> bool:
    """Whether a comment near the top says so: `@generated`, or "generated" with "do not edit"."""
    head = text[:HEAD].lower()
    if b"generated" not in head:
        return False
    for raw in head.splitlines()[:HEAD_LINES]:
        line = raw.strip()
        if not line.startswith(_COMMENT_STARTS):
            continue
        if b"generated" in line and b"do not edit" in line:
            return True
        if b"@generated" in line.replace(b"*/", b" ").replace(b"-->", b" ").split():
            return True
    return False


def is_minified(path: str, text: bytes) -> bool:
    """Whether a build made it: by its name (`*.min.js`), or because its lines are far too long."""
    stem, _ = os.path.splitext(os.path.basename(path).lower())
    if stem.endswith((".min", "-min")):
        return True
    if len(text) < MINIFIED_SIZE:
        return False
    newlines = text.count(b"\n") + text.count(b"\r")
    if len(text) > MINIFIED_AVERAGE * (newlines + 1):
        return True
    return len(text) > LINE_LIMIT and any(len(line) > LINE_LIMIT for line in text.splitlines())


def reason(error: OSError) -> str:
    """What went wrong, as one lower-case line without the path."""
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]
