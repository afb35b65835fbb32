"""Fixtures of the tests that drive `rootless-runtime` by its command line, as an engine does."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from executable import Home, Rootless
from runtime_bundle import RuntimeBundle


@pytest.fixture
def bundle(home: Home, tmp_path: Path) -> Iterator[RuntimeBundle]:
    """A bundle that no container is made of yet; what is, is deleted."""
    runtime = Rootless(home, executable=str(Path(sys.prefix, "bin", "rootless-runtime")))
    made = RuntimeBundle.create(runtime, tmp_path)
    yield made
    made.ok("delete", "--force")
