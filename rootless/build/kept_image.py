"""An image of layers that are in the store, brought in under its names."""

from rootless.build.request import BuildRequest
from rootless.errors import InvalidInput
from rootless.image import holds, trees
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.digest import Digest
from rootless.oci.image_config import parse_image_config
from rootless.oci.manifest import MAX_LAYERS, stored_manifest


def keep(store: Store, data: bytes, request: BuildRequest) -> Digest:
    """Keep an image, make its tree, and name it; return its ID.

    Args:
        store: Where its layers are.
        data: Its config.
        request: Which has the names, and the manifest's annotations.

    Raises:
        InvalidInput: It has more layers than an image may have.
        StoreError: The store cannot take it.
    """
    diff_ids = parse_image_config(data).diff_ids
    if len(diff_ids) > MAX_LAYERS:
        fix = "--squash makes one of the new ones"
        raise InvalidInput(f"the image has more than {MAX_LAYERS} layers", str(len(diff_ids)), fix)
    with Transaction(store) as transaction:
        if diff_ids:
            trees.located(store, diff_ids, may_grow=True)
            holds.note_due(store.root)  # the trees of the steps before are of no use any more
        else:
            transaction.add_tree(diff_ids)
        config_digest = transaction.add_blob(data)
        layers = [(diff_id, transaction.layer_size(diff_id)) for diff_id in diff_ids]
        manifest = stored_manifest((config_digest, len(data)), layers, request.annotations)
        written = manifest.to_bytes()
        digest = transaction.add_blob(written)
        transaction.commit(
            Entry(reference, digest, len(written), config_digest)
            for reference in request.tags or ("",)
        )
    return config_digest
