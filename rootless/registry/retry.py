"""When a request is made again, and after how long.

Capped exponential back-off with full jitter; a server's Retry-After (RFC 9110 section 10.2.3, RFC
6585 section 4) is kept to where it is no longer than anyone would wait.
"""

import email.utils
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import trio

from rootless.errors import RegistryError

log = logging.getLogger(__name__)

T = TypeVar("T")

# 408 Request Timeout, 425 Too Early, 429 Too Many Requests, and the server's own troubles
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long.

    Attributes:
        tries: Requests in all.
        first_delay: Seconds, at most, before the second; they double each time.
        longest_delay: Where the doubling ends.
        longest_wait: What a server may ask for; more ends in an error at once.
    """

    tries: int = 5
    first_delay: float = 0.5
    longest_delay: float = 20.0
    longest_wait: float = 120.0

    def delay(self, failures: int, asked: float, jitter: float) -> float:
        """Return the seconds to wait after so many failures; *jitter* is between 0 and 1."""
        limit: float = min(self.longest_delay, self.first_delay * 2 ** (failures - 1))
        return max(asked, limit * (0.5 + jitter / 2))


class Again(Exception):
    """An attempt failed in a way that may pass: the error to end with, and what the server asks.

    Args:
        error: What the user is told if it does not pass.
        after: Seconds that the server asked to wait.
        tries: At most so many of this failure, where fewer than the policy's make sense.
    """

    def __init__(self, error: RegistryError, after: float = 0.0, tries: int = 1 << 30) -> None:
        super().__init__(error)
        self.error = error
        self.after = after
        self.tries = tries


async def tried(policy: RetryPolicy, attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what an attempt gives; made again while it raises `Again`, whose error is the last."""
    failures = 0
    while True:
        try:
            return await attempt()
        except Again as again:
            failures += 1
            await pause(policy, failures, again)


async def pause(policy: RetryPolicy, failures: int, again: Again) -> None:
    """Wait before the next attempt; raises the error where there should be none."""
    if failures >= min(policy.tries, again.tries):
        raise again.error from again.error.__cause__
    if again.after > policy.longest_wait:
        fix = f"the registry asks to wait for {again.after:.0f} seconds; try again then"
        raise RegistryError(again.error.what, again.error.on, fix) from again.error.__cause__
    seconds = policy.delay(failures, again.after, random.random())  # noqa: S311 - no secret
    log.info("%s; again in %.1f s", again.error, seconds)
    await trio.sleep(seconds)


def retry_after(value: str | None) -> float:
    """Return the seconds that a Retry-After field asks for, 0 for none: a number or a date."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, moment.timestamp() - time.time())
