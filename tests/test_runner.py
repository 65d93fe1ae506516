"""From texts to findings and from paths to a report."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import time
from pathlib import Path

import pytest
from sample_pack import rule_text, usual, write_pack

from wsantipattern import languages, runner, workers
from wsantipattern.analysis import Settings, analyze
from wsantipattern.config import ConfigError
from wsantipattern.finding import Confidence, Position, Severity, Span
from wsantipattern.plan import Options, Plan
from wsantipattern.rule import RuleError
from wsantipattern.runner import Input


@pytest.fixture
def pack(tmp_path: Path) -> str:
    return usual(tmp_path / "rules")


@pytest.fixture
def project(tmp_path: Path, monkeypatch):
    """An empty folder to work in whose configuration names the sample pack."""
    usual(tmp_path / "lint")
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def make(config: str = "", **files: str) -> Path:
        (folder / "wsantipattern.toml").write_text(f'rule-paths = ["../lint"]\n{config}')
        for name, text in files.items():
            file = folder / name.replace("__", "/").replace("_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return folder

    return make


def settings(pack: str, **values) -> Settings:
    return Settings((pack,), **values)


def places(findings) -> list[tuple[str, int, int]]:
    return [(f.rule, f.span.start.line, f.span.start.column) for f in findings]


# -- one text --------------------------------------------------------------------------------------


def test_findings_have_spans_traces_and_an_order(pack):
    findings, errors = analyze("é = 1\nshout(); whisper()\n".encode(), "a.py", settings(pack))
    assert not errors
    assert places(findings) == [("loud-word", 2, 1), ("soft-word", 2, 10)]
    assert findings[0].span == Span(Position(2, 1), Position(2, 6))
    assert findings[0].message == "`shout` is said"
    assert findings[0].trace[0].message == "said here"
    assert (findings[0].severity, findings[1].severity) == (Severity.ERROR, Severity.WARNING)


def test_function_rules_see_the_functions_around_a_trigger_once(tmp_path):
    body = '    yield Match(function.name_extent, f"`{function.name or function.kind}` is seen")'
    pack = write_pack(tmp_path, loud_word=rule_text("loud_word", "shout", body=body))
    text = b"def a():\n    def b():\n        shout(); shout()\n    def c(): pass\ndef d(): pass\nasync def e(): shout()\n"
    findings, _ = analyze(text, "a.py", settings(pack))
    assert [f.message for f in findings] == ["`top` is seen", "`a` is seen", "`a.b` is seen", "`e` is seen"]


def test_a_file_without_a_trigger_is_not_parsed(pack, monkeypatch):
    monkeypatch.setattr(languages, "modules", lambda *_: pytest.fail("parsed"))
    assert analyze(b"x = 1\n", "a.py", settings(pack)) == ([], [])


def test_equal_matches_are_one_finding(tmp_path):
    body = """    yield Match((0, 1), "`x` is unsure", Confidence.MEDIUM)
    yield Match((0, 1), "`x` is sure")
    yield Match((0, 1), "`x` is sure too")"""
    pack = write_pack(tmp_path, loud_word=rule_text("loud_word", "shout", body=body))
    findings, _ = analyze(b"x = shout\n", "a.py", settings(pack))
    assert [(f.message, f.confidence) for f in findings] == [("`x` is sure", Confidence.HIGH)]


def test_low_confidence_is_shown_only_on_demand(pack):
    assert analyze(b"hum\n", "a.py", settings(pack))[0] == []
    findings, _ = analyze(b"hum\n", "a.py", settings(pack, min_confidence=Confidence.LOW))
    assert places(findings) == [("faint-word", 1, 1)]


def test_settings_select_rules_and_severities(pack):
    text = b"shout; whisper\n"
    findings, _ = analyze(
        text, "a.py", settings(pack, rules=("soft-word",), severity={"soft-word": Severity.NOTE})
    )
    assert [(f.rule, f.severity) for f in findings] == [("soft-word", Severity.NOTE)]


def test_per_path_ignores(pack):
    chosen = settings(pack, per_path_ignores=(("tests/**", ("loud-word",)),), root="/project")
    assert places(analyze(b"shout; whisper\n", "/project/tests/a.py", chosen)[0]) == [("soft-word", 1, 8)]
    assert len(analyze(b"shout; whisper\n", "/project/src/a.py", chosen)[0]) == 2


def test_a_fingerprint_survives_moved_lines_and_tells_equal_lines_apart(pack):
    chosen = settings(pack)
    before, _ = analyze(b"def f():\n    shout()\n    shout()\n", "a.py", chosen)
    after, _ = analyze(b"import x\n\n\ndef f():\n    if x:\n        shout()\n    shout()\n", "a.py", chosen)
    assert [f.fingerprint for f in before] == [f.fingerprint for f in after]
    assert before[0].fingerprint != before[1].fingerprint
    elsewhere, _ = analyze(b"def g():\n    shout()\n", "a.py", chosen)
    assert elsewhere[0].fingerprint != before[0].fingerprint


def test_a_fingerprint_does_not_depend_on_where_the_project_lies(pack):
    one, _ = analyze(b"shout\n", "/one/src/a.py", settings(pack, root="/one"))
    two, _ = analyze(b"shout\n", "/two/src/a.py", settings(pack, root="/two"))
    assert one[0].fingerprint == two[0].fingerprint


def test_suppressed_findings_are_gone_and_unused_suppressions_told(pack):
    text = b"""shout()  # wsantipattern: ignore[loud-word] -- on purpose
