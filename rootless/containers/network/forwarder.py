"""The program that carries packets between a container's network and the host's, as a process.

pasta and slirp4netns are started alike. They get what they need by their three standard
descriptors, which they keep whatever their version, and which AppArmor's profiles have no paths
to forbid: 0 is where they write that they are ready, 1 is the network namespace, 2 what they say.
They are in the container's user namespace and outside of its PID namespace: no workload can
signal them. They stay children of their starter and end with it.
"""

import errno
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from rootless.errors import Precondition, RootlessError
from rootless.linux import prctl
from rootless.linux.ambient import kept_across_exec

READY = "/proc/self/fd/0"
NAMESPACE = "/proc/self/fd/1"
_DEVICE = "/dev/net/tun"
_PATIENCE_MS = 20_000
# What is always said, and says nothing of why a program ended.
_CHATTER = (
    *("Failed to send", "WARNING: Support for", "child failed", "sent tapfd", "received tapfd"),
    *("Couldn't get any nameserver", "No external routable interface for"),
)


@dataclass(slots=True)
class Forwarder:
    """A running forwarder."""

    name: str
    process: "subprocess.Popen[bytes]"
    pidfd: int
    said_fd: int

    def last_words(self) -> str:
        """Return why it ended, in its own words, or how."""
        try:
            said = os.read(self.said_fd, 65536).decode(errors="replace")
        except BlockingIOError:
            said = ""
        words = essence(said)
        if words:
            return words
        status = self.process.wait()
        return f"ended by {signal.Signals(-status).name}" if status < 0 else f"status {status}"

    def stop(self) -> None:
        """End it, if it has not ended; what it had is the namespace's and goes with that."""
        self.process.kill()
        self.process.wait()
        for fd in (self.pidfd, self.said_fd):
            if fd >= 0:
                os.close(fd)
        self.pidfd = self.said_fd = -1


def essence(said: str) -> str:
    """Return the line of a program's messages that tells why it ended, "" for none."""
    lines = [line.strip() for line in said.splitlines()]
    telling = [line for line in lines if line and not line.startswith(_CHATTER)]
    usage = next((line for line in telling if "option" in line and ": " in line), "")
    return usage or (telling[-1] if telling else "")


def start(name: str, command: Sequence[str], network_fd: int, folder: str) -> Forwarder:
    """Start a program for a network namespace and wait until it carries packets.

    Args:
        name: What it is called in messages.
        command: Its argument list, with READY and NAMESPACE.
        network_fd: The namespace.
        folder: Its working directory.

    Raises:
        Precondition: It is not installed, or cannot have /dev/net/tun.
        RootlessError: It ended; with what it said.
    """
    _check_device()
    ready_fd, ready_write = os.pipe2(os.O_CLOEXEC)
    said_fd, said_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)  # full: no more is said
    try:
        process = _launch(command, (ready_write, network_fd, said_write), folder)
    except BaseException:
        os.close(ready_fd)
        os.close(said_fd)
        raise
    finally:
        os.close(ready_write)
        os.close(said_write)
    forwarder = Forwarder(name, process, -1, said_fd)
    try:
        forwarder.pidfd = os.pidfd_open(process.pid)
        _wait_until_ready(forwarder, ready_fd)
    except BaseException:
        forwarder.stop()
        raise
    finally:
        os.close(ready_fd)
    return forwarder


def _launch(
    command: Sequence[str], streams: tuple[int, int, int], folder: str
) -> "subprocess.Popen[bytes]":
    owner = os.getpid()

    def die_with_owner() -> None:
        prctl.set_parent_death_signal(signal.SIGKILL)
        if os.getppid() != owner:  # else it died before the line above
            os._exit(1)

    stdin, stdout, stderr = streams
    try:
        with kept_across_exec():
            return subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C"},
                cwd=folder,
                start_new_session=True,
                preexec_fn=die_with_owner,  # noqa: PLW1509 - this process has one thread
            )
    except FileNotFoundError as error:
        raise Precondition(
            "the program for the network is not installed",
            command[0],
            "as root: apt-get install passt, or slirp4netns",
            check="network",
        ) from error


def _check_device() -> None:
    """Open the tun device as the program will; its own message does not say what to do."""
    try:
        os.close(os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        raise Precondition(
            f"a network of one's own needs {_DEVICE}: {error.strerror}",
            fix=device_fix(error.errno or errno.EIO),
            check="network",
        ) from error


def device_fix(number: int) -> str:
    """Return what to do where the tun device cannot be opened."""
    if number in (errno.EACCES, errno.EPERM):
        return "as root: chmod 0666 /dev/net/tun; --network host and none do without"
    return (
        "as root: modprobe tun (in a container: start that with --device /dev/net/tun); "
        "--network host and none do without"
    )


def _wait_until_ready(forwarder: Forwarder, ready_fd: int) -> None:
    poll = select.poll()
    poll.register(ready_fd, select.POLLIN)
    if not poll.poll(_PATIENCE_MS):
        raise RootlessError(f"{forwarder.name} does not answer", f"{_PATIENCE_MS // 1000} s")
    if os.read(ready_fd, 64):
        return
    said = forwarder.last_words()
    raise RootlessError(
        f"{forwarder.name} could not connect the network", said, _fix_for(forwarder.name, said)
    )


def _fix_for(name: str, said: str) -> str:
    if "interface not usable" in said:
        return "pasta needs a default route on the host; --network slirp4netns does without"
    if "option" in said:
        return f"the words after '--network {name}:' are options of {name}"
    return ""
