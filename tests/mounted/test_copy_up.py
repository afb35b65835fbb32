"""Copy-up: a lower object is changed, and the change is the upperdir's."""

import os
import stat
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

BIG = bytes(range(256)) * 8192


def layers() -> list[images.LayerBuilder]:
    """A few files, deep and shallow."""
    return [
        images.LayerBuilder()
        .directory("a", mtime=1000)
        .directory("a/b", mode=0o711, mtime=2000)
        .file("a/b/file", b"lower contents", mode=0o640, mtime=3000)
        .file("big", BIG)
        .symlink("link", "a/b/file")
        .fifo("a/pipe")
        .file("set-id", b"x", mode=0o4755)
    ]


def test_append_keeps_what_was_there(mounting: Mounting) -> None:
    """Appending to a lower file keeps its contents, mode and number, and its directories' times."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "a/b/file"
        before = path.stat()
        with path.open("ab") as file:
            file.write(b", more")
        after = path.stat()
        assert path.read_bytes() == b"lower contents, more"
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
        assert (mount.root / "a").stat().st_mtime == 1000
        assert (mount.root / "a/b").stat().st_mtime == 2000
        assert stat.S_IMODE((mount.upper / "a/b").stat().st_mode) == 0o711
        assert (mount.upper / "a/b/file").read_bytes() == b"lower contents, more"
        mount.remount()
        assert path.read_bytes() == b"lower contents, more"

    mounting.run(layers(), scenario)


def test_writes_in_the_middle_of_a_big_file(mounting: Mounting) -> None:
    """A write changes its bytes and no others."""

    def scenario(mount: Mount) -> None:
        with (mount.root / "big").open("r+b") as file:
            file.seek(1_000_000)
            file.write(b"here")
        expected = BIG[:1_000_000] + b"here" + BIG[1_000_004:]
        assert (mount.root / "big").read_bytes() == expected
        mount.remount()
        assert (mount.root / "big").read_bytes() == expected

    mounting.run(layers(), scenario)


def test_truncation_on_open_copies_nothing(mounting: Mounting) -> None:
    """O_TRUNC empties the file; its mode stays."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "big"
        path.write_bytes(b"small")
        assert path.read_bytes() == b"small"
        assert (mount.upper / "big").stat().st_blocks < 16

    mounting.run(layers(), scenario)


@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_truncate(mounting: Mounting, size: int) -> None:
    """truncate(2) cuts off, or fills with zeros."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "a/b/file"
        os.truncate(path, size)
        expected = b"lower contents"[:size].ljust(size, b"\0")
        assert path.read_bytes() == expected
        assert (mount.upper / "a/b/file").read_bytes() == expected

    mounting.run(layers(), scenario)


def test_a_reader_sees_what_another_writes(mounting: Mounting) -> None:
    """A file that is open for reading since before the copy-up shows what was written after."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "big"
        reader = os.open(path, os.O_RDONLY)
        with path.open("r+b") as file:
            file.write(b"NEW")
            file.truncate(10)
        assert os.pread(reader, 100, 0) == b"NEW" + BIG[3:10]
        os.posix_fadvise(reader, 0, 0, os.POSIX_FADV_DONTNEED)
        assert os.pread(reader, 100, 0) == b"NEW" + BIG[3:10]
        os.close(reader)

    mounting.run(layers(), scenario)


def test_chmod(mounting: Mounting) -> None:
    """The mode of a lower file and of a lower directory changes, the contents stay."""

    def scenario(mount: Mount) -> None:
        (mount.root / "a/b/file").chmod(0o4711)
        (mount.root / "a").chmod(0o2770)
        mount.remount()
        assert stat.S_IMODE((mount.root / "a/b/file").stat().st_mode) == 0o4711
        assert stat.S_IMODE((mount.root / "a").stat().st_mode) == 0o2770
        assert (mount.root / "a/b/file").read_bytes() == b"lower contents"
        assert sorted(os.listdir(mount.root / "a")) == ["b", "pipe"]

    mounting.run(layers(), scenario)


def test_chown(mounting: Mounting) -> None:
    """Owner and group change where the namespace has the IDs, also a symbolic link's own."""

    def scenario(mount: Mount) -> None:
        owner = (0, 0) if mount.single_id else (8, 12)
        for name in ("a/b/file", "link", "a/b", "a/pipe"):
            os.chown(mount.root / name, *owner, follow_symlinks=False)
        mount.remount()
        for name in ("a/b/file", "link", "a/b", "a/pipe"):
            status = (mount.root / name).lstat()
            assert (status.st_uid, status.st_gid) == owner
        assert os.readlink(mount.root / "link") == "a/b/file"

    mounting.run(layers(), scenario)


def test_set_id_bits_survive_a_copy_up_and_not_a_write(mounting: Mounting) -> None:
    """A set-ID file keeps its bit when its time changes."""

    def scenario(mount: Mount) -> None:
        os.utime(mount.root / "set-id", (5, 6))
        assert stat.S_IMODE((mount.upper / "set-id").stat().st_mode) == 0o4755

    mounting.run(layers(), scenario)


def test_times(mounting: Mounting) -> None:
    """Utimens sets both times to the nanosecond; a link's own too."""

    def scenario(mount: Mount) -> None:
        for name in ("a/b/file", "a/b", "link"):
            path = mount.root / name
            os.utime(path, ns=(1_000_000_001, 2_000_000_002), follow_symlinks=False)
        mount.remount()
        for name in ("a/b/file", "a/b", "link"):
            status = (mount.root / name).lstat()
            assert (status.st_atime_ns, status.st_mtime_ns) == (1_000_000_001, 2_000_000_002)

    mounting.run(layers(), scenario)


def test_the_lower_layers_stay_as_they_are(mounting: Mounting) -> None:
    """No change reaches the tar."""
    tar = mounting.folder / "layers" / "0.tar"

    def scenario(mount: Mount) -> None:
        before = tar.read_bytes()
        (mount.root / "big").write_bytes(b"")
        (mount.root / "a/b/file").unlink()
        (mount.root / "new").write_bytes(b"x" * 100_000)
        assert tar.read_bytes() == before

    mounting.run(layers(), scenario)


def test_sparse_files_stay_sparse(mounting: Mounting) -> None:
    """A hole of a sparse file is a hole of its copy."""
    source = Path(mounting.folder, "source")
    source.mkdir()
    with (source / "holes").open("wb") as file:
        file.seek(10_000_000)
        file.write(b"end")
    layer = _sparse_layer(source)

    def scenario(mount: Mount) -> None:
        path = mount.root / "holes"
        contents = path.read_bytes()
        assert (len(contents), contents[-3:], contents.count(0)) == (10_000_003, b"end", 10**7)
        path.chmod(0o600)
        copy = mount.upper / "holes"
        assert copy.stat().st_blocks * 512 < 1_000_000
        assert copy.read_bytes() == contents

    mounting.run([layer], scenario)


def _sparse_layer(folder: Path) -> bytes:
    import subprocess  # noqa: PLC0415

    done = subprocess.run(
        ["tar", "--sparse", "-cf", "-", "-C", folder, "holes"], capture_output=True, check=True
    )
    return done.stdout
