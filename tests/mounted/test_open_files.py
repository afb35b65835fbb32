"""Open files: flags, mappings, descriptors that outlive copy-up, rename and removal."""

import errno
import mmap
import os
import stat

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

PAGES = b"".join(bytes([65 + n]) * mmap.PAGESIZE for n in range(4))


def layers() -> list[images.LayerBuilder]:
    """Files to open, a directory, a link."""
    return [
        images.LayerBuilder()
        .directory("dir")
        .file("file", b"lower")
        .file("pages", PAGES)
        .file("other", b"other")
        .symlink("link", "file")
    ]


def error_of(path: os.PathLike[str], flags: int) -> int:
    """Return the number of the error that open(2) gives; 0 for none."""
    try:
        os.close(os.open(path, flags, 0o644))
    except OSError as error:
        return error.errno or 0
    return 0


def test_descriptors_see_a_copy_up(mounting: Mounting) -> None:
    """A descriptor from before the copy-up reads what is written after it, its status too."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "file"
        before = os.open(path, os.O_RDONLY)
        number = os.fstat(before).st_ino
        assert os.read(before, 2) == b"lo"
        with path.open("r+b") as file:
            file.write(b"UPPER and more")
        assert os.read(before, 100) == b"PER and more"
        status = os.fstat(before)
        assert (status.st_ino, status.st_size) == (number, 14)
        os.fchmod(before, 0o600)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        os.close(before)

    mounting.run(layers(), scenario)


def test_mappings_see_a_copy_up(mounting: Mounting) -> None:
    """A shared mapping from before the copy-up shows what another descriptor writes."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "pages"
        with (
            path.open("rb") as reader,
            mmap.mmap(reader.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ) as mapped,
            path.open("r+b") as writer,
        ):
            assert mapped[:1] == b"A"
            os.pwrite(writer.fileno(), b"new", mmap.PAGESIZE)
            assert mapped[mmap.PAGESIZE : mmap.PAGESIZE + 4] == b"newB"
            assert mapped[:1] == b"A"

    mounting.run(layers(), scenario)


def test_shared_mappings_write(mounting: Mounting) -> None:
    """What is stored through a shared mapping is the file's: for read(2) at once, and on disk."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "pages"
        with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
            mapped[10:14] = b"here"
            mapped[-4:] = b"last"
            assert os.pread(file.fileno(), 4, 10) == b"here"
            mapped.flush()
            assert (mount.upper / "pages").read_bytes()[10:14] == b"here"
        mount.remount()
        expected = bytearray(PAGES)
        expected[10:14], expected[-4:] = b"here", b"last"
        assert path.read_bytes() == bytes(expected)

    mounting.run(layers(), scenario)


def test_private_mappings_do_not(mounting: Mounting) -> None:
    """What is stored through a private mapping stays its process's, and copies nothing up."""

    def scenario(mount: Mount) -> None:
        with (
            (mount.root / "pages").open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped,
        ):
            mapped[:4] = b"mine"
            assert mapped[:4] == b"mine"
        assert (mount.root / "pages").read_bytes() == PAGES
        assert os.listdir(mount.upper) == []

    mounting.run(layers(), scenario)


def test_append(mounting: Mounting) -> None:
    """With O_APPEND each write goes to the end, whoever has written before."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "file"
        one, other = (os.open(path, os.O_WRONLY | os.O_APPEND) for _ in range(2))
        os.write(one, b"-1")
        os.write(other, b"-2")
        os.lseek(one, 0, os.SEEK_SET)
        os.write(one, b"-3")
        os.close(one)
        os.close(other)
        assert path.read_bytes() == b"lower-1-2-3"

    mounting.run(layers(), scenario)


def test_truncation_on_open(mounting: Mounting) -> None:
    """O_TRUNC empties the file, for descriptors that are open too; its mode and number stay."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "file"
        before = path.stat()
        reader = os.open(path, os.O_RDONLY)
        os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
        assert os.pread(reader, 100, 0) == b""
        after = path.stat()
        assert (after.st_size, after.st_ino, after.st_mode) == (0, before.st_ino, before.st_mode)
        assert after.st_mtime_ns > before.st_mtime_ns
        os.close(reader)

    mounting.run(layers(), scenario)


def test_flags_that_ask_for_a_kind(mounting: Mounting) -> None:
    """O_EXCL, O_DIRECTORY, O_NOFOLLOW and writing to a directory have open(2)'s errors."""

    def scenario(mount: Mount) -> None:
        root = mount.root
        create = os.O_CREAT | os.O_WRONLY
        for name, flags, expected in (
            ("file", create | os.O_EXCL, errno.EEXIST),
            ("link", create | os.O_EXCL, errno.EEXIST),
            ("dir", create, errno.EISDIR),
            ("dir", os.O_WRONLY, errno.EISDIR),
            ("dir", os.O_RDONLY | os.O_DIRECTORY, 0),
            ("file", os.O_RDONLY | os.O_DIRECTORY, errno.ENOTDIR),
            ("link", os.O_RDONLY | os.O_NOFOLLOW, errno.ELOOP),
            ("file/x", os.O_RDONLY, errno.ENOTDIR),
            ("none", os.O_WRONLY, errno.ENOENT),
            ("none/x", create, errno.ENOENT),
        ):
            assert error_of(root / name, flags) == expected, (name, flags)
        assert os.listdir(mount.upper) == []
        (root / "file").unlink()
        assert error_of(root / "file", create | os.O_EXCL) == 0
        assert (root / "file").read_bytes() == b""

    mounting.run(layers(), scenario)


