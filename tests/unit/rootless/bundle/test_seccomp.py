"""Which profile `--security-opt seccomp=…` stands for."""

import json
import os
from pathlib import Path

import pytest

from rootless.bundle.default_spec import capability_sets, default_spec
from rootless.bundle.seccomp import kernel_version, read_profile, with_seccomp
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Process, Spec, format_spec, parse_spec
from rootless.oci.seccomp_spec import SeccompSpec, SyscallRule
from rootless.runtime.seccomp_profile import default_seccomp


def test_default() -> None:
    """Nothing asked for is the default profile, for the bounding set and this machine."""
    spec = default_spec()
    host = os.uname()
    bounding = capability_sets().bounding
    found = with_seccomp(spec, "", host)
    assert found.linux.seccomp == default_seccomp(bounding, host.machine)
    assert parse_spec(format_spec(found).encode()) == found
    none = with_seccomp(Spec(Process(("sh",))), "", host)
    assert none.linux.seccomp == default_seccomp((), host.machine)


def test_unconfined() -> None:
    """No filter at all."""
    assert with_seccomp(default_spec(), "unconfined", os.uname()).linux.seccomp is None


def test_a_file(tmp_path: Path) -> None:
    """A profile as Docker has it; its conditions are asked of the container."""
    path = tmp_path / "profile.json"
    allow = {"names": ["acct"], "action": "SCMP_ACT_ALLOW"}
    rules = [
        {**allow, "includes": {"caps": ["CAP_SYS_CHROOT"]}},
        {**allow, "names": ["read"], "excludes": {"caps": ["CAP_SYS_CHROOT"]}},
    ]
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_LOG", "syscalls": rules}))
    found = with_seccomp(default_spec(), str(path), os.uname()).linux.seccomp
    rule = SyscallRule(("acct",), "SCMP_ACT_ALLOW")
    assert found == SeccompSpec("SCMP_ACT_LOG", syscalls=(rule,))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not JSON"),
        ("{}", r"p\.json is not valid: defaultAction is missing"),
        ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}', r"syscalls\[0\]"),
    ],
)
def test_no_profile(tmp_path: Path, text: str, fault: str) -> None:
    """What is wrong with the file is said with its name."""
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=fault):
        read_profile(str(path), (), os.uname())


def test_no_file(tmp_path: Path) -> None:
    """A file that cannot be read: its name, and what else can be said."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InvalidInput, match=r"cannot read the seccomp profile.*unconfined"):
            read_profile(str(path), (), os.uname())


def test_kernel_version() -> None:
    """As uname(2) has it, with whatever a distribution puts behind."""
    assert kernel_version("6.1.0-18-amd64") == (6, 1)
    assert kernel_version("5.10") == (5, 10)
    assert kernel_version("strange") == (0, 0)
