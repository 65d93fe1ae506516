"""The command line: arguments in, text and an exit code out.

Exit codes: 0 nothing found, 1 findings, 2 the run itself failed, 130 ended by Ctrl-C. Every error is one line on
stderr that starts with `wsantipattern: error:`. Decides nothing about findings. Imports click and little else before
a command runs, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from wsantipattern import __version__
from wsantipattern.cli.baseline import baseline
from wsantipattern.cli.cache import cache
from wsantipattern.cli.check import check
from wsantipattern.cli.debug import debug
from wsantipattern.cli.explain import explain
from wsantipattern.cli.new import new
from wsantipattern.cli.report import report
from wsantipattern.cli.review import review
from wsantipattern.cli.rules import rules
from wsantipattern.cli.terminal import closest_option, closest_value, complain
from wsantipattern.cli.test import test

INTERRUPTED = 130
FAILED = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", message="wsantipattern %(version)s")
def cli() -> None:
    """Finds the WebSocket and async mistakes other linters cannot see, in Go, JavaScript/TypeScript and Python."""


cli.add_command(check)
cli.add_command(review)
cli.add_command(baseline)
cli.add_command(cache)
cli.add_command(report)
cli.add_command(explain)
cli.add_command(rules)
cli.add_command(debug)
cli.add_command(new)
cli.add_command(test)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line (the process's own where `argv` is None) and returns the exit code."""
    try:
        code = cli.main(argv, prog_name="wsantipattern", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        complain(_message(error))
        return FAILED
    except BrokenPipeError:
        # The reader of a pipe has seen enough; what is left in the buffer must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _message(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"no such option {error.option_name}{closest_option(error)}"
    text = error.format_message().rstrip(".")
    if isinstance(error, click.BadParameter):
        text += closest_value(error)
    text = " ".join(text.split())
    return text[:1].lower() + text[1:]
