"""Image configs."""

import json
from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.digest import sha256_of
from rootless.oci.image_config import History, ImageConfig, parse_image_config

DIFF_ID = sha256_of(b"layer")


def read(config: dict[str, Any] | None = None, **members: Any) -> ImageConfig:
    """Read an image config of one layer with this `config` and other members."""
    document = {"rootfs": {"type": "layers", "diff_ids": [DIFF_ID]}, "config": config, **members}
    return parse_image_config(json.dumps(document).encode())


def test_every_member() -> None:
    """Each member that the specification has arrives in its field."""
    config = read(
        {
            "Env": ["A=1"],
            "Entrypoint": ["/bin/e"],
            "Cmd": ["c", "d"],
            "WorkingDir": "/w",
            "User": "u:g",
            "Labels": {"l": "m"},
            "ExposedPorts": {"80/tcp": {}, "443": None},
            "Volumes": {"/v": {}},
            "StopSignal": "SIGINT",
        },
        architecture="arm",
        variant="v7",
        os="linux",
        created="2024-01-01T00:00:00Z",
        author="ann",
        history=[{"created_by": "RUN x", "empty_layer": True}, {}],
        **{"os.version": "5", "os.features": ["a", "b"]},
    )
    assert config == ImageConfig(
        diff_ids=(DIFF_ID,),
        env=("A=1",),
        entrypoint=("/bin/e",),
        cmd=("c", "d"),
        working_dir="/w",
        user="u:g",
        labels={"l": "m"},
        exposed_ports=("443", "80/tcp"),
        volumes=("/v",),
        stop_signal="SIGINT",
        architecture="arm",
        variant="v7",
        os="linux",
        os_version="5",
        os_features=("a", "b"),
        created="2024-01-01T00:00:00Z",
        author="ann",
        history=(History(created_by="RUN x", empty_layer=True), History()),
    )


def test_what_is_left_out_is_empty() -> None:
    """An image may say nothing of its process; its rootfs it must."""
    assert read() == ImageConfig(diff_ids=(DIFF_ID,))
    assert read(rootfs={}) == ImageConfig(diff_ids=())


def test_lone_words() -> None:
    """A command that is a string and no list, as some builders write it, is one word."""
    assert read({"Cmd": "/bin/sh", "Entrypoint": "/init"}).cmd == ("/bin/sh",)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, "rootfs is missing"),
        ({"rootfs": {"type": "zip"}}, "rootfs.type is not 'layers'"),
        ({"rootfs": {"diff_ids": [DIFF_ID, "x"]}}, r"at image config rootfs.diff_ids\[1\]"),
        ({"rootfs": {}, "config": {"Env": ["A", 1]}}, r"config.Env\[1\] is not a string"),
        ({"rootfs": {}, "config": {"Env": ["A=\0"]}}, r"config.Env\[0\] holds a NUL"),
        ({"rootfs": {}, "config": {"Volumes": ["/v"]}}, "config.Volumes is not an object"),
        ({"rootfs": {}, "config": {"ExposedPorts": {"\0": {}}}}, "ExposedPorts holds a NUL"),
        ({"rootfs": {}, "config": {"User": 0}}, "config.User is not a string"),
        ({"rootfs": {}, "history": [{"author": []}]}, r"history\[0\].author is not a string"),
    ],
)
def test_faults(document: dict[str, Any], fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_image_config(json.dumps(document).encode())
