"""A watermark of what was delivered is set back.

The file keeps the position up to which something was delivered, and lets it rise only. On one path it goes back: an
error handler or a fallback sets it to nothing, or a handler overwrites it with what an answer happens to carry (a
count, the head of an older answer, the last item of a batch) without comparing the two.

Why
    The stream goes on meanwhile. What was delivered after the position that the watermark now has counts as new
    again: the next replay or the next buffered event sends it a second time.

Instead
    Leave the watermark alone on the fallback path: what another path has delivered stays delivered. Let a loaded
    value only raise it (`max(watermark, loaded)`). When the receiver drops what it has, or another session begins,
    reset both in the same place.

Limits
    Silent in constructors, where another session or stream was found to begin, where the same path clears what the
    watermark describes, where the object ends, and for positions that a caller passes in. A watermark is found by the
    comparison that lets it rise, in the same file, with what is handed on, or with what the peer acknowledges where the
    name says so (`acked`) and something is asked with it; without it only a name like `lastSentSeq` counts, on a plain
    fallback path. Elements of one map are not told apart. What a message brings counts where another kind of message
    lets the position rise; not where the word of the kind says that positions start anew or may go back (`welcome`,
    `snapshot`, `rewind`), or where the message also brings what may be shown. That a position which a peer asks for
    is gone is told by names (`covers(from)`, `after > len(log)`), and counts only where the peer was given something
    before. A position that a lost connection alone sets back is
    reported only where the file asks with the old one: many servers number each connection anew. One that is loaded
    anew on each connect, without a failure on the way, is not reported. Nor is an entry of a map that is deleted where
    an answer is late, or a checkpoint that is saved only now and then and loaded where an attempt fails. Priorities, levels, thresholds and other words
    for what rises and is no position are silent by their names. That a reducer drops the view is told by the
    words of its action (`emptied`, `reset`).
"""

from collections.abc import Iterator

from wsantipattern import Match, Module, Roles, remedies, rule, triggers


@rule(
    severity="error",
    triggers=triggers.watermarks,
    looks_for="an assignment to a position that is kept",
)
def watermark_reset(module: Module, roles: Roles) -> Iterator[Match]:
    for setback in roles.watermarks.setbacks():
        yield Match(
            setback.move.extent,
            roles.watermarks.message(setback),
            setback.confidence,
            roles.watermarks.trace(setback),
            remedies.left_alone(setback),
        )
