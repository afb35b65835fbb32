"""`rootless.bundle.time_zone`: what TZ says inside."""

from pathlib import Path

import pytest

from rootless.bundle.time_zone import named, variable
from rootless.errors import InvalidInput

RULES = b"TZif2" + bytes(60) + b"\nCET-1CEST,M3.5.0,M10.5.0/3\n"


def zone(folder: Path, name: str, data: bytes = RULES) -> str:
    """Return a link as /etc/localtime is one, to a zone's file."""
    file = folder / "zoneinfo" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    link = folder / "localtime"
    link.symlink_to(file)
    return str(link)


def test_by_name_where_the_image_knows_it(tmp_path: Path) -> None:
    """The name says more than the rules; it is taken where the image has them."""
    asked: list[bytes] = []

    def has(path: bytes) -> bool:
        asked.append(path)
        return True

    assert variable({}, has, zone(tmp_path, "Europe/Berlin")) == "TZ=Europe/Berlin"
    assert asked == [b"usr/share/zoneinfo/Europe/Berlin"]


def test_by_rules_elsewhere(tmp_path: Path) -> None:
    """An image without time zones gets the rules: a name would read as UTC there."""
    link = zone(tmp_path, "Europe/Berlin")
    assert variable({}, lambda _: False, link) == "TZ=CET-1CEST,M3.5.0,M10.5.0/3"


def test_nothing_to_say(tmp_path: Path) -> None:
    """A TZ of the caller's is passed as any variable; UTC is what images have; others say none."""
    assert variable({"TZ": "x"}, lambda _: True, zone(tmp_path, "Europe/Rome")) == ""
    assert variable({}, lambda _: True, str(tmp_path / "none")) == ""
    (tmp_path / "utc").mkdir()
    assert variable({}, lambda _: True, zone(tmp_path / "utc", "Etc/UTC")) == ""
    (tmp_path / "bad").mkdir()
    assert variable({}, lambda _: False, zone(tmp_path / "bad", "X/Y", b"no zone\nZ\n")) == ""


def test_one_that_was_asked_for(tmp_path: Path) -> None:
    """The image's name of it, else the host's rules; what neither has is refused."""
    zone(tmp_path, "Europe/Berlin")
    folder = str(tmp_path / "zoneinfo")
    assert named("Europe/Berlin", {}, lambda _: True, folder) == "TZ=Europe/Berlin"
    there = named("Europe/Berlin", {"TZ": "X"}, lambda _: False, folder)
    assert there == "TZ=CET-1CEST,M3.5.0,M10.5.0/3"
    assert named("UTC", {"TZ": "X"}, lambda _: False, folder) == "TZ=UTC0"
    assert named("local", {"TZ": "X"}, lambda _: False, folder) == "TZ=X"
    with pytest.raises(InvalidInput, match="the time zone: Mars/X"):
        named("Mars/X", {}, lambda _: False, folder)
