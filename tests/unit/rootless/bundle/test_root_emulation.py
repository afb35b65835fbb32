"""Which calls seem to work where only one ID is mapped, and for whom."""

import stat
from dataclasses import replace

import pytest

from rootless.bundle import root_emulation
from rootless.bundle.default_spec import default_spec
from rootless.bundle.root_emulation import (
    AUTO,
    OFF,
    ON,
    is_wanted,
    parse_mode,
    with_apt_config,
    with_root_emulation,
)
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Spec, format_spec, parse_spec
from rootless.oci.seccomp_spec import SeccompSpec, SyscallRule
from rootless.runtime.seccomp import compile_filter, load_library
from rootless.runtime.seccomp_profile import default_seccomp


def rules_about(spec: Spec, name: str) -> list[SyscallRule]:
    """Return the rules that a spec's filter has about one call."""
    assert spec.linux.seccomp is not None
    return [rule for rule in spec.linux.seccomp.syscalls if name in rule.names]


def with_filter(seccomp: SeccompSpec | None) -> Spec:
    """Return a spec with a filter, emulating."""
    document = parse_spec(format_spec(default_spec()).encode())
    linux = type(document.linux)(seccomp=seccomp)
    return with_root_emulation(type(document)(document.process, linux=linux))


@pytest.mark.parametrize("seccomp", [None, default_seccomp((), "x86_64")])
@pytest.mark.parametrize("name", ["chown", "fchownat", "setresuid", "setgroups", "capset"])
def test_calls_about_owners_succeed(seccomp: SeccompSpec | None, name: str) -> None:
    """Each has one rule, whatever the filter said of it: done, without being done."""
    (rule,) = rules_about(with_filter(seccomp), name)
    assert (rule.action, rule.errno_ret, rule.arguments) == ("SCMP_ACT_ERRNO", 0, ())


@pytest.mark.parametrize(("name", "index"), [("mknod", 1), ("mknodat", 2)])
def test_only_devices_are_left_out(name: str, index: int) -> None:
    """FIFOs, sockets and files are made; the type alone counts, not the permissions."""
    actions = {}
    for rule in rules_about(with_filter(default_seccomp((), "x86_64")), name):
        (argument,) = rule.arguments
        assert (argument.index, argument.value) == (index, 0o170000)
        actions[argument.value_two] = rule.action
    assert actions == {
        **dict.fromkeys((stat.S_IFCHR, stat.S_IFBLK), "SCMP_ACT_ERRNO"),
        **dict.fromkeys((0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK), "SCMP_ACT_ALLOW"),
    }


def test_the_rest_of_the_filter_stays() -> None:
    """What is not emulated has the rules that it had."""
    before = default_seccomp((), "x86_64")
    spec = with_filter(before)
    assert spec.linux.seccomp is not None
    assert spec.linux.seccomp.default_action == before.default_action
    for name in ("read", "clone3", "bpf"):
        old = [rule.action for rule in before.syscalls if name in rule.names]
        assert [rule.action for rule in rules_about(spec, name)] == old
    assert parse_spec(format_spec(spec).encode()) == spec


@pytest.mark.parametrize("seccomp", [None, default_seccomp((), "x86_64")])
def test_it_makes_a_program(seccomp: SeccompSpec | None) -> None:
    """Libseccomp takes the rules as they are."""
    spec = with_filter(seccomp)
    assert spec.linux.seccomp is not None
    assert compile_filter(spec.linux.seccomp, load_library()).program


@pytest.mark.parametrize(
    ("mode", "uid", "single", "wanted"),
    [
        (AUTO, 0, True, True),
        (AUTO, 0, False, False),
        (AUTO, 1000, True, False),
        (ON, 1000, False, True),
        (OFF, 0, True, False),
    ],
)
def test_who_gets_it(mode: str, uid: int, *, single: bool, wanted: bool) -> None:
    """Root of a single-ID map by itself, everybody who asks."""
    assert is_wanted(mode, uid, single=single) is wanted


def test_modes() -> None:
    """Three words, and one line for another."""
    assert [parse_mode(mode) for mode in root_emulation.MODES] == ["auto", "on", "off"]
    with pytest.raises(InvalidInput, match=r"yes \(one of auto, on, off\)"):
        parse_mode("yes")


def test_apt_is_told_by_a_variable() -> None:
    """One that is set already stays."""
    spec = default_spec()
    assert with_apt_config(spec).process.env[-1] == root_emulation.APT_VARIABLE
    own = replace(spec, process=replace(spec.process, env=("APT_CONFIG=/own",)))
    assert with_apt_config(own) == own
