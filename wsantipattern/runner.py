"""From paths to a report: reads, pre-filters, parses, runs the rules, and puts the findings in order.

Guarantees the same report for any number of processes, and that a file which cannot be checked is an error of its
own while all others are still checked. `analyze` is the pure heart: one text in, findings out. Does not print and
does not decide the exit code.
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsantipattern import config as configuration
from wsantipattern import pack, suppress
from wsantipattern.config import Config, ConfigError, closest
from wsantipattern.files import Discovery, discover, ending_of, is_known, matches
from wsantipattern.finding import Confidence, FileError, Finding, Report, Severity, Span, TraceStep
from wsantipattern.languages import HOSTS
from wsantipattern.rule import Match, Rule
from wsantipattern.source import ReadError, Skip, Source, checked, read

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from wsantipattern.knowledge import Knowledge
    from wsantipattern.model.module import Function, Module
    from wsantipattern.model.term import Extent

PARALLEL_BYTES = 400_000
"""Bytes of triggered text from which a second process pays for its start."""

BATCH_BYTES = 100_000
"""Bytes of triggered text that one task of a process gets."""

RECURSION_LIMIT = 4_000
"""Python's, while files are analyzed: long chains of operators nest deeply in real code."""

_SUPPRESSION_SEVERITY = {suppress.INVALID: Severity.WARNING, suppress.UNUSED: Severity.NOTE}


@dataclass(frozen=True)
class Settings:
    """What decides the findings in one text; picklable.

    Attributes:
        packs: folders (or single files) of rules.
        rules: ids that run, those of `suppress.CHECKS` included; None for all.
        severity: severities by id, instead of the rule's own.
        min_confidence: findings below it are left out.
        knowledge: tables to join with the built-in ones.
        per_path_ignores: pairs of a pattern and the ids ignored where it matches the path, relative to `root`.
        root: absolute folder that fingerprints and patterns take paths relative to; "" to take them as they are.
    """

    packs: tuple[str, ...]
    rules: tuple[str, ...] | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    min_confidence: Confidence = Confidence.MEDIUM
    knowledge: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict)
    per_path_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    root: str = ""

    @cached_property
    def known(self) -> dict[str, Rule]:
        """Every rule of the packs by id, those that do not run included.

        Raises:
            RuleError: one of them cannot be loaded.
        """
        return pack.joined(pack.load(folder) for folder in self.packs)

    @cached_property
    def joined_knowledge(self) -> Knowledge:
        """The built-in knowledge and the project's own."""
        from wsantipattern.knowledge import Knowledge

        return Knowledge.builtin().extended(self.knowledge)

    @cached_property
    def triggered(self) -> list[tuple[Rule, tuple[bytes, ...]]]:
        """The rules that run, each with its triggers."""
        selected = self.rules
        return [
            (rule, tuple(dict.fromkeys(rule.triggers(self.joined_knowledge))))
            for rule in self.known.values()
            if selected is None or rule.id in selected
        ]

    @cached_property
    def _words(self) -> tuple[bytes, ...]:
        words = {word for _, triggers in self.triggered for word in triggers}
        # A word that holds another one says nothing that the shorter one does not.
        return tuple(w for w in sorted(words, key=len) if not any(o != w and o in w for o in words))

    def concerns(self, text: bytes) -> bool:
        """Whether any rule or suppression could have anything to say about a text."""
        return any(word in text for word in self._words) or suppress.MARK in text

    def checks(self, rule: str) -> bool:
        """Whether a rule, or one of `suppress.CHECKS`, runs at all."""
        return self.rules is None or rule in self.rules

    def identity(self, path: str) -> str:
        """The path by which a file is known wherever the project lies: relative to `root`, with `/`."""
        if not self.root:
            return path
        absolute = os.path.abspath(path).replace(os.sep, "/")
        prefix = self.root.rstrip("/") + "/"
        return absolute.removeprefix(prefix)

    def ignored(self, path: str) -> frozenset[str]:
        """The ids that are ignored in a file."""
        identity = self.identity(path)
        return frozenset(
            rule
            for pattern, rules in self.per_path_ignores
            if matches((pattern,), identity)
            for rule in rules
        )

    def __getstate__(self) -> dict[str, Any]:
        # What is derived from the fields holds loaded code, which another process loads itself.
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


