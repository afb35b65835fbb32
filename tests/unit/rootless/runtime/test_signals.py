"""Signals that are passed on."""

import os
import signal
import subprocess

import pytest

from rootless.runtime.signals import Forwarding


def test_passed_on_and_put_back() -> None:
    """A signal goes to the process that was started; the handlers before come back."""
    before = signal.getsignal(signal.SIGUSR1)
    with Forwarding() as forwarding, subprocess.Popen(["sleep", "600"]) as process:
        pidfd = os.pidfd_open(process.pid)
        forwarding.to(pidfd)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert process.wait(10) == -signal.SIGUSR1
        os.kill(os.getpid(), signal.SIGUSR1)  # nobody is there any more
    os.close(pidfd)
    assert signal.getsignal(signal.SIGUSR1) is before


def test_one_that_comes_too_early() -> None:
    """It waits until there is a process; a second one ends who waits."""
    with Forwarding() as forwarding, subprocess.Popen(["sleep", "600"]) as process:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(SystemExit) as ended:
            os.kill(os.getpid(), signal.SIGINT)
        assert ended.value.code == 128 + signal.SIGINT
        pidfd = os.pidfd_open(process.pid)
        forwarding.to(pidfd)
        assert process.wait(10) == -signal.SIGTERM
    os.close(pidfd)
