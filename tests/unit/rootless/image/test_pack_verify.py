"""`rootless.image.pack_verify`: every byte of a pack is checked."""

from pathlib import Path

import packs
import pytest

from rootless.errors import IntegrityError
from rootless.image import names
from rootless.image.pack_verify import verify
from rootless.image.store import Store


@pytest.mark.parametrize("compress", [0, 3])
def test_good(store: Store, tmp_path: Path, compress: int) -> None:
    """The image's ID comes of a good one."""
    pack = packs.packed(store, tmp_path, compress)
    assert verify(str(pack)) == names.resolve(store, "a").config_digest


@pytest.mark.parametrize("compress", [0, 3])
@pytest.mark.parametrize("part", ["front", "documents", "layer", "tree"])
def test_damaged(store: Store, tmp_path: Path, compress: int, part: str) -> None:
    """A changed byte in any part of it is found."""
    pack = packs.packed(store, tmp_path, compress)
    data = bytearray(pack.read_bytes())
    place = {"front": 140, "documents": data.index(b'"os"'), "layer": 4300, "tree": -50}[part]
    data[place] ^= 0x10
    pack.write_bytes(data)
    with pytest.raises(IntegrityError, match="damaged pack"):
        verify(str(pack))


def test_no_pack(tmp_path: Path) -> None:
    """A file of another kind is none."""
    (tmp_path / "x").write_bytes(b"no pack")
    with pytest.raises(IntegrityError, match="not a pack"):
        verify(str(tmp_path / "x"))
