"""Extended attributes of the host's files that go into an image: `user.*` and file capabilities.

Labels and ACLs speak of this host. Source: xattr(7); linux/capability.h.
"""

import os
from contextlib import suppress

_CAPABILITY = b"security.capability"


def kept_of(fd: int, own_uid: int) -> dict[bytes, bytes]:
    """Return what an image may say of an open file; nothing on a file system without attributes.

    Args:
        fd: The file.
        own_uid: The caller's: a capability that counts for him counts for the container's root.
    """
    try:
        names = sorted(map(os.fsencode, os.listxattr(fd)))
    except OSError:  # a file system without
        return {}
    kept: dict[bytes, bytes] = {}
    for name in names:
        if name == _CAPABILITY or name.startswith(b"user."):
            with suppress(OSError):  # gone meanwhile, or a capability of another namespace
                kept[name] = os.getxattr(fd, name)
    if _CAPABILITY in kept:
        kept[_CAPABILITY] = plain_capability(kept[_CAPABILITY], own_uid)
    return kept


def plain_capability(value: bytes, own_uid: int) -> bytes:
    """Return a file capability; one that counts for the caller's namespaces counts for root.

    struct vfs_ns_cap_data of linux/capability.h: revision 3 is revision 2 with an owner behind it.
    """
    if value[3:4] == b"\x03" and int.from_bytes(value[20:24], "little") == own_uid:
        return value[:3] + b"\x02" + value[4:20]
    return value
