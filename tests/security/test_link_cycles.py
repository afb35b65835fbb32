"""Links that lead in a circle: between members of an archive, between image indexes."""

import json
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.mark.parametrize("way", ["file", "pipe"])
@pytest.mark.parametrize("typeflag", [b"1", b"2"])
def test_in_an_archive(way: str, typeflag: bytes, rootless: Rootless, tmp_path: Path) -> None:
    """Members that are links to each other are refused, not followed for ever."""
    builder = images.LayerBuilder().member("manifest.json", typeflag, target="b")
    source = tmp_path / "a.tar"
    source.write_bytes(builder.member("b", typeflag, target="manifest.json").tar())
    words, stdin = (("-",), source) if way == "pipe" else ((source,), None)
    says = ("links of the archive lead in a circle",)
    loading.refused(rootless, "load", *words, stdin=stdin, says=says)


def test_in_a_layout_folder(rootless: Rootless, tmp_path: Path) -> None:
    """A layout folder whose index.json is a link to itself is refused."""
    (tmp_path / "index.json").symlink_to("index.json")
    loading.refused(rootless, "load", tmp_path, says=("too many levels of symbolic links",))


def test_between_indexes(rootless: Rootless, tmp_path: Path) -> None:
    """Indexes in indexes are followed a few times only."""
    layout = images.Layout(tmp_path / "layout")
    descriptor = layout.add_blob(b'{"manifests": []}', images.INDEX_TYPE)
    for _ in range(10):
        content = json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()
        descriptor = layout.add_blob(content, images.INDEX_TYPE)
    layout.add_to_index(descriptor)
    loading.refused(rootless, "load", layout.path, says=("nested too deeply",))


def test_in_a_layer(rootless: Rootless, tmp_path: Path) -> None:
    """Hard links to each other are refused; symbolic ones are the image's own affair."""
    layer = images.LayerBuilder().hard_link("a", "b").hard_link("b", "a")
    source = images.oci_layout(tmp_path / "hard", [layer])
    loading.refused(rootless, "load", source, says=("layers do not fit together",))
    layer = images.LayerBuilder().symlink("a", "b").symlink("b", "a")
    rootless.ok("load", images.oci_layout(tmp_path / "soft", [layer], tag="soft"))
