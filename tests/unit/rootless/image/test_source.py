"""`rootless.image.source`: folders, archives in files; what is no file, links in a circle."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import images
import loading
import pytest

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import source
from rootless.image.byte_stream import read_up_to
from rootless.image.ingest import Expected
from rootless.image.progress import Silent
from rootless.image.source import ArchiveFile, ImageSource, LayoutFolder, Window, follow
from rootless.image.store import Store
from rootless.image.tar_members import Member
from rootless.oci.digest import sha256_of

LAYER = images.small_layer().tar()


class Told:
    """Keeps what a load tells of its progress."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []
        self.bytes = 0

    def layer(self, name: str, total: int | None) -> None:
        """Note the layer."""
        self.begun.append((name, total))

    def advance(self, n: int) -> None:
        """Note the bytes."""
        self.bytes += n


def opened(store: Store, path: Path) -> ArchiveFile:
    """Open an archive."""
    return ArchiveFile(store, os.open(path, os.O_RDONLY | os.O_CLOEXEC), str(path))


@pytest.fixture(params=["folder", "archive"])
def content(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Iterator[ImageSource]:
    """The same two files in a folder and in an archive."""
    folder = tmp_path / "source"
    (folder / "d").mkdir(parents=True)
    (folder / "d" / "document").write_bytes(b'{"a": 1}')
    (folder / "layer").write_bytes(LAYER)
    (folder / "link").symlink_to("d/document")
    (folder / "away").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    if request.param == "folder":
        yield LayoutFolder(store, str(folder))
        return
    path = tmp_path / "a.tar"
    path.write_bytes(images.folder_tar(folder))
    with closing(opened(store, path)) as archive:
        yield archive


def test_documents(content: ImageSource) -> None:
    """A document comes whole, by its name or through a link; one that is not there is None."""
    for name in ("d/document", "link"):
        assert content.document(name, 8) == b'{"a": 1}'
    for name in ("none", "d/none", "away"):
        assert content.document(name, 8) is None


def test_a_document_over_the_limit(content: ImageSource) -> None:
    """A document that is too large is refused by its name, with both sizes."""
    with pytest.raises(IntegrityError) as caught:
        content.document("d/document", 7)
    assert caught.value.what == "document is too large"
    assert caught.value.on.endswith("d/document")
    assert caught.value.fix == "8 bytes, at most 7"


def test_a_link_to_itself(content: ImageSource) -> None:
    """A circle of links ends with an error that names it."""
    with pytest.raises((IntegrityError, NotFound), match="circle"):
        content.document("circle", 100)


def test_a_layer(content: ImageSource, store: Store) -> None:
    """A layer is ingested and verified, and its bytes are told as they go by."""
    told = Told()
    staged = content.layer("layer", Expected(sha256_of(LAYER), len(LAYER)), told)
    assert staged is not None
    with closing(staged):
        assert (staged.diff_id, staged.size) == (sha256_of(LAYER), len(LAYER))
        assert staged.tar.path.read_bytes() == LAYER
    assert told.begun == [("layer", len(LAYER))]
    assert told.bytes == len(LAYER)
    assert content.layer("none", Expected(), told) is None
    assert loading.temp_files(store.root) == []


def test_a_wrong_layer(content: ImageSource, store: Store) -> None:
    """A layer that is another one is refused, and nothing of it is kept."""
    with pytest.raises(IntegrityError, match="wrong digest: layer"):
        content.layer("layer", Expected(sha256_of(b"other")), Silent())
    with pytest.raises(IntegrityError, match=r"not a valid layer: d/document"):
        content.layer("d/document", Expected(), Silent())
    assert loading.temp_files(store.root) == []


@pytest.mark.parametrize("name", ["../secret", "d/../../secret", "../layout/../secret", ".."])
def test_names_that_lead_out_of_a_folder(name: str, store: Store, tmp_path: Path) -> None:
    """A document that names files beside the layout finds nothing: they are not the image's."""
    (tmp_path / "secret").write_bytes(LAYER)
    (tmp_path / "layout" / "d").mkdir(parents=True)
    folder = LayoutFolder(store, str(tmp_path / "layout"))
    assert folder.document(name, 1 << 20) is None
    assert folder.layer(name, Expected(), Silent()) is None


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (os.mkdir, InvalidInput, "not a regular file"),
        (os.mkfifo, InvalidInput, "not a regular file"),
        (lambda path: os.symlink("/dev/zero", path), InvalidInput, "not a regular file"),
        (lambda path: os.symlink(path, path), NotFound, "cannot be read"),
    ],
    ids=["folder", "pipe", "device", "circle"],
)
def test_what_is_no_file(
    make: Callable[[Path], None],
    error: type[Exception],
    says: str,
    store: Store,
    tmp_path: Path,
) -> None:
    """A pipe or a device in the place of a file is refused, and nobody waits for it."""
    make(tmp_path / "index.json")
    with pytest.raises(error, match=f"{says}: {tmp_path}/index.json"):
        LayoutFolder(store, str(tmp_path)).document("index.json", 100)


