"""The corpus script, without a network: its list, hashes, selection of files and unpacking."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import corpus
import pytest

ROOT = Path(__file__).resolve().parents[1]


def tar_bytes(files: Mapping[str, str | bytes], prefix: str = "package/") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            info = tarfile.TarInfo(prefix + path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def npm_bytes(files: Mapping[str, str | bytes]) -> bytes:
    return gzip.compress(tar_bytes(files), mtime=0)


def wheel_bytes(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return out.getvalue()


def deb_bytes(files: Mapping[str, str | bytes], name: str = "data.tar.xz") -> bytes:
    def member(title: str, data: bytes) -> bytes:
        header = f"{title:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        return header + data + b"\n" * (len(data) % 2)

    tree = lzma.compress(tar_bytes(files, prefix="./"))
    return (
        b"!<arch>\n" + member("debian-binary", b"2.0") + member("control.tar.xz", b"odd") + member(name, tree)
    )


def package(kind: str, data: bytes, **changes: object) -> Any:
    fields: dict[str, object] = {
        "name": "thing",
        "kind": kind,
        "version": "1.0",
        "sha256": hashlib.sha256(data).hexdigest(),
        "language": corpus.LANGUAGE_OF[kind],
        "category": "client",
    }
    return corpus.Package(**(fields | changes))


class Registry:
    """Hands out archives in place of a package client, and counts how often it is asked."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked = 0

    def __call__(self, kind: str, name: str, version: str, sha256: str | None, directory: Path) -> Path:
        self.asked += 1
        place = directory / f"fetched{corpus.ARCHIVE_SUFFIX[kind]}"
        place.write_bytes(self.data)
        return place


