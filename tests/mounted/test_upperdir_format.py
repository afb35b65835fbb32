"""An upperdir that one has written is shown the same by the others, kernel overlayfs among them."""

import os
from pathlib import Path

import images
import pytest
from listing import Listing, differences, list_folder
from suites.subjects import Subject, run_in_turn

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WRITERS = ("fuse", "hybrid", "overlayfs")


def layer() -> images.LayerBuilder:
    """Directories, files, links, hard links, a FIFO, a sparse file."""
    made = images.LayerBuilder()
    for folder in ("removed", "opaque", "merged", "merged/inner", "moved"):
        made.directory(folder, mode=0o750, uid=3, gid=4)
        for name in ("one", "two", "three"):
            made.file(f"{folder}/{name}", f"{folder}/{name}".encode() * 900, mode=0o4640, uid=5)
    return (
        made.hard_link("merged/linked", "merged/one", mode=0o4640, uid=5)
        .symlink("merged/link", "one")
        .fifo("merged/fifo", mode=0o622)
        .file("capable", b"x", mode=0o755, xattrs={"security.capability": images.CAP_NET_RAW})
        .file("attributes", b"x", xattrs={"user.a": b"one", "user.overlay": b"kept"})
    )


def change(subject: Subject) -> tuple[Listing, dict[str, bytes]]:
    """Change a tree in every way that the upperdir's format has a form for."""
    root = subject.root
    for name in ("one", "two", "three"):
        (root / "removed" / name).unlink()
        (root / "opaque" / name).unlink()
    (root / "removed").rmdir()
    (root / "opaque").rmdir()
    (root / "opaque").mkdir(mode=0o711)
    (root / "opaque/two").write_bytes(b"of the new directory")
    with (root / "merged/one").open("r+b") as file:
        file.seek(1 << 20)
        file.write(b"behind a hole")
    (root / "merged/two").rename(root / "merged/inner/moved")
    os.chmod(root / "merged/three", 0o6711)
    os.chown(root / "merged/inner", 7, 8)
    os.utime(root / "merged/link", (1, 2), follow_symlinks=False)
    os.chmod(root / "merged/fifo", 0o600)
    with pytest.raises(OSError, match="cross-device"):
        (root / "moved").rename(root / "merged/moved")
    (root / "new").mkdir()
    os.link(root / "capable", root / "new/capable")
    (root / "new/link").symlink_to("../merged")
    os.mkfifo(root / "new/fifo")
    (root / "new").rename(root / "moved/new")
    os.setxattr(root / "attributes", "user.a", b"two")
    os.setxattr(root / "attributes", "user.b", bytes(range(256)))
    os.setxattr(root / "opaque", "user.c", b"of a directory")
    return look(subject)


def look(subject: Subject) -> tuple[Listing, dict[str, bytes]]:
    """Return all that there is, the root itself aside."""
    found = list_folder(subject.root)
    del found[b""]
    files = (path for path in subject.root.rglob("*") if path.is_file() and not path.is_symlink())
    return found, {str(path.relative_to(subject.root)): path.read_bytes() for path in files}


@pytest.mark.parametrize("writer", WRITERS)
def test_is_shown_by_all(tmp_path: Path, writer: str) -> None:
    """What one wrote, both drivers and kernel overlayfs over the unpacked layer show alike.

    It is compared with what the writer itself shows when it is mounted again: before that,
    overlayfs has two numbers for a file of the layer that was linked.
    """
    visits = [(writer, change), (writer, look), *((reader, look) for reader in WRITERS)]
    (_, written), (left, _), *shown = run_in_turn(tmp_path, layer(), visits)
    assert b"removed" not in left
    assert sorted(name for name in written if name.startswith("opaque/")) == ["opaque/two"]
    for reader, (found, contents) in zip(WRITERS, shown, strict=True):
        assert differences(left, found) == [], reader
        assert contents == written, reader
