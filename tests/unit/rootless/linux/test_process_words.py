"""Words that a process was started with."""

import os
from pathlib import Path

from rootless.linux import process_words


def test_they_can_be_hidden() -> None:
    """A fork's own words go, its parent's stay."""
    before = Path("/proc/self/cmdline").read_bytes()
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            process_words.hide()
            os.write(write_fd, Path("/proc/self/cmdline").read_bytes().strip(b"\0") + b".")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read_fd, 4096) == b"."
    assert before.strip(b"\0")
    assert Path("/proc/self/cmdline").read_bytes() == before
    os.close(read_fd)
    os.close(write_fd)
