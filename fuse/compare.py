"""Whether two files of ours say the same: what is kept, and what was made again from its source.

Row by row and not byte by byte: two versions of SQLite may lay the same rows out in different ways.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest

from . import index, packed_tree
from .database import IndexFormatError, open_immutable, translated_errors
from .entry import TREE_VERSION

Path = str | os.PathLike[str]

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"


def index_difference(kept: Path, made: Path) -> str:
    """Return what is wrong with an index, beside the same one just made; "" where nothing is."""
    return _difference(kept, made, index.APPLICATION_ID, index.VERSION)


def tree_difference(kept: Path, made: Path) -> str:
    """Return what is wrong with a merged tree, beside the same one just made; "" where nothing."""
    return _difference(kept, made, packed_tree.APPLICATION_ID, TREE_VERSION)


def index_fault(kept: Path) -> str:
    """Return why no reader would take an index; "" where one would."""
    return _fault(kept, index.APPLICATION_ID, index.VERSION)


def tree_fault(kept: Path) -> str:
    """Return why no reader would take a merged tree; "" where one would."""
    return _fault(kept, packed_tree.APPLICATION_ID, TREE_VERSION)


def _fault(kept: Path, application_id: int, version: int) -> str:
    try:
        open_immutable(kept, application_id=application_id, version=version).close()
    except IndexFormatError as error:
        return _without_path(error, kept)
    return ""


def _difference(kept: Path, made: Path, application_id: int, version: int) -> str:
    with closing(open_immutable(made, application_id=application_id, version=version)) as right:
        try:
            with closing(
                open_immutable(kept, application_id=application_id, version=version)
            ) as left:
                return _first_difference(left, right, kept)
        except IndexFormatError as error:
            return _without_path(error, kept)


def _first_difference(left: sqlite3.Connection, right: sqlite3.Connection, kept: Path) -> str:
    """Compare by table; an entry of a search tree that leads astray is found by SQLite itself."""
    with translated_errors(kept):
        if list(left.execute(_TABLES)) != list(right.execute(_TABLES)):
            return "it has other tables"
        for (table,) in right.execute(_TABLES):
            if any(a != b for a, b in zip_longest(_rows(left, table), _rows(right, table))):
                return f"its rows of {table} are others"
        (found,) = left.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if found == "ok" else str(found)


def _rows(database: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    rows: Iterator[tuple[object, ...]] = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - its name is out of our schema
    return rows


def _without_path(error: IndexFormatError, path: Path) -> str:
    return str(error).removeprefix(f"{os.fspath(path)}: ").removeprefix("damaged: ")
