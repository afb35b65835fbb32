"""Hooks: programs of the caller at points of a container's life (runtime-spec runtime.md).

A hook is run where its caller stands: in the runtime's namespaces, or after pivot_root(2) in the
container's, where nothing can be imported any more. So it is forked and executed by hand, by a
process that has one thread.
"""

import contextlib
import logging
import os
import select
import signal
import time
from typing import NoReturn

from rootless.errors import RootlessError
from rootless.oci.hooks_spec import Hook
from rootless.runtime.workload import reset_signals

log = logging.getLogger(__name__)

_CHUNK = 4096
_CANNOT_EXECUTE = 127


def run_hooks(hooks: tuple[Hook, ...], state: bytes) -> None:
    """Run each hook to its end, `state` on its stdin; raises RootlessError at the first failure."""
    for hook in hooks:
        _run(hook, state)


def try_hooks(hooks: tuple[Hook, ...], state: bytes) -> None:
    """Run the hooks whose failure must only be warned of (poststart, poststop), all of them."""
    for hook in hooks:
        try:
            _run(hook, state)
        except RootlessError as error:
            log.warning("%s", error)


def _run(hook: Hook, state: bytes) -> None:
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    try:
        # A file has room for any state, and nobody has to wait for its reader.
        state_fd = os.memfd_create("state")
        try:
            _write_all(state_fd, state)
            os.lseek(state_fd, 0, os.SEEK_SET)
            pid = os.fork()
            if pid == 0:
                _become(hook, state_fd, write_fd)
        finally:
            os.close(state_fd)
            os.close(write_fd)
        said, ended = _wait(pid, read_fd, hook.timeout)
    finally:
        os.close(read_fd)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if not ended:
        raise RootlessError(f"a hook timed out after {hook.timeout} s", hook.path, _last_line(said))
    if code != 0:
        how = f"status {code}" if code > 0 else f"signal {-code}"
        raise RootlessError(f"a hook failed with {how}", hook.path, _last_line(said))


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def _become(hook: Hook, state_fd: int, stderr_fd: int) -> NoReturn:
    try:
        reset_signals()
        os.setsid()  # a group of its own, that ends as one when its time is up
        null = os.open("/dev/null", os.O_WRONLY)
        for source, fd in ((state_fd, 0), (null, 1), (stderr_fd, 2)):
            os.dup2(source, fd)
        os.closerange(3, 1 << 30)
        environment = dict(variable.split("=", 1) for variable in hook.env)
        os.execve(hook.path, hook.args or (hook.path,), environment)  # noqa: S606 - as asked
    except OSError as error:
        os.write(2, f"cannot execute: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_EXECUTE)


def _wait(pid: int, stderr_fd: int, timeout: int | None) -> tuple[bytes, bool]:
    """Return the end of what the hook said, and whether it ended by itself; else it is killed.

    Its own end counts, not that of the pipe, which a process that it leaves behind may hold.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pidfd = os.pidfd_open(pid)
    said = b""
    try:
        os.set_blocking(stderr_fd, False)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(stderr_fd, select.POLLIN)
        while True:
            wait_ms = (
                None if deadline is None else max(0, int((deadline - time.monotonic()) * 1000))
            )
            ready = {fd for fd, _ in poll.poll(wait_ms)}
            chunk = _read(stderr_fd)
            said = (said + chunk)[-_CHUNK:]
            if stderr_fd in ready and not chunk:
                poll.unregister(stderr_fd)
            if pidfd in ready and not chunk:
                return said, True
            if not ready and not wait_ms:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                return said, False
    finally:
        os.close(pidfd)


def _read(fd: int) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return os.read(fd, _CHUNK)
    return b""


def _last_line(said: bytes) -> str:
    """Return the last line that is not empty, as text that a terminal can show."""
    lines = said.decode(errors="replace").split("\n")
    line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(c if c.isprintable() else "?" for c in line)
