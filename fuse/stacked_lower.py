"""Layers on top of each other, merged as they are asked for: the read-only half of an overlay.

For layers that nobody merged beforehand: folders, alone or mixed with trees of tars. The rules are
overlayfs's (Documentation/filesystems/overlayfs.rst): the uppermost layer that has a name decides;
directories of one name are merged, down to the first that is opaque or hidden, and have the
uppermost one's attributes. A look-up costs one in each layer, where a merged tree has one for all.
"""

import errno
import os
import stat
from collections.abc import Mapping, Sequence

from .entry import IMPLIED_LAYER, Inode
from .lower import Layer

_NUMBERS = 1 << 48  # for each layer; `folder_lower` needs that many
_LAYERS_MAX = 4096

Part = tuple[int, Inode]
"""An object of one layer: the layer's position, and the object as that layer knows it."""


class StackedInode(Inode):
    """An object of a stack.

    Attributes:
        parts: What it is made of, the uppermost first: of a directory all that are merged.
    """

    parts: tuple[Part, ...]


class StackedLower:
    """A stack of layers.

    Args:
        layers: The uppermost first; closed with this object.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not 0 < len(layers) <= _LAYERS_MAX:
            raise ValueError(f"{len(layers)} layers; at least 1 and at most {_LAYERS_MAX}")
        self._layers = tuple(layers)
        roots: list[Part] = []
        for position, layer in enumerate(self._layers):
            roots.append((position, layer.root))
            if layer.is_opaque(layer.root):
                break
        self.root: Inode = _merged(roots)

    @property
    def last_ino(self) -> int:
        """No object has a higher number."""
        return (len(self._layers) + 1) * _NUMBERS

    @property
    def has_xattrs(self) -> bool:
        """Whether any object may have extended attributes."""
        return any(layer.has_xattrs for layer in self._layers)

    def lookup(self, directory: Inode, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        found: list[Part] = []
        for position, part in _parts(directory):
            layer = self._layers[position]
            inode = layer.lookup(part, name)
            if inode is not None:
                is_directory = stat.S_ISDIR(inode.mode)
                if is_directory or not found:
                    found.append((position, inode))
                if not is_directory or layer.is_opaque(inode):
                    break
            if name in layer.hidden(part):
                break
        return _merged(found) if found else None

    def names(self, directory: Inode) -> Sequence[bytes]:
        """Return a directory's names, sorted."""
        shown: set[bytes] = set()
        hidden: set[bytes] = set()
        for position, part in _parts(directory):
            layer = self._layers[position]
            shown.update(name for name in layer.names(part) if name not in hidden)
            hidden.update(name for name in layer.hidden(part) if name not in shown)
        return sorted(shown)

    def readlink(self, inode: Inode) -> bytes:
        """Return a symbolic link's target."""
        return inode.target

    def xattrs(self, inode: Inode) -> Mapping[bytes, bytes]:
        """Return an object's extended attributes."""
        position, part = _named(_parts(inode))
        return self._layers[position].xattrs(part)

    def read(self, inode: Inode, offset: int, size: int) -> bytes:
        """Return a part of a regular file: fewer bytes than asked for only at its end."""
        position, part = _parts(inode)[0]
        return self._layers[position].read(part, offset, size)

    def require(self, inode: Inode, length: int) -> None:
        """Return when the first *length* bytes of a regular file can be copied; raises OSError."""
        position, part = _parts(inode)[0]
        self._layers[position].require(part, length)

    def copy(self, inode: Inode, fd: int, length: int) -> None:
        """Copy the first *length* bytes of a regular file into a new file; holes stay holes."""
        position, part = _parts(inode)[0]
        self._layers[position].copy(part, fd, length)

    def paths(self, inode: Inode) -> Sequence[bytes]:
        """Return nothing: what one layer says of its names another one may hide."""
        del inode
        return ()

    def home(self, ino: int, directory: int) -> tuple[int, bytes]:
        """Raise OSError ESTALE: the kernel knows no object of ours without a node."""
        del directory
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), ino)

    def statvfs(self) -> os.statvfs_result:
        """Return what the uppermost layer says."""
        return self._layers[0].statvfs()

    def close(self) -> None:
        """Close the layers; harmless when repeated."""
        for layer in self._layers:
            layer.close()


def _merged(parts: Sequence[Part]) -> StackedInode:
    """Return the object that parts make: numbered by the first, attributes of the first named."""
    position, first = parts[0]
    _, named = _named(parts)
    # Of merged directories nobody has counted the links; 1 says so to find(1) and others.
    nlink = named.nlink if len(parts) == 1 else 1
    ino = (position + 1) * _NUMBERS + first.ino
    inode = StackedInode(ino, named.mode, nlink, *named[3:])
    inode.parts = tuple(parts)
    return inode


def _named(parts: Sequence[Part]) -> Part:
    """Return the first part that its layer names; a directory may be there by implication only."""
    return next((part for part in parts if part[1].layer != IMPLIED_LAYER), parts[0])


def _parts(inode: Inode) -> tuple[Part, ...]:
    assert isinstance(inode, StackedInode)  # noqa: S101 - a lower is given its own objects
    return inode.parts
