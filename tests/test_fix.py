"""Fixes: every bad fixture of timer-not-cleared, the texts that come out, and what must not be touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from bare import comments
from compilers import Compilers

from wsantipattern import pack
from wsantipattern.analysis import Settings, analyze
from wsantipattern.finding import Finding
from wsantipattern.fix.correct import Corrected, correct, with_fixes

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures" / "timer-not-cleared"
SETTINGS = Settings(packs=(str(pack.builtin_folder()),))
TIMERS = Settings(packs=SETTINGS.packs, rules=("timer-not-cleared",))
BAD = sorted(
    p
    for p in FIXTURES.iterdir()
    if b"expect: timer-not-cleared" in p.read_bytes() and not p.stem.endswith(".fixed")
)

UNSAFE = {
    "ask_by_token.py",
    "stored_backup.ts",
    "avatar_upload_chain.js",
    "backup_watch.py",
    "duel_referee.go",
    "kernel_greeting.ts",
    "locksmith_wait.js",
    "lobby_requests.js",
    "pairing_code.js",
    "parcel_sink.ts",
    "prompt_autocomplete.ts",
    "replica_scan.go",
    "thumbnail_worker.ts",
    "typing_loop.go",
}


def fixed(text: str, name: str, *, unsafe: bool = False, settings: Settings = TIMERS) -> Corrected:
    return correct(text.encode(), name, settings, unsafe=unsafe)


def suggested(text: str, name: str, settings: Settings = SETTINGS) -> list[Finding]:
    found, errors = analyze(text.encode(), name, settings)
    assert not errors
    return with_fixes(found, text.encode(), name, settings)


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.name)
def test_every_bad_fixture_is_fixed_and_the_result_is_clean_and_stable(path: Path, compilers: Compilers):
    text = path.read_bytes()
    before, _ = analyze(text, path.name, TIMERS)
    result = correct(text, path.name, TIMERS, unsafe=True)
    assert len(result.fixed) == len(before)
    assert not result.left
    assert analyze(result.text, path.name, TIMERS) == ([], [])
    again = correct(result.text, path.name, TIMERS, unsafe=True)
    assert (again.text, again.fixed) == (result.text, [])
    assert compilers.problems(path.name, result.text) == []
    lost = set(comments(text, path)) - set(comments(result.text, path))
    assert not lost


def test_how_many_fixtures_are_fixed_and_which_only_when_asked_for():
    safe, unsafe = 0, set()
    for path in BAD:
        for finding in with_fixes(
            analyze(path.read_bytes(), path.name, TIMERS)[0], path.read_bytes(), path.name, TIMERS
        ):
            assert finding.fix is not None, path.name
            if finding.fix.safe:
                safe += 1
            else:
                unsafe.add(path.name)
    assert unsafe == UNSAFE
    assert safe >= 46


GOLDEN = {
    "last in the try, so it moves": (
        "a.js",
        """\
async function save(draft) {
  // Somebody waits.
  const hint = setTimeout(() => warn("slow"), 5000);
  try {
    await send(draft); // the slow part
    clearTimeout(hint);
  } catch (problem) {
    report(problem);
  }
}
""",
        """\
async function save(draft) {
  // Somebody waits.
  const hint = setTimeout(() => warn("slow"), 5000);
  try {
    await send(draft); // the slow part
  } catch (problem) {
    report(problem);
  } finally {
    clearTimeout(hint);
  }
}
""",
    ),
    "a finally that is there takes it first": (
        "a.ts",
        """\
async function save(draft: string) {
  const hint = setTimeout(() => warn("slow"), 5000)
  try {
    await send(draft)
    clearTimeout(hint)
  } finally {
    await unlock()
  }
}
""",
        """\
async function save(draft: string) {
  const hint = setTimeout(() => warn("slow"), 5000)
  try {
    await send(draft)
  } finally {
    clearTimeout(hint)
    await unlock()
  }
}
""",
    ),
    "no try, and literals over several lines stay": (
        "a.js",
        """\
async function save(draft) {
\tconst hint = setTimeout(() => warn("slow"), 5000);

\t// The text is sent as it is.
\tconst answer = await send(`Dear all,
  ${draft}
yours`);
\tclearTimeout(hint);
\treturn answer;
}
""",
        """\
async function save(draft) {
\tconst hint = setTimeout(() => warn("slow"), 5000);

\ttry {
\t\t// The text is sent as it is.
\t\tconst answer = await send(`Dear all,
  ${draft}
yours`);
\t\treturn answer;
\t} finally {
\t\tclearTimeout(hint);
\t}
}
""",
    ),
    "what is waited for after the clear is not watched over": (
        "a.js",
        """\
async function save(draft) {
  const hint = setTimeout(() => warn("slow"), 5000);
  await send(draft);
  clearTimeout(hint);
  await celebrate();
}
""",
        """\
