"""What every container gets: mounts, hidden paths, capabilities; as podman and Docker have them."""

from collections.abc import Iterable
from dataclasses import replace

from rootless.errors import InvalidInput
from rootless.linux.capset import NAMES, NUMBERS
from rootless.oci.linux_spec import LinuxSpec, Namespace
from rootless.oci.runtime_spec import Capabilities, Mount, Process, Spec

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEFAULT_CAPABILITIES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
)

MASKED_PATHS = (
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/dev/block",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
)

READONLY_PATHS = (
    "/proc/asound",
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
)


# A fresh one of the host's PID namespace is root's to mount.
HOST_PROC = Mount("/proc", "bind", "/proc", ("rbind", "rslave", "nosuid", "noexec", "nodev"))

HOST_SHM = Mount("/dev/shm", "bind", "/dev/shm", ("rbind", "rslave", "nosuid", "nodev"))  # noqa: S108


def default_mounts(shm_size: int) -> tuple[Mount, ...]:
    """Return the mounts that come before the user's own."""
    safe = ("nosuid", "noexec", "nodev")
    return (
        Mount("/proc", "proc", "proc", safe),
        Mount("/dev", "tmpfs", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k")),
        Mount(
            "/dev/pts",
            "devpts",
            "devpts",
            ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        ),
        Mount("/dev/shm", "tmpfs", "shm", (*safe, "mode=1777", f"size={shm_size}")),  # noqa: S108
        Mount("/dev/mqueue", "mqueue", "mqueue", safe),
        Mount("/sys", "sysfs", "sysfs", (*safe, "ro")),
        Mount("/sys/fs/cgroup", "cgroup", "cgroup", (*safe, "relatime", "ro")),
    )


def writable(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """Return mounts that may be written to, as far as the kernel lets one."""
    return tuple(
        replace(mount, options=tuple(each for each in mount.options if each != "ro"))
        for mount in mounts
    )


def read_only_tmpfs_mounts() -> tuple[Mount, ...]:
    """Return the writable places of a read-only container."""
    options = ("nosuid", "nodev", "tmpcopyup")
    folders = (("/run", "mode=755"), ("/tmp", "mode=1777"), ("/var/tmp", "mode=1777"))  # noqa: S108
    return tuple(Mount(path, "tmpfs", "tmpfs", (*options, mode)) for path, mode in folders)


def default_namespaces(
    network: str, pid: str = "private", shared: tuple[str, ...] = ()
) -> tuple[Namespace, ...]:
    """Return the namespaces of a container; those of network and PIDs only if not the host's.

    Args:
        network: "host", "none" for one of its own, or ns:PATH for one to join.
        pid: "host", "private" for one of its own, or ns:PATH for one to join.
        shared: Other kinds that stay the host's.
    """
    kinds = ("user", "mount", "ipc", "uts", "cgroup")
    made = [Namespace(kind) for kind in kinds if kind not in shared]
    if pid != "host":
        path = pid.removeprefix("ns:") if pid.startswith("ns:") else ""
        made.insert(2, Namespace("pid", path))
    if network.startswith("ns:"):
        made.append(Namespace("network", network.removeprefix("ns:")))
    elif network == "none":
        made.append(Namespace("network"))
    elif network != "host":
        raise InvalidInput("unknown network", network, "one of host, none, ns:PATH")
    return tuple(made)


def capability_sets(
    add: tuple[str, ...] = (), drop: tuple[str, ...] = (), *, root: bool = True
) -> Capabilities:
    """Return the sets of the workload: of a user that is not root, the bounding set alone."""
    added, dropped = _full_names(add), _full_names(drop)
    base = NAMES if "ALL" in added else () if "ALL" in dropped else DEFAULT_CAPABILITIES
    kept = tuple(
        name
        for name in NAMES
        if (name in base or name in added) and (name not in dropped or name in added)
    )
    asked = tuple(name for name in kept if name in added)
    held = kept if root else asked
    return Capabilities(
        bounding=kept,
        effective=held,
        permitted=held,
        ambient=() if root else asked,
        inheritable=() if root else asked,
    )


def _full_names(names: tuple[str, ...]) -> frozenset[str]:
    found = set()
    for name in names:
        upper = name.upper()
        full = upper if upper == "ALL" or upper.startswith("CAP_") else f"CAP_{upper}"
        if full != "ALL" and full not in NUMBERS:
            raise InvalidInput("unknown capability", name, "capabilities(7) lists them")
        found.add(full)
    return frozenset(found)


def default_spec() -> Spec:
    """Return a config.json to start from: a shell in `rootfs`."""
    return Spec(
        process=Process(
            args=("sh",),
            env=(f"PATH={DEFAULT_PATH}", "TERM=xterm"),
            terminal=True,
            capabilities=capability_sets(),
            no_new_privileges=True,
        ),
        hostname="rootless",
        mounts=default_mounts(64 << 20),
        linux=LinuxSpec(
            namespaces=default_namespaces("host"),
            masked_paths=MASKED_PATHS,
            readonly_paths=READONLY_PATHS,
        ),
    )
