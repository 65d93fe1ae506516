"""Shards: the files of one run divided among several machines.

Guarantees that every machine which has the same files comes to the same division, that each file is in exactly one
part, and that the parts are balanced by bytes. Reads sizes only.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Sequence

MOST = 10_000
"""Parts that a run may be divided into."""


class ShardError(Exception):
    """A shard that cannot be; the message says what is wrong with it."""


def parse(text: str) -> tuple[int, int]:
    """The part and the number of parts that `I/N` says, both from 1.

    Raises:
        ShardError: it says nothing of the kind.
    """
    first, slash, second = text.partition("/")
    if not slash or not (first.isascii() and first.isdigit() and second.isascii() and second.isdigit()):
        raise ShardError(f"{text} is not of the form I/N, as in 1/4")
    index, count = int(first[:6]), int(second[:6])
    if not 1 <= index <= count <= MOST:
        raise ShardError(f"{text} is no part: I goes from 1 to N, and N to {MOST}")
    return index, count


def part(files: Sequence[str], index: int, count: int) -> list[str]:
    """The files of part `index` (from 1) of `count`, in the order given."""
    sizes = {file: _size(file) for file in files}
    loads = [(0, number) for number in range(1, count + 1)]
    chosen: set[str] = set()
    for file in sorted(files, key=lambda f: (-sizes[f], f)):
        load, number = loads[0]
        # Each file counts a little for itself: thousands of empty ones are work, too.
        heapq.heapreplace(loads, (load + sizes[file] + 1, number))
        if number == index:
            chosen.add(file)
    return [file for file in files if file in chosen]


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return 0  # an error of the file, said where it is read