async function save(draft) {
  const hint = setTimeout(() => warn("slow"), 5000);
  try {
    await send(draft);
  } finally {
    clearTimeout(hint);
  }
  await celebrate();
}
""",
    ),
    "a clear with a comment stays": (
        "a.js",
        """\
async function save(draft) {
  const hint = setTimeout(() => warn("slow"), 5000);
  try {
    await send(draft);
    clearTimeout(hint); // in time
  } catch (problem) {
    report(problem);
  }
}
""",
        """\
async function save(draft) {
  const hint = setTimeout(() => warn("slow"), 5000);
  try {
    await send(draft);
    clearTimeout(hint); // in time
  } catch (problem) {
    report(problem);
  } finally {
    clearTimeout(hint);
  }
}
""",
    ),
    "Python keeps every comment and string": (
        "a.py",
        '''\
async def save(loop, draft):
    hint = loop.call_later(5, warn, "slow")  # somebody waits

    # The text is sent as it is.
    answer = await send("""Dear all,
  %s
yours""" % draft)
    # Enough.
    hint.cancel()
    return answer  # done
''',
        '''\
async def save(loop, draft):
    hint = loop.call_later(5, warn, "slow")  # somebody waits

    try:
        # The text is sent as it is.
        answer = await send("""Dear all,
  %s
yours""" % draft)
        # Enough.
        hint.cancel()
        return answer  # done
    finally:
        hint.cancel()
''',
    ),
    "Go defers after the check of the error that comes with it": (
        "a.go",
        """\
package a

import (
	"context"
	"time"
)

func Save(parent context.Context, store Store) error {
	ctx, stop := context.WithTimeout(parent, time.Second) // a second is enough
	if err := store.Put(ctx); err != nil {
		return err
	}
	stop()
	return nil
}
""",
        """\
package a

import (
	"context"
	"time"
)

func Save(parent context.Context, store Store) error {
	ctx, stop := context.WithTimeout(parent, time.Second) // a second is enough
	defer stop()
	if err := store.Put(ctx); err != nil {
		return err
	}
	stop()
	return nil
}
""",
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_the_text_that_comes_out(case: str):
    name, before, after = GOLDEN[case]
    assert fixed(before, name).text.decode() == after
    assert fixed(after, name).text.decode() == after


UNTOUCHED = {
    "another owner on one way": (
        "a.js",
        """\
async function save(draft) {
  const hint = setTimeout(() => warn("slow"), 5000);
  const answer = await send(draft);
  if (answer.later) {
    pending.set(answer.id, hint);
    return;
  }
  clearTimeout(hint);
}
""",
    ),
    "the body of the answer is read under the context": (
        "a.go",
        """\
package a

import (
	"context"
	"net/http"
	"time"
)

func Get(parent context.Context, client *http.Client, request *http.Request) (*http.Response, error) {
	ctx, stop := context.WithTimeout(parent, time.Minute)
	response, err := client.Do(request.WithContext(ctx))
	if err != nil {
		stop()
		return nil, err
	}
	return response, nil
}
""",
    ),
    "cleared only where something failed": (
        "a.js",
        """\
async function save(draft) {
  const hint = setTimeout(() => remind(draft), 5000);
  try {
    await send(draft);
  } catch (problem) {
    clearTimeout(hint);
    report(problem);
    return false;
  }
  return true;
}
""",
    ),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_what_may_be_meant_is_left_alone(case: str):
    name, text = UNTOUCHED[case]
    assert fixed(text, name).text.decode() == text


def test_a_text_that_does_not_parse_is_left_alone():
    text = GOLDEN["last in the try, so it moves"][1] + "\nfunction (\n"
    assert fixed(text, "a.js", unsafe=True).text.decode() == text


@pytest.mark.parametrize("name", ["a.js", "a.py", "a.go"])
def test_line_ends_stay(name: str):
    case = next(g for g in GOLDEN.values() if g[0] == name)
    before, after = (text.replace("\n", "\r\n") for text in case[1:])
    assert fixed(before, name).text.decode() == after


def test_bytes_that_are_no_utf8_stay():
    for name, before, after in (
        GOLDEN["last in the try, so it moves"],
        GOLDEN["Python keeps every comment and string"],
    ):
        raw, wanted = (
            text.replace("yours", "y\xfc").replace("slow part", "sl\xfcw").encode("latin-1")
            for text in (before, after)
        )
        assert b"\xfc" in raw
        assert correct(raw, name, TIMERS).text == wanted


def test_two_timers_in_one_function():
    text = """\
