"""What several test modules share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from compilers import Compilers


@pytest.fixture(scope="session")
def compilers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compilers]:
    asked = Compilers(tmp_path_factory.mktemp("compiled"))
    yield asked
    asked.close()
