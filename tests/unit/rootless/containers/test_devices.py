"""Devices of a request."""

import pytest

from rootless.bundle.device_edits import DeviceEdits
from rootless.bundle.options import RunOptions
from rootless.containers import devices
from rootless.containers.request import RunRequest
from rootless.errors import InvalidInput
from rootless.oci.image_config import ImageConfig


def test_nodes() -> None:
    """Those of --device, with another name or its rights, and those of GPUs."""
    edits = DeviceEdits(nodes=(("/driver/dev/gpu0", "/dev/gpu0"),))
    request = RunRequest(devices=("/dev/null", "/dev/zero:/dev/z", "/dev/tty::rw"), edits=edits)
    assert devices.nodes(request) == (
        ("/dev/null", "/dev/null"),
        ("/dev/zero", "/dev/z"),
        ("/dev/tty", "/dev/tty"),
        ("/driver/dev/gpu0", "/dev/gpu0"),
    )


@pytest.mark.parametrize("text", ["null", "/etc/passwd", "/dev/null:null"])
def test_no_node(text: str) -> None:
    """What is none is refused."""
    with pytest.raises(InvalidInput, match="a device must have the form"):
        devices.nodes(RunRequest(devices=(text,)))


def test_libraries() -> None:
    """They are told to the loader; without any, nothing is changed."""
    options = RunOptions()
    assert devices.with_libraries(options, ImageConfig(diff_ids=()), RunRequest(), {}.get) == (
        options,
        {},
    )
    edits = DeviceEdits(libraries=(("liba.so.1", "/gpu/liba.so.1"),))
    changed, files = devices.with_libraries(
        options, ImageConfig(diff_ids=()), RunRequest(edits=edits), {}.get
    )
    assert changed.env == ("LD_LIBRARY_PATH=/gpu",)
    assert files == {}
