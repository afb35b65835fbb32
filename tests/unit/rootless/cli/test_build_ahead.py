"""What a build begins before its imports."""

from pathlib import Path

import pytest

from rootless.cli import build_ahead
from rootless.overlay import spare


@pytest.mark.parametrize(
    ("text", "no_cache", "is_kept", "is_certain"),
    [
        ("FROM a\n  run x\n", False, False, True),
        ("FROM a\nRUN x\n", False, True, False),
        ("FROM a\nRUN x\n", True, True, True),
        ("FROM a\nCOPY RUN x\n", True, False, False),
    ],
)
def test_a_server_only_where_a_run_is_certain(  # noqa: PLR0917 - a row of the table each
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    no_cache: bool,  # noqa: FBT001
    is_kept: bool,  # noqa: FBT001
    is_certain: bool,  # noqa: FBT001
) -> None:
    """One that has a RUN, and cannot have it in the cache."""
    monkeypatch.setenv("ROOTLESS_HOME", str(tmp_path / "store"))
    steps = tmp_path / "store" / "build-cache" / "steps"
    steps.mkdir(parents=True)
    if is_kept:
        (steps / "a.json").touch()
    (tmp_path / "Dockerfile").write_text(text)
    given = {"no_cache": no_cache, "context": [str(tmp_path)], "file": ""}
    try:
        assert build_ahead.begin(given) == is_certain
        assert (spare.take() is not None) == is_certain
    finally:
        spare.discard()


@pytest.mark.parametrize("file", ["-", "none"])
def test_a_file_that_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """Standard input, or one that is not there, or a context that is an archive."""
    monkeypatch.setenv("ROOTLESS_HOME", str(tmp_path / "store"))
    given = {"no_cache": True, "context": ["-"], "file": file}
    assert not build_ahead.begin(given)
