"""What was asked for, where an image has a word in it too."""

from rootless.bundle.options import RunOptions
from rootless.containers.network.ports import PortMapping
from rootless.containers.request import RunRequest
from rootless.oci.image_config import ImageConfig

CONFIG = ImageConfig((), exposed_ports=("80/tcp",))


def test_the_ports_of_a_container() -> None:
    """Those that were named; with --publish-all also what the image and --expose say."""
    options, ports = RunOptions(expose=("53/udp",)), (PortMapping(22, 2222),)
    assert RunRequest(options, ports=ports).ports_of(CONFIG) == ports
    found = RunRequest(options, ports=ports, publish_all=True).ports_of(CONFIG)
    assert found == (*ports, PortMapping(80), PortMapping(53, protocol="udp"))
