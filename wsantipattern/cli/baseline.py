"""`wsantipattern baseline`: the findings that a project has accepted for now."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.options import options_from, run_options

if TYPE_CHECKING:
    from wsantipattern.baseline import Entry, Match
    from wsantipattern.plan import Options
    from wsantipattern.runner import Outcome

NAMED = 10
"""Fixed entries that are named in a remark."""

_file = click.option(
    "--baseline",
    "file",
    type=click.Path(dir_okay=False),
    default="wsantipattern-baseline.json",
    show_default=True,
    help="The file that the baseline is in.",
)
_paths = click.argument("paths", nargs=-1, metavar="[PATHS]...")


@click.group()
def baseline() -> None:
    """Accept today's findings, and see that they only become fewer."""


@baseline.command()
@_paths
@_file
@run_options
def write(paths: tuple[str, ...], file: str, **values: Any) -> int:
    """Accept all findings in PATHS (the current folder by default), also those that are new since the last time.

    Entries about files outside of PATHS are kept.
    """
    from wsantipattern.baseline import entries_of, written

    options = options_from(values)
    given = list(paths) or ["."]
    outcome = _run(given, options)
    before = _load(file) if os.path.exists(file) else []
    is_covered = _covered(outcome, file, given, options)
    now = entries_of(outcome.report.findings, _named(file))
    kept = [entry for entry in before if not is_covered(entry)]
    terminal.write(file, written([*kept, *now]))
    total = _total([*kept, *now])
    files = len({entry.path for entry in [*kept, *now]})
    terminal.remark(
        f"{file} accepts {_count(total, 'finding')} in {_count(files, 'file')}; it had {_total(before)}"
    )
    return 0


@baseline.command()
@_paths
@_file
@run_options
def update(paths: tuple[str, ...], file: str, **values: Any) -> int:
    """Take out what is fixed. Nothing is accepted that was not before."""
    from wsantipattern.baseline import written

    options = options_from(values)
    _, match = _matched(file, list(paths) or ["."], options)
    text = written(match.left)
    if match.fixed or match.moved:
        terminal.write(file, text)
    for entry in match.fixed:
        terminal.put(f"fixed: {_described(entry)}\n")
    if match.new:
        terminal.remark(f"{_count(len(match.new), 'finding')} not in {file}; `baseline check` shows them")
    terminal.remark(
        f"{file}: {_total(match.fixed)} fixed, {match.moved} moved, {_total(match.left)} left"
        if match.fixed or match.moved
        else f"{file}: nothing is fixed, {_total(match.left)} left"
    )
    return 0


@baseline.command()
@_paths
@_file
@run_options
def check(paths: tuple[str, ...], file: str, **values: Any) -> int:
    """Check that the baseline says neither too little nor too much.

    Exits with 1 when there are findings that it does not have, or when it has some that are fixed.
    """
    from wsantipattern.plan import Plan
    from wsantipattern.report import RenderContext, render

    options = options_from(values)
    outcome, match = _matched(file, list(paths) or ["."], options)
    if match.new:
        outcome.report.findings = match.new
        context = RenderContext(
            rules=outcome.rules,
            root=os.getcwd().replace(os.sep, "/"),
            source=_content,
            color=terminal.has_color("auto"),
            width=terminal.columns() if sys.stdout.isatty() else 0,
            quiet=True,
        )
        terminal.put(render(outcome.report, "text", context))
    for entry in match.fixed:
        terminal.put(f"fixed: {_described(entry)}\n")
    fixed, moved = _total(match.fixed), match.moved
    terminal.remark(f"{file}: {len(match.new)} not in it, {match.known} in it, {fixed} fixed, {moved} moved")
    if fixed or moved:
        terminal.remark("`wsantipattern baseline update` takes out what is fixed")
    plan = Plan(options)
    is_failing = any(finding.severity >= plan.fail_on(finding.path) for finding in match.new)
    return 1 if is_failing or fixed else 0


