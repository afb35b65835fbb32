"""What `run` was asked for beside the shape of the bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rootless.bundle.options import RunOptions
from rootless.containers.policy import Policy


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
        detach: A monitor keeps it.
        labels: KEY=VALUE each, beside the image's.
        cidfile: Where its ID is written; "" for nowhere.
        pidfile: Where its workload's process ID is written.
        interactive: Standard input is passed.
        add_hosts: NAME:ADDRESS each.
        dns: Name servers in place of the host's.
        devices: Host device nodes, SOURCE[:DESTINATION] each.
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
    detach: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    cidfile: str = ""
    pidfile: str = ""
    interactive: bool = False
    add_hosts: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
