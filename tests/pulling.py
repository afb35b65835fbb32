"""What tests of pulls share: a registry that is trusted, images in it, and a store's damage."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import images
import loading
from executable import Home, Rootless
from registries import RegistryServer, fill


def trust(home: Home, *hosts: str, search: Sequence[str] = (), mirror: str = "") -> None:
    """Write a registries.conf of the user's: these registries speak plain HTTP."""
    folder = home.path / "home/.config/containers"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"unqualified-search-registries = {json.dumps(list(search))}"]
    for host in hosts:
        lines += ["[[registry]]", f'location = "{host}"', "insecure = true"]
    (folder / "registries.conf").write_text("\n".join(lines) + "\n")


def put(
    server: RegistryServer,
    name: str,
    layers: Sequence[images.Layer],
    folder: Path,
    *words: str,
    **options: Any,
) -> None:
    """Bring an image of these layers into a registry, by skopeo."""
    images.oci_layout(folder / "layout", layers, tag="image", **options)
    fill(server, f"oci:{folder}/layout:image", name, *words)


def noise(count: int, size: int, seed: int = 1) -> list[images.Layer]:
    """Return layers that do not compress, each of a large file and many small ones."""
    numbers = random.Random(seed)
    layers: list[images.Layer] = []
    for number in range(count):
        layer = images.LayerBuilder().file(f"large{number}", numbers.randbytes(size))
        for i in range(200):
            layer.file(f"{number}/{i}", b"x" * 100)
        layers.append(layer)
    return layers


def damage_in(store: Path) -> list[str]:
    """Return what is wrong with a store: what it half has, and what is not what its name says."""
    wrong = loading.temp_files(store)
    for blob in (store / "blobs" / "sha256").iterdir():
        is_named = not blob.name.startswith(".tmp-")
        if is_named and images.digest(blob.read_bytes()) != f"sha256:{blob.name}":
            wrong.append(f"{blob} has another digest")
    index = json.loads((store / "index.json").read_text())
    for image in index["manifests"]:
        manifest = store / "blobs/sha256" / image["digest"].partition(":")[2]
        document = json.loads(manifest.read_text())
        for each in (document["config"], *document["layers"]):
            if not (store / "blobs/sha256" / each["digest"].partition(":")[2]).exists():
                wrong.append(f"{image} has no {each}")
        for layer in document["layers"]:
            if not (store / f"layers/sha256/{layer['digest'].partition(':')[2]}.index").exists():
                wrong.append(f"{layer} has no index")
    return wrong


def is_whole(rootless: Rootless, name: str) -> None:
    """Pull a name, and expect an undamaged store with it, and no half-written file."""
    rootless.ok("pull", "-q", name)
    assert damage_in(rootless.home.store) == []
    assert list((rootless.home.store / "partial").iterdir()) == []
    assert rootless.ok("images", "-q", name).strip()


def one_line(rootless: Rootless, *words: str, says: str, status: int = 125) -> str:
    """Expect a failure that says so in one line, and nothing half-written; return the line."""
    result = rootless(*words)
    assert result.status == status, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("rootless: ")
    assert "internal error" not in lines[0]
    assert says in lines[0], lines[0]
    if rootless.home.store.exists():
        assert damage_in(rootless.home.store) == []
    return lines[0]
