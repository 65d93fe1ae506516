"""Runs wsantipattern over the corpus and prints what changed against the recorded findings.

    python benchmarks/crater.py --cache DIR [--jobs N] [--language L] [--package NAME] [--update] [--table]

`findings.tsv` holds what the last recorded run found, `verdicts.tsv` what a reader thought of it. Both know a finding
by its rule, package (kind and name, without the version), path inside the package, and line, whitespace folded; so it
survives moved lines and new versions, and two equal lines of one file are two rows in the one and share a row in the
other. `checked.tsv` says which packages, in which versions, the recorded findings are of.

Guarantees: the same output for the same corpus and the same tool, for any number of processes; the recorded findings
of packages that a run did not look at stay as they are. Exits with 0 when nothing changed, 1 when something did, 2
when the run itself failed.

Does not: fetch the corpus (`corpus.py` does), judge a finding, or show what the default confidence hides.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import corpus

HERE = Path(__file__).resolve().parent

if TYPE_CHECKING:
    from wsantipattern.finding import Report

FINDINGS = HERE / "findings.tsv"
VERDICTS = HERE / "verdicts.tsv"
CHECKED = HERE / "checked.tsv"

KEY_COLUMNS = ("rule", "package", "path", "line")
VERDICT_COLUMNS = (*KEY_COLUMNS, "verdict", "reason")
KINDS = ("real", "arguable", "false")
CHECKED_COLUMNS = ("package", "version")
UNJUDGED = "unjudged"

LANGUAGES: Mapping[str, str] = {"npm": "JavaScript/TypeScript", "debian": "Go", "pypi": "Python"}

LINES_PER_FALSE = 20_000
"""The goal is fewer than one false alarm in so many lines."""


class CraterError(Exception):
    """A failure to say to the user in one line."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a finding is known by. `package` is `kind:name`, `line` the folded text of the line it points at."""

    rule: str
    package: str
    path: str
    line: str

    @property
    def language(self) -> str:
        return LANGUAGES[self.package.partition(":")[0]]

    def __str__(self) -> str:
        return f"{self.rule}  {self.package}  {self.path}  {self.line}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader thought of a finding: one of `KINDS`, and why."""

    kind: str
    reason: str


# The recorded tables


