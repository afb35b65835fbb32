"""`rootless.build.health`: HEALTHCHECK as the config has it."""

from typing import Any

import pytest
from containerfiles import one

from rootless.build.health import healthcheck
from rootless.errors import BuildError

S = 10**9
TIMES = "--interval=5m --timeout=1.5s --start-period=1h2m --start-interval=500ms"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("NONE", {"Test": ["NONE"]}),
        ("none", {"Test": ["NONE"]}),
        ("CMD curl  -f  $URL", {"Test": ["CMD-SHELL", "curl  -f  $URL"]}),
        ('cmd ["a", "b c"]', {"Test": ["CMD", "a", "b c"]}),
        (
            f"{TIMES} --retries=3 CMD a",
            {
                "Test": ["CMD-SHELL", "a"],
                "Interval": 300 * S,
                "Timeout": 1500 * 10**6,
                "StartPeriod": 3720 * S,
                "StartInterval": 500 * 10**6,
                "Retries": 3,
            },
        ),
        ("--interval=0 --retries=0 --timeout=0s CMD a", {"Test": ["CMD-SHELL", "a"]}),
        ("--timeout=1000us CMD a", {"Test": ["CMD-SHELL", "a"], "Timeout": 10**6}),
    ],
)
def test_forms(text: str, made: dict[str, Any]) -> None:
    """A shell's words, an array, or none; times are nanoseconds, 0 is the default."""
    assert healthcheck(one(f"HEALTHCHECK {text}")) == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("NONE x", "HEALTHCHECK NONE takes nothing more: x"),
        ("--retries=1 NONE", "HEALTHCHECK NONE takes nothing more"),
        ("curl x", "HEALTHCHECK without CMD: curl"),
        ("CMD", "HEALTHCHECK CMD lacks a command"),
        ("CMD []", "HEALTHCHECK CMD lacks a command"),
        ("--interval=5 CMD a", "not a time: --interval=5 .such as"),
        ("--interval=-5s CMD a", "not a time"),
        ("--interval=s CMD a", "not a time"),
        ("--interval=5s3 CMD a", "not a time"),
        ("--interval=1us CMD a", "a time too long or too short"),
        ("--interval=9999999h CMD a", "a time too long or too short"),
        ("--retries=-1 CMD a", "not a number of retries"),
        ("--retries=two CMD a", "not a number of retries"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """What Docker would not take, with its place."""
    with pytest.raises(BuildError, match=f"^Containerfile:2: {says}"):
        healthcheck(one(f"HEALTHCHECK {text}"))
