"""Fixtures of the tests that mount."""

from pathlib import Path

import pytest
from mounting import Mounting, maps_for


@pytest.fixture
def mounting(tmp_path: Path, id_map: str) -> Mounting:
    """Mounts under either ID map."""
    return Mounting(tmp_path, maps_for(id_map), single_id=id_map == "single-id")
