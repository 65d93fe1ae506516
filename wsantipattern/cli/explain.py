"""`wsantipattern explain`: the page of one rule, or why the rules speak or stay silent at a place."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import complete, settings, the_rule
from wsantipattern.finding import Confidence

if TYPE_CHECKING:
    from wsantipattern.analysis import Settings
    from wsantipattern.plan import Plan
    from wsantipattern.why import Accepts

PIPE_WIDTH = 120
"""Cells that a line of code may take where the output is no terminal."""


@click.command()
@click.argument("rule", metavar="[RULE]", required=False, shell_complete=complete)
@click.option(
    "--at",
    "place",
    metavar="FILE:LINE[:COL]",
    help="Tell what the rules (or RULE alone) make of this place: why they speak, or why not.",
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the answer to --at is printed.",
)
@click.option(
    "--min-confidence",
    type=click.Choice([level.label for level in Confidence]),
    help="With --at: as for `check`.  [default: medium]",
)
@click.option(
    "--baseline", type=click.Path(dir_okay=False), help="With --at: say what this baseline accepts."
)
@click.option("--config", type=click.Path(), help="Use this configuration file.")
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
@click.option(
    "--rule-paths/--no-rule-paths",
    default=True,
    help="With --at: whether to load (and so to execute) the rule folders that configurations name.  [default: rule-paths]",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the answer to --at; NO_COLOR is obeyed.",
)
def explain(
    rule: str | None,
    place: str | None,
    output_format: str,
    min_confidence: str | None,
    baseline: str | None,
    config: str | None,
    isolated: bool,
    rule_paths: bool,
    color: str,
) -> None:
    """Print what RULE reports, why, what to do instead, and what it cannot see.

    With --at, tell for a place which rule looked at it and which fact kept it silent; for a finding, which evidence
    made it speak.
    """
    if place is None:
        if rule is None:
            raise click.UsageError("missing argument: RULE, or --at FILE:LINE")
        from wsantipattern.cli.page import page

        chosen = settings(config=config, isolated=isolated)
        terminal.put(page(the_rule(rule, chosen.known), chosen))
        return
    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    from wsantipattern.config import ConfigError
    from wsantipattern.plan import Options, Plan
    from wsantipattern.rule import RuleError

    file, line, column = _place(place)
    sure = Confidence[min_confidence.upper()] if min_confidence else None
    options = Options(config=config, isolated=isolated, min_confidence=sure, rule_paths=rule_paths)
    try:
        plan = Plan(options)
        chosen = plan.settings_of(file)
        wanted = [the_rule(rule, chosen.known).id] if rule is not None else None
        _answer(file, line, column, plan, chosen, wanted, baseline, output_format, color)
    except (ConfigError, RuleError) as error:
        raise click.ClickException(str(error)) from None


def _place(text: str) -> tuple[str, int, int | None]:
    """File, line and column of `FILE:LINE[:COL]`."""
    parts = text.rsplit(":", 2)
    if len(parts) == 3 and parts[0] and _number(parts[1]) and _number(parts[2]):
        return parts[0], int(parts[1]), int(parts[2])
    file, _, line = text.rpartition(":")
    if not file or not _number(line):
        raise click.UsageError(f"--at {text}: not FILE:LINE or FILE:LINE:COL, with numbers from 1")
    return file, int(line), None


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _answer(
    file: str,
    line: int,
    column: int | None,
    plan: Plan,
    chosen: Settings,
    wanted: list[str] | None,
    baseline: str | None,
    output_format: str,
    color: str,
) -> None:
    from wsantipattern.cli.place import as_json, as_text
    from wsantipattern.files import is_known
    from wsantipattern.source import ReadError, Skip, Source, read
    from wsantipattern.why import Answer, Inquiry

    path = os.path.normpath(file).replace(os.sep, "/")
    if not is_known(path) and os.path.isfile(path):
        raise click.UsageError(f"{path}: no language has this ending")
    try:
        content = read(path, path)
    except ReadError as error:
        raise click.ClickException(f"{path}: {error}") from None
    if isinstance(content, Skip):
        source = Source(path, b"")
        answer = Answer(path, line, column, remarks=[f"`check` leaves this file out: {content.reason}"])
    else:
        source = content
        if line > source.line_count:
            raise click.UsageError(f"{path}: there is no line {line}, it has {source.line_count}")
        if column is not None and column > len(source.line(line)) + 1:
            raise click.UsageError(
                f"{path}:{line}: there is no column {column}, it has {len(source.line(line))}"
            )
        accepted = (baseline, _accepted(baseline, path)) if baseline is not None else None
        answer = Inquiry(source, chosen).ask(line, column, rules=wanted, accepted=accepted)
    answer.remarks += _left_out(path, plan)
    if output_format == "json":
        terminal.put(as_json(answer))
        return
    width = terminal.columns() if sys.stdout.isatty() else PIPE_WIDTH
    terminal.put(as_text(answer, source, color=terminal.has_color(color), width=width))


def _accepted(baseline: str, path: str) -> Accepts:
    """What gives the findings that a baseline accepts."""
    from wsantipattern.baseline import BaselineError, load, match, path_in
    from wsantipattern.finding import Finding

    try:
        entries = load(baseline)
    except BaselineError as error:
        raise click.ClickException(str(error)) from None

    def accepted(findings: list[Finding]) -> list[Finding]:
        held = match(entries, findings, lambda p: path_in(baseline, p), lambda _: False, lambda _: False)
        return [finding for finding in findings if finding not in held.new]

    return accepted


def _left_out(path: str, plan: Plan) -> list[str]:
    """Why a run over the whole project leaves a file out, as a sentence, or nothing."""
    from wsantipattern.files import Filter, is_reached, matches

    absolute = os.path.abspath(path).replace(os.sep, "/")
    root = plan.root
    if not absolute.startswith(root.rstrip("/") + "/"):
        return []
    if is_reached(root, absolute, lambda folder: plan.config(folder).filter):
        return []
    rules: Filter = plan.config_of(path).filter
    relative = os.path.relpath(absolute, rules.root).replace(os.sep, "/")
    for name, patterns in (("exclude", rules.exclude or ()), ("extend-exclude", rules.extend_exclude)):
        pattern = next((p for p in patterns if matches((p,), relative)), None)
        if pattern is not None:
            return [f'a run over the project leaves this file out: `{name}` has "{pattern}"']
    if rules.include and not matches(rules.include, relative):
        return ["a run over the project leaves this file out: no pattern of `include` matches it"]
    why = "a .gitignore, or a folder that is always left out (`node_modules`, `build`, ...)"
    return [f"a run over the project leaves this file out: {why}"]
