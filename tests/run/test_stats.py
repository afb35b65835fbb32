"""`rootless stats`, and `top` where it sees the same processes."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

MIB = 1 << 20
_WORK = """
import os, time
held = bytearray(os.urandom(1 << 20) * 64)
if os.fork() == 0:
    time.sleep(100)
print("ready", flush=True)
while True: pass
"""


@pytest.fixture
def busy(demo_alone: Rootless, id_map_options: tuple[str, ...]) -> Iterator[tuple[Rootless, str]]:
    """A running container that holds memory and a CPU."""
    name = f"busy-{os.urandom(4).hex()}"
    options = (*id_map_options, "--name", name, "--network", "none")
    process = demo_alone.start(
        *("run", *options, "debian-demo", "python3", "-c", _WORK), stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    yield demo_alone, name
    demo_alone.ok("rm", "-f", name)
    process.communicate(timeout=60)


def shown(rootless: Rootless, *words: str) -> list[dict[str, Any]]:
    """Return what one look at the statistics shows."""
    found: list[dict[str, Any]] = json.loads(
        rootless.ok("stats", "--no-stream", "--format", "json", *words)
    )
    return found


def test_numbers(busy: tuple[Rootless, str]) -> None:
    """Its CPU, its memory and its three processes are seen, and its network is idle."""
    rootless, name = busy
    (found,) = shown(rootless, name)
    assert found["name"] == name
    assert float(found["cpu_percent"].rstrip("%")) > 5
    assert float(found["avg_cpu"].rstrip("%")) > 1
    assert float(found["cpu_time"].rstrip("s")) > 0.05
    used = found["mem_usage"].partition(" / ")[0]
    assert used.endswith("MB")
    assert 64 < float(used.removesuffix("MB")) < 300
    assert found["pids"] == "3"
    assert found["net_io"] == "0B / 0B"
    assert shown(rootless) != []
    assert len(rootless.ok("top", name).splitlines()) == 3


def test_table_and_stream(busy: tuple[Rootless, str]) -> None:
    """A table each interval, until Ctrl-C."""
    rootless, name = busy
    process = rootless.start("stats", "--interval", "0.2", name, stdout=subprocess.PIPE)
    lines = [process.stdout.readline().decode() for _ in range(4)]
    assert [line.split()[0] for line in lines[::2]] == ["ID", "ID"]
    assert all(name in line for line in lines[1::2])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_ends_with_the_container(busy: tuple[Rootless, str]) -> None:
    """A stream of named containers ends when they have ended."""
    rootless, name = busy
    process = rootless.start("stats", "--interval", "0.2", name, stdout=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"ID")
    rootless.ok("kill", name)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_nothing_to_show(demo_alone: Rootless) -> None:
    """Without running containers there is nothing but the head; a wrong name is one line."""
    assert demo_alone.ok("stats", "--no-stream").split()[:2] == ["ID", "NAME"]
    assert shown(demo_alone) == []
    result = demo_alone("stats", "--no-stream", "nosuch")
    assert (result.status, result.stdout) == (125, "")
    assert "no such container: nosuch" in result.stderr
    assert demo_alone("stats", "--format", "xml").status == 125
    assert demo_alone("stats", "--interval", "0").status == 125
