"""`rootless.image.import_rootfs`: a root file system becomes an image, or nothing stays."""

import gzip
import json
import os
import socket
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import images
import loading
import pytest

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import gc, names, trees
from rootless.image.import_rootfs import ImportedImage, Settings, import_rootfs
from rootless.image.lock import STORE_LOCK
from rootless.image.store import Store
from rootless.oci.digest import sha256_of
from rootless.oci.image_index import host_platform

CREATED = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
TAR = images.small_layer().tar()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A root file system of one file."""
    (tmp_path / "rootfs" / "etc").mkdir(parents=True)
    (tmp_path / "rootfs" / "etc" / "hostname").write_text("here\n")
    return tmp_path / "rootfs"


def tar(folder: Path, data: bytes = TAR) -> str:
    """Write a tar of a root file system; return its path."""
    (folder / "rootfs.tar").write_bytes(data)
    return str(folder / "rootfs.tar")


def imported(store: Store, source: str | Path, name: str = "pic") -> ImportedImage:
    """Import at a time that is known."""
    return import_rootfs(store, str(source), created=CREATED, name=name)


def refusal(
    store: Store,
    source: str | Path,
    kind: type[Exception] = InvalidInput,
    settings: Settings | None = None,
) -> str:
    """Return the error of an import; the store is as before."""
    store.lock_path(STORE_LOCK).touch()  # it stays, between imports
    before = loading.listing(store.root)
    with pytest.raises(kind) as caught:
        import_rootfs(store, str(source), created=CREATED, name="pic", settings=settings)
    assert loading.listing(store.root) == before
    return str(caught.value)


@pytest.mark.parametrize("compression", images.COMPRESSORS)
def test_a_tar(compression: str, store: Store, tmp_path: Path) -> None:
    """The layer is the tar itself, decompressed."""
    image = imported(store, tar(tmp_path, images.COMPRESSORS[compression](TAR)))
    assert (image.reference, image.left_out) == ("localhost/pic:latest", ())
    found = names.resolve(store, "pic")
    assert found.config_digest == image.config_digest
    assert found.config.diff_ids == (sha256_of(TAR),)
    assert store.blob_path(sha256_of(TAR)).read_bytes() == TAR
    assert trees.read_file(store, found, b"etc/passwd") == b"root:x:0:0:root:/root:/bin/sh\n"


def test_a_folder(store: Store, folder: Path) -> None:
    """What lies in the folder is at the image's root."""
    imported(store, folder)
    assert trees.read_file(store, names.resolve(store, "pic"), b"etc/hostname") == b"here\n"


