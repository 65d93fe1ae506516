"""Sets watermarks of real code back on an error path, and counts how often watermark-reset speaks then.

    python benchmarks/mutation_watermark.py (--cache DIR | --fixtures) [--language L] [--files LIST]

A place is a field that somewhere takes a value only where that is the greater one (`if (x.n <= this.n) return; this.n =
x.n`, `this.n = max(this.n, x.n)`), is named like a position, and is mentioned in a function of the same class or receiver
in which an attempt can fail. A failure that ends the program or the object, or resets the object as a whole, is none: going
back is right there. The mutator

    error       sets the field to zero as the first thing that a `catch`,
                an `except` or an `if err != nil` does

It is found where the rule speaks at the new line. What is no position of a delivery, and what the same path explains (the
object ends, the view is cleared, another session begins), makes a miss that is right; the run lists the misses to be read.

Guarantees: the same places and numbers for the same corpus and tool; nothing of the corpus is changed. Does not tell a
position from another number: names choose the places, and only the reader of the list judges them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import corpus
import mutation
from mutation import FUNCTIONS, Edit, Mutant, around, descendants, statements, text_of
from tree_sitter import Node

HERE = Path(__file__).resolve().parent

RULE = "watermark-reset"

RELATIONS = frozenset({"<", "<=", ">", ">="})
COMPARISONS = frozenset({"binary_expression", "comparison_operator"})
ASSIGNMENTS = frozenset({"assignment_expression", "assignment", "assignment_statement"})
FIELDS = frozenset({"member_expression", "attribute", "selector_expression"})
POSITIONS = (
    *(
        "seq",
        "offset",
        "cursor",
        "revision",
        "lastid",
        "last_id",
        "eventid",
        "event_id",
        "since",
        "lsn",
        "serial",
    ),
    *("position", "nonce", "updateid", "applied", "delivered", "watermark", "appliedi"),
)
LARGEST = 400_000

ENDING = (
    "close",
    "delete",
    "stop",
    "reset",
    "cleanup",
    "clear",
    "destroy",
    "dispose",
    "shutdown",
    "terminate",
)


def spelled(node: Node) -> str:
    """A term without the spaces and marks that make no difference."""
    return "".join(text_of(node).split()).replace("?.", ".").replace("!", "")


def compared(node: Node) -> set[tuple[str, str]]:
    """The pairs of terms that are put in order, the larger one first."""
    found = set()
    for inner in (node, *descendants(node, own=True)):
        sides = inner.named_children if inner.type in COMPARISONS else []
        signs = [child.type for child in inner.children if child.type in RELATIONS]
        if len(sides) == 2 and signs:
            pair = spelled(sides[0]), spelled(sides[1])
            found.add(pair if signs[0].startswith(">") else pair[::-1])
    return found


def rises(node: Node, field: str, given: str, pairs: set[tuple[str, str]]) -> bool:
    """Whether an assignment stands where the value is greater: under that, or behind a way out where it is not."""
    inside: Node = node
    while inside.parent is not None and inside.parent.type not in FUNCTIONS:
        inside, before = inside.parent, inside
        if inside.type == "if_statement" and before != inside.child_by_field_name("alternative"):
            told = compared(inside.child_by_field_name("condition") or inside)
            if (given, field) in told or (field, given) in told:
                return (given, field) in told
    return (field, given) in pairs


def ends_there(block: Node, field: str) -> bool:
    """Whether a block ends the program, or the object that has the field, or resets the object as a whole."""
    owner_of = field.rpartition(".")[0]
    for node in descendants(block):
        if node.type not in ("call_expression", "call"):
            continue
        called = spelled(node.child_by_field_name("function") or node)
        receiver, _, name = called.rpartition(".")
        if name.lower().startswith(("panic", "fatal")) or called in ("os.Exit", "sys.exit", "process.exit"):
            return True
        plain = name.lower().lstrip("_#")
        if receiver == owner_of and plain.startswith(ENDING):
            return True
    return False


def mentions(function: Node, field: str) -> bool:
    """Whether a field is written out in a function, as a term of its own."""
    return any(node.type in FIELDS and spelled(node) == field for node in descendants(function))


def single(node: Node | None) -> Node | None:
    """The only element of a Go expression list, or the node itself."""
    if node is not None and node.type == "expression_list":
        return node.named_children[0] if len(node.named_children) == 1 else None
    return node


def rising(root: Node) -> dict[str, Node]:
    """The fields that take a value that was compared with them, and the first function in which they do."""
    found: dict[str, Node] = {}
    for function in descendants(root):
        if function.type not in FUNCTIONS:
            continue
        pairs = compared(function)
        for node in descendants(function, own=True):
            if node.type not in ASSIGNMENTS:
                continue
            target, value = (single(node.child_by_field_name(side)) for side in ("left", "right"))
            if target is None or value is None or target.type not in FIELDS:
                continue
            field, given = spelled(target), spelled(value)
            greater = given.lower().startswith(("math.max(", "max(")) and field in given
            fixed = value.type in ("integer", "number", "int_literal", "string", "nil", "none", "null")
            if greater or (not fixed and rises(node, field, given, pairs)):
                name = field.rpartition(".")[2].lower()
                if any(word in name for word in POSITIONS):
                    found.setdefault(field, function)
    return found


def failures(root: Node) -> Iterator[Node]:
    """The blocks that run where an attempt has failed."""
    for node in descendants(root):
        if node.type in ("catch_clause", "except_clause"):
            block = node.child_by_field_name("body") or node.named_children[-1]
            if block.type in ("statement_block", "block"):
                yield block
        elif node.type == "if_statement":
            test = spelled(node.child_by_field_name("condition") or node)
            block = node.child_by_field_name("consequence")
            if test in ("err=nil", "nil=err") and block is not None and block.type == "block":
                yield block


def owner(node: Node) -> str:
    """What tells the methods of one object from others': the class, or the type of a Go receiver."""
    current: Node | None = node
    while current is not None:
        if current.type in ("class_body", "class_definition", "class_declaration", "class"):
            return f"class {current.start_byte}"
        if current.type == "method_declaration":
            receiver = current.child_by_field_name("receiver")
            return "type " + text_of(receiver).strip("()").rpartition(" ")[2].lstrip("*")
        current = current.parent
    return ""


