"""`rootless.build.destination`: where paths lead in an image."""

from collections.abc import Iterator

import copying
import images
import pytest

from rootless.build.destination import Destination
from rootless.errors import InvalidInput
from rootless.image import trees

LAYER = (
    images.LayerBuilder()
    .directory("usr/lib")
    .symlink("lib", "usr/lib")
    .symlink("abs", "/lib")
    .symlink("up", "../../../usr")
    .symlink("dangling", "gone/too")
    .symlink("loop", "loop")
    .file("file")
)


@pytest.fixture(scope="module")
def destination(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Destination]:
    """An image with links."""
    with copying.Stage(copying.an_empty_store(tmp_path_factory.mktemp("image"))) as stage:
        stage.on(LAYER)
        place = trees.located(stage.store, stage.state.diff_ids)
        with Destination(place) as made:
            made.look(b"usr")  # opens it
            yield made


@pytest.mark.parametrize(
    ("path", "found", "is_folder"),
    [
        (b"/", b"", True),
        (b"/lib", b"usr/lib", True),
        (b"lib/new", b"usr/lib/new", False),
        (b"/abs/x/y", b"usr/lib/x/y", False),
        (b"/abs/../x", b"usr/x", False),
        (b"/up/lib", b"usr/lib", True),
        (b"/dangling", b"gone/too", False),
        (b"/file", b"file", False),
        (b"/../../usr", b"usr", True),
        (b"/new/../usr", b"usr", True),
    ],
)
def test_paths(destination: Destination, path: bytes, found: bytes, is_folder: bool) -> None:  # noqa: FBT001
    """Links are followed inside the image, and what is missing is where they lead."""
    place = destination.resolve(path)
    assert (place.path, place.is_folder) == (found, is_folder)
    assert (place.inode is not None) == (found in (b"", b"usr", b"usr/lib", b"file"))


def test_what_leads_nowhere(destination: Destination) -> None:
    """Links in a circle, and files on the way."""
    with pytest.raises(InvalidInput, match="lead in a circle: /loop"):
        destination.resolve(b"/loop")
    with pytest.raises(InvalidInput, match="leads through what is no folder: /file"):
        destination.resolve(b"/file/x")


def test_no_image() -> None:
    """Without layers there is the root."""
    with Destination(None) as nothing:
        assert nothing.resolve(b"/x/../y") == (b"y", None)
        assert nothing.resolve(b"/").is_folder
        assert nothing.look(b"x") is None
