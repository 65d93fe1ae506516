"""`debug roles`: which place plays which role, and the line that says so."""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.languages import modules
from wsantipattern.roles.description import describe

FEED = b"""
const ws = new WebSocket("wss://feed.example");
const seen = new Set();
let last = 0;
let heard = Date.now();
ws.addEventListener("message", (event) => {
  heard = Date.now();
  const quote = JSON.parse(event.data);
  if (quote.seq <= last) return;
  last = quote.seq;
  if (seen.has(quote.id)) return;
  seen.add(quote.id);
  paint(quote);
});
async function ping() {
  if (Date.now() - heard > 30000) ws.close();
  const limit = setTimeout(fail, 500);
  await answer();
  clearTimeout(limit);
}
"""


def test_each_role_names_its_place_and_line() -> None:
    (module,) = modules(FEED, "feed.js", ".js")
    rows = {(role, place, line) for role, place, line, _ in describe(module, Knowledge.builtin(), FEED)}
    assert ("socket", "ws", 2) in rows
    assert ("message", "event", 6) in rows
    assert ("liveness", "heard", 7) in rows
    assert ("watermark", "last", 10) in rows
    assert ("dedup", "seen", 12) in rows
    assert ("timer", "limit", 17) in rows


def test_lines_are_those_of_the_host() -> None:
    host = b"# Notes\n\n```js\nlet t = setTimeout(f, 1);\n```\n"
    (module,) = modules(host, "notes.md", ".md")
    assert [row[2] for row in describe(module, Knowledge.builtin(), host)] == [4]
