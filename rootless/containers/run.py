"""`rootless run` from request to status: sweep what dead runs left, prepare, run, forget."""

import logging
import sys
import tempfile
from pathlib import Path

from rootless.bundle.bundle import read_bundle
from rootless.containers import foreground, names, prepare
from rootless.containers.container import Container
from rootless.containers.request import RunRequest
from rootless.containers.run_folder import sweep
from rootless.image.store import Store
from rootless.paths import Paths

log = logging.getLogger(__name__)


def run_image(image: str, request: RunRequest) -> int:
    """Run a command in an image; return its status."""
    paths = Paths.from_environment()
    sweep(paths)
    container = prepare.from_image(paths, image, request)
    _say_map_once(container, paths)
    try:
        return foreground.run(container, paths)
    finally:
        if request.name and request.remove:
            names.remove(paths, request.name)


def run_bundle(path: str, request: RunRequest) -> int:
    """Run an OCI bundle, a folder or a tar of one; return its status."""
    paths = Paths.from_environment()
    sweep(paths)
    store = Store.open(paths, create=False)
    with tempfile.TemporaryDirectory(prefix="rootless-bundle-") as scratch:
        bundle = read_bundle(Path(path), store, Path(scratch))
        hooks = (f"hooks.{name}" for name in bundle.spec.hooks.to_document())
        for member in (*bundle.spec.not_applied, *hooks):
            log.warning("%s of the bundle is not applied", member)
        return foreground.run(prepare.from_bundle(bundle, request), paths)


def _say_map_once(container: Container, paths: Paths) -> None:
    """Tell a person, once a log-in, that one ID only is mapped and why."""
    if not container.maps.reason or not sys.stderr.isatty():
        return
    mark = paths.runtime / "said-single-id"
    if not mark.exists():
        paths.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
        sys.stderr.write(
            f"rootless: only your own ID is mapped: {container.maps.reason}; "
            "'rootless doctor' tells how to get more\n"
        )
