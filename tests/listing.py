"""Everything that one can see of a tree, from a real folder or a merged tree, and a comparison.

Run as a program, `listing.py FOLDER`, it lists a folder to standard output: for folders that only
another user namespace shows with their true owners.
"""

import errno
import os
import pickle
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from fuse.lower import Lower
from fuse.tree import Tree


class Item(NamedTuple):
    """One object, with all that must be equal.

    Attributes:
        mode: Type and permissions.
        uid: Owner.
        gid: Group.
        size: Length of a regular file or a link's target; 0 of all else, where it means nothing.
        mtime_ns: Time of last modification.
        rdev: Device number.
        target: Of a symbolic link.
        xattrs: Extended attributes.
        links: All paths of the object, where it has several.
    """

    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    rdev: int
    target: bytes
    xattrs: tuple[tuple[bytes, bytes], ...]
    links: tuple[bytes, ...]


Listing = dict[bytes, Item]


def list_folder(root: str | os.PathLike[str]) -> Listing:
    """List a real folder; the root's path is empty."""
    found: Listing = {}
    groups: dict[tuple[int, int], list[bytes]] = {}
    for path, real in _walk(os.fsencode(root)):
        status = os.lstat(real)
        has_size = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
        names = os.listxattr(real, follow_symlinks=False)
        found[path] = Item(
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_size if has_size else 0,
            status.st_mtime_ns,
            status.st_rdev,
            os.readlink(real) if stat.S_ISLNK(status.st_mode) else b"",
            tuple(
                sorted(
                    (os.fsencode(name), value)
                    for name in names
                    if (value := _xattr(real, name)) is not None
                )
            ),
            (),
        )
        if not stat.S_ISDIR(status.st_mode):
            groups.setdefault((status.st_dev, status.st_ino), []).append(path)
    return _with_links(found, groups.values())


def list_tree(tree: Tree) -> Listing:
    """List a merged tree; the root's path is empty."""
    found: Listing = {}
    groups: dict[int, list[bytes]] = {}
    for path, inode in tree.walk():
        xattrs = tuple(sorted(tree.xattrs(inode.ino).items()))
        found[path] = Item(*inode[1:2], *inode[3:8], inode.target, xattrs, ())
        if not stat.S_ISDIR(inode.mode):
            groups.setdefault(inode.ino, []).append(path)
    for paths in groups.values():
        node = tree.resolve(paths[0]) if not found[paths[0]].target else None
        assert node is None or node.nlink == len(paths), paths
    return _with_links(found, groups.values())


def list_lower(lower: Lower) -> Listing:
    """List a lower; the root's path is empty."""
    found: Listing = {}
    groups: dict[int, list[bytes]] = {}
    stack = [(b"", lower.root)]
    while stack:
        path, inode = stack.pop()
        xattrs = tuple(sorted(lower.xattrs(inode).items()))
        target = lower.readlink(inode)
        size = inode.size if stat.S_ISREG(inode.mode) or target else 0
        found[path] = Item(
            *inode[1:2], *inode[3:5], size, inode.mtime_ns, inode.rdev, target, xattrs, ()
        )
        if not stat.S_ISDIR(inode.mode):
            groups.setdefault(inode.ino, []).append(path)
            continue
        for name in lower.names(inode):
            child = lower.lookup(inode, name)
            assert child is not None, (path, name)
            stack.append((os.path.join(path, name), child))
    return _with_links(found, groups.values())


def differences(
    expected: Mapping[bytes, Item],
    found: Mapping[bytes, Item],
    *,
    is_ignored: Callable[[bytes, str], bool] = lambda _path, _field: False,
) -> list[str]:
    """Return a line for each path and field in which two listings differ.

    Args:
        expected: What the judge shows.
        found: What is judged.
        is_ignored: Whether a field ("path" for the existence) of a path is no difference.
    """
    lines = []
    for path in sorted(expected.keys() | found.keys()):
        left, right = expected.get(path), found.get(path)
        if left is None or right is None:
            if not is_ignored(path, "path"):
                lines.append(f"{path!r}: {'missing' if right is None else 'too many'}")
            continue
        for field, a, b in zip(Item._fields, left, right, strict=True):
            if a != b and not is_ignored(path, field):
                shown = (f"{a:o}", f"{b:o}") if field == "mode" else (repr(a), repr(b))
                lines.append(f"{path!r}: {field}: expected {shown[0]}, found {shown[1]}")
    return lines


def dumped(listing: Listing) -> bytes:
    """Return a listing as bytes, for another process."""
    return pickle.dumps({path: tuple(item) for path, item in listing.items()})


def loaded(content: bytes) -> Listing:
    """Return the listing that another process dumped."""
    return {path: Item(*fields) for path, fields in pickle.loads(content).items()}


def _xattr(path: bytes, name: str) -> bytes | None:
    """Return an attribute; None for a capability that is none, which the kernel keeps to itself."""
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise


def _walk(root: bytes) -> Iterator[tuple[bytes, bytes]]:
    yield b"", root
    stack = [b""]
    while stack:
        parent = stack.pop()
        with os.scandir(os.path.join(root, parent)) as children:
            for child in children:
                path = os.path.join(parent, child.name)
                yield path, os.path.join(root, path)
                if child.is_dir(follow_symlinks=False):
                    stack.append(path)


def _with_links(found: Listing, groups: Iterable[list[bytes]]) -> Listing:
    for paths in groups:
        if len(paths) > 1:
            for path in paths:
                found[path] = found[path]._replace(links=tuple(sorted(paths)))
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(dumped(list_folder(sys.argv[1])))
