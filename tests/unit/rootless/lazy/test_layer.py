"""`rootless.lazy.layer`: what comes of a blob is checked, written, and marked after that."""

import errno
import os
from pathlib import Path

import images
import lazies
import pytest

from rootless.errors import IntegrityError
from rootless.image.layers import LayerIndexReader
from rootless.image.store import Store
from rootless.lazy.layer import Layer
from rootless.lazy.ranges import Run

CONTENTS = {b"one": b"1" * 1000, b"two": os.urandom(2 << 20), b"etc/three": b"3"}
LAYER = images.LayerBuilder().directory("etc")
for _path, _contents in CONTENTS.items():
    LAYER.file(_path, _contents)

KINDS = pytest.mark.parametrize("kind", lazies.WRITERS)


def whole(made: lazies.Made) -> Run:
    """Return all of a blob."""
    return Run(0, len(made.data))


def contents(folder: Path) -> dict[bytes, bytes]:
    """Return what the files of a layer contain, by its index."""
    data = (folder / "data").read_bytes()
    with LayerIndexReader(folder / "index") as index:
        return {
            entry.path: data[entry.offset : entry.offset + entry.size]
            for entry in index.entries()
            if entry.path in CONTENTS
        }


@KINDS
def test_all_of_it(store: Store, kind: str) -> None:
    """With all of the blob every file is there, and the blob as well."""
    made = lazies.made(LAYER, kind)
    folder = made.staged(store)
    with Layer(folder) as layer:
        assert layer.missing_bytes() == len(made.data)
        assert layer.take(whole(made), made.data) == []
        assert layer.is_whole()
        assert layer.missing_bytes() == 0
    assert contents(folder) == CONTENTS
    assert (folder / "blob").read_bytes() == made.data


@KINDS
def test_a_wrong_byte(store: Store, kind: str) -> None:
    """A chunk with another digest is neither written nor marked; its neighbours are."""
    made = lazies.made(LAYER, kind)
    folder = made.staged(store)
    with Layer(folder) as layer:
        [number, *_] = layer.numbers(_entry(folder, b"two").offset, 1)
        [run] = layer.blob_map.runs_for([number], layer.is_there)
        damaged = bytearray(made.data)
        damaged[(run.start + run.end) // 2] ^= 0xFF
        assert layer.take(whole(made), bytes(damaged)) == [number]
        assert layer.absent([number]) == [number]
        assert not layer.is_whole()
        assert made.descriptor.digest in layer.describe([number])
        assert contents(folder)[b"one"] == CONTENTS[b"one"]
        assert layer.take(run, made.data[run.start : run.end]) == []
        assert layer.is_whole()


def test_between_files(store: Store) -> None:
    """A run of the address space may touch bytes that are no file's; chunks are those of files."""
    folder = lazies.made(LAYER).staged(store)
    with Layer(folder) as layer:
        two = _entry(folder, b"two")
        assert two.offset % 4096 == 0
        assert layer.numbers(0, two.offset + 1) == range(2)
        assert layer.numbers(999, two.offset) == range(layer.numbers(two.offset + 998, 1)[-1] + 1)
        assert layer.numbers(two.offset - 1, 2) == range(1, 2)
        with pytest.raises(OSError, match="no such bytes"):
            layer.numbers(two.offset - 1, 1)


def test_beyond_the_end(store: Store) -> None:
    """What the layer has not got is an error, whoever asks for it."""
    folder = lazies.made(LAYER).staged(store)
    with Layer(folder) as layer, pytest.raises(OSError, match="no such bytes") as caught:
        layer.numbers(1 << 40, 1)
    assert caught.value.errno == errno.EIO


def test_the_gaps_can_be_forgotten(store: Store) -> None:
    """What no digest of a chunk covers is taken for missing again."""
    made = lazies.made(LAYER)
    with Layer(made.staged(store)) as layer:
        layer.take(whole(made), made.data)
        layer.keep()
        layer.forget_gaps()
        assert not layer.is_whole()
        assert 0 < layer.missing_bytes() < len(made.data)


def test_maps_of_another_layer(store: Store) -> None:
    """A map that does not fit the table is damage, not somebody else's marks."""
    folder = lazies.made(LAYER).staged(store)
    (folder / "present").write_bytes(b"\1")
    with pytest.raises(IntegrityError, match="damaged lazy layer"):
        Layer(folder)


def test_a_full_disk(store: Store) -> None:
    """What cannot be written is not marked."""
    made = lazies.made(LAYER)
    folder = made.staged(store)
    with Layer(folder) as layer:
        os.close(layer.blob_fd)
        os.dup2(os.open("/dev/full", os.O_RDWR), layer.blob_fd)
        with pytest.raises(OSError, match="No space left"):
            layer.take(whole(made), made.data)
    assert set((folder / "present").read_bytes()) == {0}


def _entry(folder: Path, path: bytes):  # noqa: ANN202 - of the index
    with LayerIndexReader(folder / "index") as index:
        return next(entry for entry in index.entries() if entry.path == path)
