"""Stores that are shared: one that nobody here may write to, and users beside it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import loading
import pytest
from executable import Home, Rootless

NOT_SHARED = ("scratch", "containers", "locks", "partial", "damaged")


@pytest.fixture
def shared(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with the demo image in which no folder can be written to."""
    store = tmp_path_factory.mktemp("shared") / "store"
    shutil.copytree(
        demo_home.store,
        store,
        copy_function=os.link,  # what a store holds is replaced, never written to
        ignore=shutil.ignore_patterns(*NOT_SHARED),
    )
    loading.protect(store, 0o555)
    yield store
    loading.protect(store, 0o755)


@pytest.fixture
def user(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rootless]:
    """A user who has no store yet, beside the shared one; his containers are removed."""
    home = Home.make(tmp_path_factory.mktemp("user"))
    home.runtime.mkdir(mode=0o700)
    (home.runtime / "said-single-id").touch()
    environ = {**home.environ, "ROOTLESS_ADDITIONAL_STORES": str(shared)}
    rootless = Rootless(Home(home.path, environ))
    yield rootless
    for name in rootless.ok("ps", "-aq").split():
        rootless("rm", "-f", name)
