"""The command line stops with its workload, which is a job of the caller's shell (`linux.job`)."""

from rootless.containers.processes import stat_fields
from rootless.linux import job
from rootless.linux.process_id import ProcessId

_STOPPED = (b"T", b"t")


def stop_as_job(workload: ProcessId | None) -> None:
    """Stop this process, as the terminal's key would, until its shell continues it.

    Not where the workload goes on already: the shell has continued both, and would not again.
    """
    if workload is not None and _is_stopped(workload.pid):
        job.stop()


def _is_stopped(pid: int) -> bool:
    try:
        return stat_fields(pid)[0] in _STOPPED
    except (FileNotFoundError, ProcessLookupError):
        return False
