"""What a build is asked for."""

from rootless.build.request import BuildRequest
from rootless.containers.request import RunRequest


def test_defaults() -> None:
    """Nothing asked for is a build of the current folder, whose steps run as `run` does."""
    request = BuildRequest()
    assert request.context == "."
    assert request.latest_ns is None
    assert request.run() == RunRequest()


def test_epoch() -> None:
    """The latest time of files is that of the image; 0 is one."""
    assert BuildRequest(epoch=0).latest_ns == 0
    assert BuildRequest(epoch=3).latest_ns == 3_000_000_000
