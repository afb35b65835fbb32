"""Starting a server process; waiting for it is the caller's, in its own way.

The server is a program of its own, `python -m fuse.server`, which holds nothing of its starter but
what it is given, and tells on a pipe when it is mounted.
"""

import errno
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .server_config import ServerConfig
from .spare import Adopted, Spare

StrPath = str | os.PathLike[str]

UNKNOWN = "the server ended before it said why"

_ANSWER_BYTES = 4096


@dataclass(slots=True)
class Launched:
    """A server that is starting.

    Attributes:
        process: The server.
        ready_fd: Brings its one line, `ready` or `error TEXT`, or only its end.
        lifeline_fd: The server ends when this is closed; -1 where it lives on by itself.
    """

    process: "subprocess.Popen[bytes] | Adopted"
    ready_fd: int
    lifeline_fd: int

    def read_answer(self) -> str:
        """Return the reason why nothing is mounted, "" where it is; waits."""
        answer = os.read(self.ready_fd, _ANSWER_BYTES).decode(errors="replace").strip()
        self.close_ready()
        if answer == "ready":
            return ""
        return answer.removeprefix("error").strip() or UNKNOWN

    def close_ready(self) -> None:
        """Stop listening for the answer; harmless when repeated."""
        if self.ready_fd >= 0:
            os.close(self.ready_fd)
            self.ready_fd = -1

    def release(self) -> None:
        """Let the server end, which unmounts; harmless when repeated."""
        self.close_ready()
        if self.lifeline_fd >= 0:
            os.close(self.lifeline_fd)
            self.lifeline_fd = -1


def at_paths(
    config: ServerConfig, upperdir: StrPath | None, workdir: StrPath | None
) -> tuple[ServerConfig, tuple[int, ...]]:
    """Return a config of mountpoint and lowerdirs as a server takes them, from this directory.

    Paths become absolute, the upperdir and the workdir descriptors, which are returned as well and
    are the caller's. In a user namespace of our own we may mount, and for everybody in it; else
    fusermount3 does, for the caller alone. Raises OSError.
    """
    if not os.path.isdir(config.mountpoint):
        raise NotADirectoryError(errno.ENOTDIR, "not a directory", config.mountpoint)
    _require_outside(config.mountpoint, upperdir, workdir)
    fds: tuple[int, ...] = ()
    if upperdir and workdir:
        upperdir_fd = _open_folder(upperdir)
        try:
            fds = (upperdir_fd, _open_folder(workdir))
        except OSError:
            os.close(upperdir_fd)
            raise
    is_root = os.geteuid() == 0
    config = replace(
        config,
        mountpoint=os.path.realpath(config.mountpoint),
        lowerdirs=tuple(os.path.realpath(path) for path in config.lowerdirs),
        upperdir_fd=fds[0] if fds else -1,
        workdir_fd=fds[1] if fds else -1,
        allow_other=is_root,
        use_fusermount=not is_root,
    )
    return config, fds


def _require_outside(mountpoint: str, *folders: StrPath | None) -> None:
    """Raise OSError for a mountpoint inside the upperdir: the server would ask itself for it.

    On the upperdir itself it may be: that is open before the mount.
    """
    inner = os.path.realpath(mountpoint)
    for folder in folders:
        outer = os.path.realpath(folder) if folder else ""
        if outer and inner.startswith(os.path.join(outer, "")) and inner != outer:
            raise OSError(
                errno.EINVAL, "the mountpoint lies in the upperdir or workdir", mountpoint
            )


def _open_folder(path: StrPath) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def launch(
    config: ServerConfig,
    *,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    outlives: bool = False,
    spare: Spare | None = None,
) -> Launched:
    """Start a server; `ready_fd` and `lifeline_fd` of the config are filled in here.

    It inherits the `fetcher_fd`, which stays the caller's to close.

    Args:
        config: What to serve, and where.
        pass_fds: What else the config names by descriptor.
        environment: In place of one's own.
        outlives: The server lives until its mount goes, not only as long as its starter.
        spare: One that waits for its config; closed here.

    Raises:
        OSError: The process or its log cannot be made.
    """
    pipes = [os.pipe(), (-1, -1) if outlives else os.pipe()]
    (ready_read, ready_write), (lifeline_read, lifeline_write) = pipes
    inherited = [fd for fd in (ready_write, lifeline_read) if fd >= 0]
    try:
        config = replace(config, ready_fd=ready_write, lifeline_fd=lifeline_read)
        adopted = None if spare is None else spare.serve(config)
        process = adopted or _start(config, (*inherited, *pass_fds), environment)
    except BaseException:
        for fd in (ready_read, lifeline_write):
            if fd >= 0:
                os.close(fd)
        raise
    finally:
        for fd in inherited:
            os.close(fd)
    return Launched(process, ready_read, lifeline_write)


def _start(
    config: ServerConfig, pass_fds: Sequence[int], environment: Mapping[str, str] | None
) -> "subprocess.Popen[bytes]":
    with open(config.log_path or os.devnull, "ab") as log_file:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.server", config.to_json()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log_file,
            pass_fds=(*pass_fds, *[fd for fd in (config.fetcher_fd,) if fd >= 0]),
            env=environment,
            cwd="/",
            start_new_session=True,
        )
