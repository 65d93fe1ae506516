"""Text to model: which front end reads which file.

A front end knows its language's syntax and builtins, and no library. `parse` never raises on any text.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsantipattern.model.module import Module

EXTENSIONS: dict[str, str] = {
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".go": "go",
    ".py": "python",
    ".pyi": "python",
}
"""File endings, lower case, and the language they hold."""

HOSTS: dict[str, str] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".vue": "html",
    ".svelte": "html",
    ".astro": "html",
}
"""Endings of files that embed code, and the form they embed it in."""

_FRONT_ENDS = {
    "javascript": "wsantipattern.languages.javascript",
    "typescript": "wsantipattern.languages.javascript",
    "tsx": "wsantipattern.languages.javascript",
    "go": "wsantipattern.languages.go",
    "python": "wsantipattern.languages.python",
}


def parse(text: bytes, path: str, language: str) -> Module:
    """The model of one text in a language of `EXTENSIONS`."""
    front_end: Callable[[bytes, str, str], Module] = importlib.import_module(_FRONT_ENDS[language]).parse
    return front_end(text, path, language)


def modules(text: bytes, path: str, ending: str) -> list[Module]:
    """The modules of a file with this ending (lower case, with the dot): one, or one for each embedded fragment."""
    if ending in EXTENSIONS:
        return [parse(text, path, EXTENSIONS[ending])]
    if ending in HOSTS:
        from wsantipattern.languages import embedded

        return embedded.modules(text, path, HOSTS[ending])
    return []
