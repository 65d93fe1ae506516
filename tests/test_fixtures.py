"""The built-in rules on their fixtures, and the harness that judges them on what it must refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsantipattern.finding import Confidence, Finding, Position, Severity, Span, TraceStep
from wsantipattern.fixture import PROJECTS, Annotation, annotations_of, compare, fixtures_beside, run_pack
from wsantipattern.languages.comments import comments
from wsantipattern.model.module import Module
from wsantipattern.pack import builtin_folder
from wsantipattern.rule import RuleError
from wsantipattern.source import Source

FIXTURES = Path(__file__).parent.parent / "fixtures"
PACK = [file for file in sorted(builtin_folder().glob("*.py")) if file.name != "__init__.py"]


@pytest.mark.parametrize("file", PACK, ids=lambda file: file.stem)
def test_built_in_rule(file: Path) -> None:
    assert not [str(problem) for problem in run_pack(str(file), str(FIXTURES))]


def test_built_in_rules_together_on_projects() -> None:
    problems = [str(problem) for problem in run_pack(None, str(FIXTURES))]
    assert not [problem for problem in problems if PROJECTS in problem or "there is no rule" in problem]


# -- annotations -----------------------------------------------------------------------------------


def annotated(
    text: str, name: str = "case.py", language: str = "python"
) -> tuple[list[Annotation], list[str]]:
    source = Source(name, text.encode())
    module = Module(name, source.text, language)
    found, problems = annotations_of(source, comments(source.text, Path(name).suffix, [module]))
    return found, [str(problem) for problem in problems]


def test_a_trailing_comment_speaks_of_its_line_and_one_alone_of_the_next_line_of_code() -> None:
    found, problems = annotated(
        'start()  # expect: a-b\n# ok: a-b "first"\n\n# a remark\n# expect: a-b "second"\nstop()\n'
    )
    assert not problems
    assert [(a.kind, a.text, a.line) for a in found] == [
        ("expect", "", 1),
        ("ok", "first", 6),
        ("expect", "second", 6),
    ]


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("a.js", "javascript", 'f() // expect: a-b "x `y`"\n'),
        ("a.js", "javascript", 'f(/* expect: a-b "x `y`" */)\n'),
        ("a.tsx", "tsx", 'const a = <p>\n  {/* expect: a-b "x `y`" */}\n  {f()}\n</p>\n'),
        ("a.go", "go", 'package a\n\nfunc b() {\n\tc() // expect: a-b "x `y`"\n}\n'),
        ("a.py", "python", 'f()  # expect: a-b "x `y`"\n'),
    ],
)
def test_every_language_has_the_same_grammar(name: str, language: str, text: str) -> None:
    found, problems = annotated(text, name, language)
    assert not problems
    assert [(a.kind, a.rule, a.text) for a in found] == [("expect", "a-b", "x `y`")]
    assert "f()" in text.splitlines()[found[0].line - 1] or language in ("go", "javascript")


def test_a_comment_in_a_string_is_none() -> None:
    assert annotated('text = "# expect: a-b"\n') == ([], [])


@pytest.mark.parametrize(
    ("comment", "complaint"),
    [
        ("# expect:", "not of the form"),
        ("# expect: a-b unquoted", "not of the form"),
        ('# expect: a-b "open', "not of the form"),
        ('# expect: a-b "', "not of the form"),
        ("# ok: a-b", "gives no reason"),
    ],
)
def test_what_cannot_be_read_is_a_problem(comment: str, complaint: str) -> None:
    found, problems = annotated(f"f()  {comment}\n")
    assert not found
    assert len(problems) == 1
    assert problems[0].startswith("case.py:1: ")
    assert complaint in problems[0]


def test_a_comment_before_no_code_is_a_problem() -> None:
    assert annotated("f()\n# expect: a-b\n")[1] == ["case.py:2: expect: a-b speaks of no line of code"]


# -- both sides ------------------------------------------------------------------------------------


def finding(line: int, message: str = "`t` is armed", trace: tuple[int, ...] = ()) -> Finding:
    def at(number: int) -> Span:
        return Span(Position(number, 1), Position(number, 5))

    steps = tuple(TraceStep("x.py", at(number), "armed here") for number in trace)
    return Finding("a-b", message, Severity.ERROR, Confidence.HIGH, "x.py", at(line), steps)


def note(kind: str, line: int, text: str = "") -> Annotation:
    return Annotation(kind, "a-b", text, line, line)


def compared(annotations: list[Annotation], findings: list[Finding]) -> list[str]:
    return [str(problem) for problem in compare("x.py", annotations, findings)]


def test_agreement() -> None:
    assert not compared(
        [note("expect", 1, "armed"), note("related", 3, "here"), note("ok", 2, "why"), note("missed", 4)],
        [finding(1, trace=(3,))],
    )
    assert not compared([note("false-alarm", 1)], [finding(1)])


def test_two_findings_on_a_line_take_two_annotations() -> None:
    pair = [finding(1, "`t` is armed"), finding(1, "`u` is armed")]
    assert not compared([note("expect", 1), note("expect", 1, "`t`")], pair)
    assert len(compared([note("expect", 1)], pair)) == 1
    assert len(compared([note("expect", 1), note("expect", 1)], pair[:1])) == 1


@pytest.mark.parametrize(
    ("annotations", "findings", "problem"),
    [
        (
            [],
            [finding(2)],
            "x.py:2: found a-b `\\`t\\` is armed`, but there is no annotation".replace("\\", ""),
        ),
        ([note("expect", 1)], [], "x.py:1: expect: a-b: found nothing"),
        ([note("expect", 1, "u")], [finding(1, "t")], 'x.py:1: expect: a-b "u": found `t`'),
        ([note("ok", 1, "why")], [finding(1, "t")], 'x.py:1: found a-b `t`, but there is ok: a-b "why"'),
        (
            [note("missed", 1)],
            [finding(1, "t")],
            "x.py:1: found a-b `t`, but there is missed: a-b; it is no longer missed, so say expect",
        ),
        ([note("false-alarm", 1)], [], "x.py:1: false-alarm: a-b: nothing is found any more, so say ok"),
        ([note("related", 3)], [], "x.py:3: related: a-b: no trace comes here"),
    ],
)
def test_disagreement_names_both_sides(
    annotations: list[Annotation], findings: list[Finding], problem: str
) -> None:
    assert problem in compared(annotations, findings)


# -- a pack ----------------------------------------------------------------------------------------

RULE = '''"""Something is shouted.

