"""Code inside Markdown and HTML: each fence or script is a module of its own that maps back to its file.

Fences are found by CommonMark's rules, in lists and block quotes too; an HTML comment or `<pre>` hides what looks
like a fence. Scripts are those of HTML, Vue, Svelte and Astro files, and Astro's frontmatter. What a fragment means is
the front ends' business. Never raises on any text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from functools import cache

import tree_sitter_html
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from wsantipattern.languages import parse
from wsantipattern.model.module import Module
from wsantipattern.record import record

Offsets = list[tuple[int, int]]
"""Pairs (offset in the fragment, offset in the file), ascending; between two pairs both advance alike."""

_WORDS = {
    "js": "javascript",
    "javascript": "javascript",
    "mjs": "javascript",
    "cjs": "javascript",
    "jsx": "javascript",
    "ts": "typescript",
    "typescript": "typescript",
    "mts": "typescript",
    "cts": "typescript",
    "tsx": "tsx",
    "go": "go",
    "golang": "go",
    "py": "python",
    "python": "python",
    "python3": "python",
}
"""What a fence's info string or a script's `lang` calls a language."""

_TYPES = {
    "": "javascript",
    "module": "javascript",
    "text/javascript": "javascript",
    "application/javascript": "javascript",
    "text/ecmascript": "javascript",
    "application/ecmascript": "javascript",
    "text/babel": "javascript",
    "text/jsx": "javascript",
    "text/typescript": "typescript",
    "application/typescript": "typescript",
    "text/tsx": "tsx",
}
"""What a script's `type` calls a language; every other type is data."""

_BLANKS = b" \t"
_TAB = 4


def modules(text: bytes, path: str, form: str) -> list[Module]:
    """The modules of a file that embeds code, in order. `form` is `markdown` or `html`."""
    found: list[Module] = []
    fragments = _fences(text) if form == "markdown" else _scripts(text, path)
    for code, offsets, language in fragments:
        module = parse(code, path, language)
        module.offset_map = _composed(module.offset_map, len(module.text), len(code), offsets)
        found.append(module)
    return found


def _composed(inner: Offsets | None, length: int, written: int, outer: Offsets) -> Offsets:
    """The map of a front end that changed the fragment's text, followed by the fragment's own.

    `length` is the front end's text's, `written` the fragment's.
    """
    if inner is None:
        return outer
    host = Module("", b"", "")
    host.offset_map = outer
    pairs: Offsets = []
    nexts = [*inner[1:], (length, written)]
    following = 0
    for (offset, middle), (end, limit) in zip(inner, nexts, strict=True):
        while offset < end and middle < 0:
            pairs.append((offset, host.host_offset(0)))
            offset, middle = offset + 1, middle + 1
        close = offset + max(min(end - offset, limit - middle), 0)
        if offset < close:
            pairs.append((offset, host.host_offset(middle)))
        while following < len(outer) and outer[following][0] <= middle:
            following += 1
        while following < len(outer) and outer[following][0] < middle + close - offset:
            start, place = outer[following]
            pairs.append((offset + start - middle, place))
            following += 1
        # Text that the front end put in stands for the place where it was put.
        pairs += [(inserted, host.host_offset(limit)) for inserted in range(close, end)]
    if pairs and pairs[-1][0] < length:
        pairs.append((length, host.host_offset(written)))
    return pairs


# ------------------------------------------------------------------------------------------------ Markdown


