"""What a RUN's mounts add to its key."""

from pathlib import Path

import pytest

from rootless.build.around import Around
from rootless.build.bound import bound
from rootless.build.containerfile import parse
from rootless.build.request import BuildRequest
from rootless.build.stages import plan
from rootless.build.state import StageState, scratch
from rootless.errors import BuildError, NotFound
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import sha256_of
from rootless.oci.image_index import host_platform
from rootless.paths import Paths

FILE = b"FROM scratch AS one\nFROM scratch\nRUN %s x\n"


def _bound(tmp_path: Path, flags: bytes, folder: str = "") -> list[list[str]]:
    paths = Paths(tmp_path / "store", tmp_path / "run", tmp_path / "scratch")
    instructions = parse(FILE % flags, "Containerfile")

    def image_of(name: str) -> Image:
        raise NotFound("no such image", name)

    around = Around(
        *(Store.open(paths, create=True), paths, BuildRequest()),
        plan(instructions, "", {}, {}),
        image_of=image_of,
        open_context=lambda: pytest.fail("nobody asked for it"),
        folder=folder,
    )
    around.stages[0] = StageState((sha256_of(b"layer"),), {})
    return bound(around, scratch(host_platform()), instructions[-1])


def test_what_may_change_between_builds(tmp_path: Path) -> None:
    """Caches, secrets and memory are not part of a step's key."""
    flags = b"--mount=type=cache,target=/c --mount=type=secret,id=s --mount=type=tmpfs,target=/t"
    assert _bound(tmp_path, flags) == []


def test_layers_of_a_stage(tmp_path: Path) -> None:
    """What is bound of a stage is its layers."""
    assert _bound(tmp_path, b"--mount=from=one,target=/o") == [[sha256_of(b"layer")]]


def test_a_part_of_the_context(tmp_path: Path) -> None:
    """Of the context it is the contents of what is bound, and of nothing beside it."""
    folder = tmp_path / "context"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/file").write_text("one")
    flags = b"--mount=target=/o,source=sub"
    first = _bound(tmp_path, flags, str(folder))
    (folder / "other").write_text("x")
    assert _bound(tmp_path, flags, str(folder)) == first
    (folder / "sub/file").write_text("two")
    assert _bound(tmp_path, flags, str(folder)) != first


def test_what_cannot_be_read_is_never_the_same(tmp_path: Path) -> None:
    """A step that binds what is not there, or may not be read, is done each time."""
    flags = b"--mount=target=/o,source=nosuch"
    first = _bound(tmp_path, flags, str(tmp_path))
    assert first != _bound(tmp_path, flags, str(tmp_path))


def test_an_image_that_is_not_to_be_had(tmp_path: Path) -> None:
    """The fault names the file and the line."""
    with pytest.raises(BuildError, match=r"Containerfile:3: no such image: no/such"):
        _bound(tmp_path, b"--mount=from=no/such,target=/o")
