"""`rootless.transfer.pull_layer`: one layer, whole or not at all, and the download kept."""

import random
import resource
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import images
import loading
import pytest
import trio
from repositories import Repository

from rootless.errors import IntegrityError, RegistryError, StoreError
from rootless.image import lock, partial
from rootless.image.compact import decoded
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.transfer import tasks
from rootless.transfer.progress import State
from rootless.transfer.pull_layer import LayerPull

if TYPE_CHECKING:
    from rootless.registry import repository as registry

TAR = images.LayerBuilder().file("noise", random.Random(1).randbytes(200_000)).tar()
BLOB = images.COMPRESSORS["gzip"](TAR)
DIFF_ID = sha256_of(TAR)


class Meter:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.advanced = 0
        self.have = 0

    def advance(self, n: int) -> None:
        """Count."""
        self.advanced += n
        self.have += n

    def enter(self, state: State, have: int | None = None) -> None:
        """Note the state, once in a row."""
        if self.states[-1:] != [state]:
            self.states.append(state)
        self.have = self.have if have is None else have


def take(
    store: Store,
    repository: Repository,
    descriptor: Descriptor,
    diff_id: Digest = DIFF_ID,
    *,
    keeps_source: bool = False,
) -> Meter:
    """Take the layer; return what the meter was told."""
    meter = Meter()

    async def work() -> None:
        whence = cast("registry.Repository", repository)
        pulls = LayerPull(store, transaction, whence, keeps_source=keeps_source)
        await pulls.take(descriptor, diff_id, meter)

    with Transaction(store) as transaction:
        tasks.run(work)
    return meter


@pytest.fixture
def repository() -> Repository:
    """A repository with the layer."""
    made = Repository()
    made.add_blob(BLOB)
    return made


DESCRIPTOR = Descriptor(images.LAYER_TYPES["gzip"], sha256_of(BLOB), len(BLOB))


def nothing_else(store: Store) -> bool:
    """Tell whether the store has neither temp files nor downloads."""
    return loading.temp_files(store.root) == [] and not list((store.root / "partial").iterdir())


def test_a_layer(store: Store, repository: Repository) -> None:
    """It is there with its index, under its diff ID, and the download is gone."""
    meter = take(store, repository, DESCRIPTOR)
    assert store.blob_path(DIFF_ID).read_bytes() == TAR
    assert store.has_layer(DIFF_ID)
    assert nothing_else(store)
    assert (meter.advanced, meter.have) == (len(BLOB), len(BLOB))
    assert meter.states == [State.DOWNLOADING, State.INDEXING, State.DONE]


def test_what_came_is_kept_where_that_is_wanted(store: Store, repository: Repository) -> None:
    """Beside the tar, as a blob, with seek points; by the download's own file."""
    take(store, repository, DESCRIPTOR, keeps_source=True)
    assert store.blob_path(DIFF_ID).read_bytes() == TAR
    assert store.blob_path(DESCRIPTOR.digest).read_bytes() == BLOB
    assert b"".join(decoded(store.coded_path(DIFF_ID))) == TAR
    assert nothing_else(store)


def test_one_that_is_there(store: Store, repository: Repository) -> None:
    """It is not asked for."""
    take(store, repository, DESCRIPTOR)
    repository.asked.clear()
    assert take(store, repository, DESCRIPTOR).states == [State.PRESENT]
    assert repository.asked == []


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_cut_short(store: Store, repository: Repository, *, ignores_ranges: bool) -> None:
    """After a failure of the network the next pull goes on behind what came."""

    def cut(_digest: str, offset: int, chunk: bytes) -> bytes:
        if offset >= 40_960:
            raise RegistryError("connection lost", "host")
        return chunk

    repository.on_chunk = cut
    with pytest.raises(RegistryError):
        take(store, repository, DESCRIPTOR)
    assert loading.temp_files(store.root) == []
    assert loading.objects(store.root) == set()
    assert partial.size_so_far(store, DESCRIPTOR.digest) == 40_960
    repository.on_chunk = lambda _digest, _offset, chunk: chunk
    repository.ignores_ranges = ignores_ranges
    meter = take(store, repository, DESCRIPTOR)
    assert repository.asked[-1] == f"blob {DESCRIPTOR.digest} 40960"
    assert meter.advanced == len(BLOB) - 40_960
    assert store.blob_path(DIFF_ID).read_bytes() == TAR
    assert nothing_else(store)


def test_all_of_it_came_before(store: Store, repository: Repository) -> None:
    """A download that is whole needs no network."""
    store.partial_path(DESCRIPTOR.digest).write_bytes(BLOB)
    take(store, repository, DESCRIPTOR)
    assert repository.asked == []
    assert store.has_layer(DIFF_ID)


def test_what_came_before_is_damaged(store: Store, repository: Repository) -> None:
    """It is downloaded afresh, once, and nobody is told of damage that is mended."""
    store.partial_path(DESCRIPTOR.digest).write_bytes(bytes(1000) + BLOB[1000:5000])
    take(store, repository, DESCRIPTOR)
    offsets = [line.split()[-1] for line in repository.asked]
    assert offsets == ["5000", "0"]
    assert store.blob_path(DIFF_ID).read_bytes() == TAR
    assert nothing_else(store)


