"""`rootless.image.plan`: what hostile and honest documents come to, before a layer is touched."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import images
import pytest
from images import CONFIG_TYPE, INDEX_TYPE, LAYER_TYPES, MANIFEST_TYPE, Layout

from rootless.errors import IntegrityError, InvalidInput, NotFound, RootlessError
from rootless.image.ingest import Expected, StagedLayer
from rootless.image.plan import PlannedImage, plan
from rootless.image.progress import Progress
from rootless.image.source import STANDARD_INPUT
from rootless.oci.descriptor import Platform
from rootless.oci.digest import sha256_of

AMD64 = Platform("linux", "amd64")
LAYER = images.small_layer().tar()
HOLLOW: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}


class Documents:
    """A source of documents in memory; its layers are never asked for."""

    def __init__(self, files: Mapping[str, bytes], what: str = "/in/demo.tar") -> None:
        self.files = files
        self._what = what

    @property
    def what(self) -> str:
        """What the user called it."""
        return self._what

    def document(self, name: str, limit: int) -> bytes | None:
        """Return one."""
        data = self.files.get(name)
        assert data is None or len(data) <= limit
        return data

    def layer(self, name: str, expected: Expected, progress: Progress) -> StagedLayer | None:
        """Fail: a plan is made out of documents."""
        pytest.fail("a layer was asked for")

    def close(self) -> None:
        """Do nothing."""


def documents(folder: Path, what: str = "/in/demo.tar") -> Documents:
    """Return the files of a layout."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return Documents({str(p.relative_to(folder)): p.read_bytes() for p in paths}, what)


def planned(source: Documents, wanted: str = "", platform: Platform = AMD64) -> list[PlannedImage]:
    """Return the plan of a source."""
    return plan(source, wanted, platform)


def fault(source: Documents, kind: type[RootlessError], wanted: str = "") -> str:
    """Return the line with which a source is refused."""
    with pytest.raises(RootlessError) as caught:
        planned(source, wanted)
    assert type(caught.value) is kind, caught.value
    return str(caught.value)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty layout."""
    return Layout(tmp_path / "layout")


def docker(config: bytes = b"", **item: object) -> Documents:
    """Return a docker archive with one image whose entry of the manifest is changed."""
    config = config or images.image_config([LAYER])
    entry = {"Config": "c.json", "RepoTags": ["demo:1"], "Layers": ["l/layer.tar"]} | item
    return Documents({"manifest.json": json.dumps([entry]).encode(), "c.json": config})


def test_an_image_of_a_layout(layout: Layout) -> None:
    """All that the documents say is in the plan: names, config, layers lowest first."""
    descriptor = layout.add_image([LAYER, b"upper"], tag="demo:1", compression="none")
    source = documents(layout.path)
    (image,) = planned(source)
    assert image.references == ("localhost/demo:1",)
    assert image.config_data == images.image_config([LAYER, b"upper"])
    assert [layer.diff_id for layer in image.layers] == [sha256_of(LAYER), sha256_of(b"upper")]
    assert [layer.expected.size for layer in image.layers] == [len(LAYER), 5]
    assert all(f"sha256:{layer.name[13:]}" == layer.expected.digest for layer in image.layers)
    assert image.source_manifest is not None
    assert sha256_of(image.source_manifest) == descriptor["digest"]


@pytest.mark.parametrize(
    ("label", "what", "name"),
    [
        ("debian-demo", "x", "localhost/debian-demo:latest"),
        ("quay.io/a/b:1", "x", "quay.io/a/b:1"),
        ("latest", "/in/My Demo.tar.gz", "localhost/my-demo:latest"),
        ("latest", "/in/layout/", "localhost/layout:latest"),
        ("latest", "/in/---.tar", "localhost/image:latest"),
        ("V1", "/in/demo.tar", "localhost/demo:V1"),
        ("latest", STANDARD_INPUT, None),
        ("V1", STANDARD_INPUT, None),
        (None, "/in/demo.tar", None),
    ],
)
def test_names_of_a_layout(label: str | None, what: str, name: str | None, layout: Layout) -> None:
    """A name stands as it is, a lone tag is the file's; out of a pipe it names nothing."""
    layout.add_image([LAYER], tag=label)
    (image,) = planned(documents(layout.path, what))
    assert image.references == ((name,) if name else ())


