"""`rootless.image.names`: what a name means, in which order, and what is kept under it."""

import json
from dataclasses import replace

import images
import pytest

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import names
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.oci.descriptor import MANIFEST, Descriptor
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.image_index import ImageIndex
from rootless.oci.manifest import stored_manifest


def image(store: Store, label: str, *, source: Digest | None = None) -> Entry:
    """Write the documents of an image without layers; return its entry, without a name."""
    config = images.image_config([], {"Labels": {"label": label}})
    config_digest = store.write_blob(config)
    manifest = stored_manifest((config_digest, len(config)), []).to_bytes()
    return Entry("", store.write_blob(manifest), len(manifest), config_digest, source)


def named(store: Store, *references: str) -> list[Entry]:
    """Name an image of its own by each reference."""
    entries = [replace(image(store, text), reference=text) for text in references]
    names.add(store, entries)
    return entries


def meant(store: Store, name: str) -> str:
    """Return the reference of the image that a name means."""
    return names.resolve(store, name).reference


def test_localhost_comes_before_docker_hub(store: Store) -> None:
    """A short name is localhost's, then Docker Hub's, then that of any other registry."""
    named(store, "quay.io/team/app:latest")
    assert meant(store, "app") == "quay.io/team/app:latest"
    named(store, "docker.io/library/app:latest")
    assert meant(store, "app") == "docker.io/library/app:latest"
    named(store, "localhost/app:latest")
    assert meant(store, "app") == "localhost/app:latest"


def test_a_full_name_is_itself(store: Store) -> None:
    """A name with a registry means no other registry's image."""
    named(store, "localhost/app:latest", "quay.io/app:latest")
    assert meant(store, "quay.io/app") == "quay.io/app:latest"
    with pytest.raises(NotFound):
        names.resolve(store, "ghcr.io/app")


def test_docker_hub_has_short_forms(store: Store) -> None:
    """`docker.io/x`, `index.docker.io/x` and `docker.io/library/x` are one name."""
    named(store, "docker.io/library/app:1")
    for name in ("app:1", "library/app:1", "docker.io/app:1", "index.docker.io/library/app:1"):
        assert meant(store, name) == "docker.io/library/app:1"


def test_the_tag_is_latest_or_as_given(store: Store) -> None:
    """Without a tag `latest` is meant, and no other tag stands in for it."""
    named(store, "localhost/app:1", "localhost/app:2")
    assert meant(store, "app:2") == "localhost/app:2"
    with pytest.raises(NotFound, match=r"did you mean localhost/app:[12] or localhost/app:[12]"):
        names.resolve(store, "app")


def test_the_end_of_one_repository(store: Store) -> None:
    """The end of a repository is enough while only one has it; whole components count."""
    named(store, "quay.io/team/app:1")
    assert meant(store, "app:1") == "quay.io/team/app:1"
    assert meant(store, "team/app:1") == "quay.io/team/app:1"
    with pytest.raises(NotFound):
        names.resolve(store, "pp:1")
    named(store, "ghcr.io/other/app:1")
    with pytest.raises(InvalidInput) as caught:
        names.resolve(store, "app:1")
    assert str(caught.value) == (
        "image name is ambiguous: app:1 (one of ghcr.io/other/app:1, quay.io/team/app:1)"
    )


def test_by_id(store: Store) -> None:
    """An ID is the config's digest, the manifest's, or the one that others know; or a beginning."""
    source = sha256_of(b"as it came")
    entry = replace(image(store, "a", source=source), reference="localhost/a:latest")
    names.add(store, [entry])
    for digest in (entry.config_digest, entry.manifest_digest, source):
        for name in (digest, hex_of(digest), hex_of(digest)[:12], digest[:15]):
            assert names.find(store, name) == (entry,)
    with pytest.raises(NotFound):
        names.find(store, hex_of(source)[:2])


def test_an_id_finds_every_name(store: Store) -> None:
    """By ID all names of an image are found, by name one."""
    entry = image(store, "a")
    both = [replace(entry, reference=f"localhost/{name}:latest") for name in "ab"]
    names.add(store, both)
    assert names.find(store, hex_of(entry.config_digest)[:12]) == tuple(both)
    assert names.find(store, "b") == (both[1],)


