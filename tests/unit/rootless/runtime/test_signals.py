"""Signals of a child that becomes another program."""

import os
import signal

from rootless.runtime.signals import reset_signals


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