@pytest.mark.needs_user
def test_a_file_without_permission(store: Store, tmp_path: Path) -> None:
    """A file that may not be read is not taken for one that is not there."""
    (tmp_path / "index.json").touch(0o000)
    with pytest.raises(NotFound) as caught:
        LayoutFolder(store, str(tmp_path)).document("index.json", 100)
    assert str(caught.value) == f"cannot be read: {tmp_path}/index.json: permission denied"


def test_the_last_of_two_members(store: Store, tmp_path: Path) -> None:
    """Of two members with one name the later is meant, as an extraction has it."""
    path = tmp_path / "a.tar"
    path.write_bytes(images.LayerBuilder().file("x", b"old").file("./x", b"new").tar())
    with closing(opened(store, path)) as archive:
        assert archive.document("x", 10) == b"new"


@pytest.mark.parametrize("cut", [1, 511, 512, 1000, 1536])
def test_an_archive_that_breaks_off(cut: int, store: Store, tmp_path: Path) -> None:
    """An archive that ends within a member is refused, and its file closed."""
    path = tmp_path / "a.tar"
    whole = images.LayerBuilder().file("x", bytes(2048)).tar(end=b"")
    path.write_bytes(whole[:-cut])
    with pytest.raises(IntegrityError, match=f"archive ends early: {path}"):
        opened(store, path)


def test_the_padding_of_the_last_member(store: Store, tmp_path: Path) -> None:
    """Zeros that only fill the last block may be missing; the content is whole."""
    path = tmp_path / "a.tar"
    path.write_bytes(images.header(b"x", size=700) + b"y" * 700)
    with closing(opened(store, path)) as archive:
        assert archive.document("x", 700) == b"y" * 700


def test_an_archive_closed_twice(store: Store, tmp_path: Path) -> None:
    """A second close does not close somebody else's file."""
    path = tmp_path / "a.tar"
    path.write_bytes(images.LayerBuilder().file("x").tar())
    archive = opened(store, path)
    archive.close()
    with path.open("rb") as other:
        archive.close()
        assert other.read(1) == b"x"


def test_an_archive_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    """What the kernel says about the file is told with its name."""
    with pytest.raises(NotFound, match=r"cannot be read: a\.tar: is a directory"):
        ArchiveFile(store, os.open(tmp_path, os.O_RDONLY | os.O_CLOEXEC), "a.tar")


def test_links_between_members() -> None:
    """A symbolic link is relative to its folder, a hard link to the archive; both may lead on."""
    known = {
        "d/f": Member("d/f", 0, 1),
        "d/s": Member("d/s", 0, 0, "f", is_symlink=True),
        "s": Member("s", 0, 0, "d/../d/s", is_symlink=True),
        "h": Member("h", 0, 0, "./s"),
        "out": Member("out", 0, 0, "../d/f", is_symlink=True),
        "absolute": Member("absolute", 0, 0, "/d/f", is_symlink=True),
    }
    for name in ("d/f", "d/s", "s", "h"):
        assert follow(known, name) == known["d/f"]
    for name in ("out", "absolute", "none"):
        assert follow(known, name) is None


def test_links_in_a_circle() -> None:
    """A chain of links ends after eight, in a circle or not."""
    known = {str(i): Member(str(i), 0, 0, str(i + 1)) for i in range(7)}
    known["7"] = Member("7", 0, 1)
    assert follow(known, "0") == known["7"]
    known["7"] = Member("7", 0, 0, "0")
    with pytest.raises(IntegrityError, match="links of the archive lead in a circle"):
        follow(known, "0")


def test_a_window(tmp_path: Path) -> None:
    """A part of a file reads as a stream that ends with the part; the file's position stays."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        window = Window(file.fileno(), 2, 5, "file")
        assert window.read(2) == b"23"
        assert read_up_to(window, 100) == b"456"
        assert window.read(1) == b""
        assert Window(file.fileno(), 8, 5, "file").readall() == b"89"
        assert file.tell() == 0
        assert io.BufferedReader(Window(file.fileno(), 0, 10, "file")).read() == b"0123456789"


def test_a_window_that_cannot_be_read(tmp_path: Path) -> None:
    """What the kernel says is told with the name of the whole."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with pytest.raises(NotFound, match=r"cannot be read: a\.tar: is a directory"):
            Window(fd, 0, 10, "a.tar").read(10)
    finally:
        os.close(fd)


def test_open_regular(tmp_path: Path) -> None:
    """A missing file is the kernel's error, for callers to whom it is none."""
    with pytest.raises(FileNotFoundError):
        source.open_regular(str(tmp_path / "none"))
    (tmp_path / "file").write_bytes(b"x")
    fd = source.open_regular(str(tmp_path / "file"))
    try:
        assert os.read(fd, 10) == b"x"
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)
