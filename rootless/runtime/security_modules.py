"""AppArmor and SELinux: a profile where there is one to enter, and a reason where there is not."""

import os

from rootless.errors import Precondition
from rootless.oci.runtime_spec import Spec

_APPARMOR = "/sys/module/apparmor/parameters/enabled"
_SELINUX = "/sys/fs/selinux/enforce"
# The second one where AppArmor is the only module (apparmor(7), proc_pid_attr(5)).
_ON_EXEC = ("/proc/self/attr/apparmor/exec", "/proc/self/attr/exec")


def check(spec: Spec) -> None:
    """Raise Precondition for what this host's security modules cannot give."""
    process = spec.process
    if process.apparmor_profile and not has_apparmor():
        raise Precondition(
            "process.apparmorProfile asks for a profile, and AppArmor is off on this host",
            process.apparmor_profile,
            "leave the member out",
        )
    for member, label in (
        ("process.selinuxLabel", process.selinux_label),
        ("linux.mountLabel", spec.linux.mount_label),
    ):
        if label and not os.path.exists(_SELINUX):
            raise Precondition(
                f"{member} asks for a label, and SELinux is off on this host",
                label,
                "leave the member out",
            )
        if label:
            raise Precondition(
                f"{member} asks for a label, which only root may give",
                label,
                "leave the member out: the caller's own label stays",
            )


def has_apparmor() -> bool:
    """Tell whether AppArmor is on."""
    try:
        with open(_APPARMOR, encoding="ascii") as file:
            return file.read().strip() == "Y"
    except OSError:
        return False


def enter_profile(profile: str) -> None:
    """Have the next execve(2) enter an AppArmor profile, "" for none; raises Precondition."""
    if not profile:
        return
    path = next((path for path in _ON_EXEC if os.path.exists(path)), _ON_EXEC[0])
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"exec {profile}")
    except OSError as error:
        raise Precondition(
            f"cannot enter the AppArmor profile: {error.strerror}",
            profile,
            "aa-status shows which are loaded; the container needs its /proc",
        ) from error
