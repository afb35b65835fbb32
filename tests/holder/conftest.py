"""A user whose runs go through a namespace holder."""

from collections.abc import Iterator

import pytest
from executable import Rootless
from holding import with_holder


@pytest.fixture
def held(demo_own: Rootless) -> Iterator[Rootless]:
    """The executable, as users have it, with the demo image; its holder ends with the test."""
    rootless = with_holder(demo_own, "")
    yield rootless
    rootless.ok("system", "shutdown")
