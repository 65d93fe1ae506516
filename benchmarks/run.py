"""How fast wsantipattern is, next to linters people know, on real code.

    python benchmarks/run.py --corpus DIR --scratch DIR [--quick] [--rounds N] [--sets heavy,ordinary] [--tools ...]

Installs the other tools into a scratch folder (PyPI: ast-grep, Semgrep, Ruff; npm: ESLint with the typescript-eslint
parser, oxlint, Biome), makes two sets of files from the corpus of `corpus.py`, and times whole processes: within a
round each tool runs once, one after the other, so that a ratio is taken between neighbours. Writes `RESULTS.md`. Wall
time, CPU time and the peak memory of the largest process come from the kernel.

A tool runs with as many rules of the kind as it can express; none of them can express these rules as such.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"

SET_FILES = 3_000
SET_BYTES = 40_000_000
"""A set ends at whichever comes first."""

ENDINGS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".go", ".py")
FILE_BYTES = 1_000_000
"""Larger files are in no set: some tools leave them out by default."""

OWN_RULES = "all its rules"

AST_GREP_RULES = """\
id: ready-state
language: TypeScript
rule: {pattern: $SOCKET.readyState === $STATE}
---
id: arm-timer
language: JavaScript
rule: {pattern: "const $TIMER = setTimeout($$$ARGS)"}
---
id: create-task
language: Python
rule: {pattern: $TIMER = asyncio.create_task($$$ARGS)}
---
id: new-ticker
language: Go
rule: {pattern: "$TIMER := time.NewTicker($PERIOD)"}
"""

SEMGREP_RULES = """\
rules:
  - {id: ready-state, languages: [javascript, typescript], severity: WARNING, message: m,
     patterns: [{pattern-inside: "if ($S.readyState === $X) { ... }"}, {pattern: "$S.send(...)"}]}
  - {id: timer-js, languages: [javascript, typescript], severity: WARNING, message: m,
     pattern: "$T = setTimeout(...); ... await $P; ... clearTimeout($T);"}
  - {id: timer-py, languages: [python], severity: WARNING, message: m,
     pattern: "$T = asyncio.create_task(...)\\n...\\nawait $P\\n...\\n$T.cancel()"}
  - {id: timer-go, languages: [go], severity: WARNING, message: m,
     pattern: "$T := time.NewTicker(...)\\n...\\n$T.Stop()"}
  - {id: watermark, languages: [javascript, typescript], severity: WARNING, message: m,
     pattern: "try { ... } catch ($E) { ... $O.$LAST = 0; ... }"}
"""

ESLINT_CONFIG = """\
import parser from "@typescript-eslint/parser";
export default [{
  files: ["**/*.{js,mjs,cjs,jsx,ts,mts,cts,tsx}"],
  languageOptions: {parser, parserOptions: {ecmaFeatures: {jsx: true}}},
  linterOptions: {reportUnusedDisableDirectives: "off"},
  rules: {"require-atomic-updates": "error", "no-promise-executor-return": "error", "no-await-in-loop": "error",
          "no-async-promise-executor": "error", "no-unsafe-finally": "error"},
}];
"""

WALK = """\
import os, sys
def walk(folder):
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                walk(entry.path)
            else:
                entry.stat()
walk(".")
"""


@dataclass(frozen=True)
class Tool:
    """What is timed.

    Attributes:
        name: in the tables.
        command: run in the folder of a set.
        rules: what it looks for, for the reader.
        before: is called with the folder before each run, off the clock.
        rounds: at most this many, for the slow ones; None for all.
    """

    name: str
    command: tuple[str, ...]
    rules: str
    before: Callable[[Path], object] = lambda folder: None
    rounds: int | None = None


@dataclass
class Runs:
    """Measurements of one tool on one set: seconds, seconds of CPU, and bytes, a number a round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    code: int = 0

    def add(self, wall: float, cpu: float, memory: int, code: int) -> None:
        self.wall.append(wall)
        self.cpu.append(cpu)
        self.memory.append(memory)
        self.code = code


def measure(command: Sequence[str], folder: Path) -> tuple[float, float, int, int]:
    """Wall seconds, CPU seconds and peak bytes of a process and what it starts, and its exit code."""
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "SEMGREP_SEND_METRICS": "off",
        "SEMGREP_ENABLE_VERSION_CHECK": "0",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, process.returncode


# The tools


