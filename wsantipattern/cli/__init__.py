"""The command line: arguments in, text and an exit code out.

Exit codes: 0 nothing found, 1 findings, 2 the run itself failed, 130 ended by Ctrl-C. Every error is one line on
stderr that starts with `wsantipattern: error:`. Decides nothing about findings. Imports click and little else before
a command runs, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from wsantipattern import __version__
from wsantipattern.cli.terminal import closest_option, closest_value, complain
from wsantipattern.similar import closest

INTERRUPTED = 130
FAILED = 2
_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click 8.2 and later raise for a command that needs another one and has none; its text is the help."""


COMMANDS = ("baseline", "cache", "check", "debug", "explain", "new", "report", "review", "rules", "test")
"""Each in the module of its name."""


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"wsantipattern.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no such command {name}{closest(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "--version", message="wsantipattern %(version)s")
def cli() -> None:
    """Finds the WebSocket and async mistakes other linters cannot see, in Go, JavaScript/TypeScript and Python."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line (the process's own where `argv` is None) and returns the exit code."""
    try:
        code = cli.main(argv, prog_name="wsantipattern", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        if isinstance(error, _HELP):
            error.show()
        else:
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
