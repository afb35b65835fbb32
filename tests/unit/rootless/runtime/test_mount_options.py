"""Mount options."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.linux import mount_api as api
from rootless.oci.runtime_spec import Mount, Process, Spec
from rootless.runtime.mount_options import (
    MountOptions,
    parse_mount_options,
    with_absolute_sources,
)

# runtime-spec config.md, "Linux mount options": what undoes what
PAIRS = [
    *(("async", "sync"), ("atime", "noatime"), ("dev", "nodev"), ("diratime", "nodiratime")),
    *(("exec", "noexec"), ("noiversion", "iversion"), ("nolazytime", "lazytime")),
    *(("loud", "silent"), ("nomand", "mand"), ("norelatime", "relatime"), ("rw", "ro")),
    *(("nostrictatime", "strictatime"), ("suid", "nosuid"), ("symfollow", "nosymfollow")),
]
RECURSIVE = [
    *(("rdev", "rnodev"), ("rexec", "rnoexec"), ("rrw", "rro"), ("rsuid", "rnosuid")),
    *(("rdiratime", "rnodiratime"), ("rsymfollow", "rnosymfollow"), ("ratime", "rnoatime")),
    *(("rnostrictatime", "rstrictatime"), ("rrelatime", "rnoatime")),
]
WORDS = [word for pair in (*PAIRS, *RECURSIVE) for word in pair] + [
    *("bind", "rbind", "defaults", "dirsync", "remount", "private", "rprivate", "shared"),
    *(
        "rshared",
        "slave",
        "rslave",
        "unbindable",
        "runbindable",
        "tmpcopyup",
        "z",
        "Z",
        "",
        "idmap",
    ),
]


@pytest.mark.parametrize(("off", "on"), PAIRS)
def test_later_ones_win(off: str, on: str) -> None:
    """Of two that contradict each other the last one counts; each is a flag, none is data."""
    only_on = parse_mount_options([on])
    assert only_on.flags
    assert parse_mount_options([off]) == MountOptions()
    assert parse_mount_options([off, on]) == only_on
    assert parse_mount_options([on, off]) == MountOptions()


@pytest.mark.parametrize(("off", "on"), RECURSIVE)
def test_later_ones_win_for_the_mounts_below(off: str, on: str) -> None:
    """The recursive forms too: one sets and one clears; they leave the mount's own flags alone."""
    only_on, only_off = parse_mount_options([on]), parse_mount_options([off])
    assert only_on.recursive_attributes
    assert not only_off.recursive_attributes
    assert only_off.recursive_cleared & only_on.recursive_attributes
    assert not only_on.flags | only_off.flags
    assert parse_mount_options([off, on]) == only_on
    assert parse_mount_options([on, off]) == only_off


def test_times_of_access_are_one_of_three() -> None:
    """The kernel takes a new one only with all of them cleared."""
    for word in ("rnoatime", "rstrictatime", "rrelatime", "ratime", "rnorelatime"):
        assert parse_mount_options([word]).recursive_cleared == api.MOUNT_ATTR__ATIME
    assert parse_mount_options(["ro"]).times_of_access is None
    assert parse_mount_options(["relatime"]).times_of_access == 0
    both = parse_mount_options(["noatime", "nodiratime"]).times_of_access
    assert both == api.MOUNT_ATTR_NOATIME | api.MOUNT_ATTR_NODIRATIME


def test_idmap() -> None:
    """The last of the two words counts."""
    assert parse_mount_options([]).idmap is None
    assert parse_mount_options(["ridmap", "idmap"]).idmap is False
    assert parse_mount_options(["idmap", "ridmap"]).idmap is True


@settings(database=None, max_examples=60)
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=8), data=st.lists(st.text("xy=", min_size=1))
)
def test_known_words_are_never_data(words: list[str], data: list[str]) -> None:
    """What a file system gets is what nobody else takes, in its order."""
    assert parse_mount_options([*words, *data]).data == tuple(data)
    assert parse_mount_options([*data, *words]).data == tuple(data)


@settings(database=None, max_examples=60)
@given(words=st.lists(st.sampled_from(WORDS), max_size=8))
def test_saying_it_twice_changes_nothing(words: list[str]) -> None:
    """The same list again gives the same mount."""
    assert parse_mount_options([*words, *words]) == parse_mount_options(words)


def test_propagation_is_one() -> None:
    """The last kind of propagation counts, with its reach."""
    assert parse_mount_options(["rshared", "slave"]).propagation == api.MS_SLAVE
    found = parse_mount_options(["shared", "rprivate"])
    assert found.propagation == api.MS_PRIVATE | api.MS_REC
    assert not found.flags


def test_bind_and_attributes() -> None:
    """A bind mount takes its flags as attributes, since mount(2) ignores them there."""
    found = parse_mount_options(["rbind", "ro", "nosuid", "nodev", "noexec", "noatime"])
    assert found.is_bind
    assert found.flags & api.MS_REC
    everything = api.MOUNT_ATTR_RDONLY | api.MOUNT_ATTR_NOSUID | api.MOUNT_ATTR_NODEV
    assert found.attributes == everything | api.MOUNT_ATTR_NOEXEC
    assert not parse_mount_options(["ro"]).is_bind


def test_tmpfs() -> None:
    """Only `tmpcopyup` is ours; size and mode are the file system's."""
    found = parse_mount_options(["nosuid", "tmpcopyup", "size=1m", "mode=755"])
    assert (found.copy_up, found.data) == (True, ("size=1m", "mode=755"))


def test_sources_of_bind_mounts_are_the_bundles() -> None:
    """config.md: relative to the bundle; other mounts' sources are only names."""
    mounts = (
        Mount("/a", "none", "sub", ("rbind",)),
        Mount("/b", "bind", "/abs"),
        Mount("/c", "tmpfs", "tmpfs"),
    )
    found = with_absolute_sources(Spec(Process(("x",)), mounts=mounts), Path("/bundle")).mounts
    assert [mount.source for mount in found] == ["/bundle/sub", "/abs", "tmpfs"]
