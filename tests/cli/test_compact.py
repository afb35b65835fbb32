"""`rootless store compact`, the real executable."""

import random
import subprocess
import time
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

TEXT = b"".join(b"%d lines of a file that shrinks\n" % number for number in range(200_000))


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with an image that shrinks, `text`."""
    layer = images.LayerBuilder().file("text", TEXT).file("etc/os-release", b"ID=text\n")
    rootless.ok("load", images.oci_layout(tmp_path / "text", [layer], tag="text"))
    return rootless


def blobs_size(rootless: Rootless) -> int:
    """Return the bytes of the store's blobs."""
    return sum(path.stat().st_size for path in rootless.home.store.glob("blobs/sha256/*"))


def test_less_room_and_back(loaded: Rootless, tmp_path: Path) -> None:
    """Each layer on a line, and the sum; what is saved is the same tar."""
    size = blobs_size(loaded)
    assert "compressed" in loaded.ok("store", "compact", "--dry-run", "text")
    assert blobs_size(loaded) == size
    line, total = loaded.ok("store", "compact", "text").splitlines()
    assert "compressed" in line
    assert "->" in line
    assert "of layers take" in total
    assert blobs_size(loaded) < size / 3
    assert "as it was" in loaded.ok("store", "compact", "--all")
    loaded.ok("store", "verify")
    loaded.ok("store", "gc")
    loaded.ok("save", "-o", tmp_path / "saved.tar", "text")
    loaded.ok("store", "compact", "--quiet", "--undo", "--all")
    assert blobs_size(loaded) == size
    loaded.ok("store", "verify")
    loaded.ok("rmi", "text")
    loaded.ok("load", tmp_path / "saved.tar")
    assert "as it was" in loaded.ok("store", "compact", "--undo", "--all")


def test_which_images_must_be_said(loaded: Rootless) -> None:
    """All of them only where that is said."""
    for words in ((), ("--all", "text")):
        refused = loaded("store", "compact", *words)
        assert refused.status == 125
        assert "--all" in refused.stderr


def test_killed_at_any_moment(loaded: Rootless) -> None:
    """The store is well each time, and the next command finishes."""
    numbers = random.Random(3)
    for step in range(8):
        undo = ("--undo",) if step % 2 else ()
        with loaded.start("store", "compact", "--all", *undo, stdout=subprocess.DEVNULL) as process:
            time.sleep(numbers.uniform(0.3, 1.2))
            process.kill()
        loaded.ok("store", "verify", "--quiet")
    loaded.ok("store", "compact", "--all", "--undo")
    loaded.ok("store", "gc")
    assert not loading.temp_files(loaded.home.store)
    assert not list(loaded.home.store.glob("layers/sha256/*.layer-chunks"))
