"""The page of a rule: complete, and with examples that are true."""

from __future__ import annotations

import pytest

from wsantipattern import pack
from wsantipattern.analysis import Settings, analyze
from wsantipattern.cli.page import examples, knowledge_used, page, roles_used
from wsantipattern.knowledge import Knowledge
from wsantipattern.roles import Roles

SETTINGS = Settings((str(pack.builtin_folder()),))
RULES = {rule.id: rule for rule in pack.builtin()}


@pytest.fixture(params=sorted(RULES))
def rule(request):
    return RULES[request.param]


def test_the_bad_example_is_found_once_and_by_this_rule_alone(rule):
    shown = examples(rule, "bad")
    assert shown
    for file, text in shown:
        findings, errors = analyze(text.encode(), file.name, SETTINGS)
        assert errors == []
        assert [finding.rule for finding in findings] == [rule.id], file.name


def test_the_good_example_is_silent(rule):
    shown = examples(rule, "good")
    assert shown
    for file, text in shown:
        assert analyze(text.encode(), file.name, SETTINGS) == ([], []), file.name


def test_every_example_belongs_to_a_rule():
    folder = pack.builtin_folder() / "examples"
    assert {file.name.partition(".")[0] for file in folder.iterdir()} == set(RULES)


def test_the_page_says_what_the_rule_asks_and_knows(rule):
    text = page(rule, SETTINGS)
    for title in ("Why", "Instead", "Limits", "Bad (", "Good (", "Roles", "Knowledge", "Suppress"):
        assert f"\n\n{title}" in text, title
    assert rule.summary in text
    assert roles_used(rule)
    assert all(summary for summary in roles_used(rule).values())
    assert set(roles_used(rule)) <= set(dir(Roles))


def test_the_knowledge_a_page_names_exists(rule):
    tables = Knowledge.builtin().tables
    for table, _ in knowledge_used(rule):
        assert table in tables
