"""Running an image before it is there: real images out of a real registry."""

import subprocess
import time

import pytest
from executable import Rootless
from fault_proxy import fault_proxy
from lazily import Lazily
from registries import RegistryServer

ONE_KIND = pytest.mark.parametrize("kind", ["zstd-chunked"])
SUMS = "find /usr/bin /usr/lib/python3* /var -xdev -type f -print0 | xargs -0 sha256sum | sort"
"""Prints a line for each of many files of an image."""


@pytest.mark.both_users
def test_the_first_output_comes_with_a_part_of_the_image(
    lazily: Lazily, overlay_driver: str
) -> None:
    """A program runs although most of its image is not here, and `images` tells how much is."""
    words = ["--overlay-driver", overlay_driver, lazily.image, "python3", "-c", "print(1)"]
    assert lazily.rootless.ok(*lazily.run(*words)) == "1\n"
    assert len(lazily.folders()) == 2
    assert 0 < lazily.bytes_of_blobs() < 40 << 20
    listed = lazily.rootless.ok("images")
    assert "% here" in listed
    assert lazily.rootless.ok(*lazily.run(*words)) == "1\n"


def test_every_file_is_what_it_must_be(lazily: Lazily, demo: Rootless, overlay_driver: str) -> None:
    """Whatever is read first, each file has the contents that it has in the whole image."""
    options = ["--overlay-driver", overlay_driver]
    lazy = lazily.rootless.ok(*lazily.run(*options, lazily.image, "sh", "-c", SUMS))
    whole = demo.ok("run", *options, "debian-demo", "sh", "-c", SUMS)
    assert lazy == whole
    assert lazy.count("\n") > 1000


def test_layers_without_a_table_come_as_a_whole(
    rootless: Rootless, lazy_registry: RegistryServer
) -> None:
    """In an image of both sorts one layer is downloaded, the others are read as they are used."""
    with fault_proxy(lazy_registry.host) as proxy:
        lazily = Lazily(rootless, proxy, f"{proxy.host}/lazy:mixed")
        words = lazily.run(lazily.image, "python3", "-c", "print(1)")
        assert rootless.ok(*words) == "1\n"
        assert len(lazily.folders()) == 1
        assert len(list((rootless.home.store / "layers/sha256").iterdir())) >= 1


@ONE_KIND
def test_never(lazily: Lazily) -> None:
    """--lazy never: everything is downloaded before the run."""
    words = ["--lazy", "never", lazily.image, "true"]
    lazily.rootless.ok(*lazily.run(*words))
    assert not lazily.folders()


@ONE_KIND
def test_in_the_background_it_gets_whole(lazily: Lazily) -> None:
    """Beside a container that lives on all of the image comes; it is an ordinary one then."""
    rootless = lazily.rootless
    name = rootless.ok(*lazily.run("-d", "--name", "c", lazily.image, "sleep", "60")).strip()
    try:
        deadline = time.monotonic() + 40
        while lazily.folders():
            assert time.monotonic() < deadline, rootless.ok("images")
            time.sleep(0.2)
        assert "here" not in rootless.ok("images")
        assert rootless.ok("exec", "c", "python3", "-c", "print(2)") == "2\n"
        rootless.ok("exec", "c", "sh", "-c", "echo kept > /etc/kept")
        rootless.ok("stop", "-t", "1", "c")
        assert rootless.ok("cp", f"{name}:/etc/kept", "-").find("kept") > 0
        rootless.ok("start", "c")
        assert rootless.ok("exec", "c", "cat", "/etc/kept") == "kept\n"
    finally:
        rootless("rm", "-f", "c")


@ONE_KIND
def test_two_at_once(lazily: Lazily) -> None:
    """Two runs of an image that is not here have the same files, and end well."""
    lazily.pull("--lazy")
    words = lazily.run(lazily.image, "sh", "-c", "cat /usr/bin/* /usr/lib/*/* | sha256sum")
    runs = [
        lazily.rootless.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    sums = [process.communicate(timeout=60)[0] for process in runs]
    assert [process.returncode for process in runs] == [0, 0]
    assert sums[0] == sums[1]
    assert len(sums[0]) > 64


@ONE_KIND
def test_what_needs_all_of_it_gets_it(lazily: Lazily) -> None:
    """Commit and export, which do not read through a mount, complete the image first."""
    rootless = lazily.rootless
    lazily.pull("--lazy")
    rootless.ok("create", "-q", "--name", "c", lazily.image, "true")
    assert lazily.folders()
    exported = rootless("export", "-o", "out.tar", "c")
    assert exported.status == 0, exported.stderr
    assert "fetching what is missing of the image" in exported.stderr
    assert not lazily.folders()
    rootless.ok("rm", "c")
