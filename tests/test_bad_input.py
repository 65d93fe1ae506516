"""Files that are wrong in every way: a clear word for each, and the others are still checked."""

from __future__ import annotations

import codecs
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_pack import rule_text, usual, write_pack

from wsantipattern import pack
from wsantipattern.analysis import Settings, analyze
from wsantipattern.cli import main
from wsantipattern.languages import EXTENSIONS, HOSTS
from wsantipattern.source import Source

ENDINGS = sorted({*EXTENSIONS, *HOSTS})
LANGUAGES = [".js", ".ts", ".tsx", ".go", ".py"]


@pytest.fixture
def check(tmp_path: Path, monkeypatch, capfdbinary):
    """Checks files beside one that has a finding; gives the exit code, the report and stderr."""
    lint = tmp_path / "lint"
    usual(lint)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("wsantipattern.toml").write_text('rule-paths = ["../lint"]\n')
    Path("sound.py").write_text("shout()\n")

    def run(*paths: str) -> tuple[int, dict, str]:
        code = main(["check", *(paths or ["."]), "--output-format", "json"])
        captured = capfdbinary.readouterr()
        error = captured.err.decode()
        assert "Traceback" not in error
        report = json.loads(captured.out)
        assert "sound.py" in {finding["path"] for finding in report["findings"]}
        return code, report, error

    return run


def others(report: dict) -> list[tuple[str, int, int]]:
    return [
        (f["path"], f["start"]["line"], f["start"]["column"])
        for f in report["findings"]
        if f["path"] != "sound.py"
    ]


# -- what cannot be read ---------------------------------------------------------------------------


def test_a_missing_path(check):
    code, report, error = check("missing.js", "sound.py")
    assert code == 2
    assert report["errors"] == [{"path": "missing.js", "message": "no such file or directory"}]
    assert error == "wsantipattern: error: missing.js: no such file or directory\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(check):
    Path("closed.js").write_text("shout()")
    Path("closed.js").chmod(0)
    code, report, _ = check()
    assert code == 2
    assert report["errors"] == [{"path": "closed.js", "message": "permission denied"}]


def test_a_file_that_is_refused_while_it_is_opened(check, monkeypatch):
    Path("closed.js").write_text("shout()")
    opened = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("closed.js"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    code, report, _ = check()
    assert code == 2
    assert report["errors"] == [{"path": "closed.js", "message": "permission denied"}]


def test_a_folder_named_like_a_file(check):
    Path("lib.js").mkdir()
    Path("lib.js", "a.py").write_text("shout()")
    code, report, _ = check()
    assert code == 1
    assert others(report) == [("lib.js/a.py", 1, 1)]


def test_links_in_a_circle(check):
    Path("loop").symlink_to(".")
    Path("self.js").symlink_to("self.js")
    code, report, _ = check()
    assert code == 1
    assert report["errors"] == []
    code, report, _ = check(".", "self.js")
    assert code == 2
    assert report["errors"] == [{"path": "self.js", "message": "too many levels of symbolic links"}]


def test_a_file_that_shrinks_while_it_is_read(check, monkeypatch):
    shrinking = Path("shrinking.js")
    shrinking.write_text("shout()\n" * 100)
    taken = os.fstat

    def stat(handle):
        status = taken(handle)
        if status.st_ino == shrinking.stat().st_ino:
            shrinking.write_text("shout()\n")
        return status

    monkeypatch.setattr(os, "fstat", stat)
    code, report, _ = check()
    assert code == 2
    assert report["errors"] == [{"path": "shrinking.js", "message": "became shorter while it was read"}]


def test_names_that_are_no_text(check):
    name = os.fsdecode(b"\xff\xfe.py")
    Path(name).write_text("shout()")
    code, report, _ = check()
    assert code == 1
    assert len(others(report)) == 1


# -- odd encodings and line ends -------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_file(check, ending):
    Path(f"empty{ending}").write_bytes(b"")
    assert check()[:1] == (1,)


@pytest.mark.parametrize("ending", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        (codecs.BOM_UTF8 + b"shout()\n", (1, 1)),
        (b"x = 1\r\n\r\nshout()\r\n", (3, 1)),
        (b"x = 1\r\rshout()\r", (3, 1)),
        (b'x = "\xff\xfe\xc3("; shout()\n', (1, 13)),
        (b"\xff\xfe" + 'x = "é"; shout()\n'.encode("utf-16-le"), (1, 10)),
        (b"\xfe\xff" + 'x = "é"; shout()\n'.encode("utf-16-be"), (1, 10)),
        ('x = "😀é"; shout()\n'.encode(), (1, 11)),
        (b"\nshout()", (2, 1)),
    ],
    ids=["bom", "crlf", "cr", "invalid", "utf-16-le", "utf-16-be", "wide", "no-end"],
)
def test_odd_text_is_checked_with_right_places(check, ending, text, place):
    Path(f"odd{ending}").write_bytes(text)
    code, report, error = check()
    assert (code, error) == (1, "")
    assert others(report) == [(f"odd{ending}", *place)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_nul_bytes_are_a_clean_skip(check, ending):
    Path(f"nul{ending}").write_bytes(b"shout()\n\0")
    code, report, _ = check()
    assert code == 1
    assert report["files"] == {"checked": 1, "skipped": 1}


# -- broken and enormous code ----------------------------------------------------------------------


@pytest.mark.parametrize("ending", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "shout( function ( { if ( [ \n",
        "}}}} )))) shout() ]]]\n",
        "shout() 'unclosed\n",
        "def class func async await => := <- shout()\n",
        "<<<<<<< HEAD\nshout()\n=======\nx()\n>>>>>>> branch\n",
        "/* shout() ",
        "`${`${`${ shout()",
    ],
)
def test_broken_syntax_is_checked_as_far_as_it_goes(check, ending, text):
    Path(f"broken{ending}").write_text(text)
    code, report, _ = check()
    assert code == 1
    assert report["errors"] == []
    assert report["files"]["checked"] == 2


