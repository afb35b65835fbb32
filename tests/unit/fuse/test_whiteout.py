"""Names of whiteouts."""

import pytest

from fuse import whiteout
from fuse.whiteout import Whiteout


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b".wh.a", Whiteout(b"a", is_opaque=False)),
        (b"d/e/.wh.a", Whiteout(b"d/e/a", is_opaque=False)),
        (b".wh..hidden", Whiteout(b".hidden", is_opaque=False)),
        (b".wh..wh..opq", Whiteout(b"", is_opaque=True)),
        (b"d/.wh..wh..opq", Whiteout(b"d", is_opaque=True)),
        (b"d/a.wh.b", None),
        (b"d/.whale", None),
    ],
)
def test_parse_tells_whiteouts_from_entries(path: bytes, expected: Whiteout | None) -> None:
    """Only the prefix of the last part counts."""
    assert whiteout.parse(path) == expected


@pytest.mark.parametrize("path", [b".wh.", b"d/.wh.", b"d/.wh..", b"d/.wh...", b".wh.a/b"])
def test_whiteouts_of_nothing_are_refused(path: bytes) -> None:
    """An empty name, `.` and `..` cannot be hidden, and nothing lies below a whiteout."""
    with pytest.raises(ValueError, match="whiteout"):
        whiteout.parse(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b".wh..wh.plnk", True),
        (b".wh..wh.plnk/1.2", True),
        (b"d/.wh..wh.aufs", True),
        (b".wh..wh..opq", False),
        (b".wh.a", False),
        (b"a", False),
    ],
)
def test_bookkeeping_of_aufs_is_ignored(path: bytes, *, expected: bool) -> None:
    """Names that begin with `.wh..wh.`, but for the opaque whiteout, mean nothing."""
    assert whiteout.is_ignored(path) is expected
