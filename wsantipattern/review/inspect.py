"""Runs a review: both states analyzed, their findings compared, and the rest of what reports ask for.

Guarantees that both states are held against the same rules and settings, those of the later state's paths, so that a
renamed file or a changed configuration makes no finding new. Executes nothing of the project but the rules that the
options allow. Does not print.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import field
from functools import partial
from itertools import groupby

from wsantipattern.files import ending_of, is_known
from wsantipattern.finding import Change, FileError, Finding, Report
from wsantipattern.plan import Options, Plan
from wsantipattern.record import record
from wsantipattern.report import Shown
from wsantipattern.review.compare import Compared, compare
from wsantipattern.review.states import States, Wanted, states
from wsantipattern.rule import Rule
from wsantipattern.source import Skip, Source, checked
from wsantipattern.workers import Job, Workers, processors


@record(slots=True)
class Review:
    """A finished review.

    Attributes:
        report: the new findings, with what else became of the old ones.
        shown: by reported path, the lines that a diff shows of the files with new findings.
        rules: every rule that ran, by id.
        failing: how many new findings are at least as severe as their file's configuration fails on.
        remarks: what could not be looked at in the earlier state, one line each.
        folder, commit: see `States`.
        texts: the later texts by reported path, as they were checked.
    """

    report: Report
    shown: dict[str, Shown] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    failing: int = 0
    remarks: list[str] = field(default_factory=list)
    folder: str = ""
    commit: str = ""
    texts: dict[str, bytes] = field(default_factory=dict)


def inspect(wanted: Wanted, options: Options, *, with_fixes: bool = False) -> Review:
    """Compares two states; on demand, the new findings come with the fixes that they have.

    Raises:
        StateError: they cannot be had.
        ConfigError, RuleError: see `Plan`.
    """
    plan = Plan(options)
    both = states(wanted, lambda folder: plan.config(folder).filter)
    old, new = _sources(both)
    plan.settings_of("x")  # a rule that cannot load must not go unnoticed because nothing changed
    before, old_errors = _findings(
        [(_ending(both, path), source) for path, source in old.items()], plan, options
    )
    after, errors = _findings([(ending_of(path), source) for path, source in new.items()], plan, options)
    comparison = compare(
        Compared(before[path], after[path], old.get(path), new.get(path), partial(both.diff, path))
        for path in sorted(both.files)
    )
    fixed, new_findings = tuple(comparison.fixed), comparison.new
    if with_fixes:
        new_findings = _with_fixes(new_findings, new, plan)
    report = Report(
        findings=new_findings,
        errors=sorted([*both.errors, *errors], key=lambda e: (e.path, e.message)),
        checked=len(new) + sum(file.after is None for file in both.files.values()),
        skipped=both.skipped,
        change=Change(both.base, fixed, comparison.existing),
    )
    rules = {rule.id: rule for settings in plan.settings for rule, _ in settings.triggered}
    return Review(
        report=report,
        shown={path: both.shown(path) for path in dict.fromkeys(f.path for f in new_findings)},
        rules=[rules[name] for name in sorted(rules)],
        failing=sum(f.severity >= plan.fail_on(f.path) for f in new_findings),
        remarks=[
            f"{error.path}: as it was before the change, {error.message}; what it had counts as new"
            for error in old_errors
        ],
        folder=both.folder,
        commit=both.commit,
        texts={path: source.text for path, source in new.items()},
    )


def _sources(both: States) -> tuple[dict[str, Source], dict[str, Source]]:
    """The texts of both states that can be looked at, by reported path."""
    old: dict[str, Source] = {}
    new: dict[str, Source] = {}
    for path, file in both.files.items():
        for data, into in ((file.before, old), (file.after, new)):
            if data is None:
                continue
            content = checked(Source.decode(path, data))
            if isinstance(content, Skip):
                both.skipped += into is new
            else:
                into[path] = content
    return old, new


def _with_fixes(findings: Iterable[Finding], texts: dict[str, Source], plan: Plan) -> list[Finding]:
    from wsantipattern.fix.correct import with_fixes

    suggested: list[Finding] = []
    for path, group in groupby(findings, key=lambda finding: finding.path):
        suggested += with_fixes(list(group), texts[path].text, path, plan.settings_of(path))
    return suggested


def _ending(both: States, path: str) -> str:
    """The ending that the earlier text of a file is taken by."""
    name = both.files[path].old or path
    return ending_of(name if is_known(name) else path)


def _findings(
    texts: Iterable[tuple[str, Source]], plan: Plan, options: Options
) -> tuple[defaultdict[str, list[Finding]], list[FileError]]:
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    errors: list[FileError] = []

    def done(findings: list[Finding], problems: list[FileError]) -> None:
        for finding in findings:
            found[finding.path].append(finding)
        errors.extend(problems)

    with Workers(options.jobs or processors(), done) as workers:
        for ending, source in texts:
            settings = plan.settings_of(source.path)
            if settings.concerns(source.text):
                workers.add(Job(source.path, source.text, ending, settings))
    return found, errors
