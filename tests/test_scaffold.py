"""`wsantipattern new`: what it writes passes its own fixtures, by the command a user runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsantipattern import pack
from wsantipattern.cli import main
from wsantipattern.convention import breaches
from wsantipattern.scaffold import ScaffoldError, create


def test_a_new_rule_passes_its_own_fixtures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written = create("late-send", "rules", "fixtures")
    assert [path.as_posix() for path in written] == [
        "rules/late_send.py",
        *(f"fixtures/late-send/{stem}.{ending}" for stem in ("bad", "good") for ending in ("js", "go", "py")),
    ]
    (rule,) = pack.load(str(tmp_path / "rules"))
    assert rule.id == "late-send"
    assert not list(breaches(rule))
    assert main(["test", "rules"]) == 0, capsys.readouterr()
    assert main(["test", "rules/late_send.py"]) == 0, capsys.readouterr()


def test_a_broken_fixture_of_a_new_rule_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    create("late-send", "rules", "fixtures")
    bad = tmp_path / "fixtures/late-send/bad.py"
    bad.write_text(bad.read_text().replace("  # expect", "  # missed"))
    assert main(["test", "rules"]) == 1


@pytest.mark.parametrize(
    "name", ["late", "Late-Send", "late_send", "no-late-send", "../late-send", "late-send.py"]
)
def test_an_id_that_cannot_be_one(name: str, tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="cannot be a rule's id"):
        create(name, tmp_path / "rules", tmp_path / "fixtures")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "fixtures/late-send/good.go"
    there.parent.mkdir(parents=True)
    there.write_text("package mine\n")
    with pytest.raises(ScaffoldError, match="exists already"):
        create("late-send", tmp_path / "rules", tmp_path / "fixtures")
    assert there.read_text() == "package mine\n"
    assert not (tmp_path / "rules").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("")
    with pytest.raises(ScaffoldError, match="rules"):
        create("late-send", tmp_path / "rules", tmp_path / "fixtures")
