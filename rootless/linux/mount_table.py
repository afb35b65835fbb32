"""The mounts of a mount namespace, as /proc/self/mountinfo lists them (proc_pid_mountinfo(5))."""

import os

MOUNTINFO = "/proc/self/mountinfo"
_PIECE = 1 << 16
_ID, _PARENT, _OPTIONAL = 0, 1, 6


def read_from(fd: int) -> bytes:
    """Return the table behind a descriptor, whole; each read(2) gives a page of it at most."""
    pieces = []
    at = 0
    while piece := os.pread(fd, _PIECE, at):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def read_own() -> bytes:
    """Return the table of this process's namespace."""
    fd = os.open(MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return read_from(fd)
    finally:
        os.close(fd)


def unpropagated(table: bytes) -> bytes:
    """Return the lines of which a namespace that was copied earlier learns nothing.

    What is mounted on a shared mount arrives in slaves of it, and what is unmounted goes
    (mount_namespaces(7)). Where the host's root is private, as without systemd, that is all.
    """
    lines = [line.split(b" ") for line in table.splitlines()]
    shared = {
        line[_ID]
        for line in lines
        if any(field.startswith(b"shared:") for field in line[_OPTIONAL : line.index(b"-")])
    }
    return b"\n".join(b" ".join(line) for line in lines if line[_PARENT] not in shared)
