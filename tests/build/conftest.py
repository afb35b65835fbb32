"""Fixtures of the tests of builds: contexts, users whose stores have the bases, and the judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from build_cases import make_contexts
from buildah_session import Buildah
from builders import Builders, with_demo
from executable import Home, Rootless


@pytest.fixture(scope="session")
def contexts(tmp_path_factory: pytest.TempPathFactory, demo_debs: Path) -> Path:
    """Every case's context. Do not change them."""
    return make_contexts(tmp_path_factory.mktemp("build") / "contexts", demo_debs)


@pytest.fixture(scope="session")
def builders(
    tmp_path_factory: pytest.TempPathFactory, demo_home: Home, demo_image: str, contexts: Path
) -> Iterator[Builders]:
    """Who builds; one for each session."""

    def make_rootless() -> Rootless:
        return with_demo(tmp_path_factory.mktemp("builder"), demo_home)

    made = Builders(contexts, make_rootless, lambda: Buildah.make(demo_image))
    yield made
    made.close()


@pytest.fixture
def builder(tmp_path_factory: pytest.TempPathFactory, demo_home: Home) -> Rootless:
    """A user who has the demo image and has built nothing yet."""
    return with_demo(tmp_path_factory.mktemp("builder"), demo_home)
