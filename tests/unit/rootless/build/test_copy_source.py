"""`rootless.build.copy_source`: links are followed inside a source, and lead nowhere else."""

from contextlib import closing
from pathlib import Path

import copying
import pytest

from rootless.build.copy_source import Contents, resolve
from rootless.errors import InvalidInput
from rootless.image.sparse_map import SparseMap

FILES = ("d/a", "rel -> d", "abs -> /d/../d", "d/up -> ../d/a", "chain -> rel", "broken -> none")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"", b""),
        (b"/", b""),
        (b"d/./a", b"d/a"),
        (b"rel/a", b"d/a"),
        (b"abs/up", b"d/a"),
        (b"chain", b"d"),
        (b"d/../rel", b"d"),
        (b"broken", None),
        (b"none/a", None),
        (b"d/a/x", None),
    ],
)
def test_resolve(tmp_path: Path, path: bytes, found: bytes | None) -> None:
    """Absolute links begin at the root of the source."""
    with closing(copying.a_context(tmp_path, FILES)) as source:
        node = resolve(source, path)
        assert (None if node is None else node.path) == found
        if path == b"chain":
            link = resolve(source, path, last=False)
            assert link is not None
            assert (link.path, link.name) == (b"chain", b"chain")


@pytest.mark.parametrize("target", ["..", "/..", "../x", "d/../../x", "out"])
def test_out_of_it(tmp_path: Path, target: str) -> None:
    """What would lead out, or in a circle, does not lead to something else instead."""
    files = ("d/a", f"out -> {target}", "x")
    with (
        closing(copying.a_context(tmp_path, files)) as source,
        pytest.raises(InvalidInput, match=r"leads out of the build context|in a circle"),
    ):
        resolve(source, b"out")


def test_contents() -> None:
    """Holes are passed over, and a file that became shorter is no shorter file."""
    data = bytes(range(100))

    def read(offset: int, size: int) -> bytes:
        return data[offset : min(offset + size, offset + 7)]

    assert b"".join(Contents(100, {}, None, read).chunks()) == data
    holes = SparseMap(((10, 20), (50, 5)), 100)
    assert b"".join(Contents(100, {}, holes, read).chunks()) == data[10:30] + data[50:55]
    assert Contents(100, {}, holes, read).stored == 25
    with pytest.raises(InvalidInput, match="changed while it was read"):
        list(Contents(101, {}, None, read).chunks())
