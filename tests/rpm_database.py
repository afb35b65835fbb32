"""Databases as rpm writes them, or wrote them: headers in SQLite, Berkeley DB, or ndb."""

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


def berkeley_db(blobs: Sequence[bytes], *, order: str = "<", page_size: int = 4096) -> bytes:
    """Return a hash database, an item a page; what is too long for one lies in a chain."""
    pages = [b""]
    for number, blob in enumerate(blobs):
        at = len(pages)
        if len(blob) < page_size // 4:
            value, chain = b"\1" + blob, []
        else:
            value = struct.pack(f"{order}BxxxII", 3, at + 1, len(blob))
            chain = [blob[i : i + page_size - 26] for i in range(0, len(blob), page_size - 26)]
        key = b"\1" + struct.pack(f"{order}I", number)
        offsets = page_size - len(key), page_size - len(key) - len(value)
        head = struct.pack(f"{order}8xIIIHHBB2H", at, 0, 0, 2, offsets[1], 0, 13, *offsets)
        pages.append(head + bytes(offsets[1] - len(head)) + value + key)
        for piece in chain:
            following = len(pages) + 1 if piece is not chain[-1] else 0
            head = struct.pack(f"{order}8xIIIHHBB", len(pages), 0, following, 1, len(piece), 0, 7)
            pages.append((head + piece).ljust(page_size, b"\0"))
    head = struct.pack(f"{order}8xIIIIBBBx", 0, 0x061561, 9, page_size, 0, 8, 0)
    return b"".join((head.ljust(page_size, b"\0"), *pages))


def ndb(blobs: Sequence[bytes]) -> bytes:
    """Return a database of one page of slots."""
    slots, blocks = b"", b""
    for number, blob in enumerate(blobs, 1):
        text = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
        text = text.ljust(-(-(len(text) + 12) // 16) * 16 - 12, b"\0") + struct.pack(
            "<II4s", 0, len(blob), b"BlbE"
        )
        offset = (4096 + len(blocks)) // 16
        slots += struct.pack("<4sIII", b"Slot", number, offset, len(text) // 16)
        blocks += text
    head = struct.pack("<4sIIII", b"RpmP", 0, 1, 1, len(blobs) + 1).ljust(32, b"\0")
    free = struct.pack("<4s12x", b"Slot") * ((4096 - 32 - len(slots)) // 16)
    return head + slots + free + blocks
