"""config.json."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.document import HIGHEST_ID
from rootless.oci.hooks_spec import Hook, Hooks
from rootless.oci.linux_objects import Device, TimeOffset
from rootless.oci.linux_spec import IDMapping, LinuxSpec, Namespace
from rootless.oci.runtime_spec import (
    RLIMITS,
    Capabilities,
    ConsoleSize,
    Mount,
    Process,
    Rlimit,
    Spec,
    User,
    format_spec,
    parse_spec,
)
from rootless.oci.scheduling_spec import (
    IO_CLASSES,
    POLICIES,
    SCHEDULER_FLAGS,
    CPUAffinity,
    IOPriority,
    Scheduler,
)

MINIMAL: dict[str, Any] = {
    "ociVersion": "1.1.0",
    "process": {"args": ["sh"], "cwd": "/"},
    "root": {"path": "rootfs"},
}

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
tuples = st.lists(words, max_size=3).map(tuple)
ids = st.integers(0, HIGHEST_ID)
variables = st.builds("{}={}".format, words, words)
limits = st.sampled_from([-1, 0, 1024, 2**63 - 1])
users = st.builds(
    User, ids, ids, st.lists(ids, max_size=3).map(tuple), st.none() | st.integers(0, 0o777)
)
times = st.integers(0, 2**64 - 1)
schedulers = st.builds(
    Scheduler,
    st.sampled_from(POLICIES),
    st.integers(-20, 19),
    st.integers(-(2**31), 2**31 - 1),
    st.lists(st.sampled_from(SCHEDULER_FLAGS), max_size=2).map(tuple),
    *(times, times, times),
)
processes = st.builds(
    Process,
    args=st.lists(words, min_size=1, max_size=3).map(tuple),
    cwd=words.map("/{}".format),
    env=st.lists(variables, max_size=3).map(tuple),
    user=users,
    terminal=st.booleans(),
    rlimits=st.lists(
        st.builds(Rlimit, st.sampled_from(RLIMITS), limits, limits),
        max_size=2,
        unique_by=lambda limit: limit.type,
    ).map(tuple),
    capabilities=st.none() | st.builds(Capabilities, tuples, tuples, tuples, tuples, tuples),
    no_new_privileges=st.booleans(),
    oom_score_adj=st.none() | st.integers(-1000, 1000),
    console_size=st.none() | st.builds(ConsoleSize, st.integers(0, 65535), st.integers(0, 65535)),
    scheduler=st.none() | schedulers,
    io_priority=st.none() | st.builds(IOPriority, st.sampled_from(IO_CLASSES), st.integers(0, 7)),
    cpu_affinity=st.sampled_from([None, CPUAffinity("0-3,7", "1"), CPUAffinity(final="0")]),
    apparmor_profile=words,
    selinux_label=words,
)
mappings = st.sampled_from([(), (IDMapping(0, 1000, 1), IDMapping(1, 100000, 65536))])
linux = st.sampled_from(
    [
        LinuxSpec(),
        LinuxSpec(namespaces=(Namespace("pid"), Namespace("ipc", "/x"))),
        LinuxSpec(
            time_offsets={"monotonic": TimeOffset(-5, 999_999_999), "boottime": TimeOffset(3)},
            devices=(
                Device("/dev/fuse", "c", 10, 229, 0o666, 0, 5),
                Device("/dev/x", "b", 7, 0),
                Device("/fifo", "p", mode=0o600),
            ),
            rootfs_propagation="rslave",
            personality="LINUX32",
            mount_label="l",
        ),
    ]
)
specs = st.builds(
    Spec,
    process=processes,
    root_path=words,
    root_readonly=st.booleans(),
    hostname=words,
    domainname=words,
    mounts=st.lists(
        st.builds(Mount, words.map("/{}".format), words, words, tuples, mappings, mappings),
        max_size=2,
    ).map(tuple),
    hooks=st.sampled_from([Hooks(), Hooks(poststop=(Hook("/x", ("x", "y"), ("A=1",), 3),))]),
    linux=linux,
    annotations=st.dictionaries(words.filter(bool), words, max_size=2),
)


@settings(database=None, max_examples=60)
@given(spec=specs)
def test_written_and_read(spec: Spec) -> None:
    """What is written reads back as the same spec."""
    assert parse_spec(format_spec(spec).encode()) == spec


def test_no_limit_is_the_largest_number() -> None:
    """Other runtimes write RLIM_INFINITY as 2**64-1; it is read as -1 and written so again."""
    process = {
        **MINIMAL["process"],
        "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 2**64 - 1}],
    }
    spec = parse_spec(json.dumps({**MINIMAL, "process": process}).encode())
    assert spec.process.rlimits == (Rlimit("RLIMIT_CORE", 0, -1),)
    assert '"hard": 18446744073709551615' in format_spec(spec)


def test_relative_destination_is_below_the_root() -> None:
    """config.md: a destination without a slash is deprecated, and taken as below the root."""
    document = {**MINIMAL, "mounts": [{"destination": "proc"}]}
    assert parse_spec(json.dumps(document).encode()).mounts == (Mount("/proc"),)


def test_empty_lists_of_hooks_are_none() -> None:
    """Hooks that are there are read; an empty list and null are no hooks."""
    hooks = {"prestart": [{"path": "/x"}], "poststop": [], "poststart": None}
    spec = parse_spec(json.dumps({**MINIMAL, "hooks": hooks}).encode())
    assert spec.hooks == Hooks(prestart=(Hook("/x"),))


def with_process(**members: Any) -> dict[str, Any]:
    """Return the change that gives the process these members."""
    return {"process": {**MINIMAL["process"], **members}}


LIMIT = {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"ociVersion": None}, "ociVersion is missing"),
        ({"ociVersion": "1"}, "ociVersion is 1, and 1.x is understood"),
        ({"ociVersion": 1}, "ociVersion is not a string"),
        ({"ociVersion": "2.0"}, "ociVersion is 2.0, and 1.x is understood"),
        ({"root": None}, "root is missing"),
        ({"root": {}}, "root.path is missing"),
        ({"process": None}, "process is missing"),
        (with_process(args=[]), "process.args must name the command"),
        (with_process(args=None), "process.args is missing"),
        (with_process(cwd="tmp"), "process.cwd must be an absolute path"),
        (with_process(env=["A=1", "B"]), r"process.env\[1\] must have the form NAME=VALUE"),
        (with_process(env=["A=\0"]), r"process.env\[0\] holds a NUL"),
        (with_process(user={"uid": -1}), "process.user.uid is not an ID"),
        (with_process(user={"gid": 2**32 - 1}), "process.user.gid is not an ID"),
        (with_process(user={"uid": "root"}), "process.user.uid is not an integer"),
        (with_process(user={"additionalGids": [1, 2**40]}), r"additionalGids\[1\] is not an ID"),
        (with_process(user={"umask": 2**40}), "process.user.umask is not a file mode mask"),
        (with_process(rlimits=[{**LIMIT, "hard": 2**64}]), r"rlimits\[0\].hard is not a resour"),
        (with_process(rlimits=[{**LIMIT, "soft": -1}]), r"rlimits\[0\].soft is not a resource"),
        (with_process(rlimits=[{"type": "RLIMIT_AS"}]), r"rlimits\[0\].soft is missing"),
        (with_process(rlimits=[{"type": "x"}]), r"rlimits\[0\].type is 'x', not one of RLIMIT"),
        (with_process(rlimits=[LIMIT, LIMIT]), r"rlimits\[1\].type comes twice: 'RLIMIT_CORE'"),
        (with_process(oomScoreAdj=1001), "process.oomScoreAdj is not from -1000 to 1000"),
        (with_process(consoleSize={"height": 1}), "process.consoleSize.width is missing"),
        (with_process(consoleSize={"height": 1, "width": 65536}), "width is not a number from 0"),
        (with_process(apparmorProfile=1), "process.apparmorProfile is not a string"),
        (with_process(selinuxLabel=[]), "process.selinuxLabel is not a string"),
        (with_process(capabilities=["CAP_KILL"]), "process.capabilities is not an object"),
        (with_process(terminal="yes"), "process.terminal is not true or false"),
        ({"mounts": [{}]}, r"mounts\[0\].destination is missing"),
        ({"mounts": [{"destination": "/a", "options": "ro"}]}, r"\[0\].options is not an array"),
        ({"mounts": [{"destination": "/", "uidMappings": [{}]}]}, r"uidMappings\[0\].containerID"),
        ({"hooks": []}, "hooks is not an object"),
        ({"hooks": {"prestart": 1}}, "hooks.prestart is not an array"),
        ({"hostname": 1}, "hostname is not a string"),
        ({"linux": 1}, "linux is not an object"),
        ({"annotations": {"": "x"}}, "annotations has a member without a name"),
        ({"annotations": {"a": None, "b": 1}}, "annotations.b is not a string"),
    ],
)
def test_faults(change: dict[str, Any], fault: str) -> None:
    """Each member that cannot be carried out is named, before anything is made."""
    with pytest.raises(InvalidInput, match=fault) as caught:
        parse_spec(json.dumps({**MINIMAL, **change}).encode(), "b/config.json")
    assert "b/config.json" in str(caught.value)
