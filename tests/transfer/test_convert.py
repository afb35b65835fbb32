"""`rootless convert`: an image in other forms, judged by the programs that read them."""

import io
import json
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import images
import loading
import pytest
from executable import Home, Rootless
from peers import tool

LOWER = (
    images.LayerBuilder()
    .directory("./", mode=0o751)
    .directory("etc")
    .file("etc/shadow", b"secret", mode=0o640, gid=42)
    .file("suid", b"#!", mode=0o4755)
    .file("gone", b"")
    .hard_link("hard", "suid")
    .symlink("link", "/etc/shadow")
    .device("null", "c", 1, 3, mode=0o666)
    .fifo("fifo")
    .file("attributes", b"a", xattrs={"user.k": b"v\0w"})
    .file("time", b"t", mtime=1234567890)
    .file("far", b"f", uid=3_000_000_000)
)
UPPER = images.LayerBuilder().whiteout("gone").file("new", b"n" * 100_000, uid=5, gid=6)


@pytest.fixture
def mixed(rootless: Rootless, tmp_path: Path) -> Rootless:
    """Give the executable with an image that has one of each, `mixed`."""
    archive = images.docker_archive(tmp_path / "i.tar", [LOWER, UPPER], names=["localhost/mixed"])
    rootless.ok("load", "-q", archive)
    return rootless


def test_squashfs_has_all_that_the_image_has(mixed: Rootless, tmp_path: Path) -> None:
    """Owners, devices, links, attributes and times, made by an ordinary user without unpacking."""
    out = tmp_path / "out.sqfs"
    mixed.ok("convert", "--to", "squashfs", "mixed", out)
    listed = tool("unsquashfs", "-lln", out)
    found = {line.split("squashfs-root", 1)[1]: line for line in listed.splitlines()}
    assert found[""].startswith("drwxr-x--x 0/0 ")
    assert found["/etc/shadow"].startswith("-rw-r----- 0/42 ")
    assert found["/suid"].startswith("-rwsr-xr-x 0/0 ")
    assert found["/null"].startswith("crw-rw-rw- 0/0 ")
    assert "1,  3" in found["/null"]
    assert found["/fifo"].startswith("prw-r--r-- 0/0 ")
    assert found["/new"].startswith("-rw-r--r-- 5/6 ")
    assert found["/far"].startswith("-rw-r--r-- 3000000000/0 ")
    assert "2009-02-1" in found["/time"]
    assert "/link -> /etc/shadow" in found
    assert "/gone" not in found
    tool("unsquashfs", "-q", "-d", tmp_path / "un", out, "attributes", "new", "suid", "hard")
    assert os.getxattr(tmp_path / "un/attributes", "user.k") == b"v\0w"
    assert (tmp_path / "un/new").read_bytes() == b"n" * 100_000
    assert (tmp_path / "un/suid").stat().st_ino == (tmp_path / "un/hard").stat().st_ino


