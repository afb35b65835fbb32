"""Files that get an image's ID."""

from pathlib import Path

import pytest

from rootless.cli import id_file
from rootless.errors import InvalidInput
from rootless.oci.digest import sha256_of

ID = sha256_of(b"image")


def test_a_file(tmp_path: Path) -> None:
    """It is written anew; none is none."""
    for _ in range(2):
        id_file.check(str(tmp_path / "id"))
        id_file.write(str(tmp_path / "id"), ID)
    assert (tmp_path / "id").read_text() == ID
    id_file.check("")
    id_file.write("", ID)


@pytest.mark.parametrize("name", ["", "nosuch/id"])
def test_what_cannot_be_written(tmp_path: Path, name: str) -> None:
    """A folder, and what lies in none, are refused before and after."""
    path = str(tmp_path / name)
    with pytest.raises(InvalidInput, match="ID cannot be written"):
        id_file.check(path)
    with pytest.raises(InvalidInput, match="ID cannot be written"):
        id_file.write(path, ID)
