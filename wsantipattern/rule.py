"""What a rule is: a generator over one function or one module, with its metadata.

A rule has no state and asks neither which language nor which library it looks at. It yields `Match`es, in the
model's terms; the runner turns them into findings.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from wsantipattern.finding import Confidence, Severity
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.knowledge import Knowledge
    from wsantipattern.model.term import Extent
    from wsantipattern.remedy import Remedy

Granularity = Literal["function", "module"]
Triggers = Callable[["Knowledge"], Iterable[bytes]]


@record(slots=True)
class Match:
    """A place where a rule speaks.

    Attributes:
        extent: byte offsets of the primary span in the module's text.
        message: one sentence that states the fact with the user's identifiers in backticks; no capital, no full stop.
        confidence: how strong the evidence is.
        trace: the witness in order, as (extent, what is true there).
        remedy: what would put it right, where the rule knows.
    """

    extent: Extent
    message: str
    confidence: Confidence = Confidence.HIGH
    trace: list[tuple[Extent, str]] = field(default_factory=list)
    remedy: Remedy | None = None

    def via(self, *steps: tuple[Extent, str]) -> Match:
        """Adds steps to the trace and returns the match."""
        self.trace.extend(steps)
        return self


@record(frozen=True, slots=True)
class Rule:
    """One rule of a pack.

    Attributes:
        id: kebab-case, the file's name with dashes.
        severity: of all its findings, unless the configuration says otherwise.
        granularity: what `check` is called with.
        check: the generator; takes the function (or module) and the module's roles.
        triggers: the byte strings of which a file must hold one for the rule to look at it. A rule over functions
            is called for the functions in whose text a trigger stands, and for those around them.
        summary, why, instead, limits: the sections of the module's docstring.
        path: the file it was loaded from.
        looks_for: what a place must have for the rule to consider it, as a noun phrase; "" where the rule does not say.
    """

    id: str
    severity: Severity
    granularity: Granularity
    check: Callable[..., Iterator[Match]]
    triggers: Triggers
    summary: str
    why: str
    instead: str
    limits: str
    path: str
    looks_for: str = ""


class RuleError(Exception):
    """A rule that cannot be loaded, or that raised; the message names its file."""


Check = Callable[..., Iterator[Match]]


def rule(
    *, severity: Literal["error", "warning", "note"], triggers: Triggers, looks_for: str = ""
) -> Callable[[Check], Rule]:
    """Makes a rule of a generator function.

    The granularity is read from the annotation of the first parameter (`Function` or `Module`), the id from the
    function's name, the documentation from the docstring of the module it stands in.

    Raises:
        RuleError: the annotation or the docstring is not as it must be.
    """

    def decorate(check: Check) -> Rule:
        where = check.__code__.co_filename
        parameters = list(inspect.signature(check).parameters.values())
        annotation = (
            str(getattr(parameters[0].annotation, "__name__", parameters[0].annotation)) if parameters else ""
        )
        if len(parameters) != 2 or annotation not in ("Function", "Module"):
            raise RuleError(
                f"{where}: {check.__name__} must take (function: Function, roles: Roles) or (module: Module, roles: Roles)"
            )
        sections = document(sys.modules[check.__module__].__doc__ or "", where)
        return Rule(
            id=check.__name__.replace("_", "-"),
            severity=Severity[severity.upper()],
            granularity="function" if annotation == "Function" else "module",
            check=check,
            triggers=triggers,
            summary=sections["Summary"],
            why=sections["Why"],
            instead=sections["Instead"],
            limits=sections["Limits"],
            path=where,
            looks_for=looks_for,
        )

    return decorate


def document(text: str, where: str) -> dict[str, str]:
    """The sections of a rule's docstring: `Summary` (first paragraphs), `Why`, `Instead`, `Limits`.

    Raises:
        RuleError: a section is missing.
    """
    sections: dict[str, list[str]] = {"Summary": []}
    current = "Summary"
    for line in inspect.cleandoc(text).splitlines():
        if line in ("Why", "Instead", "Limits"):
            current = line
            sections[current] = []
        else:
            sections[current].append(line)
    missing = [
        name
        for name in ("Summary", "Why", "Instead", "Limits")
        if not "".join(sections.get(name, [])).strip()
    ]
    if missing:
        raise RuleError(f"{where}: the docstring has no section {', '.join(missing)}")
    return {name: inspect.cleandoc("\n".join(lines)).strip() for name, lines in sections.items()}
