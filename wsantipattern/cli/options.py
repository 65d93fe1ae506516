"""Options that several commands share: which rules run, how, and with which configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import complete
from wsantipattern.finding import Confidence, Severity

if TYPE_CHECKING:
    from wsantipattern.plan import Options

Command = TypeVar("Command", bound=Callable[..., Any])

_RUN = (
    click.option(
        "--select",
        multiple=True,
        metavar="RULES",
        callback=terminal.separated,
        shell_complete=complete,
        help="Run only these rules (ids, separated by commas; may be repeated).",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="RULES",
        callback=terminal.separated,
        shell_complete=complete,
        help="Do not run these rules.",
    ),
    click.option("--config", type=click.Path(), help="Use this configuration file for all paths."),
    click.option("--isolated", is_flag=True, help="Ignore all configuration files."),
    click.option(
        "--rule-paths/--no-rule-paths",
        default=True,
        help="Whether to load (and so to execute) the rule folders that configurations name.  [default: rule-paths]",
    ),
    click.option("--jobs", type=click.IntRange(min=1), help="Processes to use.  [default: as many as pay]"),
)


def run_options(command: Command) -> Command:
    """Adds the options that say which rules run on what; `options_from` reads them."""
    for option in reversed(_RUN):
        command = option(command)
    return command


def options_from(
    values: dict[str, Any], *, min_confidence: str | None = None, fail_on: str | None = None
) -> Options:
    """The options of a run from the values of `run_options`.

    Raises:
        click.UsageError: two of them exclude each other.
    """
    from wsantipattern.plan import Options

    if values["config"] is not None and values["isolated"]:
        raise click.UsageError("--config and --isolated exclude each other")
    return Options(
        select=values["select"] or None,
        ignore=values["ignore"],
        min_confidence=Confidence[min_confidence.upper()] if min_confidence else None,
        fail_on=Severity[fail_on.upper()] if fail_on else None,
        config=values["config"],
        isolated=values["isolated"],
        jobs=values["jobs"],
        rule_paths=values["rule_paths"],
    )
