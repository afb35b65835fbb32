"""The `linux.seccomp` object of config.json (runtime-spec config-linux.md, "Seccomp")."""

from dataclasses import dataclass
from typing import Any

from rootless.oci.document import Node

NOTIFY = "SCMP_ACT_NOTIFY"
ACTIONS = (
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    NOTIFY,
)
OPERATORS = (
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
)
ARCHITECTURES = (
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
)
FLAGS = (
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
)

# The actions that carry a number, and how high the kernel takes it (seccomp(2)).
_HIGHEST_NUMBER = {"SCMP_ACT_ERRNO": 4095, "SCMP_ACT_TRACE": 0xFFFF}
_ARGUMENTS = 6
_HIGHEST_VALUE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class ArgumentRule:
    """A comparison of one argument of a system call, all 64 bits of it.

    Attributes:
        index: Which argument, from 0.
        operator: One of `OPERATORS`.
        value: What it is compared with; the mask of SCMP_CMP_MASKED_EQ.
        value_two: What the masked argument is compared with.
    """

    index: int
    operator: str
    value: int
    value_two: int = 0

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        document = {"index": self.index, "value": self.value, "op": self.operator}
        return {**document, **({"valueTwo": self.value_two} if self.value_two else {})}


@dataclass(frozen=True, slots=True)
class SyscallRule:
    """What happens to the system calls that are named, where all `arguments` fit.

    Attributes:
        errno_ret: The number of SCMP_ACT_ERRNO and SCMP_ACT_TRACE; None for EPERM.
    """

    names: tuple[str, ...]
    action: str
    errno_ret: int | None = None
    arguments: tuple[ArgumentRule, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        document: dict[str, Any] = {"names": list(self.names), "action": self.action}
        if self.errno_ret is not None:
            document["errnoRet"] = self.errno_ret
        if self.arguments:
            document["args"] = [argument.to_document() for argument in self.arguments]
        return document


@dataclass(frozen=True, slots=True)
class SeccompSpec:
    """A filter of system calls, in libseccomp's words.

    Attributes:
        default_action: For the calls that no rule is about.
        default_errno_ret: Its number; None for EPERM.
        architectures: Whose calls are filtered beside the native ones; all others are killed.
        listener_path: Socket of the agent that answers the calls of SCMP_ACT_NOTIFY.
        listener_metadata: Text for the agent.
    """

    default_action: str
    default_errno_ret: int | None = None
    architectures: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: tuple[SyscallRule, ...] = ()

    @property
    def notifies(self) -> bool:
        """Whether an agent is asked about some calls."""
        return any(rule.action == NOTIFY for rule in self.syscalls)

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        document: dict[str, Any] = {"defaultAction": self.default_action}
        if self.default_errno_ret is not None:
            document["defaultErrnoRet"] = self.default_errno_ret
        optional = {
            "architectures": list(self.architectures),
            "flags": list(self.flags),
            "listenerPath": self.listener_path,
            "listenerMetadata": self.listener_metadata,
            "syscalls": [rule.to_document() for rule in self.syscalls],
        }
        return document | {key: value for key, value in optional.items() if value}


def parse_seccomp(document: Node) -> SeccompSpec:
    """Read the `seccomp` object; raises InvalidInput naming the member."""
    action, errno_ret = parse_action(document, "defaultAction", "defaultErrnoRet")
    if action == NOTIFY:  # the call that hands the listener over would wait for its own answer
        raise document.require("defaultAction").fault(f"must not be {NOTIFY}")
    spec = SeccompSpec(
        default_action=action,
        default_errno_ret=errno_ret,
        architectures=_parse_words(document, "architectures", ARCHITECTURES),
        flags=_parse_words(document, "flags", FLAGS),
        listener_path=document.text("listenerPath"),
        listener_metadata=document.text("listenerMetadata"),
        syscalls=tuple(_parse_rule(item) for item in document.members("syscalls")),
    )
    if spec.listener_metadata and not spec.listener_path:
        raise document.require("listenerMetadata").fault("must not be set without listenerPath")
    if spec.notifies and not spec.listener_path:
        raise document.require("syscalls").fault(f"has {NOTIFY}, which needs a listenerPath")
    return spec


def parse_action(document: Node, action_key: str, errno_key: str) -> tuple[str, int | None]:
    """Return an action and its number."""
    action = parse_word(document.require(action_key), ACTIONS)
    number = document.get(errno_key)
    if number is None:
        return action, None
    if action not in _HIGHEST_NUMBER:
        raise number.fault(f"is set, and {action} takes no number")
    return action, _within(number, _HIGHEST_NUMBER[action])


def parse_arguments(item: Node) -> tuple[ArgumentRule, ...]:
    """Return the comparisons of a rule."""
    return tuple(
        ArgumentRule(
            index=_within(argument.require("index"), _ARGUMENTS - 1),
            operator=parse_word(argument.require("op"), OPERATORS),
            value=_within(argument.require("value"), _HIGHEST_VALUE),
            value_two=_within(argument.get("valueTwo"), _HIGHEST_VALUE),
        )
        for argument in item.members("args")
    )


def parse_word(node: Node, known: tuple[str, ...]) -> str:
    """Return one of the words of libseccomp; raises InvalidInput for another."""
    if node.as_text() not in known:
        raise node.fault(f"is not known: {node.value!r}")
    return node.as_text()


def _parse_words(document: Node, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(parse_word(item, known) for item in document.members(key))


def _parse_rule(item: Node) -> SyscallRule:
    action, errno_ret = parse_action(item, "action", "errnoRet")
    names = item.require("names")
    if not item.texts("names"):
        raise names.fault("names no system call")
    return SyscallRule(item.texts("names"), action, errno_ret, parse_arguments(item))


def _within(node: Node | None, highest: int) -> int:
    if node is None:
        return 0
    if not 0 <= node.as_integer() <= highest:
        raise node.fault(f"is not a number from 0 to {highest}")
    return node.as_integer()
