"""`rootless bundle`: what it makes."""

import os
from pathlib import Path

from rootless.bundle.bundle import write_bundle
from rootless.bundle.default_spec import default_spec
from rootless.bundle.options import RunOptions
from rootless.containers import prepare
from rootless.containers.request import RunRequest
from rootless.errors import Conflict, StoreError
from rootless.image.names import resolve
from rootless.image.store import Store
from rootless.oci.runtime_spec import format_spec
from rootless.paths import Paths


def create_bundle(image_name: str, folder: str, options: RunOptions) -> None:
    """Make a bundle of an image at `folder`."""
    paths = Paths.from_environment()
    store = Store.open(paths, create=False)
    image = resolve(store, image_name)
    container = prepare.from_image(store, image, RunRequest(options=options))
    write_bundle(Path(folder), container.spec, image)


def write_default_spec() -> str:
    """Write config.json into the current folder; return its name."""
    path = "config.json"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise Conflict("there is one already", path, "remove it first") from None
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", path) from error
    with open(fd, "w", encoding="utf-8") as file:
        file.write(format_spec(default_spec()))
    return path