def test_an_ambiguous_id(store: Store) -> None:
    """A beginning that several images have is refused with the longer ones to choose from."""
    one, two = (Digest(f"sha256:abc{end * 61}") for end in "12")
    names.add(store, [Entry("", one, 1, one), Entry("", two, 1, two)])
    with pytest.raises(InvalidInput) as caught:
        names.find(store, "abc")
    assert str(caught.value) == ("image ID is ambiguous: abc (one of abc111111111, abc222222222)")
    assert [entry.config_digest for entry in names.find(store, "abc2")] == [two]


def test_a_name_comes_before_the_beginning_of_an_id(store: Store) -> None:
    """An image called like another one's ID begins is meant; a whole ID is never a name."""
    entry = image(store, "a")
    prefix = hex_of(entry.config_digest)[:6]
    (lookalike,) = named(store, f"localhost/{prefix}:latest")
    names.add(store, [entry])
    assert names.find(store, prefix) == (lookalike,)
    assert names.find(store, hex_of(entry.config_digest)) == (entry,)


def test_a_name_with_a_digest(store: Store) -> None:
    """`name@digest` is the image that has both; the tag does not matter then."""
    one, two = named(store, "localhost/app:1", "localhost/app:2")
    assert names.find(store, f"app@{two.config_digest}") == (two,)
    assert names.find(store, f"localhost/app:1@{one.manifest_digest}") == (one,)
    for wrong in (f"app:1@{two.config_digest}", f"app@{sha256_of(b'another')}"):
        with pytest.raises(NotFound):
            names.find(store, wrong)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("debain", "did you mean localhost/debian:12?"),
        ("debian", "did you mean localhost/debian:12?"),
        ("quay.io/team/ap", "did you mean quay.io/team/app:latest?"),
        ("xyz", "`rootless images` lists what is there, `rootless pull` brings images in"),
    ],
)
def test_suggestions(typed: str, near: str, store: Store) -> None:
    """A name that is nearly another's is answered with that, any other with where to look."""
    named(store, "localhost/debian:12", "quay.io/team/app:latest")
    with pytest.raises(NotFound) as caught:
        names.resolve(store, typed)
    assert (caught.value.what, caught.value.on, caught.value.fix) == ("no such image", typed, near)


@pytest.mark.parametrize("name", ["", "App", "a b", "app:", "app@sha256:12", "../x"])
def test_what_can_be_no_name(name: str, store: Store) -> None:
    """A name that no image can have is invalid, not missing."""
    named(store, "localhost/app:latest")
    with pytest.raises(InvalidInput):
        names.resolve(store, name)


def test_a_name_moves(store: Store) -> None:
    """A name means the last image that got it; the one before stays, without a name."""
    (old,) = named(store, "localhost/app:latest")
    new = replace(image(store, "new"), reference="localhost/app:latest")
    names.add(store, [new])
    assert names.find(store, "app") == (new,)
    assert names.find(store, old.config_digest) == (replace(old, reference=""),)
    names.add(store, [old])
    assert set(names.entries(store)) == {old, replace(new, reference="")}


def test_an_image_is_unnamed_only_without_names(store: Store) -> None:
    """An image that has a name, or gets one, has no line without one beside it."""
    entry = image(store, "a")
    names.add(store, [entry, entry])
    assert names.entries(store) == (entry,)
    first = replace(entry, reference="localhost/a:latest")
    names.add(store, [first])
    assert names.entries(store) == (first,)
    names.add(store, [entry, first])
    assert names.entries(store) == (first,)


def test_drop(store: Store) -> None:
    """Exactly the lines that are given go; one that is not there is no error."""
    one, two = named(store, "localhost/a:latest", "localhost/b:latest")
    names.drop(store, [one, replace(two, reference="localhost/c:latest")])
    assert names.entries(store) == (two,)


def test_entries_survive_the_file(store: Store) -> None:
    """What index.json holds is an OCI index with the full name, and reads back the same."""
    entry = replace(image(store, "a", source=sha256_of(b"s")), reference="localhost/a:latest")
    names.add(store, [entry])
    assert names.entries(store) == (entry,)
    (line,) = json.loads((store.root / "index.json").read_bytes())["manifests"]
    assert line["annotations"]["org.opencontainers.image.ref.name"] == "localhost/a:latest"
    assert (line["digest"], line["size"]) == (entry.manifest_digest, entry.manifest_size)


