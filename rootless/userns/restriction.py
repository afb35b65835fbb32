"""Why a user namespace is refused: the cause and its fix, out of /proc/sys. Reads, tries nothing.

The kernel says EPERM, EACCES or ENOSPC for all of these; which knob it was, only the knobs tell.
Sources: namespaces(7) for /proc/sys/user, Debian's patch for unprivileged_userns_clone, AppArmor's
`userns` rule and Ubuntu 23.10's release notes for apparmor_restrict_unprivileged_userns.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import Precondition

_SYSCTL_FILE = "/etc/sysctl.d/90-rootless.conf"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides whether an unprivileged user namespace is allowed; None where not present.

    Attributes:
        max_user_namespaces: user.max_user_namespaces; 0 switches them off.
        userns_clone: kernel.unprivileged_userns_clone (Debian, Ubuntu, Arch kernels); 0 is off.
        apparmor_restricts: kernel.apparmor_restrict_unprivileged_userns (Ubuntu 23.10 and later).
        in_chroot: The root directory is not a mount point: unshare(2) gives EPERM then.
        seccomp: This process is under a seccomp filter already, as inside another container.
    """

    max_user_namespaces: int | None = None
    userns_clone: int | None = None
    apparmor_restricts: int | None = None
    in_chroot: bool = False
    seccomp: bool = False

    @classmethod
    def read(cls, proc: Path = Path("/proc")) -> "Surroundings":
        """Read them; what cannot be read counts as not present."""
        sys_kernel = proc / "sys" / "kernel"
        return cls(
            max_user_namespaces=_number(proc / "sys" / "user" / "max_user_namespaces"),
            userns_clone=_number(sys_kernel / "unprivileged_userns_clone"),
            apparmor_restricts=_number(sys_kernel / "apparmor_restrict_unprivileged_userns"),
            in_chroot=not _root_is_mounted(proc),
            seccomp=_under_seccomp(proc),
        )


@dataclass(frozen=True, slots=True)
class Restriction:
    """The cause, a clause; and the fix, a command or a sentence."""

    cause: str
    fix: str


def find_restriction(error_number: int, around: Surroundings) -> Restriction:
    """Return the likeliest cause of a refusal with `error_number`, most certain first."""
    return _knob(around) or _limit(error_number, around) or _place(around)


def _knob(around: Surroundings) -> Restriction | None:
    """Return the setting that switches user namespaces off."""
    if around.max_user_namespaces == 0:
        return Restriction(
            "user namespaces are switched off (user.max_user_namespaces is 0)",
            _set("user.max_user_namespaces", "15000"),
        )
    if around.userns_clone == 0:
        return Restriction(
            "user namespaces are for root only here (kernel.unprivileged_userns_clone is 0)",
            _set("kernel.unprivileged_userns_clone", "1"),
        )
    if around.apparmor_restricts:
        return Restriction(
            "AppArmor allows user namespaces to named programs only "
            "(kernel.apparmor_restrict_unprivileged_userns is 1)",
            "install the profile contrib/apparmor/rootless as it says, or "
            + _set("kernel.apparmor_restrict_unprivileged_userns", "0"),
        )
    return None


def _limit(error_number: int, around: Surroundings) -> Restriction | None:
    """Return what the error number alone tells."""
    if error_number == errno.ENOSPC:
        return Restriction(
            f"the limit of user namespaces is reached ({around.max_user_namespaces})",
            "end containers of yours, or as root raise the sysctl user.max_user_namespaces",
        )
    if error_number == errno.EUSERS:
        return Restriction(
            "user namespaces are nested too deep (32 levels)", "start it further outside"
        )
    if error_number == errno.EINVAL:
        return Restriction(
            "this kernel has no user namespaces", "use a kernel with CONFIG_USER_NS=y"
        )
    return None


def _place(around: Surroundings) -> Restriction:
    """Return where this process must be running, when no setting forbids it."""
    if around.in_chroot:
        return Restriction(
            "this process is in a chroot, where the kernel refuses user namespaces",
            "start it outside the chroot, or enter that with pivot_root",
        )
    if around.seccomp:
        return Restriction(
            "a seccomp filter forbids it, as inside another container",
            "start the outer container with user namespaces allowed "
            "(docker, podman: --security-opt seccomp=unconfined --security-opt "
            "systempaths=unconfined)",
        )
    return Restriction(
        "a security module forbids it (SELinux, AppArmor or another)",
        "look for a denial in 'journalctl -k' and ask whoever runs this host",
    )


def explain(error: OSError) -> Precondition:
    """Return the error of ours for a refused unshare(2), clone(2) or write to uid_map."""
    found = find_restriction(error.errno or 0, Surroundings.read())
    return Precondition(
        f"cannot make a user namespace: {found.cause}", fix=found.fix, check="userns"
    )


def _set(name: str, value: str) -> str:
    return f"as root: echo {name}={value} >{_SYSCTL_FILE} && sysctl -p {_SYSCTL_FILE}"


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _root_is_mounted(proc: Path) -> bool:
    try:
        text = (proc / "self" / "mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # no /proc: nothing can be said, so nothing is claimed
    return any(line.split(" ", 5)[4] == "/" for line in text.splitlines())


def _under_seccomp(proc: Path) -> bool:
    try:
        text = (proc / "self" / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.split() == ["Seccomp:", "2"] for line in text.splitlines())
