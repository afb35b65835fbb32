"""What a build is going to want for its first RUN, begun before its own imports.

The server of the overlay takes as long to start as the build takes to come to the first RUN. It is
started for nothing where that is in the cache, so only a build that cannot have it there starts it
at once; any other does so when it comes to a step that is not there. Imports next to nothing.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rootless.overlay import spare
from rootless.paths import Paths

_RUN = re.compile(rb"^[ \t]*RUN[ \t]", re.IGNORECASE | re.MULTILINE)
_MOST_BYTES = 1 << 20


def begin(given: Mapping[str, Any]) -> bool:
    """Start the server where a RUN is certain; return whether it is.

    Args:
        given: The options' values as the command line has them, by parameter.
    """
    if not (given["no_cache"] or _nothing_is_kept()) or not _has_run(given):
        return False
    spare.prepare_for_many()
    return True


def _nothing_is_kept() -> bool:
    """Tell whether no step was ever kept; the folder is `image.build_cache.STEPS`."""
    try:
        with os.scandir(Paths.from_environment().store / "build-cache" / "steps") as entries:
            return next(entries, None) is None
    except OSError:
        return True


def _has_run(given: Mapping[str, Any]) -> bool:
    """Look into the Containerfile, where it is the one that anybody would look for."""
    folder = (given["context"] or ["."])[0]
    usual = [os.path.join(folder, name) for name in ("Containerfile", "Dockerfile")]
    for path in [given["file"]] if given["file"] else usual:
        with suppress(OSError), open(path, "rb") as file:
            return _RUN.search(file.read(_MOST_BYTES)) is not None
    return False
