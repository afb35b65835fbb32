"""SQLite files that are written once and then only read."""

import errno
import os
import resource
import sqlite3
import stat
from pathlib import Path

import pytest

from fuse import database as db


def made(path: Path) -> Path:
    """Write a file with the schema of a tree."""
    connection = db.create(path, "tree_schema.sql")
    connection.execute("INSERT INTO statistics VALUES (1, 2, 3)")
    db.seal(connection, 1)
    return path


def test_a_file_is_read_from_a_read_only_folder_without_company(tmp_path: Path) -> None:
    """Neither a journal nor a lock file is made beside it, whatever characters its name has."""
    folder = tmp_path / "a ?#%ü"
    folder.mkdir()
    path = made(folder / "t?r=e&e.tree")
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        connection = db.open_immutable(path, application_id=0x524C7472, version=1)
        assert connection.execute("SELECT inodes FROM statistics").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM statistics")
        connection.close()
        assert os.listdir(folder) == [path.name]
    finally:
        folder.chmod(0o755)


def test_an_existing_file_is_emptied_and_keeps_its_inode(tmp_path: Path) -> None:
    """A temporary file whose lock says that it is in use stays the same file."""
    path = tmp_path / ".tmp-1"
    path.write_bytes(b"old" * 1000)
    before = path.stat().st_ino
    made(path)
    assert path.stat().st_ino == before
    db.open_immutable(path, application_id=0x524C7472, version=1).close()


def test_a_new_file_can_be_read_by_all(tmp_path: Path) -> None:
    """A store that several users read needs no special care."""
    old = os.umask(0o022)
    try:
        assert stat.S_IMODE(made(tmp_path / "t").stat().st_mode) == 0o644
    finally:
        os.umask(old)


@pytest.mark.parametrize(
    ("application_id", "version", "reason"),
    [(1, 1, "not a file of this kind"), (0x524C7472, 2, "format 1, known is 2")],
)
def test_another_kind_or_version_is_refused(
    tmp_path: Path, application_id: int, version: int, reason: str
) -> None:
    """The file's own numbers decide, and the message names the file."""
    path = made(tmp_path / "t")
    with pytest.raises(db.IndexFormatError, match=f"{path}.*{reason}"):
        db.open_immutable(path, application_id=application_id, version=version)


@pytest.mark.parametrize("contents", [b"no database" * 100, b"SQLite format 3\0" + bytes(200)])
def test_what_is_no_database_is_refused(tmp_path: Path, contents: bytes) -> None:
    """Anything but a database is damaged."""
    path = tmp_path / "t"
    path.write_bytes(contents)
    with pytest.raises(db.IndexFormatError):
        db.open_immutable(path, application_id=1, version=1)


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    """Opening says what the kernel says."""
    with pytest.raises(FileNotFoundError):
        db.open_immutable(tmp_path / "none", application_id=1, version=1)
    with pytest.raises(FileNotFoundError):
        db.create(tmp_path / "none" / "t", "tree_schema.sql")


def test_a_bad_schema_leaves_no_connection(tmp_path: Path) -> None:
    """A file that cannot be begun is let go of."""
    with pytest.raises(FileNotFoundError):
        db.create(tmp_path / "t", "none.sql")
    with pytest.raises(OSError, match="syntax"):
        db.create(tmp_path / "t", "database.py")


def test_a_disk_that_takes_not_even_the_schema(tmp_path: Path) -> None:
    """It is an error of the system's from the first statement on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match=r"full|I/O"):
            db.create(tmp_path / "t", "tree_schema.sql")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_an_oserror(tmp_path: Path) -> None:
    """SQLite's own error becomes the errno that the caller knows."""
    connection = db.create(tmp_path / "t", "tree_schema.sql")
    connection.execute("PRAGMA max_page_count = 12")
    with pytest.raises(OSError, match="full") as caught, db.translated_write_errors("t"):
        connection.executemany(
            "INSERT INTO dirent VALUES (1, ?, 1)", ((b"%09d" % n,) for n in range(100_000))
        )
    assert caught.value.errno == errno.ENOSPC
    connection.close()
    with pytest.raises(OSError, match="t") as caught, db.translated_write_errors("t"):
        raise sqlite3.OperationalError("disk I/O error")
    assert caught.value.errno == errno.EIO
