"""Takes the detector of dead peers out of real code, and counts how often ready-state-only speaks then.

    python benchmarks/mutation_ready.py --cache DIR [--language L]

The corpus of `corpus.py` holds files that guard a send by the connection's own state and are right to, for something in
the file notices a dead peer. Each mutator takes all of that out of a file:

    timers      callbacks of `setTimeout` and `setInterval` that close or dial, themselves or in a function of the file
                that they call, do nothing                                            JavaScript/TypeScript
    limits      `heartbeat=`, `receive_timeout=`, `ping_interval=` and `ping_timeout=` become None, `wait_for(x, t)`
                becomes `x`                                                           Python

A file is a place where a mutator finds something to take out and a send in it is guarded by the state: in the condition
around it, or in one before it that leaves. It is found where the rule speaks at one of these sends, and did not before.
What still notices a dead peer after the edit (a library with a heartbeat of its own, say) makes a miss that is right;
the run lists the misses to be read.

Guarantees: the same places and numbers for the same corpus and tool; nothing of the corpus is changed. Does not measure
Go: its connections have no state to ask.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import corpus
import mutation
from mutation import Edit, Mutant, around, descendants, text_of
from tree_sitter import Node

RULE = "ready-state-only"

SENDS = frozenset({"send", "send_str", "send_json", "send_bytes", "send_text", "sendUTF", "write_message"})
STATES = frozenset({"readyState", "closed", "close_code", "client_state", "application_state"})
TIMERS = frozenset({"setTimeout", "setInterval"})
ENDS = frozenset({"close", "terminate", "destroy", "disconnect", "reconnect", "_reconnect", "abort", "kill"})
LIMITS = frozenset({"heartbeat", "receive_timeout", "ping_interval", "ping_timeout"})
BEATS = ("ping", "pong", "heart", "keepalive", "keep_alive")
IFS = frozenset({"if_statement"})
LEAVES = frozenset({"return_statement", "throw_statement", "raise_statement", "continue_statement"})
CALLS = {"javascript": "call_expression", "python": "call"}


def method_of(call: Node) -> str:
    """The last name of what is called."""
    function = call.child_by_field_name("function")
    if function is None:
        return ""
    last = function.child_by_field_name("property") or function.child_by_field_name("attribute") or function
    return text_of(last).lstrip("#")


def asks_state(condition: Node, receiver: str) -> bool:
    """Whether a condition asks the state of the connection that is sent on; a data channel's state is a text."""
    if any(text_of(node).strip("\"'`") == "open" for node in descendants(condition) if "string" in node.type):
        return False
    for node in (condition, *descendants(condition)):
        last = node.child_by_field_name("property") or node.child_by_field_name("attribute")
        owner = node.child_by_field_name("object")
        if last is not None and owner is not None and text_of(last) in STATES and text_of(owner) == receiver:
            return True
    return False


def guards(call: Node) -> Iterator[Node]:
    """The conditions that a call stands behind in its function."""
    node: Node | None = call
    while node is not None and node.type not in mutation.FUNCTIONS:
        parent = node.parent
        if parent is None:
            return
        if parent.type in IFS and node != parent.child_by_field_name("condition"):
            condition = parent.child_by_field_name("condition")
            if condition is not None:
                yield condition
        if parent.type in ("statement_block", "block", "program", "module"):
            for before in parent.named_children:
                if before.start_byte >= node.start_byte:
                    break
                then = before.child_by_field_name("consequence") if before.type in IFS else None
                condition = before.child_by_field_name("condition") if then is not None else None
                if then is None or condition is None:
                    continue
                last = mutation.statements(then)[-1:] if then.type.endswith("block") else [then]
                if last and last[0].type in LEAVES:
                    yield condition
        node = parent


def guarded(root: Node, language: str) -> Iterator[Node]:
    """The sends of content that a condition on the state guards."""
    for call in descendants(root):
        if call.type != CALLS[language] or method_of(call) not in SENDS:
            continue
        function = around(call)
        name = text_of(function.child_by_field_name("name")) if function is not None else ""
        arguments = text_of(call.child_by_field_name("arguments"))
        if any(word in f"{name} {arguments}".lower() for word in BEATS):
            continue
        sent = call.child_by_field_name("function")
        receiver = text_of(sent.child_by_field_name("object")) if sent is not None else ""
        if receiver in ("", "self", "this"):
            continue
        if any(asks_state(condition, receiver) for condition in guards(call)):
            yield call


def ends(node: Node | None) -> bool:
    return node is not None and (
        dials(node)
        or any(inner.type == "call_expression" and method_of(inner) in ENDS for inner in descendants(node))
    )


def dials(node: Node) -> bool:
    """Whether a node makes a socket; without such a function no client is left."""
    return any(
        inner.type == "new_expression" and "Socket" in text_of(inner.child_by_field_name("constructor"))
        for inner in descendants(node)
    )


