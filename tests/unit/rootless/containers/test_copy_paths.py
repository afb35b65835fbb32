"""`rootless.containers.copy_paths`: the rules of both paths, on plain folders."""

import os
import stat
from pathlib import Path

import pytest

from rootless.containers.copy_paths import (
    Place,
    Source,
    Target,
    open_source,
    parse_place,
    source_of,
    target_of,
)
from rootless.errors import Conflict, InvalidInput, NotFound

FILE = Source("f", is_folder=False, contents_only=False)
FOLDER = Source("d", is_folder=True, contents_only=False)
CONTENTS = Source("d", is_folder=True, contents_only=True)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dev:/etc", Place("dev", "/etc")),
        ("dev:etc", Place("dev", "etc")),
        ("dev:/a:b", Place("dev", "/a:b")),
        ("./a:b", Place("", "./a:b")),
        ("/a:b", Place("", "/a:b")),
        ("dir/a:b", Place("", "dir/a:b")),
        ("a", Place("", "a")),
        ("-", Place("", "-")),
    ],
)
def test_parse_place(text: str, place: Place) -> None:
    """A container's path has its name before the first colon; a host's begins with . or /."""
    assert parse_place(text) == place
    assert parse_place(text).is_stream == (text == "-")


@pytest.mark.parametrize("text", ["", "dev:"])
def test_parse_place_refuses(text: str) -> None:
    """A path there must be."""
    with pytest.raises(InvalidInput, match="path"):
        parse_place(text)


@pytest.mark.parametrize(
    ("path", "name", "contents_only"),
    [
        ("/a/d", "d", False),
        ("/a/d/", "d", False),
        ("/a/d/.", "d", True),
        (".", "", True),
        ("..", "", True),
        ("/", "", True),
        ("/a/..", "", True),
    ],
)
def test_names_of_folders(path: str, name: str, contents_only: bool) -> None:  # noqa: FBT001
    """`/.` means what is in it, and so does a folder without a name."""
    assert source_of(path, stat.S_IFDIR) == Source(
        name, is_folder=True, contents_only=contents_only
    )


def test_a_file_is_no_folder() -> None:
    """A slash says that it is one."""
    assert source_of("/a/f", stat.S_IFREG) == FILE
    for path in ("/a/f/", "/a/f/."):
        with pytest.raises(InvalidInput, match="not a folder"):
            source_of(path, stat.S_IFREG)


def test_onto_nothing(tmp_path: Path) -> None:
    """It is made under that name, in a folder that must be there."""
    folder = str(tmp_path)
    for source in (FILE, FOLDER, CONTENTS):
        assert target_of(os.open, f"{folder}/new", source) == Target(folder, "new")
        with pytest.raises(NotFound, match="no such file"):
            target_of(os.open, f"{folder}/none/new", source)
    assert target_of(os.open, f"{folder}/new/", FOLDER) == Target(folder, "new")
    with pytest.raises(NotFound, match="leave the / away"):
        target_of(os.open, f"{folder}/new/", FILE)


def test_onto_a_folder(tmp_path: Path) -> None:
    """It goes into it, and contents are merged with its own."""
    for path in (str(tmp_path), f"{tmp_path}/"):
        assert target_of(os.open, path, FILE) == Target(path, "f")
        assert target_of(os.open, path, FOLDER) == Target(path, "d")
        assert target_of(os.open, path, CONTENTS) == Target(path, ".")


def test_onto_a_file(tmp_path: Path) -> None:
    """A file is written to; a folder is refused, and so is a file called a folder."""
    (tmp_path / "old").touch()
    (tmp_path / "link").symlink_to("old")
    for name in ("old", "link"):
        target = target_of(os.open, f"{tmp_path}/{name}", FILE)
        assert os.path.samestat(os.fstat(target.file_fd), os.stat(tmp_path / "old"))
        os.close(target.file_fd)
    with pytest.raises(Conflict, match="a folder cannot be copied onto a file"):
        target_of(os.open, f"{tmp_path}/old", FOLDER)
    with pytest.raises(NotFound, match="not a directory"):
        target_of(os.open, f"{tmp_path}/old/", FILE)


def test_onto_what_is_neither(tmp_path: Path) -> None:
    """Nothing is written to a FIFO, or through a link to nothing."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Conflict, match="neither"):
        target_of(os.open, f"{tmp_path}/fifo", FILE)
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(Conflict, match="link to nothing"):
        target_of(os.open, f"{tmp_path}/link", FILE)


def test_a_missing_source(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(NotFound, match="none: no such file"):
        open_source(os.open, f"{tmp_path}/none")