# -- one text --------------------------------------------------------------------------------------


def analyze(
    source: bytes, path: str, settings: Settings, ending: str | None = None
) -> tuple[list[Finding], list[FileError]]:
    """The findings in one text, in order, and what could not be checked in it.

    Args:
        source: the bytes of the file.
        path: as reported; its ending decides the language.
        settings: which rules run and how.
        ending: takes the text as a file with this ending (lower case, with the dot) instead of the path's.

    Raises:
        RuleError: a rule cannot be loaded.
    """
    text = Source.decode(path, source)
    if not settings.concerns(text.text):
        return [], []
    with _deep_recursion():
        return _Analysis(text, ending or ending_of(path), settings).result()


class _Analysis:
    def __init__(self, source: Source, ending: str, settings: Settings) -> None:
        self._source = source
        self._ending = ending
        self._settings = settings
        self._errors: dict[FileError, None] = {}
        self._ignored = settings.ignored(source.path)

    def result(self) -> tuple[list[Finding], list[FileError]]:
        from wsantipattern import languages

        path = self._source.path
        try:
            modules = languages.modules(self._source.text, path, self._ending)
        except RecursionError:
            return [], [FileError(path, _TOO_DEEP)]
        except Exception as error:
            return [], [FileError(path, f"the front end raised {_described(error)}")]
        found = [entry for module in modules for entry in self._in_module(module)]
        found = _distinct(found)
        found = self._fingerprinted(found)
        findings = [entry.finding for entry in self._unsuppressed(found, modules)]
        findings = [f for f in findings if f.confidence >= self._settings.min_confidence]
        return sorted(findings, key=lambda f: (*f.sort_key, f.span.end, f.message)), list(self._errors)

    def _in_module(self, module: Module) -> Iterator[_Found]:
        from wsantipattern.roles import Roles

        roles = Roles(module, self._settings.joined_knowledge)
        triggered = _Triggered(module)
        for rule, triggers in self._settings.triggered:
            if rule.id in self._ignored or not any(word in module.text for word in triggers):
                continue
            try:
                subjects: Iterable[Module | Function]
                subjects = [module] if rule.granularity == "module" else triggered.functions(triggers)
                for subject in subjects:
                    for match in rule.check(subject, roles):
                        yield self._found(rule, match, module)
            except RecursionError:
                self._errors[FileError(self._source.path, _TOO_DEEP)] = None
            except Exception as error:
                self._errors[
                    FileError(self._source.path, f"{_blame(error, rule)} raised {_described(error)}")
                ] = None

    def _found(self, rule: Rule, match: Match, module: Module) -> _Found:
        path = self._source.path
        start, _ = match.extent
        return _Found(
            Finding(
                rule=rule.id,
                message=match.message,
                severity=self._settings.severity.get(rule.id, rule.severity),
                confidence=match.confidence,
                path=path,
                span=self._span(match.extent, module),
                trace=tuple(
                    TraceStep(path, self._span(extent, module), text) for extent, text in match.trace
                ),
            ),
            module.function_at(start).display_name,
        )

    def _span(self, extent: Extent, module: Module) -> Span:
        start, end = extent
        first = module.host_offset(start)
        # The end is measured from its last byte: behind it, an embedded block may go on elsewhere in the host.
        last = module.host_offset(end - 1) + 1 if end > start else first
        return self._source.span(first, last)

    def _fingerprinted(self, found: list[_Found]) -> list[_Found]:
        identity = self._settings.identity(self._source.path)
        seen: Counter[tuple[str, str, str]] = Counter()
        result = []
        for entry in sorted(found, key=lambda e: (*e.finding.sort_key, e.finding.span.end)):
            finding = entry.finding
            line = " ".join(self._source.line(finding.span.start.line).split())
            key = (finding.rule, entry.function, line)
            material = "\0".join((identity, *key, str(seen[key])))
            seen[key] += 1
            digest = hashlib.sha256(material.encode("utf-8", "surrogateescape")).hexdigest()
            result.append(_Found(replace(finding, fingerprint=digest[:32]), entry.function))
        return result

    def _unsuppressed(self, found: list[_Found], modules: Sequence[Module]) -> list[_Found]:
        if suppress.MARK not in self._source.text:
            return found
        from wsantipattern.languages.comments import comments

        blocks = [
            (module.host_offset(0), module.host_offset(max(len(module.text) - 1, 0)) + 1)
            for module in (modules if self._ending in HOSTS else ())
        ]
        known = {*self._settings.known, *suppress.CHECKS}
        entries = suppress.suppressions(
            self._source, comments(self._source.text, self._ending, modules), blocks, known
        )
        shown = [entry for entry in found if not entries.hide(entry.finding.rule, entry.finding.span)]
        ran = {rule.id for rule, _ in self._settings.triggered} - self._ignored
        reports: list[_Found] = []
        for check, extents in (
            (suppress.INVALID, entries.problems),
            (suppress.UNUSED, list(entries.unused(ran))),
        ):
            if check not in self._ignored and self._settings.checks(check):
                reports += (self._about_suppression(check, extent, message) for extent, message in extents)
        # Suppressions of the checks on suppressions themselves come last: they are never unused.
        shown += (e for e in self._fingerprinted(reports) if not entries.hide(e.finding.rule, e.finding.span))
        return shown

    def _about_suppression(self, check: str, extent: Extent, message: str) -> _Found:
        severity = self._settings.severity.get(check, _SUPPRESSION_SEVERITY[check])
        span = self._source.span(*extent)
        return _Found(Finding(check, message, severity, Confidence.HIGH, self._source.path, span), "")


