"""Taking images out of the store: names first, then what no name leads to any more."""

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from rootless.errors import Conflict, IntegrityError, InvalidInput, NotFound, StoreError
from rootless.image import forms, gc, names, partial
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.oci.digest import Digest, chain_id


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal did.

    Attributes:
        untagged: Names that were taken away.
        deleted: IDs of images of which nothing is left.
        freed: Bytes; 0 where a load is at work and the collection had to wait.
    """

    untagged: tuple[str, ...]
    deleted: tuple[Digest, ...]
    freed: int


def remove(store: Store, wanted: Sequence[str], *, force: bool = False) -> Removed:
    """Remove images by name or ID; nothing is removed if one of them cannot be.

    A name is taken from its image, which goes with its last name; an ID removes the image itself.

    Args:
        store: The store.
        wanted: Names, IDs and beginnings of IDs.
        force: Remove an image by ID although it has several names; ignore what is not there.

    Raises:
        NotFound: No such image.
        Conflict: The image has several names, or is in an additional store.
    """
    gone: list[Entry] = []
    for name in wanted:
        try:
            found = names.find_own(store, name)
        except NotFound:
            if force:
                continue
            raise
        if len({entry.reference for entry in found}) > 1 and not force:
            listed = ", ".join(entry.reference for entry in found)
            raise Conflict("image has several names", name, f"{listed}; --force removes them all")
        gone += found
    return remove_entries(store, gone)


def remove_all(store: Store) -> Removed:
    """Remove every image."""
    return remove_entries(store, names.entries(store))


def remove_entries(store: Store, gone: Sequence[Entry]) -> Removed:
    """Take names away, and what no name and no container leads to after that."""
    if gone:  # else nothing is written: there may be no store yet
        _drop(store, gone)
    left = {entry.config_digest for entry in names.entries(store)}
    deleted = dict.fromkeys(e.config_digest for e in gone if e.config_digest not in left)
    return Removed(
        untagged=tuple(dict.fromkeys(entry.reference for entry in gone if entry.reference)),
        deleted=tuple(deleted),
        freed=gc.collect(store),
    )


def _drop(store: Store, gone: Sequence[Entry]) -> None:
    try:
        names.drop(store, gone)
    except StoreError as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        # A shorter list of images needs a little room all the same. Downloads that were cut short
        # can go, and trees before the names: whoever needs one meanwhile makes it again.
        partial.sweep(store, older_than_s=0)
        for entry in gone:
            with suppress(NotFound, IntegrityError, InvalidInput, OSError):
                diff_ids = names.read_image(store, entry).config.diff_ids
                store.tree_path(chain_id(diff_ids)).unlink(missing_ok=True)
                places = forms.find_all(store, diff_ids)
                forms.tree_path(store, diff_ids, places).unlink(missing_ok=True)
        names.drop(store, gone)
