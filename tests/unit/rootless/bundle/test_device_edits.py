"""What devices bring, put together."""

from rootless.bundle.device_edits import DeviceEdits, merged
from rootless.oci.runtime_spec import Mount


def test_merged() -> None:
    """What two bring both is there once; the later variable wins."""
    mount = Mount("/a", "bind", "/x", ("ro",))
    first = DeviceEdits((("/dev/a", "/dev/a"),), (mount,), ("A=1", "B=1"), (("l", "/l"),))
    second = DeviceEdits((("/dev/a", "/dev/a"),), (mount,), ("A=2",), (("l", "/l"),))
    both = merged([first, second])
    assert both == DeviceEdits(first.nodes, (mount,), ("A=2", "B=1"), (("l", "/l"),))
    assert both
    assert not merged([])
