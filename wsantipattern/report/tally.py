"""Counts of a report, in words."""

from __future__ import annotations

from collections import Counter

from wsantipattern.finding import Report, Severity
from wsantipattern.report.excerpt import plain


def count(number: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(report: Report) -> str:
    """One line: how many findings of which severity, in how many files; of a change, also what else became of them."""
    by_severity = Counter(f.severity for f in report.findings)
    kinds = ", ".join(
        count(by_severity[s], s.label) for s in sorted(Severity, reverse=True) if by_severity[s]
    )
    change = report.change
    noun = "finding" if change is None else "new finding"
    found = f"{count(len(report.findings), noun)} ({kinds})" if report.findings else f"no {noun}s"
    if change is None:
        parts = [f"{found} in {count(report.checked, 'file')} checked"]
    else:
        parts = [found, f"{len(change.fixed)} fixed", f"{change.existing} there already"]
        parts.append(f"{count(report.checked, 'changed file')} checked against {plain(change.base)}")
    if report.skipped:
        parts.append(f"{report.skipped} skipped")
    if report.errors:
        parts.append(count(len(report.errors), "problem"))
    if report.fixed is not None:
        parts.append(f"{report.fixed} fixed")
    if report.more_fixes:
        parts.append(f"{report.more_fixes} more with --unsafe-fixes")
    return ", ".join(parts)


def by_rule(report: Report) -> list[tuple[str, int]]:
    """How many findings each rule has, most first, then by name."""
    return sorted(Counter(f.rule for f in report.findings).items(), key=lambda item: (-item[1], item[0]))


def statistics(report: Report) -> list[str]:
    """The counts of `by_rule` as aligned lines."""
    counts = by_rule(report)
    width = max((len(str(number)) for _, number in counts), default=0)
    return [f"{number:>{width}}  {plain(rule)}" for rule, number in counts]
