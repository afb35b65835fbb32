"""Another stage, an image, or an archive that is a build context, as a COPY reads it.

Names come from the merged tree and contents from the layers, in whatever form they lie there:
nothing is mounted or unpacked.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self

from rootless.build.copy_source import ROOT, Contents, Node
from rootless.build.ignore import Ignore
from rootless.image import forms, trees
from rootless.image.layers import Extent, Inode, TarContents, Tree
from rootless.image.names import Located
from rootless.image.sparse_map import SparseMap
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.image.upper_layer import kept_xattrs
from rootless.oci.digest import Digest, chain_id

_EMPTY_ROOT = Node(ROOT, stat.S_IFDIR | 0o755)


@dataclass(frozen=True, slots=True)
class _Origin:
    inode: Inode
    extents: tuple[Extent, ...]
    xattrs: Mapping[bytes, bytes]


class TreeSource:
    """A merged tree over its layers; opened when it is first asked; a context manager.

    Args:
        what: What people call it.
        locate: Returns where the tree and its layers are; None for a tree with nothing in it.
        fingerprint: Tells it from any other tree; empty where its objects must tell.
        ignore: For an archive that is a context: what in it is of no concern. Its owners are then
            those of whoever packed it, and none of the image's.
    """

    def __init__(
        self,
        what: str,
        locate: Callable[[], Located] | None,
        *,
        fingerprint: bytes = b"",
        ignore: Ignore | None = None,
    ) -> None:
        self.what = what
        self.fingerprint = fingerprint
        self.keeps_owners = ignore is None
        self.ignore = ignore or Ignore()
        self._locate = locate
        self._held = ExitStack()
        self._opened: tuple[Tree, TarContents] | None = None
        self._opener = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the tree and the layers; harmless when repeated."""
        self._held.close()
        self._opened = None

    def lookup(self, path: bytes) -> Node | None:
        """Return what is at a path."""
        if self._locate is None:
            return _EMPTY_ROOT if path == ROOT else None
        tree, _ = self._open(self._locate)
        inode = tree.inode(1)
        for name in path.split(b"/") if path else ():
            found = tree.lookup(inode.ino, name)
            if found is None:
                return None
            inode = found
        return self._node(tree, path, inode)

    def children(self, folder: Node) -> list[Node]:
        """Return what is in a folder, by name."""
        if not isinstance(folder.origin, _Origin) or self._locate is None:
            return []
        tree, _ = self._open(self._locate)
        prefix = folder.path + b"/" if folder.path else b""
        found = tree.children(folder.origin.inode.ino)
        return [self._node(tree, prefix + name, inode) for name, inode in found]

    @contextmanager
    def open(self, node: Node) -> Iterator[Contents]:
        """Give a file or a folder."""
        origin = node.origin
        if not isinstance(origin, _Origin) or self._opened is None:
            yield Contents(0, {})
            return
        _, contents = self._opened

        def read(offset: int, size: int) -> bytes:
            with explain(self.what):
                return contents.read(origin.inode, origin.extents, offset, size)

        yield Contents(node.size, origin.xattrs, _holes(origin), read)

    def _open(self, locate: Callable[[], Located]) -> tuple[Tree, TarContents]:
        if self._opened is None or self._opener != os.getpid():  # a database survives no fork
            place = locate()
            tree = self._held.enter_context(trees.open_tree(place.tree))
            with explain(place.tree):
                contents = self._held.enter_context(TarContents(place.layers))
            self._opened, self._opener = (tree, contents), os.getpid()
        return self._opened

    def _node(self, tree: Tree, path: bytes, inode: Inode) -> Node:
        mode = inode.mode
        is_linked = inode.nlink > 1 and not stat.S_ISDIR(mode)
        return Node(
            path=path,
            mode=mode,
            uid=inode.uid if self.keeps_owners else 0,
            gid=inode.gid if self.keeps_owners else 0,
            size=inode.size if stat.S_ISREG(mode) else 0,
            mtime_ns=inode.mtime_ns,
            rdev=inode.rdev,
            target=inode.target if stat.S_ISLNK(mode) else b"",
            identity=(0, inode.ino) if is_linked else None,
            origin=_Origin(
                inode,
                tree.extents(inode.ino) if inode.sparse else (),
                kept_xattrs(path, tree.xattrs(inode.ino)),
            ),
        )


def open_layers(store: Store, diff_ids: Sequence[Digest], what: str) -> TreeSource:
    """Return a stage or an image of the store as a source.

    Layers that are not all there are fetched when something is asked of it. Then it raises:

    Raises:
        NotFound: A layer is missing.
        RegistryError: What is missing of one cannot be had.
        StoreError: The store cannot take it.
    """
    if not diff_ids:
        return TreeSource(what, None, fingerprint=b"nothing")

    def locate() -> Located:
        if any(forms.is_lazy(place.contents) for place in forms.find_all(store, diff_ids)):
            from rootless.lazy import needed  # noqa: PLC0415 - seldom wanted, and much of it

            needed.complete_and_say(store, diff_ids)
        return trees.located(store, diff_ids, may_grow=True)

    return TreeSource(what, locate, fingerprint=chain_id(diff_ids).encode())


def _holes(origin: _Origin) -> SparseMap | None:
    inode = origin.inode
    if not inode.sparse:
        return None
    return SparseMap.of(((offset, length) for offset, length, _ in origin.extents), inode.size)
