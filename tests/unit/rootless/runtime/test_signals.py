"""Signals of a child that becomes another program."""

import os
import signal
import subprocess

from rootless.runtime.signals import forwarding, reset_signals


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
    pidfds: list[int] = []
    with forwarding(pidfds), subprocess.Popen(["sleep", "600"]) as process:
        pidfds.append(os.pidfd_open(process.pid))
        os.kill(os.getpid(), signal.SIGUSR1)
        assert process.wait(10) == -signal.SIGUSR1
        os.kill(os.getpid(), signal.SIGUSR1)  # nobody is there any more
    os.close(pidfds[0])
    assert signal.getsignal(signal.SIGUSR1) is before
