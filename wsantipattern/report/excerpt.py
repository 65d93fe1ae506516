"""Source lines as a terminal shows them: cropped, tabs expanded, with the cells that a span covers.

Guarantees that an underline stands below the characters it means, for tabs, wide and combining characters, and that
no control or bidirectional character of a file reaches the terminal. Knows nothing of colour or of findings' rules.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from wsantipattern.finding import Span
from wsantipattern.record import record
from wsantipattern.source import Source

TAB = 4
"""Cells between tab stops."""

_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SEPARATORS = frozenset("\u0085\u2028\u2029")


@record(frozen=True, slots=True)
class Excerpt:
    """One line of source with a span on it.

    Attributes:
        number: of the line, from 1.
        text: what to print; each character stands as it is.
        indent: cells before the span.
        length: cells that the span covers on this line, at least 1.
        last_line: where the span ends, when it goes on below this line; else None.
    """

    number: int
    text: str
    indent: int
    length: int
    last_line: int | None


class Excerpts:
    """Excerpts of the files that a loader knows; each file is loaded and split once."""

    def __init__(self, load: Callable[[str], bytes | None]) -> None:
        self._load = load
        self._sources: dict[str, Source | None] = {}

    def line(self, path: str, number: int) -> str | None:
        """Line `number` (from 1) without its end, or None where the file or the line is not there."""
        if path not in self._sources:
            data = self._load(path)
            self._sources[path] = None if data is None else Source.decode(path, data)
        source = self._sources[path]
        return source.line(number) if source is not None and 1 <= number <= source.line_count else None

    def at(self, path: str, span: Span, width: int) -> Excerpt | None:
        """The first line of a span, in at most `width` cells (0: uncropped), or None where there is no source."""
        line = self.line(path, span.start.line)
        if line is None:
            return None
        start = min(max(span.start.column - 1, 0), len(line))
        goes_on = span.end.line > span.start.line
        end = len(line) if goes_on else min(max(span.end.column - 1, start), len(line))
        text, indent, length = crop(line, start, end, width)
        return Excerpt(span.start.line, text, indent, length, span.end.line if goes_on else None)


def crop(line: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """A line for display, with the cells before and of its code points from `start` up to `end`.

    Cut to `width` cells (0: not at all), keeping the start of the span and as much of it as fits.
    """
    low, high = 0, len(line)
    if width > 0:
        # Only what can come near the window is measured: lines may be megabytes long.
        low, high = max(0, start - 2 * width), min(len(line), start + 2 * width)
    shown, cells = _display(line[low:high])
    start, end = start - low, min(end, high) - low
    first, last = 0, len(shown)
    is_cut = low > 0 or high < len(line)
    if width > 0 and (is_cut or sum(cells) > width):
        room = max(width - 2, 1)  # an ellipsis on either side
        span_cells = sum(cells[start:end])
        if low == 0 and sum(cells[:start]) + min(span_cells, room) <= room:
            first = 0
        else:
            context = max(room - span_cells, min(room // 4, 12)) // 2
            first = start
            while first > 0 and context >= cells[first - 1]:
                first -= 1
                context -= cells[first]
            while 0 < first < start and cells[first] == 0:
                first += 1
        last = first
        used = 0
        while last < len(shown) and used + cells[last] <= room:
            used += cells[last]
            last += 1
    before = "…" if first > 0 or low > 0 else ""
    after = "…" if last < len(shown) or high < len(line) else ""
    text = before + "".join(shown[first:last]) + after
    end = max(min(end, last), start)
    return text.rstrip(), len(before) + sum(cells[first:start]), max(sum(cells[start:end]), 1)


def plain(text: str) -> str:
    """A text for one line of a terminal: no line ends, no control and no direction-changing characters."""
    return "".join(_visible(c) for c in text)


def _display(line: str) -> tuple[list[str], list[int]]:
    """What stands for each character of a line, and how many cells that takes."""
    shown: list[str] = []
    cells: list[int] = []
    column = 0
    for character in line:
        if character == "\t":
            size = TAB - column % TAB
            text = " " * size
        else:
            text = _visible(character)
            size = _cells(text)
        shown.append(text)
        cells.append(size)
        column += size
    return shown, cells


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 or character in _DIRECTION or character in _SEPARATORS:
        return "\ufffd"
    return character


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
