"""What builds keep of their steps, so that the next one need not do them again.

    build-cache/steps/HEX.json   what came of the step that has this key
    build-cache/mounts/…         the folders of RUN --mount=type=cache

A step's layer is an object of the store as any other; as long as the step is kept, a collection
leaves it. A file that cannot be read, or whose layer has gone, is no step: the build does it.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import InvalidInput
from rootless.image.store import TEMP_PREFIX, Store, write_all
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, hex_of, parse_digest

STEPS = "build-cache/steps"
MOUNTS = "build-cache/mounts"
_SUFFIX = ".json"
_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class KeptStep:
    """What came of a step.

    Attributes:
        diff_id: The layer that it made; None for none.
        created: When, in seconds since 1970.
        content: What it read, as the history has it: `file:DIGEST`; "" for nothing.
    """

    diff_id: Digest | None
    created: int
    content: str = ""


def look_up(store: Store, key: Digest) -> KeptStep | None:
    """Return what came of a step; None where that is not known, or its layer is not there."""
    step = _read(_path(store, key))
    if step is None or (step.diff_id is not None and not store.has_layer(step.diff_id)):
        return None
    return step


def keep(store: Store, key: Digest, step: KeptStep) -> None:
    """Keep what came of a step. Who calls holds the store's lock, and the layer is there."""
    path = _path(store, key)
    with explain(path):
        os.makedirs(path.parent.parent, mode=0o700, exist_ok=True)
        os.makedirs(path.parent, mode=0o700, exist_ok=True)
    document = {"diff_id": step.diff_id, "created": step.created, "content": step.content}
    with store.temp_for(path) as temp, explain(path):
        # not brought to the disk: what is lost with the machine is done again
        write_all(temp.fd, json.dumps(document).encode())
        temp.rename(path)


def held(store: Store) -> Iterator[Path]:
    """Yield the objects that the steps are kept with."""
    for diff_id in diff_ids(store):
        yield store.blob_path(diff_id)
        yield store.index_path(diff_id)
        yield store.coded_path(diff_id)


def diff_ids(store: Store) -> set[Digest]:
    """Return the layers of the steps."""
    steps = map(_read, kept(store))
    return {step.diff_id for step in steps if step is not None and step.diff_id is not None}


def kept(store: Store) -> Iterator[Path]:
    """Yield the files of the steps."""
    folder = store.root / STEPS
    with explain(folder), suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if name.endswith(_SUFFIX) and not name.startswith(TEMP_PREFIX):
                yield folder / name


def mounts(store: Store) -> list[Path]:
    """Return the folders of cache mounts."""
    folder = store.root / MOUNTS
    with explain(folder), suppress(FileNotFoundError):
        return [folder / name for name in os.listdir(folder)]
    return []


def forget(store: Store, wanted: Callable[[int], bool] = lambda _: True) -> int:
    """Forget steps; return how many. A collection then takes their layers.

    Args:
        store: The store.
        wanted: Says of the time, in nanoseconds, at which a step was kept whether it is to go.
    """
    forgotten = 0
    for path in kept(store):
        with explain(path), suppress(FileNotFoundError):
            if wanted(path.stat().st_mtime_ns):
                path.unlink()
                forgotten += 1
    return forgotten


def _path(store: Store, key: Digest) -> Path:
    return store.root / STEPS / f"{hex_of(key)}{_SUFFIX}"


def _read(path: Path) -> KeptStep | None:
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read(_MAX_BYTES))
        diff_id = document["diff_id"]
        return KeptStep(
            None if diff_id is None else parse_digest(diff_id, str(path)),
            int(document["created"]),
            str(document["content"]),
        )
    except (OSError, ValueError, KeyError, TypeError, InvalidInput):
        return None
