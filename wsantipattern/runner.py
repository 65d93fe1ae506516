"""From paths to a report: reads the files, lets them be analyzed, and puts the findings in order.

Guarantees the same report for any number of processes, and that a file which cannot be checked is an error of its
own while all others are still checked. Does not print and does not decide the exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from wsantipattern.files import Discovery, discover, ending_of, is_known
from wsantipattern.finding import FileError, Finding, Report
from wsantipattern.plan import Options, Plan
from wsantipattern.rule import Rule
from wsantipattern.source import ReadError, Skip, Source, checked, read
from wsantipattern.workers import Job, Workers, processors


@dataclass(frozen=True, slots=True)
class Input:
    """Text from standard input: its bytes, and the path it is taken and reported as."""

    data: bytes
    path: str


@dataclass(slots=True)
class Outcome:
    """A finished run.

    Attributes:
        report: what the formats print.
        skips: the files left out, and why, in order of their paths.
        files: all files looked at, in the order of discovery.
        rules: every rule that ran on some file, by id.
        configs: the configuration files in use.
        failing: how many findings are at least as severe as their file's configuration fails on.
    """

    report: Report = field(default_factory=Report)
    skips: list[Skip] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    configs: list[str] = field(default_factory=list)
    failing: int = 0


Progress = Callable[[int, int], None]
"""Is told how many of how many files are done."""


def find(paths: Sequence[str], plan: Plan) -> Discovery:
    """The files that a run over the paths looks at."""
    return discover(paths, lambda folder: plan.config(folder).filter)


def run(
    paths: Sequence[str],
    options: Options,
    *,
    stdin: Input | None = None,
    taken_as: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Checks files and folders.

    Args:
        paths: as the user wrote them.
        options: of the command line.
        stdin: a text to check as well, or instead.
        taken_as: a file name whose ending decides for named files whose own ending is unknown.
        progress: is called after each file.

    Raises:
        ConfigError: see `Plan`.
        RuleError: a rule cannot be loaded.
    """
    plan = Plan(options)
    found = find(paths, plan)
    outcome = Outcome(files=[*([stdin.path] if stdin else []), *found.files])
    outcome.report.errors += found.errors
    known_ending = ending_of(taken_as) if taken_as and is_known(taken_as) else None
    results = _Results(outcome, plan, len(found.files) + (stdin is not None), progress)
    with Workers(options.jobs or processors(), results.done) as workers:
        if stdin is not None:
            _take(
                checked(Source.decode(stdin.path, stdin.data)), ending_of(stdin.path), plan, workers, results
            )
        for path in found.files:
            ending = ending_of(path)
            if not is_known(path):
                if known_ending is None:
                    results.skip(Skip(path, "of no language that is checked"))
                    continue
                ending = known_ending
            try:
                content = read(path, path)
            except ReadError as error:
                results.fail(FileError(path, str(error)))
            else:
                _take(content, ending, plan, workers, results)
    if not plan.settings:
        plan.settings_of(
            "x"
        )  # a rule that cannot load must not go unnoticed because there was nothing to check
    rules = {rule.id: rule for settings in plan.settings for rule, _ in settings.triggered}
    outcome.rules = [rules[name] for name in sorted(rules)]
    outcome.configs = plan.config_files
    outcome.report.findings.sort(key=lambda f: (*f.sort_key, f.span.end, f.message))
    outcome.report.errors.sort(key=lambda e: (e.path, e.message))
    outcome.skips.sort(key=lambda s: s.path)
    outcome.report.skipped = len(outcome.skips)
    outcome.failing = sum(f.severity >= plan.fail_on(f.path) for f in outcome.report.findings)
    return outcome


def _take(content: Source | Skip, ending: str, plan: Plan, workers: Workers, results: _Results) -> None:
    if isinstance(content, Skip):
        results.skip(content)
        return
    results.outcome.report.checked += 1
    settings = plan.settings_of(content.path)
    if settings.concerns(content.text):
        workers.add(Job(content.path, content.text, ending, settings))
    else:
        results.done([], [])


class _Results:
    """Collects what the files of a run give, in whatever order they are done."""

    def __init__(self, outcome: Outcome, plan: Plan, total: int, progress: Progress | None) -> None:
        self.outcome = outcome
        self._total = total
        self._progress = progress
        self._count = 0

    def skip(self, skip: Skip) -> None:
        self.outcome.skips.append(skip)
        self._step()

    def fail(self, error: FileError) -> None:
        self.outcome.report.errors.append(error)
        self._step()

    def done(self, findings: list[Finding], errors: list[FileError]) -> None:
        self.outcome.report.findings += findings
        self.outcome.report.errors += errors
        self._step()

    def _step(self) -> None:
        self._count += 1
        if self._progress is not None:
            self._progress(self._count, self._total)
