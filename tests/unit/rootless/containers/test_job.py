"""`rootless.containers.job`: the command line stops with its workload."""

import os
import signal
import subprocess

from rootless.containers.job import stop_as_job
from rootless.linux.process_id import identify


def test_one_that_goes_on_stops_nobody() -> None:
    """A workload that runs, or has ended, or never was, leaves this process running."""
    stop_as_job(None)
    with subprocess.Popen(["sleep", "60"]) as process:
        stop_as_job(identify(process.pid))
        process.kill()
    stop_as_job(identify(os.getpid()))
    assert signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL


def test_stops_until_continued() -> None:
    """With a stopped workload the process stops as a terminal's key would stop it."""
    with subprocess.Popen(["sleep", "60"]) as workload:
        workload.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, workload.pid, os.WSTOPPED | os.WNOWAIT)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)  # a job of this one, which makes it no orphan
            stop_as_job(identify(workload.pid))
            os._exit(7)
        _, status = os.waitpid(pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert os.WSTOPSIG(status) == signal.SIGTSTP
        os.kill(pid, signal.SIGCONT)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        workload.kill()
