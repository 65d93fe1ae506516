"""A small pack of rules whose findings need no front end's insight: they look for words in the text."""

from __future__ import annotations

from pathlib import Path

_RULE = '''"""{summary}.

It is there.

Why
    Words matter.

Instead
    Say nothing.

Limits
    Knows one word.
"""

from collections.abc import Iterator

from wsantipattern import Confidence, Function, Match, Module, Roles, rule


@rule(severity="{severity}", triggers=lambda knowledge: [b"{word}"])
def {name}({subject}: {kind}, roles: Roles) -> Iterator[Match]:
{body}
'''

_FUNCTION = """    text = function.module.text
    at = text.find(b"{word}")
    while at >= 0:
        if function.module.function_at(at).host is function:
            end = at + len(b"{word}")
            yield Match((at, end), "`{word}` is said", Confidence.{confidence}, [((at, end), "said here")])
        at = text.find(b"{word}", at + 1)"""

_MODULE = """    at = module.text.find(b"{word}")
    if at >= 0:
        yield Match((at, at + len(b"{word}")), "`{word}` is said", Confidence.{confidence})"""


def rule_text(
    name: str,
    word: str,
    severity: str = "error",
    confidence: str = "HIGH",
    kind: str = "Function",
    body: str | None = None,
) -> str:
    template = _FUNCTION if kind == "Function" else _MODULE
    return _RULE.format(
        summary=f"The word {word} is said",
        severity=severity,
        word=word,
        name=name,
        subject=kind.lower(),
        kind=kind,
        body=body if body is not None else template.format(word=word, confidence=confidence),
    )


def write_pack(folder: Path, **rules: str) -> str:
    """Writes rules by name and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in rules.items():
        (folder / f"{name}.py").write_text(text)
    return str(folder)


def usual(folder: Path) -> str:
    """A pack of `loud-word` (shout: error), `soft-word` (whisper: warning, medium) and `faint-word` (hum: note, low)."""
    return write_pack(
        folder,
        loud_word=rule_text("loud_word", "shout"),
        soft_word=rule_text("soft_word", "whisper", "warning", "MEDIUM"),
        faint_word=rule_text("faint_word", "hum", "note", "LOW", kind="Module"),
    )
