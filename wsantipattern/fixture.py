"""Fixtures: source files that say in comments what each rule must find in them, and the check that it does.

    <comment>  <kind>: <rule-id> ["text"]

A comment at the end of a line speaks of that line; alone on its line, of the next line of code. The kinds:

    expect       exactly one finding of the rule starts here; the text is part of its message
    related      a finding of the rule has a step of its trace here; the text is part of the step's message
    ok           no finding starts here; the text says why one might fear it
    missed       a finding belongs here and is not made yet
    false-alarm  a finding starts here and is wrong

`x.fixed.py` beside `x.py` is what all fixes together, unsafe ones too, must make of it.

Guarantees exactness both ways: a finding that no comment announces is a problem like a comment that no finding
meets. Does not print and does not decide the exit code.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsantipattern import pack, suppress
from wsantipattern.analysis import Settings, analyze
from wsantipattern.convention import breaches, message_breach
from wsantipattern.files import ending_of, is_known
from wsantipattern.finding import Finding
from wsantipattern.languages import EXTENSIONS, modules
from wsantipattern.languages.comments import comments
from wsantipattern.model.term import Extent
from wsantipattern.record import record
from wsantipattern.rule import Rule, RuleError
from wsantipattern.source import ReadError, Skip, Source, read, reason

KINDS = ("expect", "related", "ok", "missed", "false-alarm")

FIXED = ".fixed"
"""What the name of a corrected file ends with, before its ending."""

PROJECTS = "_projects"
"""The folder beside the rules' whose subfolders are checked with all rules at once."""

EXAMPLES = "examples"
"""The folder beside the rules with the examples that `explain` prints."""

FAMILIES = {
    "javascript": "javascript",
    "typescript": "javascript",
    "tsx": "javascript",
    "go": "go",
    "python": "python",
}
"""The languages among which fixtures count together."""

BUILTIN_EXPECT = 6
BUILTIN_OK = 8
"""How many fixtures of either kind a built-in rule has in each language family it has fixtures in."""

_MARKERS = ("//", "#", "/*", "<!--", "*/", "-->")


@record(frozen=True, slots=True)
class Annotation:
    """One comment's word.

    Attributes:
        kind: of `KINDS`.
        rule: the id.
        text: what stands in quotes, or "".
        line: the line (from 1) it speaks of.
        written: the line it stands on.
    """

    kind: str
    rule: str
    text: str
    line: int
    written: int

    def __str__(self) -> str:
        return f'{self.kind}: {self.rule} "{self.text}"' if self.text else f"{self.kind}: {self.rule}"


@record(frozen=True, slots=True, order=True)
class Problem:
    """Something that is not as it must be. `line` is 0 where it concerns the whole file or folder."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


def run_pack(
    rules: str | None,
    fixtures: str,
    *,
    knowledge: Mapping[str, Mapping[str, list[Any]]] | None = None,
) -> list[Problem]:
    """Holds a pack's rules against its fixtures and against the conventions.

    Args:
        rules: a folder of rules, one rule's file, or None for the built-in pack.
        fixtures: the folder with a folder for each rule. For one rule's file, only that rule's is looked at.
        knowledge: tables to join with the built-in ones.

    Raises:
        RuleError: a rule cannot be loaded, or raises.
    """
    builtin = str(pack.builtin_folder())
    place = os.path.abspath(rules) if rules is not None else builtin
    home = place if os.path.isdir(place) else os.path.dirname(place)
    least = {"expect": 1, "ok": 1}
    if os.path.realpath(home) == os.path.realpath(builtin):
        least = {"expect": BUILTIN_EXPECT, "ok": BUILTIN_OK}
    loaded = {rule.id: rule for rule in pack.load(place)}
    settings = Settings(packs=(place,), knowledge=knowledge or {})
    problems: list[Problem] = []
    for rule in loaded.values():
        problems += (Problem(_shown(rule.path), line, message) for line, message in breaches(rule))
        problems += _check_examples(rule, settings)
        folder = os.path.join(fixtures, rule.id)
        if os.path.isdir(folder):
            problems += _check_rule(rule, folder, settings, least)
        else:
            problems.append(Problem(_shown(folder), 0, f"the rule {rule.id} has no fixtures"))
    if os.path.isdir(place):
        for name in _folders(fixtures):
            if not name.startswith(("_", ".")) and name not in loaded:
                problems.append(Problem(_shown(os.path.join(fixtures, name)), 0, f"there is no rule {name}"))
        projects = os.path.join(fixtures, PROJECTS)
        for name in _folders(projects):
            problems += _check_project(os.path.join(projects, name), {*loaded, *suppress.CHECKS}, settings)
    return sorted(problems)


def fixtures_beside(rules: str) -> str:
    """Where the fixtures of a rule folder, or of a rule's file, are: in `fixtures` beside the rule folder."""
    folder = os.path.abspath(rules)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.path.relpath(os.path.join(os.path.dirname(folder), "fixtures"))


