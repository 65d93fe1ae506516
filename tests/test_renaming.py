"""Evidence, not names: with every own name exchanged, what was found for sure is found, and silence stays silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from renaming import renamed

from wsantipattern.analysis import Settings, analyze
from wsantipattern.finding import Confidence
from wsantipattern.pack import builtin_folder

FIXTURES = Path(__file__).parent.parent / "fixtures"
FILES = sorted(
    path for path in FIXTURES.glob("[!_]*/*") if path.suffix in (".js", ".jsx", ".ts", ".tsx", ".go", ".py")
)


def found_in(text: bytes, path: Path, confidence: Confidence) -> set[int]:
    settings = Settings(packs=(str(builtin_folder()),), rules=(path.parent.name,), min_confidence=confidence)
    findings, errors = analyze(text, path.name, settings)
    assert not errors
    return {finding.span.start.line for finding in findings}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_names_decide_nothing(path: Path) -> None:
    text = path.read_bytes()
    other = renamed(text, path.suffix)
    sure, shown = found_in(text, path, Confidence.HIGH), found_in(text, path, Confidence.MEDIUM)
    after = found_in(other, path, Confidence.MEDIUM)
    assert sure <= after
    assert after <= shown


def test_renaming_leaves_no_own_name() -> None:
    text = b"import { send } from './out.js';\nfunction f(slow) { const t = setTimeout(slow, 1); send({ t }); }\n"
    assert renamed(text, ".js") == (
        b"import { send } from './out.js';\nfunction q1(q2) { const q3 = setTimeout(q2, 1); send({ t: q3 }); }\n"
    )
