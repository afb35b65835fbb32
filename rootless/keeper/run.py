"""One run through the holder, by a process of its own: made, looked after, taken down.

It does what the command line and the supervisor do for an ordinary run, by the same code; only the
workload is not its own descendant, but the client's (`runtime.visitor`). A container can be made
before anybody asks for it: what is not known then is the command, the client, and the time.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rootless import timings
from rootless.containers import control, keep
from rootless.containers.clients import Clients
from rootless.containers.container import OverlayRoot
from rootless.containers.footing import Footing
from rootless.containers.id_files import write_cidfile
from rootless.containers.network.attach import attach
from rootless.containers.network.drain import wait_until_sent
from rootless.containers.notes import Notes
from rootless.containers.overlay_root import overlay_request
from rootless.containers.record import NEEDS, Record, needs_text, write
from rootless.containers.remove import remove
from rootless.containers.run_folder import RunFolder, sweep
from rootless.containers.shared_pids import SharedPids, with_pids
from rootless.containers.supervisor import (
    Resources,
    outlive_signals,
    sandbox_options,
    take_down,
    with_name_files,
)
from rootless.containers.times import now
from rootless.errors import RootlessError
from rootless.keeper.plan import Declined, Planned
from rootless.keeper.watch import Watch, send
from rootless.linux import mount_api, namespaces
from rootless.linux.channel import Channel
from rootless.linux.process_id import ProcessId, identify
from rootless.overlay.driver import MountedRoot, mount_root
from rootless.overlay.shared import SharedLower
from rootless.runtime import sandbox, visitor

_MOST_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes.

    Attributes:
        door: The connection to him.
        client: The process that he is.
        stderr: His standard error, which is closed as soon as his command runs.
        tty: The name of his terminal, "" for none.
        args: What he wants to run; None for what the container was made for.
    """

    door: socket.socket
    client: ProcessId
    stderr: int
    tty: str = ""
    args: Sequence[str] | None = None


class Made:
    """A container whose PID 1 waits for a visitor."""

    def __init__(
        self,
        planned: Planned,
        lower: SharedLower,
        owned: contextlib.ExitStack,
        *,
        in_stock: bool = False,
    ) -> None:
        """Make it; `owned` takes it down. Raises RootlessError, OSError."""
        self._planned = planned
        record, container = planned.record, planned.record.container
        name = f".ready-{record.id}" if in_stock else record.id
        self._folder = RunFolder.create(planned.paths, name)
        owned.callback(self._folder.remove)
        self._clients = Clients(control.listen(self._folder.path))
        owned.callback(self._clients.close)
        if not (in_stock or record.kept):
            self._folder.write(NEEDS, needs_text(planned.needs))
        footing = Footing.open(container, planned.paths, self._folder, owned)
        self.has_cgroup = footing.cgroup is not None
        self._control, theirs = Channel.pair()
        owned.callback(self._control.close)
        self._outside = visitor.namespaces_here()
        _enter(lower, footing)
        resources = Resources(self._folder, footing.upperdir, theirs, None, footing.cgroup)
        root = container.root
        assert isinstance(root, OverlayRoot)  # noqa: S101 - as planned
        request = overlay_request(container, root, self._folder.path, footing.upperdir)
        mounted = mount_root(request, lower)
        owned.callback(take_down, mounted, resources, is_good=True)
        self._mounted = mounted
        self.forwarder = attach(container.network, -1, str(self._folder.path))
        if self.forwarder is not None:
            owned.callback(self.forwarder.stop)
            owned.callback(wait_until_sent)
        timings.mark("keeper: root mounted")
        self._pid = self._start(mounted, resources)
        self.init_fd = os.pidfd_open(self._pid)
        owned.callback(self._end)
        theirs.close()
        self._shared = SharedPids(self._pid, self.init_fd) if container.pid else None
        if in_stock:
            self._await_door()

    def _await_door(self) -> None:
        """Wait until PID 1 waits too: from then on no path of the run's folder is used any more."""
        received = self._control.receive()
        if received is not None and "error" in received[0]:
            raise RootlessError.from_record(received[0]["error"])
        if received is None:
            raise RootlessError("PID 1 ended while it made the container")
        for fd in received[1]:
            if self._shared is not None:
                self._shared.learn(fd)
            else:
                os.close(fd)

    def serve(self, visit: Visit) -> Watch:
        """Let a visitor in, and look after the container until PID 1 has ended."""
        record = self._planned.record
        if self._folder.path.name != record.id:
            self._rename(record.id)
            self._folder.write(NEEDS, needs_text(self._planned.needs))
        say_on(visit.stderr)
        request = self._planned.request
        notes = Notes(self._planned.paths, record, self._folder.path, detached=False)
        notes.live = replace(notes.live, runner=visit.client)
        if record.kept:
            notes.begin()
        write_cidfile(request.cidfile, record)
        try:
            self._show_in(visit)
        except OSError:
            _forget(request.cidfile)
            raise
        if not record.kept:
            record = replace(record, created=now())
            if visit.args is not None:
                record = _with_args(record, visit.args)
            write(self._folder.path, record)
            notes.begin()
        watch = Watch(
            *(visit.door, self._control, self.init_fd, self._mounted.server, notes, record),
            init=identify(self._pid),
            pidfile=request.pidfile,
            forwarder=self.forwarder,
            shared=self._shared,
        )
        watch.serve(self._clients)
        self._end()
        if not (watch.is_running or watch.error):  # he takes the ordinary way, and makes it anew
            _forget(request.cidfile)
        if not watch.is_cut_off:
            notes.end()
        timings.mark("keeper: PID 1 gone")
        return watch

    def leave(self) -> None:
        """Let nobody take it for a run any more: what is left to be done is nobody's wait."""
        self._rename(f".going-{self._planned.record.id}")

    def _show_in(self, visit: Visit) -> None:
        request = self._planned.request
        also = {"tells_signals": request.job is not None or request.as_caller}
        told = {"door": True, "args": visit.args and list(visit.args), "also": also}
        console = _mount_of(visit.tty) if self._planned.record.container.in_session else []
        self._control.send(told, [visit.door.fileno(), *console])
        for fd in console:
            os.close(fd)

    def _start(self, root: MountedRoot, resources: Resources) -> int:
        container = self._planned.record.container
        options = replace(sandbox_options(container, root, resources), outside=self._outside)
        spec = container.network.spec_inside(with_name_files(container, resources.folder))
        if container.pid:
            spec = with_pids(spec, -1)
        return sandbox.start(spec, options, resources.control)

    def _rename(self, name: str) -> None:
        before, path = self._folder.path, self._folder.path.with_name(name)
        before.rename(path)
        self._folder.path = path
        mounts = (each.replace(str(before), str(path)) for each in self._mounted.mounts)
        self._mounted.mounts = tuple(mounts)  # which are to be found again

    def _end(self) -> None:
        """End PID 1 if it has not ended. Idempotent."""
        if self.init_fd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.init_fd, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self.init_fd)
            self.init_fd = -1


