"""Mount options as a config.json has them (runtime-spec config.md, "Linux mount options"); pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rootless.linux import mount_api as api
from rootless.oci.runtime_spec import Mount, Spec

# option: (flag of mount(2) to set, flag to clear)
_FLAGS = {
    "async": (0, api.MS_SYNCHRONOUS),
    "atime": (0, api.MS_NOATIME),
    "bind": (api.MS_BIND, 0),
    "defaults": (0, 0),
    "dev": (0, api.MS_NODEV),
    "diratime": (0, api.MS_NODIRATIME),
    "dirsync": (api.MS_DIRSYNC, 0),
    "exec": (0, api.MS_NOEXEC),
    "iversion": (api.MS_I_VERSION, 0),
    "lazytime": (api.MS_LAZYTIME, 0),
    "loud": (0, api.MS_SILENT),
    "mand": (api.MS_MANDLOCK, 0),
    "noatime": (api.MS_NOATIME, 0),
    "nodev": (api.MS_NODEV, 0),
    "nodiratime": (api.MS_NODIRATIME, 0),
    "noexec": (api.MS_NOEXEC, 0),
    "noiversion": (0, api.MS_I_VERSION),
    "nolazytime": (0, api.MS_LAZYTIME),
    "nomand": (0, api.MS_MANDLOCK),
    "norelatime": (0, api.MS_RELATIME),
    "nostrictatime": (0, api.MS_STRICTATIME),
    "nosuid": (api.MS_NOSUID, 0),
    "nosymfollow": (api.MS_NOSYMFOLLOW, 0),
    "rbind": (api.MS_BIND | api.MS_REC, 0),
    "relatime": (api.MS_RELATIME, 0),
    "remount": (api.MS_REMOUNT, 0),
    "ro": (api.MS_RDONLY, 0),
    "rw": (0, api.MS_RDONLY),
    "silent": (api.MS_SILENT, 0),
    "strictatime": (api.MS_STRICTATIME, 0),
    "suid": (0, api.MS_NOSUID),
    "symfollow": (0, api.MS_NOSYMFOLLOW),
    "sync": (api.MS_SYNCHRONOUS, 0),
}
_PROPAGATION = {
    "private": api.MS_PRIVATE,
    "rprivate": api.MS_PRIVATE | api.MS_REC,
    "shared": api.MS_SHARED,
    "rshared": api.MS_SHARED | api.MS_REC,
    "slave": api.MS_SLAVE,
    "rslave": api.MS_SLAVE | api.MS_REC,
    "unbindable": api.MS_UNBINDABLE,
    "runbindable": api.MS_UNBINDABLE | api.MS_REC,
}
# option: (MOUNT_ATTR_* to set, to clear); of the times of access one is set, all are cleared
_ATIME = api.MOUNT_ATTR__ATIME
_RECURSIVE_ATTRIBUTES = {
    "ratime": (0, _ATIME),
    "rdev": (0, api.MOUNT_ATTR_NODEV),
    "rdiratime": (0, api.MOUNT_ATTR_NODIRATIME),
    "rexec": (0, api.MOUNT_ATTR_NOEXEC),
    "rnoatime": (api.MOUNT_ATTR_NOATIME, _ATIME),
    "rnodev": (api.MOUNT_ATTR_NODEV, 0),
    "rnodiratime": (api.MOUNT_ATTR_NODIRATIME, 0),
    "rnoexec": (api.MOUNT_ATTR_NOEXEC, 0),
    "rnorelatime": (0, _ATIME),
    "rnostrictatime": (0, _ATIME),
    "rnosuid": (api.MOUNT_ATTR_NOSUID, 0),
    "rnosymfollow": (api.MOUNT_ATTR_NOSYMFOLLOW, 0),
    "rrelatime": (0, _ATIME),
    "rro": (api.MOUNT_ATTR_RDONLY, 0),
    "rrw": (0, api.MOUNT_ATTR_RDONLY),
    "rstrictatime": (api.MOUNT_ATTR_STRICTATIME, _ATIME),
    "rsuid": (0, api.MOUNT_ATTR_NOSUID),
    "rsymfollow": (0, api.MOUNT_ATTR_NOSYMFOLLOW),
}
_ATTRIBUTES = {
    api.MS_RDONLY: api.MOUNT_ATTR_RDONLY,
    api.MS_NOSUID: api.MOUNT_ATTR_NOSUID,
    api.MS_NODEV: api.MOUNT_ATTR_NODEV,
    api.MS_NOEXEC: api.MOUNT_ATTR_NOEXEC,
    api.MS_NOSYMFOLLOW: api.MOUNT_ATTR_NOSYMFOLLOW,
}
_ATIMES = {
    api.MS_NOATIME: api.MOUNT_ATTR_NOATIME,
    api.MS_STRICTATIME: api.MOUNT_ATTR_STRICTATIME,
    api.MS_NODIRATIME: api.MOUNT_ATTR_NODIRATIME,
}
_IDMAP = {"idmap": False, "ridmap": True}


@dataclass(frozen=True, slots=True)
class MountOptions:
    """Options sorted by who takes them.

    Attributes:
        flags: MS_* flags, without propagation.
        propagation: MS_* propagation flags, 0 for none.
        recursive_attributes: MOUNT_ATTR_* for the mount and those below it.
        recursive_cleared: MOUNT_ATTR_* taken from them before.
        copy_up: tmpfs: starts with what the image has there (`tmpcopyup`).
        idmap: The owners of files are mapped (`idmap`); None where it was not asked for.
            True: those of the mounts below it too.
        data: What is left, for the file system.
    """

    flags: int = 0
    propagation: int = 0
    recursive_attributes: int = 0
    recursive_cleared: int = 0
    copy_up: bool = False
    idmap: bool | None = None
    data: tuple[str, ...] = ()

    @property
    def is_bind(self) -> bool:
        """Tell whether an existing tree is mounted, not a new file system."""
        return bool(self.flags & api.MS_BIND)

    @property
    def attributes(self) -> int:
        """The flags that protect, as MOUNT_ATTR_* for mount_setattr(2)."""
        return sum(attribute for flag, attribute in _ATTRIBUTES.items() if self.flags & flag)

    @property
    def times_of_access(self) -> int | None:
        """How times of access are kept, as MOUNT_ATTR_*; None where nothing was said."""
        if not self.flags & (sum(_ATIMES) | api.MS_RELATIME):
            return None
        return sum(attribute for flag, attribute in _ATIMES.items() if self.flags & flag)


def parse_mount_options(options: Iterable[str]) -> MountOptions:
    """Sort the options of one mount; later ones win over earlier ones."""
    flags = propagation = recursive = recursive_cleared = 0
    copy_up = False
    idmap = None
    data = []
    for option in options:
        if option in _FLAGS:
            added, cleared = _FLAGS[option]
            flags = flags & ~cleared | added
        elif option in _PROPAGATION:
            propagation = _PROPAGATION[option]
        elif option in _RECURSIVE_ATTRIBUTES:
            added, cleared = _RECURSIVE_ATTRIBUTES[option]
            recursive = recursive & ~cleared | added
            recursive_cleared = recursive_cleared & ~added | cleared
        elif option == "tmpcopyup":
            copy_up = True
        elif option in _IDMAP:
            idmap = _IDMAP[option]
        elif option not in ("z", "Z", ""):
            data.append(option)
    return MountOptions(
        flags, propagation, recursive, recursive_cleared, copy_up, idmap, tuple(data)
    )


def known_options() -> frozenset[str]:
    """Return the options that have a meaning here; any other is the file system's."""
    return frozenset((*_FLAGS, *_PROPAGATION, *_RECURSIVE_ATTRIBUTES, *_IDMAP, "tmpcopyup"))


def with_absolute_sources(spec: Spec, bundle: Path) -> Spec:
    """Return the spec with bind mounts from absolute paths: relative ones are the bundle's."""

    def absolute(mount: Mount) -> Mount:
        bind = mount.type == "bind" or parse_mount_options(mount.options).is_bind
        return replace(mount, source=str(bundle / mount.source)) if bind else mount

    return replace(spec, mounts=tuple(absolute(mount) for mount in spec.mounts))
