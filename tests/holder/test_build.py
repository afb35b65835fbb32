"""Builds through a holder: they come to the same, and end with who asked for them."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Result, Rootless
from holding import holders, warm, with_holder
from run_processes import is_alive

WaitUntil = Callable[[Callable[[], bool]], None]


def build(rootless: Rootless, folder: Path, *words: str) -> Result:
    """Build, with the phases on standard error."""
    return rootless("--timings", "build", "--no-cache", "--timestamp", "7", *words, str(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a context."""
    (tmp_path / "context").mkdir()
    return tmp_path / "context"


def test_it_comes_to_the_same(held: Rootless, folder: Path) -> None:
    """The image has the same ID, what it says is the same; a first RUN starts no server."""
    lines = [
        "FROM debian-demo",
        "ARG WHO",
        "RUN id >/id; echo $WHO; umask; ls -l /proc/self/fd | wc -l",
    ]
    lines += ["COPY file /", "RUN touch /a && rm -r /usr/share/doc; echo told >&2", "ENV A=b"]
    (folder / "Containerfile").write_text("\n".join(lines))
    (folder / "file").write_text("x")
    warm(held)
    words = ("--build-arg", "WHO=me", "--progress", "plain", "-t", "built")
    results = [build(each, folder, *words) for each in (held, with_holder(held, "off"))]
    assert [each.status for each in results] == [0, 0]
    assert "client: told what to do" in results[0].stderr
    before = results[0].stderr.partition("PID 1 started")[0].rpartition("at ms")[2]
    assert "FUSE server" not in before
    assert results[0].stdout == results[1].stdout
    said = [
        [
            line.split()[2:]
            for line in each.stderr.splitlines()
            if line.endswith((" me", " told", " 0022"))
        ]
        for each in results
    ]
    assert said[0] == said[1] != []
    assert held.ok("run", "built", "cat", "/id").startswith("uid=0")


def test_what_goes_wrong_is_told(held: Rootless, folder: Path) -> None:
    """A fault of the file, and the status of a RUN, are those of a build without a holder."""
    warm(held)
    for text in ("FROM debian-demo\nRUN exit 9\n", "FROM nothing-of-the-kind:1\nNONE\n"):
        (folder / "Containerfile").write_text(text)
        results = [
            each("build", "--no-cache", "--pull", "never", str(folder))
            for each in (held, with_holder(held, "off"))
        ]
        assert results[0].status == results[1].status != 0
        assert results[0].stderr.splitlines()[-1] == results[1].stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_client(
    held: Rootless, folder: Path, wait_until: WaitUntil, number: int
) -> None:
    """A signal to it reaches the build; after SIGKILL nothing of it runs, and nothing stays."""
    warm(held)
    (folder / "Containerfile").write_text("FROM debian-demo\nRUN echo $$ begun; sleep 612\n")
    words = ("build", "--no-cache", "--progress", "plain", str(folder))
    with held.start(*words, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        wait_until(lambda: bool(_sleepers()))
        (sleeper,) = _sleepers()
        assert holders(held)
        run.send_signal(number)
        run.communicate(timeout=30)
        assert run.returncode in (130, 143, -signal.SIGKILL)
    wait_until(lambda: not is_alive(sleeper))
    time.sleep(0.2)
    held.ok("run", "debian-demo", "true")
    with_holder(held, "off").ok("run", "debian-demo", "true")  # sweeps
    held.ok("system", "shutdown")
    wait_until(lambda: not list((held.home.runtime / "runs").iterdir()))


def _sleepers() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", b"612"]:
                found.append(int(entry.name))
    return found
