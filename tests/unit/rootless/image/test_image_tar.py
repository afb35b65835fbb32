"""`rootless.image.image_tar`: an image's whole file system as one tar."""

import io
import tarfile
from pathlib import Path

import images

from rootless.image import names
from rootless.image.image_tar import image_chunks
from rootless.image.load import load
from rootless.image.store import Store


def test_layers_are_merged(store: Store, tmp_path: Path) -> None:
    """What upper layers hide is not there; owners, devices and attributes are as they were."""
    lower = images.LayerBuilder().file("a", b"old").file("gone", b"").directory("d", uid=7, gid=8)
    lower.device("null", "c", 1, 3).file("x", b"x", xattrs={"user.k": b"v"})
    upper = images.LayerBuilder().file("a", b"new").whiteout("gone")
    load(store, str(images.oci_layout(tmp_path / "pic", [lower, upper], tag="pic")))
    image = names.resolve(store, "pic")
    data = b"".join(image_chunks(store, image))
    assert data == b"".join(image_chunks(store, image))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert sorted(tar.getnames()) == [".", "a", "d", "null", "x"]
        file = tar.extractfile("a")
        assert file is not None
        assert file.read() == b"new"
        folder, device = tar.getmember("d"), tar.getmember("null")
        assert (folder.uid, folder.gid) == (7, 8)
        assert (device.ischr(), device.devmajor, device.devminor) == (True, 1, 3)
        assert tar.getmember("x").pax_headers["SCHILY.xattr.user.k"] == "v"
