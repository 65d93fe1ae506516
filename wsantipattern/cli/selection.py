"""The rules that a command is about: the built-in ones and those of the project's configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from wsantipattern.similar import closest

if TYPE_CHECKING:
    from wsantipattern.analysis import Settings
    from wsantipattern.rule import Rule


def settings(path: str = "x", config: str | None = None, isolated: bool = False) -> Settings:
    """The settings for a file at `path`, as a run would have them.

    Raises:
        click.ClickException: the configuration or a rule cannot be used.
    """
    from wsantipattern.config import ConfigError
    from wsantipattern.plan import Options, Plan
    from wsantipattern.rule import RuleError

    try:
        return Plan(Options(config=config, isolated=isolated)).settings_of(path)
    except (ConfigError, RuleError) as error:
        raise click.ClickException(str(error)) from None


def rule_folders() -> list[str]:
    """The rule folders that the configuration of the current folder names.

    Raises:
        click.ClickException: the configuration cannot be used.
    """
    from wsantipattern.config import ConfigError, Nearest

    try:
        config = Nearest().of(os.getcwd())
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    return [os.path.relpath(folder) for folder in config.rule_paths] if config else []


def the_rule(name: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule with an id; underscores count as dashes.

    Raises:
        click.UsageError: there is none.
    """
    rule = rules.get(name.replace("_", "-"))
    if rule is None:
        raise click.UsageError(f"there is no rule {name}{closest(name, rules)}")
    return rule


def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The ids that start with what has been typed so far; of a comma-separated list, the last one."""
    before, comma, word = incomplete.rpartition(",")
    try:
        known = settings().known
    except click.ClickException:
        return []  # a shell cannot show errors while it completes
    return [f"{before}{comma}{rule}" for rule in known if rule.startswith(word)]
