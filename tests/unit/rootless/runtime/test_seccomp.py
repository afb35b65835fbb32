"""Filters compiled from specs: what the program answers is what the spec says."""

import errno
import logging
import platform

import bpf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.errors import InvalidInput, Precondition
from rootless.linux import libseccomp
from rootless.linux import seccomp as kernel
from rootless.oci.seccomp_spec import ACTIONS, OPERATORS, ArgumentRule, SeccompSpec, SyscallRule
from rootless.runtime.seccomp import compile_filter, flags_of, load_library

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="needs kernel of x86-64: its numbers"
)

_CHMOD = 90
_ALLOW = "SCMP_ACT_ALLOW"
_ERRNO = "SCMP_ACT_ERRNO"
_ANSWERS = {
    "SCMP_ACT_KILL": bpf.KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": bpf.KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": bpf.KILL_PROCESS,
    "SCMP_ACT_TRAP": bpf.TRAP,
    "SCMP_ACT_ERRNO": bpf.errno_action(errno.EPERM),
    "SCMP_ACT_TRACE": bpf.trace_action(errno.EPERM),
    "SCMP_ACT_ALLOW": bpf.ALLOW,
    "SCMP_ACT_LOG": bpf.LOG,
    "SCMP_ACT_NOTIFY": bpf.NOTIFY,
}


def compiled(*rules: SyscallRule, default: str = _ALLOW, **members: object) -> bytes:
    """Return the program of a spec."""
    spec = SeccompSpec(default, syscalls=rules, **members)  # type: ignore[arg-type]
    return compile_filter(spec, load_library()).program


@pytest.mark.parametrize("action", ACTIONS)
def test_actions(action: str) -> None:
    """Each action is the kernel's, with EPERM where a number belongs to it and none is given."""
    default = "SCMP_ACT_LOG" if action == _ALLOW else _ALLOW
    program = compiled(SyscallRule(("chmod",), action), default=default)
    assert bpf.answer(program, _CHMOD) == _ANSWERS[action]
    assert bpf.answer(program, 0) == _ANSWERS[default]
    if action != "SCMP_ACT_NOTIFY":
        program = compiled(default=action)
        assert bpf.answer(program, _CHMOD) == _ANSWERS[action]


def test_numbers() -> None:
    """`errnoRet` and `defaultErrnoRet` are what the caller gets."""
    program = compiled(
        SyscallRule(("chmod",), _ERRNO, errno.EXDEV),
        SyscallRule(("read",), "SCMP_ACT_TRACE", 0x1234),
        SyscallRule(("write",), _ERRNO, errno.ENOSYS),  # as by default: no rule is needed
        SyscallRule(("open",), _ERRNO, 0),  # fails without being made: 0 is returned
        default=_ERRNO,
        default_errno_ret=errno.ENOSYS,
    )
    assert bpf.answer(program, _CHMOD) == bpf.errno_action(errno.EXDEV)
    assert bpf.answer(program, 0) == bpf.trace_action(0x1234)
    assert bpf.answer(program, 1) == bpf.errno_action(errno.ENOSYS)
    assert bpf.answer(program, 2) == bpf.errno_action(0)


_HOLDS = {
    "SCMP_CMP_NE": lambda a, v, _: a != v,
    "SCMP_CMP_LT": lambda a, v, _: a < v,
    "SCMP_CMP_LE": lambda a, v, _: a <= v,
    "SCMP_CMP_EQ": lambda a, v, _: a == v,
    "SCMP_CMP_GE": lambda a, v, _: a >= v,
    "SCMP_CMP_GT": lambda a, v, _: a > v,
    "SCMP_CMP_MASKED_EQ": lambda a, v, two: a & v == two & v,
}
_NUMBERS = st.sampled_from([0, 1, 7, 8, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 64) - 1])


@given(st.integers(0, 5), st.sampled_from(OPERATORS), _NUMBERS, _NUMBERS, _NUMBERS)
def test_comparisons(index: int, operator: str, value: int, second: int, given_: int) -> None:
    """An argument is compared as all of its 64 bits, without a sign."""
    rule = SyscallRule(
        ("chmod",), _ERRNO, arguments=(ArgumentRule(index, operator, value, second),)
    )
    arguments = [0] * 6
    arguments[index] = given_
    refused = bpf.answer(compiled(rule), _CHMOD, arguments) == bpf.errno_action(errno.EPERM)
    assert refused is _HOLDS[operator](given_, value, second)


