"""Fixtures of the tests that mount."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mounting import Mounting, maps_for

from rootless.userns.create import run_inside


@pytest.fixture
def mounting(tmp_path: Path, id_map: str) -> Iterator[Mounting]:
    """Mounts under either ID map."""
    maps = maps_for(id_map)
    yield Mounting(tmp_path, maps, single_id=id_map == "single-id")

    def remove() -> None:  # only the namespace's root may remove files of sub-IDs
        for name in ("upper", "work"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)

    run_inside(maps, remove)
