"""`wsantipattern review`: what a change brings in."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.check import FORMATS_WITH_FIXES, PIPE_WIDTH, SHOWN_ERRORS
from wsantipattern.cli.options import options_from, run_options
from wsantipattern.finding import Confidence, Severity
from wsantipattern.report import FORMATS, REVIEW_FORMATS

if TYPE_CHECKING:
    from wsantipattern.report import RenderContext
    from wsantipattern.review.inspect import Review


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option(
    "--base",
    metavar="REF",
    help="Compare with where REF and the change parted.  [default: the default branch]",
)
@click.option("--head", metavar="REF", help="Look at this commit.  [default: the working tree]")
@click.option("--staged", is_flag=True, help="Look at what is staged, compared with the last commit.")
@click.option(
    "--diff",
    type=click.Path(allow_dash=True, dir_okay=False),
    metavar="FILE",
    help="Look at the change that this unified diff (`-`: standard input) has led to.",
)
@click.option("--post", is_flag=True, help="Write to the pull or merge request that the CI job runs for.")
@run_options
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
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are new findings.")
@click.option(
    "--output-format",
    type=click.Choice([*FORMATS, *REVIEW_FORMATS]),
    default=FORMATS[0],
    show_default=True,
    help="How new findings are printed.",
)
@click.option(
    "--output-file",
    type=click.Path(dir_okay=False),
    help="Write the report to this file, whole or not at all.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print findings and errors only.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the text output; NO_COLOR is obeyed.",
)
def review(
    paths: tuple[str, ...],
    base: str | None,
    head: str | None,
    staged: bool,
    diff: str | None,
    post: bool,
    min_confidence: str | None,
    fail_on: str | None,
    exit_zero: bool,
    output_format: str,
    output_file: str | None,
    quiet: bool,
    color: str,
    **values: Any,
) -> int:
    """Find what a change brings in: compare two states, and show the findings that only the later one has.

    Without options, the working tree is compared with the commit at which it left the default branch. PATHS limit
    this to some changed files and folders. All of a changed file is looked at, not only its changed lines; findings
    in moved, renamed and reformatted code are not new.

    Exits with 0 when nothing is new, 1 when something is, and 2 when the run itself failed.
    """
    from wsantipattern.config import ConfigError
    from wsantipattern.review.inspect import inspect
    from wsantipattern.review.service import ServiceError, service
    from wsantipattern.review.states import StateError, Wanted
    from wsantipattern.rule import RuleError

    _must_fit(base, head, staged, diff)
    options = options_from(values, min_confidence=min_confidence, fail_on=fail_on)
    try:
        target = service(os.environ, terminal.remark) if post else None
        bases, heads = (target.bases, target.heads) if target else ((), ())
        wanted = Wanted(
            paths=paths,
            base=base,
            head=head,
            is_staged=staged,
            diff=None if diff is None else _content(diff),
            default_bases=bases or _bases(),
            default_heads=() if staged or diff is not None else heads,
        )
        result = inspect(
            wanted, options, with_fixes=post or output_format in (*FORMATS_WITH_FIXES, *REVIEW_FORMATS)
        )
        context = _context(result, output_file, quiet, color)
        _print(result, output_format, output_file, context)
        if target is not None:
            target.post(result.report, context)
    except (ConfigError, RuleError, StateError, ServiceError) as error:
        raise click.ClickException(str(error)) from None
    if result.report.errors:
        return 2
    return 1 if result.failing and not exit_zero else 0


def _must_fit(base: str | None, head: str | None, staged: bool, diff: str | None) -> None:
    if staged and head is not None:
        raise click.UsageError("--staged and --head exclude each other")
    if diff is not None and (staged or base is not None or head is not None):
        raise click.UsageError("--diff says itself what to compare, and excludes --base, --head and --staged")


def _bases() -> tuple[str, ...]:
    """Names of the commit to compare with, where a CI job says which branch it is about."""
    branch = os.environ.get("GITHUB_BASE_REF")
    return (f"refs/remotes/origin/{branch}", branch) if branch else ()


def _content(diff: str) -> bytes:
    from wsantipattern.source import reason

    if diff == "-":
        return sys.stdin.buffer.read()
    try:
        with open(diff, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise click.ClickException(f"{diff}: {reason(error)}") from None


def _context(result: Review, output_file: str | None, quiet: bool, color: str) -> RenderContext:
    from wsantipattern.report import RenderContext

    on_terminal = output_file is None and sys.stdout.isatty()
    return RenderContext(
        rules=result.rules,
        root=os.getcwd().replace(os.sep, "/"),
        source=result.texts.get,
        color=output_file is None and terminal.has_color(color),
        width=terminal.columns() if on_terminal else PIPE_WIDTH,
        quiet=quiet,
        folder=result.folder,
        shown=result.shown,
        commit=result.commit,
    )


def _print(result: Review, output_format: str, output_file: str | None, context: RenderContext) -> None:
    from dataclasses import replace

    from wsantipattern.report import render

    report = result.report
    for remark in result.remarks[:SHOWN_ERRORS]:
        terminal.remark(remark)
    for error in report.errors[:SHOWN_ERRORS]:
        terminal.complain(f"{error.path}: {error.message}")
    if output_file is not None:
        terminal.write(output_file, render(report, output_format, context))
        return
    if output_format in ("text", "concise"):
        report = replace(report, errors=[])  # a person has read them on stderr
    terminal.put(render(report, output_format, context))
