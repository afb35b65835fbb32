"""The network of another container of this user's: found by name, and anew at each start."""

import contextlib

from rootless.containers.network import plan
from rootless.containers.network.namespace import Joined
from rootless.containers.network.network import Network
from rootless.containers.record import Record, find
from rootless.containers.status import look
from rootless.errors import Conflict
from rootless.paths import Paths


def network_of(paths: Paths, other: Record) -> Network:
    """Return the network for a container that joins that of another; raises Conflict."""
    return plan.joined(_path_of(paths, other), other.container.network, other.id)


def open_joined(paths: Paths, network: Network) -> Joined:
    """Open a network to join: a container's where it is now, or that of the path.

    Raises:
        NotFound: The container or the path is not there.
        Conflict: The container does not run.
        InvalidInput, Precondition: It cannot be joined.
    """
    if not network.container:
        return Joined.open(network.path)
    other = find(paths, network.container)
    path = _path_of(paths, other)
    with contextlib.ExitStack() as opened:
        joined = Joined.open(path)
        opened.callback(joined.close)
        if _path_of(paths, other) != path:  # another process may have got the process ID
            raise _not_running(other)
        opened.pop_all()
    return joined


def _path_of(paths: Paths, other: Record) -> str:
    live = look(paths, other).live
    if live is None or live.workload is None:
        raise _not_running(other)
    return f"/proc/{live.workload.pid}/ns/net"


def _not_running(other: Record) -> Conflict:
    what = "the container whose network is to be joined is not running"
    return Conflict(what, other.name, f"rootless start {other.name}")