def tree(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


ENTRY = """[[package]]
name = "@scope/thing"
kind = "npm"
version = "1.2.3-rc.1"
sha256 = "{sha256}"
language = "javascript"
category = "client"
"""


def write_list(directory: Path, text: str) -> Path:
    path = directory / "list.toml"
    path.write_text(text.format(sha256="a" * 64), encoding="utf-8")
    return path


class TestList:
    def test_reads_an_entry(self, tmp_path: Path) -> None:
        (entry,) = corpus.load(write_list(tmp_path, ENTRY + 'include = ["src/"]\n'))
        assert (entry.name, entry.version, entry.language) == ("@scope/thing", "1.2.3-rc.1", "javascript")
        assert entry.include == ("src/",)
        assert entry.exclude == ()
        assert entry.directory == "@scope+thing-1.2.3-rc.1"

    def test_what_pin_prints_is_what_the_list_reads(self, tmp_path: Path) -> None:
        (entry,) = corpus.load(write_list(tmp_path, ENTRY))
        assert corpus.load(write_list(tmp_path, corpus.render_entry(entry))) == [entry]

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('kind = "npm"', 'kind = "cargo"', "kind cargo"),
            ('"javascript"', '"perl"', "language perl"),
            ('"{sha256}"', '"ABC"', "sha256 of @scope/thing"),
            ('category = "client"', "", "category is not"),
            ('version = "1.2.3-rc.1"', 'version = "1 --flag"', "no package name and version"),
            ('name = "@scope/thing"', 'name = "--flag"', "no package name and version"),
            ('name = "@scope/thing"', 'name = "../thing"', "no package name and version"),
            ('category = "client"', 'category = "client"\nsurprise = 1', "unknown field surprise"),
            ('category = "client"', 'category = "client"\nexclude = "lib/"', "exclude is not a list"),
        ],
    )
    def test_says_which_entry_is_wrong(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        with pytest.raises(corpus.CorpusError, match=message) as caught:
            corpus.load(write_list(tmp_path, ENTRY.replace(old, new)))
        assert "package 1" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_refuses_the_same_package_twice(self, tmp_path: Path) -> None:
        with pytest.raises(corpus.CorpusError, match="listed 2 times"):
            corpus.load(write_list(tmp_path, ENTRY + ENTRY))

    @pytest.mark.parametrize("text", ["[[package", "other = 1", "package = 3"])
    def test_refuses_what_is_no_list(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(corpus.CorpusError):
            corpus.load(write_list(tmp_path, text))

    def test_the_shipped_list_is_sound_and_wide(self) -> None:
        packages = corpus.load(corpus.LIST)
        assert len(packages) >= 60
        assert {entry.language for entry in packages} == {"javascript", "go", "python"}
        assert all(entry.language == corpus.LANGUAGE_OF[entry.kind] for entry in packages)

    def test_chooses_by_name_and_language(self) -> None:
        ours = [
            package("npm", b"", name="ws"),
            package("pypi", b"", name="ws"),
            package("pypi", b"", name="aiohttp"),
        ]
        assert corpus.choose(ours, ["ws"], None) == ours[:2]
        assert corpus.choose(ours, [], "python") == ours[1:]
        with pytest.raises(corpus.CorpusError, match="no package nope"):
            corpus.choose(ours, ["nope"], None)


class TestArchive:
    def test_is_fetched_once(self, tmp_path: Path) -> None:
        data = npm_bytes({"index.js": "a\n"})
        registry = Registry(data)
        for _ in range(2):
            place = corpus.ensure_archive(package("npm", data), tmp_path, registry)
            assert place.read_bytes() == data
        assert registry.asked == 1

    def test_with_a_wrong_hash_is_not_kept(self, tmp_path: Path) -> None:
        wanted = package("npm", b"the pinned archive")
        with pytest.raises(corpus.CorpusError, match="the list says"):
            corpus.ensure_archive(wanted, tmp_path, Registry(b"another archive"))
        assert tree(tmp_path) == []

    def test_damaged_in_the_cache_is_fetched_again(self, tmp_path: Path) -> None:
        data = npm_bytes({"index.js": "a\n"})
        wanted = package("npm", data)
        corpus.ensure_archive(wanted, tmp_path, Registry(data)).write_bytes(b"cut")
        registry = Registry(data)
        assert corpus.ensure_archive(wanted, tmp_path, registry).read_bytes() == data
        assert registry.asked == 1

    @pytest.mark.parametrize("kind", ["npm", "pypi", "debian"])
    def test_that_is_none_is_one_line_of_error(self, tmp_path: Path, kind: str) -> None:
        data = b"this is not an archive at all"
        with pytest.raises(corpus.CorpusError, match=r"^thing 1\.0: ") as caught:
            corpus.ensure(package(kind, data), tmp_path, Registry(data))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("kind", ["npm", "pypi"])
    def test_altered_inside_is_one_line_of_error(self, tmp_path: Path, kind: str) -> None:
        line = "print('a long enough line')\n" * 200
        data = bytearray(npm_bytes({"a.js": line}) if kind == "npm" else wheel_bytes({"a.py": line}))
        data[len(data) // 3] ^= 0xFF
        with pytest.raises(corpus.CorpusError, match="is damaged") as caught:
            corpus.ensure(package(kind, bytes(data)), tmp_path, Registry(bytes(data)))
        assert "\n" not in str(caught.value)

    def test_client_errors_are_cut_to_the_telling_line(self) -> None:
        told = "npm error code E404\nnpm error 404 Not Found\nnpm error A complete log of this run is in: x\n"
        assert corpus.last_words(told) == "npm error 404 Not Found"
        assert (
            corpus.last_words("W: careful\nE: Version '9' was not found\nbye\n")
            == "E: Version '9' was not found"
        )
        assert corpus.last_words("") == "it said nothing"

    def test_missing_client_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(corpus.CorpusError, match="no-such-client is not installed"):
            corpus.run_client(["no-such-client"], tmp_path)


class TestSelection:
    def select(self, *paths: str, kind: str = "npm", **changes: object) -> list[str]:
        chosen: list[str] = corpus.select(list(paths), package(kind, b"", **changes))
        return chosen

    def test_takes_the_package_language_alone(self) -> None:
        paths = ("a.py", "b.js", "c.go", "README.md", "package.json")
        assert self.select(*paths) == ["b.js"]
        assert self.select(*paths, kind="pypi") == ["a.py"]
        assert self.select(*paths, kind="debian") == ["c.go"]

    @pytest.mark.parametrize(
        "path",
        [
            "lib/thing.min.js",
            "lib/thing.umd.js",
            "lib/thing.bundle.mjs",
            "lib/thing.d.ts",
            "lib/thing.d.cts",
            "node_modules/other/index.js",
            "umd/thing.js",
            "lib/rpc_pb.js",
        ],
    )
    def test_leaves_out_what_nobody_wrote_here(self, path: str) -> None:
        assert self.select(path) == []

    def test_leaves_out_generated_python_and_go(self) -> None:
        assert self.select("a_pb2.py", "a_pb2_grpc.py", "pkg/_vendor/x.py", "a.py", kind="pypi") == ["a.py"]
        assert self.select("a.pb.go", "zz_generated.x.go", "vendor/a.go", "a.go", kind="debian") == ["a.go"]

    def test_prefers_the_source_to_what_was_built_from_it(self) -> None:
        paths = ("src/a.ts", "dist/bundle.js", "dist-esm/a.js", "_cjs/a.js", "lib/other.js", "bin/run.js")
        assert self.select(*paths) == ["src/a.ts", "bin/run.js"]

    def test_takes_the_build_where_there_is_no_source(self) -> None:
        assert self.select("lib/a.js", "lib/b.js") == ["lib/a.js", "lib/b.js"]

    def test_takes_each_module_in_one_form(self) -> None:
        paths = ("dist/cjs/a.js", "dist/esm/a.js", "dist/esm/b.mjs", "dist/cjs/b.cjs", "dist/cjs/c.js")
        assert self.select(*paths) == ["dist/esm/a.js", "dist/esm/b.mjs", "dist/cjs/c.js"]
        assert self.select("a.js", "a.mjs", "a.ts") == ["a.ts"]
        assert self.select("client.js", "client.mjs", "src/client.ts") == ["src/client.ts"]

    def test_keeps_modules_that_only_look_alike(self) -> None:
        built = ["index.js", "lib/index.js", "lib/a/index.js"]
        assert self.select(*built) == built
        written = ["src/browser/a.ts", "src/node/a.ts", "src/a.ts", "src/a.vue"]
        assert self.select(*written) == written

    def test_the_list_has_the_last_word(self) -> None:
        paths = ("src/a.ts", "dist/a.js", "dist/b.js")
        assert self.select(*paths, include=("dist/",)) == ["dist/a.js", "dist/b.js"]
        assert self.select(*paths, exclude=("src/",)) == ["dist/a.js", "dist/b.js"]

    @pytest.mark.parametrize(
        ("text", "language", "written"),
        [
            (b"const a = 1;\n", "javascript", True),
            (b"", "javascript", False),
            (b"var a;" * 1000 + b"\n", "javascript", False),
            (b"\0binary\n", "python", False),
            (b"package a\n", "go", True),
            (b"// Code generated by mockgen. DO NOT EDIT.\npackage a\n", "go", False),
            (b"// Code generated by hand, edit at will.\npackage a\n", "go", True),
        ],
    )
    def test_looks_at_the_contents(self, text: bytes, language: str, written: bool) -> None:
        assert corpus.is_written(text, language) is written


class TestUnpacking:
    @pytest.mark.parametrize(
        ("kind", "data", "expected"),
        [
            ("npm", npm_bytes({"lib/a.js": "1\n2\n", "package.json": "{}"}), "lib/a.js"),
            ("pypi", wheel_bytes({"thing/a.py": "1\n2\n", "thing-1.0.dist-info/RECORD": ""}), "thing/a.py"),
            (
                "debian",
                deb_bytes({"usr/share/gocode/src/x.org/a.go": "1\n2\n", "usr/share/doc/thing/b.go": "3\n"}),
                "x.org/a.go",
            ),
        ],
    )
    def test_writes_the_source_of_each_kind(
        self, tmp_path: Path, kind: str, data: bytes, expected: str
    ) -> None:
        wanted = package(kind, data)
        contents, fresh = corpus.ensure(wanted, tmp_path, Registry(data))
        assert fresh
        assert (contents.files, contents.octets, contents.total_lines) == (1, 4, 2)
        assert tree(corpus.tree_of(wanted, tmp_path)) == sorted([".corpus.json", expected])
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_does_nothing_the_second_time(self, tmp_path: Path) -> None:
        data = npm_bytes({"a.js": "1\n"})
        registry = Registry(data)
        first, _ = corpus.ensure(package("npm", data), tmp_path, registry)
        for archive in (tmp_path / "archives").iterdir():
            archive.unlink()
        second, fresh = corpus.ensure(package("npm", data), tmp_path, registry)
        assert (second, fresh, registry.asked) == (first, False, 1)

    def test_unpacks_again_when_the_list_asks_for_other_files(self, tmp_path: Path) -> None:
        data = npm_bytes({"a.js": "1\n", "b.js": "1\n"})
        corpus.ensure(package("npm", data), tmp_path, Registry(data))
        changed = package("npm", data, exclude=("a.js",))
        _, fresh = corpus.ensure(changed, tmp_path, Registry(data))
        assert fresh
        assert tree(corpus.tree_of(changed, tmp_path)) == [".corpus.json", "b.js"]

    @pytest.mark.parametrize("path", ["../../out.js", "/out.js", "a/../../out.js", "a\\..\\out.js"])
    def test_a_path_that_leaves_the_package_stops_it_whole(self, tmp_path: Path, path: str) -> None:
        data = npm_bytes({"a.js": "1\n", path: "2\n"})
        cache = tmp_path / "cache"
        cache.mkdir()
        wanted = package("npm", data)
        with pytest.raises(corpus.CorpusError, match="unsafe path"):
            corpus.ensure(wanted, cache, Registry(data))
        assert not corpus.tree_of(wanted, cache).exists()
        assert tree(tmp_path) == [f"cache/archives/{wanted.archive}"]

    def test_links_are_left_out(self, tmp_path: Path) -> None:
        out = io.BytesIO(tar_bytes({"a.js": "1\n"}))
        with tarfile.open(fileobj=out, mode="a") as tar:
            link = tarfile.TarInfo("package/b.js")
            link.type = tarfile.SYMTYPE
            link.linkname = "/etc/passwd"
            tar.addfile(link)
        data = gzip.compress(out.getvalue())
        wanted = package("npm", data)
        corpus.ensure(wanted, tmp_path, Registry(data))
        assert tree(corpus.tree_of(wanted, tmp_path)) == [".corpus.json", "a.js"]

    def test_a_failure_half_way_keeps_what_was_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = npm_bytes({"a.js": "1\n", "b.js": "2\n"})
        wanted = package("npm", data, exclude=("b.js",))
        corpus.ensure(wanted, tmp_path, Registry(data))

        def fail(text: bytes, language: str) -> bool:
            raise OSError(28, "No space left on device", "b.js")

        monkeypatch.setattr(corpus, "is_written", fail)
        with pytest.raises(corpus.CorpusError, match="No space left"):
            corpus.ensure(package("npm", data), tmp_path, Registry(data))
        assert tree(corpus.tree_of(wanted, tmp_path)) == [".corpus.json", "a.js"]
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_a_package_without_source_is_an_error(self, tmp_path: Path) -> None:
        data = npm_bytes({"lib/a.min.js": "1\n"})
        with pytest.raises(corpus.CorpusError, match="no javascript source"):
            corpus.ensure(package("npm", data), tmp_path, Registry(data))

    def test_a_compression_python_cannot_read_is_named(self, tmp_path: Path) -> None:
        data = deb_bytes({"usr/share/gocode/src/x.org/a.go": "1\n"}, name="data.tar.odd")
        with pytest.raises(corpus.CorpusError, match=r"data\.tar\.odd"):
            corpus.ensure(package("debian", data), tmp_path, Registry(data))


class TestCommand:
    def test_goes_on_after_a_failure_and_prints_the_table(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = npm_bytes({"src/a.ts": "1\n2\n", "b.js": "3\n"})
        good, bad = package("npm", data), package("npm", b"other", name="bad")
        assert corpus.fetch_all([good, bad], tmp_path, 2, Registry(data)) == 1
        captured = capsys.readouterr()
        assert "corpus: error: bad 1.0: sha256" in captured.err
        rows = [line.split() for line in captured.out.splitlines()]
        assert ["thing", "1.0", "npm", "client", "2", "3", "JavaScript,", "TypeScript"] in rows
        assert ["bad", "1.0", "npm", "client", "-", "-", "-"] in rows
        assert "all: 1 packages, 2 files, 3 lines" in captured.out

    def test_list_fetches_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        listed = write_list(tmp_path, ENTRY)
        cache = tmp_path / "cache"
        assert corpus.main(["--file", str(listed), "--cache", str(cache), "--list"]) == 0
        assert "@scope/thing" in capsys.readouterr().out
        assert not cache.exists()

    def test_refuses_a_cache_inside_the_repository(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert corpus.main(["--cache", str(ROOT / "benchmarks" / "cache")]) == 2
        assert capsys.readouterr().err.startswith("corpus: error: the cache ")

    def test_unknown_package_and_missing_list_are_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert corpus.main(["--only", "no-such-package", "--cache", str(tmp_path)]) == 2
        assert corpus.main(["--file", str(tmp_path / "none.toml"), "--cache", str(tmp_path)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 2
        assert all(line.startswith("corpus: error: ") for line in lines)

    def test_removes_what_the_list_no_longer_names(self, tmp_path: Path) -> None:
        data, other = npm_bytes({"a.js": "1\n"}), npm_bytes({"b.js": "1\n"})
        kept, dropped = package("npm", data), package("npm", other, version="0.9")
        corpus.ensure(kept, tmp_path, Registry(data))
        corpus.ensure(dropped, tmp_path, Registry(other))
        foreign = tmp_path / "sources" / "javascript" / "mine"
        foreign.mkdir()
        assert corpus.prune([kept], tmp_path) == ["thing-0.9"]
        assert sorted(path.name for path in foreign.parent.iterdir()) == ["mine", "thing-1.0"]
        assert tree(tmp_path / "archives") == [kept.archive]

    def test_the_cache_follows_the_platform(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert corpus.default_cache() == tmp_path / "wsantipattern" / "corpus"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert corpus.default_cache() == tmp_path / "home" / ".cache" / "wsantipattern" / "corpus"

    def test_a_marker_says_what_was_unpacked(self, tmp_path: Path) -> None:
        data = npm_bytes({"a.js": "1\n"})
        wanted = package("npm", data)
        corpus.ensure(wanted, tmp_path, Registry(data))
        record = json.loads((corpus.tree_of(wanted, tmp_path) / ".corpus.json").read_text())
        assert (record["name"], record["version"], record["lines"]) == ("thing", "1.0", {".js": 1})
