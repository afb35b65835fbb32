"""Starting and ending a FUSE server process.

The server is another program (`python -m fuse.server`), so that a run pays for pyfuse3
in a process of its own, beside its other work, and so that it holds nothing of the runner but
what it is given. It lives outside the container's PID namespace: no workload can signal it.
"""

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuse.launch import UNKNOWN, Launched, launch
from fuse.server_config import ServerConfig
from rootless import timings
from rootless.errors import OverlayError
from rootless.linux.ambient import kept_across_exec
from rootless.overlay import spare

if TYPE_CHECKING:
    from fuse.spare import Adopted

_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 5.0


@dataclass(slots=True)
class Server:
    """A running server. It ends with `stop`, when its mount goes, or when its owner ends."""

    process: "subprocess.Popen[bytes] | Adopted"
    pidfd: int
    lifeline: int
    log_path: str

    def stop(self) -> None:
        """End the server, which unmounts; by force if it does not follow. Idempotent."""
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1
        try:
            self.process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def last_words(self) -> str:
        """Return the last line that the server logged, "" if none."""
        return last_line(self.log_path)


def start_server(config: ServerConfig, pass_fds: Sequence[int] = ()) -> Server:
    """Start a server for `config` and wait until it is mounted.

    `ready_fd` and `lifeline_fd` of the config are filled in here. Raises OverlayError with what
    the server said.
    """
    launched = _launch(config, pass_fds, outlives=False)
    timings.mark("FUSE server told what to serve")
    server = Server(launched.process, -1, launched.lifeline_fd, config.log_path)
    try:
        server.pidfd = os.pidfd_open(launched.process.pid)
        _wait_until_ready(server, launched)
        timings.mark("FUSE server ready")
    except BaseException:
        launched.process.kill()
        server.stop()
        raise
    finally:
        launched.close_ready()
    return server


def start_detached(config: ServerConfig) -> None:
    """Start a server that outlives the caller, and wait until it is mounted."""
    launched = _launch(config, (), outlives=True)
    process = launched.process
    try:
        _wait_until_ready(Server(process, -1, -1, config.log_path), launched)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        launched.close_ready()
    process.returncode = 0  # it is not ours to wait for; keeps Popen from warning


def _launch(config: ServerConfig, pass_fds: Sequence[int], *, outlives: bool) -> Launched:
    environment = spare.environment()
    with kept_across_exec():
        return launch(
            config,
            pass_fds=pass_fds,
            environment=environment,
            outlives=outlives,
            spare=None if outlives else spare.take(),
        )


def _wait_until_ready(server: Server, launched: Launched) -> None:
    poll = select.poll()
    poll.register(launched.ready_fd, select.POLLIN)
    if not poll.poll(_START_TIMEOUT * 1000):
        raise OverlayError("the FUSE server does not answer", f"{_START_TIMEOUT:.0f} s")
    reason = launched.read_answer()
    if not reason:
        return
    if reason == UNKNOWN:
        status = server.process.wait(_STOP_TIMEOUT)
        reason = server.last_words() or _describe(status)
    raise OverlayError("the FUSE server could not mount the image", reason, _fix_for(reason))


def _describe(status: int) -> str:
    return f"ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _fix_for(reason: str) -> str:
    lowered = reason.lower()
    if any(words in lowered for words in ("/dev/fuse", "fuse device", "device not found")):
        return "'rootless doctor' tells how to make /dev/fuse usable"
    return "'rootless doctor' checks what it needs"


def last_line(path: str) -> str:
    """Return the last line of a log, "" where there is none."""
    if not path:
        return ""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
