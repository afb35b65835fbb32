"""Where an object of an upperdir is."""

from typing import NamedTuple


class Place(NamedTuple):
    """A directory's descriptor and a name in it."""

    fd: int
    name: bytes
