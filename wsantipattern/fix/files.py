"""Files, corrected: read, fixed, and written back whole or not at all.

A written file keeps its permissions, byte order mark, encoding and line ends. Does not print.
"""

from __future__ import annotations

import codecs
import os
import stat
import tempfile
from dataclasses import field
from difflib import unified_diff
from itertools import groupby
from pathlib import Path

from wsantipattern.files import ending_of, is_known
from wsantipattern.finding import FileError, Finding
from wsantipattern.fix.correct import correct, with_fixes
from wsantipattern.plan import Options, Plan
from wsantipattern.record import record
from wsantipattern.runner import Input, Outcome
from wsantipattern.source import as_utf8, reason

_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class WriteError(Exception):
    """A file that cannot be written; the message is one line without the path."""


@record(frozen=True, slots=True)
class Rewritten:
    """A file with fixes made: its raw bytes before and after, and the findings that are gone."""

    path: str
    before: bytes
    after: bytes
    fixed: list[Finding]


@record(slots=True)
class Fixing:
    """What fixing a run's files came to.

    Attributes:
        rewritten: the files that change, in order of their paths.
        more: how many findings have a fix left that only `unsafe` makes.
    """

    rewritten: list[Rewritten] = field(default_factory=list)
    more: int = 0

    @property
    def fixed(self) -> int:
        """How many findings are gone."""
        return sum(len(file.fixed) for file in self.rewritten)


def fix_findings(
    outcome: Outcome,
    options: Options,
    *,
    unsafe: bool,
    writing: bool,
    stdin: Input | None = None,
    taken_as: str | None = None,
) -> Fixing:
    """Makes the fixes of a run's findings, and leaves in the outcome's report what is not fixed.

    With `writing`, into the files (never into standard input); what cannot be written stays, with an error.

    Raises:
        ConfigError: see `Plan`.
        RuleError: a rule cannot be loaded.
    """
    plan = Plan(options)
    report = outcome.report
    fixing = Fixing()
    left: list[Finding] = []
    by_path: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_path.setdefault(finding.path, []).append(finding)
    for path, findings in by_path.items():
        from_stdin = stdin.data if stdin is not None and path == stdin.path else None
        data = _read(path) if from_stdin is None else from_stdin
        ending = ending_of(path) if is_known(path) else ending_of(taken_as or path)
        if data is None or _encoded(data, as_utf8(data)) != data:
            left += findings
            continue
        corrected = correct(data, path, plan.settings_of(path), ending, unsafe=unsafe)
        if corrected.fixed:
            file = Rewritten(path, data, _encoded(data, corrected.text), corrected.fixed)
            try:
                if writing and data is not from_stdin:
                    write(file)
            except WriteError as error:
                report.errors.append(FileError(path, str(error)))
                left += findings
                continue
            fixing.rewritten.append(file)
        left += corrected.left
        fixing.more += sum(f.fix is not None and bool(f.fix.edits) for f in corrected.left)
        report.errors += [error for error in corrected.errors if error not in report.errors]
    report.findings = sorted(left, key=lambda f: (*f.sort_key, f.span.end, f.message))
    report.errors.sort(key=lambda e: (e.path, e.message))
    report.fixed, report.more_fixes = fixing.fixed, fixing.more
    outcome.failing = sum(f.severity >= plan.fail_on(f.path) for f in report.findings)
    return fixing


def suggest_fixes(
    outcome: Outcome, options: Options, *, stdin: Input | None = None, taken_as: str | None = None
) -> None:
    """Gives the findings of a run's report the fixes that they have.

    Raises:
        ConfigError: see `Plan`.
        RuleError: a rule cannot be loaded.
    """
    plan = Plan(options)
    report = outcome.report
    suggested: list[Finding] = []
    for path, group in groupby(report.findings, key=lambda f: f.path):
        findings = list(group)
        data = stdin.data if stdin is not None and path == stdin.path else _read(path)
        if data is not None:
            ending = ending_of(path) if is_known(path) else ending_of(taken_as or path)
            findings = with_fixes(findings, data, path, plan.settings_of(path), ending)
        suggested += findings
    report.findings = suggested


def _read(path: str) -> bytes | None:
    """The bytes of a file, or None where it has gone since it was checked."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _encoded(data: bytes, text: bytes) -> bytes:
    """A text in the encoding of a file's raw bytes, with their byte order mark."""
    if data.startswith(codecs.BOM_UTF8):
        return codecs.BOM_UTF8 + text
    for mark, encoding in _WIDE.items():
        if data.startswith(mark):
            return mark + text.decode("utf-8", "replace").encode(encoding, "replace")
    return text


def write(file: Rewritten) -> None:
    """Puts a file's new bytes in the place of the old ones, at once; a link stays one.

    Raises:
        WriteError: it cannot be written, or is no longer what was checked.
    """
    target = os.path.realpath(file.path)
    try:
        status = os.stat(target)
        if Path(target).read_bytes() != file.before:
            raise WriteError("changed while it was checked, and is left as it is")
        if not os.access(target, os.W_OK):
            raise WriteError("permission denied")
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".wsantipattern-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(file.after)
            _take_over(temporary, status)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise WriteError(reason(error)) from None


def _take_over(file: str, status: os.stat_result) -> None:
    """Gives a new file the owner and the permissions of the one whose place it takes."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(file, status.st_uid, status.st_gid)
    os.chmod(file, stat.S_IMODE(status.st_mode))


def diff(file: Rewritten) -> str:
    """What changes in a file, as a unified diff; line ends stay as they are."""
    before, after = (
        [line.decode("utf-8", "replace") for line in _comparable(data).splitlines(keepends=True)]
        for data in (file.before, file.after)
    )
    lines = unified_diff(before, after, f"a/{file.path}", f"b/{file.path}")
    return "".join(
        line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _comparable(data: bytes) -> bytes:
    """Raw bytes as UTF-8, with a byte order mark that is UTF-8's."""
    return data if data.startswith(codecs.BOM_UTF8) else as_utf8(data)