async function save(draft) {
  const hint = setTimeout(() => warn("slow"), 5000);
  const nag = setInterval(() => warn("slower"), 9000);
  await send(draft);
  clearTimeout(hint);
  clearInterval(nag);
}
"""
    result = fixed(text, "a.js")
    assert len(result.fixed) == 2
    assert not result.left
    assert fixed(result.text.decode(), "a.js").text == result.text


HOSTS = {
    "a.md": "# Notes\n\n> Like this:\n>\n> ```js\n{}> ```\n\nand so on\n",
    "b.md": "- point\n\n  ```js\n{}  ```\n",
    "a.html": "<html>\n<script>\n{}</script>\n</html>\n",
    "a.vue": '<template><p>x</p></template>\n<script lang="ts">\n{}</script>\n',
}


@pytest.mark.parametrize("name", HOSTS)
def test_embedded_code_is_fixed_in_its_place(name: str):
    _, before, after = GOLDEN["last in the try, so it moves"]
    margin = {"a.md": "> ", "b.md": "  "}.get(name, "")
    host = HOSTS[name]
    old, new = (
        host.format("".join(f"{margin}{line}" for line in text.splitlines(keepends=True)))
        for text in (before, after)
    )
    assert fixed(old, name).text.decode() == new


def test_fragments_of_python_and_go_in_markdown():
    python = """\
```python
    async def save(loop, draft):
        hint = loop.call_later(5, warn, "slow")
        await send(draft)
        hint.cancel()
```
"""
    go = """\
```go
ctx, stop := context.WithTimeout(parent, time.Second)
if err := store.Put(ctx); err != nil {
	return err
}
stop()
return nil
```
"""
    for text in (python, go):
        result = fixed(text, "a.md", unsafe=True)
        if result.fixed:
            assert not result.left
            assert result.text.startswith(b"```")
            assert result.text.endswith(b"```\n")
        else:
            assert result.text.decode() == text
    assert (
        fixed(python, "a.md").text.decode()
        == """\
```python
    async def save(loop, draft):
        hint = loop.call_later(5, warn, "slow")
        try:
            await send(draft)
        finally:
            hint.cancel()
```
"""
    )


# -- what a report gets ----------------------------------------------------------------------------


def test_the_edits_of_a_finding_give_the_fixed_text():
    name, before, after = GOLDEN["no try, and literals over several lines stay"]
    (finding,) = suggested(before, name, TIMERS)
    assert finding.fix is not None
    assert finding.fix.safe
    assert finding.fix.title == "clear `hint` in `finally`"
    lines = before.splitlines(keepends=True)
    for edit in sorted(finding.fix.edits, key=lambda e: e.span, reverse=True):
        assert (edit.span.start.column, edit.span.end.column) in ((1, 1),)
        lines[edit.span.start.line - 1 : edit.span.end.line - 1] = [edit.text]
    assert "".join(lines) == after


EXAMPLES = ROOT / "rules" / "examples"


@pytest.mark.parametrize(
    "name",
    [
        "stale-dedup-tracker.bad.go",
        "stale-dedup-tracker.bad.js",
        "stale-dedup-tracker.bad.py",
        "unguarded-append.bad.js",
    ],
)
def test_other_rules_have_unsafe_fixes(name: str, compilers: Compilers):
    text = (EXAMPLES / name).read_text()
    (finding,) = suggested(text, name)
    assert finding.fix is not None
    assert finding.fix.edits
    assert not finding.fix.safe
    assert fixed(text, name, settings=SETTINGS).text.decode() == text
    result = fixed(text, name, settings=SETTINGS, unsafe=True)
    assert len(result.fixed) == 1
    assert not result.left
    assert compilers.problems(name, result.text) == []


def test_a_watermark_is_left_as_it_is():
    text = (
        (EXAMPLES / "watermark-reset.bad.go")
        .read_text()
        .replace(" // what was delivered will be sent again", "")
    )
    (finding,) = suggested(text, "a.go")
    assert finding.fix is not None
    assert finding.fix.title == "leave `s.lastOffset` as it is"
    result = fixed(text, "a.go", settings=SETTINGS)
    assert result.text.decode() == text.replace("\t\ts.lastOffset = 0\n", "")


def test_liveness_is_advice_in_words():
    text = (EXAMPLES / "ready-state-only.bad.js").read_text()
    found, _ = analyze(text.encode(), "a.js", SETTINGS)
    fixes = [f.fix for f in found if f.rule == "ready-state-only"]
    assert fixes
    assert all(fix is not None and "ping" in fix.title and not fix.edits for fix in fixes)
    assert fixed(text, "a.js", settings=SETTINGS, unsafe=True).text.decode() == text


def test_a_tracker_that_only_words_speak_of_is_not_emptied():
    text = (ROOT / "fixtures/stale-dedup-tracker/playlist_words.go").read_text()
    found = [f for f in suggested(text, "a.go") if f.rule == "stale-dedup-tracker"]
    assert found
    assert all(finding.fix is None for finding in found)
