"""`explain --at`: the reasons are those of the decision, every silence has one, and the answers can be read."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from wsantipattern import pack
from wsantipattern.analysis import Settings, analyze
from wsantipattern.cli import main
from wsantipattern.files import ending_of, is_known
from wsantipattern.finding import Confidence
from wsantipattern.fixture import Annotation, annotations_of
from wsantipattern.languages import modules
from wsantipattern.languages.comments import comments
from wsantipattern.source import Source
from wsantipattern.why import Inquiry, Verdict

FIXTURES = Path(__file__).parent.parent / "fixtures"
SETTINGS = Settings((str(pack.builtin_folder()),), min_confidence=Confidence.LOW)
RULES = tuple(rule.id for rule in pack.builtin())

SILENT = [
    # rule, fixture, what its `ok` says, what decides, the line that decided (None: no place of its own)
    ("ready-state-only", "deadline_reader.go", "missed pongs run into", "a read deadline", None),
    ("ready-state-only", "age_check.go", "the age of the last message", "tells of the peer's life", 44),
    ("ready-state-only", "greenhouse_mqtt.go", "MQTT with its own", "of the transport mqtt", None),
    ("ready-state-only", "hub_mailbox.go", "no state is asked", "no condition guards this send", None),
    ("ready-state-only", "closing_handshake.go", "a close frame", "sends no content", None),
    ("ready-state-only", "beat_counter.go", "three missed beats", "unanswered beats are counted", 35),
    ("ready-state-only", "events_nats.go", "NATS over TCP", "nothing in this file names", None),
    ("ready-state-only", "acknowledged_moves.js", "a missing acknowledgement", "a timer closes", None),
    ("ready-state-only", "deno_chat.ts", "Deno closes a peer", "deno itself notices", None),
    ("ready-state-only", "document_good.js", "the keepalives that were", "tells of the peer's life", 27),
    ("ready-state-only", "graceful_goodbye.js", "closes, does not send", "not known to be a WebSocket", None),
    ("ready-state-only", "auction_paddle.tsx", "the hook's heartbeat", "react-use-websocket itself", None),
    ("ready-state-only", "awaited_receipt.py", "a missing receipt", "a wait for the peer's answer", None),
    ("ready-state-only", "crypto_feed_heartbeat.py", "heartbeat=15", "aiohttp itself notices", None),
    ("ready-state-only", "arcade_socketio.py", "socket.io has its own", "of the transport socket.io", None),
    (
        "ready-state-only",
        "buoy_missed_replies.py",
        "three unanswered",
        "when the peer has not been heard",
        32,
    ),
    ("stale-dedup-tracker", "pasta_orders_first.go", "a new map", "is emptied before this can tell", 22),
    ("stale-dedup-tracker", "beaver_dam_clear.go", "cleared when", "is emptied here on every way", 21),
    ("stale-dedup-tracker", "archive_upsert.go", "the map is the copy", "is no tracker", None),
    (
        "stale-dedup-tracker",
        "prosthetics_jobs.go",
        "local to the call",
        "lives no longer than this call",
        None,
    ),
    (
        "stale-dedup-tracker",
        "courier_goroutine_delegates.go",
        "the diverged route",
        "leaves, or delegates",
        24,
    ),
    (
        "stale-dedup-tracker",
        "blood_bank_stock.ts",
        "cleared on the stale",
        "is emptied here on every way",
        11,
    ),
    ("stale-dedup-tracker", "contacts_view_map.js", "an upsert into", "is no tracker", None),
    ("stale-dedup-tracker", "choir_rehearsal_log.ts", "always cleared first", "is emptied before this", 15),
    (
        "stale-dedup-tracker",
        "ambulance_board_leave.py",
        "the stale branch",
        "is emptied here on every way",
        15,
    ),
    (
        "stale-dedup-tracker",
        "choir_local_set.py",
        "lives in this call",
        "lives no longer than this call",
        None,
    ),
    ("stale-dedup-tracker", "drone_early_return.py", "a plan that ran", "leaves, or delegates", 19),
    ("timer-not-cleared", "boot_fatal.go", "the path without cancel", "every way out of", 24),
    ("timer-not-cleared", "scoped_context.go", "returned directly", "is returned: clearing it is for", None),
    ("timer-not-cleared", "camera_timeouts.go", "time.After has no", "nothing in", None),
    ("timer-not-cleared", "save_debounce.go", "debounce in a field", "only where something failed", 21),
    ("timer-not-cleared", "BatteryGauge.tsx", "cleared by the effect", "nothing in", None),
    ("timer-not-cleared", "bounded_promise.ts", "the race ends in finally", "every way out of", 15),
    ("timer-not-cleared", "backoff_sleep.ts", "a sleep", "fire and forget", None),
    ("timer-not-cleared", "autosave_field.ts", "lives in a field", "only where something failed", 15),
    ("timer-not-cleared", "codegen_lock.py", "cancelled before re-raising", "every way out of", 19),
    ("timer-not-cleared", "welcome_greeter.py", "nobody means to cancel", "fire and forget", None),
    ("timer-not-cleared", "search_as_you_type.py", "debounce", "only where something failed", 21),
    ("timer-outlives-owner", "gateway_redial.go", "Open looks at the flag", "comes to nothing of the", None),
    ("timer-outlives-owner", "feed_client.go", "the read loop asks", "or calls what may clear it", None),
    ("timer-outlives-owner", "bot_gateway.ts", "destroy clears it", "or calls what may clear it", None),
    ("timer-outlives-owner", "board_server.js", "the close handler", "has no end in this file", None),
    ("timer-outlives-owner", "live_scores.py", "only ends the wait", "fires is not in this file", None),
    ("timer-outlives-owner", "bot_session.py", "close gives all", "or calls what may clear it", None),
    ("unguarded-append", "art_catalogue_seen.go", "fresh() consults", "a test on the way", 21),
    ("unguarded-append", "inventory_upsert.go", "a number", "is a number that is counted", None),
    ("unguarded-append", "inventory_upsert.go", "written over", "is replaced, or written at a key", None),
    ("unguarded-append", "opinion_body.go", "one response", "nothing in", None),
    ("unguarded-append", "GraffitiWall.tsx", "only when no tag", "a test on the way", 14),
    ("unguarded-append", "feed_counters.ts", "a counter", "is a number that is counted", None),
    (
        "unguarded-append",
        "document_whole_text.ts",
        "the whole text replaces",
        "is replaced, or written",
        None,
    ),
    ("unguarded-append", "briefing_suffix.py", "only when the text", "a test on the way", 12),
    ("unguarded-append", "bus_seat_counts.py", "a counter", "is a number that is counted", None),
    ("unguarded-append", "grader_pipe.py", "the pipe of a child", "is no content of a message", None),
    ("watermark-reset", "cider_press_epoch.go", "another epoch", "another stream or session begins", 16),
    ("watermark-reset", "copy_of_peer.go", "anything lower has", "was compared with it before", 61),
    ("watermark-reset", "abbey_new.go", "first initialisation", "this function made it itself", None),
    ("watermark-reset", "beacon_for_raise.go", "an error path", "is no watermark", None),
    ("watermark-reset", "aquifer_shut.go", "closed as a whole", "the stream ends on this way", None),
    ("watermark-reset", "cluster_epoch.js", "another epoch", "another stream or session begins", 20),
    (
        "watermark-reset",
        "WarehouseBoard.tsx",
        "the view is emptied",
        "is dropped or reset on the same way",
        22,
    ),
    ("watermark-reset", "ballot_tip_guard.ts", "an older head", "was compared with it before", 31),
    ("watermark-reset", "aquarium_tickets.ts", "first initialisation", "starts here", None),
    ("watermark-reset", "archive_reading_room.py", "the list is emptied", "is dropped or reset", 29),
    ("watermark-reset", "bakery_oven_max.py", "max never lowers", "is made of what it held", 24),
    ("watermark-reset", "atlas_is_newer.py", "the method says", "was compared with it before", 34),
    ("watermark-reset", "abacus_school_init.py", "first initialisation", "starts here", None),
    ("watermark-reset", "aquifer_close.py", "the handler ends", "the stream ends on this way", None),
]

EVIDENCE = {
    "ready-state-only": ("guards the send", "nothing in the file asks the peer"),
    "stale-dedup-tracker": ("no reset of", "is a tracker|only words say"),
    "timer-not-cleared": (
        "is a timer:",
        "there is a way on which|another handler of the",
    ),
    "timer-outlives-owner": ("can outlive the call that arms it", "its owner ends in", "the end "),
    "unguarded-append": ("this is content of a message", "no test on the way"),
    "watermark-reset": ("what it gets ",),
}
"""What every finding of a rule names; alternatives with `|`."""


@cache
def source(file: Path) -> Source:
    return Source.decode(str(file), file.read_bytes())


def files(rule: str) -> list[Path]:
    found = sorted((FIXTURES / rule).rglob("*"))
    return [f for f in found if f.is_file() and is_known(f.name) and ".fixed." not in f.name]


@cache
def annotations(file: Path) -> list[Annotation]:
    text, ending = source(file), ending_of(file.name)
    return annotations_of(text, comments(text.text, ending, modules(text.text, str(file), ending)))[0]


@cache
def inquiry(file: Path) -> Inquiry:
    found = Inquiry(source(file), SETTINGS)
    found.examined.modules.clear()  # the graphs of hundreds of files are not needed any more
    return found


def verdict(file: Path, line: int, rule: str) -> Verdict:
    (found,) = inquiry(file).ask(line, rules=[rule]).verdicts
    return found


def has_reason(found: Verdict) -> bool:
    """Whether a verdict names what decided about this very place, or why the rule did not look at it."""
    if found.state == "finding":  # at the lowest confidence, which nobody sees who does not ask for it
        findings = [c.finding for c in found.candidates if c.finding is not None]
        return all(finding.confidence == Confidence.LOW for finding in findings)
    return found.state in ("silent", "passed") or (found.state == "nothing" and bool(found.candidates))


@pytest.mark.parametrize(("rule", "name", "said", "reason", "at"), SILENT)
def test_what_keeps_a_rule_silent(rule, name, said, reason, at):
    file = FIXTURES / rule / name
    lines = [a.line for a in annotations(file) if a.kind == "ok" and a.text.startswith(said)]
    assert lines
    found = [verdict(file, line, rule) for line in lines]
    notes = [n for v in found for c in v.candidates for n in c.notes if n.verdict in ("silent", "aside")]
    reasons = [n.reason for n in notes] or [v.why for v in found]
    assert any(reason in text for text in reasons), reasons
    if at is not None:
        assert at in {n.at.start.line for n in notes if reason in n.reason and n.at is not None}


@pytest.mark.parametrize("rule", RULES)
def test_findings_are_the_same_with_an_account(rule):
    for file in files(rule):
        examined = inquiry(file).examined
        found = [entry.finding for entry in examined.found]
        assert (found, examined.errors) == analyze(source(file).text, str(file), SETTINGS), file


@pytest.mark.parametrize("rule", RULES)
def test_nearly_every_silence_has_a_reason(rule):
    places = [
        (file, a) for file in files(rule) for a in annotations(file) if (a.kind, a.rule) == ("ok", rule)
    ]
    without = [f"{f.name}:{a.line} {a.text}" for f, a in places if not has_reason(verdict(f, a.line, rule))]
    assert len(places) >= 24
    assert len(without) <= len(places) * 0.05, without


@pytest.mark.parametrize("rule", RULES)
def test_every_finding_names_its_evidence(rule):
    count: Counter[str] = Counter()
    for file in files(rule):
        for a in annotations(file):
            if (a.kind, a.rule) != ("expect", rule):
                continue
            found = verdict(file, a.line, rule)
            assert found.state == "finding", (file, a.line)
            candidates = [c for c in found.candidates if c.finding is not None]
            assert candidates
            for candidate in candidates:
                reasons = [n.reason for n in candidate.notes]
                for wanted in EVIDENCE[rule]:
                    alternatives = wanted.split("|")
                    assert any(w in r for w in alternatives for r in reasons), (file, a.line, reasons)
                assert not any(n.verdict in ("silent", "aside") for n in candidate.notes)
                finding = candidate.finding
                assert finding is not None
                if finding.confidence < Confidence.HIGH:
                    assert any(n.verdict == "weaker" for n in candidate.notes), (file, a.line, reasons)
            count[file.suffix] += 1
    assert {".go", ".js", ".py"} <= set(count)


def test_reasons_are_clauses():
    for rule in RULES:
        for file in files(rule):
            for note in inquiry(file).account.notes:
                assert note.reason, note
                assert not note.reason.endswith("."), note
                assert not note.reason[0].isupper(), note
                assert "{}" not in note.reason, note
                assert "\n" not in note.reason, note
                assert note.rule, note


# -- the command -----------------------------------------------------------------------------------

LEAK = """\
async function confirm(ws, note) {
  const slow = setTimeout(() => note("late"), 2000);
  await ws.receipt();
  clearTimeout(slow);
}

