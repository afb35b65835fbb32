"""A registry with the images that the documentation speaks of, under their real names.

They are made of the demo image: its first layer is a minimal Debian, the second adds Python. What
an example wants beside that is a script that stands in for the program. A proxy leads every name to
this registry, by TLS with a certificate for all of them.
"""

import gzip
import io
import json
import re
import shutil
import ssl
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import images
import signing
from registries import RegistryServer
from signing import Signer

HOSTS = (
    "127.0.0.1",
    "localhost",
    "registry-1.docker.io",
    "quay.io",
    "registry.example",
    "registry.example.org",
    "mirror.example",
)

_BULK = re.compile(
    r"(\./)?usr/(share/(locale|perl|doc|man|info)|lib/[^/]*-linux-gnu/(perl|gconv))/."
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of.

    Attributes:
        layers: So many of the demo image's, from below.
        programs: Scripts in /usr/local/bin.
        config: Members of the image's `config`.
    """

    layers: int = 1
    programs: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


def _says(name: str) -> dict[str, str]:
    return {name: f'echo "{name} $*"'}


_SERVE = {"postgres": "exec sleep 600", **_says("psql")}
RECIPES: Mapping[str, Recipe] = {
    "library/debian:latest": Recipe(),
    "library/debian:12": Recipe(),
    "library/debian:12.1": Recipe(programs={"old": "exit 0"}),
    "library/debian:12.2": Recipe(programs={"new": "exit 0"}),
    "library/python:3.12": Recipe(2),
    "library/python:3.13": Recipe(2, {**_says("pytest"), "python3.13": 'exec python3 "$@"'}),
    "library/node:22": Recipe(programs={"node": "pwd"}),
    "library/gcc:latest": Recipe(programs=_says("make")),
    "library/fedora:42": Recipe(),
    "library/postgres:latest": Recipe(programs=_SERVE, config={"Cmd": ["postgres"]}),
    "hashicorp/terraform:latest": Recipe(programs=_says("terraform")),
    "linuxserver/ffmpeg:latest": Recipe(programs=_says("ffmpeg")),
    "docker/whalesay:latest": Recipe(programs=_says("cowsay"), config={"Entrypoint": ["cowsay"]}),
    "alpine/git:latest": Recipe(programs=_says("git"), config={"Entrypoint": ["git"]}),
    "jdxcode/mise:latest": Recipe(programs={"mise": 'echo "export MISE=1"'}),
    "org/app:latest": Recipe(),
    "org/app:2": Recipe(programs=_says("app")),
    "a/b:1": Recipe(0, _says("b")),
    "curlimages/curl:latest": Recipe(programs=_says("curl"), config={"Entrypoint": ["curl"]}),
    "library/nginx:latest": Recipe(programs={"nginx": "exec sleep 600"}, config={"Cmd": ["nginx"]}),
    "debian:12": Recipe(),
    "app:1": Recipe(programs=_says("app")),
}
LAZY: Mapping[str, Recipe] = {
    "org/laboratory:latest": Recipe(2, {**_says("make"), "jupyter": "exec sleep 600"})
}

SMALL: Mapping[str, Recipe] = {"org/app:1": Recipe(0, _says("app")), "org/app:2": Recipe(0)}
"""For who looks at names only."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that an image has.

    Attributes:
        host: Of the image's name.
        name: Repository and tag.
        signers: Whose.
    """

    host: str
    name: str
    signers: Sequence[Signer]


def trimmed(layout: Path, folder: Path) -> Path:
    """Write a layout with the demo image's first two layers, the first without its bulk.

    Nothing that an example runs is missing, and every page costs a third.
    """
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(_blob(layout, index["manifests"][0]["digest"]))
    config = json.loads(_blob(layout, manifest["config"]["digest"]))
    first, second = manifest["layers"][:2]
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(_blob(layout, first["digest"]))) as source,
        tarfile.open(fileobj=out, mode="w") as target,
    ):
        for member in source:
            if not _BULK.match(member.name):
                target.addfile(member, source.extractfile(member) if member.isreg() else None)
    tar = out.getvalue()

    def keep(data: bytes, described: dict[str, Any]) -> dict[str, Any]:
        digest = images.digest(data)
        (blobs / digest.partition(":")[2]).write_bytes(data)
        return {**described, "digest": digest, "size": len(data)}

    config["rootfs"]["diff_ids"] = [images.digest(tar), config["rootfs"]["diff_ids"][1]]
    config["history"] = config["history"][:2]
    manifest["layers"] = [
        keep(gzip.compress(tar, 1), first),
        keep(_blob(layout, second["digest"]), second),
    ]
    manifest["config"] = keep(json.dumps(config).encode(), manifest["config"])
    index["manifests"] = [keep(json.dumps(manifest).encode(), index["manifests"][0])]
    (folder / "index.json").write_text(json.dumps(index))
    shutil.copy(layout / "oci-layout", folder)
    return folder


def _blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def stock(
    server: RegistryServer,
    layout: Path,
    recipes: Mapping[str, Recipe],
    signed: Sequence[Signed] = (),
) -> None:
    """Put images into a registry, made of the layers of one in a layout."""
    context = ssl.create_default_context(cafile=server.ca)
    auth = (server.user, server.password) if server.user else None
    with httpx.Client(base_url=server.url, verify=context, auth=auth, timeout=60) as client:
        shelf = _Shelf(client, layout)
        for name, recipe in recipes.items():
            shelf.put(name, recipe)
        for each in signed:
            shelf.sign(each)


class _Shelf:
    def __init__(self, client: httpx.Client, layout: Path) -> None:
        self._client = client
        self._layout = layout
        index = json.loads((layout / "index.json").read_bytes())
        self._manifest = json.loads(self._read(index["manifests"][0]["digest"]))
        self._config = json.loads(self._read(self._manifest["config"]["digest"]))
        self._places: dict[str, str] = {}

    def put(self, name: str, recipe: Recipe) -> None:
        """Put an image there, for this machine and for another one."""
        repository, _, tag = name.rpartition(":")
        layers = list(self._manifest["layers"][: recipe.layers])
        diff_ids = list(self._config["rootfs"]["diff_ids"][: recipe.layers])
        history = list(self._config["history"][: recipe.layers])
        for layer in layers:
            self._blob(repository, layer["digest"], None)
        if recipe.programs:
            builder = images.LayerBuilder()
            for program, text in recipe.programs.items():
                path = f"usr/local/bin/{program}"
                builder.file(path, f"#!/bin/sh\n{text}\n".encode(), mode=0o755)
            tar = builder.tar()
            diff_ids.append(images.digest(tar))
            history.append({"created_by": f"COPY {' '.join(recipe.programs)} /usr/local/bin/"})
            layers.append(self._add(repository, tar, images.LAYER_TYPES["none"]))
        document = {
            **self._config,
            "config": {**self._config["config"], **recipe.config},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        }
        here = str(self._config["architecture"])
        manifests = []
        for architecture in sorted({here, "arm64"}):
            config = json.dumps({**document, "architecture": architecture}).encode()
            top = {
                "config": self._add(repository, config, images.CONFIG_TYPE),
                "layers": layers,
            }
            made = self._top(repository, "", top, images.MANIFEST_TYPE)
            made["platform"] = {"os": "linux", "architecture": architecture}
            manifests.append(made)
        self._top(repository, tag, {"manifests": manifests}, images.INDEX_TYPE)

    def sign(self, signed: Signed) -> None:
        """Put signatures where cosign has them."""
        repository, _, tag = signed.name.rpartition(":")
        answer = self._client.head(
            f"/v2/{repository}/manifests/{tag}", headers={"Accept": images.INDEX_TYPE}
        )
        digest = str(answer.headers["docker-content-digest"])
        payload = signing.payload(f"{signed.host}/{repository}", digest)
        config = self._add(repository, b"{}", images.CONFIG_TYPE)
        layers = []
        for signer in signed.signers:
            made = signing.Repository().layer(payload, signer.sign(payload))
            layers.append(made | self._add(repository, payload, made["mediaType"]))
        top = {"config": config, "layers": layers}
        self._top(repository, digest.replace(":", "-") + ".sig", top, images.MANIFEST_TYPE)

    def _top(self, repository: str, tag: str, document: Any, kind: str) -> dict[str, Any]:
        data = json.dumps({"schemaVersion": 2, "mediaType": kind} | document).encode()
        digest = images.digest(data)
        url = f"/v2/{repository}/manifests/{tag or digest}"
        done = self._client.put(url, content=data, headers={"Content-Type": kind})
        assert done.status_code == 201, done.text
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def _add(self, repository: str, content: bytes, kind: str) -> dict[str, Any]:
        digest = images.digest(content)
        self._blob(repository, digest, content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def _blob(self, repository: str, digest: str, content: bytes | None) -> None:
        """Upload a blob, out of the layout where no content is given, unless it is there."""
        place = self._places.setdefault(digest, repository)
        words = {"mount": digest, "from": place} if place != repository else {}
        begun = self._client.post(f"/v2/{repository}/blobs/uploads/", params=words)
        if begun.status_code == 201:
            return
        address = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest})
        done = self._client.put(address, content=content or self._read(digest))
        assert done.status_code == 201, done.text

    def _read(self, digest: str) -> bytes:
        return _blob(self._layout, digest)
