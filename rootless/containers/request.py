"""What `run` was asked for beside the shape of the bundle."""

from dataclasses import dataclass, field

from rootless.bundle.options import RunOptions


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
        remove: A named container goes when it ends.
        interactive: Standard input is passed.
        add_hosts: NAME:ADDRESS each.
        dns: Name servers in place of the host's.
        devices: Host device nodes, SOURCE[:DESTINATION] each.
        cgroup: It gets a cgroup of its own where there is one to be had.
    """

    options: RunOptions = field(default_factory=RunOptions)
    userns: str = ""
    uidmap: tuple[str, ...] = ()
    gidmap: tuple[str, ...] = ()
    driver: str = "auto"
    overlay: str = ""
    name: str = ""
    replace: bool = False
    remove: bool = False
    interactive: bool = False
    add_hosts: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    cgroup: bool = True
