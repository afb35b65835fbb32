"""The layers of a run as they are now, and what fetches those that are not all there."""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.run_folder import RunFolder
from rootless.image import forms
from rootless.image.names import Image
from rootless.image.store import Store
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
    is_plain = all(layer.parent.name == "sha256" and layer.exists() for layer in root.layers)
    if is_plain and root.tree.exists():
        return container, None
    from rootless.lazy.launch import start_beside  # noqa: PLC0415 - of no use to most runs

    store = Store.open(paths, create=False)
    there, fetcher = start_beside(store, root.tree, root.layers, folder.path / "server.log")
    if fetcher is not None:
        owned.callback(fetcher.stop)
    return replace(container, root=replace(root, tree=there.tree, layers=there.layers)), fetcher


def fetch_accounts(store: Store, image: Image) -> None:
    """Fetch passwd and group of an image that is not all there; raises what keeps from that."""
    places = forms.find_all(store, image.config.diff_ids)
    if any(place.form is forms.Form.LAZY for place in places):
        from rootless.lazy.needed import ACCOUNTS, fetch_files  # noqa: PLC0415 - as above

        fetch_files(store, image.config.diff_ids, ACCOUNTS)
