"""TIOCSTI (CVE-2017-5226 and its kind): input pushed into the terminal of the caller."""

import os
import subprocess

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

# asm-generic/ioctls.h: TIOCSCTTY, TIOCSTI
_PUSH = """
$| = 1;
for my $stream (*STDIN, *STDOUT, *STDERR) {
    my $x = "x";
    print ioctl($stream, 0x540E, 1) ? "done " : "refused ";
    print ioctl($stream, 0x5412, $x) ? "done " : "refused ";
}
print open(my $tty, "+<", "/dev/tty") ? "opened " : "none ";
"""


@pytest.mark.both_users
def test_nothing_is_pushed_into_the_callers_terminal(demo: Rootless) -> None:
    """A command that got the caller's terminal as its streams can neither take nor feed it."""
    master, slave = os.openpty()
    try:
        # the caller's shell: a session whose controlling terminal this is
        words = demo.command("run", "-i", "debian-demo", "perl", "-e", _PUSH)
        subprocess.run(
            ["setsid", "--ctty", "--wait", *words],
            env=dict(demo.home.environ),
            cwd=demo.home.path,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            check=True,
            timeout=60,
        )
        said = os.read(master, 4096).decode().split()
        os.set_blocking(slave, False)
        with pytest.raises(BlockingIOError):
            os.read(slave, 1)
    finally:
        os.close(master)
        os.close(slave)
    # before it may stand, since this is a terminal, that one ID only is mapped
    assert said[-7:] == ["refused"] * 6 + ["none"]
