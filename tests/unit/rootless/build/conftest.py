"""A stage with nothing in it, for tests of COPY and ADD."""

from collections.abc import Iterator
from pathlib import Path

import copying
import pytest


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[copying.Stage]:
    """Make a stage over an empty store; what was opened with it is closed with it."""
    with copying.Stage(copying.an_empty_store(tmp_path)) as made:
        yield made
