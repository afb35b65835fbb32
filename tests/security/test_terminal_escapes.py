"""Names out of an image that hold terminal escapes: shown, never sent to the terminal."""

import json
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

ESCAPE = "\x1b]0;evil\x07"


@pytest.mark.parametrize("form", ["name", "layer"])
def test_in_an_error(form: str, rootless: Rootless, tmp_path: Path) -> None:
    """The error line has no control character but its end."""
    if form == "name":
        source = images.oci_layout(tmp_path / "layout", [images.small_layer()], tag=f"a{ESCAPE}")
    else:
        layer = images.LayerBuilder().file(f"../{ESCAPE}")
        source = images.oci_layout(tmp_path / "layout", [layer])
    line = loading.refused(rootless, "load", source, says=())
    assert all(character.isprintable() for character in line)


def test_in_a_document(rootless: Rootless, tmp_path: Path) -> None:
    """What inspect prints of a config is escaped as JSON is; images and -f too."""
    config = {"Env": [f"A={ESCAPE}"], "Labels": {ESCAPE: ESCAPE}}
    rootless.ok(
        "load", images.oci_layout(tmp_path / "l", [images.small_layer()], tag="p", config=config)
    )
    for words in (("inspect", "p"), ("inspect", "-f", ".Config.Env", "p")):
        assert "\x1b" not in rootless.ok(*words)
    assert json.loads(rootless.ok("inspect", "p"))[0]["Config"]["Env"] == config["Env"]
    assert "\x1b" not in rootless.ok("images", "--format", "json")
