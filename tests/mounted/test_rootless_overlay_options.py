"""What the options of `rootless-overlay` change: what is shown, and what the upperdir keeps."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from overlay_command import Somebody, call, mounted, unmount

from fuse.ownership import OVERRIDE_STAT

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WRITABLE = "lowerdir=l,upperdir=u,workdir=w"


def owner(path: Path) -> tuple[int, int]:
    """Return UID and GID of an object itself."""
    status = path.lstat()
    return status.st_uid, status.st_gid


def note(path: Path) -> bytes:
    """Return what an upperdir keeps of owner and mode in an attribute, empty for nothing."""
    names = os.listxattr(path, follow_symlinks=False)
    kept = OVERRIDE_STAT.decode()
    return os.getxattr(path, kept, follow_symlinks=False) if kept in names else b""


def in_namespace(tmp_path: Path, scenario: Callable[[Path], None]) -> None:
    """Run a scenario as root of a user namespace with sub-IDs."""
    root = Somebody(tmp_path, in_namespace=True)
    try:
        root.run(scenario)
    finally:
        root.remove()


@pytest.mark.needs_subid
def test_mapped_ids(tmp_path: Path) -> None:
    """IDs are stored by the lines of the mapping, chown included; what no line has is refused."""

    def scenario(folder: Path) -> None:
        for name, uid in (("ours", 0), ("mapped", 10), ("other", 99)):
            (folder / "l" / name).touch()
            os.chown(folder / "l" / name, uid, uid)
        options = f"{WRITABLE},uidmapping=0:0:1:1000:10:5,gidmapping=0:0:1:2000:10:5"
        for _ in range(2):
            with mounted(folder, options) as root:
                assert owner(root / "ours") == (0, 0)
                assert owner(root / "mapped") == (1000, 2000)
                assert owner(root / "other") == (65534, 65534)
                (root / "new").write_text("x")
                os.chown(root / "new", 1004, 2003)
                assert owner(root / "new") == (1004, 2003)
                with pytest.raises(OSError, match="Invalid") as caught:
                    os.chown(root / "new", 1005, 0)
                assert caught.value.errno == errno.EINVAL
                (root / "mapped").write_text("copied up")
                assert owner(root / "mapped") == (1000, 2000)
            assert owner(folder / "u/new") == (14, 13)
            assert owner(folder / "u/mapped") == (10, 10)

    in_namespace(tmp_path, scenario)


def test_a_user_sees_his_files_as_roots(tmp_path: Path) -> None:
    """With a line for his own ID a user sees 0; the kernel checks what is shown."""
    somebody = Somebody(tmp_path, in_namespace=False)

    def scenario(folder: Path) -> None:
        (folder / "l/file").touch()
        uid, gid = os.getuid(), os.getgid()
        with mounted(folder, f"lowerdir=l,uidmapping=0:{uid}:1,gidmapping=0:{gid}:1") as root:
            assert owner(root / "file") == owner(root) == (0, 0)

    somebody.run(scenario)


@pytest.mark.needs_subid
@pytest.mark.parametrize(
    ("option", "shown", "stored"),
    [
        ("squash_to_root", (0, 0), (0, 0)),
        ("squash_to_uid=5,squash_to_gid=6", (5, 6), (5, 6)),
        ("squash_to_uid=5", (5, 77), (5, 77)),
    ],
)
def test_squashed_ids(
    tmp_path: Path, option: str, shown: tuple[int, int], stored: tuple[int, int]
) -> None:
    """Everything is shown as one ID, and what is given to somebody else is stored as that."""

    def scenario(folder: Path) -> None:
        (folder / "l/below").touch()
        os.chown(folder / "l/below", 99, 77)
        with mounted(folder, f"{WRITABLE},{option}") as root:
            assert owner(root / "below") == shown
            (root / "new").touch()
            os.symlink("new", root / "link")
            for name in ("new", "link"):
                os.chown(root / name, 3, 77, follow_symlinks=False)
                assert owner(root / name) == shown
            (root / "below").write_text("copied up")
            assert owner(root / "below") == shown
        assert owner(folder / "u/new") == owner(folder / "u/link") == stored
        assert owner(folder / "u/below") == (99, 77)

    in_namespace(tmp_path, scenario)


def test_squashed_ids_of_a_user(tmp_path: Path) -> None:
    """A user who may not give files to root has that kept in the attribute."""
    somebody = Somebody(tmp_path, in_namespace=False)

    def scenario(folder: Path) -> None:
        for name in ("l", "u"):  # the kernel takes him for somebody else than the owner
            (folder / name).chmod(0o777)
        (folder / "l/below").touch(0o666)
        for _ in range(2):
            with mounted(folder, f"{WRITABLE},squash_to_root") as root:
                assert owner(root / "below") == (0, 0)
                if not (root / "new").exists():
                    (root / "new").write_text("x")
                assert owner(root / "new") == (0, 0)
        assert owner(folder / "u/new") == (os.getuid(), os.getgid())
        assert note(folder / "u/new").startswith(b"0:0:0644")

    somebody.run(scenario)
    somebody.remove()


def test_attributes_switched_off(somebody: Somebody) -> None:
    """With noxattrs none is shown or taken, of layers neither."""

    def scenario(folder: Path) -> None:
        (folder / "l/file").touch()
        os.setxattr(folder / "l/file", "user.k", b"v")
        with mounted(folder, WRITABLE) as root:
            assert os.getxattr(root / "file", "user.k") == b"v"
        with mounted(folder, f"{WRITABLE},noxattrs") as root:
            with pytest.raises(OSError, match="not supported"):
                os.setxattr(root / "file", "user.a", b"v")
            with pytest.raises(OSError, match="not supported"):
                os.getxattr(root / "file", "user.k")
            with pytest.raises(OSError, match="not supported"):
                os.listxattr(root / "file")

    somebody.run(scenario)


def test_acls_switched_off(somebody: Somebody) -> None:
    """With noacl ACLs are refused, other attributes are not."""
    # version 2; user::rw-, user:0:r--, group::r--, mask::r--, other::r-- (acl(5), linux/posix_acl)
    entries = [(1, 6, -1), (2, 4, 0), (4, 4, -1), (16, 4, -1), (32, 4, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little")
        + mode.to_bytes(2, "little")
        + uid.to_bytes(4, "little", signed=True)
        for tag, mode, uid in entries
    )

    def scenario(folder: Path) -> None:
        (folder / "l/file").touch()
        with mounted(folder, f"{WRITABLE},noacl") as root:
            with pytest.raises(OSError, match="not supported"):
                os.setxattr(root / "file", "system.posix_acl_access", acl)
            os.setxattr(root / "file", "user.k", b"v")
            assert os.getxattr(root / "file", "user.k") == b"v"

    somebody.run(scenario)


def test_one_link_for_directories(somebody: Somebody) -> None:
    """With static_nlink a directory has one link whatever is in it; files have all theirs."""

    def scenario(folder: Path) -> None:
        for name in ("a", "b"):
            (folder / "l/d" / name).mkdir(parents=True)
        (folder / "l/file").touch()
        os.link(folder / "l/file", folder / "l/again")
        with mounted(folder, "lowerdir=l") as root:
            assert (root / "d").stat().st_nlink == 4
        with mounted(folder, f"{WRITABLE},static_nlink") as root:
            (root / "new/inner").mkdir(parents=True)
            assert {(root / name).stat().st_nlink for name in (".", "d", "new")} == {1}
            assert (root / "file").stat().st_nlink == 2

    somebody.run(scenario)


@pytest.mark.parametrize("option", ["volatile", "fsync=0"])
def test_volatile(somebody: Somebody, option: str) -> None:
    """fsync(2) of files and directories succeeds, and what was written is there afterwards."""

    def scenario(folder: Path) -> None:
        with mounted(folder, f"{WRITABLE},{option}") as root:
            (root / "d").mkdir()
            with (root / "d/file").open("wb") as file:
                file.write(b"contents")
                file.flush()
                os.fsync(file.fileno())
                os.fdatasync(file.fileno())
            fd = os.open(root / "d", os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        assert (folder / "u/d/file").read_bytes() == b"contents"

    somebody.run(scenario)


@pytest.mark.parametrize("value", [1, 2])
def test_owner_and_mode_in_an_attribute(somebody: Somebody, value: int) -> None:
    """With xattr_permissions they are kept in the form of containers/storage, and shown again."""

    def scenario(folder: Path) -> None:
        (folder / "l/below").touch(0o604)
        gid = 0 if os.geteuid() == 0 else os.getgid()
        options = f"{WRITABLE},xattr_permissions={value}"
        with mounted(folder, options) as root:
            (root / "file").write_text("x")
            (root / "file").chmod(0o4751)
            (root / "dir").mkdir(0o700)
            (root / "dir").chmod(0o1777)
            (root / "below").write_text("copied up")
            if somebody.in_namespace:
                os.chown(root / "below", 0, 0)
        uid = os.geteuid()
        assert note(folder / "u/file") == f"{uid}:{gid}:4751:file".encode()
        assert note(folder / "u/dir") == f"{uid}:{gid}:1777:dir".encode()
        assert note(folder / "u/below") == f"{uid}:{gid}:0604:file".encode()
        assert stat.S_IMODE((folder / "u/file").stat().st_mode) & 0o7000 == 0
        with mounted(folder, options) as root:
            modes = {name: (root / name).stat().st_mode for name in ("file", "dir", "below")}
            assert {name: stat.S_IMODE(mode) for name, mode in modes.items()} == {
                "file": 0o4751,
                "dir": 0o1777,
                "below": 0o604,
            }
            with pytest.raises(OSError, match=r"No data|No such"):
                os.getxattr(root / "file", OVERRIDE_STAT.decode())
        # as a layer of another mount too
        with mounted(folder, "lowerdir=u:l") as root:
            assert stat.S_IMODE((root / "file").stat().st_mode) == 0o4751

    somebody.run(scenario)


@pytest.mark.parametrize(
    "words", [("-o", "noatime,nodev", "-o", "lowerdir=l"), ("-onosuid,lowerdir=l",)]
)
def test_words_for_the_mount(somebody: Somebody, words: tuple[str, ...]) -> None:
    """What mount(8) knows arrives at the mount, also where `-o` is given more than once."""

    def scenario(folder: Path) -> None:
        assert call(folder, "source", *words, "mnt") == (0, "")
        try:
            table = Path("/proc/self/mountinfo").read_text().splitlines()
            line = next(line for line in table if f" {folder / 'mnt'} " in line)
            shown = line.split()[5].split(",")
            wanted = ["noatime", "nodev"] if len(words) > 1 else ["nosuid"]
            assert set(wanted) <= set(shown)
        finally:
            unmount(folder / "mnt")

    somebody.run(scenario)
