"""Where a container's image lies now.

A record names the files of its root file system as they were when it was made. A store may have
been moved since, layers may have come into it in another form, and what lay in an additional store
may lie in a newer version of that: what is not where it was is looked for by its digest.
"""

from dataclasses import replace

from rootless.containers.container import OverlayRoot
from rootless.containers.record import Record
from rootless.errors import Conflict, NotFound
from rootless.image import names, trees
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import parse_digest
from rootless.paths import Paths


def image_of(store: Store, record: Record) -> Image:
    """Return the image that a container was made from, whether it still has a name or not.

    Raises:
        Conflict: It was made from a bundle.
        NotFound: The image has gone.
    """
    made_from = record.image
    if not made_from.config_digest:
        raise Conflict("the container has no image below it", record.name, "it is a bundle's")
    manifest, config = (
        parse_digest(made_from.manifest_digest),
        parse_digest(made_from.config_digest),
    )
    return names.read_image(store, names.Entry(made_from.name, manifest, 0, config))


def located(paths: Paths, record: Record) -> Record:
    """Return the record with the places where the files of its image lie now.

    Raises:
        NotFound: The image has gone: from a store that is shared, a container cannot keep it.
        StoreError: Its tree is missing and can be built nowhere.
    """
    root = record.container.root
    if not isinstance(root, OverlayRoot) or not record.image.config_digest:
        return record
    if all(path.exists() for path in (root.tree, *root.layers)):
        return record
    store = Store.open(paths, create=False)
    try:
        config = image_of(store, record).config
        there = trees.located(store, config.diff_ids)
    except NotFound as error:
        fix = "bring the image back, and the container goes on with the files that it had"
        what = f"the container's image has gone: {record.image.name or record.image.config_digest}"
        raise NotFound(what, record.name, fix) from error
    root = replace(root, tree=there.tree, layers=there.layers)
    return replace(record, container=replace(record.container, root=root))
