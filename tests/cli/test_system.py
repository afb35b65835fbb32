"""`rootless system` and `rootless image`: what takes up room, and what goes."""

import json
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A user with the images `one` and `two`, and one that had the name `two` before."""
    for number, name in enumerate(("two", "one", "two")):
        layer = images.LayerBuilder().file(str(number), b"x" * 100_000)
        config = {"Labels": {"number": str(number)}}
        folder = tmp_path / str(number)
        images.oci_layout(folder, [layer], tag=name, config=config)
        rootless.ok("load", "-q", folder)
    return rootless


def left(rootless: Rootless) -> list[str]:
    """Return the names of the images, "" for one without."""
    found = json.loads(rootless.ok("images", "--format", "json"))
    return sorted(name for image in found for name in image["Names"] or [""])


def rows(rootless: Rootless) -> dict[str, dict[str, int]]:
    """Return what `system df` says, by type."""
    found = json.loads(rootless.ok("system", "df", "--format", "json"))
    return {row["Type"]: row for row in found}


def test_df(loaded: Rootless) -> None:
    """A line for each kind, as podman has it; with -v one for each image and container."""
    lines = loaded.ok("system", "df").splitlines()
    assert lines[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert [line.split()[0] for line in lines[1:]] == [
        *("Images", "Containers", "Build", "Downloads", "Leftovers"),
    ]
    loaded.ok("create", "--name", "c", "one", "true")
    found = rows(loaded)
    assert (found["Images"]["Total"], found["Images"]["Active"]) == (3, 1)
    assert 200_000 < found["Images"]["RawReclaimable"] < found["Images"]["RawSize"]
    assert (found["Containers"]["Total"], found["Containers"]["Active"]) == (1, 0)
    assert found["Containers"]["RawReclaimable"] == found["Containers"]["RawSize"] > 0
    details = loaded.ok("system", "df", "-v")
    assert "localhost/one" in details
    assert details.rstrip().endswith(loaded.ok("system", "df").rstrip())
    document = json.loads(loaded.ok("system", "df", "-v", "--format", "json"))
    assert [image["Containers"] for image in document["Images"]] == [0, 1, 0]
    assert document["Containers"][0]["Names"] == ["c"]
    assert loaded("system", "df", "--format", "xml").status == 125
    loaded.ok("rm", "c")


def test_image_prune(loaded: Rootless) -> None:
    """What has no name goes; with --all, what no container was made from; filters narrow it."""
    loaded.ok("create", "--name", "c", "one", "true")
    printed = loaded.ok("image", "prune")
    assert len(printed.split()) == 1
    assert left(loaded) == ["localhost/one:latest", "localhost/two:latest"]
    assert loaded.ok("image", "prune", "--all", "--filter", "label=number=1") == ""
    assert loaded.ok("image", "prune", "--all", "--filter", "until=2021-01-01") == ""
    assert loaded.ok("image", "prune", "--all", "--filter", "label!=number") == ""
    for wrong in ("label", "name=x", "until=then"):
        assert loaded("image", "prune", "--filter", wrong).status == 125
    loaded.ok("image", "prune", "--all", "--force", "--filter", "until=2024-02-01")
    assert left(loaded) == ["localhost/one:latest"]
    assert loaded.ok("image", "ls", "-q") == loaded.ok("images", "-q")
    loaded.ok("rm", "c")
    loaded.ok("image", "prune", "-a", "-f")
    assert loading.objects(loaded.home.store) == set()


def test_system_prune(loaded: Rootless) -> None:
    """Containers that do not run, images without a name; with --all whatever is not in use."""
    loaded.ok("create", "--name", "c", "one", "true")
    (loaded.home.store / "partial" / ("a" * 64)).write_bytes(b"begun")
    assert loaded.ok("system", "prune", "--filter", "until=24h").startswith("Deleted Images\n")
    assert "c" in loaded.ok("ps", "-a")
    printed = loaded.ok("system", "prune")
    assert printed.startswith("Deleted Containers\n")
    assert "Total reclaimed space: " in printed
    assert left(loaded) == ["localhost/one:latest", "localhost/two:latest"]
    assert rows(loaded)["Downloads"]["Total"] == 1
    assert "Deleted Images" in loaded.ok("system", "prune", "-a", "-f")
    assert loading.objects(loaded.home.store) == set()
    assert rows(loaded)["Downloads"]["Total"] == 0
    assert loaded("system", "prune", "--filter", "label=x").status == 125


def test_a_person_is_asked(loaded: Rootless) -> None:
    """At a terminal nothing goes without a yes; --force is one."""
    result = loading.on_terminal(loaded, "system", "prune", "--all", typed="n\n")
    assert "all images without a container" in result.stderr
    assert len(left(loaded)) == 3
    result = loading.on_terminal(loaded, "image", "prune", typed="y\n")
    assert result.status == 0
    assert len(left(loaded)) == 2
    loading.on_terminal(loaded, "image", "prune", "--all", "--force")
    assert left(loaded) == []
