"""Which namespaces a container makes, and which it joins (config-linux.md, "Namespaces").

The order is the kernel's. A user namespace comes first: its capabilities let the others be joined
(`join_outer`). One that belongs to the namespace which is about to be left can only be joined
before that, as podman's network can. PID and time namespaces are those of children, so they are
made or joined before the container's first process is forked (`before_fork`), and the others by
that process itself (`enter`).
"""

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from dataclasses import replace

from rootless.errors import InvalidInput, NotFound, OverlayError
from rootless.linux import keyring, namespaces
from rootless.oci.linux_spec import LinuxSpec, Namespace
from rootless.oci.runtime_spec import Spec
from rootless.runtime import network

log = logging.getLogger(__name__)

# In the order in which they are joined.
_FLAGS = {
    "user": namespaces.CLONE_NEWUSER,
    "ipc": namespaces.CLONE_NEWIPC,
    "uts": namespaces.CLONE_NEWUTS,
    "network": namespaces.CLONE_NEWNET,
    "cgroup": namespaces.CLONE_NEWCGROUP,
    "pid": namespaces.CLONE_NEWPID,
    "time": namespaces.CLONE_NEWTIME,
    "mount": namespaces.CLONE_NEWNS,
}
_FILES = {"mount": "mnt", "network": "net", "pid": "pid_for_children", "time": "time_for_children"}
_OF_CHILDREN = ("pid", "time")


def check(linux: LinuxSpec) -> None:
    """Raise InvalidInput for what cannot be carried out, before anything is made."""
    if linux.time_offsets and linux.namespace("time") is None:
        raise InvalidInput("linux.timeOffsets needs a time namespace of its own")


def joins_mounts(linux: LinuxSpec) -> bool:
    """Tell whether the container lives in a mount namespace of others, whose root is to stay."""
    mount = linux.namespace("mount")
    return mount is not None and bool(mount.path)


def user_path(spec: Spec) -> str:
    """Return the path of the user namespace to join; "" for none."""
    user = spec.linux.namespace("user")
    return "" if user is None else user.path


def join_outer(spec: Spec) -> Spec:
    """Join, before a user namespace is made: the one that is named, else what can be joined yet.

    Return the spec with what is left to be done: the namespaces that have been joined are the
    process's own by now, and from inside of a new user namespace they could not even be opened.
    """
    path = user_path(spec)
    if path:
        _join(Namespace("user", path))
        return spec
    left = {found.type for found in spec.linux.namespaces}
    for namespace in _joined(spec):
        if namespace.type not in ("mount", *_OF_CHILDREN):
            # What belongs to the new user namespace can be joined from inside of it.
            with contextlib.suppress(PermissionError, OverlayError):
                _set(namespace)
                left.remove(namespace.type)
                if namespace.type == "uts":
                    _set_names(spec)
    kept = tuple(found for found in spec.linux.namespaces if found.type in left)
    return replace(spec, linux=replace(spec.linux, namespaces=kept))


def before_fork(spec: Spec, *, own_pids: bool) -> None:
    """Make or join the namespaces of the children to come; raises OverlayError, InvalidInput.

    `own_pids` makes a PID namespace in any case. The caller must not fork anything but the
    container's first process afterwards.
    """
    linux = spec.linux
    time, pid = linux.namespace("time"), linux.namespace("pid")
    for namespace in (time, pid):
        if namespace is not None and namespace.path:
            _join(namespace)
    if time is not None and not time.path:
        namespaces.unshare(namespaces.CLONE_NEWTIME)
        _set_clocks(linux)
    if own_pids if pid is None else not pid.path:
        namespaces.unshare(namespaces.CLONE_NEWPID)


def enter(spec: Spec) -> None:
    """Make and join the other namespaces, a mount namespace in any case, and set them up.

    The mount namespace is the last that is joined: the other paths are those of the one before.
    """
    for namespace in _joined(spec):
        if namespace.type not in ("user", *_OF_CHILDREN):
            _join(namespace)
    made = {found.type for found in spec.linux.namespaces if not found.path}
    made -= {"user", *_OF_CHILDREN}
    if not joins_mounts(spec.linux):
        made.add("mount")
    namespaces.unshare(sum(_FLAGS[kind] for kind in made))

    # The caller's keys stay with the caller. Some kernels and sandboxes have no keyrings.
    try:
        keyring.join_new_session_keyring()
    except OSError as error:
        log.debug("no session keyring of its own: %s", error)

    if spec.linux.namespace("uts") is not None:
        _set_names(spec)
    if "network" in made:
        network.bring_loopback_up()


def _set_names(spec: Spec) -> None:
    names = os.uname()
    if spec.hostname and spec.hostname != names.nodename:
        namespaces.sethostname(spec.hostname)
    if spec.domainname:
        namespaces.setdomainname(spec.domainname)


def _joined(spec: Spec) -> Iterator[Namespace]:
    by_kind = {found.type: found for found in spec.linux.namespaces if found.path}
    return (by_kind[kind] for kind in _FLAGS if kind in by_kind)


def _join(namespace: Namespace) -> None:
    try:
        _set(namespace)
    except OSError as error:
        raise OverlayError(
            f"cannot join the {namespace.type} namespace: {error.strerror}",
            namespace.path,
            _fix(namespace, error),
        ) from error


def _fix(namespace: Namespace, error: OSError) -> str:
    """Return what can be done where a namespace of another user namespace is refused."""
    if error.errno not in (errno.EPERM, errno.EACCES) or namespace.type == "user":
        return ""
    return "it belongs to a user namespace that must be joined too: name its path as well"


def _set(namespace: Namespace) -> None:
    """Join a namespace unless the process is in it; OSError where the kernel refuses."""
    fd = _open(namespace)
    try:
        file = _FILES.get(namespace.type, namespace.type)
        if not os.path.samestat(os.fstat(fd), os.stat(f"/proc/self/ns/{file}")):
            namespaces.setns(fd, _FLAGS[namespace.type])
    finally:
        os.close(fd)


def _open(namespace: Namespace) -> int:
    where = f"linux.namespaces: {namespace.type} {namespace.path}"
    try:
        fd = os.open(namespace.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NotFound("no such namespace", where) from error
    except OSError as error:
        raise OverlayError(
            f"cannot open the namespace: {error.strerror}", where, _fix(namespace, error)
        ) from error
    try:
        flag = namespaces.clone_flag(fd)
    except OSError as error:
        os.close(fd)
        raise InvalidInput("not a namespace", where) from error
    if flag != _FLAGS[namespace.type]:
        os.close(fd)
        kind = next((kind for kind, known in _FLAGS.items() if known == flag), "unknown")
        raise InvalidInput(f"the path leads to a namespace of another type: {kind}", where)
    return fd


def _set_clocks(linux: LinuxSpec) -> None:
    """Set the clocks of the new time namespace, while nobody lives in it (time_namespaces(7))."""
    for clock, offset in linux.time_offsets.items():
        line = f"{clock} {offset.seconds} {offset.nanoseconds}\n"
        try:
            with open("/proc/self/timens_offsets", "w", encoding="ascii") as file:
                file.write(line)
        except OSError as error:
            raise OverlayError(
                f"cannot set the offset of a clock: {error.strerror}",
                f"linux.timeOffsets.{clock}",
                "no clock can be set below zero",
            ) from error
