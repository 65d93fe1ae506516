"""What is skipped without being read must not have held a finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wsantipattern.analysis import Account, Settings, analyze, examine
from wsantipattern.files import ending_of, is_known
from wsantipattern.finding import Finding
from wsantipattern.model.module import Module
from wsantipattern.pack import builtin_folder
from wsantipattern.roles import Roles
from wsantipattern.rule import Match, Rule

FIXTURES = Path(__file__).parent.parent / "fixtures"
FOLDERS = [folder.name for folder in sorted(FIXTURES.iterdir()) if folder.is_dir()]
BUILTIN = (str(builtin_folder()),)


def over_all_functions(rule: Rule) -> Rule:
    """The rule without triggers; one over functions is called for every function there is."""
    if rule.granularity == "module":
        return rule

    def check(module: Module, roles: Roles) -> Iterator[Match]:
        for function in module.all_functions:
            if function.host is function:
                yield from rule.check(function, roles)

    return replace(rule, granularity="module", check=check)


def unfiltered(settings: Settings) -> Settings:
    """The same settings, under which every rule looks at every file as a whole."""
    made = replace(settings)
    made.__dict__["triggered"] = [(over_all_functions(rule), (b"",)) for rule in settings.running]
    return made


def told(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [(f.rule, f.span, f.message, f.confidence, f.trace, f.fingerprint) for f in findings]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_finding_in_the_fixtures_is_lost(folder: str) -> None:
    settings = Settings(packs=BUILTIN)
    everything = unfiltered(settings)
    differing = []
    for file in sorted((FIXTURES / folder).rglob("*")):
        if not file.is_file() or not is_known(str(file)):
            continue
        text = file.read_bytes()
        found, errors = analyze(text, file.name, settings)
        # With an account, no stage passes over a function because of what its text lacks.
        whole = examine(text, file.name, everything, ending_of(file.name), Account())
        if told(found) != told([entry.finding for entry in whole.found]) or errors != whole.errors:
            differing.append(str(file.relative_to(FIXTURES)))
    assert not differing
