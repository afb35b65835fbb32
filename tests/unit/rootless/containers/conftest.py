"""Folders of a user, and a store with one small image in it."""

from pathlib import Path

import images
import pytest

from rootless.image.load import load
from rootless.image.store import Store
from rootless.paths import Paths

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nann:x:7:8:Ann:/home/ann:/bin/sh\n"
GROUP = b"root:x:0:\nann:x:8:\nstaff:x:50:ann\n"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Folders of a user's, none of them there yet."""
    return Paths(tmp_path / "store", tmp_path / "run/rootless", tmp_path / "scratch")


@pytest.fixture
def loaded(paths: Paths, tmp_path: Path) -> Paths:
    """The same with a store that holds the image `pic`, in which there is a user `ann`."""
    layer = images.LayerBuilder().directory("etc")
    layer.file("etc/passwd", PASSWD).file("etc/group", GROUP)
    config = {"Cmd": ["/bin/show"], "Env": ["A=1"], "WorkingDir": "/w"}
    folder = images.oci_layout(tmp_path / "layout", [layer], tag="pic", config=config)
    load(Store.open(paths, create=True), str(folder))
    return paths
