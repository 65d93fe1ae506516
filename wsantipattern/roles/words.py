"""Words of a name, split at camelCase and snake_case. Words are weak evidence: they never make a finding `high`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from wsantipattern.model.place import ELEMENT, Place


@lru_cache(maxsize=4096)
def split(name: str) -> tuple[str, ...]:
    """The words of one name, lower case: `lastSentSeq` and `last_sent_seq` are (last, sent, seq)."""
    found: list[str] = []
    current = ""
    for index, character in enumerate(name):
        if not character.isalnum():
            if current:
                found.append(current)
            current = ""
            continue
        following = name[index + 1] if index + 1 < len(name) else ""
        starts = character.isupper() and (
            (current and not current[-1].isupper()) or (current and following.islower())
        )
        if starts:
            found.append(current)
            current = ""
        current += character
    if current:
        found.append(current)
    return tuple(word.lower() for word in found)


def of_place(place: Place) -> tuple[str, ...]:
    """The words of every part of a place, in order."""
    found = list(split(place.root.name))
    for part in place.path:
        if part != ELEMENT:
            found.extend(split(part))
    return tuple(found)


def any_of(words: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether one of the words is wanted."""
    return not set(wanted).isdisjoint(words)
