"""Layers with names that lead out of the root file system: `..` (the zip-slip family)."""

from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

NAMES = ["../evil", "a/../../evil", "..", "a/.."]


@pytest.mark.parametrize("name", NAMES)
def test_in_a_layer(name: str, rootless: Rootless, tmp_path: Path) -> None:
    """Such a member is refused, with its name, in a load and in an import."""
    layer = images.LayerBuilder().directory("a").file(name, b"evil")
    source = images.oci_layout(tmp_path / "in" / "layout", [layer])
    says = ("not a valid layer", "a part `..`", f"member '{name}'")
    loading.refused(rootless, "load", source, says=says)
    archive = images.docker_archive(tmp_path / "in" / "a.tar", [layer])
    loading.refused(rootless, "load", "-", stdin=archive, says=says)
    (tmp_path / "in" / "rootfs.tar").write_bytes(layer.tar())
    loading.refused(rootless, "import", tmp_path / "in" / "rootfs.tar", says=says)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", NAMES)
def test_in_a_hard_link(name: str, rootless: Rootless, tmp_path: Path) -> None:
    """A hard link cannot lead there either."""
    layer = images.LayerBuilder().directory("a").hard_link("link", name)
    source = images.oci_layout(tmp_path / "layout", [layer])
    loading.refused(rootless, "load", source, says=("not a valid layer", "`..`"))


@pytest.mark.parametrize("name", ["../manifest.json", "/manifest.json", "../../etc/passwd"])
def test_in_the_archive_itself(name: str, rootless: Rootless, tmp_path: Path) -> None:
    """Names of the outer archive are compared and never used as paths."""
    source = tmp_path / "a.tar"
    source.write_bytes(images.LayerBuilder().file(name, b"[]").tar())
    loading.refused(rootless, "load", source, says=("neither an OCI image nor",))
    loading.refused(rootless, "load", "-", stdin=source, says=("neither an OCI image nor",))


def test_in_a_docker_manifest(rootless: Rootless, tmp_path: Path) -> None:
    """A manifest that names files of the host as config or layer finds nothing."""
    source = tmp_path / "a.tar"
    for config, layer in (("/etc/passwd", "l"), ("../../../etc/passwd", "l")):
        manifest = b'[{"Config": "%s", "Layers": ["%s"]}]' % (config.encode(), layer.encode())
        source.write_bytes(images.LayerBuilder().file("manifest.json", manifest).tar())
        loading.refused(rootless, "load", source, says=("image config is missing", config))
