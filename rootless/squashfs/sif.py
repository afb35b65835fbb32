"""SIF files: the header, the descriptors, and the partition with the root file system.

Source: the Singularity Image Format, version 1.0, as its reference implementation writes it:
little-endian, a header of 128 bytes, descriptors of 585.
"""

import os
import struct
from typing import NamedTuple

from rootless.errors import IntegrityError, InvalidInput

MAGIC = b"SIF_MAGIC\0"
MAGIC_AT = 32
_HEADER = struct.Struct("<32s10s3s3s16s8q")
_DESCRIPTOR = struct.Struct("<i?IIIqqqqqqq128s384s")
_PARTITION = struct.Struct("<ii3s")
_DESCRIPTORS_MAX = 4096
_DATA_PARTITION, _OCI_ROOT_INDEX = 0x4004, 0x400A
_SQUASHFS, _PRIMARY = 1, 2
_OTHERS = {
    2: "an ext3 file system, which cannot be read in place",
    3: "an archive",
    4: "raw data",
    5: "an encrypted file system",
}
_ARCHITECTURES = {
    b"01": "386",
    b"02": "amd64",
    b"03": "arm",
    b"04": "arm64",
    b"05": "ppc64",
    b"06": "ppc64le",
    b"07": "mips",
    b"08": "mipsle",
    b"09": "mips64",
    b"10": "mips64le",
    b"11": "s390x",
    b"12": "riscv64",
}


class Partition(NamedTuple):
    """The primary partition of a file.

    Attributes:
        offset: Where it begins.
        size: Its length.
        architecture: What it runs on, in Go's words; "" where that is not said.
    """

    offset: int
    size: int
    architecture: str


def is_sif(head: bytes) -> bool:
    """Return whether a file that begins so is a SIF file."""
    return head[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC


def primary_partition(fd: int, what: str) -> Partition:
    """Return the squashfs partition that a SIF file is run from.

    Raises:
        InvalidInput: It has none, or one of another kind.
        IntegrityError: The file is damaged.
    """
    size = os.fstat(fd).st_size
    head = os.pread(fd, _HEADER.size, 0)
    if len(head) < _HEADER.size or not is_sif(head):
        raise _damaged(what, "it does not begin as one")
    _, _, version, arch, _, _, _, _, total, place, _, _, _ = _HEADER.unpack(head)
    if version.rstrip(b"\0") != b"01":
        raise InvalidInput(f"SIF of version {version.rstrip(bytes(1))!r}, known is 01", what)
    if not 0 < total <= _DESCRIPTORS_MAX or not 0 <= place < size:
        raise _damaged(what, f"{total} descriptors at {place}")
    rows = os.pread(fd, total * _DESCRIPTOR.size, place)
    has_oci = False
    for at in range(0, len(rows) - _DESCRIPTOR.size + 1, _DESCRIPTOR.size):
        fields = _DESCRIPTOR.unpack_from(rows, at)
        kind, is_used, offset, length, extra = *fields[:2], *fields[5:7], fields[-1]
        has_oci |= is_used and kind == _OCI_ROOT_INDEX
        if not is_used or kind != _DATA_PARTITION:
            continue
        form, role, own_arch = _PARTITION.unpack_from(extra)
        if role != _PRIMARY:
            continue
        _require_squashfs(form, what)
        if offset < 0 or length <= 0 or offset + length > size:
            raise _damaged(what, f"a partition of {length} bytes at {offset}")
        code = own_arch.rstrip(b"\0") or arch.rstrip(b"\0")
        return Partition(offset, length, _ARCHITECTURES.get(code, ""))
    if has_oci:
        fix = "make an archive of it: skopeo or singularity, then `rootless load`"
        raise InvalidInput("a SIF file with an OCI image, not with a file system", what, fix)
    raise InvalidInput("the SIF file has no primary partition", what)


def _require_squashfs(form: int, what: str) -> None:
    if form != _SQUASHFS:
        kind = _OTHERS.get(form, f"a file system of type {form}")
        raise InvalidInput(f"the SIF file's partition is {kind}", what, _REBUILD)


def _damaged(what: str, why: str) -> IntegrityError:
    return IntegrityError("damaged SIF file", f"{what}: {why}")


_REBUILD = "build the file again, unencrypted, with a squashfs partition"
