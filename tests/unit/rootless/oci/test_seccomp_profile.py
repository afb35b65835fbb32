"""Profiles with conditions, as Docker and podman have them."""

from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.document import Node
from rootless.oci.seccomp_profile import Host, parse_profile
from rootless.oci.seccomp_spec import SeccompSpec, SyscallRule

HOST = Host(("CAP_CHOWN", "CAP_SYS_TIME"), "x86_64", (5, 4))


def resolved(*rules: dict[str, Any], host: Host = HOST, **members: Any) -> SeccompSpec:
    """Return what a profile with these rules is for a host."""
    document = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": list(rules), **members}
    return parse_profile(Node(document, "p.json")).resolve(host)


def is_kept(includes: dict[str, Any], excludes: dict[str, Any] | None = None) -> bool:
    """Tell whether a rule with these conditions is kept for `HOST`."""
    rule = {"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": includes}
    return bool(resolved({**rule, "excludes": excludes or {}}).syscalls)


@pytest.mark.parametrize(
    ("condition", "holds", "partly"),
    [
        ({"caps": ["CAP_CHOWN"]}, True, True),
        ({"caps": ["CAP_CHOWN", "CAP_SYS_TIME"]}, True, True),
        ({"caps": ["CAP_CHOWN", "CAP_SYS_BOOT"]}, False, True),
        ({"caps": ["CAP_SYS_BOOT"]}, False, False),
        ({"arches": ["amd64"]}, True, True),
        ({"arches": ["arm64", "amd64"]}, True, True),
        ({"arches": ["arm64"]}, False, False),
        ({"minKernel": "5.4"}, True, True),
        ({"minKernel": "4.19"}, True, True),
        ({"minKernel": "5.10"}, False, False),
        ({"caps": ["CAP_CHOWN"], "arches": ["arm64"]}, False, True),
    ],
)
def test_conditions(condition: dict[str, Any], *, holds: bool, partly: bool) -> None:
    """All of `includes` must hold, and nothing of `excludes`."""
    assert is_kept(condition) is holds
    assert is_kept({}, condition) is not partly
    assert is_kept({"caps": ["CAP_CHOWN"]}, condition) is not partly


def test_no_condition_is_no_condition() -> None:
    """Empty and absent conditions say nothing; null is absent, as Go writes it."""
    assert is_kept({})
    plain = {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": None, "includes": None}
    assert resolved(plain).syscalls == (SyscallRule(("read",), "SCMP_ACT_ALLOW"),)


def test_architectures_go_with_the_native_one() -> None:
    """`archMap` gives the native architecture and those beside it; a fixed list stays."""
    map_ = [
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
    ]
    assert resolved(archMap=map_).architectures == ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86")
    host = Host((), "riscv64", (6, 1))
    assert resolved(archMap=map_, host=host).architectures == ()
    assert resolved(architectures=["SCMP_ARCH_ARM"]).architectures == ("SCMP_ARCH_ARM",)


def test_the_rest_is_kept() -> None:
    """Default action, flags, the listener and the old form with one name."""
    found = resolved(
        {"name": "mkdir", "action": "SCMP_ACT_NOTIFY"},
        defaultErrnoRet=38,
        flags=["SECCOMP_FILTER_FLAG_LOG"],
        listenerPath="/run/agent",
        listenerMetadata="x",
    )
    assert found == SeccompSpec(
        default_action="SCMP_ACT_ERRNO",
        default_errno_ret=38,
        flags=("SECCOMP_FILTER_FLAG_LOG",),
        listener_path="/run/agent",
        listener_metadata="x",
        syscalls=(SyscallRule(("mkdir",), "SCMP_ACT_NOTIFY"),),
    )


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"defaultAction": "no"}, "defaultAction is not known"),
        ({"syscalls": [{"action": "SCMP_ACT_ALLOW"}]}, r"syscalls\[0\].names is missing"),
        (
            {"syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}]},
            r"syscalls\[0\].name must not be set beside names",
        ),
        (
            {
                "syscalls": [
                    {
                        "name": "a",
                        "action": "SCMP_ACT_ALLOW",
                        "excludes": {"minKernel": "new"},
                    }
                ]
            },
            r"syscalls\[0\].excludes.minKernel is not a kernel's version",
        ),
        ({"archMap": [{"architecture": "x"}]}, r"archMap\[0\].architecture is not known"),
        (
            {"archMap": [{"architecture": "SCMP_ARCH_X86"}], "architectures": ["SCMP_ARCH_X86"]},
            "archMap must not be set beside architectures",
        ),
        ({"syscalls": [{"name": "a", "action": "SCMP_ACT_NOTIFY"}]}, "needs a listenerPath"),
    ],
)
def test_faults(members: dict[str, Any], fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_profile(Node({"defaultAction": "SCMP_ACT_ERRNO", **members}, "p.json"))


def test_no_object() -> None:
    """A document that is none."""
    with pytest.raises(InvalidInput, match="is not an object"):
        parse_profile(Node([], "p.json"))
