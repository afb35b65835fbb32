"""`rootless.image.describe`: the documents that `inspect` and `images --format json` print."""

from dataclasses import replace

import images
import pytest

from rootless.image import describe, names
from rootless.image.names import Entry, Image
from rootless.image.store import Store
from rootless.oci.digest import hex_of, sha256_of
from rootless.oci.manifest import stored_manifest

LAYERS = (b"one", b"second")
CONFIG = {
    "User": "daemon",
    "Env": ["A=1"],
    "Cmd": ["run"],
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"a": "b"},
}


@pytest.fixture
def image(store: Store) -> Image:
    """An image of two layers without a name."""
    config = images.image_config(LAYERS, CONFIG)
    digest = store.write_blob(config)
    sizes = [(sha256_of(layer), len(layer)) for layer in LAYERS]
    manifest = stored_manifest((digest, len(config)), sizes).to_bytes()
    return names.read_image(store, Entry("", store.write_blob(manifest), len(manifest), digest))


def test_each_image_once_with_all_its_names(image: Image) -> None:
    """Names of one image come together, in their order; an image without any has none."""
    other = replace(image, manifest_digest=sha256_of(b"other"))
    lines = [replace(image, reference="a:1"), other, replace(image, reference="b:1")]
    grouped = describe.grouped(lines)
    assert grouped == [(lines[0], ("a:1", "b:1")), (other, ())]
    assert describe.grouped([]) == []


def test_the_digest_is_the_one_that_others_know(image: Image) -> None:
    """The digest is that of the manifest as it came, of ours only where it came without one."""
    assert describe.digest_of(image) == image.manifest_digest
    source = sha256_of(b"as it came")
    assert describe.digest_of(replace(image, source_digest=source)) == source


def test_each_repository_once(image: Image) -> None:
    """Two tags of a repository are one repository digest."""
    references = ["localhost:5000/a:1", "localhost:5000/a:2", "quay.io/b:1"]
    assert describe.repo_digests(image, references) == [
        f"localhost:5000/a@{image.manifest_digest}",
        f"quay.io/b@{image.manifest_digest}",
    ]
    assert describe.repo_digests(image, []) == []


def test_summary(image: Image) -> None:
    """A line of the list has the ID without algorithm, the names and the size of the layers."""
    summary = describe.summary(image, ("localhost/a:1",))
    assert summary["Id"] == hex_of(image.config_digest)
    assert summary["Names"] == ["localhost/a:1"]
    assert summary["RepoDigests"] == [f"localhost/a@{image.manifest_digest}"]
    assert summary["CreatedAt"] == "2024-01-02T03:04:05Z"
    assert (summary["Size"], summary["Labels"]) == (9, {"a": "b"})


def test_details(image: Image) -> None:
    """The description has each layer's diff ID and size, and the history's steps."""
    details = describe.details(image, ())
    diff_ids = [sha256_of(layer) for layer in LAYERS]
    assert details["RootFS"] == {"Type": "layers", "Layers": diff_ids}
    assert details["LayersData"] == [
        {"DiffID": diff_ids[0], "Size": 3},
        {"DiffID": diff_ids[1], "Size": 6},
    ]
    assert details["History"] == [{"created_by": "tests/images.py"}] * 2
    assert (details["Os"], details["Architecture"], details["Variant"]) == ("linux", "amd64", "")
    assert details["Manifest"] == {"Stored": image.manifest_digest, "Source": ""}


def test_what_the_config_does_not_say_is_left_out(image: Image) -> None:
    """The process's part has the keys that are set, in the form that an image config has."""
    assert describe.details(image, ())["Config"] == CONFIG
