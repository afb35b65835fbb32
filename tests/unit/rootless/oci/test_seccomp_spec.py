"""The `linux.seccomp` object of a config.json."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.document import Node
from rootless.oci.seccomp_spec import (
    ACTIONS,
    ARCHITECTURES,
    FLAGS,
    NOTIFY,
    OPERATORS,
    ArgumentRule,
    SeccompSpec,
    SyscallRule,
    parse_seccomp,
)

_VALUES = st.integers(0, (1 << 64) - 1)
_ARGUMENTS = st.builds(
    ArgumentRule, st.integers(0, 5), st.sampled_from(OPERATORS), _VALUES, _VALUES
)
_WORDS = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=9)


@st.composite
def _actions(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, int | None]:
    action = draw(st.sampled_from(names))
    numbered = action in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
    return action, draw(st.none() | st.integers(0, 4095)) if numbered else None


@st.composite
def _rules(draw: st.DrawFn) -> SyscallRule:
    names = draw(st.lists(_WORDS, min_size=1, max_size=3))
    action, number = draw(_actions(ACTIONS))
    return SyscallRule(tuple(names), action, number, tuple(draw(st.lists(_ARGUMENTS, max_size=2))))


@st.composite
def _specs(draw: st.DrawFn) -> SeccompSpec:
    action, number = draw(_actions(tuple(name for name in ACTIONS if name != NOTIFY)))
    rules = tuple(draw(st.lists(_rules(), max_size=3)))
    asked = any(rule.action == NOTIFY for rule in rules)
    path = draw(_WORDS) if asked else draw(st.just("") | _WORDS)
    return SeccompSpec(
        default_action=action,
        default_errno_ret=number,
        architectures=tuple(draw(st.lists(st.sampled_from(ARCHITECTURES), max_size=2))),
        flags=tuple(draw(st.lists(st.sampled_from(FLAGS), max_size=2))),
        listener_path=path,
        listener_metadata=draw(st.just("") | _WORDS) if path else "",
        syscalls=rules,
    )


@given(_specs())
def test_written_and_read(spec: SeccompSpec) -> None:
    """What is written reads back as the same."""
    assert parse_seccomp(Node(spec.to_document(), "spec", "linux.seccomp")) == spec


def test_example_of_the_specification() -> None:
    """config-linux.md, Seccomp, Example."""
    document = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [{"names": ["getcwd", "chmod"], "action": "SCMP_ACT_ERRNO"}],
    }
    assert parse_seccomp(Node(document, "spec")) == SeccompSpec(
        default_action="SCMP_ACT_ALLOW",
        architectures=("SCMP_ARCH_X86", "SCMP_ARCH_X32"),
        syscalls=(SyscallRule(("getcwd", "chmod"), "SCMP_ACT_ERRNO"),),
    )


def rule(**members: Any) -> dict[str, Any]:
    """Return a document with one rule of which some members are others."""
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", **members}],
    }


def argument(**members: Any) -> dict[str, Any]:
    """Return a document with one comparison of which some members are others."""
    return rule(args=[{"index": 0, "value": 1, "op": "SCMP_CMP_EQ", **members}])


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "linux.seccomp is not an object"),
        ({}, "linux.seccomp.defaultAction is missing"),
        ({"defaultAction": "SCMP_ACT_MAYBE"}, r"defaultAction is not known: 'SCMP_ACT_MAYBE'"),
        ({"defaultAction": NOTIFY}, "defaultAction must not be SCMP_ACT_NOTIFY"),
        (
            {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1},
            "defaultErrnoRet is set, and SCMP_ACT_ALLOW takes no number",
        ),
        (
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096},
            "defaultErrnoRet is not a number from 0 to 4095",
        ),
        (
            {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_VAX"]},
            r"architectures\[0\] is not known: 'SCMP_ARCH_VAX'",
        ),
        (
            {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG", "X"]},
            r"flags\[1\] is not known: 'X'",
        ),
        (
            {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"},
            "listenerMetadata must not be set without listenerPath",
        ),
        (rule(action=NOTIFY), "syscalls has SCMP_ACT_NOTIFY, which needs a listenerPath"),
        (rule(action="allow"), r"syscalls\[0\].action is not known: 'allow'"),
        (rule(names=[]), r"syscalls\[0\].names names no system call"),
        (rule(names=None), r"syscalls\[0\].names is missing"),
        (rule(names=["read", 1]), r"syscalls\[0\].names\[1\] is not a string"),
        (rule(errnoRet=-1), r"syscalls\[0\].errnoRet is not a number from 0 to 4095"),
        (rule(errnoRet="EPERM"), r"syscalls\[0\].errnoRet is not an integer"),
        (
            rule(action="SCMP_ACT_KILL", errnoRet=1),
            r"syscalls\[0\].errnoRet is set, and SCMP_ACT_K",
        ),
        (argument(index=6), r"args\[0\].index is not a number from 0 to 5"),
        (argument(index=None), r"args\[0\].index is missing"),
        (
            argument(value=1 << 64),
            r"args\[0\].value is not a number from 0 to 18446744073709551615",
        ),
        (argument(valueTwo=-1), r"args\[0\].valueTwo is not a number"),
        (argument(op="=="), r"syscalls\[0\].args\[0\].op is not known: '=='"),
    ],
)
def test_faults(document: Any, fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_seccomp(Node(document, "spec", "linux.seccomp"))
