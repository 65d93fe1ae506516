"""A finished run to text, one format a module.

Every renderer is a pure function of the report and the context: no I/O of its own, no clock, no environment, the
same text for the same input. What it prints ends with a newline, or is empty. None of them decides what is shown:
findings arrive filtered and sorted.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from wsantipattern import __version__
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.finding import Report
    from wsantipattern.rule import Rule

FORMATS = ("text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "rdjson", "junit", "markdown")
"""The names that `render` takes, the default first. Each is a module of this package (`-` is `_`)."""

REVIEW_FORMATS = ("github-review", "gitlab-review")
"""More names that `render` takes: what is sent to a code review. They need to know the lines that a diff shows."""


@record(frozen=True, slots=True)
class Shown:
    """The lines of one changed file that a diff shows.

    Attributes:
        ranges: first and last line of each hunk, in the file as it is now; ascending.
        before: for each of these lines that is unchanged, its line in the file as it was.
        old_path: the path that the file had, relative to the repository.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    before: Mapping[int, int] = field(default_factory=dict)
    old_path: str = ""

    def holds(self, first: int, last: int) -> bool:
        """Whether one hunk shows all lines from `first` to `last`."""
        return any(low <= first and last <= high for low, high in self.ranges)


def no_source(path: str) -> bytes | None:
    """A source loader that knows no file: reports then show no lines of code."""
    return None


@record(frozen=True, slots=True)
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
        folder: path of `root` within its repository, "" at the top (reviews).
        shown: by reported path, the lines that the diff under review shows (reviews).
        commit: the commit that comments are made on (reviews).
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
    folder: str = ""
    shown: Mapping[str, Shown] = field(default_factory=dict)
    commit: str = ""


def render(report: Report, format: str, context: RenderContext) -> str:
    """The report in one of `FORMATS` or `REVIEW_FORMATS`. The text can always be encoded in UTF-8.

    Raises:
        ValueError: there is no such format.
    """
    if format not in (*FORMATS, *REVIEW_FORMATS):
        raise ValueError(f"no report format {format!r}; there are {', '.join(FORMATS)}")
    renderer: Callable[[Report, RenderContext], str] = importlib.import_module(
        f"wsantipattern.report.{format.replace('-', '_')}"
    ).render
    # A file name that is not UTF-8 arrives with lone surrogates, which no output can carry.
    return renderer(report, context).encode("utf-8", "replace").decode("utf-8")
