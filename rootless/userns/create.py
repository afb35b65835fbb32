"""A child process in a new user namespace: fork, unshare, and the hand-shake that maps its IDs.

With no maps the child makes no user namespace: it stays in the caller's, or joins another.

The order is the kernel's: a process makes its own namespace (unshare(2)), and a process of the
parent namespace writes the maps (user_namespaces(7)). The child then is root of its namespace,
or has the caller's own ID there, with every capability; it is still the caller to the host.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from rootless.errors import RootlessError
from rootless.linux.channel import Channel
from rootless.linux.namespaces import CLONE_NEWUSER, unshare
from rootless.linux.prctl import set_parent_death_signal
from rootless.userns.maps import Maps
from rootless.userns.newidmap import write_maps
from rootless.userns.restriction import explain

SETUP_FAILED = 125

_TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP)
# What else is sent to a process group, by a shell's `kill %1` or timeout(1).
_GROUP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)


@dataclass(slots=True)
class Child:
    """A process in a user namespace of its own; `pidfd` stays valid whatever happens to it."""

    pid: int
    pidfd: int
    channel: Channel

    @property
    def is_reaped(self) -> bool:
        """Tell whether it has been waited for."""
        return self.pidfd < 0

    def shoot(self) -> None:
        """Kill the process at once; its channel ends, also where others have a copy."""
        self.channel.shut_down()
        if self.pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def kill(self) -> None:
        """End the process at once, if it has not ended, and reap it."""
        self.shoot()  # without a pidfd it has got no map yet, and ends by the end of the channel
        self.wait()

    def expect(self, word: str) -> list[int]:
        """Wait for a message; return its descriptors. Raises the child's error, or its end."""
        received = self.channel.receive()
        if received is not None and "error" in received[0]:
            raise RootlessError.from_record(received[0]["error"])
        if received is None or word not in received[0]:
            raise RootlessError("a helper process ended unexpectedly")
        return received[1]

    def wait(self) -> int:
        """Wait for the end; return the exit status, -N for signal N. Frees the descriptors."""
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:
            return SETUP_FAILED
        finally:
            self.close()
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Close the descriptors."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        self.channel.close()


def fork_into(
    maps: Maps | None,
    body: Callable[[Channel], int],
    *,
    before: Callable[[], None] | None = None,
    own_session: bool = True,
) -> Child:
    """Run `body` in a child inside a new user namespace with these maps; None: makes none.

    `before` is run by the child first, while it still is in the caller's namespaces.
    The child has a session of its own (a terminal's signals do not reach it), or stays in the
    caller's and ignores what its process group is sent; it dies with its parent, and exits with
    what `body` returns. An exception of `body` is sent to the parent as
    `{"error": …}` on the channel. Raises Precondition where the namespace is refused.
    """

    def enter(channel: Channel) -> None:
        if before is not None:
            before()
        if maps is not None:
            _enter(channel, maps)

    ours, theirs = Channel.pair()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # Held back until the child has handlers of its own: a signal to both is not told twice, and
    # none reaches the child while it looks like the parent.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            ours.close()
            _child(theirs, body, parent, mask, enter, own_session=own_session)
    except OSError as error:
        theirs.close()
        ours.close()
        raise RootlessError(
            f"cannot start a process: {error.strerror}", fix="look at ulimit -u and free memory"
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    theirs.close()
    child = Child(pid, -1, ours)
    try:
        child.pidfd = os.pidfd_open(pid)
        if maps is not None:
            _map(child, maps)
    except BaseException:
        child.kill()
        raise
    return child


def run_inside(maps: Maps, body: Callable[[], None]) -> None:
    """Run `body` as root of a new user namespace and wait for it; its error is raised here."""

    def quiet(channel: Channel) -> int:
        del channel
        body()
        return 0

    child = fork_into(maps, quiet)
    try:
        received = child.channel.receive()
    except BaseException:
        child.kill()
        raise
    status = child.wait()
    if received is not None and "error" in received[0]:
        raise RootlessError.from_record(received[0]["error"])
    if status != 0:
        raise RootlessError("a helper process ended unexpectedly", f"status {status}")


def _map(child: Child, maps: Maps) -> None:
    received = child.channel.receive()
    if received is None:
        raise RootlessError("the process for the user namespace ended unexpectedly")
    if "error" in received[0]:
        raise RootlessError.from_record(received[0]["error"])
    write_maps(child.pid, maps)
    child.channel.send({"mapped": True})


def _child(
    channel: Channel,
    body: Callable[[Channel], int],
    parent: int,
    mask: set[int | signal.Signals],
    enter: Callable[[Channel], None],
    *,
    own_session: bool,
) -> None:
    """Never return: run the body and leave without the parent's clean-up handlers."""
    status = SETUP_FAILED
    try:
        _leave_parents_signals(mask, () if own_session else _GROUP_SIGNALS)
        if own_session:
            os.setsid()
        enter(channel)
        set_parent_death_signal(signal.SIGKILL)
        if os.getppid() == parent:  # else it died before the line above
            status = body(channel)
    except RootlessError as error:
        channel.send({"error": error.to_record()})
    except OSError as error:
        on = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        channel.send({"error": RootlessError(error.strerror or str(error), on).to_record()})
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's code
        what = f"internal error: {type(error).__name__}: {error}"
        channel.send({"error": RootlessError(what).to_record()})
    finally:
        os._exit(status)


def _leave_parents_signals(
    mask: set[int | signal.Signals], passed_over: tuple[signal.Signals, ...]
) -> None:
    """Take the parent's handlers out of a forked child; what a terminal sends is not for it."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    for number in _TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for number in passed_over:  # what is executed has the default again
        signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask - set(passed_over))


def _enter(channel: Channel, maps: Maps) -> None:
    try:
        unshare(CLONE_NEWUSER)
    except OSError as error:
        raise explain(error) from error
    channel.send({"unshared": True})
    if channel.receive() is None:
        os._exit(SETUP_FAILED)
    if maps.privileged:  # who need not be in the maps himself: the namespace's root acts
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
