"""`rootless.transfer.pull`: what is asked for, what is kept, and under which name."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import images
import loading
import pytest
import trio
from repositories import Repository

from rootless.errors import IntegrityError, InvalidInput
from rootless.image import lock, names, trees
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.descriptor import Descriptor, Platform
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.reference import parse_reference
from rootless.registry.settings import Settings
from rootless.transfer import tasks
from rootless.transfer.progress import Silent
from rootless.transfer.pull import _Pulling, pull_all_tags
from rootless.transfer.pull_options import Offer, PulledImage, PullOptions

if TYPE_CHECKING:
    from rootless.registry import repository as registry

LAYERS = [images.LayerBuilder().file(f"f{i}", bytes([i]) * 5000) for i in range(5)]
NAME = "quay.io/org/app"
OPTIONS = PullOptions(Settings())


def pull(
    store: Store, repository: Repository, name: str, options: PullOptions = OPTIONS
) -> PulledImage:
    """Pull out of the repository in memory."""

    async def work() -> PulledImage:
        whence = cast("registry.Repository", repository)
        return await pulling.one(parse_reference(name), whence)

    with Transaction(store) as transaction:
        pulling = _Pulling(store, transaction, options, Silent())
        return tasks.run(work)


@pytest.fixture
def repository() -> Repository:
    """A repository with an image of five layers, `1`, and an index of it, `2`."""
    made = Repository()
    one = made.add_image(LAYERS, "1")
    line = {**one.to_json(), "platform": {"os": "linux", "architecture": "amd64"}}
    made.add_index([line], "2")
    return made


AMD = replace(OPTIONS, platform=Platform("linux", "amd64"))


def test_an_image(store: Store, repository: Repository) -> None:
    """It is whole, has its name, and its manifest is kept as it came."""
    pulled = pull(store, repository, f"{NAME}:1")
    assert (pulled.reference, pulled.is_new) == (f"{NAME}:1", True)
    image = names.resolve(store, f"{NAME}:1")
    assert image.config_digest == pulled.config_digest
    assert image.source_digest is not None
    assert store.read_blob(image.source_digest, 1 << 20) == repository.manifests["1"][0]
    assert trees.read_file(store, image, b"f3") == b"\3" * 5000
    assert loading.temp_files(store.root) == []
    assert list((store.root / "partial").iterdir()) == []


def test_unchanged(store: Store, repository: Repository) -> None:
    """What is there is asked about, not asked for."""
    pull(store, repository, f"{NAME}:1")
    repository.asked.clear()
    again = pull(store, repository, f"{NAME}:1")
    assert (again.reference, again.is_new) == (f"{NAME}:1", False)
    assert repository.asked == ["head 1"]


def test_changed(store: Store, repository: Repository) -> None:
    """Another image of the name takes it over; only layers that are new come."""
    old = pull(store, repository, f"{NAME}:1")
    new_layer = images.LayerBuilder().file("new", b"new")
    repository.add_image([*LAYERS, new_layer], "1")
    repository.asked.clear()
    new = pull(store, repository, f"{NAME}:1")
    assert new.is_new
    assert names.resolve(store, f"{NAME}:1").config_digest == new.config_digest
    assert names.resolve(store, old.config_digest).reference == ""
    layer = images.digest(images.COMPRESSORS["gzip"](new_layer.tar()))
    assert [line for line in repository.asked if line.endswith(" 0")] == [f"blob {layer} 0"]


def test_by_digest(store: Store, repository: Repository) -> None:
    """It is kept under repository and digest, and the next time nobody is asked."""
    digest = sha256_of(repository.manifests["1"][0])
    repository.manifests.pop("1")
    pulled = pull(store, repository, f"{NAME}:tag@{digest}")
    assert pulled.reference == f"{NAME}@{digest}"
    repository.asked.clear()
    assert not pull(store, repository, f"{NAME}@{digest}").is_new
    assert repository.asked == []
    assert names.resolve(store, f"{NAME}@{digest}").config_digest == pulled.config_digest


@pytest.mark.parametrize("which", ["index", "manifest"])
def test_the_digests_of_a_tag(store: Store, repository: Repository, which: str) -> None:
    """An image that came by a tag out of an index is there by both of its digests."""
    pulled = pull(store, repository, f"{NAME}:2", AMD)
    digest = sha256_of(repository.manifests[{"index": "2", "manifest": "1"}[which]][0])
    repository.asked.clear()
    again = pull(store, repository, f"{NAME}@{digest}")
    assert (again.reference, again.is_new) == (pulled.reference, False)
    assert repository.asked == []


def test_unchanged_for_another_platform(store: Store, repository: Repository) -> None:
    """The same index may mean another image: what the platform wants is looked for in it."""
    pull(store, repository, f"{NAME}:2", AMD)
    repository.asked.clear()
    assert not pull(store, repository, f"{NAME}:2", AMD).is_new
    assert repository.asked == ["head 2"]
    options = replace(OPTIONS, platform=Platform("linux", "s390x"))
    with pytest.raises(InvalidInput, match="no manifest for the platform"):
        pull(store, repository, f"{NAME}:2", options)


def test_an_incomplete_image(store: Store, repository: Repository) -> None:
    """An image that the store has, but for a layer, is completed."""
    pull(store, repository, f"{NAME}:1")
    diff_id = sha256_of(LAYERS[2].tar())
    store.blob_path(diff_id).unlink()
    assert pull(store, repository, f"{NAME}:1").is_new
    assert store.has_layer(diff_id)


def test_an_error_names_nothing(store: Store, repository: Repository) -> None:
    """Layers that were verified stay; the name is not given."""
    last = images.digest(images.COMPRESSORS["gzip"](LAYERS[4].tar()))
    good = repository.blobs[last]
    repository.blobs[last] = good[:-1] + bytes([good[-1] ^ 1])
    with pytest.raises(IntegrityError):
        pull(store, repository, f"{NAME}:1", replace(OPTIONS, layers_at_once=1))
    assert names.entries(store) == ()
    assert store.has_layer(sha256_of(LAYERS[0].tar()))
    assert not store.has_layer(sha256_of(LAYERS[4].tar()))
    repository.blobs[last] = good
    repository.asked.clear()
    pull(store, repository, f"{NAME}:1")
    assert [line for line in repository.asked if line.endswith(" 0")] == [f"blob {last} 0"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_layers_at_once(store: Store, repository: Repository, at_once: int) -> None:
    """As many layers as wished are on their way at the same time, never more."""
    repository.chunk_size = 8
    begun: set[str] = set()
    most = 0

    def watch(digest: str, offset: int, chunk: bytes) -> bytes:
        nonlocal most
        begun.add(digest)
        most = max(most, len(begun))
        if offset + len(chunk) == len(repository.blobs[digest]):
            begun.discard(digest)
        return chunk

    repository.on_chunk = watch
    pull(store, repository, f"{NAME}:1", replace(OPTIONS, layers_at_once=at_once))
    assert most == at_once


def test_the_check(store: Store, repository: Repository) -> None:
    """Who checks sees the offer before anything is kept by name, and its error ends the pull."""
    seen: list[Offer] = []

    async def check(offer: Offer) -> None:
        seen.append(offer)
        raise InvalidInput("policy rejects the image", str(offer.reference))

    with pytest.raises(InvalidInput, match=f"policy rejects the image: {NAME}:2"):
        pull(store, repository, f"{NAME}:2", replace(AMD, check=check))
    (offer,) = seen
    assert offer.manifest.data == repository.manifests["1"][0]
    assert offer.index is not None
    assert offer.index.data == repository.manifests["2"][0]
    assert names.entries(store) == ()
    assert not any(line.endswith(" 0") for line in repository.asked)


def test_the_stage(store: Store, repository: Repository) -> None:
    """A layer that is made usable without its contents is not downloaded; only on demand."""
    staged: list[Digest] = []

    async def stage(_store: Store, offer: Offer, descriptor: Descriptor, diff_id: Digest) -> bool:
        assert str(offer.reference) == f"{NAME}:1"
        assert descriptor.digest in repository.blobs
        staged.append(diff_id)
        return False

    pull(store, repository, f"{NAME}:1", replace(OPTIONS, stage=stage))
    assert staged == []
    store.blob_path(sha256_of(LAYERS[1].tar())).unlink()
    pull(store, repository, f"{NAME}:1", replace(OPTIONS, stage=stage, lazy=True))
    assert staged == [sha256_of(LAYERS[1].tar())]


def test_documents_of_the_same_moment(store: Store, repository: Repository) -> None:
    """Who comes while another process asks for the documents waits, and takes that one's."""
    digest = sha256_of(repository.manifests["1"][0])
    path = store.lock_path(f"pull-{hex_of(digest)}")

    async def another(task_status: trio.TaskStatus[None]) -> None:
        with lock.exclusive_if_free(path) as is_ours:
            assert is_ours
            task_status.started()
            await trio.sleep(0.1)
            assert repository.asked == ["head 1"]
            store.write_blob(repository.manifests["1"][0])

    async def work() -> PulledImage:
        async with trio.open_nursery() as nursery:
            await nursery.start(another)
            whence = cast("registry.Repository", repository)
            return await pulling.one(parse_reference(f"{NAME}:1"), whence)

    with Transaction(store) as transaction:
        pulling = _Pulling(store, transaction, OPTIONS, Silent())
        assert tasks.run(work).is_new
    assert not any(line.startswith("manifest") for line in repository.asked)


def test_a_tag_with_all_tags(store: Store) -> None:
    """All tags of one tag is a mistake."""
    with pytest.raises(InvalidInput, match="a tag has no meaning with --all-tags"):
        pull_all_tags(store, f"{NAME}:1", OPTIONS, Silent())
