"""Compressed data that ends early: as a layer whose digest is right, as an archive, as a stream."""

from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

LAYER = images.LayerBuilder().file("a", bytes(range(256)) * 4000)


def truncated_layer(folder: Path, compression: str, keep: int) -> Path:
    """Write a layout whose layer is cut, and whose manifest describes the cut blob rightly."""
    whole = images.COMPRESSORS[compression]
    images.COMPRESSORS["cut"] = lambda content: whole(content)[:keep]
    images.LAYER_TYPES["cut"] = images.LAYER_TYPES[compression]
    try:
        return images.oci_layout(folder, [LAYER], compression="cut")
    finally:
        del images.COMPRESSORS["cut"], images.LAYER_TYPES["cut"]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("missing", [1, 9, 600])
def test_a_layer(compression: str, missing: int, rootless: Rootless, tmp_path: Path) -> None:
    """A layer that was compressed and then cut is refused, although its digest fits."""
    size = len(images.COMPRESSORS[compression](LAYER.tar()))
    source = truncated_layer(tmp_path / "layout", compression, max(8, size - missing))
    loading.refused(rootless, "load", source, says=(f"{compression} data ends early",))


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_an_archive(compression: str, way: str, rootless: Rootless, tmp_path: Path) -> None:
    """So is an archive whose download broke off, in a load and in an import."""
    archive = images.docker_archive(tmp_path / "a.tar", [LAYER])
    for command, content in (("load", archive.read_bytes()), ("import", LAYER.tar())):
        cut = tmp_path / f"cut.{command}"
        cut.write_bytes(images.COMPRESSORS[compression](content)[:-20])
        words, stdin = (("-",), cut) if way == "pipe" else ((cut,), None)
        says = (f"{compression} data ends early",)
        loading.refused(rootless, command, *words, stdin=stdin, says=says)


@pytest.mark.parametrize("keep", [700, 5000])
def test_a_plain_archive(keep: int, rootless: Rootless, tmp_path: Path) -> None:
    """A plain archive that ends early is refused as well."""
    archive = images.docker_archive(tmp_path / "a.tar", [LAYER])
    cut = tmp_path / "cut"
    cut.write_bytes(archive.read_bytes()[:keep])
    loading.refused(rootless, "load", cut, says=("ends early",))
    loading.refused(rootless, "load", "-", stdin=cut, says=("ends early",))
    cut.write_bytes(LAYER.tar()[:keep])
    loading.refused(rootless, "import", cut, says=("a truncated tar",))
