"""When and how often a request is made again."""

import time
from email.utils import formatdate

import pytest
import trio
import trio.testing

from rootless.errors import NotFound, RegistryError
from rootless.registry.retry import Again, RetryPolicy, retry_after, tried

POLICY = RetryPolicy(tries=5, first_delay=1, longest_delay=4, longest_wait=60)


def run(outcomes: list[object]) -> tuple[object, float, int]:
    """Return what a series of outcomes comes to, by the clock of trio, and how many were used."""
    used = 0

    async def attempt() -> object:
        nonlocal used
        outcome = outcomes[used]
        used += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def main() -> tuple[object, float]:
        begin = trio.current_time()
        try:
            result: object = await tried(POLICY, attempt)
        except Exception as error:  # noqa: BLE001 - it is what is looked at
            result = error
        return result, trio.current_time() - begin

    result, took = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return result, took, used


def failure(after: float = 0.0, tries: int = 1 << 30) -> Again:
    """Return a failure that may pass."""
    return Again(RegistryError("fails", "host"), after, tries)


def test_delays() -> None:
    """They double up to the longest, at least half of each, and are never less than asked."""
    assert [POLICY.delay(n, 0, 1) for n in range(1, 6)] == [1, 2, 4, 4, 4]
    assert [POLICY.delay(n, 0, 0) for n in range(1, 4)] == [0.5, 1, 2]
    assert POLICY.delay(1, 30, 1) == 30


def test_success_after_failures() -> None:
    """What comes at last is returned, after the delays."""
    result, took, used = run([failure(), failure(), "good"])
    assert (result, used) == ("good", 3)
    assert 1.5 <= took <= 3


def test_the_last_failure() -> None:
    """After all tries, its error is raised; fewer where a failure says so."""
    result, took, used = run([failure()] * 9)
    assert (str(result), used) == ("fails: host", 5)
    assert 5.5 <= took <= 11
    assert run([failure(tries=2)] * 9)[2] == 2
    assert run([failure(tries=1)])[1:] == (0, 1)


def test_an_error_that_does_not_pass() -> None:
    """It is raised at once."""
    result, took, used = run([failure(), NotFound("no such image")])
    assert isinstance(result, NotFound)
    assert used == 2
    assert took <= 1


def test_what_a_server_asks() -> None:
    """It is kept to up to the longest wait; more is an error that says how long."""
    result, took, _ = run([failure(after=50), "good"])
    assert result == "good"
    assert took == 50
    result, took, used = run([failure(after=61), "good"])
    assert "asks to wait for 61 seconds" in str(result)
    assert (took, used) == (0, 1)


def test_retry_after() -> None:
    """Seconds, or a date; nonsense and the past are nothing."""
    assert retry_after("7") == 7
    assert retry_after(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=2)
    for value in (None, "", "soon", "-5", formatdate(0, usegmt=True), "1e9"):
        assert retry_after(value) == 0
    assert retry_after("9" * 5000) == 999_999_999
