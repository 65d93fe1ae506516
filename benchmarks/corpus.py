"""Fetches the corpus: a pinned list of published packages whose source the tool is measured on.

`corpus.toml` names each package with its version and the SHA-256 of its archive. A run fetches the archives
with the machine's own package clients (npm, pip, apt-get), checks the hashes, and unpacks the source a person
wrote into a cache outside the repository:

    CACHE/archives/SHA256.tgz|whl|deb         the archive as published
    CACHE/sources/LANGUAGE/NAME-VERSION/...   its source files
    CACHE/sources/LANGUAGE/NAME-VERSION/.corpus.json   what was unpacked, by which selection

A run over the whole list also removes what an earlier list had unpacked and this one does not name.

Guarantees: nothing of a package is ever executed (npm runs no scripts, pip takes wheels only, a Debian package
is read and not installed); a file is written only from an archive whose hash matched; a package's directory
appears whole or not at all; a second run fetches and writes nothing.

Does not: resolve dependencies, keep tests' data, or tell whether a version is still published. Debian serves
only the newest version of a release, so a pin to an old one fails with the client's own words.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, TypeGuard

Kind = Literal["npm", "pypi", "debian"]
Language = Literal["javascript", "go", "python"]

REPOSITORY = Path(__file__).resolve().parents[1]
LIST = Path(__file__).resolve().with_name("corpus.toml")
MARKER = ".corpus.json"

# Raised whenever the rules below change, so that trees unpacked by the old rules are unpacked again.
SELECTION = 2

ARCHIVE_SUFFIX: Mapping[Kind, str] = {"npm": ".tgz", "pypi": ".whl", "debian": ".deb"}
LANGUAGE_OF: Mapping[Kind, Language] = {"npm": "javascript", "pypi": "python", "debian": "go"}

# In order of preference where a package ships one module several times.
JAVASCRIPT_SUFFIXES = (".tsx", ".ts", ".mts", ".cts", ".jsx", ".mjs", ".js", ".cjs", ".vue", ".svelte")
SUFFIXES: Mapping[Language, tuple[str, ...]] = {
    "javascript": JAVASCRIPT_SUFFIXES,
    "go": (".go",),
    "python": (".py",),
}
TYPESCRIPT_SUFFIXES = frozenset({".ts", ".tsx", ".mts", ".cts"})

# Other people's code, many modules in one file, or a program's output.
FOREIGN_DIRECTORIES = frozenset(
    {"node_modules", "vendor", "_vendor", "vendored", "third_party", "umd", "bundle", "bundles", "testdata"}
)
PACKED_INFIXES = (".min.", ".umd.", ".bundle.", ".iife.", ".global.", ".bundled.", ".generated.")
DECLARATION_SUFFIXES = (".d.ts", ".d.mts", ".d.cts")
GENERATED_SUFFIXES = (".pb.go", ".pb.gw.go", "_pb2.py", "_pb2_grpc.py", "_pb.js", "_pb.ts")

SOURCE_DIRECTORIES = frozenset({"src", "source"})
OUTPUT_DIRECTORIES = frozenset({"dist", "build", "lib", "out", "output", "compiled"})
# In order of preference where a package ships one module for several module systems.
FORMAT_DIRECTORIES = ("esm", "es", "mjs", "module", "es6", "esm6", "es2015", "esm5", "cjs", "commonjs")

MAX_FILE_BYTES = 2 * 1024 * 1024
MAX_MEAN_LINE_BYTES = 200

CLIENT_SECONDS = 600

# pip picks the wheel by its pinned hash; these only say which wheels it may look at, on any machine.
WHEEL_TAGS = (
    *("--python-version", "3.14", "--implementation", "cp"),
    *("--platform", "manylinux_2_39_x86_64", "--platform", "manylinux_2_28_x86_64"),
    *("--platform", "manylinux_2_17_x86_64", "--platform", "manylinux2014_x86_64"),
)


# What the readers raise for an archive that is cut or altered.
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError)


class CorpusError(Exception):
    """A failure to say to the user in one line."""


@dataclass(frozen=True, slots=True)
class Package:
    """One entry of the list. `include` and `exclude` are path prefixes inside the package."""

    name: str
    kind: Kind
    version: str
    sha256: str
    language: Language
    category: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def directory(self) -> str:
        """The name of the package's directory: one path segment, unique within its language."""
        return f"{self.name.replace('/', '+')}-{self.version.replace(':', '+')}"

    @property
    def archive(self) -> str:
        """The name of the archive in the cache."""
        return self.sha256 + ARCHIVE_SUFFIX[self.kind]

    @property
    def recipe(self) -> str:
        """A digest of all that decides which files are unpacked."""
        parts = json.dumps([SELECTION, self.sha256, self.language, self.include, self.exclude])
        return hashlib.sha256(parts.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Contents:
    """What one unpacked package holds. `lines` maps a file suffix to lines of source."""

    files: int
    octets: int
    lines: Mapping[str, int]

    @property
    def total_lines(self) -> int:
        return sum(self.lines.values())


# The list


def load(path: Path) -> list[Package]:
    """The packages of a list file, in its order. Raises CorpusError if it cannot be read or an entry is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"{path}: not TOML: {error}") from error
    entries = document.get("package")
    if not isinstance(entries, list) or set(document) != {"package"}:
        raise CorpusError(f"{path}: holds something else than [[package]] entries")
    packages = [parse_entry(entry, f"{path}: package {index}") for index, entry in enumerate(entries, 1)]
    homes = Counter((package.language, package.directory) for package in packages)
    for (language, directory), count in homes.items():
        if count > 1:
            raise CorpusError(f"{path}: {directory} ({language}) is listed {count} times")
    return packages


def parse_entry(entry: object, where: str) -> Package:
    """One entry of the list. Raises CorpusError, starting with `where`, if a field is missing, unknown or wrong."""
    if not isinstance(entry, dict):
        raise CorpusError(f"{where}: not a table")
    required = ("name", "kind", "version", "sha256", "language", "category")
    optional = ("include", "exclude")
    for field in required:
        if not isinstance(entry.get(field), str) or not entry[field]:
            raise CorpusError(f"{where}: {field} is not a non-empty string")
    for field in entry:
        if field not in required and field not in optional:
            raise CorpusError(f"{where}: unknown field {field}")
    name, version, kind, language = entry["name"], entry["version"], entry["kind"], entry["language"]
    # Both go onto a client's command line and into a path.
    if not is_plain_name(name) or not is_plain_version(version):
        raise CorpusError(f"{where}: {name} {version} is no package name and version")
    if not is_kind(kind):
        raise CorpusError(f"{where}: kind {kind} is not one of {', '.join(ARCHIVE_SUFFIX)}")
    if not is_language(language):
        raise CorpusError(f"{where}: language {language} is not one of {', '.join(SUFFIXES)}")
    if not is_sha256(entry["sha256"]):
        raise CorpusError(f"{where}: sha256 of {name} is not 64 lower-case hexadecimal digits")
    prefixes: dict[str, tuple[str, ...]] = {}
    for field in optional:
        values = entry.get(field, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise CorpusError(f"{where}: {field} is not a list of path prefixes")
        prefixes[field] = tuple(values)
    return Package(
        name=name,
        kind=kind,
        version=version,
        sha256=entry["sha256"],
        language=language,
        category=entry["category"],
        include=prefixes["include"],
        exclude=prefixes["exclude"],
    )


def is_kind(value: str) -> TypeGuard[Kind]:
    return value in ARCHIVE_SUFFIX


def is_language(value: str) -> TypeGuard[Language]:
    return value in SUFFIXES


def is_sha256(value: str) -> bool:
    return len(value) == 64 and set(value) <= set("0123456789abcdef")


def is_plain_name(value: str) -> bool:
    scope, slash, rest = value.rpartition("/")
    plain = rest if not slash else scope.removeprefix("@") + rest
    if slash and (not scope.startswith("@") or len(scope) == 1):
        return False
    return (
        bool(rest) and rest[0].isalnum() and all(c.isascii() and (c.isalnum() or c in "._-+") for c in plain)
    )


def is_plain_version(value: str) -> bool:
    return value[0].isalnum() and all(c.isascii() and (c.isalnum() or c in "._-+~:") for c in value)


def render_entry(package: Package) -> str:
    """The entry of the list that stands for a package, without its prefixes."""
    fields = ("name", "kind", "version", "sha256", "language", "category")
    lines = [f'{field} = "{getattr(package, field)}"' for field in fields]
    return "\n".join(["[[package]]", *lines, ""])


# Fetching


def run_client(command: Sequence[str], directory: Path) -> None:
    """Runs a package client in a directory. Raises CorpusError with its last words if it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLIENT_SECONDS,
        )
    except FileNotFoundError as error:
        raise CorpusError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CorpusError(f"{command[0]} took longer than {CLIENT_SECONDS} seconds") from error
    if done.returncode != 0:
        raise CorpusError(f"{Path(command[0]).name} failed: {last_words(done.stderr or done.stdout)}")


