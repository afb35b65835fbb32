"""Check `network`: what a network of one's own needs, with `--network private` and `-p`.

Never a failure: `--network host`, the default, and `none` do without.
"""

import errno
import os
import shutil
from dataclasses import dataclass

from rootless.doctor.attempt import attempt, make_tap
from rootless.doctor.check import Check, State
from rootless.errors import RootlessError
from rootless.userns.subid import Caller

DEVICE = "/dev/net/tun"


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What was found.

    Attributes:
        pasta: Its path; empty where it is not on PATH.
        slirp4netns: The same.
        open_errno: Why the device cannot be opened; 0 where it can.
        refused: What a tap device in a namespace ended with; None where it worked or was not
            tried.
    """

    pasta: str = ""
    slirp4netns: str = ""
    open_errno: int = 0
    refused: RootlessError | None = None


def gather(caller: Caller, *, userns_works: bool) -> NetworkFacts:
    """Open the device, and make a tap where a namespace can be had."""
    open_errno = 0
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        open_errno = error.errno or errno.EIO
    refused = None
    if not open_errno and userns_works:
        refused = attempt(make_tap, caller=caller, single=True)
    pasta, slirp4netns = (shutil.which(name) or "" for name in ("pasta", "slirp4netns"))
    return NetworkFacts(pasta, slirp4netns, open_errno, refused)


def check_network(facts: NetworkFacts) -> Check:
    """Judge."""
    name = "network"
    programs = " and ".join(filter(None, (facts.pasta, facts.slirp4netns)))
    seen = f"{programs or 'neither pasta nor slirp4netns'}"
    if not programs:
        return Check(
            name,
            State.WARNING,
            seen,
            "a container can have the host's network, or none, and no ports can be published",
            "as root: apt-get install passt",
        )
    if facts.open_errno in (errno.EACCES, errno.EPERM):
        return Check(
            name,
            State.WARNING,
            f"{seen}, {DEVICE} cannot be opened",
            "ordinary users may not open it: a container can have the host's network, or none",
            "as root: chmod 0666 /dev/net/tun",
        )
    if facts.open_errno:
        return Check(
            name,
            State.WARNING,
            f"{seen}, {DEVICE} cannot be opened: {os.strerror(facts.open_errno)}",
            "the kernel module tun is not loaded, or a surrounding container hides the device",
            "as root: modprobe tun && echo tun >/etc/modules-load.d/tun.conf "
            "(in a container: start that with --device /dev/net/tun)",
        )
    if facts.refused is not None:
        return Check(
            name,
            State.WARNING,
            seen,
            f"a tap device in a network namespace is refused: {facts.refused.what}",
            "the sysctl user.max_net_namespaces, or what surrounds this host, forbids it",
        )
    if not facts.pasta:
        return Check(
            name,
            State.OK,
            f"{seen}, a tap device was made; pasta (Debian package passt) would be faster",
        )
    return Check(name, State.OK, f"{seen}, a tap device was made in a namespace")
