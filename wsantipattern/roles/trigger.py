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
    """The names of fields and methods by which sockets tell their state, and the modules whose sockets tell none."""
    found = set(knowledge.names("socket", "state_fields"))
    for library in knowledge.entries("socket", "library"):
        for key in ("state_fields", "open_flags", "closed_flags", "inner_open"):
            found.update(library.get(key, []))
        if library.get("wrapped"):
            found.update(library.get("modules", []))
    found.add("WebSocket")
    return sorted(name.encode() for name in found)

def watermarks(knowledge: Knowledge) -> list[bytes]:
    """Operators that put two values in order, and the names of functions that do."""
    del knowledge
    return [b"<", b">", b"max", b"Max"]