# -- one rule, one project -------------------------------------------------------------------------


@record(frozen=True, slots=True)
class _Fixture:
    path: str
    annotations: list[Annotation]

    @property
    def family(self) -> str:
        return FAMILIES.get(EXTENSIONS.get(ending_of(self.path), ""), "")

    @property
    def stem(self) -> str:
        return os.path.splitext(self.path)[0]


def _check_rule(rule: Rule, folder: str, settings: Settings, least: Mapping[str, int]) -> Iterator[Problem]:
    alone = Settings(settings.packs, rules=(rule.id,), knowledge=settings.knowledge)
    fixtures: list[_Fixture] = []
    for path in _files(folder):
        if os.path.splitext(path)[0].endswith(FIXED):
            yield from _check_fixed(path, alone)
            continue
        fixture, problems = _check_file(path, {rule.id}, alone)
        yield from problems
        if fixture is None:
            continue
        fixtures.append(fixture)
        if not fixture.annotations:
            yield Problem(fixture.path, 0, "the file holds no annotation")
    yield from _same_stems(fixtures)
    if not fixtures:
        yield Problem(_shown(folder), 0, f"the rule {rule.id} has no fixtures")
    for family, counts in _counted(fixtures).items():
        for kind, number in least.items():
            if counts[kind] < number:
                yield Problem(
                    _shown(folder), 0, f"{counts[kind]} {kind} in {family}, at least {number} needed"
                )


def _check_fixed(path: str, settings: Settings) -> Iterator[Problem]:
    """What the fixes make of the file that `path` is the corrected one of, and that nothing is left to fix in that."""
    from wsantipattern.fix.correct import correct

    stem, ending = os.path.splitext(path)
    bad = stem.removesuffix(FIXED) + ending
    source, wanted = _read(bad), _read(path)
    for read_ in (source, wanted):
        if isinstance(read_, Problem):
            yield read_
    if isinstance(source, Problem) or isinstance(wanted, Problem):
        return
    made = correct(source.text, bad, settings, unsafe=True)
    if made.text != wanted.text:
        pairs = zip(made.text.splitlines(), [*wanted.text.splitlines(), b""], strict=False)
        line = next((n for n, (a, b) in enumerate(pairs, 1) if a != b), 1)
        yield Problem(wanted.path, line, f"not what the fixes make of {os.path.basename(bad)}")
    for finding in _findings(wanted, settings):
        yield Problem(wanted.path, finding.span.start.line, f"fixed, but found `{finding.message}`")
    if correct(wanted.text, path, settings, unsafe=True).text != wanted.text:
        yield Problem(wanted.path, 0, "fixing it again changes it")


def _check_examples(rule: Rule, settings: Settings) -> Iterator[Problem]:
    """The examples that `explain` prints do what they stand for."""
    alone = Settings(settings.packs, rules=(rule.id,), knowledge=settings.knowledge)
    for kind in ("bad", "good"):
        for path in examples(rule, kind):
            source = _read(str(path))
            if isinstance(source, Problem):
                yield source
                continue
            found = _findings(source, alone)
            if kind == "bad" and not found:
                yield Problem(source.path, 0, f"a bad example in which {rule.id} finds nothing")
            for finding in found if kind == "good" else ():
                yield Problem(
                    source.path, finding.span.start.line, f"a good example, but found `{finding.message}`"
                )


