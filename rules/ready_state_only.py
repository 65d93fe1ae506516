"""A send trusts the socket's own state, which stays open on a dead link.

The send is guarded by `readyState`, `closed`, `client_state` or the like, or by a wrapper's own `connected` flag, and by
nothing that shows that the peer is still there: no answer that was counted, no age of the last message, no heartbeat.

Why
    A link that died without a close (sleep, lost network, a dropped NAT entry) keeps its state for minutes. Each
    send in that time succeeds, goes into a buffer and is never delivered; nobody is told.

Instead
    Ask the peer: count unanswered pings, or look at the age of the last message, and close the socket when it is
    too old. Then the state means something again, here and everywhere. Or switch the library's heartbeat on.

Limits
    Silent where any guard of the send, or anything in the file that closes the socket, depends on what the peer
    answered; where the message is itself a ping; and where the library or the server keeps the link alive by default.
    A dead peer that another file notices is not seen; but a transport that only hands on what it is given, and tells
    its owner of the end, is `low`: its owner mostly watches over it. A farewell while the link ends is no loss. A flag
    of a wrapper counts where the file shows that it follows the making and the end of the connection, and nothing the
    peer says; in Go also by its words (`medium`). The connections of one map or list are not told apart: a question
    to one of them counts for all. The same message sent at a set pace, in a loop that sleeps, counts as the question
    where something of the file waits for an answer. Silent too where all connections of the file are to `localhost`
    by a literal address. Of several classes that a connection may be made of, the first that is known decides.
"""

from collections.abc import Iterator

from wsantipattern import Match, Module, Roles, remedies, rule, triggers


@rule(
    severity="warning",
    triggers=triggers.socket_states,
    looks_for="a send on a connection",
)
def ready_state_only(module: Module, roles: Roles) -> Iterator[Match]:
    for first, *others in roles.states.by_owner():
        said = f"`{first.flag}` says" if first.flag is not None else "its own state says"
        message = f"`{first.shown}` is sent to because {said} open, which a dead link says too"
        match = Match(first.call.extent, message, first.confidence, remedy=remedies.asked(first.shown))
        match.via((first.fact.term.extent, "only the socket's own state is asked here"))
        match.via((first.call.extent, "on a link that died without a close, this is lost without an error"))
        yield match.via(
            *((other.call.extent, f"`{other.shown}` is trusted in the same way here") for other in others)
        )