@dataclass(frozen=True, slots=True)
class _Found:
    """A finding and the display name of the function it stands in."""

    finding: Finding
    function: str


class _Triggered:
    """Which functions of a module stand around which trigger words."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._around: dict[bytes, set[Function]] = {}

    def functions(self, triggers: Sequence[bytes]) -> list[Function]:
        """The functions whose graphs hold one of the triggers, and those around them, in order of appearance."""
        chosen: set[Function] = {self._module.top}
        for word in triggers:
            chosen |= self._of(word)
        return [function for function in self._module.all_functions if function in chosen]

    def _of(self, word: bytes) -> set[Function]:
        cached = self._around.get(word)
        if cached is None:
            cached = set()
            text = self._module.text
            at = text.find(word) if word else -1
            while at >= 0:
                function = self._module.function_at(at)
                if function not in cached:
                    cached.add(function)
                at = text.find(word, at + len(word))
            cached = {outer.host for inner in cached for outer in (inner, *inner.ancestors)}
            self._around[word] = cached
        return cached


_TOO_DEEP = "nested too deeply to be checked"


def _distinct(found: list[_Found]) -> list[_Found]:
    """One finding for each rule and span: the surest, and of those the first."""
    best: dict[tuple[str, Span], _Found] = {}
    for entry in found:
        key = (entry.finding.rule, entry.finding.span)
        if key not in best or best[key].finding.confidence < entry.finding.confidence:
            best[key] = entry
    return list(best.values())


def _described(error: Exception, rule: Rule | None = None) -> str:
    """An exception as one line, with the place it was raised at unless that is in the rule, which is named already."""
    frames = traceback.extract_tb(error.__traceback__)
    known = rule is not None and frames[-1:] and frames[-1].filename == rule.path
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames and not known else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


def _blame(error: Exception, rule: Rule) -> str:
    """Who raised, as the subject of a sentence: the rule with its file and line, or the front end."""
    frames = traceback.extract_tb(error.__traceback__)
    languages = os.path.join(os.path.dirname(__file__), "languages")
    if frames and frames[-1].filename.startswith(languages):
        return "the front end"
    lines = [frame.lineno for frame in frames if frame.filename == rule.path]
    return f"rule {rule.id} ({rule.path}{f':{lines[-1]}' if lines else ''})"


@contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


# -- a run -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; None where it says nothing and the configuration decides.

    Attributes:
        select: ids of the rules that run, instead of the configuration's.
        ignore: ids of rules that do not, in addition to the configuration's.
        min_confidence, fail_on: instead of the configuration's.
        config: the one configuration file for all paths.
        isolated: no configuration at all.
        jobs: processes; None for as many as pay.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence | None = None
    fail_on: Severity | None = None
    config: str | None = None
    isolated: bool = False
    jobs: int | None = None


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


class Plan:
    """Which settings hold for which file, made from the options and the configurations on the way.

    Raises (all methods):
        ConfigError: a configuration cannot be used, or a name in it or in the options is no rule's.
        RuleError: a rule cannot be loaded.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._default = configuration.default(_project_root(os.getcwd()))
        self._one: Config | None = None
        if options.config is not None:
            self._one = configuration.load(Path(options.config))
        elif options.isolated:
            self._one = self._default
        self._nearest = configuration.Nearest()
        self._settings: dict[int, Settings] = {}
        self._configs: dict[int, Config] = {}

    def config(self, folder: str) -> Config:
        """The configuration of an absolute folder."""
        config = self._one or self._nearest.of(folder) or self._default
        self._configs[id(config)] = config
        return config

    def config_of(self, path: str) -> Config:
        """The configuration of a file."""
        return self.config(os.path.dirname(os.path.abspath(path)).replace(os.sep, "/"))

    def settings_of(self, path: str) -> Settings:
        """The settings of a file."""
        config = self.config_of(path)
        settings = self._settings.get(id(config))
        if settings is None:
            settings = self._settings[id(config)] = self._make(config)
        return settings

    def fail_on(self, path: str) -> Severity:
        """The severity from which a finding in a file makes the run fail."""
        return self._options.fail_on or self.config_of(path).fail_on

    @property
    def settings(self) -> list[Settings]:
        """All settings handed out so far."""
        return list(self._settings.values())

    @property
    def config_files(self) -> list[str]:
        """The configuration files in use so far."""
        return sorted({config.file for config in self._configs.values() if config.file})

    def _make(self, config: Config) -> Settings:
        options = self._options
        packs = (str(pack.builtin_folder()), *config.rule_paths)
        known = [*pack.joined(pack.load(folder) for folder in packs), *suppress.CHECKS]
        where = f"{config.file}: " if config.file else ""
        _must_be_known(config.select or (), known, f"{where}select")
        _must_be_known(config.ignore, known, f"{where}ignore")
        _must_be_known(config.severity, known, f"{where}severity")
        for pattern, rules in config.per_path_ignores:
            _must_be_known(rules, known, f'{where}per-path-ignores."{pattern}"')
        _must_be_known(options.select or (), known, "--select")
        _must_be_known(options.ignore, known, "--ignore")
        select = options.select if options.select is not None else config.select
        chosen = [rule for rule in known if select is None or rule in select or rule in suppress.CHECKS]
        ignore = {*config.ignore, *options.ignore}
        if not config.report_unused_suppressions:
            ignore.add(suppress.UNUSED)
        return Settings(
            packs=packs,
            rules=tuple(rule for rule in chosen if rule not in ignore),
            severity=config.severity,
            min_confidence=options.min_confidence or config.min_confidence,
            knowledge=config.knowledge,
            per_path_ignores=config.per_path_ignores,
            root=config.root,
        )


