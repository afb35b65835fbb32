"""`rootless.image.host_xattrs`: what an image may say of a file of the host."""

import os
from pathlib import Path

from rootless.image.host_xattrs import kept_of, plain_capability


def test_attributes_of_a_file(tmp_path: Path) -> None:
    """The user's own attributes are kept."""
    with (tmp_path / "f").open("wb") as file:
        os.setxattr(file.fileno(), b"user.x", b"\0y")
        assert kept_of(file.fileno(), os.getuid()) == {b"user.x": b"\0y"}


def test_capabilities_of_a_namespace() -> None:
    """A capability that the caller's own namespaces honour is plain in the image."""
    plain = bytes.fromhex("0100000200200000000000000000000000000000")
    owned = b"\x01\0\0\x03" + plain[4:] + (1001).to_bytes(4, "little")
    assert plain_capability(owned, 1001) == plain
    assert plain_capability(owned, 1002) == owned
    assert plain_capability(plain, 1001) == plain
