"""From paths to a report: reads the files, lets them be analyzed, and puts the findings in order.

Guarantees the same report for any number of processes, and that a file which cannot be checked is an error of its
own while all others are still checked. Does not print and does not decide the exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, overload

from wsantipattern.files import Discovery, discover, ending_of, is_known
from wsantipattern.finding import FileError, Finding, Report
from wsantipattern.plan import Options, Plan
from wsantipattern.record import record
from wsantipattern.rule import Rule
from wsantipattern.source import ReadError, Skip, Source, checked, read
from wsantipattern.workers import Job, Workers, processors

if TYPE_CHECKING:
    from wsantipattern.analysis import Settings
    from wsantipattern.cache import Cache, Kept, Look


@record(frozen=True, slots=True)
class Input:
    """Text from standard input: its bytes, and the path it is taken and reported as."""

    data: bytes
    path: str


@record(slots=True)
class Outcome:
    """A finished run.

    Attributes:
        report: what the formats print.
        skips: the files left out, and why, in order of their paths.
        files: all files looked at, in the order of discovery.
        rules: every rule that ran on some file, by id; loaded when they are looked at.
        configs: the configuration files in use.
        failing: how many findings are at least as severe as their file's configuration fails on.
        remarks: what a person should know of the run besides, one line each.
    """

    report: Report = field(default_factory=Report)
    skips: list[Skip] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    rules: Sequence[Rule] = ()
    configs: list[str] = field(default_factory=list)
    failing: int = 0
    remarks: list[str] = field(default_factory=list)


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
    if options.shard is not None:
        from wsantipattern.shard import part

        found.files = part(found.files, *options.shard)
    files = _Files(plan, options, len(found.files) + (stdin is not None), progress)
    outcome = files.outcome
    outcome.files = [*([stdin.path] if stdin else []), *found.files]
    outcome.report.errors += found.errors
    known_ending = ending_of(taken_as) if taken_as and is_known(taken_as) else None
    with Workers(options.jobs or processors(), files.done, files.answered) as workers:
        if stdin is not None:
            content = checked(Source.decode(stdin.path, stdin.data))
            files.take(content, ending_of(stdin.path), plan.settings_of(stdin.path), workers, None)
        for path in found.files:
            if is_known(path):
                files.check(path, ending_of(path), workers)
            elif known_ending is not None:
                files.check(path, known_ending, workers)
            else:
                files.skip(Skip(path, "of no language that is checked"))
    files.finish()
    if not plan.settings:
        plan.settings_of("x")  # a rule that cannot load must not go unnoticed because nothing was checked
    outcome.rules = _Rules(plan.settings)
    outcome.configs = plan.config_files
    outcome.report.findings.sort(key=lambda f: (*f.sort_key, f.span.end, f.message))
    outcome.report.errors.sort(key=lambda e: (e.path, e.message))
    outcome.skips.sort(key=lambda s: s.path)
    outcome.report.skipped = len(outcome.skips)
    outcome.failing = sum(f.severity >= plan.fail_on(f.path) for f in outcome.report.findings)
    return outcome


class _Rules(Sequence["Rule"]):
    """The rules of all settings, by id. A run that has all its answers from the cache needs none of them."""

    def __init__(self, settings: Sequence[Settings]) -> None:
        self._settings = settings

    @cached_property
    def _loaded(self) -> list[Rule]:
        rules = {rule.id: rule for settings in self._settings for rule in settings.running}
        return [rules[name] for name in sorted(rules)]

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rule]: ...
    def __getitem__(self, index: int | slice) -> Rule | Sequence[Rule]:
        return self._loaded[index]

    def __len__(self) -> int:
        return len(self._loaded)


class _Files:
    """Takes the files of a run one by one, and collects what they give in whatever order they are done."""

    def __init__(self, plan: Plan, options: Options, total: int, progress: Progress | None) -> None:
        self.outcome = Outcome()
        self._plan = plan
        self._total = total
        self._progress = progress
        self._count = 0
        self._looks: dict[int, Look] = {}
        self._cache: Cache | None = None
        if options.cache:
            from wsantipattern.cache import FOLDER, Cache

            self._cache = Cache(options.cache_dir or f"{plan.root}/{FOLDER}", total)

    def check(self, path: str, ending: str, workers: Workers) -> None:
        """Answers from the cache where it can, else reads the file and hands it on."""
        settings = self._plan.settings_of(path)
        look, kept = self._cache.look(path, ending, settings) if self._cache else (None, None)
        if kept is not None:
            self._keep(path, kept)
            return
        try:
            content = read(path, path)
        except ReadError as error:
            self.outcome.report.errors.append(FileError(path, str(error)))
            self._step()
            return
        if look is not None and self._cache is not None and isinstance(content, Source):
            kept = self._cache.read(look, content.text, path)
            if kept is not None:
                self._keep(path, kept)
                return
        self.take(content, ending, settings, workers, look)

    def take(
        self, content: Source | Skip, ending: str, settings: Settings, workers: Workers, look: Look | None
    ) -> None:
        """Hands a text on to be analyzed, where a rule could have anything to say about it."""
        if isinstance(content, Skip):
            self._store(look, skipped=content.reason)
            self.skip(content)
            return
        self.outcome.report.checked += 1
        if settings.concerns(content.text):
            job = Job(content.path, content.text, ending, settings)
            if look is not None:
                self._looks[id(job)] = look
            workers.add(job)
        else:
            self._store(look)
            self._step()

    def _keep(self, path: str, kept: Kept) -> None:
        if kept.skipped is not None:
            self.skip(Skip(path, kept.skipped))
            return
        self.outcome.report.checked += 1
        self.outcome.report.findings += kept.findings
        self._step()

    def _store(self, look: Look | None, findings: Sequence[Finding] = (), skipped: str | None = None) -> None:
        if self._cache is not None and look is not None:
            from wsantipattern.cache import Kept

            self._cache.store(look, Kept(tuple(findings), skipped))

    def answered(self, job: Job, findings: list[Finding]) -> None:
        """Takes the findings of a job that had no errors: only those are worth keeping."""
        self._store(self._looks.pop(id(job), None), findings)

    def skip(self, skip: Skip) -> None:
        self.outcome.skips.append(skip)
        self._step()

    def done(self, findings: list[Finding], errors: list[FileError]) -> None:
        self.outcome.report.findings += findings
        self.outcome.report.errors += errors
        self._step()

    def finish(self) -> None:
        """Writes the cache."""
        if self._cache is not None:
            self._cache.write()
            self._cache.close()
            self.outcome.remarks += self._cache.remarks

    def _step(self) -> None:
        self._count += 1
        if self._progress is not None:
            self._progress(self._count, self._total)
