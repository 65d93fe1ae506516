"""The pre-commit hook, for real: installed by pre-commit from a repository, run by git on a commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wsantipattern.languages import EXTENSIONS, HOSTS

ROOT = Path(__file__).parent.parent

BAD = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  await deliver(line);
  clearTimeout(notice);
}
"""

GOOD = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  try {
    await deliver(line);
  } finally {
    clearTimeout(notice);
  }
}
"""

UNSAFE = """\
function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  return deliver(line).then(() => clearTimeout(notice));
}
"""


def test_the_hooks_take_every_language():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["wsantipattern", "wsantipattern-fix"]
    for hook in hooks:
        listed = hook["files"].removeprefix(r"\.(").removesuffix(")$").split("|")
        assert {f".{ending}" for ending in listed} == {*EXTENSIONS, *HOSTS}


@pytest.fixture(params=["wsantipattern"])
def repository(request, tmp_path: Path, monkeypatch):
    """A git repository with a hook installed; gives a function that commits files."""
    pytest.importorskip("pre_commit")
    for name in list(os.environ):
        # Inside of a git hook, git would otherwise work on the outer repository.
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")
    tool, mine = tmp_path / "tool", tmp_path / "mine"
    tool.mkdir()
    mine.mkdir()

    def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    for name in ("wsantipattern", "rules"):
        shutil.copytree(ROOT / name, tool / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, tool / name)
    for folder in (tool, mine):
        git(folder, "init", "-q")
    git(tool, "add", "-A")
    git(tool, "commit", "-q", "-m", "tool")
    revision = git(tool, "rev-parse", "HEAD").stdout.strip()
    config = {"repos": [{"repo": str(tool), "rev": revision, "hooks": [{"id": request.param}]}]}
    (mine / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=mine, check=True, capture_output=True)

    def commit(*options: str, unstaged: str = "", **files: str) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (mine / name.replace("_", ".")).write_text(text)
        git(mine, "add", "-A")
        for name in files if unstaged else ():
            file = mine / name.replace("_", ".")
            file.write_text(file.read_text() + unstaged)
        return git(mine, "commit", "-m", "change", *options, check=False)

    return commit


def test_a_bad_file_is_rejected_a_good_one_accepted_and_only_changed_files_are_checked(repository):
    rejected = repository(a_js=BAD)
    assert rejected.returncode == 1, rejected.stdout + rejected.stderr
    assert "a.js:2" in rejected.stdout + rejected.stderr
    assert "timer-not-cleared" in rejected.stdout + rejected.stderr

    accepted = repository(a_js=GOOD)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr

    assert repository("--no-verify", old_js=BAD).returncode == 0
    untouched = repository(b_js=GOOD)
    assert untouched.returncode == 0, untouched.stdout + untouched.stderr

    assert repository(notes_txt=BAD).returncode == 0


def test_only_what_is_staged_is_checked(repository, tmp_path: Path):
    accepted = repository(a_js=GOOD, unstaged=BAD)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert (tmp_path / "mine" / "a.js").read_text() == GOOD + BAD

    rejected = repository(b_js=BAD, unstaged="// not yet\n")
    assert rejected.returncode == 1
    assert "b.js:2" in rejected.stdout + rejected.stderr
    assert (tmp_path / "mine" / "b.js").read_text() == BAD + "// not yet\n"


@pytest.mark.parametrize("repository", ["wsantipattern-fix"], indirect=True)
def test_the_fixing_hook_changes_the_file_and_rejects_the_commit_once(repository, tmp_path: Path):
    file = tmp_path / "mine" / "a.js"
    rejected = repository(a_js=BAD)
    said = rejected.stdout + rejected.stderr
    assert rejected.returncode == 1, said
    assert "files were modified by this hook" in said
    assert "1 fixed" in said
    assert file.read_text() == GOOD

    accepted = repository()
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr

    # What is not staged comes back when it does not overlap with the fix.
    partly = repository(b_js=BAD + "// one\n// two\n// three\n// four\n", unstaged="// not yet\n")
    assert partly.returncode == 1, partly.stdout + partly.stderr
    assert (
        tmp_path / "mine" / "b.js"
    ).read_text() == GOOD + "// one\n// two\n// three\n// four\n// not yet\n"

    left = repository(c_js=UNSAFE)
    assert left.returncode == 1
    assert "c.js:2" in left.stdout + left.stderr
    assert "1 more with --unsafe-fixes" in left.stdout + left.stderr
    assert (tmp_path / "mine" / "c.js").read_text() == UNSAFE
