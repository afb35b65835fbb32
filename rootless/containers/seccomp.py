"""The container's seccomp filter, compiled before it starts."""

import logging
from dataclasses import replace

from rootless.containers.container import Container
from rootless.errors import Precondition
from rootless.paths import Paths
from rootless.runtime.seccomp import load_library
from rootless.runtime.seccomp_cache import cached_filter

log = logging.getLogger(__name__)


def with_filter(container: Container, paths: Paths, *, required: bool) -> Container:
    """Return the container with its spec's filter compiled.

    Where libseccomp is not installed, one that nobody asked for is left out with a warning, once a
    log-in; else Precondition is raised. Raises InvalidInput for rules that make no program.
    """
    linux = container.spec.linux
    if linux.seccomp is None:
        return container
    try:
        library = load_library()
    except Precondition as error:
        if required:
            raise
        _warn_once(paths, error)
        return replace(container, spec=replace(container.spec, linux=replace(linux, seccomp=None)))
    return replace(
        container, seccomp=cached_filter(linux.seccomp, library, paths.runtime / "seccomp")
    )


def _warn_once(paths: Paths, error: Precondition) -> None:
    mark = paths.runtime / "said-no-seccomp"
    if mark.exists():
        return
    try:
        paths.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
    except OSError as failure:
        log.debug("cannot remember the warning: %s", failure)
    log.warning("containers run without a filter of system calls: %s", error)
