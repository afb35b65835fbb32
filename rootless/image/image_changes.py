"""What one image has otherwise than another: their merged trees compared, name by name.

Contents of files that come from the same place of the same layer are the same and are not read;
those of the others are, where the sizes agree. Times do not count: a build makes new ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from rootless.image import trees
from rootless.image.layer_changes import ADDED, CHANGED, DELETED
from rootless.image.layers import Inode, TarContents, Tree
from rootless.image.names import Located
from rootless.image.store_errors import explain

_CHUNK = 1 << 20
_ROOT = 1


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two images: what is asked of it."""

    tree: Tree
    contents: TarContents
    layers: Sequence[Path]

    def read(self, inode: Inode, start: int) -> bytes:
        extents = self.tree.extents(inode.ino) if inode.sparse else ()
        return self.contents.read(inode, extents, start, min(_CHUNK, inode.size - start))


def image_changes(before: Located, after: Located) -> Iterator[tuple[bytes, str]]:
    """Yield path and kind (A, C, D) of each difference, a folder before what is in it.

    What was in a folder that is gone is not named; what is in a new one is.

    Raises:
        StoreError, IntegrityError: A tree or a layer cannot be read.
    """
    with (
        explain(after.tree),
        trees.open_tree(before.tree) as one,
        trees.open_tree(after.tree) as two,
        TarContents(before.layers) as contents_of_one,
        TarContents(after.layers) as contents_of_two,
    ):
        sides = (
            _Side(one, contents_of_one, before.layers),
            _Side(two, contents_of_two, after.layers),
        )
        yield from _compare(*sides)


def _compare(one: _Side, two: _Side) -> Iterator[tuple[bytes, str]]:
    roots = (one.tree.inode(_ROOT), two.tree.inode(_ROOT))
    if _differ(one, roots[0], two, roots[1]):
        yield b"", CHANGED
    stack: list[tuple[bytes, Inode | None, Inode]] = [(b"", *roots)]
    while stack:
        path, old_folder, new_folder = stack.pop()
        old = dict(one.tree.children(old_folder.ino)) if old_folder is not None else {}
        new = dict(two.tree.children(new_folder.ino))
        start = path + b"/" if path else b""
        below: list[tuple[bytes, Inode | None, Inode]] = []
        for name in sorted(old.keys() | new.keys()):
            mine, theirs = old.get(name), new.get(name)
            if theirs is None:
                yield start + name, DELETED
                continue
            if mine is None:
                yield start + name, ADDED
            elif _differ(one, mine, two, theirs):
                yield start + name, CHANGED
            if S_ISDIR(theirs.mode):
                was_folder = mine is not None and S_ISDIR(mine.mode)
                below.append((start + name, mine if was_folder else None, theirs))
        stack += reversed(below)


def _differ(one: _Side, old: Inode, two: _Side, new: Inode) -> bool:
    attributes = (old.mode, old.uid, old.gid, old.size, old.rdev, old.target)
    if attributes != (new.mode, new.uid, new.gid, new.size, new.rdev, new.target):
        return True
    if one.tree.xattrs(old.ino) != two.tree.xattrs(new.ino):
        return True
    return (
        S_ISREG(old.mode)
        and not _same_place(one, old, two, new)
        and _read_differ(one, old, two, new)
    )


def _same_place(one: _Side, old: Inode, two: _Side, new: Inode) -> bool:
    if old.size == 0:
        return True
    same_layer = one.layers[old.layer] == two.layers[new.layer]
    return same_layer and old.offset == new.offset and old.sparse == new.sparse


def _read_differ(one: _Side, old: Inode, two: _Side, new: Inode) -> bool:
    return any(one.read(old, start) != two.read(new, start) for start in range(0, old.size, _CHUNK))
