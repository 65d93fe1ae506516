"""The GitHub action: its main step, run as GitHub runs it on a push and on a pull request."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from repositories import CI_VARIABLES, project_in
from review_servers import TOKEN, GitHubServer, running
from sample_pack import rule_text
from test_precommit import BAD, GOOD, ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
(CHECK,) = [s for s in ACTION["runs"]["steps"] if s.get("id") == "check"]


def run_step(
    tmp_path: Path, work: Path, context: dict[str, str], variables: dict[str, str], inputs: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    values = {f"inputs.{name}": entry["default"] for name, entry in ACTION["inputs"].items()}
    values |= {"inputs.token": TOKEN} | {f"inputs.{name}": value for name, value in inputs.items()} | context
    environment = {name: text for name, text in os.environ.items() if not name.startswith(CI_VARIABLES)}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        "GITHUB_REPOSITORY": "acme/app",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        **variables,
    }
    for name, expression in CHECK["env"].items():
        environment[name] = values.get(expression.removeprefix("${{ ").removesuffix(" }}"), "")
    # GitHub runs a bash step with these options.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", CHECK["run"]]
    return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)


# -- on a push -------------------------------------------------------------------------------------


@pytest.fixture
def push(tmp_path: Path):
    work = tmp_path / "work space"
    (work / "src").mkdir(parents=True)
    (work / "src" / "a.js").write_text(BAD)
    (work / "src" / "b.js").write_text(GOOD)

    def run(**inputs: str) -> tuple[int, str, Path]:
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        done = run_step(tmp_path, work, {}, {}, named)
        assert done.stderr == ""
        return done.returncode, done.stdout, work

    return run


def test_findings_become_annotations_and_a_report_and_fail_the_job(push, tmp_path):
    code, out, work = push()
    assert code == 1
    assert out.splitlines()[0].startswith("::error ")
    assert "file=src/a.js,line=2" in out
    assert (tmp_path / "output").read_text() == "sarif-file=wsantipattern.sarif\nexit-code=1\n"
    assert "timer-not-cleared" in (tmp_path / "summary").read_text()
    results = json.loads((work / "wsantipattern.sarif").read_text())["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["timer-not-cleared"]


def test_inputs(push, tmp_path):
    code, out, work = push(
        paths="src/a.js src/b.js",
        args="--exit-zero --isolated",
        annotations="false",
        summary="false",
        sarif_file="",
    )
    assert code == 0
    assert "::error" not in out
    assert not (tmp_path / "summary").exists()
    assert not (work / "wsantipattern.sarif").exists()
    assert push(paths="src/b.js")[0] == 0
    subprocess.run(
        [sys.executable, "-m", "wsantipattern", "baseline", "write"],
        cwd=work,
        check=True,
        capture_output=True,
    )
    assert push(args="--quiet", baseline="wsantipattern-baseline.json")[0] == 0


def test_every_input_is_used_and_described():
    text = json.dumps(ACTION["runs"])
    for name, entry in ACTION["inputs"].items():
        assert f"inputs.{name} " in text
        assert entry["description"]


# -- on a pull request -----------------------------------------------------------------------------


@pytest.fixture
def pull(tmp_path: Path, monkeypatch):
    """Runs the step in a clone as actions/checkout leaves it: only the merge of base and head, without history."""
    project = project_in(tmp_path, monkeypatch)
    project.commit(old_js=BAD, new_js=GOOD)
    project.git("checkout", "-q", "-b", "work")
    head = project.commit(new_js=BAD)
    project.git("checkout", "-q", "main")
    base = project.commit(old_js=GOOD)
    project.git("checkout", "-q", "-b", "merged")
    project.git("merge", "-q", "--no-edit", "work")
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    project.git("clone", "-q", "--depth=1", "--branch=merged", f"file://{project.folder}", str(clone))
    server = GitHubServer({"new.js": set(range(1, 20))})
    event = {"pull_request": {"number": 7, "head": {"sha": head}, "base": {"sha": base, "ref": "main"}}}
    (tmp_path / "event.json").write_text(json.dumps(event))

    def run(
        repository: str = "acme/app", event_name: str = "pull_request", **inputs: str
    ) -> subprocess.CompletedProcess[str]:
        context = {
            "github.event.pull_request.base.sha": base,
            "github.event.pull_request.head.sha": head,
            "github.event.pull_request.head.repo.full_name": repository,
        }
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        variables = {
            "GITHUB_EVENT_NAME": event_name,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_API_URL": server.url,
            "no_proxy": "*",
        }
        return run_step(tmp_path, clone, context, variables, named)

    with running(server):
        yield run, server, clone


def test_a_pull_request_is_reviewed(pull, tmp_path):
    run, server, clone = pull
    done = run()
    assert done.returncode == 1, done.stderr
    assert [
        line for line in done.stdout.splitlines() if line.startswith("::error ")
    ] == done.stdout.splitlines()
    assert "file=new.js,line=2" in done.stdout
    assert "old.js" not in done.stdout
    (comment,) = server.comments
    assert comment["path"] == "new.js"
    assert "```suggestion" in comment["body"]
    summary = (tmp_path / "summary").read_text()
    assert "1 new finding" in summary
    assert (tmp_path / "output").read_text() == "exit-code=1\n"
    assert not (clone / "wsantipattern.sarif").exists()
    assert run(comments="false").returncode == 1
    assert len(server.writes()) == 1


def test_a_pull_request_from_a_fork_gets_annotations_only(pull):
    run, server, _ = pull
    server.is_read_only = True
    done = run(repository="somebody/app")
    assert done.returncode == 1, done.stderr
    assert "file=new.js,line=2" in done.stdout
    assert server.calls == []


def test_a_pull_request_from_a_fork_can_be_reviewed_from_the_base(pull):
    run, server, clone = pull
    subprocess.run(["git", "checkout", "-q", "--orphan", "base"], cwd=clone, check=True)
    subprocess.run(["git", "rm", "-rqf", "."], cwd=clone, check=True)
    done = run(repository="somebody/app", event_name="pull_request_target")
    assert done.returncode == 1, done.stderr
    assert [comment["path"] for comment in server.comments] == ["new.js"]


def test_a_token_without_permission_fails_the_job_with_a_message(pull):
    run, server, _ = pull
    server.is_read_only = True
    done = run()
    assert done.returncode == 2
    assert "pull-requests: write" in done.stderr


def test_nothing_of_the_repository_is_executed(pull, tmp_path):
    run, _, clone = pull
    trap = "import pathlib\npathlib.Path('trapped').write_text('')\n"
    for name in (
        "wsantipattern/__init__.py",
        "wsantipattern/__main__.py",
        "click.py",
        "json.py",
        "sitecustomize.py",
    ):
        path = clone / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(trap)
    (clone / "lint").mkdir()
    (clone / "lint" / "trap_word.py").write_text(rule_text("trap_word", "x") + trap)
    (clone / "wsantipattern.toml").write_text(
        'rule-paths = ["lint"]\nselect = ["trap-word", "timer-not-cleared"]\n'
    )
    done = run()
    assert done.returncode == 1, done.stderr
    assert not (clone / "trapped").exists()
    assert run(rule_paths="true").returncode == 1
    assert (clone / "trapped").exists()


def test_pip_and_python_never_search_the_checkout():
    for step in ACTION["runs"]["steps"]:
        for call in re.findall(r"python .*", step.get("run", "")):
            assert call.startswith("python -I ")


def test_permissions_are_written_down():
    text = (ROOT / "action.yml").read_text()
    for permission in ("contents: read", "pull-requests: write", "security-events: write"):
        assert permission in text
