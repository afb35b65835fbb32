"""Folders that RUN --mount=type=cache keeps."""

from pathlib import Path

import pytest

from rootless.build import cache_mounts
from rootless.build.cache_mounts import folder_of, opened
from rootless.image.store import Store
from rootless.linux.folder_lock import is_locked, make_or_lock


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One that is empty."""
    return Store(tmp_path / "store", tmp_path / "scratch")


def test_one_folder_for_one_id(store: Store) -> None:
    """It is there the next time; another ID has another one, whatever is in its name."""
    with opened(store, "/root/.cache", "shared") as first:
        (first / "data").mkdir()
        assert first.parent == folder_of(store)
    with opened(store, "/root/.cache", "locked") as again, opened(store, "../x\n", "shared") as b:
        assert (again / "data").is_dir()
        assert b.parent == folder_of(store)
        assert b != again


def test_sharing(store: Store) -> None:
    """Shared by several; private gives each a folder of his own, and a free one again."""
    with opened(store, "a", "shared") as one, opened(store, "a", "shared") as two:
        assert one == two
        with opened(store, "a", "private") as mine, opened(store, "a", "private") as another:
            assert len({one, mine, another}) == 3
    with opened(store, "a", "private") as free:
        assert free == one


def test_locked_is_alone(store: Store) -> None:
    """Nobody else has it meanwhile."""
    with opened(store, "a", "locked") as path:
        assert is_locked(path)
        with pytest.raises(BlockingIOError):
            make_or_lock(path, alone=False, wait=False)
    assert not is_locked(path)


def test_unused(store: Store) -> None:
    """What is in use is not given; what is given, nobody begins to use."""
    with opened(store, "a", "shared") as free:
        pass
    with opened(store, "b", "shared") as used:
        with cache_mounts.unused([free, used, free.with_name("none")]) as found:
            assert found == [free]
            with opened(store, "a", "private") as another:
                assert another != free
        with opened(store, "a", "private") as again:
            assert again == free
