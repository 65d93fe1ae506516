"""One text to findings: the pure heart of a run.

Looks for the rules' triggers before it parses anything, calls the rules for the functions that triggers stand in,
and turns their matches into findings with spans, fingerprints and an order. Guarantees that neither a text nor a rule
makes `analyze` raise: what goes wrong is an error of the file. Reads no files.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wsantipattern import pack, suppress
from wsantipattern.files import ending_of, matches
from wsantipattern.finding import Confidence, FileError, Finding, Fix, Severity, Span, TraceStep
from wsantipattern.languages import HOSTS
from wsantipattern.record import record
from wsantipattern.remedy import Advice
from wsantipattern.rule import Match, Rule
from wsantipattern.source import Source

if TYPE_CHECKING:
    from wsantipattern.knowledge import Knowledge
    from wsantipattern.model.consideration import Considerations, Verdict
    from wsantipattern.model.module import Function, Module
    from wsantipattern.model.term import Extent
    from wsantipattern.remedy import Remedy

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
    def running(self) -> list[Rule]:
        """The rules that run, by id."""
        return [rule for rule in self.known.values() if self.rules is None or rule.id in self.rules]

    @cached_property
    def triggered(self) -> list[tuple[Rule, tuple[bytes, ...]]]:
        """The rules that run, each with its triggers."""
        return [(rule, tuple(dict.fromkeys(rule.triggers(self.joined_knowledge)))) for rule in self.running]

    @cached_property
    def _words(self) -> tuple[bytes, ...]:
        words = sorted(
            {word for _, triggers in self.triggered for word in triggers}, key=lambda w: (len(w), w)
        )
        # A word that holds another one says nothing that the shorter one does not.
        kept: list[bytes] = []
        for word in words:
            if not any(shorter in word for shorter in kept[:_SHORT]):
                kept.append(word)
        return tuple(kept)

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
    examined = examine(source, path, settings, ending)
    return [entry.finding for entry in examined.found], examined.errors


@record(frozen=True, slots=True)
class Found:
    """A finding, the display name of the function it stands in, and what would put it right in which module."""

    finding: Finding
    function: str
    module: Module | None = None
    remedy: Remedy | None = None


@record(frozen=True, slots=True)
class Examination:
    """All that `analyze` learns of one text. `modules` is empty where nothing could be said about it."""

    found: list[Found] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)


@record(frozen=True, slots=True)
class Note:
    """A consideration of a rule, in the terms of the host file; see `model.consideration`.

    Attributes:
        at: the place that decided, where it is not the candidate itself.
        function: display name of the function that the candidate stands in.
    """

    rule: str
    span: Span
    verdict: Verdict
    reason: str
    at: Span | None
    function: str


@record(frozen=True, slots=True)
class Region:
    """A function, or a whole text or embedded block, that a rule did not look at; `why` is a clause."""

    rule: str
    span: Span
    name: str
    why: str


@record(slots=True)
class Account:
    """How the findings in one text came about.

    Attributes:
        notes: what the rules considered, in order.
        made: all findings, those that are hidden or not sure enough included.
        suppressed: where the comment stands that hides a finding.
        passed: what each rule did not look at, and why.
        blocks: the parts of the text that are code.
    """

    notes: list[Note] = field(default_factory=list)
    made: list[Finding] = field(default_factory=list)
    suppressed: dict[Finding, Span] = field(default_factory=dict)
    passed: list[Region] = field(default_factory=list)
    blocks: list[Span] = field(default_factory=list)


def examine(
    source: bytes,
    path: str,
    settings: Settings,
    ending: str | None = None,
    account: Account | None = None,
) -> Examination:
    """What `analyze` gives, with the modules and the remedies of the findings; fills `account` where one is given."""
    text = Source.decode(path, source)
    if account is None and not settings.concerns(text.text):
        return Examination()
    with deep_recursion():
        return _Analysis(text, ending or ending_of(path), settings, account).result()


class _Analysis:
    def __init__(
        self, source: Source, ending: str, settings: Settings, account: Account | None = None
    ) -> None:
        self._source = source
        self._account = account
        self._ending = ending
        self._settings = settings
        self._errors: dict[FileError, None] = {}
        self._ignored = settings.ignored(source.path)

    def result(self) -> Examination:
        from wsantipattern import languages

        path = self._source.path
        try:
            modules = languages.modules(self._source.text, path, self._ending)
        except RecursionError:
            return Examination(errors=[FileError(path, _TOO_DEEP)])
        except Exception as error:
            return Examination(errors=[FileError(path, f"the front end raised {_described(error)}")])
        found = [entry for module in modules for entry in self._in_module(module)]
        found = _distinct(found)
        found = self._fingerprinted(found)
        if self._account is not None:
            self._account.made = [entry.finding for entry in found]
        found = self._unsuppressed(found, modules)
        found = [e for e in found if e.finding.confidence >= self._settings.min_confidence]
        found.sort(key=lambda e: (*e.finding.sort_key, e.finding.span.end, e.finding.message))
        return Examination(found, list(self._errors), modules)

    def _in_module(self, module: Module) -> Iterator[Found]:
        from wsantipattern.model.module import BUDGET, BudgetError
        from wsantipattern.roles import Roles

        roles = Roles(module, self._settings.joined_knowledge)
        triggered = _Triggered(module)
        recorder = None
        if self._account is not None:
            from wsantipattern.model.consideration import Considerations

            recorder = module.considered = Considerations()
        for rule, triggers in self._settings.triggered:
            if rule.id in self._ignored or not any(word in module.text for word in triggers):
                self._pass(rule, triggers, module)
                continue
            module.spent = 0
            if recorder is not None:
                recorder.rule = rule.id
                # To give an account is work, too, on which nothing is to fail that does not fail without one.
                module.spent = -BUDGET
            try:
                subjects: Iterable[Module | Function]
                subjects = [module] if rule.granularity == "module" else triggered.functions(triggers)
                if rule.granularity == "function":
                    self._pass(rule, triggers, module, triggered)
                for subject in subjects:
                    for match in rule.check(subject, roles):
                        yield self._found(rule, match, module)
            except RecursionError:
                self._errors[FileError(self._source.path, _TOO_DEEP)] = None
            except BudgetError:
                message = f"too much work for rule {rule.id}, which has given up on it"
                self._errors[FileError(self._source.path, message)] = None
            except Exception as error:
                self._errors[
                    FileError(self._source.path, f"{_blame(error, rule)} raised {_described(error)}")
                ] = None

        if recorder is not None:
            self._note(module, recorder)

    def _pass(
        self,
        rule: Rule,
        triggers: Sequence[bytes],
        module: Module,
        triggered: _Triggered | None = None,
    ) -> None:
        """Takes down which functions, or that the whole of a module, a rule does not look at."""
        account = self._account
        if account is None:
            return
        if triggered is not None:
            why = f"nothing in it names {_one_of(triggers)}"
            looked = set(triggered.functions(triggers))
            for function in module.functions:
                if function.host is function and function not in looked:
                    span = self._span(function.extent, module)
                    account.passed.append(Region(rule.id, span, function.display_name, why))
            return
        name = "this file" if module.offset_map is None else "this block"
        if rule.id in self._ignored:
            why = "`per-path-ignores` of the configuration leaves it out here"
        else:
            why = f"nothing in {name} names {_one_of(triggers)}"
        span = self._span((0, len(module.text)), module)
        account.passed.append(Region(rule.id, span, name, why))

    def _note(self, module: Module, recorder: Considerations) -> None:
        """Translates what was considered in a module."""
        assert self._account is not None
        self._account.blocks.append(self._span((0, len(module.text)), module))
        for entry in recorder.entries:
            at = self._span(entry.at, module) if entry.at is not None else None
            span = self._span(entry.extent, module)
            name = module.function_at(entry.extent[0]).display_name
            self._account.notes.append(Note(entry.rule, span, entry.verdict, entry.reason, at, name))

    def _found(self, rule: Rule, match: Match, module: Module) -> Found:
        path = self._source.path
        start, _ = match.extent
        return Found(
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
                fix=Fix(match.remedy.text) if isinstance(match.remedy, Advice) else None,
            ),
            module.function_at(start).display_name,
            module,
            match.remedy,
        )

    def _span(self, extent: Extent, module: Module) -> Span:
        start, end = extent
        first = module.host_offset(start)
        # The end is measured from its last byte: behind it, an embedded block may go on elsewhere in the host.
        last = module.host_offset(end - 1) + 1 if end > start else first
        return self._source.span(first, last)

    def _fingerprinted(self, found: list[Found]) -> list[Found]:
        identity = self._settings.identity(self._source.path)
        seen: Counter[tuple[str, str, str]] = Counter()
        result = []
        for entry in sorted(found, key=lambda e: (*e.finding.sort_key, e.finding.span.end)):
            finding = entry.finding
            line = " ".join(self._source.line(finding.span.start.line).split())
            key = (finding.rule, entry.function, line)
            material = "\0".join((identity, *key, str(seen[key])))
            seen[key] += 1
            anchor = "\0".join((*key[:2], self._source.significant(finding.span)))
            marked = replace(finding, fingerprint=_digest(material), anchor=_digest(anchor))
            result.append(replace(entry, finding=marked))
        return result

    def _unsuppressed(self, found: list[Found], modules: Sequence[Module]) -> list[Found]:
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
        if self._account is not None:
            for suppression in entries.entries:
                for entry in found:
                    finding = entry.finding
                    if suppression.rule == finding.rule and suppression.covers(finding.span):
                        self._account.suppressed[finding] = self._source.span(*suppression.extent)
        ran = {rule.id for rule, _ in self._settings.triggered} - self._ignored
        reports: list[Found] = []
        for check, extents in (
            (suppress.INVALID, entries.problems),
            (suppress.UNUSED, list(entries.unused(ran))),
        ):
            if check not in self._ignored and self._settings.checks(check):
                reports += (self._about_suppression(check, extent, message) for extent, message in extents)
        # Suppressions of the checks on suppressions themselves come last: they are never unused.
        shown += (e for e in self._fingerprinted(reports) if not entries.hide(e.finding.rule, e.finding.span))
        return shown

    def _about_suppression(self, check: str, extent: Extent, message: str) -> Found:
        severity = self._settings.severity.get(check, _SUPPRESSION_SEVERITY[check])
        span = self._source.span(*extent)
        return Found(Finding(check, message, severity, Confidence.HIGH, self._source.path, span), "")


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


_NAMED_TRIGGERS = 4
"""How many of a rule's triggers an account names."""


