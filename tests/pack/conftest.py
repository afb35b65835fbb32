"""Fixtures: an image with a shell, in a store, and packs of it."""

from pathlib import Path

import images
import pytest
import shell_image
from executable import Home, Rootless

CONFIG = {"Cmd": ["/bin/sh", "-c", "echo the command"], "Env": ["FROM=image"]}


@pytest.fixture(scope="session")
def small_home(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a user whose store has the image `small`, of three layers. Do not change that store."""
    shell = shell_image.take_shell(Rootless(demo_home), tmp_path_factory.mktemp("shell"))
    home = Home.make(tmp_path_factory.mktemp("small"))
    lower = images.LayerBuilder().directory("etc").directory("data")
    lower.directory("etc/apt").directory("etc/apt/apt.conf.d")
    lower.file("etc/passwd", b"root:x:0:0:root:/:/bin/sh\nsomebody:x:7:7::/data:/bin/sh\n")
    lower.file("data/gone", b"x").file("data/changed", b"old\n").file("data/kept", b"kept\n" * 999)
    upper = images.LayerBuilder().file("data/.wh.gone", b"").file("data/changed", b"new\n")
    upper.file("data/random", bytes(range(256)) * 4000).symlink("data/link", "kept")
    shell_image.load_image(Rootless(home), [shell, lower, upper], CONFIG)
    return home


@pytest.fixture
def small(small_home: Home) -> Rootless:
    """The executable, with that image."""
    return Rootless(small_home)


@pytest.fixture(scope="session")
def packs(small_home: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a pack of plain tars, and one that is compressed."""
    folder = tmp_path_factory.mktemp("packs")
    made = {"none": folder / "plain.rlf", "zstd": folder / "small.image"}
    for compress, path in made.items():
        Rootless(small_home).ok("pack", "-q", "--compress", compress, "small", path)
    return made


@pytest.fixture(params=["none", "zstd"])
def pack(request: pytest.FixtureRequest, packs: dict[str, Path]) -> Path:
    """Each of them."""
    return packs[request.param]