Why
    Loud.

Instead
    Speak.

Limits
    None known.
"""

from collections.abc import Iterator

from wsantipattern import Function, Match, Roles, rule


@rule(severity="note", triggers=lambda knowledge: [b"shout"])
def loud_call(function: Function, roles: Roles) -> Iterator[Match]:
    for _, call in function.cfg.calls:
        if call.method == "shout":
            yield Match(call.extent, "`shout` is called")
'''
EXPECTED = "shout()  # expect: loud-call\nspeak()  # ok: loud-call 'x'\n".replace("'", '"')


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rules" / "loud_call.py", RULE)
    write(tmp_path / "fixtures" / "loud-call" / "bad.py", EXPECTED)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def problems_of(rules: str = "rules") -> list[str]:
    return [str(problem) for problem in run_pack(rules, fixtures_beside(rules))]


def test_a_pack_that_agrees(pack: Path) -> None:
    assert problems_of() == []
    assert problems_of("rules/loud_call.py") == []


def test_a_file_without_annotations_is_refused(pack: Path) -> None:
    write(pack / "fixtures/loud-call/more.py", "speak()\n")
    assert problems_of() == ["fixtures/loud-call/more.py: the file holds no annotation"]


def test_the_same_stem_says_the_same(pack: Path) -> None:
    write(pack / "fixtures/loud-call/bad.js", 'shout() // expect: loud-call\nspeak() // ok: loud-call "x"\n')
    assert problems_of() == []
    write(pack / "fixtures/loud-call/bad.js", 'speak() // ok: loud-call "x"\nshout() // expect: loud-call\n')
    (problem,) = problems_of()
    assert problem.startswith("fixtures/loud-call/bad.py: says expect, ok, but bad.js says ok, expect;")


def test_each_language_has_both_sides(pack: Path) -> None:
    write(pack / "fixtures/loud-call/loud.js", "shout() // expect: loud-call\n")
    assert problems_of() == ["fixtures/loud-call: 0 ok in javascript, at least 1 needed"]


def test_a_rule_has_fixtures_and_fixtures_have_a_rule(pack: Path) -> None:
    (pack / "fixtures/loud-call").rename(pack / "fixtures/quiet-call")
    assert problems_of() == [
        "fixtures/loud-call: the rule loud-call has no fixtures",
        "fixtures/quiet-call: there is no rule quiet-call",
    ]
    assert problems_of("rules/loud_call.py") == ["fixtures/loud-call: the rule loud-call has no fixtures"]


def test_an_annotation_names_a_rule_that_runs(pack: Path) -> None:
    write(pack / "fixtures/loud-call/bad.py", EXPECTED + 'speak()  # ok: other-rule "x"\n')
    assert problems_of() == ["fixtures/loud-call/bad.py:3: no rule other-rule runs here"]


def test_a_project_is_checked_with_all_rules(pack: Path) -> None:
    write(pack / "fixtures/_projects/small/src/a.py", "shout()\n")
    write(pack / "fixtures/_projects/small/src/b.py", "speak()\n")
    assert problems_of() == [
        "fixtures/_projects/small: the project holds no annotation",
        "fixtures/_projects/small/src/a.py:1: found loud-call ``shout` is called`, but there is no annotation",
    ]


def test_a_rule_that_raises_is_louder_than_a_failed_fixture(pack: Path) -> None:
    write(pack / "rules/loud_call.py", RULE.replace('call.method == "shout"', "call.nothing"))
    with pytest.raises(RuleError, match=r"rule loud-call .*raised AttributeError"):
        problems_of("rules/loud_call.py")


def test_the_form_of_messages_is_held(pack: Path) -> None:
    write(pack / "rules/loud_call.py", RULE.replace("`shout` is called", "Do not shout."))
    (problem,) = problems_of()
    assert "without a capital letter" in problem


def test_examples_do_what_they_stand_for(pack: Path) -> None:
    write(pack / "rules/examples/loud_call.bad.py", "shout()\n")
    write(pack / "rules/examples/loud_call.good.py", "speak()\n")
    assert problems_of() == []
    write(pack / "rules/examples/loud_call.bad.py", "speak()\n")
    write(pack / "rules/examples/loud_call.good.py", "shout()\n")
    assert problems_of() == [
        "rules/examples/loud_call.bad.py: a bad example in which loud-call finds nothing",
        "rules/examples/loud_call.good.py:1: a good example, but found ``shout` is called`",
    ]
