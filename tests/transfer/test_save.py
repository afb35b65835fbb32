"""`rootless save`: what other programs and we ourselves read back."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import loading
import pytest
from executable import Home, Rootless
from peers import tool


def shown(rootless: Rootless, name: str) -> tuple[str, list[str]]:
    """Return image ID and diff IDs as rootless shows them."""
    (document,) = json.loads(rootless.ok("inspect", name))
    return f"sha256:{document['Id']}", document["RootFS"]["Layers"]


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci-dir"])
def test_image_comes_back(
    form: str, pic: Rootless, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Image ID and diff IDs are the same for skopeo, and for a user who loads it."""
    check(pic, "pic", form, tmp_path, Home.make(tmp_path_factory.mktemp("other")))


def test_demo_image_comes_back(
    demo: Rootless, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A real one too."""
    other = Home.make(tmp_path_factory.mktemp("other"))
    check(demo, "debian-demo", "oci-archive", tmp_path, other)


def check(rootless: Rootless, name: str, form: str, folder: Path, home: Home) -> None:
    """Save; let skopeo verify every blob; load as another user."""
    out = folder / "out"
    rootless.ok("save", "-q", "--format", form, "-o", out, name)
    source = f"{'oci' if form == 'oci-dir' else form}:{out}"
    config = json.loads(tool("skopeo", "inspect", "--config", source))
    image_id, diff_ids = shown(rootless, name)
    assert config["rootfs"]["diff_ids"] == diff_ids
    tool("skopeo", "copy", "-q", source, f"oci:{folder}/verified:x")
    other = Rootless(home)
    assert other.ok("load", "-q", out) == f"Loaded image: localhost/{name}:latest\n"
    assert shown(other, name) == (image_id, diff_ids)


def test_archive_of_several_goes_through_a_pipe(
    pic: Rootless, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`rootless save A B | rootless load`, in both forms."""
    pic.ok("tag", "pic", "second:2")
    for form in ("docker-archive", "oci-archive"):
        other = Rootless(Home.make(tmp_path_factory.mktemp("other")))
        saving = pic.start("save", "--format", form, "pic", "second:2", stdout=subprocess.PIPE)
        loading_ = other.start("load", "-q", stdin=saving.stdout, stdout=subprocess.PIPE)
        assert saving.stdout is not None
        saving.stdout.close()
        out, _ = loading_.communicate(timeout=30)
        assert saving.wait(30) == 0
        assert sorted(out.decode().split()[2::3]) == ["localhost/pic:latest", "localhost/second:2"]
        assert shown(other, "pic") == shown(pic, "pic")


def test_skopeo_copies_our_dir(pic: Rootless, tmp_path: Path) -> None:
    """docker-dir is skopeo's `dir:` with a manifest of Docker's."""
    pic.ok("save", "--format", "docker-dir", "-o", tmp_path / "d", "pic")
    tool("skopeo", "copy", "-q", f"dir:{tmp_path}/d", f"oci:{tmp_path}/o:x")
    image_id, _ = shown(pic, "pic")
    raw = json.loads(tool("skopeo", "inspect", "--raw", f"dir:{tmp_path}/d"))
    assert raw["config"]["digest"] == image_id
    assert raw["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_umoci_unpacks_our_layout(pic: Rootless, tmp_path: Path) -> None:
    """An OCI layout that a strict reader takes."""
    pic.ok("save", "--format", "oci-dir", "-o", tmp_path / "l", "pic")
    found = tool("umoci", "list", "--layout", tmp_path / "l")
    assert found.split() == ["localhost/pic:latest"]
    image = f"{tmp_path}/l:localhost/pic:latest"
    tool("umoci", "unpack", "--rootless", "--image", image, tmp_path / "b")
    assert (tmp_path / "b/rootfs/b").read_bytes() == b"b" * 300_000


def test_nothing_is_written_to_a_terminal(pic: Rootless) -> None:
    """It would be of no use there."""
    ours, theirs = os.openpty()
    try:
        process = pic.start("save", "pic", stdout=theirs, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 125
    assert said.decode().startswith("rootless: no archive is written to a terminal")


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_reader_that_had_enough(demo: Rootless, form: str) -> None:
    """`rootless save … | head` ends quietly, as any program in a pipeline."""
    process = demo.start(
        "save", "--format", form, "debian-demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(30) == 128 + signal.SIGPIPE
    process.stderr.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "{}/x", "nobody"), "no such image: nobody"),
        (("-o", "/dev/full", "pic"), "no space left on the device: /dev/full"),
        (("--format", "oci-archive", "-o", "/dev/full", "pic"), "no space left on the device: /d"),
        (("-o", "{}/nowhere/x", "pic"), "no such folder: "),
        (("-o", "{}", "pic"), "a folder is in the place of a file"),
        (("--format", "oci-dir", "-o", "{}", "pic"), "the destination exists"),
        (("--format", "tar", "-o", "{}/x", "pic"), "no such format: tar"),
        (("--compression-format", "lzma", "-o", "{}/x", "pic"), "no such compression: lzma"),
        (("--format", "oci-dir", "pic"), "a folder cannot be written to standard output"),
    ],
)
def test_refusals_are_one_line(
    pic: Rootless, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    """And leave what is there as it is."""
    (tmp_path / "mine").touch()
    before = loading.listing(tmp_path)
    result = pic("save", *(word.format(tmp_path) for word in words))
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr.startswith(f"rootless: {says}")
    assert len(result.stderr.splitlines()) == 1
    assert loading.listing(tmp_path) == before


@pytest.mark.needs_user
def test_folder_of_others_is_no_place(pic: Rootless) -> None:
    """No permission is a line."""
    result = pic("save", "-o", "/usr/lib/x", "pic")
    assert (result.status, result.stderr) == (125, "rootless: no permission: /usr/lib/x\n")


@pytest.mark.parametrize("form", ["oci-archive", "oci-dir"])
def test_killed_in_the_middle(demo: Rootless, tmp_path: Path, form: str) -> None:
    """After kill -9 nothing has the name, or the old file has it; the next save works."""
    out = tmp_path / "out"
    for fraction in (0.4, 0.9):
        process = demo.start("save", "--format", form, "-o", out, "debian-demo")
        time.sleep(fraction * 0.7)
        process.send_signal(signal.SIGKILL)
        if process.wait(10) == -signal.SIGKILL:
            assert not out.exists()
        elif out.is_dir():
            subprocess.run(["rm", "-r", out], check=True)
        else:
            out.unlink()
    demo.ok("save", "--format", form, "-o", out, "debian-demo")
    assert os.listdir(tmp_path) == ["out"]
