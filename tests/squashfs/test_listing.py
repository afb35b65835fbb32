"""Squashfs images are read as unsquashfs reads them, whatever made and compressed them."""

import stat
import subprocess
from pathlib import Path

import pytest
import squashfs_images as images

_FORMS = {
    **{name: ("-comp", name) for name in images.COMPRESSORS},
    "small blocks": ("-b", "4096"),
    "large blocks": ("-b", "1048576"),
    "no fragments": ("-no-fragments",),
    "all in fragments": ("-always-use-fragments",),
    "nothing compressed": ("-noI", "-noD", "-noF", "-noX"),
    "no exports": ("-no-exports", "-nopad"),
    "no duplicates": ("-no-duplicates", "-comp", "zstd"),
    "one owner": ("-all-root",),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with one of everything."""
    root = tmp_path_factory.mktemp("source") / "root"
    images.make_tree(root)
    return root


@pytest.mark.parametrize("form", _FORMS)
def test_as_unsquashfs_has_it(form: str, source: Path, tmp_path: Path) -> None:
    """Names, modes, times, links, xattrs and contents are those of an extraction."""
    image = images.squash(source, tmp_path / "image.sqfs", *_FORMS[form])
    found, contents = images.read_back(*images.build(image, tmp_path))
    expected, expected_contents = images.by_unsquashfs(image, tmp_path / "out")
    devices = {path for path, item in found.items() if item.rdev}
    assert devices == {b"null", b"disk"}
    extracted = {path: item for path, item in found.items() if path not in devices}
    assert images.comparable(extracted) == images.comparable(expected)
    assert contents == expected_contents


def test_owners_and_devices(source: Path, tmp_path: Path) -> None:
    """Owners, set-ID bits and device numbers are those that unsquashfs lists."""
    image = images.squash(source, tmp_path / "image.sqfs")
    found, _ = images.read_back(*images.build(image, tmp_path))
    listed = subprocess.run(
        ["unsquashfs", "-lln", image], capture_output=True, check=True
    ).stdout.splitlines()
    seen = 0
    for line in listed:
        words = line.split(maxsplit=5)
        if len(words) < 5 or b"/" not in words[1]:
            continue
        text = line.partition(b"squashfs-root")[2].partition(b" -> ")[0].removeprefix(b"/")
        if text not in found:  # a name that is shown escaped
            continue
        item = found[text]
        assert words[0] == stat.filemode(item.mode).encode()
        assert words[1] == b"%d/%d" % (item.uid, item.gid)
        seen += 1
    assert seen > 700
    assert (found[b"owned"].uid, found[b"owned"].gid) == (1234, 70000)
    assert stat.S_IMODE(found[b"owned"].mode) == 0o4755
    disk = found[b"disk"].rdev
    assert (disk >> 8 & 0xFFF, disk & 0xFF | disk >> 12 & 0xFFF00) == (259, 70000)


@pytest.mark.parametrize("seed", range(3))
def test_random_trees(seed: int, tmp_path: Path) -> None:
    """Another tree, another form: the same as an extraction."""
    images.make_tree(tmp_path / "root", seed + 1)
    options = [("-comp", "xz"), ("-b", "8192"), ("-comp", "zstd", "-no-fragments")][seed]
    image = images.squash(tmp_path / "root", tmp_path / "image.sqfs", *options, pseudo=())
    found, contents = images.read_back(*images.build(image, tmp_path))
    expected, expected_contents = images.by_unsquashfs(image, tmp_path / "out")
    assert images.comparable(found) == images.comparable(expected)
    assert contents == expected_contents
