"""SQLite files that are written once, in one go, and then only read.

Written without journal and sync: whoever asked for the file owns making it durable (a temporary
name, fsync, rename), and throws it away when anything fails. Read with `immutable=1`: no locks and
no files beside it, so that a read-only folder and a network file system serve.
"""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator

_WRITING = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
"""
_DISTRUSTED = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;"
_DAMAGED = (sqlite3.Error, UnicodeDecodeError)  # the second of a text that is none
_NO_TABLES = "SELECT type FROM sqlite_master WHERE type != 'table' OR sql LIKE '%VIRTUAL%' LIMIT 1"
_URI_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-~")


class IndexFormatError(ValueError):
    """The file is not what it should be: of another kind, of another version, or damaged."""


def create(path: str | os.PathLike[str], schema: str) -> sqlite3.Connection:
    """Return a connection to a new file in place of whatever was at the path.

    Args:
        path: The file; one that exists is emptied and keeps its inode, so that a lock on it holds.
        schema: Name of the SQL file, beside this module, with which the file begins.
    """
    with open(os.path.join(os.path.dirname(__file__), schema), encoding="utf-8") as file:
        statements = file.read()
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644))
    # One thread after the other may write: the one that reads a layer, then the one that ends it.
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        with translated_write_errors(path):
            database.executescript(_WRITING + statements + "BEGIN;")
    except BaseException:
        database.close()
        raise
    return database


def change(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Return a connection to a copy of a finished file, to be changed and sealed again."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        with translated_write_errors(path):
            database.executescript(f"{_WRITING}PRAGMA user_version = 0; BEGIN;")
    except BaseException:
        database.close()
        raise
    return database


def seal(database: sqlite3.Connection, version: int) -> None:
    """Commit everything, mark the file as complete and close it."""
    database.execute("COMMIT")
    database.execute(f"PRAGMA user_version = {version:d}")
    database.close()


def open_immutable(
    path: str | os.PathLike[str], *, application_id: int, version: int
) -> sqlite3.Connection:
    """Return a connection that reads a finished file.

    Raises:
        IndexFormatError: It is of another kind or version, or no database.
        OSError: It cannot be opened.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))  # SQLite would not say why it cannot
    quoted = "".join(chr(c) if c in _URI_SAFE else f"%{c:02X}" for c in os.fsencode(path))
    uri = f"file:{quoted}?immutable=1&mode=ro"
    with translated_errors(path):
        # One thread after the other may read: SQLite itself is made for any number of them.
        database = sqlite3.connect(
            uri, uri=True, isolation_level=None, cached_statements=32, check_same_thread=False
        )
    try:
        _check(database, path, application_id, version)
    except BaseException:
        database.close()
        raise
    return database


def open_memory(
    data: bytes, path: str | os.PathLike[str], *, application_id: int, version: int
) -> sqlite3.Connection:
    """Return a connection that reads a finished database out of memory.

    It may come from anybody: nothing in it is executed, and it has tables only.

    Args:
        data: The database's file, whole.
        path: Where it came from, for messages.
        application_id: What it must be.
        version: The format that it must have.

    Raises:
        IndexFormatError: It is of another kind or version, or no database.
    """
    if not data:  # of which Python makes a MemoryError
        raise IndexFormatError(f"{os.fspath(path)}: damaged: an empty database")
    # A load opens it in one thread, and reads it in another.
    database = sqlite3.connect(
        ":memory:", isolation_level=None, cached_statements=32, check_same_thread=False
    )
    try:
        with translated_errors(path):
            database.deserialize(data)
            database.executescript(_DISTRUSTED)
            others = database.execute(_NO_TABLES).fetchone()
        _check(database, path, application_id, version)
    except BaseException:
        database.close()
        raise
    if others is not None:
        database.close()
        raise IndexFormatError(f"{os.fspath(path)}: damaged: a {others[0]} where tables are")
    return database


def _check(
    database: sqlite3.Connection, path: str | os.PathLike[str], application_id: int, version: int
) -> None:
    with translated_errors(path):
        (found_id,) = database.execute("PRAGMA application_id").fetchone()
        (found_version,) = database.execute("PRAGMA user_version").fetchone()
    if found_id != application_id:
        raise IndexFormatError(f"{os.fspath(path)}: not a file of this kind")
    if found_version != version:
        raise IndexFormatError(f"{os.fspath(path)}: format {found_version}, known is {version}")


@contextlib.contextmanager
def translated_write_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise OSError where SQLite cannot write the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        is_full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if is_full else errno.EIO, str(error), path) from error


class translated_errors:  # noqa: N801 - a context manager, cheaper than one made of a generator
    """Raises IndexFormatError where SQLite finds the file damaged."""

    __slots__ = ("_path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, _DAMAGED):
            raise IndexFormatError(f"{os.fspath(self._path)}: damaged: {error}") from error
