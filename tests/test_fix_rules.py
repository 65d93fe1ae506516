"""Fixes of all rules on their fixtures, read by the compilers of their languages, and the texts that come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from bare import bare, comments
from compilers import Compilers

from wsantipattern import pack
from wsantipattern.analysis import Settings, analyze
from wsantipattern.fix.correct import Corrected, correct

FIXTURES = Path(__file__).parent.parent / "fixtures"
RULES = ("timer-not-cleared", "stale-dedup-tracker", "unguarded-append", "watermark-reset")
FEWEST = {"timer-not-cleared": 60, "stale-dedup-tracker": 108, "unguarded-append": 50, "watermark-reset": 122}
"""How many findings have a fix, at least: only ever more. A share would fall with each fixture that can have none."""


def settings_of(rule: str) -> Settings:
    return Settings(packs=(str(pack.builtin_folder()),), rules=(rule,))


@pytest.mark.parametrize("rule", RULES)
def test_fixtures_without_their_annotations_are_fixed(rule: str, compilers: Compilers):
    fixed = 0
    problems: list[str] = []
    for path in sorted((FIXTURES / rule).iterdir()):
        if f"expect: {rule}".encode() in path.read_bytes():
            text = bare(path)
            result = correct(text, path.name, settings_of(rule), unsafe=True)
            fixed += len(result.fixed)
            problems += [
                f"{path.name}: {problem}" for problem in problems_of(path, text, result, rule, compilers)
            ]
    assert problems == []
    assert fixed >= FEWEST[rule]


def problems_of(path: Path, text: bytes, result: Corrected, rule: str, compilers: Compilers) -> Iterator[str]:
    before, _ = analyze(text, path.name, settings_of(rule))
    again = correct(result.text, path.name, settings_of(rule), unsafe=True)
    if again.errors or len(again.left) != len(before) - len(result.fixed):
        yield f"{len(before)} findings, {len(result.fixed)} fixed, {len(again.left)} left"
    if again.fixed or again.text != result.text:
        yield "fixed again by a second run"
    if not result.fixed:
        if result.text != text:
            yield "changed for nothing"
        return
    yield from compilers.problems(path.name, result.text)
    for lost in Counter(comments(text, path)) - Counter(comments(result.text, path)):
        yield f"lost {lost!r}"
    is_laid_out = path.suffix == ".go" and compilers.go_layout(text) == text
    if is_laid_out and compilers.go_layout(result.text) != result.text:
        yield "no longer as gofmt lays it out"


def changed(rule: str, name: str, *, unsafe: bool = True) -> list[str]:
    """The lines that a fixture loses and gets, change by change."""
    text = bare(FIXTURES / rule / name)
    result = correct(text, name, settings_of(rule), unsafe=unsafe)
    old, new = text.decode().splitlines(), result.text.decode().splitlines()
    lines: list[str] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            lines += [*(f"- {line}" for line in old[i1:i2]), *(f"+ {line}" for line in new[j1:j2])]
    return lines


CHANGES = {
    ("watermark-reset", "ahead_flag.js", "safe"): [
        "-     if (isAhead) {",
        "-       this.delivered = 0;",
        "-     }",
    ],
    ("watermark-reset", "nursery_heart_rate.go", "safe"): [
        "- \t\ts.mu.Lock()",
        "- \t\ts.delivered = 0",
        "- \t\ts.mu.Unlock()",
    ],
    ("watermark-reset", "canal_poll_map.go", "safe"): ["- \t\tdelete(p.cursors, lock)"],
    ("watermark-reset", "airship_mail.py", "unsafe"): [
        "-                 async with self.lock:",
        "-                     self.sent_up_to = 0",
    ],
    ("watermark-reset", "follow_generator.ts", "unsafe"): [
        "-     } catch (e) {",
        "-       seen = -1;",
        "-     }",
        "+     } catch (e) {}",
    ],
    ("watermark-reset", "library_hold_stream.ts", "unsafe"): ["-           deliveredTo = 0;"],
    ("watermark-reset", "observatory_older_head.py", "unsafe"): [
        '-         self._plate_no = answer["head"]',
        '+         self._plate_no = max(self._plate_no, answer["head"])',
    ],
    ("watermark-reset", "bank_older_head.go", "unsafe"): [
        "- \tf.index = reply.Head",
        "+ \tif reply.Head > f.index {",
        "+ \t\tf.index = reply.Head",
        "+ \t}",
    ],
    ("watermark-reset", "cdc_loaded_file.go", "unsafe"): [
        "- \t\t\tt.emitted = t.load()",
        "+ \t\t\tif loaded := t.load(); loaded > t.emitted {",
        "+ \t\t\t\tt.emitted = loaded",
        "+ \t\t\t}",
    ],
    ("watermark-reset", "gym_class_resume.js", "unsafe"): [
        "-       lastSeenSeq = Number(sessionStorage.getItem(KEY));",
        "+       lastSeenSeq = Math.max(lastSeenSeq, Number(sessionStorage.getItem(KEY)));",
    ],
    # How much came says nothing about where it ends.
    ("watermark-reset", "podium_len.go", "unsafe"): [],
    ("watermark-reset", "harvest_count.go", "unsafe"): ["- \t\t\tf.acked = len(m.Loads)"],
    # A comment speaks of what would go.
    ("watermark-reset", "room_cursor_delete.ts", "unsafe"): [],
    ("stale-dedup-tracker", "airfield_mirror.go", "unsafe"): ["+ \t\tclear(m.applied)"],
    ("stale-dedup-tracker", "mail_syncmap.go", "unsafe"): ["+ \t\tw.fetched.Clear()"],
    ("stale-dedup-tracker", "kanban_promise_chain.js", "unsafe"): ["+           this.#handled.clear();"],
    # Before the batch is filtered by it, not only before it is marked.
    ("stale-dedup-tracker", "library_loans_sync.py", "unsafe"): [
        "+         if diverged:",
        "+             self.booked.clear()",
    ],
    # All keys would lose what one has.
    ("stale-dedup-tracker", "map_of_sets_wrong_key.js", "unsafe"): [],
    ("unguarded-append", "astronomy_narration.go", "unsafe"): [
        '+ \t"strings"',
        "- \t\tn.text += piece.Text",
        "+ \t\tif !strings.HasSuffix(n.text, piece.Text) {",
        "+ \t\t\tn.text += piece.Text",
        "+ \t\t}",
    ],
    ("unguarded-append", "chat_same_bubble.go", "unsafe"): [
        '+ import "strings"',
        "- \tnewest.body = newest.body + p.Body",
        "+ \tif !strings.HasSuffix(newest.body, p.Body) {",
        "+ \t\tnewest.body = newest.body + p.Body",
        "+ \t}",
    ],
    ("unguarded-append", "NovelCoauthor.tsx", "unsafe"): [
        "-       setDraft((written) => written + piece.words);",
        "+       setDraft((written) => written.endsWith(piece.words) ? written : written + piece.words);",
    ],
    ("unguarded-append", "document_bad.js", "unsafe"): [
        '-     const newHtml = (last.html || "") + msg.data.html;',
        '+     const newHtml = (last.html || "") + ((last.html || "").endsWith(msg.data.html) ? "" : msg.data.html);',
    ],
    ("unguarded-append", "auction_notes.py", "unsafe"): [
        '-     notes[lot] = notes.get(lot, "") + message["text"]',
        '+     if not notes.get(lot, "").endswith(message["text"]):',
        '+         notes[lot] = notes.get(lot, "") + message["text"]',
    ],
    # What is read there is not what was written.
    ("unguarded-append", "courthouse_transcript.js", "unsafe"): [],
}


@pytest.mark.parametrize(("rule", "name", "kind"), CHANGES, ids=lambda v: v)
def test_what_a_fix_changes(rule: str, name: str, kind: str):
    wanted = CHANGES[rule, name, kind]
    assert changed(rule, name, unsafe=kind == "unsafe") == wanted
    if kind == "unsafe":
        assert changed(rule, name, unsafe=False) == []


IMPORTS = {
    "none": ("", 'import "strings"\n\n'),
    "one": ('import "fmt"\n\n', 'import "strings"\nimport "fmt"\n\n'),
    "a list": ('import (\n\t"fmt"\n\t"time"\n)\n\n', 'import (\n\t"fmt"\n\t"strings"\n\t"time"\n)\n\n'),
    "a group of others": (
        'import (\n\t// Sockets.\n\t"github.com/gorilla/websocket"\n)\n\n',
        'import (\n\t"strings"\n\n\t// Sockets.\n\t"github.com/gorilla/websocket"\n)\n\n',
    ),
    "two groups": (
        'import (\n\t"fmt"\n\n\t"github.com/gorilla/websocket"\n)\n\n',
        'import (\n\t"fmt"\n\t"strings"\n\n\t"github.com/gorilla/websocket"\n)\n\n',
    ),
    "there already": ('import "strings"\n\n', 'import "strings"\n\n'),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_an_import_that_a_fix_needs(case: str, compilers: Compilers):
    before, after = IMPORTS[case]
    head, body = bare(FIXTURES / "unguarded-append" / "lantern_words.go").split(b"\n\n", 1)
    text = head + b"\n\n" + before.encode() + body
    result = correct(text, "a.go", settings_of("unguarded-append"), unsafe=True)
    assert len(result.fixed) == 1
    assert result.text.startswith(head + b"\n\n" + after.encode() + b"type ")
    assert compilers.go_layout(result.text) == result.text


def test_a_package_that_goes_by_another_name_is_not_guessed():
    head, body = bare(FIXTURES / "unguarded-append" / "lantern_words.go").split(b"\n\n", 1)
    text = head + b'\n\nimport str "strings"\n\n' + body
    assert correct(text, "a.go", settings_of("unguarded-append"), unsafe=True).text == text


def test_a_branch_without_braces_gets_them():
    text = """\
