"""A process by its ID and its start."""

import os
import signal
import subprocess
from dataclasses import replace

from rootless.linux.process_id import identify, own_id, pid_of


def test_a_living_one() -> None:
    """It is who it is as long as it lives, and takes signals."""
    with subprocess.Popen(["sleep", "60"]) as process:
        found = identify(process.pid)
        assert found is not None
        assert identify(process.pid) == found
        fd = os.pidfd_open(process.pid)
        assert pid_of(fd) == process.pid
        assert found.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM
        assert pid_of(fd) == -1
        os.close(fd)
    assert not found.send_signal(signal.SIGTERM)
    assert identify(process.pid) is None


def test_one_that_has_its_id_by_now() -> None:
    """A process of the same ID that started at another time is left alone."""
    with subprocess.Popen(["sleep", "60"]) as process:
        found = identify(process.pid)
        assert found is not None
        other = replace(found, started=found.started - 1)
        assert not other.send_signal(signal.SIGKILL)
        assert process.poll() is None
        process.kill()


def test_own() -> None:
    """The caller's."""
    assert own_id().pid == os.getpid()
