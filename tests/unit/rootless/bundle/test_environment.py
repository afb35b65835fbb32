"""`--env` and `--env-file`."""

from pathlib import Path

import pytest

from rootless.bundle.environment import expand, read_file
from rootless.errors import InvalidInput, NotFound

CALLER = {"A": "1", "A_B": "2", "b": "3", "EMPTY": ""}


def test_three_forms() -> None:
    """A value, a name of the caller's, a pattern of names; what the caller lacks is left out."""
    items = ["X=y=z", "X=", "A", "NONE", "A*", "EMPTY"]
    assert list(expand(items, CALLER)) == ["X=y=z", "X=", "A=1", "A=1", "A_B=2", "EMPTY="]


def test_a_star_in_a_value_is_a_star() -> None:
    """Only a name without a value is a pattern."""
    assert list(expand(["A*=*", "B=*"], CALLER)) == ["A*=*", "B=*"]


@pytest.mark.parametrize("item", ["", "=x", "A=\0"])
def test_no_variables(item: str) -> None:
    """A variable needs a name, and the kernel takes no NUL."""
    with pytest.raises(InvalidInput, match="not a variable"):
        list(expand([item], CALLER))


def test_env_file(tmp_path: Path) -> None:
    """One item a line; comments and empty lines are passed over; quotes are part of the value."""
    file = tmp_path / "env"
    file.write_text("# note\n\nA=1\n  B=two words\nC='q'\nNAME\n")
    assert read_file(str(file)) == ["A=1", "B=two words", "C='q'", "NAME"]


def test_env_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are named."""
    with pytest.raises(NotFound, match="no such file"):
        read_file(str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="cannot read"):
        read_file(str(tmp_path))
    (tmp_path / "bytes").write_bytes(b"A=\xff\n")
    with pytest.raises(InvalidInput, match="cannot read"):
        read_file(str(tmp_path / "bytes"))
