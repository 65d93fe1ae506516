"""The command line: exit codes, streams, options, and errors of one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sample_pack import rule_text, usual, write_pack

from wsantipattern import __version__, runner
from wsantipattern.cli import main

CONFIG = 'rule-paths = ["../lint"]\nselect = ["loud-word", "soft-word", "faint-word"]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    usual(tmp_path / "lint")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "wsantipattern.toml").write_text(CONFIG)
    (folder / "loud.py").write_text("x = 1\nshout()\n")
    (folder / "soft.py").write_text("whisper()\n")
    (folder / "fine.py").write_text("x = 1\n")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return folder


@pytest.fixture
def call(capfdbinary):
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capfdbinary.readouterr()
        return code, captured.out.decode(), captured.err.decode()

    return run


def process(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsantipattern", *arguments], capture_output=True, text=True, **options
    )


# -- exit codes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["fine.py"], 0),
        (["loud.py"], 1),
        (["."], 1),
        ([], 1),
        (["loud.py", "--exit-zero"], 0),
        (["soft.py"], 1),
        (["soft.py", "--fail-on", "error"], 0),
        (["loud.py", "--fail-on", "error"], 1),
        (["loud.py", "--ignore", "loud-word"], 0),
        (["loud.py", "--select", "soft-word"], 0),
        (["loud.py", "missing.py"], 2),
        (["loud.py", "missing.py", "--exit-zero"], 2),
        (["--nonsense"], 2),
        (["--select", "nonsense"], 2),
        (["--config", "missing.toml"], 2),
    ],
)
def test_exit_codes(project, call, arguments, code):
    assert call("check", *arguments)[0] == code


def test_a_note_is_shown_and_fails_only_on_demand(project, call):
    (project / "fine.py").write_text("# wsantipattern: ignore[loud-word]\n")
    code, out, _ = call("check", "fine.py", "--output-format", "concise")
    assert (code, out) == (
        0,
        "fine.py:1:25: note unused-suppression the suppression of `loud-word` hides nothing\n",
    )
    assert call("check", "fine.py", "--fail-on", "note")[0] == 1
    assert call("check", "fine.py", "--ignore", "unused-suppression")[1].startswith("no findings")


def test_a_rule_that_raises_fails_the_run_with_its_path(project, call, tmp_path):
    write_pack(
        tmp_path / "lint", bad_word=rule_text("bad_word", "whisper", body="    yield function.nothing")
    )
    code, out, err = call("check", ".", "--output-format", "concise", "--select", "bad-word,loud-word")
    assert code == 2
    assert out == "loud.py:2:1: error loud-word `shout` is said\n"
    assert err.startswith(f"wsantipattern: error: soft.py: rule bad-word ({tmp_path}/lint/bad_word.py:")


def test_a_rule_that_cannot_load_fails_the_run_with_its_path(project, call, tmp_path):
    write_pack(tmp_path / "lint", bad_word="import nonsense")
    code, out, err = call("check", ".")
    assert (code, out) == (2, "")
    assert "lint/bad_word.py:1: imports nonsense" in err


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--selct", "x"], "no such option --selct; did you mean --select?"),
        (["check", "--select", "loudword"], "--select: there is no rule loudword; did you mean loud-word?"),
        (["check", "--fail-on", "warn"], "did you mean warning?"),
        (["check", "--jobs", "0"], "--jobs"),
        (["check", "--isolated", "--config", "x"], "--config and --isolated exclude each other"),
        (["check", "-"], "standard input needs --stdin-filename"),
        (["check", "-", "--stdin-filename", "x.rb"], "--stdin-filename x.rb: no language has this ending"),
        (["chekc"], "no such command chekc; did you mean check?"),
        (["explain", "loudword"], "there is no rule loudword; did you mean loud-word?"),
        (["explain"], "missing argument"),
        (["debug", "cfg", "missing.py"], "missing.py: no such file or directory"),
        (["debug", "cfg", "loud.txt"], "loud.txt: no language has this ending"),
    ],
)
def test_errors_are_one_line_that_helps(project, call, arguments, message):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("wsantipattern: error: ")
    assert err.count("\n") == 1
    assert message.lower() in err.lower()


def test_an_unknown_key_is_told_with_its_file(project, call):
    (project / "wsantipattern.toml").write_text("selct = []")
    code, _, err = call("check", "loud.py")
    assert (code, err) == (
        2,
        "wsantipattern: error: wsantipattern.toml: unknown key selct; did you mean select?\n",
    )


def test_a_missing_path_is_told_and_the_rest_is_checked(project, call):
    code, out, err = call("check", "missing.py", "loud.py", "--output-format", "json")
    assert code == 2
    assert err == "wsantipattern: error: missing.py: no such file or directory\n"
    report = json.loads(out)
    assert [f["path"] for f in report["findings"]] == ["loud.py"]
    assert report["errors"] == [{"path": "missing.py", "message": "no such file or directory"}]


def test_many_errors_are_not_all_named(project, call):
    missing = [f"missing{number}.py" for number in range(50)]
    code, _, err = call("check", *missing)
    assert code == 2
    assert err.splitlines()[20:] == ["wsantipattern: error: and 30 more; --verbose names them all"]
    assert len(call("check", "--verbose", *missing)[2].splitlines()) >= 50


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "wsantipattern: nothing to check\n"),
        (
            {"a.min.js": "x", "b.js": "// @generated"},
            "nothing to check: a.min.js is minified, b.js is generated\n",
        ),
    ],
)
def test_nothing_to_check_is_said(project, call, files, message):
    folder = project / "empty"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    os.chdir(folder)
    code, _, err = call("check", ".")
    assert code == 0
    assert err.endswith(message)
    assert call("check", ".", "--quiet")[2] == ""


# -- what is printed -------------------------------------------------------------------------------


def test_text_goes_to_stdout_and_nothing_to_stderr(project, call):
    code, out, err = call("check", "loud.py")
    assert (code, err) == (1, "")
    assert "loud.py:2:1 error[loud-word] `shout` is said" in out
    assert "2 | shout()" in out
    assert "\x1b" not in out


def test_colour(project, call, monkeypatch):
    assert "\x1b[" in call("check", "loud.py", "--color", "always")[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in call("check", "loud.py")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in call("check", "loud.py")[1]
    assert "\x1b[" in call("check", "loud.py", "--color", "always")[1]
    assert "\x1b[" not in call("check", "loud.py", "--color", "never")[1]


def test_statistics(project, call):
    assert "1  loud-word" in call("check", "--statistics", "--output-format", "concise")[1]
    _, out, err = call("check", "--statistics", "--output-format", "json")
    assert json.loads(out)
    assert "1  loud-word\n" in err


def test_quiet_prints_findings_only(project, call):
    _, out, err = call("check", ".", "--quiet", "--output-format", "text")
    assert "checked" not in out
    assert "[loud-word]" in out
    assert err == ""


def test_verbose_names_what_is_skipped(project, call):
    (project / "gen.py").write_text("# @generated\n")
    _, out, err = call("check", "--verbose")
    assert "1 skipped" in out
    assert "wsantipattern: skipped gen.py: generated\n" in err
    assert "wsantipattern: configuration wsantipattern.toml\n" in err
    assert "3 checked, 1 skipped" in err


def test_show_files(project, call):
    (project / ".gitignore").write_text("soft.py\n")
    assert call("check", "--show-files") == (0, "fine.py\nloud.py\n", "")
    assert call("check", "--show-files", "missing", "soft.py")[:2] == (2, "soft.py\n")


def test_an_output_file_is_written_whole(project, call):
    code, out, _ = call("check", "--output-format", "json", "--output-file", "report.json")
    assert (code, out) == (1, "")
    report = json.loads((project / "report.json").read_text())
    assert [f["rule"] for f in report["findings"]] == ["loud-word", "soft-word"]
    mask = os.umask(0)
    os.umask(mask)
    assert (project / "report.json").stat().st_mode & 0o777 == 0o666 & ~mask
    assert sorted(p.name for p in project.iterdir() if "wsantipattern-" in p.name) == []


def test_an_output_file_that_cannot_be_written(project, call):
    code, _, err = call("check", "--output-file", "no/such/folder/report.json")
    assert (code, err) == (
        2,
        "wsantipattern: error: cannot write no/such/folder/report.json: no such file or directory\n",
    )


def test_progress_only_on_a_terminal_and_only_in_long_runs(project, call, monkeypatch):
    from wsantipattern.cli import terminal

    assert "checking" not in call("check")[2]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "checking" not in call("check")[2]
    ticks = iter(range(0, 1000, 2))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(ticks))
    _, out, err = call("check")
    assert "checking: 3 of 3 files" in err
    assert err.endswith("\r\x1b[K")
    assert "checking" not in out
    assert "checking" not in call("check", "--quiet")[2]


# -- standard input --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["-"], []])
def test_standard_input(project, arguments):
    done = process(
        "check",
        *arguments,
        "--stdin-filename",
        "sub/new.py",
        "--output-format",
        "concise",
        input="é; shout()\n",
    )
    assert (done.returncode, done.stdout) == (1, "sub/new.py:1:4: error loud-word `shout` is said\n")


def test_a_file_taken_as_another_language(project, call):
    (project / "notes.txt").write_text("shout()\n")
    assert call("check", "notes.txt")[0] == 0
    code, out, _ = call("check", "notes.txt", "--stdin-filename", "x.py", "--output-format", "concise")
    assert (code, out) == (1, "notes.txt:1:1: error loud-word `shout` is said\n")


# -- other commands --------------------------------------------------------------------------------


def test_rules_as_a_table_and_as_json(project, call):
    code, out, _ = call("rules")
    assert code == 0
    assert "loud-word" in out
    assert "error    The word shout is said." in out
    listed = {entry["id"]: entry for entry in json.loads(call("rules", "--output-format", "json")[1])}
    assert listed["soft-word"]["severity"] == "warning"
    assert listed["soft-word"]["summary"] == "The word whisper is said."
    assert "loud-word" not in call("rules", "--isolated")[1]


def test_explain_prints_the_page_with_examples(project, call, tmp_path):
    examples = tmp_path / "lint" / "examples"
    examples.mkdir()
    (examples / "loud-word.bad.py").write_text("shout()\n")
    (examples / "loud-word.good.py").write_text("talk()\n")
    code, out, _ = call("explain", "loud-word")
    assert code == 0
    assert out.startswith(
        "loud-word (error)\n\nThe word shout is said.\n\nIt is there.\n\nWhy\n    Words matter.\n"
    )
    assert "\nBad (py)\n    shout()\n\nGood (py)\n    talk()\n" in out
    assert "wsantipattern: ignore[loud-word] -- reason" in out
    assert call("explain", "loud_word")[0] == 0


def test_debug_cfg_prints_graphs(project, call):
    (project / "graph.py").write_text("def f(x):\n    g(x)\n\nclass C:\n    def m(self):\n        pass\n")
    code, out, _ = call("debug", "cfg", "graph.py")
    assert code == 0
    assert out.count("function ") == 3
    _, one, _ = call("debug", "cfg", "graph.py:f")
    assert one.startswith("function f\n")
    assert one in out
    assert call("debug", "cfg", "graph.py:C.m")[1] == call("debug", "cfg", "graph.py:m")[1]
    code, _, err = call("debug", "cfg", "graph.py:mm")
    assert code == 2
    assert "graph.py: there is no function mm" in err


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["-h"], ["debug", "--help"]])
def test_help(call, arguments):
    code, out, err = call(*arguments)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: wsantipattern")


def test_version_answers_without_grammars_and_terminal_libraries():
    code = "import sys; from wsantipattern.cli import main; main(['--version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, modules = done.stdout.splitlines()
    assert version == f"wsantipattern {__version__}"
    loaded = {name.partition(".")[0] for name in modules.split()}
    assert not loaded & {"rich", "tree_sitter", "libcst", "pathspec", "concurrent", "tree_sitter_python"}


def test_shell_completion_knows_the_rules(project):
    done = process("x", env={**os.environ, "_WSANTIPATTERN_COMPLETE": "bash_source"})
    assert "_wsantipattern_completion" in done.stdout
    words = {
        **os.environ,
        "_WSANTIPATTERN_COMPLETE": "bash_complete",
        "COMP_WORDS": "wsantipattern explain lou",
        "COMP_CWORD": "2",
    }
    assert "loud-word" in process(env=words).stdout


def test_a_closed_pipe_is_no_traceback(project):
    for number in range(300):
        (project / f"f{number}.py").write_text("shout()\n" * 20)
    command = f"{sys.executable} -m wsantipattern check . | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_ctrl_c_is_130(project, call, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupt)
    code, out, err = call("check")
    assert (code, out) == (130, "")
    assert "Traceback" not in err


def test_github_annotations_in_the_environment_that_github_sets(project):
    environment = {**os.environ, "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_WORKSPACE": str(project)}
    done = process("check", ".", "--output-format", "github", env=environment)
    assert done.returncode == 1
    first = done.stdout.splitlines()[0]
    assert first.startswith("::error ")
    assert "file=loud.py" in first
    assert "line=2" in first


def test_a_new_rule_passes_its_own_test(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call("new", "closed-then-used")
    assert code == 0
    assert out.splitlines()[0] == "rules/closed_then_used.py"
    assert err == "wsantipattern: edit, then: wsantipattern test rules/closed_then_used.py\n"
    assert call("test") == (0, "", "wsantipattern: 1 rule holds\n")
    assert call("test", "rules/closed_then_used.py")[0] == 0
    assert call("new", "closed-then-used")[0] == 2
    (tmp_path / "wsantipattern.toml").write_text('rule-paths = ["rules"]')
    assert call("explain", "closed-then-used")[0] == 0
    assert call("check", "fixtures", "--select", "closed-then-used")[0] == 1


def test_a_fixture_that_does_not_hold_fails(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call("new", "closed-then-used", "--rules", "lint/rules")
    bad = tmp_path / "lint" / "fixtures" / "closed-then-used" / "bad.py"
    bad.write_text(bad.read_text().replace("expect:", "ok:"))
    code, out, err = call("test", "lint/rules")
    assert code == 1
    assert "bad.py:2: found closed-then-used" in out
    assert "problem" in err


@pytest.mark.parametrize("files", [1, 300], ids=["here", "in-processes"])
def test_an_interrupt_ends_a_run_at_once_and_cleanly(project, tmp_path, files):
    marker = tmp_path / "started"
    body = f"    open({str(marker)!r}, 'w').close()\n    time.sleep(60)\n    yield from ()"
    slow = rule_text("slow_word", "shout", body=body).replace(
        "from collections", "import time\nfrom collections"
    )
    write_pack(tmp_path / "lint", slow_word=slow)
    for number in range(files):
        (project / f"f{number}.py").write_text("shout()\n" * 300)
    command = [sys.executable, "-m", "wsantipattern", "check", "--select", "slow-word", "--jobs", "2"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for _ in range(300):
        if marker.exists():
            break
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (130, "")
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_a_project_may_add_its_own_knowledge(project, call):
    (project / "a.js").write_text(
        'import { later, drop } from "./timing";\n'
        "async function publish(line) {\n"
        "  const notice = later(() => show(), 3000);\n"
        "  await deliver(line);\n"
        "  drop(notice);\n"
        "}\n"
    )
    arguments = ["check", "a.js", "--select", "timer-not-cleared", "--output-format", "concise"]
    assert call(*arguments)[:2] == (0, "")
    with (project / "wsantipattern.toml").open("a") as file:
        file.write('[[knowledge.timer.arm]]\ncall = "./timing.later"\ncleared_by = ["./timing.drop"]\n')
    code, out, _ = call(*arguments)
    assert code == 1
    assert out.startswith("a.js:3:18: error timer-not-cleared ")


@pytest.mark.parametrize("arguments", [[], ["cache"]])
def test_a_command_that_needs_another_shows_its_help(project, call, arguments):
    _, out, err = call(*arguments)
    assert "\nCommands:\n" in out + err
    assert "error" not in err
