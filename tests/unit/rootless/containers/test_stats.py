"""What two looks at a container's counters say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.containers.stats import HEADER, Usage, stats_of

BEFORE = Usage(at=100.0, cpu=10.0, memory=1, memory_limit=1000, pids=1)
NOW = Usage(102.0, 11.0, 250, 1000, 3, 1_500_000, 0, 2048, None)

_SECONDS = st.floats(min_value=0, max_value=1e9)
_BYTES = st.integers(min_value=0, max_value=1 << 60)
_USAGE = st.builds(
    Usage, _SECONDS, _SECONDS, _BYTES, _BYTES, st.integers(0, 1 << 22), st.none() | _BYTES
)


def test_row() -> None:
    """CPU by the difference of two looks and by its whole life, memory by its limit."""
    row = stats_of("0123456789abcdef", "web", BEFORE, NOW, age=44.0).row()
    assert dict(zip(HEADER, row, strict=True)) == {
        "ID": "0123456789ab",
        "NAME": "web",
        "CPU %": "50.00%",
        "MEM USAGE / LIMIT": "250B / 1kB",
        "MEM %": "25.00%",
        "NET IO": "1.5MB / 0B",
        "BLOCK IO": "-- / --",
        "PIDS": "3",
        "CPU TIME": "11.000s",
        "AVG CPU %": "25.00%",
    }


def test_document() -> None:
    """The JSON has podman's names."""
    assert stats_of("0" * 64, "web", BEFORE, NOW, age=0).to_document() == {
        "id": "0" * 12,
        "name": "web",
        "cpu_time": "11.000s",
        "cpu_percent": "50.00%",
        "avg_cpu": "0.00%",
        "mem_usage": "250B / 1kB",
        "mem_percent": "25.00%",
        "net_io": "1.5MB / 0B",
        "block_io": "-- / --",
        "pids": "3",
    }


@given(_USAGE, _USAGE, _SECONDS)
def test_any_counters(before: Usage, now: Usage, age: float) -> None:
    """Counters that stood still, went back or have no limit give numbers that are not negative."""
    stats = stats_of("x", "y", before, now, age)
    assert stats.cpu_percent >= 0
    assert stats.average_cpu_percent >= 0
    assert stats.memory_percent >= 0
    assert len(stats.row()) == len(HEADER)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (21_440_000, "21.44MB"), (1 << 40, "1.1TB")],
)
def test_sizes(number: int, text: str) -> None:
    """Sizes in powers of 1000, four digits."""
    usage = Usage(0, 0, number, 1, 1)
    assert stats_of("x", "y", usage, usage, 1).row()[3].startswith(f"{text} / ")
