"""WORKDIR: the folder that it names is made where the image has none, as a layer of its own."""

import os
from collections.abc import Generator, Iterator

from rootless.build.containerfile import Instruction
from rootless.build.copy_layer import Attributes, LayerTar, made_folder
from rootless.build.destination import Destination
from rootless.errors import InvalidInput
from rootless.image import trees
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.member_header import END
from rootless.image.store import Store
from rootless.oci.digest import Digest


def folder_layer(
    store: Store,
    diff_ids: tuple[Digest, ...],
    instruction: Instruction,
    path: str,
    attributes: Attributes,
) -> StagedLayer | None:
    """Return a layer with a folder and those above it that are missing; None where it is there.

    Args:
        store: Where the layers are, and the new one is kept.
        diff_ids: The layers so far.
        instruction: The step, for what may be wrong with it.
        path: The folder; links are followed.
        attributes: Of what is made.

    Raises:
        BuildError: Something else is there.
    """
    place = trees.located(store, diff_ids, may_grow=True) if diff_ids else None
    with Destination(None if place is None else lambda: place) as destination:
        try:
            missing = _missing(destination, os.fsencode(path))
        except InvalidInput as error:
            raise instruction.fault(error.what, error.on, error.fix) from error
    if not missing:
        return None
    chunks = (made_folder(each, attributes) for each in missing)
    with LayerTar(_ended(chunks)) as tar:
        return ingest(store, tar, instruction.source, Expected())


def _missing(destination: Destination, path: bytes) -> list[bytes]:
    found = destination.resolve(path)
    if found.is_folder:
        return []
    if found.inode is not None:
        raise InvalidInput("the working directory is there and is no folder", os.fsdecode(path))
    parts = found.path.split(b"/")
    folders = (b"/".join(parts[:count]) for count in range(1, len(parts) + 1))
    return [each for each in folders if destination.look(each) is None]


def _ended(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    yield from chunks
    yield END
