"""A workload as a job of the caller's shell: when it stops, the command line does (termios(3))."""

import os
import signal

from rootless.linux.process_id import ProcessId

_STOPPED = (b"T", b"t")


def stop_as_job(workload: ProcessId | None) -> None:
    """Stop this process, as the terminal's key would, until its shell continues it.

    Not where the workload goes on already: the shell has continued both, and would not again.
    """
    if workload is None or not _is_stopped(workload.pid):
        return
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGTSTP, before)


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text[text.rindex(b")") + 2 :].split()[0] in _STOPPED
