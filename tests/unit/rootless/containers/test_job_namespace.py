"""The note of a job's user namespace."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.containers import job_namespace
from rootless.containers.job_namespace import JobNamespace
from rootless.paths import Paths
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import Maps

MAP = IDMap((Mapping(os.getuid(), os.getuid(), 1),))
MAPS = Maps(MAP, MAP, os.getuid(), os.getgid(), single=True)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Folders of nobody."""
    return Paths(tmp_path / "store", tmp_path / "run", tmp_path / "scratch")


@pytest.fixture
def member() -> Iterator[int]:
    """A process in a user namespace of its own."""
    with subprocess.Popen(
        ["unshare", "--user", "sh", "-c", "echo in; read x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_the_first_makes_it_and_others_find_it(paths: Paths, member: int) -> None:
    """Who comes later has the namespace of who came first."""
    first = JobNamespace.open(paths, "1", MAPS)
    assert first.user_fd == -1
    first.note(member)
    later = JobNamespace.open(paths, "1", MAPS)
    assert os.path.samestat(os.fstat(later.user_fd), os.stat(f"/proc/{member}/ns/user"))
    later.close()
    later.close()


def test_of_another_job(paths: Paths, member: int) -> None:
    """Other jobs have other namespaces."""
    JobNamespace.open(paths, "1", MAPS).note(member)
    other = JobNamespace.open(paths, "2", MAPS)
    assert other.user_fd == -1
    other.close()


def test_nobody_is_left(paths: Paths) -> None:
    """Who has ended, and what is no process, leads nowhere; the note goes with a sweep."""
    with subprocess.Popen(["true"]) as process:
        pass
    noted = JobNamespace.open(paths, "1", MAPS)
    noted.note(process.pid)
    (note,) = (paths.runtime / "jobs").iterdir()
    note.write_text(f"{os.getpid()} 1\nrubbish\n{os.getpid()}\n")
    again = JobNamespace.open(paths, "1", MAPS)
    assert again.user_fd == -1
    job_namespace.sweep(paths.runtime / "jobs")
    assert note.exists()  # somebody looks at it
    again.close()
    job_namespace.sweep(paths.runtime / "jobs")
    assert not note.exists()
    job_namespace.sweep(paths.runtime / "jobs")


def test_one_s_own_is_not_joined(paths: Paths) -> None:
    """A process of the caller's namespace is none to join."""
    JobNamespace.open(paths, "1", MAPS).note(os.getpid())
    again = JobNamespace.open(paths, "1", MAPS)
    assert again.user_fd == -1
    again.close()