def test_several_comparisons() -> None:
    """Of several arguments all must fit; of one argument compared twice, one is enough."""
    first, second = ArgumentRule(0, "SCMP_CMP_EQ", 1), ArgumentRule(1, "SCMP_CMP_EQ", 2)
    program = compiled(SyscallRule(("chmod",), _ERRNO, arguments=(first, second)))
    assert bpf.answer(program, _CHMOD, (1, 2)) != bpf.ALLOW
    assert bpf.answer(program, _CHMOD, (1, 0)) == bpf.ALLOW
    again = ArgumentRule(0, "SCMP_CMP_EQ", 5)
    program = compiled(SyscallRule(("chmod",), _ERRNO, arguments=(first, again)))
    assert bpf.answer(program, _CHMOD, (1,)) != bpf.ALLOW
    assert bpf.answer(program, _CHMOD, (5,)) != bpf.ALLOW
    assert bpf.answer(program, _CHMOD, (2,)) == bpf.ALLOW


def test_architectures() -> None:
    """Calls of an architecture are filtered by its own numbers; one not listed is killed."""
    rule = SyscallRule(("chmod",), _ERRNO)
    program = compiled(rule, architectures=("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"))
    assert bpf.answer(program, 15, arch=bpf.I386) == bpf.errno_action(errno.EPERM)
    assert bpf.answer(program, _CHMOD, arch=bpf.I386) == bpf.ALLOW
    assert bpf.answer(compiled(rule), 15, arch=bpf.I386) == bpf.KILL_THREAD
    with pytest.raises(InvalidInput, match=r"does not know the architecture: SCMP_ARCH_NONE"):
        compiled(rule, architectures=("SCMP_ARCH_NONE",))


def test_unknown_system_calls_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """A name that libseccomp does not know is no fault, for profiles are newer than libraries."""
    with caplog.at_level(logging.DEBUG):
        program = compiled(SyscallRule(("no_such_call", "chmod"), _ERRNO))
    assert "does not know the system call 'no_such_call'" in caplog.text
    assert bpf.answer(program, _CHMOD) == bpf.errno_action(errno.EPERM)


def test_what_cannot_be_compiled() -> None:
    """A rule that libseccomp refuses is named; the call that hands over a listener, too."""
    odd = ArgumentRule(7, "SCMP_CMP_EQ", 1)
    with pytest.raises(InvalidInput, match=r"refuses the rule: .*SCMP_ACT_ERRNO for chmod"):
        compiled(SyscallRule(("chmod",), _ERRNO, arguments=(odd,)))
    with pytest.raises(InvalidInput, match=r"hands the listener over: sendmsg"):
        compiled(SyscallRule(("sendmsg",), "SCMP_ACT_NOTIFY"))
    many = tuple(ArgumentRule(0, "SCMP_CMP_EQ", number << 20) for number in range(4200))
    with pytest.raises(InvalidInput, match="too long a program"):
        compiled(SyscallRule(("chmod",), _ERRNO, arguments=many))


def test_flags() -> None:
    """The kernel's flags; what concerns a listener only where there is one."""
    names = (
        "SECCOMP_FILTER_FLAG_TSYNC",
        "SECCOMP_FILTER_FLAG_LOG",
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    )
    assert flags_of(SeccompSpec(_ALLOW)) == 0
    assert flags_of(SeccompSpec(_ALLOW, flags=names)) == 1 | 2 | 4
    rules = (SyscallRule(("chmod",), "SCMP_ACT_NOTIFY"),)
    spec = SeccompSpec(_ALLOW, flags=names, syscalls=rules)
    assert flags_of(spec) == 1 | 2 | 4 | 8 | 32
    found = compile_filter(spec, load_library())
    assert found.notifies
    assert found.flags & kernel.FILTER_FLAG_NEW_LISTENER
    assert not compile_filter(SeccompSpec(_ALLOW), load_library()).notifies


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without libseccomp gets one line with the package's name."""
    monkeypatch.setattr(libseccomp.Libseccomp.__init__, "__defaults__", ("libnosuch.so.2",))
    with pytest.raises(Precondition, match=r"libseccomp, which is not installed.*libseccomp2"):
        load_library()
