"""Configuration files: which one holds, what it may say, and how mistakes are told."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from wsantipattern.config import KEYS, ConfigError, Nearest, load
from wsantipattern.finding import Confidence, Severity

FULL = """
select = ["loud-word"]
ignore = ["soft-word"]
min-confidence = "high"
fail-on = "error"
include = ["src/**"]
exclude = ["gen"]
extend-exclude = ["*.test.js"]
rule-paths = ["lint/rules"]
report-unused-suppressions = false

[per-path-ignores]
"tests/**" = ["loud-word"]

[severity]
loud-word = "note"

[knowledge.timer]
arms = ["my.later"]

[[knowledge.socket.kinds]]
type = "my.Socket"

[words]
socket = ["uplink"]
"""


def schema() -> dict:
    return json.loads(resources.files("wsantipattern").joinpath("config.schema.json").read_text())


def write(folder: Path, text: str, name: str = "wsantipattern.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    return file


def test_reads_every_key(tmp_path: Path):
    config = load(write(tmp_path, FULL))
    assert config.root == str(tmp_path)
    assert config.select == ("loud-word",)
    assert config.ignore == ("soft-word",)
    assert (config.min_confidence, config.fail_on) == (Confidence.HIGH, Severity.ERROR)
    assert config.filter.include == ("src/**",)
    assert config.filter.exclude == ("gen",)
    assert config.filter.extend_exclude == ("*.test.js",)
    assert config.rule_paths == (f"{tmp_path}/lint/rules",)
    assert config.per_path_ignores == (("tests/**", ("loud-word",)),)
    assert config.severity == {"loud-word": Severity.NOTE}
    assert config.report_unused_suppressions is False
    assert config.knowledge == {
        "timer": {"arms": ["my.later"]},
        "socket": {"kinds": [{"type": "my.Socket"}]},
        "words": {"socket": ["uplink"]},
    }


def test_the_schema_knows_the_same_keys():
    assert set(schema()["properties"]) == set(KEYS)


def test_the_schema_takes_what_is_taken_and_refuses_what_is_refused():
    validator = jsonschema.Draft7Validator(schema())
    validator.check_schema(schema())
    assert validator.is_valid(tomllib.loads(FULL))
    for wrong, message in WRONG:
        if "unknown role" in message:
            continue  # which roles there are is the knowledge's to say
        assert not validator.is_valid(tomllib.loads(wrong)), wrong


def test_the_nearest_configuration_holds(tmp_path: Path):
    write(tmp_path, 'ignore = ["a"]')
    write(tmp_path / "one", '[tool.wsantipattern]\nignore = ["b"]', "pyproject.toml")
    write(tmp_path / "two", "[tool.other]\nx = 1", "pyproject.toml")
    write(tmp_path / "three", 'ignore = ["c"]')
    write(tmp_path / "three", '[tool.wsantipattern]\nignore = ["d"]', "pyproject.toml")
    (tmp_path / "one" / "deep").mkdir()
    for folder, expected in {"": "a", "one/deep": "b", "two": "a", "three": "c"}.items():
        config = Nearest().of(str(tmp_path / folder))
        assert config is not None
        assert config.ignore == (expected,)


WRONG = [
    ("selcet = []", "unknown key selcet; did you mean select?"),
    (
        'min-confidence = "hihg"',
        "min-confidence must be one of low, medium, high, not hihg; did you mean high?",
    ),
    ("fail-on = 1", "fail-on must be one of note, warning, error"),
    ('select = "x"', "select must be a list of strings"),
    ("select = [1]", "select must be a list of strings"),
    ('report-unused-suppressions = "yes"', "report-unused-suppressions must be true or false"),
    ("severity = []", "severity must be a table"),
    ('[severity]\nx = "fatal"', "severity.x must be one of note, warning, error, not fatal"),
    ('[words]\nsockets = ["x"]', "words has an unknown role sockets; did you mean socket?"),
    ('[words]\nsocket = "x"', "words.socket must be a list of strings"),
    ('[knowledge]\ntimer = "x"', "knowledge.timer must be a table"),
    ("[knowledge.timer]\narms = [1]", "knowledge.timer.arms must be a list of strings or tables"),
    ('[per-path-ignores]\n"x" = "y"', "per-path-ignores.x must be a list of strings"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_mistakes_name_file_key_and_what_is_right(tmp_path: Path, text, message):
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert str(raised.value) == f"{file}: {message}"


def test_mistakes_in_pyproject_name_the_table(tmp_path: Path):
    file = write(tmp_path, "[tool.wsantipattern]\nrules = []", "pyproject.toml")
    with pytest.raises(ConfigError, match=r"\[tool.wsantipattern\] unknown key rules"):
        load(file)


@pytest.mark.parametrize("text", ["= 1", "x = \n", "\x00"])
def test_what_is_no_toml(tmp_path: Path, text):
    with pytest.raises(ConfigError, match=r"wsantipattern\.toml: "):
        load(write(tmp_path, text))


def test_a_pattern_that_cannot_be(tmp_path: Path):
    with pytest.raises(ConfigError, match="exclude has a pattern"):
        load(write(tmp_path, 'exclude = ["!"]'))


def test_a_missing_configuration(tmp_path: Path):
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "gone.toml")
