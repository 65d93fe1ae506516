"""Shards of a run, and their reports joined again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wsantipattern.cli import main
from wsantipattern.report.merge import MergeError, merge
from wsantipattern.shard import ShardError, parse, part

LEAK = "async function send{n}(url) {{\n  const t = setTimeout(warn, 9);\n  await post(url);\n  clearTimeout(t);\n}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    for number in range(12):
        (tmp_path / f"f {number}.js").write_text(LEAK.format(n=number) * (number + 1))
    (tmp_path / "small.min.js").write_text("a()")
    (tmp_path / "plain.js").write_text("export const a = 1;\n")
    return tmp_path


def check(*arguments: str) -> int:
    return main(["check", "--isolated", "--no-cache", "-q", *arguments])


@pytest.mark.parametrize("kind", ["json", "sarif"])
@pytest.mark.parametrize("paths", [["."], [".", "missing.js"]])
def test_parts_join_to_what_one_run_prints(
    project: Path, kind: str, paths: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    code = check("--output-format", kind, "--output-file", "whole", *paths)
    codes = [
        check("--output-format", kind, "--output-file", f"part{i}", "--shard", f"{i}/3", *paths)
        for i in (1, 2, 3)
    ]
    assert max(codes) == code
    assert main(["report", "merge", "part3", "part1", "part2", "--output-file", "joined"]) == code
    assert Path("joined").read_text() == Path("whole").read_text()
    capfd.readouterr()
    assert main(["report", "merge", "--exit-zero", "part1", "part2", "part3"]) == (
        2 if "missing.js" in paths else 0
    )
    assert capfd.readouterr().out == Path("whole").read_text()


def test_a_division_is_whole_stable_and_even(project: Path) -> None:
    files = [str(file) for file in sorted(project.glob("*.js"))]
    for count in (1, 2, 3, 5, 40):
        parts = [part(files, index, count) for index in range(1, count + 1)]
        assert sorted(file for inner in parts for file in inner) == files
        assert parts == [part(files[::-1], index, count)[::-1] for index in range(1, count + 1)]
    sizes = [sum(Path(file).stat().st_size for file in part(files, index, 3)) for index in (1, 2, 3)]
    assert max(sizes) < 1.1 * min(sizes)


def test_more_parts_than_files(project: Path) -> None:
    assert check("--shard", "40/40", ".") == 0


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3", "1/99999", "¹/²"])
def test_what_is_no_shard(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ShardError):
        parse(text)
    assert check("--shard", text) == 2
    assert capfd.readouterr().err.startswith("wsantipattern: error:")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"runs": []}',
        '{"runs": [{}]}',
        '{"schema_version": 99, "findings": [], "errors": [], "files": {"checked": 0, "skipped": 0}}',
        '{"schema_version": 1, "findings": [{}], "errors": [], "files": {"checked": 0, "skipped": 0}}',
    ],
)
def test_what_is_no_report(text: str) -> None:
    with pytest.raises(MergeError, match=r"^part"):
        merge([("part", text)])


def test_kinds_do_not_mix(project: Path) -> None:
    check("--output-format", "json", "--output-file", "a")
    check("--output-format", "sarif", "--output-file", "b")
    with pytest.raises(MergeError, match="b is not of the kind"):
        merge([("a", Path("a").read_text()), ("b", Path("b").read_text())])
    assert main(["report", "merge", "a", "missing"]) == 2


def test_fail_on(project: Path) -> None:
    check("--output-format", "json", "--output-file", "a")
    value = json.loads(Path("a").read_text())
    for finding in value["findings"]:
        finding["severity"] = "note"
    Path("a").write_text(json.dumps(value))
    assert main(["report", "merge", "a"]) == 0
    assert main(["report", "merge", "--fail-on", "note", "a"]) == 1
