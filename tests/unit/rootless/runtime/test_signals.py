"""Signals of a child that becomes another program."""

import os
import signal
import subprocess

import pytest

from rootless.runtime.signals import Forwarding, reset_signals


def test_nothing_is_ignored_or_blocked() -> None:
    """After it, no signal is ignored, blocked or handled, whatever was before."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        reset_signals()
        with open("/proc/self/status", encoding="ascii") as file:
            lines = dict(line.rstrip().split(":\t", 1) for line in file)
        ours = sum(1 << number - 1 for number in signal.valid_signals())
        clean = all(int(lines[name], 16) & ours == 0 for name in ("SigBlk", "SigIgn", "SigCgt"))
        os._exit(0 if clean else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


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
