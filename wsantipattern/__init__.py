"""What a rule author imports, and nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

# At once, not on demand: importing a submodule of the same name later would put the module in the function's place.
from wsantipattern.rule import rule

if TYPE_CHECKING:
    from wsantipattern.finding import Confidence, Severity
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
    "remedies",
    "rule",
    "triggers",
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