def test_same_image_makes_the_same_squashfs(mixed: Rootless, tmp_path: Path) -> None:
    """Byte for byte, whenever it is made."""
    for name in ("a", "b"):
        mixed.ok("convert", "--to", "squashfs", "mixed", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_squashfs_without_the_program(mixed: Rootless, tmp_path: Path) -> None:
    """One line that names it."""
    result = mixed("convert", "--to", "squashfs", "mixed", tmp_path / "x", env={"PATH": "/nowhere"})
    assert result.status == 125
    assert result.stderr.startswith("rootless: no program makes squashfs files: mksquashfs")


@pytest.mark.both_users
def test_folder_by_the_users_ids(mixed: Rootless, tmp_path: Path) -> None:
    """What the user cannot have is left out or his own, and told in a line each."""
    out = tmp_path / "root"
    result = mixed("convert", "--to", "dir", "mixed", out)
    assert (result.status, result.stdout) == (0, "")
    lines = result.stderr.splitlines()
    assert lines[0] == "rootless: left out: null (a device)"
    assert "belong to you that belong to others in the image" in lines[1]
    assert len(lines) == 2
    assert stat.S_IMODE(out.stat().st_mode) == 0o751
    assert out.stat().st_uid == os.getuid()
    assert stat.S_IMODE((out / "suid").stat().st_mode) == 0o4755
    assert (out / "suid").stat().st_ino == (out / "hard").stat().st_ino
    assert os.readlink(out / "link") == "/etc/shadow"
    assert stat.S_ISFIFO((out / "fifo").stat().st_mode)
    assert (out / "time").stat().st_mtime == 1234567890
    assert not (out / "gone").exists()
    assert sorted(os.listdir(tmp_path)) == ["i.tar", "root"]
    remove(out)


def remove(folder: Path) -> None:
    """Remove a folder with files of sub-IDs, as docs/images.md says."""
    subprocess.run(["rm", "-rf", folder], capture_output=True, check=False)
    if folder.exists():
        words = ["unshare", "--map-root-user", "--map-auto", "rm", "-rf", folder]
        subprocess.run(words, check=True)


@pytest.mark.needs_subid
@pytest.mark.needs_user
def test_owners_are_the_users_sub_ids(mixed: Rootless, tmp_path: Path) -> None:
    """As `podman unshare` and `unshare --map-auto` show them."""
    out = tmp_path / "root"
    mixed("convert", "--to", "dir", "mixed", out)
    words = ["unshare", "--map-root-user", "--map-auto", "stat", "-c", "%u:%g", out / "new"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    remove(out)
    assert shown == "5:6\n"


def test_all_files_ones_own(mixed: Rootless, tmp_path: Path) -> None:
    """--single-owner asks for it; such a folder is removed like any other."""
    mixed.ok("convert", "--to", "dir", "--single-owner", "mixed", tmp_path / "root")
    assert (tmp_path / "root/new").stat().st_uid == os.getuid()
    subprocess.run(["rm", "-r", tmp_path / "root"], check=True)


def test_hostile_links_lead_nowhere(rootless: Rootless, tmp_path: Path) -> None:
    """A link to a folder of the host, and a member below it in the next layer."""
    target = tmp_path / "host"
    target.mkdir()
    layers = [
        images.LayerBuilder().symlink("out", str(target)).symlink("up", "../../host"),
        images.LayerBuilder().file("out/a", b"a").file("up/b", b"b"),
    ]
    archive = images.docker_archive(tmp_path / "i.tar", layers, names=["localhost/hostile"])
    rootless.ok("load", "-q", archive)
    rootless("convert", "--to", "dir", "--single-owner", "hostile", tmp_path / "root")
    assert os.listdir(target) == []


@pytest.mark.parametrize("form", ["estargz", "zstd-chunked"])
def test_chunked_layers_load_and_run_as_before(
    form: str, mixed: Rootless, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An archive by default; its layers say that they can be fetched in parts."""
    out = tmp_path / "chunked.tar"
    mixed.ok("convert", "--to", form, "mixed", out)
    raw = json.loads(tool("skopeo", "inspect", "--raw", f"oci-archive:{out}"))
    key = "stargz/toc.digest" if form == "estargz" else "zstd-chunked.manifest-checksum"
    for layer in raw["layers"]:
        assert any(name.endswith(key) for name in layer["annotations"])
    other = Rootless(Home.make(tmp_path_factory.mktemp("other")))
    other.ok("load", "-q", "-t", "chunked", out)
    listed = []
    for user, name in ((mixed, "mixed"), (other, "chunked")):
        plain = user.home.path / "root.sqfs"
        user.ok("convert", "--to", "squashfs", name, plain)
        lines = tool("unsquashfs", "-lln", plain).splitlines()[1:]
        own = ("/stargz.index.json", "/.no.prefetch.landmark")  # what eStargz adds
        listed.append([line for line in lines if not line.endswith(own)])
    assert listed[0] == listed[1]


def test_forms_of_layers(mixed: Rootless, tmp_path: Path) -> None:
    """OCI layouts and docker archives are what `rootless copy` writes."""
    mixed.ok("convert", "--to", "oci", "mixed", f"{tmp_path}/l:name")
    assert (tmp_path / "l/oci-layout").exists()
    mixed.ok("convert", "--to", "docker-archive", "mixed", tmp_path / "d.tar")
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "d.tar").read_bytes())) as tar:
        assert "manifest.json" in tar.getnames()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "zip", "mixed", "{}/x"), "no such form: zip"),
        (("--to", "squashfs", "nobody", "{}/x"), "no such image: nobody"),
        (("--to", "squashfs", "mixed", "{}/no/x"), "no such folder"),
        (("--to", "squashfs", "--compression-format", "zip", "mixed", "{}/x"), "mksquashfs failed"),
        (("--to", "dir", "mixed", "{}"), "the destination exists"),
        (("--to", "estargz", "mixed", "docker-archive:{}/x"), "no estargz layers there"),
        (("--to", "oci", "mixed", "docker-archive:{}/x"), "not oci"),
    ],
)
def test_refusals_are_one_line(
    mixed: Rootless, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    """And leave nothing."""
    before = loading.listing(tmp_path)
    result = mixed("convert", *(word.format(tmp_path) for word in words))
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr.startswith(f"rootless: {says}")
    assert len(result.stderr.splitlines()) == 1
    assert loading.listing(tmp_path) == before
