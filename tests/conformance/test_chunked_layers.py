"""eStargz and zstd:chunked: what skopeo writes and we read, what we write and podman reads.

podman fetches a layer in pieces, by its table of contents, where storage.conf allows that and its
driver is the overlay; where it finds fault with the table it fetches the whole layer and says so.
"""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chunked_blobs
import images
import pytest
from chunked_blobs import Blob, of_plan, of_tar
from random_image import Palette, random_layers
from registries import RegistryServer, fill

from rootless.chunked.toc import Kind

# Go writes a table of contents in which names that are no text are lost
TEXT = Palette(names=tuple(name for name in Palette().names if name != b"\xff\xfe"))


def run(*words: str | Path, environ: dict[str, str] | None = None) -> str:
    """Run a program, expect success, return all that it printed."""
    done = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
        env=environ,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}"
    return done.stdout


def of_skopeo(source: str, folder: Path) -> list[Blob]:
    """Return the layers of an image as skopeo writes them in zstd:chunked."""
    options = ("--dest-compress", "--dest-compress-format=zstd:chunked", "--dest-compress-level=1")
    run("skopeo", "copy", "-q", *options, source, f"dir:{folder}")
    layers = json.loads((folder / "manifest.json").read_text())["layers"]
    return [
        Blob(
            (folder / layer["digest"].partition(":")[2]).read_bytes(),
            layer["mediaType"],
            layer["annotations"],
        )
        for layer in layers
    ]


def test_random_layers_of_skopeo(tmp_path: Path) -> None:
    """The index and the contents by the table are those of the tar."""
    layers = random_layers(7, 6, palette=TEXT)
    large = os.urandom(300_000) + bytes(200_000) + b"x" * 150_000
    layers.append(images.LayerBuilder().file("large", large).file("zeros", bytes(100_000)))
    layout = images.oci_layout(tmp_path / "layout", layers)
    blobs = of_skopeo(f"oci:{layout}:latest", tmp_path / "written")
    assert len(blobs) == 7
    for layer, blob in zip(layers, blobs, strict=True):
        assert blob.tar() == layer.tar()
        found, plan = of_plan(tmp_path, blob)
        assert found == of_tar(tmp_path, layer.tar())
    assert len(plan.chunks) > 5


@pytest.mark.slow
def test_a_real_image_of_skopeo(demo_image: str, tmp_path: Path) -> None:
    """A Debian: every file, every attribute."""
    for blob in of_skopeo(f"oci:{demo_image}", tmp_path / "written"):
        found, _ = of_plan(tmp_path, blob)
        assert found == of_tar(tmp_path, blob.tar())


def written(folder: Path, kind: Kind, layers: Sequence[bytes], **options: Any) -> str:
    """Write an image of layers with tables of contents; return skopeo's name of it."""
    layout = images.Layout(folder)
    descriptors, diff_ids = [], []
    for tar in layers:
        blob, facts = chunked_blobs.write(kind, tar, **options)
        descriptor = layout.add_blob(blob.data, facts.media_type)
        descriptors.append(descriptor | {"annotations": dict(facts.annotations)})
        diff_ids.append(facts.diff_id)
    config = json.loads(images.image_config([]))
    config["rootfs"]["diff_ids"] = diff_ids
    config["history"] = []
    manifest = {
        "schemaVersion": 2,
        "mediaType": images.MANIFEST_TYPE,
        "config": layout.add_blob(json.dumps(config).encode(), images.CONFIG_TYPE),
        "layers": descriptors,
    }
    found = layout.add_blob(json.dumps(manifest).encode(), images.MANIFEST_TYPE)
    layout.add_to_index(found | {"annotations": {"org.opencontainers.image.ref.name": "x"}})
    return f"oci:{folder}:x"


STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "{folder}/run"
[storage.options]
pull_options = {{enable_partial_images = "true", use_hard_links = "false", ostree_repos = ""}}
"""

Facts = dict[str, tuple[Any, ...]]


def facts(archive: tarfile.TarFile) -> Facts:
    """Return names, kinds, permissions, targets and contents of an archive.

    Not owners and times: what podman 4.3 fetches in pieces is all of root and of today.
    """
    found: Facts = {}
    for each in archive:
        content = archive.extractfile(each) if each.isfile() else None
        found[each.name.removeprefix("./")] = (
            each.type if not each.islnk() else tarfile.REGTYPE,
            each.mode if not each.issym() else 0,
            each.linkname if each.issym() else "",
            content.read() if content else b"",
        )
    return found


@pytest.mark.needs_subid
@pytest.mark.needs_fuse
@pytest.mark.parametrize("kind", chunked_blobs.KINDS)
def test_podman_pulls_ours_in_pieces(
    kind: Kind, plain_registry: RegistryServer, tmp_path: Path
) -> None:
    """It takes the table of contents for good, and the files are those of the tar."""
    layer = (
        images.LayerBuilder()
        .directory("etc")
        .file("etc/passwd", b"root:x:0:0::/:/bin/sh\n", uid=3, gid=4, mode=0o640)
        .file("etc/big", os.urandom(200_000) + bytes(90_000), mode=0o755)
        .file("etc/empty")
        .file("etc/named", b"x", xattrs={"user.a": b"\0\xff"})
        .symlink("etc/link", "passwd")
    )
    tar = layer.tar()
    image = written(tmp_path / "layout", kind, [tar], chunk_size=50_000)
    name = f"{kind.value}:latest"
    fill(plain_registry, image, name, "--preserve-digests")
    (tmp_path / "storage.conf").write_text(STORAGE.format(folder=tmp_path))
    (tmp_path / "xdg").mkdir(mode=0o700)
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "XDG_RUNTIME_DIR": str(tmp_path / "xdg"),
        "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
    }
    full = f"{plain_registry.host}/{name}"
    said = run(
        *("podman", "--log-level=debug", "pull", "--tls-verify=false", f"docker://{full}"),
        environ=environ,
    )
    assert "Retrieved partial blob" in said
    script = 'tar -C "$(podman image mount "$1")" -cf "$2" . && podman rmi -f "$1"'
    packed = tmp_path / "packed.tar"
    run("podman", "unshare", "sh", "-c", script, "sh", full, packed, environ=environ)
    with tarfile.open(packed) as archive, tarfile.open(fileobj=io.BytesIO(tar)) as expected:
        found = facts(archive)
        assert {path: found[path] for path in found if path != "."} == facts(expected)
    run("podman", "unshare", "rm", "-rf", tmp_path / "root", environ=environ)
