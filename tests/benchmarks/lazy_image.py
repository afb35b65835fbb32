"""Makes the image of lazy.py: python3 at the bottom, above it what a laboratory drags in.

As root, or a user with sub-IDs, with mmdebstrap and Debian's packages in reach:

    python tests/benchmarks/lazy_image.py DIR

DIR/layout becomes an OCI layout of four gzip layers, more than 500 MiB uncompressed: a minimal
Debian 12 with python3, then compilers, a Java runtime, and numerical libraries, as their packages
have them.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

LAYERS = (
    ("gcc-12", "g++-12", "cpp-12", "libgcc-12-dev", "libstdc++-12-dev", "libllvm14", "git"),
    ("openjdk-17-jre-headless", "libicu72", "perl-modules-5.36"),
    ("python3-numpy", "python3-scipy", "libopenblas0-pthread", "libboost1.74-dev"),
)


def main() -> None:
    """Make the layout."""
    folder = Path(sys.argv[1])
    blobs = folder / "layout/blobs/sha256"
    blobs.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="lazy-image-") as name:
        work = Path(name)
        tars = [_base(work), *(_packages(work, layer) for layer in LAYERS)]
        layers, diff_ids, size = [], [], 0
        for tar in tars:
            size += tar.stat().st_size
            with tar.open("rb") as file:
                diff_ids.append("sha256:" + hashlib.file_digest(file, "sha256").hexdigest())
            subprocess.run(["gzip", "-6", "-n", tar], check=True)
            layers.append(_put(blobs, Path(f"{tar}.gz").read_bytes(), "layer.v1.tar+gzip"))
    config = {
        "architecture": subprocess.check_output(["dpkg", "--print-architecture"], text=True)[:-1],
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _put(blobs, json.dumps(config).encode(), "config.v1+json"),
        "layers": layers,
    }
    top = _put(blobs, json.dumps(manifest).encode(), "manifest.v1+json")
    top["annotations"] = {"org.opencontainers.image.ref.name": "laboratory"}
    index = {"schemaVersion": 2, "manifests": [top]}
    (folder / "layout/index.json").write_text(json.dumps(index))
    (folder / "layout/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    print(f"{folder}/layout:laboratory  {size >> 20} MiB")


def _base(work: Path) -> Path:
    tar = work / "base.tar"
    words = ["--quiet", "--variant=minbase", "--include=python3", "bookworm", tar]
    subprocess.run(["mmdebstrap", *words], check=True)
    return tar


def _packages(work: Path, names: tuple[str, ...]) -> Path:
    """Return a layer of what packages contain, each directory once."""
    folder = work / names[0]
    folder.mkdir(mode=0o755)
    subprocess.run(["apt-get", "-qq", "download", *names], cwd=folder, check=True)
    path = work / f"{names[0]}.tar"
    seen = set()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as out:
        for package in sorted(folder.glob("*.deb")):
            data = subprocess.check_output(["dpkg-deb", "--fsys-tarfile", package])
            with tarfile.open(fileobj=io.BytesIO(data)) as members:
                for member in members:
                    if member.isdir() and member.name in seen:
                        continue
                    seen.add(member.name)
                    out.addfile(member, members.extractfile(member) if member.isreg() else None)
    return path


def _put(blobs: Path, data: bytes, kind: str) -> dict[str, Any]:
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    media_type = f"application/vnd.oci.image.{kind}"
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}


if __name__ == "__main__":
    main()
