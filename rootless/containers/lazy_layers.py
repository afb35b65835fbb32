"""The layers of a container as they are now, and what fetches those that are not all there."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.run_folder import RunFolder
from rootless.image import forms, trees
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.lazy.launch import Fetcher


def open_layers(
    container: Container, paths: Paths, folder: RunFolder, owned: contextlib.ExitStack
) -> "tuple[Container, Fetcher | None]":
    """Return the container with its layers as they are now, and their fetcher.

    A layer may have another form than when the container was made. Started here, in the host's
    network, the fetcher ends with `owned`, or with the FUSE server.

    Raises NotFound, StoreError, InvalidInput.
    """
    root = container.root
    if not isinstance(root, OverlayRoot):
        return container, None
    if _is_settled(root):
        return container, None
    from rootless.lazy.launch import start_beside  # noqa: PLC0415 - of no use to most runs

    store = Store.open(paths, create=False)
    there, fetcher = start_beside(store, root.tree, root.layers, folder.path / "server.log")
    if fetcher is not None:
        owned.callback(fetcher.stop)
    return replace(container, root=replace(root, tree=there.tree, layers=there.layers)), fetcher


def fetch_accounts(store: Store, image: Image) -> None:
    """Fetch passwd and group of an image that is not all there; raises what keeps from that."""
    if image.place is not None:  # in a file of the user's, and whole
        return
    places = forms.find_all(store, image.config.diff_ids)
    if any(place.form is forms.Form.LAZY for place in places):
        from rootless.lazy.needed import ACCOUNTS, fetch_files  # noqa: PLC0415 - as above

        fetch_files(store, image.config.diff_ids, ACCOUNTS)


def completed(container: Container, paths: Paths) -> Container:
    """Return the container with its layers as they are now, all of them there.

    For what reads them by other ways than the FUSE server of a run. Raises as `fetch_accounts`.
    """
    root = container.root
    if not isinstance(root, OverlayRoot) or _is_settled(root):
        return container
    store = Store.open(paths, create=False)
    diff_ids = [forms.diff_id_of(layer) for layer in root.layers]
    complete_layers(store, diff_ids)
    there = trees.located(store, diff_ids)
    return replace(container, root=replace(root, tree=there.tree, layers=there.layers))


def complete_image(store: Store, image: Image) -> None:
    """Fetch what is missing of an image, and say so; raises what keeps from that."""
    if image.place is None:
        complete_layers(store, image.config.diff_ids)


def complete_layers(store: Store, diff_ids: Sequence[Digest]) -> None:
    """Fetch what is missing of layers, and say so; raises what keeps from that."""
    if all(place.form is not forms.Form.LAZY for place in forms.find_all(store, diff_ids)):
        return
    from rootless.lazy.needed import complete_and_say  # noqa: PLC0415 - as above

    complete_and_say(store, diff_ids)


def _is_settled(root: OverlayRoot) -> bool:
    """Tell whether every layer is where it was, and none is lazy."""
    if root.layers == (root.tree,):  # one file, which is asked as seldom as can be
        return True
    return root.tree.exists() and all(
        layer.exists() and not forms.is_lazy(layer) for layer in root.layers
    )
