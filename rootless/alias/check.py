"""Whether aliases work: what would surprise who calls one, with the way out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rootless.alias.definition import Alias
from rootless.alias.shim import Shim
from rootless.errors import InvalidInput, NotFound
from rootless.image import meant, trees
from rootless.image.names import Image
from rootless.image.store import Store

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def check_path(folder: Path, path: str) -> Iterator[str]:
    """Yield what is wrong with the PATH."""
    if str(folder) not in path.split(":"):
        yield (
            f"{folder} is not in the PATH: add it, or in ~/.bashrc: "
            'eval "$(rootless alias init bash)"'
        )


def check_shim(shim: Shim, wanted: str | None, path: str) -> Iterator[str]:
    """Yield what is wrong with a shim.

    Args:
        shim: The shim.
        wanted: What it should be; None where no file defines it.
        path: The PATH.
    """
    if wanted is None:
        yield f"{shim.origin} does not define it any more: rootless alias remove {shim.name}"
    elif not os.access(shim.program, os.X_OK):
        yield f"{shim.program} is not there: rootless alias sync {shim.origin}"
    elif shim.text != wanted:
        yield f"{shim.origin} says something else by now: rootless alias sync {shim.origin}"
    if not os.access(shim.path, os.X_OK):
        yield f"it is not executable: chmod +x {shim.path}"
    found = shutil.which(shim.name, path=path)
    if found is not None and not _is_same(found, shim.path):
        yield f"{found} comes before it in the PATH"


def _is_same(first: str, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def check_alias(alias: Alias, store: Store) -> Iterator[str]:
    """Yield what is wrong with an alias's image."""
    try:
        image = meant.resolve(store, alias.image)
    except (NotFound, InvalidInput) as error:
        yield f"{error.what}: {alias.image}: the first call pulls it, or fails"
        return
    if alias.command and not _has_command(store, image, alias.command[0]):
        yield f"the image has no command {alias.command[0]} on its PATH"


def _has_command(store: Store, image: Image, command: str) -> bool:
    if "/" in command:
        candidates = [command]
    else:
        own = next((v[5:] for v in image.config.env if v.startswith("PATH=")), _DEFAULT_PATH)
        candidates = [f"{folder}/{command}" for folder in own.split(":")]
    return any(trees.has_file(store, image, path.lstrip("/").encode()) for path in candidates)
