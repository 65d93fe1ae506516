"""Adversarial files: the work is bounded, and where it was cut short, the report says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wsantipattern.analysis import analyze
from wsantipattern.model import module
from wsantipattern.plan import Options, Plan

HEAD = "const ws = new WebSocket(url); let lastSeq = 0; const seen = new Set();\n"
ARMED = "  const t = setTimeout(g, 1);\n"


def branches(count: int) -> str:
    lines = "".join(
        f"  if (m.seq > lastSeq + {i} && ws.readyState === WebSocket.OPEN) {{ lastSeq = m.seq; ws.send(m.a{i}); }}\n"
        for i in range(count)
    )
    return f"{HEAD}async function f(m) {{\n{ARMED}{lines}  await p(); clearTimeout(t);\n}}\n"


def awaits(count: int) -> str:
    lines = "".join(f"    await step{i}(ws);\n" for i in range(count))
    return f"{HEAD}async function f() {{\n{ARMED}  try {{\n{lines}  }} finally {{ clearTimeout(t); }}\n}}\n"


def closures(count: int) -> str:
    opened = "".join(
        f"return function f{i}(m) {{ if (m.seq > lastSeq) lastSeq = m.seq; ws.send(m);\n"
        for i in range(count)
    )
    return f"{HEAD}function f() {{\n{ARMED}{opened}{'}' * count}}}\n"


def assignments(count: int) -> str:
    lines = "".join(f"  this.lastSeq = m.a{i};\n" for i in range(count))
    return f"{HEAD}function f(m) {{\n{ARMED}{lines}  if (m.seq > this.lastSeq) ws.send(m);\n  clearTimeout(t);\n}}\n"


def cases(count: int) -> str:
    lines = "".join(
        f"    case {i}: if (m.seq > lastSeq) lastSeq = m.seq; ws.send(m); break;\n" for i in range(count)
    )
    return f"{HEAD}function f(m) {{\n{ARMED}  switch (m.kind) {{\n{lines}  }}\n  clearTimeout(t);\n}}\n"


def siblings(count: int) -> str:
    lines = "".join(
        f"  const g{i} = (m) => {{ if (m.seq > lastSeq) lastSeq = m.seq; ws.send(m); seen.add(m.seq); }};\n"
        for i in range(count)
    )
    return f"{HEAD}function f() {{\n{ARMED}{lines}}}\n"


def go_cases(count: int) -> str:
    lines = "".join(
        f"\tcase m := <-c.ch{i}:\n\t\tif m.seq > c.lastSeq {{ c.lastSeq = m.seq; c.conn.WriteMessage(m) }}\n"
        for i in range(count)
    )
    return f"package a\n\nfunc (c *C) f() {{\n\tt := time.NewTicker(1)\n\tselect {{\n{lines}\t}}\n\tt.Stop()\n}}\n"


def python_assignments(count: int) -> str:
    lines = "".join(f"    self.last_seq = m.a{i}\n" for i in range(count))
    return f"def f(self, m):\n{lines}    if m.seq > self.last_seq:\n        self.ws.send(m)\n"


def python_branches(count: int) -> str:
    lines = "".join(
        f"    if m.seq > self.last_seq + {i}:\n        self.last_seq = m.seq\n        await ws.send(m.a{i})\n"
        for i in range(count)
    )
    return f"import asyncio\n\nasync def f(self, ws, m):\n    t = asyncio.create_task(x())\n{lines}    t.cancel()\n"


@pytest.mark.parametrize(
    ("made", "count", "ending"),
    [
        (branches, 10_000, ".js"),
        (awaits, 5_000, ".js"),
        (closures, 2_000, ".js"),
        (siblings, 2_000, ".js"),
        (assignments, 50_000, ".js"),
        (cases, 10_000, ".js"),
        (go_cases, 10_000, ".go"),
        (python_assignments, 50_000, ".py"),
        (python_branches, 10_000, ".py"),
    ],
)
def test_the_work_on_a_hostile_file_is_bounded(
    made: Callable[[int], str], count: int, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tenth of the real budget shows the same, sooner.
    monkeypatch.setattr(module, "BUDGET", module.BUDGET // 10)
    settings = Plan(Options(isolated=True)).settings_of("x")
    _, errors = analyze(made(count).encode(), f"hostile{ending}", settings)
    assert {error.path for error in errors} <= {f"hostile{ending}"}
    assert all("too much work" in e.message or "too deeply" in e.message for e in errors), errors


def test_where_the_budget_is_hit_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET", 2_000)
    settings = Plan(Options(isolated=True)).settings_of("x")
    _, errors = analyze(branches(300).encode(), "hostile.js", settings)
    assert "too much work for rule ready-state-only, which has given up on it" in {e.message for e in errors}


def test_a_rule_that_gives_up_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "BUDGET", 20_000)
    settings = Plan(Options(isolated=True)).settings_of("x")
    findings, errors = analyze(branches(300).encode(), "hostile.js", settings)
    assert errors
    assert "timer-not-cleared" in {finding.rule for finding in findings}
