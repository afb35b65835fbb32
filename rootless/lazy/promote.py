"""A lazy layer that is whole becomes an ordinary one: `python -m rootless.lazy.promote DIFF_ID`.

Its blob is ingested as that of any pull, so tar and index are the same as if it had come at once,
and are held against the blob's digest and the layer's diff ID. Then the images that have the layer
get a tree that fits, those that are whole the manifest of an ordinary image, and the folder goes.
A program of its own, at a low priority: the fetcher beside it goes on serving.

Runs that have the layer open go on with what they opened. One that is about to open it has locked
the folder; it stays then, and the next collection takes it.
"""

import os
import signal
import sys
from dataclasses import replace

from rootless.errors import IntegrityError, RootlessError
from rootless.image import forms, gc, holds, names, trees
from rootless.image.forms import Form
from rootless.image.ingest import Expected, ingest
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.image.transaction import Transaction
from rootless.lazy import durable, source
from rootless.linux import prctl
from rootless.oci.digest import Digest, parse_digest, sha256_of
from rootless.oci.manifest import stored_manifest
from rootless.paths import Paths

WRONG = 3
"""The exit status for a blob that is not the one that it must be: some of it came wrong."""
_NICE = 10


def promote(store: Store, diff_id: Digest) -> None:
    """Make an ordinary layer of a lazy one whose blob is whole.

    Raises:
        IntegrityError: It is not what it must be.
        StoreError: The store cannot take it.
    """
    with Transaction(store) as transaction:
        transaction.lock_layers([diff_id])
        if not store.has_layer(diff_id):
            folder = store.lazy_folder(diff_id)
            with explain(folder):
                blob = source.read(folder).blob
            with explain(folder), open(folder / durable.BLOB, "rb", buffering=0) as raw:
                expected = Expected(blob.digest, blob.size, diff_id)
                transaction.add_layer(ingest(store, raw, blob.digest, expected))
        transaction.commit(())
        for entry in names.entries(store):
            image = names.read_image(store, entry)
            if diff_id in image.config.diff_ids:
                trees.located(store, image.config.diff_ids)
                settle(store, entry, image)
    if store.lazy_folder(diff_id).exists() and not gc.remove_folder(store.lazy_folder(diff_id)):
        holds.note_due(store.root)


def settle(store: Store, entry: names.Entry, image: Image) -> None:
    """Give an image whose layers are all tars the manifest that says how large they are.

    While a layer was lazy nobody knew.
    """
    diff_ids = image.config.diff_ids
    if any(place.form is not Form.TAR for place in forms.find_all(store, diff_ids)):
        return
    layers = [(diff_id, forms.size_of(store, diff_id)) for diff_id in diff_ids]
    config = (image.manifest.config.digest, image.manifest.config.size)
    data = stored_manifest(config, layers, image.manifest.annotations).to_bytes()
    if sha256_of(data) != entry.manifest_digest:
        digest = store.write_blob(data)
        changed = replace(entry, manifest_digest=digest, manifest_size=len(data))
        names.exchange(store, entry, changed)
        holds.note_due(store.root)


def main(arguments: list[str]) -> int:
    """Promote the layer whose diff ID is given; an error is one line on standard error."""
    prctl.set_parent_death_signal(signal.SIGKILL)
    os.nice(_NICE)
    try:
        store = Store.open(Paths.from_environment(), create=False)
        promote(store, parse_digest(arguments[0]))
    except RootlessError as error:
        sys.stderr.write(f"{error}\n")
        is_other = isinstance(error, IntegrityError) and error.what == "wrong digest"
        return WRONG if is_other else error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
