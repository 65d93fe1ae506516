"""Considerations: why a rule spoke or stayed silent at a place, written down where that is decided.

A module carries one `Quiet`, which takes nothing down and costs a call; who wants to know (`explain --at`) gives it a
`Considerations` instead. Rules and roles call it on the very way on which they drop a candidate or keep it, so that an
account cannot differ from the decision. Nothing may read it to decide anything.
"""

from __future__ import annotations

from typing import Literal

from wsantipattern.model.term import Extent
from wsantipattern.record import record

Verdict = Literal["silent", "aside", "evidence", "weaker", "stronger"]
"""Dropped; no candidate to begin with; kept, because of this; what lowers or raises the confidence of what is kept."""


@record(frozen=True, slots=True)
class Consideration:
    """One entry.

    Attributes:
        rule: the id of the rule that asked.
        extent: the candidate: where a finding would be.
        verdict: what came of it.
        reason: a clause in plain words, with the user's identifiers in backticks; no capital, no full stop.
        at: the place that decided, where it is not the candidate itself.
    """

    rule: str
    extent: Extent
    verdict: Verdict
    reason: str
    at: Extent | None = None


class Quiet:
    """Takes nothing down. `active` tells whether it pays to look for more to say.

    All methods take the candidate's extent, the reason, what stands for each `{}` in it, and the place that decided.
    """

    active = False

    def silent(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        """A candidate is dropped."""

    def aside(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        """This is no candidate, although it looks like one."""

    def evidence(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        """A candidate is kept, because of this among others."""

    def weaker(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        """A candidate is kept, and this makes it less sure."""

    def stronger(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        """A candidate is kept, and this makes it surer."""


QUIET = Quiet()


class Considerations(Quiet):
    """Takes everything down, once. `rule` is the id of the rule that asks at present."""

    active = True

    def __init__(self) -> None:
        self.rule = ""
        self._entries: dict[Consideration, None] = {}

    @property
    def entries(self) -> list[Consideration]:
        """In the order in which they came up."""
        return list(self._entries)

    def silent(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        self._add(extent, "silent", reason, names, at)

    def aside(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        self._add(extent, "aside", reason, names, at)

    def evidence(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        self._add(extent, "evidence", reason, names, at)

    def weaker(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        self._add(extent, "weaker", reason, names, at)

    def stronger(self, extent: Extent, reason: str, *names: object, at: Extent | None = None) -> None:
        self._add(extent, "stronger", reason, names, at)

    def _add(
        self, extent: Extent, verdict: Verdict, reason: str, names: tuple[object, ...], at: Extent | None
    ) -> None:
        text = reason.format(*names) if names else reason
        entry = Consideration(self.rule, extent, verdict, text, None if at == extent else at)
        self._entries.setdefault(entry)
