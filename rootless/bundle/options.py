"""What a user asked of one container, parsed and checked: the same value from every front end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rootless.oci.resources_spec import Resources
from rootless.oci.runtime_spec import Mount, Rlimit

DEFAULT_SHM_SIZE = 64 << 20


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of `run` that shape a bundle.

    Attributes:
        command: Words after the image; empty for the image's own Cmd.
        entrypoint: Replaces the image's Entrypoint, and its Cmd with it; None keeps them.
        env: NAME=VALUE, later ones win.
        inherited_env: The same, where the image has none of the name.
        unset_env: Names of the image's and of default variables that are left out; "*" for all.
        time_zone: A zone's name, "local" for the caller's; "" leaves what there is.
        workdir: Absolute path inside; "" for the image's.
        user: USER[:GROUP], names or numbers; "" for the image's.
        group_add: More groups, names or numbers.
        umask: File mode mask; None for 0022.
        rlimits: Resource limits; the caller's own for the others.
        oom_score_adj: As proc_pid_oom_score_adj(5); None for the caller's own.
        sysctl: Kernel settings of its namespaces.
        hostname: Host name inside; "" for the container's ID, or the host's with its network.
        expose: Ports that it listens on, beside the image's, as an image config has them.
        network: "host", "none" for one of its own, or ns:PATH for one to join.
        pid: "private" for a PID namespace of its own, "host", or ns:PATH for one to join.
        shared: Other namespaces that stay the host's: "ipc", "cgroup".
        mounts: Volumes and tmpfs, in the order given.
        read_only: The root file system is read-only.
        read_only_tmpfs: With read_only, /run, /tmp and /var/tmp are writable all the same.
        terminal: The workload gets a terminal.
        cap_add: Capabilities beside the default set; "ALL" for all.
        cap_drop: Capabilities less than the default set; "ALL" for all.
        privileged: Nothing of the kernel's is hidden or read-only; the host's devices are there.
        no_new_privileges: execve(2) grants nothing (set-ID programs have no effect).
        seccomp: A seccomp profile's file, "unconfined" for no filter; "" for the default profile.
        root_emulation: Whether calls that need more IDs than one seem to work: "auto", "on", "off".
        shm_size: Bytes of /dev/shm.
        annotations: More annotations of the bundle.
        resources: What its cgroup limits.
        cgroup_parent: Where its cgroup goes; "" for a place that is found.
        strict_resources: A limit that cannot be set is an error.
    """

    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    env: tuple[str, ...] = ()
    inherited_env: tuple[str, ...] = ()
    unset_env: tuple[str, ...] = ()
    time_zone: str = ""
    workdir: str = ""
    user: str = ""
    group_add: tuple[str, ...] = ()
    umask: int | None = None
    rlimits: tuple[Rlimit, ...] = ()
    oom_score_adj: int | None = None
    sysctl: Mapping[str, str] = field(default_factory=dict)
    hostname: str = ""
    expose: tuple[str, ...] = ()
    network: str = "host"
    pid: str = "private"
    shared: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    read_only: bool = False
    read_only_tmpfs: bool = True
    terminal: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    privileged: bool = False
    no_new_privileges: bool = True
    seccomp: str = ""
    root_emulation: str = "off"
    shm_size: int = DEFAULT_SHM_SIZE
    annotations: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    cgroup_parent: str = ""
    strict_resources: bool = False

    def left_open(self, mounts: Iterable[Mount]) -> tuple[Mount, ...]:
        """Return those of some mounts in whose places nothing was asked for."""
        asked = {mount.destination for mount in self.mounts}
        return tuple(mount for mount in mounts if mount.destination not in asked)
