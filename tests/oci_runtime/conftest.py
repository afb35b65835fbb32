"""Fixtures of the OCI runtime's tests: the real executable, real bundles, both ordinary users."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from executable import Home, Rootless
from hooked_bundle import HookedBundle
from runtime_bundle import Edit, Runtime, make_bundle


@pytest.fixture
def runtime(home: Home) -> Iterator[Runtime]:
    """The runtime; no container is left by a test, and no file of one."""
    runtime = Runtime(home.path / "state", home.path / "output", home.environ)
    yield runtime
    runtime.remove_all()
    assert not runtime.root.exists() or [path.name for path in runtime.root.iterdir()] == []


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[..., Path]:
    """Make a bundle that runs a script: `bundle(script, edit)`."""
    made: list[Path] = []

    def make(script: str, edit: Edit | None = None) -> Path:
        made.append(tmp_path / f"bundle{len(made)}")
        return make_bundle(made[-1], "sh", "-c", script, edit=edit)

    return make


@pytest.fixture
def hooked(home: Home, tmp_path: Path) -> Iterator[HookedBundle]:
    """A bundle that no container is made of yet; what is, is deleted."""
    runtime = Rootless(home, executable=str(Path(sys.prefix, "bin", "rootless-runtime")))
    made = HookedBundle.create(runtime, tmp_path)
    yield made
    made.ok("delete", "--force")
