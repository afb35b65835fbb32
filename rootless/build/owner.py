"""Whose files become that a COPY copies: `--chown`, by the image's passwd(5) and group(5)."""

from collections.abc import Sequence

from rootless.build.destination import Destination
from rootless.build.layer_stack import LayerStack, merged
from rootless.bundle.users import resolve_user
from rootless.image import forms, trees
from rootless.image.store import Store
from rootless.oci.digest import Digest

_MAX_READ = 16 << 20
_ACCOUNTS = (b"etc/passwd", b"etc/group")


def owner_of(
    text: str, store: Store, diff_ids: Sequence[Digest], stack: LayerStack
) -> tuple[int, int] | None:
    """Return UID and GID that `--chown` means; None where it is not there.

    A number that the image's passwd does not know is the group's too, as docker has it.

    Args:
        text: USER[:GROUP], names or numbers.
        store: Where the layers are.
        diff_ids: The image's layers.
        stack: Their names.

    Raises:
        InvalidInput: The image knows no such name.
    """
    if not text:
        return None
    passwd = group = None
    user_text, _, group_text = text.partition(":")
    if not (user_text.isdecimal() and group_text.isdecimal()):
        passwd, group = _accounts(store, diff_ids, stack)
    user = resolve_user(text, passwd, group)
    return user.uid, user.gid if group_text or user.known else user.uid


def _accounts(store: Store, diff_ids: Sequence[Digest], stack: LayerStack) -> list[bytes | None]:
    """Return passwd and group, out of the tree where no layer above it has to do with them."""
    with Destination(stack) as names:
        paths = [names.resolve(path).path for path in _ACCOUNTS]
    if any(layer.look(path) or layer.covers(path) for layer in stack.above for path in paths):
        stack = merged(store, diff_ids)
    if any(map(forms.is_lazy, stack.layers)):
        from rootless.lazy import needed  # noqa: PLC0415 - seldom wanted, and much of it

        needed.fetch_files(store, diff_ids, _ACCOUNTS)
        stack = merged(store, diff_ids)
    tree = stack.tree
    if tree is None:
        return [None, None]
    return [trees.read_from(tree, stack.layers, path, _MAX_READ) for path in _ACCOUNTS]
