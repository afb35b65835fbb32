"""Blobs that are not what their digest says, and configs that lie about their layers."""

import json
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


def blobs_of(layout: images.Layout) -> dict[str, str]:
    """Return the digests of manifest, config and layer of a layout's one image."""
    index = json.loads((layout.path / "index.json").read_text())
    manifest = index["manifests"][0]["digest"]
    content = json.loads(layout.blob_path(manifest).read_text())
    return {
        "manifest": manifest,
        "config": content["config"]["digest"],
        "layer": content["layers"][0]["digest"],
    }


def changed(content: bytes, how: str) -> bytes:
    """Return other content: of the same length, or longer."""
    return content.replace(b"a", b"b") if how == "same size" else content + b" "


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
@pytest.mark.parametrize("how", ["same size", "longer"])
@pytest.mark.parametrize("form", ["layout", "archive", "stream"])
def test_of_a_blob(which: str, how: str, form: str, rootless: Rootless, tmp_path: Path) -> None:
    """A blob that was changed is named, with the digest that it has now."""
    layer = images.LayerBuilder().file("a", b"a" * 3_000_000)
    images.oci_layout(tmp_path / "layout", [layer], compression="none")
    layout = images.Layout(tmp_path / "layout")
    blob = blobs_of(layout)[which]
    path = layout.blob_path(blob)
    path.write_bytes(changed(path.read_bytes(), how))
    says = ("wrong digest", blob[7:], images.digest(path.read_bytes()))
    if form == "layout":
        loading.refused(rootless, "load", layout.path, says=says)
        return
    archive = tmp_path / "a.tar"
    archive.write_bytes(images.folder_tar(layout.path))
    if form == "archive":
        loading.refused(rootless, "load", archive, says=says)
    else:
        loading.refused(rootless, "load", "-", stdin=archive, says=says)


@pytest.mark.parametrize("form", ["layout", "docker"])
def test_of_the_plain_layer(form: str, rootless: Rootless, tmp_path: Path) -> None:
    """A config whose diff ID is not its layer's is refused: the layer would be another's."""
    mine, theirs = images.LayerBuilder().file("a", b"mine"), images.small_layer()
    config = images.image_config([theirs])
    if form == "layout":
        layout = images.Layout(tmp_path / "layout")
        layout.add_image([mine], config_bytes=config)
        source = layout.path
    else:
        manifest = [{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["l.tar"]}]
        builder = images.LayerBuilder().file("c.json", config).file("l.tar", mine.tar())
        source = tmp_path / "a.tar"
        source.write_bytes(builder.file("manifest.json", json.dumps(manifest).encode()).tar())
    says = ("wrong diff ID", images.digest(theirs.tar()), images.digest(mine.tar()))
    if form == "docker":  # in a store that lacks the other layer
        rootless.ok("load", images.oci_layout(tmp_path / "other", [images.LayerBuilder()]))
    else:
        rootless.ok("load", images.oci_layout(tmp_path / "other", [mine]))
    loading.refused(rootless, "load", source, says=says)


def test_a_layer_of_the_store_is_not_taken_for_another(rootless: Rootless, tmp_path: Path) -> None:
    """A config may name a layer that the store has: then that is the layer, not what came along."""
    known = images.small_layer()
    rootless.ok("load", images.oci_layout(tmp_path / "known", [known]))
    layout = images.Layout(tmp_path / "layout")
    evil = images.LayerBuilder().file("bin/sh", b"evil")
    layout.add_image([evil], tag="evil", config_bytes=images.image_config([known]))
    rootless("load", layout.path)
    blob = rootless.home.store / "blobs" / "sha256" / images.digest(known.tar())[7:]
    assert images.digest(blob.read_bytes()) == images.digest(known.tar())
    assert not (blob.parent / images.digest(evil.tar())[7:]).exists()
