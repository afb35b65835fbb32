"""An image of what a container has become: all of `rootless commit` but its printing.

The upperdir becomes one layer more, in a single pass (`image.upper_layer`), and the image's own
config says what is new in it. The image is kept as any other is: all of it, or nothing.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rootless.bundle.root_emulation import APT_VARIABLE
from rootless.containers.record import Record
from rootless.containers.root_files import RootFiles, read_inside
from rootless.errors import InvalidInput
from rootless.image import gc, names
from rootless.image.config_changes import changed
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.layers import TarContents, UpperWalk
from rootless.image.load import describe
from rootless.image.member_header import END
from rootless.image.merged_tar import merged_chunks
from rootless.image.names import Image
from rootless.image.plan import PlannedImage
from rootless.image.progress import Progress, Silent
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.image.upper_layer import layer_chunks
from rootless.oci import timestamp
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_CONFIG_BYTES, parse_document, to_bytes
from rootless.oci.image_config import parse_image_config
from rootless.oci.manifest import MAX_LAYERS

# Docker's own notes on the container that the last layer came from: not of this one.
_STALE = ("container", "container_config", "id", "parent", "parent_id")
_OF_THE_RUN = ("HOME", "HOSTNAME", "TERM", "container")  # what every run gets of its own


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """What the image is to be called and to say.

    Attributes:
        name: "" for an image without a name.
        message: Kept in the history.
        author: Of the image and of this step; "" leaves the image's.
        created_by: What made the layer.
        changes: Words of a Containerfile, applied in this order.
        process: Members of the config that the container was run with, in place of the image's.
        created: The time to write down.
        latest: No file is younger than this; None for as it is.
        squash: One layer, of everything.
    """

    created: datetime
    name: str = ""
    message: str = ""
    author: str = ""
    created_by: str = "rootless commit"
    changes: tuple[str, ...] = ()
    process: tuple[tuple[str, Any], ...] = ()
    latest: datetime | None = None
    squash: bool = False


@dataclass(frozen=True, slots=True)
class CommittedImage:
    """What came of it: the name, or an empty one, and the image ID."""

    reference: str
    config_digest: Digest


def commit(
    store: Store,
    image: Image,
    files: RootFiles,
    request: CommitRequest,
    progress: Progress | None = None,
) -> CommittedImage:
    """Keep an image of a container: all of it, or nothing.

    Args:
        store: Where the container's image is.
        image: The one that the container was made from.
        files: What it made of it.
        request: What the new one is to be.
        progress: Who is told.

    Raises:
        InvalidInput: A change is none, a name cannot be in a layer, a file changed while it was
            read, or there are too many layers.
        NotFound: The image's layers have gone.
        StoreError: The store cannot take it, or the files cannot be read.
    """
    reference = names.name_for_storing(request.name) if request.name else ""
    told = progress or Silent()
    document = _document(store, image)
    process = _process(document, request)  # before anything is read: a wrong word costs nothing
    if len(image.config.diff_ids) >= MAX_LAYERS and not request.squash:
        what = f"the image would have more than {MAX_LAYERS} layers"
        raise InvalidInput(what, image.reference, "--squash makes it one")
    with Transaction(store) as transaction:
        layer = _staged(store, files, request, told)
        is_empty = layer.size == len(END) and not request.squash
        diff_ids = [] if request.squash else list(image.config.diff_ids)
        if is_empty:
            layer.close()
        else:
            diff_ids.append(layer.diff_id)
            transaction.add_layer(layer)
        transaction.add_tree(diff_ids)
        data = to_bytes(_config(document, process, diff_ids, request, is_empty=is_empty))
        config = parse_image_config(data)
        planned = PlannedImage((reference,) if reference else (), data, config, (), None)
        config_digest = transaction.add_blob(data)
        transaction.commit(describe(transaction, config_digest, len(data), planned, None))
    gc.collect_if_due(store)
    return CommittedImage(reference, config_digest)


def _staged(
    store: Store, files: RootFiles, request: CommitRequest, progress: Progress
) -> StagedLayer:
    latest_ns = None if request.latest is None else int(request.latest.timestamp()) * 10**9

    def chunks(walk: UpperWalk, contents: TarContents) -> Iterator[bytes]:
        if request.squash:
            return merged_chunks(walk, contents, latest_ns=latest_ns, is_layer=True)
        return layer_chunks(walk, latest_ns=latest_ns)

    progress.layer("commit", None)
    with read_inside(files, chunks) as stream:
        return ingest(store, stream, "the container's files", Expected(), progress.advance)


def _document(store: Store, image: Image) -> dict[str, Any]:
    data = store.read_blob(image.config_digest, MAX_CONFIG_BYTES)
    document: dict[str, Any] = parse_document(data, "image config", limit=MAX_CONFIG_BYTES).value
    return document


def _process(document: dict[str, Any], request: CommitRequest) -> dict[str, Any]:
    """Return the config's `config` member, with what the container was run with and the changes."""
    process: dict[str, Any] = copy.deepcopy(document.get("config") or {}) | dict(request.process)
    for instruction in request.changes:
        process = changed(process, instruction)
    for text in (request.message, request.author, request.created_by):
        if any("\ud800" <= c <= "\udfff" or c == "\0" for c in text):
            raise InvalidInput("not valid UTF-8, which an image config must be", text)
    return {key: value for key, value in process.items() if value not in (None, [], {}, "")}


def _config(
    document: dict[str, Any],
    process: dict[str, Any],
    diff_ids: list[Digest],
    request: CommitRequest,
    *,
    is_empty: bool,
) -> dict[str, Any]:
    time = timestamp.to_text(request.created.timestamp())
    step = {
        "created": time,
        "created_by": request.created_by,
        "author": request.author,
        "comment": request.message,
        "empty_layer": is_empty,
    }
    before = [] if request.squash else document.get("history") or []
    kept = {key: value for key, value in document.items() if key not in _STALE}
    return {
        **kept,
        "created": time,
        **({"author": request.author} if request.author else {}),
        "config": process,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [*before, {key: value for key, value in step.items() if value}],
    }


def words_of(record: Record) -> str:
    """Return the command that made the layer, as podman and docker write it down."""
    text = " ".join(record.container.spec.process.args)
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def as_run(image: Image, record: Record) -> tuple[tuple[str, Any], ...]:
    """Return members of a config that start what a container was run with.

    Args:
        image: What it was made from.
        record: The container.
    """
    config, process = image.config, record.container.spec.process
    found: dict[str, Any] = {}
    given = len(config.entrypoint)
    if process.args[:given] == config.entrypoint:
        found["Cmd"] = list(process.args[given:])
    else:
        found |= {"Entrypoint": [], "Cmd": list(process.args)}
    env = [
        each
        for each in process.env
        if each.partition("=")[0] not in _OF_THE_RUN and each != APT_VARIABLE
    ]
    if not set(env) <= set(config.env):
        found["Env"] = env
    if process.cwd != (config.working_dir or "/"):
        found["WorkingDir"] = process.cwd
    if record.labels:
        found["Labels"] = {**config.labels, **record.labels}
    return tuple(found.items())
