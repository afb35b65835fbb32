"""A root file system into the store as an image of one layer: all of `rootless import`.

The layer is the tar as it came, decompressed, or a tar of the folder (`image.folder_tar`); it goes
through the same single pass as any layer of a load. The config is made here.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rootless.errors import InvalidInput
from rootless.image import gc, names, trees
from rootless.image.byte_stream import ByteStream
from rootless.image.folder_tar import FolderTar
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.load import describe
from rootless.image.plan import PlannedImage
from rootless.image.progress import Progress, Silent
from rootless.image.source import STANDARD_INPUT, read_error
from rootless.image.standard_input import piped
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci import timestamp
from rootless.oci.digest import Digest
from rootless.oci.document import to_bytes
from rootless.oci.image_config import parse_image_config
from rootless.oci.image_index import host_platform

# pairs of files that only an archive of an image has in its root
_IMAGE_ARCHIVES = ((b"oci-layout", b"index.json"), (b"manifest.json", b"repositories"))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the image says about the process to run in it, and how it came to be.

    Attributes:
        env: NAME=VALUE each.
        entrypoint: Words before the command.
        cmd: The command when none is given.
        working_dir: Absolute; empty for the root.
        user: Name or ID, with a group or without.
        labels: By name.
        message: Kept in the history.
    """

    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    def check(self) -> None:
        """Raise InvalidInput for what no image config can hold."""
        for variable in self.env:
            if not variable.partition("=")[0] or "=" not in variable:
                raise InvalidInput("not a variable", variable, "NAME=VALUE")
        if self.working_dir and not self.working_dir.startswith("/"):
            raise InvalidInput("working directory must be an absolute path", self.working_dir)
        if "" in self.labels:
            raise InvalidInput("label without a name", self.labels[""], "NAME=VALUE")
        texts = (*self.env, *self.entrypoint, *self.cmd, self.working_dir, self.user, self.message)
        for text in (*texts, *self.labels, *self.labels.values()):
            if any("\ud800" <= c <= "\udfff" or c == "\0" for c in text):
                raise InvalidInput("not valid UTF-8, which an image config must be", text)


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """What came of an import: the name, or an empty one; the image ID; what a folder had besides.

    Attributes:
        left_out: Sockets and mounts that are not in the image, for people.
    """

    reference: str
    config_digest: Digest
    left_out: tuple[str, ...]


def import_rootfs(
    store: Store,
    source: str,
    *,
    created: datetime,
    name: str = "",
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> ImportedImage:
    """Make an image of a folder, a tar or standard input ("-"): all of it, or nothing.

    Args:
        store: Where to.
        source: Path; a tar may be plain or compressed.
        created: The time to write down.
        name: What to call the image.
        settings: What the config is to say.
        progress: Who is told.

    Raises:
        NotFound: The source, or something in a folder, cannot be read.
        InvalidInput: It is no root file system, or the settings are wrong.
        IntegrityError: The tar is damaged or hostile.
        StoreError: The store cannot take it.
    """
    reference = names.name_for_storing(name) if name else ""
    chosen = settings or Settings()
    chosen.check()
    left_out: list[str] = []
    with Transaction(store) as transaction:
        with _opened(source, left_out) as (stream, size):
            layer = _ingested(store, stream, source, size, progress or Silent())
        transaction.add_layer(layer)
        diff_id = layer.diff_id
        transaction.add_tree([diff_id])
        _refuse_image_archive(transaction, diff_id, source)
        data = _config(chosen, diff_id, created)
        references = (reference,) if reference else ()
        image = PlannedImage(references, data, parse_image_config(data), (), None)
        config_digest = transaction.add_blob(data)
        transaction.commit(describe(transaction, config_digest, len(data), image, None))
    gc.collect_if_due(store)
    return ImportedImage(reference, config_digest, tuple(left_out))


def _ingested(
    store: Store, stream: ByteStream, source: str, size: int | None, progress: Progress
) -> StagedLayer:
    what = STANDARD_INPUT if source == "-" else source
    progress.layer(os.path.basename(what.rstrip("/")), size)
    return ingest(store, stream, what, Expected(), progress.advance)


@contextmanager
def _opened(source: str, left_out: list[str]) -> Iterator[tuple[ByteStream, int | None]]:
    """Give the source as a stream, and its size where that is known."""
    if source == "-":
        stdin = piped("nothing to import", "pipe a tar in")
        with open(os.dup(stdin), "rb", buffering=0) as raw:
            yield raw, None
        return
    if os.path.isdir(source):
        with FolderTar(source) as folder:
            yield folder, None
            left_out += folder.left_out
        return
    try:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise read_error(source, error, "give a folder or a tar of a root file system") from error
    with open(fd, "rb", buffering=0) as raw:
        status = os.fstat(fd)
        yield raw, status.st_size if stat.S_ISREG(status.st_mode) else None


def _refuse_image_archive(transaction: Transaction, diff_id: Digest, source: str) -> None:
    with trees.open_tree(transaction.tree_path([diff_id])) as tree:
        for files in _IMAGE_ARCHIVES:
            if all(tree.resolve(name) is not None for name in files):
                fix = f"rootless load {source}"
                raise InvalidInput("an image, not a root file system", source, fix)


def _config(settings: Settings, diff_id: Digest, created: datetime) -> bytes:
    platform = host_platform()
    process = {
        "User": settings.user,
        "Env": list(settings.env),
        "Entrypoint": list(settings.entrypoint),
        "Cmd": list(settings.cmd),
        "WorkingDir": settings.working_dir,
        "Labels": dict(settings.labels),
    }
    time = timestamp.to_text(created.timestamp())
    step = {"created": time, "created_by": "rootless import", "comment": settings.message}
    return to_bytes(
        {
            "created": time,
            "architecture": platform.architecture,
            **({"variant": platform.variant} if platform.variant else {}),
            "os": platform.os,
            "config": _without_empty(process),
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [_without_empty(step)],
        }
    )


def _without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item}
