"""What a rule author imports, and `analyze` for whoever spreads files over machines; nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

# At once, not on demand: importing a submodule of the same name later would put the module in the function's place.
from wsantipattern.rule import rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsantipattern.finding import Confidence, Finding, Severity
    from wsantipattern.model.module import Function, Module
    from wsantipattern.roles import Roles
    from wsantipattern.roles import repair as remedies
    from wsantipattern.roles import trigger as triggers
    from wsantipattern.rule import Match, Rule

__version__ = "0.1.0"

_HOMES = {
    "Confidence": "wsantipattern.finding",
    "Function": "wsantipattern.model.module",
    "Match": "wsantipattern.rule",
    "Module": "wsantipattern.model.module",
    "Roles": "wsantipattern.roles",
    "Rule": "wsantipattern.rule",
    "Severity": "wsantipattern.finding",
}

_MODULES = {"remedies": "wsantipattern.roles.repair", "triggers": "wsantipattern.roles.trigger"}

__all__ = [
    "Confidence",
    "Function",
    "Match",
    "Module",
    "Roles",
    "Rule",
    "Severity",
    "analyze",
    "remedies",
    "rule",
    "triggers",
]


def analyze(source: bytes, path: str, config: Mapping[str, object] | None = None) -> list[Finding]:
    """The findings in one text, in order; a function that any engine can pickle and map over files.

    Depends on its arguments alone (and on the rules that `config` names): no file is looked up or read but rules, and
    no configuration is searched for. A text that `check` would leave out, for being minified or of no known language,
    has no findings; what keeps a part of a text from being checked is told by `wsantipattern.analysis.analyze`.

    Args:
        source: the bytes of the file.
        path: as reported; its ending decides the language.
        config: the keys of a `wsantipattern.toml`, as `tomllib` reads them.

    Raises:
        ConfigError: the configuration cannot be used.
        RuleError: a rule cannot be loaded.
    """
    from wsantipattern.single import findings_in

    return findings_in(source, path, config or {})


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