def install(scratch: Path) -> dict[str, str]:
    """Installs what is not there yet; the versions by name."""
    python, node = scratch / "py", scratch / "js"
    if not (python / "bin" / "semgrep").exists():
        subprocess.run([sys.executable, "-m", "venv", str(python)], check=True)
        subprocess.run(
            [str(python / "bin" / "pip"), "install", "-q", "ast-grep-cli", "semgrep", "ruff"], check=True
        )
    if not (node / "node_modules" / ".bin" / "eslint").exists():
        node.mkdir(exist_ok=True)
        packages = ["eslint", "@typescript-eslint/parser", "typescript", "oxlint", "@biomejs/biome"]
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(node), *packages], check=True
        )
    (scratch / "ast-grep.yml").write_text(AST_GREP_RULES)
    (scratch / "semgrep.yml").write_text(SEMGREP_RULES)
    (node / "eslint.config.mjs").write_text(ESLINT_CONFIG)
    commands = {
        "ast-grep": [str(python / "bin" / "ast-grep"), "--version"],
        "Semgrep": [str(python / "bin" / "semgrep"), "--version"],
        "Ruff": [str(python / "bin" / "ruff"), "--version"],
        "ESLint": [str(node / "node_modules/.bin/eslint"), "--version"],
        "oxlint": [str(node / "node_modules/.bin/oxlint"), "--version"],
        "Biome": [str(node / "node_modules/.bin/biome"), "--version"],
        "Node": ["node", "--version"],
    }
    return {name: _said(command) for name, command in commands.items()}


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = done.stdout.split() or ["?"]
    return words[-1].removeprefix("v")


def tools(scratch: Path, target: str = ".") -> list[Tool]:
    """The tools on a folder, or on one file of it."""
    bins, modules = scratch / "py/bin", scratch / "js/node_modules/.bin"
    own = str(Path(sys.executable).parent / "wsantipattern")
    cache = scratch / "cache"
    check = (own, "check", "--isolated", "--exit-zero", "-q", "--output-format", "concise")
    warm = (*check, "--cache-dir", str(cache))

    def prime(folder: Path) -> None:
        subprocess.run([*warm, target], cwd=folder, capture_output=True, check=False)

    def change(folder: Path) -> None:
        prime(folder)
        with next(f for f in sorted(folder.rglob("*")) if f.suffix in ENDINGS).open("a") as stream:
            stream.write("\n")

    return [
        Tool("wsantipattern, cold", (*check, "--no-cache", target), OWN_RULES),
        Tool("wsantipattern, warm", (*warm, target), OWN_RULES, prime),
        Tool("wsantipattern, one file changed", (*warm, target), OWN_RULES, change),
        Tool(
            "ast-grep", (str(bins / "ast-grep"), "scan", "-r", str(scratch / "ast-grep.yml"), target),
            "4 one-line patterns, one a language",
        ),
        Tool(
            "Semgrep",
            (
                str(bins / "semgrep"), "scan", "--config", str(scratch / "semgrep.yml"), "--metrics=off", "--quiet",
                "--disable-version-check", "--no-git-ignore", "--jobs", "2", target,
            ),
            "5 patterns, 1 to 3 lines",
            rounds=2,
        ),
        Tool(
            "Ruff", (str(bins / "ruff"), "check", "--isolated", "--no-cache", "-q", "--select", "ASYNC,RUF006", target),
            "ASYNC and RUF006 (Python files only)",
        ),
        Tool(
            "ESLint",
            (str(modules / "eslint"), "-c", str(scratch / "js/eslint.config.mjs"), "--no-warn-ignored", target),
            "5 rules on promises (JavaScript and TypeScript files only)",
            rounds=1,
        ),
        Tool("oxlint", (str(modules / "oxlint"), "-A", "all", "-D", "no-await-in-loop", "-D", "promise/always-return",
                        "--promise-plugin", "--silent", target),
             "2 rules on promises (JavaScript and TypeScript files only)"),
        Tool("Biome", (str(modules / "biome"), "lint", "--only=suspicious", "--max-diagnostics=none",
                       "--files-max-size=5000000", target),
             "its group `suspicious` (JavaScript and TypeScript files only)"),
        Tool("walk and stat", (sys.executable, "-I", "-S", "-c", WALK), "nothing: a bare interpreter"),
    ]  # fmt: skip


