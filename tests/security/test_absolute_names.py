"""Layers with absolute names and absolute link targets: all of them stay inside the image."""

import os
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


def test_an_absolute_name_is_inside(rootless: Rootless, tmp_path: Path) -> None:
    """A member `/tmp/x` is `tmp/x` of the image, as in any tar; the host's has nothing to fear."""
    evil = tmp_path / "evil"
    layer = images.LayerBuilder().file(os.fsencode(evil), b"evil")
    rootless.ok("load", images.oci_layout(tmp_path / "layout", [layer], tag="pic"))
    assert not evil.exists()


@pytest.mark.parametrize("kind", ["layout", "stream"])
def test_a_hard_link_to_a_file_of_the_host(kind: str, rootless: Rootless, tmp_path: Path) -> None:
    """An absolute hard link means a file of the image; where there is none, it is refused."""
    layer = images.LayerBuilder().hard_link("shadow", "/etc/hostname")
    if kind == "layout":
        source = images.oci_layout(tmp_path / "layout", [layer])
        loading.refused(rootless, "load", source, says=("etc/hostname",))
    else:
        source = images.docker_archive(tmp_path / "a.tar", [layer])
        loading.refused(rootless, "load", "-", stdin=source, says=("etc/hostname",))


def test_writing_through_a_symbolic_link(rootless: Rootless, tmp_path: Path) -> None:
    """A link to a folder of the host, and a member below it: nothing is written there."""
    victim = tmp_path / "victim"
    victim.mkdir()
    for target in (str(victim), "../" * 20 + str(victim)[1:]):
        layer = images.LayerBuilder().symlink("door", target).file("door/evil", b"evil")
        source = images.oci_layout(tmp_path / "layout", [layer], tag=None)
        rootless("load", source)
        rootless("import", tmp_path / "layout")
        assert list(victim.iterdir()) == []
