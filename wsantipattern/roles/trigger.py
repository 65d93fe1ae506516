"""Triggers: the byte strings that a file must hold for a rule over a role to look at it.

Each function takes the knowledge of the run, so that a project's own words and wrappers trigger as well.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge


def timers(knowledge: Knowledge) -> list[bytes]:
    """The last words of everything that arms a timer."""
    names = (entry.get("call") or entry.get("method") or "" for entry in knowledge.entries("timer", "arm"))
    return sorted({name.rpartition(".")[2].encode() for name in names if name})


def owner_timers(knowledge: Knowledge) -> list[bytes]:
    """The last words of what arms a timer that runs a function, starts a task, or ticks."""
    names = (
        entry.get("call") or entry.get("method") or ""
        for entry in knowledge.entries("timer", "arm")
        if {"callback", "task", "ticks"} & set(entry)
    )
    return sorted({name.rpartition(".")[2].encode() for name in names if name})


def socket_states(knowledge: Knowledge) -> list[bytes]:
    """The state fields of any socket, and the modules of the libraries that have a state or are wrapped in one."""
    found = {"WebSocket", *knowledge.names("socket", "state_fields")}
    for library in knowledge.entries("socket", "library"):
        if library.get("transport", "websocket") == "websocket":
            # A name as short as `ws` is everywhere; what it hands out has a state field.
            found.update(name for name in library.get("modules", []) if len(name) > 3)
    return sorted(name.encode() for name in found)


def watermarks(knowledge: Knowledge) -> list[bytes]:
    """Operators that put two values in order, names of functions that do, and words that alone say "delivered"."""
    words = knowledge.names("watermark", "delivery") | knowledge.names("words", "watermark")
    latest = knowledge.names("watermark", "recency") | knowledge.names("watermark", "cursors")
    joined = {form.encode() for word in words for form in (word.capitalize(), f"_{word}")}
    return sorted(
        {b"<", b">", b"max", b"Max", *joined}
        | {w.encode() for w in knowledge.names("words", "watermark")}
        | {form.encode() for word in latest for form in (word, word.capitalize())}
    )


def dedup_trackers(knowledge: Knowledge) -> list[bytes]:
    """The names of methods that add to a container, the ways to write a key, and the words of functions that mark."""
    names = knowledge.names("dedup", "adds") | knowledge.names("dedup", "adds_all")
    marking = knowledge.names("words", "marking")
    found = {f"{name}(" for name in names} | set(marking) | {word.capitalize() for word in marking} | {"] ="}
    return sorted(word.encode() for word in found)


def transports(knowledge: Knowledge) -> list[bytes]:
    """What a file that takes messages from a transport speaks of: modules, constructors, the word itself, a message."""
    found = {"WebSocket", "websocket", "EventSource", "ocket", "ws.", "WS", "msg."}
    for library in knowledge.entries("socket", "library"):
        if library.get("transport", "websocket") != "other":
            found.update(name for name in library.get("modules", []) if len(name) > 3)
    for feed in knowledge.entries("message", "feed"):
        # What tells of a library that another file imports.
        found.update((*feed.get("events", []), *feed.get("spelled", [])))
        found.update(f"{name}." for name in feed.get("connections", []))
        found.update(name.rpartition(".")[2] for name in feed.get("hooks", []))
    return sorted(name.encode() for name in found)
