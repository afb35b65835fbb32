"""Databases as rpm writes them: headers in a table of SQLite."""

import sqlite3
import struct
from collections.abc import Mapping, Sequence

NAME, VERSION, RELEASE, EPOCH, LICENSE, ARCH = 1000, 1001, 1002, 1003, 1014, 1022


def header(values: Mapping[int, str | int]) -> bytes:
    """Return a header blob; texts are strings, numbers are of 32 bits."""
    data, entries = b"", b""
    for tag, value in values.items():
        if isinstance(value, str):
            entries += struct.pack(">IIII", tag, 6, len(data), 1)
            data += value.encode() + b"\0"
        else:
            data += bytes(-len(data) % 4)
            entries += struct.pack(">IIII", tag, 4, len(data), 1)
            data += struct.pack(">I", value)
    return struct.pack(">II", len(values), len(data)) + entries + data


def database(blobs: Sequence[bytes], *, wal: bool = False) -> bytes:
    """Return a database of these headers; with `wal` in the form that rpm leaves it in."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(each,) for each in blobs])
    connection.commit()
    made = connection.serialize()
    connection.close()
    return made[:18] + b"\2\2" + made[20:] if wal else made