def examples(rule: Rule, kind: str) -> list[Path]:
    """The `bad` or `good` examples of a rule, by name: `examples/<rule>.<kind>.<ending>` beside its file."""
    place = Path(rule.path)
    return sorted((place.parent / EXAMPLES).glob(f"{place.stem}.{kind}.*"))


def _findings(source: Source, settings: Settings) -> list[Finding]:
    findings, errors = analyze(source.text, source.path, settings)
    if errors:
        raise RuleError("; ".join(f"{error.path}: {error.message}" for error in errors))
    return findings


def _counted(fixtures: Iterable[_Fixture]) -> dict[str, Counter[str]]:
    """How many annotations of each kind there are in each language family that has fixtures."""
    counts: dict[str, Counter[str]] = {}
    for fixture in fixtures:
        if fixture.family:
            counts.setdefault(fixture.family, Counter()).update(a.kind for a in fixture.annotations)
    return counts


def _same_stems(fixtures: Sequence[_Fixture]) -> Iterator[Problem]:
    by_stem: dict[str, list[_Fixture]] = {}
    for fixture in fixtures:
        by_stem.setdefault(fixture.stem, []).append(fixture)
    for first, *others in by_stem.values():
        # Traces may have more steps to point at in one language than in another.
        expected = [a.kind for a in first.annotations if a.kind != "related"]
        for other in others:
            kinds = [a.kind for a in other.annotations if a.kind != "related"]
            if kinds != expected:
                yield Problem(
                    other.path,
                    0,
                    f"says {', '.join(kinds) or 'nothing'}, but {os.path.basename(first.path)} says "
                    f"{', '.join(expected) or 'nothing'}; where the languages differ, use another stem",
                )


def _check_project(folder: str, rules: Collection[str], settings: Settings) -> Iterator[Problem]:
    annotations = 0
    for path in _files(folder):
        fixture, problems = _check_file(path, rules, settings)
        yield from problems
        annotations += len(fixture.annotations) if fixture else 0
    if not annotations:
        yield Problem(_shown(folder), 0, "the project holds no annotation")


def _check_file(
    path: str, rules: Collection[str], settings: Settings
) -> tuple[_Fixture | None, list[Problem]]:
    source = _read(path)
    if isinstance(source, Problem):
        return None, [source]
    annotations, problems = _annotated(source)
    for annotation in annotations:
        if annotation.rule not in rules:
            problems.append(Problem(source.path, annotation.written, f"no rule {annotation.rule} runs here"))
    findings = _findings(source, settings)
    problems += compare(source.path, annotations, findings)
    for finding in findings:
        breach = message_breach(finding.message)
        if breach:
            problems.append(Problem(source.path, finding.span.start.line, f"`{finding.message}`: {breach}"))
    return _Fixture(source.path, annotations), problems


def _read(path: str) -> Source | Problem:
    try:
        content = read(path, _shown(path))
    except ReadError as error:
        return Problem(_shown(path), 0, str(error))
    if isinstance(content, Skip):
        return Problem(_shown(path), 0, f"is not looked at: {content.reason}")
    return content


def _annotated(source: Source) -> tuple[list[Annotation], list[Problem]]:
    ending = ending_of(source.path)
    return annotations_of(source, comments(source.text, ending, modules(source.text, source.path, ending)))


# -- what the comments say -------------------------------------------------------------------------


def annotations_of(source: Source, found: Sequence[Extent]) -> tuple[list[Annotation], list[Problem]]:
    """The annotations among the comments of a file, in order, and those that cannot be read."""
    code = _lines_of_code(source, found)
    annotations: list[Annotation] = []
    problems: list[Problem] = []
    for start, end in found:
        kind, rest = _split(source.text[start:end].decode("utf-8", "replace"))
        if kind not in KINDS:
            continue
        written = source.line_at(start)
        line = next((number for number in code if number >= written), None)
        rule, _, quoted = rest.partition(" ")
        quoted = quoted.strip()
        text = quoted[1:-1].strip()
        if not rule or (quoted and not (len(quoted) >= 2 and quoted[0] == quoted[-1] == '"')):
            problems.append(Problem(source.path, written, f'not of the form `{kind}: rule-id "text"`'))
        elif kind == "ok" and not text:
            problems.append(Problem(source.path, written, f"ok: {rule} gives no reason in quotes"))
        elif line is None:
            problems.append(Problem(source.path, written, f"{kind}: {rule} speaks of no line of code"))
        else:
            annotations.append(Annotation(kind, rule, text, line, written))
    return annotations, problems


