"""Digests and chain IDs."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.digest import Digest, chain_id, hex_of, parse_digest, sha256_of

HEX = "0123456789abcdef" * 4


@settings(database=None)
@given(data=st.binary(max_size=64))
def test_what_is_computed_is_read(data: bytes) -> None:
    """A digest of ours is one that the parser takes, and its digits are sha256's."""
    digest = parse_digest(sha256_of(data))
    assert hex_of(digest) == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        *("", "sha256:", HEX, f"sha256:{HEX[:-1]}", f"sha256:{HEX}0", f"sha256:{HEX.upper()}"),
        *(f"sha256:{HEX}\n", f" sha256:{HEX}", "sha256:../../../../etc/passwd", f"SHA256:{HEX}"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """What could name another file of the store, or another file at all, is no digest."""
    with pytest.raises(InvalidInput, match="not a digest"):
        parse_digest(text)


def test_other_algorithms_are_named() -> None:
    """A digest by another algorithm is well formed, and refused for that reason."""
    with pytest.raises(InvalidInput, match="algorithm not supported: sha512"):
        parse_digest("sha512:" + HEX * 2)


def test_error_is_short_and_says_where() -> None:
    """A megabyte that is no digest does not fill the terminal; the place is in the line."""
    with pytest.raises(InvalidInput) as caught:
        parse_digest("x" * 1_000_000, "manifest layers[2].digest")
    assert len(str(caught.value)) < 300
    assert "at manifest layers[2].digest" in str(caught.value)


def test_chain_id() -> None:
    """image-spec config.md: the chain ID of the first is its diff ID; of more, a digest of both."""
    one, two = sha256_of(b"1"), sha256_of(b"2")
    assert chain_id([one]) == one
    assert chain_id([one, two]) == sha256_of(f"{one} {two}".encode())
    assert chain_id([one, two, two]) == sha256_of(f"{chain_id([one, two])} {two}".encode())
    assert chain_id([]) == Digest("sha256:" + hashlib.sha256(b"").hexdigest())
