"""Fixtures of the attacks."""

import pytest
import shell_image
from executable import Home, Rootless


@pytest.fixture(scope="session")
def shell_layer(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A layer with a shell, for a hostile image to run."""
    demo = Rootless(demo_home)
    return shell_image.take_shell(demo, tmp_path_factory.mktemp("shell"))
