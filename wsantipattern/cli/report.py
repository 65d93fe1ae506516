"""`wsantipattern report`: what becomes of reports after a run."""

from __future__ import annotations

from pathlib import Path

import click

from wsantipattern.cli import terminal
from wsantipattern.finding import Severity


@click.group()
def report() -> None:
    """Work with reports that `check` has written."""


@report.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(dir_okay=False), metavar="REPORTS...")
@click.option(
    "--output-file",
    type=click.Path(dir_okay=False),
    help="Write the joined report to this file, whole or not at all.",
)
@click.option(
    "--fail-on",
    type=click.Choice([level.label for level in Severity]),
    default=Severity.WARNING.label,
    show_default=True,
    help="Exit with 1 from this severity on.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings.")
def merge(reports: tuple[str, ...], output_file: str | None, fail_on: str, exit_zero: bool) -> int:
    """Join the REPORTS of `check --shard` (JSON or SARIF) into the report of one run.

    Exits as that run would have: with 0, 1 or 2.
    """
    from wsantipattern.report.merge import MergeError, gravest
    from wsantipattern.report.merge import merge as joined
    from wsantipattern.source import reason

    parts = []
    for file in reports:
        try:
            parts.append((file, Path(file).read_text("utf-8")))
        except OSError as error:
            raise click.ClickException(f"{file}: {reason(error)}") from None
        except UnicodeDecodeError as error:
            raise click.ClickException(f"{file}: {error}") from None
    try:
        text = joined(parts)
    except MergeError as error:
        raise click.ClickException(str(error)) from None
    if output_file is not None:
        terminal.write(output_file, text)
    else:
        terminal.put(text)
    severity, has_errors = gravest(text)
    if has_errors:
        return 2
    fails = severity is not None and Severity[severity.upper()] >= Severity[fail_on.upper()]
    return 1 if fails and not exit_zero else 0
