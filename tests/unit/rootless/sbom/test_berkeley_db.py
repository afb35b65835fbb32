"""`rootless.sbom.berkeley_db`: a hash database, honest and hostile."""

import struct
from contextlib import suppress

import pytest
import rpm_database as made
from hypothesis import given
from hypothesis import strategies as st

from rootless.sbom.berkeley_db import values

BLOBS = [b"short", b"x" * 9000, b"", b"y" * 4070, b"z" * 1200]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("page_size", [512, 4096])
def test_values(order: str, page_size: int) -> None:
    """In pages and in chains, of either byte order."""
    database = made.berkeley_db(BLOBS, order=order, page_size=page_size)
    assert list(values(database)) == BLOBS


def changed(database: bytes, at: int, new: bytes) -> bytes:
    """Return a database with other bytes at a place."""
    return database[:at] + new + database[at + len(new) :]


GOOD = made.berkeley_db([b"x" * 9000])
ITEM = 4096 + 4096 - 5 - 12


@pytest.mark.parametrize(
    "database",
    [
        b"",
        b"\0" * 4096,
        changed(GOOD, 24, b"\1"),  # encrypted
        changed(GOOD, 26, b"\1"),  # checksums
        changed(GOOD, 20, struct.pack("<I", 1)),
        changed(GOOD, ITEM, b"\2"),
        changed(GOOD, ITEM + 4, struct.pack("<I", 99)),
        changed(GOOD, ITEM + 8, struct.pack("<I", 1 << 31)),
        changed(GOOD, 2 * 4096 + 16, struct.pack("<I", 1)),  # a chain that leads to an item
        changed(GOOD, 2 * 4096 + 22, struct.pack("<H", 0)),
        changed(GOOD, 4096 + 28, struct.pack("<H", 3)),
        changed(GOOD, 4096 + 20, struct.pack("<H", 60000)),
        GOOD[: 3 * 4096],
    ],
)
def test_damaged(database: bytes) -> None:
    """One error, whatever is wrong."""
    with pytest.raises(struct.error):
        list(values(database))


def test_one_chain_for_many() -> None:
    """Items that all name one long chain are cut off, before memory is."""
    database = made.berkeley_db([b"x" * 9000])
    page = database[4096 : 2 * 4096]
    with pytest.raises(struct.error, match=r"more values|longer than the file"):
        list(values(database + page * 8))


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_any_damage(at: int, new: bytes) -> None:
    """Nothing else is ever raised, and never more returned than there is."""
    with suppress(struct.error):
        assert sum(map(len, values(changed(GOOD, at, new)))) <= len(GOOD)
