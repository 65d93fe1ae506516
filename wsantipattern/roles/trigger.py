"""Triggers: the byte strings that a file must hold for a rule over a role to look at it.

Each function takes the knowledge of the run, so that a project's own words and wrappers trigger as well.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge


def timers(knowledge: Knowledge) -> list[bytes]:
    """The last words of everything that arms a timer."""
    names = (entry.get("call") or entry.get("method") or "" for entry in knowledge.entries("timer", "arm"))
    return sorted({name.rpartition(".")[2].encode() for name in names if name})


def socket_states(knowledge: Knowledge) -> list[bytes]:
    """The names of fields and methods by which sockets tell their state."""
    found = set(knowledge.names("socket", "state_fields"))
    for library in knowledge.entries("socket", "library"):
        for key in ("state_fields", "open_flags", "closed_flags"):
            found.update(library.get(key, []))
    return sorted(name.encode() for name in found)
