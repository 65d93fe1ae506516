"""What a code review is told: places, suggestions, texts, as the bodies of the services' calls."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from report_samples import CONTEXT, REPORT, contexts, reports, span

from wsantipattern.finding import Change, Edit, Finding, Fix, Report, Severity
from wsantipattern.report import REVIEW_FORMATS, RenderContext, Shown, render
from wsantipattern.report.comment import LIMIT, marked, no_longer

TIMER = REPORT.findings[1]


def shown(*ranges: tuple[int, int], **more: object) -> RenderContext:
    return replace(CONTEXT, shown={"src/send.js": Shown(ranges, **more)}, folder="web", commit="abc")


def github(report: Report, context: RenderContext) -> dict:
    return json.loads(render(report, "github-review", context))


def fixed(finding: Finding, *edits: Edit, safe: bool = True) -> Report:
    return Report([replace(finding, fix=Fix("clear `slowNotice` in `finally`", edits, safe))])


def test_a_comment_for_each_finding_that_the_diff_shows_and_a_summary_of_the_rest():
    body = github(REPORT, shown((2, 5)))
    assert list(body) == ["commit_id", "event", "body", "comments"]
    assert (body["commit_id"], body["event"]) == ("abc", "COMMENT")
    (comment,) = body["comments"]
    assert (comment["path"], comment["line"], comment["side"]) == ("web/src/send.js", 4, "RIGHT")
    text = comment["body"]
    assert text.startswith(
        "**error** `timer-not-cleared`: `slowNotice` is still armed when `publish` fails\n"
    )
    assert "2. `web/src/send.js:3` this `await` may reject\n" in text
    assert marked(text) == "fedcba9876543210"
    assert "- ``web/src/feed|`odd`.py:3`` **warning** `unguarded-append`" in body["body"]
    assert "`src/broken.go`: is not valid UTF\\-8" in body["body"]
    assert marked(body["body"]) == "summary"


def test_a_suggestion_replaces_the_lines_it_stands_on():
    (comment,) = github(fixed(TIMER, *TIMER.fix.edits), shown((2, 5)))["comments"]
    assert (comment["start_line"], comment["start_side"], comment["line"]) == (3, "RIGHT", 4)
    suggestion = comment["body"].split("```suggestion\n")[1].split("\n```\n")[0]
    assert suggestion == '\ttry { const title = "通知"; await post(item, title);\n\t'
    assert "It is at `web/src/send.js:2`." in comment["body"]
    assert "Look before" not in comment["body"]
    (comment,) = github(fixed(TIMER, *TIMER.fix.edits, safe=False), shown((2, 5)))["comments"]
    assert "Look before you accept it" in comment["body"]


def test_a_fix_that_the_diff_does_not_show_stays_words():
    for ranges in ([(2, 3)], [(1, 3), (4, 9)]):
        (comment,) = github(fixed(TIMER, *TIMER.fix.edits), shown(*ranges))["comments"]
        assert comment["line"] == 2
        assert "start_line" not in comment
        assert "suggestion" not in comment["body"]
        assert "Fix: clear `slowNotice` in `finally`." in comment["body"]


def test_whole_lines_are_taken_out_and_put_in():
    gone = Edit(span(4, 1, 5, 1), "")
    (comment,) = github(fixed(TIMER, gone), shown((2, 5)))["comments"]
    assert comment["line"] == 4
    assert "```suggestion\n```\n" in comment["body"]
    added = Edit(span(4, 1, 4, 1), "\t// `````\n")
    (comment,) = github(fixed(TIMER, added), shown((2, 5)))["comments"]
    assert comment["line"] == 4
    assert "``````suggestion\n\t// `````\n\tclearTimeout(slowNotice);\n``````\n" in comment["body"]
    overlapping = (Edit(span(3, 1, 3, 9), ""), Edit(span(3, 4, 3, 12), ""))
    assert "suggestion" not in github(fixed(TIMER, *overlapping), shown((2, 5)))["comments"][0]["body"]
    beyond = Edit(span(90, 1, 90, 1), "x")
    assert "suggestion" not in github(fixed(TIMER, beyond), shown((2, 99)))["comments"][0]["body"]


def test_where_the_line_is_not_shown_a_line_of_the_trace_may_be():
    bare = Report([replace(TIMER, fix=None)])
    (comment,) = github(bare, shown((3, 5)))["comments"]
    assert comment["line"] == 3
    assert "It is at `web/src/send.js:2`." in comment["body"]
    body = github(bare, shown((40, 50)))
    assert body["comments"] == []
    assert "`web/src/send.js:2` **error** `timer-not-cleared`" in body["body"]
    assert "  2. `web/src/send.js:3` this `await` may reject" in body["body"]


def test_threads_for_gitlab():
    context = shown((2, 5), before={2: 2, 3: 4}, old_path="web/src/old.js")
    plain, summary = json.loads(render(Report([replace(TIMER, fix=None)]), "gitlab-review", context))
    assert plain["position"] == {
        "position_type": "text",
        "old_path": "web/src/old.js",
        "new_path": "web/src/send.js",
        "new_line": 2,
        "old_line": 2,
    }
    assert list(summary) == ["body"]
    thread, _ = json.loads(render(fixed(TIMER, *TIMER.fix.edits), "gitlab-review", context))
    assert thread["position"]["new_line"] == 4
    assert "old_line" not in thread["position"]
    assert "```suggestion:-1+0\n" in thread["body"]


def test_a_change_is_summed_up():
    report = Report([TIMER], checked=2, change=Change("main", (REPORT.findings[0],), 3))
    text = github(report, shown((2, 5)))["body"]
    assert "1 new finding \\(1 error\\)" in text or "1 new finding (1 error)" in text
    assert "1 fixed, 3 there already" in text
    assert "Fixed:\n\n- `unguarded-append`" in text


def test_texts_stay_below_the_services_limits():
    many = [
        replace(TIMER, message="x" * 9_000, fingerprint=str(number), severity=Severity.NOTE)
        for number in range(200)
    ]
    text = github(Report(many), CONTEXT)["body"]
    assert len(text) <= LIMIT
    assert marked(text) == "summary"
    assert "(cut)" in text


def test_a_finding_that_is_gone_is_said_so_once():
    text = github(REPORT, shown((2, 5)))["comments"][0]["body"]
    gone = no_longer(text)
    assert gone is not None
    assert gone.startswith("**No longer found.** ~~**error** `timer-not-cleared`")
    assert marked(gone) == "fedcba9876543210"
    assert no_longer(gone.replace("\n", "\r\n")) is None
    assert marked("nothing hidden") is marked("") is None


@settings(max_examples=60, deadline=None)
@given(reports, contexts())
def test_every_finding_is_told_somewhere(report: Report, context: RenderContext) -> None:
    everything = {f.path: Shown(((1, 99),)) for f in report.findings[::2]}
    context = replace(context, shown=everything)
    for format in REVIEW_FORMATS:
        data = json.loads(render(report, format, context))
        comments = data["comments"] if format == "github-review" else data[:-1]
        summary = data["body"] if format == "github-review" else data[-1]["body"]
        expected = sum(finding.path in everything for finding in report.findings)
        assert len(comments) == expected
        assert marked(summary) == "summary"
        for comment in comments:
            assert marked(comment["body"]) in ("", "abc123")
