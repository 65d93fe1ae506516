"""What a run loads before it has anything to say: every module costs the person who waits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wsantipattern
from wsantipattern.pack import builtin_folder

NEVER = {
    "libcst",
    "rich",
    "pygls",
    "lsprotocol",
    "http",
    "ssl",
    "urllib.request",
    "socket",
    "asyncio",
    "sqlite3",
}
"""For fixing, for a terminal, for an editor, for the network, for the cache: a run that needs none loads none."""

MODULES = 260
"""With the interpreter's own and click's; 205 when this was written."""

CODE = """
import sys
from wsantipattern.cli import main
code = main(sys.argv[1:])
print(*sys.modules)
sys.exit(code)
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    call = [sys.executable, "-c", CODE, "check", "--isolated", "--no-cache", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clean.py", "def double(value):\n    return value * 2\n"),
        ("clean.js", "export const double = (value) => value * 2;\n"),
        ("clean.go", "package clean\n\nfunc Double(value int) int { return value * 2 }\n"),
    ],
)
def test_a_clean_file_loads_little(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    modules = loaded(tmp_path, name)
    assert not modules & NEVER
    assert not {module for module in modules if module.startswith("wsantipattern.fix")}
    assert len(modules) < MODULES, sorted(modules)


def test_a_file_without_a_trigger_loads_no_grammar(tmp_path):
    (tmp_path / "clean.py").write_text("def double(value):\n    return value * 2\n")
    modules = loaded(tmp_path, "clean.py")
    assert not {
        module for module in modules if module.startswith(("tree_sitter", "wsantipattern.model.build"))
    }


def test_a_finding_loads_neither_fixes_nor_the_network(tmp_path):
    file = builtin_folder() / "examples" / "timer-not-cleared.bad.py"
    shutil.copy(file, tmp_path / "bad.py")
    assert not loaded(tmp_path, "--output-format", "concise", "bad.py") & NEVER


def test_the_knowledge_is_read_from_its_files_whenever_they_differ(tmp_path):
    package = tmp_path / "wsantipattern"
    shutil.copytree(
        Path(wsantipattern.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    code = "from wsantipattern.knowledge import Knowledge; print(sorted(Knowledge.builtin().names('timer', 'probe')))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}

    def names() -> str:
        call = [sys.executable, "-c", code]
        return subprocess.run(
            call, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
        ).stdout

    kept = package / "knowledge" / "__pycache__" / "tables.json"
    assert names() == "[]\n"
    assert json.loads(kept.read_text())["files"]
    assert names() == "[]\n"
    (package / "knowledge" / "probe.toml").write_text('[timer]\nprobe = ["a"]\n')
    assert names() == "['a']\n"
    kept.write_text("{")
    assert names() == "['a']\n"
