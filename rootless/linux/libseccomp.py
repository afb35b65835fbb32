"""libseccomp: rules about system calls made into a BPF program (seccomp_init(3) and its kin).

The library is asked for by its soname, behind which the interface stays the same. It answers with
a negative errno, which is raised here.
"""

import ctypes
import errno
import os
from collections.abc import Sequence
from typing import Any, ClassVar, Self

SONAME = "libseccomp.so.2"

# seccomp.h: what the kernel returns to, or does with, the caller; the low 16 bits are a number
KILL_PROCESS = 0x80000000
KILL_THREAD = 0x00000000
TRAP = 0x00030000
ERRNO = 0x00050000
TRACE = 0x7FF00000
ALLOW = 0x7FFF0000
LOG = 0x7FFC0000
NOTIFY = 0x7FC00000

# enum scmp_compare
NE, LT, LE, EQ, GE, GT, MASKED_EQ = range(1, 8)

_OPTIMIZE = 8  # SCMP_FLTATR_CTL_OPTIMIZE
_BINARY_TREE = 2
_NO_SUCH_CALL = -1  # __NR_SCMP_ERROR

Comparison = tuple[int, int, int, int]


class _Version(ctypes.Structure):
    _fields_: ClassVar = [(name, ctypes.c_uint) for name in ("major", "minor", "micro")]


class _Comparison(ctypes.Structure):
    _fields_: ClassVar = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


class Libseccomp:
    """The library, loaded; raises OSError where it is not installed."""

    def __init__(self, soname: str = SONAME) -> None:
        self._library = ctypes.CDLL(soname)

    def version(self) -> str:
        """Return the library's version: "2.5.4"."""
        get = self._library.seccomp_version
        get.restype = ctypes.POINTER(_Version)
        found = get().contents
        return f"{found.major}.{found.minor}.{found.micro}"

    def architecture(self, name: str) -> int | None:
        """Return the token of an architecture, "x86_64"; None where the library knows none."""
        resolve = self._library.seccomp_arch_resolve_name
        resolve.argtypes, resolve.restype = (ctypes.c_char_p,), ctypes.c_uint32
        return resolve(name.encode()) or None

    def syscall(self, name: str) -> int | None:
        """Return the number of a system call, negative for one of other architectures.

        None where the library does not know it on any.
        """
        resolve = self._library.seccomp_syscall_resolve_name
        resolve.argtypes, resolve.restype = (ctypes.c_char_p,), ctypes.c_int
        number: int = resolve(name.encode())
        return None if number == _NO_SUCH_CALL else number

    def filter(self, default_action: int) -> "Filter":
        """Return a filter for native calls without rules."""
        return Filter(self._library, default_action)


class Filter:
    """A filter under construction; to be closed."""

    def __init__(self, library: ctypes.CDLL, default_action: int) -> None:
        self._library = library
        self._add_rule = library.seccomp_rule_add_array
        self._add_rule.argtypes = (
            *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p),
        )
        library.seccomp_init.argtypes = (ctypes.c_uint32,)
        library.seccomp_init.restype = ctypes.c_void_p
        self._context = library.seccomp_init(default_action)
        if not self._context:
            raise MemoryError
        # The kernel asks a program about every call when it loads it (since 5.11): a tree answers
        # in half of the time. Before libseccomp 2.5 there is no such attribute.
        self._call("seccomp_attr_set", ctypes.c_int(_OPTIMIZE), ctypes.c_uint32(_BINARY_TREE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._call("seccomp_release")
        self._context = None

    def add_architecture(self, token: int) -> None:
        """Filter the calls of another architecture too; before the first rule."""
        result = self._call("seccomp_arch_add", ctypes.c_uint32(token))
        if result != -errno.EEXIST:
            _check(result)

    def add_rule(self, action: int, number: int, comparisons: Sequence[Comparison] = ()) -> None:
        """Add a rule; comparisons are (argument, operator, value, second value), all must hold."""
        array = (_Comparison * len(comparisons))(*(_Comparison(*each) for each in comparisons))
        _check(self._add_rule(self._context, action, number, len(comparisons), array))

    def export(self) -> bytes:
        """Return the program: an array of struct sock_filter."""
        fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
        try:
            _check(self._call("seccomp_export_bpf", fd))
            return os.pread(fd, os.fstat(fd).st_size, 0)
        finally:
            os.close(fd)

    def _call(self, name: str, *arguments: Any) -> int:
        return int(getattr(self._library, name)(ctypes.c_void_p(self._context), *arguments))


def _check(result: int) -> None:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