def callback_edits(root: Node) -> Iterator[Edit]:
    """The edits that leave the timers of a file nothing to close with."""
    named: dict[str, list[Node]] = {}
    for node in descendants(root):
        body = node.child_by_field_name("body") if node.type in mutation.FUNCTIONS else None
        owner = node.child_by_field_name("name")
        if owner is None and node.parent is not None:
            owner = node.parent.child_by_field_name("name") or node.parent.child_by_field_name("property")
        if body is not None and body.type == "statement_block" and owner is not None:
            named.setdefault(text_of(owner).lstrip("#"), []).append(body)
    done: set[int] = set()
    for call in descendants(root):
        if call.type != "call_expression" or method_of(call) not in TIMERS:
            continue
        arguments = call.child_by_field_name("arguments")
        callback = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        if callback is None:
            continue
        if callback.type in mutation.FUNCTIONS and ends(callback):
            if callback.start_byte not in done:
                done.add(callback.start_byte)
                yield Edit(callback.start_byte, callback.end_byte, b"() => {}")
            continue
        inner = [method_of(c) for c in descendants(callback) if c.type == "call_expression"]
        if callback.type not in mutation.FUNCTIONS:
            # `this.check`, `this.check.bind(this)`
            inner += [
                text_of(n).lstrip("#") for n in (callback, *descendants(callback)) if not n.named_children
            ]
        for name in inner:
            for body in named.get(name, ()):
                if ends(body) and not dials(body) and body.start_byte not in done:
                    done.add(body.start_byte)
                    yield Edit(body.start_byte, body.end_byte, b"{}")


def limit_edits(root: Node) -> Iterator[Edit]:
    """The edits that take the time limits and heartbeats out of a file."""
    for node in descendants(root):
        if node.type == "keyword_argument" and text_of(node.child_by_field_name("name")) in LIMITS:
            value = node.child_by_field_name("value")
            if value is not None:
                yield Edit(value.start_byte, value.end_byte, b"None")
        elif node.type == "call" and method_of(node) == "wait_for":
            arguments = node.child_by_field_name("arguments")
            inner = (
                arguments.named_children[0] if arguments is not None and arguments.named_children else None
            )
            if inner is not None:
                yield Edit(node.start_byte, inner.start_byte, b"")
                yield Edit(inner.end_byte, node.end_byte, b"")


def apart(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits without those that lie inside others."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return tuple(kept)


def mutant(source: bytes, suffix: str, language: str) -> Mutant | None:
    """The file without its detectors, or None where it has none, or no send that would need one."""
    tree = mutation.parser(suffix).parse(source)
    if tree.root_node.has_error:
        return None
    edits = apart(callback_edits(tree.root_node) if language == "javascript" else limit_edits(tree.root_node))
    sends = [
        call.start_byte
        for call in guarded(tree.root_node, language)
        if not any(edit.start <= call.start_byte < edit.end for edit in edits)
    ]
    if not edits or not sends:
        return None
    made = Mutant("timers" if language == "javascript" else "limits", edits, tuple(sends))
    return None if mutation.parser(suffix).parse(made.applied(source)[0]).root_node.has_error else made


def speaks(source: bytes, path: Path) -> set[int]:
    """The lines at which the rule has a finding at default confidence, those of its trace included."""
    from wsantipattern.analysis import analyze
    from wsantipattern.plan import Options, Plan

    settings = Plan(Options(select=(RULE,), isolated=True)).settings_of(str(path))
    findings, _ = analyze(source, str(path), settings)
    return {finding.span.start.line for finding in findings if finding.rule == RULE}


def outcome(made: Mutant, source: bytes, path: Path) -> str:
    """`found`, `missed`, or `spoke before` where the unedited code has a finding at one of the sends already."""
    if speaks(source, path) & made.lines_before(source):
        return "spoke before"
    text, sends = made.applied(source)
    return "found" if speaks(text, path) & sends else "missed"


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--cache", type=Path, required=True, help="where corpus.py unpacked the corpus")
    options.add_argument("--list", type=Path, default=corpus.LIST, help="the list of packages")
    options.add_argument("--language", action="append", choices=sorted(CALLS), default=[])
    chosen = options.parse_args(arguments)
    try:
        tally = mutation.Tally(RULE)
        packages = corpus.load(chosen.list)
    except (corpus.CorpusError, OSError) as error:
        print(f"mutation_ready.py: {error}", file=sys.stderr)
        return 2
    seen: set[tuple[str, str]] = set()
    for package in packages:
        if package.language not in (chosen.language or CALLS):
            continue
        folder = chosen.cache / "sources" / package.language / package.directory
        for path in sorted(folder.rglob("*")):
            if path.suffix not in corpus.SUFFIXES[package.language] or path.suffix in (".vue", ".svelte"):
                continue
            source = path.read_bytes() if path.is_file() else b""
            if not any(word.encode() in source for word in STATES) or b"send" not in source:
                continue
            # A package that ships one module in several formats counts once.
            likeness = (package.directory, path.stem)
            made = mutant(source, path.suffix, package.language) if likeness not in seen else None
            if made is None:
                continue
            seen.add(likeness)
            line = min(made.lines_before(source))
            tally.add(outcome(made, source, path), package.language, made.mutator, path, source, line)
    tally.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