def test_a_replaced_file_lives_while_it_is_open(mounting: Mounting) -> None:
    """A lower file and an upper one that lose their name to a rename keep their contents."""

    def scenario(mount: Mount) -> None:
        for number in range(2):  # the second time it is an upper one
            held = os.open(mount.root / "file", os.O_RDONLY)
            contents = os.pread(held, 100, 0)
            (mount.root / "new").write_bytes(b"new %d" % number)
            (mount.root / "new").rename(mount.root / "file")
            os.posix_fadvise(held, 0, 0, os.POSIX_FADV_DONTNEED)
            assert os.pread(held, 100, 0) == contents
            assert os.fstat(held).st_nlink == 0
            os.close(held)
            assert (mount.root / "file").read_bytes() == b"new %d" % number

    mounting.run(layers(), scenario)


def test_descriptors_follow_a_rename(mounting: Mounting) -> None:
    """A file that is renamed while it is open is the same one, also when it is copied up after."""

    def scenario(mount: Mount) -> None:
        held = os.open(mount.root / "file", os.O_RDONLY)
        (mount.root / "file").rename(mount.root / "dir/moved")
        os.fchmod(held, 0o604)
        with (mount.root / "dir/moved").open("ab") as file:
            file.write(b" again")
        assert os.pread(held, 100, 0) == b"lower again"
        assert os.fstat(held).st_ino == (mount.root / "dir/moved").stat().st_ino
        assert stat.S_IMODE((mount.root / "dir/moved").stat().st_mode) == 0o604
        os.close(held)

    mounting.run(layers(), scenario)


def test_positioned_and_vectored_io(mounting: Mounting) -> None:
    """pwritev(2) and preadv(2) across pages; a write behind the end leaves zeros before it."""

    def scenario(mount: Mount) -> None:
        fd = os.open(mount.root / "pages", os.O_RDWR)
        os.pwritev(fd, [b"x" * 5000, b"y" * 5000], 100)
        one, other = bytearray(5000), bytearray(5000)
        assert os.preadv(fd, [one, other], 100) == 10000
        assert (one, other) == (b"x" * 5000, b"y" * 5000)
        os.pwrite(fd, b"end", 1_000_000)
        assert os.pread(fd, 10, len(PAGES)) == bytes(10)
        assert os.fstat(fd).st_size == 1_000_003
        os.close(fd)

    mounting.run(layers(), scenario)


def test_a_file_without_a_name(mounting: Mounting) -> None:
    """O_TMPFILE makes one; it goes when it is closed, or gets a name by linkat(2)."""

    def scenario(mount: Mount) -> None:
        before = sorted(os.listdir(mount.root))
        fd = os.open(mount.root, os.O_TMPFILE | os.O_RDWR, 0o640)
        os.write(fd, b"unnamed")
        assert os.fstat(fd).st_nlink == 0
        assert sorted(os.listdir(mount.root)) == before
        link = f"/proc/self/fd/{fd}"
        os.link(link, "named", dst_dir_fd=os.open(mount.root, os.O_RDONLY), follow_symlinks=True)
        os.write(fd, b" once")
        os.close(fd)
        assert (mount.root / "named").read_bytes() == b"unnamed once"
        assert (mount.root / "named").stat().st_mode & 0o7777 == 0o640
        os.close(os.open(mount.root, os.O_TMPFILE | os.O_WRONLY))
        assert sorted(os.listdir(mount.root)) == sorted([*before, "named"])

    mounting.run(layers(), scenario)


def test_room_and_holes(mounting: Mounting) -> None:
    """Room is allocated, holes are told, ranges are copied, as natively."""

    def scenario(mount: Mount) -> None:
        fd = os.open(mount.root / "holes", os.O_CREAT | os.O_RDWR)
        os.posix_fallocate(fd, 0, 1 << 20)
        assert os.fstat(fd).st_size == 1 << 20
        assert os.fstat(fd).st_blocks >= (1 << 20) // 512
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"end", 1 << 20)
        assert os.lseek(fd, 0, os.SEEK_DATA) == 1 << 20
        assert os.lseek(fd, 0, os.SEEK_HOLE) == 0
        copy = os.open(mount.root / "copy", os.O_CREAT | os.O_RDWR)
        assert os.copy_file_range(fd, copy, 3, 1 << 20, 0) == 3
        assert os.pread(copy, 10, 0) == b"end"
        os.close(copy)
        os.close(fd)

    mounting.run(layers(), scenario)
