"""Names of extended attributes, inside and as kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuse import xattrs

names = st.sampled_from([b"user.", b"user.overlay.", b"user.overlay.overlay.", b"security."])


@settings(database=None)
@given(prefix=names, rest=st.binary(min_size=1))
def test_what_is_set_is_shown(prefix: bytes, rest: bytes) -> None:
    """Every name that a program sets is shown to it as it set it."""
    name = prefix + rest
    if name != b"user.containers.override_stat":
        assert xattrs.shown_name(xattrs.stored_name(name)) == name


@pytest.mark.parametrize("name", [xattrs.OPAQUE, xattrs.WHITEOUT, b"user.containers.override_stat"])
def test_own_notes_are_hidden(name: bytes) -> None:
    """What the upperdir notes for itself is not shown."""
    assert xattrs.shown_name(name) is None


def test_a_program_cannot_forge_a_note() -> None:
    """A program's attribute of a note's name is kept under another."""
    assert xattrs.stored_name(xattrs.OPAQUE) == b"user.overlay.overlay.opaque"


def test_trusted_attributes_are_not_kept() -> None:
    """Only the host's root could read them."""
    assert not xattrs.is_storable(b"trusted.x")
    assert xattrs.is_storable(b"security.capability")


def test_an_images_note_of_an_owner_is_not_kept() -> None:
    """Only the upperdir itself writes such a note."""
    assert not xattrs.is_storable(b"user.containers.override_stat")
