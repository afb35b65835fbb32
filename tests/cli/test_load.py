"""`rootless load`, the real executable."""

import gzip
import json
import os
import re
from pathlib import Path

import images
import loading
import pytest
import zstandard
from executable import Rootless

LAYERS = [images.small_layer(), images.LayerBuilder().file("etc/motd", b"hello\n" * 300_000)]
IMAGE_ID = images.digest(images.image_config(LAYERS))


def make(form: str, folder: Path) -> Path:
    """Write the same image in one of the forms that a load takes."""
    if form.startswith("layout"):
        compression = form.partition("-")[2]
        return images.oci_layout(folder / "pic", LAYERS, tag="pic", compression=compression)
    if form == "oci-archive":
        return images.oci_archive(folder / "pic.tar", LAYERS, tag="pic")
    path = images.docker_archive(folder / "pic.tar", LAYERS, names=["localhost/pic:latest"])
    compressors = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
    compression = form.rpartition("-")[2]
    if compression in compressors:
        path.write_bytes(compressors[compression](path.read_bytes()))
    return path


FORMS = ["layout-none", "layout-gzip", "layout-zstd", "oci-archive", "docker-archive"]
FORMS += ["docker-archive-gzip", "docker-archive-zstd"]


@pytest.mark.parametrize("form", FORMS)
def test_takes_each_form(form: str, rootless: Rootless, tmp_path: Path) -> None:
    """Whatever it comes in, the image has the ID of its config, and the name it came with."""
    said = rootless("load", make(form, tmp_path))
    assert (said.status, said.stdout) == (0, "Loaded image: localhost/pic:latest\n")
    assert said.stderr == ""
    assert rootless.ok("images", "-q", "--no-trunc") == f"{IMAGE_ID}\n"


@pytest.mark.parametrize("form", FORMS[3:])
@pytest.mark.parametrize("words", [("load",), ("load", "-"), ("load", "-i", "-")])
def test_reads_a_pipe(
    form: str, words: tuple[str, ...], rootless: Rootless, tmp_path: Path
) -> None:
    """An archive on standard input is the same as one in a file."""
    said = loading.fed(rootless, make(form, tmp_path), *words)
    assert (said.status, said.stderr) == (0, "")
    assert said.stdout == "Loaded image: localhost/pic:latest\n"
    assert rootless.ok("images", "-q", "--no-trunc") == f"{IMAGE_ID}\n"


def test_takes_skopeos_words(rootless: Rootless, tmp_path: Path) -> None:
    """A source may be written as skopeo has it."""
    layout = make("layout-gzip", tmp_path)
    for word in (f"oci:{layout}", f"oci:{layout}:pic"):
        assert rootless.ok("load", word) == "Loaded image: localhost/pic:latest\n"
    archive = make("docker-archive", tmp_path)
    assert rootless.ok("load", f"docker-archive:{archive}") != ""


def test_a_terminal_is_no_archive(rootless: Rootless) -> None:
    """Without a source and with a terminal, nobody waits: one line says what to give."""
    said = loading.on_terminal(rootless, "load")
    assert said.status == 125
    assert said.stderr.count("\n") == 1
    assert "standard input is a terminal (give a SOURCE, or pipe" in said.stderr


def test_shows_progress_on_a_terminal_only(rootless: Rootless, tmp_path: Path) -> None:
    """On a terminal there is a bar, which is gone at the end; --quiet and pipes have none."""
    source = make("layout-none", tmp_path)
    assert "\x1b" not in loading.on_terminal(rootless, "load", "--quiet", source).stderr
    rootless.ok("rmi", "--all")
    assert "layer " in loading.on_terminal(rootless, "load", source).stderr


def test_several_sources(rootless: Rootless, tmp_path: Path) -> None:
    """Each source is loaded in turn."""
    one = images.oci_layout(tmp_path / "one", LAYERS[:1], tag="one")
    two = images.docker_archive(tmp_path / "two.tar", LAYERS[1:], names=["two:v2"])
    assert rootless.ok("load", one, two).splitlines() == [
        "Loaded image: localhost/one:latest",
        "Loaded image: docker.io/library/two:v2",
    ]


