"""A small report with everything a format has to cope with, and strategies for arbitrary ones."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from wsantipattern.finding import (
    Confidence,
    Edit,
    FileError,
    Finding,
    Fix,
    Position,
    Report,
    Severity,
    Span,
    TraceStep,
)
from wsantipattern.report import RenderContext
from wsantipattern.rule import Match, Rule


def span(line: int, column: int, end_line: int, end_column: int) -> Span:
    return Span(Position(line, column), Position(end_line, end_column))


def _no_triggers(knowledge: object) -> list[bytes]:
    return []


def _no_matches(function: object, roles: object) -> Iterator[Match]:
    yield from ()


RULE = Rule(
    id="timer-not-cleared",
    severity=Severity.ERROR,
    granularity="function",
    check=_no_matches,
    triggers=_no_triggers,
    summary="A timer is still armed on a path\nthat leaves.\n\nIt is cleared on another.",
    why="It fires later, for work that is over.",
    instead="Clear it in `finally`.",
    limits="False alarm: a timer that is | meant to fire.",
    path="rules/timer_not_cleared.py",
)

SEND_JS = b"""export async function publish(item) {
\tconst slowNotice = setTimeout(() => banner.show("slow"), 3000);
\tconst title = "\xe9\x80\x9a\xe7\x9f\xa5"; await post(item, title);
\tclearTimeout(slowNotice);
}
"""
FEED_PY = (
    b"async def listen(self):\n"
    b"    async for event in self.socket:\n"
    b"        self.transcript = self.transcript + event.text  # " + b"long " * 40 + b"\n"
)

SOURCES = {"src/send.js": SEND_JS, "src/feed|`odd`.py": FEED_PY}

REPORT = Report(
    findings=[
        Finding(
            rule="unguarded-append",
            message="`event.text` is appended to `self.transcript` | even if it was taken in before",
            severity=Severity.WARNING,
            confidence=Confidence.MEDIUM,
            path="src/feed|`odd`.py",
            span=span(3, 9, 3, 56),
            fingerprint="0123456789abcdef",
        ),
        Finding(
            rule="timer-not-cleared",
            message="`slowNotice` is still armed when `publish` fails",
            severity=Severity.ERROR,
            confidence=Confidence.HIGH,
            path="src/send.js",
            span=span(2, 21, 2, 63),
            trace=(
                TraceStep("src/send.js", span(2, 8, 2, 18), "`slowNotice` is armed here"),
                TraceStep("src/send.js", span(3, 22, 3, 45), "this `await` may reject"),
                TraceStep("src/send.js", span(1, 8, 5, 2), "`publish` ends with it armed: 100%"),
            ),
            fix=Fix(
                "clear `slowNotice` in `finally`",
                (Edit(span(3, 2, 3, 2), "try { "), Edit(span(4, 2, 4, 27), "")),
                safe=True,
            ),
            fingerprint="fedcba9876543210",
        ),
    ],
    errors=[FileError("src/broken.go", "is not valid UTF-8: byte 0xff at offset 12")],
    checked=12,
    skipped=3,
)

CONTEXT = RenderContext(version="1.2.3", rules=(RULE,), root="/home/dev/my project", source=SOURCES.get)

# Lone surrogates too: they are what a file name that is no UTF-8 turns into.
texts = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="`|<>&%:,\r\n\t\x1b\x00\\\"'[]*_\u202e\u2028\x85\udc80é通́🙂#-1. ", max_size=40),
)
positions = st.builds(Position, st.integers(1, 9), st.integers(1, 60))
spans = st.tuples(positions, positions).map(lambda pair: Span(min(pair), max(pair)))
steps = st.builds(TraceStep, texts, spans, texts)
fixes = st.none() | st.builds(
    Fix, texts, st.lists(st.builds(Edit, spans, texts), max_size=2).map(tuple), st.booleans()
)
findings = st.builds(
    Finding,
    rule=st.sampled_from(["timer-not-cleared", "unguarded-append"]) | texts,
    message=texts,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    path=texts,
    span=spans,
    trace=st.lists(steps, max_size=3).map(tuple),
    fix=fixes,
    fingerprint=st.sampled_from(["", "abc123"]),
)
reports = st.builds(
    Report,
    findings=st.lists(findings, max_size=4).map(lambda found: sorted(found, key=lambda f: f.sort_key)),
    errors=st.lists(st.builds(FileError, texts, texts), max_size=2),
    checked=st.integers(0, 9),
    skipped=st.integers(0, 9),
)
sources = st.none() | st.lists(texts, max_size=9).map(
    lambda lines: "\n".join(lines).encode("utf-8", "replace")
)


@st.composite
def contexts(draw: st.DrawFn) -> RenderContext:
    source = draw(sources)
    return RenderContext(
        version="1.2.3",
        rules=(RULE,),
        root=draw(st.sampled_from(["", "/srv/app"])),
        source=lambda path: source,
        color=draw(st.booleans()),
        width=draw(st.sampled_from([0, 1, 40, 100])),
        statistics=draw(st.booleans()),
        quiet=draw(st.booleans()),
        verbose=draw(st.booleans()),
    )
