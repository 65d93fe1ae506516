"""What every command says to a person, and how: errors, hints, colour, output files.

Writes to stdout and stderr; decides nothing about findings.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import click

from wsantipattern.similar import closest
from wsantipattern.source import reason


def complain(message: str) -> None:
    """One line on stderr that says what went wrong."""
    click.echo(f"wsantipattern: error: {_line(message)}", err=True)


def remark(message: str) -> None:
    """One line on stderr that is no error."""
    click.echo(f"wsantipattern: {_line(message)}", err=True)


def _line(message: str) -> str:
    text = " ".join(message.splitlines())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def columns() -> int:
    """The width of the terminal, in cells; 80 where it is not known."""
    import shutil

    return shutil.get_terminal_size().columns


def closest_option(error: click.NoSuchOption) -> str:
    """`; did you mean --x?` for the option that comes nearest, or nothing."""
    if error.ctx is None:
        return ""
    names = [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts]
    return closest(error.option_name, [name for name in names if name.startswith("--")])


def closest_value(error: click.BadParameter) -> str:
    """`; did you mean x?` for a choice or command that comes nearest to what the message quotes, or nothing."""
    quoted = error.message.split("'")
    if len(quoted) < 3:
        return ""
    kind = getattr(error.param, "type", None)
    return closest(quoted[1], [str(c) for c in kind.choices]) if isinstance(kind, click.Choice) else ""


def separated(_: click.Context, __: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """A repeated option whose values may also be written with commas, as one tuple."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def has_color(choice: str) -> bool:
    """Whether stdout is to be coloured: `always`, `never`, or `auto` (a terminal, without NO_COLOR)."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def put(text: str) -> None:
    """Writes a report to stdout, as UTF-8 whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def write(file: str, text: str) -> None:
    """Writes a report to a file: whole or not at all.

    Raises:
        click.ClickException: it cannot be written.
    """
    target = os.path.realpath(file)
    data = text.encode("utf-8", "replace")
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            # A pipe or a device cannot be replaced.
            with open(target, "wb") as stream:
                stream.write(data)
            return
        import tempfile

        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".wsantipattern-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(temporary, _mode(target))
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise click.ClickException(f"cannot write {file}: {reason(error)}") from None


def _mode(target: str) -> int:
    """The permissions of a file: those it has, else what the umask leaves of the usual ones."""
    if os.path.exists(target):
        return os.stat(target).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class Progress:
    """A counter on the last line of a terminal, shown only when a run takes over a second."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 1.0
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + 0.1
        self._shown = True
        sys.stderr.write(f"\r\x1b[Kchecking: {done} of {total} files")
        sys.stderr.flush()

    def clear(self) -> None:
        """Removes the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
