"""`wsantipattern cache`: the results kept from run to run."""

from __future__ import annotations

import os

import click

from wsantipattern.cli import terminal


@click.group()
def cache() -> None:
    """Look after the results that `check` keeps from run to run."""


@cache.command()
@click.option("--cache-dir", type=click.Path(), help="The folder, where `check` was given one.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
def clean(cache_dir: str | None, quiet: bool) -> None:
    """Remove the cache of the project around the current folder."""
    from wsantipattern.cache import FOLDER, CacheError
    from wsantipattern.cache import clean as remove
    from wsantipattern.plan import Options, Plan

    folder = cache_dir or f"{Plan(Options()).root}/{FOLDER}"
    try:
        removed = remove(folder)
    except CacheError as error:
        raise click.ClickException(str(error)) from None
    if not quiet:
        shown = os.path.relpath(folder)
        terminal.remark(f"removed {shown}" if removed else f"there is no cache in {shown}")
