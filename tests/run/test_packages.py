"""Installing a package, as in a container of podman's."""

from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.needs_subid]


def test_apt_get_install(demo: Rootless, demo_debs: Path, driver: str) -> None:
    """`apt-get install` of a package works with sub-IDs, and the program runs."""
    script = (
        "apt-get install -qq -y --no-install-recommends /debs/hello_*.deb >/dev/null 2>/log"
        " || cat /log >&2; hello"
    )
    options = ("--overlay-driver", driver, "-v", f"{demo_debs}:/debs:ro")
    assert demo.ok("run", *options, "debian-demo", "sh", "-c", script) == "Hello, world!\n"


def test_an_installation_is_kept(
    demo: Rootless, demo_debs: Path, kept_name: str, driver: str
) -> None:
    """What was installed into a named container is there in its next run, without the volume."""
    options = ("--overlay-driver", driver, "--name", kept_name)
    script = "apt-get install -qq -y /debs/hello_*.deb >/dev/null 2>&1"
    volume = ("-v", f"{demo_debs}:/debs:ro")
    demo.ok("run", *options, *volume, "debian-demo", "sh", "-c", script)
    assert demo.ok("run", *options, "debian-demo", "hello") == "Hello, world!\n"
    assert "hello" in demo.ok("run", *options, "debian-demo", "dpkg", "-l", "hello")
