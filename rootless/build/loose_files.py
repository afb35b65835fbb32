"""Files that lie in no folder: here-documents, and what was fetched."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rootless.build.copy_source import MADE_NOW, Contents, Node
from rootless.build.ignore import Ignore
from rootless.build.selection import Picked


class LooseFile:
    """One file, alone in a source.

    Args:
        what: What people call it.
        name: Its name.
        size: Its length.
        read: Returns so many bytes of it from an offset on.
        mode: Permissions.
        mtime_ns: Time of last modification.
    """

    keeps_owners = True
    fingerprint = b""
    ignore = Ignore()

    def __init__(
        self,
        what: str,
        name: str,
        size: int,
        read: Callable[[int, int], bytes],
        *,
        mode: int,
        mtime_ns: int,
    ) -> None:
        self.what = what
        self._node = Node(os.fsencode(name), stat.S_IFREG | mode, size=size, mtime_ns=mtime_ns)
        self._read = read

    @classmethod
    def of_text(cls, name: str, content: str) -> "LooseFile":
        """Return a here-document."""
        data = content.encode("utf-8", "surrogateescape")

        def read(offset: int, size: int) -> bytes:
            return data[offset : offset + size]

        what = f"the here-document {name}"
        return cls(what, name, len(data), read, mode=0o644, mtime_ns=MADE_NOW)

    @property
    def picked(self) -> Picked:
        """The file, as what a COPY copies."""
        return Picked(self, self._node.path, self._node)

    def lookup(self, path: bytes) -> Node | None:
        """Return the file by its name."""
        return self._node if path == self._node.path else None

    def children(self, folder: Node) -> list[Node]:
        """Return nothing: there is no folder."""
        del folder
        return []

    @contextmanager
    def open(self, node: Node) -> Iterator[Contents]:
        """Give the file."""
        yield Contents(node.size, {}, None, self._read)
