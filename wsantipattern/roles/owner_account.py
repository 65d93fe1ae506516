"""What is said of a surviving timer: the message, and the interleaving as a trace."""

from __future__ import annotations

from wsantipattern.model import term as t
from wsantipattern.roles.owner import End
from wsantipattern.roles.owner_survivor import Survivor


def account(survivor: Survivor) -> tuple[str, str, list[tuple[t.Extent, str]]]:
    """The message, how it calls the end, and the steps, in order."""
    armed, end, name = survivor.armed, survivor.end, survivor.armed.name
    ended = _called(end)
    steps: list[tuple[t.Extent, str]] = []
    if survivor.how == "left":
        steps.append((armed.extent, f"`{name}` is armed here"))
    if survivor.cleared is not None:
        step, place = survivor.cleared
        own = armed.collection is not None and place == armed.collection.element
        what = "another timer of the same entry" if own else f"`{place}`"
        steps.append((step.extent, f"{ended} clears {what}"))
    if survivor.early is not None:
        steps.append((survivor.early.extent, f"the connection is gone meanwhile, so {ended} leaves here"))
    elif end.closing is not None:
        done = "closes the connection" if end.link is not None else "takes the entry out"
        steps.append((end.closing.extent, f"{ended} {done}"))
    elif survivor.cleared is None:
        steps.append((end.function.name_extent, f"{ended} does not clear `{name}`"))
    if survivor.how == "revived":
        steps.extend(
            (step.extent, "closing runs this, which does not ask why") for _, step in survivor.before[:-1]
        )
        steps.append((armed.extent, f"`{name}` is armed after the end"))
    elif survivor.how == "resumed":
        step = survivor.before[0][1]
        meanwhile = "this waited meanwhile, and goes on" if step.suspends else "this runs meanwhile"
        steps.append((step.extent, meanwhile))
        steps.append((survivor.before[-1][1].extent, f"`{name}` is armed after the end"))
    last = survivor.work[-1][1] if survivor.work else None
    if last is None:
        steps.append((armed.extent, "it fires, and runs what it was given"))
    elif survivor.remakes:
        steps.append((last.extent, "it fires, and a connection is made after the end"))
    elif survivor.how == "left":
        what = "this uses the closed connection" if end.link is not None else "this runs all the same"
        steps.append((last.extent, f"it fires, and {what}"))
    verb = "is still armed" if survivor.how == "left" else "is armed again"
    return f"`{name}` {verb} after {ended}", ended, steps


def _called(end: End) -> str:
    """How a message names an end."""
    name = end.function.name
    if end.kind == "effect" or (end.kind == "hook" and not name):
        return "the cleanup"
    if not name:
        around = end.function.parent.name if end.kind == "named" and end.function.parent is not None else ""
        if around:
            return f"the end that `{around}` returns"
        return "the close handler" if end.kind == "event" else end.function.display_name
    return f"`{name}`"
