"""`wsantipattern.analyze`: one text under a configuration that is handed over."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import wsantipattern
from wsantipattern.config import ConfigError
from wsantipattern.pack import builtin_folder

EXAMPLES = Path(builtin_folder()) / "examples"
BAD = sorted(file for file in EXAMPLES.iterdir() if ".bad." in file.name)


def on(file: Path, config: dict[str, object] | None = None) -> list[str]:
    return [finding.rule for finding in wsantipattern.analyze(file.read_bytes(), file.name, config)]


def test_it_finds_what_check_finds():
    for file in BAD:
        assert file.name.partition(".")[0] in on(file)


def test_the_configuration_decides():
    file = EXAMPLES / "timer-not-cleared.bad.py"
    assert "timer-not-cleared" in on(file)
    assert "timer-not-cleared" not in on(file, {"ignore": ["timer-not-cleared"]})
    assert "timer-not-cleared" in on(file, {"select": ["timer-not-cleared"]})
    with pytest.raises(ConfigError, match="configuration: unknown key selct"):
        on(file, {"selct": []})
    with pytest.raises(ConfigError, match="no rule timer-not-clear"):
        on(file, {"select": ["timer-not-clear"]})


def test_what_check_leaves_out_has_no_findings():
    text = (EXAMPLES / "timer-not-cleared.bad.py").read_bytes()
    assert wsantipattern.analyze(text, "notes.txt") == []
    assert wsantipattern.analyze(b"\0" + text, "a.py") == []


def test_it_can_be_mapped_by_processes():
    task = pickle.loads(pickle.dumps(partial(wsantipattern.analyze, config={"min-confidence": "high"})))
    pairs = [(file.read_bytes(), file.name) for file in BAD[:6]]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.starmap(task, pairs)
    assert there == [task(*pair) for pair in pairs]
    assert any(there)


def test_importing_the_package_is_cheap():
    code = "import sys, wsantipattern; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {name for name in loaded if name.startswith(("tree_sitter", "click", "tomllib", "libcst"))}
    assert {name for name in loaded if name.startswith("wsantipattern.")} <= {
        "wsantipattern.rule",
        "wsantipattern.finding",
        "wsantipattern.record",
    }
