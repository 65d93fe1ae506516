"""The GitHub action: its last step, run as GitHub runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_precommit import BAD, GOOD, ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


@pytest.fixture
def step(tmp_path: Path):
    work = tmp_path / "work space"
    (work / "src").mkdir(parents=True)
    (work / "src" / "a.js").write_text(BAD)
    (work / "src" / "b.js").write_text(GOOD)

    def run(**inputs: str) -> tuple[int, str, Path]:
        (check,) = [s for s in ACTION["runs"]["steps"] if s.get("id") == "check"]
        values = {name: entry["default"] for name, entry in ACTION["inputs"].items()} | inputs
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        for name, expression in check["env"].items():
            key = expression.removeprefix("${{ inputs.").removesuffix(" }}")
            environment[name] = values[key]
        # GitHub runs a bash step with these options.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", check["run"]]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout, work

    return run


def test_findings_become_annotations_and_fail_the_job(step, tmp_path):
    code, out, _ = step()
    assert code == 1
    assert out.splitlines()[0].startswith("::error ")
    assert "file=src/a.js,line=2" in out
    assert (tmp_path / "output").read_text() == "exit-code=1\n"
    assert "timer-not-cleared" in (tmp_path / "summary").read_text()


def test_inputs(step, tmp_path):
    code, out, work = step(
        paths="src/a.js src/b.js", args="--exit-zero --isolated", annotations="false", summary="false"
    )
    assert code == 0
    assert "::error" not in out
    assert not (tmp_path / "summary").exists()
    assert step(paths="src/b.js")[0] == 0
    code, _, work = step(**{"sarif-file": "out.sarif"})
    assert code == 1
    results = json.loads((work / "out.sarif").read_text())["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["timer-not-cleared"]


def test_every_input_is_used_and_described():
    text = json.dumps(ACTION["runs"])
    for name, entry in ACTION["inputs"].items():
        assert f"inputs.{name} " in text
        assert entry["description"]
