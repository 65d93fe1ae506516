"""Takes the guard away from appends of real code, and counts how often unguarded-append finds what is left.

    python benchmarks/mutation_append.py --cache DIR [--language L] [--candidates]
    python benchmarks/mutation_append.py --fixtures

The corpus of `corpus.py` holds places that append behind a test whether the content is there already. Each mutator finds
one such form in the syntax tree and takes the test away:

    leave       `if (seen.has(m.id)) return;` before the append is removed
    condition   the test in the condition around the append becomes true

A test is a membership (`in`, `has`, `includes`, `some`, an index of a Go map), an order (`<`, `>`), an end of a text
(`endsWith`), which shares a variable with what is appended, at most through one assignment. Whether that is content of a
message, in a place that outlives it, no syntax tells: `mutation_append.tsv` lists those that are, with what guards them.
They were found by reading about 400 of 4,924 candidates, those that filters on the words of the file and of the line left
(README.md says which), a few lines each; so some may be missing. They are few, for the corpus is libraries, and what
appends to a page or a chat is applications. `--fixtures` measures the rule's own fixtures in the same way: every `ok` line that has a guard of one of
these forms. `--candidates` lists all candidates of the corpus.

Guarantees: the same places and numbers for the same corpus, list and tool; nothing of the corpus is changed. Does not: say
that all bugs of the rule look like these.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import corpus
import mutation
from tree_sitter import Node

HERE = Path(__file__).resolve().parent

RULE = "unguarded-append"
LISTED = HERE / "mutation_append.tsv"

TRANSPORTS = (
    *(b"WebSocket", b"websocket", b"EventSource", b"socket.io", b"socketio", b"ws_connect"),
    *(b"paho", b"phoenix", b"signalr", b"centrifuge", b"ably"),
)
APPENDS = frozenset(
    {"append", "push", "appendleft", "extend", "unshift", "insertAdjacentHTML", "appendChild"}
)
ASKS = frozenset({"has", "includes", "some", "endsWith", "find", "endswith", "Contains", "HasSuffix", "get"})
ORDERS = frozenset({"<", "<=", ">", ">=", "==", "!=", "===", "!=="})
JUMPS = frozenset({"return_statement", "continue_statement"})
IFS = frozenset({"if_statement"})
BLOCKS = frozenset(
    {"statement_block", "block", "program", "module", "statement_list", "switch_case", "switch_default"}
)
JOINS = frozenset(
    {
        *("binary_expression", "binary_operator", "template_string", "array", "list", "string"),
        *("expression_list", "call_expression", "call"),
    }
)
PLAIN = frozenset(
    {
        *("number", "integer", "int_literal", "string", "interpreted_string_literal", "nil", "null", "none"),
        *("undefined", "true", "false"),
    }
)
NUMBERS = frozenset({"number", "integer", "float", "int_literal"})
NAMES = frozenset({"identifier"})
TRUTH = {"javascript": b"true", "go": b"true", "python": b"True"}


@dataclass(frozen=True, slots=True)
class Place:
    """An append with the tests before it, and the edits that take them away."""

    language: str
    package: str
    path: Path
    mutant: mutation.Mutant
    append: str
    test: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.package, self.path.name, self.append, self.test


def assigned(function: Node | None) -> dict[str, set[str]]:
    """The variables that each local of a function was made of."""
    found: dict[str, set[str]] = {}
    for node in mutation.descendants(function) if function is not None else ():
        left = node.child_by_field_name("left") or node.child_by_field_name("name")
        right = node.child_by_field_name("right") or node.child_by_field_name("value")
        if left is not None and right is not None and node.type not in ("keyword_argument", "pair"):
            for name in names(left):
                found.setdefault(name, set()).update(names(right))
    return found


def names(node: Node | None) -> set[str]:
    """The variables that a node mentions."""
    if node is None:
        return set()
    found = {mutation.text_of(n) for n in mutation.descendants(node) if n.type in NAMES}
    return found | ({mutation.text_of(node)} if node.type in NAMES else set())


def appends(root: Node) -> Iterator[tuple[Node, set[str]]]:
    """The appends below a node, each with the variables of what it adds."""
    for node in mutation.descendants(root):
        if node.type in ("call_expression", "call"):
            function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
            method = mutation.called(node).rpartition(".")[2]
            if function is None or arguments is None or method not in APPENDS:
                continue
            if function.type == "identifier":
                # Go: append(list, m)
                if len(arguments.named_children) > 1:
                    yield node, {n for a in arguments.named_children[1:] for n in names(a)}
            else:
                yield node, names(arguments)
        elif node.type in ("augmented_assignment_expression", "augmented_assignment", "assignment_statement"):
            operator = node.child_by_field_name("operator")
            right = node.child_by_field_name("right")
            if operator is None or right is None or right.type in NUMBERS:
                continue
            if mutation.text_of(operator) == "+=" or grows(node, right):
                yield node, names(right)
        elif node.type in ("assignment_expression", "assignment"):
            right = node.child_by_field_name("right")
            if right is not None and grows(node, right):
                yield node, names(right)


def grows(assignment: Node, right: Node) -> bool:
    """Whether an assignment joins what was there with something: `x = x + m`, `x = [...x, m]`, `x = f"{x}{m}"`."""
    kept = mutation.text_of(assignment.child_by_field_name("left"))
    if any(mutation.called(node) == "append" for node in right.named_children):
        return False  # Go: the call is an append of its own
    inside = [mutation.text_of(node) for node in mutation.descendants(right)]
    return right.type in JOINS and (kept in inside or f"...{kept}" in inside)


def tests(condition: Node) -> Iterator[Node]:
    """The atomic tests of a condition that could ask whether something is there already."""
    for node in (condition, *mutation.descendants(condition, own=True)):
        match node.type:
            case "binary_expression" | "comparison_operator":
                operator = node.child_by_field_name("operator") or node.child_by_field_name("operators")
                said = mutation.text_of(operator)
                sides = [child for child in node.named_children if child.type != "comment"]
                plain = all(s.type not in PLAIN for s in sides)
                if plain and (said in ORDERS or said in ("in", "not in")):
                    yield node
            case "call_expression" | "call":
                if mutation.called(node).rpartition(".")[2] in ASKS or node == condition:
                    yield node
            case "index_expression" | "not_operator":
                yield node
            case "unary_expression" if mutation.text_of(node).startswith("!"):
                yield node


def guards(append: Node, added: set[str]) -> Iterator[tuple[str, Node, Node]]:
    """The tests on the way to an append: which form, the statement, the test."""
    made = assigned(mutation.around(append))
    added = added.union(*(made.get(name, set()) for name in added))

    def related(test: Node) -> bool:
        own = names(test)
        return bool(added & own.union(*(made.get(name, set()) for name in own)))

    inner, outer = append, append.parent
    while outer is not None and inner.type not in mutation.FUNCTIONS:
        if outer.type in IFS:
            condition, then = outer.child_by_field_name("condition"), outer.child_by_field_name("consequence")
            first = outer.child_by_field_name("initializer")
            if then == inner and condition is not None:
                for test in (*tests(condition), *(tests(first) if first is not None else ())):
                    if related(test):
                        yield "condition", outer, test
        if outer.type in BLOCKS:
            for sibling in mutation.statements(outer):
                if sibling.start_byte >= inner.start_byte or sibling.type not in IFS:
                    continue
                then = sibling.child_by_field_name("consequence")
                if then is None or sibling.child_by_field_name("alternative") is not None:
                    continue
                body = mutation.statements(then) if then.type in BLOCKS else [then]
                body = [
                    s for b in body for s in (mutation.statements(b) if b.type == "statement_list" else [b])
                ]
                condition = sibling.child_by_field_name("condition")
                first = sibling.child_by_field_name("initializer")
                if not body or body[-1].type not in JUMPS or condition is None:
                    continue
                for test in (*tests(condition), *(tests(first) if first is not None else ())):
                    if related(test):
                        yield "leave", sibling, test
        inner, outer = outer, outer.parent


def edit(form: str, statement: Node, test: Node, language: str) -> mutation.Edit:
    if form == "leave":
        return mutation.Edit(
            statement.start_byte, statement.end_byte, b"pass" if language == "python" else b""
        )
    condition = statement.child_by_field_name("condition")
    if condition is not None and not mutation.within(test, condition):
        # Go: the test is made in the initializer, and asked in the condition.
        return mutation.Edit(condition.start_byte, condition.end_byte, TRUTH[language])
    whole = test
    while whole.parent is not None and whole.parent.type in ("not_operator", "unary_expression"):
        whole = whole.parent
    return mutation.Edit(whole.start_byte, whole.end_byte, TRUTH[language])


def line_of(source: bytes, node: Node) -> str:
    start = source.rfind(b"\n", 0, node.start_byte) + 1
    end = source.find(b"\n", node.start_byte)
    return source[start : end if end >= 0 else len(source)].decode("utf-8", "replace").strip()


def places(source: bytes, language: str, package: str, path: Path) -> Iterator[Place]:
    """The places of one file: each append with all the guards that are taken away."""
    tree = mutation.parser(path.suffix).parse(source)
    if tree.root_node.has_error:
        return
    for append, added in appends(tree.root_node):
        found = list(guards(append, added))
        edits: list[mutation.Edit] = []
        for form, statement, test in sorted(found, key=lambda g: (g[0] != "leave", g[1].start_byte)):
            new = edit(form, statement, test, language)
            if all(new.end <= old.start or old.end <= new.start for old in edits):
                edits.append(new)
        if not edits:
            continue
        form = "leave" if any(g[0] == "leave" for g in found) else "condition"
        mutant = mutation.Mutant(form, tuple(edits), (append.start_byte,))
        if mutation.parser(path.suffix).parse(mutant.applied(source)[0]).root_node.has_error:
            continue
        tested = " && ".join(dict.fromkeys(" ".join(mutation.text_of(g[2]).split()) for g in found))
        yield Place(language, package, path, mutant, line_of(source, append), tested)


def found_in(packages: Iterable[corpus.Package], root: Path) -> Iterator[Place]:
    seen: set[tuple[str, str, str, str]] = set()
    for package in packages:
        folder = root / "sources" / package.language / package.directory
        for path in sorted(folder.rglob("*")):
            if path.suffix not in corpus.SUFFIXES[package.language] or path.suffix in (".vue", ".svelte"):
                continue
            source = path.read_bytes() if path.is_file() else b""
            if len(source) < 1_000_000 and any(word in source for word in TRANSPORTS):
                for place in places(source, package.language, package.directory, path):
                    if place.key not in seen:
                        seen.add(place.key)
                        yield place


def found_in_fixtures() -> Iterator[Place]:
    """The appends of the rule's fixtures that are said to be right, each once."""
    for path in sorted((HERE.parent / "fixtures" / RULE).iterdir()):
        language = next((name for name, known in corpus.SUFFIXES.items() if path.suffix in known), "")
        if not language or path.suffix in (".vue", ".svelte"):
            continue
        seen: set[tuple[int, ...]] = set()
        for place in places(path.read_bytes(), language, "fixtures", path):
            if "ok: " + RULE in place.append and place.mutant.arms not in seen:
                seen.add(place.mutant.arms)
                yield place


