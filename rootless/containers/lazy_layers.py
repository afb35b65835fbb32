"""The layers of a run as they are now, and what fetches those that are not all there."""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.run_folder import RunFolder
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
    from rootless.image.store import Store  # noqa: PLC0415 - of no use to most runs
    from rootless.lazy.launch import start_beside  # noqa: PLC0415

    store = Store.open(paths, create=False)
    there, fetcher = start_beside(store, root.tree, root.layers, folder.path / "server.log")
    if fetcher is not None:
        owned.callback(fetcher.stop)
    return replace(container, root=replace(root, tree=there.tree, layers=there.layers)), fetcher
