"""Seccomp profiles as Docker and podman have them: rules that hold for some containers only.

A profile is what `linux.seccomp` of config.json is, with conditions: `includes` and `excludes` name
capabilities, architectures (in Go's words) and the oldest kernel, and `archMap` the architectures
that go with a native one. `SeccompProfile.resolve` decides them for one container.
"""

from collections.abc import Collection
from dataclasses import dataclass

from rootless.oci.document import Node
from rootless.oci.seccomp_spec import (
    ARCHITECTURES,
    SeccompSpec,
    SyscallRule,
    parse_action,
    parse_arguments,
    parse_seccomp,
    parse_word,
)

# uname(2)'s machine: libseccomp's architecture, and Go's
_MACHINES = {
    "x86_64": ("SCMP_ARCH_X86_64", "amd64"),
    "i686": ("SCMP_ARCH_X86", "386"),
    "aarch64": ("SCMP_ARCH_AARCH64", "arm64"),
    "armv7l": ("SCMP_ARCH_ARM", "arm"),
    "loongarch64": ("SCMP_ARCH_LOONGARCH64", "loong64"),
    "mips64": ("SCMP_ARCH_MIPS64", "mips64"),
    "ppc64": ("SCMP_ARCH_PPC64", "ppc64"),
    "ppc64le": ("SCMP_ARCH_PPC64LE", "ppc64le"),
    "riscv64": ("SCMP_ARCH_RISCV64", "riscv64"),
    "s390x": ("SCMP_ARCH_S390X", "s390x"),
}


@dataclass(frozen=True, slots=True)
class Host:
    """What a profile's conditions ask about.

    Attributes:
        capabilities: The container's bounding set.
        machine: As uname(2) has it.
        kernel: Version and patch level: (6, 1).
    """

    capabilities: Collection[str]
    machine: str
    kernel: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Condition:
    """Capabilities, architectures and the oldest kernel of a rule; empty says nothing."""

    capabilities: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    kernel: tuple[int, int] | None = None

    def includes(self, host: Host) -> bool:
        """Tell whether all that is named holds: every capability, one of the architectures."""
        return (
            all(name in host.capabilities for name in self.capabilities)
            and (not self.architectures or _go_name(host) in self.architectures)
            and (self.kernel is None or host.kernel >= self.kernel)
        )

    def excludes(self, host: Host) -> bool:
        """Tell whether anything that is named holds."""
        return (
            any(name in host.capabilities for name in self.capabilities)
            or _go_name(host) in self.architectures
            or (self.kernel is not None and host.kernel >= self.kernel)
        )


@dataclass(frozen=True, slots=True)
class ProfileRule:
    """A rule and the containers that it is for."""

    rule: SyscallRule
    includes: Condition = Condition()
    excludes: Condition = Condition()


@dataclass(frozen=True, slots=True)
class SeccompProfile:
    """A profile.

    Attributes:
        base: All but the rules, and the architectures where the profile fixes them.
        rules: In the profile's order.
        sub_architectures: Those that are filtered beside a native one, by that.
    """

    base: SeccompSpec
    rules: tuple[ProfileRule, ...]
    sub_architectures: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def resolve(self, host: Host) -> SeccompSpec:
        """Return the `linux.seccomp` of a container."""
        native = _MACHINES.get(host.machine, ("", ""))[0]
        mapped = next(
            ((name, *others) for name, others in self.sub_architectures if name == native), ()
        )
        return SeccompSpec(
            default_action=self.base.default_action,
            default_errno_ret=self.base.default_errno_ret,
            architectures=self.base.architectures or mapped,
            flags=self.base.flags,
            listener_path=self.base.listener_path,
            listener_metadata=self.base.listener_metadata,
            syscalls=tuple(
                each.rule
                for each in self.rules
                if each.includes.includes(host) and not each.excludes.excludes(host)
            ),
        )


def parse_profile(document: Node) -> SeccompProfile:
    """Read a profile, the whole document; raises InvalidInput naming the member."""
    rules = tuple(_parse_rule(item) for item in document.members("syscalls"))
    plain = {key: document.value[key] for key in document.keys_of() if key != "syscalls"}
    # The rules themselves, that a listener is there where they need one.
    plain["syscalls"] = [each.rule.to_document() for each in rules]
    base = parse_seccomp(Node(plain, document.document, document.path))
    maps = tuple(_parse_architecture_map(item) for item in document.members("archMap"))
    if maps and base.architectures:
        raise document.require("archMap").fault("must not be set beside architectures")
    return SeccompProfile(base, rules, maps)


def _go_name(host: Host) -> str:
    return _MACHINES.get(host.machine, ("", ""))[1]


def _parse_rule(item: Node) -> ProfileRule:
    names = item.texts("names")
    if item.text("name"):  # the form of Docker before 1.13
        if names:
            raise item.require("name").fault("must not be set beside names")
        names = (item.text("name"),)
    if not names:
        raise item.require("names").fault("names no system call")
    action, errno_ret = parse_action(item, "action", "errnoRet")
    return ProfileRule(
        SyscallRule(names, action, errno_ret, parse_arguments(item)),
        _parse_condition(item.member("includes")),
        _parse_condition(item.member("excludes")),
    )


def _parse_condition(node: Node) -> Condition:
    return Condition(node.texts("caps"), node.texts("arches"), _parse_kernel(node))


def _parse_kernel(node: Node) -> tuple[int, int] | None:
    found = node.get("minKernel")
    if found is None:
        return None
    parts = found.as_text().split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise found.fault("is not a kernel's version, such as 4.8")
    return int(parts[0][:9]), int(parts[1][:9])


def _parse_architecture_map(item: Node) -> tuple[str, tuple[str, ...]]:
    return (
        parse_word(item.require("architecture"), ARCHITECTURES),
        tuple(parse_word(sub, ARCHITECTURES) for sub in item.members("subArchitectures")),
    )
