"""All of what a command brings into the store, or nothing of it.

Layers, trees and documents are written under temporary names. Once everything is verified they are
brought to the disk and renamed, layers first, and index.json last of all, so that what a name leads
to is always complete. An error removes the temporary files; `kill -9` leaves them to the sweep, or,
within the renames, objects that no name leads to, which the next load uses and a removal collects.

Holds the lock "store" together with other loads, against the collection of what is not yet named.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rootless.image import forms, lock, names, trees
from rootless.image.ingest import StagedLayer
from rootless.image.store import Store, TempFile, write_all
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest, chain_id, hex_of, sha256_of


class Transaction:
    """What one command adds to a store.

    Args:
        store: The store, made already.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = ExitStack()
        self._layers: dict[Digest, StagedLayer] = {}
        self._trees: dict[Digest, TempFile] = {}
        self._blobs: dict[Digest, TempFile] = {}

    def __enter__(self) -> Self:
        self._held.enter_context(lock.shared(self._store.lock_path(lock.STORE_LOCK)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for layer in self._layers.values():
            layer.close()
        for temp in (*self._trees.values(), *self._blobs.values()):
            temp.close()
        self._held.close()

    def lock_layers(self, diff_ids: Iterable[Digest]) -> None:
        """Keep other loads from writing the same layers; waits while they do.

        In the order of the digests, so that two loads never wait for each other. Call once.
        """
        for diff_id in sorted(set(diff_ids)):
            if not self._store.has_layer(diff_id):
                path = self._store.lock_path(f"layer-{hex_of(diff_id)}")
                self._held.enter_context(lock.exclusive(path))

    def has_layer(self, diff_id: Digest) -> bool:
        """Return whether a layer is in the store or on its way."""
        return diff_id in self._layers or self._store.has_layer(diff_id)

    def add_layer(self, layer: StagedLayer) -> None:
        """Take a layer over; one that is there already is dropped."""
        if self.has_layer(layer.diff_id):
            layer.close()
        else:
            self._layers[layer.diff_id] = layer

    def commit_layer(self, layer: StagedLayer) -> None:
        """Make one layer durable and visible by itself, before the image that it is for.

        The caller holds the layer's lock. Nothing is named: what happens to the image later, the
        layer can be used.
        """
        with layer.tar, layer.index:
            layer.tar.sync()
            layer.index.sync()
            layer.tar.rename(self._store.blob_path(layer.diff_id))
            layer.index.rename(self._store.index_path(layer.diff_id))

    def commit_source(self, layer: StagedLayer, source: Path) -> None:
        """Keep the bytes in which a layer came, *source*, with the seek points made of them.

        The layer is committed, its lock held; *source* becomes a blob of the store.
        """
        if layer.points is None:
            return
        blob = self._store.blob_path(layer.source_digest)
        with layer.points, explain(source):
            fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
                os.fchmod(fd, 0o644)
            finally:
                os.close(fd)
            source.rename(blob)
            layer.points.keep(self._store.coded_path(layer.diff_id))

    def layer_size(self, diff_id: Digest) -> int:
        """Return the size of a layer's tar; of a lazy layer that of what its files contain."""
        staged = self._layers.get(diff_id)
        return forms.size_of(self._store, diff_id) if staged is None else staged.size

    def add_blob(self, data: bytes) -> Digest:
        """Take a document; one that is damaged in the store is replaced."""
        digest = sha256_of(data)
        path = self._store.blob_path(digest)
        if digest not in self._blobs and not _holds(path, data):
            temp = self._store.temp_for(path)
            self._blobs[digest] = temp
            with explain(temp.path):
                write_all(temp.fd, data)
        return digest

    def add_tree(self, diff_ids: Sequence[Digest]) -> None:
        """Merge a chain of layers, unless that was done before."""
        chain = chain_id(diff_ids)
        path = self._store.tree_path(chain)
        if chain in self._trees or self._store.find(path).exists():
            return
        temp = self._store.temp_for(path)
        self._trees[chain] = temp
        trees.build([self._index_path(diff_id) for diff_id in diff_ids], temp.path)

    def tree_path(self, diff_ids: Sequence[Digest]) -> Path:
        """Return where the tree of a chain is by now: in the store or on its way."""
        chain = chain_id(diff_ids)
        temp = self._trees.get(chain)
        return self._store.find(self._store.tree_path(chain)) if temp is None else temp.path

    def commit(self, entries: Iterable[names.Entry]) -> None:
        """Make everything durable, then visible, then name it; more may follow, for a next one."""
        kept: list[tuple[TempFile, Path]] = []
        for diff_id, layer in self._layers.items():
            kept.append((layer.tar, self._store.blob_path(diff_id)))
            kept.append((layer.index, self._store.index_path(diff_id)))
        kept += [(temp, self._store.tree_path(chain)) for chain, temp in self._trees.items()]
        kept += [(temp, self._store.blob_path(digest)) for digest, temp in self._blobs.items()]
        for temp, _ in kept:
            temp.sync()
        for temp, path in kept:
            temp.rename(path)
        self._layers, self._trees, self._blobs = {}, {}, {}
        names.add(self._store, entries)

    def _index_path(self, diff_id: Digest) -> Path:
        staged = self._layers.get(diff_id)
        if staged is not None:
            return staged.index.path
        return self._store.find(self._store.index_path(diff_id))


def _holds(path: Path, data: bytes) -> bool:
    """Return whether a file is there and has this content."""
    with explain(path):
        try:
            return path.stat().st_size == len(data) and path.read_bytes() == data
        except FileNotFoundError:
            return False
