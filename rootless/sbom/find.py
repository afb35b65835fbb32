"""All packages of an image: its tree is walked for their managers' files, which are then parsed.

Everything read is bounded: an image may be anybody's.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from stat import S_ISDIR, S_ISREG

from rootless.errors import IntegrityError
from rootless.image import trees
from rootless.image.layers import Inode, TarContents, Tree
from rootless.image.names import Located
from rootless.image.store_errors import explain
from rootless.sbom import alpine, debian, python, rpm
from rootless.sbom.package import Distribution, Package, cleaned, unique

log = logging.getLogger(__name__)

_OS_RELEASE = (b"etc/os-release", b"usr/lib/os-release")
_MOST_PACKAGES = 200_000
_MAX_TEXT = 64 << 20
_MAX_METADATA = 1 << 20
_MAX_DATABASE = 512 << 20
_MAX_OS_RELEASE = 1 << 16


@dataclass(frozen=True, slots=True)
class Found:
    """What an image says of itself.

    Attributes:
        distribution: Which it is.
        packages: In the order of their kinds and names.
        unread: Databases of rpm's beside the newest, and what that was not written back to.
    """

    distribution: Distribution
    packages: tuple[Package, ...]
    unread: tuple[str, ...]


def find(place: Located) -> Found:
    """Return the packages of an image.

    Raises:
        StoreError: It cannot be read.
        IntegrityError: A database is damaged, or larger than any honest one.
    """
    with (
        explain(place.tree),
        trees.open_tree(place.tree) as tree,
        TarContents(place.layers) as contents,
    ):
        files = _Files(tree, contents)
        listed = islice(_packages(files), _MOST_PACKAGES + 1)
        packages = unique(listed)
        if len(packages) > _MOST_PACKAGES:
            raise IntegrityError(f"more than {_MOST_PACKAGES:,} packages", str(place.tree))
        return Found(_distribution(files), tuple(packages), tuple(_unread(files)))


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of an image."""

    tree: Tree
    contents: TarContents

    def find(self, path: bytes) -> Inode | None:
        """Return a regular file, links followed inside the image; None where there is none."""
        inode = self.tree.resolve(path)
        return inode if inode is not None and S_ISREG(inode.mode) else None

    def read(self, path: bytes, limit: int) -> bytes | None:
        """Return a file; None where there is none."""
        inode = self.find(path)
        return None if inode is None else self.read_inode(inode, path, limit)

    def read_inode(self, inode: Inode, path: bytes, limit: int) -> bytes:
        """Return the contents of a file; raises IntegrityError where it is too large."""
        if inode.size > limit:
            raise IntegrityError("file too large to be read from the image", _shown(path))
        extents = self.tree.extents(inode.ino) if inode.sparse else ()
        return self.contents.read(inode, extents, 0, inode.size)


def _packages(files: _Files) -> Iterator[Package]:
    yield from _texts(files, debian.STATUS, debian.packages)
    folder = files.tree.resolve(debian.STATUS_FOLDER)
    for name, _ in files.tree.children(folder.ino) if folder is not None else ():
        if not name.endswith(b".md5sums"):
            yield from _texts(files, debian.STATUS_FOLDER + b"/" + name, debian.packages)
    for path in alpine.INSTALLED:
        yield from _texts(files, path, alpine.packages)
    for path in rpm.DATABASES:
        inode = files.find(path)
        if inode is not None and inode.size > 0:
            yield from rpm.packages(files.read_inode(inode, path, _MAX_DATABASE), _shown(path))
            break  # what else there is, is older, or a link to it
    yield from _python(files)


def _unread(files: _Files) -> Iterator[str]:
    """Yield rpm's databases beside the one that was read, and what was not written back to it."""
    seen: set[int] = set()
    for path in (*rpm.DATABASES, *rpm.LOGS):
        inode = files.find(path)
        if inode is not None and inode.size > 0 and inode.ino not in seen:
            if seen or path in rpm.LOGS:
                yield _shown(path)
            seen.add(inode.ino)


def _texts(
    files: _Files, path: bytes, parse: Callable[[str, str], Iterator[Package]]
) -> Iterator[Package]:
    data = files.read(path, _MAX_TEXT)
    if data is not None:
        yield from parse(data.decode("utf-8", "replace"), _shown(path))


def _python(files: _Files) -> Iterator[Package]:
    for path, inode in files.tree.walk():
        wanted = python.metadata_of(path.rpartition(b"/")[2])
        if wanted is None:
            continue
        where, found = path, inode
        if S_ISDIR(inode.mode):
            inside = files.tree.lookup(inode.ino, wanted)
            if inside is None:
                continue
            where, found = path + b"/" + wanted, inside
        if not S_ISREG(found.mode):
            continue
        if found.size > _MAX_METADATA:
            log.warning("left out, too large: %r", where)
            continue
        data = files.read_inode(found, where, _MAX_METADATA)
        yield from python.packages(data.decode("utf-8", "replace"), _shown(where))


def _distribution(files: _Files) -> Distribution:
    for path in _OS_RELEASE:
        data = files.read(path, _MAX_OS_RELEASE)
        if data is not None:
            break
    else:
        return Distribution()
    lines = (line.partition("=") for line in data.decode("utf-8", "replace").split("\n"))
    values = {key.strip(): cleaned(value.strip().strip("\"'")) for key, _, value in lines}
    pretty = values.get("PRETTY_NAME", "")
    return Distribution(values.get("ID", ""), values.get("VERSION_ID", ""), pretty)


def _shown(path: bytes) -> str:
    return cleaned("/" + path.decode("utf-8", "backslashreplace"))
