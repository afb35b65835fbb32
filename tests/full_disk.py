"""What a full disk under an upperdir must not do, for any file system that can be filled.

Every change either works or fails with the file system's own error, and what failed has changed
nothing: neither what the mount shows, nor what it shows when it is mounted again, nor what lies in
the workdir. With room again, the same change works.
"""

import contextlib
import mmap
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import images
import listing
from mounting import Mount

from fuse.renameat2 import EXCHANGE, renameat2

AT_FDCWD = -100
BIG = bytes(range(256)) * 8192  # 2 MiB

Change = Callable[[Path], object]


def layers() -> list[images.LayerBuilder]:
    """What the changes below work on; deep, so that directories are copied up on the way."""
    layer = images.LayerBuilder().directory("a").directory("a/b").directory("a/b/empty")
    layer.directory("a/b/bare")
    for name in ("chmod", "link", "unlink", "rename", "onto", "one", "other", "xattr", "open"):
        layer.directory(f"a/b/{name}-in").file(f"a/b/{name}-in/{name}", BIG)
    for name in ("gone-file", "gone-directory"):
        layer.file(f"a/b/{name}", b"lower")
    layer.file("hard", BIG).hard_link("a/b/hard", "hard").hard_link("a/hard", "hard")
    return [layer.file("small", b"lower")]


def changes() -> dict[str, Change]:
    """Return the changes by name; each is made once."""
    return {
        "create": lambda root: touch(root / "fresh"),
        "mkdir": lambda root: (root / "a/new").mkdir(),
        "symlink": lambda root: (root / "symlink").symlink_to("t" * 900),
        "mkfifo": lambda root: os.mkfifo(root / "a/b/fifo"),
        "copy-up": lambda root: (root / "a/b/chmod-in/chmod").chmod(0o600),
        "copy-up of a directory": lambda root: (root / "a/b/empty").chmod(0o700),
        "copy-up for writing": lambda root: os.close(os.open(root / "a/b/open-in/open", os.O_RDWR)),
        "copy-up of hard links": lambda root: (root / "hard").chmod(0o600),
        "link": lambda root: os.link(root / "a/b/link-in/link", root / "linked"),
        "xattr": lambda root: os.setxattr(root / "a/b/xattr-in/xattr", "user.x", b"v" * 3000),
        "unlink": lambda root: (root / "a/b/unlink-in/unlink").unlink(),
        "rmdir": lambda root: (root / "a/b/bare").rmdir(),
        "rename": lambda root: (root / "a/b/rename-in/rename").rename(root / "renamed"),
        "replace": lambda root: (root / "upper").rename(root / "a/b/onto-in/onto"),
        "exchange": lambda root: exchange(root / "a/b/one-in/one", root / "a/b/other-in/other"),
        "create over a whiteout": lambda root: touch(root / "a/b/gone-file"),
        "mkdir over a whiteout": lambda root: (root / "a/b/gone-directory").mkdir(),
        "rename of a directory": lambda root: (root / "directory").rename(root / "a/b/empty"),
    }


def prepare(root: Path) -> None:
    """Make what the changes need, while there is room."""
    (root / "upper").write_bytes(b"upper")
    (root / "directory").mkdir()
    (root / "directory/inside").write_bytes(b"inside")
    for name in ("gone-file", "gone-directory"):
        (root / "a/b" / name).unlink()
    (root / "appended").write_bytes(b"begin")
    (root / "mapped").touch()
    os.truncate(root / "mapped", 1 << 26)


def check_changes(
    mount: Mount, full: Callable[[], contextlib.AbstractContextManager[None]], errors: set[int]
) -> set[str]:
    """Make all changes while a disk is full, then again; return the names of those that failed."""
    prepare(mount.root)
    failed: dict[str, Change] = {}
    with full():
        for name, change in changes().items():
            before = seen(mount.root)
            number = error_number(lambda change=change: change(mount.root))
            if number:
                assert number in errors, (name, os.strerror(number))
                assert seen(mount.root) == before, name
                failed[name] = change
            assert os.listdir(mount.work) in ([], ["#whiteout"]), name
        before = seen(mount.root)
        mount.remount()
        assert seen(mount.root) == before
    for change in failed.values():
        change(mount.root)
    assert_all_changed(mount.root)
    mount.remount()
    assert_all_changed(mount.root)
    return set(failed)