# wsantipattern: ignore[soft-word]
x = 1
# wsantipattern: ignore[lod-word]
hum()  # wsantipattern: ignore[faint-word]
"""
    findings, _ = analyze(text, "a.py", settings(pack))
    assert places(findings) == [("unused-suppression", 2, 25), ("invalid-suppression", 4, 25)]
    assert [f.severity for f in findings] == [Severity.NOTE, Severity.WARNING]
    assert all(f.fingerprint for f in findings)
    quiet, _ = analyze(text, "a.py", settings(pack, rules=("loud-word",)))
    assert quiet == []


def test_unused_suppressions_are_told_without_any_trigger(pack):
    findings, _ = analyze(b"# wsantipattern: ignore[loud-word]\n", "a.py", settings(pack))
    assert places(findings) == [("unused-suppression", 1, 25)]


def test_a_rule_that_raises_is_told_with_its_line_and_the_others_go_on(tmp_path):
    pack = usual(tmp_path)
    write_pack(tmp_path, bad_word=rule_text("bad_word", "shout", body="    yield function.nothing"))
    findings, errors = analyze(b"shout\n", "a.py", settings(pack))
    assert places(findings) == [("loud-word", 1, 1)]
    assert len(errors) == 1
    assert errors[0].path == "a.py"
    assert errors[0].message.startswith(f"rule bad-word ({tmp_path}/bad_word.py:22) raised AttributeError: ")


def test_recursion_without_end_is_an_error_of_the_file(tmp_path, monkeypatch):
    def raise_deep(*_):
        raise RecursionError

    pack = usual(tmp_path)
    monkeypatch.setattr(languages, "modules", raise_deep)
    assert [e.message for e in analyze(b"shout", "a.py", settings(pack))[1]] == [
        "nested too deeply to be checked"
    ]


def test_a_front_end_that_raises_is_an_error_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "modules", lambda *_: {}["x"])
    (error,) = analyze(b"shout", "a.py", settings(usual(tmp_path)))[1]
    assert error.message.startswith("the front end raised KeyError: 'x' (")


def test_settings_can_be_sent_to_another_process(pack):
    chosen = settings(pack, rules=("loud-word",))
    assert chosen.triggered
    again = pickle.loads(pickle.dumps(chosen))
    assert again == chosen
    assert [rule.id for rule, _ in again.triggered] == ["loud-word"]


# -- a run -----------------------------------------------------------------------------------------


def test_a_run_reads_the_configuration_and_counts(project):
    project(a_py="shout\n", b_py="x\n", c_txt="", sub__d_py="# @generated\n", e_py="x = 1\n\0")
    outcome = runner.run(["."], Options(select=("loud-word",)))
    assert places(outcome.report.findings) == [("loud-word", 1, 1)]
    assert (outcome.report.checked, outcome.report.skipped, outcome.failing) == (2, 2, 1)
    assert [(s.path, s.reason) for s in outcome.skips] == [
        ("e.py", "binary (holds NUL bytes)"),
        ("sub/d.py", "generated"),
    ]
    assert outcome.configs == ["wsantipattern.toml"]
    assert [rule.id for rule in outcome.rules] == ["loud-word"]


def test_the_nearest_configuration_decides_for_each_file(project):
    folder = project(a_py="shout whisper\n", sub__a_py="shout whisper\n", sub__deep__a_py="shout whisper\n")
    (folder / "sub" / "wsantipattern.toml").write_text(
        'rule-paths = ["../../lint"]\nselect = ["soft-word"]\nfail-on = "error"'
    )
    (folder / "sub" / "deep" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    report = runner.run(["."], Options()).report
    assert [(f.path, f.rule) for f in report.findings if f.rule in ("loud-word", "soft-word")] == [
        ("a.py", "loud-word"),
        ("a.py", "soft-word"),
        ("sub/a.py", "soft-word"),
        ("sub/deep/a.py", "soft-word"),
    ]
    assert runner.run(["."], Options()).failing == 2
    assert runner.run(["."], Options(fail_on=Severity.WARNING)).failing == 4


def test_options_win_over_the_configuration(project):
    project('select = ["soft-word"]\nmin-confidence = "low"', a_py="shout whisper hum\n")

    def rules(**options):
        return [f.rule for f in runner.run(["a.py"], Options(**options)).report.findings]

    assert rules() == ["soft-word"]
    assert rules(select=("loud-word", "faint-word")) == ["loud-word", "faint-word"]
    assert rules(select=("faint-word",), min_confidence=Confidence.HIGH) == []
    assert rules(ignore=("soft-word",)) == []


def test_isolated_knows_no_configuration(project):
    project(a_py="shout\n")
    assert runner.run(["."], Options(isolated=True)).report.findings == []
    with pytest.raises(ConfigError, match="--select: there is no rule loud-word"):
        runner.run(["."], Options(isolated=True, select=("loud-word",)))


def test_one_configuration_for_all(project, tmp_path):
    folder = project(a_py="shout\n")
    (folder / "wsantipattern.toml").write_text("nonsense = 1")
    other = tmp_path / "other.toml"
    other.write_text('rule-paths = ["lint"]')
    assert len(runner.run(["."], Options(config=str(other))).report.findings) == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            'select = ["loud-wrd"]',
            "wsantipattern.toml: select: there is no rule loud-wrd; did you mean loud-word?",
        ),
        ('ignore = ["zzzz"]', "wsantipattern.toml: ignore: there is no rule zzzz"),
        (
            '[severity]\nloudword = "note"',
            "wsantipattern.toml: severity: there is no rule loudword; did you mean",
        ),
        ('[per-path-ignores]\n"x" = ["y"]', 'wsantipattern.toml: per-path-ignores."x": there is no rule y'),
        ('extra = ["y"]', "wsantipattern.toml: unknown key extra"),
    ],
)
def test_a_wrong_configuration_ends_the_run(project, config, message):
    project(config, a_py="x\n")
    with pytest.raises(ConfigError) as raised:
        runner.run(["."], Options())
    assert str(raised.value).startswith(message)


def test_a_rule_that_cannot_be_loaded_ends_the_run_even_with_nothing_to_check(project, tmp_path):
    project()
    write_pack(tmp_path / "lint", worse_word="import nonsense")
    with pytest.raises(RuleError, match=r"worse_word.py:1: imports nonsense"):
        runner.run(["."], Options())


def test_what_cannot_be_read_is_an_error_and_the_rest_is_checked(project):
    folder = project(a_py="shout\n")
    os.mkfifo(folder / "pipe.py")
    report = runner.run(["missing.py", "pipe.py", "a.py"], Options()).report
    assert places(report.findings) == [("loud-word", 1, 1)]
    assert [(e.path, e.message) for e in report.errors] == [
        ("missing.py", "no such file or directory"),
        ("pipe.py", "not a regular file"),
    ]
    assert report.checked == 1


def test_standard_input(project):
    project(sub__b_py="shout\n")
    outcome = runner.run(["sub"], Options(), stdin=Input(b"whisper\n", "sub/a.py"))
    assert [(f.path, f.rule) for f in outcome.report.findings] == [
        ("sub/a.py", "soft-word"),
        ("sub/b.py", "loud-word"),
    ]
    assert outcome.files == ["sub/a.py", "sub/b.py"]


def test_a_named_file_of_an_unknown_ending_may_be_taken_as_another(project):
    project(notes_txt="shout\n")
    assert runner.run(["notes.txt"], Options()).skips[0].reason == "of no language that is checked"
    assert len(runner.run(["notes.txt"], Options(), taken_as="x.py").report.findings) == 1


def test_any_number_of_processes_gives_the_same_report(project, monkeypatch):
    monkeypatch.setattr(workers, "PARALLEL_BYTES", 100)
    monkeypatch.setattr(workers, "BATCH_BYTES", 50)
    folder = project()
    for number in range(40):
        (folder / f"f{number}.py").write_text(f"def f{number}():\n    shout()\n    whisper({number})\n")
    (folder / "f7.py").write_text("# wsantipattern: ignore[nothing]\n")
    counts = []
    reports = [
        runner.run(["."], Options(jobs=jobs), progress=lambda *done: counts.append(done)).report
        for jobs in (1, 2, 3)
    ]
    assert reports[0] == reports[1] == reports[2]
    assert len(reports[0].findings) == 79
    assert counts.count((40, 40)) == 3


def test_a_process_that_dies_costs_one_file(project, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "PARALLEL_BYTES", 10)
    monkeypatch.setattr(workers, "BATCH_BYTES", 50)
    body = "    if b'die' in function.module.text:\n        os.kill(os.getpid(), 9)\n    yield from ()"
    deadly = rule_text("deadly_word", "die", body=body).replace(
        "from collections", "import os\nfrom collections"
    )
    write_pack(tmp_path / "lint", deadly_word=deadly)
    folder = project()
    for number in range(6):
        (folder / f"f{number}.py").write_text("shout()\n")
    (folder / "f3.py").write_text("shout(); die()\n")
    report = runner.run(["."], Options(jobs=2)).report
    assert [f.path for f in report.findings] == ["f0.py", "f1.py", "f2.py", "f4.py", "f5.py"]
    assert [(e.path, e.message) for e in report.errors] == [("f3.py", "the process that checked it died")]


def test_ctrl_c_leaves_no_process_behind(project, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "PARALLEL_BYTES", 10)
    monkeypatch.setattr(workers, "BATCH_BYTES", 10)
    body = "    time.sleep(60)\n    yield from ()"
    slow = rule_text("slow_word", "shout", body=body).replace(
        "from collections", "import time\nfrom collections"
    )
    write_pack(tmp_path / "lint", slow_word=slow)
    folder = project()
    for number in range(8):
        (folder / f"f{number}.py").write_text("shout() " * 5)
    pools = []
    made = workers._new_pool

    def remember(processes):
        pools.append(made(processes))
        return pools[-1]

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "_new_pool", remember)
    monkeypatch.setattr(concurrent.futures, "wait", interrupt)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        runner.run(["."], Options(jobs=2))
    assert time.monotonic() - started < 20
    assert len(pools) == 1


def test_a_projects_words_and_names_join_the_built_in_ones(project):
    project('[words]\nsocket = ["uplink"]\n[[knowledge.timer.arm]]\ncall = "later"\n', a_py="")
    knowledge = Plan(Options()).settings_of("a.py").joined_knowledge
    assert {"uplink", "socket"} <= knowledge.names("words", "socket")
    assert {"later", "setTimeout"} <= {entry.get("call") for entry in knowledge.entries("timer", "arm")}
