"""Check `additional-stores`."""

from pathlib import Path

from rootless.doctor.additional import check_additional, gather
from rootless.doctor.check import State
from rootless.paths import Paths


def looked_at(tmp_path: Path, *stores: Path) -> tuple[State, str, str]:
    """Return what is said of these stores."""
    check = check_additional(gather(Paths(tmp_path, tmp_path, tmp_path, (), stores)))
    return check.state, check.seen, check.cause


def test_none(tmp_path: Path) -> None:
    """Most users have none."""
    assert looked_at(tmp_path) == (State.OK, "none", "")


def test_there_and_not(tmp_path: Path) -> None:
    """One that is there is shown with its file system; one that is not, with the reason."""
    there, away = tmp_path / "there", tmp_path / "away"
    there.mkdir()
    (there / "index.json").touch()
    state, seen, cause = looked_at(tmp_path, there)
    assert (state, cause) == (State.OK, "")
    assert seen.startswith(f"{there} (")
    state, seen, cause = looked_at(tmp_path, away, there)
    assert state is State.WARNING
    assert seen.startswith(f"{away} (not there), {there} (")
    assert cause == f"{away}/index.json: No such file or directory"


def test_wrong_settings(tmp_path: Path) -> None:
    """Settings that cannot be read keep every command from running: a failure, with its place."""
    settings = tmp_path / "config.toml"
    settings.write_text("additional_stores = 1")
    check = check_additional(gather(Paths(tmp_path, tmp_path, tmp_path, (settings,))))
    assert check.state is State.FAILED
    assert f"{settings}: additional_stores" in check.cause
