"""Namespaces of other containers of this user's: found by name, and anew at each start."""

import contextlib

from rootless.containers.container import HOST, Container
from rootless.containers.joined import NETWORK, PID, Joined, is_own, path_of
from rootless.containers.network import plan
from rootless.containers.network.network import JOINED, Network
from rootless.containers.record import Record, find
from rootless.containers.status import look
from rootless.errors import Conflict
from rootless.paths import Paths


def network_of(paths: Paths, other: Record) -> Network:
    """Return the network for a container that joins that of another; raises Conflict."""
    return plan.joined(_path_of(paths, other, NETWORK), other.container.network, other.id)


def pids_of(paths: Paths, other: Record) -> tuple[str, str]:
    """Return whose PID namespace a container gets that joins another's, and where it is now.

    That is the other's ID, or HOST with no path where the other has the host's. Raises Conflict.
    """
    path = _path_of(paths, other, PID)
    return (HOST, "") if is_own(PID, path) else (other.id, path)


def open_joined(paths: Paths, container: Container) -> Joined:
    """Open what a container joins: other containers' where they are now, or those of a path.

    Raises:
        NotFound: A container or a path is not there.
        Conflict: A container does not run, or they are in user namespaces of their own.
        InvalidInput, Precondition: It cannot be joined.
    """
    network = container.network
    with contextlib.ExitStack() as opened:
        joined = Joined()
        opened.callback(joined.close)
        if network.kind == JOINED and not network.container:
            joined.open(NETWORK, network.path)
        elif network.kind == JOINED:
            _open_of(paths, network.container, NETWORK, joined)
        if container.joins_pids:
            _open_of(paths, container.pid, PID, joined)
        opened.pop_all()
    return joined


def _open_of(paths: Paths, container_id: str, kind: str, joined: Joined) -> None:
    other = find(paths, container_id)
    path = _path_of(paths, other, kind)
    joined.open(kind, path)
    if _path_of(paths, other, kind) != path:  # another process may have got the process ID
        raise _not_running(other, kind)


def _path_of(paths: Paths, other: Record, kind: str) -> str:
    live = look(paths, other).live
    if live is None or live.workload is None:
        raise _not_running(other, kind)
    return path_of(kind, live.workload.pid)


def _not_running(other: Record, kind: str) -> Conflict:
    whose = "network" if kind == NETWORK else "PID namespace"
    what = f"the container whose {whose} is to be joined is not running"
    return Conflict(what, other.name, f"rootless start {other.name}")
