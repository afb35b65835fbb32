"""`rootless.sbom.rpm`: rpm's database, honest and hostile."""

import sqlite3
import struct

import pytest
import rpm_database as made
from hypothesis import given
from hypothesis import strategies as st

from rootless.errors import IntegrityError
from rootless.sbom import rpm
from rootless.sbom.package import RPM, Package

BASH = made.header(
    {
        made.NAME: "bash",
        made.VERSION: "5.2",
        made.RELEASE: "1.fc40",
        made.EPOCH: 2,
        made.LICENSE: "GPL-3.0-or-later",
        made.ARCH: "x86_64",
    }
)
KEY = made.header({made.NAME: "gpg-pubkey", made.VERSION: "1", made.RELEASE: "1"})


@pytest.mark.parametrize("wal", [False, True])
def test_packages(wal: bool) -> None:  # noqa: FBT001 - a parameter
    """Headers are read in either mode of the file; signing keys are no packages."""
    database = made.database([BASH, KEY], wal=wal)
    assert list(rpm.packages(database, "/r")) == [
        Package(RPM, "bash", "2:5.2-1.fc40", "x86_64", license="GPL-3.0-or-later", path="/r")
    ]


def test_older_forms() -> None:
    """The same headers in Berkeley DB, beside the next package's number, and in ndb."""
    for name, database in (
        ("Packages", made.berkeley_db([b"\0\0\0\3", BASH, KEY])),
        ("Packages.db", made.ndb([BASH, KEY])),
    ):
        (package,) = rpm.packages(database, f"/var/lib/rpm/{name}")
        assert (package.name, package.version) == ("bash", "2:5.2-1.fc40")
        with pytest.raises(IntegrityError, match="damaged rpm database"):
            list(rpm.packages(b"no database", f"/{name}"))


def a_view_without_end() -> bytes:
    """Return a database whose table is a view that counts for ever."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIEW Packages AS WITH RECURSIVE c(blob) AS "
        "(SELECT 1 UNION ALL SELECT blob FROM c) SELECT blob FROM c"
    )
    database = connection.serialize()
    connection.close()
    return database


@pytest.mark.parametrize(
    "database",
    [
        b"",
        b"no database",
        made.database([BASH])[:4096],
        a_view_without_end(),
        made.database([b""]),
        made.database([struct.pack(">II", 1 << 31, 1)]),
        made.database([struct.pack(">II", 1, 1 << 31) + bytes(16)]),
    ],
)
def test_hostile_databases(database: bytes) -> None:
    """Each is one error."""
    with pytest.raises(IntegrityError, match="damaged rpm database"):
        list(rpm.packages(database, "/r"))


@given(st.binary(max_size=200), st.integers(0, len(BASH)))
def test_any_header(noise: bytes, place: int) -> None:
    """A damaged header is packages, none, or one error."""
    blob = BASH[:place] + noise + BASH[place + len(noise) :]
    try:
        found = list(rpm.packages(made.database([blob]), "/r"))
    except IntegrityError:
        return
    assert all(isinstance(each, Package) for each in found)
