"""A finished run to text, one format a module.

Every renderer is a pure function of the report and the context: no I/O of its own, no clock, no environment, the
same text for the same input. What it prints ends with a newline, or is empty. None of them decides what is shown:
findings arrive filtered and sorted.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsantipattern import __version__

if TYPE_CHECKING:
    from wsantipattern.finding import Report
    from wsantipattern.rule import Rule

FORMATS = ("text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "rdjson", "junit", "markdown")
"""The names that `render` takes, the default first. Each is a module of this package."""


def no_source(path: str) -> bytes | None:
    """A source loader that knows no file: reports then show no lines of code."""
    return None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What a format may know besides the report.

    Attributes:
        version: of the tool.
        rules: every rule that ran, for help texts.
        root: absolute path that the findings' relative paths start from; "" where there is none.
        source: the bytes of a file by its reported path, or None where it cannot be had. Must not raise.
        color: whether ANSI colour may be used.
        width: of the terminal in cells; longer source lines are cropped around the span. 0 crops nothing.
        statistics: whether counts a rule are added (text, concise, markdown).
        quiet: no summary (text).
        verbose: also the confidence of each finding (text).
    """

    version: str = __version__
    rules: Sequence[Rule] = ()
    root: str = ""
    source: Callable[[str], bytes | None] = no_source
    color: bool = False
    width: int = 100
    statistics: bool = False
    quiet: bool = False
    verbose: bool = False


def render(report: Report, format: str, context: RenderContext) -> str:
    """The report in one of `FORMATS`. The text can always be encoded in UTF-8.

    Raises:
        ValueError: there is no such format.
    """
    if format not in FORMATS:
        raise ValueError(f"no report format {format!r}; there are {', '.join(FORMATS)}")
    renderer: Callable[[Report, RenderContext], str] = importlib.import_module(
        f"wsantipattern.report.{format}"
    ).render
    # A file name that is not UTF-8 arrives with lone surrogates, which no output can carry.
    return renderer(report, context).encode("utf-8", "replace").decode("utf-8")
