"""Puts a known bug into real code that is right, and counts how often wsantipattern finds it.

    python benchmarks/mutation.py --cache DIR [--limit N] [--language L]

This one measures `timer-not-cleared`; `mutation_ready.py` beside it measures `ready-state-only` in the same way.

The corpus of `corpus.py` holds many places that clear a timer on every path. Each mutator finds one such form in the
syntax tree, and moves the clear to where only the undisturbed path runs it:

    finally     the clear of a `finally` goes to the end of the `try` body      JavaScript/TypeScript, Python
    chain       `.finally(() => clear)` becomes `.then((v) => { clear; return v; })`   JavaScript/TypeScript
    defer       `defer cancel()` becomes a plain call before the last return          Go

A place counts only where another way out is certain: an `await`, `return`, `throw` or `raise` between the arm and
the moved clear. It is found when `timer-not-cleared` speaks at the arm, and did not before the edit.

Not every edit makes a bug, and no tool can tell that from the edit. Each miss was read; `mutants.tsv` says of each why it
was missed (`missed`), or why what is left is no bug (`no bug`). The latter count for nothing, and have a column of their
own. A miss that is not in the list is printed as `unread`, and counts as missed.

Guarantees: the same places and the same numbers for the same corpus and tool, at most `--limit` places a mutator,
spread over the packages; nothing of the corpus is changed. Does not: say that all bugs of the rule look like these.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import corpus
import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

RULE = "timer-not-cleared"
READ = Path(__file__).resolve().parent / "mutants.tsv"
VERDICTS = ("no bug", "missed")

FUNCTIONS = frozenset(
    {
        *("function_declaration", "function_expression", "arrow_function", "method_definition"),
        *("generator_function", "generator_function_declaration", "func_literal", "method_declaration"),
        *("function_definition", "lambda"),
    }
)
LEAVING = frozenset({"await_expression", "await", "return_statement", "throw_statement", "raise_statement"})

JAVASCRIPT_ARMS = frozenset({"setTimeout", "setInterval"})
JAVASCRIPT_CLEARS = frozenset({"clearTimeout", "clearInterval"})
PYTHON_ARMS = frozenset({"call_later", "call_at", "Timer", "create_task", "ensure_future"})
GO_CONTEXTS = frozenset({"context.WithTimeout", "context.WithCancel", "context.WithDeadline"})
GO_BRANCHING = frozenset(
    {
        *("for_statement", "select_statement", "if_statement", "block", "labeled_statement"),
        *("expression_switch_statement", "type_switch_statement"),
    }
)
GO_TIMERS = frozenset({"time.NewTimer", "time.NewTicker", "time.AfterFunc"})


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the bytes from `start` up to `end` by `text`."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug to put in. `arms` are the byte offsets of the calls that arm what the moved clear clears."""

    mutator: str
    edits: tuple[Edit, ...]
    arms: tuple[int, ...]

    def applied(self, source: bytes) -> tuple[bytes, set[int]]:
        """The text with the bug, and the lines of the arms in it, from 1."""
        text = source
        places = list(self.arms)
        for edit in sorted(self.edits, key=lambda e: e.start, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
            shift = len(edit.text) - (edit.end - edit.start)
            places = [place + shift if place >= edit.end else place for place in places]
        return text, {line_at(text, place) for place in places}

    def lines_before(self, source: bytes) -> set[int]:
        return {line_at(source, place) for place in self.arms}


def line_at(text: bytes, offset: int) -> int:
    return text.count(b"\n", 0, offset) + 1


# Trees


@cache
def parser(suffix: str) -> Parser:
    match suffix:
        case ".go":
            language = tree_sitter_go.language()
        case ".py":
            language = tree_sitter_python.language()
        case ".ts" | ".mts" | ".cts":
            language = tree_sitter_typescript.language_typescript()
        case ".tsx":
            language = tree_sitter_typescript.language_tsx()
        case _:
            language = tree_sitter_javascript.language()
    return Parser(Language(language))


def text_of(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def descendants(node: Node, *, own: bool = False) -> Iterator[Node]:
    """Everything below a node in order of appearance; with `own`, without what nested functions hold."""
    stack = list(reversed(node.named_children))
    while stack:
        current = stack.pop()
        yield current
        if not (own and current.type in FUNCTIONS):
            stack += reversed(current.named_children)


def around(node: Node) -> Node | None:
    """The function a node stands in."""
    current = node.parent
    while current is not None and current.type not in FUNCTIONS:
        current = current.parent
    return current


def statements(block: Node) -> list[Node]:
    return [child for child in block.named_children if child.type != "comment"]


def is_end(node: Node) -> bool:
    """Whether a statement other than a `return` never goes on: it throws, or all its branches leave."""
    if node.type in ("throw_statement", "raise_statement"):
        return True
    if node.type != "if_statement":
        return False
    then = node.child_by_field_name("consequence")
    rest = node.child_by_field_name("alternative")
    other = rest.named_children[0] if rest is not None and rest.type == "else_clause" else None
    branches = [
        statements(b)[-1:] if b is not None and b.type == "statement_block" else [b] for b in (then, other)
    ]
    return all(b and b[0] is not None and (b[0].type == "return_statement" or is_end(b[0])) for b in branches)


def within(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte


def is_sure(node: Node) -> bool:
    """Whether an `await` waits for a promise made on the spot whose executor does not even take `reject`."""
    made = node.named_children[0] if node.type == "await_expression" and node.named_children else None
    arguments = (
        made.child_by_field_name("arguments") if made is not None and made.type == "new_expression" else None
    )
    executor = arguments.named_children[0] if arguments is not None and arguments.named_children else None
    if executor is None or executor.type != "arrow_function":
        return False
    parameters = executor.child_by_field_name("parameters")
    return parameters is None or len(parameters.named_children) == 1


def leaves(nodes: Iterable[Node], last: Node | None = None) -> bool:
    """Whether the nodes hold a certain way out besides `last`, a return that ends them, for which its value counts."""
    return any(
        found.type in LEAVING and found != last and not is_sure(found)
        for node in nodes
        for found in (node, *descendants(node, own=True))
    )


def indent_of(source: bytes, node: Node) -> bytes:
    line = source[source.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
    return line if not line.strip() else b" " * len(line)


def removed(node: Node, source: bytes, replacement: bytes = b"") -> Edit:
    end = node.end_byte
    if source[end : end + 1] == b";":
        end += 1
    return Edit(node.start_byte, end, replacement)


def called(node: Node) -> str:
    return text_of(node.child_by_field_name("function"))


# JavaScript and TypeScript


def javascript_arms(scope: Node, name: str) -> list[Node]:
    """The calls that arm a timer into a local name, the nested functions of the scope included."""
    found = []
    for node in descendants(scope):
        if node.type == "variable_declarator":
            target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        elif node.type == "assignment_expression":
            target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        else:
            continue
        is_call = value is not None and value.type == "call_expression" and text_of(target) == name
        if value is not None and is_call and called(value).rpartition(".")[2] in JAVASCRIPT_ARMS:
            found.append(value)
    return found


def javascript_clear(statement: Node) -> str:
    """The local that a statement clears, or an expression; empty for anything else."""
    call = statement
    if statement.type == "if_statement":
        inner = statement.child_by_field_name("consequence")
        if inner is None or statement.child_by_field_name("alternative") is not None:
            return ""
        body = statements(inner) if inner.type == "statement_block" else [inner]
        return javascript_clear(body[0]) if len(body) == 1 else ""
    if statement.type == "expression_statement":
        call = statement.named_children[0]
    if call.type != "call_expression" or called(call).rpartition(".")[2] not in JAVASCRIPT_CLEARS:
        return ""
    arguments = call.child_by_field_name("arguments")
    values = arguments.named_children if arguments is not None else []
    return text_of(values[0]) if len(values) == 1 and values[0].type == "identifier" else ""


def javascript_finally(source: bytes, root: Node) -> Iterator[Mutant]:
    for node in descendants(root):
        if node.type != "try_statement":
            continue
        body, final, scope = (
            node.child_by_field_name("body"),
            node.child_by_field_name("finalizer"),
            around(node),
        )
        block = final.child_by_field_name("body") if final is not None else None
        if body is None or block is None or scope is None or not statements(body):
            continue
        for clear in statements(block):
            name = javascript_clear(clear)
            arms = (
                [arm for arm in javascript_arms(scope, name) if arm.start_byte < block.start_byte]
                if name
                else []
            )
            last = statements(body)[-1]
            if last.type == "while_statement" or is_end(last) or not arms:
                continue  # what never goes on has no end that the moved clear could stand behind
            if not leaves(statements(body), last if last.type == "return_statement" else None):
                continue
            moved = source[clear.start_byte : clear.end_byte].rstrip(b";") + b";"
            yield Mutant(
                "finally",
                (removed(clear, source), *at_the_end(source, last, moved, b"const settled = ")),
                tuple(arm.start_byte for arm in arms),
            )


def at_the_end(source: bytes, last: Node, moved: bytes, declare: bytes) -> tuple[Edit, ...]:
    """The edits that put a statement behind the last one, or behind the value of the return that it is."""
    gap = b"\n" + indent_of(source, last)
    if last.type != "return_statement":
        return (Edit(last.end_byte, last.end_byte, gap + moved),)
    values = [child for child in last.named_children if child.type != "comment"]
    if not values:
        return (Edit(last.start_byte, last.start_byte, moved + gap),)
    value = source[values[0].start_byte : values[-1].end_byte]
    end = b";" if declare else b""
    text = (declare or b"settled = ") + value + end + gap + moved + gap + b"return settled" + end
    return (Edit(last.start_byte, last.end_byte, text),)


def is_settled(promise: Node | None) -> bool:
    """Whether a chain has dealt with a rejection already, so that what is chained on runs in any case."""
    function = promise.child_by_field_name("function") if promise is not None else None
    arguments = promise.child_by_field_name("arguments") if promise is not None else None
    if function is None or arguments is None:
        return False
    method = text_of(function.child_by_field_name("property"))
    return method == "catch" or (method == "then" and len(arguments.named_children) > 1)


def javascript_chain(source: bytes, root: Node) -> Iterator[Mutant]:
    for node in descendants(root):
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        arguments = node.child_by_field_name("arguments") if function is not None else None
        if function is None or arguments is None or function.type != "member_expression":
            continue
        method = function.child_by_field_name("property")
        callback = arguments.named_children[0] if len(arguments.named_children) == 1 else None
        scope = around(node)
        if method is None or text_of(method) != "finally" or callback is None or scope is None:
            continue
        if is_settled(function.child_by_field_name("object")):
            continue
        block = callback.child_by_field_name("body") if callback.type == "arrow_function" else None
        if block is None:
            continue
        cleared = [
            javascript_clear(s) for s in (statements(block) if block.type == "statement_block" else [block])
        ]
        arms = [arm for name in cleared if name for arm in javascript_arms(scope, name)]
        if not arms or len(cleared) != 1:
            continue
        inner = source[block.start_byte : block.end_byte]
        inner = inner.strip(b"{}").strip() if block.type == "statement_block" else inner
        then = b"(settled) => { " + inner.rstrip(b";") + b"; return settled; }"
        yield Mutant(
            "chain",
            (
                Edit(method.start_byte, method.end_byte, b"then"),
                Edit(callback.start_byte, callback.end_byte, then),
            ),
            tuple(arm.start_byte for arm in arms),
        )


# Python


def python_finally(source: bytes, root: Node) -> Iterator[Mutant]:
    for node in descendants(root):
        body = node.child_by_field_name("body") if node.type == "try_statement" else None
        final = next((child for child in node.named_children if child.type == "finally_clause"), None)
        scope = around(node)
        if body is None or final is None or scope is None or not statements(body):
            continue
        block = next((child for child in final.named_children if child.type == "block"), None)
        for clear in statements(block) if block is not None else ():
            name = python_clear(clear)
            arms = (
                [arm for arm in python_arms(scope, name) if arm.start_byte < final.start_byte] if name else []
            )
            last = statements(body)[-1]
            if last.type == "while_statement" or is_end(last) or not arms:
                continue  # what never goes on has no end that the moved clear could stand behind
            if any(text_of(node) == name for node in descendants(block) if not within(node, clear)):
                continue  # the same `finally` also waits for the task
            if not leaves(statements(body), last if last.type == "return_statement" else None):
                continue
            moved = f"{name}.cancel()".encode()
            edits = at_the_end(source, last, moved, b"")
            yield Mutant(
                "finally", (removed(clear, source, b"pass"), *edits), tuple(a.start_byte for a in arms)
            )


def python_clear(statement: Node) -> str:
    """The local that a statement cancels; empty for anything else."""
    call = statement.named_children[0] if statement.type == "expression_statement" else None
    function = call.child_by_field_name("function") if call is not None and call.type == "call" else None
    if function is None or function.type != "attribute":
        return ""
    owner = function.child_by_field_name("object")
    is_cancel = text_of(function.child_by_field_name("attribute")) == "cancel"
    return text_of(owner) if is_cancel and owner is not None and owner.type == "identifier" else ""


def python_arms(scope: Node, name: str) -> list[Node]:
    found = []
    for node in descendants(scope, own=True):
        value = node.child_by_field_name("right") if node.type == "assignment" else None
        if value is None or value.type != "call" or text_of(node.child_by_field_name("left")) != name:
            continue
        if called(value).rpartition(".")[2] in PYTHON_ARMS:
            found.append(value)
    return found


# Go


def go_defer(source: bytes, root: Node) -> Iterator[Mutant]:
    for node in descendants(root):
        if node.type != "defer_statement" or node.parent is None or around(node) is None:
            continue
        call = node.named_children[0]
        arm = go_arm(node, called(call)) if call.type == "call_expression" else None
        block = node.parent
        scope = around(node)
        # Only in the function's own body: a defer further in has no end of its block to move to.
        is_body = scope is not None and scope.child_by_field_name("body") in (block, block.parent)
        if arm is None or not is_body:
            continue
        following = [s for s in statements(block) if s.start_byte > node.start_byte]
        last = following[-1] if following else None
        is_return = last is not None and last.type == "return_statement"
        before = following[:-1] if is_return else following
        # Behind a loop without an end, or behind branches that all return, the moved call would never run.
        if last is None or (not is_return and last.type in GO_BRANCHING) or not leaves(before):
            continue
        place = last.start_byte if is_return else last.end_byte
        moved = source[call.start_byte : call.end_byte]
        gap = b"\n" + indent_of(source, last)
        text = moved + gap if is_return else gap + moved
        yield Mutant("defer", (removed(node, source), Edit(place, place, text)), (arm.start_byte,))


def go_arm(node: Node, function: str) -> Node | None:
    """The call just before a defer, in its block, that makes what the deferred call ends."""
    for sibling in reversed(statements(node.parent) if node.parent is not None else []):
        if sibling.start_byte >= node.start_byte or sibling.type != "short_var_declaration":
            continue
        left, right = sibling.child_by_field_name("left"), sibling.child_by_field_name("right")
        values = right.named_children if right is not None else []
        names = [text_of(child) for child in left.named_children] if left is not None else []
        if len(values) != 1 or values[0].type != "call_expression":
            continue
        made = called(values[0])
        if made in GO_CONTEXTS and names[1:] == [function]:
            return values[0]
        if made in GO_TIMERS and [f"{name}.Stop" for name in names] == [function]:
            return values[0]
    return None


MUTATORS: dict[str, tuple[Callable[[bytes, Node], Iterator[Mutant]], ...]] = {
    "javascript": (javascript_finally, javascript_chain),
    "go": (go_defer,),
    "python": (python_finally,),
}
# A file without one word of each group holds no place of its language's mutators.
WORDS: dict[str, tuple[tuple[bytes, ...], ...]] = {
    "javascript": ((b"finally",), (b"clearTimeout", b"clearInterval")),
    "go": ((b"defer ",), (b"context.With", b"time.New", b"time.AfterFunc")),
    "python": ((b"finally:",), (b".cancel()",)),
}


def mutants(source: bytes, suffix: str, language: str) -> list[Mutant]:
    """The bugs that can be put into a text, in order; none where its tree has errors before or after."""
    tree = parser(suffix).parse(source)
    if tree.root_node.has_error:
        return []
    found = [mutant for mutator in MUTATORS[language] for mutant in mutator(source, tree.root_node)]
    return [m for m in found if not parser(suffix).parse(m.applied(source)[0]).root_node.has_error]


# The measurement


@dataclass(frozen=True, slots=True)
class Site:
    """A mutant with where it stands."""

    language: str
    package: str
    path: Path
    mutant: Mutant

    @property
    def order(self) -> str:
        """Spreads the places that are measured over the packages, in the same way on every run."""
        material = f"{self.package}\0{self.path.name}\0{self.mutant.arms}"
        return hashlib.sha256(material.encode()).hexdigest()


def sites(packages: Iterable[corpus.Package], root: Path) -> Iterator[Site]:
    """All places of the corpus where a mutator has something to do."""
    for package in packages:
        folder = root / "sources" / package.language / package.directory
        for path in sorted(folder.rglob("*")):
            if path.suffix not in corpus.SUFFIXES[package.language] or path.suffix in (".vue", ".svelte"):
                continue
            source = path.read_bytes() if path.is_file() else b""
            if all(any(word in source for word in group) for group in WORDS[package.language]):
                for mutant in mutants(source, path.suffix, package.language):
                    yield Site(package.language, package.directory, path, mutant)


def measured(found: Iterable[Site], limit: int) -> list[Site]:
    """At most `limit` places for each language and mutator, and no edited text twice."""
    result: list[Site] = []
    counts: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    for site in sorted(found, key=lambda s: s.order):
        kind = (site.language, site.mutant.mutator)
        source = site.path.read_bytes()
        # A package that ships one module in several formats counts once.
        likeness = f"{site.package}\0" + "\0".join(
            source[arm : arm + 60].decode("utf-8", "replace") for arm in site.mutant.arms
        )
        if counts[kind] < limit and likeness not in seen:
            counts[kind] += 1
            seen.add(likeness)
            result.append(site)
    return sorted(result, key=lambda s: (s.language, s.mutant.mutator, str(s.path), s.mutant.arms))


class Tally:
    """What became of the mutants of one rule, and what was read of those that were missed.

    Raises `corpus.CorpusError` where `mutants.tsv` has a line of another form.
    """

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.read = {key[1:]: said for key, said in judged(READ).items() if key[0] == rule}

    def add(self, result: str, language: str, mutator: str, path: Path, source: bytes, line: int) -> None:
        """Counts a mutant at a line of the unedited text, and prints it where it was not found."""
        text = source.splitlines()[line - 1].decode("utf-8", "replace").strip()
        named = f"{path.parent.name}/{path.name}"
        said = self.read.get((named, text))
        where = f"{mutator} {named}:{line}"
        if result == "missed" and said is not None:
            result = said[0]
            print(f"{result}: {where}: {said[1]}", flush=True)
        elif result == "missed":
            print(f"unread: {where}: {text}", flush=True)
        elif said is not None:
            print(f"{result}, and mutants.tsv says {said[0]}: {where}", flush=True)
        elif result != "found":
            print(f"{result}: {where}", flush=True)
        self.counts[language, mutator, result] += 1

    def report(self) -> None:
        """Prints the table."""
        print(
            "| rule | language | mutator | places | no bug | found | recall |\n|---|---|---|--:|--:|--:|--:|"
        )
        for language, mutator in sorted({key[:2] for key in self.counts}):
            found, missed, right = (
                self.counts[language, mutator, word] for word in ("found", *VERDICTS[::-1])
            )
            share = f"{100 * found / (found + missed):.0f} %" if found + missed else "–"
            total = found + missed + right
            print(f"| `{self.rule}` | {language} | {mutator} | {total} | {right} | {found} | {share} |")


def judged(path: Path) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Of each rule, file with its folder, and line of text where a mutant was missed: the verdict and its reason."""
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            parts = line.split("\t")
            if len(parts) != 5 or parts[3] not in VERDICTS:
                raise corpus.CorpusError(
                    f"{path.name}:{number}: rule, file, line, `no bug` or `missed`, reason"
                )
            found[parts[0], parts[1], parts[2]] = (parts[3], parts[4])
    return found


Speaks = Callable[[bytes, Path], set[int]]


def speaks(source: bytes, path: Path) -> set[int]:
    """The lines at which the rule has a finding at default confidence."""
    from wsantipattern.analysis import analyze
    from wsantipattern.plan import Options, Plan

    settings = Plan(Options(select=(RULE,), isolated=True)).settings_of(str(path))
    findings, _ = analyze(source, str(path), settings)
    return {finding.span.start.line for finding in findings if finding.rule == RULE}


def outcome(site: Site, lines: Speaks = speaks) -> str:
    """`found`, `missed`, or `spoke before` where the unedited code has a finding at the arm already."""
    source = site.path.read_bytes()
    if lines(source, site.path) & site.mutant.lines_before(source):
        return "spoke before"
    text, arms = site.mutant.applied(source)
    return "found" if lines(text, site.path) & arms else "missed"


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--cache", type=Path, required=True, help="where corpus.py unpacked the corpus")
    options.add_argument("--list", type=Path, default=corpus.LIST, help="the list of packages")
    options.add_argument("--language", action="append", choices=sorted(MUTATORS), default=[])
    options.add_argument("--limit", type=int, default=60, help="places for each language and mutator")
    chosen = options.parse_args(arguments)
    try:
        tally = Tally(RULE)
        packages = [
            p for p in corpus.load(chosen.list) if not chosen.language or p.language in chosen.language
        ]
    except (corpus.CorpusError, OSError) as error:
        print(f"mutation.py: {error}", file=sys.stderr)
        return 2
    for site in measured(sites(packages, chosen.cache), chosen.limit):
        source = site.path.read_bytes()
        line = min(site.mutant.lines_before(source))
        tally.add(outcome(site), site.language, site.mutant.mutator, site.path, source, line)
    tally.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
