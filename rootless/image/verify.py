"""`rootless store verify`: everything in the store beside what it must be.

Documents against their digests, tars against their diff IDs, indexes against their tars, trees
against the indexes. What can be made again from what is right is, on demand; a layer cannot, and is
set aside for one that is brought again: `damaged/HEX` holds it until then.

Reads under the lock that loads hold, so that no collection comes in between; where that cannot be
had, on a read-only store, it does without.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from rootless.errors import IntegrityError, InvalidInput, NotFound, RootlessError, StoreError
from rootless.image import gc, lock, names
from rootless.image.fault import DOCUMENT, INDEX, LAYER, TREE, Fault
from rootless.image.names import Entry
from rootless.image.progress import Progress, Silent
from rootless.image.store import DAMAGED, Store
from rootless.image.store_errors import explain
from rootless.image.survey import Survey, survey
from rootless.image.usage import leftovers
from rootless.image.verify_objects import check_layer, check_tree, make_index, make_tree
from rootless.image.workers import Task, outcomes
from rootless.oci.digest import Digest, chain_id, hex_of, parse_digest

Fetch = Callable[[Sequence[Entry]], None]
"""Brings images again from where they came, as far as that can be done; raises RootlessError."""


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How to check.

    Attributes:
        quick: Read no contents of layers, indexes and trees.
        repair: Put right what can be.
        fetch: What brings images again; None where nothing can.
    """

    quick: bool = False
    repair: bool = False
    fetch: Fetch | None = None


@dataclass(slots=True)
class Report:
    """What came of it.

    Attributes:
        faults: What is wrong, or was.
        documents: How many documents were checked.
        layers: How many layers.
        trees: How many chains of layers.
        leftovers: How many files nothing leads to, which is no fault.
    """

    faults: list[Fault] = field(default_factory=list)
    documents: int = 0
    layers: int = 0
    trees: int = 0
    leftovers: int = 0

    @property
    def left(self) -> list[Fault]:
        """What is still wrong."""
        return [fault for fault in self.faults if not fault.repaired]


def verify(
    store: Store,
    wanted: Sequence[str],
    options: VerifyOptions,
    progress: Progress | None = None,
) -> Report:
    """Check a store, or some of its images; return what is wrong.

    Raises:
        NotFound, InvalidInput: An image that is wanted is not there, or is not one.
        StoreError: The list of images is damaged; or nothing can be written to repair.
    """
    entries = [e for name in wanted for e in names.find_own(store, name)]
    if not wanted:
        entries = list(names.entries(store))
    told = progress or Silent()
    with ExitStack() as stack:
        if options.repair:
            stack.enter_context(lock.shared(store.lock_path(lock.STORE_LOCK)))
        else:
            _lock_if_possible(store, stack)
        check = _Check(store, options, told, entries, everything=not wanted)
        check.run()
    if options.repair and options.fetch is not None:
        check.bring_again()  # loads take the lock themselves
    return check.report


def _lock_if_possible(store: Store, stack: ExitStack) -> None:
    with suppress(StoreError):
        stack.enter_context(lock.shared(store.lock_path(lock.STORE_LOCK)))


