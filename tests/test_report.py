"""Every format on one rich report, against golden files, contracts and schemas."""

from __future__ import annotations

import json
import os
import unicodedata
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator
from report_samples import CONTEXT, REPORT, RULE, SOURCES, span

from wsantipattern.finding import Confidence, FileError, Finding, Report, Severity
from wsantipattern.report import FORMATS, RenderContext, render
from wsantipattern.report.excerpt import crop

DATA = Path(__file__).parent / "data"
ENDINGS = {"json": "json", "sarif": "sarif", "junit": "xml", "markdown": "md"}


@pytest.fixture(scope="module")
def sarif_schema() -> Draft4Validator:
    return Draft4Validator(json.loads((DATA / "sarif-2.1.0.schema.json").read_text()))


@pytest.mark.parametrize(
    "format", ["text", "concise", "json", "sarif", "github", "gitlab", "rdjson", "junit", "markdown"]
)
def test_golden(format: str) -> None:
    golden = DATA / "report" / f"{format}.{ENDINGS.get(format, 'txt')}"
    text = render(REPORT, format, CONTEXT)
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("format", FORMATS)
def test_same_input_same_text_and_a_final_newline(format: str) -> None:
    text = render(REPORT, format, CONTEXT)
    assert text == render(REPORT, format, CONTEXT)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_unknown_format() -> None:
    with pytest.raises(ValueError, match="no report format 'yaml'"):
        render(REPORT, "yaml", CONTEXT)


def test_json_contract() -> None:
    report = json.loads(render(REPORT, "json", CONTEXT))
    assert list(report) == ["schema_version", "findings", "errors", "files"]
    assert report["schema_version"] == 1
    assert report["files"] == {"checked": 12, "skipped": 3}
    assert report["errors"] == [
        {"path": "src/broken.go", "message": "is not valid UTF-8: byte 0xff at offset 12"}
    ]
    first, second = report["findings"]
    assert list(first) == [
        "rule", "message", "severity", "confidence", "path", "start", "end", "trace", "fix", "fingerprint",
    ]  # fmt: skip
    assert first["fix"] is None
    assert first["start"] == {"line": 3, "column": 9}
    assert second["trace"][1] == {
        "path": "src/send.js",
        "start": {"line": 3, "column": 22},
        "end": {"line": 3, "column": 45},
        "message": "this `await` may reject",
    }
    assert second["fix"]["safe"] is True


def test_jsonl_is_findings_then_errors() -> None:
    lines = [json.loads(line) for line in render(REPORT, "jsonl", CONTEXT).splitlines()]
    assert lines[:2] == json.loads(render(REPORT, "json", CONTEXT))["findings"]
    assert lines[2:] == [{"error": {"path": "src/broken.go", "message": REPORT.errors[0].message}}]


def test_sarif_holds_to_the_schema(sarif_schema: Draft4Validator) -> None:
    for report in (REPORT, Report(), Report(errors=[FileError("", "no rules")])):
        for context in (CONTEXT, RenderContext()):
            sarif_schema.validate(json.loads(render(report, "sarif", context)))


def test_sarif_says_what_code_scanning_needs() -> None:
    run = json.loads(render(REPORT, "sarif", CONTEXT))["runs"][0]
    driver = run["tool"]["driver"]
    assert [r["id"] for r in driver["rules"]] == ["timer-not-cleared", "unguarded-append"]
    documented = driver["rules"][0]
    assert documented["shortDescription"]["text"] == "A timer is still armed on a path that leaves."
    assert "## Instead\n\nClear it in `finally`." in documented["help"]["markdown"]
    assert documented["defaultConfiguration"] == {"level": "error"}
    result = run["results"][1]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in flow] == [2, 3, 1]
    assert result["partialFingerprints"] == {"wsantipattern/v1": "fedcba9876543210"}
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"] == {"SRCROOT": {"uri": "file:///home/dev/my%20project/"}}
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "src/feed%7C%60odd%60.py",
        "uriBaseId": "SRCROOT",
    }
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert not run["invocations"][0]["executionSuccessful"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/broken.go"


def test_github_escapes_properties_and_data() -> None:
    finding = Finding(
        "a,b:c", "100% of\r\nlines", Severity.NOTE, Confidence.HIGH, "x,y:z%.js", span(1, 2, 3, 4)
    )
    assert render(Report([finding]), "github", CONTEXT) == (
        "::notice file=x%2Cy%3Az%25.js,line=1,endLine=3,col=2,endColumn=4,title=a%2Cb%3Ac::100%25 of%0D%0Alines\n"
    )


def test_gitlab_fingerprints_are_unique() -> None:
    finding = REPORT.findings[0]
    issues = json.loads(
        render(Report([finding, finding, replace(finding, fingerprint=""), finding]), "gitlab", CONTEXT)
    )
    assert len({issue["fingerprint"] for issue in issues}) == 4
    assert issues[0]["fingerprint"] == finding.fingerprint


def test_rdjson_counts_bytes_where_it_can_read_the_line() -> None:
    finding = replace(REPORT.findings[1], span=span(3, 22, 3, 45))
    diagnostic = json.loads(render(Report([finding]), "rdjson", CONTEXT))["diagnostics"][0]
    assert diagnostic["location"]["range"] == {
        "start": {"line": 3, "column": 26},
        "end": {"line": 3, "column": 49},
    }
    blind = json.loads(render(Report([finding]), "rdjson", RenderContext()))["diagnostics"][0]
    assert blind["location"]["range"] == {"start": {"line": 3}, "end": {"line": 3}}


def test_junit_counts() -> None:
    root = ElementTree.fromstring(render(REPORT, "junit", CONTEXT))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "2", "1")
    assert [suite.get("name") for suite in root] == ["src/feed|`odd`.py", "src/send.js", "src/broken.go"]
    passed = ElementTree.fromstring(render(Report(checked=4), "junit", CONTEXT))
    assert passed.get("failures") == "0"
    assert len(passed.findall("testsuite/testcase")) == 1