def _one_of(triggers: Sequence[bytes]) -> str:
    """The first triggers that are words, for a sentence."""
    every = [word.decode("utf-8", "replace").strip() for word in triggers]
    # `WebSocket` says more to a reader than the package names around it.
    names = sorted(every, key=lambda name: (not name.isidentifier(), name.islower()))
    shown = [f"`{name}`" for name in names[:_NAMED_TRIGGERS]]
    rest = len(names) - len(shown)
    return f"{', '.join(shown)} or {rest} other words" if rest else " or ".join(shown)


_SHORT = 16
"""How many of the shortest triggers are looked for in the others; to look for all costs more than it saves."""

_TOO_DEEP = "nested too deeply to be checked"


def _digest(material: str) -> str:
    return hashlib.sha256(material.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _distinct(found: list[Found]) -> list[Found]:
    """One finding for each rule and span: the surest, and of those the first."""
    best: dict[tuple[str, Span], Found] = {}
    for entry in found:
        key = (entry.finding.rule, entry.finding.span)
        if key not in best or best[key].finding.confidence < entry.finding.confidence:
            best[key] = entry
    return list(best.values())


def _described(error: Exception, rule: Rule | None = None) -> str:
    """An exception as one line, with the place it was raised at unless that is in the rule, which is named already."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    known = rule is not None and frames[-1:] and frames[-1].filename == rule.path
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames and not known else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


def _blame(error: Exception, rule: Rule) -> str:
    """Who raised, as the subject of a sentence: the rule with its file and line, or the front end."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    languages = os.path.join(os.path.dirname(__file__), "languages")
    if frames and frames[-1].filename.startswith(languages):
        return "the front end"
    lines = [frame.lineno for frame in frames if frame.filename == rule.path]
    return f"rule {rule.id} ({rule.path}{f':{lines[-1]}' if lines else ''})"


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Python's recursion limit raised to `RECURSION_LIMIT` for a while."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
