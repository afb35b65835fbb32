"""Signals as bytes on a pipe."""

import os
import select
import signal

from signals_at_start import lost

from rootless.containers.signal_pipe import SignalPipe

USR1, USR2 = signal.SIGUSR1, signal.SIGUSR2


def test_come_out_of_the_pipe() -> None:
    """Those asked for, in their order; afterwards the handlers are as they were."""
    before = signal.getsignal(USR1)
    with SignalPipe((USR1, USR2)) as pipe:
        assert list(pipe.take()) == []
        for number in (USR1, USR2, USR1):
            os.kill(os.getpid(), number)
        assert select.select([pipe.read_fd], [], [], 5)[0]
        assert list(pipe.take()) == [USR1, USR2, USR1]
    assert signal.getsignal(USR1) == before


def test_what_is_ignored_stays_ignored() -> None:
    """As nohup(1) asks for it."""
    before = signal.signal(USR1, signal.SIG_IGN)
    try:
        with SignalPipe((USR1,)) as pipe:
            os.kill(os.getpid(), USR1)
            assert list(pipe.take()) == []
        assert signal.getsignal(USR1) == signal.SIG_IGN
    finally:
        signal.signal(USR1, before)


def test_none_is_lost_at_the_start() -> None:
    """A SIGINT at whatever line of the start raises KeyboardInterrupt, or comes out."""
    make = (
        "import signal; from rootless.containers.signal_pipe import SignalPipe; "
        "pipe = SignalPipe((signal.SIGINT,))"
    )
    assert lost(make) == "none lost"
