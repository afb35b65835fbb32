"""Fixtures of the tests with other programs."""

from collections.abc import Iterator

import pytest
from podman_session import Podman


@pytest.fixture(scope="session")
def podman_session(demo_image: str) -> Iterator[Podman]:
    """Podman over our runtime, with the demo image in its store; one a session."""
    podman = Podman.make(demo_image)
    yield podman
    podman.close()


@pytest.fixture
def by_runtime(podman_session: Podman) -> Iterator[Podman]:
    """The same; what a test leaves in it is removed, and the runtime keeps nothing either."""
    yield podman_session
    podman_session.remove_all()
    assert [path.name for path in podman_session.states.glob("*")] == []