def run(planned: Planned, lower: SharedLower, visit: Visit) -> None:
    """Make the container for who waits at the door, and look after it until it has gone."""
    outlive_signals()
    if planned.request.name:
        planned = _kept(planned)
    with contextlib.ExitStack() as owned:
        serve(Made(planned, lower, owned), planned, visit, owned)


def serve(made: Made, planned: Planned, visit: Visit, owned: contextlib.ExitStack) -> None:
    """Serve him; he goes when all has ended, and where files are kept, when they are at rest."""
    watch = made.serve(visit)
    root = planned.record.container.root
    if isinstance(root, OverlayRoot) and root.kept is not None:
        owned.close()
        if planned.request.policy.remove and planned.record.kept and not watch.is_cut_off:
            with contextlib.suppress(RootlessError):  # removed by force meanwhile
                remove(planned.paths, planned.record)
    else:
        made.leave()
    send(visit.door, {"gone": True})
    visit.door.close()


def _kept(planned: Planned) -> Planned:
    """Keep the container, which has a name."""
    asked = planned.asked
    sweep(asked.paths)
    record = keep.kept(asked.paths, asked.image, asked.request, again=True)
    return replace(planned, record=record)


def _enter(lower: SharedLower, footing: Footing) -> None:
    """Go where the lower is, which for a part of a job has to be where its other parts are."""
    of_job = footing.user_fd
    if of_job >= 0 and not os.path.samestat(os.fstat(of_job), os.fstat(lower.user_fd)):
        raise Declined("the job's user namespace is another one")
    lower.enter()
    footing.note_member(os.getpid())
    namespaces.unshare_mounts()


def _forget(cidfile: str) -> None:
    if cidfile:
        with contextlib.suppress(OSError):
            os.unlink(cidfile)


def _with_args(record: Record, args: Sequence[str]) -> Record:
    spec = record.container.spec
    spec = replace(spec, process=replace(spec.process, args=tuple(args)))
    return replace(record, container=replace(record.container, spec=spec))


def say_on(stderr: int) -> None:
    """Say there what was said up to now, and what is said from now on."""
    os.lseek(2, 0, os.SEEK_SET)
    said = os.read(2, _MOST_BYTES)
    os.dup2(stderr, 2)
    os.close(stderr)
    if said:
        os.write(2, said)


def _mount_of(tty: str) -> list[int]:
    """Return a mount of the caller's terminal, to be seen as /dev/console; none where it fails."""
    with contextlib.suppress(OSError):
        if tty:
            return [mount_api.open_tree(tty, recursive=False)]
    return []