def test_name(rootless: Rootless, tmp_path: Path) -> None:
    """--name gives the one image another name; several images cannot share one."""
    source = make("layout-gzip", tmp_path)
    assert rootless.ok("load", "--name", "a/b:c", source) == "Loaded image: localhost/a/b:c\n"
    assert "pic" not in rootless.ok("images")
    loading.refused(rootless, "load", "-t", "x", source, source, says=("one name for several",))
    images.oci_layout(source, LAYERS[:1], tag="other")
    loading.refused(rootless, "load", "-t", "x", source, says=("has 2", f"{source}:NAME"))
    loading.refused(rootless, "load", "-t", "A b", source, says=("image name",))


def test_one_of_several(rootless: Rootless, tmp_path: Path) -> None:
    """PATH:NAME takes one image of a layout; without a name all come."""
    source = make("layout-gzip", tmp_path)
    images.oci_layout(source, LAYERS[:1], tag="other")
    assert rootless.ok("load", f"{source}:other") == "Loaded image: localhost/other:latest\n"
    assert rootless.ok("load", source).count("Loaded image") == 2
    loading.refused(rootless, "load", f"{source}:third", says=("no such image", ":third"))


def test_all_names_of_an_archive(rootless: Rootless, tmp_path: Path) -> None:
    """A docker archive's image gets all its names."""
    source = images.docker_archive(tmp_path / "a.tar", LAYERS, names=["demo:1", "quay.io/x/y:2"])
    assert rootless.ok("load", source).splitlines() == [
        "Loaded image: docker.io/library/demo:1",
        "Loaded image: quay.io/x/y:2",
    ]
    assert len(rootless.ok("images", "-q").splitlines()) == 1


def test_an_image_without_a_name(rootless: Rootless, tmp_path: Path) -> None:
    """An image that nobody named is known by its ID."""
    source = images.oci_layout(tmp_path / "x", LAYERS, tag=None)
    assert rootless.ok("load", source) == f"Loaded image: {IMAGE_ID}\n"
    assert rootless.ok("images").splitlines()[1].split()[:3] == ["<none>", "<none>", IMAGE_ID[7:19]]


def multi_platform(folder: Path) -> Path:
    """Write a layout with one name for images of two platforms."""
    layout = images.Layout(folder)
    choices = []
    for architecture in ("amd64", "s390x"):
        layer = images.LayerBuilder().file(architecture)
        descriptor = layout.add_image([layer], tag=None, config={"Cmd": [architecture]})
        choices.append({**descriptor, "platform": {"os": "linux", "architecture": architecture}})
    (folder / "index.json").unlink()
    index = {"schemaVersion": 2, "mediaType": images.INDEX_TYPE, "manifests": choices}
    inner = layout.add_blob(json.dumps(index).encode(), images.INDEX_TYPE)
    inner["annotations"] = {"org.opencontainers.image.ref.name": "multi"}
    layout.add_to_index(inner)
    return folder


def test_platform(rootless: Rootless, tmp_path: Path) -> None:
    """--platform takes that image of an index; one that is not there is refused."""
    source = multi_platform(tmp_path / "multi")
    rootless.ok("load", "--platform", "linux/s390x", source)
    assert rootless.ok("inspect", "-f", ".Config.Cmd", "multi") == '["s390x"]\n'
    says = ("no manifest for the platform: linux/arm64", "linux/amd64", "linux/s390x")
    loading.refused(rootless, "load", "--platform", "linux/arm64", source, says=says)
    loading.refused(rootless, "load", "--platform", "a/b/c/d", source, says=("not a platform",))


