"""What is known of each library: every fact has its source, and docs/libraries.md says what the TOML files say.

`python tests/test_libraries.py` writes the document anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wsantipattern.knowledge import Knowledge

DOCUMENT = Path(__file__).parent.parent / "docs" / "libraries.md"
HEAD = """\
# What is known of which library

Written by `python tests/test_libraries.py` from `wsantipattern/knowledge/*.toml`; a test compares them. A project adds
its own under `[[knowledge.socket.library]]` in its configuration.

- *Kept alive*: whether a peer that is gone without a word is noticed. Where it is, `ready-state-only` is silent.
- *Dials again*: whether a new link takes over by itself. *Sends again*: whether what was missed meanwhile may come twice.
- *State*: what a program reads to learn whether the link is open.
- *Messages*: how they arrive, where that is not by the events and the methods that all have (`[message]`, `[event]`).
- *Source*: the page or the source file, and the version, in which this was read.

"""
KEPT = {"none": "no", "default": "yes", "option": "no", "server": "the server decides"}


def libraries() -> list[dict[str, Any]]:
    return Knowledge.builtin().entries("socket", "library")


def servers() -> list[dict[str, Any]]:
    return Knowledge.builtin().entries("socket", "server")


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _kept(entry: dict[str, Any]) -> str:
    kept = entry.get("keepalive", "none")
    options = entry.get("off" if kept == "default" else "on", [])
    words = _code([option["keyword"] for option in options])
    if not words:
        return KEPT[kept]
    return f"yes, unless off: {words}" if kept == "default" else f"no, unless asked for: {words}"


def _again(entry: dict[str, Any]) -> str:
    if not entry.get("reconnects"):
        return "no"
    return f"with `{entry['reconnects_on']}`" if "reconnects_on" in entry else "yes"


def _state(entry: dict[str, Any]) -> str:
    keys = ("state_fields", "open_flags", "closed_flags", "inner_open")
    return _code([name for key in keys for name in entry.get(key, [])])


def _sends(entry: dict[str, Any]) -> list[str]:
    sends: list[str] = entry.get("sends", ["send"])
    return [*sends, *(function["call"].rpartition("/")[2] for function in entry.get("send_functions", []))]


def _messages(entry: dict[str, Any]) -> str:
    """How they arrive, where the library has a way of its own."""
    feeds = [f for f in Knowledge.builtin().entries("message", "feed") if f["library"] == entry["name"]]
    ways = {
        "gives": "fields {}",
        "hooks": "{}",
        "delivers": "callbacks of {}",
        "hands": "callbacks named {}",
        "bases": "methods of {}",
        "fills": "channels given to {}",
        "methods": "callbacks of any {}",
        "connections": "reads of {}",
    }
    told = [way.format(_code(feed[key])) for feed in feeds for key, way in ways.items() if feed.get(key)]
    told += ["a loop over it" for feed in feeds if feed.get("loops")]
    told += [
        f"argument {feed['content_from'] + 1} of a handler" for feed in feeds if feed.get("content_from")
    ]
    told += (
        [_code([f["call"].rpartition("/")[2] for f in entry["receive_functions"]])]
        if "receive_functions" in entry
        else []
    )
    return "; ".join(told)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") or "-" for cell in cells) + " |\n"


def document() -> str:
    """The text that docs/libraries.md must have."""
    told = [entry for entry in libraries() if entry.get("transport", "websocket") != "other"]
    text = HEAD
    for title, chosen in (
        ("WebSocket", {"websocket"}),
        (
            "Protocols of their own",
            {entry.get("transport", "websocket") for entry in told} - {"websocket", "sse"},
        ),
    ):
        text += f"## {title}\n\n"
        text += _row(
            "Library", "Kept alive", "Dials again", "Sends again", "State", "Sends", "Messages", "Source"
        )
        text += _row(*["---"] * 8)
        for entry in sorted(told, key=lambda e: e["name"].lower()):
            if entry.get("transport", "websocket") in chosen:
                text += _row(
                    entry["name"],
                    _kept(entry),
                    _again(entry),
                    "yes" if entry.get("replays") else "no",
                    _state(entry),
                    _code(_sends(entry)),
                    _messages(entry),
                    entry.get("source", ""),
                )
        text += "\n"
    text += "## Server-sent events\n\n"
    text += _row("Library", "Dials again", "Sends again", "Messages", "Source") + _row(*["---"] * 5)
    for entry in sorted(told, key=lambda e: e["name"].lower()):
        if entry.get("transport") == "sse":
            again, source = _again(entry), entry.get("source", "")
            text += _row(
                entry["name"], again, "yes" if entry.get("replays") else "no", _messages(entry), source
            )
    text += "\n"
    text += "## Servers that applications run under\n\n"
    text += _row("Server", "Kept alive", "Source") + _row(*["---"] * 3)
    for entry in sorted(servers(), key=lambda e: e["name"].lower()):
        text += _row(entry["name"], _kept(entry), entry.get("source", ""))
    return text


@pytest.mark.parametrize("entry", [*libraries(), *servers()], ids=lambda entry: entry["name"])
def test_every_library_has_a_source_with_a_version_or_a_standard(entry: dict[str, Any]) -> None:
    source = entry.get("source", "")
    assert source, f"say in `source` where what is known of {entry['name']} was read, and in which version"
    standard = any(name in source for name in ("WHATWG", "RFC", "W3C"))
    assert standard or any(word[0].isdigit() for word in source.replace("(", "").split() if word)


@pytest.mark.parametrize("entry", [*libraries(), *servers()], ids=lambda entry: entry["name"])
def test_options_are_given_where_they_decide(entry: dict[str, Any]) -> None:
    kept = entry.get("keepalive", "none")
    assert kept in KEPT
    assert bool(entry.get("on")) == (kept == "option")
    assert not entry.get("off") or kept == "default"
    assert "reconnects_on" not in entry or entry.get("reconnects")


def test_no_library_is_told_twice() -> None:
    names = [entry["name"] for entry in [*libraries(), *servers()]]
    assert len(set(names)) == len(names)


def test_the_document_says_what_the_knowledge_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python tests/test_libraries.py"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
