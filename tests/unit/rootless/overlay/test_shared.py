"""A lower for several runs; a mounted one is in tests/holder."""

import os
from pathlib import Path

from rootless.overlay.shared import SharedLower


def test_it_is_let_go(tmp_path: Path) -> None:
    """All descriptors are closed, once; the log's last line stays to be read."""
    log = tmp_path / "log"
    log.write_text("one\ntwo\n")
    fds = [os.open("/", os.O_PATH) for _ in range(4)]
    lower = SharedLower.from_fds(tmp_path, str(log), fds)
    assert lower.fds() == fds
    assert lower.server.last_words() == "two"
    lower.close()
    lower.close()
    assert lower.fds() == [-1] * 4