def last_words(output: str) -> str:
    """The line of a client's output that says most: its last error line, else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("E:", "ERROR", "npm error"))]
    # npm closes with a line that names its log file, after the one that says what went wrong.
    told = [line for line in told if "complete log" not in line]
    return (told or lines or ["it said nothing"])[-1]


def fetch(kind: Kind, name: str, version: str, sha256: str | None, directory: Path) -> Path:
    """Fetches one archive into an empty directory and returns its path.

    `sha256` lets pip choose among several wheels; the hash is not checked here. Raises CorpusError.
    """
    match kind:
        case "npm":
            command = ["npm", "pack", "--ignore-scripts", "--silent", f"{name}@{version}"]
        case "pypi":
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
            ]
            command += ["--ignore-requires-python", *WHEEL_TAGS, "--dest", "."]
            if sha256 is None:
                command.append(f"{name}=={version}")
            else:
                requirements = directory / "requirements.txt"
                requirements.write_text(f"{name}=={version} --hash=sha256:{sha256}\n", encoding="utf-8")
                command += ["--require-hashes", "--requirement", requirements.name]
        case "debian":
            command = ["apt-get", "download", "--quiet", f"{name}={version}"]
    run_client(command, directory)
    found = sorted(directory.glob("*" + ARCHIVE_SUFFIX[kind]))
    if len(found) != 1:
        raise CorpusError(f"{command[0]} left {len(found)} archives of {name} {version}, not 1")
    return found[0]


def digest(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


Fetch = Callable[[Kind, str, str, str | None, Path], Path]


def ensure_archive(package: Package, cache: Path, fetcher: Fetch = fetch) -> Path:
    """The package's archive in the cache, fetched if it is not there. Raises CorpusError on a wrong hash."""
    archives = cache / "archives"
    target = archives / package.archive
    if target.exists():
        if digest(target) == package.sha256:
            return target
        target.unlink()
    archives.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
        found = fetcher(package.kind, package.name, package.version, package.sha256, Path(scratch))
        actual = digest(found)
        if actual != package.sha256:
            raise CorpusError(f"sha256 of the archive is {actual}, the list says {package.sha256}")
        os.replace(found, target)
    return target