def _must_be_known(rules: Iterable[str], known: Sequence[str], where: str) -> None:
    for rule in rules:
        if rule not in known:
            raise ConfigError(f"{where}: there is no rule {rule}{closest(rule, known)}")


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
    with _Workers(options.jobs or _processors(), results) as workers:
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


def _take(content: Source | Skip, ending: str, plan: Plan, workers: _Workers, results: _Results) -> None:
    if isinstance(content, Skip):
        results.skip(content)
        return
    results.outcome.report.checked += 1
    settings = plan.settings_of(content.path)
    if settings.concerns(content.text):
        workers.add(_Job(content.path, content.text, ending, settings))
    else:
        results.done([], [])


@dataclass(frozen=True, slots=True)
class _Job:
    path: str
    text: bytes
    ending: str
    settings: Settings


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


class _Workers:
    """Analyzes jobs: at the end and here where they are few, else in processes while the walk goes on."""

    def __init__(self, processes: int, results: _Results) -> None:
        self._processes = processes
        self._results = results
        self._waiting: list[_Job] = []
        self._waiting_bytes = 0
        self._pool: ProcessPoolExecutor | None = None
        self._batches: dict[Future[_Answers], list[_Job]] = {}

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException:
            self._stop()
            raise
        if kind is not None:
            self._stop()
        elif self._pool is not None:
            self._pool.shutdown()

    def add(self, job: _Job) -> None:
        self._waiting.append(job)
        self._waiting_bytes += len(job.text)
        if self._processes == 1:
            if self._waiting_bytes > PARALLEL_BYTES:
                self._here()
        elif self._waiting_bytes > (BATCH_BYTES if self._pool else PARALLEL_BYTES):
            self._submit()

    def _finish(self) -> None:
        if self._pool is None:
            self._here()
            return
        self._submit()
        lost: list[_Job] = []
        for future in as_completed(self._batches):
            try:
                answers = future.result()
            except BrokenProcessPool:
                lost += self._batches[future]
                continue
            for findings, errors in answers:
                self._results.done(findings, errors)
        for job in lost:
            self._results.done(*_alone(job))

    def _here(self) -> None:
        for job in self._waiting:
            self._results.done(*analyze(job.text, job.path, job.settings, job.ending))
        self._waiting, self._waiting_bytes = [], 0

    def _submit(self) -> None:
        if self._pool is None:
            self._pool = _new_pool(self._processes)
        batch: list[_Job] = []
        size = 0
        for job in self._waiting:
            batch.append(job)
            size += len(job.text)
            if size >= BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
        if batch:
            self._send(batch)
        self._waiting, self._waiting_bytes = [], 0

    def _send(self, batch: list[_Job]) -> None:
        assert self._pool is not None
        self._batches[self._pool.submit(_answer, batch)] = batch

    def _stop(self) -> None:
        """Leaves no process behind, whatever it is doing."""
        if self._pool is not None:
            running = list((getattr(self._pool, "_processes", None) or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()


_Answers = list[tuple[list[Finding], list[FileError]]]


def _answer(batch: list[_Job]) -> _Answers:
    return [analyze(job.text, job.path, job.settings, job.ending) for job in batch]


def _alone(job: _Job) -> tuple[list[Finding], list[FileError]]:
    """Analyzes a job in a process of its own, after the process it shared with others died."""
    with _new_pool(1) as pool:
        try:
            return pool.submit(_answer, [job]).result()[0]
        except BrokenProcessPool:
            return [], [FileError(job.path, "the process that checked it died")]


def _new_pool(processes: int) -> ProcessPoolExecutor:
    import multiprocessing

    # Elsewhere than on Linux, a forked process may not use what its parent had open.
    context: BaseContext = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_in_worker)


def _in_worker() -> None:
    import signal

    # Ctrl-C reaches the whole process group; the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _project_root(folder: str) -> str:
    """The folder with `.git` around a folder, else the folder itself."""
    for parent in (Path(folder), *Path(folder).parents):
        if (parent / ".git").exists():
            return parent.as_posix()
    return folder
