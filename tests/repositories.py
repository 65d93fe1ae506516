"""Temporary git repositories with rules that find words, for tests of everything that compares states."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from sample_pack import rule_text, write_pack

CI_VARIABLES = ("GITHUB_", "CI_", "GITLAB_", "GIT_", "GH_")


class Project:
    """A repository in which `shout` is an error and `whisper` a warning."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        write_pack(
            folder.parent / "lint",
            loud_word=rule_text("loud_word", "shout"),
            soft_word=rule_text("soft_word", "whisper", "warning", "MEDIUM"),
        )
        self.git("init", "-q", "-b", "main")
        self.write(
            wsantipattern_toml='rule-paths = ["../lint"]\nselect = ["loud-word", "soft-word", "timer-not-cleared"]\n'
        )

    def git(self, *arguments: str | bytes, folder: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder or self.folder, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "replace").strip()

    def write(self, **files: str | bytes | None) -> None:
        """Writes files; `a__b_py` is a/b.py. None deletes."""
        for name, text in files.items():
            stem, _, ending = name.replace("__", "/").rpartition("_")
            self.put(f"{stem}.{ending}", text)

    def put(self, name: str, text: str | bytes | None) -> None:
        path = self.folder / name
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, **files: str | bytes | None) -> str:
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


def project_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A new repository, which is the current folder, without any settings of the user or of a CI job."""
    for name in list(os.environ):
        if name.startswith(CI_VARIABLES):
            monkeypatch.delenv(name)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    made = Project(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made
