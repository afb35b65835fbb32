"""Check `network`."""

import errno

import pytest

from rootless.doctor.check import State
from rootless.doctor.network import NetworkFacts, check_network, gather
from rootless.errors import RootlessError
from rootless.userns.subid import Caller

PASTA = NetworkFacts(pasta="/usr/bin/pasta")


@pytest.mark.parametrize(
    ("facts", "seen", "fix"),
    [
        (NetworkFacts(), "neither pasta nor slirp4netns", "apt-get install passt"),
        (
            NetworkFacts("/bin/pasta", open_errno=errno.EACCES),
            "/dev/net/tun cannot be opened",
            "chmod 0666 /dev/net/tun",
        ),
        (NetworkFacts("/bin/pasta", open_errno=errno.ENOENT), "No such file", "modprobe tun"),
        (
            NetworkFacts("/bin/pasta", refused=RootlessError("No space left on device")),
            "/bin/pasta",
            "user.max_net_namespaces",
        ),
    ],
)
def test_less(facts: NetworkFacts, seen: str, fix: str) -> None:
    """Whatever is missing, images run: a warning, with what to do."""
    check = check_network(facts)
    assert check.state is State.WARNING
    assert seen in check.seen
    assert fix in check.fix
    assert check.cause


def test_fine() -> None:
    """What is there is named; with slirp4netns alone, what would be faster."""
    assert check_network(PASTA).state is State.OK
    assert "/usr/bin/pasta" in check_network(PASTA).seen
    check = check_network(NetworkFacts(slirp4netns="/usr/bin/slirp4netns"))
    assert check.state is State.OK
    assert "passt" in check.seen


@pytest.mark.both_users
@pytest.mark.needs_user
def test_this_host() -> None:
    """It is tried: where the device opens, a tap is made in a namespace."""
    facts = gather(Caller.current(), userns_works=True)
    assert bool(facts.open_errno) or facts.refused is None
