"""A keeper in stock: forked before anybody asks, as a fork of what has imported all takes long."""

import contextlib
import logging
import marshal
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rootless import timings
from rootless.containers.container import OverlayRoot
from rootless.containers.job_namespace import JobNamespace
from rootless.containers.overlay_root import overlay_request
from rootless.errors import RootlessError
from rootless.keeper import building, ready
from rootless.keeper import run as runs
from rootless.keeper.beside import end_after, fork_beside
from rootless.keeper.plan import Declined, Planned, ask, plan
from rootless.linux import prctl
from rootless.linux.process_id import pid_of
from rootless.overlay import warm
from rootless.overlay.driver import OverlayRequest, server_config
from rootless.overlay.shared import SharedLower, share

log = logging.getLogger(__name__)

_MOST_BYTES = 200_000
_MOST_FDS = 8
_MOST_TRIES = 2


@dataclass(slots=True, eq=False)
class Stock:
    """The holder's side of one that waits, or works.

    Attributes:
        pid: It.
        end: Takes a connection, and brings what it has to tell.
        is_ready: It has a container made.
        is_asked: It has got a connection.
        pidfd: The same, of one that is nobody's child; -1 of a child.
        brings_another: It is going to tell of another one, which serves anything.
    """

    pid: int
    end: socket.socket
    is_ready: bool = False
    is_asked: bool = False
    pidfd: int = -1
    brings_another: bool = False

    def give(self, door: socket.socket) -> None:
        """Let it serve a connection; raises OSError where it has ended."""
        self.is_asked = True
        socket.send_fds(self.end, [b"door"], [door.fileno()])

    def finish(self) -> None:
        """Let it end, and wait until it has."""
        self.end.close()
        if self.pidfd < 0:
            os.waitpid(self.pid, 0)
            return
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        poll.poll()
        os.close(self.pidfd)


