"""What a container may not see or change below its new root, and how its kernel is set.

With the container's own /proc in place, and no path of the host left to confuse it with.
"""

import os

from rootless.errors import OverlayError
from rootless.linux import mount_api, scheduling
from rootless.linux.statfs import statfs
from rootless.oci.runtime_spec import Spec
from rootless.runtime import mount_attributes, mounts


def apply(spec: Spec) -> None:
    """Set and hide what the spec asks for; raises OverlayError."""
    for name, value in spec.linux.sysctl.items():
        _set_sysctl(name, value)
    for path in spec.linux.readonly_paths:
        mounts.make_read_only(path)
    for path in spec.linux.masked_paths:
        mounts.mask(path)
    if spec.linux.rootfs_propagation:
        mount_attributes.set_propagation("/", spec.linux.rootfs_propagation)
    if spec.root_readonly:
        _make_root_read_only()
    if spec.linux.personality:
        scheduling.set_personality(scheduling.PERSONALITIES[spec.linux.personality])


def _set_sysctl(name: str, value: str) -> None:
    path = f"/proc/sys/{name.replace('.', '/')}"
    try:
        if statfs("/proc/sys").type_name != "proc":  # a folder of the image
            raise OverlayError("cannot set a sysctl without /proc", f"{name}={value}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(value)
    except OSError as error:
        raise OverlayError(f"cannot set the sysctl: {error.strerror}", f"{name}={value}") from error


def _make_root_read_only() -> None:
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mount_api.mount_setattr(fd, mount_api.MOUNT_ATTR_RDONLY, recursive=False)
    finally:
        os.close(fd)