def test_lines_of_another_tool(store: Store) -> None:
    """A line without our annotations is read by its manifest; a name that is none finds nothing."""
    entry = image(store, "a")
    annotations = {"org.opencontainers.image.ref.name": "NOT A NAME"}
    line = Descriptor(MANIFEST, entry.manifest_digest, entry.manifest_size, annotations)
    store.write_index(ImageIndex((line,)))
    assert names.find(store, entry.config_digest) == (replace(entry, reference="NOT A NAME"),)
    with pytest.raises(NotFound):
        names.find(store, "name")


def test_read_image(store: Store) -> None:
    """An image is its entry with what the documents say; sizes add up over the layers."""
    config = images.image_config([b"one", b"two"], {"Cmd": ["run"]})
    digest = store.write_blob(config)
    layers = [(sha256_of(b"one"), 3), (sha256_of(b"two"), 4)]
    manifest = stored_manifest((digest, len(config)), layers).to_bytes()
    entry = Entry("localhost/a:latest", store.write_blob(manifest), len(manifest), digest)
    found = names.read_image(store, entry)
    assert (found.reference, found.size, found.config.cmd) == (entry.reference, 7, ("run",))
    assert found.config.diff_ids == tuple(layer.digest for layer in found.manifest.layers)
    assert found.created == "2024-01-02T03:04:05Z"


def test_missing_and_damaged_documents(store: Store) -> None:
    """An image whose documents are gone or changed says so, and how to get them back."""
    gone, changed = named(store, "localhost/gone:latest", "localhost/changed:latest")
    store.blob_path(gone.config_digest).unlink()
    store.blob_path(changed.manifest_digest).write_bytes(b"{}")
    with pytest.raises(NotFound, match=f"blob missing from the store: {gone.config_digest}"):
        names.resolve(store, "gone")
    with pytest.raises(IntegrityError, match="damaged blob in the store"):
        names.resolve(store, "changed")


def test_names_for_storing() -> None:
    """A name to keep an image under is full: registry, repository and tag, and no digest."""
    assert names.name_for_storing("app") == "localhost/app:latest"
    assert names.name_for_storing("app:1", "docker.io") == "docker.io/library/app:1"
    assert names.name_for_storing("quay.io/a/b:c") == "quay.io/a/b:c"
    with pytest.raises(InvalidInput, match="cannot hold a digest"):
        names.name_for_storing(f"app@{sha256_of(b'x')}")


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [
        ("", True),
        ("app", True),
        ("team/app", True),
        ("app:1", True),
        ("app:2", False),
        ("pp", False),
        ("quay.io/team/app", True),
        ("ghcr.io/team/app", False),
    ],
)
def test_filter_by_name(name: str, is_meant: bool, store: Store) -> None:  # noqa: FBT001
    """A list is narrowed by a repository, its end, or one of its tags; an unnamed image is out."""
    entry = replace(image(store, "a"), reference="quay.io/team/app:1")
    assert names.is_called(entry, name) is is_meant
    assert names.is_called(replace(entry, reference=""), name) is (name == "")


def test_the_digest_of_an_index(store: Store) -> None:
    """An image that came out of an index answers to the index's digest too."""
    index = sha256_of(b"index")
    entry = replace(image(store, "1"), reference="quay.io/a/b:1", index_digest=index)
    names.add(store, [entry])
    assert names.find(store, f"quay.io/a/b@{index}") == (entry,)
    assert names.find(store, index) == (entry,)
    assert names.resolve(store, "quay.io/a/b:1").index_digest == index


def test_an_image_fetched_by_its_digest(store: Store) -> None:
    """It is kept under repository and digest, and a tag beside the digest does not matter."""
    source = sha256_of(b"manifest")
    entry = replace(image(store, "1", source=source), reference=f"quay.io/a/b@{source}")
    names.add(store, [entry])
    for name in (f"quay.io/a/b@{source}", f"quay.io/a/b:12@{source}", f"b@{source}"):
        assert names.find(store, name) == (entry,)
    with pytest.raises(NotFound):
        names.find(store, "quay.io/a/b:latest")
