"""`wsantipattern debug`: the model of a file, and the roles in it, as the rules see them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from wsantipattern.cli import terminal
from wsantipattern.cli.selection import settings

if TYPE_CHECKING:
    from wsantipattern.model.module import Module


@click.group()
def debug() -> None:
    """Show what a finding, or its absence, comes from."""


@debug.command()
@click.argument("target", metavar="FILE[:FUNCTION]")
def cfg(target: str) -> None:
    """Print the control-flow graphs of FILE, or of one function of it."""
    from wsantipattern.model import printer

    file, function = _split(target)
    printed = []
    for module in _modules(file):
        chosen = [
            f
            for f in module.all_functions
            if f.host is f and function in ("", f.name, f.name.rpartition(".")[2])
        ]
        printed += [printer.render(f) for f in chosen]
    if function and not printed:
        raise click.UsageError(f"{file}: there is no function {function}{_closest(file, function)}")
    terminal.put("\n".join(text if text.endswith("\n") else f"{text}\n" for text in printed))


@debug.command()
@click.argument("file")
def roles(file: str) -> None:
    """Print which places of FILE play which role, and the lines that say so."""
    from wsantipattern.roles.description import describe

    knowledge = settings(file).joined_knowledge
    text = _read(file)
    rows = [row for module in _modules(file) for row in describe(module, knowledge, text)]
    wide = max((len(place) for _, place, _, _ in rows), default=0)
    terminal.put(
        "".join(
            f"{role:<13} {place:<{wide}}  {file}:{line}: {evidence}\n" for role, place, line, evidence in rows
        )
    )
    if not rows:
        terminal.remark(f"{file}: no place plays a role")


def _split(target: str) -> tuple[str, str]:
    """The file, and the function behind the last colon where there is one."""
    if os.path.exists(target) or ":" not in target:
        return target, ""
    file, _, function = target.rpartition(":")
    return file, function


def _modules(file: str) -> list[Module]:
    from wsantipattern import languages
    from wsantipattern.files import ending_of

    return languages.modules(_read(file), file, ending_of(file))


def _read(file: str) -> bytes:
    """The text of a file of a known language, as the front ends take it."""
    from wsantipattern.files import is_known
    from wsantipattern.source import ReadError, Skip, read

    if not is_known(file):
        raise click.UsageError(f"{file}: no language has this ending")
    try:
        source = read(file, file)
    except ReadError as error:
        raise click.ClickException(f"{file}: {error}") from None
    if isinstance(source, Skip):
        raise click.ClickException(f"{file}: {source.reason}")
    return source.text


def _closest(file: str, function: str) -> str:
    from wsantipattern.similar import closest

    names = [f.name for module in _modules(file) for f in module.functions]
    return closest(function, [name for name in names if name])
