"""What is refused before an image is mounted or unmounted, and how mounts are found."""

import os
from pathlib import Path

import pytest

from rootless.errors import Conflict, InvalidInput, NotFound, Precondition
from rootless.overlay.folder import _mounted_kind, mount_folder, unmount_folder


def mount(folder: Path) -> None:
    """Mount no tree in particular; nothing gets as far as reading it."""
    log = folder.parent / "log" / "mount.log"
    mount_folder(Path("/no/tree"), [], folder, name="pic", log=log, foreground=False)


def test_wants_an_empty_folder(tmp_path: Path) -> None:
    """What is missing, no folder or not empty is refused, and nothing is made."""
    (tmp_path / "file").touch()
    with pytest.raises(NotFound, match=r"no such directory: .*/x \(make it first: mkdir .*/x\)"):
        mount(tmp_path / "x")
    with pytest.raises(InvalidInput, match=r"not a directory: .*file"):
        mount(tmp_path / "file")
    with pytest.raises(Conflict, match="not empty"):
        mount(tmp_path)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.needs_user
def test_names_the_missing_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fusermount3 the package is named, and the doctor's check."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Precondition, match="apt-get install fuse3") as caught:
        mount(tmp_path)
    assert caught.value.check == "fusermount"


def test_unmounts_its_own_only(tmp_path: Path) -> None:
    """A folder without a mount, and a mount of another kind, are left alone and named."""
    with pytest.raises(NotFound, match=r"nothing is mounted there: .*only what `rootless mount`"):
        unmount_folder(tmp_path)
    with pytest.raises(NotFound, match="nothing is mounted there"):
        unmount_folder(tmp_path / "missing")
    with pytest.raises(NotFound, match="a proc is mounted there: /proc"):
        unmount_folder(Path("/proc"))
    (tmp_path / "link").symlink_to("/proc")
    with pytest.raises(NotFound, match="a proc is mounted there"):
        unmount_folder(tmp_path / "link", lazy=True)


def line(place: bytes, kind: bytes, options: bytes = b"") -> bytes:
    """Return a line of /proc/self/mountinfo, `options` being its optional fields."""
    return b"36 35 98:0 / " + place + b" rw,noatime " + options + b"- " + kind + b" source rw\n"


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/plain", "ext4"),
        ("/twice", "fuse.rootless"),
        ("/a folder\n\\", "tmpfs"),
        ("/carriage\rreturn\x85", "xfs"),
        ("/shared", "btrfs"),
        ("/b\udcffytes", "nfs4"),
        ("/nothing", ""),
        ("/pla", ""),
    ],
)
def test_finds_the_mount(tmp_path: Path, target: str, kind: str) -> None:
    """The topmost mount at exactly that path counts, whatever bytes its name has (proc(5))."""
    (tmp_path / "mountinfo").write_bytes(
        line(b"/plain", b"ext4")
        + line(b"/twice", b"ext4")
        + line(b"/twice", b"fuse.rootless")
        + line(b"/a\\040folder\\012\\134", b"tmpfs")
        + line("/carriage\rreturn\x85".encode(), b"xfs")
        + line(b"/shared", b"btrfs", b"shared:1 master:2 ")
        + line(b"/b\xffytes", b"nfs4")
    )
    assert _mounted_kind(target, str(tmp_path / "mountinfo")) == kind
