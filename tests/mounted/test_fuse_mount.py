"""`fuse.mount`: an overlay for as long as a block of Python lasts."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from mounting import is_mounted

import fuse
from fuse.server_config import ServerConfig

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "overlay.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a lower one, an upperdir, a workdir and a mountpoint."""
    for name in ("l", "u", "w", "mnt"):
        (tmp_path / name).mkdir()
    (tmp_path / "l/below").write_text("below")
    return tmp_path


def is_there(pid: int) -> bool:
    """Tell whether a process lives; one that ended and is not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.trio
async def test_the_block_has_a_mount(folder: Path) -> None:
    """It shows what is below and takes changes; at the end nothing but these is left."""
    upper = {"upperdir": folder / "u", "workdir": folder / "w"}
    async with fuse.mount([folder / "l"], folder / "mnt", **upper) as mounted:
        assert mounted.path == str(folder / "mnt")
        assert is_there(mounted.pid)
        path = trio.Path(mounted.path)
        assert await (path / "below").read_text() == "below"
        await (path / "new").write_text("written")
    assert not is_mounted(folder / "mnt")
    assert not is_there(mounted.pid)
    assert (folder / "u/new").read_text() == "written"


@pytest.mark.trio
async def test_without_an_upperdir_it_is_read_only(folder: Path) -> None:
    """Many layers, nothing to write to; options go by way of a config."""
    config = ServerConfig(mountpoint="", static_nlink=True, fsname="name")
    async with fuse.mount([folder / "u", folder / "l"], folder / "mnt", config=config) as mounted:
        with pytest.raises(OSError, match="Read-only"):
            await trio.Path(mounted.path, "new").touch()
        assert (await trio.Path(mounted.path).stat()).st_nlink == 1
        assert " name " in await trio.Path("/proc/self/mountinfo").read_text()


@pytest.mark.trio
async def test_an_exception_ends_it(folder: Path) -> None:
    """What the block raises comes out, and the mount is gone."""
    with pytest.raises(RuntimeError, match="out of the block"):
        async with fuse.mount([folder / "l"], folder / "mnt"):
            raise RuntimeError("out of the block")
    assert not is_mounted(folder / "mnt")


@pytest.mark.trio
async def test_cancellation_ends_it(folder: Path) -> None:
    """A block that is cancelled unmounts before it ends, whatever it waits for."""
    with trio.move_on_after(1.5) as scope:
        async with fuse.mount([folder / "l"], folder / "mnt"):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert not is_mounted(folder / "mnt")


@pytest.mark.trio
async def test_cancellation_while_it_starts(folder: Path) -> None:
    """Cancelled before it is mounted, nothing is mounted afterwards either."""
    with trio.CancelScope() as scope:
        scope.cancel()
        async with fuse.mount([folder / "l"], folder / "mnt"):
            pytest.fail("the block was entered")
    assert scope.cancelled_caught
    assert not is_mounted(folder / "mnt")


@pytest.mark.trio
async def test_what_cannot_be_mounted(folder: Path) -> None:
    """A layer that is not there is an OSError with the reason, and no process is left."""
    with pytest.raises(OSError, match=r"No such file or directory: .*none"):
        async with fuse.mount([folder / "none"], folder / "mnt"):
            pytest.fail("the block was entered")
    assert not is_mounted(folder / "mnt")


@pytest.mark.trio
async def test_two_at_once(folder: Path) -> None:
    """Mounts of one program do not know each other; one may lie on the other."""
    (folder / "second").mkdir()
    upper = {"upperdir": folder / "u", "workdir": folder / "w"}
    async with (
        fuse.mount([folder / "l"], folder / "mnt") as first,
        fuse.mount([first.path], folder / "second", **upper) as second,
    ):
        assert await trio.Path(second.path, "below").read_text() == "below"
        await trio.Path(second.path, "below").write_text("changed")
        assert await trio.Path(first.path, "below").read_text() == "below"


@pytest.mark.trio
async def test_a_killed_server_leaves_no_mount(
    folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """While the block lasts there are errors; with its end the dead mount goes."""
    async with fuse.mount([folder / "l"], folder / "mnt") as mounted:
        os.kill(mounted.pid, signal.SIGKILL)
        await trio.to_thread.run_sync(wait_until, lambda: not is_there(mounted.pid))
        with pytest.raises(OSError, match="not connected"):
            os.listdir(mounted.path)
    assert not is_mounted(folder / "mnt")


def test_the_end_of_the_process_ends_it(
    folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """Killed with kill -9, the process that has the block takes the mount along."""
    program = (
        "import sys, trio, fuse\n"
        "async def main():\n"
        "    async with fuse.mount([sys.argv[1]], sys.argv[2]) as mounted:\n"
        "        print(mounted.pid, flush=True)\n"
        "        await trio.sleep_forever()\n"
        "trio.run(main)\n"
    )
    words = [sys.executable, "-c", program, str(folder / "l"), str(folder / "mnt")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_mounted(folder / "mnt")
        process.kill()
    wait_until(lambda: not is_mounted(folder / "mnt") and not is_there(pid))


def test_the_example_of_the_page(folder: Path) -> None:
    """The program that docs/overlay.md shows runs as it stands there."""
    block = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    for name in ("upper-layer", "lower-layer", "changes", "work"):
        (folder / name).mkdir()
    (folder / "lower-layer/hello").write_text("hello")
    done = subprocess.run(
        [sys.executable, "-c", block[1]], cwd=folder, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"hello" in done.stdout
    assert (folder / "changes/note").read_text() == "written\n"
    assert not is_mounted(folder / "mnt")