def leave_out(outcome: Outcome, file: str, given: Sequence[str], options: Options) -> list[str]:
    """Takes what a baseline accepts out of a finished run; gives what there is to remark on.

    Raises:
        click.ClickException: the baseline cannot be used.
    """
    from wsantipattern.baseline import match
    from wsantipattern.plan import Plan

    found = outcome.report.findings
    result = match(_load(file), found, _named(file), _covered(outcome, file, given, options), _gone(file))
    outcome.report.findings = result.new
    plan = Plan(options)
    outcome.failing = sum(f.severity >= plan.fail_on(f.path) for f in result.new)
    remarks = []
    if result.known:
        remarks.append(f"{_count(result.known, 'finding')} left out: {file} accepts them")
    fixed = result.fixed if options.min_confidence is None else []
    if fixed:
        remarks += [f"fixed: {_described(entry)}" for entry in fixed[:NAMED]]
        remarks.append(f"{_total(fixed)} fixed of {file}; `wsantipattern baseline update` takes them out")
    return remarks


def _run(given: list[str], options: Options) -> Outcome:
    from wsantipattern.config import ConfigError
    from wsantipattern.rule import RuleError
    from wsantipattern.runner import run

    try:
        outcome = run(given, options)
    except (ConfigError, RuleError) as error:
        raise click.ClickException(str(error)) from None
    if outcome.report.errors:
        for problem in outcome.report.errors:
            terminal.complain(f"{problem.path}: {problem.message}")
        raise click.ClickException("a baseline needs a run in which all files can be checked")
    return outcome


def _matched(file: str, given: list[str], options: Options) -> tuple[Outcome, Match]:
    from wsantipattern.baseline import match

    entries = _load(file)
    outcome = _run(given, options)
    is_covered = _covered(outcome, file, given, options)
    return outcome, match(entries, outcome.report.findings, _named(file), is_covered, _gone(file))


def _load(file: str) -> list[Entry]:
    from wsantipattern.baseline import BaselineError, load

    try:
        return load(file)
    except BaselineError as error:
        raise click.ClickException(str(error)) from None


def _named(file: str) -> Callable[[str], str]:
    from wsantipattern.baseline import path_in

    return lambda path: path_in(file, path)


def _covered(outcome: Outcome, file: str, given: Sequence[str], options: Options) -> Callable[[Entry], bool]:
    """Whether a run would have found what an entry accepts: by its rule and by its file."""
    folder = os.path.dirname(os.path.abspath(file))
    failed = {os.path.abspath(error.path) for error in outcome.report.errors}
    files = {os.path.abspath(path) for path in outcome.files}
    # Of a shard, only the files themselves say what it has looked at.
    asked = [os.path.abspath(path) for path in given] if options.shard is None else []

    def is_covered(entry: Entry) -> bool:
        path = os.path.normpath(os.path.join(folder, entry.path))
        if path in failed or entry.rule in options.ignore:
            return False
        if options.select is not None and entry.rule not in options.select:
            return False
        return path in files or any(
            path == top or path.startswith(top.rstrip(os.sep) + os.sep) for top in asked
        )

    return is_covered


def _gone(file: str) -> Callable[[Entry], bool]:
    folder = os.path.dirname(os.path.abspath(file))
    return lambda entry: not os.path.lexists(os.path.join(folder, entry.path))


def _content(path: str) -> bytes | None:
    from wsantipattern.source import ReadError, Source, read

    try:
        source = read(path, path)
    except ReadError:
        return None  # gone since it was checked; the finding is still true
    return source.text if isinstance(source, Source) else None


def _described(entry: Entry) -> str:
    times = f" ({entry.count} times)" if entry.count > 1 else ""
    return f"{entry.path}: {entry.rule} {entry.message}{times}"


def _total(entries: Sequence[Entry]) -> int:
    return sum(entry.count for entry in entries)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