def test_containerd_names(layout: Layout) -> None:
    """The full name that containerd writes goes before the tag beside it."""
    descriptor = layout.add_image([LAYER], tag=None)
    (layout.path / "index.json").unlink()
    descriptor["annotations"] = {
        "io.containerd.image.name": "docker.io/library/demo:1",
        "org.opencontainers.image.ref.name": "1",
    }
    layout.add_to_index(descriptor)
    assert planned(documents(layout.path))[0].references == ("docker.io/library/demo:1",)


@pytest.mark.parametrize("label", ["../../etc", "a b", "x:\x1b[31m", "a@sha256:" + "0" * 64])
def test_names_that_are_none(label: str, layout: Layout) -> None:
    """A label that is neither a name nor a tag is refused, not made into one."""
    layout.add_image([LAYER], tag=label)
    assert label in fault(documents(layout.path), InvalidInput)


def test_one_of_several(layout: Layout) -> None:
    """An image is found by its label, by its last part or its tag; another name is not found."""
    layout.add_image([LAYER], tag="quay.io/a/one:1")
    layout.add_image([b"two"], tag="quay.io/a/two:2")
    source = documents(layout.path)
    assert len(planned(source)) == 2
    for wanted in ("quay.io/a/two:2", "two:2", "2"):
        (image,) = planned(source, wanted)
        assert image.references == ("quay.io/a/two:2",)
    says = "no such image in the layout: /in/demo.tar:three"
    assert fault(source, NotFound, "three") == says
    assert fault(source, NotFound, "wo:2") == "no such image in the layout: /in/demo.tar:wo:2"


def test_an_image_with_two_names(layout: Layout) -> None:
    """One manifest under two labels is one image."""
    for tag in ("a", "b"):
        layout.add_image([LAYER], tag=tag)
    (image,) = planned(documents(layout.path))
    assert image.references == ("localhost/a:latest", "localhost/b:latest")


def test_a_layout_without_an_image() -> None:
    """An empty index has no image."""
    source = Documents({"index.json": json.dumps(HOLLOW).encode()})
    assert fault(source, NotFound) == "no such image in the layout: /in/demo.tar"


def platforms(layout: Layout, *names: str) -> dict[str, Any]:
    """Add an index of an image for each platform; return its descriptor."""
    manifests = []
    for name in names:
        system, _, architecture = name.partition("/")
        descriptor = layout.add_image([name.encode()], tag=None)
        descriptor["platform"] = {"os": system, "architecture": architecture}
        manifests.append(descriptor)
    (layout.path / "index.json").unlink(missing_ok=True)
    return layout.add_blob(json.dumps(HOLLOW | {"manifests": manifests}).encode(), INDEX_TYPE)


def test_a_platform_of_an_index(layout: Layout) -> None:
    """The wanted platform is chosen, down through indexes of any media type."""
    descriptor = platforms(layout, "linux/amd64", "linux/s390x")
    for media_type in (INDEX_TYPE, ""):
        (layout.path / "index.json").unlink(missing_ok=True)
        layout.add_to_index(descriptor | {"mediaType": media_type})
        (image,) = planned(documents(layout.path), "", Platform("linux", "s390x"))
        assert image.config.diff_ids == (sha256_of(b"linux/s390x"),)


def test_no_manifest_for_the_platform(layout: Layout) -> None:
    """What the image has instead is told, without attestations."""
    layout.add_to_index(platforms(layout, "linux/s390x", "linux/386", "unknown/unknown"))
    says = "image has no manifest for the platform: linux/amd64 (it has linux/386, linux/s390x)"
    assert fault(documents(layout.path), InvalidInput) == says


@pytest.mark.parametrize("names", [(), ("unknown/unknown",)], ids=["nothing", "attestation"])
def test_an_index_that_offers_nothing(names: tuple[str, ...], layout: Layout) -> None:
    """Where no platform can be told, none is."""
    layout.add_to_index(platforms(layout, *names))
    says = "image has no manifest for the platform: linux/amd64"
    assert fault(documents(layout.path), InvalidInput) == says


