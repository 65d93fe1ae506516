"""The compilers that other tests rely on: each takes what is right, refuses what is wrong, and is missed aloud in CI."""

from __future__ import annotations

from pathlib import Path

import compilers as tools
import pytest
from compilers import Compilers

RIGHT = {
    "a.py": b"def f():\n    try:\n        pass\n    finally:\n        pass\n",
    "a.go": b"package a\n\nfunc F() {\n\tdefer stop()\n}\n",
    "a.js": b"try { f() } finally { g() }\n",
    "b.js": b"import x from 'y';\nawait x;\n",
    "a.ts": b"const a: Map<string, number> = new Map();\n",
    "a.tsx": b"const a = <p>{f<string>(b as never)}</p>;\n",
    "a.jsx": b"const a = <p>{b}</p>;\n",
}
WRONG = {
    "a.py": b"def f():\n    try:\n        pass\n",
    "a.go": b"package a\n\nfunc F() {\n\tdefer stop\n}\n",
    "a.js": b"try { f() } final { g() }\n",
    "b.js": b"import x from 'y';\nawait x;;)\n",
    "a.ts": b"const a: Map<string, number = new Map();\n",
    "a.tsx": b"const a = <p>{b}</q>;\n",
    "a.jsx": b"const a = <p>{b</p>;\n",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_has_no_problems(name: str, compilers: Compilers):
    assert compilers.problems(name, RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_has_some(name: str, compilers: Compilers):
    assert compilers.problems(name, WRONG[name])


def test_one_process_answers_for_many_texts(compilers: Compilers):
    for _ in range(3):
        assert compilers.problems("a.ts", WRONG["a.ts"])
        assert not compilers.problems("a.ts", RIGHT["a.ts"])


def test_gofmt_lays_out(compilers: Compilers):
    assert compilers.go_layout(b"package a\nfunc F ( ) { }\n") == b"package a\n\nfunc F() {}\n"


@pytest.mark.parametrize(
    ("name", "remedy"), [("a.go", "pip install"), ("a.js", "nodejs.org"), ("a.ts", "npm install")]
)
def test_a_missing_compiler_fails_in_ci_and_skips_elsewhere(
    name: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tools, "gofmt", lambda: None)
    monkeypatch.setattr(tools, "NODE", tmp_path / "node")
    monkeypatch.setenv("PATH", str(tmp_path))
    asked = Compilers(tmp_path)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=remedy):
        asked.problems(name, RIGHT[name])
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match=remedy):
        asked.problems(name, RIGHT[name])
