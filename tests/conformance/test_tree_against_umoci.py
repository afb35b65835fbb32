"""The merged tree equals, entry for entry, what umoci unpacks and what overlayfs shows.

OCI image specification, layer.md, "Applying Changesets". Two judges, since they are not of one mind
where the specification is silent: umoci extracts all layers into one folder, overlayfs stacks them.
"""

import gzip
import io
import json
import os
import stat
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from images import LayerBuilder, oci_layout
from judges import overlay_listing, umoci_listing
from listing import Listing, differences, list_tree
from random_image import random_layers
from trees import build_tree, tar_path

from fuse.tree import Tree

pytestmark = pytest.mark.needs_subid

Ignored = Callable[[bytes, str], bool]


def ours(folder: Path, layers: list[bytes | LayerBuilder]) -> Listing:
    """Build the tree of these layers and list it."""
    with Tree.open(build_tree(folder / "tree", layers)) as tree:
        return list_tree(tree)


def is_device_field(listing: Listing) -> Ignored:
    """Devices cannot be made in a user namespace: the judges have an empty file in their place."""
    devices = {
        path for path, item in listing.items() if stat.S_ISCHR(item.mode) or stat.S_ISBLK(item.mode)
    }
    return lambda path, field: path in devices and field in ("mode", "rdev")


def assert_same(expected: Listing, found: Listing, is_ignored: Ignored | None = None) -> None:
    """Fail with the first differences."""
    lines = differences(expected, found, is_ignored=is_ignored or is_device_field(found))
    assert not lines, f"{len(lines)} differences:\n" + "\n".join(lines[:20])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_layers_against_umoci(tmp_path: Path, seed: int) -> None:
    """40 layers of whiteouts, opaques, changes of type, hard links into lower layers too."""
    layers = random_layers(seed, 40, has_lower_links=True)
    oci_layout(tmp_path / "layout", layers, compression="gzip")
    found = ours(tmp_path, [*layers])
    assert len(found) > 300
    began_ns = time.time_ns()
    expected = umoci_listing(f"{tmp_path / 'layout'}:latest", tmp_path)
    # A whiteout behind an entry of the same name makes umoci 0.4.7 empty the new directory of old
    # contents without putting its time back: it has the time of the unpacking.
    touched = {
        path
        for path, item in expected.items()
        if stat.S_ISDIR(item.mode) and began_ns < item.mtime_ns < time.time_ns()
    }
    is_device = is_device_field(found)
    assert_same(
        expected,
        found,
        lambda path, field: is_device(path, field) or (field == "mtime_ns" and path in touched),
    )
    assert len(touched) < 5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_layers_against_overlayfs(tmp_path: Path, seed: int) -> None:
    """40 layers; hard links within a layer, as overlayfs can show them."""
    layers = random_layers(seed, 40)
    found = ours(tmp_path, [*layers])
    tars = [tar_path(tmp_path / "tree", number) for number in range(40)]
    assert_same(overlay_listing(tars, tmp_path), found)


def demo_layers(layout: Path, tag: str) -> list[bytes]:
    """Return the tars of an image's layers."""

    def blob(digest: str) -> bytes:
        return (layout / "blobs" / digest.replace(":", "/")).read_bytes()

    manifests = json.loads((layout / "index.json").read_bytes())["manifests"]
    key = "org.opencontainers.image.ref.name"
    named = [each for each in manifests if each.get("annotations", {}).get(key) == tag]
    tars = []
    for layer in json.loads(blob(named[0]["digest"]))["layers"]:
        content = blob(layer["digest"])
        if layer["mediaType"].endswith("gzip"):
            content = gzip.decompress(content)
        elif layer["mediaType"].endswith("zstd"):
            content = zstandard.ZstdDecompressor().stream_reader(content).read()
        tars.append(content)
    return tars


def members(tar: bytes) -> list[tarfile.TarInfo]:
    """Return the members of a layer."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return archive.getmembers()


@pytest.mark.slow
def test_a_real_image_against_both(tmp_path: Path, demo_image: str) -> None:
    """The Debian image of the demo, some 10,000 entries and more."""
    layout, _, tag = demo_image.rpartition(":")
    layers = demo_layers(Path(layout), tag)
    found = ours(tmp_path, [*layers])
    assert len(found) > 5000
    is_device = is_device_field(found)
    # No layer of it names the root directory, whose time is then that of the judge's unpacking.
    root_is_named = any(
        os.path.normpath(member.name) == "." for tar in layers for member in members(tar)
    )

    def is_nobodys(path: bytes, field: str) -> bool:
        return is_device(path, field) or (not root_is_named and not path and field == "mtime_ns")

    assert_same(umoci_listing(demo_image, tmp_path), found, is_nobodys)
    tars = [tar_path(tmp_path / "tree", number) for number in range(len(layers))]
    assert_same(overlay_listing(tars, tmp_path), found, is_nobodys)
