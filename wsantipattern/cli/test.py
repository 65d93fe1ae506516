"""`wsantipattern test`: holds rules against their fixtures."""

from __future__ import annotations

import os

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import rule_folders, settings


@click.command()
@click.argument("pack", required=False, metavar="[PACK]")
@click.option(
    "--fixtures", type=click.Path(file_okay=False), help="The fixture folder.  [default: beside the rules]"
)
def test(pack: str | None, fixtures: str | None) -> int:
    """Check that the rules of PACK find in their fixtures what the fixtures say.

    PACK is a rule folder or the file of one rule; without it, the folders that the configuration names in rule-paths,
    else ./rules. Exits with 1 when something differs.
    """
    from wsantipattern.fixture import fixtures_beside, run_pack
    from wsantipattern.pack import load
    from wsantipattern.rule import RuleError

    places = [pack] if pack else rule_folders() or ["rules"]
    count = 0
    problems = []
    try:
        for place in places:
            count += len(load(place))
            beside = fixtures or fixtures_beside(place)
            problems += run_pack(place, beside, knowledge=settings(os.path.join(place, "x")).knowledge)
    except RuleError as error:
        raise click.ClickException(str(error)) from None
    terminal.put("".join(f"{problem}\n" for problem in problems))
    if problems:
        terminal.remark(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        return 1
    terminal.remark(f"{count} rule{'s hold' if count > 1 else ' holds'}")
    return 0
