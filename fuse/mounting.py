"""Mounting from Python: `async with fuse.mount(...)`.

    async with fuse.mount(["upper-layer", "base.tar"], "/mnt/x", upperdir="u", workdir="w"):
        ...  # /mnt/x shows both, and takes changes

The server is a process of its own, and ends, and its mount with it, when the block or the process
that it stands in ends, whatever ends it. Where the server itself is killed, the mount gives errors
until the block ends.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import trio

from .launch import Launched, StrPath, at_paths, launch
from .server_config import ServerConfig


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mount that is there.

    Attributes:
        path: Where.
        pid: Its server's process.
    """

    path: str
    pid: int


@asynccontextmanager
async def mount(
    lowers: Sequence[StrPath],
    mountpoint: StrPath,
    *,
    upperdir: StrPath | None = None,
    workdir: StrPath | None = None,
    config: ServerConfig | None = None,
) -> AsyncIterator[Mounted]:
    """Mount layers for as long as the block lasts.

    An ordinary user mounts through fusermount3, and only he sees what is there; root of a user
    namespace mounts for everybody in it.

    Args:
        lowers: Folders and plain tars, the uppermost first.
        mountpoint: An existing directory.
        upperdir: Where changes go; None for a read-only mount.
        workdir: An empty folder on the upperdir's file system; needed with it.
        config: More options; what the other arguments say is filled in here.

    Raises:
        OSError: It cannot be mounted; the message says why.
        ValueError: An upperdir without a workdir.
    """
    if (upperdir is None) != (workdir is None):
        raise ValueError("an upperdir needs a workdir, and the other way round")
    wanted = replace(
        config or ServerConfig(mountpoint=""),
        mountpoint=os.fspath(mountpoint),
        lowerdirs=tuple(os.fspath(path) for path in lowers),
    )
    async with AsyncExitStack() as stack:
        config, fds = at_paths(wanted, upperdir, workdir)
        for fd in fds:
            stack.callback(os.close, fd)
        launched = launch(config, pass_fds=fds)
        stack.push_async_callback(_end, launched, config.mountpoint)
        await trio.lowlevel.wait_readable(launched.ready_fd)
        reason = launched.read_answer()
        if reason:
            raise OSError(0, reason, config.mountpoint)
        yield Mounted(config.mountpoint, launched.process.pid)


async def _end(launched: Launched, mountpoint: str) -> None:
    """End the server, which unmounts, and wait for it, also when the block is cancelled."""
    launched.release()
    with trio.CancelScope(shield=True):
        status = await trio.to_thread.run_sync(launched.process.wait)
        if status < 0:  # a signal: nobody has unmounted
            is_root = os.geteuid() == 0
            command = ["umount", "-l"] if is_root else ["fusermount3", "-u", "-z", "-q"]
            await trio.run_process([*command, mountpoint], check=False, capture_stderr=True)