@pytest.mark.parametrize("ending", LANGUAGES)
@pytest.mark.parametrize("pair", ["()", "[]", "{}"])
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_ten_thousand_nested_brackets(check, ending, pair, closed):
    text = "x = " + f"{pair[0]}\n" * 10_000 + "shout()\n" + (f"{pair[1]}\n" * 10_000 if closed else "")
    Path(f"deep{ending}").write_text(text)
    code, report, _ = check()
    assert code in (1, 2)
    assert [error["message"] for error in report["errors"]] in ([], ["nested too deeply to be checked"])


@pytest.mark.parametrize("ending", ENDINGS)
def test_five_megabytes_in_one_line(check, ending):
    Path(f"line{ending}").write_text("shout(); x = '" + "a" * 1_000_000 + "'\n")
    code, report, _ = check()
    assert code == 1
    assert report["files"] == {"checked": 1, "skipped": 1}


@pytest.mark.parametrize("ending", LANGUAGES)
def test_a_long_chain_of_operators_is_real_code(check, ending):
    Path(f"chain{ending}").write_text(
        "x = shout()" + ' + \\\n"a"' * 400 if ending == ".py" else "x = shout()" + ' +\n"a"' * 400
    )
    code, report, _ = check()
    assert code == 1
    assert others(report) == [(f"chain{ending}", 1, 5)]


# -- any text --------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        "setTimeout(", "clearTimeout(t)", "ws.send(x)", "ws.readyState === 1", "await f()", "async ", "function f(",
        "def f(a):\n", "    ", "\t", "func f(c *websocket.Conn) {", "defer cancel()", "go ", "select {", "case <-ch:",
        "class A {", "class A:\n", "=> {", "}", ")", "(", "{", "[", "]", "\n", "\r\n", "if (x > last) ", "last = x;",
        "for ", "return ", "new Promise((resolve) => ", "'", '"', "`${", "/*", "//", "#", "'''", "seen.add(id)",
        "last_seq = 0\n", "try:\n", "except E:\n", "finally:\n", "try {", "} catch (e) {", "} finally {", "...",
        "<script>", "</script>", "```js\n", "```\n", "é", "😀", "<div>{", "switch (x) {", "match x:\n", "x := ", "\x00",
        "text += msg.delta", ".then(", ".catch(", ";", ",", "lambda x: ", "with a as b:\n", "wsantipattern: ignore[",
    ]
)  # fmt: skip


def _settings() -> Settings:
    return Settings((str(pack.builtin_folder()),))


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.lists(_PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_no_text_makes_a_front_end_or_a_rule_raise(ending, text):
    data = text.encode("utf-8", "surrogatepass")
    findings, errors = analyze(data, f"a{ending}", _settings())
    assert errors == []
    source = Source.decode("a", data)
    for finding in findings:
        for span in (finding.span, *(step.span for step in finding.trace)):
            assert span.start <= span.end
            for position in (span.start, span.end):
                assert 1 <= position.line <= source.line_count
                assert 1 <= position.column <= len(source.line(position.line)) + 1


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=200))
def test_no_bytes_make_a_front_end_or_a_rule_raise(ending, data):
    assert analyze(data + b"\nsetTimeout; clearTimeout; readyState", f"a{ending}", _settings())[1] == []


def test_a_rule_that_raises_on_one_file_leaves_the_others(check, tmp_path):
    body = "    if b'boom' in function.module.text:\n        raise KeyError('x')\n    yield from ()"
    write_pack(tmp_path / "lint", boom_word=rule_text("boom_word", "boom", body=body))
    Path("a.py").write_text("boom()\n")
    code, _, error = check()
    assert code == 2
    assert error.startswith("wsantipattern: error: a.py: rule boom-word (")
