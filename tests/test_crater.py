"""The crater script: what it knows a finding by, the tables it keeps, and what it says of a change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import crater
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"

LISTED = """\
[[package]]
name = "@scope/chat"
kind = "npm"
version = "1.2.3"
sha256 = "{}"
language = "javascript"
category = "chat"
""".format("0" * 64)

BAD = """\
export async function load(url) {
  const timer = setTimeout(() => abort(), 1000);
  const answer = await  fetch(url);
  clearTimeout(timer);
  return answer;
}
"""


def key(line: str, rule: str = "timer-not-cleared", package: str = "npm:a") -> Any:
    return crater.Key(rule, package, "src/a.js", line)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "sources" / "javascript" / "@scope+chat-1.2.3" / "dist"
    folder.mkdir(parents=True)
    (folder / "a.js").write_text(BAD)
    (folder.parent / ".corpus.json").write_text("{}")
    (tmp_path / "corpus.toml").write_text(LISTED)
    return tmp_path


@pytest.fixture
def run(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(crater, "recorded", lambda: RECORDED(cache / "findings.tsv"))
    monkeypatch.setattr(crater, "record", lambda findings: RECORD(findings, cache / "findings.tsv"))
    monkeypatch.setattr(crater, "checked", lambda path=None: CHECKED(cache / "checked.tsv"))
    monkeypatch.setattr(
        crater, "mark_checked", lambda packages: MARK_CHECKED(packages, cache / "checked.tsv")
    )
    monkeypatch.setattr(crater, "verdicts", dict)

    def call(*more: str) -> int:
        code = crater.main(
            ["--cache", str(cache), "--list", str(cache / "corpus.toml"), "--jobs", "1", *more]
        )
        assert isinstance(code, int)
        return code

    return call


RECORDED = crater.recorded
RECORD = crater.record
CHECKED = crater.checked
MARK_CHECKED = crater.mark_checked


def test_a_run_prints_what_is_new_and_records_it_only_when_told(
    run: Any, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "timer-not-cleared  npm:@scope/chat  dist/a.js  const timer = setTimeout(() => abort(), 1000);"
    assert run() == 1
    assert f"+ {line}  [unjudged]\n1 findings, 1 new, 0 gone\n" == capsys.readouterr().out
    assert run("--update") == 1
    capsys.readouterr()
    assert run() == 0
    assert capsys.readouterr().out == "1 findings, 0 new, 0 gone\n"
    (cache / "sources/javascript/@scope+chat-1.2.3/dist/a.js").write_text("export {};\n")
    assert run() == 1
    assert f"- {line}  [unjudged]" in capsys.readouterr().out


def test_the_table_is_of_the_packages_that_were_looked_at(
    run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--table") == 0
    assert capsys.readouterr().out.startswith("0 packages\n")
    run("--update")
    capsys.readouterr()
    assert run("--table") == 0
    out = capsys.readouterr().out
    assert out.startswith("1 packages\n")
    assert "| all | 6 | 1 | 0 | 0 | 0 | 1 | – | 0.00 |" in out


def test_moved_and_reindented_lines_are_the_same_finding(run: Any, cache: Path) -> None:
    run("--update")
    file = cache / "sources/javascript/@scope+chat-1.2.3/dist/a.js"
    file.write_text("// one more line\n\n" + BAD.replace("  const timer =", "\tconst  timer ="))
    assert run() == 0


def test_an_update_leaves_other_packages_alone(run: Any, cache: Path) -> None:
    other = Counter({key("x"): 2})
    RECORD(other, cache / "findings.tsv")
    run("--update")
    assert RECORDED(cache / "findings.tsv")[key("x")] == 2
    assert RECORDED(cache / "findings.tsv").total() == 3


def test_a_package_that_is_not_unpacked_is_an_error(
    run: Any, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cache / "sources/javascript/@scope+chat-1.2.3/.corpus.json").unlink()
    assert run() == 2
    assert "run benchmarks/corpus.py first" in capsys.readouterr().err


def test_equal_lines_are_counted() -> None:
    change = crater.difference(Counter({key("x"): 2}), Counter({key("x"): 1, key("y"): 1}), {"npm:a"})
    assert crater.described(change, {key("x"): crater.Verdict("false", "why")}) == [
        "- timer-not-cleared  npm:a  src/a.js  x  [false]",
        "+ timer-not-cleared  npm:a  src/a.js  y  [unjudged]",
    ]


@pytest.mark.parametrize(
    "row",
    [
        "r\tp\tf\tx\tmaybe\twhy",
        "r\tp\tf\tx\treal\t ",
        "r\tp\tf\tx\treal",
        "r\tp\tf\tx\treal\ta\nr\tp\tf\tx\treal\tb",
    ],
)
def test_a_verdict_must_be_one_with_a_reason(tmp_path: Path, row: str) -> None:
    file = tmp_path / "verdicts.tsv"
    file.write_text("\t".join(crater.VERDICT_COLUMNS) + f"\n{row}\n")
    with pytest.raises(crater.CraterError):
        crater.verdicts(file)


def test_lines_keep_what_is_no_line_end_to_a_finding() -> None:
    assert crater.source_lines(b"\xef\xbb\xbfa\r\nb\x0cc\rd\n") == ["a", "b\x0cc", "d", ""]


def test_the_table_has_precision_and_rate() -> None:
    findings = Counter({key("a"): 3, key("b"): 1, key("c", package="pypi:b"): 1})
    judged = {key("a"): crater.Verdict("real", "x"), key("b"): crater.Verdict("false", "x")}
    rows = crater.table(crater.tallies(findings, judged, {"JavaScript/TypeScript": 10_000, "Python": 30_000}))
    assert rows[2:] == [
        "| `timer-not-cleared` | 40,000 | 5 | 3 | 0 | 1 | 1 | 75 % | 0.50 |",
        "| JavaScript/TypeScript | 10,000 | 4 | 3 | 0 | 1 | 0 | 75 % | 2.00 |",
        "| Python | 30,000 | 1 | 0 | 0 | 0 | 1 | – | 0.00 |",
        "| all | 40,000 | 5 | 3 | 0 | 1 | 1 | 75 % | 0.50 |",
    ]


def test_the_recorded_tables_can_be_read() -> None:
    findings = RECORDED(BENCHMARKS / "findings.tsv")
    judged = crater.verdicts(BENCHMARKS / "verdicts.tsv")
    assert {key.package for key in findings} <= set(CHECKED(BENCHMARKS / "checked.tsv"))
    assert not set(findings) - set(judged), "a recorded finding without a verdict"
