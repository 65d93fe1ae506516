"""Whatever a finding says, every format stays well formed."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from hypothesis import given, settings
from report_samples import contexts, reports

from wsantipattern.finding import Report
from wsantipattern.report import FORMATS, RenderContext, render

quick = settings(max_examples=60, deadline=None)


@quick
@given(reports, contexts())
def test_every_format_renders_encodable_text(report: Report, context: RenderContext) -> None:
    for format in FORMATS:
        text = render(report, format, context)
        text.encode("utf-8")
        assert text == "" or text.endswith("\n")


@quick
@given(reports, contexts())
def test_json_formats_parse(report: Report, context: RenderContext) -> None:
    for format in ("json", "sarif", "gitlab", "rdjson"):
        json.loads(render(report, format, context))
    fingerprints = [issue["fingerprint"] for issue in json.loads(render(report, "gitlab", context))]
    assert len(set(fingerprints)) == len(fingerprints)
    assert len(json.loads(render(report, "sarif", context))["runs"][0]["results"]) == len(report.findings)


@quick
@given(reports, contexts())
def test_line_formats_have_one_line_for_each(report: Report, context: RenderContext) -> None:
    expected = len(report.findings) + len(report.errors)
    lines = render(report, "jsonl", context).splitlines()
    assert [isinstance(json.loads(line), dict) for line in lines] == [True] * expected
    commands = render(report, "github", context).split("\n")[:-1]
    assert len(commands) == expected
    assert all(
        re.match(r"::(error|warning|notice) (\w+=[^,:]*)(,\w+=[^,:]*)*::[^\r\n]*\Z", line)
        for line in commands
    )
    plain = RenderContext(source=context.source)
    assert len(render(report, "concise", plain).splitlines()) == expected


@quick
@given(reports, contexts())
def test_junit_parses_and_counts(report: Report, context: RenderContext) -> None:
    root = ElementTree.fromstring(render(report, "junit", context))
    assert len(root.findall("testsuite/testcase/failure")) == len(report.findings)
    assert len(root.findall("testsuite/testcase/error")) == len(report.errors)
    assert len(root.findall("testsuite/testcase")) == max(len(report.findings) + len(report.errors), 1)


@quick
@given(reports, contexts())
def test_markdown_table_has_four_cells_a_row(report: Report, context: RenderContext) -> None:
    lines = render(report, "markdown", context).split("\n")
    if not report.findings:
        return
    start = lines.index("| --- | --- | --- | --- |") + 1
    for row in lines[start : start + len(report.findings)]:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 5


@quick
@given(reports, contexts())
def test_text_carries_no_control_character_of_its_input(report: Report, context: RenderContext) -> None:
    text = render(report, "text", context)
    if context.color:
        text = re.sub(r"\x1b\[[0-9;]+m", "", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
