"""Names and paths at their limits, and of any bytes."""

import errno
import os

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

LONG = b"n" * 255
UMLAUTS = "ü".encode() * 127 + b"x"
BYTES = bytes(range(1, 256)).replace(b"/", b"").replace(b"\n", b"") + b"\n"
PATH = b"/".join([b"d" * 254] * 14)


def layers() -> list[images.LayerBuilder]:
    """Files of such names, and a deep one."""
    layer = images.LayerBuilder().file(LONG, b"long").file(UMLAUTS, b"umlauts").file(BYTES, b"any")
    for depth in range(1, 15):
        layer.directory(b"/".join([b"d" * 254] * depth))
    return [layer]


def test_names_of_255_bytes(mounting: Mounting) -> None:
    """They are read, changed, linked, renamed, removed and made again; 256 are ENAMETOOLONG."""

    def scenario(mount: Mount) -> None:
        os.chdir(os.fsencode(mount.root))
        for name in (LONG, UMLAUTS, BYTES):
            assert len(name) <= 255
            with open(name, "ab") as file:
                file.write(b"+")
            os.link(name, b"linked")
            os.rename(name, b"moved")
            os.rename(b"moved", name)  # a whiteout is in the way
            os.unlink(name)
            assert name not in os.listdir(b".")
            os.rename(b"linked", name)
            assert name in os.listdir(b".")
            os.unlink(name)
            os.mkdir(name)
            os.rmdir(name)
            assert not os.path.lexists(name)
        for call in (os.stat, os.mkdir, os.unlink, lambda name: os.symlink("x", name)):
            with pytest.raises(OSError, match="too long") as caught:
                call(b"n" * 256)
            assert caught.value.errno == errno.ENAMETOOLONG
        os.chdir("/")
        mount.remount()
        assert os.listdir(mount.root) == ["d" * 254]

    mounting.run(layers(), scenario)


def test_paths_of_4095_bytes(mounting: Mounting) -> None:
    """The longest path that a system call takes is made, changed, renamed and removed."""

    def scenario(mount: Mount) -> None:
        os.chdir(os.fsencode(mount.root))
        deep = PATH + b"/" + b"e" * 200 + b"/"
        os.mkdir(deep.rstrip(b"/"))
        name = b"f" * min(255, 4095 - len(deep))
        path = deep + name
        while len(path) < 4095 - 2:
            os.mkdir(path)
            name = b"g" * min(255, 4095 - len(path) - 1)
            path += b"/" + name
        assert len(path) >= 4093
        with open(path, "w+b") as file:
            file.write(b"deep")
        os.rename(path, path[:-1] + b"h")
        os.rename(path[:-1] + b"h", path)
        os.chdir("/")
        mount.remount()
        os.chdir(os.fsencode(mount.root))
        with open(path, "rb") as file:
            assert file.read() == b"deep"
        with pytest.raises(OSError, match="too long"):
            os.stat(path + b"/" * (4096 - len(path)))
        os.unlink(path)
        os.chdir("/")

    mounting.run(layers(), scenario)


def test_names_beginning_with_dots(mounting: Mounting) -> None:
    """`.wh.x` and `..x` are ordinary names where the upperdir has user xattrs."""

    def scenario(mount: Mount) -> None:
        for name in (".wh.x", ".wh..wh..opq", "..x", "..."):
            (mount.root / name).write_text(name)
        for _ in range(2):
            names = {name for name in os.listdir(mount.root) if name.startswith(".")}
            assert names == {".wh.x", ".wh..wh..opq", "..x", "..."}
            assert (mount.root / ".wh.x").read_text() == ".wh.x"
            mount.remount()

    mounting.run(layers(), scenario)
