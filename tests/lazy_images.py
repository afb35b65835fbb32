"""Images whose layers have a table of contents, made from an OCI layout, for a registry."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from lazies import WRITERS

from rootless.image.decompress import opened


def chunked(source: str, folder: Path, kind: str, *, keep: int = 0) -> str:
    """Write an image again with layers of a kind; return skopeo's name of the layout.

    Args:
        source: `FOLDER:TAG`, an OCI layout with one image for this machine.
        folder: Where to.
        kind: Of `lazies.WRITERS`.
        keep: So many of the lowest layers stay as they are, without a table.
    """
    path, _, _tag = source.rpartition(":")
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    index = json.loads((Path(path) / "index.json").read_bytes())
    manifest = json.loads(_blob(path, index["manifests"][0]["digest"]))
    config = json.loads(_blob(path, manifest["config"]["digest"]))
    diff_ids = []
    for position, layer in enumerate(manifest["layers"]):
        data = _blob(path, layer["digest"])
        if position < keep:
            diff_ids.append(config["rootfs"]["diff_ids"][position])
            _put(blobs, data)
            continue
        out = io.BytesIO()
        with opened(io.BytesIO(data), "layer") as tar:
            written = WRITERS[kind](tar, out)
        _put(blobs, out.getvalue())
        diff_ids.append(written.diff_id)
        manifest["layers"][position] = {
            "mediaType": written.media_type,
            "digest": written.digest,
            "size": written.size,
            "annotations": dict(written.annotations),
        }
    config["rootfs"]["diff_ids"] = diff_ids
    manifest["config"] = _put(blobs, json.dumps(config).encode(), manifest["config"]["mediaType"])
    manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
    top = _put(blobs, json.dumps(manifest).encode(), manifest["mediaType"])
    top["annotations"] = {"org.opencontainers.image.ref.name": "image"}
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    return f"oci:{folder}:image"


def _blob(layout: str, digest: str) -> bytes:
    return (Path(layout) / "blobs" / digest.replace(":", "/")).read_bytes()


def _put(blobs: Path, data: bytes, media_type: str = "") -> dict[str, Any]:
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}
