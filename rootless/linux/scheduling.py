"""Scheduling of the calling thread: sched_setattr(2), ioprio_set(2), personality(2)."""

import ctypes
import os
from typing import ClassVar

from rootless.linux.libc import check, function, syscall

POLICIES = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_ISO": 4,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": 6,
}
FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
PERSONALITIES = {"LINUX": 0, "LINUX32": 0x0008}  # linux/personality.h

# Architectures older than the common table (asm-generic/unistd.h) have numbers of their own.
_MACHINE = os.uname().machine
_SYS_SCHED_SETATTR = {"x86_64": 314, "ppc64le": 355, "s390x": 345}.get(_MACHINE, 274)
_SYS_IOPRIO_SET = {"x86_64": 251, "ppc64le": 273, "s390x": 282}.get(_MACHINE, 30)
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_CLASS_SHIFT = 13

_personality = function("personality", ctypes.c_ulong)


class _SchedAttr(ctypes.Structure):
    """`struct sched_attr` of linux/sched/types.h."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
        ("util_min", ctypes.c_uint32),
        ("util_max", ctypes.c_uint32),
    ]


def sched_setattr(
    policy: int, flags: int, *, nice: int, priority: int, times: tuple[int, int, int]
) -> None:
    """Set the caller's scheduling; `times` are runtime, deadline and period in nanoseconds."""
    size = ctypes.sizeof(_SchedAttr)
    attr = _SchedAttr(size, policy, flags, nice, priority, *times, 0, 0)
    syscall(_SYS_SCHED_SETATTR, ctypes.c_int(0), ctypes.byref(attr), ctypes.c_uint(0))


def ioprio_set(kind: int, priority: int) -> None:
    """Set the caller's I/O class and its priority within it."""
    value = kind << _IOPRIO_CLASS_SHIFT | priority
    syscall(
        _SYS_IOPRIO_SET, ctypes.c_int(_IOPRIO_WHO_PROCESS), ctypes.c_int(0), ctypes.c_int(value)
    )


def set_personality(persona: int) -> None:
    """Set the caller's execution domain."""
    check(_personality(persona))
