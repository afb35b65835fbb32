"""`rootless inspect`, the real executable."""

import json
from pathlib import Path

import images
import pytest
from executable import Rootless

LAYERS = [images.small_layer(), images.LayerBuilder().file("x", b"y")]
CONFIG = {
    "Cmd": ["/bin/sh", "-c", "true"],
    "Env": ["A=b", "C=ü"],
    "Labels": {"one": "1"},
    "User": "1000:1000",
    "WorkingDir": "/tmp",
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}},
    "StopSignal": "SIGINT",
    "Entrypoint": ["/entry"],
}
DOCUMENT = images.image_config(LAYERS, CONFIG)


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with one image, `pic`."""
    rootless.ok("load", images.oci_layout(tmp_path / "a", LAYERS, tag="pic", config=CONFIG))
    return rootless


def test_document(loaded: Rootless) -> None:
    """The whole description, with podman's names."""
    (shown,) = json.loads(loaded.ok("inspect", "pic"))
    assert shown["Id"] == images.digest(DOCUMENT)[7:]
    assert shown["RepoTags"] == ["localhost/pic:latest"]
    assert shown["Config"] == CONFIG
    assert shown["RootFS"]["Layers"] == [images.digest(layer.tar()) for layer in LAYERS]
    assert [layer["Size"] for layer in shown["LayersData"]] == [len(x.tar()) for x in LAYERS]
    assert shown["Created"] == "2024-01-02T03:04:05Z"
    assert (shown["Os"], shown["Architecture"]) == ("linux", "amd64")
    assert [step["created_by"] for step in shown["History"]] == ["tests/images.py"] * 2


def test_several(loaded: Rootless, tmp_path: Path) -> None:
    """Several images are several elements, in the order asked for; by name, ID and beginning."""
    loaded.ok("load", images.oci_layout(tmp_path / "b", LAYERS[:1], tag="other"))
    image_id = images.digest(DOCUMENT)
    shown = json.loads(loaded.ok("inspect", "other", "pic", image_id, image_id[7:17]))
    assert [each["RepoTags"][0].partition(":")[0] for each in shown] == [
        "localhost/other",
        *["localhost/pic"] * 3,
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".Config.Env", '["A=b", "C=ü"]'),
        ("{{.Config.User}}", "1000:1000"),
        ("Config.Labels.one", "1"),
        (".LayersData.0.Size", str(len(LAYERS[0].tar()))),
        (".Config.Env.7", "null"),
    ],
)
def test_one_value(loaded: Rootless, path: str, value: str) -> None:
    """-f prints one value: text as it is, all else as JSON."""
    assert loaded.ok("inspect", "-f", path, "pic") == f"{value}\n"


def test_no_such_value(loaded: Rootless) -> None:
    """A path that leads nowhere says where it ends and what there is."""
    said = loaded("inspect", "-f", ".Config.Nope", "pic")
    assert said.status == 125
    assert said.stderr.startswith("rootless: no such value: .Config.Nope (at Nope; there are: User")


def test_raw_documents(loaded: Rootless, tmp_path: Path) -> None:
    """--raw prints documents byte for byte: the config and the manifest as they came."""
    assert loaded.ok("inspect", "--raw", "config", "pic").encode() == DOCUMENT
    manifest = loaded.ok("inspect", "--raw", "manifest", "pic").encode()
    layout = images.Layout(tmp_path / "a")
    assert manifest == layout.blob_path(images.digest(manifest)).read_bytes()
    stored = json.loads(loaded.ok("inspect", "--raw", "stored", "pic"))
    assert [x["digest"] for x in stored["layers"]] == [images.digest(x.tar()) for x in LAYERS]
    said = loaded("inspect", "--raw", "layer", "pic")
    assert said.stderr == ("rootless: no such document: layer (one of config, manifest, stored)\n")


def test_no_such_image(loaded: Rootless) -> None:
    """A name that nobody has suggests near ones; where one is missing nothing is printed."""
    said = loaded("inspect", "pic", "pik")
    assert (said.status, said.stdout) == (125, "")
    near = "rootless: no such container or image: pik (did you mean localhost/pic:latest?)\n"
    assert said.stderr == near
    assert "expected" in loaded("inspect", "pic@sha256:12").stderr
    assert loaded("inspect").status == 125
