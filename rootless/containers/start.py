"""Starting a container that lives on: a monitor of its own, and a wait until it runs."""

import contextlib
import logging
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from rootless.containers import control
from rootless.containers.id_files import write_pidfile
from rootless.containers.record import Record, folder_of, locked, write
from rootless.containers.remove import remove
from rootless.containers.status import look
from rootless.errors import Conflict, RootlessError
from rootless.paths import Paths

log = logging.getLogger(__name__)

Launch = Callable[[Record, Iterable[bytes]], socket.socket]
"""Starts the monitor of a container; returns the connection to it, over which packets have gone."""

_MONITOR = "rootless.containers.monitor"


@dataclass(frozen=True, slots=True)
class Launching:
    """How a monitor is started, and for whom.

    Attributes:
        launch: Starts it; None for as a program of its own.
        caller_fd: The connection of who asked, which brings nothing but its end; -1 for none. When
            he has gone, nobody wants the container any more.
    """

    launch: Launch | None = None
    caller_fd: int = -1


AS_PROGRAM = Launching()


@dataclass(slots=True)
class Started:
    """A running container.

    Attributes:
        end: The connection to its monitor, attached where that was asked for.
        early: What came over it before the container was known to run.
    """

    end: socket.socket
    early: list[bytes] = field(default_factory=list)


def start(
    paths: Paths,
    record: Record,
    first: Iterable[bytes] = (),
    *,
    pidfile: str = "",
    launching: Launching = AS_PROGRAM,
) -> Started:
    """Start a container; return when its workload runs.

    Args:
        paths: Where things lie.
        record: The container, kept.
        first: Packets for its monitor, before anything runs.
        pidfile: Gets the workload's process ID; "" for none.
        launching: How its monitor is started.

    Raises:
        Conflict: It runs, or another command is at work with it.
        RootlessError: What kept it from running, with the exit status for it.
    """
    with locked(paths, record):
        if look(paths, record).is_alive:
            raise Conflict("the container is running already", record.name)
        if any(each.chosen for each in record.container.network.ports):
            _keep_ports_free(paths, record)
        started = Started((launching.launch or _launch)(record, first))
        try:
            _await_running(started, launching.caller_fd)
        except BaseException:
            started.end.close()
            raise
    live = look(paths, record).live
    if pidfile and live is not None and live.workload is not None:
        write_pidfile(pidfile, live.workload.pid)
    return started


def _keep_ports_free(paths: Paths, record: Record) -> None:
    """Choose ports of the host anew that were chosen, and that others have by now."""
    from rootless.containers.network.host_ports import choose_again  # noqa: PLC0415 - few have any

    network = record.container.network
    ports = choose_again(network.ports)
    if ports != network.ports:
        container = replace(record.container, network=replace(network, ports=ports))
        write(folder_of(paths, record), replace(record, container=container))


def start_new(
    paths: Paths,
    record: Record,
    first: Iterable[bytes] = (),
    *,
    pidfile: str = "",
    launching: Launching = AS_PROGRAM,
) -> Started:
    """Start a container that has just been made; one that is to go with its run goes if it fails.

    Raises as `start`.
    """
    try:
        return start(paths, record, first, pidfile=pidfile, launching=launching)
    except RootlessError:
        if record.policy.remove:  # its monitor may not have come so far
            with contextlib.suppress(RootlessError):
                remove(paths, record)
        raise


def _launch(record: Record, first: Iterable[bytes]) -> socket.socket:
    """Start the monitor; return the connection to it."""
    kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with theirs:
        try:
            for packet in first:
                ours.send(packet)
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MONITOR, record.id, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                cwd="/",
                env=dict(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            what = f"cannot start a process: {error.strerror}"
            raise RootlessError(what, fix="look at ulimit -u and free memory") from error
    process.returncode = 0  # it is not ours to wait for; keeps Popen from warning
    return ours


def _await_running(started: Started, caller_fd: int) -> None:
    poll = select.poll()
    for fd in {started.end.fileno(), caller_fd} - {-1}:
        poll.register(fd, select.POLLIN)
    while True:
        if any(fd == caller_fd for fd, _ in poll.poll()):
            raise RootlessError("who wanted the container has gone")
        packet = control.next_packet(started.end)
        if not packet:
            raise RootlessError("the container's monitor ended unexpectedly")
        if packet[:1] != b"{":
            started.early.append(packet)
            continue
        message = control.message_of(packet)
        if "warning" in message:
            log.warning("%s", message["warning"])
        if "error" in message:
            raise RootlessError.from_record(message["error"])
        if "started" in message:
            return
