"""Fixtures of the tests of containers that live on."""

from collections.abc import Iterator

import pytest
from executable import Rootless
from living import Containers


@pytest.fixture
def containers(demo: Rootless) -> Iterator[Containers]:
    """Give a way to start some; all are removed afterwards."""
    made = Containers(demo)
    yield made
    made.remove_all()
    assert made.ps("-a") == []