# Reading archives


def members(archive: Path, kind: Kind) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The regular files of an archive: path inside the package, and a function that reads the contents.

    The function must be called before the next file is asked for. Files over MAX_FILE_BYTES and links are left
    out, and so is everything of a Debian package outside its Go source tree. Raises CorpusError if the archive
    is damaged or holds a path that leaves it.
    """
    try:
        match kind:
            case "npm":
                with tarfile.open(archive, "r:*") as tar:
                    yield from tar_members(tar, lambda path: path.partition("/")[2])
            case "pypi":
                yield from wheel_members(archive)
            case "debian":
                with open_deb_data(archive) as data, tarfile.open(fileobj=data, mode="r:") as tar:
                    yield from tar_members(tar, go_path)
    except DAMAGE as error:
        raise damaged(archive, error) from error


def damaged(archive: Path, error: Exception) -> CorpusError:
    return CorpusError(f"{archive.name} is damaged: {str(error).partition(chr(10))[0]}")


def read_member(archive: Path, read: Callable[[], bytes]) -> bytes:
    """The contents of one file of an archive. Raises CorpusError if they are damaged."""
    try:
        return read()
    except DAMAGE as error:
        raise damaged(archive, error) from error


def go_path(path: str) -> str:
    path = path.removeprefix("./")
    root = "usr/share/gocode/src/"
    return path[len(root) :] if path.startswith(root) else ""


def tar_members(
    tar: tarfile.TarFile, rename: Callable[[str], str]
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for info in tar:
        path = rename(info.name)
        if not info.isreg() or info.size > MAX_FILE_BYTES or not path:
            continue
        stream = tar.extractfile(info)
        if stream is not None:
            yield checked_path(path), stream.read


def wheel_members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    with zipfile.ZipFile(archive) as wheel:
        for info in wheel.infolist():
            if info.is_dir() or info.file_size > MAX_FILE_BYTES:
                continue
            with wheel.open(info) as stream:
                yield checked_path(info.filename), stream.read


def checked_path(path: str) -> str:
    """A path that stays within the package. Raises CorpusError for any other."""
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in PurePosixPath(path).parts:
        raise CorpusError(f"archive holds the unsafe path {path!r}")
    return str(PurePosixPath(path))


def open_deb_data(archive: Path) -> IO[bytes]:
    """The uncompressed file tree of a Debian package: the tar inside its `ar` archive. Raises CorpusError."""
    with archive.open("rb") as stream:
        if stream.read(8) != b"!<arch>\n":
            raise CorpusError(f"{archive.name} is not a Debian package")
        while len(header := stream.read(60)) == 60:
            name = header[:16].decode("ascii", "replace").strip().rstrip("/")
            try:
                size = int(header[48:58])
            except ValueError as error:
                raise damaged(archive, error) from error
            if name.startswith("data.tar"):
                return decompressed(stream.read(size), name)
            stream.seek(size + size % 2, io.SEEK_CUR)
    raise CorpusError(f"{archive.name} holds no file tree")


def decompressed(data: bytes, name: str) -> IO[bytes]:
    openers: Mapping[str, Callable[[bytes], bytes]] = {
        "data.tar": bytes,
        "data.tar.gz": gzip.decompress,
        "data.tar.xz": lzma.decompress,
    }
    if name not in openers:
        raise CorpusError(f"{name} is compressed in a way Python cannot read")
    return io.BytesIO(openers[name](data))


# Selecting


def is_source_path(path: str, language: Language) -> bool:
    """Whether a path alone says that a person wrote the file, in that language, for this package."""
    *directories, name = PurePosixPath(path).parts
    low = name.lower()
    return (
        PurePosixPath(low).suffix in SUFFIXES[language]
        and not low.endswith(DECLARATION_SUFFIXES)
        and not low.endswith(GENERATED_SUFFIXES)
        and not low.startswith("zz_generated")
        and not any(infix in low for infix in PACKED_INFIXES)
        and FOREIGN_DIRECTORIES.isdisjoint(directories)
    )


def select(paths: Iterable[str], package: Package) -> list[str]:
    """The files to unpack, judged by their paths: source in the package's language, each module once."""
    kept = [path for path in paths if is_source_path(path, package.language)]
    if package.include:
        kept = [path for path in kept if path.startswith(package.include)]
    if package.exclude:
        kept = [path for path in kept if not path.startswith(package.exclude)]
    if package.language != "javascript":
        return kept
    tops = {PurePosixPath(path).parts[0] for path in kept}
    if not package.include and tops & SOURCE_DIRECTORIES:
        kept = [path for path in kept if not is_output(PurePosixPath(path).parts[0])]
    return each_module_once(kept)


