"""What every container gets."""

import pytest

from rootless.bundle import default_spec
from rootless.bundle.default_spec import DEFAULT_CAPABILITIES, capability_sets
from rootless.errors import InvalidInput
from rootless.linux.capset import NAMES
from rootless.oci.linux_spec import Namespace
from rootless.oci.runtime_spec import format_spec, parse_spec


def test_root_holds_the_default_set_and_no_more() -> None:
    """Nothing that reaches the kernel's configuration or other processes is among them."""
    sets = capability_sets()
    assert set(sets.bounding) == set(sets.effective) == set(sets.permitted)
    assert set(sets.bounding) == set(DEFAULT_CAPABILITIES)
    assert (sets.ambient, sets.inheritable) == ((), ())
    assert not {"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_MKNOD", "CAP_NET_ADMIN"} & set(
        sets.bounding
    )


def test_others_hold_what_was_added_only() -> None:
    """A user who is not root has the bounding set, and what he was given, across execve too."""
    sets = capability_sets(("net_raw",), root=False)
    assert "CAP_CHOWN" in sets.bounding
    assert sets.effective == sets.permitted == sets.ambient == sets.inheritable == ("CAP_NET_RAW",)


@pytest.mark.parametrize(
    ("add", "drop", "kept"),
    [
        ((), ("ALL",), set()),
        (("chown",), ("all",), {"CAP_CHOWN"}),
        (("ALL",), (), set(NAMES)),
        (("ALL",), ("CAP_SYS_ADMIN",), set(NAMES) - {"CAP_SYS_ADMIN"}),
        ((), ("CAP_KILL", "setuid"), set(DEFAULT_CAPABILITIES) - {"CAP_KILL", "CAP_SETUID"}),
        (("KILL",), ("KILL",), set(DEFAULT_CAPABILITIES)),
    ],
)
def test_add_and_drop(add: tuple[str, ...], drop: tuple[str, ...], kept: set[str]) -> None:
    """As podman has it: ALL first, then the named ones, added ones last."""
    assert set(capability_sets(add, drop).bounding) == kept


@pytest.mark.parametrize("name", ["", "SYS", "CAP_", "CAP_ALL", "sys admin"])
def test_unknown_capability(name: str) -> None:
    """A name that is none is refused, not passed over."""
    with pytest.raises(InvalidInput, match="unknown capability"):
        capability_sets((), (name,))


def test_networks() -> None:
    """A network namespace is made for `none`, joined by path; other words are refused."""
    assert "network" not in {n.type for n in default_spec.default_namespaces("host")}
    assert "network" in {n.type for n in default_spec.default_namespaces("none")}
    joined = default_spec.default_namespaces("ns:/proc/9/ns/net")
    assert Namespace("network", "/proc/9/ns/net") in joined
    with pytest.raises(InvalidInput, match="unknown network: bridge"):
        default_spec.default_namespaces("bridge")


def test_template_is_a_spec() -> None:
    """The config.json to start from reads back as itself."""
    spec = default_spec.default_spec()
    assert parse_spec(format_spec(spec).encode()) == spec


def test_secrets_of_the_kernel_are_hidden() -> None:
    """runtime-spec and its peers mask these; what is masked is below /proc and /sys only."""
    assert {"/proc/kcore", "/proc/keys", "/sys/firmware"} <= set(default_spec.MASKED_PATHS)
    assert {"/proc/sys", "/proc/sysrq-trigger"} <= set(default_spec.READONLY_PATHS)
    paths = (*default_spec.MASKED_PATHS, *default_spec.READONLY_PATHS)
    assert all(path.startswith(("/proc/", "/sys/")) for path in paths)


def test_pids() -> None:
    """A PID namespace is made, joined by path, or left out for the host's."""
    made = {each.type: each.path for each in default_spec.default_namespaces("host")}
    assert made["pid"] == ""
    joined = default_spec.default_namespaces("host", "ns:/proc/9/ns/pid")
    assert Namespace("pid", "/proc/9/ns/pid") in joined
    assert "pid" not in {each.type for each in default_spec.default_namespaces("host", "host")}
