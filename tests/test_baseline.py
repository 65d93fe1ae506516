"""Baselines: what they accept, how they look, and that they only shrink."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from repositories import Project, project_in

from wsantipattern.baseline import Entry, written
from wsantipattern.cli import main

FILE = "wsantipattern-baseline.json"
TIMER = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  await deliver(line);
  clearTimeout(notice);
}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Project:
    return project_in(tmp_path, monkeypatch)


@pytest.fixture
def call(capfdbinary):
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capfdbinary.readouterr()
        return code, captured.out.decode(), captured.err.decode()

    return run


def baseline() -> dict:
    return json.loads(Path(FILE).read_text())["findings"]


def test_the_file_is_sorted_and_has_one_line_for_each_entry(project, call):
    project.write(b_py="whisper()\nshout()\nshout()\n", a_js=TIMER)
    code, out, err = call("baseline", "write")
    assert (code, out, err) == (0, "", f"wsantipattern: {FILE} accepts 4 findings in 2 files; it had 0\n")
    text = Path(FILE).read_text()
    assert [line.strip().split(", ")[1:] for line in text.splitlines() if "count" in line] == [
        ['"count": 1', '"message": "`notice` is still armed when `publish` fails"}'],
        ['"count": 2', '"message": "`shout` is said"}'],
        ['"count": 1', '"message": "`whisper` is said"}'],
    ]
    assert list(baseline()) == ["a.js", "b.py"]
    assert list(baseline()["b.py"]) == ["loud-word", "soft-word"]
    assert call("baseline", "write")[0] == 0
    assert Path(FILE).read_text() == text


def test_check_leaves_out_what_is_accepted(project, call):
    project.write(a_py="def f():\n    shout()\n", b_js=TIMER)
    call("baseline", "write")
    code, out, err = call("check", "--baseline", FILE, "--output-format", "concise")
    assert (code, out) == (0, "")
    assert err == f"wsantipattern: 2 findings left out: {FILE} accepts them\n"
    project.write(a_py="def f():\n    shout()\n    shout()\n\n\ndef g():\n    shout()\n")
    code, out, _ = call("check", "--baseline", FILE, "--output-format", "concise", "--quiet")
    assert code == 1
    assert [line.split(": ")[0] for line in out.splitlines()] == ["a.py:3:5", "a.py:7:5"]
    assert call("check", "--baseline", FILE, "--exit-zero")[0] == 0


def test_moved_and_reformatted_code_stays_accepted(project, call):
    project.write(a_js=TIMER)
    call("baseline", "write")
    before = Path(FILE).read_text()
    laid_out = (
        "import x from 'y'\n\nasync function publish(line)\n{\n    const notice = setTimeout(\n"
        "        () => show('still sending'),\n        3000,\n    )\n    await deliver(line)\n    clearTimeout(notice)\n}\n"
    )
    project.write(a_js=laid_out)
    assert call("baseline", "check")[0] == 0
    call("baseline", "write")
    assert Path(FILE).read_text() == before
    project.put("src/new.js", laid_out)
    project.write(a_js=None)
    code, _, err = call("baseline", "check")
    assert (code, err.splitlines()[0]) == (
        0,
        f"wsantipattern: {FILE}: 0 not in it, 1 in it, 0 fixed, 1 moved",
    )
    assert call("check", "--baseline", FILE)[0] == 0
    assert call("baseline", "update")[2] == f"wsantipattern: {FILE}: 0 fixed, 1 moved, 1 left\n"
    assert list(baseline()) == ["src/new.js"]


def test_it_only_shrinks(project, call):
    project.write(a_py="shout()\nshout()\nwhisper()\n", b_py="shout()\n")
    call("baseline", "write")
    project.write(a_py="shout()\n", b_py=None, c_py="whisper(9)\n")
    code, out, err = call("baseline", "check")
    assert code == 1
    assert "c.py:1:1 warning[soft-word]" in out
    fixed = ["fixed: a.py: loud-word `shout` is said", "fixed: a.py: soft-word `whisper` is said"]
    assert [line for line in out.splitlines() if line.startswith("fixed: a")] == fixed
    assert f"{FILE}: 1 not in it, 1 in it, 3 fixed, 0 moved" in err
    assert "fixed: b.py: loud-word" in call("check", "--baseline", FILE)[2]

    code, out, err = call("baseline", "update")
    assert code == 0
    assert out.count("fixed: ") == 3
    assert "1 finding not in" in err
    assert {path: list(rules) for path, rules in baseline().items()} == {"a.py": ["loud-word"]}
    assert baseline()["a.py"]["loud-word"][0]["count"] == 1
    assert call("baseline", "update")[2].endswith("nothing is fixed, 1 left\n")
    project.write(c_py=None)
    assert call("baseline", "check")[:2] == (0, "")


def test_a_run_over_a_part_says_nothing_about_the_rest(project, call):
    project.put("src/a.py", "shout()\nwhisper()\n")
    project.put("lib/b.py", "shout()\n")
    call("baseline", "write")
    whole = Path(FILE).read_text()
    project.put("src/a.py", "x = 1\n")
    assert "fixed" not in call("check", "lib", "--baseline", FILE)[2]
    shards = [call("check", "--shard", f"{part}/2", "--baseline", FILE)[2] for part in (1, 2)]
    assert sorted(text.count("fixed: src/a.py") for text in shards) == [0, 2]
    assert call("baseline", "update", "lib")[2].endswith("nothing is fixed, 3 left\n")
    assert call("baseline", "update", "src", "--select", "soft-word")[2].endswith(
        "1 fixed, 0 moved, 2 left\n"
    )
    assert call("baseline", "write", "src")[2].endswith("accepts 1 finding in 1 file; it had 2\n")
    Path(FILE).write_text(whole)
    project.put("src/a.py", "shout()\nwhisper()\n")
    os.chdir("src")
    assert call("check", "--baseline", f"../{FILE}")[0] == 0
    assert call("baseline", "check", "--baseline", f"../{FILE}")[0] == 0
    assert call("baseline", "check", "..", "--baseline", f"../{FILE}")[0] == 0


def test_a_file_that_cannot_be_checked_is_not_fixed(project, call):
    project.write(a_py="shout()\n")
    call("baseline", "write")
    os.remove("a.py")
    os.mkfifo("a.py")
    for command in ("write", "update", "check"):
        code, _, err = call("baseline", command, "a.py")
        assert code == 2
        assert "not a regular file" in err
    assert list(baseline()) == ["a.py"]
    assert "fixed" not in call("check", "a.py", "--baseline", FILE)[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file or directory"),
        ("{", "wsantipattern-baseline.json: "),
        ("[]", "not a baseline of version 1"),
        ('{"version": 2, "findings": {}}', "not a baseline of version 1"),
        ('{"version": 1, "findings": []}', "not a baseline"),
        ('{"version": 1, "findings": {"a": {"b": [{"fingerprint": "c", "count": 0}]}}}', "not a baseline"),
    ],
)
@pytest.mark.parametrize(
    "command", [("check", "--baseline", FILE), ("baseline", "check"), ("baseline", "update")]
)
def test_a_baseline_that_cannot_be_used(project, call, text, message, command):
    if text is not None:
        Path(FILE).write_text(text)
    code, out, err = call(*command)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_names_of_any_bytes(project, call):
    name = os.fsdecode(b'caf\xe9 "\n.py')
    project.put(name, "shout()\n")
    assert call("baseline", "write")[0] == 0
    assert list(baseline()) == [name]
    assert call("check", "--baseline", FILE)[0] == 0


def test_nothing_found_is_a_baseline_too():
    assert json.loads(written([])) == {"version": 1, "findings": {}}
    one = Entry("é.py", "r", "f", 2, "\u2028`x`")
    assert json.loads(written([one])) == {
        "version": 1,
        "findings": {"é.py": {"r": [{"fingerprint": "f", "count": 2, "message": "\u2028`x`"}]}},
    }
