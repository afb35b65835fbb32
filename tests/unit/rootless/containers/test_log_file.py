"""A container's log as it grows."""

import errno
import os
from pathlib import Path

import pytest

from rootless.containers.log_file import STDERR, STDOUT, LogFile, files_of
from rootless.containers.policy import Policy

NS = 1_769_860_800_000_000_001
TIME = b"2026-01-31T12:00:00.000000001Z"


def written(folder: Path, *pieces: bytes, policy: Policy | None = None) -> LogFile:
    """Return a log with these pieces of standard output."""
    log = LogFile(folder, policy or Policy())
    for piece in pieces:
        log.write(STDOUT, piece, NS)
    log.close()
    return log


@pytest.mark.parametrize(
    ("piece", "lines"),
    [
        (b"one\ntwo\n", [b"F one", b"F two"]),
        (b"one\n\n", [b"F one", b"F "]),
        (b"half", [b"P half"]),
        (b"one\nhalf", [b"F one", b"P half"]),
        (b"a\rb\x0bc\r\n", [b"F a\rb\x0bc\r"]),
        (b"\xff\x00\n", [b"F \xff\x00"]),
        (b"x" * 20000 + b"\n", [b"P " + b"x" * 16384, b"F " + b"x" * (20000 - 16384)]),
    ],
)
def test_records(tmp_path: Path, piece: bytes, lines: list[bytes]) -> None:
    """A line is a record, parted where it is long or not yet whole; bytes are left as they are."""
    written(tmp_path, piece)
    records = (tmp_path / "log").read_bytes().split(b"\n")[:-1]
    assert records == [TIME + b" stdout " + line for line in lines]


def test_goes_on(tmp_path: Path) -> None:
    """A new run of the container appends; the file is its user's alone."""
    written(tmp_path, b"one\n")
    log = LogFile(tmp_path, Policy())
    log.write(STDERR, b"two\n", NS)
    log.close()
    log.close()
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    assert log.error == ""


def test_rotates(tmp_path: Path) -> None:
    """No file is larger than the size, no more files than the number, the newest are kept."""
    policy = Policy(log_bytes=200, log_files=3)
    written(
        tmp_path,
        *(f"{i}\n".encode() for i in range(50)),
        b"".join(b"a\n" for _ in range(9)),
        policy=policy,
    )
    assert [path.name for path in files_of(tmp_path)] == ["log.2", "log.1", "log"]
    assert all(0 < path.stat().st_size <= 200 for path in files_of(tmp_path))
    assert (tmp_path / "log").read_bytes().endswith(b" F a\n")


def test_one_file_only(tmp_path: Path) -> None:
    """With max-file=1 the file begins anew."""
    policy = Policy(log_bytes=100, log_files=1)
    written(tmp_path, *(f"{i}\n".encode() for i in range(9)), policy=policy)
    assert os.listdir(tmp_path) == ["log"]
    assert (tmp_path / "log").read_bytes().endswith(b" F 8\n")


def test_nowhere_to_write(tmp_path: Path) -> None:
    """It is remembered, not raised; what comes later is written again."""
    folder = tmp_path / "f"
    log = LogFile(folder, Policy())
    log.write(STDOUT, b"one\n", NS)
    assert log.error == os.strerror(errno.ENOENT)
    folder.mkdir()
    log.write(STDOUT, b"two\n", NS)
    log.close()
    assert (folder / "log").read_bytes() == TIME + b" stdout F two\n"
    assert log.error


def test_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle of a record gets none of it."""
    log = LogFile(tmp_path, Policy())
    log.write(STDOUT, b"one\n", NS)
    write = os.write
    calls = []

    def full(fd: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data[:10])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        log.write(STDOUT, b"two\n", NS)
    log.write(STDOUT, b"three\n", NS)
    log.close()
    assert (tmp_path / "log").read_bytes() == b"".join(
        TIME + b" stdout F " + line for line in (b"one\n", b"three\n")
    )
    assert log.error == os.strerror(errno.ENOSPC)
