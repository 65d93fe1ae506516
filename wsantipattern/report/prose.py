"""A rule's documentation as running text and as Markdown."""

from __future__ import annotations

from wsantipattern.rule import Rule


def paragraph(text: str, *, first: bool = False) -> str:
    """A text with its lines joined; with `first`, only its first paragraph."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    kept = [part for part in paragraphs if part]
    return kept[0] if first and kept else "\n\n".join(kept)


def help_text(rule: Rule) -> str:
    """Everything the rule's documentation says, without markup."""
    return "\n\n".join(
        [
            rule.summary,
            *(f"{title}\n{text}" for title, text in _sections(rule)),
        ]
    )


def help_markdown(rule: Rule) -> str:
    """Everything the rule's documentation says, as Markdown."""
    return "\n\n".join([rule.summary, *(f"## {title}\n\n{text}" for title, text in _sections(rule))]) + "\n"


def _sections(rule: Rule) -> list[tuple[str, str]]:
    return [("Why", rule.why), ("Instead", rule.instead), ("Limits", rule.limits)]
