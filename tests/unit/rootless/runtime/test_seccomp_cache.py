"""Compiled filters that are kept, and what of them is believed."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rootless.linux.libseccomp import Libseccomp
from rootless.oci.seccomp_spec import SeccompSpec, SyscallRule
from rootless.runtime.seccomp import SeccompFilter, compile_filter
from rootless.runtime.seccomp_cache import cached_filter

SPEC = SeccompSpec(
    "SCMP_ACT_ALLOW",
    flags=("SECCOMP_FILTER_FLAG_LOG",),
    syscalls=(SyscallRule(("mkdir", "mkdirat"), "SCMP_ACT_ERRNO"),),
)
ALLOW_ALL = bytes.fromhex("060000000000ff7f")  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where filters are kept; it is not there yet."""
    return tmp_path / "run" / "seccomp"


def kept(folder: Path) -> Path:
    """Return the one file."""
    (path,) = folder.iterdir()
    return path


def load(folder: Path, spec: SeccompSpec = SPEC) -> SeccompFilter:
    """Return the filter by way of the folder."""
    return cached_filter(spec, Libseccomp(), folder)


def forged(path: Path, program: bytes) -> bytes:
    """Return a file's contents that are right in form."""
    return hashlib.sha256(path.name.encode() + program).digest() + program


def test_kept_and_found(folder: Path) -> None:
    """The second time the program comes out of a file of the user's alone, flags included."""
    made = load(folder)
    assert made == compile_filter(SPEC, Libseccomp())
    path = kept(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_bytes() == forged(path, made.program)
    path.write_bytes(forged(path, ALLOW_ALL))
    assert load(folder) == SeccompFilter(ALLOW_ALL, made.flags)


def test_each_spec_has_its_own(folder: Path) -> None:
    """Another spec is another file."""
    load(folder)
    load(folder, SeccompSpec("SCMP_ACT_LOG"))
    assert len(list(folder.iterdir())) == 2


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def _odd(path: Path) -> None:
    path.write_bytes(forged(path, ALLOW_ALL + b"x"))


def _empty(path: Path) -> None:
    path.write_bytes(forged(path, b""))


def _huge(path: Path) -> None:
    path.write_bytes(forged(path, ALLOW_ALL * 4097))


def _writable(path: Path) -> None:
    path.write_bytes(forged(path, ALLOW_ALL))
    path.chmod(0o620)


def _in_a_shared_folder(path: Path) -> None:
    path.write_bytes(forged(path, ALLOW_ALL))
    path.parent.chmod(0o770)


def _renamed(path: Path) -> None:
    load(path.parent, SeccompSpec("SCMP_ACT_ALLOW"))
    (other,) = set(path.parent.iterdir()) - {path}
    other.rename(path)


def _link(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    target.write_bytes(forged(path, ALLOW_ALL))
    path.unlink()
    path.symlink_to(target)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        *(_truncated, _odd, _empty, _huge, _writable, _in_a_shared_folder, _link, _fifo, _renamed),
        _directory,
    ],
)
def test_what_is_not_believed(folder: Path, spoil: Callable[[Path], None]) -> None:
    """A file that is not whole, or that another could have put there, is made anew."""
    made = load(folder)
    spoil(kept(folder))
    assert load(folder) == made


def test_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """A folder that cannot be made costs the time of compiling, and nothing else."""
    (tmp_path / "file").write_text("")
    assert load(tmp_path / "file" / "seccomp") == compile_filter(SPEC, Libseccomp())


def test_many_are_not_kept(folder: Path) -> None:
    """What is in the way goes when there are many."""
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / str(number)).write_text("")
    load(folder)
    kept(folder)
