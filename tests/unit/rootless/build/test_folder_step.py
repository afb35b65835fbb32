"""WORKDIR makes its folder."""

import tarfile
from pathlib import Path

import images
import pytest
from stocked import store_with_pic

from rootless.build.containerfile import parse
from rootless.build.folder_step import folder_layer
from rootless.build.state import apply, from_base
from rootless.errors import BuildError
from rootless.image import names
from rootless.image.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the image `pic`, which has a link to a folder."""
    layer = images.LayerBuilder().directory("real").symlink("link", "real").file("file", b"")
    return store_with_pic(tmp_path, layer)


def _made(store: Store, path: str, *, of: str = "pic") -> list[tuple[str, int, int, int]]:
    diff_ids = names.resolve(store, of).config.diff_ids if of else ()
    [step] = parse(f"FROM a\nWORKDIR {path}\n".encode(), "Containerfile")[1:]
    state = apply(from_base({}, diff_ids), step)
    layer = folder_layer(store, state, step, 5_000_000_000, None)
    if layer is None:
        return []
    try:
        with tarfile.open(layer.tar.path) as tar:
            return [(m.name, m.mode, m.uid, int(m.mtime)) for m in tar.getmembers()]
    finally:
        layer.close()


def test_what_is_there(store: Store) -> None:
    """A folder that is there needs no layer, whether it is the root or lies behind a link."""
    for path in ("/", "/real", "/link", "/real/.."):
        assert _made(store, path) == []


def test_what_is_missing(store: Store) -> None:
    """Missing folders are root's, and lie where links lead."""
    assert _made(store, "/a/b") == [("a", 0o755, 0, 5), ("a/b", 0o755, 0, 5)]
    assert _made(store, "/link/x")[-1:] == [("real/x", 0o755, 0, 5)]
    assert _made(store, "/x", of="") == [("x", 0o755, 0, 5)]


@pytest.mark.parametrize("path", ["/file", "/file/x"])
def test_in_the_way(store: Store, path: str) -> None:
    """What is no folder is in the way, and the line is named."""
    with pytest.raises(BuildError, match="Containerfile:2: "):
        _made(store, path)


@pytest.mark.parametrize("path", ["/.wh.real", "/x/.wh..wh..opq/y"])
def test_a_name_that_would_take_something_away(store: Store, path: str) -> None:
    """No layer has it, and the line is named."""
    with pytest.raises(BuildError, match=r"Containerfile:2: name cannot be in an image: .*\.wh\."):
        _made(store, path)
