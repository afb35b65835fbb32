"""Which containers a command is for."""

from pathlib import Path

import pytest
from living_records import a_record

from rootless.containers import record as records
from rootless.containers.choice import Choice, chosen, the_one
from rootless.errors import InvalidInput, NotFound
from rootless.paths import Paths


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two containers that have never run; return the folder."""
    for name in ("ROOTLESS_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    paths = Paths.from_environment()
    paths.store.mkdir(parents=True, exist_ok=True)
    first, last = a_record("first", "a"), a_record("last", "b", labels={"x": "y"})
    for each in (last, first):
        records.create(paths, each)
    return tmp_path


def test_one_of_four(two: Path) -> None:
    """By name, all, the last, by a filter."""
    assert chosen(Choice(words=("anything",))) == ["anything"]
    assert chosen(Choice(everything=True)) == ["first", "last"]
    assert chosen(Choice(everything=True), alive=True) == []
    assert chosen(Choice(everything=True), alive=False) == ["first", "last"]
    assert chosen(Choice(latest=True)) == ["last"]
    assert chosen(Choice(filters=("label=x",))) == ["last"]
    (two / "id").write_text("a" * 64 + "\n")
    assert chosen(Choice(id_files=(str(two / "id"),))) == ["a" * 64]


def test_not_none_and_not_two(two: Path) -> None:
    """What is meant is said once."""
    for choice in (Choice(), Choice(words=("a",), everything=True)):
        with pytest.raises(InvalidInput, match="which containers"):
            chosen(choice)
    with pytest.raises(NotFound, match="no such file"):
        chosen(Choice(id_files=(str(two / "none"),)))
    (two / "empty").touch()
    with pytest.raises(InvalidInput, match="holds no container's ID"):
        chosen(Choice(id_files=(str(two / "empty"),)))
    with pytest.raises(InvalidInput, match="cannot read"):
        chosen(Choice(id_files=(str(two),)))


def test_one_by_name_or_the_last(two: Path) -> None:
    """A command for one container has a name, or is for the last."""
    assert (the_one("first", latest=False), the_one("", latest=True)) == ("first", "last")
    for word, latest in (("", False), ("first", True)):
        with pytest.raises(InvalidInput, match="give its name, or --latest"):
            the_one(word, latest=latest)


def test_none_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of none is none."""
    monkeypatch.setenv("ROOTLESS_HOME", str(tmp_path))
    with pytest.raises(NotFound, match="there is no container"):
        chosen(Choice(latest=True))
