r"""The store of one user: an OCI image layout with an index beside each layer.

    version                     "1\n"
    oci-layout, index.json      an OCI image layout that any tool reads
    blobs/sha256/HEX            manifests, configs, and layers as plain tars (digest = diff ID)
    layers/sha256/HEX.index     the index of the layer blobs/sha256/HEX
    layers/sha256/HEX.layer-chunks  how the bytes of a layer are compressed, in place of its tar
    lazy/sha256/HEX/            a layer that is not all there yet: see `rootless.lazy`
    trees/HEX.v2                the merged tree of a chain of layers, in that version of its format
    trees/HEX.lazy.v2           the same of a chain of which some layers are lazy
    trees/HEX.grown.v2          the same, made by a build of that of fewer layers
    partial/HEX                 a blob while it is downloaded, and after that was cut short
    damaged/HEX                 a layer that was found damaged, until it has come again
    foreign/HEX.v2 …            the same of images in files of the user's: `rootless.image.foreign`
    locks/                      lock files, while held
    scratch/                    what runs need for their time

Beside it there may be additional stores, shared and read-only: what is asked for is looked for here
first, then in each of them (`Store.find`). In them no lock is taken and no write is tried.

Guarantees: everything belongs to the user and needs neither xattrs nor chown. A file appears under
its name complete, by rename(2), or not at all. What is being written has a name that begins with
`.tmp-` and is locked by its writer, so that `kill -9` leaves only files that anybody can tell from
live ones and remove: see `rootless.image.gc`.
"""

import fcntl
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rootless.errors import IntegrityError, InvalidInput, NotFound, StoreError
from rootless.image import lock
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.image_index import ImageIndex, parse_image_index
from rootless.paths import Paths
from rootless.settings import additional_stores

log = logging.getLogger(__name__)

FORMAT_VERSION = 1
TEMP_PREFIX = ".tmp-"
_TEMP_NAME = re.compile(re.escape(TEMP_PREFIX) + "[0-9a-f]{16}")
FOREIGN = "foreign"
"""The folder of what was made of images that lie in files of the user's."""
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_MAX_INDEX_BYTES = 64 << 20  # our own document: a hundred thousand names
TREE_VERSION = 2
"""That of the trees that `fuse` reads (`fuse.entry.TREE_VERSION`)."""
# each with its parents: os.makedirs gives its mode to the last one alone
_FOLDERS = (
    *("", "blobs", "blobs/sha256", "layers", "layers/sha256", "lazy", "lazy/sha256"),
    *("trees", "partial", "locks"),
)
DAMAGED = "damaged"
_NAMES = frozenset(
    (
        *(name for name in _FOLDERS if "/" not in name),
        *("index.json", "oci-layout", "version", "collection-due", "scratch", "containers"),
        *("build-cache", DAMAGED, FOREIGN, "lost+found"),
    )
)
"""What there can be in a store, whether a version has been written or not."""
LAZY_CHUNKS, LAZY_INDEX, LAZY_DATA = "layer-chunks", "index", "data"
"""What a lazy layer's folder has: the chunk table, the index, and what has come of the contents."""


def temp_name(name: str) -> str:
    """Return the name of the `TempFile` that a file is, or lies beside (a journal); "" for none.

    The folder may be one that others use: what merely begins alike is not ours to remove.
    """
    found = _TEMP_NAME.match(name)
    return found[0] if found else ""