export class Board {
  seen = new Set();
  top = 0;
  live(e) {
    if (this.seen.has(e.id)) return;
    this.seen.add(e.id);
    this.top = e.id;
    this.show(e);
  }
  onPage(page) {
    if (this.top > page.top) this.top = 0;
    // Each of them.
    for (const e of page.rows) {
      if (this.seen.has(e.id)) continue;
      this.seen.add(e.id);
      this.show(e);
    }
  }
}
"""
    result = correct(text.encode(), "a.js", settings_of("stale-dedup-tracker"), unsafe=True)
    assert result.text.decode() == text.replace(
        "page.top) this.top = 0;\n", "page.top) {\n      this.top = 0;\n      this.seen.clear();\n    }\n"
    )


def test_what_is_reset_before_a_loop_stands_before_its_comment():
    text = """\
class Board:
    def __init__(self):
        self.seen = set()
        self.top = 0

    def live(self, e):
        if e.no in self.seen:
            return
        self.seen.add(e.no)
        self.top = e.no
        self.show(e)

    def on_page(self, page):
        stale = self.top > page.top

        # Each of them.
        for e in page.rows:
            if e.no in self.seen:
                continue
            self.seen.add(e.no)
            self.show(e, stale)
"""
    result = correct(text.encode(), "a.py", settings_of("stale-dedup-tracker"), unsafe=True)
    assert result.text.decode() == text.replace(
        "\n        # Each", "\n        if stale:\n            self.seen.clear()\n        # Each"
    )