def test_standard_input(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is a tar that goes by, and is read to its end."""
    path = tar(tmp_path, gzip.compress(TAR))
    with open(path, encoding="latin-1") as file:
        monkeypatch.setattr(sys, "stdin", file)
        imported(store, "-")
        assert file.read() == ""
    assert names.resolve(store, "pic").config.diff_ids == (sha256_of(TAR),)


def test_no_standard_input(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a standard input there is nothing to import."""
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(store, "-") == ("nothing to import: standard input is closed (pipe a tar in)")


def test_the_config(store: Store, tmp_path: Path) -> None:
    """The config says what was asked for, the host's platform, and the time to the second."""
    settings = Settings(
        env=("A=1", "B="),
        entrypoint=("/bin/sh", "-c"),
        cmd=("id",),
        working_dir="/srv",
        user="1:2",
        labels={"a": "b"},
        message="made by hand",
    )
    created = CREATED.astimezone(timezone(timedelta(hours=5)))
    image = import_rootfs(store, tar(tmp_path), created=created, settings=settings)
    document = json.loads(store.blob_path(image.config_digest).read_bytes())
    assert document["created"] == "2024-05-06T07:08:09Z"
    assert document["architecture"] == host_platform().architecture
    assert document["config"] == {
        "Env": ["A=1", "B="],
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["id"],
        "WorkingDir": "/srv",
        "User": "1:2",
        "Labels": {"a": "b"},
    }
    assert document["history"] == [
        {
            "created": "2024-05-06T07:08:09Z",
            "created_by": "rootless import",
            "comment": "made by hand",
        }
    ]


def test_nothing_is_said_that_was_not_asked_for(store: Store, tmp_path: Path) -> None:
    """Without settings the config's part about the process is empty."""
    image = imported(store, tar(tmp_path))
    assert json.loads(store.blob_path(image.config_digest).read_bytes())["config"] == {}


def test_without_a_name(store: Store, tmp_path: Path) -> None:
    """An image needs no name; its ID leads to it, and a collection leaves it."""
    image = imported(store, tar(tmp_path), name="")
    assert image.reference == ""
    assert names.resolve(store, image.config_digest).reference == ""
    assert gc.collect(store) == 0


def test_again(store: Store, tmp_path: Path) -> None:
    """The same tar at the same time is the same image, and no file more."""
    path = tar(tmp_path)
    first = imported(store, path)
    before = loading.objects(store.root)
    assert imported(store, path) == first
    assert loading.objects(store.root) == before


def test_what_was_left_out(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is no part of an image; the user is told."""
    monkeypatch.chdir(folder)  # a socket's path has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    image = imported(store, folder)
    assert len(image.left_out) == 1
    assert "socket" in image.left_out[0]


def test_what_is_no_tar(store: Store, tmp_path: Path) -> None:
    """Another file, an empty one and a tar that breaks off are refused by their path."""
    for data in (b"hello\n" * 200, b"", TAR[:-2000], gzip.compress(TAR)[:-5]):
        path = tar(tmp_path, data)
        assert path in refusal(store, path, IntegrityError)


@pytest.mark.parametrize("files", [("oci-layout", "index.json"), ("manifest.json", "repositories")])
def test_an_image_is_not_a_root_file_system(
    files: tuple[str, str], store: Store, tmp_path: Path
) -> None:
    """An archive of an image is sent to `rootless load`; one of its files alone means nothing."""
    path = tar(tmp_path, images.LayerBuilder().file(files[0]).file(files[1]).tar())
    assert refusal(store, path) == (
        f"an image, not a root file system: {path} (rootless load {path})"
    )
    imported(store, tar(tmp_path, images.LayerBuilder().file(files[0]).tar()))


def test_what_is_not_there(store: Store, tmp_path: Path) -> None:
    """A missing source is named, with what it must be."""
    path = tmp_path / "none"
    assert refusal(store, path, NotFound) == (
        f"cannot be read: {path}: no such file or directory "
        "(give a folder or a tar of a root file system)"
    )


@pytest.mark.needs_user
def test_a_file_that_may_not_be_read(store: Store, folder: Path) -> None:
    """One file that the user may not read is named; the rest is not made an image without it."""
    os.chmod(folder / "etc" / "hostname", 0)
    assert "etc/hostname: permission denied" in refusal(store, folder, NotFound)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (Settings(env=("A=1", "NAME")), "not a variable: NAME (NAME=VALUE)"),
        (Settings(env=("=x",)), "not a variable: =x (NAME=VALUE)"),
        (Settings(working_dir="srv"), "working directory must be an absolute path: srv"),
        (Settings(labels={"": "x"}), "label without a name: x (NAME=VALUE)"),
        (Settings(env=("A=\udcff",)), "not valid UTF-8, which an image config must be: A=\udcff"),
        (Settings(cmd=("a\0",)), "not valid UTF-8, which an image config must be: a\0"),
        (
            Settings(labels={"a": "\udc80"}),
            "not valid UTF-8, which an image config must be: \udc80",
        ),
    ],
)
def test_settings_that_no_config_can_hold(
    settings: Settings, text: str, store: Store, tmp_path: Path
) -> None:
    """They are refused before anything is read."""
    assert refusal(store, tmp_path / "none", InvalidInput, settings) == text


def test_a_name_that_is_none(store: Store, tmp_path: Path) -> None:
    """A name that cannot be kept is refused before anything is read."""
    for name in ("UPPER", f"pic@{sha256_of(b'')}"):
        with pytest.raises(InvalidInput):
            imported(store, tmp_path / "none", name=name)
