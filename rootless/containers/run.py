"""`rootless run` from request to status: sweep what dead runs left, prepare, run, forget."""

import contextlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rootless import timings
from rootless.containers import foreground, keep, prepare, seccomp
from rootless.containers.id_files import check_new, write_cidfile
from rootless.containers.record import Record
from rootless.containers.remove import remove
from rootless.containers.request import RunRequest
from rootless.containers.run_folder import sweep
from rootless.containers.start import AS_PROGRAM, Launching, start_new
from rootless.containers.status import run_folder_of
from rootless.errors import NotFound, RootlessError
from rootless.holder import start
from rootless.image.store import Store
from rootless.paths import Paths
from rootless.settings import keep_alive

if TYPE_CHECKING:
    from rootless.containers.attach import AttachOptions

log = logging.getLogger(__name__)


def run_image(image: str, request: RunRequest) -> int:
    """Run a command in an image; return its status, of a batch job's also -N for signal N."""
    paths = Paths.from_environment()
    check_new(request.cidfile)
    sweep(paths)
    timings.mark("dead runs looked for")
    if not request.name:
        record, needs = keep.passing(paths, image, request)
        timings.mark("container planned")
        _say_map_once(record, paths)
        write_cidfile(request.cidfile, record)
        return foreground.run(record, paths, ways=_ways(request), needs=needs)
    record = keep.kept(paths, image, request, again=True)
    _say_map_once(record, paths)
    try:
        write_cidfile(request.cidfile, record)
        return foreground.run(record, paths, ways=_ways(request))
    finally:
        if request.policy.remove:
            with contextlib.suppress(NotFound):  # removed by force meanwhile
                remove(paths, record)


def run_detached(image: str, request: RunRequest, launching: Launching = AS_PROGRAM) -> str:
    """Run a command in an image and leave it running; return the container's ID."""
    paths = Paths.from_environment()
    check_new(request.cidfile)
    sweep(paths)
    record = keep.kept(paths, image, request, again=True)
    _say_map_once(record, paths)
    started = start_new(paths, record, pidfile=request.pidfile, launching=launching)
    started.end.close()
    write_cidfile(request.cidfile, record)
    if start.is_wanted():
        with contextlib.suppress(OSError, RootlessError):  # it is of no use to this run
            start.offer(keep_alive(paths))
    return record.id


def run_attached(image: str, request: RunRequest, options: "AttachOptions") -> int:
    """Run a command in an image that lives on, attached to; return its status."""
    from rootless.containers import attach as attaching  # noqa: PLC0415 - other runs need none

    paths = Paths.from_environment()
    check_new(request.cidfile)
    sweep(paths)
    record = keep.kept(paths, image, request, again=True)
    _say_map_once(record, paths)
    write_cidfile(request.cidfile, record)
    first = attaching.first_messages()
    started = start_new(paths, record, first, pidfile=request.pidfile)
    with started.end:
        folder = run_folder_of(paths, record.id)
        return attaching.follow(started.end, folder, options, started.early) or 0


def create(image: str, request: RunRequest) -> str:
    """Make a container to be started later; return its ID."""
    paths = Paths.from_environment()
    check_new(request.cidfile)
    record = keep.kept(paths, image, request, again=False)
    write_cidfile(request.cidfile, record)
    return record.id


def run_bundle(path: str, request: RunRequest) -> int:
    """Run an OCI bundle, a folder or a tar of one; return its status."""
    import tempfile  # noqa: PLC0415

    from rootless.bundle.bundle import read_bundle  # noqa: PLC0415 - an image is no bundle

    paths = Paths.from_environment()
    sweep(paths)
    store = Store.open(paths, create=False)
    with tempfile.TemporaryDirectory(prefix="rootless-bundle-") as scratch:
        bundle = read_bundle(Path(path), store, Path(scratch))
        for name in bundle.spec.hooks.to_document():
            log.warning("hooks.%s of the bundle is not applied", name)
        container = seccomp.with_filter(prepare.from_bundle(bundle, request), paths, required=True)
        record = keep.for_bundle(container, request)
        write_cidfile(request.cidfile, record)
        return foreground.run(record, paths, ways=_ways(request))


def _ways(request: RunRequest) -> foreground.Ways:
    # A batch system asks what ended a job, and a shell whether to go on after Ctrl-C.
    tells_signals = request.job is not None or request.as_caller
    return foreground.Ways(request.pidfile, request.passed_fds, tells_signals=tells_signals)


def _say_map_once(record: Record, paths: Paths) -> None:
    """Tell a person, once a log-in, that one ID only is mapped and why."""
    reason = record.container.maps.reason
    if not reason or not sys.stderr.isatty():
        return
    mark = paths.runtime / "said-single-id"
    if not mark.exists():
        paths.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
        sys.stderr.write(
            f"rootless: only your own ID is mapped: {reason}; "
            "'rootless doctor' tells how to get more\n"
        )