def directory_words(part: str) -> list[str]:
    """The words of a directory's name: `_cjs` is cjs, `dist-esm` is dist and esm."""
    return part.strip("_").replace("_", "-").split("-")


def is_output(part: str) -> bool:
    """Whether a directory's name says that a build wrote what is in it."""
    words = directory_words(part)
    return any(word in OUTPUT_DIRECTORIES or word in FORMAT_DIRECTORIES for word in (words[0], words[-1]))


def each_module_once(paths: Sequence[str]) -> list[str]:
    """Of the files that are one JavaScript module in several forms, the one nearest to what was written."""
    best: dict[tuple[str, ...], tuple[tuple[int, int, int], str]] = {}
    sources: set[tuple[str, ...]] = set()
    for path in paths:
        *directories, name = PurePosixPath(path).parts
        words: list[str] = []
        while directories and is_output(directories[0]):
            words += directory_words(directories.pop(0))
        is_source = bool(directories) and directories[0] in SOURCE_DIRECTORIES
        wrapper = "wrapped" if words or is_source else "bare"
        if is_source:
            directories.pop(0)
        suffix = PurePosixPath(name.lower()).suffix
        # A component and the plain module beside it share a stem and are two modules.
        written = suffix if suffix in {".vue", ".svelte"} else ""
        module = (*directories, name[: -len(suffix)] + written)
        if is_source:
            sources.add(module)
        rank = (
            0 if is_source else 1,
            min((FORMAT_DIRECTORIES.index(word) for word in words if word in FORMAT_DIRECTORIES), default=0),
            JAVASCRIPT_SUFFIXES.index(suffix),
        )
        key = (wrapper, *module)
        if key not in best or (rank, path) < best[key]:
            best[key] = (rank, path)
    # A module at the top is another one than lib's of the same name, unless it was compiled from a source.
    chosen = {
        path
        for (wrapper, *module), (_, path) in best.items()
        if wrapper == "wrapped" or tuple(module) not in sources
    }
    return [path for path in paths if path in chosen]


