"""Fixtures of the runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import shell_image
from demo_bundle import DemoBundle
from executable import Home, Rootless


@pytest.fixture(params=["hybrid", "fuse"])
def driver(request: pytest.FixtureRequest) -> str:
    """Each overlay driver."""
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the caller's, with a file, to be bound."""
    path = tmp_path / "folder"
    path.mkdir()
    (path / "file").write_text("of the host\n")
    return path


@pytest.fixture
def kept_name(demo: Rootless) -> Iterator[str]:
    """A container's name that nobody else uses; the container is removed afterwards."""
    name = f"kept-{os.urandom(6).hex()}"
    yield name
    demo("rm", name)


@pytest.fixture(scope="session")
def shell_layer(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A layer with a shell, for small images."""
    return shell_image.take_shell(Rootless(demo_home), tmp_path_factory.mktemp("shell"))


@pytest.fixture
def demo_bundle(demo: Rootless, tmp_path: Path) -> DemoBundle:
    """A bundle of the demo image, to be edited and run."""
    return DemoBundle.create(demo, tmp_path / "bundle")
