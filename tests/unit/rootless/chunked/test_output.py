"""`rootless.chunked.output`: what was written, in numbers."""

import io

import images

from rootless.chunked.output import Hashed


def test_it_counts_and_hashes() -> None:
    """What goes out is what was written, and the digest is of that."""
    out = io.BytesIO()
    hashed = Hashed(out)
    hashed.write(b"abc")
    hashed.write(b"")
    hashed.write(b"def")
    assert out.getvalue() == b"abcdef"
    assert (hashed.size, hashed.digest()) == (6, images.digest(b"abcdef"))


def test_it_needs_no_outlet() -> None:
    """A digest alone may be what is wanted."""
    hashed = Hashed()
    hashed.write(b"abc")
    assert (hashed.size, hashed.digest()) == (3, images.digest(b"abc"))
