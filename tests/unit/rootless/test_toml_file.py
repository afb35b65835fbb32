"""`rootless.toml_file`: what is read, and whose name is in a fault."""

from pathlib import Path

import pytest

from rootless import toml_file
from rootless.errors import InvalidInput, StoreError


def test_what_is_there(tmp_path: Path) -> None:
    """A file's bytes and its document; one that is not there is none."""
    file = tmp_path / "f"
    file.write_text("a = 1")
    data = toml_file.read(file, "the settings")
    assert data == b"a = 1"
    assert toml_file.parse(data, file, "the settings") == {"a": 1}
    assert toml_file.read(tmp_path / "none", "x") is None
    assert toml_file.read(file / "below", "x") is None


def test_what_cannot_be(tmp_path: Path) -> None:
    """Too large, no file, no TOML, nested without end: one line each, with the file's name."""
    with pytest.raises(StoreError, match=r"cannot read the settings"):
        toml_file.read(tmp_path, "the settings")
    file = tmp_path / "f"
    file.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(InvalidInput, match=r"larger than a megabyte: .*/f"):
        toml_file.read(file, "the settings")
    for data in (b"a = ", b"\xff", b"a = " + b"[" * 100000):
        with pytest.raises(InvalidInput, match=r"the settings are not TOML: .*/f"):
            toml_file.parse(data, file, "the settings")
