"""`wsantipattern check`: the main command."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import complete
from wsantipattern.finding import Confidence, Severity
from wsantipattern.report import FORMATS

if TYPE_CHECKING:
    from wsantipattern.finding import Report
    from wsantipattern.fix.files import Fixing
    from wsantipattern.plan import Options
    from wsantipattern.runner import Input, Outcome

PIPE_WIDTH = 120
"""Cells that a line of code may take where the output is no terminal."""

FORMATS_WITH_FIXES = frozenset({"json", "jsonl", "rdjson", "sarif"})
"""Reports for programs that can offer a fix."""

SHOWN_ERRORS = 20
"""Errors that are named without --verbose; a broken rule is broken in every file."""


def _shard(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    from wsantipattern.shard import ShardError, parse

    try:
        return parse(value)
    except ShardError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option(
    "--select",
    multiple=True,
    metavar="RULES",
    callback=terminal.separated,
    shell_complete=complete,
    help="Run only these rules (ids, separated by commas; may be repeated).",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="RULES",
    callback=terminal.separated,
    shell_complete=complete,
    help="Do not run these rules.",
)
@click.option(
    "--min-confidence",
    type=click.Choice([level.label for level in Confidence]),
    help="Show findings of at least this confidence.  [default: medium]",
)
@click.option(
    "--fail-on",
    type=click.Choice([level.label for level in Severity]),
    help="Exit with 1 from this severity on.  [default: warning]",
)
@click.option("--fix", is_flag=True, help="Make the fixes that change nothing but the fault.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="Make fixes that may change more, too. Implies --fix without --diff."
)
@click.option(
    "--diff",
    is_flag=True,
    help="Print what --fix would change, and change nothing; 1 when there is anything.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings.")
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False),
    help="Leave out the findings that this file accepts (see `wsantipattern baseline`).",
)
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="How findings are printed.",
)
@click.option(
    "--output-file",
    type=click.Path(dir_okay=False),
    help="Write the report to this file, whole or not at all.",
)
@click.option("--config", type=click.Path(), help="Use this configuration file for all paths.")
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
@click.option(
    "--rule-paths/--no-rule-paths",
    default=True,
    help="Whether to load (and so to execute) the rule folders that configurations name.  [default: rule-paths]",
)
@click.option(
    "--stdin-filename", metavar="NAME", help="The name that standard input is taken and reported as."
)
@click.option("--statistics", is_flag=True, help="Add how many findings each rule has.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked, and stop.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings and errors only.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Say which files are skipped and why, and what the run used."
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the text output; NO_COLOR is obeyed.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes to use.  [default: as many as pay]")
@click.option(
    "--cache/--no-cache", default=True, help="Whether to keep results from run to run.  [default: cache]"
)
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False),
    help="Keep them in this folder.  [default: .wsantipattern_cache in the project's root]",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Check part I of N, divided by bytes; `report merge` joins the parts.",
)
def check(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    min_confidence: str | None,
    fail_on: str | None,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    exit_zero: bool,
    baseline: str | None,
    output_format: str,
    output_file: str | None,
    config: str | None,
    isolated: bool,
    rule_paths: bool,
    stdin_filename: str | None,
    statistics: bool,
    show_files: bool,
    quiet: bool,
    verbose: bool,
    color: str,
    jobs: int | None,
    cache: bool,
    cache_dir: str | None,
    shard: tuple[int, int] | None,
) -> int:
    """Check files and folders (the current one by default).

    PATHS are files and folders; `-` is standard input, which needs --stdin-filename. Folders are searched for files
    of all languages, without what .gitignore and the configuration exclude.

    Exits with 0 when nothing was found, 1 when something was, and 2 when the run itself failed.
    """
    from wsantipattern.config import ConfigError
    from wsantipattern.plan import Options
    from wsantipattern.rule import RuleError
    from wsantipattern.runner import run

    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    options = Options(
        select=select or None,
        ignore=ignore,
        min_confidence=Confidence[min_confidence.upper()] if min_confidence else None,
        fail_on=Severity[fail_on.upper()] if fail_on else None,
        config=config,
        isolated=isolated,
        jobs=jobs,
        rule_paths=rule_paths,
        cache=cache,
        cache_dir=cache_dir,
        shard=shard,
    )
    stdin = _stdin(paths, stdin_filename)
    given = [path for path in paths if path != "-"] if paths else [] if stdin else ["."]
    started = time.monotonic()
    try:
        if show_files:
            return _show_files(given, options)
        progress = terminal.Progress() if sys.stderr.isatty() and not quiet else None
        try:
            outcome = run(given, options, stdin=stdin, taken_as=stdin_filename, progress=progress)
        finally:
            if progress is not None:
                progress.clear()
        fixing = None
        if fix or unsafe_fixes or diff:
            from wsantipattern.fix.files import fix_findings

            fixing = fix_findings(
                outcome,
                options,
                unsafe=unsafe_fixes,
                writing=not diff,
                stdin=stdin,
                taken_as=stdin_filename,
            )
        elif output_format in FORMATS_WITH_FIXES:
            from wsantipattern.fix.files import suggest_fixes

            suggest_fixes(outcome, options, stdin=stdin, taken_as=stdin_filename)
    except (ConfigError, RuleError) as error:
        raise click.ClickException(str(error)) from None
    if fixing is not None and diff:
        return _show_diff(fixing, outcome, quiet)
    if fixing is not None and stdin is not None:
        fixed_text = next((f.after for f in fixing.rewritten if f.path == stdin.path), stdin.data)
        sys.stdout.buffer.write(fixed_text)
        stdin = replace(stdin, data=fixed_text)
    if baseline is not None:
        from wsantipattern.cli.baseline import leave_out

        remarks = leave_out(outcome, baseline, given, options)
        if not quiet:
            for line in remarks:
                terminal.remark(line)
    to_stderr = fixing is not None and stdin is not None
    if not quiet:
        for line in outcome.remarks:
            terminal.remark(line)
    _print(outcome, stdin, output_format, output_file, statistics, quiet, verbose, color, to_stderr)
    if not quiet:
        if fixing is not None and output_format not in ("text", "markdown"):
            terminal.remark(_said("fixed", fixing))
        _say_if_nothing(outcome)
    if verbose:
        _say_more(outcome, time.monotonic() - started)
    if outcome.report.errors:
        return 2
    return 1 if outcome.failing and not exit_zero else 0


def _stdin(paths: tuple[str, ...], name: str | None) -> Input | None:
    from wsantipattern.files import is_known
    from wsantipattern.runner import Input

    if "-" not in paths and (paths or name is None):
        return None
    if name is None:
        raise click.UsageError("standard input needs --stdin-filename, which says what language it is")
    if not is_known(name):
        raise click.UsageError(f"--stdin-filename {name}: no language has this ending")
    return Input(sys.stdin.buffer.read(), os.path.normpath(name).replace(os.sep, "/"))


def _show_files(paths: list[str], options: Options) -> int:
    from wsantipattern.files import is_known
    from wsantipattern.plan import Plan
    from wsantipattern.runner import find

    found = find(paths, Plan(options))
    terminal.put("".join(f"{path}\n" for path in found.files if is_known(path)))
    for error in found.errors:
        terminal.complain(f"{error.path}: {error.message}")
    return 2 if found.errors else 0


def _show_diff(fixing: Fixing, outcome: Outcome, quiet: bool) -> int:
    from wsantipattern.fix.files import diff

    for error in outcome.report.errors:
        terminal.complain(f"{error.path}: {error.message}")
    terminal.put("".join(diff(file) for file in fixing.rewritten))
    if not quiet:
        terminal.remark(_said("would fix", fixing))
    if outcome.report.errors:
        return 2
    return 1 if fixing.rewritten else 0


def _said(verb: str, fixing: Fixing) -> str:
    from wsantipattern.report.tally import count

    more = f", {fixing.more} more with --unsafe-fixes" if fixing.more else ""
    return f"{verb} {count(fixing.fixed, 'finding')}{more}"


def _print(
    outcome: Outcome,
    stdin: Input | None,
    output_format: str,
    output_file: str | None,
    statistics: bool,
    quiet: bool,
    verbose: bool,
    color: str,
    to_stderr: bool,
) -> None:
    from wsantipattern.report import RenderContext, render

    report = outcome.report
    shown = report.errors if verbose else report.errors[:SHOWN_ERRORS]
    for error in shown:
        terminal.complain(f"{error.path}: {error.message}")
    if len(shown) < len(report.errors):
        terminal.complain(f"and {len(report.errors) - len(shown)} more; --verbose names them all")
    on_terminal = output_file is None and not to_stderr and sys.stdout.isatty()
    context = RenderContext(
        rules=outcome.rules,
        root=os.getcwd().replace(os.sep, "/"),
        source=_Sources(stdin),
        color=output_file is None and not to_stderr and terminal.has_color(color),
        width=terminal.columns() if on_terminal else PIPE_WIDTH,
        statistics=statistics,
        quiet=quiet,
        verbose=verbose,
    )
    if output_file is not None:
        terminal.write(output_file, render(report, output_format, context))
    else:
        if output_format in ("text", "concise"):
            report = _without_errors(report)  # a person has read them on stderr
        text = render(report, output_format, context)
        if to_stderr:
            click.echo(text, err=True, nl=False)  # standard output has the fixed text
        else:
            terminal.put(text)
    if statistics and output_format not in ("text", "concise", "markdown"):
        from wsantipattern.report.tally import statistics as counted

        for line in counted(report):
            click.echo(line, err=True)


def _without_errors(report: Report) -> Report:
    return replace(report, errors=[])


class _Sources:
    """The text of a file by its reported path, as it was checked."""

    def __init__(self, stdin: Input | None) -> None:
        self._stdin = stdin

    def __call__(self, path: str) -> bytes | None:
        from wsantipattern.source import ReadError, Source, as_utf8, read

        if self._stdin is not None and path == self._stdin.path:
            return as_utf8(self._stdin.data)
        try:
            source = read(path, path)
        except ReadError:
            return None  # gone since it was checked; the finding is still true
        return source.text if isinstance(source, Source) else None


def _say_if_nothing(outcome: Outcome) -> None:
    if outcome.report.checked or outcome.report.errors:
        return
    reasons = [f"{skip.path} is {skip.reason}" for skip in outcome.skips[:3]]
    more = len(outcome.skips) - len(reasons)
    if more:
        reasons.append(f"and {more} more")
    terminal.remark(f"nothing to check{': ' if reasons else ''}{', '.join(reasons)}")


def _say_more(outcome: Outcome, seconds: float) -> None:
    for skip in outcome.skips:
        terminal.remark(f"skipped {skip.path}: {skip.reason}")
    for file in outcome.configs:
        terminal.remark(f"configuration {file}")
    terminal.remark(f"rules {', '.join(rule.id for rule in outcome.rules) or 'none'}")
    report = outcome.report
    terminal.remark(f"{report.checked} checked, {report.skipped} skipped, {seconds:.2f} s")
