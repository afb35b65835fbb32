"""Who may do what: sticky directories, set-ID bits, capabilities of files, ACLs."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")


def layers() -> list[images.LayerBuilder]:
    """A sticky directory with root's file, set-ID files that all may write, closed ones."""
    return [
        images.LayerBuilder()
        .directory("tmp", mode=0o1777)
        .file("tmp/roots", b"root's", mode=0o666)
        .directory("open", mode=0o777)
        .file("open/set-id", b"x", mode=0o6777)
        .file("open/other", b"x", mode=0o6777)
        .file("open/caps", b"x", mode=0o777, xattrs={"security.capability": CAPABILITY})
        .directory("closed", mode=0o700)
        .file("closed/file", b"x")
        .file("open/secret", b"x", mode=0o600)
    ]


def as_user(uid: int, folder: Path, body: Callable[[], None]) -> None:
    """Run something as another user of the namespace, in a folder."""
    os.chdir(folder)  # what is above it is not for others
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            body()
        except BaseException:  # noqa: BLE001 - all that the parent needs to know is that
            import traceback  # noqa: PLC0415

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    os.chdir("/")
    assert status == 0


def error_of(change: Callable[[], object]) -> int:
    """Return the number of the error of a change; 0 for none."""
    try:
        change()
    except OSError as error:
        return error.errno or 0
    return 0


@pytest.mark.needs_subid
def test_sticky_directories(mounting: Mounting) -> None:
    """Who owns neither the file nor the directory removes and renames nothing there."""

    def scenario(mount: Mount) -> None:
        if mount.single_id:
            return

        def of_33() -> None:
            Path("mine").write_bytes(b"33's")
            assert error_of(lambda: Path("roots").unlink()) == errno.EPERM
            assert error_of(lambda: Path("roots").rename("taken")) == errno.EPERM
            assert error_of(lambda: Path("mine").rename("roots")) == errno.EPERM
            assert Path("roots").read_bytes() == b"root's"

        def of_34() -> None:
            assert error_of(lambda: Path("mine").unlink()) == errno.EPERM

        def of_33_again() -> None:
            Path("mine").rename("still mine")
            Path("still mine").unlink()

        for uid, body in ((33, of_33), (34, of_34), (33, of_33_again)):
            as_user(uid, mount.root / "tmp", body)
        assert stat.S_IMODE((mount.upper / "tmp").stat().st_mode) == 0o1777

    mounting.run(layers(), scenario)


@pytest.mark.needs_subid
def test_a_write_takes_set_id_bits_away(mounting: Mounting) -> None:
    """A write, a truncation and a chown by another than root clear them, on the disk too."""

    def scenario(mount: Mount) -> None:
        if mount.single_id:
            return

        def of_33() -> None:
            with Path("set-id").open("r+b") as file:
                file.write(b"changed")
            os.truncate("other", 0)

        as_user(33, mount.root / "open", of_33)
        for name in ("set-id", "other"):
            assert stat.S_IMODE((mount.root / "open" / name).stat().st_mode) == 0o777
            assert stat.S_IMODE((mount.upper / "open" / name).stat().st_mode) == 0o777
        (mount.root / "open/set-id").chmod(0o4755)
        os.chown(mount.root / "open/set-id", 33, 33)
        assert stat.S_IMODE((mount.root / "open/set-id").stat().st_mode) == 0o755

    mounting.run(layers(), scenario)


def test_a_write_of_a_namespaces_root_does_too(mounting: Mounting) -> None:
    """Only the host's root keeps set-ID bits, as on every file system."""

    def scenario(mount: Mount) -> None:
        with (mount.root / "open/set-id").open("ab") as file:
            file.write(b"changed")
        (mount.root / "open/other").touch()
        for _ in range(2):
            assert stat.S_IMODE((mount.root / "open/set-id").stat().st_mode) == 0o777
            assert stat.S_IMODE((mount.root / "open/other").stat().st_mode) == 0o6777
            mount.remount()

    mounting.run(layers(), scenario)


def test_a_write_takes_capabilities_away(mounting: Mounting) -> None:
    """A changed program has no capabilities any more, whoever changed it; a chmod leaves them."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "open/caps"
        path.chmod(0o755)
        assert os.getxattr(path, "security.capability") == CAPABILITY
        with path.open("ab") as file:
            file.write(b"changed")
        with pytest.raises(OSError, match="No data"):
            os.getxattr(path, "security.capability")
        mount.remount()
        assert "security.capability" not in os.listxattr(path)

    mounting.run(layers(), scenario)


@pytest.mark.needs_subid
def test_modes_are_checked(mounting: Mounting) -> None:
    """What modes forbid to others is EACCES, of the lower tree and of the upperdir."""

    def scenario(mount: Mount) -> None:
        if mount.single_id:
            return

        def of_33() -> None:
            assert error_of(lambda: Path("../closed/file").read_bytes()) == errno.EACCES
            assert error_of(lambda: os.listdir("../closed")) == errno.EACCES
            assert error_of(lambda: Path("secret").read_bytes()) == errno.EACCES
            assert error_of(lambda: Path("secret").chmod(0o777)) == errno.EPERM
            assert error_of(lambda: os.utime("secret", (1, 1))) == errno.EPERM
            assert not os.access("secret", os.R_OK)

        as_user(33, mount.root / "open", of_33)
        for path in ("closed/file", "open/secret"):
            os.utime(mount.root / path, (1, 1))  # copies up
        as_user(33, mount.root / "open", of_33)

    mounting.run(layers(), scenario)
