"""Content of a message is appended without a look whether it is there.

A message of a transport that can send again (a WebSocket that reconnects, an EventSource, socket.io, a broker that
delivers at least once) is added to a text or a list that outlives it, and no test on the way proves the content new.

Why
    After a reconnect the sender repeats the last messages, because it cannot know which of them arrived. Each of them
    is appended once more: the answer stutters, the transcript shows lines twice, and nothing heals it until the page
    is loaded again.

Instead
    Let each message say where it belongs, and compare that before appending: a sequence number above the last one
    taken, an offset equal to the present length, a set of ids that were seen. Where the sender gives nothing of the
    kind, skip what the text already ends with; but that also drops a legitimate repeat ("ha" and again "ha"), and it
    misses a repeat that is cut differently, so a sequence number or an offset is better.

Limits
    Silent for the body of one HTTP response, pipes and files, for text that is replaced, numbers, sets, queues
    that are worked off and lists that are named as one, where every connection or message begins with an empty
    text, where the text is read from one connection to its end before anybody sees it, for what one loop over a
    connection brings into a variable of its function, for objects that are made together with their connection,
    for the server's end of a socket.io connection, for libraries that connect again only when asked to, for
    terminals, for lists of which only the newest items are kept (a chat whose history is cut to 500 lines still
    shows some of them twice), for entries that hold the connection itself (`seats.push({ socket, name })`: they register
    it, and a history that keeps each sender's socket is taken for that), for what is read once before an object made
    with its connection is handed out, and in files of tests. Of more than three additions of a function to one place, the
    first is reported, and the next ones are its trace. Nothing in a client tells whether its server sends anything
    again: feeds of what is live only are reported like those with a history. A field that outlives its connection
    is reported also where nothing of the file connects again: who calls it may, and whether the sender repeats
    itself, no file tells. A function of another file that is asked about the content by a telling name counts as a
    test. Messages that reach a function only through other files, through the queue of a framework (bubbletea), or
    through a parameter of two constructors one after the other are not seen, and no event stream that is read line
    by line from a plain HTTP response.
"""

from collections.abc import Iterator

from wsantipattern import Match, Module, Roles, remedies, rule, triggers

SHOWN = 4
"""Further additions to one place that a trace names."""


@rule(
    severity="warning",
    triggers=triggers.transports,
    looks_for="something that is appended to a text or a list",
)
def unguarded_append(module: Module, roles: Roles) -> Iterator[Match]:
    for addition in roles.accumulations.unguarded():
        message = (
            f"content of a message is appended to `{addition.name}`, and nothing on the way proves it new"
        )
        match = Match(addition.extent, message, addition.confidence, remedy=remedies.guarded(addition))
        match.via(*((extent, text) for extent, text in addition.message.evidence.reasons if extent != (0, 0)))
        match.via(*((other, "this appends to it, too") for other in addition.others[:SHOWN]))
        if len(addition.others) > SHOWN:
            more = len(addition.others) - SHOWN
            match.via((addition.function.name_extent, f"and so do {more} more places of this function"))
        yield match.via((addition.extent, "what is sent again after a reconnect is appended once more"))
