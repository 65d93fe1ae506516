"""Hints for misspelt names. Knows no names of its own."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, words: Iterable[str]) -> str:
    """`; did you mean x?` for the most similar of the words, or nothing."""
    import difflib

    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""