def test_indexes_of_indexes(layout: Layout) -> None:
    """A few levels of indexes are followed, then it is an attack."""
    descriptor = platforms(layout, "linux/amd64")
    for level in range(1, 6):
        (layout.path / "index.json").unlink(missing_ok=True)
        layout.add_to_index(descriptor)
        if level < 5:
            assert len(planned(documents(layout.path))) == 1
            outer = json.dumps(HOLLOW | {"manifests": [descriptor]}).encode()
            descriptor = layout.add_blob(outer, INDEX_TYPE)
    says = "image indexes are nested too deeply: /in/demo.tar"
    assert fault(documents(layout.path), IntegrityError) == says


def test_an_artifact(layout: Layout) -> None:
    """What is no image is called by its media type, in the index or in the manifest."""
    layout.add_to_index(layout.add_blob(b"{}", "text/html"))
    assert fault(documents(layout.path), InvalidInput) == "not a container image: text/html"
    config = layout.add_blob(b"{}", "application/vnd.helm")
    manifest = {"schemaVersion": 2, "config": config, "layers": []}
    (layout.path / "index.json").unlink()
    layout.add_to_index(layout.add_blob(json.dumps(manifest).encode(), MANIFEST_TYPE))
    says = "not a container image but an artifact: application/vnd.helm"
    assert fault(documents(layout.path), InvalidInput) == says


@pytest.mark.parametrize("which", ["manifest", "config"])
def test_a_damaged_blob(which: str, layout: Layout) -> None:
    """A document that is missing, another one, or of another size is refused by its digest."""
    descriptor = layout.add_image([LAYER])
    manifest = json.loads(layout.blob_path(descriptor["digest"]).read_bytes())
    digest = descriptor["digest"] if which == "manifest" else manifest["config"]["digest"]
    on = f"{digest} of /in/demo.tar"
    path = layout.blob_path(digest)
    path.write_bytes(b"{}")
    says = f"wrong digest: {on} (the content is {sha256_of(b'{}')})"
    assert fault(documents(layout.path), IntegrityError) == says
    path.unlink()
    assert fault(documents(layout.path), IntegrityError) == f"blob is missing: {on}"


def test_a_wrong_size(layout: Layout) -> None:
    """The size that a descriptor tells is held against the content."""
    descriptor = layout.add_image([LAYER])
    (layout.path / "index.json").unlink()
    size = descriptor["size"]
    layout.add_to_index(descriptor | {"size": size + 1})
    assert fault(documents(layout.path), IntegrityError) == (
        f"wrong size: {descriptor['digest']} of /in/demo.tar "
        f"(the content has {size} bytes, the descriptor says {size + 1})"
    )


def with_layers(layout: Layout, layers: list[dict[str, Any]]) -> Documents:
    """Return a layout whose manifest names these layers, and whose config one."""
    config = layout.add_blob(images.image_config([LAYER]), CONFIG_TYPE)
    manifest = {"schemaVersion": 2, "config": config, "layers": layers}
    layout.add_to_index(layout.add_blob(json.dumps(manifest).encode(), MANIFEST_TYPE))
    return documents(layout.path)


def test_layers_and_diff_ids_that_differ(layout: Layout) -> None:
    """A manifest and a config of different lengths do not fit together."""
    layer = layout.add_blob(LAYER, LAYER_TYPES["none"])
    says = (
        "manifest and config do not fit together: /in/demo.tar "
        "(the manifest names 2 layers, the config 1 diff IDs)"
    )
    assert fault(with_layers(layout, [layer, layer]), IntegrityError) == says
    assert fault(docker(Layers=["a", "b"]), IntegrityError) == says


def test_an_encrypted_layer(layout: Layout) -> None:
    """An encrypted layer is told from a damaged one, with the way out."""
    layer = layout.add_blob(LAYER, LAYER_TYPES["gzip"] + "+encrypted")
    says = f"layer is encrypted: {layer['digest']} (decrypt the image first)"
    assert fault(with_layers(layout, [layer]), InvalidInput) == says


