"""One run of a container, from the fork of its supervisor to its end, for whoever keeps it.

The command line keeps a container in the foreground, a monitor one that lives on. Both fork the
supervisor into the user namespace, and then wait for its messages, for PID 1's, and for what is
their own: that is their `Front`.
"""

import contextlib
import os
import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self

from rootless import timings
from rootless.containers.container import Container
from rootless.containers.footing import Footing
from rootless.containers.joined import NETWORK, PID
from rootless.containers.shared_pids import with_pids
from rootless.containers.supervisor import Furnishing, Resources, supervise
from rootless.errors import OverlayError, RootlessError
from rootless.linux.channel import Channel, Message
from rootless.linux.process_id import ProcessId, identify, pid_of
from rootless.linux.terminal import State
from rootless.oci.runtime_spec import OCI_VERSION
from rootless.runtime import namespaces, seccomp_listener
from rootless.userns.create import Child, fork_into
from rootless.userns.join import enter

if TYPE_CHECKING:
    from rootless.lazy.launch import Fetcher

_PATIENCE_MS = 5000


class Front(Protocol):
    """What who keeps a container waits for besides, and what he makes of its news."""

    def interests(self) -> Mapping[int, int]:
        """Return what to wait for: events of poll(2) by descriptor."""
        ...

    def patience_ms(self) -> int | None:
        """Return after how long to be served without an event; None for never."""
        ...

    def serve(self, ready: Mapping[int, int]) -> None:
        """Take what poll(2) has named; called after the container's own news."""
        ...

    def on_console(self, master_fd: int) -> None:
        """Take the container's terminal, whose size is to be set now."""
        ...

    def on_change(self) -> None:
        """Learn that the workload runs, or that another process of the container is known."""
        ...

    def on_stopped(self) -> None:
        """Learn that the workload has been stopped, as was asked."""
        ...

    def on_loss(self, text: str) -> None:
        """Learn that the workload goes on without files of its image, or without its network."""
        ...


@dataclass(frozen=True, slots=True)
class StreamSetup:
    """What the workload gets for standard streams.

    Attributes:
        attach: Called in the forked child, to put its own in place; the caller's stay else.
        saved: The caller's terminal as it was, for who has one.
        passed_fds: More descriptors of the caller's.
    """

    attach: Callable[[], None] = lambda: None
    saved: State | None = None
    passed_fds: tuple[int, ...] = ()


