"""The config of what was built, and its names."""

import json
from pathlib import Path
from typing import Any

import pytest

from rootless.build.image import config_of, keep_image
from rootless.build.request import BuildRequest
from rootless.errors import InvalidInput
from rootless.image import names
from rootless.image.store import Store
from rootless.oci.digest import sha256_of
from rootless.paths import Paths

_DOCUMENT: dict[str, Any] = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2026-01-02T03:04:05Z",
    "config": {"Env": ["A=1", "B=2"], "Labels": {"a": "1", "b": "2"}, "Cmd": ["x"]},
    "history": [],
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    paths = Paths(tmp_path / "store", tmp_path / "run", tmp_path / "scratch")
    return Store.open(paths, create=True)


def test_config() -> None:
    """Options add to it and take from it; what it stands on is not changed."""
    request = BuildRequest(
        labels={"c": "3", "a": "new"},
        env=("C=3", "A=new"),
        unset_env=("B",),
        unset_labels=("b",),
    )
    layer = sha256_of(b"layer")
    config = json.loads(config_of(_DOCUMENT, [layer], request))
    assert config["config"]["Env"] == ["A=new", "C=3"]
    assert config["config"]["Labels"] == {"a": "new", "c": "3"}
    assert config["rootfs"] == {"type": "layers", "diff_ids": [layer]}
    assert config["created"] == _DOCUMENT["created"]
    assert _DOCUMENT["config"]["Env"] == ["A=1", "B=2"]
    assert config_of(_DOCUMENT, [], BuildRequest()) == config_of(_DOCUMENT, [], BuildRequest())


def test_what_says_nothing_is_left_out() -> None:
    """A member that is empty is not in the config."""
    request = BuildRequest(unset_env=("A", "B"), unset_labels=("a", "b"))
    config = json.loads(config_of(_DOCUMENT, [], request))
    assert config["config"] == {"Cmd": ["x"]}


def test_kept_and_named(store: Store) -> None:
    """An image is kept once; the same with the same names is not written again."""
    data = config_of(_DOCUMENT, [], BuildRequest())
    one = BuildRequest(tags=("localhost/one:latest",))
    assert keep_image(store, data, one).is_new
    assert not keep_image(store, data, one).is_new
    assert not keep_image(store, data, BuildRequest()).is_new  # it needs no name
    two = BuildRequest(tags=("localhost/one:latest", "localhost/two:latest"))
    built = keep_image(store, data, two)
    assert built.is_new
    assert names.resolve(store, "two").config_digest == built.config_digest == sha256_of(data)


def test_without_a_name(store: Store) -> None:
    """An image without a name is there by its ID."""
    built = keep_image(store, config_of(_DOCUMENT, [], BuildRequest()), BuildRequest())
    assert built.is_new
    assert names.resolve(store, built.config_digest).reference == ""


def test_annotations(store: Store) -> None:
    """They are the manifest's, of an image that was there without them too."""
    data = config_of(_DOCUMENT, [], BuildRequest())
    keep_image(store, data, BuildRequest(tags=("localhost/one:latest",)))
    request = BuildRequest(tags=("localhost/one:latest",), annotations={"a": "b"})
    keep_image(store, data, request)
    assert names.resolve(store, "one").manifest.annotations == {"a": "b"}


def test_too_many_layers(store: Store) -> None:
    """An image cannot have any number of layers."""
    layers = [sha256_of(b"%d" % number) for number in range(1001)]
    with pytest.raises(InvalidInput, match="--squash"):
        keep_image(store, config_of(_DOCUMENT, layers, BuildRequest()), BuildRequest())