def _split(comment: str) -> tuple[str, str]:
    """What stands before and after the first colon of a comment, without its markers."""
    text = comment.strip()
    for marker in _MARKERS[:4]:
        text = text.removeprefix(marker)
    for marker in _MARKERS[4:]:
        text = text.removesuffix(marker)
    kind, _, rest = text.strip().partition(":")
    return kind.strip(), rest.strip()


def _lines_of_code(source: Source, found: Sequence[Extent]) -> list[int]:
    """The lines (from 1) that hold anything but comments and space."""
    text = bytearray(source.text)
    for start, end in found:
        for at in range(start, end):
            if text[at] not in b"\r\n":
                text[at] = 0x20
    blanked = Source(source.path, bytes(text))
    # What is left of a comment in JSX is an empty pair of braces.
    return [n for n in range(1, blanked.line_count + 1) if blanked.line(n).replace(" ", "") not in ("", "{}")]


# -- both sides ------------------------------------------------------------------------------------


def compare(path: str, annotations: Sequence[Annotation], findings: Sequence[Finding]) -> list[Problem]:
    """Where the annotations of a file and the findings in it differ; each problem names both sides."""
    problems: list[Problem] = []
    left = list(findings)
    # The most particular first, so that a text finds its own message where several findings start on a line.
    announced = [a for a in annotations if a.kind in ("expect", "false-alarm")]
    for annotation in sorted(announced, key=lambda a: -len(a.text)):
        met = next((f for f in left if _starts(f, annotation) and annotation.text in f.message), None)
        if met is not None:
            left.remove(met)
        else:
            problems.append(Problem(path, annotation.line, _unmet(annotation, findings)))
    problems += (
        Problem(path, annotation.line, f"{annotation}: no trace comes here")
        for annotation in annotations
        if annotation.kind == "related" and not _is_related(annotation, findings)
    )
    for finding in left:
        line = finding.span.start.line
        contrary = [a for a in annotations if a.kind in ("ok", "missed") and _starts(finding, a)]
        said = " and ".join(str(a) for a in contrary) or "no annotation"
        hint = "; it is no longer missed, so say expect" if any(a.kind == "missed" for a in contrary) else ""
        problems.append(
            Problem(path, line, f"found {finding.rule} `{finding.message}`, but there is {said}{hint}")
        )
    return problems


def _starts(finding: Finding, annotation: Annotation) -> bool:
    return finding.rule == annotation.rule and finding.span.start.line == annotation.line


def _unmet(annotation: Annotation, findings: Sequence[Finding]) -> str:
    here = [f for f in findings if _starts(f, annotation)]
    said = " and ".join(f"`{f.message}`" for f in here)
    if annotation.kind == "false-alarm" and not here:
        return f"{annotation}: nothing is found any more, so say ok"
    return f"{annotation}: found {said if here else 'nothing'}"


def _is_related(annotation: Annotation, findings: Sequence[Finding]) -> bool:
    return any(
        finding.rule == annotation.rule
        and step.span.start.line == annotation.line
        and annotation.text in step.message
        for finding in findings
        for step in finding.trace
    )


# -- folders ---------------------------------------------------------------------------------------


def _folders(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())


def _files(folder: str) -> list[str]:
    """The files of a folder and those below it that a front end reads, in a stable order."""
    try:
        found = [path for path in Path(folder).rglob("*") if path.is_file() and is_known(path.name)]
    except OSError as error:
        raise RuleError(f"{folder}: {reason(error)}") from None
    return [str(path) for path in sorted(found)]


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return (path if relative.startswith("..") else relative).replace(os.sep, "/")