class Session:
    """One run; made by `begin`, brought to its end by `run`."""

    def __init__(
        self, container: Container, child: Child, control: Channel, fetcher: "Fetcher | None" = None
    ) -> None:
        self.child = child
        self.is_started = False
        self.is_running = False
        self.supervisor = identify(child.pid)
        self.init: ProcessId | None = None
        self.workload: ProcessId | None = None
        self.workload_pid = 0
        self.killed_by = 0
        self._container = container
        self._control = control
        self._fetcher = fetcher
        self._init_fd = -1
        self._error: RootlessError | None = None
        self._open = {child.channel.fileno(): child.channel, control.fileno(): control}

    @classmethod
    def begin(
        cls,
        footing: Footing,
        streams: StreamSetup,
        owned: contextlib.ExitStack,
        furnishing: Furnishing | None = None,
    ) -> Self:
        """Fork the supervisor; raises what keeps it from having its user namespace.

        Args:
            footing: The container, and what it stands on.
            streams: The workload's standard streams.
            owned: Gets what is to be closed after the run.
            furnishing: What is added inside; called there.
        """
        container, fetcher = footing.container, footing.fetcher
        ours, theirs = Channel.pair()
        ours.learn_processes()
        owned.callback(ours.close)
        owned.callback(theirs.close)

        inside = container
        inherited = _ignored() if container.in_session else ()

        def body(channel: Channel) -> int:
            ours.close()
            streams.attach()
            resources = _resources(footing, streams, theirs, furnishing, inherited)
            return supervise(inside, resources, channel)

        def before() -> None:
            nonlocal inside
            if footing.user_fd >= 0:
                enter(footing.user_fd)
            spec = container.network.spec_inside(container.spec)
            if container.pid:
                spec = with_pids(spec, footing.joined.fd_of(PID))
            inside = replace(container, spec=namespaces.join_outer(spec))

        joins_user = footing.user_fd >= 0 or namespaces.user_path(container.spec) != ""
        maps = None if joins_user else container.maps
        child = fork_into(maps, body, before=before, own_session=not container.in_session)
        footing.note_member(child.pid)
        theirs.close()
        if footing.cgroup is not None:
            footing.cgroup.close()
        if fetcher is not None:
            fetcher.give_server_end()
        return cls(container, child, ours, fetcher)

    def run(self, front: Front) -> int:
        """Serve until the supervisor has ended; return its status, -N for signal N.

        Raises what kept the workload from running, and what the front raises; the supervisor is
        killed then.
        """
        supervisor_fd = self.child.channel.fileno()
        try:
            while supervisor_fd in self._open:
                self.serve_once(front)
            status = self.child.wait()
        except BaseException:
            self.child.kill()
            raise
        if self._error is not None:
            raise self._error
        return status

    def close(self) -> None:
        """Wait for the container's processes: their files go next."""
        self._control.shut_down()  # where the supervisor was killed, init learns it by this
        if self._init_fd >= 0:
            poll = select.poll()
            poll.register(self._init_fd, select.POLLIN)
            poll.poll(_PATIENCE_MS)
            os.close(self._init_fd)
            self._init_fd = -1

    def signal(self, number: int) -> bool:
        """Send a signal to the workload; False where it does not run, or no more."""
        if not self.is_started or self.child.is_reaped:
            return False
        self._control.send({"signal": int(number)})
        return True

    def answer_console(self) -> None:
        """Say that the terminal's size is set: the workload is waiting for it."""
        self._control.send({"console": True})

    def serve_once(self, front: Front) -> None:
        """Wait for something, and serve it."""
        poll = select.poll()
        for fd in self._open:
            poll.register(fd, select.POLLIN)
        for fd, events in front.interests().items():
            poll.register(fd, events)
        fetcher = self._fetcher
        if fetcher is not None and fetcher.news_fd >= 0:
            poll.register(fetcher.news_fd, select.POLLIN)
        ready = dict(poll.poll(front.patience_ms()))
        if fetcher is not None and ready.pop(fetcher.news_fd, 0):
            self._on_fetcher_news(fetcher, front)
        for fd in [fd for fd in self._open if fd in ready]:
            del ready[fd]
            self._on_message(fd, front)
        front.serve(ready)

    def _on_message(self, fd: int, front: Front) -> None:
        received = self._open[fd].receive()
        if received is None:
            del self._open[fd]
            return
        message, fds = received
        if fds and message.get("console"):
            front.on_console(fds[0])
        elif fds and "init" in message:
            self._init_fd = fds[0]
            if self._fetcher is not None:
                self._fetcher.let_go()  # the root is mounted
            self.init = identify(message["init"])
            front.on_change()
        elif fds and "running" in message:
            pid = pid_of(fds[0])
            self.workload, self.workload_pid = identify(pid), message["process"] or max(pid, 0)
            os.close(fds[0])
            self.is_running = True
            timings.mark("told: command runs")
            front.on_change()
        elif fds and seccomp_listener.MESSAGE in message:
            self._on_seccomp_listener(fds)
        else:
            self._on_news(message, front)

    def _on_fetcher_news(self, fetcher: "Fetcher", front: Front) -> None:
        for news in fetcher.news():
            if "say" in news:
                front.on_loss(news["say"])
            elif "error" in news:
                error = RootlessError.from_record(news["error"])
                front.on_loss(f"files that are not here yet give I/O errors: {error}")
        if fetcher.news_fd < 0 and fetcher.process.poll() not in (None, 0, 1):
            front.on_loss("what fetches the image has ended: what is not here gives I/O errors")

    def _on_seccomp_listener(self, fds: list[int]) -> None:
        spec = self._container.spec
        assert spec.linux.seccomp is not None  # noqa: S101 - a filter of it made the listener
        state = {
            "ociVersion": OCI_VERSION,
            "id": self._container.id,
            "status": "creating",
            "bundle": "",
            "annotations": dict(spec.annotations),
        }
        try:
            seccomp_listener.deliver(fds, spec.linux.seccomp, state)
        except RootlessError as error:  # PID 1 has no answer now, and ends
            self._error = error

    def _on_news(self, message: Message, front: Front) -> None:
        if "error" in message:
            self._error = self._error or RootlessError.from_record(message["error"])
        elif "started" in message:
            self.is_started = True
        elif "killed_by" in message:
            self.killed_by = int(message["killed_by"])
        elif "stopped" in message:
            front.on_stopped()
        elif "server_died" in message:
            error = OverlayError(
                "the FUSE server ended: files of the image now give I/O errors",
                str(message["server_died"]),
            )
            if self.is_started:
                front.on_loss(str(error))
            else:
                self._error = error  # what else fails now fails by this
        elif "network_died" in message:
            front.on_loss(f"the network ended, connections fail: {message['network_died']}")


def _ignored() -> tuple[int, ...]:
    from rootless.linux.job import ignored  # noqa: PLC0415 - few runs are jobs of a shell

    return ignored()


def cut_off(status: int) -> RootlessError:
    """Return the error for a supervisor that a signal has ended."""
    name = signal.Signals(-status).name
    return RootlessError("the run was cut off: its supervisor was killed", name)


def _resources(
    footing: Footing,
    streams: StreamSetup,
    control: Channel,
    furnishing: Furnishing | None,
    ignored: tuple[int, ...],
) -> Resources:
    return Resources(
        footing.folder,
        footing.upperdir,
        control,
        streams.saved,
        footing.cgroup,
        footing.joined.fd_of(NETWORK),
        -1 if footing.fetcher is None else footing.fetcher.server_fd,
        furnishing,
        ignored,
        streams.passed_fds,
        footing.lower,
    )