function quick(note) {
  const soon = setTimeout(note, 5);
  clearTimeout(soon);
}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "leak.js").write_text(LEAK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfdbinary, *arguments: str) -> tuple[int, str, str]:
    code = main(["explain", *arguments])
    out, err = capfdbinary.readouterr()
    return code, out.decode(), err.decode()


def told(capfdbinary, *arguments: str) -> dict:
    code, out, err = run(capfdbinary, *arguments, "--output-format", "json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["schema_version"] == 1
    answer["by"] = {entry["rule"]: entry for entry in answer["rules"]}
    return answer


def test_a_finding_with_its_evidence(project, capfdbinary):
    code, out, err = run(capfdbinary, "--at", "leak.js:2", "--color", "never")
    assert (code, err) == (0, "")
    assert "timer-not-cleared has a finding at 2:16 (error, high confidence)" in out
    assert "+ `slow` is a timer: `setTimeout` arms it" in out
    assert "+ `confirm` means to clear `slow`: it does so here" in out
    assert "   4 | clearTimeout(slow);" in out
    assert "this await may reject before the timer is cleared" in out
    assert "report it with the output of `wsantipattern explain --at leak.js:2 --output-format json`" in out
    assert "\x1b" not in out


def test_a_silence_with_its_reason(project, capfdbinary):
    code, out, _ = run(capfdbinary, "timer-not-cleared", "--at", "leak.js:8:16")
    assert code == 0
    assert "timer-not-cleared is silent about 8:16" in out
    assert "= because every way out of `quick` clears `soon` first" in out
    assert "other rules" not in out


def test_a_line_that_has_part_in_a_finding(project, capfdbinary):
    answer = told(capfdbinary, "--at", "leak.js:3")
    (candidate,) = answer["by"]["timer-not-cleared"]["candidates"]
    assert (candidate["is_here"], candidate["start"]["line"]) == (False, 2)


def test_a_line_with_nothing_names_the_nearest_places(project, capfdbinary):
    code, out, _ = run(capfdbinary, "--at", "leak.js:6", "--color", "never")
    assert code == 0
    assert "no rule has anything to look at on this line" in out
    assert "nearest places" in out
    assert "   8 | const soon" in out
    assert "it looks for a timer that is armed and kept in a variable, and there is none on this line" in out
    assert "ready-state-only" in out
    assert "it did not look at this file: nothing in this file names" in out


def test_the_function_that_the_prefilter_passes_over(project, capfdbinary):
    (project / "leak.js").write_text(LEAK + "\nfunction plain(a) {\n  return a;\n}\n")
    entry = told(capfdbinary, "--at", "leak.js:13")["by"]["timer-not-cleared"]
    assert entry["state"] == "passed"
    assert entry["why"].startswith("it did not look at `plain`: nothing in it names")


def test_why_a_finding_is_not_shown(project, capfdbinary):
    comment = "  // wsantipattern: ignore[timer-not-cleared] -- known\n"
    head, rest = LEAK.split("\n", 1)
    (project / "leak.js").write_text(f"{head}\n{comment}{rest}")
    entry = told(capfdbinary, "--at", "leak.js:3")["by"]["timer-not-cleared"]
    assert entry["state"] == "hidden"
    assert entry["candidates"][0]["hidden"] == "a comment in line 2 suppresses it"

    (project / "leak.js").write_text(LEAK)
    (project / "wsantipattern.toml").write_text('ignore = ["timer-not-cleared"]\n')
    entry = told(capfdbinary, "--at", "leak.js:2")["by"]["timer-not-cleared"]
    assert entry["state"] == "off"
    assert "switches it off" in entry["why"]

    (project / "wsantipattern.toml").write_text('[per-path-ignores]\n"*.js" = ["timer-not-cleared"]\n')
    entry = told(capfdbinary, "--at", "leak.js:2")["by"]["timer-not-cleared"]
    assert entry["state"] == "passed"
    assert "per-path-ignores" in entry["why"]


def test_what_a_baseline_accepts(project, capfdbinary):
    assert main(["baseline", "write", "leak.js"]) == 0
    capfdbinary.readouterr()
    entry = told(capfdbinary, "--at", "leak.js:2", "--baseline", "wsantipattern-baseline.json")["by"]
    assert entry["timer-not-cleared"]["candidates"][0]["hidden"] == (
        "the baseline wsantipattern-baseline.json accepts it"
    )


def test_below_the_minimum_confidence(project, capfdbinary):
    field = (
        LEAK.replace("const slow", "this.slow")
        .replace("(slow)", "(this.slow)")
        .replace("async function ", "async ")
    )
    text = "class Sender {\n" + field.split("\n\n")[0] + "\n  stop() { clearTimeout(this.slow); }\n}\n"
    (project / "leak.js").write_text(text)
    shown = told(capfdbinary, "--at", "leak.js:3")["by"]["timer-not-cleared"]
    entry = told(capfdbinary, "--at", "leak.js:3", "--min-confidence", "high")["by"]["timer-not-cleared"]
    assert shown["state"] == "finding"
    assert "weaker" in [reason["kind"] for reason in shown["candidates"][0]["reasons"]]
    assert entry["state"] == "hidden"
    assert entry["candidates"][0]["hidden"] == "its confidence is medium, below the minimum (high)"


def test_embedded_code_by_the_lines_of_its_host(project, capfdbinary):
    (project / "notes.md").write_text(f"# Notes\n\nProse.\n\n```js\n{LEAK}```\n")
    entry = told(capfdbinary, "--at", "notes.md:7")["by"]["timer-not-cleared"]
    assert entry["state"] == "finding"
    assert entry["candidates"][0]["start"]["line"] == 7
    assert entry["candidates"][0]["reasons"][1]["at"]["start"]["line"] == 9
    answer = told(capfdbinary, "--at", "notes.md:3")
    assert answer["remarks"] == [
        "line 3 holds no code of a language that is checked; the nearest stands in lines 6-15"
    ]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("Sender.vue", "<template>\n  <p>late</p>\n</template>\n<script>\n", "</script>\n"),
        ("sender.html", "<!doctype html>\n<p>late</p>\n<p>more</p>\n<script>\n", "</script>\n"),
    ],
)
def test_scripts_in_pages(project, capfdbinary, name, before, after):
    (project / name).write_text(before + LEAK + after)
    entry = told(capfdbinary, "--at", f"{name}:6")["by"]["timer-not-cleared"]
    assert entry["state"] == "finding"
    assert entry["candidates"][0]["start"]["line"] == 6
    entry = told(capfdbinary, "--at", f"{name}:12")["by"]["timer-not-cleared"]
    assert (entry["state"], entry["candidates"][0]["reasons"][-1]["at"]["start"]["line"]) == ("silent", 13)


