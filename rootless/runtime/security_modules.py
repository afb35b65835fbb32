"""AppArmor and SELinux: a profile where there is one to enter, and a reason where there is not."""

import logging
import os

from rootless.errors import Precondition
from rootless.oci.runtime_spec import Spec

log = logging.getLogger(__name__)

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
    selinux = os.path.exists(_SELINUX)
    mount_label = spec.linux.mount_label
    if mount_label and not selinux:
        # The files of mounts have no labels then, for anybody, that one might rely on.
        log.warning("linux.mountLabel has no effect: SELinux is off on this host: %s", mount_label)
    if mount_label and selinux:
        raise _label_refused(
            "linux.mountLabel asks for a label, which only root may give", mount_label
        )
    if process.selinux_label:
        reason = "which only root may give" if selinux else "and SELinux is off on this host"
        raise _label_refused(
            f"process.selinuxLabel asks for a label, {reason}", process.selinux_label
        )


def _label_refused(reason: str, label: str) -> Precondition:
    return Precondition(reason, label, "leave the member out: the caller's own label stays")


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
