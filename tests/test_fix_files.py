"""Fixing files from the command line: what is written, what is not, what is printed, and with which exit code."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsantipattern import pack
from wsantipattern.analysis import Settings
from wsantipattern.fix.correct import correct
from wsantipattern.fix.files import Rewritten, WriteError, write

BAD = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  try {
    await deliver(line);
    clearTimeout(notice);
  } catch (problem) {
    show(problem);
  }
}
"""
GOOD = """\
async function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  try {
    await deliver(line);
  } catch (problem) {
    show(problem);
  } finally {
    clearTimeout(notice);
  }
}
"""
UNSAFE = """\
function publish(line) {
  const notice = setTimeout(() => show("still sending"), 3000);
  return deliver(line).then(() => {
    clearTimeout(notice);
  });
}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wsantipattern", "check", "--isolated", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=given)


def test_fix_writes_and_says_so():
    Path("a.js").write_text(BAD)
    Path("b.js").write_text(UNSAFE)
    result = check("--fix", ".")
    assert result.returncode == 1
    assert Path("a.js").read_text() == GOOD
    assert Path("b.js").read_text() == UNSAFE
    assert "1 finding (1 error) in 2 files checked, 1 fixed, 1 more with --unsafe-fixes" in result.stdout
    assert "b.js:2" in result.stdout
    assert "a.js" not in result.stdout


def test_unsafe_fixes_are_made_when_asked_for():
    Path("b.js").write_text(UNSAFE)
    result = check("--unsafe-fixes", ".")
    assert result.returncode == 0, result.stdout + result.stderr
    assert ".finally(() => clearTimeout(notice));" in Path("b.js").read_text()
    assert "no findings in 1 file checked, 1 fixed" in result.stdout
    assert check("--fix", "--unsafe-fixes", ".").stdout.endswith("no findings in 1 file checked, 0 fixed\n")


def test_diff_changes_nothing_and_applies():
    Path("a.js").write_text(BAD)
    Path("b.js").write_text(UNSAFE)
    result = check("--diff", ".")
    assert result.returncode == 1
    assert Path("a.js").read_text() == BAD
    assert "would fix 1 finding, 1 more with --unsafe-fixes" in result.stderr
    assert "b.js" not in result.stdout
    subprocess.run(["git", "apply", "-"], input=result.stdout, text=True, check=True)
    assert Path("a.js").read_text() == GOOD
    again = check("--diff", "a.js")
    assert (again.returncode, again.stdout) == (0, "")
    assert check("--diff", "--unsafe-fixes", "b.js").returncode == 1
    assert Path("b.js").read_text() == UNSAFE


def test_diff_of_a_file_without_a_last_line_end():
    Path("a.js").write_text(BAD.rstrip("\n"))
    result = check("--diff", "a.js")
    subprocess.run(["git", "apply", "-"], input=result.stdout, text=True, check=True)
    assert Path("a.js").read_text() == GOOD.rstrip("\n")


def test_standard_input_comes_back_fixed():
    result = check("--fix", "--stdin-filename", "a.js", "-", given=BAD)
    assert result.returncode == 0
    assert result.stdout == GOOD
    assert "1 fixed" in result.stderr
    left = check("--fix", "--stdin-filename", "b.js", "-", given=UNSAFE)
    assert left.returncode == 1
    assert left.stdout == UNSAFE
    assert "b.js:2" in left.stderr


def test_reports_for_programs_carry_the_fix():
    import json

    Path("a.js").write_text(BAD)
    (finding,) = json.loads(check("--output-format", "json", "a.js").stdout)["findings"]
    assert finding["fix"]["title"] == "clear `notice` in `finally`"
    assert finding["fix"]["safe"] is True
    assert finding["fix"]["edits"]
    assert Path("a.js").read_text() == BAD
    assert "fix" in check("--output-format", "sarif", "a.js").stdout


def test_other_formats_say_on_stderr_what_was_fixed():
    Path("a.js").write_text(BAD)
    result = check("--fix", "--output-format", "concise", ".")
    assert result.stdout == ""
    assert "fixed 1 finding" in result.stderr


def test_a_suppressed_finding_is_not_fixed():
    text = BAD.replace("3000);", "3000); // wsantipattern: ignore[timer-not-cleared] -- wanted")
    Path("a.js").write_text(text)
    result = check("--fix", ".")
    assert result.returncode == 0, result.stdout + result.stderr
    assert Path("a.js").read_text() == text


def test_mode_and_links_stay():
    real = Path("real.js")
    real.write_text(BAD)
    real.chmod(0o750)
    Path("link").mkdir()
    Path("link/a.js").symlink_to(real.resolve())
    assert check("--fix", "link/a.js").returncode == 0
    assert Path("link/a.js").is_symlink()
    assert real.read_text() == GOOD
    assert real.stat().st_mode & 0o777 == 0o750
    assert not [name for name in os.listdir() if name.startswith(".wsantipattern-")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_cannot_be_written_stays_with_an_error():
    Path("a.js").write_text(BAD)
    Path("a.js").chmod(0o444)
    result = check("--fix", ".")
    assert result.returncode == 2
    assert "a.js: permission denied" in result.stderr
    assert "a.js:2" in result.stdout
    assert Path("a.js").read_text() == BAD


def test_a_file_that_changed_meanwhile_is_left_as_it_is():
    Path("a.js").write_text("other")
    with pytest.raises(WriteError, match="changed while"):
        write(Rewritten("a.js", BAD.encode(), GOOD.encode(), []))
    assert Path("a.js").read_text() == "other"
    with pytest.raises(WriteError, match="no such file"):
        write(Rewritten("gone.js", BAD.encode(), GOOD.encode(), []))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "latin-1"),
    ],
)
def test_encoding_byte_order_mark_and_line_ends_stay(newline: str, mark: bytes, encoding: str):
    def raw(text: str) -> bytes:
        return mark + text.replace("still", "übrigens").replace("\n", newline).encode(encoding)

    Path("a.js").write_bytes(raw(BAD))
    assert check("--fix", "a.js").returncode == 0
    assert Path("a.js").read_bytes() == raw(GOOD)


SETTINGS = Settings(packs=(str(pack.builtin_folder()),), rules=("timer-not-cleared",))

STATEMENTS = [
    "await send(draft);",
    "log(draft);",
    "clearTimeout(t);",
    "if (draft.old) return;",
    "if (draft.old) {\n    clearTimeout(t);\n    return;\n  }",
    "try {\n    await send(draft);\n    clearTimeout(t);\n  } catch (e) {\n    log(e);\n  }",
    "try {\n    await send(draft);\n  } finally {\n    log(draft);\n  }",
    "const s = `a\n b`;",
    "// what now",
    "for (const part of draft) {\n    await send(part);\n  }",
    "t = null;",
    "pending.set(1, t);",
    "",
]


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_is_fixed_is_gone_and_stays_so(parts: list[str], crlf: bool):
    body = "".join(f"  {part}\n" for part in parts)
    text = f"async function save(draft) {{\n  let t = setTimeout(warn, 5);\n{body}}}\n"
    data = (text.replace("\n", "\r\n") if crlf else text).encode()
    for unsafe in (False, True):
        result = correct(data, "a.js", SETTINGS, unsafe=unsafe)
        again = correct(result.text, "a.js", SETTINGS, unsafe=unsafe)
        assert again.text == result.text
        assert not again.fixed
        assert len(again.left) == len(result.left)
        if not result.fixed:
            assert result.text == data
        if crlf:
            assert result.text.replace(b"\r\n", b"").count(b"\n") == 0
        for part in parts:
            if part.startswith(("//", "const")):
                kept = (part.replace("\n", "\r\n") if crlf else part).encode()
                assert result.text.count(kept) == data.count(kept)


def test_libcst_is_imported_only_to_fix():
    Path("a.py").write_text(
        "async def f(loop):\n    t = loop.call_later(1, g)\n    await h()\n    t.cancel()\n"
    )
    code = (
        "import sys; from wsantipattern.cli import main; main(['check', '--isolated', 'a.py']);"
        "print('libcst' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
