"""`rootless.bundle.options`: what was asked for, and what gives way to it."""

from rootless.bundle.options import RunOptions
from rootless.oci.runtime_spec import Mount


def test_left_open() -> None:
    """What is brought along comes to places only where nothing was asked for."""
    asked = Mount("/data", "bind", "/mine", ("rbind",))
    brought = [Mount(place, "bind", "/theirs", ("rbind",)) for place in ("/home", "/data", "/dat")]
    options = RunOptions(mounts=(asked,))
    assert [mount.destination for mount in options.left_open(brought)] == ["/home", "/dat"]
    assert RunOptions().left_open(brought) == tuple(brought)
