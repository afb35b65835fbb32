"""A build by a process of the holder: everything is imported, and base images are mounted.

It is the whole command, by its own code, with the client's streams, directory and environment; the
client waits for its status. What a RUN starts is no descendant of his, and in no terminal of his,
which it never is.
"""

import contextlib
import marshal
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from rootless import timings
from rootless.cli.exit import status_of
from rootless.cli.straight import straight
from rootless.containers.supervisor import outlive_signals
from rootless.keeper.plan import Declined
from rootless.linux import prctl
from rootless.overlay import warm
from rootless.overlay.shared import SharedLower

_MOST_BYTES = 4096
_HOLDER_S = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
_USUAL = ("rootless.cli.actions", "rootless.cli.building", "rootless.build.running")


def imports() -> None:
    """Import what a build needs."""
    for name in _USUAL:
        import_module(name)


def serve(
    door: socket.socket,
    words: list[str],
    streams: Sequence[int],
    lowers: Mapping[str, SharedLower],
    mount: Callable[[str], None],
) -> None:
    """Build for who waits at the door; raises Declined for words that are unusual.

    With `mount` the first of the base images is mounted for the next build.
    """
    call = straight(words)
    if call is None:
        raise Declined("unusual words")
    imports()
    door.send(marshal.dumps({"begun": True}))
    outlive_signals()
    told, tells = os.pipe()
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        warm.offer(lowers)
        _build(call, streams, tells, keeper, mount)
    for fd in (tells, *streams):
        os.close(fd)
    status = _wait(door, pid, told)
    with contextlib.suppress(OSError):
        door.send(marshal.dumps({"status": status}))
    door.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _build(
    call: Callable[[], object],
    streams: Sequence[int],
    tells: int,
    keeper: int,
    mount: Callable[[str], None],
) -> NoReturn:
    status = 125
    try:
        prctl.set_name("rootless")
        prctl.set_parent_death_signal(signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(status)
        for each in signal.valid_signals():
            if callable(signal.getsignal(each)) or each in _HOLDER_S:
                signal.signal(each, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for target, fd in enumerate(streams):
            os.dup2(fd, target)
            os.close(fd)
        time.tzset()
        status = status_of(call, debug=False)
        timings.mark("build done")
        os.write(tells, bytes([status & 0xFF]))
        os.close(tells)
        null = os.open(os.devnull, os.O_RDWR)
        for target in range(3):  # the caller may wait for their end
            os.dup2(null, target)
        for name in warm.noted()[:1]:
            mount(name)
    finally:
        os._exit(status)


def _wait(door: socket.socket, pid: int, told: int) -> int:
    """Return its status, -N for signal N; without the client it ends."""
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(door, select.POLLIN)
    poll.register(told, select.POLLIN)
    while True:
        ready = dict(poll.poll())
        if told in ready:
            break
        data = b""
        with contextlib.suppress(OSError):
            data = door.recv(_MOST_BYTES)
        number = marshal.loads(data)["signal"] if data else signal.SIGKILL  # noqa: S302 - our own
        if not data:
            poll.unregister(door)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, number)
    said = os.read(told, 1)
    return said[0] if said else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
