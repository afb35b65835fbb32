"""`rootless.image.inflate`: gzip decoded block by block."""

import gzip
import os

import pytest

from rootless.errors import IntegrityError
from rootless.image import inflate
from rootless.image.inflate import Inflater

CONTENTS = b"".join(b"%d, " % number for number in range(200_000))


def test_members_are_decoded_and_their_ends_told() -> None:
    """In steps that end with blocks; the next member begins behind the last byte used."""
    data = gzip.compress(CONTENTS) + gzip.compress(b"second")
    inflater, at, found, ends, blocks = Inflater("x"), 0, b"", 0, 0
    while at < len(data):
        step = inflater.step(data, at)
        found += step.contents
        at += step.used
        ends += step.is_end
        blocks += step.is_block
    assert found == CONTENTS + b"second"
    assert ends == 2
    assert blocks > 10
    inflater.close()
    inflater.close()


def test_input_in_small_pieces() -> None:
    """A step that has nothing to say is no error."""
    data = gzip.compress(CONTENTS)
    inflater, found = Inflater("x"), b""
    for at in range(0, len(data), 7):
        piece, done = data[at : at + 7], 0
        while done < len(piece):
            step = inflater.step(piece, done)
            found += step.contents
            done += step.used
            assert step.used or step.contents or step.is_block
    assert found.startswith(CONTENTS[:1_000_000])
    inflater.close()


def test_damage_names_what_it_is_in() -> None:
    """And what zlib says of it."""
    data = bytearray(gzip.compress(os.urandom(1000) + CONTENTS))
    data[5000:5100] = bytes(100)
    inflater = Inflater("the blob")
    with pytest.raises(IntegrityError, match="the blob: "):  # noqa: PT012 - it takes steps
        at = 0
        while at < len(data):
            at += inflater.step(bytes(data), at).used
    inflater.close()


def test_without_a_libz(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and nothing else fails."""
    assert inflate.available()
    monkeypatch.setattr(inflate, "_found", [None])
    assert not inflate.available()
    with pytest.raises(OSError, match="libz"):
        Inflater("x")
