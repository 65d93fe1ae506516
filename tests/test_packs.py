"""What is asked of every rule: the conventions, held for the built-in pack and shown to catch what breaks them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wsantipattern import pack
from wsantipattern.convention import CODE_LIMIT, breaches, is_rule_id, message_breach
from wsantipattern.fixture import PROJECTS
from wsantipattern.rule import Rule

FIXTURES = Path(__file__).parent.parent / "fixtures"
BUILTIN = pack.builtin()


@pytest.mark.parametrize("rule", BUILTIN, ids=lambda rule: rule.id)
def test_built_in_rule_keeps_to_the_conventions(rule: Rule) -> None:
    assert not list(breaches(rule))


def test_every_fixture_folder_is_a_rule_s() -> None:
    folders = {
        entry.name for entry in FIXTURES.iterdir() if entry.is_dir() and not entry.name.startswith("_")
    }
    assert folders == {rule.id for rule in BUILTIN}
    assert PROJECTS.startswith("_")


@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        ("timer-not-cleared", True),
        ("unguarded-append", True),
        ("timer", False),
        ("a-b-c-d-e", False),
        ("no-timer", False),
        ("ws-timer", False),
        ("timer2-left", False),
        ("Timer-left", False),
        ("timer--left", False),
        ("timer_left", False),
        ("tímer-left", False),
        ("", False),
    ],
)
def test_rule_ids(text: str, is_id: bool) -> None:
    assert is_rule_id(text) is is_id


@pytest.mark.parametrize(
    ("message", "is_fine"),
    [
        ("`t` is armed", True),
        ("nothing proves it", True),
        ("Nothing", False),
        ("`t` is armed.", False),
        ("", False),
    ],
)
def test_messages(message: str, is_fine: bool) -> None:
    assert (message_breach(message) is None) is is_fine


def a_rule(tmp_path: Path, text: str, summary: str = "Something is shouted.") -> list[str]:
    file = tmp_path / "loud_call.py"
    file.write_text(text)
    rule = replace(BUILTIN[0], id="loud-call", summary=summary, path=str(file))
    return [message for _, message in breaches(rule)]


def test_the_length_counts_code_only(tmp_path: Path) -> None:
    quiet = '"""A docstring.\n\nOf lines.\n"""\n\n# a remark\n\n'
    assert not a_rule(tmp_path, quiet + "a = 1\n" * CODE_LIMIT)
    assert a_rule(tmp_path, quiet + "a = 1\n" * (CODE_LIMIT + 1)) == [
        f"{CODE_LIMIT + 1} lines of code; {CODE_LIMIT} are the most"
    ]


def test_the_summary_is_one_short_line(tmp_path: Path) -> None:
    assert not a_rule(tmp_path, "", summary="Short.\n\nMore, at\nany length.")
    assert a_rule(tmp_path, "", summary="x" * 72)
    assert a_rule(tmp_path, "", summary="One line\nand another.")


def test_a_rule_asks_the_model(tmp_path: Path) -> None:
    (problem,) = a_rule(tmp_path, "def f(m):\n    return m.language\n")
    assert "front end" in problem
    (problem,) = a_rule(tmp_path, "import re\n")
    assert "regular expression" in problem
