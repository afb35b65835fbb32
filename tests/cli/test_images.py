"""`rootless images`, the real executable."""

import json
from pathlib import Path

import images
import pytest
from executable import Rootless

LAYER = images.small_layer()
IMAGE_ID = images.digest(images.image_config([LAYER]))


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with one image of two names."""
    source = images.docker_archive(tmp_path / "a.tar", [LAYER], names=["quay.io/x/pic:1", "pic"])
    rootless.ok("load", source)
    return rootless


def test_table(loaded: Rootless) -> None:
    """One line a name: repository, tag, ID, age, size."""
    lines = loaded.ok("images").splitlines()
    assert lines[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    rows = sorted(line.split() for line in lines[1:])
    assert [row[:3] for row in rows] == [
        ["docker.io/library/pic", "latest", IMAGE_ID[7:19]],
        ["quay.io/x/pic", "1", IMAGE_ID[7:19]],
    ]
    assert rows[0][-2:] == [f"{len(LAYER.tar()) / 1000:.3g}", "kB"]
    assert "ago" in rows[0]


def test_json(loaded: Rootless) -> None:
    """--format json is one record an image, with all its names."""
    (image,) = json.loads(loaded.ok("images", "--format", "json"))
    assert image["Id"] == IMAGE_ID[7:]
    assert image["Names"] == ["quay.io/x/pic:1", "docker.io/library/pic:latest"]
    assert image["Size"] == len(LAYER.tar())
    assert image["CreatedAt"] == "2024-01-02T03:04:05Z"
    assert image["RepoDigests"] == [
        f"quay.io/x/pic@{image['Digest']}",
        f"docker.io/library/pic@{image['Digest']}",
    ]


def test_ids_and_digests(loaded: Rootless) -> None:
    """-q prints each ID once, --no-trunc in full; --digests adds a column."""
    assert loaded.ok("images", "-q") == f"{IMAGE_ID[7:19]}\n"
    assert loaded.ok("images", "-q", "--no-trunc") == f"{IMAGE_ID}\n"
    assert loaded.ok("images", "--digests").count("sha256:") == 2


def test_of_one_name(loaded: Rootless) -> None:
    """With a name only images of that name are shown; none is no error."""
    assert len(loaded.ok("images", "pic").splitlines()) == 3
    assert len(loaded.ok("images", "quay.io/x/pic").splitlines()) == 2
    assert len(loaded.ok("images", "pic:1").splitlines()) == 2
    assert loaded.ok("images", "-q", "nothing") == ""


def test_nothing_there(rootless: Rootless) -> None:
    """Looking into a store that is not there shows none, and makes none."""
    assert rootless.ok("images").split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert json.loads(rootless.ok("images", "--format", "json")) == []
    assert not rootless.home.store.exists()


def test_a_store_that_can_only_be_read(loaded: Rootless) -> None:
    """Nothing is written: a store without write permission is listed."""
    folders = [loaded.home.store, *(p for p in loaded.home.store.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert len(loaded.ok("images").splitlines()) == 3
    finally:
        for folder in folders:
            folder.chmod(0o700)


def test_no_such_format(rootless: Rootless) -> None:
    """A format that there is not is refused in one line."""
    said = rootless("images", "--format", "yaml")
    assert said.status == 125
    assert said.stderr == "rootless: no such format: yaml (table, json or a template)\n"


def test_a_damaged_store(loaded: Rootless) -> None:
    """A config that was changed on disk is told in one line, with the way out."""
    path = loaded.home.store / "blobs" / "sha256" / IMAGE_ID[7:]
    path.write_bytes(path.read_bytes().replace(b"amd64", b"arm64"))
    said = loaded("images")
    assert said.status == 125
    assert said.stderr == f"rootless: damaged blob in the store: {path} (load the image again)\n"
    path.unlink()
    assert loaded("images").stderr == (
        f"rootless: blob missing from the store: {IMAGE_ID} (load the image again)\n"
    )
    (loaded.home.store / "index.json").write_text("{")
    assert "image index is not JSON" in loaded("images").stderr


def test_which_and_in_which_order(loaded: Rootless) -> None:
    """--filter, --sort and --noheading; a filter that is none is refused."""
    assert loaded.ok("images", "-n", "--sort", "repository", "-a").split()[0].startswith("docker")
    assert loaded.ok("images", "--filter", "reference=x/p*", "--format", "{{.Tag}}") == "1\n"
    assert loaded.ok("images", "-q", "--filter", "dangling=true") == ""
    assert loaded.ok("images", "-q", "-f", f"id={IMAGE_ID[7:12]}", "-f", "readonly=false") != ""
    assert loaded.ok("images", "-q", "--filter", "before=pic:latest") == ""
    for words in (("--filter", "colour=red"), ("--filter", "dangling=x"), ("--sort", "age")):
        assert loaded("images", *words).status == 125
