"""The seccomp filter of a spec, as the BPF program that the kernel takes (seccomp(2)).

It is compiled by libseccomp while the host's files are there; the workload loads the bytes as one
of the last things before execve(2), when nothing can be imported any more.
"""

import logging
from dataclasses import dataclass

from rootless.errors import InvalidInput, Precondition
from rootless.linux import libseccomp
from rootless.linux import seccomp as kernel
from rootless.linux.libseccomp import Comparison, Filter, Libseccomp
from rootless.oci.seccomp_spec import NOTIFY, ArgumentRule, SeccompSpec, SyscallRule

log = logging.getLogger(__name__)

_EPERM = 1

_ACTIONS = {
    "SCMP_ACT_KILL": libseccomp.KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": libseccomp.KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": libseccomp.KILL_PROCESS,
    "SCMP_ACT_TRAP": libseccomp.TRAP,
    "SCMP_ACT_ERRNO": libseccomp.ERRNO,
    "SCMP_ACT_TRACE": libseccomp.TRACE,
    "SCMP_ACT_ALLOW": libseccomp.ALLOW,
    "SCMP_ACT_LOG": libseccomp.LOG,
    NOTIFY: libseccomp.NOTIFY,
}
_NUMBERED = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
_OPERATORS = {
    "SCMP_CMP_NE": libseccomp.NE,
    "SCMP_CMP_LT": libseccomp.LT,
    "SCMP_CMP_LE": libseccomp.LE,
    "SCMP_CMP_EQ": libseccomp.EQ,
    "SCMP_CMP_GE": libseccomp.GE,
    "SCMP_CMP_GT": libseccomp.GT,
    "SCMP_CMP_MASKED_EQ": libseccomp.MASKED_EQ,
}
_FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": kernel.FILTER_FLAG_TSYNC,
    "SECCOMP_FILTER_FLAG_LOG": kernel.FILTER_FLAG_LOG,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": kernel.FILTER_FLAG_SPEC_ALLOW,
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": kernel.FILTER_FLAG_WAIT_KILLABLE_RECV,
}
# The workload hands its listener over, and waits for word that the agent has it.
_HANDING_OVER = ("sendmsg", "recvmsg")


@dataclass(frozen=True, slots=True)
class SeccompFilter:
    """A program and how to load it.

    Attributes:
        program: An array of struct sock_filter.
        flags: Of seccomp(2).
    """

    program: bytes
    flags: int = 0

    @property
    def notifies(self) -> bool:
        """Whether loading it gives a listener."""
        return bool(self.flags & kernel.FILTER_FLAG_NEW_LISTENER)


def load_library() -> Libseccomp:
    """Return libseccomp; raises Precondition where it is not installed."""
    try:
        return Libseccomp()
    except OSError as error:
        raise Precondition(
            "seccomp needs libseccomp, which is not installed",
            libseccomp.SONAME,
            "apt-get install libseccomp2",
            check="seccomp",
        ) from error


def compile_filter(spec: SeccompSpec, library: Libseccomp) -> SeccompFilter:
    """Return the filter that a spec asks for; raises InvalidInput for what cannot be done."""
    default = _action(spec.default_action, spec.default_errno_ret)
    with library.filter(default) as made:
        for name in spec.architectures:
            token = architecture(library, name)
            if token is None:
                raise InvalidInput(
                    f"libseccomp {library.version()} does not know the architecture", name
                )
            made.add_architecture(token)
        for rule in spec.syscalls:
            action = _action(rule.action, rule.errno_ret)
            if action != default:  # libseccomp refuses a rule that changes nothing
                _add_rules(made, rule, action, library)
        program = made.export()
    if len(program) > kernel.MOST_INSTRUCTIONS * kernel.INSTRUCTION_BYTES:
        raise InvalidInput(
            "the seccomp rules make too long a program",
            f"{len(program) // kernel.INSTRUCTION_BYTES} instructions",
            f"the kernel takes {kernel.MOST_INSTRUCTIONS}",
        )
    return SeccompFilter(program, flags_of(spec))


def architecture(library: Libseccomp, name: str) -> int | None:
    """Return libseccomp's token for `SCMP_ARCH_…`; None where this version knows none."""
    return library.architecture(name.removeprefix("SCMP_ARCH_").lower())


def flags_of(spec: SeccompSpec) -> int:
    """Return the flags of seccomp(2)."""
    flags = 0
    for name in spec.flags:
        flags |= _FLAGS[name]
    if spec.notifies:
        return flags | kernel.FILTER_FLAG_NEW_LISTENER
    return flags & ~kernel.FILTER_FLAG_WAIT_KILLABLE_RECV  # the kernel refuses it alone


def _action(name: str, errno_ret: int | None) -> int:
    if name not in _NUMBERED:
        return _ACTIONS[name]
    return _ACTIONS[name] | (_EPERM if errno_ret is None else errno_ret)


def _add_rules(made: Filter, rule: SyscallRule, action: int, library: Libseccomp) -> None:
    alternatives = _alternatives(rule.arguments)
    for name in rule.names:
        if rule.action == NOTIFY and name in _HANDING_OVER:
            raise InvalidInput(
                f"{NOTIFY} cannot be asked about the call that hands the listener over", name
            )
        number = library.syscall(name)
        if number is None:
            # Of a newer kernel, or of none; other runtimes leave it out as well.
            log.debug("libseccomp does not know the system call %r: no rule for it", name)
            continue
        for comparisons in alternatives:
            try:
                made.add_rule(action, number, comparisons)
            except OSError as error:
                raise InvalidInput(
                    f"libseccomp refuses the rule: {error.strerror}", f"{rule.action} for {name}"
                ) from error


def _alternatives(arguments: tuple[ArgumentRule, ...]) -> list[list[Comparison]]:
    """Return the comparisons of each rule to add.

    libseccomp compares an argument once in a rule. Where a spec has several comparisons of one
    argument, each is a rule of its own, as in runc and crun: one of them is enough.
    """
    comparisons = [
        (argument.index, _OPERATORS[argument.operator], argument.value, argument.value_two)
        for argument in arguments
    ]
    if len({argument.index for argument in arguments}) < len(arguments):
        return [[comparison] for comparison in comparisons]
    return [comparisons]
