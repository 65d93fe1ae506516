"""Which settings hold for which file: the command line's options over the configurations nearest to the files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from wsantipattern import config as configuration
from wsantipattern import pack, suppress
from wsantipattern.analysis import Settings
from wsantipattern.config import Config, ConfigError
from wsantipattern.finding import Confidence, Severity
from wsantipattern.record import record
from wsantipattern.similar import closest


@record(frozen=True, slots=True)
class Options:
    """What the command line says; None where it says nothing and the configuration decides.

    Attributes:
        select: ids of the rules that run, instead of the configuration's.
        ignore: ids of rules that do not, in addition to the configuration's.
        min_confidence, fail_on: instead of the configuration's.
        config: the one configuration file for all paths.
        isolated: no configuration at all.
        jobs: processes; None for as many as pay.
        rule_paths: whether the rule folders that configurations name are loaded, which executes their code.
        cache: whether results are kept from run to run.
        cache_dir: the folder they are kept in; None for the one in the project's root.
        shard: which part of how many is checked, counted from 1; None for everything.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence | None = None
    fail_on: Severity | None = None
    config: str | None = None
    isolated: bool = False
    jobs: int | None = None
    rule_paths: bool = True
    cache: bool = False
    cache_dir: str | None = None
    shard: tuple[int, int] | None = None


class Plan:
    """Which settings hold for which file, made from the options and the configurations on the way.

    Raises (all methods):
        ConfigError: a configuration cannot be used, or a name in it or in the options is no rule's.
        RuleError: a rule cannot be loaded.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._default = configuration.default(_project_root(os.getcwd()))
        self._one: Config | None = None
        if options.config is not None:
            self._one = configuration.load(Path(options.config))
        elif options.isolated:
            self._one = self._default
        self._nearest = configuration.Nearest()
        self._settings: dict[int, Settings] = {}
        self._configs: dict[int, Config] = {}

    @property
    def root(self) -> str:
        """The root of the project around the current folder."""
        return self._default.root

    def config(self, folder: str) -> Config:
        """The configuration of an absolute folder."""
        config = self._one or self._nearest.of(folder) or self._default
        self._configs[id(config)] = config
        return config

    def config_of(self, path: str) -> Config:
        """The configuration of a file."""
        return self.config(os.path.dirname(os.path.abspath(path)).replace(os.sep, "/"))

    def settings_of(self, path: str) -> Settings:
        """The settings of a file."""
        config = self.config_of(path)
        settings = self._settings.get(id(config))
        if settings is None:
            settings = self._settings[id(config)] = settings_for(config, self._options)
        return settings

    def fail_on(self, path: str) -> Severity:
        """The severity from which a finding in a file makes the run fail."""
        return self._options.fail_on or self.config_of(path).fail_on

    @property
    def settings(self) -> list[Settings]:
        """All settings handed out so far."""
        return list(self._settings.values())

    @property
    def config_files(self) -> list[str]:
        """The configuration files in use so far."""
        return sorted({config.file for config in self._configs.values() if config.file})


def settings_for(config: Config, options: Options) -> Settings:
    """What a configuration and the options over it come to.

    Raises:
        ConfigError: a name in one of them is no rule's.
        RuleError: a rule cannot be loaded.
    """
    packs = (str(pack.builtin_folder()), *(config.rule_paths if options.rule_paths else ()))
    known = [*pack.ids(packs), *suppress.CHECKS]
    where = f"{config.file}: " if config.file else ""
    is_whole = options.rule_paths or not config.rule_paths
    if is_whole:  # else a name may be that of a rule which was left out
        _must_be_known(config.select or (), known, f"{where}select")
        _must_be_known(config.ignore, known, f"{where}ignore")
        _must_be_known(config.severity, known, f"{where}severity")
        for pattern, rules in config.per_path_ignores:
            _must_be_known(rules, known, f'{where}per-path-ignores."{pattern}"')
    _must_be_known(options.select or (), known, "--select")
    _must_be_known(options.ignore, known, "--ignore")
    select = options.select if options.select is not None else config.select
    chosen = [rule for rule in known if select is None or rule in select or rule in suppress.CHECKS]
    ignore = {*config.ignore, *options.ignore}
    if not config.report_unused_suppressions:
        ignore.add(suppress.UNUSED)
    if not is_whole:
        ignore.add(suppress.INVALID)
    return Settings(
        packs=packs,
        rules=tuple(rule for rule in chosen if rule not in ignore),
        severity=config.severity,
        min_confidence=options.min_confidence or config.min_confidence,
        knowledge=config.knowledge,
        per_path_ignores=config.per_path_ignores,
        root=config.root,
    )


def _must_be_known(rules: Iterable[str], known: Sequence[str], where: str) -> None:
    for rule in rules:
        if rule not in known:
            raise ConfigError(f"{where}: there is no rule {rule}{closest(rule, known)}")


def _project_root(folder: str) -> str:
    """The folder with `.git` around a folder, else the folder itself."""
    for parent in (Path(folder), *Path(folder).parents):
        if (parent / ".git").exists():
            return parent.as_posix()
    return folder