def test_a_name_moves_to_the_new_image(rootless: Rootless, tmp_path: Path) -> None:
    """Loading another image under a name leaves the earlier one without a name, not gone."""
    rootless.ok("load", "-t", "pic", images.oci_layout(tmp_path / "1", LAYERS[:1]))
    rootless.ok("load", "-t", "pic", images.oci_layout(tmp_path / "2", LAYERS))
    listed = json.loads(rootless.ok("images", "--format", "json"))
    assert sorted(len(image["Names"]) for image in listed) == [0, 1]
    assert rootless.ok("inspect", "-f", ".Id", "pic") == f"{IMAGE_ID[7:]}\n"


def test_a_second_load_writes_nothing_twice(rootless: Rootless, tmp_path: Path) -> None:
    """What is in the store stays as it is: only index.json may be written anew."""
    source = make("oci-archive", tmp_path)
    rootless.ok("load", source)
    before = loading.listing(rootless.home.store)
    rootless.ok("load", source)
    after = loading.listing(rootless.home.store)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed <= {"index.json"}


def test_all_or_nothing(rootless: Rootless, tmp_path: Path) -> None:
    """Where one image of a source is damaged, none of them comes in."""
    source = make("layout-gzip", tmp_path)
    layout = images.Layout(source)
    bad = layout.add_image([images.LayerBuilder().file("x", os.urandom(999))], tag="bad")
    manifest = json.loads(layout.blob_path(bad["digest"]).read_text())
    layout.blob_path(manifest["layers"][0]["digest"]).write_bytes(b"something else")
    loading.refused(rootless, "load", source, says=("wrong digest",))


def test_what_is_no_image(rootless: Rootless, tmp_path: Path) -> None:
    """Files and folders that hold no image are refused, each with its own line."""
    empty, text, rootfs = tmp_path / "empty", tmp_path / "text", tmp_path / "rootfs.tar"
    empty.touch()
    text.write_text("hello\n" * 200)
    rootfs.write_bytes(images.small_layer().tar())
    (tmp_path / "folder").mkdir()
    (tmp_path / "fifo.d").mkdir()
    os.mkfifo(tmp_path / "fifo.d" / "index.json")
    loading.refused(rootless, "load", empty, says=("is empty",))
    loading.refused(rootless, "load", text, says=("not a tar",))
    loading.refused(rootless, "load", rootfs, says=("`rootless import` takes a root file system",))
    loading.refused(rootless, "load", tmp_path / "folder", says=("neither an OCI image nor",))
    loading.refused(rootless, "load", tmp_path / "fifo.d", says=("not a regular file",))
    loading.refused(rootless, "load", tmp_path / "none", says=("no such file or folder",))
    loading.refused(rootless, "load", "-", stdin=empty, says=("standard input",))


@pytest.mark.needs_user
def test_a_source_that_cannot_be_read(rootless: Rootless, tmp_path: Path) -> None:
    """Permission denied names the file."""
    source = make("oci-archive", tmp_path)
    source.chmod(0)
    loading.refused(rootless, "load", source, says=(str(source), "permission denied"))


@pytest.mark.needs_user
def test_a_store_that_cannot_be_written(rootless: Rootless, tmp_path: Path) -> None:
    """The line names the folder and the variable that sets another."""
    said = rootless("load", make("oci-archive", tmp_path), env={"ROOTLESS_HOME": "/proc/x"})
    assert said.status == 125
    assert re.fullmatch(r"rootless: .*/proc/x.*\n", said.stderr)


def test_a_store_of_a_newer_format(rootless: Rootless, tmp_path: Path) -> None:
    """A store that a later version made is left alone."""
    rootless.ok("load", make("layout-none", tmp_path))
    (rootless.home.store / "version").write_text("2\n")
    says = ("store of a newer format (2)", "update rootless")
    loading.refused(rootless, "load", tmp_path / "pic", says=says)
    loading.refused(rootless, "images", says=says)


def test_wrong_usage(rootless: Rootless) -> None:
    """An option that there is not is one line and 125."""
    said = rootless("load", "--nonsense")
    assert said.status == 125
    assert said.stderr.count("\n") == 1
    assert "rootless load --help" in said.stderr
