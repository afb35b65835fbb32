"""`rootless.image.pack_reader`: the image that a pack holds."""

import os
from pathlib import Path

import packs
import pytest

from rootless.errors import IntegrityError, InvalidInput
from rootless.image import names, trees
from rootless.image.pack_reader import open_pack, planned_image, read_image
from rootless.image.store import Store


@pytest.fixture(params=[0, 3])
def pack(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Path:
    """A pack of plain tars, and a compressed one."""
    return packs.packed(store, tmp_path, request.param)


def test_image(store: Store, pack: Path) -> None:
    """It is the store's, but for its place."""
    own = names.resolve(store, "a")
    fd = os.open(pack, os.O_RDONLY)
    image = read_image(fd, str(pack))
    os.close(fd)
    for field in ("config_digest", "manifest_digest", "source_digest", "config", "size", "created"):
        assert getattr(image, field) == getattr(own, field)
    assert image.place is not None
    assert (image.place.tree, image.place.layers) == (pack, (pack,))
    assert image.place.files == {
        b"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
        b"etc/group": None,
        b"etc/apt/apt.conf.d/": None,
    }
    assert trees.read_file(store, image, b"data/new") == b"new"
    assert trees.read_file(store, image, b"data/large") == packs.FILE
    assert trees.read_file(store, image, b"data/gone") is None


def test_planned(pack: Path) -> None:
    """A load is told names, documents and diff IDs."""
    with open_pack(str(pack)) as opened:
        image = planned_image(opened)
    assert image.references == ("localhost/a:latest",)
    assert [layer.diff_id for layer in image.layers] == list(image.config.diff_ids)
    assert image.source_manifest is not None


def test_damaged(pack: Path) -> None:
    """A document that was changed is refused, by what the file is called."""
    data = bytearray(pack.read_bytes())
    place = data.index(b'"architecture"')
    data[place + 1] ^= 1
    pack.write_bytes(data)
    fd = os.open(pack, os.O_RDONLY)
    with pytest.raises(IntegrityError, match=r"damaged pack: .*pack-.*wrong digest"):
        read_image(fd, str(pack))
    os.close(fd)


def test_no_regular_file(tmp_path: Path) -> None:
    """A pipe in a pack's place is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput), open_pack(str(tmp_path / "pipe")):
        pass
