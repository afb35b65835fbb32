"""The default profile, call for call beside the one of Debian's podman."""

import json
import platform
from pathlib import Path

import bpf
import pytest

from rootless.bundle.default_spec import DEFAULT_CAPABILITIES
from rootless.linux.capset import NAMES
from rootless.linux.libseccomp import Libseccomp
from rootless.oci.document import Node
from rootless.oci.seccomp_profile import Host, parse_profile
from rootless.oci.seccomp_spec import SeccompSpec
from rootless.runtime.seccomp import compile_filter
from rootless.runtime.seccomp_profile import _ALLOWED_NEWER, default_seccomp

# golang-github-containers-common, which podman depends on
_DEBIAN = Path("/usr/share/containers/seccomp.json")
_KERNEL = (6, 1)

_X32 = 0x40000000  # __X32_SYSCALL_BIT
_SOCKET = 41
_PERSONALITY = 135

# (family, type, protocol); NETLINK is 16 and its audit protocol 9
_SOCKETS = (
    *((family, 1, 0) for family in range(46) if family != 40),
    *((16, 3, protocol) for protocol in range(32)),
    (2, 3, 9),
    (1, 1, 9),
)
_PERSONALITIES = (0, 8, 0x20000, 0x20008, 0xFFFFFFFF, 1, 0x40000, 0x0040000)


def debian(capabilities: tuple[str, ...]) -> SeccompSpec:
    """Return what Debian's profile is for a container with these capabilities."""
    profile = parse_profile(Node(json.loads(_DEBIAN.read_bytes()), str(_DEBIAN)))
    return profile.resolve(Host(capabilities, platform.machine(), _KERNEL))


def program(spec: SeccompSpec) -> bytes:
    """Compile it."""
    return compile_filter(spec, Libseccomp()).program


def default(*capabilities: str) -> bytes:
    """Return the default profile's program."""
    return program(default_seccomp(capabilities, platform.machine()))


def answers(filter_: bytes) -> dict[tuple[int, int, tuple[int, ...]], int]:
    """Return what a filter says to every number there is, on x86-64, x32 and i386."""
    calls: list[tuple[int, int, tuple[int, ...]]] = []
    for number in range(600):
        if number not in (_SOCKET, _PERSONALITY):
            calls.append((bpf.X86_64, number, ()))
            calls.append((bpf.X86_64, number | _X32, ()))
        if number != 359:  # socket
            calls.append((bpf.I386, number, ()))
    calls += [(bpf.X86_64, _SOCKET, words) for words in _SOCKETS]
    calls += [(bpf.I386, 359, words) for words in _SOCKETS]
    calls += [(bpf.X86_64, _PERSONALITY, (value,)) for value in _PERSONALITIES]
    return {
        (arch, number, words): bpf.answer(filter_, number, words, arch)
        for arch, number, words in calls
    }


def newer() -> set[int]:
    """Return the numbers of the calls that Debian's profile is too old for."""
    library = Libseccomp()
    names = (*_ALLOWED_NEWER.split(), "uretprobe", "quotactl_fd")
    return {number for name in names if (number := library.syscall(name)) is not None}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs kernel of x86-64: its numbers")
@pytest.mark.parametrize(
    "capabilities",
    [DEFAULT_CAPABILITIES, (), NAMES, *((*DEFAULT_CAPABILITIES, name) for name in NAMES)],
    ids=["default", "none", "all", *(f"with {name}" for name in NAMES)],
)
def test_as_debian_has_it(capabilities: tuple[str, ...]) -> None:
    """Each system call gets the same answer, whatever the capabilities.

    But: calls that are newer, and bpf(2) and perf_event_open(2) to who holds the finer capability.
    """
    ours = answers(default(*capabilities))
    theirs = answers(program(debian(capabilities)))
    known = newer()
    if "CAP_SYS_ADMIN" not in capabilities:
        known |= {321} if "CAP_BPF" in capabilities else set()
        known |= {298} if "CAP_PERFMON" in capabilities else set()
    different = {
        call: (hex(ours[call]), hex(theirs[call])) for call in ours if ours[call] != theirs[call]
    }
    numbers = {number & ~_X32 for arch, number, _ in different if arch == bpf.X86_64}
    assert numbers - known == set(), different
    # The same calls have other numbers there.
    on_i386 = [call for call in different if call[0] == bpf.I386]
    assert len(on_i386) <= len(known), on_i386


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs kernel of x86-64: its numbers")
def test_what_debian_lacks() -> None:
    """Virtual-machine sockets are refused, and no bit above the 32 that count gets past."""
    for capabilities in ((), NAMES):
        filter_ = default(*capabilities)
        for family in (40, 40 | 1 << 32, 40 | 1 << 63):
            assert bpf.answer(filter_, _SOCKET, (family, 1, 0)) == bpf.errno_action(97)
    filter_ = default(*DEFAULT_CAPABILITIES)
    for family, protocol in ((16, 9), (16 | 1 << 32, 9), (16, 9 | 1 << 40)):
        assert bpf.answer(filter_, _SOCKET, (family, 3, protocol)) == bpf.errno_action(22)
    assert bpf.answer(default(*NAMES), _SOCKET, (16, 3, 9)) == bpf.ALLOW


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs kernel of x86-64: its numbers")
def test_capabilities_open_their_calls() -> None:
    """Spot checks in words: what is refused to the default set is allowed to who may."""
    usual = default(*DEFAULT_CAPABILITIES)
    for number, capability in (
        *((321, "CAP_BPF"), (304, "CAP_DAC_READ_SEARCH"), (175, "CAP_SYS_MODULE")),
    ):
        assert bpf.answer(usual, number) == bpf.errno_action(1)
        assert bpf.answer(default(capability), number) == bpf.ALLOW
    assert bpf.answer(usual, 161) == bpf.ALLOW  # chroot: in the default set
    assert bpf.answer(default(), 161) == bpf.errno_action(1)
    assert bpf.answer(usual, 246) == bpf.errno_action(1)  # kexec_load
    assert bpf.answer(usual, 248) == bpf.errno_action(38)  # add_key
    assert bpf.answer(usual, 599) == bpf.errno_action(38)  # of the future


def test_names_are_known() -> None:
    """No name is a typing error: libseccomp knows all but those that are newer than itself."""
    library = Libseccomp()
    machines = ("x86_64", "i686", "aarch64", "ppc64le", "riscv64", "s390x")
    specs = [default_seccomp(names, machine) for names in ((), NAMES) for machine in machines]
    names = {name for spec in specs for rule in spec.syscalls for name in rule.names}
    assert {"acct", "modify_ldt", "set_tls", "s390_runtime_instr"} <= names
    later = {*_ALLOWED_NEWER.split(), "uretprobe", "riscv_hwprobe"}
    assert {name for name in names - later if library.syscall(name) is None} == set()
