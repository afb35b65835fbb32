"""The upperdir after kill -9 of the server in the middle of changes: the old or the new, whole.

Both forms of whiteouts; what a change had said to be done is done after the next mount.
"""

import contextlib
import os

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

COUNT = 600
CONTENT = b"lower" * 100


def layers() -> list[images.LayerBuilder]:
    """Many files to remove, empty directories to replace."""
    layer = images.LayerBuilder().directory("d")
    for number in range(COUNT):
        layer.file(f"d/f{number}", CONTENT).file(f"d/c{number}", CONTENT).directory(f"d/e{number}")
    return [layer]


def change_all(mount: Mount, done: int) -> None:
    """Make changes, each noted once it is done, until the server is gone."""
    root = mount.root / "d"
    for number in range(COUNT):
        changes = (
            lambda n=number: (root / f"c{n}").chmod(0o600),
            lambda n=number: (root / f"f{n}").unlink(),
            lambda n=number: (root / f"f{n}").mkdir(),
            lambda n=number: os.mkfifo(root / f"f{n}/inside"),
            lambda n=number: (root / f"f{n}").rename(root / f"e{n}"),
            lambda n=number: (root / f"c{n}").rename(root / f"f{n}"),
        )
        for change in changes:
            change()
            os.write(done, b".")


def in_a_child(mount: Mount, wanted: int) -> int:
    """Change until the server is killed, once so many are done; return how many were."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            change_all(mount, write_fd)
        os._exit(0)
    os.close(write_fd)
    with open(read_fd, "rb") as pipe:
        done = len(pipe.read(wanted))
        mount.server.process.kill()
        done += len(pipe.read())
    os.waitpid(pid, 0)
    return done


def check(mount: Mount, number: int, step: int) -> None:
    """Look at what `step` changes have made of one number's names; the next may be done too."""
    root = mount.root / "d"
    c, e, f = (root / f"{letter}{number}" for letter in "cef")
    states = (
        lambda: f.read_bytes() == c.read_bytes() == CONTENT and os.listdir(e) == [],
        lambda: c.stat().st_mode & 0o777 == 0o600 and f.read_bytes() == CONTENT,
        lambda: not f.exists() and c.read_bytes() == CONTENT and os.listdir(e) == [],
        lambda: os.listdir(f) == [] and os.listdir(e) == [],
        lambda: os.listdir(f) == ["inside"] and not (e.exists() and os.listdir(e)),
        lambda: not f.exists() and os.listdir(e) == ["inside"] and c.read_bytes() == CONTENT,
        lambda: f.read_bytes() == CONTENT and not c.exists() and os.listdir(e) == ["inside"],
    )
    found = []
    for place, holds in enumerate(states):
        with contextlib.suppress(OSError):
            if holds():
                found.append(place)
    assert {step, min(step + 1, 6)} & set(found), (number, step, found)


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs"])
@pytest.mark.parametrize("wanted", [20, 300, 1000])
def test_changes_are_done_or_not(mounting: Mounting, kind: str, wanted: int) -> None:
    """Each change of a long row is there whole after the next mount, and no removed name is."""
    mounting.file_system = (kind, "mode=0755")

    def scenario(mount: Mount) -> None:
        mount.expects_log = True
        done = in_a_child(mount, wanted)
        assert wanted <= done < COUNT * 6
        mount.remount()
        whole, step = divmod(done, 6)
        for number in range(whole):
            check(mount, number, 6)
        check(mount, whole, step)
        for number in range(whole + 1, COUNT):
            check(mount, number, 0)

    mounting.run(layers(), scenario)
