"""A recovery is taken in with a dedup tracker that its copy has outrun.

The function learns that this side is ahead of the server (the server restarted, was restored, or rolled back), takes
in what the server sends to recover, and marks each item in a tracker of seen items that no way has emptied before.

Why
    The server numbers its items anew, and the tracker knows those numbers: fresh items are dropped as duplicates,
    without an error, until the numbers pass the old mark. The user sees a gap that no reload of the data explains.

Instead
    Empty the tracker where the divergence is noticed, before the first item of the batch is marked; on every way that
    goes on to mark, and for the key that is about to be filled. Or leave, and start over with a whole copy.

Limits
    Silent where the stale way leaves, raises or delegates; where the tracker lives no longer than the call; where
    nothing compares positions; and where the container is the data itself. That this side is behind is no divergence,
    unless the function resets for it, too late or on the other branch; that ids differ is one where their name says so,
    or where the function drops for it the copy that it then fills with what the tracker lets pass.
    A way that sets the position back and marks nothing itself is not followed to the next batch, which the tracker
    judges: a program that reads again on purpose, and leaves out what it has, looks the same.
    A tracker that is emptied, but keeps a highest number beside, is taken for empty.
    What nothing shows to go on with what comes in, such as the greatest position of the copy's elements, shows a
    divergence only where the function drops the copy for it.
    The highest number seen counts as a tracker where a function of the file keeps it, item by item.
    A reset in another file is trusted where it is called by name on the tracker or its owner, and is not seen otherwise.
"""

from collections.abc import Iterator

from wsantipattern import Match, Module, Roles, remedies, rule, triggers


@rule(
    severity="error",
    triggers=triggers.dedup_trackers,
    looks_for="an item that is marked in a set, map or list",
)
def stale_dedup_tracker(module: Module, roles: Roles) -> Iterator[Match]:
    for stale in roles.trackers.stale_marks():
        message = f"{stale.handler} marks recovered items {stale.keeper} what the diverged copy had seen"
        match = Match(stale.mark.extent, message, stale.confidence, remedy=remedies.emptied_before(stale))
        known = (stale.divergence.extent, stale.divergence.account)
        marked = (stale.mark.extent, f"here `{stale.name}` judges or takes in items by what it held before")
        match.via(*((marked, known) if stale.is_late else (known, marked)))
        if stale.reset is not None:
            where = "comes too late" if stale.is_reset_after else "is not passed on this way"
            match.via((stale.reset, f"the reset here {where}"))
        yield match
