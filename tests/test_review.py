"""`wsantipattern review` on real repositories: what is new, what is fixed, what was there already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import Project, project_in
from sample_pack import rule_text

from wsantipattern.cli import main

GUARDED = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  try {
    log(1);
    log(2);
    log(3);
    log(4);
    log(5);
    await deliver(line);
  } finally {
    clearTimeout(notice);
  }
}
"""
UNGUARDED = GUARDED.replace(
    "  } finally {\n    clearTimeout(notice);\n  }\n",
    "    clearTimeout(notice);\n  } catch (problem) {\n    report(problem);\n  }\n",
)
TIMERS = """\
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
def review(capfdbinary):
    def run(*arguments: str) -> tuple[int, list[str], str]:
        """Exit code, `path:line rule` of what is new and `fixed path:line` of what is fixed, and stderr."""
        code = main(["review", "--output-format", "json", *arguments])
        captured = capfdbinary.readouterr()
        if code == 2 and not captured.out:
            return code, [], captured.err.decode()
        data = json.loads(captured.out)
        new = [f"{f['path']}:{f['start']['line']} {f['rule']}" for f in data["findings"]]
        fixed = [f"fixed {f['path']}:{f['start']['line']}" for f in data["change"]["fixed"]]
        return code, [*new, *fixed, str(data["change"]["existing"])], captured.err.decode()

    return run


# -- what is new -----------------------------------------------------------------------------------


def test_a_finding_is_new_wherever_the_changed_line_is(project: Project, review):
    project.commit(a_js=GUARDED)
    project.git("checkout", "-q", "-b", "work")
    project.commit(a_js=UNGUARDED)
    assert review() == (1, ["a.js:2 timer-not-cleared", "0"], "")
    project.commit(a_js=GUARDED)
    assert review() == (0, ["0"], "")
    project.git("checkout", "-q", "main")
    project.commit(a_js=UNGUARDED)
    project.git("checkout", "-q", "-B", "work")
    project.commit(a_js=GUARDED)
    assert review() == (0, ["fixed a.js:2", "0"], "")


def test_moved_lines_and_other_changes_keep_what_was_there(project: Project, review):
    project.commit(a_py="def f():\n    shout()\n\ndef g():\n    whisper()\n")
    project.write(a_py="import os\n\n\ndef g():\n    whisper()\n\n\ndef f():\n        shout()  \n")
    assert review() == (0, ["2"], "")


def test_a_copy_is_new_and_the_original_is_not(project: Project, review):
    project.commit(a_py="def f():\n    shout()\n")
    project.write(a_py="def f():\n    shout()\n    shout()\n", b_py="def f():\n    shout()\n")
    code, found, _ = review()
    assert code == 1
    assert found == ["a.py:3 loud-word", "b.py:2 loud-word", "1"]


@pytest.mark.parametrize("staged", [True, False])
def test_a_renamed_file_brings_in_nothing(project: Project, review, staged):
    project.commit(a_py="def f():\n    shout()\n    x = 1\n    y = 2\n    z = 3\n")
    project.git("mv", "a.py", "b.py") if staged else os.rename("a.py", "b.py")
    assert review() == (0, ["1"], "")
    text = Path("b.py").read_text()
    project.write(b_py=text.replace("z = 3", "z = 4").replace("shout", "# why\n    shout"))
    assert review() == (0, ["1"], "")
    project.write(b_py=text + "    whisper()\n")
    assert review() == (1, ["b.py:6 soft-word", "1"], "")


def test_moved_code_brings_in_nothing(project: Project, review):
    rest = "".join(f"def other{number}():\n    return {number}\n\n" for number in range(30))
    project.commit(
        a_py=f"def f(x):\n    shout(x)\n\n{rest}", b_py=f"import os\n{rest}", c_js=TIMERS + GUARDED
    )
    project.write(a_py=rest, b_py=f"import os\n{rest}def f(x):\n    shout(x)\n", c_js=None)
    project.write(d_js=f"export {TIMERS}", e_js=GUARDED)
    assert review() == (0, ["2"], "")


def test_what_stays_where_it_was_has_not_moved(project: Project, review):
    """A known finding that is fixed in place does not excuse the same mistake elsewhere."""
    project.commit(a_js=TIMERS, b_js="")
    fixed = TIMERS.replace(
        "  await deliver(line);\n  clear", "  try { await deliver(line); } finally { clear"
    ).replace("(notice);\n}", "(notice); }\n}")
    project.write(a_js=fixed, b_js=TIMERS)
    assert review() == (1, ["b.js:2 timer-not-cleared", "fixed a.js:2", "0"], "")


def test_reformatted_and_renamed_code_brings_in_nothing(project: Project, review):
    project.commit(a_js=TIMERS)
    project.write(
        a_js="async function publish(line) {\n  const notice = setTimeout(\n    () => show('still sending'),\n"
        "    3000,\n  )\n  await deliver(line)\n  clearTimeout(notice)\n}\n"
    )
    assert review() == (0, ["1"], "")
    project.write(a_js=TIMERS.replace("publish", "send"))
    assert review() == (0, ["1"], "")
    project.write(a_js=TIMERS.replace("notice", "patience"))
    assert review() == (0, ["1"], "")
    project.write(a_js=TIMERS.replace("3000", "9000").replace("still sending", "slow"))
    assert review() == (1, ["a.js:2 timer-not-cleared", "fixed a.js:2", "0"], "")


def test_a_deleted_file_and_an_untracked_one(project: Project, review):
    project.commit(a_py="shout()\n")
    project.write(a_py=None, b_py="whisper()\n")
    assert review() == (1, ["b.py:1 soft-word", "fixed a.py:1", "0"], "")


# -- which states ----------------------------------------------------------------------------------


def test_the_default_is_where_the_branch_left_the_default_branch(project: Project, review):
    project.commit(a_py="x = 1\n", old_py="shout()\n")
    project.git("checkout", "-q", "-b", "work")
    project.commit(a_py="shout()\n")
    project.git("checkout", "-q", "main")
    project.commit(old_py="x = 2\n")  # fixed there: that is not what the branch changes
    project.git("checkout", "-q", "work")
    assert review()[:2] == (1, ["a.py:1 loud-word", "0"])
    project.write(b_py="whisper()\n")
    assert review()[1] == ["a.py:1 loud-word", "b.py:1 soft-word", "0"]
    assert review("--base", "main")[1] == ["a.py:1 loud-word", "b.py:1 soft-word", "0"]
    assert review("--base", "HEAD")[1] == ["b.py:1 soft-word", "0"]
    assert review("--head", "HEAD")[1] == ["a.py:1 loud-word", "0"]
    assert review("--base", "work", "--head", "main")[1] == ["fixed old.py:1", "0"]


def test_only_what_is_staged(project: Project, review):
    project.commit(a_py="x = 1\n")
    project.write(a_py="shout()\n")
    project.git("add", "a.py")
    project.write(a_py="x = 3\n", b_py="whisper()\n")
    assert review("--staged") == (1, ["a.py:1 loud-word", "0"], "")
    assert review() == (1, ["b.py:1 soft-word", "0"], "")


def test_a_repository_without_commits(project: Project, review):
    project.write(a_py="shout()\n")
    assert review() == (1, ["a.py:1 loud-word", "0"], "")
    assert review("--staged") == (0, ["0"], "")
    project.git("add", "a.py")
    assert review("--staged") == (1, ["a.py:1 loud-word", "0"], "")


@pytest.mark.parametrize("context", [0, 3])
def test_a_diff_that_led_to_the_files(project: Project, review, tmp_path, context):
    project.commit(
        a_py="x = 1\n\n\nshout()\n\n\ny = 2\n",
        gone_py="whisper()\n",
        crlf_py="a = 1\r\nb = 2\r\n",
        q_py="shout()\n",
    )
    project.write(
        a_py="x = 2\n\n\nshout()\n\n\nwhisper()\n",
        gone_py=None,
        crlf_py="a = 1\r\nshout()\r\nb = 2\r\n",
        new_py="shout()",
    )
    project.git("mv", "q.py", "with blank é.py")
    project.git("add", "-A")
    diff = subprocess.run(
        ["git", "diff", "--cached", f"-U{context}", "-M"], capture_output=True, check=True
    ).stdout
    (tmp_path / "x.diff").write_bytes(diff)
    expected = ["a.py:7 soft-word", "crlf.py:2 loud-word", "new.py:1 loud-word", "fixed gone.py:1", "2"]
    assert review("--diff", str(tmp_path / "x.diff")) == (1, expected, "")
    assert review()[1] == expected
    sub = Path("sub")
    sub.mkdir()
    os.chdir(sub)
    assert review("--diff", str(tmp_path / "x.diff"), "../a.py")[1] == ["../a.py:7 soft-word", "1"]


def test_a_diff_from_standard_input_outside_of_git(project: Project, tmp_path, capfdbinary, monkeypatch):
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\nshout()\n")
    (folder / "wsantipattern.toml").write_text('rule-paths = ["../lint"]\nselect = ["loud-word"]\n')
    diff = "--- a.py\t2024-01-01 10:00\n+++ a.py\t2024-01-02 10:00\n@@ -1 +1,2 @@\n x = 1\n+shout()\n"
    done = subprocess.run(
        [sys.executable, "-m", "wsantipattern", "review", "--diff", "-", "--output-format", "concise"],
        cwd=folder,
        input=diff,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "a.py:2:1: error loud-word `shout` is said\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--base", "nonsense"], "there is no commit nonsense in this repository"),
        (["--head", "nonsense"], "there is no commit nonsense in this repository"),
        (["--base=-x"], "there is no commit -x in this repository"),
        (["--staged", "--head", "main"], "--staged and --head exclude each other"),
        (["--diff", "x.diff", "--base", "main"], "--diff says itself what to compare"),
        (["--diff", "missing.diff"], "missing.diff: no such file or directory"),
        (["--diff", "a.py"], "this is no unified diff"),
        (["--diff", "x.diff"], "a.py: the diff does not fit the file at line 1"),
        (["missing.py"], "missing.py: no such file or directory"),
        (["--post"], "--post works in a job of GitHub Actions"),
        (["--select", "nonsense"], "there is no rule nonsense"),
    ],
)
def test_errors_are_one_line(project: Project, review, arguments, message):
    project.commit(a_py="x = 1\n")
    project.put("x.diff", "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 2\n+x = 3\n")
    code, _, err = review(*arguments)
    assert code == 2
    assert err.startswith("wsantipattern: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_outside_of_a_repository(tmp_path, review, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    code, _, err = review()
    assert code == 2
    assert "not a git repository" in err


def test_a_shallow_clone_says_what_is_missing(project: Project, review, tmp_path, monkeypatch):
    first = project.commit(a_py="x = 1\n")
    project.git("checkout", "-q", "-b", "work")
    project.commit(a_py="shout()\n")
    project.commit(b_py="x = 1\n")
    project.git("checkout", "-q", "main")
    clone = tmp_path / "clone"
    project.git("clone", "-q", "--depth=1", "--branch=work", f"file://{project.folder}", str(clone))
    monkeypatch.chdir(clone)
    code, _, err = review()
    assert code == 2
    assert "this shallow clone has no commit of the default branch" in err
    assert "fetch-depth: 0" in err
    assert f"{first} is not in this shallow clone" in review("--base", first)[2]
    project.git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main", folder=clone)
    code, _, err = review()
    assert code == 2
    assert "does not reach back to where origin/main and the change parted" in err
    project.git("fetch", "-q", "--unshallow", "origin", folder=clone)
    assert review() == (1, ["a.py:1 loud-word", "0"], "")


# -- which files -----------------------------------------------------------------------------------


def test_subfolders_and_paths(project: Project, review):
    project.commit(src__a_py="x = 1\n", src__deep__b_py="x = 1\n", c_py="x = 1\n")
    project.write(src__a_py="shout()\n", src__deep__b_py="shout()\n", c_py="shout()\n")
    everything = ["c.py:1 loud-word", "src/a.py:1 loud-word", "src/deep/b.py:1 loud-word", "0"]
    assert review()[1] == everything
    assert review("src/deep", "c.py")[1] == [everything[0], everything[2], "0"]
    os.chdir("src")
    assert review()[1] == ["../c.py:1 loud-word", "a.py:1 loud-word", "deep/b.py:1 loud-word", "0"]
    assert review(".")[1] == ["a.py:1 loud-word", "deep/b.py:1 loud-word", "0"]
    assert review("../c.py")[1] == ["../c.py:1 loud-word", "0"]


def test_the_files_that_check_leaves_out_are_left_out(project: Project, review):
    project.put(".gitignore", "secret.py\n")
    project.commit(a_py="x = 1\n")
    project.put("node_modules/a.py", "shout()\n")
    project.put("secret.py", "shout()\n")
    project.put("generated.py", "# Code generated by x. DO NOT EDIT.\nshout()\n")
    project.put("notes.txt", "shout()\n")
    project.put("binary.py", b"shout()\0")
    assert review() == (0, ["0"], "")
    assert review("node_modules/a.py")[1] == ["node_modules/a.py:1 loud-word", "0"]


def test_links_and_submodules_are_no_files(project: Project, review, tmp_path):
    outer = Project(tmp_path / "other" / "inner")
    outer.commit(a_py="shout()\n")
    project.commit(a_py="x = 1\n", b_py="shout()\n")
    project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(outer.folder), "inner")
    os.symlink("/etc/passwd", "link.py")
    os.remove("b.py")
    os.symlink("a.py", "b.py")
    assert review() == (0, ["fixed b.py:1", "0"], "")
    project.git("add", "-A")
    assert review("--staged") == (0, ["fixed b.py:1", "0"], "")


def test_names_and_texts_of_any_bytes(project: Project, review, capfdbinary):
    project.commit(a_py="x = 1\n")
    name = os.fsdecode(b'caf\xe9 "q"\n.py')
    project.put(name, b"# \xff\xfe\nshout()\n")
    project.put("wide.py", "shout()\n".encode("utf-16"))
    code, found, _ = review()
    assert code == 1
    assert found == ['caf? "q"\n.py:2 loud-word', "wide.py:1 loud-word", "0"]
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "names")
    project.put(name, b"# \xff\xfe\r\n\r\nshout()\r\n")
    assert review("--base", "HEAD") == (0, ["1"], "")
    main(["review", "--base", "HEAD~1", "--output-format", "github-review"])
    body = json.loads(capfdbinary.readouterr().out)
    assert [comment["line"] for comment in body["comments"]] == [3, 1]


def test_line_endings_alone_change_nothing(project: Project, review):
    text = TIMERS * 2
    project.commit(a_js=text)
    project.write(a_js=text.replace("\n", "\r\n"))
    assert review() == (0, ["2"], "")


def test_settings_of_the_user_change_nothing(project: Project, review, tmp_path):
    (tmp_path / "gitconfig").write_text(
        "[diff]\n noprefix = true\n mnemonicPrefix = true\n external = false\n renames = false\n context = 9\n"
        '[color]\n ui = always\n[core]\n quotePath = false\n[diff "x"]\n textconv = false\n'
    )
    project.put(".gitattributes", "*.py diff=x\n")
    project.commit(a_py="def f():\n    shout()\n    x = 1\n    y = 2\n")
    project.git("mv", "a.py", "é.py")
    project.put("é.py", "def h():\n    shout()\n    x = 1\n    y = 2\n")
    assert review() == (0, ["1"], "")


def test_text_says_what_became_of_everything(project: Project, capfdbinary):
    project.commit(a_py="shout()\n", b_py="def f():\n    whisper()\n")
    project.write(a_py="x = 1\n", b_py="def f():\n    whisper()\n\nwhisper(2)\n")
    assert main(["review"]) == 1
    out = capfdbinary.readouterr().out.decode()
    assert "b.py:4:1 warning[soft-word] `whisper` is said\n" in out
    assert "b.py:2" not in out
    assert "fixed: loud-word `shout` is said (was a.py:1)\n" in out
    assert out.endswith(
        "1 new finding (1 warning), 1 fixed, 1 there already, 2 changed files checked against main\n"
    )
    assert main(["review", "--exit-zero", "--output-format", "markdown"]) == 0
    assert (
        "### Fixed\n\n- `loud-word` `shout` is said (was `a.py:1`)\n" in capfdbinary.readouterr().out.decode()
    )
    assert main(["review", "--fail-on", "error", "--quiet"]) == 0


def test_rules_of_the_project_run_only_if_they_may(project: Project, review, tmp_path):
    project.commit(a_js="x\n")
    project.write(a_js="// wsantipattern: ignore[loud-word] -- ours\nshout()\n" + TIMERS)
    (tmp_path / "lint" / "evil.py").write_text("raise SystemExit(7)\n")
    assert review("--no-rule-paths") == (1, ["a.js:4 timer-not-cleared", "0"], "")
    assert main(["check", "--no-rule-paths"]) == 1


def test_a_rule_that_fails_on_the_old_text_is_remarked_on(project: Project, review, tmp_path):
    body = "    if b'old' in function.module.text:\n        raise ValueError('x')\n    yield from ()"
    (tmp_path / "lint" / "soft_word.py").write_text(rule_text("soft_word", "whisper", body=body))
    project.commit(a_py="whisper(old)\n")
    project.write(a_py="whisper()\nshout()\n")
    code, found, err = review()
    assert (code, found) == (1, ["a.py:2 loud-word", "0"])
    assert err.startswith("wsantipattern: a.py: as it was before the change, rule soft-word")
    project.write(a_py="whisper(old)\nshout()\n")
    assert review()[0] == 2
