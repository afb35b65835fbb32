"""`rootless tag`, the real executable."""

import json
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with two images, `one` and `two`."""
    for name in ("one", "two"):
        layer = images.LayerBuilder().file(name)
        rootless.ok("load", images.oci_layout(tmp_path / name, [layer], tag=name))
    return rootless


def names(rootless: Rootless) -> dict[str, list[str]]:
    """Return the images' names by ID."""
    listed = json.loads(rootless.ok("images", "--format", "json"))
    return {image["Id"]: image["Names"] for image in listed}


def test_gives_further_names(loaded: Rootless) -> None:
    """An image has all the names that it was given, and its own; nothing is printed."""
    assert loaded.ok("tag", "one", "uno", "quay.io/a/b:c") == ""
    image_id = loaded.ok("inspect", "-f", ".Id", "uno").strip()
    assert names(loaded)[image_id] == [
        "localhost/one:latest",
        "localhost/uno:latest",
        "quay.io/a/b:c",
    ]


def test_by_id(loaded: Rootless) -> None:
    """The image may be named by its ID."""
    image_id = loaded.ok("inspect", "-f", ".Id", "two").strip()
    loaded.ok("tag", image_id[:12], "due")
    assert "localhost/due:latest" in names(loaded)[image_id]


def test_takes_a_name_away(loaded: Rootless) -> None:
    """A name that another image had leads to this one; the other stays without a name."""
    loaded.ok("tag", "one", "two")
    assert sorted(map(len, names(loaded).values())) == [0, 2]


def test_again_changes_nothing(loaded: Rootless) -> None:
    """A name given twice is one name."""
    loaded.ok("tag", "one", "one", "one:latest")
    assert sorted(map(len, names(loaded).values())) == [1, 1]


def test_refusals(loaded: Rootless) -> None:
    """Names that are none, digests, and images that there are not leave all as it was."""
    digest = "sha256:" + "0" * 64
    loading.refused(loaded, "tag", "one", "UPPER", says=("lower case", "try upper"))
    loading.refused(loaded, "tag", "one", "x", f"y@{digest}", says=("cannot hold a digest",))
    loading.refused(loaded, "tag", "three", "x", says=("no such image: three",))
    loading.refused(loaded, "tag", "one", "x:-", says=("tag is not valid",))
    loading.refused(loaded, "tag", "one", says=("NAME",))


def test_other_tools_see_the_name(loaded: Rootless) -> None:
    """The name stands in the store's index.json, as the specification has it."""
    loaded.ok("tag", "one", "uno")
    index = json.loads((loaded.home.store / "index.json").read_text())
    key = "org.opencontainers.image.ref.name"
    assert "localhost/uno:latest" in [d["annotations"].get(key) for d in index["manifests"]]
