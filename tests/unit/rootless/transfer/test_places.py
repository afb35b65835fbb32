"""`rootless.transfer.places`: skopeo's names of where images lie, containers-transports(5)."""

from pathlib import Path

import pytest

from rootless.errors import InvalidInput
from rootless.transfer.places import Place, parse_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("docker://quay.io/a/b:1", Place("docker", "quay.io/a/b:1")),
        ("oci:dir", Place("oci", "dir")),
        ("oci:dir:quay.io/a:1", Place("oci", "dir", "quay.io/a:1")),
        ("oci-archive:f.tar:1", Place("oci-archive", "f.tar", "1")),
        ("docker-archive:f.tar", Place("docker-archive", "f.tar")),
        ("dir:a:b", Place("dir", "a:b")),
        ("debian:12", Place("", "debian:12")),
        ("quay.io:443/a/b:1", Place("", "quay.io:443/a/b:1")),
    ],
)
def test_places(text: str, place: Place) -> None:
    """What is read is written the same."""
    assert parse_place(text) == place
    assert str(place) == text


def test_path_with_a_colon_that_is_there(tmp_path: Path) -> None:
    """A file's own colon is no end of its name."""
    path = tmp_path / "a:b"
    path.mkdir()
    assert parse_place(f"oci:{path}:n") == Place("oci", str(path), "n")
    assert parse_place(f"oci:{path}") == Place("oci", str(path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("containers-storage:x", "podman save"),
        ("docker-daemon:x", "docker save"),
        ("docker:x", "write docker://x"),
        ("docker://", "empty"),
        ("oci:", "empty"),
        ("http://x/y", "docker://"),
    ],
)
def test_other_places_are_refused_with_the_way_out(text: str, says: str) -> None:
    """Each says what to do."""
    with pytest.raises(InvalidInput, match=says):
        parse_place(text)
