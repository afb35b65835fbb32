"""Many readers at once: contents are pushed ahead of one while others read, and nobody waits."""

import os
import subprocess
import sys
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

READERS = 8
FOLDERS, FILES = 6, 120
# Opens in order from a place of its own, several at a time, as a program with threads does.
READER = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
root, start = sys.argv[1], int(sys.argv[2])
paths = sorted(os.path.join(f, n) for f, _, names in os.walk(root) for n in names)
paths = paths[start:] + paths[:start]
def size(path):
    with open(path, "rb") as file:
        return len(file.read())
with ThreadPoolExecutor(4) as threads:
    print(sum(threads.map(size, paths)))
"""


def layer() -> images.LayerBuilder:
    """Folders of small files."""
    built = images.LayerBuilder()
    for folder in range(FOLDERS):
        built.directory(f"d{folder}")
        for number in range(FILES):
            built.file(f"d{folder}/{number:04}", b"%d" % number * 500)
    return built


@pytest.mark.parametrize("writable", [False, True], ids=["read-only", "writable"])
def test_all_get_everything(mounting: Mounting, writable: bool) -> None:  # noqa: FBT001
    """Readers that overtake each other all end, with all that there is."""
    expected = FOLDERS * sum(len(b"%d" % number * 500) for number in range(FILES))

    def scenario(mount: Mount) -> None:
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READER, str(mount.root), str(n * FILES // 2)],
                stdout=subprocess.PIPE,
            )
            for n in range(READERS)
        ]
        try:
            outputs = [reader.communicate(timeout=60)[0] for reader in readers]
        finally:
            for reader in readers:
                reader.kill()
        assert [int(output) for output in outputs] == [expected] * READERS

    mounting.run([layer()], scenario, writable=writable)


def test_what_is_pushed_is_what_is_there(mounting: Mounting) -> None:
    """A file that was changed before a reader comes to it shows the change."""

    def scenario(mount: Mount) -> None:
        folder = mount.root / "d0"
        names = sorted(os.listdir(folder))
        for name in names[10:30:2]:
            (folder / name).write_bytes(b"changed")
        for name in names[11:30:4]:
            (folder / name).unlink()
            Path(folder, name).write_bytes(b"new")
        for number, name in enumerate(names):
            contents = (folder / name).read_bytes()
            if 10 <= number < 30 and number % 2 == 0:
                assert contents == b"changed"
            elif 10 <= number < 30 and (number - 11) % 4 == 0:
                assert contents == b"new"
            else:
                assert contents == b"%d" % number * 500

    mounting.run([layer()], scenario)