def starts(scratch: Path) -> list[Tool]:
    """The tools' `--version`, and the bare interpreters."""
    by_name = {tool.name: tool for tool in tools(scratch)}
    own = by_name["wsantipattern, cold"].command[0]
    names = ("ast-grep", "Semgrep", "Ruff", "ESLint", "oxlint", "Biome")
    return [
        Tool("Python alone", (sys.executable, "-c", "pass"), ""),
        Tool("wsantipattern --version", (own, "--version"), ""),
        *(Tool(f"{name} --version", (by_name[name].command[0], "--version"), "") for name in names),
    ]


# The sets


def sources(corpus: Path) -> list[tuple[str, list[tuple[Path, int, bool]]]]:
    """By package: its files with their sizes, and whether they mention a socket."""
    packages = []
    for package in sorted((corpus / "sources").glob("*/*")):
        files = []
        for file in sorted(package.rglob("*")):
            if file.suffix in ENDINGS and file.is_file() and file.stat().st_size <= FILE_BYTES:
                text = file.read_bytes()
                files.append((file, len(text), b"ocket" in text))
        if files:
            packages.append((package.name, files))
    return packages


def make_sets(corpus: Path, scratch: Path, most: int) -> dict[str, Path]:
    """The two sets as folders: whole packages, those with the largest share of socket files first, or last."""
    made = {name: scratch / "sets" / f"{name}-{most}" for name in ("heavy", "ordinary")}
    if all((folder / ".complete").exists() for folder in made.values()):
        return made
    packages = sources(corpus)

    def share(files: list[tuple[Path, int, bool]]) -> float:
        return sum(size for _, size, hit in files if hit) / sum(size for _, size, _ in files)

    ranked = sorted(packages, key=lambda package: (share(package[1]), package[0]))
    for name, order in (("heavy", ranked[::-1]), ("ordinary", ranked)):
        folder = made[name]
        shutil.rmtree(folder, ignore_errors=True)
        count = size = 0
        by_language: dict[str, int] = {}
        for package, files in order:
            if count >= most or size >= SET_BYTES:
                break
            language = files[0][0].relative_to(corpus / "sources").parts[0]
            # No language may take more than its half, or a set would be a benchmark of one grammar.
            if by_language.get(language, 0) > SET_BYTES * most // SET_FILES // 2:
                continue
            for file, octets, _ in files:
                if count >= most or size >= SET_BYTES:
                    break
                place = folder / file.relative_to(corpus / "sources")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
                count, size = count + 1, size + octets
                by_language[language] = by_language.get(language, 0) + octets
            del package
        (folder / ".complete").touch()
    return made


def described(folder: Path) -> str:
    files = [f for f in folder.rglob("*") if f.suffix in ENDINGS]
    texts = [f.read_bytes() for f in files]
    hits = [t for t in texts if b"ocket" in t]
    total, socket = sum(map(len, texts)), sum(map(len, hits))
    return (
        f"{len(files):,} files, {total / 1e6:.1f} MB; {len(hits):,} of them, {socket / 1e6:.1f} MB, "
        "mention sockets"
    )


