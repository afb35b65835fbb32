"""COPY and ADD: what is copied, by what that is found in a cache, and the layer of it.

The destination is looked at only when the layer is made: where all is cached no tree is opened, but
for an archive that is the context.
"""

import logging
import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from rootless.build.containerfile import Instruction
from rootless.build.content_digest import Memory
from rootless.build.copy_source import CopySource, Node
from rootless.build.copy_words import CopyWords, copy_words, is_address
from rootless.build.ignore import Ignore
from rootless.build.loose_files import LooseFile
from rootless.build.selection import Picked, pick
from rootless.build.state import StageState
from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.store import Store
from rootless.oci.digest import Digest, hex_of

if TYPE_CHECKING:  # what makes a layer is imported when one is made
    from rootless.build.arrangement import Arranged, Unpacked
    from rootless.build.copy_layer import Attributes
    from rootless.build.destination import Destination
    from rootless.build.standing import Standing
    from rootless.image.byte_stream import Chunked
    from rootless.image.names import Located

log = logging.getLogger(__name__)


class CopyPlan:
    """What one COPY or ADD is going to do; nothing is read before somebody asks.

    Args:
        store: Where the image's layers are.
        state: The stage before it.
        instruction: The step, its variables replaced.
        words: What it says.
        source: What it copies from.

    Every method raises BuildError where something is wrong with what is copied, and StoreError or
    RegistryError where the store or a registry fails.
    """

    def __init__(
        self,
        store: Store,
        state: StageState,
        instruction: Instruction,
        words: CopyWords,
        source: CopySource,
    ) -> None:
        self._store = store
        self._state = state
        self._instruction = instruction
        self._source = source
        self.words = words

    @property
    def fingerprint(self) -> str:
        """What tells all that is copied without a look at it; "" where only a look can tell."""
        words = self.words
        if words.addresses:
            return words.checksum  # then it is the only source
        return self._source.fingerprint.decode("ascii") if words.sources else ""

    def digest(self) -> Digest:
        """Return the digest of what is copied: names, attributes and contents, but for times."""
        return self._digest

    def content(self) -> str:
        """Return what is copied, as a history has it: `file:HEX`, `dir:HEX`, `multi:HEX`."""
        kind = "multi"
        if len(self._picked) == 1:
            kind = "dir" if self._picked[0].is_folder else "file"
        return f"{kind}:{hex_of(self.digest())}"

    def sources(self) -> Iterator[bytes]:
        """Yield the paths of all that is copied out of the context, or wherever it is from."""
        for each in self._picked:
            if each.source is self._source:
                yield each.node.path
                for item in each.items:
                    yield item.node.path

    @contextmanager
    def layer(self, *, now_ns: int, latest_ns: int | None = None) -> "Iterator[Chunked]":
        """Give the tar of the layer, to be read once.

        Args:
            now_ns: The time of what is made here: folders that are missing, here-documents.
            latest_ns: No file is younger; None for as it is.
        """
        from rootless.build.arrangement import Arrangement  # noqa: PLC0415 - where it is cached
        from rootless.build.copy_layer import Attributes  # noqa: PLC0415 - none of them
        from rootless.build.destination import Destination  # noqa: PLC0415 - is wanted
        from rootless.build.owner import owner_of  # noqa: PLC0415
        from rootless.image.byte_stream import Chunked  # noqa: PLC0415

        with self._blamed():
            place = self._located()
        with Destination(place) as destination:
            with self._blamed():
                arrangement = Arrangement(destination)
                target, is_folder = self.words.target(self._state.workdir)
                archives = self._archives()
                arrangement.put_all(self._picked, archives, target, is_folder=is_folder)
                owner = owner_of(self.words.chown, self._store, self._state.diff_ids, place)
            self._warn(arrangement.replaced)
            attributes = Attributes(owner, self.words.chmod, now_ns, latest_ns)
            chunks = self._chunks(arrangement.arranged(), attributes, destination)
            with Chunked(chunks) as tar:
                yield tar

    def _chunks(
        self, arranged: "list[Arranged]", attributes: "Attributes", destination: "Destination"
    ) -> Generator[bytes, None, None]:
        from rootless.build.arrangement import Unpacked  # noqa: PLC0415
        from rootless.build.copy_layer import copied_chunks  # noqa: PLC0415
        from rootless.build.standing import Standing  # noqa: PLC0415
        from rootless.image.member_header import END  # noqa: PLC0415

        standing = Standing(destination, attributes.latest_ns)
        with self._blamed():
            for each in arranged:
                if isinstance(each, Unpacked):
                    yield from self._unpacked(each, destination, attributes, standing)
                else:
                    yield from copied_chunks(each, attributes, standing)
        yield END

    @staticmethod
    def _unpacked(
        each: "Unpacked",
        destination: "Destination",
        attributes: "Attributes",
        standing: "Standing",
    ) -> Iterator[bytes]:
        from rootless.build.archive_members import Unpacking, archive_chunks  # noqa: PLC0415

        what = os.fsdecode(each.node.path)
        unpacking = Unpacking(each.folder, destination, attributes, standing)
        with each.source.open(each.node) as contents:
            yield from archive_chunks(contents, what, unpacking)

    @cached_property
    def _digest(self) -> Digest:
        with self._blamed():
            return Memory(self._store).digest(self._picked)

    @cached_property
    def _picked(self) -> list[Picked]:
        words = self.words
        excludes = Ignore.of(words.excludes)
        with self._blamed():
            found: list[Picked] = []
            for word in words.sources:
                if is_address(word):
                    found.append(self._fetched(word))
                    continue
                found += pick(self._source, word, excludes, with_parents=words.with_parents)
            for document in words.documents:
                found.append(LooseFile.of_text(document.name, document.content).picked)
        return found

    def _fetched(self, address: str) -> Picked:
        from rootless.build.fetched import fetch  # noqa: PLC0415 - seldom wanted, and much of it

        return fetch(address, self.words.checksum, self._store.root).picked

    def _archives(self) -> list[Node]:
        """Return what of the sources is unpacked: of what was fetched only where that is said."""
        if not self.words.unpacks_files:
            return []
        return [
            each.node
            for each in self._picked
            if (each.source is self._source or self.words.unpack) and _is_archive(each)
        ]

    def _warn(self, replaced: Sequence[bytes]) -> None:
        where = f"{self._instruction.file}:{self._instruction.line}"
        for each in self._picked:
            for path in each.left_out:
                log.warning("%s: left out, a socket: %s", where, os.fsdecode(path))
        for path in replaced:
            log.warning("%s: a folder takes the place of the link /%s", where, os.fsdecode(path))

    def _located(self) -> "Located | None":
        if not self._state.diff_ids:
            return None
        from rootless.image import trees  # noqa: PLC0415

        return trees.located(self._store, self._state.diff_ids, may_grow=True)

    def _blamed(self) -> AbstractContextManager[None]:
        """Say where in the file it stands what is wrong with something."""
        return self._instruction.blamed(InvalidInput, NotFound, IntegrityError)


def _is_archive(picked: Picked) -> bool:
    if not stat.S_ISREG(picked.node.mode):
        return False
    from rootless.build.archive_members import is_archive  # noqa: PLC0415

    with picked.source.open(picked.node) as contents:
        return is_archive(contents)


def plan_copy(
    store: Store, state: StageState, instruction: Instruction, source: CopySource
) -> CopyPlan:
    """Return what a COPY or an ADD is going to do.

    Args:
        store: Where the image's layers are.
        state: The stage before it.
        instruction: The step, its variables replaced (`state.expanded`).
        source: The context, or what `--from` names.

    Raises:
        BuildError: Its words mean nothing.
    """
    return CopyPlan(store, state, instruction, copy_words(instruction), source)
