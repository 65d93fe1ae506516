"""A timer is cleared on some ways out of its function, but not on all.

The function arms a timer (a timeout, a ticker, a watchdog task, a context with a deadline) and means to clear it;
on one way it leaves with the timer still armed: an await that rejects, an exception, an early return, a settle call
of a promise that forgets it.

Why
    The timer fires after the work is over. A "could not be confirmed" warning follows the error that was already
    shown; a timeout rejects or aborts the next attempt; a watchdog closes a healthy connection. A ticker or a
    context that is never released stays alive as long as the process.

Instead
    Clear where control always passes: `finally`, `defer`, `.finally()`, `with`. In a promise executor let one
    helper clear and settle, and call nothing else.

Limits
    Silent where nothing in the function clears the timer (another owner may), where the handle or a closure that
    clears it is given away, and where only plain synchronous code stands between arming and clearing. A panic
    inside of a call, an exception thrown by a call outside `try`, and a `finally` that fails itself are not ways
    out. A condition in a `finally` or deferred body that leaves the timer armed counts as a decision. A task is a
    watchdog only where nothing awaits it, reads its result or hands it over (to `asyncio.gather`, say), and none in
    files of tests. A loop over the handles or their names that clears each of them counts as a clear of each, also
    where it would run over none. Promises and futures are followed to the handlers in the same function that settle
    them; Twisted's Deferreds are not. Another handler of the very event that settles one, and that may clear the timer,
    counts as a clear. A function that clears the timer and is given to something of another file
    (`stack.callback(stop)`) counts as a clear. Functions of other files are not followed, and an object that the function
    makes, starts and stops (`beat.start()`, `beat.stop()`) is no timer of it.
"""

from collections.abc import Iterator

from wsantipattern import Confidence, Function, Match, Roles, rule, triggers


@rule(severity="error", triggers=triggers.timers, looks_for="a timer that is armed and kept in a variable")
def timer_not_cleared(function: Function, roles: Roles) -> Iterator[Match]:
    for timer in roles.timers.armed_in(function):
        armed = (timer.extent, f"`{timer.place}` {timer.arming.made} here")
        considered = function.module.considered
        made = timer.call.extent
        considered.evidence(
            timer.extent, "`{}` is a timer: `{}` arms it", timer.place, timer.arming.name, at=made
        )
        settle = roles.timers.executors.leaky_settle(function, timer)
        if settle is not None:
            handler, way, awaited = settle
            what = "another handler of the {} clears `{}`, and {} does not"
            considered.evidence(
                timer.extent, what, awaited, timer.place, roles.timers.described(handler), at=way.goal.extent
            )
            settled = (
                way.goal.extent,
                f"this settles the {awaited}, and `{timer.place}` stays {timer.arming.state}",
            )
            message = f"`{timer.place}` is still {timer.arming.state} when {roles.timers.described(handler)} settles the {awaited}"
            clear = roles.timers.clear_before(function, timer, way)
            yield Match(timer.extent, message, remedy=clear).via(armed, settled)
            continue
        leak = roles.timers.way_out(function, timer)
        if leak is not None:
            steps, end = roles.timers.account(function, timer, leak)
            what = "there is a way on which {} with `{}` {}"
            considered.evidence(timer.extent, what, end, timer.place, timer.arming.state, at=leak.goal.extent)
            sure = Confidence.MEDIUM if roles.timers.has_other_owner(function, timer) else Confidence.HIGH
            message = f"`{timer.place}` is still {timer.arming.state} when {end}"
            remedy = roles.timers.clear_always(function, timer)
            yield Match(timer.extent, message, sure, remedy=remedy).via(armed, *steps)
