"""Fixtures of the aliases: a user's folders with the demo image, and his shell."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from desks import Desk
from executable import Home, Rootless


@pytest.fixture
def desk(demo_alone: Rootless) -> Desk:
    """A user without aliases."""
    home = Path(demo_alone.home.environ["HOME"])
    folder = home / "a project"
    folder.mkdir()
    return Desk(demo_alone, home, folder)


@pytest.fixture(params=["with a holder", "without"])
def python(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A user with python3 as an alias; with a holder every call of it is served by that."""
    desk.alias("add", "python3.11", "--image", "debian-demo", "--", "python3")
    if request.param == "without":
        yield desk
        return
    home, notes = desk.rootless.home, desk.home.parent / "notes"
    holding = {"ROOTLESS_HOLDER": "wait", "ROOTLESS_HOLDER_NOTES": str(notes)}
    held = replace(desk.rootless, home=Home(home.path, {**home.environ, **holding}))
    desk = replace(desk, rootless=held)
    deadline = time.monotonic() + 30
    while not notes.exists() or notes.read_text() != "used\n":
        assert time.monotonic() < deadline, "no holder comes to serve this"
        notes.unlink(missing_ok=True)
        desk.sh("python3.11 -c ''")
    yield desk
    held.ok("system", "shutdown")
    said = notes.read_text().splitlines()
    # What else is mounted on the host at the time has the image mounted anew (`overlay.warm`)
    assert said.count("used") > len(said) / 2, said
