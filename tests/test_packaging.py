"""The wheel: all that a run needs is in it, and it runs without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BAD = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  await deliver(line);
  clearTimeout(notice);
}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("wsantipattern", "rules"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    (file,) = out.glob("*.whl")
    return file


def test_it_carries_rules_knowledge_schema_and_types(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {"wsantipattern/py.typed", "wsantipattern/config.schema.json"}
    expected |= {f"wsantipattern/rules/{file.name}" for file in (ROOT / "rules").glob("*.py")}
    expected |= {
        f"wsantipattern/rules/examples/{file.name}" for file in (ROOT / "rules" / "examples").glob("*.*")
    }
    expected |= {
        f"wsantipattern/knowledge/{file.name}" for file in (ROOT / "wsantipattern/knowledge").glob("*.toml")
    }
    expected |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "wsantipattern").rglob("*.py")}
    assert expected <= names
    assert not {name for name in names if name.startswith(("tests", "fixtures", "rules"))}


def test_it_runs_from_another_folder(wheel, tmp_path):
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    (tmp_path / "a.js").write_text(BAD)
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wsantipattern", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    done = run("check", "a.js", "--output-format", "concise")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("a.js:2:")
    done = run("rules", "--output-format", "json")
    assert str(installed / "wsantipattern" / "rules" / "timer_not_cleared.py") in done.stdout
    assert run("explain", "timer-not-cleared").returncode == 0
