"""`rootless.config.trust`: files of projects that have a say."""

from pathlib import Path

import pytest

from rootless.config.trust import State, Trust, refusal
from rootless.errors import InvalidInput, StoreError


def test_by_path_and_contents(tmp_path: Path) -> None:
    """A file is trusted as it is: neither another one nor it itself after a change."""
    trust = Trust(tmp_path / "state" / "rootless")
    file = tmp_path / "file"
    assert trust.state_of(file, b"a") is State.UNKNOWN
    trust.add(file, b"a")
    assert trust.state_of(file, b"a") is State.TRUSTED
    assert trust.state_of(file, b"b") is State.CHANGED
    assert trust.state_of(tmp_path / "other", b"a") is State.UNKNOWN
    assert (tmp_path / "state" / "rootless").stat().st_mode & 0o777 == 0o700
    assert [each.name for each in (tmp_path / "state" / "rootless").iterdir()] == ["trusted.json"]


def test_a_link_to_the_folder_is_the_folder(tmp_path: Path) -> None:
    """It is the file that is trusted, whatever path leads to it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    trust = Trust(tmp_path)
    trust.add(tmp_path / "link" / "f", b"a")
    assert trust.state_of(tmp_path / "real" / "f", b"a") is State.TRUSTED


def test_taken_back(tmp_path: Path) -> None:
    """One that was trusted is so no more; of another one that is told."""
    trust = Trust(tmp_path)
    trust.add(tmp_path / "f", b"a")
    assert trust.remove(tmp_path / "f")
    assert trust.state_of(tmp_path / "f", b"a") is State.UNKNOWN
    assert not trust.remove(tmp_path / "f")


def test_damage_trusts_nobody(tmp_path: Path) -> None:
    """A damaged memory is an error with a way out, and so is one that cannot be written."""
    (tmp_path / "trusted.json").write_text("[")
    with pytest.raises(InvalidInput, match=r"damaged: .*trusted\.json \(remove it"):
        Trust(tmp_path).state_of(tmp_path / "f", b"")
    with pytest.raises(StoreError, match="cannot remember"):
        Trust(Path("/proc/none")).add(tmp_path / "f", b"")


def test_the_way_out_is_named() -> None:
    """Who meets a file that has no say reads what to do."""
    said = str(refusal(Path("/p/.rootless.toml"), State.CHANGED))
    assert "changed since it was trusted: /p/.rootless.toml" in said
    assert "rootless config trust /p/.rootless.toml" in said
