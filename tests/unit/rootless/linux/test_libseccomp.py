"""libseccomp, and the programs that it makes."""

import errno
import platform
import re

import bpf
import pytest

from rootless.linux import libseccomp
from rootless.linux.libseccomp import Libseccomp


@pytest.fixture
def library() -> Libseccomp:
    """The library of this host."""
    return Libseccomp()


def test_a_library_that_is_missing() -> None:
    """OSError, which names it."""
    with pytest.raises(OSError, match=re.escape("libnosuch.so.2")):
        Libseccomp("libnosuch.so.2")


def test_names(library: Libseccomp) -> None:
    """Architectures and system calls by their names; unknown ones are None."""
    assert re.fullmatch(r"2\.\d+\.\d+", library.version())
    assert library.architecture("x86_64") == bpf.X86_64
    assert library.architecture("vax") is None
    native = {"x86_64": 0, "aarch64": 63}
    assert library.syscall("read") == native.get(platform.machine(), library.syscall("read"))
    assert library.syscall("no_such_call") is None
    of_another = library.syscall("s390_runtime_instr" if platform.machine() != "s390x" else "open")
    assert of_another is not None


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs kernel of x86-64: its numbers")
def test_a_filter(library: Libseccomp) -> None:
    """The program says what the rules say; another architecture is killed until it is added."""
    with library.filter(libseccomp.ALLOW) as made:
        made.add_rule(libseccomp.ERRNO | errno.EACCES, 83)
        made.add_rule(libseccomp.KILL_PROCESS, 90, [(1, libseccomp.EQ, 0o777, 0)])
        native = made.export()
        made.add_architecture(bpf.I386)
        made.add_architecture(bpf.I386)  # twice is once
        both = made.export()
    for program in (native, both):
        assert bpf.answer(program, 0) == bpf.ALLOW
        assert bpf.answer(program, 83) == bpf.errno_action(errno.EACCES)
        assert bpf.answer(program, 90, (0, 0o777)) == bpf.KILL_PROCESS
        assert bpf.answer(program, 90, (0o777, 0)) == bpf.ALLOW
    assert bpf.answer(native, 3, arch=bpf.I386) == bpf.KILL_THREAD
    assert bpf.answer(both, 3, arch=bpf.I386) == bpf.ALLOW
    assert bpf.answer(both, 3, arch=bpf.AARCH64) == bpf.KILL_THREAD


def test_a_rule_that_is_refused(library: Libseccomp) -> None:
    """A rule that does what happens anyway, and an action that is none: OSError."""
    with library.filter(libseccomp.ALLOW) as made:
        with pytest.raises(PermissionError):
            made.add_rule(libseccomp.ALLOW, 0)
        with pytest.raises(OSError, match="Invalid argument"):
            made.add_rule(0x12345678, 0)
        with pytest.raises(OSError, match="Invalid argument"):
            made.add_architecture(1)
