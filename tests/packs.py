"""Packs of images that are built here, for tests of their parts."""

from collections.abc import Sequence
from pathlib import Path

import images

from rootless.image import names
from rootless.image.load import load
from rootless.image.names import Image
from rootless.image.pack import PackRequest, pack
from rootless.image.store import Store

FILE = b"some contents\n" * 30_000


def two_layers() -> Sequence[images.Layer]:
    """Return layers of which the upper changes the lower."""
    lower = images.small_layer().directory("data").file("data/large", FILE).file("data/gone", b"x")
    return [lower, images.LayerBuilder().whiteout("data/gone").file("data/new", b"new")]


def loaded(store: Store, folder: Path, layers: Sequence[images.Layer] | None = None) -> Image:
    """Bring an image into a store and return it."""
    load(store, str(images.oci_layout(folder, layers or two_layers())), name="a")
    return names.resolve(store, "a")


def packed(store: Store, folder: Path, compress: int = 0) -> Path:
    """Write a pack of an image and return its path."""
    out = folder / f"pack-{compress}"
    pack(store, loaded(store, folder / f"layout-{compress}"), out, PackRequest(compress=compress))
    return out
