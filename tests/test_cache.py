"""The cache: never another answer than without it, whatever is done to it."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from wsantipattern import cache as module
from wsantipattern.cache import Cache, CacheError, Kept, clean
from wsantipattern.cli import main
from wsantipattern.finding import Confidence, Edit, Finding, Fix, Position, Severity, Span, TraceStep
from wsantipattern.plan import Options, Plan
from wsantipattern.runner import Outcome, run

LEAK = """
async function send(url) {
  const timer = setTimeout(warn, 1000);
  await post(url);
  clearTimeout(timer);
}
"""
CLEAN = "export const answer = 42;\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "leak.js").write_text(LEAK)
    (tmp_path / "clean.js").write_text(CLEAN)
    (tmp_path / "lib.min.js").write_text("a()")
    for name in ("leak.js", "clean.js", "lib.min.js"):
        settle(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settle(file: Path) -> None:
    """Makes a file look as if it had been left alone for long, as far as its own times go."""
    past = time.time() - 1000
    os.utime(file, (past, past))


def check(**options: object) -> Outcome:
    return run(["."], Options(isolated=True, cache=True, jobs=1, **options))  # type: ignore[arg-type]


def same(first: Outcome, second: Outcome) -> bool:
    return (first.report, first.skips, first.failing) == (second.report, second.skips, second.failing)


@pytest.fixture
def analyzed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were analyzed, in order."""
    import wsantipattern.workers as workers

    paths: list[str] = []
    real = workers.analyze

    def analyze(text, path, settings, ending):  # type: ignore[no-untyped-def]
        paths.append(path)
        return real(text, path, settings, ending)

    monkeypatch.setattr(workers, "analyze", analyze)
    return paths


def test_a_second_run_analyzes_nothing_and_says_the_same(project: Path, analyzed: list[str]) -> None:
    first = check()
    assert [f.rule for f in first.report.findings] == ["timer-not-cleared"]
    assert analyzed == ["leak.js"]
    second = check()
    assert analyzed == ["leak.js"]
    assert same(first, second)
    assert same(first, run(["."], Options(isolated=True)))


def test_a_file_at_rest_is_not_even_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_REST", -(10**18))
    first = check()
    monkeypatch.setattr("wsantipattern.runner.read", lambda *_: pytest.fail("it was read"))
    assert same(first, check())


