"""WORKDIR: the folder that it names is made where the image has none, as a layer of its own."""

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

from rootless.build.containerfile import Instruction
from rootless.build.copy_layer import Attributes, made_folder
from rootless.build.destination import Destination
from rootless.build.owner import owner_of
from rootless.build.standing import Standing
from rootless.errors import InvalidInput
from rootless.image import trees
from rootless.image.byte_stream import Chunked
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.member_header import END
from rootless.image.store import Store
from rootless.image.upper_layer import refuse_whiteout

if TYPE_CHECKING:
    from rootless.build.state import StageState


def folder_layer(
    store: Store, state: "StageState", instruction: Instruction, now_ns: int, latest_ns: int | None
) -> StagedLayer | None:
    """Return a layer with a folder and those above it that are missing; None where it is there.

    They belong to the user that the image has by then.

    Args:
        store: Where the layers are, and the new one is kept.
        state: What the step makes of the stage.
        instruction: The step, for what may be wrong with it.
        now_ns: The time of what is made.
        latest_ns: No folder is younger; None for as it is.

    Raises:
        BuildError: Something else is there, no layer can have the name, or the user is not known.
    """
    diff_ids = state.diff_ids
    place = trees.located(store, diff_ids, may_grow=True) if diff_ids else None
    with Destination(place) as destination:
        with instruction.blamed(InvalidInput):
            missing = _missing(destination, os.fsencode(state.workdir))
            for each in missing:
                refuse_whiteout(each)
            owner = owner_of(state.user, store, diff_ids, place) if missing else None
        if not missing:
            return None
        attributes = Attributes(owner, None, now_ns, latest_ns)
        with Chunked(_chunks(missing, attributes, destination)) as tar:
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


def _chunks(
    missing: list[bytes], attributes: Attributes, destination: Destination
) -> Generator[bytes, None, None]:
    standing = Standing(destination, attributes.latest_ns)
    for each in missing:
        yield from standing.above(each)
        yield made_folder(each, attributes)
    yield END
