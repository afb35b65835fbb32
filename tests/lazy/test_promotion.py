"""A lazy image that is completed is the same as one that was pulled at once."""

import hashlib
from pathlib import Path

import pytest
from executable import Home, Rootless
from fault_proxy import Fault
from lazily import Lazily

ONE_KIND = pytest.mark.parametrize("kind", ["zstd-chunked"])


def contents(store: Path) -> dict[str, str]:
    """Return a digest of every file of a store that says what images it has."""
    found = {}
    for name in ("blobs", "layers", "trees", "lazy"):
        for path in (store / name).rglob("*"):
            if path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path.relative_to(store))] = digest
    return found


@pytest.mark.parametrize("runs", [False, True], ids=["never-run", "after-a-run"])
def test_the_same_as_an_ordinary_pull(
    lazily: Lazily, tmp_path_factory: pytest.TempPathFactory, *, runs: bool
) -> None:
    """Byte for byte, and nothing beside it; what had come is not asked for again."""
    rootless = lazily.rootless
    lazily.pull("--lazy")
    assert lazily.folders()
    if runs:
        rootless.ok(*lazily.run(lazily.image, "python3", "-c", "print(1)"))
    sizes = sum((folder / "blob").stat().st_size for folder in lazily.folders())
    lazily.pull()
    assert lazily.bytes_of_blobs() < sizes + (10 << 20)
    other = Rootless(Home.make(tmp_path_factory.mktemp("other")))
    other.ok("pull", "-q", "--tls-verify=false", lazily.image)
    assert contents(rootless.home.store) == contents(other.home.store)
    assert rootless.ok("images") == other.ok("images")


@ONE_KIND
def test_a_pull_that_is_cut_short(lazily: Lazily) -> None:
    """What had come stays, and the next pull goes on with it."""
    lazily.pull("--lazy")
    lazily.proxy.set(Fault("GET .*/blobs/", skip=3, status=404))
    words = ("pull", "-q", "--tls-verify=false", lazily.image)
    env = {"ROOTLESS_LAZY_PATIENCE": "1"}
    assert lazily.rootless(*words, env=env).status != 0
    assert lazily.folders()
    lazily.proxy.set()
    lazily.pull()
    assert not lazily.folders()


@ONE_KIND
def test_an_image_that_is_removed(lazily: Lazily) -> None:
    """Its lazy layers go with it."""
    lazily.pull("--lazy")
    lazily.rootless.ok("rmi", lazily.image)
    assert not lazily.folders()
    assert not list((lazily.rootless.home.store / "trees").iterdir())
