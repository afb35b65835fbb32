"""Units of systemd."""

import math
from dataclasses import replace

import pytest
from living_records import a_record

from rootless.containers.policy import Policy
from rootless.containers.record import MadeFrom
from rootless.containers.systemd_unit import format_unit, quoted
from rootless.errors import InvalidInput


def test_a_unit() -> None:
    """It starts the container, stops it, and knows where it is."""
    record = a_record(image=MadeFrom("pic"), policy=Policy(stop_timeout=5))
    unit = format_unit(
        record, "/opt/my tools/rootless", {"ROOTLESS_HOME": "/s", "A": "b"}, "always"
    )
    lines = unit.splitlines()
    assert "Description=n: pic" in lines
    assert "Environment=ROOTLESS_HOME=/s" in lines
    program = '"/opt/my tools/rootless"'
    assert f"ExecStart={program} start --attach --no-sig-proxy {record.id}" in lines
    assert f"ExecStop={program} stop {record.id}" in lines
    assert "Restart=always" in lines
    assert "TimeoutStopSec=15" in lines
    assert "b" not in unit.split("ExecStart")[0].split("Environment")[1].split("=")


def test_no_time_limit() -> None:
    """A container that is waited for without end is by systemd, too."""
    record = replace(a_record(), policy=Policy(stop_timeout=math.inf))
    assert "TimeoutStopSec=infinity" in format_unit(record, "r", {}, "no")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        *(("a", "a"), ("a b", '"a b"'), ('a"b', '"a\\"b"'), ("50%", '"50%%"')),
        *(("$A", '"$$A"'), ("a\\b", '"a\\\\b"'), ("", '""'), ("it's", '"it\'s"')),
    ],
)
def test_words(word: str, text: str) -> None:
    """Quoted where systemd would read something else."""
    assert quoted(word) == text


def test_no_word() -> None:
    """A line's end would begin another setting."""
    with pytest.raises(InvalidInput, match="line's end"):
        quoted("a\nExecStart=b")