def fork(
    lowers: dict[str, SharedLower],
    folder: str,
    closed: list[socket.socket],
    request: bytes,
    ready_on: tuple[str, str] = ("", ""),
) -> Stock:
    """Fork one; it rehearses a request, so that its pages are its own when it is asked.

    With `ready_on`, a lower and the client's directory, it makes a container for such a request,
    and serves no other. When it has its plan it forks one that serves any: the pages that planning
    writes to are theirs together.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        prctl.set_name("rootless-stock")
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ours.close()
        for each in closed:
            each.close()
        if ready_on[0]:
            end_after(lambda: _be_ready(theirs, request, lowers, folder, ready_on))
        end_after(lambda: _wait(theirs, lowers, folder, request))
    theirs.close()
    is_ready = bool(ready_on[0])
    return Stock(pid, ours, is_ready=is_ready, brings_another=is_ready)


def _wait(
    end: socket.socket, lowers: dict[str, SharedLower], folder: str, rehearsed: bytes
) -> None:
    if rehearsed:
        _speak_into_memory()
        rehearse(rehearsed)
    _, fds, _, _ = socket.recv_fds(end, 16, 1)
    known = len(sys.modules)  # no set of them: that would write to each name's page
    if fds:
        with socket.socket(fileno=fds[0]) as door:
            _serve(door, end, lowers, folder)
    more = list(sys.modules)[known:]
    if more:
        end.send(marshal.dumps({"modules": more}))


def _be_ready(
    end: socket.socket,
    request: bytes,
    lowers: dict[str, SharedLower],
    folder: str,
    ready_on: tuple[str, str],
) -> None:
    key, cwd = ready_on
    os.chdir(cwd)  # up to where it goes into the lower's namespace
    asked = marshal.loads(request)  # noqa: S302 - of our own
    _speak_into_memory()
    os.umask(asked["umask"])

    def planned(as_before: Callable[[], None]) -> None:
        fork_beside(end, as_before, lambda own: _wait(own, lowers, folder, b""))
        _let_go_of_others(lowers, key)

    def fits(plan: Planned) -> bool:
        return wanted_lower(plan, folder)[1] == key

    with contextlib.suppress(Declined, RootlessError, OSError):
        ready.serve_one(end, asked, lowers[key], fits, planned)


def _let_go_of_others(lowers: dict[str, SharedLower], key: str) -> None:
    for other, each in lowers.items():
        if other != key:
            each.close()


def _speak_into_memory() -> None:
    """Keep what is said until it is known to whom."""
    early = os.memfd_create("early")
    os.dup2(early, 2)
    os.close(early)


def rehearse(request: bytes) -> None:
    """Plan what was asked last, in its environment, for what that leaves behind in the process.

    In one that is forked, pages of its own: the first writing to one costs most. In the holder,
    code that has run before, and modules, for all that it forks.
    """
    words = marshal.loads(request)  # noqa: S302 - of our own
    os.environ.clear()
    os.environ.update(words["environ"])
    with contextlib.suppress(Declined, RootlessError, OSError):
        plan(ask(words["words"]))


def _serve(
    door: socket.socket, end: socket.socket, lowers: dict[str, SharedLower], folder: str
) -> None:
    prctl.set_name("rootless-keeper")
    data, fds, _, _ = socket.recv_fds(door, _MOST_BYTES, _MOST_FDS)
    if not data:
        return
    client = ready.client_of(door)
    if client is None:
        return
    request = marshal.loads(data)  # noqa: S302 - of our own
    stderr, *streams = _take_place(request, fds)
    if request["words"][:1] == ["build"]:
        _serve_build(door, request, [*streams, stderr], lowers, _Mounting(end, lowers, folder))
        return
    try:
        asked = ask(request["words"])
        planned = plan(asked)
        planned.check_said(request["tty"])
        timings.mark("keeper: planned")
        wanted, key = wanted_lower(planned, folder)
        lower = lowers.get(key)
        if lower is not None:
            words = asked.without_command(request["words"])
            used = {"used": key, "request": data, "asked": words, "cwd": os.getcwd()}
            end.send(marshal.dumps({**used, "again": planned.may_wait}))
            _let_go_of_others(lowers, key)
        visit = runs.Visit(door, client, stderr, request["tty"])
        is_served = "warms" not in request and _run(visit, planned, lower)
    except (Declined, RootlessError, OSError) as why:  # the ordinary way tells what is wrong
        _decline(door, str(why))
        return
    if not is_served:
        _decline(door, "not mounted yet")
    if lower is None:
        door.close()
        with contextlib.suppress(Declined, RootlessError):
            _warm(end, planned, wanted, key, data)


def _serve_build(
    door: socket.socket,
    request: dict[str, Any],
    streams: list[int],
    lowers: dict[str, SharedLower],
    mounting: "_Mounting",
) -> None:
    if "warms" in request:
        building.imports()
        return
    try:
        own = {**request, "words": ["run"]}
        building.serve(door, request["words"], streams, lowers, lambda image: mounting(image, own))
    except (Declined, OSError) as why:
        _decline(door, str(why))


@dataclass(frozen=True, slots=True)
class _Mounting:
    """Mounts an image for those that come."""

    end: socket.socket
    lowers: dict[str, SharedLower]
    folder: str

    def __call__(self, image: str, request: dict[str, Any]) -> None:
        """Mount it, unless it is, as for a run with no options."""
        asked = {**request, "words": [*request["words"], image]}
        with contextlib.suppress(Declined, RootlessError, OSError):
            planned = plan(ask(asked["words"]))
            wanted, key = wanted_lower(planned, self.folder)
            if key not in self.lowers:
                _warm(self.end, planned, wanted, key, marshal.dumps(asked))


def _run(visit: runs.Visit, planned: Planned, lower: SharedLower | None) -> bool:
    """Run it; False where that is only done on a lower that is mounted."""
    if planned.request.detach:
        from rootless.keeper import detached  # noqa: PLC0415 - with a monitor's modules

        runs.say_on(visit.stderr)
        detached.serve(visit.door, planned.asked, lower)
    elif lower is None:
        return False
    else:
        runs.run(planned, lower, visit)
    return True


def _warm(
    end: socket.socket, planned: Planned, wanted: OverlayRequest, key: str, request: bytes
) -> None:
    wanted.folder.mkdir(mode=0o700, exist_ok=True)
    mountpoint = wanted.folder / "lower"
    mountpoint.mkdir(mode=0o755, exist_ok=True)
    lower = _share(planned, wanted, mountpoint)
    words = marshal.loads(request)["words"]  # noqa: S302 - of our own
    told = {
        "lower": key,
        "path": str(lower.path),
        "log": lower.server.log_path,
        "tree": str(wanted.tree),
        "request": request,
        "cwd": os.getcwd(),
        "asked": planned.asked.without_command(words),
    }
    socket.send_fds(end, [marshal.dumps(told)], lower.fds())


def _share(planned: Planned, wanted: OverlayRequest, mountpoint: Path) -> SharedLower:
    """Mount the lower; that of a job in the user namespace that its parts have in common."""
    maps, job = planned.record.container.maps, planned.record.container.job
    config = server_config(wanted, mountpoint)
    if job is None:
        return share(config, maps)
    for _ in range(_MOST_TRIES):  # the note stays locked for a moment only: ranks wait for it
        note = JobNamespace.open(planned.paths, job, maps)
        user_fd = os.dup(note.user_fd) if note.user_fd >= 0 else -1
        note.close()
        try:
            lower = share(config, maps, user_fd)
        finally:
            if user_fd >= 0:
                os.close(user_fd)
        note = JobNamespace.open(planned.paths, job, maps)
        theirs = note.user_fd
        if theirs < 0 or os.path.samestat(os.fstat(theirs), os.fstat(lower.user_fd)):
            note.note(pid_of(lower.server.pidfd))
            return lower
        note.close()
        lower.close()
    raise Declined("the job's user namespace changes")


def wanted_lower(planned: Planned, folder: str) -> tuple[OverlayRequest, str]:
    """Return the lower of a run, and what must be equal for two runs to use the same."""
    container = planned.record.container
    root = container.root
    assert isinstance(root, OverlayRoot)  # noqa: S101 - as planned
    shown = warm.key_of(root.tree, root.layers, container.maps)
    key = f"{shown} {root.name!r} {container.job!r}"
    place = Path(folder) / f"{hash(key) & 0xFFFFFFFFFFFF:x}"
    return overlay_request(container, root, place, None), key


def _decline(door: socket.socket, why: str) -> None:
    with contextlib.suppress(OSError):
        door.send(marshal.dumps({"no": why}))


def _take_place(request: dict[str, Any], fds: list[int]) -> list[int]:
    """Be where the client is, in his folder, with his environment; return what is his.

    That is his standard error, and of a build the other streams too.

    What is said before it is known whether he is served goes into a file in memory.
    """
    has_streams = request["words"][:1] == ["build"] and "warms" not in request
    cwd, error, *others = fds
    streams, others = (others[:2], others[2:]) if has_streams else ([], others)
    if others:
        timings.adopt(others[0])
        timings.mark("keeper: has read")
    os.fchdir(cwd)
    os.close(cwd)
    _speak_into_memory()
    vars(tempfile)["tempdir"] = None  # as the environment has it that comes now; loads nothing
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environ"])
    return [error, *streams]
