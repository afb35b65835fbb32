"""What `run` was asked for beside the shape of the bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rootless.bundle.name_files import Dns
from rootless.bundle.options import RunOptions
from rootless.containers.health_request import HealthRequest
from rootless.containers.network.mode import NetworkMode
from rootless.containers.network.ports import PortMapping
from rootless.containers.pid_mode import PidMode
from rootless.containers.policy import Policy
from rootless.oci.image_config import ImageConfig

if TYPE_CHECKING:
    from rootless.bundle.device_edits import DeviceEdits


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of `run`, checked word by word and not yet looked up.

    Attributes:
        options: What shapes the bundle.
        userns: `--userns`.
        uidmap: `--uidmap`, INSIDE:FROM:LENGTH each.
        gidmap: `--gidmap`.
        driver: `--overlay-driver`.
        overlay: Folder of an upperdir to keep; "" for none.
        name: Name of the container; "" for none.
        replace: A container of that name is removed first.
        policy: What becomes of the container; `policy.stop_signal` 0 is the image's own.
        health: What is changed of the image's health check.
        detach: A monitor keeps it.
        labels: KEY=VALUE each, beside the image's.
        cidfile: Where its ID is written; "" for nowhere.
        pidfile: Where its workload's process ID is written.
        interactive: Standard input is passed.
        add_hosts: NAME:ADDRESS each.
        no_hosts: The image's own /etc/hosts stays.
        dns: What /etc/resolv.conf has in place of the host's.
        network: `--network`; `options` has what the bundle says of it once it is planned.
        ports: What is published.
        publish_all: So is each port that the image or `options` exposes.
        volumes_from: Containers whose mounts it has too, CONTAINER[:ro|rw] each.
        pid: `--pid`; `options` has what the bundle says of it once it is looked up.
        devices: Host device nodes, SOURCE[:DESTINATION] each.
        cgroup: It gets a cgroup of its own where there is one to be had.
        job: The batch job that it is a part of, "" for one without a number: it has its user
            namespace in common with the job's other parts on this node, and its end is told as that
            of the workload itself. None: it is no such part.
        passed_fds: Descriptors of the caller's that the workload gets.
        edits: What comes with GPUs and CDI devices, None for no such; `options` has their mounts
            and variables.
        as_caller: The workload is the caller: his ID, the only one mapped, his name, home and time
            zone.
        in_session: It stays in the caller's session and process group, with his terminal.
    """

    options: RunOptions = field(default_factory=RunOptions)
    userns: str = ""
    uidmap: tuple[str, ...] = ()
    gidmap: tuple[str, ...] = ()
    driver: str = "auto"
    overlay: str = ""
    name: str = ""
    replace: bool = False
    policy: Policy = field(default_factory=Policy)
    health: HealthRequest = field(default_factory=HealthRequest)
    detach: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    cidfile: str = ""
    pidfile: str = ""
    interactive: bool = False
    add_hosts: tuple[str, ...] = ()
    no_hosts: bool = False
    dns: Dns = field(default_factory=Dns)
    network: NetworkMode = field(default_factory=NetworkMode)
    ports: tuple[PortMapping, ...] = ()
    publish_all: bool = False
    volumes_from: tuple[str, ...] = ()
    pid: PidMode = field(default_factory=PidMode)
    devices: tuple[str, ...] = ()
    cgroup: bool = True
    job: str | None = None
    passed_fds: tuple[int, ...] = ()
    edits: "DeviceEdits | None" = None
    as_caller: bool = False
    in_session: bool = False

    def ports_of(self, config: ImageConfig) -> tuple[PortMapping, ...]:
        """Return what is published of an image's container."""
        if not self.publish_all:
            return self.ports
        from rootless.containers.network.exposed import to_publish  # noqa: PLC0415 - few want it

        exposed = (*config.exposed_ports, *self.options.expose)
        return (*self.ports, *to_publish(exposed, self.ports))
