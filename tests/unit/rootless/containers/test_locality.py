"""What a container has of the place where its caller is."""

import pytest

from rootless.bundle.options import RunOptions
from rootless.containers.locality import with_place
from rootless.image.names import resolve
from rootless.image.store import Store
from rootless.paths import Paths


def test_a_zone_that_was_asked_for(loaded: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes before what else is set; an image without a table of zones has nothing to name."""
    monkeypatch.setenv("TZ", "UTC0")
    store = Store.open(loaded, create=False)
    image = resolve(store, "pic")
    options = RunOptions(env=("A=1",), time_zone="local")
    assert with_place(options, store, image, as_caller=False).env == ("TZ=UTC0", "A=1")
    assert with_place(RunOptions(env=("A=1",)), store, image, as_caller=False).env == ("A=1",)


def test_as_its_caller(loaded: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has a TZ keeps it; a locale that the image has not is the one that each image has."""
    monkeypatch.setenv("TZ", "UTC0")
    store = Store.open(loaded, create=False)
    options = RunOptions(env=("LANG=xx_YY.UTF-8", "A=1"))
    env = with_place(options, store, resolve(store, "pic"), as_caller=True).env
    assert env == ("LANG=C.UTF-8", "A=1")
