"""Fixtures as their code would stand in a project: without the comments that say what is expected."""

from __future__ import annotations

from pathlib import Path

from wsantipattern.files import ending_of
from wsantipattern.languages import modules
from wsantipattern.languages.comments import comments as extents

_KINDS = (b"expect:", b"ok:", b"related:", b"missed:", b"false-alarm:")


def comments(text: bytes, path: str | Path) -> list[bytes]:
    """The comments of a text, with their marks."""
    name = Path(path).name
    ending = ending_of(name)
    return [text[a:b] for a, b in extents(text, ending, modules(text, name, ending))]


def bare(path: Path) -> bytes:
    """A fixture's text without its annotations; a line that held nothing else goes too."""
    text = path.read_bytes()
    ending = ending_of(path.name)
    for start, end in sorted(extents(text, ending, modules(text, path.name, ending)), reverse=True):
        if not text[start:end].lstrip(b"/#* ").startswith(_KINDS):
            continue
        first = text.rfind(b"\n", 0, start) + 1
        if text[first:start].strip(b" \t{") or text[end : end + 1] not in (b"\n", b""):
            start = len(text[:start].rstrip(b" \t"))
            text = text[:start] + text[end:]
        else:
            text = text[:first] + text[end + 1 :]
    return text
