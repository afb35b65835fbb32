"""Whose files become that a COPY copies: `--chown`, by the image's passwd(5) and group(5)."""

from collections.abc import Sequence

from rootless.bundle.users import resolve_user
from rootless.image import forms, trees
from rootless.image.names import Located
from rootless.image.store import Store
from rootless.oci.digest import Digest

_MAX_READ = 16 << 20


def owner_of(
    text: str, store: Store, diff_ids: Sequence[Digest], place: Located | None
) -> tuple[int, int] | None:
    """Return UID and GID that `--chown` means; None where it is not there.

    A number alone is the group's too, whatever the image's passwd says, as docker has it.

    Args:
        text: USER[:GROUP], names or numbers.
        store: Where the layers are.
        diff_ids: The image's layers.
        place: Where its files are; None for an image without any.

    Raises:
        InvalidInput: The image knows no such name.
    """
    if not text:
        return None
    passwd = group = None
    if place is not None and not text.replace(":", "").isdecimal():
        passwd = _read(b"etc/passwd", store, diff_ids, place)
        group = _read(b"etc/group", store, diff_ids, place)
    user = resolve_user(text, passwd, group)
    return user.uid, user.uid if text.isdecimal() else user.gid


def _read(path: bytes, store: Store, diff_ids: Sequence[Digest], place: Located) -> bytes | None:
    if any(map(forms.is_lazy, place.layers)):
        from rootless.lazy import needed  # noqa: PLC0415 - seldom wanted, and much of it

        needed.fetch_files(store, diff_ids, [path])
        place = trees.located(store, diff_ids, may_grow=True)
    return trees.read_from(place.tree, place.layers, path, _MAX_READ)
