"""Fixtures of the tests that mount."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mounting import Mounting, maps_for
from overlay_command import Somebody

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


@pytest.fixture(params=["user", "namespace"])
def somebody(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Somebody]:
    """Who calls `rootless-overlay`: a user, who needs fusermount3, or root of a namespace."""
    made = Somebody(tmp_path, in_namespace=request.param == "namespace")
    yield made
    made.remove()
