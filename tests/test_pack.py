"""Loading rules: what a rule file must be, and how one that is not is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_pack import rule_text, usual, write_pack

from wsantipattern import pack
from wsantipattern.finding import Severity
from wsantipattern.rule import RuleError


def test_loads_a_folder_by_id(tmp_path: Path):
    rules = pack.load(usual(tmp_path / "rules"))
    assert [rule.id for rule in rules] == ["faint-word", "loud-word", "soft-word"]
    assert rules[1].severity is Severity.ERROR
    assert rules[1].summary == "The word shout is said.\n\nIt is there."
    assert rules[1].path == str(tmp_path / "rules" / "loud_word.py")


def test_loads_one_file(tmp_path: Path):
    folder = usual(tmp_path / "rules")
    assert [rule.id for rule in pack.load(f"{folder}/soft_word.py")] == ["soft-word"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:", r"loud_word.py:1: not Python: "),
        ("import numpy", r"loud_word.py:1: imports numpy; a rule imports"),
        ("from . import other", r"loud_word.py:1: imports \.; a rule imports"),
        ("def f():\n    import requests", r"loud_word.py:2: imports requests"),
        ("1 / 0", r"loud_word.py: cannot be loaded: ZeroDivisionError"),
        ("x = 1", r"loud_word.py: defines 0 rules"),
        (rule_text("other_word", "shout"), r"loud_word.py: the rule's name other_word is not the file's"),
        (
            rule_text("loud_word", "shout").replace("Why\n", ""),
            r"loud_word.py: the docstring has no section Why",
        ),
    ],
)
def test_a_rule_that_cannot_be_loaded_is_told_with_its_path(tmp_path: Path, text, message):
    with pytest.raises(RuleError, match=message):
        pack.load(write_pack(tmp_path / "rules", loud_word=text))


def test_a_folder_without_rules_is_an_error(tmp_path: Path):
    with pytest.raises(RuleError, match="no rules in this folder"):
        pack.load(str(tmp_path))
    with pytest.raises(RuleError, match="no such rule folder or file"):
        pack.load(str(tmp_path / "gone"))


def test_ids_are_unique_across_packs(tmp_path: Path):
    one, two = usual(tmp_path / "one"), usual(tmp_path / "two")
    with pytest.raises(
        RuleError, match=r"two/faint_word.py: the id faint-word is taken by .*one/faint_word.py"
    ):
        pack.joined([pack.load(one), pack.load(two)])
    assert list(pack.joined([pack.load(one), pack.load(one)])) == ["faint-word", "loud-word", "soft-word"]


def test_the_built_in_pack_loads_by_the_same_checks():
    rules = pack.builtin()
    assert {"timer-not-cleared", "ready-state-only", "stale-dedup-tracker"} <= {rule.id for rule in rules}
    assert {"watermark-reset", "unguarded-append"} <= {rule.id for rule in rules}
