"""A store with an image, made without a process: for tests of what reads and changes stores."""

from pathlib import Path

import images

from rootless.image.load import load
from rootless.image.store import Store
from rootless.paths import Paths


def store_with_pic(folder: Path, *layers: images.LayerBuilder) -> Store:
    """Make a store in a folder with the image `pic`, of a small layer if none are given."""
    paths = Paths(folder / "store", folder / "run", folder / "scratch")
    made = Store.open(paths, create=True)
    given = layers or (images.small_layer(),)
    load(made, str(images.docker_archive(folder / "a.tar", given, names=["pic"])))
    return made
