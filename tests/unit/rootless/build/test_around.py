"""What the steps of a build have around them."""

import time
from pathlib import Path
from typing import Any

import images
import pytest

from rootless.build.around import Around
from rootless.build.containerfile import parse
from rootless.build.request import BuildRequest
from rootless.build.stages import plan
from rootless.build.state import StageState
from rootless.errors import NotFound
from rootless.image import names
from rootless.image.load import load
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import sha256_of
from rootless.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A store with the image `pic`."""
    made = Paths(tmp_path / "store", tmp_path / "run", tmp_path / "scratch")
    store = Store.open(made, create=True)
    load(store, str(images.docker_archive(tmp_path / "a", [images.small_layer()], names=["pic"])))
    return made


def _around(paths: Paths, **options: Any) -> tuple[Around, list[str]]:
    store = Store.open(paths, create=False)
    asked: list[str] = []

    def image_of(name: str) -> Image:
        asked.append(name)
        return names.resolve(store, name)

    text = b"FROM scratch AS one\nFROM scratch\nCOPY --from=one / /\n"
    around = Around(
        *(store, paths, BuildRequest(**options), plan(parse(text, "Containerfile"))),
        image_of=image_of,
        open_context=lambda: pytest.fail("nobody asked for it"),
    )
    return around, asked


def test_images_are_asked_for_once(paths: Paths) -> None:
    """An image is looked up when it is first wanted; one that is not there raises."""
    around, asked = _around(paths)
    assert around.base("pic").document["rootfs"]["diff_ids"]
    assert around.base("pic").image.reference == "docker.io/library/pic:latest"
    assert asked == ["pic"]
    with pytest.raises(NotFound):
        around.base("other")


def test_layers(paths: Paths) -> None:
    """A name is a stage's before it is an image's; numbers are stages'."""
    around, _ = _around(paths)
    around.stages[0] = StageState((sha256_of(b"layer"),), {})
    assert around.layers_of("one") == around.layers_of("0") == (sha256_of(b"layer"),)
    assert around.layers_of("pic") == around.base("pic").image.config.diff_ids


def test_time(paths: Paths) -> None:
    """Steps have their own time, or all of them the one that was asked for."""
    around, _ = _around(paths)
    assert around.time_of(7) == 7
    assert abs(around.now() - time.time()) < 60
    fixed, _ = _around(paths, epoch=5)
    assert (fixed.time_of(7), fixed.now()) == (5, 5)