@record(slots=True)
class _Line:
    """A line that is being read from the left. Columns count from 0, with tab stops of four."""

    text: bytes
    at: int = 0
    column: int = 0

    @property
    def rest(self) -> bytes:
        return self.text[self.at :]

    @property
    def is_blank(self) -> bool:
        return not self.rest.strip()

    @property
    def indent(self) -> int:
        """Columns of blanks from here."""
        column = self.column
        for byte in self.rest:
            if byte == 0x20:
                column += 1
            elif byte == 0x09:
                column += _TAB - column % _TAB
            else:
                break
        return column - self.column

    def skip(self, columns: int) -> None:
        """Passes over at most so many columns of blanks; a tab that reaches further is passed over whole."""
        goal = self.column + columns
        while self.column < goal and self.at < len(self.text) and self.text[self.at] in _BLANKS:
            self.column += 1 if self.text[self.at] == 0x20 else _TAB - self.column % _TAB
            self.at += 1

    def take(self, count: int) -> None:
        """Passes over so many bytes that are no tabs."""
        self.at += count
        self.column += count


@record(slots=True)
class _Fence:
    mark: int
    length: int
    indent: int
    language: str | None
    code: bytearray = field(default_factory=bytearray)
    offsets: Offsets = field(default_factory=list)


def _fences(text: bytes) -> Iterator[tuple[bytes, Offsets, str]]:
    """The fenced blocks in a known language: code, map, language."""
    containers: list[int | None] = []  # None for a block quote, the content's indentation for a list item
    fence: _Fence | None = None
    hidden_until: bytes | None = None
    at = 0
    for whole in text.splitlines(keepends=True):
        start, at = at, at + len(whole)
        line = _Line(whole)
        matched = _matching(line, containers)
        if matched < len(containers):
            if fence is not None and fence.language is not None:
                yield bytes(fence.code), fence.offsets, fence.language
            fence = hidden_until = None
            del containers[matched:]
        if hidden_until is not None:
            if hidden_until in line.rest.lower():
                hidden_until = None
        elif fence is not None:
            if _closes(line, fence):
                if fence.language is not None:
                    yield bytes(fence.code), fence.offsets, fence.language
                fence = None
            else:
                line.skip(min(fence.indent, line.indent))
                fence.offsets.append((len(fence.code), start + line.at))
                fence.code += line.rest
        else:
            _enter(line, containers)
            fence = _opened(line)
            if fence is None:
                hidden_until = _hides(line)
    if fence is not None and fence.language is not None:
        yield bytes(fence.code), fence.offsets, fence.language


def _matching(line: _Line, containers: list[int | None]) -> int:
    """Passes over the marks of the open containers that the line continues; how many those are."""
    for index, container in enumerate(containers):
        if container is None:
            if line.indent > 3 or not line.rest.lstrip(_BLANKS).startswith(b">"):
                return index
            _quote(line)
        elif line.is_blank or line.indent >= container:
            line.skip(container)
        else:
            return index
    return len(containers)


def _quote(line: _Line) -> None:
    line.skip(3)
    line.take(1)
    line.skip(1)


def _enter(line: _Line, containers: list[int | None]) -> None:
    """Opens the block quotes and list items that begin on the line."""
    while len(containers) < 100 and not line.is_blank:
        indent = line.indent
        content = line.rest.lstrip(_BLANKS)
        if indent > 3:
            return
        if content.startswith(b">"):
            _quote(line)
            containers.append(None)
            continue
        width = _marker_width(content)
        if not width:
            return
        line.skip(indent)
        line.take(width)
        gap = line.indent
        # A blank line after the marker, or code indented below it: the content starts one column after the marker.
        padding = 1 if line.is_blank or gap > 4 else gap
        line.skip(padding)
        containers.append(indent + width + padding)


def _marker_width(content: bytes) -> int:
    """The length of the list marker that a line starts with, or 0."""
    digits = len(content) - len(content.lstrip(b"0123456789"))
    if content[:1] in (b"-", b"+", b"*") and digits == 0:
        width = 1
    elif 1 <= digits <= 9 and content[digits : digits + 1] in (b".", b")"):
        width = digits + 1
    else:
        return 0
    return width if content[width : width + 1] in (b" ", b"\t", b"\n", b"\r", b"") else 0


