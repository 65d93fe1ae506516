"""`wsantipattern explain`: the page of one rule."""

from __future__ import annotations

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import complete, settings, the_rule


@click.command()
@click.argument("rule", metavar="RULE", shell_complete=complete)
@click.option("--config", type=click.Path(), help="Use this configuration file.")
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
def explain(rule: str, config: str | None, isolated: bool) -> None:
    """Print what RULE reports, why, what to do instead, and what it cannot see."""
    from wsantipattern.cli.page import page

    chosen = settings(config=config, isolated=isolated)
    terminal.put(page(the_rule(rule, chosen.known), chosen))
