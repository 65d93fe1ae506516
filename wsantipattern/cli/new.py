"""`wsantipattern new`: a rule to start from."""

from __future__ import annotations

import os

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import rule_folders


@click.command()
@click.argument("rule", metavar="RULE")
@click.option(
    "--rules", "folder", type=click.Path(file_okay=False), help="The rule folder.  [default: the project's]"
)
@click.option(
    "--fixtures", type=click.Path(file_okay=False), help="The fixture folder.  [default: beside the rules]"
)
def new(rule: str, folder: str | None, fixtures: str | None) -> None:
    """Write a new rule and its fixtures, to edit and to test.

    RULE is an id such as timer-not-cleared. The folder is the first that the configuration names in rule-paths, else
    ./rules.
    """
    from wsantipattern.scaffold import ScaffoldError, create

    place = folder or (rule_folders() or ["rules"])[0]
    beside = os.path.join(os.path.dirname(os.path.normpath(place)), "fixtures")
    try:
        written = create(rule, place, fixtures or beside)
    except ScaffoldError as error:
        raise click.ClickException(str(error)) from None
    terminal.put("".join(f"{os.path.relpath(path)}\n" for path in written))
    terminal.remark(f"edit, then: wsantipattern test {os.path.relpath(written[0])}")
