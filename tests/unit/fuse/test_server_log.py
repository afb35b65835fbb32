"""The server's log."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse import server_log
from fuse.server_log import log_to


@pytest.fixture
def log_path(tmp_path: Path) -> Iterator[Path]:
    """A log of its own for this test."""
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = []
    path = tmp_path / "log"
    log_to(str(path))
    yield path
    for handler in root.handlers:
        stream = getattr(handler, "stream", None)
        if getattr(stream, "name", None) == str(path):
            stream.close()
    root.handlers[:] = before


def test_warnings_are_written(log_path: Path) -> None:
    """A warning is a line with its time and origin."""
    logging.getLogger("fuse.x").warning("it happens: %r", b"\x1b")
    assert "WARNING fuse.x: it happens: b'\\x1b'" in log_path.read_text()


def test_the_size_is_bounded(log_path: Path) -> None:
    """What repeats itself fills a megabyte and no more."""
    for _ in range(3000):
        logging.getLogger("fuse.x").warning("x" * 1000)
    assert log_path.stat().st_size < 2 * server_log._SIZE_MAX


def test_killed_clients_are_not_worth_a_line(log_path: Path) -> None:
    """Pyfuse3's error about an answer that nobody waits for any more is dropped."""
    name, text = "pyfuse3", "fuse_lookup(): fuse_reply_* failed with %s"
    logging.getLogger(name).error(text, "No such file or directory")
    assert log_path.read_text() == ""
    logging.getLogger(name).error(text, "Invalid argument")
    assert "Invalid argument" in log_path.read_text()
