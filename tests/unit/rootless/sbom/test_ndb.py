"""`rootless.sbom.ndb`: rpm's own database, honest and hostile."""

import struct
from contextlib import suppress

import pytest
import rpm_database as made
from hypothesis import given
from hypothesis import strategies as st

from rootless.sbom.ndb import values

GOOD = made.ndb([b"one", b"x" * 5000])


def test_values() -> None:
    """In the order of their slots; free slots are passed over."""
    assert list(values(GOOD)) == [b"one", b"x" * 5000]
    assert list(values(made.ndb([]))) == []


def changed(at: int, new: bytes) -> bytes:
    """Return the database with other bytes at a place."""
    return GOOD[:at] + new + GOOD[at + len(new) :]


@pytest.mark.parametrize(
    "database",
    [
        b"",
        changed(0, b"x"),
        changed(4, b"\1"),
        changed(12, b"\xff\xff"),
        changed(32, b"x"),
        changed(36, b"\7"),
        changed(40, struct.pack("<I", 1 << 30)),
        changed(44, struct.pack("<I", 0)),
        changed(4096, b"x"),
        changed(4096 + 12, struct.pack("<I", 1 << 31)),
        GOOD[:5000],
        changed(32, GOOD[48:64] * 250),  # many that name one
    ],
)
def test_damaged(database: bytes) -> None:
    """One error, whatever is wrong."""
    with pytest.raises(struct.error):
        list(values(database))


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_any_damage(at: int, new: bytes) -> None:
    """Nothing else is ever raised, and never more returned than there is."""
    with suppress(struct.error):
        assert sum(map(len, values(changed(at, new)))) <= len(GOOD)
