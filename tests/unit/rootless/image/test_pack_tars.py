"""`rootless.image.pack_tars`: tars read from beginning to end."""

from contextlib import closing
from pathlib import Path

import packs
import pytest

from rootless.image import names
from rootless.image.layers import PackCodec, PackFormatError
from rootless.image.pack_reader import open_pack
from rootless.image.pack_tars import PackedTars, TarStream
from rootless.image.store import Store


@pytest.mark.parametrize("compress", [0, 3])
def test_tars(store: Store, tmp_path: Path, compress: int) -> None:
    """They are the layers' of the store."""
    path = str(packs.packed(store, tmp_path, compress))
    diff_ids = names.resolve(store, "a").config.diff_ids
    with open_pack(path) as pack, closing(PackedTars(pack, path)) as tars:
        for diff_id, section in zip(diff_ids, pack.layers(), strict=True):
            assert b"".join(tars.chunks(section)) == store.blob_path(diff_id).read_bytes()


def test_sections_that_lie(store: Store, tmp_path: Path) -> None:
    """A layer of another kind than the pack has, and one beyond its chunks."""
    path = str(packs.packed(store, tmp_path, 3))
    with open_pack(path) as pack, closing(PackedTars(pack, path)) as tars:
        section = pack.layers()[0]._replace(offset=1 << 40)
        with pytest.raises(PackFormatError, match="has no chunks"):
            list(tars.chunks(section))
    path = str(packs.packed(store, tmp_path, 0))
    with open_pack(path) as pack, closing(PackedTars(pack, path)) as tars:
        section = pack.layers()[0]._replace(codec=PackCodec.CHUNKED)
        with pytest.raises(PackFormatError, match="no chunk table"):
            list(tars.chunks(section))


def test_stream() -> None:
    """A stream gives the bytes in pieces of any size; empty chunks are no end."""
    stream = TarStream(iter([b"abc", b"", b"defgh"]))
    found = []
    buffer = bytearray(2)
    while n := stream.readinto(buffer):
        found.append(bytes(buffer[:n]))
    assert b"".join(found) == b"abcdefgh"
