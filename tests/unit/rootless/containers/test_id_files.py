"""`--cidfile` and `--pidfile`."""

from pathlib import Path

import pytest
from living_records import a_record

from rootless.containers.id_files import check_new, write_cidfile, write_pidfile
from rootless.errors import Conflict, StoreError


def test_written(tmp_path: Path) -> None:
    """The ID into a new file, the process ID into any."""
    write_cidfile(str(tmp_path / "c"), a_record())
    assert (tmp_path / "c").read_text() == "a" * 64
    for number in (12345, 7):
        write_pidfile(str(tmp_path / "p"), number)
        assert (tmp_path / "p").read_text() == str(number)
    write_cidfile("", a_record())


def test_one_that_is_there(tmp_path: Path) -> None:
    """An ID is not written over."""
    (tmp_path / "c").symlink_to("nowhere")
    with pytest.raises(Conflict, match="is there already"):
        check_new(str(tmp_path / "c"))
    with pytest.raises(Conflict, match="is there already"):
        write_cidfile(str(tmp_path / "c"), a_record())
    check_new(str(tmp_path / "d"))
    check_new("")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """It is one error with the path."""
    with pytest.raises(StoreError, match=r"cannot write: No such file or directory: .*/no/p"):
        write_pidfile(str(tmp_path / "no/p"), 7)
