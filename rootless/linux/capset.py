"""capset(2): the three sets of the calling thread, and the capabilities' numbers."""

import ctypes
import struct
from typing import ClassVar

from rootless.linux.libc import check, function

# capabilities(7), linux/capability.h: the position is the number
NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
NUMBERS = {name: number for number, name in enumerate(NAMES)}

_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_: ClassVar = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_: ClassVar = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


_capset = function("capset", ctypes.c_char_p, ctypes.c_char_p)
_capget = function("capget", ctypes.c_void_p, ctypes.c_void_p)


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set the caller's sets, each a mask of 64 bits."""
    check(_capset(*structures(effective, permitted, inheritable)))


def structures(effective: int, permitted: int, inheritable: int) -> tuple[bytes, bytes]:
    """Return the arguments of the C function that sets the caller's sets."""
    halves = (
        mask >> shift & 0xFFFFFFFF
        for shift in (0, 32)
        for mask in (effective, permitted, inheritable)
    )
    return struct.pack("=Ii", _VERSION_3, 0), struct.pack("=6I", *halves)


def permitted() -> int:
    """Return the caller's permitted set as a mask."""
    data = (_Data * 2)()
    header = _Header(_VERSION_3, 0)
    check(_capget(ctypes.byref(header), ctypes.byref(data)))
    return int(data[0].permitted) | int(data[1].permitted) << 32


def last_capability() -> int:
    """Return the number of the last capability that this kernel knows."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="utf-8") as file:
        return int(file.read())