def assert_all_changed(root: Path) -> None:
    """Look at what the changes must have made of the tree."""
    assert (root / "fresh").read_bytes() == b""
    assert os.listdir(root / "a/new") == []
    assert os.readlink(root / "symlink") == "t" * 900
    assert stat.S_ISFIFO((root / "a/b/fifo").stat().st_mode)
    for path in ("a/b/chmod-in/chmod", "hard", "linked", "renamed", "a/b/open-in/open", "a/hard"):
        assert (root / path).read_bytes() == BIG, path
    assert (root / "a/hard").stat().st_mode & 0o777 == 0o600
    assert (root / "hard").stat().st_nlink == 3
    assert os.getxattr(root / "a/b/xattr-in/xattr", "user.x") == b"v" * 3000
    assert not (root / "a/b/unlink-in/unlink").exists()
    assert not (root / "a/b/bare").exists()
    assert not (root / "a/b/rename-in/rename").exists()
    assert (root / "a/b/onto-in/onto").read_bytes() == b"upper"
    assert (root / "a/b/gone-file").read_bytes() == b""
    assert os.listdir(root / "a/b/gone-directory") == []
    assert (root / "a/b/empty/inside").read_bytes() == b"inside"


def check_writes(
    mount: Mount, full: Callable[[], contextlib.AbstractContextManager[None]], errors: set[int]
) -> None:
    """Write to a full disk, by write(2) and through a mapping; what was taken must be there."""
    prepare(mount.root)
    with full():
        with (mount.root / "appended").open("ab", buffering=0) as file:
            assert error_number(lambda: write_for_ever(file.fileno())) in errors
            written = os.fstat(file.fileno()).st_size - 5
        contents = (mount.root / "appended").read_bytes()
        assert contents == b"begin" + b"x" * written
        assert map_until_full(mount.root / "mapped") in errors
    os.truncate(mount.root / "mapped", 0)
    with (mount.root / "appended").open("ab", buffering=0) as file:
        assert file.write(BIG) == len(BIG)
        os.fsync(file.fileno())
    mount.remount()
    assert (mount.root / "appended").read_bytes() == contents + BIG


def error_number(change: Callable[[], object]) -> int:
    """Return the number of the error that a change fails with; 0 where it works."""
    try:
        change()
    except OSError as error:
        return error.errno or 0
    return 0


def write_for_ever(fd: int) -> None:
    """Write to the disk until that fails."""
    while True:
        os.write(fd, b"x" * 65536)
        os.fsync(fd)


def map_until_full(path: Path) -> int:
    """Fill a file through a mapping, which the disk has no room for; return the error number."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 1 << 26) as mapped:

        def fill() -> None:
            for offset in range(0, 1 << 26, 1 << 20):
                mapped[offset : offset + (1 << 20)] = b"y" * (1 << 20)
                mapped.flush(offset, 1 << 20)
            os.fsync(file.fileno())

        return error_number(fill)


@contextlib.contextmanager
def blocks_used(folder: Path) -> Iterator[None]:
    """Fill a file system's blocks with one file, to the last."""
    fd = os.open(folder / "filler", os.O_CREAT | os.O_WRONLY)
    size = 1 << 20
    while size >= 512:
        try:
            os.write(fd, b"f" * size)
            os.fsync(fd)
        except OSError:
            size //= 2
    os.close(fd)
    yield
    (folder / "filler").unlink()
    os.sync()


@contextlib.contextmanager
def inodes_used(folder: Path) -> Iterator[None]:
    """Use up a file system's inodes with empty files."""
    (folder / "many").mkdir()
    with contextlib.suppress(OSError):
        for number in range(1 << 20):
            touch(folder / "many" / str(number))
    yield
    shutil.rmtree(folder / "many")


def seen(root: Path) -> listing.Listing:
    """Return what is seen; a directory's time may say that a change was tried."""
    return {
        path: item._replace(mtime_ns=0) if stat.S_ISDIR(item.mode) else item
        for path, item in listing.list_folder(root).items()
    }


def touch(path: Path) -> None:
    """Make an empty file, which must not be there."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def exchange(one: Path, other: Path) -> None:
    """Exchange two names."""
    renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)
