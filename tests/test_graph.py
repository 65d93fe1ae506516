"""Graph fixtures: each file's first comment is the graph of its function `f`, and what is called dead is unreachable."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from wsantipattern.languages import modules
from wsantipattern.model.cfg import Cfg
from wsantipattern.model.module import Function
from wsantipattern.model.printer import numbering, render

GRAPHS = Path(__file__).parent.parent / "fixtures" / "_graphs"
FILES = sorted(path for path in GRAPHS.iterdir() if path.suffix in (".js", ".py", ".go"))
MARKS = {".js": "//", ".go": "//", ".py": "#"}


def _function(path: Path) -> Function:
    (module,) = modules(path.read_bytes(), path.name, path.suffix)
    return next(f for f in module.functions if f.name == "f")


def _expected(path: Path) -> str:
    mark = MARKS[path.suffix]
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith(mark):
            break
        lines.append(line[len(mark) + 1 :])
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_graph_is_as_the_comment_says(path: Path) -> None:
    assert render(_function(path)) == _expected(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_live_code_is_reached(path: Path) -> None:
    called = {call.method for _, call in _function(path).cfg.calls}
    assert "dead" not in called
    assert "live" not in path.read_text().split("f(")[-1] or "live" in called


def _shape(cfg: Cfg) -> list[tuple[str, list[tuple[str, int]]]]:
    order = numbering(cfg)
    return [(s.kind, [(e.label, order[e.target]) for e in s.edges]) for s in order]


def test_equal_stems_have_equal_graphs() -> None:
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in FILES:
        by_stem[path.stem].append(path)
    shared = {stem: paths for stem, paths in by_stem.items() if len(paths) > 1}
    assert len(shared) >= 6
    for stem, paths in shared.items():
        shapes = [_shape(_function(path).cfg) for path in paths]
        assert all(shape == shapes[0] for shape in shapes), stem
