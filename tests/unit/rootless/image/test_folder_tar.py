"""`rootless.image.folder_tar`: what each kind of object becomes, and what no reader may see."""

import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
import trees

from rootless.errors import InvalidInput, NotFound
from rootless.image.folder_tar import FolderTar


def written(folder: Path) -> bytes:
    """Return the tar of a folder."""
    with FolderTar(str(folder)) as stream:
        return stream.read()


def test_reads_back_as_it_was(tmp_path: Path) -> None:
    """Names, times to the nanosecond and attributes are those of the folder, for our reader too."""
    name = b"\xff" + b"n" * 150
    (tmp_path / "d").mkdir()
    file = os.path.join(os.fsencode(tmp_path), b"d", name)
    Path(os.fsdecode(file)).write_bytes(b"hello")
    os.setxattr(file, "user.x", b"\0\xff=\n")
    os.utime(file, ns=(0, 1_700_000_000_123_456_789))
    members = {entry.path: (entry, xattrs) for entry, xattrs, _ in trees.parse(written(tmp_path))}
    assert list(members) == [b"", b"d", b"d/" + name]
    entry, xattrs = members[b"d/" + name]
    assert entry.size == 5
    assert entry.mtime_ns == 1_700_000_000_123_456_789
    assert xattrs == {b"user.x": b"\0\xff=\n"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link out of the folder is a link; a folder that became one is refused, not entered."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "secret")
    assert b"key" not in written(root)
    (root / "a").write_bytes(bytes(1 << 20))
    with FolderTar(str(root)) as stream:
        stream.read(4096)  # the folder is listed, and `a` is being read
        (root / "d").rmdir()
        (root / "d").symlink_to(tmp_path / "secret")
        with pytest.raises(NotFound, match="cannot be read"):
            stream.readall()


def test_a_file_that_shrinks(tmp_path: Path) -> None:
    """A file that loses bytes while it is read is named; nothing is made up in their place."""
    path = tmp_path / "f"
    path.write_bytes(b"x" * (3 << 20))
    with FolderTar(str(tmp_path)) as stream:
        stream.read(4096)
        os.truncate(path, 1 << 20)
        with pytest.raises(InvalidInput, match="changed while it was read"):
            stream.readall()


def test_holes(tmp_path: Path) -> None:
    """A file of holes takes the place of its data only, and keeps its size."""
    with (tmp_path / "log").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 30)
        file.write(b"data")
    tar = written(tmp_path)
    assert len(tar) < 1 << 20
    entry, _, extents = trees.parse(tar)[1]
    assert (entry.path, entry.size) == (b"log", 1 << 40)
    start = next(at - offset for offset, length, at in extents if offset + length > 1 << 30)
    assert tar[start + (1 << 30) :][:4] == b"data"
    with tarfile.open(fileobj=BytesIO(tar)) as archive:
        assert archive.getmember("log").size == 1 << 40


def test_a_missing_folder(tmp_path: Path) -> None:
    """The folder itself is named where it is not there."""
    with FolderTar(str(tmp_path / "none")) as stream, pytest.raises(NotFound, match="none"):
        stream.read(1)