def mutants(source: bytes, suffix: str) -> Iterator[tuple[str, Mutant]]:
    """Each field of a text with the bug that is put in: at the first failure that stands beside it."""
    tree = mutation.parser(suffix).parse(source)
    if tree.root_node.has_error:
        return
    fields = rising(tree.root_node)
    if not fields:
        return
    blocks = [(block, around(block)) for block in failures(tree.root_node)]
    for field, function in fields.items():
        beside = [
            block
            for block, holder in blocks
            if holder is not None
            and owner(holder) == owner(function)
            and mentions(holder, field)
            and not ends_there(block, field)
        ]
        for block in beside[:1]:
            body = statements(block)
            if not body:
                continue
            end = b";" if block.type == "statement_block" else b""
            text = field.encode() + b" = 0" + end
            at = body[0].start_byte
            gap = b"\n" + mutation.indent_of(source, body[0])
            mutant = Mutant("error", (Edit(at, at, text + gap),), (at,))
            edited, _ = mutant.applied(source)
            if not mutation.parser(suffix).parse(edited).root_node.has_error:
                yield field, mutant


def speaks(source: bytes, path: Path) -> set[int]:
    """The lines at which the rule has a finding at default confidence."""
    from wsantipattern.analysis import analyze
    from wsantipattern.plan import Options, Plan

    settings = Plan(Options(select=(RULE,), isolated=True)).settings_of(str(path))
    findings, _ = analyze(source, str(path), settings)
    return {finding.span.start.line for finding in findings if finding.rule == RULE}


def outcome(path: Path, mutant: Mutant) -> tuple[str, int]:
    """Whether the rule speaks at the new line, and that line."""
    source = path.read_bytes()
    line = mutation.line_at(source, mutant.arms[0])
    edit = mutant.edits[0]
    text = source[: edit.start] + edit.text + source[edit.end :]
    return ("found" if line in speaks(text, path) else "missed"), line


def files(chosen: argparse.Namespace, rule: str) -> Iterator[tuple[str, Path]]:
    """The files that are looked at, with their language."""
    if chosen.fixtures:
        folders: Iterable[tuple[str, Path]] = [("", HERE.parent / "fixtures" / rule)]
    else:
        packages = corpus.load(chosen.list)
        folders = [(p.language, chosen.cache / "sources" / p.language / p.directory) for p in packages]
    for named, folder in folders:
        for path in sorted(folder.rglob("*")):
            language = named or next((n for n, known in corpus.SUFFIXES.items() if path.suffix in known), "")
            if (
                not language
                or path.suffix not in corpus.SUFFIXES[language]
                or path.suffix in (".vue", ".svelte")
            ):
                continue
            if not chosen.language or language in chosen.language:
                yield language, path


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--cache", type=Path, help="where corpus.py unpacked the corpus")
    options.add_argument("--fixtures", action="store_true", help="measure the rule's fixtures instead")
    options.add_argument("--list", type=Path, default=corpus.LIST, help="the list of packages")
    options.add_argument("--language", action="append", choices=sorted(corpus.SUFFIXES), default=[])
    options.add_argument("--files", type=Path, help="look at these files only, one a line")
    chosen = options.parse_args(arguments)
    if chosen.cache is None and not chosen.fixtures:
        options.error("--cache or --fixtures is needed")
    try:
        tally = mutation.Tally(RULE)
        only = set(chosen.files.read_text("utf-8").split("\n")) if chosen.files else None
        for language, path in files(chosen, RULE):
            if only is not None and str(path) not in only:
                continue
            source = path.read_bytes() if path.is_file() else b""
            if not source or len(source) > LARGEST:
                continue
            for _, mutant in mutants(source, path.suffix):
                result, line = outcome(path, mutant)
                tally.add(result, language, mutant.mutator, path, source, line)
    except (corpus.CorpusError, OSError) as error:
        print(f"mutation_watermark.py: {error}", file=sys.stderr)
        return 2
    tally.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
