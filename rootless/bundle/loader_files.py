"""How a container's dynamic loader learns of libraries that were brought along."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace

from rootless.bundle import loader_cache
from rootless.bundle.options import RunOptions

CACHE = "/etc/ld.so.cache"
_VARIABLE = "LD_LIBRARY_PATH="


def with_libraries(
    options: RunOptions,
    image_env: Sequence[str],
    libraries: Sequence[tuple[str, str]],
    read: Callable[[bytes], bytes | None],
) -> tuple[RunOptions, dict[str, bytes]]:
    """Return options and files for them: the loader's cache, else the variable.

    A loader without such a cache, musl's for one, goes by the variable alone.

    Args:
        options: What was asked for.
        image_env: The image's variables.
        libraries: Soname and path inside of each.
        read: Reads a file of the image.
    """
    if not libraries:
        return options, {}
    data = read(CACHE.lstrip("/").encode())
    cache = None if data is None else loader_cache.with_libraries(data, libraries)
    if cache is not None:
        return options, {CACHE: cache}
    named = [item for item in (*image_env, *options.env) if item.startswith(_VARIABLE)]
    known = named[-1].removeprefix(_VARIABLE) if named else ""
    folders = dict.fromkeys(posixpath.dirname(path) for _, path in libraries)
    value = ":".join(filter(None, (*folders, known)))
    return replace(options, env=(*options.env, f"{_VARIABLE}{value}")), {}
