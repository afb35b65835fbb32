"""COPY and ADD, one after the other, over a store of their own: a build without the rest of it."""

import io
import tarfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import images

from rootless.build.containerfile import parse
from rootless.build.context_folder import ContextFolder
from rootless.build.copy_source import CopySource
from rootless.build.copy_step import CopyPlan, plan_copy
from rootless.build.ignore import Ignore
from rootless.build.state import StageState, apply, expanded, scratch, with_layer
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.image_index import host_platform
from rootless.paths import Paths

NOW_S = 1_700_000_000
_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "name",
    tarfile.FIFOTYPE: "fifo",
}


def an_empty_store(folder: Path) -> Store:
    """Make a store in a folder."""
    root = folder / "store"
    paths = Paths(store=root, runtime=folder / "run", scratch=root / "scratch")
    return Store.open(paths, create=True)


def a_context(folder: Path, files: Sequence[str] = (), ignored: str = "") -> ContextFolder:
    """Return a folder as a context, with files whose contents are their names.

    One that ends in a slash is a folder; `NAME -> TARGET` is a link.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for text in files:
        name, is_link, target = text.partition(" -> ")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_link:
            path.symlink_to(target)
        elif name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(name)
    return ContextFolder(str(folder), Ignore(ignored.encode(), ".dockerignore"))


@dataclass
class Stage:
    """A stage that consists of copies.

    Attributes:
        store: Where its layers go.
        state: What it has come to.
    """

    store: Store
    state: StageState = field(default_factory=lambda: scratch(host_platform()))
    _held: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def context(self, folder: Path, files: Sequence[str] = (), ignored: str = "") -> ContextFolder:
        """Return a context as `a_context` does, which is closed with this."""
        return self._held.enter_context(closing(a_context(folder, files, ignored)))

    def plan(self, text: str, source: CopySource) -> CopyPlan:
        """Return what an instruction is going to do."""
        (instruction,) = parse(text.encode(), "Containerfile")
        return plan_copy(self.store, self.state, expanded(self.state, instruction), source)

    def set(self, text: str) -> None:
        """Apply an instruction that makes no layer."""
        (instruction,) = parse(text.encode(), "Containerfile")
        self.state = apply(self.state, instruction)

    def tar(self, text: str, source: CopySource, latest_ns: int | None = None) -> bytes:
        """Do a step; return its layer."""
        with self.plan(text, source).layer(now_ns=NOW_S * 10**9, latest_ns=latest_ns) as tar:
            layer = ingest(self.store, tar, text, Expected())
        data = layer.tar.path.read_bytes()
        self._keep(layer)
        return data

    def do(self, text: str, source: CopySource) -> list[str]:
        """Do a step; return a line for each member of its layer."""
        return shown(self.tar(text, source))

    def on(self, layer: images.LayerBuilder) -> None:
        """Put a layer on top that something else has made."""
        self._keep(ingest(self.store, io.BytesIO(layer.tar()), "layer", Expected()))

    def _keep(self, layer: StagedLayer) -> None:
        with Transaction(self.store) as transaction:
            transaction.lock_layers([layer.diff_id])
            if transaction.has_layer(layer.diff_id):
                layer.close()
            else:
                transaction.commit_layer(layer)
        time = datetime.fromtimestamp(NOW_S, UTC)
        self.state = with_layer(self.state, layer.diff_id, "", time)


def shown(tar: bytes) -> list[str]:
    """Return a line for each member: kind, permissions and owner, path, what is in it."""
    lines = []
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for each in archive:
            line = f"{_KINDS[each.type]} {each.mode:o} {each.uid}:{each.gid} {each.name}"
            content = archive.extractfile(each) if each.isreg() else None
            if each.linkname:
                line += f" -> {each.linkname}"
            elif content is not None:
                line += f" = {content.read()[:60].decode()}"
            lines.append(line)
    return lines


def paths(tar: bytes) -> list[str]:
    """Return the names of the members."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return archive.getnames()
