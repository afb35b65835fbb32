"""What tests of transfers share: a user whose image is small."""

from pathlib import Path

import images
import pytest
from executable import Rootless


@pytest.fixture
def pic(rootless: Rootless, tmp_path: Path) -> Rootless:
    """Give the executable with a small image of two layers, `pic`, without a manifest of its own.

    So its layers are compressed, and with them the manifest made, when it goes out.
    """
    layers = [images.small_layer(), images.LayerBuilder().file("b", b"b" * 300_000)]
    archive = images.docker_archive(tmp_path / "pic.tar", layers, names=["localhost/pic"])
    rootless.ok("load", "-q", archive)
    return rootless
