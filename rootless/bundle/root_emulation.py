"""Root emulation: what root does with owners and IDs seems to work where only one ID is mapped.

Without sub-IDs a container has one user. Package managers and tar give files away all the same, and
stop where that fails. So a filter of system calls (seccomp(2)) lets those calls succeed and do
nothing: chown(2) and its kin, the set-ID calls, setgroups(2), capset(2), and mknod(2) of devices.
Everything goes on belonging to the container's one user, which is what the others would see.

Against the alternatives: a library that is preloaded (fakeroot) must fit the image's C library and
does nothing for static programs; ptrace(2) makes every call slow. The filter costs nothing, and
keeps no account of owners: a program that looks whether its chown had an effect sees that it had
none. apt looks, after it has given up its rights for a download: it is told not to try.
"""

import stat
from dataclasses import replace

from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Spec
from rootless.oci.seccomp_spec import ArgumentRule, SeccompSpec, SyscallRule

AUTO, ON, OFF = "auto", "on", "off"
MODES = (AUTO, ON, OFF)

APT_FOLDER = b"etc/apt/apt.conf.d"
APT_FILE = "/dev/rootless-apt.conf"  # where nothing of the image lies, and nothing is committed
APT_VARIABLE = f"APT_CONFIG={APT_FILE}"
APT_CONFIG = b'APT::Sandbox::User "root";\n'
"""apt(8) drops to a user of its own for downloads, and finds out that this had no effect."""

_OWNERS = """
    chown chown32 fchown fchown32 fchownat lchown lchown32
    setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
    setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32
    setgroups setgroups32 capset
"""
_MKNOD = {"mknod": 1, "mknodat": 2}  # which argument is the mode
_DEVICES = (stat.S_IFCHR, stat.S_IFBLK)
_NO_DEVICES = (0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK)
_TYPE = 0o170000  # S_IFMT
_ALLOW, _ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


def parse_mode(text: str) -> str:
    """Return the word that `--root-emulation` was given; raises InvalidInput."""
    if text not in MODES:
        raise InvalidInput("unknown root emulation", text, f"one of {', '.join(MODES)}")
    return text


def is_wanted(mode: str, uid: int, *, single: bool) -> bool:
    """Return whether a container gets it: by itself where one ID is mapped and is root.

    Args:
        mode: One of `MODES`.
        uid: The workload's user.
        single: Only one ID is mapped.
    """
    return mode == ON or (mode == AUTO and single and uid == 0)


def with_root_emulation(spec: Spec) -> Spec:
    """Return the spec with a filter that lets these calls succeed, whatever it said of them."""
    found = spec.linux.seccomp or SeccompSpec(_ALLOW)
    emulated = {*_OWNERS.split(), *_MKNOD}
    others = (
        replace(rule, names=tuple(name for name in rule.names if name not in emulated))
        for rule in found.syscalls
    )
    rules = (*(rule for rule in others if rule.names), *_rules())
    seccomp = replace(found, syscalls=rules)
    return replace(spec, linux=replace(spec.linux, seccomp=seccomp))


def with_apt_config(spec: Spec) -> Spec:
    """Return the spec with the variable that names apt's file, unless it has one of its own."""
    process = spec.process
    if any(each.startswith("APT_CONFIG=") for each in process.env):
        return spec
    return replace(spec, process=replace(process, env=(*process.env, APT_VARIABLE)))


def _rules() -> list[SyscallRule]:
    rules = [SyscallRule(tuple(_OWNERS.split()), _ERRNO, 0)]
    for name, index in _MKNOD.items():
        rules += [SyscallRule((name,), _ERRNO, 0, (_of_type(index, t),)) for t in _DEVICES]
        rules += [SyscallRule((name,), _ALLOW, None, (_of_type(index, t),)) for t in _NO_DEVICES]
    return rules


def _of_type(index: int, kind: int) -> ArgumentRule:
    return ArgumentRule(index, "SCMP_CMP_MASKED_EQ", _TYPE, kind)
