"""`rootless.image.meant`: names and files."""

import os
from pathlib import Path

import packs
import pytest

from rootless.errors import InvalidInput, NotFound
from rootless.image import names
from rootless.image.meant import document, is_file, resolve
from rootless.image.store import Store


@pytest.fixture
def pack(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack in the working directory, of the image `a`."""
    monkeypatch.chdir(tmp_path)
    return packs.packed(store, tmp_path)


def test_names_and_files(store: Store, pack: Path, tmp_path: Path) -> None:
    """A path is a file; a word is a name, and else a file that holds an image."""
    assert resolve(store, "a").place is None
    for name in (str(pack), "./pack-0", "pack-0", f"../{tmp_path.name}/pack-0"):
        assert resolve(store, name).reference == str(Path(name).absolute())
        assert is_file(name)
    pack.rename(tmp_path / "a")
    assert resolve(store, "a").place is None
    assert resolve(store, "./a").place is not None


@pytest.mark.parametrize("name", ["./missing", "/missing"])
def test_no_such_file(store: Store, name: str) -> None:
    """A path that leads nowhere is no name."""
    with pytest.raises(NotFound, match="no such file"):
        resolve(store, name)


@pytest.mark.parametrize("name", ["missing", "quay.io/a/b", "x" * 5000, "a\0b"])
def test_no_file(store: Store, name: str) -> None:
    """A word that is neither is a name that the store lacks."""
    assert not is_file(name)
    with pytest.raises((NotFound, InvalidInput)):
        resolve(store, name)


def test_other_files(store: Store, tmp_path: Path) -> None:
    """Files of another kind, folders and pipes hold no image."""
    (tmp_path / "text").write_text("text")
    os.mkfifo(tmp_path / "pipe")
    for name in ("text", "pipe", "."):
        with pytest.raises(InvalidInput):
            resolve(store, str(tmp_path / name))


def test_documents(store: Store, pack: Path) -> None:
    """A pack has its documents; what it has not is said."""
    image = resolve(store, str(pack))
    own = names.resolve(store, "a")
    assert document(image, own.config_digest) == store.read_blob(own.config_digest, 1 << 20)
    with pytest.raises(NotFound):
        document(image, own.config.diff_ids[0].__class__("sha256:" + "0" * 64))