class TempFile:
    """A file under construction: locked while it lives, gone unless it was kept.

    Attributes:
        path: Where it is written.
        fd: Descriptor that holds the lock and may be written to; -1 after close.
    """

    __slots__ = ("fd", "path")

    def __init__(self, folder: Path) -> None:
        while True:
            self.path = folder / f"{TEMP_PREFIX}{os.urandom(8).hex()}"
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with suppress(OSError):  # no locks here: sweep cannot lock either, and leaves it alone
                fcntl.flock(self.fd, fcntl.LOCK_EX)
            if os.fstat(self.fd).st_nlink:
                return
            os.close(self.fd)  # a sweep came between open and flock

    def keep(self, name: Path) -> None:
        """Give the file its name, once its content is on the disk; replaces what is there."""
        with explain(name):
            self.sync()
            self.rename(name)

    def sync(self) -> None:
        """Bring the content to the disk."""
        with explain(self.path):
            os.fsync(self.fd)

    def rename(self, name: Path) -> None:
        """Give the file its name; its content must be on the disk."""
        with explain(name):
            os.chmod(self.fd, 0o644)
            os.rename(self.path, name)
        self.path = name
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        """Remove the file unless it was kept."""
        if self.fd >= 0:
            with suppress(OSError):
                os.unlink(self.path)
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Store:
    """Where each object of a store lies, and how it is written.

    Attributes:
        root: Its folder.
        scratch: What runs need for their time.
        runtime: What is live on this node; None for an additional store.
        others: The additional stores, in the order in which they are asked.
    """

    root: Path
    scratch: Path
    runtime: Path | None = None
    others: tuple["Store", ...] = ()

    @classmethod
    def open(cls, paths: Paths, *, create: bool) -> "Store":
        """Open the store; with *create*, make it where it is not yet.

        Without *create* nothing is written: a store that does not exist is an empty one, and a
        read-only one serves.

        Raises:
            StoreError: It cannot be made, or a newer version of the program made it.
        """
        others = tuple(_open_others(paths))
        store = cls(paths.store, paths.scratch, paths.runtime, others)
        with explain(store.root):
            store.check_version()  # first: nothing is put into a newer version's store
            if create:
                store.make()
        return store

    @property
    def places(self) -> tuple["Store", ...]:
        """This store, then the additional ones."""
        return (self, *self.others)

    def find(self, own: Path) -> Path:
        """Return where an object lies that would have the path *own* here.

        Its place in this store where it is nowhere.
        """
        if self.others and not own.exists():
            name = own.relative_to(self.root)
            for other in self.others:
                if (other.root / name).exists():
                    return other.root / name
        return own

    def blob_path(self, digest: Digest) -> Path:
        """Return where a blob lies, whether it is there or not."""
        return self.root / "blobs" / "sha256" / hex_of(digest)

    def index_path(self, diff_id: Digest) -> Path:
        """Return where the index of a layer lies."""
        return self.root / "layers" / "sha256" / f"{hex_of(diff_id)}.index"

    def tree_path(self, chain: Digest) -> Path:
        """Return where the merged tree of a chain of layers lies.

        One of another version of the format is another file: it is of no use, and `gc` takes it.
        """
        return self.root / "trees" / f"{hex_of(chain)}.v{TREE_VERSION}"

    def grown_tree_path(self, chain: Digest) -> Path:
        """Return where a tree lies that was made of another one (`fuse.grow`)."""
        return self.root / "trees" / f"{hex_of(chain)}.grown.v{TREE_VERSION}"

    def coded_path(self, diff_id: Digest) -> Path:
        """Return where the chunk table of a coded layer lies."""
        return self.root / "layers" / "sha256" / f"{hex_of(diff_id)}.layer-chunks"

    def lazy_folder(self, diff_id: Digest) -> Path:
        """Return where a layer that is not all there yet lies."""
        return self.root / "lazy" / "sha256" / hex_of(diff_id)

    def lazy_tree_path(self, name: Digest) -> Path:
        """Return where the tree over lazy layers lies (`rootless.image.forms.tree_path`)."""
        return self.root / "trees" / f"{hex_of(name)}.lazy.v{TREE_VERSION}"

    def partial_path(self, digest: Digest) -> Path:
        """Return where a blob lies while it is downloaded."""
        return self.root / "partial" / hex_of(digest)

    def lock_path(self, name: str) -> Path:
        """Return the lock file of an object."""
        return self.root / "locks" / f"{name}.lock"

    def temp_for(self, path: Path) -> TempFile:
        """Begin a file that is to become *path*."""
        with explain(path):
            return TempFile(path.parent)

    def write(self, path: Path, data: bytes) -> None:
        """Write a whole file, atomically."""
        with self.temp_for(path) as temp:
            with explain(path):
                write_all(temp.fd, data)
            temp.keep(path)

    def write_blob(self, data: bytes) -> Digest:
        """Keep *data* as a blob, unless it is there."""
        digest = sha256_of(data)
        path = self.blob_path(digest)
        if not path.exists():
            self.write(path, data)
        return digest

    def read_blob(self, digest: Digest, limit: int) -> bytes:
        """Return a blob of at most *limit* bytes, verified.

        Raises:
            NotFound: It is not there.
            IntegrityError: It is not what its name says.
        """
        path = self.find(self.blob_path(digest))
        try:
            with explain(path), open(path, "rb") as file:
                data = file.read(limit + 1)
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                fix = "load the image again"
                raise NotFound("blob missing from the store", digest, fix) from error
            raise
        if len(data) > limit or sha256_of(data) != digest:
            raise IntegrityError("damaged blob in the store", str(path), "load the image again")
        return data

    def has_layer(self, diff_id: Digest) -> bool:
        """Return whether a layer and its index are there, in this store or an additional one.

        As a tar or compressed: all of it is there.
        """
        forms = (self.blob_path(diff_id), self.coded_path(diff_id))
        is_there = any(self.find(path).exists() for path in forms)
        return is_there and self.find(self.index_path(diff_id)).exists()

    def read_index(self) -> ImageIndex:
        """Return the images' descriptors; none where there is no store yet.

        Raises:
            StoreError: They are damaged, or cannot be read.
        """
        path = self.root / "index.json"
        try:
            with open(path, "rb") as file:
                data = file.read(_MAX_INDEX_BYTES + 1)
        except FileNotFoundError:
            return ImageIndex(())
        except OSError:
            with explain(path):
                raise
        try:
            return parse_image_index(data, limit=_MAX_INDEX_BYTES)
        except InvalidInput as error:
            fix = "remove the file, and load the images again"
            raise StoreError("damaged index of the store", f"{path}: {error}", fix) from error

    def write_index(self, index: ImageIndex) -> None:
        """Replace the images' descriptors; the caller holds the lock "index"."""
        self.write(self.root / "index.json", index.to_bytes())

    def make(self) -> None:
        """Make what is missing of the store's folders and documents; raises StoreError."""
        with explain(self.root):
            self._make()

    def _make(self) -> None:
        if not (self.root / "version").exists():
            self._refuse_others_folder()
        for folder in _FOLDERS:
            os.makedirs(self.root / folder, mode=0o700, exist_ok=True)
        os.makedirs(self.scratch, mode=0o700, exist_ok=True)
        if not (self.root / "index.json").exists():
            with lock.exclusive(self.lock_path("index")):  # another may just now name an image
                if not (self.root / "index.json").exists():
                    self.write_index(ImageIndex(()))
        # last of all: a store that has a version has had a list of images
        for name, data in (("oci-layout", _LAYOUT), ("version", f"{FORMAT_VERSION}\n".encode())):
            if not (self.root / name).exists():
                self.write(self.root / name, data)

    def _refuse_others_folder(self) -> None:
        """Raise StoreError where the folder has other things: a collection might take them."""
        with suppress(FileNotFoundError):
            names = os.listdir(self.root)
            strange = [name for name in names if name not in _NAMES and not name.startswith(".")]
            if strange:
                what = f"the folder for the store has something else in it ({min(strange)})"
                raise StoreError(what, str(self.root), "set ROOTLESS_HOME to a new folder")

    def check_version(self) -> None:
        """Raise StoreError where a newer version made the store, or its list of images is gone."""
        path = self.root / "version"
        try:
            text = path.read_text("ascii", "replace").strip()
        except FileNotFoundError:
            return
        if not text.isascii() or not text.isdigit():
            raise StoreError("not a store of rootless", str(self.root), f"{path} is not a number")
        if int(text[:9]) > FORMAT_VERSION:
            fix = "update rootless, or set ROOTLESS_HOME to another folder"
            raise StoreError(f"store of a newer format ({text[:9]})", str(self.root), fix)
        index = self.root / "index.json"
        if not index.exists():  # taken for an empty one, a collection would remove every layer
            fix = f"restore it; or remove {path}, and pull or load the images again"
            raise StoreError("the store's list of images is missing", str(index), fix)


def _open_others(paths: Paths) -> Iterator[Store]:
    """Yield the additional stores; of one that is no use just now a line tells."""
    for root in additional_stores(paths):
        other = Store(root, root / "scratch")
        try:
            with explain(root):
                other.check_version()
            if (root / "index.json").exists():
                yield other
            else:
                log.warning("no store at %s, which is to be an additional one", root)
        except StoreError as error:
            log.warning("additional store: %s", error)


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of *data*; write(2) stops at 2 GiB and at signals."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