def test_neither_layout_nor_archive() -> None:
    """What holds no image is told the command for a root file system."""
    assert fault(Documents({"etc/passwd": b""}), InvalidInput) == (
        "neither an OCI image nor a docker archive: /in/demo.tar (neither index.json nor "
        "manifest.json is there; `rootless import` takes a root file system)"
    )


@pytest.mark.parametrize("name", ["index.json", "manifest.json"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b'"x"',
        b"[1]",
        b"[" * 100_000,
        b'{"manifests": {}}',
        b'{"manifests": [1]}',
    ],
    ids=["empty", "open", "null", "text", "number", "deep", "object", "no descriptor"],
)
def test_documents_that_are_none(name: str, data: bytes) -> None:
    """Whatever stands in the first document, it is one clear line that says which one it is."""
    line = fault(Documents({name: data}), InvalidInput)
    assert ("image index" if name == "index.json" else "manifest.json") in line
    assert " is not " in line


def test_an_image_of_a_docker_archive() -> None:
    """Names are Docker Hub's, layers are known by diff ID; there is no manifest to keep."""
    source = docker(RepoTags=["demo:1", "quay.io/a/demo"], Layers=["./l/../l/layer.tar"])
    (image,) = planned(source)
    assert image.references == ("docker.io/library/demo:1", "quay.io/a/demo:latest")
    (layer,) = image.layers
    assert layer.name == "l/layer.tar"
    assert layer.expected == Expected(diff_id=sha256_of(LAYER))
    assert image.source_manifest is None


def test_one_name_of_a_docker_archive() -> None:
    """A whole name takes that name alone; a part of one takes the image with all its names."""
    source = docker(RepoTags=["a/demo:1", "a/demo:2"])
    assert planned(source, "a/demo:2")[0].references == ("docker.io/a/demo:2",)
    assert len(planned(source, "demo:2")[0].references) == 2
    says = "no such image in the archive: /in/demo.tar:none"
    assert fault(source, NotFound, "none") == says
    empty = Documents({"manifest.json": b"[]"})
    assert fault(empty, NotFound) == "no such image in the archive: /in/demo.tar"


def test_a_docker_archive_without_names() -> None:
    """RepoTags may be null: the image has its ID only."""
    assert planned(docker(RepoTags=None))[0].references == ()


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"Config": None}, "manifest.json is not valid: [0].Config is missing"),
        ({"Config": 1}, "manifest.json is not valid: [0].Config is not a string"),
        ({"Config": "c\0"}, "manifest.json is not valid: [0].Config holds a NUL character"),
        ({"Layers": "l"}, "manifest.json is not valid: [0].Layers is not an array"),
        ({"Layers": [1]}, "manifest.json is not valid: [0].Layers[0] is not a string"),
        ({"RepoTags": ["UPPER"]}, "image name must be lower case: UPPER (try upper)"),
    ],
)
def test_hostile_docker_manifests(item: dict[str, object], says: str) -> None:
    """What is wrong is named with its place."""
    assert fault(docker(**item), InvalidInput) == says


def test_a_docker_config() -> None:
    """A config is found by name only, and must have the digest that its name says."""
    says = "image config is missing: ../c.json of /in/demo.tar"
    assert fault(docker(Config="../c.json"), IntegrityError) == says
    source = docker()
    name = "0" * 64 + ".json"
    for config in (name, f"blobs/sha256/{'0' * 64}"):
        entry = {"Config": config, "Layers": ["l"]}
        files = {config: source.files["c.json"], "manifest.json": json.dumps([entry]).encode()}
        line = fault(Documents(files), IntegrityError)
        digest = sha256_of(source.files["c.json"])
        assert line == f"wrong digest: {config} of /in/demo.tar (the content is {digest})"


def test_thousands_of_layers() -> None:
    """The number of layers is bounded, of one digest or of many."""
    config = images.image_config([LAYER] * 1001)
    line = fault(docker(config, Layers=["l"] * 1001), InvalidInput)
    assert line == "manifest.json is not valid: [0].Layers names 1001 layers, at most 1000"
