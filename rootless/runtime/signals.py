"""What a child that becomes another program must not take along of its parent's signals."""

import signal


def reset_signals() -> None:
    """Undo what the interpreter and PID 1 set: the program starts as from a shell."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except OSError:
            continue  # the C library keeps some for itself
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
