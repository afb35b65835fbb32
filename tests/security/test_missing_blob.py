"""Manifests that name blobs that are not there, or files that are none."""

import json
import os
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.mark.parametrize("which", ["config", "layers"])
@pytest.mark.parametrize("form", ["layout", "archive", "stream"])
def test_in_an_oci_image(which: str, form: str, rootless: Rootless, tmp_path: Path) -> None:
    """The missing blob is named."""
    source = images.oci_layout(tmp_path / "layout", [images.LayerBuilder().file("a")])
    layout = images.Layout(source)
    index = json.loads((source / "index.json").read_text())
    manifest = json.loads(layout.blob_path(index["manifests"][0]["digest"]).read_text())
    gone = manifest[which] if which == "config" else manifest[which][0]
    layout.blob_path(gone["digest"]).unlink()
    if form != "layout":
        archive = tmp_path / "a.tar"
        archive.write_bytes(images.folder_tar(source))
        source = archive
    stdin = source if form == "stream" else None
    says = ("is missing", gone["digest"][7:])
    loading.refused(rootless, "load", "-" if stdin else source, stdin=stdin, says=says)


def test_the_manifest(rootless: Rootless, tmp_path: Path) -> None:
    """An index.json that leads to no manifest is refused."""
    source = images.oci_layout(tmp_path / "layout", [images.LayerBuilder().file("a")])
    for blob in (source / "blobs" / "sha256").iterdir():
        blob.unlink()
    loading.refused(rootless, "load", source, says=("blob is missing", "sha256:"))


def test_a_layer_of_a_docker_archive(rootless: Rootless, tmp_path: Path) -> None:
    """So is a docker archive without its layer."""
    config = images.image_config([images.small_layer()])
    manifest = b'[{"Config": "c.json", "RepoTags": null, "Layers": ["l.tar"]}]'
    builder = images.LayerBuilder().file("c.json", config).file("manifest.json", manifest)
    source = tmp_path / "a.tar"
    source.write_bytes(builder.tar())
    rootless.ok("load", images.oci_layout(tmp_path / "x", [images.LayerBuilder().file("x")]))
    loading.refused(rootless, "load", source, says=("layer is missing: l.tar",))


@pytest.mark.parametrize("digest", ["sha256:../../../../etc/passwd", "sha256:" + "A" * 64, "x", ""])
def test_a_digest_that_is_a_path(digest: str, rootless: Rootless, tmp_path: Path) -> None:
    """A digest names files, so that everything but 64 lower-case digits is refused."""
    layout = images.Layout(tmp_path / "layout")
    layout.add_to_index({"mediaType": images.MANIFEST_TYPE, "digest": digest, "size": 1})
    loading.refused(rootless, "load", layout.path, says=("not a digest",))


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_a_blob_that_is_no_file(kind: str, rootless: Rootless, tmp_path: Path) -> None:
    """A FIFO or a device in a blob's place neither hangs nor fills the disk."""
    source = images.oci_layout(tmp_path / "layout", [images.LayerBuilder().file("a")])
    index = json.loads((source / "index.json").read_text())
    path = images.Layout(source).blob_path(index["manifests"][0]["digest"])
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    loading.refused(rootless, "load", source, says=("not a regular file", str(path)))
