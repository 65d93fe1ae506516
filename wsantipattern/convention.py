"""What every rule of every pack keeps to, beyond what loading it demands.

Looks at the rule's metadata and at the syntax of its file; runs nothing. The limits are the ones that keep a rule a
page that somebody reads before they trust it.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

from wsantipattern.rule import Rule, RuleError
from wsantipattern.source import reason

SUMMARY_LIMIT = 72
"""Characters that the first line of a rule's documentation stays below."""

CODE_LIMIT = 120
"""Lines of code (no comments, docstrings or blank lines) that a rule's file may have."""

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def is_rule_id(text: str) -> bool:
    """Whether a text can be a rule's id: two to four lower-case words with dashes, naming the bad thing."""
    words = text.split("-")
    return (
        2 <= len(words) <= 4
        and all(word.isascii() and word.isalpha() and word.islower() for word in words)
        and words[0] not in ("no", "ws")
    )


def breaches(rule: Rule) -> Iterator[tuple[int, str]]:
    """What a rule does not keep to: the line in its file (0 for the whole file), and what is wrong.

    Raises:
        RuleError: its file cannot be read.
    """
    if not is_rule_id(rule.id):
        yield (
            0,
            f"the id {rule.id} is not two to four lower-case words with dashes, without no- or ws- in front",
        )
    summary = rule.summary.split("\n\n")[0]
    if "\n" in summary or len(summary) >= SUMMARY_LIMIT:
        yield (
            1,
            f"the first line of the docstring must be a paragraph of its own, under {SUMMARY_LIMIT} characters",
        )
    try:
        text = Path(rule.path).read_text("utf-8")
    except OSError as error:
        raise RuleError(f"{rule.path}: {reason(error)}") from None
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name == "re" for alias in node.names):
            yield node.lineno, "decides by regular expression; ask the model"
        if isinstance(node, ast.Attribute) and node.attr == "language":
            yield node.lineno, "asks which language it is in; that difference belongs into the front end"
    lines = _lines_of_code(text, tree)
    if lines > CODE_LIMIT:
        yield 0, f"{lines} lines of code; {CODE_LIMIT} are the most"


def message_breach(message: str) -> str | None:
    """What is wrong with the form of a finding's message, or None."""
    if not message or message[0].isupper() or message[-1] in ".!":
        return "a message is one sentence without a capital letter in front and a full stop behind"
    return None


def _lines_of_code(text: str, tree: ast.Module) -> int:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)
