"""The workload's place in the queues for the processor and the disk (runtime-spec config.md).

Without root a process can only step back: a lower priority, SCHED_BATCH, SCHED_IDLE.
"""

import os

from rootless.errors import RootlessError
from rootless.linux import scheduling
from rootless.oci.runtime_spec import Process
from rootless.oci.scheduling_spec import IOPriority, Scheduler, parse_cpu_list


def apply(process: Process) -> None:
    """Set the scheduling that a spec asks for; raises RootlessError where it is refused."""
    if process.scheduler is not None:
        _set_scheduler(process.scheduler)
    if process.io_priority is not None:
        _set_io_priority(process.io_priority)


def _set_scheduler(scheduler: Scheduler) -> None:
    flags = sum(scheduling.FLAGS[name] for name in set(scheduler.flags))
    try:
        scheduling.sched_setattr(
            scheduling.POLICIES[scheduler.policy],
            flags,
            nice=scheduler.nice,
            priority=scheduler.priority,
            times=(scheduler.runtime, scheduler.deadline, scheduler.period),
        )
    except OSError as error:
        raise _refused("process.scheduler", scheduler.policy, error) from error


def _set_io_priority(priority: IOPriority) -> None:
    try:
        scheduling.ioprio_set(scheduling.IO_CLASSES[priority.kind], priority.priority)
    except OSError as error:
        raise _refused("process.ioPriority", priority.kind, error) from error


def set_affinity(cpus: str) -> None:
    """Bind the caller to a list of processors, such as "0-3,7"; "" changes nothing."""
    if cpus:
        try:
            os.sched_setaffinity(0, parse_cpu_list(cpus))
        except OSError as error:
            raise _refused("process.execCPUAffinity", cpus, error) from error


def _refused(member: str, value: str, error: OSError) -> RootlessError:
    fix = "without root a process can only give up priority" if error.errno == 1 else ""
    return RootlessError(f"cannot set {member}: {error.strerror}", value, fix)