def grown(folder: Path, scratch: Path, files: int) -> Path:
    """A set of so many files, made by copying files of another one; every copy differs by a comment."""
    target = scratch / "sets" / f"grown-{files}"
    if (target / ".complete").exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    originals = sorted(f for f in folder.rglob("*") if f.suffix in ENDINGS and f.stat().st_size < 8_000)[
        :1_000
    ]
    for number in range(files):
        source = originals[number % len(originals)]
        place = target / str(number // 100) / f"f{number}{source.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        remark = "#" if source.suffix == ".py" else "//"
        place.write_bytes(source.read_bytes() + f"\n{remark} copy {number}\n".encode())
    (target / ".complete").touch()
    return target


# The rounds and the tables


def rounds(chosen: Iterable[Tool], folder: Path, count: int) -> dict[str, Runs]:
    found: dict[str, Runs] = {}
    chosen = list(chosen)
    for number in range(count):
        for tool in chosen:
            if tool.rounds is not None and number >= tool.rounds:
                continue
            tool.before(folder)
            taken = measure(tool.command, folder)
            found.setdefault(tool.name, Runs()).add(*taken)
            print(f"{folder.name}: {tool.name}: {taken[0]:.2f} s, CPU {taken[1]:.2f} s", file=sys.stderr)
    return found


def ratio(values: Sequence[float], own: Sequence[float]) -> str:
    """The median over the rounds of what a tool takes for each second that the first takes."""
    pairs = [value / mine for value, mine in zip(values, own, strict=False)]
    return f"{statistics.median(pairs):.2f}"


def table(found: dict[str, Runs], reference: str, rules: dict[str, str]) -> str:
    own = found[reference]
    head = ("tool", "rules", "wall s", "CPU s", "peak MB", "wall ratio", "CPU ratio", "exit")
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * 2 + " ---: |" * 6]
    for name, runs in found.items():
        cells = (
            name,
            rules.get(name, ""),
            f"{statistics.median(runs.wall):.2f}",
            f"{statistics.median(runs.cpu):.2f}",
            f"{max(runs.memory) / 1e6:.0f}",
            ratio(runs.wall, own.wall),
            ratio(runs.cpu, own.cpu),
            str(runs.code),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}; load average {load:.1f} at the end of the run"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True, help="what corpus.py --cache was given")
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for tools and sets")
    parser.add_argument(
        "--quick", action="store_true", help="200 files a set, one round: does all of it run?"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=SET_FILES, help="files of a set, for a quick look")
    parser.add_argument("--sets", default="heavy,ordinary")
    parser.add_argument(
        "--tools", default="", help="only those whose names contain one of these, with commas"
    )
    parser.add_argument(
        "--growth", type=int, default=0, help="also time so many files, and ten times as many"
    )
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.files = 1, min(options.files, 200)
    scratch: Path = options.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    versions = install(scratch)
    versions["wsantipattern"] = _said([str(Path(sys.executable).parent / "wsantipattern"), "--version"])
    folders = make_sets(options.corpus.resolve(), scratch, options.files)
    wanted = [word for word in options.tools.split(",") if word]

    def kept(all_tools: Iterable[Tool]) -> list[Tool]:
        return [
            tool
            for number, tool in enumerate(all_tools)
            if number == 0 or not wanted or any(word in tool.name for word in wanted)
        ]

    parts = []
    titles = {"heavy": "The WebSocket-heavy set", "ordinary": "The ordinary set"}
    for name in options.sets.split(","):
        chosen = kept(tools(scratch))
        found = rounds(chosen, folders[name], options.rounds)
        rules = {tool.name: tool.rules for tool in chosen}
        parts.append(
            f"## {titles[name]}\n\n{described(folders[name])}.\n\n{table(found, chosen[0].name, rules)}"
        )
    alone = scratch / "alone"
    alone.mkdir(exist_ok=True)
    (alone / "send.js").write_text(ALONE)
    chosen = kept(
        [
            tool
            for tool in tools(scratch, "send.js")
            if tool.name not in ("walk and stat", "Ruff") and "changed" not in tool.name
        ]
    )
    many = [Tool(t.name, t.command, t.rules, t.before) for t in [*chosen, *starts(scratch)]]
    found = rounds(many, alone, max(options.rounds, 3))
    rules = {tool.name: tool.rules for tool in many}
    parts.append(
        f"## One file alone, and the start\n\nA file of 12 lines with one finding.\n\n{table(found, chosen[0].name, rules)}"
    )
    if options.growth:
        own = tools(scratch)[0]
        small, large = (grown(folders["ordinary"], scratch, n) for n in (options.growth, 10 * options.growth))
        few, many_files = rounds([own], small, options.rounds), rounds([own], large, options.rounds)
        times = [b / a for a, b in zip(few[own.name].wall, many_files[own.name].wall, strict=True)]
        parts.append(
            f"## Ten times the files\n\n{options.growth:,} and {10 * options.growth:,} small files: "
            f"{statistics.median(times):.1f} times the time; peak {max(many_files[own.name].memory) / 1e6:.0f} MB.\n"
        )
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    head = (
        "# Results of `benchmarks/run.py`\n\n"
        f"{machine()}. {said}. {options.rounds} rounds at most; times are medians, a ratio is the median over the\n"
        "rounds of a tool's time divided by that of the first row in the same round: above 1, the tool is slower.\n"
    )
    notes = options.output.parent / "NOTES.md"
    tail = [notes.read_text("utf-8")] if notes.exists() else []
    options.output.write_text("\n".join([head, *parts, *tail]), "utf-8")
    return 0


ALONE = """\
export async function publish(socket, url, body) {
  const slowNotice = setTimeout(() => socket.warn("slow"), 1000);
  if (body === null) {
    return null;
  }
  const answer = await fetch(url, { method: "POST", body });
  clearTimeout(slowNotice);
  socket.done(answer.status);
  return answer;
}

export default publish;
"""

if __name__ == "__main__":
    raise SystemExit(main())
