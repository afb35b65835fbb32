"""Fixtures of the tests that mount."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mounting import Mounting, maps_for
from overlay_command import Somebody

from fuse.spare import Stem
from rootless.overlay import spare
from rootless.userns.create import run_inside


@pytest.fixture(scope="session")
def stem() -> Iterator[Stem]:
    """What forks servers, as it does for builds: most of a mount's time is a server's start."""
    made = Stem(spare.environment())
    yield made
    made.close()
    os.waitpid(made.pid, 0)


@pytest.fixture
def mounting(
    tmp_path: Path, id_map: str, stem: Stem, request: pytest.FixtureRequest
) -> Iterator[Mounting]:
    """Mounts under either ID map; by a program of its own where the test asks for one."""
    maps = maps_for(id_map)
    forks = None if request.node.get_closest_marker("new_interpreter") else stem.fd
    yield Mounting(tmp_path, maps, single_id=id_map == "single-id", stem_fd=forks)

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
