"""A container in stock: made for the last request, before anybody asks the same again.

Who asks only has to come in. What the plan was made of is compared first (`evidence`), and what is
a minute old is taken down: nothing that has changed is served, and nothing is kept for nobody.
"""

import contextlib
import marshal
import os
import select
import socket
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from rootless import timings
from rootless.containers.container import OverlayRoot
from rootless.containers.supervisor import outlive_signals
from rootless.holder import place
from rootless.keeper.evidence import Evidence, sign_of
from rootless.keeper.plan import Declined, Planned, ask, plan
from rootless.keeper.run import Made, Visit, serve
from rootless.linux.process_id import ProcessId, identify
from rootless.overlay.shared import SharedLower

_MOST_AGE_MS = 60_000
_MOST_BYTES = 300_000
_MOST_FDS = 8


def serve_one(
    end: socket.socket,
    request: Mapping[str, Any],
    lower: SharedLower,
    fits: Callable[[Planned], bool],
    planned_beside: Callable[[Callable[[], None]], None],
) -> None:
    """Make a container, and serve the one who asks for such a one.

    Who asks for another is given back over `end`, unread. `fits` tells whether the lower is still
    that of the plan. `planned_beside` is called when the plan is made, with what undoes what
    planning has changed in the process.
    """
    evidence = Evidence(request)
    evidence.begin()
    planned = plan(ask(request["words"]))
    container = planned.record.container
    root = container.root
    assert isinstance(root, OverlayRoot)  # noqa: S101 - as planned
    if not planned.may_wait:
        raise Declined("not for stock")
    command = planned.asked.command
    files = [str(path) for path in (root.tree, *root.layers)]
    evidence.end(command, files, has_volumes=bool(planned.request.options.mounts))
    planned_beside(evidence.forget)
    if not fits(planned):
        raise Declined("the host has mounted something since")
    with contextlib.ExitStack() as owned:
        made = Made(planned, lower, owned, in_stock=True)
        if made.has_cgroup:
            return
        args = container.spec.process.args
        fixed = args[: len(args) - len(command)]
        while True:
            door = _next_door(end, made.init_fd)
            if door is None:
                return
            with door:
                asked = _peek(door)
                wanted = None if asked is None else evidence.command_of(*asked)
                if asked is None or wanted is None or not _is_said(planned, asked[0]["tty"]):
                    socket.send_fds(end, [marshal.dumps({"another": True})], [door.fileno()])
                    continue
                _, fds, _, _ = socket.recv_fds(door, _MOST_BYTES, _MOST_FDS)
                client = client_of(door)
                if client is None:
                    return
                cwd, stderr, *others = fds
                os.close(cwd)
                if others:
                    timings.adopt(others[0])
                    timings.mark("keeper: container in stock")
                end.send(marshal.dumps({"taken": True}))
                outlive_signals()
                visit = Visit(door, client, stderr, asked[0]["tty"], (*fixed, *wanted))
                serve(made, planned, visit, owned)
                return


def _is_said(planned: Planned, tty: str) -> bool:
    try:
        planned.check_said(tty)
    except Declined:
        return False
    return True


def client_of(door: socket.socket) -> ProcessId | None:
    """Return the process that a connection comes from; None where it has ended."""
    pid, _ = place.peer_of(door)
    return identify(pid)


def _next_door(end: socket.socket, init_fd: int) -> socket.socket | None:
    """Wait for a connection; None where nobody wants any, for too long, or PID 1 has ended."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    poll.register(init_fd, select.POLLIN)
    ready = dict(poll.poll(_MOST_AGE_MS))
    if end.fileno() not in ready or init_fd in ready:
        return None
    _, fds, _, _ = socket.recv_fds(end, 16, 1)
    return socket.socket(fileno=fds[0]) if fds else None


def _peek(door: socket.socket) -> tuple[dict[str, Any], tuple[int, ...] | None] | None:
    """Return what somebody asks, and which directory he is in, and leave it to be read again."""
    size = socket.CMSG_LEN(_MOST_FDS * array("i").itemsize)
    data, ancillary, _, _ = door.recvmsg(_MOST_BYTES, size, socket.MSG_PEEK)  # recv_fds loses flags
    fds = array("i")
    for _, _, payload in ancillary:
        fds.frombytes(payload)
    try:
        request = marshal.loads(data) if data and fds else None  # noqa: S302 - of our own
        return None if request is None else (request, sign_of(fds[0]))
    finally:
        for fd in fds:
            os.close(fd)
