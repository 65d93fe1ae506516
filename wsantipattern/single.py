"""One text by itself, under a configuration that is handed over: what `wsantipattern.analyze` does.

Guarantees the same findings as a run over a file with this content and configuration. Keeps the settings that it
makes of a configuration for the next text. Reads no files but rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from wsantipattern.analysis import Settings, analyze
from wsantipattern.config import of_table
from wsantipattern.files import ending_of, is_known
from wsantipattern.finding import Finding
from wsantipattern.plan import Options, settings_for
from wsantipattern.source import Skip, Source, checked

_KEPT = 8
"""Configurations whose settings are kept."""

_settings: dict[str, Settings] = {}


def findings_in(source: bytes, path: str, config: Mapping[str, object]) -> list[Finding]:
    """See `wsantipattern.analyze`."""
    if not is_known(path):
        return []
    content = checked(Source.decode(path, source))
    if isinstance(content, Skip):
        return []
    findings, _ = analyze(source, path, _settings_of(config), ending_of(path))
    return findings


def _settings_of(config: Mapping[str, object]) -> Settings:
    key = repr(sorted(config.items()))
    settings = _settings.get(key)
    if settings is None:
        settings = settings_for(of_table(config), Options())
        if len(_settings) >= _KEPT:
            _settings.pop(next(iter(_settings)))
        _settings[key] = settings
    return settings
