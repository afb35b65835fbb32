"""`rootless.transfer.pull_manifest`: from a name to one manifest, through what may be hostile."""

import json
from typing import TYPE_CHECKING, cast

import images
import pytest
import trio
from repositories import Repository

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.plan import PlannedImage
from rootless.image.store import Store
from rootless.oci.descriptor import DOCKER_MANIFEST, Descriptor, Platform
from rootless.oci.digest import sha256_of
from rootless.transfer.pull_manifest import Documents, Found

if TYPE_CHECKING:
    from rootless.registry import repository as registry

LAYER = images.small_layer()
ARM = Platform("linux", "arm64")


def read(
    store: Store, repository: Repository, name: str, platform: Platform | None = None
) -> tuple[Found, PlannedImage]:
    """Go from a tag to the plan."""
    documents = Documents(store, cast("registry.Repository", repository), platform)

    async def work() -> tuple[Found, PlannedImage]:
        digest = await documents.digest_of(name)
        found = await documents.find(await documents.by_digest(digest))
        return found, await documents.image(found)

    return trio.run(work)


def entry(descriptor: Descriptor, architecture: str, variant: str = "") -> dict[str, object]:
    """Return an index's line."""
    platform = {"os": "linux", "architecture": architecture}
    if variant:
        platform["variant"] = variant
    return {**descriptor.to_json(), "platform": platform}


def config_for(architecture: str) -> bytes:
    """Return a config of an image with the layer, for an architecture."""
    document = json.loads(images.image_config([LAYER]))
    return json.dumps({**document, "architecture": architecture}).encode()


@pytest.fixture
def repository() -> Repository:
    """A repository with `one`, `arm` and an index of both, `both`."""
    made = Repository()
    one = made.add_image([LAYER], "one")
    arm = made.add_image([LAYER], "arm", config=config_for("arm64"))
    made.add_index([entry(one, "amd64"), entry(arm, "arm64", "v8")], "both")
    return made


def test_a_manifest(store: Store, repository: Repository) -> None:
    """A tag of one image leads to it, whatever the host is."""
    found, image = read(store, repository, "one")
    assert found.index is None
    assert found.manifest.data == image.source_manifest
    assert [layer.diff_id for layer in image.layers] == [sha256_of(LAYER.tar())]
    assert image.config_data in repository.blobs.values()


def test_an_index(store: Store, repository: Repository) -> None:
    """The image for the platform is taken, and the index remembered."""
    found, image = read(store, repository, "both", ARM)
    assert found.index is not None
    assert found.index.digest == sha256_of(repository.manifests["both"][0])
    assert found.manifest.digest == sha256_of(repository.manifests["arm"][0])
    assert image.config.architecture == "arm64"


def test_documents_that_are_there(store: Store, repository: Repository) -> None:
    """What a digest names and the store has is not asked for."""
    read(store, repository, "both", ARM)
    repository.asked.clear()
    read(store, repository, "both", ARM)
    assert repository.asked == ["head both"]


def test_a_tag_that_is_not_there(store: Store, repository: Repository) -> None:
    """A registry that has no such tag is believed when it says so twice: some know no HEAD."""
    with pytest.raises(NotFound, match="no such image in the registry: nosuch"):
        read(store, repository, "nosuch")
    assert repository.asked == ["head nosuch", "manifest nosuch"]


def test_a_damaged_document_is_mended(store: Store, repository: Repository) -> None:
    """A document of the store that is damaged is asked for again."""
    found, image = read(store, repository, "both", ARM)
    store.blob_path(found.manifest.digest).write_bytes(b"damaged")
    store.blob_path(sha256_of(image.config_data)).write_bytes(b"damaged")
    again, image_again = read(store, repository, "both", ARM)
    assert (again.manifest.data, image_again) == (found.manifest.data, image)


@pytest.mark.parametrize(
    ("name", "platform", "says"),
    [
        ("both", Platform("linux", "s390x"), "no manifest for the platform: linux/s390x"),
        ("one", ARM, r"image is not for the platform: linux/arm64 \(it is for linux/amd64\)"),
    ],
)
def test_another_platform(
    store: Store, repository: Repository, name: str, platform: Platform, says: str
) -> None:
    """A platform that is asked for and not there is an error that says what is there."""
    with pytest.raises(InvalidInput, match=says):
        read(store, repository, name, platform)


def test_indexes_in_a_circle(store: Store) -> None:
    """Indexes of indexes end somewhere, or it is refused."""
    made = Repository()
    inner = made.add_image([LAYER], "one")
    for number in range(6):
        inner = made.add_index([entry(inner, "amd64")], f"level{number}")
    assert read(store, made, "level2", Platform("linux", "amd64"))[0].index is not None
    with pytest.raises(IntegrityError, match="nested too deeply"):
        read(store, made, "level5", Platform("linux", "amd64"))


def test_a_size_that_is_not_true(store: Store, repository: Repository) -> None:
    """An index that gives another size than the manifest has is refused."""
    arm = entry(repository.add_manifest(repository.manifests["arm"][0]), "arm64")
    repository.add_index([{**arm, "size": 7}], "wrong")
    with pytest.raises(IntegrityError, match="wrong size"):
        read(store, repository, "wrong", ARM)


def _changed(repository: Repository, **members: object) -> None:
    """Add the image `one` with other members as `changed`."""
    document = json.loads(repository.manifests["one"][0])
    document |= members
    data = {name: value for name, value in document.items() if value is not None}
    repository.add_manifest(data, "changed")


ARTIFACT = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "size": 2}
ENCRYPTED = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "size": 9}


@pytest.mark.parametrize(
    ("members", "error", "says"),
    [
        ({"manifests": []}, IntegrityError, "both a manifest and an image index"),
        ({"mediaType": DOCKER_MANIFEST}, IntegrityError, "registry says"),
        ({"schemaVersion": 1, "fsLayers": []}, InvalidInput, "schema 1 is not supported"),
        (
            {"config": ARTIFACT | {"digest": sha256_of(b"{}")}},
            InvalidInput,
            "not a container image but an artifact: application/vnd.cncf.helm",
        ),
        (
            {"layers": [ENCRYPTED | {"digest": sha256_of(b"x")}]},
            InvalidInput,
            "layer is encrypted",
        ),
        ({"layers": []}, IntegrityError, "do not fit together"),
    ],
    ids=["ambiguous", "two types", "schema 1", "artifact", "encrypted", "layers"],
)
def test_what_is_refused(
    store: Store,
    repository: Repository,
    members: dict[str, object],
    error: type[Exception],
    says: str,
) -> None:
    """What is no image of ours is refused with the reason, before a layer is asked for."""
    _changed(repository, **members)
    with pytest.raises(error, match=says):
        read(store, repository, "changed")
    layer = images.digest(images.COMPRESSORS["gzip"](LAYER.tar()))
    assert not any(layer in line for line in repository.asked)
