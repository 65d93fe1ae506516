"""One text, corrected: each fix is tried by analysing what comes of it, and taken only where it holds.

Guarantees of a taken fix: the finding is gone, no other is there that was not before, the text parses as it did, and
correcting the result again changes nothing. Where that cannot be had the text is left as it was. Reads and writes no
files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field, replace

from wsantipattern import fix
from wsantipattern.analysis import Examination, Found, Settings, deep_recursion, examine
from wsantipattern.files import ending_of
from wsantipattern.finding import Confidence, Edit, FileError, Finding, Fix
from wsantipattern.languages import modules
from wsantipattern.record import record
from wsantipattern.source import Source


@record(frozen=True, slots=True)
class Corrected:
    """What came of a text.

    Attributes:
        text: the new text (UTF-8 without a byte order mark); the one that was given where nothing was taken.
        fixed: the findings that are gone, as they were found.
        left: those still there, each with its fix where it has one that was not asked for.
        errors: what could not be checked.
    """

    text: bytes
    fixed: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)


@record(frozen=True, slots=True)
class _Correction:
    text: bytes
    fix: Fix


def with_fixes(
    findings: Sequence[Finding], source: bytes, path: str, settings: Settings, ending: str | None = None
) -> list[Finding]:
    """Findings of a text, each with a fix that was tried, where there is one.

    Raises:
        RuleError: a rule cannot be loaded.
    """
    trial = _Trial(Source.decode(path, source), settings, ending or ending_of(path))
    known = {found.finding.fingerprint: found for found in trial.state.found}
    return [
        replace(finding, fix=trial.suggested(known[finding.fingerprint]).fix)
        if finding.fingerprint in known
        else finding
        for finding in findings
    ]


def correct(
    source: bytes, path: str, settings: Settings, ending: str | None = None, *, unsafe: bool = False
) -> Corrected:
    """A text with all fixes made that can be, one after the other; with `unsafe`, those too that may change more.

    Raises:
        RuleError: a rule cannot be loaded.
    """
    text = Source.decode(path, source)
    fixed: list[Finding] = []
    while True:
        trial = _Trial(text, settings, ending or ending_of(path))
        for found in trial.state.found:
            correction = next((c for c in trial.corrections(found) if c.fix.safe or unsafe), None)
            if correction is not None:
                fixed.append(found.finding)
                text = Source(path, correction.text)
                break
        else:
            left = [trial.suggested(found) for found in trial.state.found]
            return Corrected(text.text, fixed, left, trial.state.errors)


class _Trial:
    """Tries fixes on one state of a text."""

    def __init__(self, source: Source, settings: Settings, ending: str) -> None:
        self._source = source
        self._settings = settings
        self._ending = ending
        self.state = examine(source.text, source.path, settings, ending)

    def suggested(self, found: Found) -> Finding:
        """A finding with the first fix that holds, the safe ones first."""
        best: _Correction | None = None
        for correction in self.corrections(found):
            if correction.fix.safe:
                best = correction
                break
            best = best or correction
        return replace(found.finding, fix=best.fix) if best is not None else found.finding

    def corrections(self, found: Found) -> Iterator[_Correction]:
        """The fixes of a finding that hold."""
        if found.remedy is None or found.module is None:
            return
        try:
            with deep_recursion():
                drafts = list(fix.drafts(found.module, found.remedy))
        except RecursionError:
            return  # Nested too deeply to be written; the finding stays.
        for draft in drafts:
            changes = fix.host_changes(self._source.text, found.module, draft.text)
            if changes:
                text = fix.host_text(self._source.text, changes)
                if self._holds(found, text):
                    edits = tuple(
                        Edit(self._source.span(c.start, c.end), c.text.decode("utf-8", "replace"))
                        for c in changes
                    )
                    sure = found.finding.confidence is Confidence.HIGH
                    yield _Correction(text, Fix(draft.title, edits, draft.safe and sure))

    def _holds(self, found: Found, text: bytes) -> bool:
        after = examine(text, self._source.path, self._settings, self._ending)
        if any(error not in self.state.errors for error in after.errors):
            return False
        if self._broken(after, text) > self._broken(self.state, self._source.text):
            return False
        before, now = _kinds(self.state, self._source), _kinds(after, Source(self._source.path, text))
        key = _kind(found.finding, self._source)
        return now <= before and now[key] < before[key]

    def _broken(self, state: Examination, text: bytes) -> int:
        """How many modules of a text do not parse cleanly."""
        parsed = state.modules or modules(text, self._source.path, self._ending)
        return sum(module.has_errors for module in parsed)


_Kind = tuple[str, str]


def _kind(finding: Finding, source: Source) -> _Kind:
    """What of a finding stays when lines move and are indented."""
    return finding.rule, " ".join(source.line(finding.span.start.line).split())


def _kinds(state: Examination, source: Source) -> Counter[_Kind]:
    return Counter(_kind(found.finding, source) for found in state.found)
