"""Where a container's image lies now.

A record names the files of its root file system as they were when it was made. A store may have
been moved since, layers may have come into it in another form, and what lay in an additional store
may lie in a newer version of that: what is not where it was is looked for by its digest.
"""

from dataclasses import replace

from rootless.containers.container import OverlayRoot
from rootless.containers.record import Record
from rootless.errors import Conflict, NotFound
from rootless.image import meant, names, trees
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import chain_id, parse_digest
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
    try:
        return names.read_image(store, names.Entry(made_from.name, manifest, 0, config))
    except NotFound as error:
        root = record.container.root
        if not isinstance(root, OverlayRoot) or not _is_in_file(record):
            raise
        if root.layers == (root.tree,):
            fix = f"`rootless load {made_from.name}` brings them in"
            raise NotFound("the image's layers are in a file", made_from.name, fix) from error
        fix = f"`rootless export {record.name} | rootless import - NAME` makes an image of it all"
        raise NotFound("the image has no layers for one more", made_from.name, fix) from error


def located(paths: Paths, record: Record) -> Record:
    """Return the record with the places where the files of its image lie now.

    Raises:
        NotFound: The image has gone: from a store that is shared, a container cannot keep it.
        StoreError: Its tree is missing and can be built nowhere.
    """
    root = record.container.root
    if not isinstance(root, OverlayRoot) or not record.image.config_digest:
        return record
    store = Store.open(paths, create=False)
    if _is_in_file(record):
        place = _place_in_file(store, record)
        if place is not None:
            return _with_place(record, place)
    elif all(path.exists() for path in (root.tree, *root.layers)):
        return record
    try:
        config = image_of(store, record).config
        there = trees.located(store, config.diff_ids)
    except NotFound as error:
        fix = "bring the image back, and the container goes on with the files that it had"
        what = f"the container's image has gone: {record.image.name or record.image.config_digest}"
        raise NotFound(what, record.name, fix) from error
    return _with_place(record, there)


def _is_in_file(record: Record) -> bool:
    """Return whether a container's image was a file of the user's: those are named by paths."""
    return record.image.name.startswith("/")


def _place_in_file(store: Store, record: Record) -> names.Located | None:
    """Return where the file's image is, made again where that has gone; None for another one."""
    try:
        image = meant.resolve(store, record.image.name)
    except NotFound:
        return None
    is_same = record.image.chain == str(chain_id(image.config.diff_ids))
    return image.place if is_same else None


def _with_place(record: Record, place: names.Located) -> Record:
    root = record.container.root
    assert isinstance(root, OverlayRoot)  # noqa: S101 - asked before
    root = replace(root, tree=place.tree, layers=place.layers)
    return replace(record, container=replace(record.container, root=root))
