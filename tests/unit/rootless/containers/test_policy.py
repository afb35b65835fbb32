"""Restart policies and signals."""

import signal

import pytest

from rootless.containers.policy import Policy, parse_restart, parse_signal
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(), [False, False, False]),
        (Policy(restart="always"), [True, True, True]),
        (Policy(restart="unless-stopped"), [True, True, True]),
        (Policy(restart="on-failure"), [False, True, True]),
        (Policy(restart="on-failure", most_restarts=2), [False, True, False]),
    ],
)
def test_starts_again(policy: Policy, expected: list[bool]) -> None:
    """After success, after a failure, and after a failure when it was started again twice."""
    ends = [(0, 0), (1, 0), (1, 2)]
    assert [policy.starts_again(status, restarts) for status, restarts in ends] == expected


def test_restart_policies() -> None:
    """The four names, and a limit for one of them."""
    assert parse_restart("on-failure:3") == ("on-failure", 3)
    assert parse_restart("on-failure") == ("on-failure", 0)
    assert parse_restart("unless-stopped") == ("unless-stopped", 0)


@pytest.mark.parametrize("text", ["", "yes", "always:3", "on-failure:", "on-failure:-1", "no:"])
def test_no_restart_policies(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput, match="not a restart policy"):
        parse_restart(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("TERM", 15), ("SIGKILL", 9), ("usr1", 10), ("64", 64), ("1", 1)),
        *(("RTMIN", 34), ("RTMIN+3", 37), ("SIGRTMAX", 64)),
    ],
)
def test_signals(text: str, number: int) -> None:
    """By name, with or without SIG, in any case, and by number."""
    assert parse_signal(text) == number
    assert number <= signal.SIGRTMAX


@pytest.mark.parametrize("text", ["", "0", "65", "-9", "SIG", "TERMINATE", "RTMIN+99", "TERM+1"])
def test_no_signals(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput, match="no such signal"):
        parse_signal(text)
