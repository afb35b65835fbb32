"""An image's file system as a folder: the one place where an image is unpacked.

The files get their owners by the user's sub-IDs, in a user namespace, where there are some; else
they all are the user's. Every name is resolved beneath the new folder, so no link of the image
leads out. Devices cannot be made by an ordinary user.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from rootless.containers.inside import feed
from rootless.containers.unpack import Rules, Unpacker
from rootless.image.image_tar import image_chunks
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2
from rootless.linux.remove_tree import remove_tree
from rootless.transfer.new_file import new_folder
from rootless.userns.create import run_inside
from rootless.userns.maps import Maps


class Owners:
    """Who owns what is unpacked, in a user namespace with these maps.

    Attributes:
        refused: How many objects could not get their owner.
    """

    def __init__(self, maps: Maps) -> None:
        self._uids = maps.uid.inside_ranges()
        self._gids = maps.gid.inside_ranges()
        self.refused = 0

    def __call__(self, uid: int, gid: int) -> tuple[int, int]:
        """Return the IDs for an object: root's where the namespace lacks its own."""
        have = _holds(self._uids, uid), _holds(self._gids, gid)
        if not all(have):
            self.refused += 1
        return (uid if have[0] else 0, gid if have[1] else 0)


def write_root_folder(
    store: Store, image: Image, output: str, maps: Maps, advance: Callable[[int], None]
) -> list[str]:
    """Unpack an image into a new folder; return what people should be told.

    Args:
        store: Where the image is.
        image: Which one.
        output: The folder; it is there once it is complete.
        maps: Of the user namespace in which it is unpacked.
        advance: Told how many bytes of the tar went.

    Raises:
        Conflict: Something is there already.
        StoreError: It cannot be written.
    """

    def chunks() -> Iterator[bytes]:
        for chunk in image_chunks(store, image):
            yield chunk
            advance(len(chunk))

    with new_folder(output, remove=lambda path: run_inside(maps, lambda: remove_tree(path))) as top:

        def read(fd: int) -> list[str]:
            return _unpack(fd, top, maps)

        return feed(maps, read, chunks())


def _unpack(fd: int, folder: Path, maps: Maps) -> list[str]:
    """Read the tar and write the files; in the process inside of the user namespace."""
    os.umask(0)
    top = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    owners = Owners(maps)
    unpacker = Unpacker(
        lambda below, flags: openat2(top, below, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS),
        ".",
        Rules(owners, dresses_top=True),
    )
    with open(fd, "rb", buffering=0, closefd=False) as stream:
        unpacker.unpack(stream)
    told = []
    if unpacker.left_out:
        names = ", ".join(unpacker.left_out[:3])
        more = len(unpacker.left_out) - 3
        told.append(f"left out: {names}" + (f" and {more} more" if more > 0 else ""))
    if owners.refused:
        what = "files belong to you that belong to others in the image"
        told.append(f"{owners.refused} {what}: {maps.reason or _reason(maps)}")
    return told


def _reason(maps: Maps) -> str:
    return "one owner was asked for" if maps.single else "your sub-IDs do not reach so far"


def _holds(ranges: tuple[tuple[int, int], ...], number: int) -> bool:
    return any(first <= number < first + length for first, length in ranges)
