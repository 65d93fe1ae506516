"""What tells of a divergence, what marks, and what resets: the roles behind stale-dedup-tracker, on short texts."""

from __future__ import annotations

import pytest

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.languages import modules
from wsantipattern.model.flow import implied
from wsantipattern.model.module import Function, Module
from wsantipattern.model.term import Binary, Return
from wsantipattern.roles import Roles
from wsantipattern.roles.origin import Frame


def parsed(text: str, ending: str = ".ts") -> tuple[Module, Roles]:
    (module,) = modules(text.encode(), f"feed{ending}", ending)
    return module, Roles(module, Knowledge.builtin())


def named(module: Module, name: str) -> Function:
    return next(f for f in module.functions if f.name.endswith(name))


FEED = """
class Feed {
  private had = new Set<number>();
  private top = 0;
  private limit = 100;
  live(e: any) { if (this.had.has(e.no)) return; this.had.add(e.no); this.top = Math.max(this.top, e.no); show(e); }
  take(page: any) {
    %s
    for (const e of page.items) {
      if (this.had.has(e.no)) continue;
      this.had.add(e.no);
      show(e);
    }
  }
}
"""


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ("if (this.top > page.head) note();", ["ahead"]),
        ("if (page.head < this.top) note();", ["ahead"]),
        ("if (!(this.top <= page.head)) note();", ["ahead"]),
        ("const lost = this.top - page.head; if (lost > 0) note();", ["ahead"]),
        (
            "const relation = this.top > page.head ? 'ahead' : 'fine'; if (relation === 'ahead') note();",
            ["ahead"],
        ),
        ("if (compare(this.top, page.head) > 0) note();", ["ahead"]),
        ("if (copyIsStale(this.top, page.head)) note();", ["said"]),
        ("if (page.epoch !== this.top) note();", ["life"]),
        ("if (page.head > this.top + 1) note();", ["gap"]),
        ("if (this.top < page.head) note();", []),
        ("if (this.top >= page.head) note();", []),
        ("if (this.limit > page.head) note();", []),
        ("if (this.top > page.items.length) note();", []),
        ("if (this.top > Date.now()) note();", []),
        ("this.top = this.top > page.head ? this.top : page.head;", []),
        ("let head = page.head; if (this.top > head) head = this.top;", []),
    ],
)
def test_what_tells_of_a_divergence(condition: str, kinds: list[str]) -> None:
    module, roles = parsed(FEED % condition)
    told = roles.staleness.learned_in(named(module, "take"))
    assert sorted({divergence.kind for divergence in told}) == kinds


@pytest.mark.parametrize(
    ("way", "is_found"),
    [
        ("if (this.top > page.head) note();", True),
        ("if (this.top > page.head) this.had.clear();", False),
        ("if (this.top > page.head) this.had = new Set();", False),
        ("if (this.top > page.head) this.had = new Set(this.had);", True),
        ("if (this.top > page.head) for (const e of page.items) this.had.delete(e.no);", False),
        ("if (this.top > page.head) for (const n of this.had) this.had.delete(n);", False),
        ("if (this.top > page.head) this.had.delete(page.oldest);", True),
        ("if (this.top > page.head && debug) this.had.clear();", True),
        ("if (this.top > page.head && this.had.size > 0) this.had.clear();", False),
        ("if (this.top > page.head) setTimeout(() => this.had.clear());", True),
        ("if (this.top > page.head) return;", False),
        ("if (this.top > page.head) throw new Error('diverged');", False),
        ("if (this.top > page.head) note(); else this.had.clear();", True),
        ("if (this.top > page.head) { try { wipe(); this.had.clear(); } catch { note(); } }", True),
        ("if (this.top > page.head) { try { wipe(); } finally { this.had.clear(); } }", False),
        ("this.had.clear(); if (this.top > page.head) note();", False),
    ],
)
def test_what_resets(way: str, is_found: bool) -> None:
    module, roles = parsed(FEED % way)
    found = roles.trackers.stale_marks_in(named(module, "take"))
    assert [module.snippet(stale.mark.extent) for stale in found] == ["this.had.add(e.no)"] * is_found


def test_words_alone_are_medium() -> None:
    text = """
    for (const frame of frames) ;
    if (isStaleClient(localSeq, serverSeq)) log();
    for (const event of events) markSeqSeen(sessionId, event.seq);
    """
    _, roles = parsed(text, ".js")
    (stale,) = roles.trackers.stale_marks()
    assert stale.confidence is Confidence.MEDIUM
    assert stale.keeper == "by `markSeqSeen`, which still knows"


def test_a_container_is_followed_through_helpers_and_keys() -> None:
    text = """
class Desk:
    def __init__(self):
        self.seen = {}

    def seats(self, venue):
        found = self.seen.get(venue)
        if found is None:
            found = set()
            self.seen[venue] = found
        return found

    def take(self, page):
        taken = self.seats(page.venue)
        for sale in page.sales:
            taken.add(sale.no)
"""
    module, roles = parsed(text, ".py")
    marks = roles.trackers.marks(Frame(named(module, "take")))
    places = {str(storage.place) for mark in marks for storage in mark.storages}
    assert "self.seen[*]" in places


def test_a_named_choice_implies_its_condition() -> None:
    text = """
package mirror

type phase int

const (
	level phase = iota
	ahead
)

func relate(own, other int) phase {
	if own > other {
		return ahead
	}
	return level
}

func take(own, other int) bool {
	return relate(own, other) == ahead
}
"""
    module, _ = parsed(text, ".go")
    (step,) = named(module, "take").cfg.of_kind("return")
    assert isinstance(step.statement, Return)
    assert step.statement.value is not None
    condition = step.statement.value
    facts = [
        (term.op, holds)
        for term, holds in implied(condition, True, module)
        if isinstance(term, Binary) and term is not condition
    ]
    assert (">", True) in facts


def test_a_variable_that_stands_for_itself_is_seen_through_once():
    text = "var had = had || lib.make();\nfunction take(items) { for (const e of items) { if (had) continue; had.add(e.no); show(e); } }"
    module, roles = parsed(text, ".js")
    (mark,) = roles.trackers.marks(Frame(named(module, "take")))
    assert not roles.trackers.is_tracker(mark.storages[0].place)


def test_a_variable_that_goes_on_by_a_method_of_its_own_is_seen_through_once():
    text = "class Link {\n next() { return this.other; }\n}\nfunction walk(first) { let at = first; while (at) { at = at.next(); at.add(1); } }"
    module, roles = parsed(text, ".js")
    assert [mark.storages[0].place.name for mark in roles.trackers.marks(Frame(named(module, "walk")))]
