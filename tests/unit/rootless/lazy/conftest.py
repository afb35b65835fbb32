"""A store of its own for every test of a module of `rootless.lazy`."""

from pathlib import Path

import pytest

from rootless.image.store import Store
from rootless.paths import Paths


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Make an empty store."""
    root = tmp_path / "store"
    paths = Paths(store=root, runtime=tmp_path / "run", scratch=root / "scratch")
    return Store.open(paths, create=True)
