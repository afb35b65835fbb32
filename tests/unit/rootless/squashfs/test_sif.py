"""`rootless.squashfs.sif`: the partition that a file is run from."""

import os
from pathlib import Path

import pytest
import squashfs_images as images

from rootless.errors import IntegrityError, InvalidInput
from rootless.squashfs.sif import Partition, is_sif, primary_partition


def found(path: Path) -> Partition:
    """Look for the partition of a file."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return primary_partition(fd, "x.sif")
    finally:
        os.close(fd)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Stand for a squashfs image."""
    (tmp_path / "image").write_bytes(b"hsqs" + bytes(500))
    return tmp_path / "image"


@pytest.mark.parametrize(("arch", "name"), [(b"02", "amd64"), (b"04", "arm64"), (b"99", "")])
def test_primary_partition(image: Path, tmp_path: Path, arch: bytes, name: str) -> None:
    """It is found by its role, with the architecture that it says."""
    file = images.sif_of(image, tmp_path / "x", arch=arch)
    assert is_sif(file.read_bytes()[:64])
    assert found(file) == Partition(36864, 504, name)


@pytest.mark.parametrize(
    ("form", "role", "said"),
    [
        (2, 2, "ext3"),
        (5, 2, "encrypted"),
        (1, 1, "no primary partition"),
        (1, 4, "no primary partition"),
    ],
)
def test_refused(image: Path, tmp_path: Path, form: int, role: int, said: str) -> None:
    """What cannot be run in place is refused by its name."""
    with pytest.raises(InvalidInput, match=said):
        found(images.sif_of(image, tmp_path / "x", form=form, role=role))


@pytest.mark.parametrize(
    ("place", "value", "kind"),
    [
        (32, b"OTHER", IntegrityError),
        (42, b"02", InvalidInput),
        (88, b"\xff" * 8, IntegrityError),  # descriptors
        (88, (1 << 40).to_bytes(8, "little"), IntegrityError),
        (96, (1 << 40).to_bytes(8, "little"), IntegrityError),  # where they are
        (4096 + 585 + 17, (1 << 40).to_bytes(8, "little"), IntegrityError),  # the partition
        (4096 + 585 + 17, b"\xff" * 8, IntegrityError),
        (4096 + 585 + 25, b"\0" * 8, IntegrityError),
        (4096 + 585, (0x400A).to_bytes(4, "little"), InvalidInput),
    ],
)
def test_damaged(
    image: Path, tmp_path: Path, place: int, value: bytes, kind: type[Exception]
) -> None:
    """Numbers that lead nowhere are refused, and files of a later kind named."""
    file = images.sif_of(image, tmp_path / "x")
    data = bytearray(file.read_bytes())
    data[place : place + len(value)] = value
    file.write_bytes(data)
    with pytest.raises(kind):
        found(file)


def test_short(tmp_path: Path) -> None:
    """A file that ends in its header is damaged."""
    (tmp_path / "x").write_bytes(b"SIF_MAGIC")
    with pytest.raises(IntegrityError):
        found(tmp_path / "x")
