"""Packages of rpm: the header blobs in its database, of whichever form.

Sources: RPM's documentation, "RPM v4 package format" (header structure, tag numbers). A blob is
the number of index entries and of bytes, the entries of 16 bytes each, big-endian, and the data.

The file may be anybody's: SQLite opens it in memory, without extensions, in a time limit, and only
where `Packages` is a table. Berkeley DB (rpm's until 2020) and ndb (SUSE's) have readers of ours.
"""

import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing

from rootless.errors import IntegrityError
from rootless.sbom import berkeley_db, ndb
from rootless.sbom.package import RPM, Package, cleaned

_FOLDERS = (b"usr/lib/sysimage/rpm/", b"var/lib/rpm/")  # the other one is a link to it
_SQLITE, _NDB, _BERKELEY_DB = b"rpmdb.sqlite", b"Packages.db", b"Packages"
DATABASES = tuple(folder + name for name in (_SQLITE, _NDB, _BERKELEY_DB) for folder in _FOLDERS)
"""Where one may be; the first that is there is the one that counts."""

LOGS = tuple(folder + _SQLITE + b"-wal" for folder in _FOLDERS)
"""What SQLite has not written back."""

_NAME, _VERSION, _RELEASE, _EPOCH, _VENDOR, _LICENSE, _ARCH, _SOURCE = (
    *(1000, 1001, 1002, 1003, 1011, 1014, 1022, 1044),
)
_TEXTS = frozenset((_NAME, _VERSION, _RELEASE, _VENDOR, _LICENSE, _ARCH, _SOURCE))
_INT32, _STRING, _I18N = 4, 6, 9
_MOST_ENTRIES = 65_536
_MOST_BLOB = 64 << 20
_SHORTEST = 512
_NUMBER = 4
_SECONDS = 20
_STEPS = 100_000
_KEY = "gpg-pubkey"  # a signing key that is kept as if it were a package


def packages(database: bytes, path: str) -> Iterator[Package]:
    """Yield the packages of a database; raises IntegrityError where it is damaged.

    Args:
        database: Its bytes.
        path: The file of the image, whose name says what form it has.
    """
    try:
        for blob in _blobs(database, path.rpartition("/")[2].encode()):
            yield from _package(blob, path)
    except (sqlite3.Error, struct.error) as error:
        raise IntegrityError("damaged rpm database in the image", path, str(error)) from error


def _blobs(database: bytes, name: bytes) -> Iterator[bytes]:
    if name == _NDB:
        yield from ndb.values(database)
        return
    if name == _BERKELEY_DB:
        # one value is no header, but the number that the next package gets
        yield from (value for value in berkeley_db.values(database) if len(value) > _NUMBER)
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection, database)
        for (blob,) in connection.execute("SELECT blob FROM Packages"):
            if isinstance(blob, bytes):
                yield blob


def _fill(connection: sqlite3.Connection, database: bytes) -> None:
    if len(database) < _SHORTEST:  # SQLite would find no memory for it
        raise sqlite3.DatabaseError("no database")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BLOB)
    connection.execute("PRAGMA trusted_schema = OFF")
    end = time.monotonic() + _SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    if database[18:20] == b"\2\2":  # WAL, for which there must be a second file: take it as it is
        database = database[:18] + b"\1\1" + database[20:]
    connection.deserialize(database)
    connection.execute("PRAGMA query_only = ON")
    found = connection.execute("SELECT type FROM sqlite_schema WHERE name = 'Packages'")
    if found.fetchall() != [("table",)]:
        raise sqlite3.DatabaseError("no table of packages")


def _package(blob: bytes, path: str) -> Iterator[Package]:
    tags = _tags(blob)
    name, version, release = (str(tags.get(tag, "")) for tag in (_NAME, _VERSION, _RELEASE))
    if not name or not version or name == _KEY:
        return
    epoch = f"{tags[_EPOCH]}:" if tags.get(_EPOCH) else ""
    yield Package(
        *(RPM, cleaned(name), cleaned(f"{epoch}{version}-{release}".rstrip("-"))),
        architecture=cleaned(str(tags.get(_ARCH, ""))),
        source=cleaned(str(tags.get(_SOURCE, ""))),
        license=cleaned(str(tags.get(_LICENSE, ""))),
        vendor=cleaned(str(tags.get(_VENDOR, ""))),
        path=path,
    )


def _tags(blob: bytes) -> dict[int, str | int]:
    """Return the tags of a header that are wanted."""
    count, length = struct.unpack_from(">II", blob)
    start = 8 + 16 * count
    if count > _MOST_ENTRIES or start + length > len(blob):
        raise struct.error("a header that is longer than it is")
    found: dict[int, str | int] = {}
    for number in range(count):
        tag, kind, offset, _ = struct.unpack_from(">IIII", blob, 8 + 16 * number)
        if offset >= length:
            continue
        if tag in _TEXTS and kind in (_STRING, _I18N):
            end = blob.find(b"\0", start + offset, start + length)
            found[tag] = blob[start + offset : end].decode("utf-8", "replace") if end > 0 else ""
        elif tag == _EPOCH and kind == _INT32 and offset + 4 <= length:
            found[tag] = struct.unpack_from(">I", blob, start + offset)[0]
    return found
