"""Takes the reset of a tracker out of code that is right, and counts how often stale-dedup-tracker speaks then.

    python benchmarks/mutation_dedup.py (--cache DIR | --fixtures) [--language L]

A place is a statement that empties a container (`seen.clear()`, `this.seen = new Set()`, `self.seen = set()`, `m.seen =
make(...)`, `clear(m.seen)`) under a condition that puts two values in order, in a function that goes on to a loop, in a
file of which something asks what is in the container and in which the rule has nothing to say. The mutator

    kept        takes the statement away

It is found where the file has a finding then. A container that is no tracker, a loop over something else and a second
reset make misses that are right; `mutants.tsv` has the verdict on each (see mutation.py).

Guarantees: the same places and numbers for the same corpus and tool; nothing of the corpus is changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import mutation
import mutation_watermark
from corpus import LIST, SUFFIXES, CorpusError
from mutation import Mutant, around, descendants, text_of
from tree_sitter import Node

RULE = "stale-dedup-tracker"

RELATIONS = frozenset({"<", "<=", ">", ">="})
CLEARS = frozenset({"clear", "Clear", "Purge", "purge", "reset", "Reset"})
MADE = frozenset({"Set", "Map", "WeakSet", "set", "dict", "list", "deque", "OrderedDict", "make"})
EMPTY = frozenset({"{}", "[]", "nil"})
ASKS = frozenset({"has", "includes", "Has", "Contains", "contains", "Load", "LoadOrStore", "get", "Get"})
LOOPS = frozenset({"for_in_statement", "for_statement", "for_of_statement", "call_expression"})
STATEMENTS = frozenset({"expression_statement", "assignment_statement"})


def called(node: Node) -> tuple[str, Node | None]:
    """The last name of what a call calls, and the receiver or only argument it works on."""
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    if function is None:
        return "", None
    for owner, name in (("object", "property"), ("object", "attribute"), ("operand", "field")):
        last = function.child_by_field_name(name)
        if last is not None:
            return text_of(last), function.child_by_field_name(owner)
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return text_of(function), given[0] if len(given) == 1 else None


def emptied(statement: Node) -> str:
    """The container that a statement empties or replaces by an empty one; empty for anything else."""
    inner = statement
    if statement.type == "expression_statement" and statement.named_children:
        inner = statement.named_children[0]
    if inner.type in ("call_expression", "call"):
        name, owner = called(inner)
        return text_of(owner) if name in CLEARS and owner is not None else ""
    if inner.type not in mutation_watermark.ASSIGNMENTS:
        return ""
    target, value = (mutation_watermark.single(inner.child_by_field_name(side)) for side in ("left", "right"))
    if target is None or value is None:
        return ""
    if value.type in ("new_expression", "call_expression", "call"):
        name, _ = called(value)
        return text_of(target) if name.rpartition(".")[2] in MADE and len(text_of(value)) < 60 else ""
    if value.type == "composite_literal":
        return text_of(target) if text_of(value).replace(" ", "").endswith("{}") else ""
    return text_of(target) if text_of(value) in EMPTY else ""


def is_ordered(node: Node) -> bool:
    """Whether a statement stands under a condition that puts two values in order, or under a name of one."""
    current, function = node.parent, around(node)
    while current is not None and current != function:
        test = current.child_by_field_name("condition") if current.type == "if_statement" else None
        if test is not None:
            within = [test, *descendants(test)]
            if any(child.type in RELATIONS for part in within for child in part.children):
                return True
            if function is not None and named_order(function, {text_of(part) for part in within}):
                return True
        current = current.parent
    return False


def asked_about(root: Node) -> set[str]:
    """The last names of the containers of which something asks whether an element is in."""
    found: set[str] = set()
    for node in descendants(root):
        owner: Node | None = None
        if node.type in ("call_expression", "call"):
            name, owner = called(node)
            owner = owner if name in ASKS else None
        elif node.type == "comparison_operator" and any(
            child.type in ("in", "not in") for child in node.children
        ):
            owner = node.named_children[-1]
        elif node.type in ("subscript_expression", "index_expression"):
            owner = node.child_by_field_name("object") or node.child_by_field_name("operand")
        if owner is not None:
            found.add(text_of(owner).rpartition(".")[2])
    return found


def named_order(function: Node, names: set[str]) -> bool:
    """Whether a variable of the function with one of these names is given an order of two values."""
    for node in descendants(function, own=True):
        target = node.child_by_field_name("name") or node.child_by_field_name("left")
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        if target is None or value is None or text_of(target) not in names:
            continue
        if any(child.type in RELATIONS for part in (value, *descendants(value)) for child in part.children):
            return True
    return False


def mutants(source: bytes, suffix: str) -> Iterator[tuple[str, Mutant]]:
    """Each reset of a text, taken away."""
    tree = mutation.parser(suffix).parse(source)
    if tree.root_node.has_error:
        return
    asked = asked_about(tree.root_node)
    for node in descendants(tree.root_node):
        container = emptied(node) if node.type in STATEMENTS else ""
        function = around(node) if container else None
        if function is None or not is_ordered(node):
            continue
        after = [n for n in descendants(function) if n.start_byte > node.end_byte and n.type in LOOPS]
        name = container.rpartition(".")[2]
        if name not in asked or not any(name in text_of(n) or n.type != "call_expression" for n in after):
            continue
        edit = mutation.removed(node, source, b"pass" if suffix == ".py" else b"")
        mutant = Mutant("kept", (edit,), (node.start_byte,))
        if not mutation.parser(suffix).parse(mutant.applied(source)[0]).root_node.has_error:
            yield container, mutant


def speaks(source: bytes, path: Path) -> list[int]:
    """The lines at which the rule has a finding at default confidence."""
    from wsantipattern.analysis import analyze
    from wsantipattern.plan import Options, Plan

    settings = Plan(Options(select=(RULE,), isolated=True)).settings_of(str(path))
    findings, _ = analyze(source, str(path), settings)
    return sorted(finding.span.start.line for finding in findings if finding.rule == RULE)


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--cache", type=Path, help="where corpus.py unpacked the corpus")
    options.add_argument("--fixtures", action="store_true", help="measure the rule's fixtures instead")
    options.add_argument("--list", type=Path, default=LIST, help="the list of packages")
    options.add_argument("--language", action="append", choices=sorted(SUFFIXES), default=[])
    chosen = options.parse_args(arguments)
    if chosen.cache is None and not chosen.fixtures:
        options.error("--cache or --fixtures is needed")
    try:
        tally = mutation.Tally(RULE)
        for language, path in mutation_watermark.files(chosen, RULE):
            source = path.read_bytes() if path.is_file() else b""
            if not source or len(source) > mutation_watermark.LARGEST:
                continue
            for _, mutant in mutants(source, path.suffix):
                before, after = speaks(source, path), speaks(mutant.applied(source)[0], path)
                if before:
                    continue  # Not right to begin with.
                result = "found" if after else "missed"
                line = mutation.line_at(source, mutant.arms[0])
                tally.add(result, language, mutant.mutator, path, source, line)
    except (CorpusError, OSError) as error:
        print(f"mutation_dedup.py: {error}", file=sys.stderr)
        return 2
    tally.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
