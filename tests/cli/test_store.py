"""`rootless store`: what is printed, and which exit status says what."""

import json
from pathlib import Path

import images
import pytest
from executable import Rootless

from rootless.image import lock


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A user with one image, `small`."""
    images.oci_layout(tmp_path / "layout", [images.small_layer()], tag="small")
    rootless.ok("load", "-q", tmp_path / "layout")
    return rootless


def test_verify(loaded: Rootless) -> None:
    """0 and one line where all is well; 1 and a line for each fault; 0 again after a repair."""
    assert loaded.ok("store", "verify") == "3 documents, 1 layers, 1 trees: all is well\n"
    assert loaded.ok("store", "verify", "small", "--quick", "-q") == ""
    (index,) = (loaded.home.store / "layers" / "sha256").iterdir()
    index.unlink()
    result = loaded("store", "verify", "-q")
    assert (result.status, result.stderr) == (1, "")
    digest = f"sha256:{index.stem}"
    what = "missing (--repair makes it again)"
    assert result.stdout == f"index {digest} of localhost/small:latest: {what}\n"
    result = loaded("store", "verify", "--format", "json")
    assert result.status == 1
    document = json.loads(result.stdout)
    assert document["layers"] == 1
    (fault,) = document["faults"]
    assert (fault["kind"], fault["digest"], fault["repaired"]) == ("index", digest, False)
    assert loaded.ok("store", "verify", "--repair").splitlines() == [
        f"index {digest} of localhost/small:latest: missing (repaired)",
        "3 documents, 1 layers, 1 trees: all is well, 1 repaired",
    ]
    assert loaded.ok("store", "verify").endswith(": all is well\n")


def test_what_cannot_be_verified(rootless: Rootless, loaded: Rootless) -> None:
    """An image that is not there, a format, a store whose list is damaged: 125, one line."""
    assert loaded("store", "verify", "none").status == 125
    assert loaded("store", "verify", "--format", "xml").status == 125
    (loaded.home.store / "index.json").write_text("{")
    result = rootless("store", "verify")
    assert result.status == 125
    assert "damaged index of the store" in result.stderr


def test_gc(loaded: Rootless) -> None:
    """What nothing leads to is listed, then removed."""
    assert loaded.ok("store", "gc", "--dry-run") == ""
    old = loaded.home.store / "trees" / f"{'a' * 64}.v1"
    old.write_bytes(b"x" * 5000)
    (loaded.home.store / "trees" / ".tmp-0123456789abcdef").touch()
    assert loaded.ok("store", "gc", "--dry-run") == f"{old}\n"
    told = loaded.ok("store", "verify").splitlines()
    assert told[1:] == ["2 files that nothing leads to: 'rootless store gc'"]
    assert old.exists()
    assert loaded.ok("store", "gc") == "Removed 1 leftover files; freed 5 kB\n"
    assert not old.exists()
    with lock.shared(loaded.home.store / "locks" / "store.lock"):
        result = loaded("store", "gc")
    assert result.status == 0
    assert "a load or a pull is at work" in result.stderr
    assert loaded.ok("store", "verify").endswith(": all is well\n")


def test_share(loaded: Rootless, tmp_path: Path) -> None:
    """Others may read it, until that is taken back."""
    store = loaded.home.store
    assert loaded.ok("store", "share") == "Shared: localhost/small:latest\n"
    assert store.stat().st_mode & 0o777 == 0o755
    environ = {"ROOTLESS_HOME": str(tmp_path / "own")}
    assert "small" in loaded.ok("--store", f"ro:{store}", "images", env=environ)
    loaded.ok("store", "share", "--private")
    assert store.stat().st_mode & 0o777 == 0o700
