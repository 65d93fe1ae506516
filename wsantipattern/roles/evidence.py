"""Evidence: why a role believes what it says, and how surely."""

from __future__ import annotations

from wsantipattern.finding import Confidence
from wsantipattern.model.term import Extent
from wsantipattern.record import record


@record(frozen=True, slots=True)
class Evidence:
    """What a role found.

    Attributes:
        confidence: high for structure and declarations, medium for words alone.
        reasons: where, and what is seen there (a short clause, for traces and `debug roles`).
    """

    confidence: Confidence
    reasons: tuple[tuple[Extent, str], ...] = ()

    @property
    def is_strong(self) -> bool:
        return self.confidence >= Confidence.HIGH


def strong(extent: Extent, reason: str) -> Evidence:
    """Evidence from structure, declarations or imports."""
    return Evidence(Confidence.HIGH, ((extent, reason),))


def weak(extent: Extent, reason: str) -> Evidence:
    """Evidence from words alone."""
    return Evidence(Confidence.MEDIUM, ((extent, reason),))
