"""`rootless.linux.signal_fd`: signals as records."""

import os
import signal
from collections.abc import Iterator

import pytest

from rootless.linux.signal_fd import SI_KERNEL, read_signals, signalfd


@pytest.fixture
def fd() -> Iterator[int]:
    """A descriptor of SIGUSR1 and SIGUSR2, blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    opened = signalfd([signal.SIGUSR1, signal.SIGUSR2])
    yield opened
    list(read_signals(opened))
    os.close(opened)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_each_comes_once(fd: int) -> None:
    """What a process sends says so; none is no wait; the descriptor is nobody else's."""
    assert list(read_signals(fd)) == []
    os.kill(os.getpid(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR1)
    found = sorted(read_signals(fd))
    assert [number for number, _ in found] == [signal.SIGUSR1, signal.SIGUSR2]
    assert all(code != SI_KERNEL for _, code in found)
    assert list(read_signals(fd)) == []
    assert not os.get_inheritable(fd)
