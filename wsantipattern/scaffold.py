"""A new rule to start from: its file and its fixtures, which work as they are written.

The rule that is written is a small real one (a connection is used after it was closed), so that a first
`wsantipattern test` passes and every part of it can be exchanged for the author's own. Writes no file that exists.
"""

from __future__ import annotations

import os
from pathlib import Path

from wsantipattern.convention import is_rule_id
from wsantipattern.source import reason


class ScaffoldError(Exception):
    """A rule that cannot be written; the message is one line."""


def create(rule_id: str, rules_dir: str | Path, fixtures_dir: str | Path) -> list[Path]:
    """Writes the file and the fixtures of a new rule.

    Args:
        rule_id: as `timer-not-cleared`: lower-case words with dashes that name the bad thing.
        rules_dir: the folder of the pack; made where it is missing.
        fixtures_dir: the folder with a folder for each rule; made where it is missing.

    Returns:
        What was written, the rule's file first.

    Raises:
        ScaffoldError: the id cannot be one, a file exists already, or a folder cannot be written.
    """
    if not is_rule_id(rule_id):
        raise ScaffoldError(
            f"{rule_id} cannot be a rule's id: use two to four lower-case words with dashes that name the bad "
            "thing, like timer-not-cleared"
        )
    name = rule_id.replace("-", "_")
    texts = {Path(rules_dir, f"{name}.py"): _RULE.replace("RULE_NAME", name).replace("RULE_ID", rule_id)}
    for file, text in _FIXTURES.items():
        texts[Path(fixtures_dir, rule_id, file)] = text.replace("RULE_ID", rule_id)
    for path in texts:
        if os.path.lexists(path):
            raise ScaffoldError(f"{path} exists already")
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise ScaffoldError(f"{path}: {reason(error)}") from None
    return list(texts)


_RULE = '''\
"""A connection is sent on after it was closed.

The first line is the summary; paragraphs like this one say more. Read the page as
a user will: `wsantipattern explain RULE_ID`.

Why
    What the mistake costs whoever runs the program.

Instead
    What to write in its place.

Limits
    Missed alarm: what the rule cannot see. False alarm: where it speaks without need.
"""

from collections.abc import Iterator

from wsantipattern import Function, Match, Roles, rule

CLOSES = ("close", "Close")
SENDS = ("send", "Send", "WriteMessage")


@rule(severity="warning", triggers=lambda knowledge: [b"close", b"Close"])
def RULE_NAME(function: Function, roles: Roles) -> Iterator[Match]:
    graph = function.cfg
    for closed, call in graph.calls:
        place = call.receiver_place
        if place is None or call.method not in CLOSES:
            continue
        if roles.sockets.at(place) is None:
            continue  # nothing says that this is a connection

        sends = {
            step
            for step, other in graph.calls
            if other.method in SENDS and other.receiver_place == place
        }
        renewed = {step for step, store in graph.assignments if step.target == place}
        path = graph.path(closed, to=sends, avoiding=renewed)
        if path is not None:
            yield Match(call.extent, f"`{place}` is closed before it is sent on").via(
                (call.extent, f"`{place}` is closed here"),
                (path.goal.extent, "this comes after it"),
            )
'''

_FIXTURES = {
    "bad.js": """\
export function leave(socket) {
  socket.close(); // expect: RULE_ID "`socket` is closed before"
  socket.send("bye"); // related: RULE_ID
}
""",
    "bad.go": """\
package fixture

import "github.com/gorilla/websocket"

func leave(socket *websocket.Conn) error {
	socket.Close() // expect: RULE_ID "`socket` is closed before"
	return socket.WriteMessage(websocket.TextMessage, []byte("bye")) // related: RULE_ID
}
""",
    "bad.py": """\
async def leave(socket):
    await socket.close()  # expect: RULE_ID "`socket` is closed before"
    await socket.send("bye")  # related: RULE_ID
""",
    "good.js": """\
export function leave(socket) {
  socket.send("bye");
  socket.close(); // ok: RULE_ID "nothing is sent behind it"
}

export function move(socket, url) {
  socket.close(); // ok: RULE_ID "by then it is another connection"
  socket = new WebSocket(url);
  socket.send("hello");
}
""",
    "good.go": """\
package fixture

import "github.com/gorilla/websocket"

func leave(socket *websocket.Conn) error {
	defer socket.Close() // ok: RULE_ID "it runs behind the send"
	return socket.WriteMessage(websocket.TextMessage, []byte("bye"))
}

func move(socket *websocket.Conn, url string) error {
	socket.Close() // ok: RULE_ID "by then it is another connection"
	socket, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		return err
	}
	return socket.WriteMessage(websocket.TextMessage, []byte("hello"))
}
""",
    "good.py": """\
import websockets


async def leave(socket):
    await socket.send("bye")
    await socket.close()  # ok: RULE_ID "nothing is sent behind it"


async def move(socket, url):
    await socket.close()  # ok: RULE_ID "by then it is another connection"
    socket = await websockets.connect(url)
    await socket.send("hello")
""",
}
