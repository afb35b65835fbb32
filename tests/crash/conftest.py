"""Fixtures of the tests of what goes wrong."""

import pytest


@pytest.fixture(params=["hybrid", "fuse"])
def driver(request: pytest.FixtureRequest) -> str:
    """Each overlay driver."""
    return str(request.param)