def speaks(source: bytes, path: Path) -> set[int]:
    """The lines at which the rule has a finding at default confidence."""
    from wsantipattern.analysis import analyze
    from wsantipattern.plan import Options, Plan

    settings = Plan(Options(select=(RULE,), isolated=True)).settings_of(str(path))
    findings, _ = analyze(source, str(path), settings)
    return {finding.span.start.line for finding in findings if finding.rule == RULE}


def outcome(place: Place) -> str:
    """`found`, `missed`, or `spoke before` where the unedited code has a finding there already."""
    source = place.path.read_bytes()
    if speaks(source, place.path) & place.mutant.lines_before(source):
        return "spoke before"
    text, lines = place.mutant.applied(source)
    return "found" if speaks(text, place.path) & lines else "missed"


def listed(path: Path) -> dict[tuple[str, str, str, str], str]:
    """The places that were found to append content of messages, and what guards them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(r[0], r[1], r[2], r[3]): r[4] for r in rows if r and not r[0].startswith("#")}


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--cache", type=Path, help="where corpus.py unpacked the corpus")
    options.add_argument("--fixtures", action="store_true", help="measure the rule's fixtures instead")
    options.add_argument("--list", type=Path, default=corpus.LIST, help="the list of packages")
    options.add_argument("--language", action="append", choices=sorted(TRUTH), default=[])
    options.add_argument("--candidates", action="store_true", help="list every candidate of the corpus")
    chosen = options.parse_args(arguments)
    if chosen.cache is None and not chosen.fixtures:
        options.error("--cache or --fixtures is needed")
    try:
        tally = mutation.Tally(RULE)
        known = listed(LISTED)
        found = found_in_fixtures() if chosen.fixtures else found_in(corpus.load(chosen.list), chosen.cache)
    except (corpus.CorpusError, OSError) as error:
        print(f"mutation_append.py: {error}", file=sys.stderr)
        return 2
    for place in found:
        if chosen.language and place.language not in chosen.language:
            continue
        line = min(place.mutant.lines_before(place.path.read_bytes()))
        where = f"{place.package}: {place.path.name}:{line}"
        if chosen.candidates:
            print("\t".join((where, *place.key)), flush=True)
        elif chosen.fixtures or place.key in known:
            source = place.path.read_bytes()
            tally.add(outcome(place), place.language, place.mutant.mutator, place.path, source, line)
    if not chosen.candidates:
        tally.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
