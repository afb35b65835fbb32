"""Sequences of operations that once told the `fuse` driver from kernel overlayfs."""

import os
import stat
from pathlib import Path

import pytest
from lockstep import operations as do
from lockstep.bench import Bench, on_bench
from mounting import maps_for

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

CAPABLE = 8
"""A random image in which a file of another owner has capabilities."""

SEQUENCES = {
    "the device that is a whiteout": (0, (do.MakeNode("a/new", stat.S_IFCHR | 0o644),)),
    "an attribute of no kind": (0, (do.GetXattr("a/a", "other.a"),)),
    "capabilities of a copy": (
        CAPABLE,
        (do.Link("a/c", "c/c", follow=False), do.RemoveXattr("a/b/c", "user.a", follow=False)),
    ),
    "a removed FIFO": (
        0,
        (
            do.Open(0, "b/c", os.O_RDONLY, 0),
            do.ChangeMode("b/c", 0o640),
            do.Unlink("b/c"),
            do.ChangeModeOpen(0, 0o600),
            do.ChangeTimesOpen(0, (1, 0), (2, 0)),
            do.RemoveXattrOpen(0, "user.a"),
            do.Compare(),
        ),
    ),
    "another owner by the older of two names": (
        0,
        (
            do.Link("a/b/a", "a/c/c", follow=True),
            do.ChangeMode("a/c/c", 0o6711),
            do.ChangeOwner("a/b/a", 0, -1, follow=False),
            do.Compare(),
        ),
    ),
    "two descriptors of a linked FIFO": (
        0,
        (
            do.Open(0, "b/c", os.O_RDONLY | os.O_NONBLOCK, 0),
            do.Link("b/c", "a/c/c", follow=True),
            do.Open(1, "a/c/c", os.O_WRONLY | os.O_NONBLOCK, 0),
        ),
    ),
    "a removed FIFO that is given an attribute": (
        0,
        (
            do.Open(0, "b/c", os.O_RDONLY | os.O_NONBLOCK, 0),
            do.Unlink("b/c"),
            do.SetXattrOpen(0, "other.a", b"value", os.XATTR_CREATE),
            do.Remount(),
        ),
    ),
    "the time of a directory that a name was removed from": (
        5,
        (do.Unlink("b/b/b"), do.Compare()),
    ),
}


@pytest.mark.parametrize("is_ephemeral", [False, True])
@pytest.mark.parametrize("name", SEQUENCES)
def test_found(tmp_path: Path, id_map: str, name: str, *, is_ephemeral: bool) -> None:
    """Both do the same now."""
    image, operations = SEQUENCES[name]

    def body(bench: Bench) -> None:
        for looks in (True, False):
            bench.pair(image, looks=looks).run(operations)

    on_bench(tmp_path, maps_for(id_map), body, on_disk=False, is_ephemeral=is_ephemeral)
