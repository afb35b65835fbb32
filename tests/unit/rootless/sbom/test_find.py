"""`rootless.sbom.find`: the packages of an image of every kind at once."""

from pathlib import Path

import images
import pytest
import rpm_database as made

from rootless.errors import IntegrityError
from rootless.image import names, trees
from rootless.image.load import load
from rootless.image.names import Located
from rootless.image.store import Store
from rootless.paths import Paths
from rootless.sbom import find as finding
from rootless.sbom.find import find
from rootless.sbom.package import Distribution

SITE = "usr/lib/python3/site-packages"


def place(tmp_path: Path, *layers: images.LayerBuilder) -> Located:
    """Load an image of these layers and return where its files are."""
    root = tmp_path / "store"
    paths = Paths(store=root, runtime=tmp_path / "run", scratch=root / "scratch")
    store = Store.open(paths, create=True)
    load(store, str(images.oci_layout(tmp_path / "layout", layers)), name="a")
    return trees.place_of(store, names.resolve(store, "a"))


def everything() -> images.LayerBuilder:
    """A layer with packages of every kind."""
    rpm = made.header({made.NAME: "bash", made.VERSION: "5", made.RELEASE: "1"})
    return (
        images.LayerBuilder()
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("usr/lib/os-release", b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n')
        .file("var/lib/dpkg/status", b"Package: libc6\nVersion: 2\n")
        .file("var/lib/dpkg/status.d/base", b"Package: base-files\nVersion: 12\n")
        .file("var/lib/dpkg/status.d/base.md5sums", b"Package: no\nVersion: 1\n")
        .file("lib/apk/db/installed", b"P:musl\nV:1\n")
        .symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm")
        .file("usr/lib/sysimage/rpm/rpmdb.sqlite", made.database([rpm]))
        .file(f"{SITE}/A-1.dist-info/METADATA", b"Name: A\nVersion: 1\n")
        .file(f"{SITE}/B.egg-info", b"Name: B\nVersion: 2\n")
        .directory(f"{SITE}/C.dist-info")
        .symlink(f"{SITE}/D.dist-info", "A-1.dist-info")
    )


def test_every_kind(tmp_path: Path) -> None:
    """All managers' files are read, each once, links followed inside the image."""
    found = find(place(tmp_path, everything()))
    assert found.distribution == Distribution("debian", "12", "Debian 12")
    assert [(each.kind, each.name, each.version) for each in found.packages] == [
        ("apk", "musl", "1"),
        ("deb", "base-files", "12"),
        ("deb", "libc6", "2"),
        ("pypi", "A", "1"),
        ("pypi", "B", "2"),
        ("rpm", "bash", "5-1"),
    ]
    assert found.packages[3].path == f"/{SITE}/A-1.dist-info/METADATA"
    assert found.unread == ()


def test_what_was_deleted_is_not_there(tmp_path: Path) -> None:
    """The image counts, not its layers."""
    upper = images.LayerBuilder().whiteout("var/lib/dpkg").whiteout(f"{SITE}/A-1.dist-info")
    kinds = {each.name for each in find(place(tmp_path, everything(), upper)).packages}
    assert kinds == {"musl", "B", "bash"}


def test_without_any(tmp_path: Path) -> None:
    """An image without packages has none; a database beside the one that counts is named."""
    folder = "usr/lib/sysimage/rpm"
    layer = images.LayerBuilder().symlink("var/lib/rpm", f"/{folder}")
    layer.file(f"{folder}/rpmdb.sqlite", b"").file(f"{folder}/Packages.db", made.ndb([]))
    layer.file(f"{folder}/Packages", b"\0" * 16).file(f"{folder}/rpmdb.sqlite-wal", b"log")
    found = find(place(tmp_path, layer))
    assert (found.packages, found.distribution) == ((), Distribution())
    assert found.unread == (f"/{folder}/Packages", f"/{folder}/rpmdb.sqlite-wal")


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, and a list, that no honest image has are refused."""
    where = place(tmp_path, everything())
    monkeypatch.setattr(finding, "_MOST_PACKAGES", 2)
    with pytest.raises(IntegrityError, match="more than 2 packages"):
        find(where)
    monkeypatch.setattr(finding, "_MAX_TEXT", 10)
    with pytest.raises(IntegrityError, match=r"too large.*: /var/lib/dpkg/status"):
        find(where)