class _Check:
    """One run over a store."""

    def __init__(
        self,
        store: Store,
        options: VerifyOptions,
        progress: Progress,
        entries: Sequence[Entry],
        *,
        everything: bool,
    ) -> None:
        self._store = store
        self._options = options
        self._progress = progress
        self._entries = entries
        self._everything = everything
        self._survey = Survey()
        self.report = Report()

    def run(self) -> None:
        """Check, and repair what can be made again."""
        store, repair = self._store, self._options.repair
        found = survey(store, self._entries, containers=self._everything, repair=repair)
        self._survey = found
        report = self.report
        report.faults += found.faults
        report.documents = len(found.documents)
        diff_ids = dict.fromkeys(found.layers)
        if self._everything:
            diff_ids |= dict.fromkeys(_indexed(store))
        report.layers, report.trees = len(diff_ids), len(found.chains)
        faults = self._check_layers(diff_ids)
        if repair:
            faults = [self._repaired(fault) for fault in faults]
        report.faults += faults
        wrong = {fault.digest for fault in faults if not fault.repaired}
        chains = [chain for chain in found.chains if wrong.isdisjoint(chain)]
        for fault in self._check_trees(chains):
            report.faults.append(self._repaired(fault) if repair else fault)
        if self._everything:
            with suppress(IntegrityError, InvalidInput):  # whose they are says a damaged document
                left_over = leftovers(store)
                report.leftovers = left_over.total - left_over.active

    def bring_again(self) -> None:
        """Have images brought again of which a part cannot be made again, and look once more."""
        lost = [f for f in self.report.left if f.kind in (DOCUMENT, LAYER)]
        whose = {name for fault in lost for name in fault.images}
        entries = [entry for entry in self._entries if entry.reference in whose]
        if not entries or self._options.fetch is None:
            return
        why = ""
        try:
            self._options.fetch(entries)
        except RootlessError as error:
            why = str(error)
        again = _Check(self._store, self._options, self._progress, entries, everything=False)
        again.run()
        tried = {entry.reference for entry in entries}
        left = {(fault.kind, fault.digest): fault for fault in again.report.left}
        for number, fault in enumerate(self.report.faults):
            still = left.pop((fault.kind, fault.digest), None)
            if still is not None:
                # what was said first: by now a layer that was set aside is only missing
                fix = f"{fault.fix}; {why}" if why else fault.fix
                self.report.faults[number] = replace(fault, fix=fix)
            elif not fault.repaired and not tried.isdisjoint(fault.images):
                self.report.faults[number] = replace(fault, fix="", repaired=True)
        self.report.faults += left.values()
        _forget_damaged(self._store)

    def _check_layers(self, diff_ids: Iterable[Digest]) -> list[Fault]:
        store, quick = self._store, self._options.quick
        sizes = {diff_id: _size(store, diff_id) for diff_id in diff_ids}
        ordered = sorted(sizes, key=sizes.__getitem__, reverse=True)
        said = self._survey.sizes
        tasks: list[Task[list[Fault]]] = [
            partial(check_layer, store, diff_id, said.get(diff_id), quick=quick)
            for diff_id in ordered
        ]
        self._progress.layer("verify", None if quick else sum(sizes.values()))
        found = [f for faults in outcomes(tasks, self._progress.advance) for f in faults]
        needed = self._survey.layers
        named = [replace(f, images=tuple(needed.get(Digest(f.digest), ()))) for f in found]
        return sorted(named, key=lambda fault: fault.digest)

    def _check_trees(self, chains: Sequence[tuple[Digest, ...]]) -> Iterator[Fault]:
        quick = self._options.quick
        tasks: list[Task[list[Fault]]] = [
            partial(check_tree, self._store, chain, quick=quick) for chain in chains
        ]
        for faults in outcomes(tasks, self._progress.advance):
            for fault in faults:
                yield replace(fault, images=tuple(self._survey.chains[self._chain(fault)]))

    def _chain(self, fault: Fault) -> tuple[Digest, ...]:
        return next(c for c in self._survey.chains if chain_id(c) == fault.digest)

    def _repaired(self, fault: Fault) -> Fault:
        """Make an object again from what is right, or set a layer aside."""
        store = self._store
        try:
            if fault.kind == INDEX:
                make_index(store, Digest(fault.digest))
            elif fault.kind == TREE:
                make_tree(store, self._chain(fault))
            elif fault.kind == LAYER:
                return fault if fault.is_unreadable else _set_aside(store, fault)
        except (StoreError, NotFound, IntegrityError) as error:
            return replace(fault, fix=str(error))
        return replace(fault, fix="", repaired=True)


def _indexed(store: Store) -> Iterator[Digest]:
    """Yield the layers that are in the store, whether anybody needs them or not."""
    folder = store.root / "layers" / "sha256"
    with explain(folder), suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".index") and len(name) == 64 + len(".index"):
                yield parse_digest(f"sha256:{name[:64]}", str(folder))


def _size(store: Store, diff_id: Digest) -> int:
    try:
        return store.blob_path(diff_id).stat().st_size
    except OSError:
        return 0


def _set_aside(store: Store, fault: Fault) -> Fault:
    """Move a damaged layer out of the way, so that the next load or pull brings it."""
    name = hex_of(Digest(fault.digest))
    path, aside = store.root / "blobs" / "sha256" / name, store.root / DAMAGED / name
    if not path.exists():
        with explain(path):  # in another form; what has come of it comes again
            store.coded_path(Digest(fault.digest)).unlink(missing_ok=True)
        gc.remove_folder(store.lazy_folder(Digest(fault.digest)))
        return fault
    with explain(aside):
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside)
    return replace(fault, fix=f"set aside as {aside}: {fault.fix}")


def _forget_damaged(store: Store) -> None:
    """Remove what was set aside and has come again."""
    folder = store.root / DAMAGED
    with explain(folder), suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if (store.root / "blobs" / "sha256" / name).exists():
                (folder / name).unlink(missing_ok=True)
