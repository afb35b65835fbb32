"""Objects of a merged tree as the mount shows them: with other owners, where it must.

Most mounts show every owner that the image has as it is. Then what was packed when the tree was
built is given as it stands (`listing`); else each entry is packed again.
"""

import stat
from collections.abc import Iterable

from . import wire
from .entry import Inode
from .listing import Chunk, repacked
from .ownership import IDTranslation, Squash

_MODE_AT, _NLINK_AT, _UID_AT, _GID_AT = 15, 16, 17, 18  # in wire.ENTRY
_MANY = 4096


class _ShownIDs(dict[int, int]):
    """IDs of one kind as they are shown; fills itself, as an image has few owners."""

    def __init__(self, squash: Squash, translation: IDTranslation) -> None:
        super().__init__()
        self._squash = squash
        self._translation = translation

    def __missing__(self, number: int) -> int:
        shown = self._translation.to_shown(self._squash[number])
        if len(self) < _MANY:  # a hostile image can have as many owners as files
            self[number] = shown
        return shown

    def are_themselves(self, numbers: Iterable[int]) -> bool:
        """Return whether all these are shown as they are."""
        return all(self[number] == number for number in numbers)


class Shown:
    """Packs objects of the lower tree.

    Args:
        uids: UIDs as the mount shows them.
        gids: GIDs.
        uid_translation: UIDs that are stored as others than shown.
        gid_translation: The same for GIDs.
        static_nlink: Directories have one link.
    """

    def __init__(
        self,
        uids: Squash,
        gids: Squash,
        uid_translation: IDTranslation | None = None,
        gid_translation: IDTranslation | None = None,
        *,
        static_nlink: bool = False,
    ) -> None:
        self._uids = _ShownIDs(uids, uid_translation or IDTranslation())
        self._gids = _ShownIDs(gids, gid_translation or IDTranslation())
        self._static_nlink = static_nlink
        self._as_packed = False

    def owners(self, uids: list[int], gids: list[int]) -> None:
        """Note which owners a tree has (`Tree.owners`)."""
        self._as_packed = (
            not self._static_nlink
            and len(uids) <= _MANY
            and len(gids) <= _MANY
            and self._uids.are_themselves(uids)
            and self._gids.are_themselves(gids)
        )

    def attributes(self, inode: Inode) -> wire.Attributes:
        """Return an object's attributes."""
        nlink = 1 if self._static_nlink and stat.S_ISDIR(inode.mode) else inode.nlink
        return wire.lower_attributes(inode, self._uids[inode.uid], self._gids[inode.gid], nlink)

    def entry(self, inode: Inode) -> bytes:
        """Return the answer to a look-up of an object."""
        return wire.entry(inode.ino, self.attributes(inode))

    def chunk(self, packed: Chunk) -> Chunk:
        """Return a part of a directory's listing as it is shown."""
        return packed if self._as_packed else repacked(packed, self._entry)

    def _entry(self, packed: bytes) -> bytes:
        fields = list(wire.ENTRY.unpack(packed))
        fields[_UID_AT] = self._uids[fields[_UID_AT]]
        fields[_GID_AT] = self._gids[fields[_GID_AT]]
        if self._static_nlink and stat.S_ISDIR(fields[_MODE_AT]):
            fields[_NLINK_AT] = 1
        return wire.ENTRY.pack(*fields)
