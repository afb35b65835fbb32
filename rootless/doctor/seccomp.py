"""Check `seccomp`: libseccomp, and what the kernel lets a filter do."""

from dataclasses import dataclass
from pathlib import Path

from rootless.doctor.check import Check, State
from rootless.errors import Precondition
from rootless.linux.libseccomp import SONAME
from rootless.runtime.seccomp import load_library

_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")  # seccomp(2), since Linux 4.14


@dataclass(frozen=True, slots=True)
class SeccompFacts:
    """What was found.

    Attributes:
        version: The library's; empty where it is not installed.
        actions: Those of the kernel; empty for one that has no filters.
    """

    version: str
    actions: tuple[str, ...]


def gather(actions: Path = _ACTIONS) -> SeccompFacts:
    """Look."""
    try:
        version = load_library().version()
    except Precondition:
        version = ""
    try:
        names = tuple(actions.read_text(encoding="utf-8").split())
    except OSError:
        names = ()
    return SeccompFacts(version, names)


def check_seccomp(facts: SeccompFacts) -> Check:
    """Judge: containers run without it, and are less confined then."""
    name = "seccomp"
    if not facts.actions:
        return Check(
            name,
            State.WARNING,
            "no filters of system calls",
            "the kernel is built without CONFIG_SECCOMP_FILTER",
            "use a distribution's kernel, or --security-opt seccomp=unconfined",
        )
    if not facts.version:
        return Check(
            name,
            State.WARNING,
            f"no {SONAME}",
            "without libseccomp containers run without a filter of system calls",
            "apt-get install libseccomp2, dnf install libseccomp, apk add libseccomp",
        )
    return Check(name, State.OK, f"libseccomp {facts.version}, {' '.join(facts.actions)}")