def is_written(text: bytes, language: Language) -> bool:
    """Whether the contents look like something a person wrote: not packed, not marked as generated."""
    if not text.strip() or b"\0" in text:
        return False
    if len(text) > MAX_MEAN_LINE_BYTES * count_lines(text):
        return False
    if language == "go":
        # The form of the mark is fixed by the Go project.
        head = text.splitlines()[:60]
        return not any(
            line.startswith(b"// Code generated ") and line.endswith(b" DO NOT EDIT.") for line in head
        )
    return True


def count_lines(text: bytes) -> int:
    """Lines of a text; a last line without a line break counts."""
    return text.count(b"\n") + (not text.endswith(b"\n") and text != b"")


# Unpacking


def read_marker(package: Package, cache: Path) -> Contents | None:
    """What the cache holds of a package, or None if that is nothing or not what the list now asks for."""
    marker = tree_of(package, cache) / MARKER
    try:
        record = json.loads(marker.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{marker}: unreadable: {error}") from error
    if not isinstance(record, dict) or record.get("recipe") != package.recipe:
        return None
    return Contents(files=record["files"], octets=record["octets"], lines=record["lines"])


def tree_of(package: Package, cache: Path) -> Path:
    return cache / "sources" / package.language / package.directory


def unpack(package: Package, archive: Path, cache: Path) -> Contents:
    """Writes a package's source files into the cache, in place of what was there, whole or not at all.

    Raises CorpusError if the archive is damaged or unsafe, or holds no source.
    """
    target = tree_of(package, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    chosen = set(select([path for path, _ in members(archive, package.kind)], package))
    scratch = Path(tempfile.mkdtemp(prefix=".unpack-", dir=cache))
    try:
        tree = scratch / "new"
        tree.mkdir()
        files = octets = 0
        lines: Counter[str] = Counter()
        for path, read in members(archive, package.kind):
            if path not in chosen:
                continue
            text = read_member(archive, read)
            if not is_written(text, package.language):
                continue
            place = tree / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
            files += 1
            octets += len(text)
            lines[place.suffix.lower()] += count_lines(text)
        if not files:
            raise CorpusError(f"{archive.name} holds no {package.language} source")
        contents = Contents(files, octets, dict(sorted(lines.items())))
        record = {
            "name": package.name,
            "version": package.version,
            "recipe": package.recipe,
            "files": contents.files,
            "octets": contents.octets,
            "lines": contents.lines,
        }
        (tree / MARKER).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        replace_tree(tree, target, scratch / "old")
        return contents
    finally:
        shutil.rmtree(scratch)


def replace_tree(new: Path, target: Path, aside: Path) -> None:
    """Puts a directory where another may be. All three must be on one file system."""
    if target.exists():
        os.replace(target, aside)
    os.replace(new, target)


def prune(packages: Sequence[Package], cache: Path) -> list[str]:
    """Removes the packages that the list no longer names, and returns their directories' names in order."""
    wanted = {tree_of(package, cache) for package in packages}
    removed: list[str] = []
    for marker in sorted(cache.glob(f"sources/*/*/{MARKER}")):
        if marker.parent not in wanted:
            shutil.rmtree(marker.parent)
            removed.append(marker.parent.name)
    archives = {package.archive for package in packages}
    for archive in sorted(cache.glob("archives/*")):
        if archive.name not in archives and is_sha256(archive.stem):
            archive.unlink()
    return removed


def ensure(package: Package, cache: Path, fetcher: Fetch = fetch) -> tuple[Contents, bool]:
    """A package's contents, and whether they had to be unpacked. Raises CorpusError, starting with the name."""
    try:
        present = read_marker(package, cache)
        if present is not None:
            return present, False
        return unpack(package, ensure_archive(package, cache, fetcher), cache), True
    except CorpusError as error:
        raise CorpusError(f"{package.name} {package.version}: {error}") from error
    except OSError as error:
        raise CorpusError(f"{package.name} {package.version}: {error}") from error


# The table


def spoken_language(suffix: str) -> str:
    """The language to count a file's lines under."""
    if suffix in TYPESCRIPT_SUFFIXES:
        return "TypeScript"
    return {".go": "Go", ".py": "Python"}.get(suffix, "JavaScript")


def table(rows: Sequence[tuple[Package, Contents | None]]) -> str:
    """Packages with their files, lines and languages, then totals; a package not unpacked shows dashes."""
    head = ("package", "version", "kind", "category", "files", "lines", "languages")
    body: list[tuple[str, ...]] = []
    packages: Counter[str] = Counter()
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for package, contents in rows:
        told = (package.name, package.version, package.kind, package.category)
        if contents is None:
            body.append((*told, "-", "-", "-"))
            continue
        spoken: Counter[str] = Counter()
        for suffix, count in contents.lines.items():
            spoken[spoken_language(suffix)] += count
        body.append((*told, f"{contents.files:,}", f"{contents.total_lines:,}", ", ".join(sorted(spoken))))
        packages[package.language] += 1
        files[package.language] += contents.files
        lines.update(spoken)
    out = align([head, *body], right={4, 5})
    out.append("")
    for language in SUFFIXES:
        if packages[language]:
            out.append(f"{language}: {packages[language]} packages, {files[language]:,} files")
    out += [f"{language}: {count:,} lines" for language, count in sorted(lines.items())]
    out.append(f"all: {packages.total()} packages, {files.total():,} files, {lines.total():,} lines")
    return "\n".join(out)


def align(rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


# The command


def default_cache() -> Path:
    """Where the corpus lies unless told: below XDG_CACHE_HOME, else below ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return home / "wsantipattern" / "corpus"


def choose(packages: Sequence[Package], only: Sequence[str], language: str | None) -> list[Package]:
    """The packages a run is about. Raises CorpusError for a name the list does not hold."""
    known = {package.name for package in packages}
    for name in only:
        if name not in known:
            raise CorpusError(f"no package {name} in the list")
    return [
        package
        for package in packages
        if (not only or package.name in only) and (language is None or package.language == language)
    ]


def pin(kind: str, name: str, version: str, category: str) -> str:
    """The entry of the list for a package as it is published now. Raises CorpusError."""
    if not is_kind(kind):
        raise CorpusError(f"kind {kind} is not one of {', '.join(ARCHIVE_SUFFIX)}")
    with tempfile.TemporaryDirectory() as scratch:
        sha256 = digest(fetch(kind, name, version, None, Path(scratch)))
    return render_entry(Package(name, kind, version, sha256, LANGUAGE_OF[kind], category))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="corpus.py",
        description="Fetch the pinned corpus of real source code into a cache outside the repository.",
    )
    made.add_argument("--cache", type=Path, metavar="DIR", help=f"where it lies (default {default_cache()})")
    made.add_argument("--file", type=Path, default=LIST, metavar="TOML", help="the list of packages")
    made.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these packages alone")
    made.add_argument("--language", choices=sorted(SUFFIXES), help="packages in this language alone")
    made.add_argument(
        "--jobs", type=int, default=4, metavar="N", help="archives fetched at a time (default 4)"
    )
    made.add_argument("--list", action="store_true", help="fetch nothing, print the table of what is there")
    made.add_argument(
        "--pin",
        nargs=4,
        action="append",
        default=[],
        metavar=("KIND", "NAME", "VERSION", "CATEGORY"),
        help="print the list entry of a package as published now, and do nothing else",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0 done, 1 some packages failed, 2 wrong use or list."""
    options = parser().parse_args(arguments)
    try:
        for kind, name, version, category in options.pin:
            print(pin(kind, name, version, category), flush=True)
        if options.pin:
            return 0
        packages = choose(load(options.file), options.only, options.language)
        cache: Path = (options.cache or default_cache()).expanduser().resolve()
        if cache.is_relative_to(REPOSITORY):
            raise CorpusError(f"the cache {cache} lies inside the repository")
        if options.jobs < 1:
            raise CorpusError("--jobs is less than 1")
        if options.list:
            print(table([(package, read_marker(package, cache)) for package in packages]))
            return 0
        cache.mkdir(parents=True, exist_ok=True)
        if not options.only and options.language is None:
            for name in prune(packages, cache):
                print(f"removed {name}", file=sys.stderr)
    except (CorpusError, OSError) as error:
        print(f"corpus: error: {error}", file=sys.stderr)
        return 2
    return fetch_all(packages, cache, options.jobs)


def fetch_all(packages: Sequence[Package], cache: Path, jobs: int, fetcher: Fetch = fetch) -> int:
    """Brings the cache up to the list, saying each step on standard error, then prints the table."""
    held: dict[Package, Contents] = {}
    failures = 0
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = {pool.submit(ensure, package, cache, fetcher): package for package in packages}
        for future in as_completed(waiting):
            package = waiting[future]
            try:
                held[package], fresh = future.result()
            except CorpusError as error:
                failures += 1
                print(f"corpus: error: {error}", file=sys.stderr, flush=True)
                continue
            if fresh:
                print(f"unpacked {package.name} {package.version}", file=sys.stderr, flush=True)
    print(table([(package, held.get(package)) for package in packages]))
    print(f"in {cache / 'sources'}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
