"""Which files a run looks at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wsantipattern.files import Filter, discover


@pytest.fixture
def tree(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(*names: str, **contents: str):
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        return tmp_path

    return make


def found(*paths: str, **rules) -> list[str]:
    filter_ = Filter(os.getcwd(), **rules)
    return discover(paths or ["."], lambda _: filter_).files


def ignore(folder: str, *lines: str) -> None:
    Path(folder, ".gitignore").write_text("\n".join(lines) + "\n")


def test_takes_all_languages_and_nothing_else_in_a_stable_order(tree):
    tree("b.js", "a.py", "a.txt", "c/z.go", "c/a.MD", "c/x.vue", "B.ts", "Makefile")
    assert found() == ["B.ts", "a.py", "b.js", "c/a.MD", "c/x.vue", "c/z.go"]


def test_paths_are_reported_as_they_were_given(tree):
    root = tree("src/a.js")
    assert found("src") == ["src/a.js"]
    assert found("./src/") == ["src/a.js"]
    assert found(str(root / "src")) == [f"{root}/src/a.js"]
    assert found("src/../src/a.js") == ["src/a.js"]


def test_each_file_once(tree):
    tree("src/a.js", "src/b.js")
    assert found("src/b.js", "src", ".") == ["src/b.js", "src/a.js"]


def test_other_peoples_folders_are_passed_over(tree):
    tree(
        "node_modules/x/a.js", "vendor/a.go", ".venv/a.py", "dist/a.js", ".git/a.py", "pkg/build/a.js", "a.js"
    )
    assert found() == ["a.js"]


def test_a_named_file_is_always_taken(tree):
    tree("dist/a.js", "src/b.js")
    ignore(".", "src/")
    assert found("dist/a.js", "src/b.js", exclude=("*",)) == ["dist/a.js", "src/b.js"]
    assert found("dist") == ["dist/a.js"]


def test_gitignore_nested_with_negation(tree):
    tree(
        "a.js", "log/a.js", "log/keep.js", "sub/a.js", "sub/b.js", "sub/deep/b.js", "gen/x.js", "sub/gen/x.js"
    )
    ignore(".", "# comment", "log/*", "!log/keep.js", "/gen/", "b.js")
    ignore("sub", "!b.js", "deep/")
    assert found() == ["a.js", "log/keep.js", "sub/a.js", "sub/b.js", "sub/gen/x.js"]


def test_gitignore_above_the_start_counts_inside_a_repository(tree):
    tree("sub/a.js", "sub/b.js", "sub/c.js", ".git/config", ".git/info/x")
    ignore(".", "sub/b.js")
    Path(".git/info/exclude").write_text("c.js\n")
    assert found("sub") == ["sub/a.js"]


def test_an_ignored_folder_that_is_named_is_searched(tree):
    tree("out/gen/a.js", "out/gen/b.js", ".git/config")
    ignore(".", "/out/", "b.js")
    ignore("out/gen", "a.js")
    assert found("out/gen") == ["out/gen/b.js"]
    assert found() == []


def test_gitignore_above_the_start_is_nothing_outside_of_a_repository(tree):
    tree("sub/a.js", "sub/b.js")
    ignore(".", "sub/b.js")
    assert found("sub") == ["sub/a.js", "sub/b.js"]


def test_a_line_that_git_passes_over_hides_nothing(tree):
    tree("a.js", "b.js")
    ignore(".", "!", "b.js", "")
    assert found() == ["a.js"]


def test_include_and_exclude(tree):
    tree("src/a.js", "src/a.test.js", "docs/a.md", "build/a.js")
    assert found(include=("src/**",)) == ["src/a.js", "src/a.test.js"]
    assert found(extend_exclude=("*.test.js", "docs")) == ["src/a.js"]
    assert found(exclude=("src",)) == ["build/a.js", "docs/a.md"]


def test_no_link_is_followed_out_of_the_root_or_in_circles(tree, tmp_path_factory):
    tree("src/a.js")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.js").write_text("")
    Path("src/out").symlink_to(outside)
    Path("src/out.js").symlink_to(outside / "x.js")
    Path("src/loop").symlink_to("..")
    Path("src/self.js").symlink_to("self.js")
    Path("src/gone.js").symlink_to("gone-away.js")
    assert found() == ["src/a.js"]


def test_missing_paths_are_errors_and_the_rest_goes_on(tree):
    tree("a.js")
    Path("loop.js").symlink_to("loop.js")
    result = discover(["missing", "loop.js", "a\0b", "", "a.js"], lambda _: Filter(os.getcwd()))
    assert result.files == ["a.js"]
    assert [(error.path, error.message) for error in result.errors] == [
        ("missing", "no such file or directory"),
        ("loop.js", "too many levels of symbolic links"),
        ("a\0b", "not a possible path"),
        ("", "no such file or directory"),
    ]


def test_a_folder_named_like_a_file_is_a_folder(tree):
    tree("lib.js/a.js")
    assert found("lib.js") == ["lib.js/a.js"]
    assert found() == ["lib.js/a.js"]


def test_a_folder_that_cannot_be_listed(tree, monkeypatch):
    tree("a.js", "closed/b.js")
    listed = os.scandir

    def scan(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", scan)
    result = discover(["."], lambda _: Filter(os.getcwd()))
    assert result.files == ["a.js"]
    assert [(e.path, e.message) for e in result.errors] == [("closed", "permission denied")]