def _flipped(_digest: str, offset: int, chunk: bytes) -> bytes:
    return bytes([chunk[0] ^ 1]) + chunk[1:] if offset == 8192 else chunk


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_flipped, "wrong digest"),
        (lambda _d, offset, chunk: chunk + b"x" if offset == 0 else chunk, "wrong size"),
        (lambda _d, offset, chunk: chunk[:-1] if offset == 0 else chunk, "wrong size"),
    ],
    ids=["a bit", "longer", "shorter"],
)
def test_damage(
    store: Store, repository: Repository, spoil: Callable[[str, int, bytes], bytes], says: str
) -> None:
    """What is not the blob is an error, and nothing of it stays."""
    repository.on_chunk = spoil
    with pytest.raises(IntegrityError, match=says):
        take(store, repository, DESCRIPTOR)
    assert loading.objects(store.root) == set()
    assert nothing_else(store)


def test_killed_just_before_its_end(store: Store, repository: Repository) -> None:
    """The download of a layer that is there goes."""
    take(store, repository, DESCRIPTOR)
    store.partial_path(DESCRIPTOR.digest).write_bytes(BLOB)
    take(store, repository, DESCRIPTOR)
    assert nothing_else(store)


def test_another_diff_id(store: Store, repository: Repository) -> None:
    """A blob whose contents are not what the config says is refused."""
    with pytest.raises(IntegrityError, match="wrong diff ID"):
        take(store, repository, DESCRIPTOR, sha256_of(b"another"))
    assert loading.objects(store.root) == set()
    assert nothing_else(store)


def test_no_tar(store: Store) -> None:
    """A blob that is what its digest says, and no layer, is refused."""
    repository = Repository()
    descriptor = repository.add_blob(b"no tar" * 1000)
    with pytest.raises(IntegrityError, match="not a valid layer"):
        take(store, repository, descriptor, sha256_of(b"no tar" * 1000))
    assert nothing_else(store)


def test_an_interrupt(store: Store, repository: Repository) -> None:
    """Ctrl-C in the middle: the download stays, nothing else, and the threads have ended."""

    def interrupt(_digest: str, offset: int, chunk: bytes) -> bytes:
        if offset >= 20_480:
            raise KeyboardInterrupt
        return chunk

    repository.on_chunk = interrupt
    with pytest.raises(KeyboardInterrupt):
        take(store, repository, DESCRIPTOR)
    assert loading.temp_files(store.root) == []
    assert partial.size_so_far(store, DESCRIPTOR.digest) == 20_480


@pytest.mark.parametrize("limit", [50_000, len(BLOB) + 64], ids=["download", "tar"])
def test_the_store_takes_no_more(store: Store, repository: Repository, limit: int) -> None:
    """Where it cannot be written the pull ends with that error, and the download stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(StoreError, match="file too large"):
            take(store, repository, DESCRIPTOR)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert loading.temp_files(store.root) == []
    assert loading.objects(store.root) == set()
    came = partial.size_so_far(store, DESCRIPTOR.digest)
    assert came > 0
    take(store, repository, DESCRIPTOR)
    assert store.has_layer(DIFF_ID)
    assert repository.asked[1:] in ([f"blob {DESCRIPTOR.digest} {came}"], [])


def test_another_process_has_it(store: Store, repository: Repository) -> None:
    """Who comes second waits, says so, tells how far the first is, and downloads nothing."""
    store.partial_path(DESCRIPTOR.digest).write_bytes(BLOB[:1000])
    other = Repository({DESCRIPTOR.digest: BLOB})
    meter = Meter()

    async def first(task_status: trio.TaskStatus[None]) -> None:
        path = store.lock_path(f"layer-{hex_of(DIFF_ID)}")
        with lock.exclusive_if_free(path) as is_ours:
            assert is_ours
            task_status.started()
            while State.WAITING not in meter.states:  # noqa: ASYNC110 - there is no event to wait for
                await trio.sleep(0.001)
            assert meter.have == 1000
            whence = cast("registry.Repository", repository)
            pull = LayerPull(store, transaction, whence)
            await pull._download(DESCRIPTOR, DIFF_ID, Meter())

    async def work() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(first)
            whence = cast("registry.Repository", other)
            pull = LayerPull(store, transaction, whence)
            nursery.start_soon(pull.take, DESCRIPTOR, DIFF_ID, meter)

    with Transaction(store) as transaction:
        tasks.run(work)
    assert meter.states == [State.WAITING, State.PRESENT]
    assert other.asked == []
    assert nothing_else(store)


def test_another_writes_the_same_blob(store: Store, repository: Repository) -> None:
    """A blob that another process downloads for another layer is waited for, too."""
    meter = Meter()

    async def work() -> None:
        whence = cast("registry.Repository", repository)
        pull = LayerPull(store, transaction, whence)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pull.take, DESCRIPTOR, DIFF_ID, meter)
            while State.WAITING not in meter.states:  # noqa: ASYNC110
                await trio.sleep(0.001)
            assert repository.asked == []
            busy.close()

    busy = partial.Partial.open(store, DESCRIPTOR.digest, len(BLOB))
    assert busy is not None
    with Transaction(store) as transaction:
        tasks.run(work)
    assert meter.states[-1] is State.DONE
    assert store.has_layer(DIFF_ID)
