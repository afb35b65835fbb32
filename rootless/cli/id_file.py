"""`--iidfile`: a file that gets an image's ID; one that cannot be written is told at once."""

import os

from rootless.errors import InvalidInput
from rootless.oci.digest import Digest

_FIX = "name a file in a folder that can be written"


def check(path: str) -> None:
    """Raise InvalidInput for a path that cannot be written; "" is none."""
    if not path:
        return
    there = path if os.path.lexists(path) else os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.access(there, os.W_OK):
        raise InvalidInput("the image's ID cannot be written", path, _FIX)


def write(path: str, digest: Digest) -> None:
    """Write it; "" is nowhere. Raises InvalidInput."""
    if not path:
        return
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(digest)
    except OSError as error:
        what = f"the image's ID cannot be written: {error.strerror}"
        raise InvalidInput(what, path, _FIX) from error
