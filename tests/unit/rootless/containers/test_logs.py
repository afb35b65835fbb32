"""A container's log as it is read."""

import os
from pathlib import Path

import pytest

from rootless.containers.log_file import STDERR, STDOUT, LogFile
from rootless.containers.logs import Entry, LogReader, Wanted, parse_entry, read
from rootless.containers.policy import Policy
from rootless.containers.times import format_time


def texts(entries: object) -> list[bytes]:
    """Return what entries say."""
    return [entry.text for entry in entries]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (b"T stdout F a b", Entry(b"T", b"stdout", True, b"a b")),
        (b"T stderr P ", Entry(b"T", b"stderr", False, b"")),
        (b"", None),
        (b"T stdout", None),
        (b"T stdout X a", None),
        (b"\0\0\0", None),
    ],
)
def test_entries(line: bytes, entry: Entry | None) -> None:
    """What is no record, as after a crash, is none."""
    assert parse_entry(line) == entry


def a_log(folder: Path, policy: Policy | None = None) -> LogFile:
    """Return a log that is open for writing."""
    return LogFile(folder, policy or Policy())


def test_wanted(tmp_path: Path) -> None:
    """By lines from the end, a parted one counting once, and by times."""
    log = a_log(tmp_path)
    for i, (stream, data) in enumerate(
        [(STDOUT, b"a\n"), (STDOUT, b"b1"), (STDERR, b"e\n"), (STDOUT, b"b2\n"), (STDOUT, b"c\n")]
    ):
        log.write(stream, data, i)
    log.close()
    assert texts(read(tmp_path, Wanted())) == [b"a", b"b1", b"e", b"b2", b"c"]
    assert texts(read(tmp_path, Wanted(tail=1))) == [b"c"]
    assert texts(read(tmp_path, Wanted(tail=3))) == [b"b1", b"b2", b"e", b"c"]
    assert texts(read(tmp_path, Wanted(tail=0))) == []
    since, until = format_time(1), format_time(2)
    assert texts(read(tmp_path, Wanted(since=since, until=until))) == [b"b1", b"e"]


def test_nothing_yet(tmp_path: Path) -> None:
    """A container that has never run has said nothing."""
    assert texts(read(tmp_path, Wanted())) == []


@pytest.mark.parametrize("every", [1, 3, 40])
def test_follows_through_rotation(tmp_path: Path, every: int) -> None:
    """Whoever looks often enough misses nothing; who does not goes on with what there is."""
    log = a_log(tmp_path, Policy(log_bytes=200, log_files=4))
    reader = LogReader(tmp_path)
    said: list[bytes] = []
    expected = [str(i).encode() for i in range(100)]
    for i, text in enumerate(expected):
        log.write(STDOUT, text + b"\n", i)
        if i % every == 0:
            said += texts(reader.entries())
    said += texts(reader.entries())
    log.close()
    reader.close()
    if every < 40:
        assert said == expected
    else:
        assert said == sorted(said, key=int)
        assert said[-10:] == expected[-10:]


def test_follows_to_the_end(tmp_path: Path) -> None:
    """What comes with the last word is shown."""
    log = a_log(tmp_path)
    log.write(STDOUT, b"one\n", 1)
    answers = iter([(b"two\n", True), (b"three\n", False)])

    def more() -> bool:
        data, goes_on = next(answers)
        log.write(STDOUT, data, 2)
        return goes_on

    assert texts(read(tmp_path, Wanted(), more)) == [b"one", b"two", b"three"]
    log.close()


def test_names_move_on_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation between the reader's looks at two names makes it skip nothing."""
    log = a_log(tmp_path, Policy(log_bytes=200, log_files=50))
    count = 0
    opened = os.open

    def say(times: int) -> None:
        nonlocal count
        for _ in range(times):
            log.write(STDOUT, b"%d\n" % count, count)
            count += 1

    def slow_open(path: object, flags: int, *mode: int) -> int:
        if flags & os.O_ACCMODE == os.O_RDONLY and count < 60:
            say(4)
        return opened(path, flags, *mode)  # type: ignore[arg-type]

    say(12)
    reader = LogReader(tmp_path)
    monkeypatch.setattr(os, "open", slow_open)
    said = [text for _ in range(20) for text in texts(reader.entries())]
    reader.close()
    log.close()
    assert said == [b"%d" % i for i in range(count)]