def test_a_change_that_leaves_size_and_times_of_the_content_is_seen(project: Path) -> None:
    check()
    times = os.stat("leak.js")
    Path("leak.js").write_text(LEAK.replace("await post", "void  post"))
    assert os.stat("leak.js").st_size == times.st_size
    os.utime("leak.js", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not check().report.findings


def test_a_touched_file_is_known_by_its_content(project: Path, analyzed: list[str]) -> None:
    check()
    os.utime("leak.js")
    assert len(check().report.findings) == 1
    assert analyzed == ["leak.js"]


def test_other_settings_have_other_results(project: Path, analyzed: list[str]) -> None:
    check()
    assert not check(ignore=("timer-not-cleared",)).report.findings
    before = len(analyzed)
    assert len(check().report.findings) == 1
    assert len(analyzed) == before


def test_other_rules_have_other_results(project: Path, tmp_path: Path, analyzed: list[str]) -> None:
    pack = project / "pack"
    pack.mkdir()
    text = '''"""S.

Why
    W.

Instead
    I.

Limits
    L.
"""
from collections.abc import Iterator

from wsantipattern import Function, Match, Roles, rule


@rule(severity="note", triggers=lambda knowledge: [b"setTimeout"])
def own_rule(function: Function, roles: Roles) -> Iterator[Match]:
    yield Match(function.extent, "first")
'''
    (pack / "own_rule.py").write_text(text)
    (project / "wsantipattern.toml").write_text('rule-paths = ["pack"]\nexclude = ["pack"]\n')
    options = Options(cache=True, jobs=1)
    assert "first" in {f.message for f in run(["."], options).report.findings}
    from wsantipattern import pack as packs

    packs.load.cache_clear()
    (pack / "own_rule.py").write_text(text.replace("first", "other"))
    assert "other" in {f.message for f in run(["."], options).report.findings}


@pytest.mark.parametrize("garbage", [b"", b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_corrupt_cache_counts_as_empty_and_is_made_anew(project: Path, garbage: bytes) -> None:
    first = check()
    file = project / module.FOLDER / module._DATABASE
    file.write_bytes(garbage)
    second = check()
    assert same(first, second)
    if garbage:
        assert "counts as empty" in second.remarks[0]
    third = check()
    assert same(first, third)
    assert not third.remarks


def test_an_entry_that_makes_no_sense_is_none(project: Path) -> None:
    first = check()
    database = sqlite3.connect(project / module.FOLDER / module._DATABASE)
    for nonsense in ("{", "[]", "[null, [[1]]]", "[null, [[1, 2, 9, 9, [], [], null, 0, 0]]]"):
        with database:
            database.execute("UPDATE entry SET result = ?", (nonsense,))
        assert same(first, check())
    database.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_said(project: Path) -> None:
    first = check()
    folder = project / module.FOLDER
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    (folder / module._DATABASE).chmod(stat.S_IRUSR)
    (project / "more.js").write_text(LEAK)
    outcome = check()
    assert len(outcome.report.findings) == 2 * len(first.report.findings)
    assert "cannot be written" in outcome.remarks[0]


def test_a_folder_that_cannot_be_made_is_said(project: Path) -> None:
    (project / "file").write_text("")
    outcome = check(cache_dir=str(project / "file" / "cache"))
    assert len(outcome.report.findings) == 1
    assert "cannot be written" in outcome.remarks[0]


def test_several_runs_at_once(project: Path) -> None:
    for number in range(30):
        (project / f"more{number}.js").write_text(LEAK)
    expected = run(["."], Options(isolated=True)).report
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(check())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.report for outcome in outcomes] == [expected] * 4
    assert not [remark for outcome in outcomes for remark in outcome.remarks]
    assert check().report == expected


def test_it_does_not_grow_without_bound(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIZE_LIMIT", 60_000)
    file = project / module.FOLDER / module._DATABASE
    for number in range(5):
        for inner in range(100):
            (project / f"more{inner}.js").write_text(LEAK + f"// {number}\n" + f"{'x' * inner}()\n")
        check()
        assert file.stat().st_size < 200_000
    assert file.stat().st_size <= 100_000


def test_unused_entries_go(project: Path) -> None:
    check()
    database = sqlite3.connect(project / module.FOLDER / module._DATABASE)
    with database:
        database.execute("UPDATE entry SET used = used - ?", (module.UNUSED_DAYS + 1,))
        database.execute("UPDATE entry SET name = 'gone' WHERE name LIKE 'clean%'")
    (project / "more.js").write_text(CLEAN)
    check()
    left = database.execute("SELECT count(*) FROM entry").fetchone()
    database.close()
    assert left == (4,)


def test_files_with_errors_are_not_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import wsantipattern.workers as workers
    from wsantipattern.finding import FileError

    real = workers.analyze
    monkeypatch.setattr(workers, "analyze", lambda text, path, *_: ([], [FileError(path, "broke")]))
    assert check().report.errors
    monkeypatch.setattr(workers, "analyze", real)
    outcome = check()
    assert not outcome.report.errors
    assert len(outcome.report.findings) == 1


def test_a_finding_comes_back_as_it_was(tmp_path: Path) -> None:
    span = Span(Position(1, 2), Position(3, 4))
    finding = Finding(
        "a-b",
        "“message” \udcff",
        Severity.NOTE,
        Confidence.LOW,
        "p\udcff.js",
        span,
        (TraceStep("p.js", span, "step"),),
        Fix("title", (Edit(span, "text"),), safe=True),
        "f",
        "a",
    )
    path = str(tmp_path / "p.js")
    Path(path).write_text("x")
    settings = Plan(Options(isolated=True)).settings_of(path)
    for result in (Kept((finding,)), Kept(), Kept(skipped="minified")):
        cache = Cache(str(tmp_path / "cache"), 1)
        look, _ = cache.look(path, ".js", settings)
        assert look is not None
        cache.read(look, b"x", path)
        cache.store(look, result)
        cache.write()
        cache.close()
        cache = Cache(str(tmp_path / "cache"), 1000)
        look, _ = cache.look(path, ".js", settings)
        assert look is not None
        kept = cache.read(look, b"x", "p\udcff.js")
        assert kept == result
        cache.close()


def test_clean(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--isolated", "--exit-zero", "-q"]) == 0
    assert (project / module.FOLDER / ".gitignore").read_text() == "*\n"
    assert main(["cache", "clean"]) == 0
    assert not (project / module.FOLDER).exists()
    assert main(["cache", "clean"]) == 0
    assert main(["check", "--isolated", "--exit-zero", "-q", "--no-cache"]) == 0
    assert not (project / module.FOLDER).exists()
    assert main(["check", "--isolated", "--exit-zero", "-q", "--cache-dir", "kept"]) == 0
    assert (project / "kept" / module._DATABASE).exists()
    capfd.readouterr()
    assert main(["cache", "clean", "--cache-dir", "kept"]) == 0
    assert "removed kept" in capfd.readouterr().err


def test_clean_removes_nothing_that_is_not_its_own(project: Path) -> None:
    with pytest.raises(CacheError, match="not of the cache"):
        clean(str(project))
    assert (project / "leak.js").exists()
