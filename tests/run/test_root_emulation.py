"""Package managers and tar where only one ID is mapped."""

import os

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

SINGLE = ("run", "--userns", "single")
DEBS = os.environ["ROOTLESS_DEMO_DEBS"]


def test_calls_succeed_without_effect(demo: Rootless) -> None:
    """Owners and IDs stay what they are, FIFOs are made, devices are not."""
    script = (
        "set -e; touch /x; chown 5:6 /x; chgrp 7 /x; mknod /n c 1 3; mkfifo /p; test -p /p; "
        "setpriv --reuid 5 --regid 6 --clear-groups true; stat -c %u:%g /x; ls /n || echo none"
    )
    ran = demo(*SINGLE, "debian-demo", "sh", "-c", script)
    assert ran.status == 0, ran.stderr
    assert ran.stdout == "0:0\nnone\n"


def test_apt_installs(demo: Rootless) -> None:
    """Apt gives up no rights that it would not have, and dpkg gives files away."""
    script = "apt-get install -y /debs/hello_*.deb >/dev/null 2>&1 && hello && dpkg -V hello"
    out = demo.ok(*SINGLE, "-v", f"{DEBS}:/debs:ro", "debian-demo", "sh", "-c", script)
    assert out == "Hello, world!\n"


def test_tar_gives_files_away(demo: Rootless) -> None:
    """What belongs to others in an archive comes out of it."""
    script = (
        "cd /tmp; echo a >f; tar --owner=5 --group=6 -cf t.tar f; rm f; "
        "tar --same-owner -xpf t.tar && cat f"
    )
    assert demo.ok(*SINGLE, "debian-demo", "sh", "-c", script) == "a\n"


@pytest.mark.parametrize(
    "options",
    [
        ("--root-emulation", "off"),
        ("--user", "1000"),
        ("--security-opt", "seccomp=unconfined"),
    ],
)
def test_where_it_is_not_wanted(demo: Rootless, options: tuple[str, ...]) -> None:
    """Not when it is off, not for another user than root, not beside a filter that was named."""
    ran = demo(*SINGLE, *options, "debian-demo", "sh", "-c", "touch /tmp/x; chown 5 /tmp/x")
    assert ran.status == 1
    assert "chown" in ran.stderr


def test_on_asks_for_it_all_the_same(demo: Rootless) -> None:
    """Beside a filter that was named, and with more IDs than one."""
    options = ("--security-opt", "seccomp=unconfined", "--root-emulation", "on")
    demo.ok(*SINGLE, *options, "debian-demo", "sh", "-c", "touch /x; chown 5 /x")


def test_another_word_is_refused(demo: Rootless) -> None:
    """One line, and nothing runs."""
    ran = demo("run", "--root-emulation", "yes", "debian-demo", "true")
    assert ran.status == 125
    assert ran.stderr == "rootless: unknown root emulation: yes (one of auto, on, off)\n"
