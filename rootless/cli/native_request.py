"""`run --native` as the other options of `run`, for what these leave open."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rootless.bundle import own_environment, share
from rootless.bundle.caller import HostUser, current_folder, umask
from rootless.containers.request import RunRequest
from rootless.errors import InvalidInput

_FDS = "/proc/self/fd"


def with_native(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options' values with what `--native` means where nothing else was said.

    Raises InvalidInput where it means nothing beside another option.
    """
    if given["hpc"]:
        raise InvalidInput("--native and --hpc exclude each other", "", "--hpc is as native")
    return {
        **given,
        "interactive": not given["detach"],
        "umask": given["umask"] or f"{umask():03o}",
        "workdir": given["workdir"] or current_folder(),
    }


def on_host(request: RunRequest, given: Mapping[str, Any]) -> RunRequest:
    """Return the request with what the host has, which gives way to what was asked for.

    The workload is a job of the caller's shell as any other, with what he has open, if it has his
    home. It could type into his terminal (TIOCSTI), so that who has not gets a session of his own.
    """
    options = request.options
    kinds = share.parse(given["share"] or ())
    shared = share.mounts(kinds, HostUser.current(), current_folder(), os.environ)
    also = (share.AGENT_VARIABLE,) if share.SSH_AGENT in kinds else ()
    in_session = share.HOME in kinds and not (given["tty"] or given["detach"])
    options = replace(
        options,
        mounts=(*options.left_open(shared), *options.mounts),
        env=(*own_environment.passed(os.environ, also), *options.env),
    )
    return replace(
        request,
        options=options,
        in_session=in_session,
        passed_fds=_open_fds() if in_session else (),
    )


def _open_fds() -> tuple[int, ...]:
    """Return what the caller has open for his programs, such as bash's <(…); ours all close."""
    found = []
    for name in os.listdir(_FDS):
        fd = int(name)
        with suppress(OSError):  # that of the list itself
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
    return tuple(sorted(found))
