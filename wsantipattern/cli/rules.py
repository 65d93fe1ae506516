"""`wsantipattern rules`: the table of rules."""

from __future__ import annotations

import json

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import settings


@click.command()
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--config", type=click.Path(), help="Use this configuration file.")
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
def rules(output_format: str, config: str | None, isolated: bool) -> None:
    """List the rules, those of the project's own folders included."""
    known = settings(config=config, isolated=isolated).known.values()
    if output_format == "json":
        table = [
            {"id": r.id, "severity": r.severity.label, "summary": headline(r.summary), "path": r.path}
            for r in known
        ]
        terminal.put(json.dumps(table, indent=2, ensure_ascii=False) + "\n")
        return
    wide = max((len(rule.id) for rule in known), default=0)
    terminal.put("".join(f"{r.id:<{wide}}  {r.severity.label:<7}  {headline(r.summary)}\n" for r in known))


def headline(summary: str) -> str:
    """The first paragraph of a summary as one line."""
    return " ".join(summary.split("\n\n")[0].split())
