"""A part of the host's cgroup v2 tree, given to the ordinary user as systemd would give it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from ordinary_user import ordinary_user

from rootless.runtime import cgroup_tree
from rootless.runtime.cgroup import Cgroup


@dataclass(frozen=True, slots=True)
class Delegated:
    """A cgroup of the user's.

    Attributes:
        path: Its directory.
        procs_fd: Its cgroup.procs, opened by root: any process that writes `0` stands in it.
    """

    path: Path
    procs_fd: int

    def enter(self) -> None:
        """Move this process in."""
        os.write(self.procs_fd, b"0")

    def start(self, words: Sequence[str], environ: Mapping[str, str]) -> "subprocess.Popen[str]":
        """Start a program in it as the user; it is alone there."""
        user = ordinary_user()
        return subprocess.Popen(
            words,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            preexec_fn=self.enter,  # noqa: PLW1509 - nothing here has threads
            env=dict(environ),
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def below(self) -> list[str]:
        """Return the names of the cgroups in it."""
        return sorted(path.name for path in self.path.iterdir() if path.is_dir())


@contextlib.contextmanager
def delegated() -> Iterator[Delegated]:
    """Make one at the top of the tree, with all controllers that are there."""
    place = cgroup_tree.find_place()
    if place.mount_point is None:
        pytest.skip("needs kernel with a cgroup v2 tree, mounted")
    user = ordinary_user()
    path = place.mount_point / f"rootless-test-{os.getpid()}"
    path.mkdir()
    for name in (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
        os.chown(path / name, user.pw_uid, user.pw_gid)
    fd = os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    try:
        yield Delegated(path, fd)
    finally:
        os.close(fd)
        Cgroup(path).kill()
        Cgroup(path).remove()
