"""The context of a build: a folder, or an archive of one, and what in it is of no concern.

An archive is read once, into a file of the store that goes with the build, and never unpacked: its
index tells where in it each file is.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.build.context_folder import ContextFolder
from rootless.build.copy_source import CopySource, resolve
from rootless.build.ignore import NAMES, Ignore
from rootless.errors import IntegrityError, InvalidInput
from rootless.image.byte_stream import ByteStream, Prefixed
from rootless.image.layers import LayerIndexReader
from rootless.image.names import Located
from rootless.image.source import STANDARD_INPUT, open_regular, read_error
from rootless.image.standard_input import piped
from rootless.image.store import Store
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.image.ingest import StagedLayer

_MAX_IGNORE_BYTES = 1 << 20
_UNKNOWN = Digest("sha256:unknown")  # for a place beside the files whose names are known later


@dataclass(frozen=True, slots=True)
class Context:
    """A context that is open.

    Attributes:
        folder: Its path; "" for an archive.
        make: Returns it as a source, without what the lines keep away.
        ignore: The lines of the ignore file.
    """

    folder: str
    make: Callable[[Ignore], CopySource]
    ignore: Ignore

    def source(self) -> CopySource:
        """Return what COPY reads: one for each stage, as an archive's serves one thread."""
        return self.make(self.ignore)

    def read(self, path: str, limit: int) -> bytes | None:
        """Return a file, whether it is kept away or not; None where there is none.

        Raises:
            InvalidInput: It is larger than *limit*, or the path leads out of the context.
            NotFound: It cannot be read.
        """
        return _read(self.make(Ignore()), path, limit)


@contextmanager
def opened(
    store: Store, place: str, *, ignorefile: str = "", containerfile: str = "", head: bytes = b""
) -> Iterator[Context]:
    """Give the context of a build.

    Args:
        store: Where an archive's bytes are kept meanwhile.
        place: A folder, an archive, or "-" for an archive on standard input.
        ignorefile: The ignore file, of the host; "" for the one of the context.
        containerfile: Beside it, with a name that begins with its, there may be one.
        head: What was read of standard input before.

    Raises:
        InvalidInput: It is none, or the ignore file has a line that means nothing.
        IntegrityError: The archive is damaged or hostile.
        NotFound: It cannot be read.
        StoreError: The store cannot take an archive.
    """
    if place != "-" and os.path.isdir(place):
        bare = ContextFolder(place, Ignore())
        try:
            ignore = _ignore(bare, ignorefile, containerfile)
            yield Context(place, bare.without, ignore)
        finally:
            bare.close()
        return
    with (
        _raw(place) as rest,
        _ingested(store, Prefixed(head, rest), place) as located,
        ExitStack() as held,
    ):

        def make(ignore: Ignore) -> CopySource:
            from rootless.build.tree_source import TreeSource  # noqa: PLC0415 - a folder needs none

            source = TreeSource("the build context", lambda: located, ignore=ignore)
            return held.enter_context(source)

        yield Context("", make, _ignore(make(Ignore()), ignorefile, containerfile))


def ignoring(folder: str) -> ContextFolder:
    """Return a folder beside the context, without what its own ignore file keeps away."""
    bare = ContextFolder(folder, Ignore())
    return bare.without(_ignore(bare, "", ""))


def _ignore(source: CopySource, ignorefile: str, containerfile: str) -> Ignore:
    """Return the ignore file that counts: the given one, the Containerfile's, the context's."""
    beside = [containerfile + name for name in NAMES] if containerfile else []
    for path in [ignorefile] if ignorefile else beside:
        try:
            fd = open_regular(path)
        except FileNotFoundError as error:
            if ignorefile:
                raise read_error(path, error) from error
            continue
        with open(fd, "rb") as file:
            return Ignore(file.read(_MAX_IGNORE_BYTES), path)
    for name in NAMES:
        data = _read(source, name, _MAX_IGNORE_BYTES)
        if data is not None:
            return Ignore(data, name)
    return Ignore()


def _read(source: CopySource, path: str, limit: int) -> bytes | None:
    node = resolve(source, os.fsencode(path))
    if node is None or not stat.S_ISREG(node.mode):
        return None
    if node.size > limit:
        raise InvalidInput("the file is too large", path, f"at most {limit} bytes")
    with source.open(node) as contents:
        return contents.read(0, contents.size)


@contextmanager
def _raw(place: str) -> Iterator[ByteStream]:
    if place == "-":
        stdin = piped("no context", "pipe a tar in, or name a folder")
        with open(os.dup(stdin), "rb", buffering=0) as raw:
            yield raw
        return
    try:
        fd = open_regular(place)
    except FileNotFoundError as error:
        raise read_error(place, error, "the context is a folder, or a tar of one") from error
    with open(fd, "rb", buffering=0) as raw:
        yield raw


@contextmanager
def _ingested(store: Store, raw: ByteStream, place: str) -> Iterator[Located]:
    """Give the tree of an archive, and the archive as a plain tar."""
    from rootless.image import trees  # noqa: PLC0415 - of an archive only
    from rootless.image.ingest import Expected, ingest  # noqa: PLC0415

    what = STANDARD_INPUT if place == "-" else place
    staged = ingest(store, raw, what, Expected())
    try:
        _refuse_whiteouts(staged, what)
        with store.temp_for(store.tree_path(_UNKNOWN)) as tree:
            trees.build([staged.index.path], tree.path)
            yield Located(tree.path, (staged.tar.path,))
    finally:
        staged.close()


def _refuse_whiteouts(staged: "StagedLayer", what: str) -> None:
    """Raise for a name that an image cannot hold, and that the index takes for a mark."""
    with LayerIndexReader(staged.index.path) as index:
        for hidden in index.whiteouts():
            where = f"{what}: {os.fsdecode(hidden.path)}"
            raise IntegrityError("the context has a name that begins with .wh.", where)
