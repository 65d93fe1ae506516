"""Triggers: the byte strings that a file must hold for a rule over a role to look at it.

Each function takes the knowledge of the run, so that a project's own words and wrappers trigger as well.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge


def timers(knowledge: Knowledge) -> list[bytes]:
    """The last words of everything that arms a timer."""
    names = (entry.get("call") or entry.get("method") or "" for entry in knowledge.entries("timer", "arm"))
    return sorted({name.rpartition(".")[2].encode() for name in names if name})
