"""Which module may import which: the layers that keep each part readable alone."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wsantipattern"
BANNED = {"utils", "util", "helpers", "helper", "common", "base", "core", "misc", "types"}

ALLOWED = {
    "__init__": {"finding", "model", "roles", "rule", "single"},
    "__main__": {"cli"},
    "finding": set(),
    "remedy": {"model"},
    "rule": {"finding", "knowledge", "model", "remedy", "roles"},
    "source": {"finding"},
    "similar": set(),
    "record": set(),
    "files": {"finding", "languages", "source"},
    "config": {"files", "finding", "knowledge", "similar", "source"},
    "pack": {"rule", "source"},
    "suppress": {"finding", "model", "similar", "source"},
    "analysis": {
        "files",
        "finding",
        "knowledge",
        "languages",
        "model",
        "pack",
        "remedy",
        "roles",
        "rule",
        "source",
        "suppress",
    },
    "fix": {
        "analysis",
        "files",
        "finding",
        "languages",
        "model",
        "plan",
        "remedy",
        "runner",
        "source",
    },
    "plan": {"analysis", "config", "finding", "pack", "similar", "suppress"},
    "workers": {"analysis", "finding"},
    "cache": {"analysis", "finding", "source"},
    "shard": set(),
    "single": {"analysis", "config", "files", "finding", "plan", "source"},
    "runner": {"analysis", "cache", "files", "finding", "plan", "rule", "shard", "source", "workers"},
    "review": {
        "__init__",
        "config",
        "files",
        "finding",
        "fix",
        "plan",
        "report",
        "rule",
        "runner",
        "source",
        "workers",
    },
    "baseline": {"finding", "source"},
    "why": {"analysis", "finding", "rule", "source"},
    "convention": {"rule", "source"},
    "fixture": {
        "analysis",
        "convention",
        "files",
        "finding",
        "fix",
        "languages",
        "model",
        "pack",
        "rule",
        "source",
        "suppress",
    },
    "scaffold": {"convention", "source"},
    "knowledge": set(),
    "model": set(),
    "languages": {"model"},
    "roles": {"finding", "knowledge", "model", "remedy"},
    "report": {"__init__", "finding", "rule", "source"},
    "rules": {"__init__"},
    "cli": None,
}
"""By part of the package, the other parts it may import; None for all. `record`, a decorator, is for all to use."""

LIBRARIES = {
    "click": {"cli"},
    "libcst": {"fix"},
    "pathspec": {"files"},
    "tree_sitter": {"fix", "languages"},
    "tree_sitter_go": {"fix", "languages"},
    "tree_sitter_html": {"languages"},
    "tree_sitter_javascript": {"fix", "languages"},
    "tree_sitter_python": {"languages"},
    "tree_sitter_typescript": {"fix", "languages"},
}
"""By library, the parts that may import it."""


def files() -> list[tuple[str, Path]]:
    """Part and path of every module, the built-in rules included."""
    own = [(_part(file.relative_to(PACKAGE)), file) for file in sorted(PACKAGE.rglob("*.py"))]
    return own + [("rules", file) for file in sorted((ROOT / "rules").glob("*.py"))]


def _part(relative: Path) -> str:
    return relative.parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    """Dotted names of all imports, those inside functions and for type checking included."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def parts_of(name: str) -> str | None:
    """The part of the package that a dotted name lies in; None for another package."""
    words = name.split(".")
    if words[0] != "wsantipattern":
        return None
    second = words[1] if len(words) > 1 else "__init__"
    known = (PACKAGE / second).is_dir() or (PACKAGE / f"{second}.py").is_file()
    return second if known and words[:3] != ["wsantipattern", "rule"] else "__init__"


@pytest.mark.parametrize(("part", "file"), files(), ids=lambda value: str(value)[-40:])
def test_imports_point_one_way(part, file):
    assert part in ALLOWED, f"{part} is in no layer yet"
    allowed = ALLOWED[part]
    for name in imports(file):
        target = parts_of(name)
        if target not in (None, part, "record") and allowed is not None:
            assert target in allowed, f"{file}: {part} may not import {name}"
        elif target is None:
            library = name.partition(".")[0]
            assert part in LIBRARIES.get(library, {part}), f"{file}: {part} may not import {library}"


@pytest.mark.parametrize(("part", "file"), files(), ids=lambda value: str(value)[-40:])
def test_a_modules_name_says_what_is_inside(part, file):
    assert file.stem not in BANNED
    assert file.parent.name not in BANNED


def test_rules_ask_neither_for_a_language_nor_for_a_library():
    for file in sorted((ROOT / "rules").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr != "language", f"{file}:{node.lineno}: asks for the language"


def test_the_built_in_pack_has_one_home():
    assert not (PACKAGE / "rules").exists()


def test_every_key_of_the_knowledge_is_asked_for():
    words: set[str] = set()
    endings: set[str] = set()
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "rules").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                endings.update(
                    p.value for p in node.values if isinstance(p, ast.Constant) and p.value[:1] == "_"
                )
    for path in sorted((PACKAGE / "knowledge").glob("*.toml")):
        for table, keys in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for key in keys:
                asked = key in words or any(key.endswith(ending) for ending in endings)
                assert asked, f"{path.name}: nobody asks for [{table}] {key}"