@pytest.mark.parametrize(
    ("config", "remark"),
    [
        ('extend-exclude = ["leak.js"]\n', '`extend-exclude` has "leak.js"'),
        ('include = ["src/**"]\n', "no pattern of `include` matches it"),
        (None, "a .gitignore"),
    ],
)
def test_a_file_that_a_run_leaves_out(project, capfdbinary, config, remark):
    if config is None:
        (project / ".gitignore").write_text("leak.js\n")
    else:
        (project / "wsantipattern.toml").write_text(config)
    answer = told(capfdbinary, "--at", "leak.js:2")
    assert len(answer["remarks"]) == 1
    assert answer["remarks"][0].startswith("a run over the project leaves this file out: ")
    assert remark in answer["remarks"][0]
    assert answer["by"]["timer-not-cleared"]["state"] == "finding"


def test_a_generated_file(project, capfdbinary):
    (project / "leak.js").write_text("// @generated\n" + LEAK)
    answer = told(capfdbinary, "--at", "leak.js:3")
    assert answer["remarks"] == ["`check` leaves this file out: generated"]
    assert run(capfdbinary, "--at", "leak.js:3")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "missing argument: RULE, or --at FILE:LINE"),
        (("--at", "leak.js"), "--at leak.js: not FILE:LINE or FILE:LINE:COL, with numbers from 1"),
        (("--at", "leak.js:0"), "--at leak.js:0: not FILE:LINE"),
        (("--at", "leak.js:x"), "--at leak.js:x: not FILE:LINE"),
        (("--at", "leak.js:99"), "leak.js: there is no line 99, it has "),
        (("--at", "leak.js:2:99"), "leak.js:2: there is no column 99"),
        (("--at", "gone.js:1"), "gone.js: no such file"),
        (("--at", ".:1"), ".: is a directory"),
        (("--at", "notes.txt:1"), "notes.txt: no language has this ending"),
        (("no-such", "--at", "leak.js:1"), "there is no rule no-such"),
        (("--at", "leak.js:1", "--baseline", "gone.json"), "gone.json: no such file"),
        (
            ("--at", "leak.js:1", "--config", "a.toml", "--isolated"),
            "--config and --isolated exclude each other",
        ),
        (("--at", "leak.js:1", "--config", "gone.toml"), "gone.toml"),
    ],
)
def test_bad_input_is_one_line_and_code_2(project, capfdbinary, arguments, message):
    (project / "notes.txt").write_text("text\n")
    code, out, err = run(capfdbinary, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("wsantipattern: error: ")
    assert err.count("\n") == 1
    assert message in err
