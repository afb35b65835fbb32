"""Filters, each in a child of its own: nobody gets out of one again."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rootless.linux import libseccomp, prctl, seccomp
from rootless.linux.libseccomp import Libseccomp


def program(action: int, call: str = "mkdirat") -> bytes:
    """Return a filter that allows all calls but one, and mkdir(2) with it."""
    library = Libseccomp()
    with library.filter(libseccomp.ALLOW) as made:
        for name in (call, "mkdir"):
            number = library.syscall(name)
            assert number is not None
            made.add_rule(action, number)
        return made.export()


def in_child(body: Callable[[], int]) -> int:
    """Run in a child; return its exit status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = body()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def errno_of_mkdir() -> int:
    """Return the error of making the root directory."""
    try:
        os.mkdir("/")
    except OSError as error:
        return error.errno or 0
    return 0


def test_a_call_is_refused() -> None:
    """The filter answers in the kernel's place, and /proc shows it."""

    def body() -> int:
        prctl.set_no_new_privileges()
        before = errno_of_mkdir()
        assert seccomp.set_filter(program(libseccomp.ERRNO | errno.EXDEV)) == 0
        assert "Seccomp:\t2\n" in Path("/proc/self/status").read_text()
        return errno_of_mkdir() if before == errno.EEXIST else 98

    assert in_child(body) == errno.EXDEV


@pytest.mark.parametrize(
    "flags",
    [
        seccomp.FILTER_FLAG_LOG | seccomp.FILTER_FLAG_SPEC_ALLOW | seccomp.FILTER_FLAG_TSYNC,
        seccomp.FILTER_FLAG_NEW_LISTENER | seccomp.FILTER_FLAG_TSYNC,
        seccomp.FILTER_FLAG_NEW_LISTENER | seccomp.FILTER_FLAG_WAIT_KILLABLE_RECV,
    ],
)
def test_flags(flags: int) -> None:
    """Every flag is taken; a listener is a descriptor that no program inherits."""

    def body() -> int:
        prctl.set_no_new_privileges()
        result = seccomp.set_filter(program(libseccomp.ERRNO | errno.EXDEV), flags)
        if flags & seccomp.FILTER_FLAG_NEW_LISTENER:
            assert not os.get_inheritable(result)
            assert "seccomp" in os.readlink(f"/proc/self/fd/{result}")
        else:
            assert result == 0
        return errno_of_mkdir()

    assert in_child(body) == errno.EXDEV


def test_what_the_kernel_refuses() -> None:
    """No program, one that is no program, an unknown flag: OSError, and no filter is set."""

    def body() -> int:
        prctl.set_no_new_privileges()
        numbers = []
        for bad, flags in ((b"", 0), (b"\xff" * 16, 0), (program(libseccomp.TRAP), 1 << 31)):
            try:
                seccomp.set_filter(bad, flags)
            except OSError as error:
                numbers.append(error.errno)
        assert numbers == [errno.EINVAL] * 3
        return errno_of_mkdir()

    assert in_child(body) == errno.EEXIST


def test_without_the_right() -> None:
    """Without no_new_privs it is root's."""
    if os.getuid() == 0:
        pytest.skip("needs an ordinary user")

    def body() -> int:
        try:
            seccomp.set_filter(program(libseccomp.ERRNO))
        except OSError as error:
            return error.errno or 0
        return 0

    assert in_child(body) == errno.EACCES
