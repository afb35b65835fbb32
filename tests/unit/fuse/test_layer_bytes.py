"""What the contents of files ask of a layer that is no plain tar."""

import errno

from fuse.layer_bytes import Absent


def test_what_is_absent_is_eio_for_who_cannot_wait() -> None:
    """Code that knows nothing of it answers with an error that fits."""
    absent = Absent(3, [(0, 10)])
    assert isinstance(absent, OSError)
    assert absent.errno == errno.EIO
    assert (absent.layer, absent.chunks) == (3, [(0, 10)])
