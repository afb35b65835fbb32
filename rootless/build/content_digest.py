"""What a COPY reads, as one digest: names, types, permissions, owners, attributes and contents.

No times: what was written anew and is the same as before is found in the cache. To know that, a
context that did not change since is not read again: its status is, and a file beside the cache says
which digest that had (`Memory`).
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from rootless.build.copy_source import CopySource, Node
from rootless.build.selection import Picked
from rootless.errors import InvalidInput, StoreError
from rootless.image.store import TEMP_PREFIX, Store, write_all
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, parse_digest

FOLDER = "build-cache/contents"
_SETTLED_NS = 2_000_000_000  # the coarsest time stamps that a file system keeps
_KEPT = 512
_SET_ID = stat.S_ISUID | stat.S_ISGID


def content_digest(picked: Sequence[Picked]) -> Digest:
    """Return the digest; every file is read.

    Raises:
        InvalidInput: A file changed meanwhile.
        NotFound: A file cannot be read.
    """
    whole = hashlib.sha256()
    names: dict[tuple[int, tuple[int, int]], int] = {}
    number = 0
    for each in picked:
        _add(whole, each.is_folder, len(each.parents), len(each.items))
        for path, node in _named(each):
            number += 1
            first = number
            if node.identity is not None:
                first = names.setdefault((id(each.source), node.identity), number)
            _add_object(whole, path, node, each.source, number - first)
    return Digest("sha256:" + whole.hexdigest())


def stat_digest(picked: Sequence[Picked]) -> str:
    """Return what changes whenever something of it may have changed; "" where that is not known.

    Files that were written just now may be written once more without a sign.
    """
    whole = hashlib.sha256()
    youngest = 0
    for each in picked:
        _add(whole, each.source.what, each.is_folder, len(each.parents), len(each.items))
        for path, node in _named(each):
            if not node.stamp:
                return ""
            youngest = max(youngest, node.stamp[-1])
            _add(whole, path, node.mode, node.target, node.stamp)
    return whole.hexdigest() if youngest < time.time_ns() - _SETTLED_NS else ""


class Memory:
    """Remembers digests of what did not change since.

    Args:
        store: Whose folder it is in.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.root / FOLDER

    def digest(self, picked: Sequence[Picked]) -> Digest:
        """Return the digest of what is copied, read where it may have changed; raises so."""
        known = stat_digest(picked)
        path = self._folder / known
        if known:
            with suppress(OSError, InvalidInput):
                return parse_digest(path.read_text("ascii", "replace"))
        found = content_digest(picked)
        if known:
            with suppress(OSError, StoreError):  # a store that is full or read-only: read again
                self._keep(path, found)
        return found

    def _keep(self, path: Path, digest: Digest) -> None:
        os.makedirs(self._folder.parent, mode=0o700, exist_ok=True)
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        with self._store.temp_for(path) as temp:
            write_all(temp.fd, digest.encode())
            temp.rename(path)
        with os.scandir(self._folder) as entries:
            names = [entry for entry in entries if not entry.name.startswith(TEMP_PREFIX)]
        if len(names) > 2 * _KEPT:
            for entry in sorted(names, key=lambda each: each.stat().st_mtime_ns)[:-_KEPT]:
                os.unlink(entry.path)


def forget(store: Store) -> None:
    """Forget all digests: the next build reads its contexts; raises StoreError."""
    folder = store.root / FOLDER
    with explain(folder), suppress(FileNotFoundError):
        for name in os.listdir(folder):
            with suppress(FileNotFoundError):
                os.unlink(folder / name)


def _named(picked: Picked) -> Iterator[tuple[bytes, Node]]:
    """Yield all that one source brings, each with the name that the destination gets for it."""
    for item in picked.parents:
        yield item.path, item.node
    if not picked.is_folder:
        yield picked.name, picked.node
    for item in picked.items:
        yield item.path, item.node


def _add_object(
    whole: "hashlib._Hash", path: bytes, node: Node, source: CopySource, names_ago: int
) -> None:
    """Add one object; one that has a name already, *names_ago* before this, without contents."""
    mode = node.mode if source.keeps_owners else node.mode & ~_SET_ID
    _add(whole, path, mode, node.uid, node.gid, node.rdev, node.target, names_ago)
    if names_ago or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return
    with source.open(node) as contents:
        for name, value in sorted(contents.xattrs.items()):
            _add(whole, name, value)
        _add(whole, contents.size, contents.holes)
        for chunk in contents.chunks():
            whole.update(chunk)


def _add(whole: "hashlib._Hash", *values: object) -> None:
    """Add values so that no others give the same bytes."""
    text = repr(values).encode("utf-8", "surrogateescape")
    whole.update(b"%d:%b" % (len(text), text))