def test_text_color_only_when_asked() -> None:
    plain = render(REPORT, "text", CONTEXT)
    colored = render(REPORT, "text", replace(CONTEXT, color=True))
    assert "\x1b" not in plain
    assert "\x1b[31;1merror[timer-not-cleared]\x1b[0m" in colored


def test_text_summary_can_be_left_out_and_statistics_put_in() -> None:
    assert "2 findings (1 error, 1 warning) in 12 files checked, 3 skipped" in render(REPORT, "text", CONTEXT)
    assert "checked" not in render(replace_errors(REPORT), "text", replace(CONTEXT, quiet=True))
    assert "1  timer-not-cleared\n" in render(REPORT, "text", replace(CONTEXT, statistics=True))
    assert render(Report(checked=1), "text", CONTEXT) == "no findings in 1 file checked\n"


def replace_errors(report: Report) -> Report:
    return Report(report.findings, [], report.checked, report.skipped)


def test_text_names_each_rule_once_for_explain() -> None:
    twice = Report([REPORT.findings[1]] * 2, checked=1)
    assert render(twice, "text", CONTEXT).count(f"wsantipattern explain {RULE.id}") == 1


def test_text_without_source_still_says_where() -> None:
    text = render(REPORT, "text", replace(CONTEXT, source=lambda path: None))
    assert "src/send.js:2:21 error[timer-not-cleared]" in text
    assert "|" not in text.split("src/send.js:2:21")[1].splitlines()[1]


def test_terminal_escapes_in_a_file_do_not_reach_the_terminal() -> None:
    hostile = {"src/send.js": b"x\x1b[31m\xe2\x80\xae = 1\n\x1b]0;owned\x07\n\n\n"}
    text = render(REPORT, "text", replace(CONTEXT, source=hostile.get))
    assert "\x1b" not in text
    assert "\u202e" not in text


def cells(text: str) -> int:
    """Terminal cells, counted apart from the code under test."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


@pytest.mark.parametrize(
    ("line", "needle"),
    [
        ("let a = await post(x)", "await"),
        ("\tlet a\t= await post(x)", "await"),
        ("const 通知 = '🙂'; await f()", "await"),
        ("cafe\u0301 = 'e\u0301'; await f()", "await"),
        ("a" * 500 + " await f() " + "b" * 500, "await"),
        ("通" * 300 + " await f()", "await"),
        ("await " + "c" * 3000, "await " + "c" * 3000),
        (" " * 90 + "await f()", "await f()"),
    ],
)
def test_underline_stands_below_the_span(line: str, needle: str) -> None:
    start = line.index(needle)
    text, indent, length = crop(line, start, start + len(needle), 60)
    assert cells(text) <= 60
    at = text.index(needle[:5])
    assert cells(text[:at]) == indent
    assert length == min(cells(needle), cells(text) - indent - text.endswith("…"))


def test_a_very_long_line_is_cheap() -> None:
    source = b"f();" * 1_200_000
    many = Report([replace(REPORT.findings[0], span=span(1, 4 * n + 1, 1, 4 * n + 4)) for n in range(5)])
    assert "f();" in render(many, "text", replace(CONTEXT, source=lambda path: source))


def test_sources_of_the_sample_match_its_spans() -> None:
    line = SOURCES["src/send.js"].decode().split("\n")[1]
    assert line[20:62] == 'setTimeout(() => banner.show("slow"), 3000'
