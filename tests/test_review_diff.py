"""Unified diffs: names, lines, and the way back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsantipattern.review.diff import DiffError, FileDiff, parse, unquoted

EXAMPLE = b"""\
commit 1234
    --- not a diff
diff --git a/a.py b/a.py
index 111..222 100644
--- a/a.py
+++ b/a.py
@@ -1,4 +1,4 @@ def f():
 one
-two
+zwei
+drei
 four
-five
@@ -20,0 +21,2 @@
+new
+lines
diff --git "a/caf\\303\\251 \\"x\\".py" "b/caf\\303\\251 \\"x\\".py"
deleted file mode 100644
--- "a/caf\\303\\251 \\"x\\".py"
+++ /dev/null
@@ -1 +0,0 @@
--- a line that starts with two dashes
\\ No newline at end of file
diff --git a/with blank.py b/with blank.py
new file mode 100644
--- /dev/null
+++ b/with blank.py\t
@@ -0,0 +1,2 @@
+++ b/x.py
+
diff --git a/old.py b/new.py
similarity index 100%
rename from old.py
rename to new.py
diff --git a/x.png b/x.png
index 111..222 100644
Binary files a/x.png and b/x.png differ
diff --git a/empty.py b/empty.py
new file mode 100644
index 000..e69
--\x20
2.39.5
"""


def test_files_of_a_git_diff():
    diffs = parse(EXAMPLE)
    assert [(diff.old, diff.new, len(diff.hunks), diff.is_binary) for diff in diffs] == [
        ("a.py", "a.py", 2, False),
        ('café "x".py', None, 1, False),
        (None, "with blank.py", 1, False),
        ("old.py", "new.py", 0, False),
        ("x.png", "x.png", 0, True),
        (None, "empty.py", 0, False),
    ]
    assert diffs[1].old_text() == b"-- a line that starts with two dashes"


def test_lines_of_one_state_in_the_other():
    diff = parse(EXAMPLE)[0]
    assert list(diff.ranges()) == [(1, 4), (21, 22)]
    assert diff.before() == {1: 1, 4: 3}
    assert [diff.old_line(line) for line in (1, 2, 3, 4, 5, 20, 21, 22, 23)] == [
        1,
        None,
        None,
        3,
        5,
        20,
        None,
        None,
        21,
    ]
    assert [line for line in range(1, 9) if diff.is_gone(line)] == [2, 4]
    assert list(diff.replaced(2)) == list(diff.replaced(3)) == [2]
    assert list(diff.replaced(4)) == list(diff.replaced(21)) == list(diff.replaced(90)) == []


def test_a_diff_of_other_tools():
    data = b"Only in x: y\n--- old/a.py\t2024-01-01\n+++ new/a.py\t2024-01-02\r\n@@ -1 +1 @@\r\n-a\r\n+b\r\n--- a/b.py\n+++ b/b.py\n@@ -2 +2 @@\n-a\n+b\n"
    assert [(diff.old, diff.new) for diff in parse(data)] == [("old/a.py", "new/a.py"), ("b.py", "b.py")]
    copied = b"diff --git a/a.py b/c.py\nsimilarity index 90%\ncopy from a.py\ncopy to c.py\n--- a/a.py\n+++ b/c.py\n@@ -1 +1 @@\n-a\n+b\n"
    assert [(diff.old, diff.new) for diff in parse(copied)] == [(None, "c.py")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n", "broken off"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n*two\n", "no line of a hunk starts so"),
        (b"--- a/x\n+++ b/x\n@@ -1,x +1 @@\n", "not the head of a hunk"),
        (b"--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n+a\n", "longer than its head says"),
    ],
)
def test_broken_diffs(data, message):
    with pytest.raises(DiffError, match=message):
        parse(data)


def test_a_diff_to_another_text():
    diff = parse(b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n@@ -1 +1 @@\n-a\n+b\n")[0]
    with pytest.raises(DiffError, match="overlaps"):
        diff.undone(b"b\n")
    with pytest.raises(DiffError, match="does not fit the file at line 1"):
        diff.undone(b"")


def test_escapes():
    assert unquoted(rb'"a\tb\\\"\303\251\n"') == b'a\tb\\"\xc3\xa9\n'


texts = st.lists(
    st.sampled_from([b"a", b"b", b"- c", b"+++ d", b"", b"\\ x", b"@@ -1 +1 @@", b"e\r"]), max_size=12
).flatmap(lambda lines: st.sampled_from([b"\n".join(lines), b"\n".join([*lines, b""])]))


@settings(max_examples=40, deadline=None)
@given(old=texts, new=texts, context=st.integers(0, 4))
def test_what_git_writes_leads_back(tmp_path_factory, old, new, context):
    folder = tmp_path_factory.mktemp("diff")
    Path(folder, "old").write_bytes(old)
    Path(folder, "new").write_bytes(new)
    command = ["git", "diff", "--no-index", "--text", f"-U{context}", "--", "old", "new"]
    data = subprocess.run(command, cwd=folder, capture_output=True).stdout
    (diff,) = parse(data) or [FileDiff("old", "new")]
    assert diff.undone(new) == old
    lines, before = new.split(b"\n"), old.split(b"\n")
    for number in range(1, new.count(b"\n") + 1):
        was = diff.old_line(number)
        assert was is None or before[was - 1] == lines[number - 1]
        assert was is None or not diff.is_gone(was)
    for line, was in diff.before().items():
        assert diff.old_line(line) == was