def rows(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """The rows of a table under its head line; none where there is no such file. Raises CraterError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise CraterError(f"{path}: {error}") from error
    # Not splitlines: the line of a source file may hold a form feed or a line separator.
    head, *lines = text.removesuffix("\n").split("\n")
    if head.split("\t") != list(columns):
        raise CraterError(f"{path}: the columns are not {', '.join(columns)}")
    table = [line.split("\t") for line in lines]
    for number, row in enumerate(table, 2):
        if len(row) != len(columns):
            raise CraterError(f"{path}:{number}: {len(row)} columns, not {len(columns)}")
    return table


def write_rows(path: Path, columns: Sequence[str], table: Iterable[Sequence[str]]) -> None:
    """Writes a table, whole or not at all."""
    lines = ["\t".join(row) + "\n" for row in (columns, *table)]
    scratch = path.with_name(path.name + ".new")
    scratch.write_text("".join(lines), encoding="utf-8")
    os.replace(scratch, path)


def recorded(path: Path = FINDINGS) -> Counter[Key]:
    """The recorded findings, each with the number of its rows. Raises CraterError."""
    return Counter(Key(*row) for row in rows(path, KEY_COLUMNS))


def record(findings: Counter[Key], path: Path = FINDINGS) -> None:
    """Writes the findings, sorted."""
    write_rows(path, KEY_COLUMNS, ([k.rule, k.package, k.path, k.line] for k in sorted(findings.elements())))


def checked(path: Path = CHECKED) -> dict[str, str]:
    """The packages that the recorded findings are of, each with its version. Raises CraterError."""
    return {row[0]: row[1] for row in rows(path, CHECKED_COLUMNS)}


def mark_checked(packages: Iterable[corpus.Package], path: Path = CHECKED) -> None:
    """Adds packages to those that the recorded findings are of. Raises CraterError."""
    known = {**checked(path), **{identity(package): package.version for package in packages}}
    write_rows(path, CHECKED_COLUMNS, sorted(known.items()))


def verdicts(path: Path = VERDICTS) -> dict[Key, Verdict]:
    """The verdicts. Raises CraterError where one is none of `KINDS`, has no reason, or stands twice."""
    result: dict[Key, Verdict] = {}
    for number, row in enumerate(rows(path, VERDICT_COLUMNS), 2):
        key, (kind, reason) = Key(*row[:4]), row[4:]
        if kind not in KINDS or not reason.strip():
            raise CraterError(f"{path}:{number}: needs one of {', '.join(KINDS)}, and a reason")
        if key in result:
            raise CraterError(f"{path}:{number}: a second verdict on the same finding")
        result[key] = Verdict(kind, reason)
    return result


# The run


def folded(text: str) -> str:
    """A line as it is recorded: every run of white space is one blank, none at the ends."""
    return " ".join(text.split())


def identity(package: corpus.Package) -> str:
    return f"{package.kind}:{package.name}"


def folder(package: corpus.Package, cache: Path) -> Path:
    return cache / "sources" / package.language / package.directory


def chosen(
    packages: Iterable[corpus.Package], cache: Path, languages: Collection[str], names: Collection[str]
) -> list[corpus.Package]:
    """The packages to look at. Raises CraterError where one is not unpacked, or none is left."""
    result = [
        package
        for package in packages
        if (not languages or package.language in languages) and (not names or package.name in names)
    ]
    if not result:
        raise CraterError("no package of the corpus has such a name and language")
    for package in result:
        if not (folder(package, cache) / corpus.MARKER).is_file():
            raise CraterError(f"{package.directory} is not in {cache}: run benchmarks/corpus.py first")
    return result


def check(folders: Sequence[Path], jobs: int) -> Report:
    """The report on some folders, as the command makes it without a configuration.

    The corpus holds sources only, so the names of folders that are usually build results say nothing in it.
    """
    from wsantipattern.plan import Options
    from wsantipattern.runner import run

    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch, "wsantipattern.toml")
        config.write_text("exclude = []\n", encoding="utf-8")
        options = Options(config=str(config), jobs=jobs)
        return run([str(place) for place in folders], options, progress=show_progress).report


def show_progress(done: int, of: int) -> None:
    if sys.stderr.isatty() and (done % 100 == 0 or done == of):
        print(f"\r{done} of {of} files", end="\n" if done == of else "", file=sys.stderr, flush=True)


def keys(
    found: Iterable[tuple[str, str, int]], packages: Iterable[corpus.Package], cache: Path
) -> Counter[Key]:
    """The keys of findings, each given as its rule, the path of its file and its line from 1.

    Raises CraterError for a finding in none of the packages.
    """
    homes = {str(folder(package, cache).resolve()): identity(package) for package in packages}
    depth = len((cache / "sources").resolve().parts) + 2
    texts: dict[Path, list[str]] = {}
    result: Counter[Key] = Counter()
    for rule, path, line in found:
        place = Path(path).resolve()
        home = str(Path(*place.parts[:depth]))
        if home not in homes:
            raise CraterError(f"{path} belongs to no package that was looked at")
        if place not in texts:
            texts[place] = source_lines(place.read_bytes())
        text = texts[place][line - 1]
        result[Key(rule, homes[home], "/".join(place.parts[depth:]), folded(text))] += 1
    return result


def source_lines(data: bytes) -> list[str]:
    """The lines of a file as findings number them."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


# What a run says


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run found that is not recorded, and the other way round."""

    added: Counter[Key]
    gone: Counter[Key]

    def __bool__(self) -> bool:
        return bool(self.added or self.gone)


def difference(before: Counter[Key], after: Counter[Key], packages: Collection[str]) -> Difference:
    """What changed in the packages, given by their identities."""
    before = within(before, packages)
    return Difference(after - before, before - after)


def within(findings: Counter[Key], packages: Collection[str]) -> Counter[Key]:
    return Counter({key: count for key, count in findings.items() if key.package in packages})


def described(change: Difference, judged: Mapping[Key, Verdict]) -> list[str]:
    """One line a finding: `+` where it is new, `-` where it is gone, with its verdict."""
    signed = [("+", key) for key in change.added.elements()] + [("-", key) for key in change.gone.elements()]
    signed.sort(key=lambda entry: (entry[1], entry[0]))
    return [f"{sign} {key}  [{judged[key].kind if key in judged else UNJUDGED}]" for sign, key in signed]


@dataclass(frozen=True, slots=True)
class Tally:
    """The findings of one row of the measured table, by their verdicts, and the lines they are of."""

    lines: int
    counts: Counter[str]

    @property
    def findings(self) -> int:
        return self.counts.total()

    @property
    def precision(self) -> str:
        """The share of the judged findings that are real or arguable."""
        judged = sum(self.counts[kind] for kind in KINDS)
        return f"{100 * (judged - self.counts['false']) / judged:.0f} %" if judged else "–"

    @property
    def false_rate(self) -> str:
        return f"{self.counts['false'] * LINES_PER_FALSE / self.lines:.2f}" if self.lines else "–"


def tallies(
    findings: Counter[Key], judged: Mapping[Key, Verdict], lines: Mapping[str, int]
) -> list[tuple[str, Tally]]:
    """The rows of the measured table: each rule, each language, everything. `lines` are those of each language."""
    total = sum(lines.values())
    result = []

    def row(name: str, size: int, of: Iterable[Key]) -> None:
        counts: Counter[str] = Counter()
        for key in of:
            counts[judged[key].kind if key in judged else UNJUDGED] += findings[key]
        result.append((name, Tally(size, counts)))

    for rule in sorted({key.rule for key in findings}):
        row(f"`{rule}`", total, [key for key in findings if key.rule == rule])
    for language, size in lines.items():
        row(language, size, [key for key in findings if key.language == language])
    row("all", total, list(findings))
    return result


def table(entries: Iterable[tuple[str, Tally]]) -> list[str]:
    """The measured table in Markdown."""
    head = "| | lines | findings | real | arguable | false | unjudged | precision | false per 20,000 lines |"
    lines = [head, "|---|" + "--:|" * 8]
    for name, tally in entries:
        numbers = [tally.counts[kind] for kind in (*KINDS, UNJUDGED)]
        cells = [
            f"{tally.lines:,}",
            str(tally.findings),
            *map(str, numbers),
            tally.precision,
            tally.false_rate,
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def lines_of(packages: Iterable[corpus.Package], cache: Path) -> dict[str, int]:
    """How many lines of source each language has, by its display name."""
    result = dict.fromkeys(LANGUAGES.values(), 0)
    for package in packages:
        for path in sorted(folder(package, cache).rglob("*")):
            if path.suffix in corpus.SUFFIXES[package.language] and path.is_file():
                result[LANGUAGES[package.kind]] += len(path.read_bytes().splitlines())
    return {language: size for language, size in result.items() if size}


# The command


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="where corpus.py unpacked the corpus")
    parser.add_argument("--list", type=Path, default=corpus.LIST, help="the list of packages")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes to use")
    parser.add_argument("--language", action="append", choices=sorted(corpus.SUFFIXES), default=[])
    parser.add_argument("--package", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--update", action="store_true", help="record what was found")
    parser.add_argument(
        "--table", action="store_true", help="run nothing; print the table of what is recorded"
    )
    options = parser.parse_args(arguments)
    try:
        return crater(options)
    except (CraterError, corpus.CorpusError) as error:
        print(f"crater.py: {error}", file=sys.stderr)
        return 2


def crater(options: argparse.Namespace) -> int:
    packages = chosen(corpus.load(options.list), options.cache, options.language, options.package)
    names = {identity(package) for package in packages}
    judged = verdicts()
    before = recorded()
    if options.table:
        done = checked()
        packages = [package for package in packages if identity(package) in done]
        names = {identity(package) for package in packages}
        print(f"{len(packages)} packages\n")
        print("\n".join(table(tallies(within(before, names), judged, lines_of(packages, options.cache)))))
        return 0
    report = check([folder(package, options.cache) for package in packages], options.jobs)
    for error in report.errors:
        print(f"! {error.path}: {error.message}")
    found = [(f.rule, f.path, f.span.start.line) for f in report.findings]
    after = keys(found, packages, options.cache)
    change = difference(before, after, names)
    for line in described(change, judged):
        print(line)
    print(f"{after.total()} findings, {change.added.total()} new, {change.gone.total()} gone")
    if options.update:
        record(before - within(before, names) + after)
        mark_checked(packages)
    return 1 if change else 0


if __name__ == "__main__":
    sys.exit(main())