def _opened(line: _Line) -> _Fence | None:
    """The fence that a line opens, or None."""
    indent = line.indent
    content = line.rest.strip()
    if indent > 3 or content[:1] not in (b"`", b"~"):
        return None
    mark = content[0]
    length = len(content) - len(content.lstrip(content[:1]))
    info = content[length:]
    if length < 3 or (mark == 0x60 and b"`" in info):
        return None
    return _Fence(mark, length, indent, _WORDS.get(_info_word(info.decode("utf-8", "replace"))))


def _closes(line: _Line, fence: _Fence) -> bool:
    content = line.rest.strip()
    return line.indent <= 3 and len(content) >= fence.length and all(byte == fence.mark for byte in content)


def _info_word(info: str) -> str:
    """The language of an info string: `js`, `js {1,3}`, `ts title="x"`, `{.py #id}`, `go,ignore`; lower case."""
    info = info.strip()
    if info.startswith("{"):
        info = info.strip("{}").strip()
        info = info.removeprefix(".")
    for index, character in enumerate(info):
        if character.isspace() or character in "{},:;([":
            return info[:index].lower()
    return info.lower()


def _hides(line: _Line) -> bytes | None:
    """What ends the block of raw HTML that starts on the line, where that may go over blank lines and fences."""
    content = line.rest.lstrip(_BLANKS).lower()
    if line.indent > 3 or not content.startswith(b"<"):
        return None
    ends = [(b"<!--", b"-->")]
    ends += [(b"<" + name, b"</" + name + b">") for name in (b"pre", b"script", b"style", b"textarea")]
    for opening, closing in ends:
        follows = content[len(opening) : len(opening) + 1]
        if content.startswith(opening) and (
            opening == b"<!--" or follows in (b"", b" ", b"\t", b">", b"\n", b"\r")
        ):
            return closing if closing not in content[len(opening) :] else None
    return None


# ------------------------------------------------------------------------------------------------ HTML


@cache
def _html() -> tuple[Parser, Query]:
    language = Language(tree_sitter_html.language())
    return Parser(language), Query(language, "(raw_text) @text")


def _scripts(text: bytes, path: str) -> Iterator[tuple[bytes, Offsets, str]]:
    """The scripts in a known language: code, map, language."""
    begin = 0
    if path.lower().endswith(".astro"):
        matter = _frontmatter(text)
        if matter is not None:
            start, end, begin = matter
            yield text[start:end], [(0, start)], "typescript"
    parser, query = _html()
    found = QueryCursor(query).captures(parser.parse(text[begin:]).root_node)
    for node in sorted(found.get("text", []), key=lambda n: n.start_byte):
        tag = node.prev_named_sibling
        language = _script_language(tag) if tag is not None and tag.type == "start_tag" else None
        if language is not None and node.end_byte > node.start_byte:
            yield (
                text[begin + node.start_byte : begin + node.end_byte],
                [(0, begin + node.start_byte)],
                language,
            )


def _frontmatter(text: bytes) -> tuple[int, int, int] | None:
    """Where Astro's code between two lines `---` starts and ends, and where the page starts."""
    at = 0
    start: int | None = None
    for line in text.splitlines(keepends=True):
        if line.strip() == b"---":
            if start is not None:
                return start, at, at + len(line)
            start = at + len(line)
        elif start is None and line.strip():
            return None
        at += len(line)
    return None


def _script_language(tag: Node) -> str | None:
    """The language of the script that a start tag opens; None for data, for styles and for unknown languages."""
    name = ""
    attributes: dict[str, str] = {}
    for child in tag.named_children:
        if child.type == "tag_name":
            name = _text(child).lower()
        elif child.type == "attribute":
            parts = child.named_children
            key = _text(parts[0]).lower() if parts else ""
            attributes[key] = _text(parts[1]).strip("\"'").strip().lower() if len(parts) > 1 else ""
    if name != "script":
        return None
    by_type = _TYPES.get(attributes.get("type", ""))
    spoken = attributes.get("lang", "")
    return _WORDS.get(spoken) if spoken and by_type is not None else by_type


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
