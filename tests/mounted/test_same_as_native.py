"""A long, fixed sequence of changes gives the tree that it gives in a plain folder."""

import os
import random
import tarfile
from pathlib import Path

import images
import pytest
import trees
from listing import list_folder
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

STEPS = 1500
TIME = 1_600_000_000


def layer() -> images.LayerBuilder:
    """Directories with files, links and hard links."""
    made = images.LayerBuilder()
    for number in range(12):
        made.directory(f"d{number}").symlink(f"d{number}/l", "f0")
        for name in range(4):
            made.file(f"d{number}/f{name}", b"%d" % name * 100, mode=0o640)
        made.hard_link(f"d{number}/h", f"d{number}/f0", mode=0o640)
    return made


def build(root: Path) -> None:
    """Change a tree, the same way each time; what a step cannot do, it cannot do anywhere."""
    numbers = random.Random(20)

    def path(kind: str) -> Path:
        folder = root / f"d{numbers.randrange(16)}"
        return folder if kind == "d" else folder / f"{kind}{numbers.randrange(6)}"

    def write() -> None:
        content = numbers.randbytes(numbers.randrange(9000))
        path("f").write_bytes(content)

    def append() -> None:
        with path("f").open("r+b") as file:
            file.seek(numbers.randrange(5000))
            file.write(b"appended")

    steps = (
        write,
        append,
        lambda: os.truncate(path("f"), numbers.randrange(6000)),
        lambda: path("f").unlink(),
        lambda: path("d").mkdir(),
        lambda: path("e").mkdir(),
        lambda: path("e").rmdir(),
        lambda: path("f").rename(path("f")),
        lambda: path("e").rename(path("e")),
        lambda: path("g").symlink_to(f"../target{numbers.randrange(9)}"),
        lambda: path("g").rename(path("f")),
        lambda: os.link(path("f"), path("h")),
        lambda: path("f").chmod(numbers.choice((0o600, 0o4755, 0o444))),
        lambda: os.mkfifo(path("p")),
        lambda: os.setxattr(path("f"), f"user.{numbers.randrange(3)}", numbers.randbytes(20)),
    )
    for _ in range(STEPS):
        try:
            numbers.choice(steps)()
        except OSError:
            continue


def settle(root: Path) -> None:
    """Give everything one time: the changes' own are the clock's."""
    for each in sorted(root.rglob("*"), reverse=True):
        os.utime(each, (TIME, TIME), follow_symlinks=False)


def contents(root: Path) -> dict[str, bytes]:
    """Return what the files hold."""
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.mark.parametrize("kind", ["", "ramfs"], ids=["with-xattrs", "without-xattrs"])
def test_a_fixed_sequence_of_changes(mounting: Mounting, kind: str) -> None:
    """Names, kinds, modes, links, attributes and contents are a plain folder's, remounted too.

    The folder lies beside the upperdir: on a file system without user xattrs it has none either.
    """
    mounting.file_system = (kind, "mode=0755" if kind else "")

    def scenario(mount: Mount) -> None:
        mount.expects_log = bool(kind)
        native = mount.upper.parent / "native"
        with tarfile.open(trees.tar_path(mounting.folder / "layers", 0)) as tar:
            tar.extractall(native)
        for root in (native, mount.root):
            build(root)
            settle(root)
        expected = list_folder(native)
        del expected[b""]  # the roots differ in what made them
        for _ in range(2):
            found = list_folder(mount.root)
            del found[b""]
            assert found == expected
            assert contents(mount.root) == contents(native)
            mount.remount()

    mounting.run([layer()], scenario)
