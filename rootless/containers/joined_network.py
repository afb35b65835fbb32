"""`--network container:NAME`: the network of another container, as it is when this one starts."""

from dataclasses import replace

from rootless.containers import record as records
from rootless.containers.network import plan
from rootless.containers.network.network import Network
from rootless.containers.record import Record
from rootless.containers.status import look
from rootless.errors import Conflict
from rootless.paths import Paths


def network_of(paths: Paths, other: Record) -> Network:
    """Return the network for a container that joins that of another; raises Conflict."""
    live = look(paths, other).live
    if live is None or live.workload is None:
        what = "the container whose network is to be joined is not running"
        raise Conflict(what, other.name, "rootless start it")
    return plan.joined(f"/proc/{live.workload.pid}/ns/net", other.container.network)


def joined_anew(paths: Paths, record: Record) -> Record:
    """Return the record of a container that is about to start, its network that of the other now.

    The caller has it locked. Raises NotFound, Conflict.
    """
    if not record.joins:
        return record
    network = network_of(paths, records.find(paths, record.joins))
    spec = record.container.spec
    namespaces = tuple(
        replace(each, path=network.path) if each.type == "network" and each.path else each
        for each in spec.linux.namespaces
    )
    spec = replace(spec, linux=replace(spec.linux, namespaces=namespaces))
    joined = replace(record, container=replace(record.container, network=network, spec=spec))
    records.write(records.folder_of(paths, record), joined)
    return joined
