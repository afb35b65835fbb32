"""`rootless.lazy.source`: which blob a layer is, and who has it."""

from pathlib import Path

import pytest

from rootless.errors import InvalidInput
from rootless.lazy import source
from rootless.lazy.source import Origin, Source
from rootless.oci.descriptor import LAYER_TAR, Descriptor
from rootless.oci.digest import sha256_of

FIRST = Origin("registry.example/some/image", False, "/home/me/auth.json", "/certs")
SECOND = Origin("mirror.example/some/image")
SOURCE = Source(
    Descriptor(LAYER_TAR, sha256_of(b"blob"), 4), "estargz", sha256_of(b"toc"), (FIRST,), {3: 512}
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Nothing is lost, and no temporary file is left."""
    source.write(tmp_path, SOURCE)
    assert source.read(tmp_path) == SOURCE
    assert [path.name for path in tmp_path.iterdir()] == ["source.json"]


def test_another_repository_that_has_it(tmp_path: Path) -> None:
    """The latest is asked first; one that is known moves to the front, with what is new of it."""
    source.write(tmp_path, SOURCE)
    source.add_origin(tmp_path, SECOND)
    assert source.read(tmp_path).origins == (SECOND, FIRST)
    again = Origin(FIRST.repository, True)
    source.add_origin(tmp_path, again)
    assert source.read(tmp_path).origins == (again, SECOND)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"blob":{}}', SOURCE.to_bytes()[:-20]])
def test_damage_is_told(tmp_path: Path, data: bytes) -> None:
    """A damaged document is an error that names it."""
    (tmp_path / "source.json").write_bytes(data)
    with pytest.raises(InvalidInput, match=r"source\.json"):
        source.read(tmp_path)
