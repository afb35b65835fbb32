"""`rootless.linux.job`: a command's signals as a job of a shell."""

import os
import signal
import subprocess
import sys

from rootless.linux import job

# In a process of its own: of several threads, one that does not block it would take the signal.
SCRIPT = """
import os, signal
from rootless.linux.job import GroupSignals, ignored

signal.signal(signal.SIGUSR2, signal.SIG_IGN)
assert signal.SIGUSR2 in ignored()
with GroupSignals([signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP]) as signals:
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    signals.is_shared = True
    assert list(signals.take()) == [signal.SIGUSR1]
    os.kill(os.getpid(), signal.SIGHUP)
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
print("well")
"""


def test_only_what_was_sent_to_it() -> None:
    """One that is ignored stays so; one that nobody took by the end is dropped."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout == "well\n"


def test_what_the_interpreter_ignores_is_not_the_caller_s() -> None:
    """SIGPIPE and SIGXFSZ are ignored by Python, for itself."""
    assert not {signal.SIGPIPE, signal.SIGXFSZ} & set(job.ignored())


def test_it_stops_once() -> None:
    """It stops as by the terminal's key, goes on where it was, and has no handler left."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)  # a job of this one, which makes it no orphan
        job.stop()
        os._exit(7 if signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL else 1)
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == signal.SIGTSTP
    os.kill(pid, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
