"""A timer is still armed, or armed again, after its owner has ended.

A class, hook, component or closure has an end (a close method, an unmount cleanup, a close handler) and a timer, or a map
or list of them. The end forgets it; or it clears it, and then the close event, or a callback that was waiting, arms it
again, because nothing there looks whether the owner has ended.

Why
    The reconnect timer opens a connection after the user has logged out or left the page. The heartbeat sends on a
    closed socket, once more for each connection that was ever made. What was stopped polls on.

Instead
    Clear every timer at every end; those in a map or list, in a loop. Note in a field that the owner has ended, before the
    connection is closed, and look at it where the timer is armed and first thing in its callback. Or take the close handler
    away before closing.

Limits
    Silent where the owner has no end in the file; where anything on the way to the timer, or in its callback,
    reads what the end changes, what another method switches, or what the close event carries; where the end takes
    the handler away or connects anew; where the connection's own handlers or timers call an end that is private,
    or begin anew after it; and where the end calls something of another file with the timer or its owner. Contexts
    are left out; a task counts where a field keeps it and it sleeps in a loop, a ticker of Go where a field keeps it
    and one function takes its ticks, a task only where the end cancels another one or something else cancels this
    one; of libraries that reconnect by themselves, only what they are told to close counts. A one-shot timer counts
    where it connects anew, arms itself again, where another end clears it, or where a close handler clears another
    timer. Timers in a map, object, list or set count where
    nobody of another file has it and the end does not so much as name it, or only empties it; a single one that is
    cleared in good time shows that they are to be cleared. Without a connection that the callback uses, only the
    end of a component, or a method such as `destroy` that clears another timer, is an end, and a callback that
    asks for anything that the end writes is silent. That an end was asked for may be told by another object
    (`session.wanted`): this is seen only where it says that somebody is logged in. A clear that a new start always follows is no clear. A repeating timer
    that the next connection clears first is not reported. An end that clears another timer of the owner counts for
    those that are also cleared for good somewhere, that use what the end closes, or that are cleared and armed
    together with the other one. The timers of an entry that is taken out of a collection count where the removal
    clears another timer of the entry, or another removal clears this one, and the callback does not ask the
    collection. A method by any name that clears a timer which only its maker and the timer itself arm is an end of
    it; TypeScript's `private` and names that begin with `_`, `#` or, in Go, a small letter tell who may arm it. So
    is what switches a field that nothing switches back and that keeps a timer from being armed, and the second of
    two methods that call one `release()`, close one connection, or take the object out of one list of others, where the
    first clears the timer (leaving a list counts where the method clears another timer, or its name says that it ends
    the object, and the object does not join that list by itself). An end that comes to no clear counts where a close handler forgets the connection, arms the
    timer, and the end leaves at once without a connection; and where the end closes the connection because something
    has failed, and leaves before the clear that its other ways come to. A callback that
    a caller gives counts only so: where one end clears it, and another does not. A timer that one method makes and another
    starts counts where its field is given nothing else. A connection of another file's class whose close handler only
    writes to a log may connect again by itself, and has not ended. A handler that its framework closes (tornado's
    `on_close`), and whose callback waits meanwhile and arms the timer again, is not reported.
"""

from collections.abc import Iterator

from wsantipattern import Match, Module, Roles, remedies, rule, triggers


@rule(
    severity="warning",
    triggers=triggers.owner_timers,
    looks_for="a timer that is still armed when the function that arms it returns",
)
def timer_outlives_owner(module: Module, roles: Roles) -> Iterator[Match]:
    for survivor in roles.survivors.found:
        message, end, steps = roles.survivors.account(survivor)
        remedy = remedies.ended(survivor.armed.name, end, survivor.how)
        yield Match(survivor.armed.extent, message, survivor.confidence, remedy=remedy).via(*steps)
