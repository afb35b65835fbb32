"""`rootless.linux.signal_fd`: signals as records."""

import subprocess
import sys

# In a process of its own: of several threads, one that does not block it would take the signal.
SCRIPT = """
import os, signal
from rootless.linux.signal_fd import SI_KERNEL, read_signals, signalfd

numbers = [signal.SIGUSR1, signal.SIGUSR2]
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
fd = signalfd(numbers)
assert list(read_signals(fd)) == []
os.kill(os.getpid(), signal.SIGUSR2)
os.kill(os.getpid(), signal.SIGUSR1)
found = sorted(read_signals(fd))
assert [number for number, _ in found] == numbers
assert all(code != SI_KERNEL for _, code in found)
assert list(read_signals(fd)) == []
assert not os.get_inheritable(fd)
print("well")
"""


def test_each_comes_once() -> None:
    """What a process sends says so; none is no wait; the descriptor is nobody else's."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout == "well\n"
