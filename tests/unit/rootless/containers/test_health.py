"""Health checks, by a clock of the test's own."""

import select
from dataclasses import dataclass, field

import pytest

from rootless.containers import health
from rootless.containers.health import HEALTHY, STARTING, UNHEALTHY, Health, HealthCheck
from rootless.errors import CommandNotFound, InvalidInput

CHECK = HealthCheck(("true",), interval=10, timeout=5, retries=2)


@dataclass
class Run:
    """A command that ends when the test says so."""

    status: int
    pidfd: int = 77
    closed: bool = False

    def wait(self) -> int:
        """Return its status."""
        return self.status

    def close(self) -> None:
        """Note it."""
        self.closed = True


@dataclass
class Bench:
    """A check whose runs end at once, and their statuses."""

    check: HealthCheck = CHECK
    now: float = 100.0
    runs: list[Run] = field(default_factory=list)

    def after(self, *statuses: int) -> str:
        """Return what is said after checks with these statuses; -1 is one that cannot start."""
        subject = Health(self.check, self._start, self.now)
        assert subject.status == STARTING
        for status in statuses:
            self.next = status
            self.now += subject.patience_s(self.now)
            subject.serve({}, self.now)
            if status >= 0:
                assert list(subject.interests()) == [77]
                subject.serve({77: select.POLLIN}, self.now)
            assert subject.interests() == {}
        assert all(run.closed for run in self.runs)
        return subject.status

    def _start(self) -> Run:
        if self.next < 0:
            raise CommandNotFound("command not found", "x")
        self.runs.append(Run(self.next))
        return self.runs[-1]


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        *(((), STARTING), ((1,), STARTING), ((0,), HEALTHY), ((1, 1), UNHEALTHY)),
        *(((1, 0, 1), HEALTHY), ((0, 1, 1), UNHEALTHY), ((1, 1, 0), HEALTHY)),
        *(((-1, -1), UNHEALTHY), ((0, -1), HEALTHY)),
    ],
)
def test_what_is_said(statuses: tuple[int, ...], status: str) -> None:
    """So many failures in a row, one success; a check that cannot be started has failed."""
    assert Bench().after(*statuses) == status


def test_its_times() -> None:
    """The first check comes after the interval, and so does the next."""
    bench = Bench()
    bench.after(0, 0, 0)
    assert bench.now == 130


def test_the_first_seconds() -> None:
    """Failures in them do not count, until it has been healthy."""
    early = HealthCheck(("true",), interval=10, start_period=25, retries=1)
    assert Bench(early).after(1, 1) == STARTING
    assert Bench(early).after(1, 1, 1) == UNHEALTHY
    assert Bench(early).after(0, 1) == UNHEALTHY


@pytest.mark.parametrize(
    ("test", "command"),
    [
        ((), ()),
        (("NONE",), ()),
        (("CMD", "a", "b"), ("a", "b")),
        (("CMD-SHELL", "a b"), ("/bin/sh", "-c", "a b")),
    ],
)
def test_of_an_image(test: tuple[str, ...], command: tuple[str, ...]) -> None:
    """Docker's three forms."""
    assert health.command_of(test) == command


def test_of_no_image() -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput, match="health check is not understood"):
        health.command_of(("curl", "x"))
