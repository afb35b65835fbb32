"""Fixtures of the aliases: a user's folders with the demo image, and his shell."""

from pathlib import Path

import pytest
from desks import Desk
from executable import Rootless


@pytest.fixture
def desk(demo_alone: Rootless) -> Desk:
    """A user without aliases."""
    home = Path(demo_alone.home.environ["HOME"])
    folder = home / "a project"
    folder.mkdir()
    return Desk(demo_alone, home, folder)


@pytest.fixture
def python(desk: Desk) -> Desk:
    """A user with python3 as an alias."""
    desk.alias("add", "python3.11", "--image", "debian-demo", "--", "python3")
    return desk
